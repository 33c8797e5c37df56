"""Geometry of axes, metamers, controversial stimuli, reconstruction: exact where the truth is known."""

import numpy as np
import pytest

from deeptheory.axis import axes_geometry, axis_code, simulate, subspace_angles
from deeptheory.core.errors import InputError


@pytest.fixture(scope="module")
def cells():
    sim = simulate("axis", n=400, d=8, units=9, seed=2, variances=np.linspace(2, 0.5, 8))
    return sim, axis_code(sim.responses, sim.features, folds=3, permutations=20, normalize="dim")


def test_orthogonal_axes_have_full_participation_and_a_repeated_one_has_one():
    eye = axes_geometry(np.eye(6), draws=20)
    assert (eye.rank, eye.participation, eye.mean_absolute, eye.orthogonal) == (6, pytest.approx(6), 0, 1)
    same = axes_geometry(np.tile([[1.0, 2.0, 0.0]], (5, 1)), draws=20)
    assert (same.rank, same.participation, same.mean_absolute) == (1, pytest.approx(1), pytest.approx(1))
    assert axes_geometry(np.random.default_rng(0).standard_normal((200, 50)), draws=20).most == 50


def test_the_null_of_random_directions_is_that_of_the_sphere():
    found = axes_geometry(np.random.default_rng(1).standard_normal((100, 50)), draws=50)
    expected = 0.1133  # E|cos| of two random directions in 50 dimensions: gamma(25) / (sqrt(pi) gamma(25.5))
    assert found.null_mean_absolute[0] == pytest.approx(expected, abs=0.001)
    assert found.null_mean_absolute[1] < found.mean_absolute < found.null_mean_absolute[2]
    assert found.null_participation[0] == pytest.approx(50 * 100 / 149, rel=0.02)  # u d / (u + d - 1)


def test_subspaces_meet_at_their_angle():
    turn = np.radians(30)
    a = np.array([[1.0, 0, 0]])
    b = np.array([[np.cos(turn), np.sin(turn), 0]])
    np.testing.assert_allclose(subspace_angles(a, b), [30])
    np.testing.assert_allclose(subspace_angles(np.eye(3), np.eye(3)[::-1]), 0, atol=1e-6)


def test_metamers_share_the_projection_and_nothing_else(cells):
    sim, code = cells
    unit = int(code.units[3])
    made = code.metamers(unit, k=30, projection=1.0)
    s = (made.null - sim.features.mean(0)) / sim.features.std(0)
    along = (made.along - sim.features.mean(0)) / sim.features.std(0)
    w = code.models.axis[3]
    sd = np.sqrt(np.var((sim.features - sim.features.mean(0)) / sim.features.std(0) @ w))
    np.testing.assert_allclose(s @ w / sd, 1.0, atol=1e-5)
    np.testing.assert_allclose(along @ w / sd, made.steps, atol=1e-5)
    assert np.linalg.norm(s - s.mean(0), axis=1).mean() > 1.5
    own = made.ratio(lambda x: sim._rates(x)[:, 3])
    assert own < 0.25
    for unit in (2.0**-300, 2.0**-60, 2.0**300):  # of the response: below 1e-12 any range looked like a metamer's
        assert made.ratio(lambda x, unit=unit: unit * sim._rates(x)[:, 3]) == own
    assert np.isnan(made.ratio(lambda x: np.ones(len(x))))
    assert len(made.table()) == 60
    assert "unit 3" in repr(made)


def test_controversial_stimuli_leave_the_cloud_of_norms_but_not_the_range_of_the_axes(cells):
    sim, code = cells
    x = code.controversial(40, candidates=400)
    assert x.shape == (40, 8)
    s, old = ((v - sim.features.mean(0)) / sim.features.std(0) for v in (x, sim.features))
    norm, usual = np.linalg.norm(s, axis=1), np.linalg.norm(old, axis=1)
    assert (norm < np.quantile(usual, 0.02)).sum() + (norm > np.quantile(usual, 0.98)).sum() > 10
    assert len(np.unique(x, axis=0)) == 40
    np.testing.assert_array_equal(x, code.controversial(40, candidates=400))


def test_norm_by_direction_is_told_once_controversial_stimuli_are_added():
    sim = simulate("norm x direction", n=1000, d=30, units=12, seed=5)  # smaller than the specification: see test_power
    options = {"normalize": "none", "permutations": 50, "folds": 3}
    before = axis_code(sim.responses, sim.features, **options)
    x = before.controversial(150)
    after = axis_code(np.r_[sim.responses, sim.respond(x, 1)], np.r_[sim.features, x], **options)
    assert (before.verdict == "undetermined").mean() >= 0.75
    assert set(after.verdict) <= {"norm x direction", "undetermined"}
    assert (after.verdict == "norm x direction").mean() >= 0.85


def test_reconstruction_is_the_decoder_on_what_was_decoded(cells):
    sim, code = cells
    np.testing.assert_allclose(
        code.reconstruct(lambda s: s), code.decoding.predicted * sim.features.std(0) + sim.features.mean(0), atol=1e-9
    )
    assert code.geometry("fitted").rank == 8
    assert code.figure("geometry").data
    assert len(code.geometry().table()) == 5


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda c: c.metamers(99), "unit 99 is not among the 9 kept"),
        (lambda c: c.metamers(1, k=1), "k is 1; needed"),
        (lambda c: c.controversial(0), "n is 0; needed"),
        (lambda c: c.geometry("best"), "unknown axis 'best'"),
        (lambda c: axes_geometry(np.ones((1, 3))), r"axes have shape \[1, 3\]"),
        (lambda c: subspace_angles(np.ones((2, 3)), np.ones((2, 4))), "needed: the same features in both"),
    ],
)
def test_wrong_use_is_refused(cells, wrong, message):
    with pytest.raises(InputError, match=message):
        wrong(cells[1])
