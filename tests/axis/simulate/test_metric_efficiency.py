"""Readers that are told nothing."""

import numpy as np

from deeptheory.axis import metric_efficiency


def test_a_population_that_never_fires_leaves_a_reader_at_chance():
    """Where as many stimuli lie on either side the attribute was read from silence by the sign of a rounding."""
    found = metric_efficiency((2,), n=4, d=2, candidates=2, reliability=1e-12, seeds=range(20))
    attribute = found.accuracy[..., found.readers.index("attribute")]
    assert attribute.min() == 0.5
    assert np.isin(0.5, attribute)
