"""Units of rounding, fractions of trials that float64 cannot hold, and many labels at once."""

import numpy as np
import pytest

from deeptheory.axis import label_decoding
from deeptheory.axis.population import labels

R = np.random.default_rng(0)
TRIALS = R.standard_normal((4, 6, 3))


@pytest.mark.parametrize(("fraction", "learnt"), [(0.29, 29), (0.57, 57), (0.58, 58), (0.295, 29), (0.5, 50)])
def test_a_fraction_of_a_hundred_trials_is_that_many(fraction, learnt):
    """.29 x 100 is 28.999999999999996, of which 28 trials were learnt from."""
    assert label_decoding(R.standard_normal((2, 100, 1)), fraction).trials == (learnt, 100 - learnt)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_unit_that_varies_by_rounding_alone_tells_no_label(dtype):
    """Its deviation, 1e-16, made it as good as any: accuracy rose from .17 to .5."""
    trials = TRIALS.astype(dtype)
    unit = np.full((4, 6, 1), dtype(0.3))
    unit[2:] = np.nextafter(dtype(0.3), dtype(1))
    found = label_decoding(np.concatenate([trials, unit], 2))
    np.testing.assert_array_equal(found.confusion, label_decoding(trials).confusion)


def test_trials_read_a_few_at_a_time_get_the_same_labels(monkeypatch):
    whole = label_decoding(TRIALS).confusion
    monkeypatch.setattr(labels, "_MOST", 30)
    np.testing.assert_array_equal(label_decoding(TRIALS).confusion, whole)
