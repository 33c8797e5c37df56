"""The door of every bottleneck solver: a joint table p(x, y), checked, and reduced to what the problem depends on.

Rows with the same p(y|x) can be merged before solving: any optimal T treats them alike (Tishby, Pereira & Bialek 1999,
the self-consistent equations see x through p(y|x) alone), so a table of 4096 inputs may be one of a dozen. Rows count
as the same when they agree to 1e-13; rows and columns without mass are left out and put back at the end.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.arrays import as_numpy
from deeptheory.errors import InputError
from deeptheory.shapes import check_finite

_ALIKE = 13  # decimals of p(y|x)


@dataclass(frozen=True, kw_only=True, eq=False)
class Joint:
    """p: [n] masses of the merged rows; q: [n, m] their p(y|x), columns with mass only; group: [nx] merged row of each
    row of the table, -1 without mass; columns: [m] numbers of the columns kept; shape: of the table. Entropies in bits:
    h_x of the merged rows (the most that an optimal T need keep), h_y, i_xy. deterministic: Y is a function of X.
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
    """A table [nx, ny] as a Joint. InputError: not two axes, empty, NaN, negative, or its sum is not 1 (to 1e-6)."""
    if isinstance(p_xy, Joint):
        return p_xy
    table = as_numpy(p_xy).astype(np.float64)
    if table.ndim != 2 or 0 in table.shape:
        raise InputError(f"p_xy has shape {list(table.shape)}; needed: a table [nx, ny], neither of them 0")
    check_finite(p_xy=table)
    if table.min() < 0:
        where = np.unravel_index(table.argmin(), table.shape)
        raise InputError(f"p_xy is {table.min():.3g} at {[int(k) for k in where]}; probabilities are 0 or above")
    total = table.sum()
    if abs(total - 1) > 1e-6:
        raise InputError(f"p_xy sums to {total:.6g}; a joint distribution sums to 1: divide counts by their total")
    table = table / total
    p_x, kept = table.sum(1), np.flatnonzero(table.sum(0) > 0)
    rows = np.flatnonzero(p_x > 0)
    p, q, inverse = _merged(p_x[rows], table[np.ix_(rows, kept)])
    group = np.full(len(table), -1)
    group[rows] = inverse
    h_y, h_y_given_x = entropy(p @ q), float(p @ entropies(q))
    return Joint(
        p=p,
        q=q,
        group=group,
        columns=kept,
        shape=(table.shape[0], table.shape[1]),
        h_x=entropy(p),
        h_y=h_y,
        i_xy=max(h_y - h_y_given_x, 0.0),  # a sum of logarithms, 0 to rounding when X and Y are independent
        deterministic=bool((q.max(1) > 1 - 10.0**-_ALIKE).all()),
    )


def _merged(p_x: np.ndarray, table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rounded = np.round(table / p_x[:, None], _ALIKE) + 0.0
    if table.shape[1] <= 2:  # one number decides
        _, inverse = np.unique(rounded[:, 0], return_inverse=True)
    else:
        _, inverse = np.unique(rounded, axis=0, return_inverse=True)
    inverse = inverse.ravel()
    n = int(inverse.max()) + 1
    p = np.bincount(inverse, p_x, n)
    joint = np.stack([np.bincount(inverse, column, n) for column in table.T], axis=1)
    return p, joint / p[:, None], inverse


def entropy(p: np.ndarray) -> float:
    """H of one distribution, bits."""
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def entropies(rows: np.ndarray) -> np.ndarray:
    """H of each row, bits."""
    return -(rows * np.log2(np.where(rows > 0, rows, 1))).sum(-1)


def informations(joint: Joint, encoder: np.ndarray) -> dict[str, Any]:
    """What an encoder p(t|x) [n, k] of the merged rows gives: p_t [k], decoder p(y|t) [k, m], i_x, i_y, h_t in bits.

    Clusters without mass have the decoder p(y). Values that are 0 to rounding come out as 0.
    """
    p_t = joint.p @ encoder
    held = (encoder * joint.p[:, None]).T @ joint.q  # [k, m]
    used = p_t > 0
    decoder = np.where(used[:, None], held / np.where(used, p_t, 1)[:, None], joint.p_y)
    h_t = entropy(p_t)
    i_x = h_t - float(joint.p @ entropies(encoder))
    i_y = joint.h_y - float(p_t @ entropies(decoder))
    return {"p_t": p_t, "decoder": decoder, "i_x": max(i_x, 0.0) + 0.0, "i_y": max(i_y, 0.0) + 0.0, "h_t": h_t}
