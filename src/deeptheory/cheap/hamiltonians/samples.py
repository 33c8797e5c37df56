"""The samples of a fit: which kind of variables they are, in what form the fit takes them, and which are held out."""

import hashlib
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from deeptheory.core.arrays import as_floats, as_numbers
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_finite, check_number, check_whole

Kind = Literal["auto", "binary", "potts", "gaussian", "real"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_MOST_LEVELS = 16
_LEAST = 50  # samples


@dataclass(frozen=True, kw_only=True, eq=False)
class Samples:
    """values: [N, n] in random order, coded: spins -1, 1 (q = 2), levels (q > 2), real (q None). known:
    level -> value seen.

    train: how many of the first rows fit; the rest is held out. held_out: a digest of the samples and of that division.
    """

    values: np.ndarray
    kind: str
    q: int | None
    known: tuple[float, ...]
    train: int
    held_out: str


def read_samples(samples, kind: str, degree: int, held_out_fraction: float, seed: int) -> Samples:
    """Check and code the samples. Errors: see hamiltonian_fit."""
    pick(dict.fromkeys(KINDS, 0), kind, what="kind of variables")
    try:
        x = as_numbers(samples)
    except ValueError as error:
        raise InputError(f"samples are rows of several lengths; needed: [N, n] ({str(error)[:60]})") from error
    if x.dtype.kind in "iu":
        as_floats(x)  # values are told from each other and reported as float64: two that round to one are refused
    if x.ndim != 2 or len(x) < _LEAST or not x.shape[1]:
        raise InputError(f"samples have shape {list(x.shape)}; needed: [N, n] with at least {_LEAST} samples")
    check_finite(samples=x)
    check_whole(degree=(degree, 1), seed=(seed, 0))
    check_number(held_out_fraction=held_out_fraction)
    if not 0 <= held_out_fraction < 1:
        raise InputError(f"held_out_fraction is {held_out_fraction}; it lies from 0 to below 1")
    constant = np.flatnonzero((x == x[:1]).all(axis=0))
    if len(constant):
        raise InputError(f"variable {constant[0]} is constant ({x[0, constant[0]]}); it has no conditional: drop it")
    kind, known = _kind(x, kind, degree)
    order = np.random.default_rng(seed).permutation(len(x))
    train = len(x) - round(held_out_fraction * len(x))
    if not train:
        raise InputError(f"held_out_fraction is {held_out_fraction}; of {len(x)} samples none is left to fit")
    given = np.array(x, dtype=np.float64, order="C")
    given += 0.0  # -0.0 is 0.0
    given = given.tobytes() + f"{x.shape} {seed} {train}".encode()
    held_out = hashlib.sha256(given).hexdigest()[:16]
    if kind == "binary":
        values = np.where(x == known[1], np.int8(1), np.int8(-1))[order]
        return Samples(values=values, kind=kind, q=2, known=known, train=train, held_out=held_out)
    if kind == "potts":
        values = np.searchsorted(np.array(known), x).astype(np.int8)[order]
        return Samples(values=values, kind=kind, q=len(known), known=known, train=train, held_out=held_out)
    values = x[order].astype(np.float64)
    return Samples(values=values, kind=kind, q=None, known=(), train=train, held_out=held_out)


def _kind(x: np.ndarray, kind: str, degree: int) -> tuple[str, tuple[float, ...]]:
    seen = _few_values(x)
    if kind == "auto":
        if seen is not None and len(seen) == 2:
            kind = "binary"
        elif seen is not None and x.dtype.kind in "iu":
            kind = "potts"
        else:
            kind = "gaussian" if degree <= 2 else "real"
    if kind == "binary" and (seen is None or len(seen) != 2):
        raise InputError(f"kind is binary; the samples hold {'many' if seen is None else len(seen)} different values")
    if kind == "potts" and seen is None:
        raise InputError(f"kind is potts; the samples hold more than {_MOST_LEVELS} different values")
    if kind == "potts" and seen is not None and len(seen) < 3:
        raise InputError(f"kind is potts; the samples hold {len(seen)} different values: two are spins, kind='binary'")
    if kind == "gaussian" and degree > 2:
        raise InputError(f"kind is gaussian and degree {degree}; use kind='real' for degrees above 2")
    return kind, tuple(float(v) for v in seen) if seen is not None and kind in ("binary", "potts") else ()


def _few_values(x: np.ndarray) -> np.ndarray | None:
    """The different values, sorted, or None where there are many; a look at some rows spares sorting all."""
    if len(np.unique(x[:200])) > _MOST_LEVELS:
        return None
    seen = np.unique(np.concatenate([np.unique(x[k : k + 100_000]) for k in range(0, len(x), 100_000)]))
    return seen if len(seen) <= _MOST_LEVELS else None
