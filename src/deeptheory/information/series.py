"""Information between series: at which lag do they share how much, and how much does the past of one add about the next
of the other?

Sources: Schreiber 2000 (transfer entropy, eq. 4: I(Y_t; past of X | past of Y)); block intervals as in statistics.py.
Nulls shift one series in time against the other, which keeps each as it is and breaks what binds them (Quiroga,
Kraskov, Kreuz & Grassberger 2002).
Pitfalls: rows of a series are not independent, so that intervals come from stretches of it; information at one lag is
there at others too, through each series' own memory; transfer entropy is no proof of a cause: what drives both with
different delays looks the same, and a history too short leaves some of y's own past to x.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from deeptheory.core import statistics
from deeptheory.core.arrays import check_paired
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_whole
from deeptheory.information.doubts import product_time
from deeptheory.information.estimate import InformationEstimate, held_by, holding
from deeptheory.information.estimators.plugin import symbols
from deeptheory.information.measures import conditional_mutual_information, mutual_information
from deeptheory.information.reading import read, shape_notes

_LEAST_SHIFT = 0.05  # of the series, by which the null shifts at least, at either end


@dataclass(frozen=True, kw_only=True, eq=False)
class LaggedInformation(Result):
    """I(X_t; Y_t+lag) by lag.

    lag: [m]; estimates: one InformationEstimate per lag, as rows of .table().
    """

    lag: np.ndarray
    estimates: tuple[InformationEstimate, ...]

    def __repr__(self) -> str:
        best = self.estimates[self.best]
        return (
            f"LaggedInformation({len(self.lag)} lags, largest at {self.lag[self.best]}: {best.value:.3g} {best.unit})"
        )

    @property
    def best(self) -> int:
        """Which entry has the largest value; that of the largest of several is biased upwards by the choice."""
        values = np.array([e.value for e in self.estimates])
        return int(np.where(np.isnan(values), -np.inf, values).argmax())  # NaN is no largest

    def table(self):
        """One row per lag: lag, value, low, high, p, unit, method."""
        import pandas as pd

        names = ("value", "low", "high", "p", "unit", "method")
        return pd.DataFrame(
            [{"lag": int(k), **{n: getattr(e, n) for n in names}} for k, e in zip(self.lag, self.estimates)]
        )

    def figure(self):
        """Information with its interval against the lag: to the right of 0, x before y."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import SERIES_COLORS, new_figure

        table = self.table()
        ends = [(table["high"] - table["value"]).to_numpy(), (table["value"] - table["low"]).to_numpy()]
        up, down = (np.where(np.isfinite(v), v, 0.0).round(5).tolist() for v in ends)
        figure = new_figure(xaxis_title="lag (rows by which y is later)", yaxis_title=table["unit"][0])
        figure.add_trace(
            go.Scatter(
                x=table["lag"].tolist(),
                y=table["value"].round(5).tolist(),
                mode="lines+markers",
                line={"color": SERIES_COLORS[0]},
                error_y={"type": "data", "array": up, "arrayminus": down},
                showlegend=False,
            )
        )
        return figure


def lagged_information(
    x: Any, y: Any, lags: Iterable[int] = range(11), *, block: int | None = None, method: Any = "auto", **options: Any
) -> LaggedInformation:
    """I(X_t; Y_t+lag) of two series for each lag (y later by that many rows), in bits.

    x: [n, dx]; y: [n, dy]; or [n]. block: rows per stretch of the intervals; None: twice the autocorrelation time of
    both together, at least 1 (then intervals are those of independent rows). method, options: as for
    `mutual_information` (permutations= moves whole blocks). Intervals are there from 200 blocks on, NaN with a note
    below. InputError: as there; a lag that leaves under 20 rows.
    """
    if "groups" in options:
        raise InputError("groups= is for rows without an order; for series give block=, the rows per stretch")
    pairs, (one, two) = _both(x, y)
    n, notes = len(pairs[0]), check_paired(x=x, y=y) + shape_notes(x=x, y=y)
    wanted = [lags] if isinstance(lags, int | np.integer) else lags
    if isinstance(wanted, str | bytes) or not isinstance(wanted, Iterable):
        raise InputError(f"lags is {lags!r:.60}; needed: integers, as in range(11)")
    wanted = list(wanted)
    if not wanted:
        raise InputError("lags is empty; needed: integers, as in range(11)")
    for lag in wanted:
        check_whole(lag=(lag, None))
        if n - abs(int(lag)) < 20:
            raise InputError(f"lag {lag} leaves {max(0, n - abs(int(lag)))} of {n} rows; needed: 20 or more")
    size = _block(pairs, block)
    out = []
    for lag in map(int, wanted):
        a, b = (one[: n - lag], two[lag:]) if lag >= 0 else (one[-lag:], two[:lag])
        got = mutual_information(a, b, method, block=size if size > 1 else None, **options)
        out.append(holding(replace(got, notes=(*got.notes, *notes)), held_by(got)))
    return LaggedInformation(lag=np.array([int(k) for k in wanted]), estimates=tuple(out))


