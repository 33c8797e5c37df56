"""Routing and capsule layers, tried. The truth is Procedure 1 of each paper in loops, in float64
(tests/oracles/capsules.py)."""

import numpy as np
import torch

import deeptheory as dt
from oracles import capsules as oracle
from trials.capsule_layers import (
    BACKENDS,
    LAYERS,
    ambient,
    apart,
    called_with,
    inputs,
    nothing_in,
    out,
    per_example,
    tensors,
    twice,
    who_comes_first,
)
from trials.frame import Row, all_of, near, quick, refused, same

c = dt.capsules
# children, parents, q, p, batch: one capsule, few, many of few numbers, few of many numbers,
# a last short vector of lanes
SHAPES = [(1, 1, 1, 1, 1), (7, 3, 4, 3, 5), (60, 10, 16, 8, 17), (6, 2, 64, 64, 3), (12, 20, 4, 5, 33)]


def dense(rng, shape, scale=0.5):
    i, j, q, p, b = shape
    return tensors(rng, (b, i, p)) + tensors(rng, (i, j, q, p), scale=scale)


def squash_at(scale):
    def check(rng, draws):
        s = rng.normal(size=(6, 5)) * scale
        size = np.linalg.norm(s / scale, axis=1, keepdims=True)
        unit = s / scale / size
        # relative to |v|, which is 1e-84 of vectors of 1e-30: 0 is not the answer
        n2 = (np.minimum(scale, 1e150) * size) ** 2
        length = n2 / (1 + n2) * np.sqrt(n2 / (n2 + 1e-12))
        dtype = torch.float64 if not 1e-20 < scale < 1e36 else torch.float32
        x = torch.as_tensor(s, dtype=dtype).requires_grad_()
        v = c.squash(x)
        v.sum().backward()
        found = near(v.detach().double().numpy() / length, unit, 1e-6)
        return all_of(found, near(np.isfinite(x.grad.numpy()), True, 0))

    return check


def whole_numbers(rng, draws):
    x = rng.integers(-9, 10, size=(4, 6, 3))
    w = rng.integers(-2, 3, size=(6, 2, 4, 3))
    found = []
    for kind in (np.int64, np.int32, np.uint8):
        a, b = np.abs(x).astype(kind), np.abs(w).astype(kind)
        found += [same([c.squash(a_.float()), c.squash(a_)], 1e-7) for a_ in [torch.as_tensor(a)]]
        found.append(near(c.dynamic_routing(a, b), oracle.dynamic_routing(a.astype(float), b.astype(float), 3), 1e-5))
    return all_of(*found)


def agreement(shape, backend):
    def check(rng, draws):
        u, w = dense(rng, shape)
        (bias,) = tensors(rng, w.shape[1:3], scale=0.3)
        (prior,) = tensors(rng, w.shape[:2])
        found = []
        for r, more in ((1, {}), (3, {"bias": bias}), (3, {"leaky": True, "prior": prior}), (5, {})):
            truth = oracle.dynamic_routing(
                u.double().numpy(),
                w.double().numpy(),
                r,
                **{k: v if k == "leaky" else v.double().numpy() for k, v in more.items()},
            )
            found.append(near(c.dynamic_routing(u, w, r, backend=backend, **more), truth, 2e-5))
        return all_of(*found)

    return check


def entangled(rng, draws):
    """Weights made from the children: a gradient of a gradient must not count that path twice."""
    found = []
    for shape in SHAPES[1:3]:
        u, w = dense(rng, shape)

        def penalty(backend, dtype, u=u, w=w):
            x = u.to(dtype).requires_grad_()
            made = w.to(dtype) * (1 + x.mean((0, 2))[:, None, None, None])
            (g,) = torch.autograd.grad(c.dynamic_routing(x, made, backend=backend).pow(3).sum(), x, create_graph=True)
            return [g.detach(), *torch.autograd.grad(g.square().sum(), x)]

        truth = penalty("eager", torch.float64)
        found += [near(apart(penalty(b, torch.float32), truth), 0, 1e-3) for b in BACKENDS]
    return all_of(*found)


