"""Networks of strangers' shapes: without channels, so large that it should be said, on a device without numbers."""

import warnings

import numpy as np
import pytest
import torch

from deeptheory import capsules as c
from deeptheory.core.errors import InputError


@pytest.mark.parametrize("shape", [(28, 28), (20, 32)])
@pytest.mark.parametrize("network", [c.CapsuleNetwork, c.MatrixCapsuleNetwork])
def test_a_shape_without_channels_is_answered_with_one(network, shape):
    with pytest.raises(InputError, match=rf"image_shape is .*: \(1, {shape[0]}, {shape[1]}\)"):
        network(shape)


@pytest.mark.parametrize(("shape", "large"), [((1, 28, 28), False), ((3, 128, 128), True), ((3, 224, 224), True)])
def test_hundreds_of_millions_of_weights_are_said(shape, large):
    """603 million, of pictures of 224 x 224, came without a word."""
    with warnings.catch_warnings(record=True) as seen, torch.device("meta"):
        warnings.simplefilter("always")
        network = c.CapsuleNetwork(shape, reconstruction=False)
    said = [str(w.message) for w in seen if "million weights" in str(w.message)]
    assert bool(said) == large == (sum(p.numel() for p in network.parameters()) > 1e8)


@pytest.mark.parametrize("batch", [1, 3])
def test_shapes_are_known_on_the_meta_device(batch):
    with torch.device("meta"):
        u, grid, a = torch.zeros(batch, 6, 4), torch.zeros(batch, 5, 5, 2, 4, 4), torch.zeros(batch, 5, 5, 2)
        assert c.Capsules(6, 4, 3, 5)(u).shape == (batch, 3, 5)
        assert c.ConvCapsules(2, 4, 3, 5)(torch.zeros(batch, 5, 5, 2, 4)).shape == (batch, 3, 3, 3, 5)
        pose, activation = c.ConvMatrixCapsules(2, 3)(grid, a)
        assert (pose.shape, activation.shape) == ((batch, 3, 3, 3, 4, 4), (batch, 3, 3, 3))


def test_sizes_of_numpy_are_sizes():
    """Kept as they came, products of int32 could wrap around."""
    shape = (np.int32(1), np.int64(20), 20)
    kernels = {"channels": 2, "kernel_size": 5, "primary": c.Primary(1, 4, 5), "reconstruction": (5,)}
    network = c.CapsuleNetwork(shape, 3, hidden=[(np.int32(4), np.int64(5))], **kernels)
    assert network(torch.rand(2, 1, 20, 20)).reconstruction.shape == (2, 1, 20, 20)
    matrices = c.MatrixCapsuleNetwork(shape, 3, np.array([4, 2, 3]))
    for made in (network, matrices):
        assert [type(n) for n in made.image_shape] == [int] * 3
