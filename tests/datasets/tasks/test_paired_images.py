"""Images of known information: one to one with their numbers, and as dependent as they say."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError


@pytest.mark.parametrize("kind", ["gaussians", "rectangles"])
def test_an_image_gives_its_numbers_back(kind):
    data = dt.datasets.paired_images(kind, 2.0, 300, size=16)
    assert data.x.shape == (300, 16, 16)
    assert 0 <= data.x.min() <= data.x.max() <= 1
    if kind == "gaussians":  # the center of mass of a bump that is cut off little
        weight = data.x / data.x.sum((1, 2), keepdims=True)
        at = np.stack(
            [(weight.sum(2) * (np.arange(16) + 0.5)).sum(1), (weight.sum(1) * (np.arange(16) + 0.5)).sum(1)], 1
        )
        for k in range(2):
            assert np.corrcoef(at[:, k], data.numbers_x[:, k])[0, 1] > 0.999
    else:  # the covered area is the product of the sides
        sides = (0.25 + 0.5 * data.numbers_x) * 16
        assert data.x.sum((1, 2)) == pytest.approx(sides.prod(1), rel=1e-5)
    assert len(np.unique(data.x.reshape(300, -1), axis=0)) == 300


@pytest.mark.parametrize("truth", [0.0, 1.0, 3.0])
def test_the_numbers_share_what_is_said(truth):
    data = dt.datasets.paired_images("rectangles", truth, 3000, seed=4)
    got = dt.mutual_information(data.numbers_x, data.numbers_y, "ksg")
    assert got.value == pytest.approx(truth, abs=0.2)
    assert abs(np.corrcoef(data.numbers_x.T)[0, 1]) < 0.05
    assert "I(X;Y) = " in repr(data)
    assert len(data.table()) == 3000


@pytest.mark.parametrize(
    ("args", "match"),
    [
        (("circles", 1.0, 10), "unknown kind of image 'circles'"),
        (("gaussians", -1.0, 10), "mutual_information is -1.0"),
        (("gaussians", 1.0, 0), "n is 0"),
    ],
)
def test_wrong_use(args, match):
    with pytest.raises(InputError, match=match):
        dt.datasets.paired_images(*args)
