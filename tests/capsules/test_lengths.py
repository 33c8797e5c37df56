"""Lengths of capsules in any unit, alone and where the longest capsule is chosen."""

import pytest
import torch

import deeptheory as dt

c = dt.capsules
SIZES = [
    *((torch.float32, s) for s in (1e-36, 1e-25, 1.0, 1e19, 1e37)),
    *((torch.float64, s) for s in (1e-300, 1e-170, 1.0, 1e160, 1e300)),
    *((torch.bfloat16, s) for s in (1e-25, 1.0, 1e30)),
]


@pytest.mark.parametrize(("dtype", "size"), SIZES)
def test_a_length_knows_no_unit(dtype, size):
    """Squares below or above the range of the dtype gave 0 or infinity."""
    capsules = (torch.tensor([[[3.0, 4.0], [0.0, 0.0]]], dtype=torch.float64) * size).to(dtype).requires_grad_()
    found = c.Lengths()(capsules)
    assert found.dtype == dtype
    within = 0.01 if dtype == torch.bfloat16 else 1e-6
    assert float(found[0, 0].detach()) / size == pytest.approx(5, rel=within)
    assert float(found[0, 1].detach()) == 0
    found.sum().backward()
    assert capsules.grad.float()[0].numpy() == pytest.approx(
        torch.tensor([[0.6, 0.8], [0, 0]]).numpy(), rel=within, abs=0
    )


def test_in_range_the_length_is_the_norm_bit_for_bit():
    g = torch.Generator().manual_seed(0)
    for dtype in (torch.float32, torch.float64):
        for size in (1e-9, 1.0, 1e9):
            capsules = size * torch.randn(50, 7, 16, dtype=dtype, generator=g)
            assert torch.equal(c.Lengths()(capsules), torch.linalg.vector_norm(capsules, dim=-1))


def test_nan_and_infinity_stay_and_no_number_has_no_length():
    found = c.Lengths()(torch.tensor([[[torch.nan, 1.0], [-torch.inf, 1.0]]]))
    assert torch.isnan(found[0, 0])
    assert found[0, 1] == torch.inf
    assert c.Lengths()(torch.zeros(2, 3, 0)).tolist() == [[0, 0, 0]] * 2


@pytest.mark.parametrize("size", [1e-25, 1.0, 1e25])
def test_the_longest_capsule_is_drawn_in_any_unit(size):
    """Capsules of 1e25 all had infinite lengths, and the first was drawn."""
    torch.manual_seed(0)
    drawing = c.Reconstruction(3, 4, (1, 2, 2), widths=(8,))
    with torch.no_grad():
        next(drawing.decoder.parameters()).div_(size)
    capsules = torch.randn(5, 3, 4) * size
    capsules[:, 2] *= 99
    torch.testing.assert_close(drawing(capsules), drawing(capsules, torch.full((5,), 2)))
    assert not torch.allclose(drawing(capsules), drawing(capsules, torch.full((5,), 0)))
