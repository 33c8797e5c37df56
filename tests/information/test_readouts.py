"""Readouts against dictionaries and double loops, and what each of them must and must not see."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information.counting import cells
from deeptheory.information.readouts.keys import hash_cells
from oracles import information as oracle

NAMES = ("i_x", "i_y", "h_t", "occupied")


def labels(n, classes, rng):
    y = rng.integers(0, classes, n)
    y[:2] = 0, 1
    return y


def check(got, want, seed=0):
    for name, value in zip(NAMES, want):
        assert got[name][seed] == pytest.approx(value, abs=1e-9), name


@given(st.integers(0, 10_000), st.integers(2, 60), st.integers(1, 12), st.integers(1, 40), st.integers(2, 4))
@settings(max_examples=60, deadline=None)
def test_binning_agrees_with_the_literal_loop(seed, n, units, cells, classes):
    rng = np.random.default_rng(seed)
    a = rng.choice([rng.uniform(-1, 1, (2, n, units)), np.tanh(20 * rng.standard_normal((2, n, units)))]).astype(
        np.float32
    )
    y = labels(n, classes, rng)
    p_y = rng.dirichlet(np.ones(classes), n)
    edges = np.linspace(-1, 1, cells + 1)
    for targets, weights in ((y, np.eye(y.max() + 1)[y]), (p_y, p_y)):
        got = dt.Binning(cells, (-1, 1)).summarize(a, targets)
        for s in range(2):
            check(got, oracle.binned(a[s], [edges] * units, weights), s)


@pytest.mark.parametrize("bounds", ["layer", "unit"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_bounds_from_the_values_agree_with_the_literal_loop(bounds, dtype):
    rng = np.random.default_rng(3)
    a = (rng.standard_normal((2, 50, 3)) * [1, 10, 0.1]).astype(dtype)
    y = labels(50, 3, rng)
    got = dt.Binning(7, bounds).summarize(a, y)
    for s in range(2):
        ranges = [(a[s].min(), a[s].max())] * 3 if bounds == "layer" else [(c.min(), c.max()) for c in a[s].T]
        check(got, oracle.binned(a[s], [np.linspace(*map(float, r), 8) for r in ranges], np.eye(3)[y]), s)


def test_many_units_do_not_collide():
    rng = np.random.default_rng(0)
    a = rng.choice([-1.0, 1.0], (1, 4000, 300)).astype(np.float32)
    a[0, 2000:] = a[0, :2000]  # every row twice
    got = dt.Binning(2, (-1, 1)).summarize(a, labels(4000, 2, rng))
    assert got["occupied"][0] == 2000
    assert got["i_x"][0] == pytest.approx(np.log2(2000), abs=1e-9)


def test_order_of_units_and_of_samples_does_not_matter():
    rng = np.random.default_rng(1)
    a, y = rng.uniform(-1, 1, (1, 200, 5)), labels(200, 2, rng)
    units, samples = rng.permutation(5), rng.permutation(200)
    first = dt.Binning(6, (-1, 1)).summarize(a, y)
    second = dt.Binning(6, (-1, 1)).summarize(a[:, samples][:, :, units], y[samples])
    assert all(first[k] == pytest.approx(second[k], abs=1e-12) for k in NAMES)


def test_finer_nested_cells_never_know_less():
    rng = np.random.default_rng(2)
    a, y = rng.uniform(-1, 1, (1, 300, 3)), labels(300, 2, rng)
    got = [dt.Binning(n, (-1, 1)).summarize(a, y) for n in (1, 2, 4, 8, 16, 32)]
    for name in ("i_x", "i_y"):
        assert (np.diff([float(g[name][0]) for g in got]) >= -1e-12).all()
    assert got[0]["i_x"] == got[0]["i_y"] == 0
    assert got[0]["occupied"] == 1


def test_right_edges_are_closed_and_the_ends_belong():
    a = np.array([-1.0, -0.5, 0.0, 0.5, 1.0]).reshape(1, 5, 1)
    y = np.array([0, 1, 0, 1, 0])
    got = dt.Binning(edges=[-1, 0, 1]).summarize(a, y)  # {-1, -.5, 0} and {.5, 1}
    assert got["occupied"][0] == 2
    assert got["h_t"][0] == pytest.approx(oracle.entropy([0, 0, 0, 1, 1]))


def test_a_saturated_float32_tanh_stays_inside():
    a = torch.tanh(torch.tensor([[[-50.0], [50.0], [0.1]]]))
    assert dt.Binning(30, (-1, 1)).summarize(a, [0, 1, 0])["occupied"][0] == 3


EDGES = {
    "even": lambda m, rng: np.linspace(-1, 1, m + 1),
    "drawn": lambda m, rng: np.sort(rng.normal(size=m + 1)),
    "crowded at the ends": lambda m, rng: np.tanh(np.linspace(-20, 20, m + 1)),
    "huge and tiny": lambda m, rng: np.sort(rng.standard_cauchy(m + 1)) * 10.0 ** rng.integers(-300, 300),
    "released": lambda m, rng: np.array(dt.Binning.released(m + 1).edges),
}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", EDGES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cells_of_any_edges_are_those_of_a_search(kind, seed, dtype):
    """On the edges, one float beside them and between; more rows than a block of the stream takes at once."""
    rng = np.random.default_rng([seed, len(kind)])
    edges = np.unique(EDGES[kind](int(rng.integers(1, 40)), rng))
    near = [edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf), rng.normal(size=20)]
    with np.errstate(over="ignore"):
        a = np.concatenate([*near, rng.uniform(edges[0], edges[-1], 2000)]).astype(dtype)[:, None]
    rows, keys = np.empty((len(a), 1), dtype=np.int32), np.empty((len(a), 2), dtype=np.uint64)
    found = cells(a, edges[None], False, rows)
    want = np.clip(np.searchsorted(edges, a[:, 0].astype(float)) - 1, 0, len(edges) - 2)
    assert (rows[:, 0] == want).all()
    assert found == (0, (a < edges[0]).sum(), (a > edges[-1]).sum())
    assert hash_cells(a, edges[None], False, False, keys) == found
    assert (keys[:, 0] == want).all()


def test_clamp_puts_outsiders_into_the_end_cells():
    a = np.array([-9.0, -0.9, 0.9, 9.0]).reshape(1, 4, 1)
    assert dt.Binning(2, (-1, 1), clamp=True).summarize(a, [0, 0, 1, 1])["i_x"][0] == pytest.approx(1)


def test_the_released_code_s_cells():
    rng = np.random.default_rng(0)
    a = np.concatenate([rng.uniform(-1, 1, 500), [-1.0, 1.0, -1.7, 3.0], np.linspace(-1, 1, 30)]).astype(np.float32)
    n, edges = len(a), np.linspace(-1, 1, 30).astype(np.float32)
    theirs = np.digitize(a, edges) - 1  # what it computes; -1 indexes the last cell
    theirs[theirs == -1] = 29
    y = labels(n, 2, rng)
    got = dt.Binning.released(30).summarize(a.reshape(1, n, 1), y)
    check(got, oracle.plane([(c,) for c in theirs], np.eye(2)[y]))


@pytest.mark.parametrize("below", [1, 3, 40])
def test_values_below_the_released_cells_wrap_into_the_last_one(below):
    a = np.concatenate([np.full(below, -1.5), np.full(60, -0.99), np.full(60, 1.0)]).reshape(1, -1, 1)
    got = dt.Binning.released(30).symbols(a)[0]
    assert len(set(got[:below]) | set(got[-60:])) == 1  # with exactly +1, not with the first cell
    assert len(set(got)) == 2


def test_equal_counts_fill_cells_evenly():
    a = np.exp(np.random.default_rng(0).standard_normal((1, 4097, 1)))
    got = dt.Binning(16, "unit", spacing="count").summarize(a, labels(4097, 2, np.random.default_rng(1)))
    assert got["i_x"][0] == pytest.approx(4, abs=1e-3)


def test_entropy_based_edges_look_at_distinct_values():
    a = np.concatenate([np.zeros(900), np.linspace(1, 2, 100)]).reshape(1, -1, 1)
    y = labels(1000, 2, np.random.default_rng(1))
    assert dt.Binning(10, "unit", spacing="entropy").summarize(a, y)["occupied"][0] == 10
    assert dt.Binning(10, "unit", spacing="count").summarize(a, y)["occupied"][0] < 10


def test_a_constant_layer_tells_nothing():
    a = np.full((1, 20, 3), 0.3)
    for readout in (
        dt.Binning(30, "unit"),
        dt.Binning(30, "layer"),
        dt.Exact(),
        dt.Quantized(8),
        dt.GaussianNoise(0.1),
    ):
        got = readout.summarize(a, [0, 1] * 10)
        assert got["i_x"] == pytest.approx(0, abs=1e-12)
        assert got["i_y"] == pytest.approx(0, abs=1e-12)


def test_exact_counts_distinct_rows_in_every_bit():
    a = np.array([[0.0, 1], [-0.0, 1], [0, 1 + 1e-17], [0, np.nextafter(1, 2)]])[None]
    got = dt.Exact().summarize(a, [0, 0, 1, 1])
    assert got["occupied"][0] == 2
    assert got["i_x"][0] == pytest.approx(oracle.entropy([0, 0, 0, 1]))
    wide = np.random.default_rng(0).standard_normal((1, 512, 4)).astype(np.float32)
    assert dt.Exact().summarize(wide, [0, 1] * 256)["i_x"][0] == pytest.approx(9, abs=1e-12)


def test_a_quantized_layer_is_read_at_its_own_levels():
    rng = np.random.default_rng(0)
    a, y = rng.uniform(0, 1, (1, 80, 2)), labels(80, 2, rng)
    levels = [tuple(round(v * 7) for v in row) for row in a[0]]
    check(dt.Quantized(3, (0, 1)).summarize(a, y), oracle.plane(levels, np.eye(2)[y]))
    assert dt.Quantized(3, (0, 0.5)).summarize(a, y)["i_x"][0] < dt.Quantized(3, (0, 1)).summarize(a, y)["i_x"][0]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])  # each has a kernel of its own
def test_noise_bounds_agree_with_the_double_loop(dtype):
    rng = np.random.default_rng(0)
    h, y, sigma = rng.standard_normal((40, 3)).astype(dtype), labels(40, 3, rng), 0.4
    got = dt.GaussianNoise(sigma).summarize(h[None], y)
    even = np.full(40, 1 / 40)
    upper, lower = oracle.mixture_entropy_bounds(h, sigma, even)
    own = 3 / 2 * np.log2(2 * np.pi * np.e * sigma**2)
    given_upper = given_lower = 0.0
    for c in range(3):
        up, down = oracle.mixture_entropy_bounds(h, sigma, (y == c) / (y == c).sum())
        given_upper, given_lower = given_upper + (y == c).mean() * up, given_lower + (y == c).mean() * down
    assert got["h_t"][0] == pytest.approx(upper, rel=1e-5)
    assert got["i_x"][0] == pytest.approx(upper - own, rel=1e-5)
    assert got["i_x_lower"][0] == pytest.approx(lower - own, rel=1e-5)
    assert got["i_y"][0] == pytest.approx(upper - given_upper, rel=1e-5)
    assert got["i_y_lower"][0] == pytest.approx(lower - given_upper, rel=1e-5)
    assert got["i_y_upper"][0] == pytest.approx(upper - given_lower, rel=1e-5)


@pytest.mark.parametrize("sigma", [0.1, 0.5, 2.0])
def test_the_truth_lies_between_the_noise_bounds(sigma):
    h = np.random.default_rng(0).standard_normal((60, 2))
    got = dt.GaussianNoise(sigma).summarize(h[None], [0, 1] * 30)
    truth = oracle.mixture_information(h, sigma, draws=40_000, seed=1)
    assert got["i_x_lower"][0] - 0.02 <= truth <= got["i_x"][0] + 0.02


def test_relative_noise_is_free_of_scale_and_absolute_noise_is_not():
    h = np.random.default_rng(0).standard_normal((1, 60, 2))
    y = [0, 1] * 30
    relative = [dt.GaussianNoise(0.2, relative=True).summarize(c * h, y)["i_x"][0] for c in (1, 7)]
    absolute = [dt.GaussianNoise(0.2).summarize(c * h, y)["i_x"][0] for c in (1, 7)]
    assert relative[0] == pytest.approx(relative[1])
    assert absolute[1] > absolute[0] + 0.1


def test_tensors_of_any_kind_are_read():
    h = torch.rand(1, 30, 2, requires_grad=True)
    y = torch.tensor([0, 1] * 15)
    for a in (h, h.bfloat16(), h.double(), h.half()):
        assert 0 < dt.Binning(5, "layer").summarize(a, y)["i_x"][0] <= np.log2(30)


def test_cells_of_their_own_make_random_labels_look_learnt():
    """The trap of plug-in estimates: 8 random units, 30 cells, random labels say I(T;Y) = 1 bit where the truth is
    0."""
    rng = np.random.default_rng(0)
    a, y = rng.uniform(-1, 1, (1, 4096, 8)), rng.integers(0, 2, 4096)
    plane = dt.information_plane(a, dt.Binning(30, (-1, 1)), targets=y, permutations=20)
    assert plane.i_y.item() > 0.999
    assert any("permuted labels" in note for note in plane.notes)
    assert plane.p_value.item() > 0.05
    assert plane.null_mean.item() == pytest.approx(plane.i_y.item(), abs=1e-3)


def test_permuted_labels_show_what_is_real():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    a = (y + 0.3 * rng.standard_normal(400)).reshape(1, 400, 1)
    plane = dt.information_plane(a, dt.Binning(8, "layer"), targets=y, permutations=30)
    assert plane.p_value.item() == pytest.approx(1 / 31)
    assert plane.null_mean.item() < 0.05


A = np.random.default_rng(0).standard_normal((1, 40, 3))
Y = np.arange(40) % 2


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: dt.Binning("a"), "n is a; needed: an integer number of cells"),
        (lambda: dt.Binning(float("nan")), "n is nan; needed"),
        (lambda: dt.Binning(3, (0, 1, 2)), r"bounds are \(0, 1, 2\); needed: two numbers"),
        (lambda: dt.Binning.released(0), "n is 0; needed"),
        (lambda: dt.Binning.released(2.5), "n is 2.5; needed"),
        (lambda: dt.Binning.net_input(0), "n is 0; needed"),
        (lambda: dt.Binning.net_input(10, reach=float("inf")), "reach is inf; needed"),
        (lambda: dt.GaussianNoise("0.1"), "sigma is '0.1'"),
        (lambda: dt.Quantized(2, (-np.inf, np.inf)), "the first must be below the second, both finite"),
        (lambda: dt.Quantized(2, (0, 1, 2)), "the first must be below the second, both finite"),
        (lambda: dt.Quantized("8"), "bits is '8'"),
        (lambda: dt.PropagatedNoise(0.1, 0), "inputs is 0; needed: an integer"),
        (lambda: dt.information.ClassStatistics().summarize(A, np.where(Y == 1, np.nan, 0.0)), "20 of 40 labels are"),
        (lambda: dt.information.Clusters(1.0).summarize(A, np.full((40, 2), 0.5)), "not probabilities"),
        (lambda: dt.information.LinearGaussian(relevant=9).summarize(A[:, :4]), "relevant is 9; needed: from 0 to 3"),
        (lambda: dt.information.LinearGaussian(relevant=-1).summarize(A[:, :4]), "relevant is -1"),
    ],
)
def test_wrong_use_is_told(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_targets_of_propagated_noise_are_those_of_its_rows():
    readout = dt.PropagatedNoise(1.0, 4, blocks=2, chosen=4, repeats=3)
    y, s = np.array([0, 1, 0, 1]), np.random.default_rng(0).standard_normal((1, 20, 2))
    assert "i_y" in readout.summarize(s, y[readout.rows()])
    assert "i_y" not in readout.summarize(s, None)
    with pytest.raises(InputError, match=r"targets have shape \[4\], activations 20 samples"):
        readout.summarize(s, y)
