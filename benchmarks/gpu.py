"""What has to be seen on a GPU, in one call of at most ten minutes:
`python -m benchmarks.gpu --data FOLDER --page docs/gpu.md`.

kernels: the capsule kernels, values and gradients, against the eager form in float64 on the CPU, which the tests hold
to loops.
speed: a step of them against a plain einsum (dynamic routing) or the eager form (EM), with the memory that each takes.
network: a training step of the whole networks of both papers, in digits a second.
mnist: the rows of Table 1 of Sabour et al. (60,000 digits moved by up to 2 pixels, batches of 128, Adam at 0.001), one
network each,
for as many steps as fit: the error is listed with these steps, beside the published one, and is no reproduction of it.

Every result is kept at once (`--keep`), and trainings have checkpoints beside it: a second call does what is missing
and trains on. `--seconds` is a budget for the call; `--only` names a part. `--device cpu --tiny` tries the script
without a GPU.
"""

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import deeptheory as dt
from benchmarks.capsules import plain
from deeptheory.runs.machine import machine, versions

c = dt.capsules
# examples, children, parents, q, p: blocks that are not full, one of everything, the paper's layer, many parents, long
# vectors
SIZES = (
    (5, 7, 3, 4, 3),
    (1, 1, 1, 1, 1),
    (17, 4, 1, 3, 16),
    (2, 5, 21, 5, 20),
    (16, 1152, 10, 16, 8),
    (3, 64, 100, 16, 16),
)
CONVOLUTIONS = (
    (2, 6, 2, 3, 3, 1),
    (3, 7, 4, 5, 3, 2),
    (4, 14, 8, 16, 3, 2),
)  # examples, side, types, out types, kernel, stride
TIMED = (
    (128, 1152, 10, 16, 8),
    (512, 1152, 10, 16, 8),
    (64, 64, 100, 16, 16),
    (64, 49, 10, 16, 512),
    (128, 3872, 196, 16, 8),
)
TIMED_EM = ((16, 14, 8, 16, 3, 2), (16, 14, 32, 32, 3, 2), (64, 14, 32, 32, 3, 2))
# published error in %
ROWS = {
    "r1": (1, False, 0.34),
    "r1-reconstruction": (1, True, 0.29),
    "r3": (3, False, 0.35),
    "r3-reconstruction": (3, True, 0.25),
}
TINY_NET: dict[str, Any] = {"channels": 8, "kernel_size": 3, "primary": c.Primary(types=2, kernel_size=3)}


class TimeUp(Exception):
    """The budget is spent."""


