"""Every backend computes the same, values and gradients, in every corner; and which one is taken."""

import pytest
import torch

import deeptheory as dt
from deeptheory.capsules.native import building
from deeptheory.capsules.native.dynamic import addresses
from deeptheory.capsules.routing.backends import choose, prefer
from deeptheory.capsules.routing.em import prefer as prefer_em
from deeptheory.core.errors import InputError, MissingDependency

c = dt.capsules
NATIVE = (
    building.missing() is None
)  # continuous integration has a compiler; where there is none, its absence is tested below
FAST = ["recompute", "native"] if NATIVE else ["recompute"]


def gradients(function, inputs):
    """Outputs and the gradients of a fixed random combination of them."""
    inputs = [x.detach().clone().requires_grad_() for x in inputs]
    out = function(*inputs)
    out = out if isinstance(out, tuple) else (out,)
    g = torch.Generator().manual_seed(5)
    loss = sum((x.double() * torch.randn(x.shape, generator=g, dtype=torch.float64)).sum() for x in out)
    return [*(x.detach() for x in out), *torch.autograd.grad(loss, inputs)]


def same(got, truth, tolerance):
    for x, y in zip(got, truth):
        x, y = x.detach(), y.detach()
        assert x.shape == y.shape
        assert x.isfinite().all()
        worst, size = float((x.double() - y).abs().max()), max(1.0, float(y.abs().max()))
        assert worst <= tolerance * size


# sizes: a last short vector, one example, one child, one parent, odd dimensions, more children than one chunk of
# threads
DENSE = [(5, 7, 3, 4, 3), (33, 40, 10, 16, 8), (1, 1, 1, 1, 1), (16, 1, 4, 2, 5), (17, 9, 1, 3, 16), (2, 50, 21, 5, 20)]


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("sizes", DENSE, ids=str)
@pytest.mark.parametrize("iterations", [1, 2, 3, 5])
@pytest.mark.parametrize("options", [(), ("leaky",), ("prior",), ("detach",), ("leaky", "prior", "detach")], ids=str)
def test_dynamic_routing(backend, sizes, iterations, options):
    b, i, j, q, p = sizes
    g = torch.Generator().manual_seed(0)
    inputs = [
        torch.randn(b, i, p, generator=g),
        0.3 * torch.randn(i, j, q, p, generator=g),
        0.1 * torch.randn(j, q, generator=g),
    ]
    if "prior" in options:
        inputs.append(torch.randn(i, j, generator=g))
    flags = {"leaky": "leaky" in options, "detach": "detach" in options}

    def routing(backend):
        def run(u, weight, bias, prior=None):
            return c.dynamic_routing(u, weight, iterations, bias=bias, prior=prior, backend=backend, **flags)

        return run

    wide = [x.double() for x in inputs]
    truth = gradients(routing("eager"), wide)
    if backend == "recompute":
        same(gradients(routing(backend), wide), truth, 1e-12)
    same(
        gradients(routing(backend), inputs), truth, 5e-6 if iterations <= 3 else 5e-5
    )  # each iteration sharpens logits
    without = routing(backend)(*inputs)  # nothing to learn: no graph
    same([without], truth[:1], 5e-6 if iterations <= 3 else 5e-5)


def test_recomputed_gradients_are_finite_differences():
    g = torch.Generator().manual_seed(0)
    u, weight, bias, prior = (
        torch.randn(s, generator=g, dtype=torch.float64).requires_grad_()
        for s in ((3, 4, 3), (4, 3, 2, 3), (3, 2), (4, 3))
    )
    for leaky in (False, True):
        assert torch.autograd.gradcheck(
            lambda *a, leaky=leaky: c.dynamic_routing(
                a[0], a[1], 3, bias=a[2], leaky=leaky, prior=a[3], backend="recompute"
            ),
            (u, weight, bias, prior),
        )


def test_recompute_goes_through_the_batch_in_parts(monkeypatch):
    from deeptheory.capsules.routing.recomputed import TorchPasses

    monkeypatch.setattr(TorchPasses, "examples", staticmethod(lambda weight, iterations: 2))
    g = torch.Generator().manual_seed(0)
    inputs = [torch.randn(s, generator=g, dtype=torch.float64) for s in ((5, 6, 3), (6, 3, 4, 3))]
    same(
        gradients(lambda u, w: c.dynamic_routing(u, w, backend="recompute"), inputs),
        gradients(lambda u, w: c.dynamic_routing(u, w, backend="eager"), inputs),
        1e-12,
    )


