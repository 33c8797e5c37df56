"""Labels that are missing, and units whose last bits alone vary."""

import numpy as np
import pytest
import torch

from deeptheory.axis import similarity_matrix, view_tolerance
from deeptheory.core.errors import InputError

R = np.random.default_rng(0)
Y, WHO, VIEW = R.standard_normal((12, 20)), np.repeat(np.arange(4.0), 3), np.tile([-60.0, 0, 60], 4)


@pytest.mark.parametrize("missing", [np.nan, np.datetime64("NaT")])
def test_a_picture_of_nobody_or_in_no_view_is_refused(missing):
    """NaN is not equal to itself: invariance moved from -.061 to -.071, and NaN was a view of its own."""
    lost = WHO.astype("datetime64[D]" if isinstance(missing, np.datetime64) else float)
    lost[0] = missing
    with pytest.raises(InputError, match=r"identity holds NaN in 1 of 12 rows; give each picture a label"):
        view_tolerance(Y, lost, VIEW)
    with pytest.raises(InputError, match=r"view holds NaN in 1 of 12 rows"):
        view_tolerance(Y, WHO, lost)


def test_a_constant_unit_does_not_count_though_its_last_bit_varies():
    """Twenty of them beside twenty units moved similarities by up to .47."""
    single = Y.astype(np.float32)
    jitter = np.full((12, 20), np.float32(0.3))
    jitter[::2] = np.nextafter(np.float32(0.3), np.float32(1))
    both = np.concatenate([single, jitter], 1)
    still = np.concatenate([single, np.zeros((12, 20))], 1)
    for given in (both, torch.tensor(both), np.asfortranarray(both)):
        np.testing.assert_allclose(similarity_matrix(given), similarity_matrix(still), atol=1e-12)
        found = view_tolerance(given, WHO, VIEW, permutations=0).invariance
        assert found == pytest.approx(view_tolerance(still, WHO, VIEW, permutations=0).invariance, abs=1e-12)
    varied = similarity_matrix(both.astype(np.float64))  # of doubles that bit may be a signal
    assert np.abs(varied - similarity_matrix(still)).max() > 0.1


def test_a_similarity_is_1_at_most():
    assert similarity_matrix(np.repeat(R.standard_normal((10, 37)), 3, 0)).max() == 1
