"""The Triton kernels against the eager form and the oracle's loops, by Triton's interpreter on the CPU,
or on a GPU (marked so).

Collected only where triton can be imported (see conftest.py).
"""

import os

import numpy as np
import pytest
import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # before triton's first import

import deeptheory as dt
from deeptheory.capsules.on_gpu import dynamic as on_gpu
from deeptheory.capsules.on_gpu.dynamic import TritonPasses
from deeptheory.core.errors import MissingDependency
from oracles import capsules as oracle

dynamic_routing = dt.capsules.dynamic_routing
DEVICES = [
    pytest.param("cpu", marks=[] if on_gpu.interpreted() else pytest.mark.gpu),
    pytest.param("cuda", marks=pytest.mark.gpu),
]


def gradients(function, inputs):
    """Output and the gradients of a fixed random combination of it."""
    inputs = [x.detach().clone().requires_grad_() for x in inputs]
    out = function(*inputs)
    g = torch.Generator().manual_seed(5)
    weights = torch.randn(out.shape, generator=g, dtype=torch.float64).to(out.device)
    return [x.detach().cpu() for x in (out, *torch.autograd.grad((out.double() * weights).sum(), inputs))]


def same(got, truth, tolerance):
    for x, y in zip(got, truth, strict=True):
        assert x.shape == y.shape
        assert x.isfinite().all()
        assert float((x.double() - y).abs().max()) <= tolerance * max(1.0, float(y.abs().max()))


# a last short block of examples, of parents, of numbers; one of everything; one child; one parent;
# more parents than a block of weights
SIZES = [(5, 7, 3, 4, 3), (1, 1, 1, 1, 1), (16, 1, 4, 2, 5), (17, 4, 1, 3, 16), (2, 5, 21, 5, 20)]
LARGE = [(17, 9, 10, 16, 8), (1, 3, 70, 33, 2)]
OPTIONS = [(), ("leaky",), ("prior",), ("detach",), ("leaky", "prior", "detach")]
CASES = [(s, r, o) for s in SIZES for r in (1, 2, 3, 4, 5) for o in OPTIONS] + [
    (s, r, o) for s in LARGE for r in (1, 3, 5) for o in OPTIONS[::4]
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("sizes", "iterations", "options"), CASES, ids=str)
def test_values_and_gradients(device, sizes, iterations, options):
    b, i, j, q, p = sizes
    g = torch.Generator().manual_seed(0)
    shapes = ((b, i, p), (i, j, q, p), (j, q), *(((i, j),) if "prior" in options else ()))
    inputs = [s * torch.randn(x, generator=g) for s, x in zip((1, 0.3, 0.1, 1), shapes)]
    flags = {"leaky": "leaky" in options, "detach": "detach" in options}

    def routing(backend):
        def run(u, weight, bias, prior=None):
            return dynamic_routing(u, weight, iterations, bias=bias, prior=prior, backend=backend, **flags)

        return run

    truth = gradients(routing("eager"), [x.double() for x in inputs])
    got = gradients(routing("triton"), [x.to(device) for x in inputs])
    same(got, truth, 5e-6 if iterations <= 3 else 5e-5)  # each iteration sharpens logits


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
@pytest.mark.parametrize("leaky", [False, True])
def test_agrees_with_loops(device, iterations, leaky):
    g = torch.Generator().manual_seed(1)
    u, weight, bias, prior = (torch.randn(s, generator=g) for s in ((3, 6, 4), (6, 3, 5, 4), (3, 5), (6, 3)))
    weight *= 0.5
    truth = oracle.dynamic_routing(
        *(x.double().numpy() for x in (u, weight)), iterations, bias.double().numpy(), leaky, prior.double().numpy()
    )
    there = [x.to(device) for x in (u, weight, bias, prior)]
    v = dynamic_routing(*there[:2], iterations, bias=there[2], leaky=leaky, prior=there[3], backend="triton")
    np.testing.assert_allclose(v.cpu().numpy(), truth, atol=2e-6)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("scale", [0.0, 1e-4, 40.0])
def test_logits_of_any_size(device, scale):
    """Zero inputs have zero outputs and finite gradients; logits spread by hundreds do not overflow."""
    g = torch.Generator().manual_seed(0)
    u, weight = scale * torch.randn(16, 12, 4, generator=g), torch.randn(12, 5, 6, 4, generator=g)
    truth = gradients(lambda *x: dynamic_routing(*x, backend="eager"), [u.double(), weight.double()])
    got = gradients(lambda *x: dynamic_routing(*x, backend="triton"), [u.to(device), weight.to(device)])
    same(got, truth, 1e-6 if scale < 2 else 2e-3)