def em_truth(rng, draws):
    found = []
    for n, i, j in ((1, 3, 2), (3, 8, 4), (2, 20, 5)):
        votes, a = rng.normal(size=(n, i, j, 16)), rng.uniform(size=(n, i))
        b_u, b_a = rng.uniform(size=j), -100 * rng.uniform(size=j)
        mask = rng.uniform(size=(i, j)) < 0.8
        mask[0] = True
        truth = oracle.em_routing(votes, a, b_u, b_a, iterations=3, mask=mask)
        for backend in ("auto", "eager", "recompute"):
            pose, act = c.em_routing(votes.reshape(n, i, j, 4, 4), a, b_u, b_a, mask=mask, backend=backend)
            found += [near(pose.reshape(n, j, 16), truth[0], 1e-9), near(act, truth[1], 1e-9)]
    return all_of(*found)


def em_mask(rng, draws):
    votes, a = rng.normal(size=(2, 6, 3, 4, 4)), rng.uniform(size=(2, 6))
    allowed = rng.uniform(size=(6, 3)) < 0.6
    args = (votes, a, 0.7, -1.0)
    whole = same(
        [c.em_routing(*args, mask=m)[0] for m in (allowed, allowed.astype(np.int64), torch.as_tensor(allowed))]
    )
    added = [
        refused(lambda m=m: c.em_routing(*args, mask=m), "truth values")
        for m in (
            np.where(allowed, 0.0, -1e9),
            np.where(allowed, 0.0, -np.inf),
            allowed.astype(float),
            np.where(allowed, 0, -7),
        )
    ]
    return all_of(whole, *added)


def no_favorite(rng, draws):
    """Children without a message: with no weight for any parent more than another,
    couplings are 1 / J in every iteration."""
    found = []
    for shape in SHAPES[1:]:
        u, w = dense(rng, shape)
        w = w[:, :1].expand(-1, shape[1], -1, -1).contiguous()
        v = c.dynamic_routing(u, w)
        s = torch.einsum("bip,ijqp->bjq", u, w) / shape[1]
        found.append(near(v, c.squash(s), 1e-5))
    return all_of(*found)


def orders(rng, draws):
    found = []
    for backend in BACKENDS:
        u, w = dense(rng, (30, 6, 5, 4, 9))
        kids, folks = rng.permutation(30), rng.permutation(6)
        v = c.dynamic_routing(u, w, backend=backend)
        found.append(near(c.dynamic_routing(u[:, kids], w[kids], backend=backend), v, 5e-6))
        found.append(near(c.dynamic_routing(u, w[:, folks], backend=backend), v[:, folks], 5e-6))
        mask = torch.as_tensor(rng.uniform(size=(9, 30)) < 0.7)
        told = torch.where(mask[..., None], u, float("nan"))
        found += [
            near(
                c.dynamic_routing(told[n : n + 1], w, mask=mask[n : n + 1], backend=backend),
                c.dynamic_routing(u[n : n + 1, mask[n]], w[mask[n]], backend=backend),
                5e-6,
            )
            for n in range(3)
        ]
    votes, a = rng.normal(size=(3, 12, 4, 16)), rng.uniform(size=(3, 12))
    kids, folks = rng.permutation(12), rng.permutation(4)
    pose, act = c.em_routing(votes, a, 0.7, -1.0)
    turned = c.em_routing(votes[:, kids][:, :, folks], a[:, kids], 0.7, -1.0)
    return all_of(*found, near(turned[0], pose[:, folks], 1e-10), near(turned[1], act[:, folks], 1e-10))


def hessian(backend):
    def check(rng, draws):
        found = []
        for shape in [*SHAPES[1:2], (9, 4, 3, 2, 2)]:
            u, w = dense(rng, shape)

            def loss(x, w, b):
                return c.dynamic_routing(x, w, backend=b).pow(3).sum()

            truth = torch.autograd.functional.hessian(lambda x, w=w: loss(x, w.double(), "eager"), u.double())
            for fast in (False, True):
                h = torch.autograd.functional.hessian(lambda x, w=w: loss(x, w, backend), u, vectorize=fast)
                found.append(near(apart([h], [truth]), 0, 1e-4))
        return all_of(*found)

    return check


