"""The form of a task on all patterns of a few bits, whose p(x, y) is therefore known exactly."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_number

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False)
class BinaryTask(Result):
    """Every pattern of d bits once, equally likely, with a label drawn from a known p(y|x); n = 2^d.

    x: [n, d] float32, 0 or 1; row i is the binary expansion of i, most significant bit first.
    y: [n] int64, 0 or 1. p_y_given_x: [n] float64, the probability of y = 1.
    signatures: [n, s] int64, what the rule can see of a pattern; rows that agree have the same p(y|x).
    rule: in words. gamma: steepness of the soft rule, or None for the deterministic one. seed: of y where it is soft.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    p_y_given_x: np.ndarray
    signatures: np.ndarray
    rule: str
    gamma: float | None
    seed: int

    @property
    def p_xy(self) -> np.ndarray:
        """The joint distribution p(x, y): [n, 2] float64, sums to 1."""
        p = self.p_y_given_x
        return np.stack([1 - p, p], axis=1) / len(p)

    @property
    def mutual_information(self) -> float:
        """I(X;Y) = H(Y) - H(Y|X) in bits, exact from p(x, y)."""
        p = self.p_y_given_x
        plain = float(_binary_entropy(p.mean()) - _binary_entropy(p).mean())
        m = p.mean()
        if plain > 1e-9 or not 0 < m < 1:
            return max(plain, 0.0)
        nats = np.zeros(len(p))  # entropies would cancel: the divergence of p(y|x) from p(y), about (q - r)^2 / 2r
        for q, r in ((p, m), (1 - p, 1 - m)):
            nats += q * np.log1p(np.where(q > 0, (q - r) / r, 0)) - (q - r)
        return max(float(nats.mean() / np.log(2)), 0.0)

    def __repr__(self) -> str:
        rule = "deterministic" if self.gamma is None else f"gamma={self.gamma:g}"
        n, d = self.x.shape
        return f"BinaryTask({self.name}, {n} patterns of {d} bits, {rule}, I(X;Y)={self.mutual_information:.4f} bits)"

    def table(self) -> "pandas.DataFrame":
        """One row per signature: its numbers, patterns (how many share it), and p_y, p(y=1) there."""
        import pandas as pd

        frame = pd.DataFrame(self.signatures, columns=[f"signature_{k}" for k in range(self.signatures.shape[1])])
        keys = list(frame.columns)
        frame["p_y_given_x"] = self.p_y_given_x
        return frame.groupby(keys).agg(patterns=("p_y_given_x", "size"), p_y=("p_y_given_x", "mean")).reset_index()


def all_patterns(bits: int) -> np.ndarray:
    """All patterns of that many bits, [2^bits, bits] float32, most significant bit first."""
    return (np.arange(2**bits)[:, None] >> np.arange(bits)[::-1] & 1).astype(np.float32)


def binary_task(name: str, x, score, signatures, rule: str, gamma: float | None, seed: int) -> BinaryTask:
    """The task with p(y=1|x) = 1 / (1 + exp(-gamma score)), or y = [score > 0] where gamma is None.

    score: [n] float64, the rule's value minus its threshold. InputError: gamma not above 0.
    """
    if gamma is None:
        p = (score > 0).astype(np.float64)
        y = (score > 0).astype(np.int64)
    else:
        check_number(gamma=gamma)
        if not 0 < gamma < np.inf:
            raise InputError(f"gamma is {gamma}; it must be above 0 and finite, or None for the deterministic rule")
        with np.errstate(over="ignore"):  # a steepness of 1e308 is infinite
            p = 0.5 * (1 + np.tanh(gamma * score / 2))  # the logistic function, without its overflow
        y = (np.random.default_rng(seed).random(len(p)) < p).astype(np.int64)
    return BinaryTask(name=name, x=x, y=y, p_y_given_x=p, signatures=signatures, rule=rule, gamma=gamma, seed=seed)


def _binary_entropy(p) -> np.ndarray:
    p = np.asarray(p, dtype=np.float64)
    q = np.stack([p, 1 - p])
    return -(q * np.log2(np.where(q > 0, q, 1))).sum(0)
