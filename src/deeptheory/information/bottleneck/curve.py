"""The information curve of p(x, y): the most I(T;Y) for each I(X;T), from certified optima of many betas at once.

Source: Tishby, Pereira & Bialek 1999; Tishby & Zaslavsky 2015, figure 2, and section II.C (critical betas). The first
critical beta, where the trivial solution stops being a minimum, is exact: 1/s2^2, s2 the second singular value of
diag(p_x)^-1/2 P diag(p_y)^-1/2.
Pitfalls: a distant solution may win before that (a jump; noted), and a straight piece of the curve belongs to one beta
alone, as the whole of it does when Y is a function of X or X one of Y.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.arrays import Array, as_floats, as_numpy, like
from deeptheory.core.results import Result
from deeptheory.core.theme import NEUTRAL, SERIES_COLORS, new_figure
from deeptheory.information.bottleneck.joint import Joint, as_joint
from deeptheory.information.bottleneck.methods import check_betas, check_clock, check_count, deterministic_note
from deeptheory.information.bottleneck.optimal import informations_of, solve_path
from deeptheory.information.bottleneck.products import Clock

if TYPE_CHECKING:
    import plotly.graph_objects
    import xarray

_BITS = 1 / np.log(2)
_MOST_POINTS = 400
_LINE = 21
_CLOSE = 1e-4  # of I(X;Y), of one bit at most: how far the adaptive curve's tangents and chords may be apart
_SAME_TO = 1e-5  # relative: how finely a bifurcation is located


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class BottleneckCurve(Result):
    """The information curve of p(x, y): optima of I(X;T) - beta I(T;Y) for many betas.

    Source: Tishby, Pereira & Bialek 1999; Tishby & Zaslavsky 2015, figure 2. beta, i_x, i_y [b] bits, betas ascending;
    clusters [b]: of T at the optimum; gap [b]: bits by which I(X;T) - beta I(T;Y) may be above the least possible.
    critical_beta [c]: where the optimum's number of clusters changes, ascending; first_critical: 1/s2^2, exact (see
    `first_critical_beta`). In bits: i_xy = I(X;Y), h_x: the largest I(X;T) of use, H of X with equal p(y|x) merged,
    h_y = H(Y). notes: what to beware of in this curve, in words. Arrays are float64, torch where p_xy was.
    """

    beta: Array
    i_x: Array
    i_y: Array
    clusters: Array
    gap: Array
    critical_beta: Array
    first_critical: float
    i_xy: float
    h_x: float
    h_y: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        notes = f", {len(self.notes)} note{'s' * (len(self.notes) > 1)}" if self.notes else ""
        return (
            f"BottleneckCurve({len(self.beta)} betas, first critical {self.first_critical:.6g}, "
            f"{len(self.critical_beta)} bifurcations, I(X;Y) {self.i_xy:.4f} bits{notes})"
        )

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset over beta: i_x, i_y, gap (bits), clusters."""
        import xarray as xr

        columns = {k: ("beta", as_numpy(getattr(self, k))) for k in ("i_x", "i_y", "clusters", "gap")}
        attributes = {"i_xy": self.i_xy, "first_critical": self.first_critical, "unit": "bits"}
        return xr.Dataset(columns, coords={"beta": as_numpy(self.beta)}, attrs=attributes)

    def bound(self, i_x) -> np.ndarray:
        """The most I(T;Y) that any T with that I(X;T) can have, bits; never too low.

        Every beta's optimum gives a line I(T;Y) <= (I(X;T) - L(beta) + gap) / beta, and I(T;Y) <= I(X;T),
        <= I(X;Y). i_x: [...], bits, below 0 taken as 0; float64 of that shape, NaN where i_x is.
        InputError: no numbers.
        """
        x = np.maximum(as_floats(i_x), 0.0)  # NaN stays NaN
        beta, gap = as_numpy(self.beta), as_numpy(self.gap)
        used = (beta > 0) & np.isfinite(gap)  # where time ran out nothing is known of the least
        least = (as_numpy(self.i_x) - beta * as_numpy(self.i_y) - gap)[used]
        lines = (x[..., None] - least) / beta[used]
        return np.minimum(lines.min(-1, initial=np.inf), np.clip(x, 0, self.i_xy))

    def envelope(self, i_x) -> np.ndarray:
        """I(T;Y) that is reached with that I(X;T), bits: the concave hull of the optima found.

        They include T constant and T = X. Between two optima it is reached by using each of them part of the time.
        i_x: [...], bits, beyond the ends taken as the ends; float64 of that shape, NaN where i_x is. InputError: no
        numbers.
        """
        x, y = self.hull()
        return np.interp(as_floats(i_x), x, y)

    def hull(self) -> tuple[np.ndarray, np.ndarray]:
        """I(X;T), I(T;Y) [v], bits: the corners of the envelope, ascending."""
        x = np.concatenate([[0.0], as_numpy(self.i_x), [self.h_x]])
        y = np.concatenate([[0.0], as_numpy(self.i_y), [self.i_xy]])
        hull: list[int] = []
        for k in np.lexsort((-y, x)):
            if hull and x[k] - x[hull[-1]] < 1e-12 * self.h_x:
                continue
            while len(hull) > 1 and _turns_left(x, y, hull[-2], hull[-1], k):
                hull.pop()
            hull.append(int(k))
        return x[hull], y[hull]

    def beta_at(self, i_x) -> np.ndarray:
        """The beta whose optimum has that I(X;T): one over the slope of the envelope there, to its right at a corner.

        i_x: [...], bits, beyond the ends taken as the ends; float64 of that shape; NaN where i_x is, and
        everywhere where X and Y are independent.
        Source: Tishby & Zaslavsky 2015, section II.C. InputError: no numbers.
        """
        given = as_floats(i_x)
        if self.i_xy == 0:
            return np.full(given.shape, np.nan)
        x, y = self.hull()
        with np.errstate(divide="ignore"):
            inverse = np.diff(x) / np.diff(y)
        at = np.clip(np.searchsorted(x, given, side="right") - 1, 0, len(inverse) - 1)
        return np.where(np.isnan(given), np.nan, inverse[at])

    def figure(self) -> "plotly.graph_objects.Figure":
        """The curve in the information plane; diamonds where the number of clusters changes."""
        return draw_curve(self.table(), self.i_xy)


