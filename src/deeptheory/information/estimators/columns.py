"""What becomes of columns before neighbors are sought in them: one scale, no constants, no ties.

Scale: each column to standard deviation 1, or to that of its middle half where a few values make up the deviation (one
outlier of 1e5 would leave the others no distance). Constant columns tell nothing and are left out.
Ties: values that repeat (zeros of ReLU layers, integers, rounded or bfloat16 activations) or lie on a grid make
distances equal, and strict counts are wrong there: +0.1 bit on independent layers of ReLU. Noise far below the distance
of neighboring values changes no information and breaks them; the estimate is the mean over several draws of it. The
noise goes by the rank of a row, so that neither the order of rows nor units of measurement change it.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one
from deeptheory.information.estimators.samples import constant, moderate, read

DRAWS = 4  # of the noise that breaks ties
COPIED = "rows are copies of others"
_NOISE = 1e-8  # of a column's scale, and no more than a quarter of what separates a repeated value from others
_FEW = 0.01  # of the values
_UNEQUAL = 1e3
_FAR = 1e6
_LINEAR = 1e-10  # what a column has beyond others, relative, to be more than rounding


@dataclass(frozen=True)
class Columns:
    """versions: one per draw of noise (one alone without ties), each a list of [d, n] float64, one per variable; plain:
    without the noise. tied: values repeat. empty: the names of variables that are constant. notes:
    what a reader must know of them."""

    versions: list[list[np.ndarray]]
    plain: list[np.ndarray]
    tied: bool
    empty: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def method(self) -> str:
        """What was done about ties, for the estimate's method; empty where there are none."""
        return f", ties broken by noise ({len(self.versions)} draws)" if self.tied else ""

    def mean(self, estimate) -> float:
        """Over the versions, of estimate(list of columns)."""
        return float(np.mean([estimate(v) for v in self.versions]))

    def rows(self, rows) -> list[np.ndarray]:
        """These rows of the first version."""
        return [np.ascontiguousarray(v[:, rows]) for v in self.versions[0]]


def comparable(standardize: bool, seed: int, **variables: np.ndarray) -> Columns:
    """Each variable [n, d] as columns in one scale, without constant ones and without ties."""
    names, parts = list(variables), []
    notes = []
    for name, a in variables.items():
        still = constant(a)
        if still.any():
            what = f"column{'s' if still.sum() > 1 else ''} {', '.join(map(str, np.flatnonzero(still)[:5]))}"
            what += " and more" if still.sum() > 5 else ""
            notes.append(f"{name} is constant" if still.all() else f"{name} is constant in {what}: left out")
        parts.append(a[:, ~still])
    empty = tuple(name for name, a in zip(names, parts) if a.shape[1] == 0)
    raw = np.concatenate([np.asarray(a, dtype=np.float64) for a in parts], axis=1)
    scaled = _standard(raw) if standardize else _together(raw)
    spread = scaled.std(0)
    if not standardize and raw.shape[1] and spread.max() > _UNEQUAL * spread.min():
        notes.append("columns' units differ by more than 1,000: distances see the largest alone; standardize=True")
    ends = np.cumsum([0] + [a.shape[1] for a in parts])
    cut = list(pairwise(ends))
    width = np.array([_width(c) for c in scaled.T])
    if not (width > 0).any():
        columns = np.ascontiguousarray(scaled.T)
        plain = [columns[a:b] for a, b in cut]
        return Columns([plain], plain, False, empty, tuple(notes))
    place, copies = _places(raw, cut)
    if copies:
        notes.append(
            f"{copies} {COPIED}, in all variables at once: they look like dependence; if they are "
            "the same samples again, leave them out (groups= corrects the interval, not the value)"
        )
    at = np.flatnonzero(width > 0)
    base = np.ascontiguousarray(scaled.T)
    base[at] -= base[at].mean(1, keepdims=True)  # noise must not be lost against an offset
    versions = []
    for draw in range(DRAWS):
        noise = np.random.default_rng([seed, draw, len(raw)]).uniform(-1, 1, (len(at), len(raw)))
        columns = base.copy()
        columns[at] += width[at, None] * noise[:, place]
        versions.append([columns[a:b] for a, b in cut])
    return Columns(versions, [base[a:b] for a, b in cut], True, empty, tuple(notes))


