"""Exact ranks of partial-derivative matrices: what no network of fewer neurons can have.

The matrix of a form p of degree d at order k has a row for every derivative of order k and a column for every monomial
of degree d - k; its rank is the dimension of the space of derivatives of that order (the catalecticant; Nisan &
Wigderson 1996 use it for circuits, Lin, Tegmark & Rolnick 2017, appendix A, for neurons). Ranks are of integers modulo
a prime, which never exceed the true rank: a certified lower bound, and no float decides anything.
"""

from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from math import lcm, perm, prod

import numpy as np

from deeptheory.cheap.expressions import Exponents, Terms

PRIME = 2**31 - 1
LARGEST = 4_000_000  # entries of one matrix


class TooLarge(Exception):
    """A matrix with more entries than LARGEST."""


def derivative_rank(outputs: Sequence[Terms], order: int) -> int:
    """Dimension of the span of all derivatives of that order, all outputs beside each other. TooLarge: see LARGEST."""
    columns: dict[tuple, int] = {}
    rows: dict[Exponents, dict[int, int]] = defaultdict(dict)
    for which, terms in enumerate(outputs):
        scale = lcm(*(c.denominator for c in terms.values())) if terms else 1
        for powers, c in terms.items():
            whole = c.numerator * (scale // c.denominator)
            for s in _of_order(powers, order):
                left = tuple(p - k for p, k in zip(powers, s))
                column = columns.setdefault((which, left), len(columns))
                value = whole * prod(perm(p, k) for p, k in zip(powers, s)) % PRIME
                if value:
                    rows[s][column] = value
                if len(rows) * len(columns) > LARGEST and len(rows) > 4000:
                    raise TooLarge
    return _rank(list(rows.values()))


def _of_order(powers: Exponents, order: int):
    """Exponents of that sum, each at most that of powers."""
    if not powers:
        if order == 0:
            yield ()
        return
    rest = sum(powers[1:])
    for k in range(max(0, order - rest), min(powers[0], order) + 1):
        for tail in _of_order(powers[1:], order - k):
            yield (k, *tail)


def _rank(rows: list[dict[int, int]]) -> int:
    """Rank modulo PRIME, connected part by connected part."""
    owner: dict[int, int] = {}
    parent = list(range(len(rows)))

    def find(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, row in enumerate(rows):
        for c in row:
            parent[find(i)] = find(owner.setdefault(c, i))
    parts: dict[int, list[dict[int, int]]] = defaultdict(list)
    for i, row in enumerate(rows):
        if row:
            parts[find(i)].append(row)
    return sum(1 if len(part) == 1 else _dense_rank(part) for part in parts.values())


def _dense_rank(part: list[dict[int, int]]) -> int:
    columns = {c: k for k, c in enumerate(sorted({c for row in part for c in row}))}
    if len(part) * len(columns) > LARGEST:
        raise TooLarge
    m = np.zeros((len(part), len(columns)), dtype=np.int64)
    for i, row in enumerate(part):
        for c, v in row.items():
            m[i, columns[c]] = v
    if m.shape[0] > m.shape[1]:
        m = m.T.copy()
    rank = 0
    for c in range(m.shape[1]):
        pivots = np.flatnonzero(m[rank:, c])
        if len(pivots) == 0:
            continue
        p = rank + pivots[0]
        m[[rank, p]] = m[[p, rank]]
        m[rank] = m[rank] * pow(int(m[rank, c]), PRIME - 2, PRIME) % PRIME
        below = rank + 1 + np.flatnonzero(m[rank + 1 :, c])
        m[below] = (m[below] - m[below, c : c + 1] * m[rank]) % PRIME
        rank += 1
        if rank == m.shape[0]:
            break
    return rank


def independent_rows(outputs: Sequence[Terms]) -> list[int]:
    """Variables whose first derivatives are linearly independent, as many as there are; over the rationals."""
    count = max((len(k) for t in outputs for k in t), default=0)
    kept: list[int] = []
    reduced: list[tuple[tuple, dict[tuple, Fraction]]] = []  # pivot, row
    for i in range(count):
        row: dict[tuple, Fraction] = {}
        for which, terms in enumerate(outputs):
            for powers, c in terms.items():
                if powers[i]:
                    row[(which, *powers[:i], powers[i] - 1, *powers[i + 1 :])] = c * powers[i]
        for pivot, other in reduced:
            factor = row.get(pivot)
            if factor:
                for c, v in other.items():
                    row[c] = row.get(c, Fraction(0)) - factor * v
        row = {c: v for c, v in row.items() if v}
        if row:
            pivot, lead = next(iter(row.items()))
            reduced.append((pivot, {c: v / lead for c, v in row.items()}))
            kept.append(i)
    return kept