def maml(rng, draws):
    """The outer gradient after one inner step, by autograd.grad, against float64 eager."""
    u, w = dense(rng, SHAPES[2])

    def outer(backend, dtype):
        weight, x = w.to(dtype).requires_grad_(), u.to(dtype)
        (g,) = torch.autograd.grad(
            c.dynamic_routing(x, weight, backend=backend).pow(2).sum(), weight, create_graph=True
        )
        return torch.autograd.grad(c.dynamic_routing(x, weight - 0.5 * g, backend=backend).pow(3).sum(), weight)

    truth = outer("eager", torch.float64)
    return all_of(*(near(apart(outer(b, torch.float32), truth), 0, 1e-3) for b in BACKENDS))  # float32 itself: 1e-4


def shared(rng, draws):
    """share=: any number of children, each with the weights of its number modulo in_capsules."""
    found = []
    for n, times in ((1, 7), (2, 5), (3, 1)):
        layer = c.Capsules(n, 4, 3, 5, shared=True)
        u = tensors(rng, (6, n * times, 4))[0]
        weight = torch.cat([layer.weight] * times).detach()
        found.append(
            near(layer(u).detach(), c.dynamic_routing(u, weight, bias=layer.bias.detach(), backend="eager"), 1e-5)
        )
    return all_of(*found)


def in_a_row(rng, draws):
    """1-D by (1, k): the same along rows as along columns; padding as absent children:
    a grid with empty cells around."""
    found = []
    for k, s in ((3, 1), (2, 2), (4, 3)):
        for make, shapes in ((lambda k, s: c.ConvCapsules(2, 4, 3, 5, kernel_size=k, stride=s), [(1, 9, 2, 4)]),
            (lambda k, s: c.ConvMatrixCapsules(2, 3, k, stride=s), [(1, 9, 2, 4, 4), (1, 9, 2)])):  # fmt: skip
            rows, columns = make((k, 1), (s, 1)), make((1, k), (1, s))
            columns.load_state_dict(rows.state_dict())
            xs = inputs(rng, shapes)
            found += [
                near(a.detach(), b.transpose(1, 2).detach(), 2e-5)
                for a, b in zip(out(columns, xs), out(rows, [x.transpose(1, 2) for x in xs]))
            ]
    for pad in ((1, 1), (0, 2)):
        for kind, more, shapes in (
            (c.ConvCapsules, (2, 4, 3, 5), [(4, 5, 2, 4)]),
            (c.ConvMatrixCapsules, (2, 3), [(4, 5, 2, 4, 4), (4, 5, 2)]),
        ):
            layer, bare = kind(*more, padding=pad), kind(*more)
            bare.load_state_dict(layer.state_dict())
            xs = inputs(rng, shapes)
            around = [torch.nn.functional.pad(x, (0,) * (2 * (x.ndim - 3)) + (pad[1],) * 2 + (pad[0],) * 2) for x in xs]
            found += [near(a.detach(), b.detach(), 2e-5) for a, b in zip(out(layer, xs), out(bare, around))]
    return all_of(*found)


def self_routed(rng, draws):
    layer = c.SelfRouting(5, 4, 3, 2).double()
    pose, a = rng.normal(size=(3, 5, 4)), rng.uniform(size=(3, 5))
    w, r, b = (x.detach().numpy() for x in (layer.weight, layer.routing, layer.bias))
    v, act = (x.detach().numpy() for x in layer(torch.as_tensor(pose), torch.as_tensor(a)))
    found = []
    for n in range(3):
        given = np.array(
            [np.array(oracle.softmax([r[i, j] @ pose[n, i] + b[i, j] for j in range(3)])) * a[n, i] for i in range(5)]
        )
        for j in range(3):
            found.append(near(act[n, j], given[:, j].sum() / a[n].sum(), 1e-12))
            found.append(
                near(v[n, j], sum(given[i, j] * (w[i, j] @ pose[n, i]) for i in range(5)) / given[:, j].sum(), 1e-12)
            )
    return all_of(*found)


