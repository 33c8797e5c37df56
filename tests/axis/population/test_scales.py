"""Measures that know no scale give the same bits for responses times any power of two, whose squares leave float64."""

import numpy as np
import pytest

from deeptheory import axis as ax

R = np.random.default_rng(0)
Y, S, TRIALS = R.standard_normal((40, 4)), R.standard_normal((40, 3)), R.standard_normal((6, 4, 3))


@pytest.mark.parametrize("power", [650, -650])
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "measure",
    [
        lambda c: ax.axes_geometry(Y[:6] * c, draws=2).cosines,
        lambda c: ax.axes_geometry(Y[:6] * np.array([c, 1, 1, 1, 1, 1])[:, None], draws=2).cosines,
        lambda c: ax.subspace_angles(Y[:2] * c, Y[2:4], 0.9),
        lambda c: ax.cross_validated_rdm(TRIALS * c),
        lambda c: ax.label_decoding(TRIALS * np.array([c, 1, 1])).confusion,
        lambda c: ax.latent_alignment(Y * np.array([c, 1, 1, 1]), S * c, folds=2).correlation,
        lambda c: ax.udr([Y * c, S]),
    ],
)
def test_scale_changes_nothing(measure, power):
    np.testing.assert_array_equal(measure(2.0**power), measure(1.0))


def test_numpys_own_integers_are_seeds_and_no_stimuli_have_no_responses():
    sim = ax.simulate(n=40, d=3, units=2, seed=1)
    assert sim.respond(S[:0], 0).shape == (0, 2)
    power = {"n": 40, "d": 3, "units": 3, "folds": 2, "permutations": 5}
    assert ax.verdict_power(**power, seed=np.int64(1)).counts == ax.verdict_power(**power, seed=1).counts


def test_a_unit_constant_in_training_is_ignored_though_its_deviation_is_rounding():
    trials = np.random.default_rng(0).standard_normal((4, 6, 2))
    still = np.full((4, 6, 1), 0.1)
    still[:, 3:] = np.arange(4.0)[:, None, None] + 5
    found = ax.label_decoding(np.concatenate([trials, still], 2)).confusion
    np.testing.assert_array_equal(found, ax.label_decoding(trials).confusion)