def _standard(a: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and standard deviation 1; or of that of the middle half, as if normal, where it is
    under a third of the other and not 0."""
    out = moderate(a)
    size = np.frexp(np.abs(a).max(0))[1]
    out = out - out.mean(0)
    spread = out.std(0)
    out = out / np.where(spread > 0, spread, 1.0)
    with np.errstate(over="ignore", invalid="ignore"):
        quarters = np.quantile(a, [0.25, 0.5, 0.75], axis=0) if a.shape[1] else np.zeros((3, 0))
        middle = (quarters[2] - quarters[0]) / 1.3489795
        few = (middle > 0) & (3 * middle < np.ldexp(spread, size))
    for u in np.flatnonzero(few):  # in units of the middle: beside an outlier of 1e300 nothing else has a digit left
        with np.errstate(over="ignore"):
            v = np.clip((a[:, u] - quarters[1, u]) / middle[u], -1e300, 1e300)
        far = np.abs(v) > _FAR
        v[far] = (
            np.sign(v[far]) * _FAR * (1 + np.log(np.abs(v[far]) / _FAR))
        )  # in order, at distances with finite squares
        out[:, u] = v
    return out


def _together(a: np.ndarray) -> np.ndarray:
    """Left in its own units; all columns by one power of two where differences would leave float64."""
    largest = np.abs(a).max(initial=0.0)
    return near_one(a) if largest > 1e150 or largest < 1e-150 else a


def _width(column: np.ndarray) -> float:
    """How wide noise may be that breaks this column's ties, 0 where it has none: values that repeat, or a grid."""
    ordered = np.sort(column)
    gaps = np.diff(ordered)
    twice, n = gaps == 0, len(ordered)
    thrice = (twice[2:] & twice[1:-1] & twice[:-2]).any()
    if thrice or twice.sum() > _FEW * n:
        beside = np.zeros(n - 1, dtype=bool)  # gaps that end at a value that repeats
        beside[1:] |= twice[:-1]
        beside[:-1] |= twice[1:]
        room = gaps[beside & ~twice].min(initial=np.inf)
    else:
        gaps = gaps[~twice]  # a few equal pairs, as float32 makes them by chance, change nothing
        room = gaps.min(initial=np.inf)
        steps = gaps / room if room > 0 else gaps
        if n < 10 or ordered[-1] - ordered[0] > 100 * n * room or np.abs(steps - np.round(steps)).max() > 1e-3:
            return 0.0
    digits = 64 * np.finfo(np.float64).eps * np.abs(ordered[[0, -1]]).max()  # noise below these would be lost again
    return float(max(min(_NOISE * column.std(), room / 4), digits))


def _places(raw: np.ndarray, cut) -> tuple[np.ndarray, int]:
    """The place of each row in an order that depends on its values' ranks alone, and how many rows of continuous
    variables are copies."""
    keys = []
    for first, last in cut:
        key = np.zeros(len(raw), dtype=np.uint64)
        for column in raw[:, first:last].T:
            rank = np.unique(column, return_inverse=True)[1].astype(np.uint64).ravel()
            key = hashed(key + rank + np.uint64(0x9E3779B97F4A7C15))
        keys.append(key)
    whole = np.zeros(len(raw), dtype=np.uint64)
    for key in keys:
        whole = hashed(whole + key)
    order = np.argsort(whole, kind="stable")
    place = np.empty(len(raw), dtype=np.int64)
    place[order] = np.arange(len(raw))
    sizes = [_sizes(key) for key, (a, b) in zip([*keys, whole], [*cut, (0, 1)]) if b > a]
    copied = np.all([v == sizes[-1] for v in sizes], axis=0) & (
        sizes[-1] > 1
    )  # the value stands nowhere but in these rows
    copies = (
        int((copied / sizes[-1]).sum()) if len(sizes) > 2 and min(_distinct(v) for v in sizes) > len(raw) ** 0.5 else 0
    )
    copies = int(copied.sum()) - copies if copies else 0
    return place, copies if copies > len(raw) / 100 else 0


def _sizes(key: np.ndarray) -> np.ndarray:
    """How many rows share each row's key."""
    _, inverse, counts = np.unique(key, return_inverse=True, return_counts=True)
    return counts[inverse.ravel()]


def _distinct(sizes: np.ndarray) -> float:
    return float((1 / sizes).sum())


def hashed(key: np.ndarray) -> np.ndarray:
    """A hash of 64 bits (Steele, Lea & Flood 2014)."""
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


def dependent(columns: np.ndarray) -> np.ndarray:
    """Which columns [d, n] are linear functions of those before them, to rounding: [d] bool."""
    d, n = columns.shape
    if d < 2 or n <= d:
        return np.zeros(d, dtype=bool)
    centered = columns - columns.mean(1, keepdims=True)
    size = np.sqrt((centered**2).sum(1))
    unit = centered / np.where(size > 0, size, 1.0)[:, None]
    if (size > 0).all() and np.linalg.eigvalsh(unit @ unit.T)[
        0
    ] > 1e-6:  # far from it: a tenth of the time of what follows
        return np.zeros(d, dtype=bool)
    left = np.abs(np.diag(np.linalg.qr(unit.T, mode="r")))
    return (left <= _LINEAR) & (size > 0)


def check_numbers(method: str, **variables: Any) -> None:
    """InputError: words or categories, whose codes are no numbers."""
    for name, value in variables.items():
        if read(value, name)[1]:
            raise InputError(f"{name} holds words, {method} needs numbers; 'labels' and 'plugin' take words")
