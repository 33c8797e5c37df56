"""What every capsule layer owes: derivatives, transforms, ambient conditions, compilers. Rows: test_capsules.py."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

import deeptheory as dt
from trials.frame import Found, all_of, near

c = dt.capsules
BACKENDS = [b for b in ("auto", "eager", "recompute", "native") if b != "native" or c.backends()["native"] == "yes"]


def tensors(rng, *shapes, dtype=torch.float32, scale=1.0):
    return [torch.as_tensor(scale * rng.normal(size=s), dtype=dtype) for s in shapes]


def layers(backend="auto"):
    """Every routed layer, small, with its inputs' shapes (activations: the shapes of the second)."""
    torch.manual_seed(0)
    made = {
        "Capsules": (c.Capsules(12, 4, 3, 5, backend=backend), [(12, 4)]),
        "ConvCapsules": (c.ConvCapsules(2, 4, 3, 5, backend=backend), [(5, 6, 2, 4)]),
        "ConvCapsules, padded, position": (c.ConvCapsules(2, 4, 3, 5, kernel_size=(3, 2), stride=(2, 1),
            normalize="position", padding=(1, 0), backend=backend), [(5, 6, 2, 4)]),
        "ConvMatrixCapsules": (c.ConvMatrixCapsules(2, 3, backend=backend), [(5, 6, 2, 4, 4), (5, 6, 2)]),
        "ConvMatrixCapsules, padded, position": (c.ConvMatrixCapsules(2, 3, 3, stride=2, normalize="position",
            padding=1, backend=backend), [(5, 6, 2, 4, 4), (5, 6, 2)]),
        "ClassCapsules": (c.ClassCapsules(2, 3, backend=backend), [(4, 3, 2, 4, 4), (4, 3, 2)]),
        "SelfRouting": (c.SelfRouting(6, 4, 3, 5), [(6, 4), (6,)]),
        "InvertedDotProduct": (c.InvertedDotProduct(6, 4, 3, 5), [(6, 4)]),
        "PrimaryCapsules": (c.PrimaryCapsules(3, 2, 4, kernel_size=3), [(3, 7, 8)]),
        "MatrixPrimary": (c.MatrixPrimary(3, 2), [(3, 4, 5)]),
    }  # fmt: skip
    for layer, _ in made.values():
        for name, p in layer.named_parameters():
            if name == "weight" and p.std() < 0.2:
                p.data.mul_(0.3 / p.std())  # votes of the size of one: routing has something to decide
    return made


LAYERS = list(layers())


def inputs(rng, shapes, batch=4, dtype=torch.float32):
    return [
        torch.as_tensor(rng.normal(size=(batch, *s)) if k == 0 else rng.uniform(size=(batch, *s)), dtype=dtype)
        for k, s in enumerate(shapes)
    ]


def out(layer, xs):
    y = layer(*xs)
    return list(y) if isinstance(y, tuple) else [y]


def derivatives(layer, xs):
    """Outputs, gradients, and gradients of a gradient penalty."""
    xs = [x.clone().requires_grad_() for x in xs]
    wanted = [*xs, *layer.parameters()]
    ys = out(layer, xs)
    loss = sum((y.pow(3).sum() + y.square().sum()) for y in ys)
    first = torch.autograd.grad(loss, wanted, create_graph=True, allow_unused=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in first if g is not None), wanted, allow_unused=True)
    return [x.detach() for x in (*ys, *first, *second) if x is not None]


def apart(ours, truth):
    """The largest difference, relative to each tensor's size; NaN where any is NaN."""
    off = []
    for a, b in zip(ours, truth, strict=True):
        assert a.shape == b.shape, (a.shape, b.shape)
        off.append(float((a.double() - b.double()).abs().max()) / max(1e-3, float(b.abs().max())))
    return float(np.max(off))  # Python's max passes over a NaN that is not the first


def nothing_in(name):
    """Zeros in: finite numbers out, with finite first and second derivatives."""

    def check(rng, draws):
        layer, shapes = layers()[name]
        layer = layer.double()
        xs = [x * 0 for x in inputs(rng, shapes, dtype=torch.float64)]
        ys = derivatives(layer, xs)
        finite = all(bool(y.isfinite().all()) for y in ys)
        return Found(f"finite: {finite}", "finite", finite)

    return check


def who_comes_first(name):
    """Order of examples; batch composition; contiguity; an empty batch."""

    def check(rng, draws):
        layer, shapes = layers()[name]
        xs = inputs(rng, shapes, 19)
        order = rng.permutation(19)
        with torch.no_grad():
            ys = out(layer, xs)
            found = [near(a, b[order], 5e-6) for a, b in zip(out(layer, [x[order] for x in xs]), ys)]
            found += [near(a[0], b[3], 5e-6) for a, b in zip(out(layer, [x[3:4] for x in xs]), ys)]
            strided = [x.transpose(0, -1).contiguous().transpose(0, -1) for x in xs]
            found += [near(a, b, 5e-6) for a, b in zip(out(layer, strided), ys)]
            found += [near(len(y), 0, 0) for y in out(layer, [x[:0] for x in xs])]
        return all_of(*found)

    return check


def twice(name, backend):
    """Values, gradients, and gradients of a gradient penalty, against the eager form in float64."""

    def check(rng, draws):
        (layer, shapes), (truth, _) = layers(backend)[name], layers("eager")[name]
        xs = inputs(rng, shapes)
        wide = derivatives(truth.double(), [x.double() for x in xs])
        return near(apart(derivatives(layer, xs), wide), 0, 2e-3 if "Matrix" in name or "Class" in name else 1e-4)

    return check


