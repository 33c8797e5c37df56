"""Measures that know no scale give the same bits for responses times any power of two, whose squares leave float64."""

import numpy as np
import pytest

from deeptheory import axis as ax
from deeptheory.axis.simulate.codes import exemplar
from deeptheory.core.errors import InputError

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
        lambda c: ax.rdm(Y * c),
        lambda c: ax.rdm_correlation(ax.rdm(Y) * c, ax.rdm(S), permutations=5).value,
        lambda c: ax.similarity_matrix(Y * c),
        lambda c: ax.view_tolerance(Y * c, np.arange(40) // 4, np.arange(40) % 4, permutations=5).by_views,
        lambda c: ax.object_space(Y * c, 3).explained.round(12),  # LAPACK scales by what is no power of two
        lambda c: ax.distractor_ratio(Y * c, Y[:, ::-1] * c),
        lambda c: ax.split_half(TRIALS * c),
        lambda c: ax.signal_power(TRIALS * c),
    ],
)
def test_scale_changes_nothing(measure, power):
    np.testing.assert_array_equal(measure(2.0**power), measure(1.0))


@pytest.mark.parametrize("code", ["axis", "exemplar", "energy", "norm x direction"])
@pytest.mark.parametrize("power", [-500, -50, 50, 500])
@pytest.mark.filterwarnings("error")
def test_simulated_cells_do_not_know_the_unit_of_the_features(code, power):
    """Variances of 1e-30 gave 2e7 spikes to axis cells, and none to energy cells."""
    near, far = (ax.simulate(code, n=60, d=3, units=4, variances=np.array([1, 2, 0]) * v) for v in (1, 4.0**power))
    np.testing.assert_array_equal(far.responses, near.responses)
    np.testing.assert_array_equal(far.features, np.ldexp(near.features, power))
    np.testing.assert_array_equal(far.respond(far.features[:9], 1), near.respond(near.features[:9], 1))


def test_distances_to_an_exemplar_are_those_of_differences():
    """From products of coordinates, 1e8 from 0, they were off by more than 1."""
    near, far = (exemplar(S + c, S[:4] + c) for c in (0.0, 1e8))
    np.testing.assert_allclose(far, near, atol=1e-6)
    assert (np.diag(near) == 0).all()


def test_features_that_never_vary_are_refused():
    with pytest.raises(InputError, match="not all 0"):
        ax.simulate(d=3, variances=np.zeros(3))


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


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("power", [1020, -1020])
def test_random_directions_know_no_unit_of_the_variances(power):
    """Of variances of 1e308 the null's participation ratio was NaN, its mean |cosine| .016."""
    near, far = (ax.axes_geometry(Y, np.arange(1.0, 5) * c, draws=5).table() for c in (1, 2.0**power))
    assert far.equals(near)


def test_a_cosine_is_1_at_most():
    assert ax.axes_geometry(np.repeat(R.standard_normal((10, 37)), 3, 0), draws=1).cosines.max() == 1
    assert ax.latent_alignment(S, S, folds=2).correlation.max() == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_latent_that_varies_by_rounding_alone_is_refused(dtype):
    latents = np.full((40, 2), dtype(0.3))
    latents[:, 0] = S[:, 0]
    latents[::2, 1] = np.nextafter(dtype(0.3), dtype(1))
    with pytest.raises(InputError, match="latents hold columns that never vary, the first 1"):
        ax.latent_alignment(Y, latents)
