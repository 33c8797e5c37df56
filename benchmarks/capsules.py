"""Capsule layers against the public ones, forward and backward, float32.

Peers run unchanged, at the commit named; the last column says what each computes otherwise, and how much both sides
keep for the backward pass. `ours` is the default backend (compiled C where there is a C compiler,
`dt.capsules.backends()`), unless named.
Dense: 1152 children of 8 numbers to 10 parents of 16, 3 iterations, as in the routing paper. ConvCaps1: the first
convolutional layer of the EM paper, 14x14 to 6x6, kernel 3, stride 2, 3 iterations; small: 8 to 16 types, large: 32 to
32. The compiled kernel takes 16 examples at once, so that a batch of 4 costs it what one of 16 does.

Votes are made again for every pass, 16 examples at a time, while a child's weights are in the fastest cache (dense), or
in the second cache for one parent and 16 examples (EM); nothing of their size is kept or swept over. What is left is
arithmetic: eight times the multiply-adds of the votes (dense), seven times for EM. Rows of growth: time against that of
the base case. Where a row says "asked", that was written down before anything was measured; met or not met is by the
median.
"""

import os
import subprocess
import sys
import time
import warnings
from dataclasses import replace
from tempfile import TemporaryDirectory

import torch

import deeptheory as dt
from benchmarks.capsule_peers import PEERS, without_cuda
from benchmarks.timing import Row, compare, interleaved

c = dt.capsules


