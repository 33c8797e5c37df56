"""Simulated cells at the ends of what can be asked for: one stimulus, far exemplars, far stimuli, any unit."""

import numpy as np
import pytest

from deeptheory import axis as ax
from deeptheory.core.errors import InputError

ASKED = {"n": 40, "d": 3, "units": 4}


def test_one_stimulus_has_no_signal_to_scale():
    """Cells of one stimulus answered the next with 7e12 spikes."""
    with pytest.raises(InputError, match="n is 1; needed: an integer, at least 2"):
        ax.simulate(n=1, d=5, units=4)
    assert ax.simulate(n=2, d=5, units=4).responses.max() < 1e3


def test_an_exemplar_so_far_that_distances_are_rounding_is_refused():
    """At 1e16 median norms every cell answered every stimulus alike."""
    near, far = (ax.simulate("exemplar", **ASKED, radius=r).rates for r in (1e5, 1e9))
    np.testing.assert_allclose(near, far, rtol=1e-2)
    for radius in (1.1e9, (0, 1e17), np.inf):
        with pytest.raises(InputError, match=r"needed: one number or two, from 0 to 1e\+09"):
            ax.simulate("exemplar", **ASKED, radius=radius)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("code", ["axis", "exemplar", "energy", "norm x direction"])
def test_stimuli_whose_rates_leave_float64_are_refused(code):
    """Energy cells with Gaussian noise answered 1e200 with infinity, norm x direction with NaN."""
    cells = ax.simulate(code, **ASKED, noise="gaussian")
    if code != "axis":
        with pytest.raises(InputError, match=r"features reach 1e\+200, so far from those simulated"):
            cells.respond(np.full((1, 3), 1e200), 0)
    with pytest.raises(InputError, match=r"features reach 1.7e\+308"):
        cells.respond(np.array([[1.7e308, 1.7e308, 1.7e308], [-1.7e308, 1.7e308, -1.7e308]]), 0)


def test_a_rate_that_grows_with_the_norm_does_so_from_0():
    """At norms below 1e-12 of the others' it was a tenth of what it should be, and less."""
    cells = ax.simulate("norm x direction", **ASKED, noise="gaussian")
    near, unit = (cells._rates(np.full((1, 3), v)) / v for v in (1e-14, 1.0))
    np.testing.assert_allclose(near, unit)
    assert cells._rates(np.zeros((1, 3))).tolist() == [[0.0] * 4]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("power", [1020, -1050])
def test_lengths_of_exemplars_stay_in_float64(power):
    near, far = (ax.simulate("exemplar", **ASKED, variances=np.full(3, v)).table() for v in (1.0, 2.0**power))
    np.testing.assert_array_equal(far["target_norm"], np.ldexp(near["target_norm"], power // 2))


def test_a_reliability_that_no_noise_has_is_refused():
    with pytest.raises(InputError, match=r"reliability is 1e-320, whose noise has no variance in float64"):
        ax.simulate(**ASKED, reliability=1e-320, noise="gaussian")


def test_a_list_is_no_code():
    with pytest.raises(InputError, match=r"unknown code \['axis'\]"):
        ax.simulate(["axis"], **ASKED)
