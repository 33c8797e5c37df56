"""Information that is nearly none, rules that are nearly hard, and committees of too many."""

import warnings

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.datasets import committee, icosahedron, student_teacher


@pytest.mark.parametrize("make", [icosahedron, committee])
def test_information_falls_with_the_square_of_gamma(make):
    """A difference of two entropies near 1: at 1e-9 it was 0, and might have been below."""
    scaled = [make(gamma=gamma).mutual_information / gamma**2 for gamma in (1e-3, 1e-5, 1e-7, 1e-9)]
    assert np.allclose(scaled, scaled[0], rtol=1e-5)
    assert scaled[0] > 0


def test_the_steepest_rule_is_the_hard_one():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        steep = icosahedron(gamma=1e308)
    assert steep.mutual_information == icosahedron().mutual_information


def test_too_many_members_are_refused_before_their_fields_are_made():
    with pytest.raises(InputError, match="members is 1000000001; needed: at most 9999"):
        committee(members=10**9 + 1)


def test_labels_without_noise_have_an_infinite_ratio_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = student_teacher(9, 5, 2, snr=np.inf).table()
    assert table["ratio"].tolist() == [np.inf, np.inf]


def test_a_ratio_of_half_precision_is_taken_in_full():
    snr = np.float16(0.3)
    assert student_teacher(9, snr=snr).label_noise == float(snr) ** -0.5
