"""Entropies of counts beyond counts / n: what is known of the bias, or of symbols not seen, put in. Bits.

Sources: Miller 1955 (with Madow); Grassberger 2003 (eq. 27, 35); Chao & Shen 2003 (eq. 5 to 7); Hausser & Strimmer 2009
(eq. 3 to 6); Nemenman, Shafee & Bialek 2002 (nsb.py). Where each is for: Miller-Madow for several samples per symbol,
Grassberger for about one, Chao-Shen where symbols are missing, shrinking for little data with nearly equal symbols, NSB
for few samples of symbols that are known. None is unbiased for every distribution (Paninski 2003), so their interval
runs from the plain value's to theirs.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import count_of, unknown
from deeptheory.core.shapes import check_whole
from deeptheory.information.estimators.nsb import nsb

NAMES = {
    "miller-madow": "Miller-Madow",
    "grassberger": "Grassberger",
    "chao-shen": "Chao-Shen",
    "shrink": "James-Stein shrinkage",
    "nsb": "Nemenman-Shafee-Bialek",
}
_OF_AN_ALPHABET = ("shrink", "nsb")
_LARGEST = 10**35  # symbols: fourth powers of pairs of them are still floats


def named(correct: bool | str) -> str | None:
    """The name of a correction, None for none; True is Miller-Madow. InputError: another name."""
    if isinstance(correct, bool | np.bool_):
        return "miller-madow" if correct else None
    name = correct.lower().replace("_", "-").replace(" ", "-") if isinstance(correct, str) else correct
    if not isinstance(name, str) or name not in NAMES:
        raise InputError(unknown(str(correct), NAMES, what="correction"))
    return name


def miller_madow(counts: np.ndarray) -> float:
    """Plain entropy plus (K - 1) / 2n nats, K symbols seen."""
    n = counts.sum()
    p = counts / n
    return float((-(p * np.log(p)).sum() + (len(counts) - 1) / (2 * n)) / np.log(2))


def grassberger(counts: np.ndarray) -> float:
    """log n - <G(n_i)>, G(m) = psi(m) + (-1)^m / 2 (psi((m + 1) / 2) - psi(m / 2))."""
    from scipy.special import digamma

    n = counts.sum()
    m, times = np.unique(counts, return_counts=True)
    g = digamma(m) + np.where(m % 2, -0.5, 0.5) * (digamma((m + 1) / 2) - digamma(m / 2))
    return float((np.log(n) - (times * m * g).sum() / n) / np.log(2))


def chao_shen(counts: np.ndarray) -> float:
    """Probabilities of what was seen times the coverage 1 - f1 / n, each term over its chance 1 - (1 - p)^n to be seen;
    f1: symbols seen once (all once: n - 1 of them, since a coverage of 0 has no probabilities)."""
    n = counts.sum()
    once = int((counts == 1).sum())
    coverage = 1 - min(once, n - 1) / n
    p = coverage * counts / n
    seen = -np.expm1(n * np.log1p(-p)) if (p < 1).all() else 1.0
    return float(-(p * np.log2(p) / seen).sum())


ENTROPY: dict[str, Callable[[np.ndarray], float]] = {
    "miller-madow": miller_madow,
    "grassberger": grassberger,
    "chao-shen": chao_shen,
}


def shrunk(counts: np.ndarray, cells: int) -> tuple[float, np.ndarray, float]:
    """(weight of the uniform target, probabilities of the cells seen, probability of each of the `cells` others)."""
    n, p, target = counts.sum(), counts / counts.sum(), 1 / cells
    apart = ((target - p) ** 2).sum() + (cells - len(counts)) * target**2
    weight = 1.0 if apart <= 0 else min(1.0, max(0.0, float((1 - (p**2).sum()) / ((n - 1) * apart))))
    return weight, weight * target + (1 - weight) * p, weight * target


def check_alphabet(alphabet: Any, name: str | None, *counts: np.ndarray) -> tuple[int, ...]:
    """How many symbols each variable may take, given its counts [m]: `alphabet`; where it is None those seen, and for
    NSB as many unseen ones as symbols seen once and twice imply. InputError: a correction
    that does not ask, no integers, fewer than were seen."""
    seen = tuple(len(c) for c in counts)
    if alphabet is None:
        return tuple(k + _unseen_at_least(c) for k, c in zip(seen, counts)) if name == "nsb" else seen
    if name not in _OF_AN_ALPHABET:
        raise InputError(
            f"alphabet is {alphabet!r}, which {'plain counts' if name is None else NAMES[name]} do not ask; it goes "
            "with correct='nsb' or 'shrink'"
        )
    given = tuple(alphabet) if isinstance(alphabet, tuple | list) else (alphabet,)
    if len(given) != len(seen):
        raise InputError(f"alphabet is {alphabet!r}; needed: {count_of(len(seen), 'integer')}, one per variable")
    for size, least in zip(given, seen):
        check_whole(alphabet=(size, None))
        if size < least:
            raise InputError(f"alphabet is {alphabet!r} where {least} symbols were seen; it cannot be smaller")
        if size > _LARGEST:
            raise InputError(f"alphabet has {len(str(size))} digits; needed: at most {_LARGEST:.0e} symbols")
    return tuple(int(size) for size in given)


def entropy(counts: np.ndarray, name: str, cells: int) -> float:
    """H in bits of counts [m], all above 0, of `cells` possible symbols: shrinking towards the uniform over them, NSB's
    prior over them."""
    if name == "shrink":
        _, p, other = shrunk(counts, cells)
        return float(-(p * np.log2(p)).sum()) + _unseen(cells - len(counts), other)
    return nsb(counts, cells)[0] if name == "nsb" else ENTROPY[name](counts)


def information(
    joint: np.ndarray, of_x: np.ndarray, of_y: np.ndarray, name: str, cells: tuple[int, int] | None = None
) -> float:
    """I in bits from the counts of pairs seen [m] and of each side: H(X) + H(Y) - H(X, Y), each corrected; shrinking:
    that of the joint table, all pairs of symbols, towards the uniform. cells: possible symbols of each, None: those
    seen."""
    kinds = (len(of_x), len(of_y)) if cells is None else cells
    if name != "shrink":
        sizes = (*kinds, kinds[0] * kinds[1])
        h = [entropy(c, name, size) for c, size in zip((of_x, of_y, joint), sizes)]
        return h[0] + h[1] - h[2]
    both = kinds[0] * kinds[1]
    weight, p, other = shrunk(joint, both)
    whole = float(-(p * np.log2(p)).sum()) + _unseen(both - len(joint), other)
    sides = 0.0
    for c, size in zip((of_x, of_y), kinds):
        q = weight / size + (1 - weight) * c / c.sum()
        sides += float(-(q * np.log2(q)).sum()) + _unseen(size - len(c), weight / size)
    return sides - whole


def _unseen_at_least(counts: np.ndarray) -> int:
    """Chao's lower bound of the number of symbols not seen, f1 (f1 - 1) / 2 (f2 + 1) (Chao 1984, bias-corrected)."""
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    return int(np.ceil(once * (once - 1) / (2 * (twice + 1))))


def _unseen(cells: int, each: float) -> float:
    """What so many symbols add to an entropy, each of one probability."""
    return -cells * each * float(np.log2(each)) if each > 0 else 0.0