@pytest.mark.parametrize("device", DEVICES)
def test_the_batch_and_the_children_in_parts(device, monkeypatch):
    g = torch.Generator().manual_seed(0)
    inputs = [torch.randn(s, generator=g) for s in ((9, 30, 3), (30, 3, 4, 3))]
    truth = gradients(lambda *x: dynamic_routing(*x, backend="eager"), [x.double() for x in inputs])
    monkeypatch.setattr(TritonPasses, "examples", staticmethod(lambda weight, iterations: 4))
    monkeypatch.setattr(on_gpu, "_PROGRAMS", 100_000)
    passes = TritonPasses(inputs[0], inputs[1], False, None)
    assert passes._grid()[1] == 4  # 30 children, 8 a part
    same(gradients(lambda *x: dynamic_routing(*x, backend="triton"), [x.to(device) for x in inputs]), truth, 5e-6)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # the interpreter is numpy, which speaks of NaN
@pytest.mark.parametrize("device", DEVICES)
def test_nan_stays_nan_with_its_example(device):
    from deeptheory.capsules.routing import recomputed

    u, weight = torch.randn(3, 5, 4), torch.randn(5, 3, 2, 4)
    u[1, 2, 0] = float("nan")
    v = recomputed.route(TritonPasses, lambda *_: None, u.to(device), weight.to(device), 3)
    assert v[1].isnan().all()
    assert v[[0, 2]].isfinite().all()


@pytest.mark.parametrize("device", DEVICES)
def test_half_precision_is_widened(device):
    u, weight = torch.randn(4, 6, 3, device=device), torch.randn(6, 3, 4, 3, device=device)
    narrow = u.bfloat16(), weight.bfloat16()
    v = dynamic_routing(*narrow, backend="triton")
    assert v.dtype == torch.bfloat16
    truth = dynamic_routing(*(x.double() for x in narrow), backend="eager")
    torch.testing.assert_close(v.double(), truth, atol=4e-3, rtol=8e-3)


@pytest.mark.gpu
def test_taken_on_its_own_and_the_same_bits_each_time():
    inputs = [torch.randn(s, device="cuda", requires_grad=True) for s in ((128, 1152, 8), (1152, 10, 16, 8))]
    from deeptheory.capsules.routing.backends import choose

    assert choose("auto", "dynamic", inputs[0], votes=1, to=(10, 16)) == "triton"
    runs = [gradients(lambda u, w: dynamic_routing(u, 0.1 * w), inputs) for _ in range(2)]
    assert all(torch.equal(a, b) for a, b in zip(*runs))
    same(
        runs[0],
        gradients(lambda u, w: dynamic_routing(u, 0.1 * w, backend="eager"), [x.double() for x in inputs]),
        5e-6,
    )


def test_compiles_for_a_gpu_that_is_not_here(tmp_path):
    """Every kernel goes through Triton's compiler to machine code for compute capability 8.0 and 9.0; it is not run."""
    import subprocess
    import sys

    env = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path)}
    env.pop("TRITON_INTERPRET", None)
    done = subprocess.run([sys.executable, "-c", COMPILING], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["route_forward", "route_backward", "finish_u", "finish_weight"] * 2


COMPILING = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from deeptheory.capsules.on_gpu import dynamic_kernels as k
flags = {"UNIFORM": False, "HAS_PRIOR": True, "LEAKY": True, "HAS_EVEN": True, "BB": 16, "JB": 16, "QB": 16, "PB": 8}
for capability in (80, 90):
    for kernel in (k.route_forward, k.route_backward, k.finish_u, k.finish_weight):
        names = [p.name for p in kernel.params]
        constants = {n: flags[n] for n in names if n in flags}
        whole = {"I", "B", "J", "Q", "P", "T", "chunk"}
        signature = {n: "constexpr" if n in flags else "i32" if n in whole else "*fp32" for n in names}
        target = GPUTarget("cuda", capability, 32)
        made = triton.compile(ASTSource(kernel, signature, constants), target=target, options={"num_warps": 8})
        assert made.asm["cubin"]
        print(kernel.fn.__name__)
"""


def test_too_many_parents_and_other_kinds_are_told():
    x = torch.zeros(3)
    assert on_gpu.missing(x, 10, 16) is None
    assert on_gpu.missing(x, 196, 16) is None
    with pytest.raises(MissingDependency, match="300 parents of 32 numbers are more than the 8192"):
        dynamic_routing(torch.zeros(2, 3, 2), torch.zeros(3, 300, 32, 2), backend="triton")
    with pytest.raises(MissingDependency, match="float64"):
        dynamic_routing(torch.zeros(2, 3, 2).double(), torch.zeros(3, 3, 2, 2).double(), backend="triton")


def test_off_the_gpu_and_not_interpreted(monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(MissingDependency, match="run on CUDA, and the tensors are on cpu"):
        dynamic_routing(torch.zeros(2, 3, 2), torch.zeros(3, 3, 2, 2), backend="triton")
