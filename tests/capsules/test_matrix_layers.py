"""Coordinates of class capsules in narrow dtypes."""

import pytest
import torch

import deeptheory as dt

c = dt.capsules


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_cells_are_counted_in_float32(dtype):
    """bfloat16 counts to 256: beyond, cells of a row had the coordinates of their neighbors."""
    torch.manual_seed(0)
    layer = c.ClassCapsules(1, 2, iterations=1, form="matrix", variant="paper")
    with torch.no_grad():
        layer.weight.zero_()  # votes are coordinates alone
    cell = 298
    a = torch.zeros(1, 1, 300, 1)
    a[0, 0, cell] = 1
    pose, _ = layer.to(dtype)(torch.zeros(1, 1, 300, 1, 4, 4, dtype=torch.float32), a)
    assert pose[0, 0, 1, 3].item() == pytest.approx((cell + 0.5) / 300 - 0.5, rel=1e-5)
