"""The bounds against loops over pairs, their influence against leaving mass out, their gradients' directions."""

import numpy as np
import pytest
import torch

from deeptheory.information.trained.bounds import BOUNDS
from oracles import trained as oracle

CLIP = 1.0
SLOW = {
    "infonce": oracle.infonce,
    "nwj": oracle.nwj,
    "dv": oracle.dv,
    "smile": lambda f, piece: oracle.smile(f, piece, CLIP),
}


def drawn(n=12, groups=None):
    rng = np.random.default_rng(0)
    scores = 1.5 * rng.normal(size=(2, n, n)) + np.eye(n)
    piece = np.arange(n) if groups is None else rng.integers(0, groups, n)
    return torch.as_tensor(scores), piece, torch.as_tensor(piece[:, None] != piece[None])


@pytest.mark.parametrize("groups", [None, 5])
@pytest.mark.parametrize("name", BOUNDS)
def test_the_value_is_that_of_loops_over_pairs(name, groups):
    scores, piece, others = drawn(groups=groups)
    got = BOUNDS[name].held(scores, others, CLIP).value
    slow = [SLOW[name](f.numpy(), piece) for f in scores]
    assert got.numpy() == pytest.approx(slow, abs=1e-12)


@pytest.mark.parametrize("name", BOUNDS)
def test_the_influence_is_what_more_weight_on_a_row_changes(name):
    """Rows with weights: the value's slope in the weight of row k is influence_k over the number of rows."""
    n = 12
    scores, _, others = drawn(n)
    held = BOUNDS[name].held(scores, others, CLIP)
    assert held.influence.sum(1).numpy() == pytest.approx([0, 0], abs=1e-9)

    def value(weight):
        f = scores[0].numpy()
        own, product = np.diag(f), weight[:, None] * weight[None] * others.numpy()
        if name == "infonce":
            row = own - np.log((np.exp(f) * (weight + 0 * f)).sum(1) / weight.sum())
            return (weight * row).sum() / weight.sum()
        shown = np.clip(f, -CLIP, CLIP) if name == "smile" else f
        mean = (product * np.exp(shown)).sum() / product.sum()
        first = (weight * own).sum() / weight.sum()
        return 1 + first - mean if name == "nwj" else first - np.log(mean)

    step = 1e-5
    for k in range(n):
        more = np.ones(n)
        more[k] += step
        slope = (value(more) - value(np.ones(n))) / step * n
        assert held.influence[0, k].item() == pytest.approx(slope, abs=2e-3), k


@pytest.mark.parametrize("name", ["infonce", "nwj"])
def test_what_is_trained_is_what_is_measured(name):
    scores, _, others = drawn()
    trained = BOUNDS[name].objective(scores, others, {})
    assert trained.numpy() == pytest.approx(BOUNDS[name].held(scores, others, CLIP).value.numpy(), abs=1e-12)


def test_the_gradient_of_dv_is_divided_by_the_running_mean():
    """Of a first batch it is that of the bound; of a second it is smaller where the first had larger scores."""
    scores, _, others = drawn()
    scores = scores.requires_grad_()
    memory = {}
    first = torch.autograd.grad(BOUNDS["dv"].objective(scores, others, memory).sum(), scores)[0]
    bound = torch.autograd.grad(BOUNDS["dv"].held(scores, others, CLIP).value.sum(), scores)[0]
    assert torch.allclose(first, bound, atol=1e-12)
    low = scores.detach() - 3
    low.requires_grad_()
    second = torch.autograd.grad(BOUNDS["dv"].objective(low, others, memory).sum(), low)[0]
    running = 0.99 + 0.01 * np.exp(-3)
    off = ~torch.eye(12, dtype=torch.bool)
    assert torch.allclose(second[:, off], bound[:, off] * np.exp(-3) / running, atol=1e-12)


def test_infonce_ends_at_the_log_of_its_rows():
    scores = (100 * torch.eye(16, dtype=torch.float64)).unsqueeze(0)
    others = ~torch.eye(16, dtype=torch.bool)
    assert BOUNDS["infonce"].held(scores, others, CLIP).value.item() == pytest.approx(np.log(16), abs=1e-9)