def per_example(name):
    """vmap of grad, and export with a dynamic batch."""

    def check(rng, draws):
        layer, shapes = layers()[name]
        xs = inputs(rng, shapes, 3)
        learnt = {k: v.detach() for k, v in layer.named_parameters()}

        def loss(p, *x):
            y = torch.func.functional_call(layer, p, tuple(t[None] for t in x))
            return sum((t.pow(3) + t.square()).sum() for t in (y if isinstance(y, tuple) else (y,)))

        each = torch.vmap(torch.func.grad(loss), in_dims=(None, *[0] * len(xs)))(learnt, *xs)
        sum((y.pow(3) + y.square()).sum() for y in out(layer, xs)).backward()
        found = [
            near(apart([each[k].sum(0)], [p.grad]), 0, 1e-4) for k, p in layer.named_parameters() if p.grad is not None
        ]
        size = torch.export.Dim("B", max=512)
        program = torch.export.export(
            layer.eval(),
            tuple(xs),
            dynamic_shapes=tuple({0: size} for _ in xs) if name != "Capsules" else {"u": {0: size}},
        )
        more = inputs(rng, shapes, 7)
        # two forms in float32: each is up to 2e-5 from float64 (variances of em routing are differences of squares)
        found += [near(a.detach(), b.detach(), 5e-5) for a, b in zip(out(program.module(), more), out(layer, more))]
        return all_of(*found)

    return check


def ambient(name):
    """Default dtype and device, inference_mode before and during, threads:
    the same to the last bit (threads: to 1e-5)."""

    def check(rng, draws):
        found, shapes = [], layers()[name][1]
        xs = inputs(rng, shapes, 18)
        for backend in BACKENDS:
            layer = layers(backend)[name][0]

            def run(layer=layer):
                ys = out(layer, [x.clone().requires_grad_() for x in xs])
                layer.zero_grad()
                sum(y.square().sum() for y in ys).backward()
                return [*(y.detach() for y in ys), *(p.grad.clone() for p in layer.parameters() if p.grad is not None)]

            with torch.inference_mode():
                told = out(layer, xs)
            first = run()
            found += [near(a, b, 1e-5) for a, b in zip(told, first)]
            for dtype in (torch.float64, torch.bfloat16, torch.float16):
                torch.set_default_dtype(dtype)
                try:
                    found += [near(a, b, 0) for a, b in zip(run(), first)]
                finally:
                    torch.set_default_dtype(torch.float32)
            with torch.device("meta"):
                found += [near(a, b, 0) for a, b in zip(run(), first)]
            threads = torch.get_num_threads()
            torch.set_num_threads(2)
            try:
                found.append(near(apart(run(), first), 0, 1e-5))
            finally:
                torch.set_num_threads(threads)
        return all_of(*found)

    return check


EXAMPLE = """
import torch, deeptheory as dt
g = torch.Generator().manual_seed(0)
u, w = torch.randn(20, 100, 8, generator=g), 0.1 * torch.randn(100, 10, 16, 8, generator=g)
grid, pose = torch.randn(18, 6, 6, 2, 4, generator=g), torch.randn(18, 5, 5, 4, 4, 4, generator=g)
a = torch.rand(18, 5, 5, 4, generator=g)
torch.manual_seed(0)
conv = dt.capsules.ConvCapsules(2, 4, 3, 5, backend=backend)
matrix = dt.capsules.ConvMatrixCapsules(4, 3, backend=backend)
done = [dt.capsules.dynamic_routing(u, w, backend=backend), conv(grid), matrix(pose, a)[0]]
values = torch.cat([x.detach().flatten() for x in done]).numpy()
"""
CALLED = f"""
import sys, warnings, numpy as np
backend = "auto"
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    exec({EXAMPLE!r})
np.save(sys.argv[1], values)
print(len(seen), dt.capsules.backends()["native"])
"""


def called_with(change, warned=False, before=None, compiled=True):
    """A process of its own with that environment; the values are those of this process's slow form."""

    def check(rng, draws):
        with tempfile.TemporaryDirectory() as folder:
            at = Path(folder)
            if "ccache" in (change.get("CC") or ""):
                (at / "ccache").write_text('#!/bin/sh\nexec "$@"\n')
                (at / "ccache").chmod(0o755)
            (at / "a file").write_text("")
            cache = at / "cache" if before != "no folder" else at / "a file"
            env = {**os.environ, "DEEPTHEORY_CACHE": str(cache), "PATH": f"{at}:{os.environ['PATH']}", **change}
            env = {k: v for k, v in env.items() if v is not None}

            def call(env):
                done = subprocess.run(
                    [sys.executable, "-c", CALLED, str(at / "out.npy")], env=env, capture_output=True, text=True
                )
                return done.returncode, done.stdout or done.stderr[-300:]

            if before == "damaged":
                call(env)
                assert list(cache.rglob("*.so")), "no library was saved"
                for f in cache.rglob("*.so"):
                    f.write_bytes(f.read_bytes()[: rng.integers(0, 4000)])
            code, said = call(env)
            values = np.load(at / "out.npy") if code == 0 else np.zeros(1)
        slow = {"backend": "eager"}
        exec(EXAMPLE, slow)
        held = code == 0 and said.startswith("1" if warned else "0") and (" yes" in said or not compiled)
        return all_of(Found(said.strip()[:120], "runs, warned if slow", held), near(values, slow["values"], 2e-5))

    return check
