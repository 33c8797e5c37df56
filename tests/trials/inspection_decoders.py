"""Trials of decoder_accuracy: rows of test_inspection."""

import math

import numpy as np
import torch

from deeptheory.inspection import (
    decoder_accuracy,
)
from trials.frame import Row, all_of, near, rare, refused, same

DECODER = "inspection.decoder_accuracy"


def decoder_chance(decoder, units, how):
    """Noise is right once in four, with as many units as samples, more, and fewer: labels drawn one by one,
    or permuted in each half."""

    def check(rng, draws):
        right, held = 0, np.arange(120) % 2 == 0
        for _ in range(draws):
            y = rng.integers(0, 4, 120)
            if how == "permuted":
                y[held], y[~held] = rng.permutation(np.arange(60) % 4), rng.permutation(np.arange(60) % 4)
            right += round(60 * decoder_accuracy(rng.normal(size=(120, units)), y, held, decoder=decoder))
        n = 60 * draws
        return all_of(rare(right, n, 0.25), rare(n - right, n, 0.75))

    return check


def two_gaussians(decoder):
    """Means 2 apart under unit noise: the best accuracy is Phi(1) = 0.841; 4,000 samples of 5 units cost under 1 %."""

    def check(rng, draws):
        y = rng.integers(0, 2, 4000)
        x = rng.normal(size=(4000, 5))
        x[:, 0] += 2 * y
        found = decoder_accuracy(x, y, np.arange(4000) < 2000, decoder=decoder)
        return near(found, 0.8413, 4 * math.sqrt(0.8413 * 0.1587 / 2000) + 0.01)

    return check


def exclusive_or(decoder):
    """No linear decoder reads it: at most 60 % where 50 % is chance."""

    def check(rng, draws):
        x = rng.choice([-1.0, 1.0], size=(2000, 2))
        return near(decoder_accuracy(x, x.prod(1), np.arange(2000) % 2 == 0, decoder=decoder), 0.5, 0.1)

    return check


def nearest_by_hand(rng, draws):
    x, y, held = rng.normal(size=(90, 8)) + np.arange(90)[:, None] % 3, np.arange(90) % 3, np.arange(90) < 45
    means = [x[~held & (y == k)].mean(0) for k in range(3)]
    right = [np.argmin([np.linalg.norm(a - m) for m in means]) == c for a, c in zip(x[held], y[held])]
    return near(decoder_accuracy(x, y, held, decoder="nearest mean"), np.mean(right), 1e-12)


def decoder_does_not_depend(decoder):
    def check(rng, draws):
        x, y, held = rng.normal(size=(200, 30)), np.arange(200) % 3, np.arange(200) < 100
        x[:, 0] += y
        turn = np.concatenate([rng.permutation(100), 100 + rng.permutation(100)])
        several = [
            (x, y, held),
            (x * 1e-200, y, held),
            (x * 1e6 + 1e7, y, held),
            (x[turn], y[turn], held[turn]),
            (x, 5 - 2 * y, held),
            (torch.as_tensor(x), torch.as_tensor(y), torch.as_tensor(held)),
        ]
        return same([decoder_accuracy(*v, decoder=decoder) for v in several])

    return check


def decoder_refuses(rng, draws):
    x, y, held = rng.normal(size=(20, 3)), np.arange(20) % 2, np.arange(20) < 10
    return all_of(
        refused(lambda: decoder_accuracy(x, y, held[:5]), "some and not all"),
        refused(lambda: decoder_accuracy(x, y, held | True), "some and not all"),
        refused(lambda: decoder_accuracy(x, y, y == 0), "of one class"),
        refused(lambda: decoder_accuracy(x, y, held, decoder="svm"), "unknown decoder"),
    )


DECODERS = [
    *(
        Row(DECODER, "null", f"{decoder}: noise of {units} units, labels {how}", decoder_chance(decoder, units, how),
            20, 300)
        for decoder in ("linear", "nearest mean")
        for units in (10, 60, 500)
        for how in ("drawn", "permuted")
    ),
    *(Row(DECODER, "truth", f"{d}: two Gaussians, Phi(1)", two_gaussians(d)) for d in ("linear", "nearest mean")),
    *(Row(DECODER, "truth", f"{d}: exclusive or is not read", exclusive_or(d)) for d in ("linear", "nearest mean")),
    Row(DECODER, "truth", "nearest mean by hand", nearest_by_hand),
    *(Row(DECODER, "invariance", f"{d}: scale, order, names, torch", decoder_does_not_depend(d))
        for d in ("linear", "nearest mean")),
    Row(DECODER, "truth", "refusals", decoder_refuses),
]  # fmt: skip
