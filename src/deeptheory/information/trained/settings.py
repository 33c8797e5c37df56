"""What every trained estimator can be told, with defaults that fit 1,000 to 100,000 rows, and checks."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from deeptheory.core import statistics
from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole


class Options(TypedDict, total=False):
    """The keywords that all trained estimators take; see Settings."""

    folds: int
    steps: int
    patience: int
    batch: int | None
    lr: float
    seconds: float | None
    device: str
    progress: Callable[[int, int], Any] | bool | None
    seed: int
    groups: Any
    block: int | None


@dataclass(frozen=True)
class Settings:
    """folds: networks, each measured on its own part of the rows. steps: most of the training; patience: steps
    without a better look after which it ends. batch: rows per network and step; None: 128, or 48 of a joint
    critic, which scores every pair by itself. lr: of AdamW. seconds: a limit on
    training time, after which the best so far is measured (results then depend on the machine). device: of torch.
    progress: called as progress(step, steps); True or None: lines on stderr from 20 s on; False: nothing. seed: of
    splits, first weights and batches. groups [n], block: rows that belong together stay on one side of every split."""

    folds: int = 5
    steps: int = 1500
    patience: int = 200
    batch: int | None = None
    lr: float = 1e-3
    seconds: float | None = None
    device: str = "cpu"
    progress: Callable[[int, int], Any] | bool | None = None
    seed: int = 0
    groups: Any = None
    block: int | None = None

    def __post_init__(self) -> None:
        """InputError: what is no such number, a device that is not there."""
        check_whole(folds=(self.folds, 2), steps=(self.steps, 1), patience=(self.patience, 1))
        check_whole(seed=(self.seed, 0), **({} if self.batch is None else {"batch": (self.batch, 2)}))
        check_positive("lr", self.lr)
        if self.seconds is not None:
            check_positive("seconds", self.seconds)
        if not (callable(self.progress) or self.progress in (None, True, False)):
            raise InputError(f"progress is {self.progress!r}; needed: a function of (step, steps), True, False or None")
        if self.block is not None:
            check_whole(block=(self.block, 1))
        if self.block is not None and self.groups is not None:
            raise InputError("groups= and block= were both given; rows belong together in one way only")
        _there(self.device)

    def pieces(self, order: np.ndarray) -> np.ndarray:
        """Codes 0, 1, ... of what stays together, of the rows in this order. InputError: groups of another length."""
        n = len(order)
        if self.groups is not None:
            groups = as_numpy(self.groups)
            if groups.shape != (n,):
                raise InputError(f"groups has shape {list(groups.shape)} for {n} rows; needed: [{n}], one per row")
            return statistics.codes_of(groups[order])
        if self.block is not None:
            return order // self.block
        return np.arange(n)


def check_positive(name: str, value: Any) -> None:
    """InputError: not a finite number above 0."""
    fine = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not fine or not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} is {value!r}; needed: a number above 0")


def _there(device: Any) -> None:
    import torch

    try:  # torch has no single error: of an unknown name, a backend not built in, a wrong type, one without kernels
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        said = str(error).splitlines()[0]
        raise InputError(f"device is {device!r}, which torch cannot use here ({said}); 'cpu' always works") from error


def kept_together(function: Callable[..., Any], groups: Any, block: int | None) -> dict[str, Any]:
    """groups= and block= for an estimator that keeps rows together by itself, where there are any; others get none."""
    if function.__module__ != "deeptheory.information.trained.methods":
        return {}
    return {name: v for name, v in (("groups", groups), ("block", block)) if v is not None}