def _turns_left(x, y, a, b, c) -> bool:
    return (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]) >= 0


def first_critical_beta(p_xy) -> float:
    """1/s2^2: the beta at which the trivial solution of the bottleneck stops being a local minimum.

    Exact; infinite where X and Y are independent.

    p_xy: [nx, ny], probabilities or counts; s2 is the largest canonical correlation of X and Y, the second singular
    value of p(x,y) / sqrt(p(x) p(y)). Where clusters begin at a finite distance the optimum leaves the trivial solution
    earlier: see bottleneck_curve. InputError: as bottleneck.
    """
    joint = as_joint(p_xy)
    return np.inf if joint.i_xy == 0 else float(_second(joint) ** -2)


def _second(joint: Joint) -> float:
    """s2: the largest singular value once the trivial one, 1, is taken off."""
    p_y = joint.p_y
    apart = np.sqrt(joint.p)[:, None] * (joint.q - p_y) / np.sqrt(p_y)
    if min(apart.shape) > 500:  # a large table: its largest singular value alone
        from scipy.sparse.linalg import svds

        largest: Any = svds(apart, k=1, return_singular_vectors=False, rng=np.random.default_rng(0))
        return min(1.0, float(largest[0]))
    return min(1.0, float(np.linalg.svd(apart, compute_uv=False)[0]))