def transfer_entropy(
    x: Any,
    y: Any,
    *,
    lag: int = 1,
    history: int = 1,
    given: Any = None,
    method: Literal["auto", "ksg", "mixed", "plugin", "gaussian"] = "auto",
    block: int | None = None,
    shifts: int = 0,
    seed: int = 0,
    unit: Literal["bits", "nats"] = "bits",
    **options: Any,
) -> InformationEstimate:
    """I(Y_t; X_t-lag | Y_t-1 ... Y_t-history): what x adds about the next y beyond y's own past, in bits.

    x: [n, dx]; y: [n, dy]; or [n], series. lag: rows by which x is earlier. history: rows of y's own past that are
    given. given: a third series [n, dz] or [n], whose last `history` rows are given as well: what drives both x and y,
    say. method, options: as for `conditional_mutual_information`. block: rows per stretch of the interval; None:
    twice the autocorrelation time of both together. shifts: draws of x shifted in time against all else (around the
    end), for .p and .null_mean. seed: of the shifts, ties and batches. InputError: as there; fewer than 20 rows left;
    lag or history below 1; `given` of another length, or of words beside numbers.
    """
    check_whole(lag=(lag, 1), history=(history, 1), shifts=(shifts, 0), seed=(seed, 0))
    (a, b), (one, two) = _both(x, y)
    third = {} if given is None else {"given": given}
    notes = check_paired(x=x, y=y, **third) + shape_notes(x=x, y=y, **third)
    n, first = len(a), max(lag, history)
    if n - first < 20:
        raise InputError(f"lag {lag} and history {history} leave {max(0, n - first)} of {n} rows; needed: 20 or more")
    size = _block([a, b], block)
    known = [b] if given is None else [b, _third(given, n, whole=a.dtype.kind + b.dtype.kind)]
    wordy = two.dtype.kind == "U" or (given is not None and read(given, "given")[1])
    if wordy and any(v.dtype.kind == "f" for v in known):
        raise InputError("y holds words, beside which `given` must be integers; or give y as 0/1 columns")
    past = np.concatenate([v[first - h : n - h] for v in known for h in range(1, history + 1)], axis=1)
    past = _names(symbols(past, "the past")) if wordy else past

    def of(series: np.ndarray, block: int | None) -> InformationEstimate:
        more = (
            options
            if method in ("plugin", "gaussian") or _counted(method, one, two, past)
            else {**options, "seed": seed}
        )
        return conditional_mutual_information(
            series[first - lag : n - lag], two[first:], past, method=method, block=block, unit=unit, **more
        )

    got = of(one, size if size > 1 else None)
    beside = "" if given is None else ", given a third series"
    named = f"transfer entropy, lag {lag}, history {history}{beside}: {got.method}"
    held = replace(got, method=named, notes=(*got.notes, *notes))
    if not shifts:
        return holding(held, held_by(got))
    rng = np.random.default_rng([seed, n, 10])
    least = max(1, int(_LEAST_SHIFT * n))
    null = np.array([of(np.roll(one, s, axis=0), None).value for s in rng.integers(least, n - least, shifts)])
    p = float(statistics.permutation_p(got.value - 1e-12, null))
    return holding(replace(held, p=p, null_mean=float(null.mean())), held_by(got))


def _counted(method: str, *sides: np.ndarray) -> bool:
    return method == "auto" and all(v.dtype.kind in "biuU" for v in sides)


def _third(given: Any, n: int, whole: str) -> np.ndarray:
    """given as [n, dz]; whole: the kinds of x and y, beside which words are counted or have no distances."""
    a, named = read(given, "given")
    if len(a) != n:
        raise InputError(f"given has {len(a)} rows, x has {n}; series are paired by time, all need the same n")
    if named and set(whole) - set("biu"):
        raise InputError("given holds words, whose codes are no numbers; beside numbers give one 0/1 column per word")
    check_finite(given=a)
    return a


def _both(x: Any, y: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Both series as [n, d] (names as codes), finite and of one length; and as estimators take them, names as names."""
    out, named = zip(*(read(v, name) for v, name in ((x, "x"), (y, "y"))))
    if len(out[0]) != len(out[1]):
        raise InputError(
            f"y has {len(out[1])} rows, x has {len(out[0])}; series are paired by time, both need the same n"
        )
    check_finite(x=out[0], y=out[1])
    return list(out), [_names(v[:, 0]) if words else v for v, words in zip(out, named)]


def _names(codes: np.ndarray) -> np.ndarray:
    """Codes [n] as words of the same order, between which nobody takes a distance."""
    return np.char.zfill(codes.astype(str), len(str(codes.max(initial=0))))


def _block(pair: list[np.ndarray], block: int | None) -> int:
    if block is not None:
        check_whole(block=(block, 1))
        return block
    time = product_time(pair, [a.dtype.kind in "biu" and a.shape[1] == 1 for a in pair])
    return max(1, math.ceil(2 * time)) if time > 1 else 1
