"""Which rows depend on each other, and what follows for folds, shuffles, standard errors and the number of rows that
count.

Rows are independent, or they come in groups (repeats of one stimulus, runs of a movie), or they are one series in time.
Groups stay together in folds and move as wholes under the null. Where there are few, and in a series, folds and
standard errors keep stretches of at least twice the integrated autocorrelation time, near the stretch left out as many
rows are not learned from, and the null shifts the series in a circle: cut into stretches it would lose what
neighboring stretches share (level .08 for a nominal .05 with stretches of twice the time, .06 with shifts).
Sources: Sokal 1997 (autocorrelation time); Bartlett 1935 (the variance of a correlation of two series); Politis &
Romano 1994 (blocks and circular shifts). Pitfall: two unrelated series of autocorrelation .98 correlate at .3 over
1,000 rows.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from deeptheory.core.errors import InputError
from deeptheory.core.statistics import autocorrelation_time, codes_of, permutations

_MANY = 20  # groups from which whole groups are shuffled
_SURE = 1e-4  # level at which rows count as a series
_EDGES = 19  # ends of groups from which it can be seen whether the next goes on
_COARSE = 10  # values of a feature that many stimuli may share
_FEWEST = 20.0  # effective rows below which there is no null: at 10 its level is .11 for a nominal .05


@dataclass(frozen=True, eq=False)
class Rows:
    """n rows.

    runs [n]: the group of each, or None. time: autocorrelation time in rows (1: independent). whole: groups move as
    wholes.
    """

    n: int
    runs: np.ndarray | None = None
    time: float = 1.0
    whole: bool = False

    @property
    def independent(self) -> bool:
        """Whether no row says anything of another."""
        return self.runs is None and self.time == 1

    @property
    def block(self) -> int:
        """Rows of a stretch that is shuffled: twice the autocorrelation time."""
        return int(np.ceil(2 * self.time))

    @property
    def effective(self) -> float:
        """Independent rows that weigh as much."""
        return self.n / self.time

    def orders(self, draws: int, seed: Any) -> np.ndarray:
        """[draws, n]: orders of the rows under the null; none where too few rows count."""
        if self.independent:
            return permutations(self.n, draws, seed=seed)
        if self.whole:
            return permutations(self.n, draws, seed=seed, groups=self.runs)
        if self.effective < _FEWEST or self.n < 4 * self.block:
            return np.zeros((0, self.n), dtype=np.int64)
        rng, order = np.random.default_rng(seed), np.argsort(self._runs, kind="stable")
        out = np.empty((draws, self.n), dtype=np.int64)
        for k in range(draws):
            out[k, order] = np.roll(order, int(rng.integers(self.block, self.n - self.block + 1)))
        return out

    @property
    def _runs(self) -> np.ndarray:
        return np.zeros(self.n, dtype=np.int64) if self.runs is None else self.runs

    def clusters(self) -> np.ndarray | None:
        """[n]: codes of the pieces that count as independent in a standard error; None: every row."""
        if self.independent:
            return None
        return self.runs if self.whole else self._stretches(self.block)

    def _stretches(self, length: int) -> np.ndarray:
        out, at = np.empty(self.n, dtype=np.int64), 0
        for run in range(self._runs.max() + 1):
            rows = np.flatnonzero(self._runs == run)
            for part in np.array_split(rows, max(1, len(rows) // length)):
                out[part] = at
                at += 1
        return out

    def parts(self, k: int, seed: int) -> np.ndarray:
        """[n]: the fold of each row, at most k of them; groups, or long stretches of a series, stay in one fold."""
        rng = np.random.default_rng([seed, 17])
        if self.runs is not None and (self.whole or self.runs.max() + 1 >= 5):
            fold_of = _dealt(np.bincount(self.runs), k, rng)
            return fold_of[self.runs]
        most = max(2, min(k, self.n // max(self.block, 1)))
        long = self._stretches(max(self.block, self.n // most))
        return codes_of(np.minimum(long * most // (long.max() + 1), most - 1))

    def folds(self, k: int, seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """(rows learned from, rows left out) of each fold."""
        if self.independent:
            generator = torch.Generator().manual_seed(int(seed) % 2**64)  # torch has no larger seeds, numpy has
            order = torch.randperm(self.n, generator=generator).numpy()
            parts = np.empty(self.n, dtype=np.int64)
            for fold, rows in enumerate(np.array_split(order, k)):
                parts[rows] = fold
        else:
            parts = self.parts(k, seed)
        gap = 0 if self.independent or self.whole else int(np.ceil(self.time))
        out = []
        for fold in range(parts.max() + 1):
            test = parts == fold
            near = _widened(test, self._runs, gap)
            if (~near).sum() < self.n // 2:  # so slow a series that the gap would eat what there is to learn from
                near = test
            out.append((torch.as_tensor(np.flatnonzero(~near)), torch.as_tensor(np.flatnonzero(test))))
        return out

    def left_out(self, k: int, seed: int) -> list[tuple[torch.Tensor, torch.Tensor]] | None:
        """Folds for left_out.left_out; None: each row alone."""
        return None if self.independent else self.folds(k, seed)


def _widened(test: np.ndarray, runs: np.ndarray, gap: int) -> np.ndarray:
    near = test.copy()
    for shift in range(1, gap + 1):
        near[shift:] |= test[:-shift] & (runs[shift:] == runs[:-shift])
        near[:-shift] |= test[shift:] & (runs[shift:] == runs[:-shift])
    return near


def _dealt(sizes: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """[group]: folds of nearly even numbers of rows, the largest groups dealt first."""
    k = min(k, len(sizes))
    out, load = np.empty(len(sizes), dtype=np.int64), np.zeros(k)
    for group in sorted(rng.permutation(len(sizes)), key=lambda g: -sizes[g]):
        out[group] = load.argmin()
        load[out[group]] += sizes[group]
    return out


def rows_of(z: np.ndarray, y: np.ndarray, groups: np.ndarray | None) -> tuple[Rows, tuple[str, ...]]:
    """The dependence of rows with features z [n, r] (principal scores) and responses y [n, u], and what to say of
    it.
    """
    n = len(z)
    if groups is None:
        if not (_ordered(z) and _ordered(_residual(z, y))):
            return Rows(n), ()
        time = _time(z, y, None)
        rows = Rows(n, None, time)
        said = (
            f"neighboring rows are alike in features and responses (autocorrelation time {time:.1f} rows): "
            "taken as a series in "
            f"time, {rows.effective:.0f} independent rows in effect; folds keep stretches of {rows.block} "
            "rows, the null shifts in a circle. "
            "Where the order of rows means nothing, give groups=np.arange(n)"
        )
        return rows, (said, *_weak(rows))
    codes = codes_of(groups)
    number = int(codes.max()) + 1
    if number == n:
        return Rows(n), ()
    if _continued(z, codes) and _continued(_residual(z, y), codes):
        rows = Rows(n, None, _time(z, y, None))
        said = (
            f"the {number} groups are stretches of one series: where one ends the next goes on "
            f"(autocorrelation time {rows.time:.1f} "
            f"rows); {rows.effective:.0f} independent rows in effect, folds keep stretches of {rows.block} "
            "rows, the null shifts in a circle"
        )
        return rows, (said, *_weak(rows))
    time = _time(z, y, codes)
    rows = Rows(n, codes, time, number >= _MANY)
    how = "moves whole groups" if rows.whole else "shifts in a circle"
    said = (
        f"{n} rows in {number} groups, {rows.effective:.0f} independent rows in effect; groups stay in one "
        f"fold, the null {how}"
    )
    return rows, (said, *_weak(rows))


def _weak(rows: Rows) -> tuple[str, ...]:
    if rows.whole or (rows.effective >= _FEWEST and rows.n >= 4 * rows.block):
        return ()
    return (f"{rows.effective:.0f} independent rows in effect have no null: p-values by shuffling are NaN",)


def _residual(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Responses less what is linear in the features, where that also explains how they change from one row to the next;
    else the responses. So stimuli listed by class, with responses that follow each of them, are no series, and features
    and responses that merely drift together are one."""
    y = y - y.mean(0)
    if len(z) < 4 * z.shape[1]:
        return y
    z = z - z.mean(0)
    slope = np.linalg.lstsq(z, y, rcond=None)[0]
    steps = np.diff(y, axis=0)
    follows = ((steps - np.diff(z, axis=0) @ slope) ** 2).sum(0) < (steps**2).sum(0)
    return np.where(follows, y - z @ slope, y)


