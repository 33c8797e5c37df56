"""The entry point of every bottleneck solver: a joint table p(x, y), checked,
and reduced to what the problem depends on.

Rows with the same p(y|x) can be merged before solving: any optimal T treats them alike (Tishby, Pereira & Bialek 1999,
the self-consistent equations see x through p(y|x) alone), so a table of 4096 inputs may be one of a dozen. Rows count
as the same when every entry agrees to 1e-10 of itself (float32: 4e-6): 5e-15 and 2.5e-13 are different probabilities,
and their ratio is what a divergence sees. Rows and columns without mass are left out and put back at the end.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_numpy, is_torch
from deeptheory.core.compiled import njit
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_finite
from deeptheory.information.bottleneck.divergence import divergence

_BITS = 1 / np.log(2)
_DIGITS = 33  # binary digits of p(y|x) by which rows are compared, 1e-10 of each entry
_SINGLE_DIGITS = 18  # the same of a float32 table, whose rounding is 6e-8
_LEFT = 1e-11  # of I(X;Y): an H(Y|X) below it leaves the deterministic curve


@dataclass(frozen=True, kw_only=True, eq=False)
class Joint:
    """p: [n] masses of the merged rows; q: [n, m] their p(y|x), columns with mass only; group: [nx] merged row of each
    row of the table, -1 without mass; columns: [m] numbers of the columns kept; shape: of the table. Entropies in bits:
    h_x of the merged rows (the most that an optimal T need keep), h_y, i_xy. deterministic: Y is a function of X;
    reverse: X, its rows merged, is one of Y. common: bits that X and Y share outright (Gacs & Korner 1973), the
    entropy of the connected parts of the table, `parts` of them; up to it the curve is I(T;Y) = I(X;T).
    """

    p: np.ndarray
    q: np.ndarray
    group: np.ndarray
    columns: np.ndarray
    shape: tuple[int, int]
    h_x: float
    h_y: float
    i_xy: float
    deterministic: bool
    reverse: bool
    common: float
    parts: int

    @property
    def p_y(self) -> np.ndarray:
        """[m] masses of the columns kept."""
        return self.p @ self.q

    def widen_encoder(self, encoder: np.ndarray, p_t: np.ndarray) -> np.ndarray:
        """p(t|x) [nx, k] from that of the merged rows [n, k]; rows without mass get p(t)."""
        return np.where(self.group[:, None] >= 0, encoder[self.group], p_t)

    def widen_decoder(self, decoder: np.ndarray) -> np.ndarray:
        """p(y|t) [k, ny] from that over the columns kept [k, m]."""
        out = np.zeros((len(decoder), self.shape[1]))
        out[:, self.columns] = decoder
        return out


def as_joint(p_xy: Any) -> Joint:
    """A table [nx, ny] as a Joint: probabilities that sum to 1 (to 1e-6; half precision to its own rounding), or counts
    as integers.

    InputError: not two axes, empty, not numbers, NaN, negative, no mass, or probabilities with another sum.
    """
    if isinstance(p_xy, Joint):
        return p_xy
    given = as_numpy(p_xy)
    if given.ndim != 2 or 0 in given.shape:
        raise InputError(f"p_xy has shape {list(given.shape)}; needed: a table [nx, ny], neither of them 0")
    if given.dtype.kind not in "iubf":
        raise InputError(f"p_xy holds {given.dtype}; needed: probabilities, or counts as integers")
    table = given.astype(np.float64, order="C")  # in another order sums round otherwise, and solvers end apart
    check_finite(p_xy=table)
    if table.min() < 0:
        where = np.unravel_index(table.argmin(), table.shape)
        raise InputError(f"p_xy is {table.min():.3g} at {[int(k) for k in where]}; probabilities are 0 or above")
    total = float(table.sum())
    if total == 0:
        raise InputError("p_xy is 0 everywhere; a joint distribution sums to 1")
    if given.dtype.kind == "f" and abs(total - 1) > max(1e-6, 4 * _resolution(p_xy)):
        raise InputError(f"p_xy sums to {total:.6g}; a joint distribution sums to 1: divide counts by their total")
    table = table / total
    p_x, kept = table.sum(1), np.flatnonzero(table.sum(0) > 0)
    rows = np.flatnonzero(p_x > 0)
    digits = _SINGLE_DIGITS if given.dtype.kind == "f" and given.dtype.itemsize <= 4 else _DIGITS
    p, q, inverse = _merged(p_x[rows], table[np.ix_(rows, kept)], digits)
    group = np.full(len(table), -1)
    group[rows] = inverse
    p_y = p @ q
    i_xy = float(p @ divergence(q, p_y).sum(1)) * _BITS if len(p) > 1 else 0.0
    h_x, h_y = entropy(p), entropy(p_y)
    back = p[:, None] * q / p_y  # p(x|y)
    deterministic, reverse = (i_xy > 0 and bool(_left(p[:, None] * q, part) <= _LEFT * i_xy) for part in (q, back))
    common, parts = (h_y, len(kept)) if deterministic else (h_x, len(p)) if reverse else _common(p, q)
    return Joint(
        p=p,
        q=q,
        group=group,
        columns=kept,
        shape=(table.shape[0], table.shape[1]),
        h_x=h_x,
        h_y=h_y,
        i_xy=i_xy,
        deterministic=deterministic,
        reverse=reverse,
        common=common,
        parts=parts,
    )


def _resolution(table: Any) -> float:
    """The rounding of the table's own dtype."""
    if is_torch(table):
        import torch

        return torch.finfo(table.dtype).eps
    return float(np.finfo(np.asarray(table).dtype).eps)


