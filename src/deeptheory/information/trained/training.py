"""The one training loop of the trained estimators: all folds' networks at once, each kept as it was when its own
held-out rows liked it best.

Every parameter has a leading axis of S networks, so that one step trains all, each on rows of its own: the loss is the
sum over networks, whose gradients do not mix. Weights are averaged over the last steps (Polyak & Juditsky 1992), which
takes the noise of small batches out of what is measured.
Pitfall: the best of many evaluations on the rows that decide is too good there; values are taken on other rows.
"""

import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from deeptheory.information.trained.settings import Settings

_EVERY = 20  # steps between evaluations on the rows that decide
_AVERAGED = 0.98  # of the weights' running mean, per step
_DECAY = 1e-3
_LONGEST = 5.0  # gradient norm of one network
_SILENT, _BETWEEN = 20.0, 30.0  # seconds before the first line on stderr, and between lines


@dataclass(frozen=True)
class Trained:
    """What became of a training: steps taken, at which each network was best [S], why it ended early, or ""."""

    steps: int
    best: np.ndarray
    note: str


@contextmanager
def alone() -> Iterator[None]:
    """One thread (these networks are too small for two), gradients on whatever the caller's mode; as found
    afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        torch.set_num_threads(threads)


def batches(train: list[np.ndarray], size: int | None, seed: int, usual: int = 128) -> Iterator[np.ndarray]:
    """Rows [S, size] for step after step: each network goes through its own rows in an order drawn again each time."""
    size = min(usual if size is None else size, min(map(len, train)))
    walks = [_walk(rows, size, np.random.default_rng([seed, len(rows), 13, k])) for k, rows in enumerate(train)]
    while True:
        yield np.stack([next(w) for w in walks])


def _walk(rows: np.ndarray, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    while True:
        order = rng.permutation(rows)
        for start in range(0, len(order) - size + 1, size):
            yield order[start : start + size]


def train(
    model: nn.Module,
    rows: Iterator[np.ndarray],
    objective: Callable[[Tensor], Tensor],
    decide: Callable[[], Tensor],
    settings: Settings,
    what: str,
) -> Trained:
    """Maximize objective(rows [S, B]) -> [S]; keep each network as it was where decide() -> [S] was largest.

    Ends after settings.steps, when no network got better in settings.patience steps, or after settings.seconds.
    """
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=settings.lr, weight_decay=_DECAY)
    mean = [p.detach().clone() for p in parameters]
    kept = [p.detach().clone() for p in parameters]
    began, note = time.monotonic(), ""
    tell = _Teller(settings.progress, settings.steps, what, began)
    with torch.no_grad():
        best = _score(decide)
    at = np.zeros(len(best), dtype=np.int64)
    step = 0
    while step < settings.steps:
        index = torch.as_tensor(next(rows), device=parameters[0].device)
        optimizer.zero_grad(set_to_none=True)
        (-objective(index)).sum().backward()
        _shorten(parameters)
        optimizer.step()
        step += 1
        weight = max(1 - _AVERAGED, 1 / (1 + step))
        for m, p in zip(mean, parameters):
            m.lerp_(p.detach(), weight)
        late = settings.seconds is not None and time.monotonic() - began > settings.seconds
        if step % _EVERY == 0 or step == settings.steps or late:
            with _weights(parameters, mean):
                now = _score(decide)
            better = now > best
            at[better.cpu().numpy()], best = step, torch.maximum(best, now)
            for k, m in zip(kept, mean):
                k[better] = m[better]
        tell.step(step)
        if late:
            note = f"stopped after {settings.seconds:g} s at step {step} of {settings.steps}; the best until then"
            break
        if step - at.max() >= settings.patience:
            break
    with torch.no_grad():
        for p, k in zip(parameters, kept):
            p.copy_(k)
    tell.end(step)
    return Trained(step, at, note)


@torch.no_grad()
def _score(decide: Callable[[], Tensor]) -> Tensor:
    """What decides; what is no number counts as worst."""
    got = decide().detach()
    return torch.where(got.isfinite(), got, torch.full_like(got, -math.inf))


def _shorten(parameters: list[nn.Parameter]) -> None:
    """Each network's own gradient at a norm of at most _LONGEST; none where it is no number."""
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = torch.stack([g.flatten(1).square().sum(1) for g in grads]).sum(0).sqrt()
    factor = torch.where(norm.isfinite(), (_LONGEST / (norm + 1e-12)).clamp(max=1.0), torch.zeros_like(norm))
    for g in grads:
        g.nan_to_num_(0.0, 0.0, 0.0).mul_(factor.view(-1, *[1] * (g.ndim - 1)))


@contextmanager
def _weights(parameters: list[nn.Parameter], shown: list[Tensor]) -> Iterator[None]:
    """The model with other weights, without gradients."""
    own = [p.detach().clone() for p in parameters]
    with torch.no_grad():
        try:
            for p, s in zip(parameters, shown):
                p.copy_(s)
            yield
        finally:
            for p, o in zip(parameters, own):
                p.copy_(o)


class _Teller:
    """Progress to a function of the caller's, or, where it takes long, as lines on stderr."""

    def __init__(self, progress: Callable[[int, int], Any] | bool | None, total: int, what: str, began: float):
        self.progress, self.total, self.what, self.began = progress, total, what, began
        self.last = began + _SILENT - _BETWEEN

    def step(self, done: int) -> None:
        if callable(self.progress):
            self.progress(done, self.total)
        elif self.progress is not False:
            now = time.monotonic()
            if now - self.last > _BETWEEN:
                left = (now - self.began) / done * (self.total - done)
                print(
                    f"{self.what}: step {done} of at most {self.total}, at most {left:.0f} s more",
                    file=sys.stderr,
                    flush=True,
                )
                self.last = now

    def end(self, done: int) -> None:
        if callable(self.progress) and done < self.total:
            self.progress(self.total, self.total)
