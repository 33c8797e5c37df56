"""Figures of the axis code: what is drawn is where it was counted."""

from types import SimpleNamespace

import numpy as np

from deeptheory.axis.drawing import draw_preference


def test_bars_stand_over_the_values_they_count():
    index = np.array([-0.99, -0.51, 0.02, 0.03, 0.98, np.nan])
    drawn = draw_preference(
        SimpleNamespace(blocks=("shape",), index=index, null_mean=np.array([[0.1]]), null_sd=np.array([[0.2]]))
    )
    bars, band = drawn.data[0], drawn.layout.shapes[0]
    x, count = np.asarray(bars.x), np.asarray(bars.y)
    assert count.sum() == 5
    np.testing.assert_allclose(np.repeat(x, count), [-0.975, -0.525, 0.025, 0.025, 0.975], atol=1e-9)
    np.testing.assert_allclose([band.x0, band.x1], [0.1 - 1.96 * 0.2, 0.1 + 1.96 * 0.2])
