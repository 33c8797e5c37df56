"""The pairs of known information of the table of estimators: truths held to samplers, and to other formulas."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks are no part of the package

from benchmarks import truths
from benchmarks.truths import exact, relu
from benchmarks.truths.fresh import FRESH
from benchmarks.truths.further import FURTHER
from benchmarks.truths.held_out import HELD_OUT

from deeptheory.core.errors import InputError

EVERY = FURTHER | HELD_OUT | FRESH


def test_a_hundred_in_thirty_families():
    for held in (HELD_OUT, FRESH):
        assert len(held) == 100
        assert len({family for family, *_ in held.values()}) == 30
    assert len({*truths.names("forty"), *EVERY}) == 40 + len(EVERY)


@pytest.mark.parametrize("name", EVERY)
def test_a_pair_has_the_columns_it_says(name):
    task = truths.task(name)
    x, y = task.sample(300, 1)
    assert tuple(1 if v.ndim == 1 else v.shape[1] for v in (x, y)) == task.dims
    assert len(x) == len(y) == 300
    assert np.isfinite(x).all()
    assert np.isfinite(y).all()
    for one, again in zip((x, y), task.sample(300, 1)):
        assert (one == again).all()
    assert task.mutual_information >= 0


def test_truths_are_the_means_of_log_density_ratios():
    """Sampler and truth, made in different ways: over all, the scaled differences are those of a normal."""
    z = {}
    for name, (family, *_, make) in EVERY.items():
        pair = make()
        if pair.ratio is None:
            continue
        n = 200 if family in ("sine", "curves") else 5000  # those integrate once per row
        ratio = pair.ratio(*pair.draw(np.random.default_rng([n, len(z)]), n))
        z[name] = (ratio.mean() - pair.nats) / (ratio.std() / math.sqrt(n) + 1e-9)
    assert len(z) > 85
    assert {k: v for k, v in z.items() if abs(v) > 4.5} == {}
    assert abs(np.mean([*z.values()])) < 0.6


def test_a_wrong_truth_shows():
    pair = exact.clayton(2)
    ratio = pair.ratio(*pair.draw(np.random.default_rng(0), 1000))
    assert abs(ratio.mean() - 1.1 * pair.nats) > 3 * ratio.std() / math.sqrt(1000) / 2
    assert abs(ratio.mean() - pair.nats) < 4 * ratio.std() / math.sqrt(1000)


def test_integrals_give_closed_forms():
    one = exact.normal_mixture([1.0], [[0, 0]], [[[1, 0.8], [0.8, 1]]])
    assert one.nats == pytest.approx(exact.normal_pair(0.8).nats, abs=1e-9)

    def clayton(u, v, t=0.5):
        return (1 + t) * (u * v) ** (-1 - t) * (u**-t + v**-t - 1) ** (-2 - 1 / t)

    edges = np.concatenate([[0], np.geomspace(1e-9, 1, 80)])
    assert exact.information_of(clayton, edges, edges, 12) == pytest.approx(exact.clayton(0.5).nats, abs=1e-6)
    assert exact.entropy_of(exact.phi, np.linspace(-10, 10, 21)) == pytest.approx(
        0.5 * math.log(2 * math.pi * math.e), abs=1e-10
    )
    t, w = exact.nodes(np.linspace(-9, 9, 61))  # x normal, y = x + noise of .5
    shown = exact.noisy(
        lambda x: x, lambda x: np.full(x.shape, 0.5), lambda rng, n: rng.normal(size=(n, 1)), t, w * exact.phi(t),
        np.linspace(-12, 12, 121),
    )  # fmt: skip
    assert shown.nats == pytest.approx(0.5 * math.log(5), abs=1e-8)


def test_limits_of_masks_and_rounding():
    whole = exact.normal_pair(0.6).nats
    assert relu.rounded_both(0.6, 0.02).nats == pytest.approx(whole, abs=1e-3)
    assert relu.rounded_one(0.6, 0.02).nats == pytest.approx(whole, abs=1e-3)
    assert relu.rounded_both(0.6, 0.5).nats < relu.rounded_one(0.6, 0.5).nats < whole
    assert relu.masked([[0.0, 0.0], [0.0, 1.0]], 0.6).nats == pytest.approx(whole)
    assert relu.masked([[0.5, 0], [0, 0.5]], 0.0).nats == pytest.approx(math.log(2))
    assert relu.rectified_one(1e-9).nats == pytest.approx(0, abs=1e-9)
    assert 0 < relu.rectified_both(0.6).nats < relu.rectified_one(0.6).nats < whole
    signs = exact.table([[0.25 + math.asin(0.6) / (2 * math.pi), 0.25 - math.asin(0.6) / (2 * math.pi)]] * 1)
    assert signs.nats == pytest.approx(0)  # one row tells nothing
    assert relu.scales([1, 1], 3).nats == pytest.approx(0, abs=1e-9)
    assert relu.classes([0, 50], 1).nats == pytest.approx(math.log(2), abs=1e-9)


def test_a_relu_layer_tells_what_its_preactivations_tell():
    """x can be read off relu([I; -I] x), so that the layer tells what the inputs do; one of two inputs tells less."""
    teacher = np.array([[1.0, 2.0]])
    assert relu.relu_layer(np.eye(2), teacher, 0.5).nats == pytest.approx(0.5 * math.log(1 + 5 / 0.25))
    assert relu.relu_layer(np.eye(2)[:1], teacher, 0.5).nats == pytest.approx(0.5 * math.log(5.25 / 4.25))
    t, _ = relu.relu_layer(np.eye(2), teacher, 0.5).draw(np.random.default_rng(0), 50)
    assert ((t == 0).sum(1) == 2).all()


def test_an_unknown_task_or_set_is_refused():
    with pytest.raises(InputError, match="did you mean sine-3"):
        truths.task("sine-33")
    with pytest.raises(InputError, match="set of tasks"):
        truths.names("fifty")