def _ordered(x: np.ndarray) -> bool:
    """Is some column's correlation with the row before it larger than chance, over all columns?"""
    from scipy.stats import norm

    x = x - x.mean(0)
    total = np.square(x).sum(0)
    x, total = x[:, total > 0], total[total > 0]
    if len(x) < 20 or not len(total):
        return False
    first = (x[1:] * x[:-1]).sum(0) / total
    return bool(((first * np.sqrt(len(x)) > norm.isf(_SURE / len(total))) & (first > 0.1)).any())


def _continued(x: np.ndarray, codes: np.ndarray) -> bool:
    """Is the last row of a group like the first row of the next, in some column and by more than chance?"""
    from scipy.stats import norm

    edges = np.flatnonzero(codes[1:] != codes[:-1])
    if len(edges) != codes.max() or len(edges) < _EDGES:  # groups whose rows lie apart follow no time
        return False
    a, b = (x[k] - x.mean(0) for k in (edges, edges + 1))
    size = np.sqrt(np.square(a).sum(0)) * np.sqrt(np.square(b).sum(0))  # of sums: their product leaves float64
    r = (a * b).sum(0) / np.where(size > 0, size, np.inf)
    return bool((r * np.sqrt(len(edges)) > norm.isf(_SURE / len(r))).any())


