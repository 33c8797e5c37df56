"""The warp against scipy's, and the way back against a solver that goes far beyond need."""

import numpy as np
import pytest
import torch

from deeptheory.core.errors import InputError
from deeptheory.faces.inverse import FAR, invert
from deeptheory.faces.thin_plate import ThinPlate, grid
from oracles import faces as oracle

RNG = np.random.default_rng(0)
SOURCE = np.stack(np.meshgrid(np.linspace(4, 27, 5), np.linspace(5, 26, 4)), -1).reshape(20, 2) + RNG.normal(
    0, 0.7, (20, 2)
)
TARGETS = SOURCE + RNG.normal(0, 0.7, (3, 20, 2)) + RNG.normal(0, 2, (3, 1, 2))  # far from folding
SIZE = (32, 32)


def _field(warp, targets, origin=(-2, -2), size=(36, 36)):
    basis = torch.as_tensor(warp.basis(grid(*size, origin)))
    points = torch.as_tensor(targets)
    return (points.permute(2, 0, 1) @ basis.T).view(2, len(points), *size)


def test_the_warp_is_scipys():
    warp, points = ThinPlate(SOURCE), RNG.uniform(-10, 40, (200, 2))
    for target in TARGETS:
        assert np.abs(warp.basis(points) @ target - oracle.warp(SOURCE, target)(points)).max() < 1e-8
        assert np.abs(warp.basis(SOURCE) @ target - target).max() < 1e-9


def test_coefficients_are_the_same_warp():
    warp, points = ThinPlate(SOURCE), RNG.uniform(0, 32, (50, 2))
    squared = ((points[:, None] - warp.source) ** 2).sum(-1)
    terms = np.hstack([squared * np.log(squared), np.ones((50, 1)), points])
    assert np.abs(terms @ warp.coefficients(TARGETS)[1] - warp.basis(points) @ TARGETS[1]).max() < 1e-8


def test_a_straight_map_stays_straight():
    turn = np.array([[0.8, 0.3], [-0.2, 1.1]])
    points = RNG.uniform(-50, 50, (20, 2))
    assert np.abs(ThinPlate(SOURCE).basis(points) @ (SOURCE @ turn + 3) - (points @ turn + 3)).max() < 1e-9


def test_points_that_lie_on_each_other_move_as_one():
    twice = np.vstack([SOURCE, SOURCE[:1] + 1e-3])
    warp = ThinPlate(twice)
    assert warp.groups[20] == warp.groups[0]
    assert len(warp.source) == 20
    target = np.vstack([TARGETS[0], TARGETS[0][:1] + np.array([2.0, 0.0])])
    middle = target[[0, 20]].mean(0)
    assert np.abs(warp.basis(warp.source[[0]]) @ target - middle).max() < 1e-9
    assert len(ThinPlate(twice, merge=0).source) == 21


@pytest.mark.parametrize("exact", [True, False])
def test_the_way_back_is_within_a_twentieth_of_a_pixel(exact):
    warp = ThinPlate(SOURCE)
    more = (warp.source, warp.coefficients(TARGETS)) if exact else None
    got = invert(_field(warp, TARGETS), (-2, -2), SIZE, more).numpy()
    for at, target in zip(got, TARGETS):
        true = oracle.unwarp(SOURCE, target, grid(*SIZE))
        inside = ((true > 0) & (true < 31)).all(1)
        off = np.linalg.norm(at.reshape(-1, 2) - true, axis=1)[inside]
        assert inside.sum() > 500
        assert off.max() < (0.05 if exact else 0.3)


def test_pixels_that_come_from_elsewhere_are_not_inside():
    warp, target = ThinPlate(SOURCE), SOURCE[None] * 0.25 + 12
    at = invert(_field(warp, target), (-2, -2), SIZE).numpy()[0]
    assert (at[0, 0] == FAR).all()
    middle = at[12:20, 12:20].reshape(-1, 2)
    assert np.abs(middle * 0.25 + 12 - grid(8, 8, (12, 12))).max() < 1e-3


def test_one_thread_or_two_give_the_same_bits():
    field, before = _field(ThinPlate(SOURCE), TARGETS), torch.get_num_threads()
    try:
        got = []
        for threads in (1, 2):
            torch.set_num_threads(threads)
            got.append(invert(field, (-2, -2), SIZE))
    finally:
        torch.set_num_threads(before)
    assert torch.equal(*got)


def test_the_gradient_is_that_of_the_implicit_function():
    warp, target = ThinPlate(SOURCE), torch.as_tensor(TARGETS[:1]).requires_grad_()
    basis = torch.as_tensor(warp.basis(grid(36, 36, (-2, -2))))
    field = (target.permute(2, 0, 1) @ basis.T).view(2, 1, 36, 36)
    at = invert(field, (-2, -2), SIZE)
    weight = torch.as_tensor(RNG.normal(size=(32, 32, 2)))
    weight[:6] = weight[-6:] = 0
    weight[:, :6] = weight[:, -6:] = 0
    (at[0] * weight).sum().backward()
    move, step = RNG.normal(size=(20, 2)), 1e-3
    sides = [oracle.unwarp(SOURCE, TARGETS[0] + s * step * move, grid(*SIZE)) for s in (1, -1)]
    expected = ((sides[0] - sides[1]).reshape(32, 32, 2) * weight.numpy()).sum() / (2 * step)
    assert float((target.grad[0] * torch.as_tensor(move)).sum()) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize(
    ("source", "match"),
    [
        (np.zeros((5, 3)), r"source has shape \[5, 3\]"),
        (np.array([[0, 0], [1, np.nan], [2, 0]]), "source holds 1 values that are NaN"),
        (np.array([[0.0, 0], [1, 0]]), "source holds 2 points apart"),
        (np.array([[0.0, 0], [1, 0], [1, 0]]), "source holds 2 points apart"),
        (np.array([[0.0, 0], [1, 1], [2, 2], [5, 5]]), "lie on one line"),
    ],
)
def test_points_that_give_no_warp(source, match):
    with pytest.raises(InputError, match=match):
        ThinPlate(source)
