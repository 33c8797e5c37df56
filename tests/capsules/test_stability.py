"""Training goes on without NaN: r = 1 to 5, zero inputs, one-child parents, bfloat16. 30 steps by default, 1,000 in
the slow form.
"""

import pytest
import torch

import deeptheory as dt

c = dt.capsules


def vectors(iterations):
    return torch.nn.Sequential(
        c.PrimaryCapsules(1, 2, 4, kernel_size=5),
        c.ConvCapsules(2, 4, 3, 4, kernel_size=3, stride=2, iterations=iterations),
        c.Capsules(27, 4, 4, 4, iterations=iterations),
        c.Capsules(4, 4, 3, 4, iterations=iterations),
    )


class Lengths(torch.nn.Module):
    """A vector network as class scores."""

    def __init__(self, iterations):
        super().__init__()
        self.net = vectors(iterations)

    def forward(self, x):
        return torch.linalg.vector_norm(self.net(x), dim=-1)


class Activations(torch.nn.Module):
    """A matrix network as class scores; one_child: 1x1 kernels of one type, so that every parent has one child."""

    def __init__(self, iterations, variant="paper", one_child=False):
        super().__init__()
        types, kernel = ((4, 1, 2), 1) if one_child else ((4, 2, 3, 2), 3)
        strides = (2,) if one_child else (2, 1)
        self.net = c.MatrixCapsuleNetwork(
            (1, 19, 19), 3, types, iterations=iterations, kernel_size=kernel, strides=strides, variant=variant
        )

    def forward(self, x):
        return self.net(x).activations


CASES = {
    **{f"vectors, r = {r}": (lambda r=r: Lengths(r), 3e-3, None, 1.0) for r in range(1, 6)},
    **{f"matrices, r = {r}": (lambda r=r: Activations(r), 1e-2, None, 1.0) for r in range(1, 6)},
    "matrices, released": (lambda: Activations(3, "reference_code"), 1e-2, None, 1.0),
    "vectors, zero inputs": (lambda: Lengths(3), 3e-3, None, 0.0),
    "matrices, zero inputs": (lambda: Activations(3), 1e-2, None, 0.0),
    "one child a parent": (lambda: Activations(3, one_child=True), 1e-2, None, 1.0),
    "one child a parent, released": (lambda: Activations(5, "reference_code", one_child=True), 1e-2, None, 1.0),
    "vectors, bfloat16": (lambda: Lengths(3), 3e-3, torch.bfloat16, 1.0),
    "matrices, bfloat16": (lambda: Activations(3), 1e-2, torch.bfloat16, 1.0),
    "vectors, large inputs": (lambda: Lengths(5), 3e-3, None, 1e3),
    "matrices, large inputs": (lambda: Activations(5), 1e-2, None, 1e2),
}


def training(make, rate, dtype, scale, steps, backend):
    torch.manual_seed(0)
    model = make()
    for m in model.modules():
        if hasattr(m, "backend"):
            m.backend = backend
    optimizer = torch.optim.Adam(model.parameters(), rate)
    g = torch.Generator().manual_seed(1)
    for step in range(steps):
        x, y = scale * torch.rand(6, 1, 19, 19, generator=g), torch.randint(0, 3, (6,), generator=g)
        with torch.autocast("cpu", dtype=dtype or torch.bfloat16, enabled=dtype is not None):
            scores = model(x)
        loss = (
            c.margin_loss(scores, y)
            if isinstance(model, Lengths)
            else c.spread_loss(scores, y, c.spread_margin(step, steps))
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert loss.isfinite()
    assert all(p.isfinite().all() for p in model.parameters())
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize("name", CASES)
def test_thirty_steps(name):
    training(*CASES[name], 30, "auto")


@pytest.mark.parametrize("name", CASES)
def test_ten_steps_in_plain_torch(name):
    training(*CASES[name], 10, "eager")


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_thousand_steps(name):
    training(*CASES[name], 1000, "auto")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")  # the code generator's own
@pytest.mark.parametrize("normalize", ["all", "position"])
def test_torch_compile(normalize):
    """The same numbers and gradients from torch.compile, which takes the eager form."""
    torch.manual_seed(0)
    layer = c.ConvMatrixCapsules(2, 3, 3, stride=2, normalize=normalize)
    dense = c.Capsules(12, 4, 5, 6, leaky=True, prior=True)
    inputs = ((torch.randn(2, 5, 5, 2, 4, 4), torch.rand(2, 5, 5, 2)), (torch.randn(3, 12, 4),))
    for module, given in zip((layer, dense), inputs):
        compiled = torch.compile(module, fullgraph=True)
        for a, b in zip(_tensors(compiled(*given)), _tensors(module(*given))):
            torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)
        grads = []
        for f in (compiled, module):
            module.zero_grad()
            sum(x.square().sum() for x in _tensors(f(*given))).backward()
            grads.append([p.grad.clone() for p in module.parameters()])
        for a, b in zip(*grads):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["vectors", pytest.param("matrices", marks=pytest.mark.slow)])
def test_dynamo_traces_whole_networks(name):
    """Without the minutes of code generation: the graph that torch.compile sees is whole and right."""
    torch.manual_seed(0)
    model = Lengths(2) if name == "vectors" else Activations(2)
    x = torch.rand(2, 1, 19, 19)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x), atol=1e-6, rtol=1e-5)
    compiled(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def _tensors(out):
    return out if isinstance(out, tuple) else (out,)
