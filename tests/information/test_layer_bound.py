"""Layers against the bound: loops and dictionaries as the oracle, laws, nulls, and what is refused."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError
from oracles import layers as oracle

READOUT = dt.Binning(4, (-1, 1))


def recording_of(*layers, seeds=2, steps=(0,)):
    """A Recording of given activations [seed, sample, unit] by layer, the same at every step."""
    rec = dt.Recording(range(seeds), np.zeros(layers[0].shape[1], dtype=int), inputs=layers[0].shape[1])
    for step in steps:
        rec.add(step, {f"layer{k}": torch.as_tensor(a) for k, a in enumerate(layers, 1)})
    return rec


@pytest.fixture(scope="module")
def case():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(2) * 0.5, 24) * rng.dirichlet(np.ones(24))[:, None]
    first = np.tanh(rng.standard_normal((2, 24, 3)))
    second = np.tanh(2 * first[..., :2])
    return p, recording_of(first, second, steps=(0, 5)), (first, second)


def test_informations_and_the_layer_criterion_against_dictionaries(case):
    p, recording, layers = case
    found = dt.layer_bound(recording, p, readout=READOUT)
    for s in range(2):
        before = list(range(24))
        for k, a in enumerate(layers):
            ids = READOUT.symbols(a)[s].tolist()
            whole = {(x, t): p[x].sum() for x, t in enumerate(ids)}
            assert found.i_x[s, 0, k] == pytest.approx(oracle.information(whole), abs=1e-10)
            i_y = oracle.information(oracle.joint(p.tolist(), ids))
            assert found.i_y[s, 0, k] == pytest.approx(i_y, abs=1e-10)
            pairs = {}
            for x, pair in enumerate(zip(before, ids)):
                pairs[pair] = pairs.get(pair, 0) + p[x].sum()
            assert found.i_previous[s, 0, k] == pytest.approx(oracle.information(pairs), abs=1e-10)
            lost = oracle.information(oracle.joint(p.tolist(), before, ids)) - i_y
            assert found.lost[s, 0, k] == pytest.approx(lost, abs=1e-10)
            beta = found.beta[s, 0, k]
            assert found.criterion[s, 0, k] == pytest.approx(
                found.i_previous[s, 0, k] + (beta * lost if lost > 1e-12 else 0)
            )
            before = ids


def test_the_fitted_beta_is_the_least_residual(case):
    p, recording, layers = case
    found = dt.layer_bound(recording, p, readout=READOUT)
    for s in range(2):
        ids = READOUT.symbols(layers[1])[s].tolist()
        beta, residual = found.beta[s, 0, 1], found.residual[s, 0, 1]
        assert 0 < beta < np.inf
        assert residual == pytest.approx(oracle.residual(p.tolist(), ids, beta), abs=1e-8)
        for factor in (0.5, 0.9, 0.99, 1.01, 1.1, 2.0):
            assert oracle.residual(p.tolist(), ids, beta * factor) >= residual - 1e-9


def test_no_layer_is_above_the_bound_and_excess_is_not_negative(case):
    p, recording, _ = case
    found = dt.layer_bound(recording, p, readout=READOUT)
    assert (found.distance >= -1e-9).all()
    assert (found.excess >= -1e-3).all()
    assert np.array_equal(found.i_x[:, 0], found.i_x[:, 1])


def test_a_layer_that_is_the_optimum_lies_on_the_bound():
    """Where Y is a function of X, a layer that shows Y alone is on the bound with nothing in excess."""
    y = np.array([0, 0, 1, 1, 1, 0, 1, 0])
    p = np.eye(2)[y] / 8
    layer = np.where(y[None, :, None] > 0, 0.9, -0.9).repeat(2, 0)
    found = dt.layer_bound(recording_of(layer), p, readout=READOUT)
    assert found.distance == pytest.approx(np.zeros((2, 1, 1)), abs=1e-9)
    assert found.excess == pytest.approx(np.zeros((2, 1, 1)), abs=1e-6)
    assert np.isinf(found.beta).all()
    assert found.residual == pytest.approx(np.zeros((2, 1, 1)), abs=1e-9)
    assert "infinite" in found.notes[-1]


def test_shuffled_labels_fit_worse_where_the_layer_knows_them():
    rng = np.random.default_rng(1)
    p_one = 1 / (1 + np.exp(-4 * rng.standard_normal(80)))
    p = np.stack([1 - p_one, p_one], 1) / 80
    layer = np.round(4 * (2 * p_one - 1))[None, :, None].repeat(2, 0) / 4.5
    found = dt.layer_bound(recording_of(layer), p, readout=dt.Binning(9, (-1, 1)), permutations=4)
    assert (found.residual < found.residual_shuffled).all()
    again = dt.layer_bound(recording_of(layer), p, readout=dt.Binning(9, (-1, 1)), permutations=4)
    assert np.array_equal(found.residual_shuffled, again.residual_shuffled)


def test_quality_and_gaps():
    y = np.array([0, 0, 1, 1])
    p = np.eye(2)[y] / 4
    right = np.eye(2)[y][None]
    wrong = np.eye(2)[[0, 1, 0, 1]][None]
    outputs = np.concatenate([right, wrong])
    found = dt.layer_bound(recording_of(outputs), p, readout=dt.Binning(2, (0, 1)), n=10_000, constant=0.01)
    assert found.quality[:, 0] == pytest.approx([1, 0], abs=1e-9)
    assert found.d_n[:, 0] == pytest.approx([0, 1], abs=1e-9)
    assert found.r_n[:, 0] == pytest.approx([1, 1])
    limit = dt.information.finite_sample_bound(found.curve, 10_000, constant=0.01)
    assert found.d_gap[:, 0] == pytest.approx(found.d_n[:, 0] - limit.d_star)
    assert found.c_gap[:, 0] == pytest.approx(found.r_n[:, 0] - limit.r_star)
    one_unit = dt.layer_bound(recording_of(outputs[..., 1:]), p, readout=dt.Binning(2, (0, 1)))
    assert one_unit.quality[:, 0] == pytest.approx([1, 0], abs=1e-9)
    assert np.isnan(one_unit.d_gap).all()


@pytest.mark.parametrize("d", [0.2, 0.05, 0.01, 1e-3, 1e-5])
def test_a_small_loss_is_a_loss(d):
    """Two inputs of unlike p(y|x) in each cluster: 1e-2 to 1e-11 nats are lost, and beta is finite, the oracle's."""
    one = 0.5 + d * np.array([-3, -2, -1, 1, 2, 3]) / 7
    p = np.stack([1 - one, one], 1) / 6
    layer = np.array([-0.9, 0.9, -0.9, 0.9, -0.9, 0.9])[None, :, None].repeat(2, 0)
    found = dt.layer_bound(recording_of(layer), p, readout=READOUT)
    assert (found.beta > 0).all()
    assert np.isfinite(found.beta).all()
    assert found.beta[0, 0, 0] == pytest.approx(oracle.fitted_beta(p.tolist(), [0, 1] * 3), rel=1e-5)
    assert found.lost[0, 0, 0] == pytest.approx(found.curve.i_xy - found.i_y[0, 0, 0], rel=1e-6)