@pytest.mark.skipif(not NATIVE, reason="no C compiler here")
def test_native_goes_through_the_batch_in_parts_and_threads(monkeypatch):
    from deeptheory.capsules.native import dynamic as native

    g = torch.Generator().manual_seed(0)
    inputs = [torch.randn(s, generator=g) for s in ((35, 64, 8), (64, 10, 16, 8))]
    inputs[1] *= 0.1
    truth = gradients(lambda u, w: c.dynamic_routing(u, w, backend="eager"), [x.double() for x in inputs])
    monkeypatch.setattr(native, "_WORK", 1)
    torch.set_num_threads(3)
    try:
        same(gradients(lambda u, w: c.dynamic_routing(u, w, backend="native"), inputs), truth, 5e-6)
        pose, a = torch.randn(35, 5, 4, 2, 4, 4, generator=g), torch.rand(35, 5, 4, 2, generator=g)
        layer, wide = matrix_layer("native"), matrix_layer("eager").double()
        same(of_layer(layer, [pose, a]), of_layer(wide, [pose.double(), a.double()]), 2e-5)
    finally:
        torch.set_num_threads(1)


def matrix_layer(backend, make=None, **options):
    torch.manual_seed(0)
    make = make or (lambda **o: c.ConvMatrixCapsules(2, 3, 3, stride=2, **o))
    layer = make(backend=backend, **options)
    if isinstance(layer, c.ClassCapsules):
        torch.nn.init.normal_(layer.weight, std=0.5)
    return layer


def of_layer(layer, inputs):
    """Outputs, gradients of inputs and of parameters."""
    learnt = {
        n: p for n, p in layer.named_parameters() if layer.presence == "cost" or n == "weight"
    }  # shares have no cost

    def run(*given):
        return torch.func.functional_call(layer, dict(zip(learnt, given[len(inputs) :])), given[: len(inputs)])

    return gradients(run, [*inputs, *learnt.values()])


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("iterations", [1, 2, 3])
@pytest.mark.parametrize("variant", ["paper", "reference_code"])
@pytest.mark.parametrize("normalize", ["all", "position"])
@pytest.mark.parametrize(
    ("batch", "grid", "types", "kernel", "stride"),
    [
        (3, (5, 6), (2, 3), 3, 2),
        (17, (4, 4), (3, 2), 3, 1),
        (1, (3, 3), (1, 1), 3, 1),
        (2, (6, 6), (2, 2), 2, 3),
        (2, (5, 4), (1, 5), 1, 1),
    ],
)
def test_conv_matrix_capsules(backend, iterations, variant, normalize, batch, grid, types, kernel, stride):
    g = torch.Generator().manual_seed(0)
    inputs = [torch.randn(batch, *grid, types[0], 4, 4, generator=g), torch.rand(batch, *grid, types[0], generator=g)]

    def layer(backend):
        return matrix_layer(
            backend,
            lambda **o: c.ConvMatrixCapsules(
                *types, kernel, stride=stride, iterations=iterations, normalize=normalize, variant=variant, **o
            ),
        )

    wide = [x.double() for x in inputs]
    truth = of_layer(layer("eager").double(), wide)
    if backend == "recompute":
        same(of_layer(layer(backend).double(), wide), truth, 1e-12)
    else:
        # few children a parent: sharp clusters, logits in the hundreds; 1x1 kernels: one child a parent, variances at
        # their floor
        same(of_layer(layer(backend), inputs), truth, 5e-5 if kernel > 1 else 1e-3)


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("iterations", [1, 2, 3])
@pytest.mark.parametrize(
    "options", [{"form": "vector"}, {"presence": "mass"}, {"form": "vector", "presence": "mass"}], ids=str
)
@pytest.mark.parametrize(("variant", "normalize"), [("paper", "all"), ("reference_code", "position")])
@pytest.mark.parametrize("batch", [1, 18])
def test_ablations(backend, iterations, options, variant, normalize, batch):
    """Poses as vectors and mixing proportions for activations, in a convolution and in the class layer."""
    g = torch.Generator().manual_seed(0)
    more = {**options, "variant": variant, "iterations": iterations}
    inputs = [torch.randn(batch, 5, 4, 3, 4, 4, generator=g), torch.rand(batch, 5, 4, 3, generator=g)]
    for make in (
        lambda **o: c.ConvMatrixCapsules(3, 2, 3, stride=2, normalize=normalize, **o),
        lambda **o: c.ClassCapsules(3, 4, **o),
    ):
        truth = of_layer(matrix_layer("eager", make, **more).double(), [x.double() for x in inputs])
        same(of_layer(matrix_layer(backend, make, **more), inputs), truth, 5e-5)


@pytest.mark.parametrize("backend", FAST)
@pytest.mark.parametrize("variant", ["paper", "reference_code"])
@pytest.mark.parametrize("coordinates", [True, False])
def test_class_capsules(backend, variant, coordinates):
    g = torch.Generator().manual_seed(0)
    inputs = [torch.randn(18, 3, 4, 5, 4, 4, generator=g), torch.rand(18, 3, 4, 5, generator=g)]

    def layer(backend):
        return matrix_layer(backend, lambda **o: c.ClassCapsules(5, 4, coordinates=coordinates, variant=variant, **o))

    truth = of_layer(layer("eager").double(), [x.double() for x in inputs])
    same(of_layer(layer(backend), inputs), truth, 2e-5)


