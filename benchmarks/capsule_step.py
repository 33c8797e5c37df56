"""One training step of the capsule network of Sabour et al. against its convolutions and against what the processor can
do.

The paper's network (28x28 digits, 8.2 million weights, decoder included), a batch of 100: forward, margin loss and
reconstruction, backward; Adam's update is a row of its own. Beside it the two convolutions alone, forward and backward,
and a product of two large matrices. Operations are counted by torch's own counter on the eager form (two for each
multiply-add), not estimated. Rounds are interleaved; seconds are medians, of the clock and of the processor (all
threads), which other programs at work disturb less.
Variants: weights and images in torch's channels-last layout; convolutions and decoder in bfloat16 by `torch.autocast`,
where routing stays in float32 by itself. What bfloat16 costs in accuracy: a small network on scikit-learn's digits,
trained both ways from the same weights on the same batches; the difference of held-out error, with Student's interval
over seeds.

`python -m benchmarks.capsule_step --page docs/capsule_step.md`; `--tiny` tries the script on a small network.
"""

import argparse
import copy
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

import deeptheory as dt
from deeptheory.capsules import Primary
from deeptheory.core.statistics import mean_interval
from deeptheory.runs.machine import machine, versions

TINY = {"image_shape": (1, 12, 12), "channels": 16, "kernel_size": 5, "primary": Primary(types=4, kernel_size=3)}
DIGITS = {"image_shape": (1, 8, 8), "channels": 32, "kernel_size": 3, "primary": Primary(types=8, kernel_size=3)}


def loss_of(net: Any, x: torch.Tensor, y: torch.Tensor, bfloat16: bool) -> torch.Tensor:
    """Margin loss and reconstruction, as the paper weighs them."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        out = net(x, y)
    drawn = (out.reconstruction.float() - x).square().flatten(1).sum(1).mean()
    return dt.capsules.margin_loss(out.lengths.float(), y) + 0.0005 * drawn


def step(net: Any, x: torch.Tensor, y: torch.Tensor, bfloat16: bool = False) -> None:
    net.zero_grad()
    loss_of(net, x, y, bfloat16).backward()


def convolutions(net: Any, x: torch.Tensor, bfloat16: bool = False) -> None:
    net.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        out = net.primary.convolution(net.convolution(x).relu())
    out.float().sum().backward()


def operations(function: Callable[[], object]) -> int:
    """Floating-point operations of a call, forward and backward, as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        function()
    return counter.get_total_flops()


def timed(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, tuple[float, float]]:
    """Median seconds of the clock and of the processor, rounds interleaved, after one call each."""
    for function in functions.values():
        function()
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            clock, processor = time.perf_counter(), time.process_time()
            function()
            seen[name].append((time.perf_counter() - clock, time.process_time() - processor))
    medians = {name: np.median(np.array(v), axis=0) for name, v in seen.items()}
    return {name: (float(m[0]), float(m[1])) for name, m in medians.items()}


