"""Where critics of "nwj" and "dv" are cut, and what is said of a value that nothing bears out."""

import math

import numpy as np
import pytest
import torch

from deeptheory.information.trained.contrast import _capped, _constant
from deeptheory.information.trained.coordinates import paired
from deeptheory.information.trained.outcome import Outcome, estimate


@pytest.mark.parametrize("rows", [2, 3, 32, 128])
@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, 30.0, 1e3, 1e5])
def test_the_mean_of_a_cut_critic_is_one(scale, rows):
    torch.manual_seed(rows)
    others = ~torch.eye(rows, dtype=torch.bool)
    scored = [(scale * torch.randn(4, rows, rows, dtype=torch.float64) ** 3, others) for _ in range(2)]
    if rows == 32:
        scored = [(s.round(), o) for s, o in scored]  # equal scores
    cut = _capped(scored, _constant(scored, rows), rows)
    mean = torch.stack([s.exp()[:, others].mean(1) for s, _ in cut]).mean(0)
    assert mean == pytest.approx(torch.ones(4), abs=1e-9)
    assert max(float(s.max()) for s, _ in cut) <= math.log(rows) + 1e-12


def test_pairs_that_belong_together_do_not_count():
    torch.manual_seed(0)
    scores, apart = torch.randn(1, 8, 8), ~torch.eye(8, dtype=torch.bool)
    apart[0, 1] = False
    with_one = scores.clone()
    with_one[0, 0, 1] = 1e6
    assert torch.equal(_constant([(scores, apart)], 8), _constant([(with_one, apart)], 8))


@pytest.mark.parametrize(("value", "high", "said"), [(-0.2, 0.0, "carried up to 0"), (-9.0, math.inf, "no upper end")])
def test_a_value_below_nothing_excludes_nothing(value, high, said):
    x = np.random.default_rng(0).normal(size=(2, 40))
    folds = [np.full(20, 1e-3) * np.resize([1, -1], 20)] * 2
    nats = np.full(2, value * math.log(2))
    got = estimate(Outcome(nats, folds, [np.arange(20)] * 2), "m", "lower", (), paired(x[0], x[1], False))
    assert (round(got.value, 6), got.high) == (value, high)
    assert any(said in n for n in got.notes)