@pytest.mark.skipif(not NATIVE, reason="no C compiler here")
def test_native_agrees_to_a_millionth_where_float32_can():
    """Many children, as in the paper's layers: 3x3 windows of 32 types."""
    g = torch.Generator().manual_seed(0)
    inputs = [torch.randn(4, 5, 5, 32, 4, 4, generator=g), torch.rand(4, 5, 5, 32, generator=g)]

    def layer(backend):
        return matrix_layer(backend, lambda **o: c.ConvMatrixCapsules(32, 4, 3, stride=2, **o))

    truth = layer("eager").double()(*(x.double() for x in inputs))
    same(layer("native")(*inputs), truth, 1e-6)


@pytest.mark.skipif(not NATIVE, reason="no C compiler here")
@pytest.mark.parametrize("far", [0.0, 30.0, 300.0])
def test_native_moments_do_not_cancel(far):
    """A tight cluster far from 0: E[x^2] - mean^2 in float32 would have no digit left."""
    g = torch.Generator().manual_seed(0)
    pose = torch.eye(4) * far + 0.02 * torch.randn(2, 3, 3, 4, 4, 4, generator=g)
    a = torch.rand(2, 3, 3, 4, generator=g)
    layers = [matrix_layer(b, lambda **o: c.ConvMatrixCapsules(4, 2, 3, stride=1, **o)) for b in ("native", "eager")]
    for layer in layers:
        torch.nn.init.zeros_(layer.weight)
        layer.weight.data += torch.eye(4)
    got, truth = layers[0](pose, a), layers[1].double()(pose.double(), a.double())
    same(got, truth, 1e-5)


@pytest.mark.skipif(not NATIVE, reason="no C compiler here")
@pytest.mark.parametrize("scale", [1e-4, 1.0, 40.0])
def test_native_exponentials_and_logarithms(scale):
    """Logits of children spread by hundreds: couplings from 0 to 1, sums exact; nothing overflows."""
    g = torch.Generator().manual_seed(0)
    u, weight = scale * torch.randn(16, 12, 4, generator=g), torch.randn(12, 5, 6, 4, generator=g)
    truth = c.dynamic_routing(u.double(), weight.double(), 3, backend="eager")
    same([c.dynamic_routing(u, weight, 3, backend="native")], [truth], 1e-6 if scale < 2 else 1e-3)


@pytest.mark.skipif(not NATIVE, reason="no C compiler here")
def test_nan_stays_nan_in_the_kernel():
    u, weight = torch.randn(3, 5, 4), torch.randn(5, 3, 2, 4)
    u[1, 2, 0] = float("nan")
    from deeptheory.capsules.native.dynamic import NativePasses
    from deeptheory.capsules.routing import recomputed

    v = recomputed.route(NativePasses, lambda *_: None, u, weight, 3)
    assert v[1].isnan().all()
    assert v[[0, 2]].isfinite().all()


@pytest.mark.parametrize("mask", [None, "mask", "each"])
def test_dense_em_in_parts(mask):
    g = torch.Generator().manual_seed(0)
    votes, a = (
        torch.randn(5, 6, 3, 4, 4, generator=g, dtype=torch.float64),
        torch.rand(5, 6, generator=g, dtype=torch.float64),
    )
    allowed = {None: None, "mask": torch.rand(6, 3, generator=g) < 0.7, "each": torch.rand(5, 6, 3, generator=g) < 0.7}[
        mask
    ]
    betas = [torch.rand(3, generator=g, dtype=torch.float64), -300 * torch.rand(3, generator=g, dtype=torch.float64)]
    runs = [
        gradients(lambda v, a, u, b, k=k: c.em_routing(v, a, u, b, mask=allowed, backend=k), [votes, a, *betas])
        for k in ("recompute", "eager")
    ]
    same(*runs, 1e-12)


def test_in_parts_splits(monkeypatch):
    from deeptheory.capsules.routing import em

    seen = []

    def function(x, y, whole):
        seen.append(len(x))
        return (x + y + whole,)

    x = torch.arange(5.0, requires_grad=True)
    (out,) = em.in_parts(function, (x, x * 2, torch.ones(1)), one=8 << 20)
    assert seen == [2, 2, 1]
    assert out.tolist() == [1, 4, 7, 10, 13]


