"""Compiling polynomials: how fast, how fast they run, beside training and interval bounds.

Other compilers: `compilers`.
"""

import time
from itertools import pairwise

import numpy as np
import sympy
import torch
from torch import nn

from benchmarks.timing import Row, compare, interleaved
from deeptheory.cheap import compile_polynomial


def run(rounds: int, quick: bool) -> list[Row]:
    torch.set_num_threads(1)
    return [*_speed(rounds, quick), _trained(quick), *_intervals()]


def hundred_terms() -> sympy.Expr:
    """100 terms of degree 4 or less in 10 variables."""
    rng, x = np.random.default_rng(0), sympy.symbols("v0:10")
    terms: dict = {}
    while len(terms) < 100:
        powers = tuple(sorted(rng.integers(0, 10, rng.integers(1, 5))))
        terms[powers] = int(rng.integers(1, 10))
    return sum(c * sympy.prod([x[i] for i in k]) for k, c in terms.items())


def dense(network, seed: int = 0) -> nn.Sequential:
    """The usual network of the same hidden widths."""
    torch.manual_seed(seed)
    widths, parts = [len(network.variables), *network.widths], []
    dtype = next(network.parameters()).dtype
    for a, b in pairwise(widths):
        parts += [nn.Linear(a, b, dtype=dtype), nn.SiLU()]
    return nn.Sequential(*parts, nn.Linear(widths[-1], 1, dtype=dtype))


def _speed(rounds: int, quick: bool) -> list[Row]:
    expression, made = hundred_terms(), []

    def ours():
        made.append(compile_polynomial(expression, tolerance=1e-4))

    f = sympy.lambdify(sorted(expression.free_symbols, key=str), expression, "numpy")
    seconds = interleaved(
        {"ours": ours, "lambdify": lambda: sympy.lambdify(list(expression.free_symbols), expression, "torch")}, 3
    )
    a, b = (float(np.median(seconds[k])) for k in ("ours", "lambdify"))
    network = made[-1].eval()
    x = torch.rand(1000 if quick else 10_000, 10, dtype=torch.float64) * 2 - 1
    names = [str(s) for s in sorted(expression.free_symbols, key=str)]
    with torch.no_grad():
        off = float((network(x)[:, 0] - f(*[x[:, network.variables.index(n)] for n in names])).abs().max())
        note = f"{network.neurons} neurons in {network.depth} layers, certified to {network.certificate.total:.1e}"
        first = Row(
            "compile 100 terms in 10 variables",
            1000 * a,
            "sympy.lambdify (prints code)",
            1000 * b,
            b / a,
            b / a,
            b / a,
            off,
            "error of the network",
            note,
        )
        mlp = dense(network)
        second = compare(
            f"run it on {len(x)} rows",
            lambda: network(x),
            "a dense network of the same widths",
            lambda: mlp(x),
            rounds,
            note="ratio above 1: the compiled network is faster",
        )
    return [first, second]


def _trained(quick: bool) -> Row:
    """The same neurons, trained from scratch."""
    text = "x*y*z + sin(x)"
    start = time.perf_counter()
    network = compile_polynomial(text, tolerance=1e-4)
    built = time.perf_counter() - start
    x = torch.rand(20_000, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    y = x.prod(1, keepdim=True) + x[:, :1].sin()
    worst, steps = [], 100 if quick else 2000
    start = time.perf_counter()
    for seed in range(1 if quick else 2):
        mlp = dense(network, seed)
        optimizer = torch.optim.Adam(mlp.parameters(), lr=3e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for k in range(steps):
            rows = slice(256 * k % 16_000, 256 * k % 16_000 + 256)
            optimizer.zero_grad()
            nn.functional.mse_loss(mlp(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            worst.append(float((mlp(x[16_000:]) - y[16_000:]).abs().max()))
    trained = (time.perf_counter() - start) / len(worst)
    with torch.no_grad():
        own = float((network(x) - y).abs().max())
    note = (
        f"{network.neurons} neurons each; worst error {own:.1e} compiled, {min(worst):.1e} to "
        f"{max(worst):.1e} trained ({len(worst)} seeds, {steps} steps of Adam)"
    )
    return Row(
        f"have a network for `{text}`",
        1000 * built,
        "training one of equal widths",
        1000 * trained,
        trained / built,
        trained / built,
        trained / built,
        own,
        "largest error of the compiled one",
        note,
    )


def interval_bounds(network, low: np.ndarray, high: np.ndarray) -> tuple[float, float]:
    """Interval bound propagation, for silu: layer by layer, each unit in its own interval."""
    bottom = -0.2784645427610738  # least value of silu, at -1.2784...
    for layer in network.layers:
        if isinstance(layer, nn.Linear):
            w, b = layer.weight.detach().numpy(), layer.bias.detach().numpy()
            up, down = np.maximum(w, 0), np.minimum(w, 0)
            low, high = up @ low + down @ high + b, up @ high + down @ low + b
        else:
            ends = [v / (1 + np.exp(-v)) for v in (low, high)]
            inside = (low < -1.278464542761074) & (high > -1.278464542761074)
            low, high = np.where(inside, bottom, np.minimum(*ends)), np.maximum(*ends)
    return float(low[0]), float(high[0])


def _intervals() -> list[Row]:
    out = []
    for text in ("x*y", "x*y*z", "x*y*z*w"):
        network = compile_polynomial(text, tolerance=1e-4)
        n = len(network.variables)
        start = time.perf_counter()
        low, high = interval_bounds(network, -np.ones(n), np.ones(n))
        seconds = time.perf_counter() - start
        start = time.perf_counter()
        total = network.certificate.total
        ours = time.perf_counter() - start
        ratio = max(high - 1, -1 - low) / total
        out.append(
            Row(
                f"bound the error of `{text}`",
                1000 * ours,
                "interval bound propagation (own, plain)",
                1000 * seconds,
                ratio,
                ratio,
                ratio,
                None,
                "",
                f"ratio: how far beyond [-1, 1] intervals put the output, over the certificate {total:.1e}",
            )
        )
    return out