def _merged(p_x: np.ndarray, table: np.ndarray, digits: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    part, exponent = np.frexp(table / p_x[:, None])
    rounded = np.ldexp(np.round(np.ldexp(part, digits)), exponent - digits)
    if table.shape[1] == 2:  # pairs sort faster as complex numbers
        found, inverse = np.unique(rounded[:, 0] + 1j * rounded[:, 1], return_inverse=True)
        found = np.stack([found.real, found.imag], 1)
    else:
        found, inverse = np.unique(rounded, axis=0, return_inverse=True)
    inverse = _near_their_first(found, 2.1 * 0.5**digits)[inverse.ravel()]  # a rounding boundary parts equal rows
    n = int(inverse.max()) + 1
    p = np.bincount(inverse, p_x, n)
    joint = np.stack([np.bincount(inverse, column, n) for column in table.T], axis=1)
    return p, joint / p[:, None], inverse


@njit(cache=True, error_model="numpy")
def _near_their_first(rows, wide):
    """Numbers [k] of groups of sorted rows [k, m]: each entry within `wide` of itself of the group's first row, since
    a chain of neighbors, each near the next, may reach anywhere."""
    group = np.zeros(len(rows), dtype=np.int64)
    first = 0
    for k in range(1, len(rows)):
        near = True
        for y in range(rows.shape[1]):
            one, other = rows[first, y], rows[k, y]
            if abs(one - other) > wide * max(one, other):
                near = False
                break
        if not near:
            first = k
        group[k] = group[k - 1] + (not near)
    return group


def _common(p: np.ndarray, q: np.ndarray) -> tuple[float, int]:
    """Entropy of the connected parts of the table, bits, and how many they are."""
    from scipy.sparse import bmat, csr_matrix
    from scipy.sparse.csgraph import connected_components

    edges = csr_matrix(q > 0)
    count, label = connected_components(bmat([[None, edges], [edges.T, None]]), directed=False)
    return (entropy(np.bincount(label[: len(p)], p, count)) if count > 1 else 0.0), int(count)


def _left(joint: np.ndarray, given: np.ndarray) -> float:
    """H of one variable given the other, bits: sum of -p(x, y) log p(.|.)."""
    return float(-(joint * np.log2(np.where(given > 0, given, 1))).sum())


def entropy(p: np.ndarray) -> float:
    """H of one distribution, bits."""
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum()) + 0.0


def informations(joint: Joint, encoder: np.ndarray) -> dict[str, Any]:
    """What an encoder p(t|x) [n, k] of the merged rows gives: p_t [k], decoder p(y|t) [k, m], i_x, i_y, h_t in bits.

    Clusters without mass have the decoder p(y). Informations are sums of terms that are never negative, so that they
    are as exact at 1e-9 bits as at one bit.
    """
    if encoder.shape[1] == 1:
        return {"p_t": np.ones(1), "decoder": joint.p_y[None], "i_x": 0.0, "i_y": 0.0, "h_t": 0.0}
    p_t = joint.p @ encoder
    held = (encoder * joint.p[:, None]).T @ joint.q  # [k, m]
    used = p_t > 0
    decoder = np.where(used[:, None], held / np.where(used, p_t, 1)[:, None], joint.p_y)
    i_x = float(joint.p @ divergence(encoder, p_t).sum(1)) * _BITS
    i_y = float(p_t @ divergence(decoder, joint.p_y).sum(1)) * _BITS
    return {"p_t": p_t, "decoder": decoder, "i_x": i_x, "i_y": i_y, "h_t": entropy(p_t)}
