"""A chain's tables, checked: their orientation, whether they fit, and as integers where exactness is wanted.

The paper writes p_i = M_i p_{i-1}: M_i is [new, old] and its columns sum to 1. Many programs keep the transpose.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any, Literal, get_args

import numpy as np

from deeptheory.core.arrays import as_floats, as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick

_SLACK = 1e-6  # by how much a column of float probabilities may miss 1 (float32 tables, printed digits)
Orientation = Literal["auto", "columns", "rows"]
ORIENTATIONS: tuple[Orientation, ...] = get_args(Orientation)


@dataclass(frozen=True, kw_only=True, eq=False)
class Chain:
    """prior: [s_0]; transitions: M_1..M_n, each [s_i, s_{i-1}] with columns that sum to 1; the unit is a probability.

    Float: numpy prior, scipy.sparse.csc_array transitions. Exact: integers (dtype object) over `denominators`, the
    prior's first.
    """

    prior: Any
    transitions: tuple[Any, ...]
    exact: bool
    orientation: str
    notes: tuple[str, ...] = ()

    @property
    def states(self) -> tuple[int, ...]:
        """Number of states of each level, y_0 first."""
        return (len(self.prior), *(m.shape[0] for m in self.transitions))


def read_chain(prior, transitions, orientation: str, exact: bool | None) -> Chain:
    """Check the tables and bring them into one form. Errors: see MarkovHierarchy."""
    pick(dict.fromkeys(ORIENTATIONS, 0), orientation, what="orientation")
    try:
        given = list(transitions)
    except TypeError as error:
        raise InputError(f"transitions is {transitions!r:.60}; needed: a list of tables, one per step") from error
    tables = [_table(m, f"transition {k}") for k, m in enumerate(given, start=1)]
    if not tables:
        raise InputError("transitions is empty; a hierarchy has at least one step")
    first = _vector(prior)
    whole = (
        exact if exact is not None else all(_is_whole(t) for t in (first, *tables)) and not any(map(_sparse, tables))
    )
    if whole and any(map(_sparse, tables)):
        raise InputError("exact arithmetic takes dense tables; this chain has sparse ones: use exact=False")
    turned, notes = _orient(first, tables, orientation)
    for k, m in enumerate(turned, start=1):
        _check_table(m, f"transition {k}")
    if whole:
        integers = [_whole_columns(m) for m in (first[:, None], *turned)]
        return Chain(
            prior=integers[0][:, 0], transitions=tuple(integers[1:]), exact=True, orientation=notes[0], notes=notes[1]
        )
    return Chain(
        prior=_normalized(first[:, None])[:, 0],
        transitions=tuple(_normalized_sparse(m) for m in turned),
        exact=False,
        orientation=notes[0],
        notes=notes[1],
    )


def _vector(prior) -> np.ndarray:
    p = _dense(prior, "prior")
    if p.ndim != 1 or not len(p):
        raise InputError(f"prior has shape {list(p.shape)}; needed: [states], at least one")
    _check_table(p[:, None], "prior")
    return p


def _table(m, name: str):
    if _sparse(m):
        m = m.tocsc()
        if m.dtype.kind not in "biuf":
            raise InputError(f"{name} holds {m.dtype}; needed: real numbers")
        return m
    m = _dense(m, name)
    if m.ndim != 2 or not m.size:
        raise InputError(f"{name} has shape {list(m.shape)}; needed: [new states, old states]")
    return m


def _dense(m, name: str) -> np.ndarray:
    try:
        m, given = as_numpy(m), m
        if m.dtype == object:
            for v in m.flat:
                _fraction(v)
            return m
    except (TypeError, ValueError, OverflowError) as error:  # ragged, sparse tensors, None, text, NaN, infinity
        raise InputError(f"{name} is no table of finite real numbers: {str(error)[:80]}") from error
    if m.dtype.kind in "iu":
        return m if m.dtype.itemsize == 8 else m.astype(np.int64)  # sums of narrow ones would wrap around
    return as_floats(given)


def _sparse(m) -> bool:
    return hasattr(m, "tocsc")


def _is_whole(m) -> bool:
    return not _sparse(m) and m.dtype.kind in "iuO"


def _check_table(m, name: str) -> None:
    """Entries finite and not negative, every column with some weight; floats must be probabilities."""
    values = m.data if _sparse(m) else m
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(f"{name} holds NaN or infinity; probabilities are numbers from 0 to 1")
    if (values < 0).any():
        raise InputError(f"{name} holds {values.min()}; probabilities and counts are not negative")
    m = m.astype(np.float64) if values.dtype.kind in "iu" else m  # sums of int64 wrap around
    sums = np.asarray(m.sum(axis=0)).reshape(-1)
    if not (sums > 0).all():
        empty = int(np.argmax(sums <= 0))
        raise InputError(f"{name} says nothing of state {empty}: its column sums to 0; give every state a next one")
    floats = values.dtype.kind == "f" or (values.dtype == object and any(isinstance(v, float) for v in values.flat))
    if floats and (off := float(np.abs(sums.astype(float) - 1).max())) > _SLACK:
        raise InputError(f"the columns of {name} miss 1 by up to {off:.2g}; give probabilities, or counts as integers")


def _orient(prior, tables, orientation: str):
    """The tables as [new, old], and (orientation, notes)."""
    if orientation == "auto":
        fits = {way: _fits(prior, tables, way) for way in ("columns", "rows")}
        if fits["rows"] and not fits["columns"]:
            orientation = "rows"
        else:
            orientation = "columns"
        symmetric = all(m.shape[0] == m.shape[1] and abs(m - m.T).max() == 0 for m in tables)
        both = fits["rows"] and fits["columns"] and not symmetric
        notes = ("both ways of reading the tables fit; read as [new, old], columns sum to 1",) if both else ()
    else:
        notes = ()
    turned = [m if orientation == "columns" else m.T for m in tables]
    states = len(prior)
    for k, m in enumerate(turned, start=1):
        if m.shape[1] != states:
            raise InputError(
                f"transition {k} has shape {list(tables[k - 1].shape)}, read by {orientation}; "
                f"level {k - 1} has {states} states: give [new, old] tables whose columns sum to 1, "
                "or orientation='rows'"
            )
        states = m.shape[0]
    return turned, (orientation, notes)


def _fits(prior, tables, way: str) -> bool:
    states = len(prior)
    for m in tables:
        m = m if way == "columns" else m.T
        if m.shape[1] != states:
            return False
        values = m.data if _sparse(m) else m
        sums = np.asarray(m.sum(axis=0)).reshape(-1)
        if values.dtype.kind == "f" and np.abs(sums - 1).max() > _SLACK:
            return False
        states = m.shape[0]
    return True


def _normalized(m) -> np.ndarray:
    m = np.array([[float(v) for v in row] for row in m]) if m.dtype == object else m.astype(np.float64)
    return m / m.sum(axis=0)


def _normalized_sparse(m):
    from scipy import sparse

    if not _sparse(m):
        return sparse.csc_array(_normalized(m))
    m = sparse.csc_array(m, dtype=np.float64)
    scale = 1 / np.asarray(m.sum(axis=0)).reshape(-1)
    return m @ sparse.diags_array(scale, format="csc")


def _whole_columns(m) -> np.ndarray:
    """Integers whose columns are proportional to those of m and all have one sum; dtype object.

    A float is taken at its binary value.
    """
    fractions = np.array([[_fraction(v) for v in row] for row in m])
    shares = fractions / fractions.sum(axis=0)
    common = lcm(*(f.denominator for f in shares.ravel()))
    return np.array([[int(f * common) for f in row] for row in shares], dtype=object)


def _fraction(v) -> Fraction:
    """A number as it is. TypeError, ValueError or OverflowError: text, None, a complex number, NaN, infinity."""
    if isinstance(v, str):
        raise TypeError(f"{v!r} is text")
    return Fraction(v.item() if isinstance(v, np.generic) else v)