class Bench:
    """Results by part and name, kept in a file."""

    def __init__(self, chosen: argparse.Namespace):
        self.keep, self.device, self.tiny = chosen.keep, torch.device(chosen.device), chosen.tiny
        self.ends = time.monotonic() + chosen.seconds
        self.data = json.loads(self.keep.read_text()) if self.keep.exists() else {}

    def left(self) -> float:
        return self.ends - time.monotonic()

    def do(self, part: str, name: str, measure: Callable[[], dict[str, Any]], again: bool = False) -> None:
        """Measure and keep, unless it was. again: a result that is improved by more time."""
        rows = self.data.setdefault(part, {})
        if name in rows and not again:
            return
        if self.left() <= 0:
            raise TimeUp
        try:
            rows[name] = measure()
        except TimeUp:
            raise
        except Exception as error:  # one failing kernel must not hide the others; it is a row of the table
            rows[name] = {"failed": f"{type(error).__name__}: {error}"[:300]}
        self.keep.parent.mkdir(parents=True, exist_ok=True)
        new = self.keep.with_suffix(".new")
        new.write_text(json.dumps(self.data, indent=1))
        os.replace(new, self.keep)
        print(f"{part}: {name}: {rows[name]}", file=sys.stderr, flush=True)

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def gradients(function: Callable[..., Any], inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    """Outputs and the gradients of a fixed random combination of them, float64 on the CPU."""
    inputs = [x.detach().clone().requires_grad_() for x in inputs]
    out = function(*inputs)
    outs, g = out if isinstance(out, tuple) else (out,), torch.Generator().manual_seed(5)
    weighed = sum(
        (x.double() * torch.randn(x.shape, generator=g, dtype=torch.float64).to(x.device)).sum() for x in outs
    )
    return [x.detach().double().cpu() for x in (*outs, *torch.autograd.grad(weighed, inputs))]


def off(got: list[torch.Tensor], truth: list[torch.Tensor]) -> dict[str, Any]:
    """Largest difference over outputs and gradients, each relative to the largest value of the truth or 1."""
    worst = max(float((x - y).abs().max()) / max(1.0, float(y.abs().max())) for x, y in zip(got, truth, strict=True))
    return {"off": worst, "finite": all(bool(x.isfinite().all()) for x in got)}


def kernel_name(bench: Bench) -> str:
    return "triton" if bench.device.type == "cuda" else "auto"


def dynamic_inputs(size: tuple[int, ...]) -> list[torch.Tensor]:
    b, i, j, q, p = size
    g = torch.Generator().manual_seed(0)
    return [s * torch.randn(x, generator=g) for s, x in zip((0.5, 0.2, 0.1), ((b, i, p), (i, j, q, p), (j, q)))]


def convolution(size: tuple[int, ...], backend: str) -> tuple[Any, list[torch.Tensor]]:
    """A layer of matrix capsules and its inputs."""
    b, side, types, out, kernel, stride = size
    torch.manual_seed(0)
    layer = c.ConvMatrixCapsules(types, out, kernel, stride=stride, backend=backend)
    return layer, [torch.randn(b, side, side, types, 4, 4), torch.rand(b, side, side, types)]


def kernels(bench: Bench) -> None:
    """Values and gradients against float64."""
    for size in SIZES[:2] if bench.tiny else SIZES:
        for iterations, leaky in ((1, False), (3, False), (3, True), (5, False)):

            def routed(backend, n=iterations, leaky=leaky):
                return lambda u, w, bias: c.dynamic_routing(u, w, n, bias=bias, leaky=leaky, backend=backend)

            def measure(size=size, routed=routed):
                inputs = dynamic_inputs(size)
                truth = gradients(routed("eager"), [x.double() for x in inputs])
                return off(gradients(routed(kernel_name(bench)), [x.to(bench.device) for x in inputs]), truth)

            bench.do("kernels", f"dynamic {list(size)}, {iterations} iterations{', leaky' if leaky else ''}", measure)
    for size in CONVOLUTIONS[:1] if bench.tiny else CONVOLUTIONS:

        def measure_em(size=size):
            layer, inputs = convolution(size, "eager")
            truth = gradients(layer.double(), [x.double() for x in inputs])
            ours, inputs = convolution(size, kernel_name(bench))
            return off(gradients(ours.to(bench.device), [x.to(bench.device) for x in inputs]), truth)

        bench.do("kernels", f"EM, convolution {list(size)}, 3 iterations", measure_em)


def stepping(function: Callable[..., Any], inputs: list[torch.Tensor]) -> Callable[[], None]:
    inputs = [x.detach().clone().requires_grad_() for x in inputs]

    def step() -> None:
        out = function(*inputs)
        outs = out if isinstance(out, tuple) else (out,)
        weighed: Any = sum((x * (1 + k)).sum() for k, x in enumerate(outs))
        torch.autograd.grad(weighed, inputs)

    return step


def timed(bench: Bench, step: Callable[[], object]) -> dict[str, float]:
    """Median milliseconds of nine steps after three, and megabytes at the peak above what was there."""
    for _ in range(1 if bench.tiny else 3):
        step()
    bench.wait()
    cuda = bench.device.type == "cuda"
    before = torch.cuda.memory_allocated() if cuda else 0
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    times = []
    for _ in range(2 if bench.tiny else 9):
        started = time.perf_counter()
        step()
        bench.wait()
        times.append(time.perf_counter() - started)
    peak = torch.cuda.max_memory_allocated() - before if cuda else float("nan")
    return {"ms": 1000 * float(np.median(times)), "mb": peak / 1e6}


def beside(bench: Bench, forms: dict[str, Callable[[], Callable[[], object]]]) -> dict[str, Any]:
    """Each form's time and memory; one that does not fit says so."""
    found: dict[str, Any] = {}
    for name, make in forms.items():
        try:
            found[name] = timed(bench, make())
        except torch.OutOfMemoryError:
            found[name] = {"ms": float("inf"), "mb": float("inf")}
    return found


def speed(bench: Bench) -> None:
    """The kernels against torch alone."""
    for size in ((4, 12, 3, 4, 2),) if bench.tiny else TIMED:

        def measure(size=size):
            inputs = [x.to(bench.device) for x in dynamic_inputs(size)[:2]]
            ours = lambda u, w: c.dynamic_routing(u, w, backend=kernel_name(bench))  # noqa: E731
            return beside(bench, {"ours": lambda: stepping(ours, inputs), "plain": lambda: stepping(plain, inputs)})

        bench.do("speed", f"dynamic {list(size)}, 3 iterations, against a plain einsum", measure)
    for size in CONVOLUTIONS[:1] if bench.tiny else TIMED_EM:

        def measure_em(size=size):
            def form(backend):
                layer, inputs = convolution(size, backend)
                return stepping(layer.to(bench.device), [x.to(bench.device) for x in inputs])

            return beside(bench, {"ours": lambda: form(kernel_name(bench)), "plain": lambda: form("eager")})

        bench.do("speed", f"EM, convolution {list(size)}, 3 iterations, against the eager form", measure_em)


def network(bench: Bench) -> None:
    """Whole networks, a training step."""
    small = {"image_shape": (1, 12, 12), "reconstruction": (16,), **TINY_NET}
    makers = {
        "Sabour et al., 28x28, with decoder": lambda: c.CapsuleNetwork(**(small if bench.tiny else {})),
        "Hinton et al., 32x32": lambda: c.MatrixCapsuleNetwork(**({"image_shape": (2, 24, 24), "types": (4, 2, 2,
        2)} if bench.tiny else {})),
    }  # fmt: skip
    for name, make in makers.items():
        for batch in (4,) if bench.tiny else (64, 256):

            def measure(make=make, batch=batch):
                torch.manual_seed(0)
                net = make().to(bench.device)
                x = torch.rand(batch, *net.image_shape, device=bench.device)
                adam = torch.optim.Adam(net.parameters(), fused=True)

                def step():
                    adam.zero_grad()
                    out = net(x)
                    loss: Any = sum(y.float().square().mean() for y in out if y is not None)
                    loss.backward()
                    adam.step()

                found = timed(bench, step)
                return {**found, "images_per_second": 1000 * batch / found["ms"]}

            bench.do("network", f"{name}, batch {batch}", measure)


def moved(images: torch.Tensor, g: np.random.Generator, most: int = 2) -> torch.Tensor:
    """[B, 1, H, W], each moved by up to `most` pixels in both directions."""
    b, _, h, w = images.shape
    wide = torch.nn.functional.pad(images, [most] * 4)[:, 0]
    by = torch.as_tensor(g.integers(0, 2 * most + 1, (2, b)), device=images.device)
    rows = by[0][:, None] + torch.arange(h, device=images.device)
    columns = by[1][:, None] + torch.arange(w, device=images.device)
    return wide[torch.arange(b, device=images.device)[:, None, None], rows[:, :, None], columns[:, None, :]][:, None]


def digits(bench: Bench) -> tuple[str, dict[str, tuple[torch.Tensor, torch.Tensor]]]:
    """Name of the data and its halves; scikit-learn's digits where the script is only tried."""
    data = dt.datasets.digits() if bench.tiny else dt.datasets.mnist()
    x = torch.as_tensor(np.asarray(data.images, dtype=np.float32))[:, None]
    x, y = (x / x.max()).to(bench.device), torch.as_tensor(np.asarray(data.labels), dtype=torch.long).to(bench.device)
    cut = 60_000 if len(x) == 70_000 else len(x) * 6 // 7
    return data.name, {"train": (x[:cut], y[:cut]), "test": (x[cut:], y[cut:])}


def _slower(step: int) -> float:
    """The factor on the rate: 0.96 every 2,000 steps, as in the study."""
    return 0.96 ** (step / 2000)


def mnist(bench: Bench) -> None:
    """Table 1's rows for as long as there is time: each of those left has an equal part of it."""
    name, halves = digits(bench)
    (x, y), (x_test, y_test) = halves["train"], halves["test"]
    steps, batch = (6, 16) if bench.tiny else (300_000, 128)
    objective = dt.capsules.capsule_objective(reconstruction=0.0005, convention="paper")
    for k, (row, (iterations, reconstruction, published)) in enumerate(ROWS.items()):
        ends = time.monotonic() + bench.left() / (len(ROWS) - k)

        def measure(row=row, iterations=iterations, reconstruction=reconstruction, published=published, ends=ends):
            torch.manual_seed(0)
            made: dict[str, Any] = {"image_shape": tuple(x.shape[1:]), **TINY_NET} if bench.tiny else {}
            drawn = reconstruction and ((16,) if bench.tiny else True)
            net = c.CapsuleNetwork(reconstruction=drawn, iterations=iterations, init="paper", **made)
            net, done = net.to(bench.device), 0

            def progress(at: int, total: int) -> None:
                nonlocal done
                done = at
                if time.monotonic() > ends and at < total:
                    raise TimeUp

            started, before = time.monotonic(), bench.data.get("mnist", {}).get(row, {}).get("seconds", 0.0)
            batches = dt.networks.minibatches(x, y, batch=batch, augment=moved, seed=0)
            more = {"checkpoint": dt.networks.Checkpoint(bench.keep.parent / f"gpu-{row}", 20.0), "progress": progress}
            with contextlib.suppress(TimeUp):
                dt.networks.train(net, batches, objective, steps=steps, lr=0.001, lr_schedule=_slower, seed=0, **more)
            seconds = time.monotonic() - started
            with torch.no_grad():
                wrong = sum(
                    int((net(a).lengths.argmax(-1) != b).sum()) for a, b in zip(x_test.split(500), y_test.split(500))
                )
            return {
                "error": 100 * wrong / len(y_test),
                "published": published,
                "steps": done,
                "of": steps,
                "epochs": done * batch / len(x),
                "seconds": seconds + before,
                "data": name,
                "train": len(x),
                "test": len(y_test),
            }

        bench.do("mnist", row, measure, again=bench.data.get("mnist", {}).get(row, {}).get("steps", 0) < steps)


PARTS: dict[str, Callable[[Bench], None]] = {"kernels": kernels, "speed": speed, "network": network, "mnist": mnist}


def page(data: dict[str, Any]) -> str:
    """docs/gpu.md of what was measured."""
    lines = [
        "# On a GPU",
        "",
        (__doc__ or "").split("\n\n")[1],
        "",
        f"{data['gpu']}, torch {data['versions']['torch']}.",
        "",
    ]
    for part, rows in ((p, data.get(p, {})) for p in PARTS):
        lines += [f"## {part}", "", *_table(part, rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _table(part: str, rows: dict[str, Any]) -> Iterator[str]:
    heads = {
        "kernels": ("what", "largest relative difference, values and gradients"),
        "speed": ("what", "ours, ms", "torch alone, ms", "times as fast", "ours, MB", "torch alone, MB"),
        "network": ("network", "ms a step", "images a second", "MB"),
        "mnist": ("row", "error, %", "published, %", "steps", "epochs", "seconds", "data"),
    }
    if not rows:
        yield "Not run."
        return
    yield f"| {' | '.join(heads[part])} |"
    yield "|" + "---|" * len(heads[part])
    for name, r in rows.items():
        if "failed" in r:
            cells = [f"failed: {r['failed']}", *[""] * (len(heads[part]) - 2)]
        elif part == "kernels":
            cells = [f"{r['off']:.1e}" + ("" if r["finite"] else ", not finite")]
        elif part == "speed":
            a, b = r["ours"], r["plain"]
            cells = [f"{v:.3g}" for v in (a["ms"], b["ms"], b["ms"] / a["ms"], a["mb"], b["mb"])]
        elif part == "network":
            cells = [f"{r['ms']:.3g}", f"{r['images_per_second']:.0f}", f"{r['mb']:.0f}"]
        else:
            cells = [
                f"{r['error']:.2f}",
                f"{r['published']:g}",
                f"{r['steps']} of {r['of']}",
                f"{r['epochs']:.1f}",
                f"{r['seconds']:.0f}",
                f"{r['data']}, {r['train']} and {r['test']}",
            ]
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.gpu")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--only", choices=tuple(PARTS))
    parser.add_argument(
        "--seconds", type=float, default=540.0, help="budget of this call; the trainings take what is left"
    )
    parser.add_argument("--data", help="folder in which mnist.npz lies")
    parser.add_argument("--keep", type=Path, default=Path("runs/gpu.json"))
    parser.add_argument("--page", type=Path, help="write the tables there")
    parser.add_argument("--tiny", action="store_true", help="small sizes: only to try the script")
    chosen = parser.parse_args()
    if chosen.device == "cuda" and not torch.cuda.is_available():
        print("error: there is no CUDA device here; --device cpu --tiny tries the script", file=sys.stderr)
        return 2
    if chosen.data:
        os.environ["DEEPTHEORY_DATA"] = chosen.data
    bench = Bench(chosen)
    name = torch.cuda.get_device_name() if chosen.device == "cuda" else "no GPU: a trial of the script on a CPU"
    bench.data |= {"gpu": name, "machine": machine(), "versions": versions()}
    for part in [chosen.only] if chosen.only else PARTS:
        try:
            PARTS[part](bench)
        except TimeUp:
            print(f"{part}: stopped for want of time; the same call goes on", file=sys.stderr)
    if chosen.page:
        chosen.page.write_text(page(bench.data), encoding="utf-8")
    print(json.dumps(bench.data, indent=1))
    return int(any("failed" in r for p in PARTS for r in bench.data.get(p, {}).values()))


if __name__ == "__main__":
    sys.exit(main())
