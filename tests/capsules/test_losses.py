"""Losses against their formulas, in both conventions, and the two margin schedules."""

import math

import numpy as np
import pytest
import torch

import deeptheory as dt

c = dt.capsules


def lengths(b=4, k=5, seed=0):
    return torch.rand(b, k, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def margin_by_hand(v, present):
    total = 0.0
    for row, yes in zip(v.tolist(), present.tolist()):
        for length, t in zip(row, yes):
            total += t * max(0, 0.9 - length) ** 2 + 0.5 * (1 - t) * max(0, length - 0.1) ** 2
    return total / len(v)


def test_margin_loss_is_equation_four():
    v, labels = lengths(), torch.tensor([0, 3, 4, 4])
    present = torch.nn.functional.one_hot(labels, 5)
    assert float(c.margin_loss(v, labels)) == pytest.approx(margin_by_hand(v, present), rel=1e-12)
    assert float(c.margin_loss(v, labels, convention="reference_code")) == pytest.approx(
        margin_by_hand(v, present) / 10, rel=1e-12
    )
    two = torch.tensor([[1, 1, 0, 0, 0]] * 4)
    assert float(c.margin_loss(v, two)) == pytest.approx(margin_by_hand(v, two), rel=1e-12)
    assert torch.autograd.gradcheck(lambda x: c.margin_loss(x, labels), v.requires_grad_())


def test_margin_loss_is_zero_beyond_both_margins():
    v = torch.tensor([[0.95, 0.05, 0.1]])
    assert float(c.margin_loss(v, torch.tensor([0]))) == 0


def test_spread_loss_is_equation_three():
    a, labels, m = lengths(), torch.tensor([0, 3, 4, 4]), 0.6
    by_hand = (
        sum(
            max(0, m - (float(a[n, t]) - float(a[n, i]))) ** 2
            for n, t in enumerate(labels.tolist())
            for i in range(5)
            if i != t
        )
        / 4
    )
    assert float(c.spread_loss(a, labels, m)) == pytest.approx(by_hand, rel=1e-12)
    assert float(c.spread_loss(a, labels, m, convention="reference_code")) == pytest.approx(by_hand / 5, rel=1e-12)
    assert float(c.spread_loss(torch.tensor([[0.9, 0.1]]), torch.tensor([0]), 0.8)) == pytest.approx(0, abs=1e-12)
    assert torch.autograd.gradcheck(lambda x: c.spread_loss(x, labels, m), a.requires_grad_())


def test_reconstruction_loss_sums_over_pixels():
    a, b = torch.zeros(3, 1, 28, 28), torch.ones(3, 1, 28, 28)
    assert float(c.reconstruction_loss(a, b)) == pytest.approx(0.0005 * 784)


def test_released_reconstruction_weighs_twenty_times_more_against_the_margin():
    """10 classes: half of the margin terms and the mean over classes."""
    v, labels = lengths(k=10), torch.tensor([0, 3, 4, 4])
    assert float(c.margin_loss(v, labels)) / float(
        c.margin_loss(v, labels, convention="reference_code")
    ) == pytest.approx(20)


def test_margin_schedules():
    assert c.spread_margin(200_000) == pytest.approx(0.2 + 0.79 / 2)
    assert c.spread_margin(0) == pytest.approx(0.2 + 0.79 / (1 + math.exp(4)))
    assert c.spread_margin(10**9) == pytest.approx(0.2 + 0.79 / (1 + math.exp(-10)))
    assert c.spread_margin(500, 1000) == pytest.approx(c.spread_margin(200_000))
    assert [c.spread_margin(s, 100, schedule="paper") for s in (0, 50, 100, 200)] == pytest.approx(
        [0.2, 0.55, 0.9, 0.9]
    )
    values = [c.spread_margin(s, 10) for s in range(11)]
    assert values == sorted(values)


@pytest.mark.parametrize("loss", [c.margin_loss, lambda v, y: c.spread_loss(v, y, 0.2)])
def test_per_example_gradients_and_lists_of_labels(loss):
    v, labels = lengths(), torch.tensor([0, 3, 4, 4])
    each = torch.vmap(torch.func.grad(lambda a, y: loss(a[None], y[None])))(v, labels)
    for one, a, y in zip(each, v, labels):
        a = a[None].clone().requires_grad_()
        torch.testing.assert_close(one[None], torch.autograd.grad(loss(a, y[None]), a)[0])
    assert loss(v, labels.tolist()) == loss(v, labels.numpy()) == loss(v, labels)
    with pytest.raises(dt.errors.InputError, match="from 0 to 5"):
        torch.func.grad(lambda a: loss(a, torch.tensor([0, 3, 4, 5])))(v)


@pytest.mark.parametrize("labels", [None, [0, 2, 1, 1]])
def test_the_drawing_of_a_capsule_by_example_and_exported(labels):
    draw, v = c.Reconstruction(3, 4, (1, 5, 5), widths=(8,)), torch.randn(4, 3, 4)
    each = torch.vmap(draw)(v[:, None], *([] if labels is None else [torch.tensor(labels)[:, None]]))
    torch.testing.assert_close(each[:, 0], draw(v, labels))
    if labels is None:
        exported = torch.export.export(draw, (v,), dynamic_shapes=({0: torch.export.Dim("b")},)).module()
        torch.testing.assert_close(exported(torch.cat([v, v]))[:4], draw(v))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_floats_are_summed_in_float32(dtype):
    """A reconstruction loss of 135 was infinite in float16, and a margin loss was off in its third digit."""
    black, white = torch.zeros(2, 3, 300, 300, dtype=dtype), torch.ones(2, 3, 300, 300, dtype=dtype)
    found = c.reconstruction_loss(black, white)
    assert found.dtype == dtype
    assert float(found) == pytest.approx(0.0005 * 3 * 300 * 300, rel=0.01)
    v, y = torch.linspace(0, 1, 20, dtype=dtype).reshape(2, 10), torch.tensor([1, 2])
    for loss in (c.margin_loss, lambda a, labels: c.spread_loss(a, labels, 0.5)):
        assert loss(v, y) == loss(v.float(), y).to(dtype)


@pytest.mark.parametrize(("step", "steps"), [(6000, 100_000), (200, 250), (9000, 10)])
def test_a_margin_of_a_step_of_any_integer_type(step, steps):
    """400,000 times a step of int32 wrapped around: .210 for .223, and an overflow of the exponential."""
    for schedule in ("reference_code", "paper"):
        truth = c.spread_margin(step, steps, schedule=schedule)
        for kind in (np.int16, np.int32, np.int64, np.float32, *([np.uint8] if step < 256 else [])):
            assert c.spread_margin(kind(step), steps, schedule=schedule) == truth
    assert c.spread_margin(10**305, 1) == c.spread_margin(1e305, 1)
