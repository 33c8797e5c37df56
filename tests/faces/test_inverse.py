"""Faces drawn small: the way back through the warp and its gradient do not depend on the size of the face."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from deeptheory.faces import FaceSpace, ProceduralFaces
from deeptheory.faces.thin_plate import grid

SIZE = 64
IMAGES, POINTS, _ = ProceduralFaces(SIZE).sample(12, 0)
SPACE = FaceSpace.fit(IMAGES, POINTS, shape=3, appearance=3)
MIDDLE = (SIZE - 1) / 2


def _pose(scale):
    pose = SPACE.mean_pose.copy()
    pose[0] *= scale
    pose[2:] = MIDDLE + (pose[2:] - MIDDLE) * scale
    return pose


@pytest.mark.parametrize("scale", [0.5, 0.2, 0.1, 0.05, 3.0])
def test_the_mean_face_at_another_size_is_the_mean_texture_scaled(scale):
    """Determinants below an absolute 0.05 counted as folds: at a twentieth of the size pixels were off by 0.1 of 1."""
    at = (grid(SIZE, SIZE) - MIDDLE) / scale + MIDDLE
    canvas = np.zeros((SIZE, SIZE))
    canvas[SPACE.mask] = SPACE.appearance_mean[:, 0] - SPACE.background
    places = torch.as_tensor(2 * at / (SIZE - 1) - 1).view(1, SIZE, SIZE, 2)
    expected = F.grid_sample(torch.as_tensor(canvas)[None, None], places, align_corners=True)[0, 0] + SPACE.background
    assert np.abs(SPACE.decode(np.zeros((1, 6)), _pose(scale))[0] - expected.numpy()).max() < 1e-4


@pytest.mark.parametrize("scale", [1.0, 0.2, 0.1, 0.05])
def test_the_gradient_of_a_small_face_is_that_of_differences(scale):
    """Determinants below an absolute 0.01 had none: at a twentieth of the size it was 0."""
    pose, spread = torch.as_tensor(_pose(scale)), torch.as_tensor(SPACE.variances).sqrt()
    start = spread * torch.tensor([0.7, -0.4, 0.5, 0.3, 0.2, -0.6])  # not the mean, whose pixels lie on the kinks
    ramp = torch.as_tensor(np.add.outer(np.arange(SIZE), 2.0 * np.arange(SIZE)))
    move = torch.zeros(6, dtype=torch.float64)
    move[0] = 0.05 * spread[0]

    def tilt(c):
        return (SPACE.decode(c[None], pose)[0] * ramp).sum()

    c = start.clone().requires_grad_()
    tilt(c).backward()
    expected = float(tilt(start + move) - tilt(start - move)) / (2 * float(move[0]))
    assert c.grad is not None
    assert float(c.grad[0]) == pytest.approx(expected, rel=0.1)