def bottleneck_curve(
    p_xy,
    betas=None,
    *,
    clusters: int | None = None,
    locate: bool = True,
    seconds: float | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> BottleneckCurve:
    """The information curve of a joint table p_xy [nx, ny]: the most I(T;Y) at each I(X;T), both in bits.

    Source: Tishby, Pereira & Bialek 1999; Tishby & Zaslavsky 2015, figure 2.
    betas: any order; None: chosen so that the curve's tangents and chords are nowhere more than 1e-4 of I(X;Y) (at most
    1e-4 bits) apart (400 points at most). Where X and Y share a part outright, all of it where one decides the other,
    the curve begins with the line I(T;Y) = I(X;T), whose points all belong to beta 1: 21 of them are given. Independent
    X and Y: the one point 0. clusters: at most so many (None: as many as the optimum has). locate: find each critical
    beta to 1e-5 (relative); False: only between which two betas of the row it lies (their geometric mean is given).
    seconds: time after which no further beta is solved or located (a note says so). progress(done, most): as in
    bottleneck. InputError: p_xy as in bottleneck; betas empty, negative or not finite; clusters below 1; seconds not
    above 0.
    """
    joint, clock = as_joint(p_xy), check_clock(seconds, progress)
    most = None if clusters is None else check_count("clusters", clusters)
    first, notes = first_critical_beta(joint), list(deterministic_note(joint))
    points = (
        _chosen(joint, most, clock) if betas is None else _solved(joint, np.unique(check_betas(betas)), most, clock)
    )
    row, k, gap, i_x, i_y = points
    critical = _critical(joint, row, k, most, locate, clock.quiet())
    located = locate and not clock.over()
    leaves = critical.min(initial=np.inf) if located else row[k > 1].min(initial=np.inf)
    if betas is None and joint.common > 0:
        row, k, gap, i_x, i_y = (np.concatenate(two) for two in zip(_line(joint), (v[row > 1] for v in points)))
        critical = np.concatenate([[1.0], critical[critical > 1 + 2 * _SAME_TO]])
    if joint.i_xy == 0:
        notes.append("X and Y are independent: no T tells anything, and the curve is the single point 0")
    elif leaves < first * (1 - 1e-4) and joint.common == 0:
        by = "at" if located else "by"
        notes.append(
            f"the optimum leaves the trivial solution {by} beta {leaves:.6g}, before that stops being a local minimum "
            f"at {first:.6g}: the first transition is a jump"
        )
    if np.nanmax(gap, initial=0.0) > 1e-6:
        notes.append(f"at some beta the optimum may be up to {np.nanmax(gap):.2g} bits lower, with more clusters")
    if clock.over():
        notes.append(f"stopped after {seconds:g} seconds: {len(row)} points")
    elif betas is None and len(row) >= _MOST_POINTS:
        notes.append(f"{_MOST_POINTS} points were not enough for tangents and chords to meet; use bound and envelope")
    return BottleneckCurve(
        **{name: like(v, p_xy) if not isinstance(p_xy, Joint) else v for name, v in
           {"beta": row, "i_x": i_x, "i_y": i_y, "clusters": k, "gap": gap, "critical_beta": critical}.items()},
        first_critical=first,
        i_xy=joint.i_xy,
        h_x=joint.h_x,
        h_y=joint.h_y,
        notes=tuple(notes),
    )  # fmt: skip


Points = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # beta, clusters, gap, I(X;T), I(T;Y)


def _solved(joint: Joint, row: np.ndarray, most: int | None, clock: Clock) -> Points:
    """The optima of ascending betas, bits; fewer where time ran out."""
    found = solve_path(joint, row, most=most, clock=clock)
    row = row[: len(found)]
    both = np.array([informations_of(joint, f, float(b)) for f, b in zip(found, row)])
    clusters = np.array([len(f.w) for f in found])
    return row, clusters, np.array([f.gap for f in found]) * _BITS, both[:, 0], both[:, 1]


def _line(joint: Joint) -> Points:
    """From (0, 0) to the part that X and Y share: T is that part for some of the time, and else says so."""
    along = np.linspace(0, joint.common, _LINE)
    clusters = np.full(_LINE, joint.parts + 1)
    clusters[0], clusters[-1] = 1, joint.parts
    return np.ones(_LINE), clusters, np.zeros(_LINE), along, along.copy()


def _chosen(joint: Joint, most: int | None, clock: Clock) -> Points:
    """Betas by the chord rule: between two points the beta at which both lie on one line shows the largest gap."""
    if joint.i_xy == 0 or joint.deterministic or joint.reverse:
        return _solved(joint, np.array([1.0]), most, clock)
    close = _CLOSE * min(1.0, joint.i_xy)
    left = (1.0, joint.common, joint.common)  # beta, i_x, i_y: ends without an optimum of their own
    todo, parts = [(left, (np.inf, joint.h_x, joint.i_xy))], []
    while todo and sum(len(p[0]) for p in parts) < _MOST_POINTS and not clock.over():
        new = []
        for left, right in todo:
            rise, run = right[2] - left[2], right[1] - left[1]
            if rise > close and run > close:
                new.append((run / rise, left, right))
        if not new:
            break
        new.sort(key=lambda entry: entry[0])
        new = new[: _MOST_POINTS - sum(len(p[0]) for p in parts)]
        found = _solved(joint, np.array([b for b, _, _ in new]), most, clock)
        parts.append(found)
        todo = []
        for (beta, left, right), x, y in zip(new, found[3], found[4]):
            apart = (left[1] - beta * left[2]) - (x - beta * y)  # how far the optimum is below the chord
            if apart / beta > close:
                middle = (beta, float(x), float(y))
                todo += [(left, middle), (middle, right)]
    if not parts:
        return _solved(joint, np.array([1.0]), most, Clock())
    row, clusters, gap, i_x, i_y = (np.concatenate(column) for column in zip(*parts))
    order = np.unique(row, return_index=True)[1]
    return row[order], clusters[order], gap[order], i_x[order], i_y[order]


def _critical(joint: Joint, row: np.ndarray, k: np.ndarray, most: int | None, locate: bool, clock: Clock) -> np.ndarray:
    """Betas between which the number of clusters changes, each located by halving (in log beta) while there is time."""
    brackets = []
    if k[0] > 1:  # T is trivial at beta 1
        brackets.append((1.0, row[0], 1))
    brackets += [(max(row[b], 1e-3), row[b + 1], k[b]) for b in np.flatnonzero(np.diff(k))]
    if not brackets:
        return np.zeros(0)
    lo, hi, kept = np.array(brackets).T
    while locate and not clock.over() and (hi / lo).max() > 1 + _SAME_TO:
        middle = np.sqrt(lo * hi)
        order = np.argsort(middle, kind="stable")
        now = np.empty(len(middle))
        found = solve_path(joint, middle[order], most=most, clock=clock)
        if clock.over():  # the last may be half done, and others are missing
            break
        now[order] = [len(f.w) for f in found]
        under = now == kept
        lo, hi = np.where(under, middle, lo), np.where(under, hi, middle)
    return np.sort(np.sqrt(lo * hi))


def draw_curve(table, i_xy: float) -> Any:
    """The curve of a table with i_x, i_y, beta (and clusters or dimension)."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title="I(X;T) (bits)", yaxis_title="I(T;Y) (bits)")
    table = table.sort_values("i_x")
    hover = [f"beta {b:.4g}" for b in table["beta"]]
    points = {"x": table["i_x"].round(6).tolist(), "y": table["i_y"].round(6).tolist()}
    line = {"color": NEUTRAL, "width": 2}
    figure.add_trace(go.Scatter(**points, mode="lines", line=line, text=hover, name="bound"))
    size = "clusters" if "clusters" in table else "dimension"
    new = table[table[size].diff().fillna(0) != 0]
    marker = {"symbol": "diamond", "size": 8, "color": SERIES_COLORS[1]}
    text = [f"beta {b:.4g}: {s} {size}" for b, s in zip(new["beta"], new[size])]
    figure.add_trace(
        go.Scatter(
            x=new["i_x"].round(6).tolist(),
            y=new["i_y"].round(6).tolist(),
            mode="markers",
            marker=marker,
            text=text,
            name=f"{size} change",
        )
    )
    figure.add_hline(y=i_xy, line={"dash": "dot", "color": NEUTRAL, "width": 1}, annotation_text="I(X;Y)")
    return figure
