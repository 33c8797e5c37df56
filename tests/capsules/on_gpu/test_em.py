"""EM routing's Triton kernels against the eager form in float64, by Triton's interpreter on the CPU,
or on a GPU (marked so).

Collected only where triton can be imported (see conftest.py). Sizes are tiny:
the interpreter takes seconds for each case.
"""

import os

import pytest
import torch

if not torch.cuda.is_available():
    os.environ.setdefault("TRITON_INTERPRET", "1")  # before triton's first import

import deeptheory as dt
from deeptheory.capsules.on_gpu import dynamic as on_gpu
from deeptheory.core.errors import MissingDependency

c = dt.capsules
DEVICES = [
    pytest.param("cpu", marks=[] if on_gpu.interpreted() else pytest.mark.gpu),
    pytest.param("cuda", marks=pytest.mark.gpu),
]


def of_layer(make, inputs, device, dtype, backend):
    """Outputs, gradients of inputs and of parameters, of a layer made from seed 0."""
    torch.manual_seed(0)
    layer = make(backend=backend).to(device, dtype)
    inputs = [x.to(device, dtype).requires_grad_() for x in inputs]
    out = layer(*inputs)
    g = torch.Generator().manual_seed(5)
    weights = [torch.randn(x.shape, generator=g, dtype=torch.float64).to(device) for x in out]
    loss = sum((x.double() * w).sum() for x, w in zip(out, weights))
    learnt = [
        p for n, p in layer.named_parameters() if layer.presence == "cost" or n == "weight"
    ]  # shares have no cost
    return [x.detach().cpu() for x in (*out, *torch.autograd.grad(loss, [*inputs, *learnt]))]


def agree(make, batch, grid, types, device, tolerance=5e-5):
    g = torch.Generator().manual_seed(0)
    inputs = [torch.randn(batch, *grid, types, 4, 4, generator=g), torch.rand(batch, *grid, types, generator=g)]
    truth = of_layer(make, inputs, "cpu", torch.float64, "eager")
    for x, y in zip(of_layer(make, inputs, device, torch.float32, "triton"), truth, strict=True):
        assert x.shape == y.shape
        assert x.isfinite().all()
        assert float((x.double() - y).abs().max()) <= tolerance * max(1.0, float(y.abs().max()))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("batch", "grid", "types", "kernel", "stride", "options"),
    [
        (2, (3, 4), (2, 3), 2, 2, {"iterations": 3}),
        (1, (3, 3), (1, 2), 2, 1, {"iterations": 2, "variant": "reference_code", "normalize": "position"}),
        (3, (3, 3), (1, 1), 3, 1, {"iterations": 1}),
        (1, (2, 3), (1, 2), 2, 1, {"iterations": 2, "presence": "mass"}),
        (1, (2, 2), (1, 2), 2, 1, {"iterations": 2, "form": "vector"}),
    ],
    ids=str,
)
def test_convolution(device, batch, grid, types, kernel, stride, options):
    agree(
        lambda **o: c.ConvMatrixCapsules(*types, kernel, stride=stride, **options, **o), batch, grid, types[0], device
    )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("coordinates", [True, False])
def test_class_layer(device, coordinates):
    """Coordinates added to votes; three classes, so that the last of four is empty."""
    agree(lambda **o: c.ClassCapsules(2, 3, 2, coordinates=coordinates, **o), 2, (2, 1), 2, device)


@pytest.mark.gpu
@pytest.mark.parametrize("form", ["matrix", "vector"])
def test_a_layer_of_the_papers_size(form):
    agree(lambda **o: c.ConvMatrixCapsules(8, 16, 3, stride=2, form=form, **o), 5, (14, 14), 8, "cuda", 2e-4)


def test_compiles_for_a_gpu_that_is_not_here(tmp_path):
    """Every kernel, both forms, to machine code for compute capability 8.0 and 9.0; it is not run."""
    import subprocess
    import sys

    env = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path)}
    env.pop("TRITON_INTERPRET", None)
    done = subprocess.run([sys.executable, "-c", COMPILING], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.split() == ["sums", "quadratic", "finish_pose", "finish_weight"] * 4


COMPILING = """
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from deeptheory.capsules.on_gpu import em_kernels as k
for capability in (80, 90):
    for full in (False, True):
        flags = {"HAS_WHERE": True, "FULL": full, "BB": 4, "JB": 16}
        for kernel in (k.sums, k.quadratic, k.finish_pose, k.finish_weight):
            names = [p.name for p in kernel.params]
            constants = {n: flags[n] for n in names if n in flags}
            whole = {"B", "P", "KK", "T", "J", "M", "stride"}
            kind = {"at": "*i64", "windows": "*i64"}
            signature = {n: "constexpr" if n in flags else "i32" if n in whole else kind.get(n, "*fp32") for n in names}
            target = GPUTarget("cuda", capability, 32)
            made = triton.compile(ASTSource(kernel, signature, constants), target=target, options={"num_warps": 4})
            assert made.asm["cubin"]
            print(kernel.fn.__name__)
"""


def test_what_the_kernels_cannot_do_is_told():
    with pytest.raises(MissingDependency, match='backend="triton" cannot be had.*not pose_size=3'):
        c.ConvMatrixCapsules(1, 2, 2, pose_size=3, backend="triton")(
            torch.zeros(1, 2, 2, 1, 3, 3), torch.zeros(1, 2, 2, 1)
        )
    with pytest.raises(MissingDependency, match="the votes are there already"):
        c.em_routing(torch.zeros(1, 2, 2, 4, 4), torch.zeros(1, 2), 0.0, 0.0, backend="triton")


@pytest.mark.parametrize("device", DEVICES)
def test_second_derivatives(device):
    """A gradient penalty: where a gradient is differentiated, the kernels' sums are differentiated in plain torch."""
    g = torch.Generator().manual_seed(0)
    inputs = [torch.randn(2, 3, 3, 1, 4, 4, generator=g), torch.rand(2, 3, 3, 1, generator=g)]

    def penalty(backend, device, dtype):
        torch.manual_seed(0)
        layer = c.ConvMatrixCapsules(1, 2, 2, stride=1, iterations=2, backend=backend).to(device, dtype)
        xs = [x.to(device, dtype).requires_grad_() for x in inputs]
        first = torch.autograd.grad(sum(x.pow(3).sum() for x in layer(*xs)), xs, create_graph=True)
        return torch.autograd.grad(sum(x.square().sum() for x in first), xs)

    truth = penalty("eager", "cpu", torch.float64)
    for x, y in zip(penalty("triton", device, torch.float32), truth, strict=True):
        assert float((x.cpu().double() - y).abs().max()) <= 1e-4 * float(y.abs().max())
