"""How many classes does nearly all of the information need? Bits lost against states kept.

Source: Slonim & Tishby 2000 (agglomerative information bottleneck); Lin, Tegmark & Rolnick 2017, section
III: a statistic that is nearly sufficient and cheaper is acceptable. Merging classes a and b loses (p_a + p_b)
JS(p(y|a), p(y|b)) bits.
Greedy: an upper bound of the least loss for so many states.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole, check_within

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

_ROUNDING = 1e-12  # bits: two losses nearer than this are one
_RARE = 1e-290  # products below it have lost digits, or are 0
_MOST = 4000  # classes: the table of costs is square


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Distillation(Result):
    """Fewer and fewer classes of T_level, merged one pair at a time, and what each step loses about y_about.

    states: [m] numbers of classes that remain, m, m - 1, ... 1; lost: [m] bits, rising from 0. merges: [m - 1, 2], the
    classes merged at each step, the second going into the first. information: I(y_about; T_level) in bits before.
    """

    level: int
    about: int
    states: np.ndarray
    lost: np.ndarray
    merges: np.ndarray
    information: float

    @property
    def kept(self) -> np.ndarray:
        """[m]: bits about y_about that remain, information - lost."""
        return self.information - self.lost

    def __repr__(self) -> str:
        few = int(self.states[np.searchsorted(self.lost, 0.01 * self.information + _ROUNDING, side="right") - 1])
        return (
            f"Distillation(T_{self.level}: {self.states[0]} classes hold {self.information:.4g} bits about "
            f"y_{self.about}; {few} hold 99 %)"
        )

    def labels(self, *, states: int | None = None, bits: float | None = None) -> np.ndarray:
        """New label of each class of T_level, [m] integers: with so many states, or the fewest that lose at most bits.

        labels(...)[hierarchy.classes[level]] labels the states x that have a class. InputError: neither or both given,
        states no integer from 1 to m, bits below 0 or NaN.
        """
        if (states is None) == (bits is None):
            raise InputError("give states= or bits=, one of them")
        if bits is not None:
            check_within(bits=(bits, 0, np.inf))
            states = int(self.states[np.searchsorted(self.lost, bits + _ROUNDING, side="right") - 1])
        assert states is not None
        check_whole(states=(states, None))
        if not 1 <= states <= self.states[0]:
            raise InputError(f"states is {states}; needed: 1 to {self.states[0]}")
        into = np.arange(self.states[0])
        for a, b in self.merges[: int(self.states[0]) - states]:
            into[into == b] = a
        return np.unique(into, return_inverse=True)[1]

    def table(self) -> "pandas.DataFrame":
        """One row per number of states: states, lost, kept."""
        import pandas as pd

        return pd.DataFrame({"states": self.states, "lost": self.lost, "kept": self.kept})

    def figure(self) -> "plotly.graph_objects.Figure":
        """Bits lost against the number of classes kept, which is logarithmic."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure

        title = f"classes of T_{self.level} kept"
        figure = new_figure(xaxis_title=title, yaxis_title=f"bits about y_{self.about} lost")
        figure.add_trace(go.Scatter(x=self.states, y=self.lost, mode="lines+markers", line={"shape": "hv"}))
        figure.update_xaxes(type="log")
        return figure


def distil(joint: np.ndarray, *, level: int, about: int) -> Distillation:
    """Merge the rows of P(T, y) [k, m], cheapest pair first, down to one. InputError: more than 4000 rows."""
    k = len(joint)
    if k > _MOST:
        raise InputError(f"T_{level} has {k} classes; merging takes up to {_MOST}: distil a level nearer the top")
    information = bits_of(joint)
    joint = joint.astype(np.float64).copy()
    alive = np.ones(k, dtype=bool)
    cost = np.full((k, k), np.inf)
    for a in range(k - 1):
        cost[a, a + 1 :] = _loss(joint[a], joint[a + 1 :])
    nearest = cost.argmin(1)
    least = cost[np.arange(k), nearest]
    merges, lost = [], [0.0]
    for _ in range(k - 1):
        a = int(least.argmin())
        b = int(nearest[a])  # a < b
        merges.append((a, b))
        lost.append(lost[-1] + max(0.0, float(least[a])))
        joint[a] += joint[b]
        alive[b] = False
        cost[b], cost[:, b], least[b] = np.inf, np.inf, np.inf
        others = np.flatnonzero(alive)
        others = others[others != a]
        if not len(others):
            break
        now = _loss(joint[a], joint[others])
        low = others < a
        cost[others[low], a], cost[a, others[~low]] = now[low], now[~low]
        stale = np.flatnonzero(alive & ((nearest == a) | (nearest == b)))
        for i in {a, *stale.tolist()}:
            nearest[i] = cost[i].argmin()
            least[i] = cost[i, nearest[i]]
        better = others[low][now[low] < least[others[low]]]
        nearest[better], least[better] = a, cost[better, a]
    return Distillation(
        level=level,
        about=about,
        states=np.arange(k, 0, -1),
        lost=np.array(lost),
        merges=np.array(merges, dtype=np.int64).reshape(-1, 2),
        information=information,
    )


def bits_of(joint: np.ndarray) -> float:
    """Mutual information of a table of probabilities, in bits."""
    outer = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    seen = joint > 0
    with np.errstate(divide="ignore", over="ignore"):
        bits = np.log2(joint[seen] / outer[seen])
    rare = outer[seen] < _RARE  # the product of two probabilities is 0 where each is 1e-170
    if rare.any():
        rows, columns = (np.broadcast_to(joint.sum(k, keepdims=True), joint.shape)[seen][rare] for k in (1, 0))
        bits[rare] = np.log2(joint[seen][rare] / rows) - np.log2(columns)
    return float((joint[seen] * bits).sum())


def _loss(row: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bits lost by merging `row` with each of `rows`: I before less I after."""
    return _rate(row) + _rate(rows) - _rate(row + rows)


def _rate(joint: np.ndarray) -> np.ndarray:
    """sum_y p(t, y) log2 p(y | t): what a row of the joint adds to -H(Y | T)."""
    total = joint.sum(-1, keepdims=True)
    share = np.divide(joint, total, out=np.ones_like(joint), where=joint > 0)
    return (joint * np.log2(share)).sum(-1)
