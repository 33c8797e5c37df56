"""Information and posteriors of what is very rare: probabilities whose product or inverse leaves float64."""

import math

import numpy as np
import pytest

from deeptheory.cheap import MarkovHierarchy

_TWO = np.eye(2)


@pytest.mark.parametrize("rare", [1e-20, 1e-160, 1e-200, 1e-300, 1e-310])
def test_a_rare_state_has_finite_bits_and_its_own_posterior(rare):
    """H(p) = -p log2 p - (1 - p) log2 (1 - p) bits, whose second part is p / ln 2 here."""
    h = MarkovHierarchy([1 - rare, rare], [_TWO, _TWO])
    truth = rare * (-math.log2(rare) + 1 / math.log(2))
    if rare < 1e-17:  # 1 - rare is 1, so that its part is lost in log2 1
        truth = -rare * math.log2(rare)
    np.testing.assert_allclose(h.information(), truth, rtol=1e-9)
    assert h.distil(2).information == pytest.approx(truth, rel=1e-9)
    np.testing.assert_allclose(h.compose(), _TWO, rtol=1e-9)
    np.testing.assert_allclose(h.posterior(), _TWO, rtol=1e-9)


def test_a_rare_step():
    m = np.array([[1.0, 1.0], [0.0, 1e-310]])
    h = MarkovHierarchy([0.5, 0.5], [m])
    np.testing.assert_allclose(h.compose(), [[0.5, 0.5], [0, 1]], rtol=1e-9)


def test_a_state_whose_probability_is_rounded_to_0_is_said():
    h = MarkovHierarchy([1.0, 1e-200], [np.array([[1.0, 1.0], [0.0, 1e-200]])])
    assert h.classes[-1].tolist() == [0, -1]
    assert "1 state of the last level can be reached" in h.notes[0]
    assert MarkovHierarchy([1.0, 0.0], [np.array([[1.0, 1.0], [0.0, 1e-200]])]).notes == ()


@pytest.mark.parametrize("tolerance", [0, 1e-300])
def test_rows_that_rounding_parts_are_in_doubt(tolerance):
    """300 rows of 6 kinds: at tolerance 0 rounding makes some of the same kind differ, and that is said."""
    rng = np.random.default_rng(0)
    base, weights = rng.dirichlet(np.ones(6), size=40).T, rng.random(50)[:, None]
    m = np.concatenate([row * weights / weights.sum() for row in base])
    h = MarkovHierarchy(np.ones(40) / 40, [m], tolerance=tolerance)
    assert h.counts[0] > 6
    assert "exact=True settles it" in h.notes[0]


def test_no_information_is_held_by_one_class():
    flat = np.outer([0.1, 0.2, 0.7], [1.0, 1.0, 1.0])
    d = MarkovHierarchy([0.3, 0.3, 0.4], [flat, np.eye(3)]).distil(2)
    assert "; 1 hold 99 %" in repr(d)