def test_which_backend_is_taken():
    x, gpu, size = torch.zeros(3), torch.zeros(3, device="meta"), {"votes": 100, "to": (3, 4)}
    native = "native" if NATIVE else "eager"
    assert choose("auto", "dynamic", x, **size) == native
    assert choose("auto", "dynamic", x.bfloat16(), **size) == native
    assert choose("auto", "dynamic", x.double(), **size) == "eager"  # few votes: faster than making them again
    assert choose("auto", "dynamic", x.double(), votes=10**9, to=(3, 4)) == "recompute"
    assert choose("auto", "dynamic", gpu, **size) == "eager"
    assert choose("auto", "dynamic", x, slower=lambda: True, **size) == "eager"
    assert choose("auto", "dynamic", x, slower=lambda: True, votes=10**9, to=(3, 4)) == (
        "native" if NATIVE else "recompute"
    )
    assert choose("recompute", "dynamic", x, **size) == "recompute"
    assert choose("eager", "dynamic", x, **size) == "eager"
    assert choose("auto", "em", x, unable="no", votes=100) == "eager"
    assert choose("auto", "em", x, unable="no", votes=10**9) == "recompute"
    assert choose("native" if NATIVE else "auto", "em", x, votes=0) == "eager"  # an empty batch
    with pytest.raises(InputError, match="unknown backend 'cuda'.*auto, eager, recompute, native, triton"):
        choose("cuda", "dynamic", x, **size)
    for bad, why in ((x.double(), "float64"), (gpu, "on meta")):
        with pytest.raises(MissingDependency, match=f'backend="native" cannot be had: .*{why}'):
            choose("native", "dynamic", bad, **size)
    with pytest.raises(MissingDependency, match="know poses of 4x4 numbers, not pose_size=3"):
        c.ConvMatrixCapsules(2, 3, pose_size=3, backend="native")(
            torch.zeros(1, 3, 3, 2, 3, 3), torch.zeros(1, 3, 3, 2)
        )
    learnt = torch.zeros(3, 3, 2, requires_grad=True)
    with pytest.raises(MissingDependency, match="give coordinates no gradient"):
        c.ClassCapsules(2, 3, backend="native")(torch.zeros(1, 3, 3, 2, 4, 4), torch.zeros(1, 3, 3, 2), learnt)
    c.ClassCapsules(2, 3)(torch.randn(1, 3, 3, 2, 4, 4), torch.rand(1, 3, 3, 2), learnt)[0].square().sum().backward()
    assert learnt.grad is not None
    assert set(c.backends()) == {"eager", "recompute", "native", "triton"}


@pytest.mark.skipif(not NATIVE, reason="no C compiler here")
@pytest.mark.parametrize(
    "sizes", [(2, 4, 3, 5, 3, 1), (1, 8, 2, 8, (2, 3), (2, 1)), (3, 5, 1, 1, 1, 1), (2, 16, 4, 3, (1, 4), 2)], ids=str
)
@pytest.mark.parametrize("normalize", ["all", "position"])
@pytest.mark.parametrize(("iterations", "bias", "batch"), [(1, True, 3), (2, False, 17), (3, True, 33)])
def test_conv_capsules(sizes, normalize, iterations, bias, batch):
    """The compiled windows against the eager ones in float64: values and gradients; in two threads as well."""
    types, p, j, q, kernel, stride = sizes
    g = torch.Generator().manual_seed(0)
    u = torch.randn(batch, 7, 6, types, p, generator=g)

    def layer(backend):
        torch.manual_seed(0)
        made = c.ConvCapsules(
            types,
            p,
            j,
            q,
            kernel_size=kernel,
            stride=stride,
            iterations=iterations,
            normalize=normalize,
            bias=bias,
            padding=1,
            init="paper",
            backend=backend,
        )
        made.weight.data.mul_(4)
        return made

    def run(layer, u):
        u = u.clone().requires_grad_()
        v = layer(u)
        v.pow(3).sum().backward()
        return [v.detach(), u.grad, *(x.grad for x in layer.parameters())]

    truth = run(layer("eager").double(), u.double())
    for threads in (1, 2):
        torch.set_num_threads(threads)
        try:
            same(run(layer("native"), u), truth, 2e-5)
        finally:
            torch.set_num_threads(1)
    same(run(layer("recompute"), u), truth, 2e-5)


def test_small_shapes_and_many_products_choose():
    assert not prefer(4, 20, 5, 8, 8)  # few calls count
    assert prefer(3, 49, 10, 16, 512)  # a matrix product is what a library does best
    assert prefer(1, 1152, 10, 16, 8)  # one example leaves fifteen lanes idle
    assert not prefer(16, 1152, 10, 16, 8)
    assert prefer_em(1, 576)
    assert prefer_em(4, 1)
    assert not prefer_em(2, 72)


def test_kernels_refuse_other_dtypes():
    with pytest.raises(AssertionError):
        addresses([torch.zeros(3, dtype=torch.bfloat16)])
    with pytest.raises(AssertionError):
        addresses([torch.zeros(4, 4).t()])