def inverted(rng, draws):
    found = []
    for iterations in (1, 2, 4):
        layer = c.InvertedDotProduct(5, 4, 3, 6, iterations=iterations).double()
        u = rng.normal(size=(2, 5, 4))
        w = layer.weight.detach().numpy()
        truth = np.zeros((2, 3, 6))
        for n in range(2):
            votes, p = np.einsum("ijqp,ip->ijq", w, u[n]), np.zeros((3, 6))
            for _ in range(iterations):
                r = np.array([oracle.softmax([votes[i, j] @ p[j] for j in range(3)]) for i in range(5)])
                s = np.einsum("ij,ijq->jq", r, votes)
                p = (s - s.mean(1, keepdims=True)) / np.sqrt(s.var(1, keepdims=True) + 1e-5)
            truth[n] = p
        found.append(near(layer(torch.as_tensor(u)).detach(), truth, 1e-10))
    return all_of(*found)


def traced(rng, draws):
    """Couplings of every example are the oracle's; means come from them; a masked child has none."""
    layer = c.Capsules(6, 4, 3, 5).double()
    torch.nn.init.normal_(layer.weight)
    u = rng.normal(size=(4, 6, 4))
    trace = c.trace_routing(layer, torch.as_tensor(u), couplings=True)["Capsules"]
    w, bias, found = layer.weight.detach().numpy(), layer.bias.detach().numpy(), []
    for n in range(4):
        votes = {(i, j): w[i, j] @ u[n, i] for i in range(6) for j in range(3)}
        for r in (1, 2, 3):
            _, coupling = oracle.routing_by_agreement(votes, {i: [0, 1, 2] for i in range(6)}, r, bias)
            found.append(near(trace.couplings[r - 1, n], [[coupling[i, j] for j in range(3)] for i in range(6)], 1e-6))
    found.append(near(trace.mass, trace.couplings.sum(2).mean(1), 1e-5))
    found.append(near(trace.entropy[0], np.log2(3), 1e-6))
    mask = torch.as_tensor(rng.uniform(size=(4, 6)) < 0.5)
    hidden = c.trace_routing(layer, torch.as_tensor(u), mask, couplings=True)["Capsules"].couplings
    return all_of(*found, near(hidden.sum(-1)[:, ~mask.numpy()], 0, 0), near(hidden.sum(-1)[:, mask.numpy()], 1, 1e-6))


def ink(rng, draws):
    found = []
    for width in (1, 4, 9):
        image = np.zeros((20, 30))
        image[3:9, 5 : 5 + width] = 1
        truth = 4 * np.sqrt((width**2 - 1) / 12)
        found += [near(c.ink_width(image * unit), truth, 1e-9) for unit in (1e-300, 1e-14, 1.0, 255, 1e300)]
        found.append(near(c.ink_width(np.roll(image, 7, 1)), truth, 1e-9))
    return all_of(
        *found,
        near(c.ink_width(np.zeros((3, 4, 4))), 0, 0),
        refused(lambda: c.ink_width(image - 0.5), "ink is 0 or more"),
    )


def explained(rng, draws):
    """Bars whose width is a line in the offset for one dimension, and constant for another: 1 and 0,
    whatever the unit of ink."""
    offsets, found = np.linspace(-0.2, 0.2, 5), []
    for unit in (1e-6, 1.0, 255.0):
        drawn = np.zeros((3, 2, 5, 8, 40))
        for k in range(5):
            drawn[:, 0, k, :, 10 : 15 + 2 * k] = unit
            drawn[:, 1, k, :, 10:15] = unit
        drawn *= rng.uniform(1, 2, size=(3, 1, 1, 1, 1))
        seen = c.Perturbation(
            drawings=drawn.astype(np.float32), offsets=offsets, winners=np.array([0, 0, 1])
        ).explained()
        found += [near(seen[:, 0], 1, 1e-2), near(seen[:, 1], 0, 0)]
    return all_of(*found)


