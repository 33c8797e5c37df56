"""What of the data must each level of a hierarchy keep? Minimal sufficient statistics of a Markov chain,
level by level.

Source: Lin, Tegmark & Rolnick 2017, section III, theorem 2 and corollary 2. y_0 -> y_1 -> ... -> y_n = x, p_i = M_i
p_{i-1}. T_i is minimal sufficient for P(y_i | y_n): two data x, x' have one class where P(y_i | x) = P(y_i | x').
Theorem 2: T_i = f_i(T_{i+1}). So p(y_0 | y_n) is a chain of functions, each of which forgets what the level above does
not need. Proven for every chain; that each f_i is cheap, or the composition costly to flatten, is not.
Pitfall: tables estimated from samples make all rows differ by chance; use .distil there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.cheap.hierarchy.chain import Chain, Orientation, read_chain
from deeptheory.cheap.hierarchy.merging import Distillation, bits_of, distil
from deeptheory.cheap.hierarchy.rows import check_size, dense, group_rows, group_whole_rows, shares
from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.names import count_of
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_number, check_whole

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

_SMALL = 2.0**-1000  # probabilities below it are inverted in this unit
_IN_DOUBT = 1e3  # different rows nearer than so many tolerances earn a note


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Theorem2(Result):
    """Theorem 2 held against classes computed without it.

    violations: number of pairs of levels where T_i is no function of T_{i+1}; the theorem says 0. classes: one label
    array [s_n] per level, y_0 first, by P(y_i | y_n) alone, -1 where x has probability 0. agree: whether they are the
    hierarchy's own.
    """

    violations: int
    agree: bool
    classes: tuple[np.ndarray, ...]

    def __repr__(self) -> str:
        return f"Theorem2({self.violations} violations, classes {'agree' if self.agree else 'differ'})"

    def table(self) -> "pandas.DataFrame":
        """One row per level: level and classes, the number of its classes."""
        import pandas as pd

        return pd.DataFrame({"level": range(len(self.classes)), "classes": [c.max() + 1 for c in self.classes]})


class MarkovHierarchy(Result):
    """Exact minimal sufficient statistics of y_0 -> ... -> y_n (Lin, Tegmark & Rolnick 2017, section III, theorem 2).

    T_i puts x and x' in one class where P(y_i | y_n = x) = P(y_i | y_n = x'). prior: [s_0]. transitions: M_1..M_n,
    [s_i, s_{i-1}] with columns that sum to 1 (the paper's p_i = M_i p_{i-1}); the transposes are understood where only
    they fit (`orientation` "auto", "columns" or "rows"). numpy, torch, lists or scipy.sparse. Integers are counts,
    Fractions stay exact: with both, or exact=True, all is done in integers. tolerance: rows of P(y_i | y_n) nearer than
    this are equal (float only).

    states: number of states of each level. classes: one label array a level, y_0 first, [s_n] each: the class of T_i
    that each x has, -1 where x has probability 0; the last level is T_n, x itself. maps: f_i as arrays, class of
    T_{i+1} -> class of T_i, for i = 0..n-1. marginals: p_i. notes: doubts.

    InputError: shapes that do not fit, negative entries, NaN, columns that do not sum to 1, an unknown orientation,
    exact arithmetic on sparse tables, a tolerance below 0 or not finite.
    """

    def __init__(
        self,
        prior,
        transitions: Sequence,
        *,
        orientation: Orientation = "auto",
        exact: bool | None = None,
        tolerance: float = 1e-12,
    ):
        check_number(tolerance=tolerance)
        if not 0 <= tolerance < 1:
            raise InputError(f"tolerance is {tolerance}; needed: a number from 0 to below 1, as probabilities differ")
        self._chain = read_chain(prior, transitions, orientation, exact)
        self.exact, self.orientation, self.states = self._chain.exact, self._chain.orientation, self._chain.states
        self.tolerance = tolerance
        solved = _solve_exactly(self._chain) if self.exact else _solve(self._chain, tolerance)
        self.classes, self.maps, self.marginals, self._top, doubts = solved
        self.notes = (*self._chain.notes, *doubts)

    @classmethod
    def from_samples(cls, samples, *, states: Sequence[int] | None = None, smoothing: float = 0.0, **options):
        """From samples [N, levels + 1] of integers 0, 1, ..., y_0 first: tables of relative frequencies.

        states: number of states of each level, by default the largest number seen, plus 1. smoothing: added to every
        count. States that never occur before the last level get no statement of their own and must be smoothed or left
        out. options: keywords of the class. Chance makes all rows of such tables differ: see distil.
        InputError: another shape or dtype, negative numbers, too few states or over 10^7, smoothing below 0 or
        infinite, a state without successor; and as the class.
        """
        from deeptheory.cheap.hierarchy.sources import tables_of_samples

        return cls(*tables_of_samples(samples, states, smoothing), **{"orientation": "columns", **options})

    @classmethod
    def from_kernels(cls, prior: Mapping, kernels: Sequence[Callable[[Any], Mapping]], **options) -> "MarkovHierarchy":
        """From a generator: prior maps each y_0 to its probability, a kernel maps a state to {next state: probability}.

        States are any hashable things; those of each level are `labels`, in the order of their numbers. Sparse, and
        exact where all probabilities are Fractions or integers. options: keywords of the class. InputError: a kernel
        that leads nowhere; and as the class.
        """
        from deeptheory.cheap.hierarchy.sources import tables_of_kernels

        p, tables, labels = tables_of_kernels(prior, kernels)
        made = cls(p, tables, **{"orientation": "columns", **options})
        made.labels = labels
        return made

    labels: tuple[tuple, ...] | None = None

    def __repr__(self) -> str:
        return (
            f"MarkovHierarchy({' -> '.join(map(str, self.states))} states, "
            f"{' <- '.join(map(str, self.counts))} classes)"
        )

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of classes of each level, T_0 first."""
        return tuple(int(c.max()) + 1 for c in self.classes)

    def posterior(self, level: int = 0) -> np.ndarray:
        """P(y_level | y_n), [s_n, s_level] float64, by Bayes' rule on the whole chain; rows of impossible x are NaN.

        InputError: no such level, over 2^31 numbers (exact: 2^27).
        """
        self._check_level(level)
        if self.exact:
            return _to_float(self.posterior_exact(level))
        joint = _joint(self._chain, self.marginals, level)
        return shares(joint, f"P(y_{level} | y_n)")

    def compose(self, x=None) -> np.ndarray:
        """f_0(f_1(... f_n(x))): P(y_0 | y_n) as the chain of functions of corollary 2, float64.

        x: [...] integers, states of y_n -> [..., s_0]; None: all of them, [s_n, s_0]. Rows of impossible x are NaN.
        InputError: x is not such integers.
        """
        try:
            x = np.arange(self.states[-1]) if x is None else as_numpy(x)
        except ValueError as error:
            raise InputError(f"x holds rows of several lengths; needed: integers ({str(error)[:60]})") from error
        if x.dtype.kind not in "iu" or (x.size and (x.min() < 0 or x.max() >= self.states[-1])):
            raise InputError(f"x is {x!r}; needed: integers from 0 to {self.states[-1] - 1}")
        t = self.classes[-1][x]  # T_n: x without what cannot happen
        possible = t >= 0
        for f in self.maps[::-1]:
            t = f[np.where(possible, t, 0)]
        top = _to_float(self._top) if self.exact else self._top
        return np.where(possible[..., None], top[t], np.nan)

    def posterior_exact(self, level: int = 0) -> np.ndarray:
        """posterior(level) as Fractions, [s_n, s_level] (dtype object); rows of impossible x are None.

        InputError: the hierarchy is not exact, or no such level.
        """
        self._check_level(level)
        if not self.exact:
            raise InputError("this hierarchy is in floating point; make it with exact=True")
        return np.array([_share(row) for row in _whole_joint(self._chain, level)], dtype=object)

    def compose_exact(self) -> np.ndarray:
        """compose() as Fractions, [s_n, s_0] (dtype object), None for impossible x. InputError: it is not exact."""
        if not self.exact:
            raise InputError("this hierarchy is in floating point; make it with exact=True")
        t = self.classes[-1]
        for f in self.maps[::-1]:
            t = np.where(t >= 0, f[np.maximum(t, 0)], -1)
        none = [None] * self.states[0]
        return np.array([list(self._top[c]) if c >= 0 else none for c in t], dtype=object)

    def theorem_2(self) -> Theorem2:
        """Hold theorem 2 against this chain: classes of every level from P(y_i | y_n) alone, then T_i = f_i(T_{i+1})?

        Takes [s_n, s_i] numbers in memory for each level. InputError: as in posterior.
        """
        possible = self.classes[-1] >= 0
        direct = []
        for level in range(len(self.states)):
            labels = np.full(self.states[-1], -1, dtype=np.int64)
            if self.exact:
                labels[possible] = group_whole_rows(_whole_joint(self._chain, level)[possible])
            else:
                labels[possible] = group_rows(self.posterior(level)[possible], self.tolerance)[0]
            direct.append(labels)
        pairs = [(a[possible], b[possible]) for a, b in pairwise(direct)]
        violations = sum(len(np.unique(np.stack([b, a]), axis=1).T) > len(np.unique(b)) for a, b in pairs)
        agree = all(np.array_equal(a, b) for a, b in zip(direct, self.classes))
        return Theorem2(violations=violations, agree=agree, classes=tuple(direct))

    def information(self, about: int = 0) -> np.ndarray:
        """I(y_about; T_i) in bits for every level i, [n + 1] float64; for i >= about all are I(y_about; y_n).

        That is sufficiency, up to rounding; below `about` it is lost. InputError: no such level.
        """
        self._check_level(about)
        joint = self._joint_with(about)
        return np.array([bits_of(_merged(joint, c)) for c in self.classes])

    def distil(self, level: int = 0, *, about: int = 0) -> Distillation:
        """Fewer classes than exactness needs: merge classes of T_level, cheapest first; what is lost about y_about?

        Returns a Distillation: states kept against bits lost. Agglomerative information bottleneck (Slonim & Tishby
        2000), greedy: an upper bound of the least loss. InputError: no such level, over 4,000 classes.
        """
        self._check_level(level)
        self._check_level(about)
        merged = _merged(self._joint_with(about), self.classes[level])
        return distil(np.asarray(merged), level=level, about=about)

    def table(self) -> "pandas.DataFrame":
        """One row per level: level, states, classes (of T_i), and in bits entropy, about_top, about_level.

        These are H(T_i), I(y_0; T_i) and I(y_i; T_i); about_level is NaN where the table [s_n, s_i] has over 5e7
        entries. InputError: as in posterior.
        """
        import pandas as pd

        rows = []
        about_top = self.information(0)
        for i, labels in enumerate(self.classes):
            p_x = np.asarray(self._weights(), dtype=float)
            p_t = np.bincount(labels[labels >= 0], weights=p_x[labels >= 0])
            own = bits_of(_merged(self._joint_with(i), labels)) if self.states[i] * self.states[-1] <= 5e7 else np.nan
            entropy = float(-(p_t[p_t > 0] * np.log2(p_t[p_t > 0])).sum())
            rows.append((i, self.states[i], self.counts[i], entropy, about_top[i], own))
        return pd.DataFrame(rows, columns=["level", "states", "classes", "entropy", "about_top", "about_level"])

    def figure(self) -> "plotly.graph_objects.Figure":
        """Number of states and of classes against the level, y_0 first, logarithmic."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import NEUTRAL, new_figure

        table = self.table()
        figure = new_figure(xaxis_title="level (0: what is asked, last: the data)", yaxis_title="number")
        figure.update_yaxes(type="log")
        for name, color, symbol in (("states", NEUTRAL, "square"), ("classes", None, "circle")):
            marker = {"symbol": symbol, "size": 9, **({"color": color} if color else {})}
            label = "states y_i" if name == "states" else "classes of T_i"
            figure.add_trace(
                go.Scatter(x=table["level"], y=table[name], name=label, mode="lines+markers", marker=marker)
            )
        figure.update_xaxes(dtick=1)
        return figure

    def scalars(self) -> dict[str, float]:
        """Number of classes by level, "classes/0" and so on, and information, I(y_0; y_n) in bits."""
        out = {f"classes/{i}": float(c) for i, c in enumerate(self.counts)}
        return out | {"information": float(self.information(0)[-1])}

    def _weights(self) -> np.ndarray:
        p = self.marginals[-1]
        return np.array([float(v) for v in p]) if self.exact else p

    def _joint_with(self, level: int):
        """P(y_n, y_level), [s_n, s_level]."""
        if not self.exact:
            return _joint(self._chain, self.marginals, level)
        whole = _whole_joint(self._chain, level)
        total = int(whole.sum())
        return _to_float(np.array([[Fraction(int(v), total) for v in row] for row in whole], dtype=object))

    def _check_level(self, level: int) -> None:
        check_whole(level=(level, None))
        if not 0 <= level < len(self.states):
            raise InputError(f"level is {level}; this hierarchy has levels 0 to {len(self.states) - 1}")


def _solve(chain: Chain, tolerance: float):
    """classes, maps, marginals, P(y_0 | T_0) and doubts, from the data upwards: each level reads those below it."""
    from scipy import sparse

    marginals = [chain.prior]
    for m in chain.transitions:
        marginals.append(m @ marginals[-1])
    possible = marginals[-1] > 0
    below = np.where(possible, np.cumsum(possible) - 1, -1)
    rows: Any = sparse.csr_array((np.ones(possible.sum()), (np.arange(possible.sum()), np.flatnonzero(possible))),
                            shape=(int(possible.sum()), len(possible)))  # fmt: skip
    weight = marginals[-1][possible]  # of each class
    classes, maps, nearest = [below], [], np.inf
    for i in range(len(chain.transitions) - 1, -1, -1):
        rows = rows @ _backward(
            chain.transitions[i], marginals[i], marginals[i + 1]
        )  # P(y_i | T_{i+1}): [classes, s_i]
        f, least = group_rows(rows, tolerance)
        nearest = min(nearest, least)
        together = np.bincount(f, weights=weight)
        mean = sparse.csr_array((weight / together[f], (f, np.arange(len(f)))), shape=(len(together), len(f)))
        rows, weight = mean @ rows, together
        maps.append(f)
        classes.append(np.where(below >= 0, f[np.maximum(below, 0)], -1))
        below = classes[-1]
    doubts = []
    if nearest < _IN_DOUBT * max(tolerance, np.finfo(np.float64).eps):
        doubts = [f"different rows lie {nearest:.1e} apart, near the tolerance {tolerance:.0e}; exact=True settles it"]
    if lost := int((_reached(chain) & ~possible).sum()):
        doubts.append(
            f"{count_of(lost, 'state')} of the last level can be reached, but with a probability that float64 rounds "
            "to 0, and got no class; exact=True gives one"
        )
    return tuple(classes[::-1]), tuple(maps[::-1]), tuple(marginals), dense(rows, "P(y_0 | T_0)"), tuple(doubts)


def _backward(m, old: np.ndarray, new: np.ndarray):
    """P(y_{i-1} | y_i) = M_i[y_i, y_{i-1}] p(y_{i-1}) / p(y_i), [new, old]; rows of impossible states are 0."""
    from scipy import sparse

    unit = np.where((new > 0) & (new < _SMALL), 1 / _SMALL, 1.0)  # 1 / 1e-310 is infinite
    inverse = np.divide(1.0, new * unit, out=np.zeros_like(new), where=new > 0)
    out = sparse.csr_array(sparse.diags_array(inverse) @ m @ sparse.diags_array(old))
    return sparse.csr_array(sparse.diags_array(unit) @ out) if (unit > 1).any() else out


def _reached(chain: Chain) -> np.ndarray:
    """Which states of the last level [s_n] some path of steps that are not 0 leads to."""
    reached = chain.prior > 0
    for m in chain.transitions:
        reached = (m > 0) @ reached.astype(np.int64) > 0
    return reached


def _joint(chain: Chain, marginals, level: int):
    """P(y_n, y_level), sparse [s_n, s_level]."""
    from scipy import sparse

    out = sparse.csc_array(sparse.diags_array(marginals[level]))
    for m in chain.transitions[level:]:
        out = m @ out
    return out.tocsr()


def _whole_joint(chain: Chain, level: int) -> np.ndarray:
    """Integers proportional to P(y_n, y_level), [s_n, s_level], dtype object."""
    marginal = chain.prior
    for m in chain.transitions[:level]:
        marginal = m.dot(marginal)
    widest = max([len(marginal), *(m.shape[0] for m in chain.transitions[level:])])
    check_size((widest, len(marginal)), f"P(y_{level}, y_n) in integers", 2**27)
    out = np.eye(len(marginal), dtype=int).astype(object) * marginal
    for m in chain.transitions[level:]:
        out = m.dot(out)
    return out


def _solve_exactly(chain: Chain):
    """As _solve, in integers: each level's classes from P(y_i | y_n) itself."""
    joints = [_whole_joint(chain, level) for level in range(len(chain.states))]
    possible = np.array([any(row) for row in joints[0]])
    classes = []
    for joint in joints:
        labels = np.full(len(possible), -1, dtype=np.int64)
        labels[possible] = group_whole_rows(joint[possible])
        classes.append(labels)
    maps = []
    for above, below in pairwise(classes):
        f = np.zeros(below.max() + 1, dtype=np.int64)
        f[below[possible]] = above[possible]
        maps.append(f)
    top = [_share(joints[0][np.argmax(classes[0] == c)]) for c in range(classes[0].max() + 1)]
    marginals, p = [], chain.prior
    for m in (None, *chain.transitions):
        p = p if m is None else m.dot(p)
        marginals.append(np.array(_share(p), dtype=object))
    return tuple(classes), tuple(maps), tuple(marginals), np.array(top, dtype=object), ()


def _share(row) -> list:
    total = int(sum(row))
    return [Fraction(int(v), total) for v in row] if total else [None] * len(row)


def _to_float(fractions: np.ndarray) -> np.ndarray:
    return np.array([[np.nan if f is None else float(f) for f in row] for row in fractions])


def _merged(joint, labels: np.ndarray) -> np.ndarray:
    """P(T, y) [classes, s] from P(y_n, y) [s_n, s] and the class of each x."""
    from scipy import sparse

    seen = np.flatnonzero(labels >= 0)
    gather = sparse.csr_array((np.ones(len(seen)), (labels[seen], seen)), shape=(int(labels.max()) + 1, len(labels)))
    out = gather @ joint
    return out.toarray() if sparse.issparse(out) else out
