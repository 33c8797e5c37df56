"""Standardizing takes images alone, and one gray value is zeros in every dtype."""

import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.networks import FaceNet, PerImageStandardization, noisy_cnn
from deeptheory.networks.architectures.face_resnet import FaceResNet

PLAIN = PerImageStandardization(nn.Identity())


@pytest.mark.parametrize("shape", [(3, 5, 5), (5, 5), (2, 1, 5, 5, 1)])
def test_three_axes_do_not_pair_images_with_each_other(shape):
    with pytest.raises(InputError, match=r"images are torch.float32 of shape .*needed: floats \[n, C, H, W\]"):
        PLAIN(torch.rand(shape))


def test_integers_are_refused():
    with pytest.raises(InputError, match="images are torch.uint8"):
        PLAIN(torch.zeros((2, 1, 5, 5), dtype=torch.uint8))
    with pytest.raises(InputError, match="takes gray as floats, 0 to 1: divide by 255"):
        FaceNet(3, size=32)(torch.zeros((2, 32, 32), dtype=torch.uint8))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_one_gray_value_becomes_zeros_in_every_dtype(dtype):
    found = PLAIN(torch.full((2, 1, 28, 28), 0.5, dtype=dtype))
    assert found.dtype == dtype
    assert not found.any()


def test_float16_is_standardized_as_float32_is():
    x = torch.rand((2, 3, 40, 40), generator=torch.Generator().manual_seed(0)).half()
    torch.testing.assert_close(PLAIN(x).float(), PLAIN(x.float()), atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("make", [lambda s: FaceNet(3, size=32, seed=s), FaceResNet, lambda s: noisy_cnn(seed=s)])
def test_a_seed_beyond_torch_s_is_told(make):
    with pytest.raises(InputError, match=r"seed is 18446744073709551616; torch's generators take integers below 2\^64"):
        make(2**64)
