"""The learning curves of docs/capsules.md: `python docs/make_capsule_curves.py`, about five minutes on one core.

Held-out error by epoch on scikit-learn's digits: matrix capsules by variant and, for comparison, convolutions over the
same grids without routing; stacked vector capsules by their initial values. The first 1,200 or 1,500 digits train, the
rest, written by other people, is held out. `--only convolutions` prints those rows alone, in a minute.
"""

import math
import sys

import torch
from torch import nn
from torch.nn import functional as F

import deeptheory as dt

SEEDS = (0, 1, 2)


def digits(side):
    data = dt.datasets.digits()
    x = torch.as_tensor(dt.datasets.downsample(data.images / 16.0))
    x = F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False) if side != 8 else x
    return x, torch.as_tensor(data.labels).long()


def curve(net, side, train, epochs, batch, lr, loss, seed):
    """Held-out error in per cent after each epoch."""
    x, y = digits(side)
    optimizer, order = torch.optim.Adam(net.parameters(), lr=lr), torch.Generator().manual_seed(seed)
    steps, step, found = epochs * math.ceil(train / batch), 0, []
    for _ in range(epochs):
        for rows in torch.randperm(train, generator=order).split(batch):
            out = net(x[rows])
            value = loss(out[0] if isinstance(out, tuple) else out, y[rows], step / steps)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            step += 1
        found.append(dt.capsules.error_rate(net, x[train:], y[train:]))
    return found


def matrix(variant, lr, seed):
    spread = lambda a, y, done: dt.capsules.spread_loss(a, y, 0.2 + 0.7 * done)  # noqa: E731
    make = lambda: dt.capsules.MatrixCapsuleNetwork((1, 20, 20), 10, (16, 4, 8, 8), variant=variant)  # noqa: E731
    return curve(dt.networks.seeded(make, seed), 20, 1200, 12, 64, lr, spread, seed)


def plain():
    """Kernels and grids of the matrix network (8x8, 3x3 and 1x1 cells), ReLUs, 64 channels; 47,274 weights."""
    first, second, third = nn.Conv2d(1, 16, 5, 2), nn.Conv2d(16, 64, 3, 2), nn.Conv2d(64, 64, 3)
    return nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), third, nn.ReLU(), nn.Flatten(), nn.Linear(64, 10))


def convolutions(lr, seed):
    entropy = lambda logits, y, done: F.cross_entropy(logits, y)  # noqa: E731
    return curve(dt.networks.seeded(plain, seed), 20, 1200, 12, 64, lr, entropy, seed)


def vector(init, hidden, seed):
    margin = lambda v, y, done: dt.capsules.margin_loss(v, y)  # noqa: E731
    how = {
        "channels": 32,
        "kernel_size": 3,
        "primary": dt.capsules.Primary(types=4, kernel_size=3),
        "hidden": [(16, 8)] * hidden,
    }
    make = lambda: dt.capsules.CapsuleNetwork((1, 8, 8), 10, False, init=init, **how)  # noqa: E731
    return curve(dt.networks.seeded(make, seed), 8, 1500, 10, 50, 3e-3, margin, seed)


def row(name, curves, epochs):
    cells = [" / ".join(f"{c[e - 1]:.1f}" for c in curves) for e in epochs]
    print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


def convolutional_rows():
    for lr in (1e-2, 3e-3):
        row(f"convolutions alone, {lr:g}", [convolutions(lr, s) for s in SEEDS], (2, 4, 6, 9, 12))


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("| variant, Adam's rate | 2 epochs | 4 | 6 | 9 | 12 |\n|---|---|---|---|---|---|")
    if sys.argv[1:] == ["--only", "convolutions"]:
        convolutional_rows()
        raise SystemExit
    for variant, lr in (("balanced", 1e-2), ("balanced", 3e-3), ("reference_code", 1e-2), ("paper", 1e-2)):
        row(f"`{variant}`, {lr:g}", [matrix(variant, lr, s) for s in SEEDS], (2, 4, 6, 9, 12))
    convolutional_rows()
    print("\n| `init`, hidden layers | 1 epoch | 3 | 6 | 10 |\n|---|---|---|---|---|")
    for init in ("scaled", "paper"):
        for hidden in (0, 1, 2, 4):
            row(f"`{init}`, {hidden}", [vector(init, hidden, s) for s in SEEDS], (1, 3, 6, 10))
