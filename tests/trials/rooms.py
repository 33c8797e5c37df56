"""What trials of networks share: ambient conditions, networks whose scores are known, small capsule networks."""

from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

import deeptheory as dt
from trials.frame import same, uniform

c, N = dt.capsules, dt.networks
DTYPES = (torch.float32, torch.float64, torch.bfloat16)


@contextmanager
def ambient(dtype=torch.float32, inference=False, threads=1):
    """torch's default dtype, inference mode and threads, as a stranger may have set them."""
    before = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode(inference):
            yield
    finally:
        torch.set_default_dtype(before[0])
        torch.set_num_threads(before[1])


AMBIENTS = [*({"dtype": d} for d in DTYPES), {"inference": True}, {"threads": 2}]


class Scores(nn.Module):
    """The scores that were given, by the first pixel, which numbers the picture."""

    def __init__(self, scores):
        super().__init__()
        self.scores = nn.Parameter(torch.as_tensor(scores, dtype=torch.float32), requires_grad=False)

    def forward(self, images):
        return self.scores[images[:, 0, 0, 0].round().long()]


def numbered(n):
    return torch.arange(n, dtype=torch.float32)[:, None, None, None]


class Linear(nn.Module):
    """Scores (w . (x - 1/2), 0): within epsilon the worst moves the first by epsilon |w|_1."""

    def __init__(self, w):
        super().__init__()
        self.w = nn.Parameter(torch.as_tensor(w, dtype=torch.float32))

    def forward(self, x):
        s = (x.flatten(1) - 0.5) @ self.w
        return torch.stack([s, torch.zeros_like(s)], 1)


def linear(rng, n=200, d=9):
    """A network, pictures clear of the pixels' bounds, labels as it says, and its scores."""
    w = rng.normal(size=d)
    x = rng.uniform(0.35, 0.65, (n, 1, 1, d)).astype(np.float32)
    s = (x.reshape(n, d) - 0.5) @ w
    return Linear(w), x, (s < 0).astype(int), s, np.abs(w).sum()


def small(seed, **how):
    kernels = {"channels": 6, "kernel_size": 3, "primary": c.Primary(2, 4, 3), "dim": 5}
    # in plain torch: the trials of routing hold the kernels to it
    return N.seeded(lambda: c.CapsuleNetwork((1, 10, 10), 4, (8, 9), backend="eager", **kernels, **how), seed)


def pictures(rng, n=24, classes=4):
    return torch.as_tensor(rng.random((n, 1, 10, 10)), dtype=torch.float32), torch.as_tensor(
        rng.integers(0, classes, n)
    )


def chance(p_right, errors, draws, n):
    from scipy.stats import binomtest

    return uniform([binomtest(round(n * (100 - e) / 100), n, p_right).pvalue for e in errors])


def same_in_any_room(number, within=1e-5, rooms=AMBIENTS):
    """number(rng) under torch's other default dtypes, in inference mode, with two threads; networks are made before."""

    def check(rng, draws):
        measure = number(rng)
        values = [np.asarray(measure(), float)]
        for room in rooms:
            with ambient(**room):
                values.append(np.asarray(measure(), float))
        return same(values, within)

    return check