def test_the_null_permutes_only_inputs_with_mass():
    p = np.array([[0.3, 0.1], [0.0, 0.0], [0.1, 0.3], [0.15, 0.05]])
    layer = np.array([-0.9, 0.0, 0.9, 0.9])[None, :, None].repeat(2, 0)
    found = dt.layer_bound(recording_of(layer), p, readout=READOUT, permutations=20)
    again = dt.layer_bound(recording_of(np.delete(layer, 1, 1)), np.delete(p, 1, 0), readout=READOUT, permutations=20)
    assert np.isfinite(found.residual_shuffled).all()
    assert found.residual == pytest.approx(again.residual)


@pytest.mark.parametrize(
    "readout", [READOUT, dt.Quantized(3), dt.Exact(), dt.Binning.released(10), dt.Binning(5, "unit")]
)
def test_symbols_are_what_the_read_out_counts(readout):
    a = np.tanh(np.random.default_rng(2).standard_normal((3, 200, 2))).astype(np.float32)
    a[:, 100:] = a[:, :100]
    ids = readout.symbols(a)
    seen = readout.summarize(a, np.arange(200) % 2)["occupied"]
    assert [len(np.unique(i)) for i in ids] == seen.tolist()
    assert np.array_equal(ids[:, :100], ids[:, 100:])
    assert (ids[:, 0] == 0).all()


def test_it_shows_itself(case):
    p, recording, _ = case
    found = dt.layer_bound(recording, p, readout=READOUT, steps=[5])
    assert "LayerBound(2 networks, Binning(4, (-1.0, 1.0)); bits below the bound at step 5" in repr(found)
    assert len(found.table()) == 4
    assert found.dataset()["quality"].dims == ("seed", "step")
    assert [t.name for t in found.figure().data] == ["bound", "layer1", "layer2"]
    both = dt.layer_bound(recording, p, readout=READOUT).figure()
    # each layer once in the legend, the hollow points not
    assert [t.name for t in both.data if t.showlegend is not False] == ["bound", "layer1", "layer2"]
    assert len(both.data) == 5


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"readout": None}, "readout is None"),
        ({"curve": dt.bottleneck_curve(np.eye(2) / 2)}, "curve is of another table"),
        ({"curve": 3}, "curve is int"),
        ({"readout": dt.GaussianNoise(0.1)}, "exact encoder under Binning"),
        ({"p_xy": np.ones((3, 2)) / 6}, "24 inputs, p_xy 3 rows"),
        ({"steps": [7]}, "step 7 was not recorded"),
        ({"readout": dt.Binning(4, (-0.1, 0.1))}, "values lie outside"),
    ],
)
def test_wrong_use(case, change, match):
    p, recording, _ = case
    arguments = {"p_xy": p, "readout": READOUT} | change
    with pytest.raises(InputError, match=match):
        dt.layer_bound(recording, **arguments)


@pytest.mark.parametrize("given", [np.ones((2, 24, 3)), torch.ones(24), [1.0], None])
def test_what_is_no_recording_is_named(case, given):
    with pytest.raises(InputError, match="needed: a Recording"):
        dt.layer_bound(given, case[0], readout=READOUT)
    with pytest.raises(InputError, match="the recording is empty"):
        dt.layer_bound(dt.Recording([0], inputs=24), case[0], readout=READOUT)


@pytest.mark.parametrize("steps", [5, [], "5", [2.5], [True], [None]], ids=repr)
def test_steps_that_are_none_are_refused(case, steps):
    with pytest.raises(dt.errors.InputError, match="step"):
        dt.layer_bound(case[1], case[0], readout=READOUT, steps=steps)


def test_a_step_asked_for_twice_is_one(case):
    found = dt.layer_bound(case[1], case[0], readout=READOUT, steps=np.array([5, 5]))
    assert found.steps == (5,)
