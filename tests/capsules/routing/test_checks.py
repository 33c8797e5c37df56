"""Autocast, which leaves float64 alone: inputs or weights of it raised errors of torch about two dtypes."""

import pytest
import torch

import deeptheory as dt

c = dt.capsules
U, POSE, A = torch.rand(2, 6, 4), torch.rand(2, 4, 4, 2, 4, 4), torch.rand(2, 4, 4, 2)
LAYERS = {
    "Capsules": (lambda: c.Capsules(6, 4, 3, 5), (U,)),
    "Capsules, eager": (lambda: c.Capsules(6, 4, 3, 5, backend="eager"), (U,)),
    "Capsules, recompute": (lambda: c.Capsules(6, 4, 3, 5, backend="recompute"), (U,)),
    "ConvCapsules": (lambda: c.ConvCapsules(2, 16, 3, 5), (POSE.flatten(4),)),
    "ConvMatrixCapsules": (lambda: c.ConvMatrixCapsules(2, 3), (POSE, A)),
    "ClassCapsules": (lambda: c.ClassCapsules(2, 3), (POSE, A)),
    "SelfRouting": (lambda: c.SelfRouting(6, 4, 3, 5), (U, A[:, 0, :3].flatten(1))),
    "InvertedDotProduct": (lambda: c.InvertedDotProduct(6, 4, 3, 5), (U,)),
    "PrimaryCapsules": (lambda: c.PrimaryCapsules(4, 2, 3, kernel_size=3), (POSE[:, :, :, 0],)),
    "MatrixPrimary": (lambda: c.MatrixPrimary(4, 2), (POSE[:, :, :, 0],)),
    "Reconstruction": (lambda: c.Reconstruction(6, 4, (1, 3, 3), widths=(5,)), (U,)),
    "CapsuleNetwork": (
        lambda: c.CapsuleNetwork((1, 9, 9), 3, (5,), channels=2, kernel_size=3, primary=c.Primary(2, 3, 3), dim=4),
        (torch.rand(2, 1, 9, 9),),
    ),
    "MatrixCapsuleNetwork": (lambda: c.MatrixCapsuleNetwork((1, 9, 9), 3, (4, 2)), (torch.rand(2, 1, 9, 9),)),
}


@pytest.mark.parametrize("wide", ["inputs", "weights", "both"])
@pytest.mark.parametrize("name", LAYERS)
def test_float64_under_autocast(name, wide):
    make, given = LAYERS[name]
    given = [x.flatten(3, 4) if name.startswith(("Primary", "MatrixPrimary")) else x for x in given]
    layer = dt.networks.seeded(make, 0)
    truth = layer(*given)
    layer = layer if wide == "inputs" else layer.double()
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(*given) if wide == "weights" else layer(*(x.double() for x in given))
    for ours, theirs in zip(*(x if isinstance(x, tuple) else (x,) for x in (found, truth))):
        torch.testing.assert_close(ours.double(), theirs.double(), rtol=0.05, atol=0.1)


def test_an_objective_in_bfloat16_takes_float64_images():
    net = dt.networks.seeded(LAYERS["CapsuleNetwork"][0], 0)
    images, labels = torch.rand(4, 1, 9, 9), torch.tensor([0, 1, 2, 0])
    objective = c.capsule_objective(precision="bfloat16")
    found = [objective(net, (x, labels)).item() for x in (images, images.double())]
    assert found[1] == pytest.approx(found[0], rel=1e-3)