def saved(function) -> int:
    """Bytes that autograd keeps for the backward pass of function(), each storage once, parameters and inputs
    included.
    """
    seen: dict[int, int] = {}

    def pack(x):
        seen[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        function()
    return sum(seen.values())


def stepping(forward, leaves):
    """forward(), then backward of a fixed combination; -> the outputs."""

    def step():
        for x in leaves:
            x.grad = None
        out = forward()
        sum((x * (1 + k)).sum() for k, x in enumerate(out if isinstance(out, tuple) else (out,))).backward()
        return out

    return step


def against(name, ours, theirs_name, theirs, rounds, wrong, equal=True, faster=None, less=None, **timed):
    """A row: times of both steps, what both keep, and the largest difference of the outputs where they compute the
    same.

    faster, less: what was asked of the ratio of times and of what is kept."""
    (our, our_leaves), (their, their_leaves) = ours, theirs
    kept = [saved(f) for f in (our, their)]
    error = None
    if equal:
        with torch.no_grad():
            error = float((our() - their()).abs().max())
    memory = f"{kept[0] / 1e6:.0f} MB kept against {kept[1] / 1e6:.0f}: {kept[1] / kept[0]:.1f} times less"
    row = compare(
        name,
        stepping(our, our_leaves),
        theirs_name,
        stepping(their, their_leaves),
        rounds,
        error=error,
        error_of="output",
        **timed,
    )
    told = verdict(row.ratio, faster, kept[1] / kept[0], less)
    return replace(row, note="; ".join(x for x in (told, memory, wrong) if x))


def verdict(ratio, faster, kept=1.0, less=None) -> str:
    """What was asked of a row and whether it is met."""
    if faster is None:
        return ""
    words = f"{faster:g} times as fast" + (f", {less:g} times less kept" if less else "")
    return f"asked: {words}: {'met' if ratio >= faster and kept >= (less or 0) else 'not met'}"


def dense_inputs(batch, children=1152, parents=10):
    g = torch.Generator().manual_seed(0)
    u = torch.randn(batch, children, 8, generator=g)
    u = (0.5 * u / u.norm(dim=-1, keepdim=True)).requires_grad_()
    return u, (0.1 * torch.randn(children, parents, 16, 8, generator=g)).requires_grad_()


def dense(rounds, quick):
    """Rows of the dense layer."""
    rows = []
    children = 200 if quick else 1152
    for batch in (16,) if quick else (64, 128):
        u, weight = dense_inputs(batch, children)
        name = f"dense {children} to 10, batch {batch}"

        def ours(backend="auto", u=u, weight=weight):
            return (lambda: c.dynamic_routing(u, weight, backend=backend)), (u, weight)

        peer = PEERS["adambielski"].module()
        if peer is not None:
            layer = peer.CapsLayer(children, 8, 10, 16, peer.AgreementRouting(children, 10, 2))
            layer.weights.data = weight.detach().permute(0, 3, 1, 2).reshape(children, 8, 160).contiguous()
            theirs = (lambda layer=layer, u=u: layer(u)), (u, *layer.parameters())
            peer = PEERS["adambielski"]
            rows.append(against(name, ours(), peer.named(), theirs, rounds, peer.wrong, faster=5, less=20))
            if batch != 128:
                rows.append(
                    against(
                        f"{name}, recompute",
                        ours("recompute"),
                        peer.named(),
                        theirs,
                        rounds,
                        peer.wrong,
                        faster=3.5,
                        less=20,
                    )
                )
        peer = PEERS["XifengGuo"].module()
        if peer is not None:
            layer = peer.DenseCapsule(children, 8, 10, 16)
            layer.weight.data = weight.detach().transpose(0, 1).contiguous()
            theirs = (lambda layer=layer, u=u: layer(u)), (u, *layer.parameters())
            peer = PEERS["XifengGuo"]
            rows.append(against(name, ours(), peer.named(), theirs, rounds, peer.wrong, faster=4, less=20))
        rows.append(against(name, ours(), "eager einsum", ours("eager"), rounds, "", faster=1))
    u, weight = dense_inputs(4, children)
    few = [((lambda k=k: c.dynamic_routing(u, weight, backend=k)), (u, weight)) for k in ("auto", "eager")]
    rows.append(
        against(
            f"dense {children} to 10, batch 4",
            few[0],
            "eager einsum",
            few[1],
            3 * rounds,
            "few examples take the form that fits them",
            faster=1,
        )
    )
    return rows


# children, p, parents, q, batches: a ResNet's last map, few capsules of many numbers, many parents, small layers, the
# paper's
GRID = (
    (49, 512, 10, 16, (3, 8, 64)),
    (6, 256, 2, 256, (4, 32)),
    (512, 128, 10, 16, (3, 16, 64)),
    (64, 16, 100, 16, (3, 4, 32)),
    (20, 8, 5, 8, (1, 4, 8)),
    (1152, 8, 10, 16, (1, 3, 16)),
)


def plain(u, weight, iterations=3):
    """Procedure 1 as its equations read, by einsum: what a user would write."""
    votes = torch.einsum("BIp,IJqp->BIJq", u, weight)
    logits, v = votes.new_zeros(votes.shape[:3]), votes
    for r in range(iterations):
        s = torch.einsum("BIJ,BIJq->BJq", logits.softmax(-1), votes)
        n2 = s.square().sum(-1, keepdim=True)
        v = n2 / (1 + n2) * s / (n2 + 1e-12).sqrt()
        if r < iterations - 1:
            logits = logits + torch.einsum("BIJq,BJq->BIJ", votes, v)
    return v


def shapes(rounds, quick):
    """The default against a plain einsum, shape by shape, in processor time: at least .95 of its speed was asked
    everywhere."""
    rows = []
    for i, p, j, q, batches in GRID[4:5] if quick else GRID:
        for batch in batches:
            g = torch.Generator().manual_seed(0)
            u = (0.3 * torch.randn(batch, i, p, generator=g)).requires_grad_()
            weight = (0.1 * torch.randn(i, j, q, p, generator=g)).requires_grad_()
            ours, theirs = (lambda u=u, w=weight: c.dynamic_routing(u, w)), (lambda u=u, w=weight: plain(u, w))
            name = f"{i} of {p} to {j} of {q}, batch {batch}"
            sides = (ours, (u, weight)), "plain einsum", (theirs, (u, weight))
            rows.append(against(name, *sides, 3 * rounds, "", faster=0.95, clock=time.process_time))
    return rows


def windowed(rounds, quick):
    """ConvCapsules, whose eager form was the only one."""
    side, batch = (8, 4) if quick else (28, 16)
    torch.manual_seed(0)
    layers = {b: c.ConvCapsules(8, 8, 8, 8, kernel_size=3, backend=b) for b in ("auto", "eager")}
    layers["eager"].load_state_dict(layers["auto"].state_dict())
    u = torch.randn(batch, side, side, 8, 8).requires_grad_()
    ours, theirs = ((lambda k=k: layers[k](u), (u, *layers[k].parameters())) for k in ("auto", "eager"))
    return [
        against(
            f"ConvCapsules {side}x{side}, 8 of 8 to 8 of 8, batch {batch}", ours, "eager", theirs, rounds, "", faster=3
        )
    ]


def compiled(rounds, quick):
    """What torch.compile makes of the eager form, and how long that takes."""
    if quick:
        return []
    made = torch.compile(lambda u, w: c.dynamic_routing(u, w), dynamic=False)
    u, weight = dense_inputs(64)
    with TemporaryDirectory() as empty:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = empty  # else a second run would find its code there
        start = time.perf_counter()
        stepping(lambda: made(u, weight), (u, weight))()
        took = time.perf_counter() - start
        del os.environ["TORCHINDUCTOR_CACHE_DIR"]
    note = f"compiling took {took:.0f} s, for each shape; ours is built in {build_seconds():.1f} s, once a machine"
    theirs = (lambda: made(u, weight)), (u, weight)
    ours = (lambda: c.dynamic_routing(u, weight)), (u, weight)
    return [against("dense 1152 to 10, batch 64", ours, "torch.compile of the eager form", theirs, rounds, note)]


def convolutional(rounds, quick):
    """Rows of ConvCaps1."""
    rows = []
    sizes = [("small", 8, 16, 16)] if not quick else [("small", 2, 3, 4)]
    for name, into, out, batch in [*sizes, *([] if quick else [("large", 32, 32, 4)])]:
        g = torch.Generator().manual_seed(0)
        pose, a = (
            torch.randn(batch, 14, 14, into, 4, 4, generator=g).requires_grad_(),
            torch.rand(batch, 14, 14, into, generator=g).requires_grad_(),
        )
        torch.manual_seed(0)
        layers = {b: c.ConvMatrixCapsules(into, out, 3, stride=2, backend=b) for b in ("auto", "eager", "recompute")}

        def ours(backend, layers=layers, pose=pose, a=a):
            layers[backend].load_state_dict(layers["auto"].state_dict())
            return (lambda: layers[backend](pose, a)[0]), (pose, a, *layers[backend].parameters())

        label, few = f"ConvCaps1 {name}, batch {batch}", rounds if name == "small" else min(rounds, 3)
        peer = PEERS["yl-1993"].module()
        if peer is not None:
            layer = peer.ConvCaps(into, out, 3, 4, stride=2, iters=3)
            layer.weights.data = layers["auto"].weight.detach()[None].clone()
            both = torch.cat([pose.detach().flatten(3), a.detach()], -1).requires_grad_()
            theirs = (lambda layer=layer, both=both: layer(both)), (both, *layer.parameters())
            rows.append(
                against(label, ours("auto"), PEERS["yl-1993"].named(), theirs, few, PEERS["yl-1993"].wrong, equal=False,
                faster=4, less=10)
            )  # fmt: skip
        rows.append(against(label, ours("auto"), "eager", ours("eager"), few, "", faster=1, less=10))
        rows.append(
            against(
                f"{label}, recompute",
                ours("recompute"),
                "eager",
                ours("eager"),
                few,
                "the low-memory form in torch alone",
                faster=0.83,
                less=10,
            )
        )
    return rows


def encoder(rounds, quick):
    """The whole encoder of the routing paper against its convolutions alone."""
    batch, channels = (4, 8) if quick else (64, 256)
    torch.manual_seed(0)
    net = c.CapsuleNetwork(channels=channels, reconstruction=False)
    x = torch.rand(batch, 1, 28, 28)
    whole = stepping(lambda: net(x).capsules, tuple(net.parameters()))
    convolutions = stepping(lambda: net.primary.convolution(net.convolution(x).relu()), tuple(net.parameters()))
    row = compare(f"encoder, batch {batch}", whole, "its two convolutions alone", convolutions, max(rounds, 5))
    note = "ratio below 1: what capsules cost beside their convolutions"
    return [replace(row, note=f"{verdict(row.ratio, 0.77)} (1.3 times the time of the convolutions); {note}")]


def build_seconds() -> float:
    """Seconds to build both compiled kernels in an empty cache, or NaN where there is no compiler."""
    if dt.capsules.backends()["native"] != "yes":
        return float("nan")
    with TemporaryDirectory() as empty:
        code = (
            "import time; from deeptheory.capsules.native.building import missing; a = time.perf_counter(); "
            "missing('dynamic'), missing('em'); print(time.perf_counter() - a)"
        )
        env = {**os.environ, "DEEPTHEORY_CACHE": empty}
        return float(
            subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout
        )


def growth(rounds, quick):
    """Time against the base case, beside how many times the work it is."""

    def row(name, f, base, work):
        ratio = median(f) / base
        return Row(name, 1000 * ratio * base, f"{work:.3g} times the work", 1000 * base, ratio, ratio, ratio, None, "")

    def median(f):
        return sorted(interleaved({"f": f}, min(rounds, 3))["f"])[1]

    def routing(batch=16, children=1152, parents=10, iterations=3):
        u, weight = dense_inputs(batch, children, parents)
        return stepping(lambda: c.dynamic_routing(u, weight, iterations), (u, weight))

    def layer(side):
        torch.manual_seed(0)
        caps = c.ConvMatrixCapsules(8, 16, 3, stride=2)
        pose, a = torch.randn(16, side, side, 8, 4, 4), torch.rand(16, side, side, 8)
        return stepping(lambda: caps(pose, a)[0], tuple(caps.parameters()))

    base, rows = median(routing()), []
    some = (
        ((4608, 10, 3),)
        if quick
        else ((4608, 10, 3), (16384, 10, 3), (1152, 50, 3), (1152, 200, 3), (1152, 10, 1), (1152, 10, 5))
    )
    for children, parents, r in some:
        work = children * parents / 11520 * (r - 1 + 1 / 3 + 1) / (3 + 1 / 3)
        rows.append(
            row(
                f"dense, {children} children, {parents} parents, {r} iterations, batch 16 (base: 1152, 10, 3)",
                routing(16, children, parents, r),
                base,
                work,
            )
        )
    base = median(layer(14))
    rows += [
        row(f"ConvCaps1 small on {n}x{n}, batch 16 (base: 14x14)", layer(n), base, ((n - 3) // 2 + 1) ** 2 / 36)
        for n in (() if quick else (28, 56))
    ]
    return rows if quick else [*rows, large_case()]


LARGE = """
import os, resource, time, torch, deeptheory as dt
torch.set_num_threads(1)
dt.capsules.dynamic_routing(torch.rand(1, 4, 8), torch.rand(4, 3, 2, 8))
u = torch.rand(128, 3872, 8, requires_grad=True)
weight = torch.empty(3872, 196, 16, 8).normal_(std=0.05).requires_grad_()  # in place: no second copy to count
before = int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
start = time.perf_counter()
dt.capsules.dynamic_routing(u, weight).sum().backward()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(time.perf_counter() - start, peak - before, weight.numel() * 4)
"""


def large_case() -> Row:
    """[128, 3872, 196, 16] votes, 6 GB, which users report as out of memory: one step in a process of its own, its
    peak measured.
    """
    done = subprocess.run([sys.executable, "-c", LARGE], capture_output=True, text=True, check=True)
    seconds, peak, gradient = (float(x) for x in done.stdout.split())
    votes = 128 * 3872 * 196 * 16 * 4
    note = (
        f"asked: under 1 GB: {'met' if peak < 1e9 else 'not met'}; one step; its peak is {peak / 1e9:.2f} "
        f"GB above inputs and weights, {gradient / 1e9:.2f} GB of it the weights' gradient; the votes "
        f"alone would be {votes / 1e9:.1f} GB"
    )
    ratio = votes / max(peak, 1.0)
    return Row(
        "memory: dense, 3872 children, 196 parents, batch 128",
        1000 * seconds,
        "the votes (ratio of bytes)",
        0.0,
        ratio,
        ratio,
        ratio,
        None,
        "",
        note,
    )


def run(rounds: int, quick: bool) -> list[Row]:
    torch.set_num_threads(1)
    rounds = min(rounds, 3)  # a step of the peers takes seconds
    with warnings.catch_warnings(), without_cuda():
        warnings.simplefilter("ignore")
        parts = (growth, encoder, dense, shapes, compiled, windowed, convolutional)
        rows = [row for part in parts for row in part(rounds, quick)]
    return [replace(r, note=_unasked(r.note)) for r in rows] if quick else rows


def _unasked(note: str) -> str:
    """Without what was asked of it: the quick sizes are others."""
    return note.partition("; ")[2] if note.startswith("asked") else note


if __name__ == "__main__":  # one part alone: python -m benchmarks.capsules shapes [--quick]
    import json

    from deeptheory.runs.machine import machine, versions

    torch.set_num_threads(1)
    named = {f.__name__: f for f in (growth, encoder, dense, shapes, compiled, windowed, convolutional)}
    with warnings.catch_warnings(), without_cuda():
        warnings.simplefilter("ignore")
        made = named[sys.argv[1]](3, "--quick" in sys.argv)
    print(json.dumps({"machine": machine(), "versions": versions(), "rows": [r.as_dict() for r in made]}, indent=1))