ROWS = [
    Row("capsules.dynamic_routing", "truth", "gradient penalty where weights are made from u, every backend",
        entangled),
    *(Row("capsules.squash", "truth", f"eq. 1, 1e-12 added under the root, vectors of size {s:g}", squash_at(s))
        for s in (1e-30, 1e-6, 1.0, 1e6, 1e20, 1e38, 1e200)),
    Row("capsules.squash", "invariance", "integers of any kind are the numbers they are, here and in dynamic_routing",
        whole_numbers),
    *(Row("capsules.dynamic_routing", "truth", f"procedure 1 in loops, {s}, {b}", agreement(s, b)) for s in SHAPES
        for b in BACKENDS),
    Row("capsules.dynamic_routing", "null", "parents all alike: couplings stay 1 / J", no_favorite),
    Row("capsules.dynamic_routing", "invariance",
        "order of children and parents; masked children as if they were not there; em_routing", orders),
    *(Row("capsules.dynamic_routing", "truth", f"Hessian against eager float64, {b}", hessian(b)) for b in BACKENDS),
    Row("capsules.dynamic_routing", "truth", "MAML's outer gradient against eager float64, every backend", maml),
    Row("capsules.em_routing", "truth", "Procedure 1 in loops, with a mask, 3 sizes, every backend", em_truth),
    Row("capsules.em_routing", "invariance", "a mask as truth values or 0 and 1; masks to be added are refused",
        em_mask),
    *(Row(f"capsules.{n.split(',')[0]}", "null", f"zeros in: finite to the second derivative ({n})", nothing_in(n))
        for n in LAYERS),
    *(Row(f"capsules.{n.split(',')[0]}", "truth", f"first and second derivatives against eager float64 ({n}, {b})",
        twice(n, b)) for n in LAYERS[:6] for b in BACKENDS),
    *(Row(f"capsules.{n.split(',')[0]}", "invariance",
        f"order of examples, batch composition, strides, empty batch ({n})", who_comes_first(n)) for n in LAYERS),
    *(Row(f"capsules.{n.split(',')[0]}", "invariance", f"vmap of grad, export with a dynamic batch ({n})",
        per_example(n), quick=int(n in LAYERS[:2] or "position" in n)) for n in LAYERS),
    *(Row(f"capsules.{n.split(',')[0]}", "invariance", f"default dtype and device, inference_mode, threads ({n})",
        ambient(n)) for n in LAYERS),
    Row("capsules.Capsules", "truth", "share=: weights repeat, for any number of children", shared),
    Row("capsules.ConvCapsules", "invariance", "(1, k) as (k, 1); padding as empty cells; ConvMatrixCapsules too",
        in_a_row),
    Row("capsules.SelfRouting", "truth", "Hahn et al. 2019 in loops", self_routed),
    Row("capsules.InvertedDotProduct", "truth", "Tsai et al. 2020 in loops, 1, 2, 4 iterations", inverted),
    Row("capsules.trace_routing", "truth", "couplings of every example against loops", traced),
    Row("capsules.ink_width", "truth", "bars of known width, any unit of ink, any place", ink),
    Row("capsules.Perturbation.explained", "truth", "a line and a constant", explained),
    Row("capsules.dynamic_routing", "invariance", "CC unset", called_with({"CC": None}), quick=0),
    Row("capsules.dynamic_routing", "invariance", "CC with arguments", called_with({"CC": "gcc -m64 -ffast-math"}),
        quick=0),
    Row("capsules.dynamic_routing", "invariance", "CC by ccache", called_with({"CC": "ccache gcc"}), quick=0),
    Row("capsules.dynamic_routing", "invariance", "CC missing: slower form, one warning",
        called_with({"CC": "no-such-compiler"}, warned=True, compiled=False), quick=1),
    Row("capsules.dynamic_routing", "invariance", "CC fails: slower form, one warning",
        called_with({"CC": "false"}, warned=True, compiled=False), quick=0),
    Row("capsules.dynamic_routing", "invariance", "saved libraries cut short",
        called_with({"CC": None}, before="damaged"), quick=0),
    Row("capsules.dynamic_routing", "invariance", "no folder for a cache",
        called_with({"CC": None}, before="no folder"), quick=0),
]  # fmt: skip

EXEMPT = {
    "capsules.backends": "says which backends can be had here",
    "capsules.VARIANTS": "constants by name",
    "capsules.Variant": "constants of a published variant",
    "capsules.RoutingTrace": "made by trace_routing",
    "capsules.Perturbation": "made by perturb",
    "capsules.perturb": "draws; its numbers are Perturbation.explained and ink_width",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