def _time(z: np.ndarray, y: np.ndarray, runs: np.ndarray | None) -> float:
    """The longer of the two times, since short series are estimated too short. Of the responses themselves: a trend
    that both share would be gone from the residual."""
    return float(max(autocorrelation_time(z, runs), autocorrelation_time(y, runs)))


def repeats(s: np.ndarray) -> tuple[int, int]:
    """(rows that repeat another's features, how many of them independent columns of few values would give by
    chance).
    """
    counts = np.unique(s, axis=0, return_counts=True)[1]
    repeated = int(counts[counts > 1].sum())
    if not repeated:
        return 0, 0
    if len(counts) <= s.shape[1] + 1 and _rank(s) == len(counts) - 1:
        return (
            repeated,
            repeated,
        )  # as many stimuli as features: any rate of each is linear in them (categories, one-hot)
    n, same = len(s), 1.0
    for column in s.T:
        seen = np.unique(column, return_counts=True)[1]
        same *= float(((seen / n) ** 2).sum()) if len(seen) <= max(_COARSE, n // 20) else 0.0
    pairs = float((counts * (counts - 1) / 2).sum())
    chance = n * (n - 1) / 2 * same
    return repeated, repeated if pairs <= chance + 5 * np.sqrt(chance) else 0


def _rank(s: np.ndarray) -> int:
    """Of centered columns, each in units of its own largest value: of others a small one would count as rounding."""
    s = s - s.mean(0)
    size = np.abs(s).max(0)
    return int(np.linalg.matrix_rank(s / np.where(size > 0, size, 1.0)))


def check_repeats(s: np.ndarray) -> tuple[str, ...]:
    """InputError where rows repeat a stimulus; a note where columns of few values explain that rows are equal."""
    repeated, chance = repeats(s)
    if not repeated:
        return ()
    if chance:
        return (
            f"{repeated} of {len(s)} rows share their features with another, as so coarse features do by "
            "chance; taken as different stimuli",
        )
    raise InputError(
        f"{repeated} of {len(s)} rows repeat the features of another row; repeats of one stimulus are no "
        "independent rows. Give "
        "groups= (one label per stimulus; its rows become trials), or groups=np.arange(n) if they are different stimuli"
    )