def speed(threads: int, rounds: int, tiny: bool) -> list[dict[str, Any]]:
    """A row per form of the step: seconds, operations, and the share of the matrix product's rate."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    made: dict[str, Any] = TINY if tiny else {}
    net = dt.capsules.CapsuleNetwork(**made)
    counted = dt.capsules.CapsuleNetwork(**made, backend="eager")
    last = copy.deepcopy(net).to(memory_format=torch.channels_last)
    x = torch.rand(4 if tiny else 100, *net.image_shape)
    y = torch.randint(0, 10, (len(x),))
    x_last = x.to(memory_format=torch.channels_last)
    other = copy.deepcopy(net)  # whose weights Adam moves
    adam = torch.optim.Adam(other.parameters(), fused=True)
    step(other, x, y)
    size = 128 if tiny else 2048
    a = torch.rand(size, size)
    whole, parts = operations(lambda: step(counted, x, y)), operations(lambda: convolutions(counted, x))
    forms: dict[str, tuple[Callable[[], object], int]] = {
        "product of two matrices": (lambda: a @ a, 2 * size**3),
        "step": (lambda: step(net, x, y), whole),
        "its convolutions alone": (lambda: convolutions(net, x), parts),
        "Adam's update": (adam.step, 0),
        "step, channels last": (lambda: step(last, x_last, y), whole),
        "convolutions, channels last": (lambda: convolutions(last, x_last), parts),
        "step, bfloat16": (lambda: step(net, x, y, True), whole),
        "convolutions, bfloat16": (lambda: convolutions(net, x, True), parts),
    }
    found = timed({name: f for name, (f, _) in forms.items()}, rounds)
    top = size**3 * 2 / found["product of two matrices"][1]
    rows = []
    for name, (_, work) in forms.items():
        clock, processor = found[name]
        rate = work / processor if work else None
        rows.append(
            {
                "threads": threads,
                "form": name,
                "clock": clock,
                "processor": processor,
                "operations": work,
                "rate": rate,
                "share": rate / top if rate else None,
            }
        )
    with torch.no_grad():
        rows[list(forms).index("step, channels last")]["off"] = float(
            (last(x_last, y).lengths - net(x, y).lengths).abs().max()
        )
    return rows


def accuracy(seeds: int, steps: int) -> dict[str, Any]:
    """Held-out error in per cent of the same networks trained in float32 and in bfloat16, and the mean paired
    difference.
    """
    torch.set_num_threads(1)
    data = dt.datasets.digits()
    x = torch.as_tensor(data.images, dtype=torch.float32)[:, None] / float(np.max(data.images))
    y = torch.as_tensor(data.labels, dtype=torch.long)
    train, test = slice(0, 1200), slice(1200, None)
    errors: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for seed in range(seeds):
        for name in errors:
            torch.manual_seed(seed)
            net = dt.capsules.CapsuleNetwork(**DIGITS, reconstruction=(64,))
            adam = torch.optim.Adam(net.parameters(), lr=3e-3)
            order = torch.Generator().manual_seed(seed)
            for _ in range(steps):
                rows = torch.randint(0, 1200, (50,), generator=order)
                adam.zero_grad()
                loss_of(net, x[train][rows], y[train][rows], name == "bfloat16").backward()
                adam.step()
            with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=name == "bfloat16"):
                wrong = net(x[test]).lengths.argmax(-1) != y[test]
            errors[name].append(100 * float(wrong.double().mean()))
    found = mean_interval(np.array(errors["bfloat16"]) - np.array(errors["float32"]))
    return {"steps": steps, "errors": errors, "difference": found.value, "low": found.low, "high": found.high}


def page(kept: dict[str, Any]) -> str:
    """docs/capsule_step.md of what was measured."""
    here, said = kept["machine"], (__doc__ or "").split("\n\n")
    lines = [
        "# One step of the capsule network",
        "",
        said[0],
        "",
        said[1],
        "",
        f"{here['processor']}, {here['cores']} cores, torch {kept['versions']['torch']}; load when it "
        f"began: {kept['load']:.1f} programs at work. Made by `python -m benchmarks.capsule_step`.",
        "",
        "| threads | form | seconds (clock) | seconds (processor) | Gflop | Gflop/s of the processor's "
        "time | share of the matrix product's |",
        "|---|---|---|---|---|---|---|",
    ]
    for r in kept["rows"]:
        rate = (
            ["", "", ""]
            if r["rate"] is None
            else [f"{r['operations'] / 1e9:.3g}", f"{r['rate'] / 1e9:.3g}", f"{r['share']:.2f}"]
        )
        lines.append(f"| {r['threads']} | {r['form']} | {r['clock']:.3g} | {r['processor']:.3g} | {' | '.join(rate)} |")
    if kept["load"] > here["cores"]:
        lines += ["", "More programs were at work than there are cores: read the processor's time, not the clock's."]
    off = max(r["off"] for r in kept["rows"] if "off" in r)
    ratios = {
        k: [_ratio(kept["rows"], r["threads"], k) for r in kept["rows"] if r["form"] == k]
        for k in ("step, channels last", "step, bfloat16")
    }
    a = kept["accuracy"]
    errors = {k: f"{np.mean(v):.2f} %" for k, v in a["errors"].items()}
    lines += [
        "",
        "Processor's time of the plain step over that of the variant: channels last "
        f"{_listed(ratios['step, channels last'])} (largest "
        f"difference of a length: {off:.1e}), bfloat16 {_listed(ratios['step, bfloat16'])}.",
        "",
        f"Held-out error on digits after {a['steps']} steps, mean of {len(a['errors']['float32'])} seeds: "
        f"float32 {errors['float32']}, bfloat16 "
        f"{errors['bfloat16']}; bfloat16 minus float32: {a['difference']:+.2f} points, 95 % interval "
        f"[{a['low']:.2f}, {a['high']:.2f}].",
    ]
    return "\n".join(lines) + "\n"


def _ratio(rows: list[dict[str, Any]], threads: int, form: str) -> float:
    found = {r["form"]: r["processor"] for r in rows if r["threads"] == threads}
    return found["step"] / found[form]


def _listed(values: list[float]) -> str:
    return ", ".join(f"{v:.2f}" for v in values)


def main() -> int:
    import os

    parser = argparse.ArgumentParser(prog="benchmarks.capsule_step")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=240, help="of each training")
    parser.add_argument("--tiny", action="store_true", help="a small network, few rounds: only to try the script")
    parser.add_argument("--page", type=Path, help="write the table there")
    chosen = parser.parse_args()
    rounds, seeds, steps = (2, 2, 4) if chosen.tiny else (chosen.rounds, chosen.seeds, chosen.steps)
    kept = {"machine": machine(), "versions": versions(), "load": os.getloadavg()[0], "rows": []}
    for threads in chosen.threads:
        kept["rows"] += speed(threads, rounds, chosen.tiny)
        print(f"{threads} threads: done", file=sys.stderr, flush=True)
    kept["accuracy"] = accuracy(seeds, steps)
    if chosen.page:
        chosen.page.write_text(page(kept), encoding="utf-8")
    print(json.dumps(kept, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
