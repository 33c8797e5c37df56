"""Entropies of counts beyond counts / n: what is known of the bias, or of symbols not seen, put in. Bits.

Sources: Miller 1955 (with Madow); Grassberger 2003 (eq. 27, 35); Chao & Shen 2003 (eq. 5 to 7); Hausser & Strimmer 2009
(eq. 3 to 6). Where each is for: Miller-Madow for several samples per symbol, Grassberger for about one, Chao-Shen where
symbols are missing, shrinking for little data with nearly equal symbols. None is unbiased for every distribution
(Paninski 2003), so their interval runs from the plain value's to theirs.
"""

from collections.abc import Callable

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown

NAMES = {
    "miller-madow": "Miller-Madow",
    "grassberger": "Grassberger",
    "chao-shen": "Chao-Shen",
    "shrink": "James-Stein shrinkage",
}


def named(correct: bool | str) -> str | None:
    """The name of a correction, None for none; True is Miller-Madow. InputError: another name."""
    if isinstance(correct, bool | np.bool_):
        return "miller-madow" if correct else None
    name = correct.lower().replace("_", "-").replace(" ", "-") if isinstance(correct, str) else correct
    if name not in NAMES:
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


def entropy(counts: np.ndarray, name: str) -> float:
    """H in bits of counts [K], all above 0; shrinking towards the uniform over the K symbols seen."""
    if name == "shrink":
        p = shrunk(counts, len(counts))[1]
        return float(-(p * np.log2(p)).sum())
    return ENTROPY[name](counts)


def information(joint: np.ndarray, of_x: np.ndarray, of_y: np.ndarray, name: str) -> float:
    """I in bits from the counts of pairs seen [K] and of each side: H(X) + H(Y) - H(X, Y), each corrected; shrinking:
    that of the joint table, all pairs of symbols seen, towards the uniform."""
    if name != "shrink":
        return ENTROPY[name](of_x) + ENTROPY[name](of_y) - ENTROPY[name](joint)
    cells = len(of_x) * len(of_y)
    weight, p, other = shrunk(joint, cells)
    both = float(-(p * np.log2(p)).sum()) - ((cells - len(joint)) * other * np.log2(other) if other > 0 else 0.0)
    sides = (weight / len(c) + (1 - weight) * c / c.sum() for c in (of_x, of_y))
    return sum(float(-(q * np.log2(q)).sum()) for q in sides) - both
