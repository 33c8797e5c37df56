"""Identity across views: population similarity matrices, and how view-specific, mirror-symmetric or invariant they are.

Source: Freiwald & Tsao 2010 (25 identities in 8 views): ML/MF group by view, AL confuses mirrored views, AM finds the
same person in any view. Similarity of two pictures: correlation over units of their responses, each unit standardized.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.axis.population.rounding import still
from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole, labels_of

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects


@dataclass(frozen=True, kw_only=True, eq=False)
class Views(Result):
    """How alike a population's responses are to one identity in different views.

    Source: Freiwald & Tsao 2010. similarity: [n, n], see similarity_matrix, pictures in order of view, then identity.
    views: their names, sorted. by_views: [view, view], mean similarity of the same identity minus that of different
    ones, for each pair of views; NaN on the diagonal and where two views share no identity or one alone.
    invariance: mean of by_views off the diagonal; view_grouping: mean similarity of different identities in the same
    view minus in different views (NaN where there are none); mirror: mean similarity of different identities in
    mirrored views minus in other different views (NaN without mirrors, or where all views mirror each other).
    shuffled_low, shuffled_high: 95 % range of invariance with permuted identities within views.
    """

    similarity: np.ndarray
    views: tuple
    by_views: np.ndarray
    invariance: float
    view_grouping: float
    mirror: float
    shuffled_low: float
    shuffled_high: float

    def __repr__(self) -> str:
        return (
            f"Views({len(self.views)} views: invariance {self.invariance:.3f} (shuffled {self.shuffled_low:.3f} to "
            f"{self.shuffled_high:.3f}), view grouping {self.view_grouping:.3f}, mirror {self.mirror:.3f})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per ordered pair of views: view, other, identity (by_views)."""
        import pandas as pd

        a, b = np.indices(self.by_views.shape)
        names = np.array(self.views)
        return pd.DataFrame({"view": names[a.ravel()], "other": names[b.ravel()], "identity": self.by_views.ravel()})

    def figure(self) -> "plotly.graph_objects.Figure":
        """The similarity matrix as a heat map, from -1 to 1."""
        from deeptheory.axis.drawing import draw_similarity

        return draw_similarity(self)


def view_tolerance(
    responses: Any, identity: Any, view: Any, *, mirrors: Any = (), permutations: int = 200, seed: int = 0
) -> Views:
    """Whether a population knows an identity in any view, groups by view, or confuses mirrored views; -> Views.

    Source: Freiwald & Tsao 2010. responses: [n, units], one row a picture; identity: [n], view: [n], labels of any
    kind. mirrors: pairs of views that mirror each other, such as [(-60, 60), (-30, 30)]. permutations: draws of
    identities within views for the shuffled range, NaN with 0; seed: of these draws.
    InputError: NaN (among labels too), no unit, mirrors that are not pairs of different views, other lengths, fewer
    than two identities or views, no identity in two views, an identity that is shown twice in a view.
    """
    check_whole(permutations=(permutations, 0), seed=(seed, 0))
    y = as_floats(responses)
    if y.ndim != 2:
        raise InputError(f"responses have shape {list(y.shape)}; needed: [n, units]")
    identity, view = _named("identity", identity, len(y)), _named("view", view, len(y))
    try:
        mirrors = [(a, b) for a, b in mirrors]
    except (TypeError, ValueError) as error:
        raise InputError(f"mirrors is {mirrors!r}; needed: pairs of views, such as [(-60, 60)]") from error
    names = np.unique(view)
    who = np.unique(identity)
    if len(names) < 2 or len(who) < 2:
        raise InputError(f"there are {len(who)} identities and {len(names)} views; needed: at least 2 of each")
    if same := [a for a, b in mirrors if a == b]:
        raise InputError(f"mirrors name view {same[0]!r} as its own mirror; needed: pairs of different views")
    if lost := [v for pair in mirrors for v in pair if v not in names.tolist()]:
        raise InputError(f"mirrors name view {lost[0]!r}, which no picture shows; views are {names.tolist()[:8]}")
    pairs = set(zip(identity.tolist(), view.tolist()))
    if len(pairs) < len(y):
        raise InputError(
            f"{len(y) - len(pairs)} pictures show an identity in a view that another shows too; average them"
        )
    order = np.lexsort((identity, view))
    y, identity, view = y[order], identity[order], view[order]
    similarity = _similarity(y, responses)
    same_who, same_view = identity[:, None] == identity, view[:, None] == view
    mirrored = np.zeros_like(same_view)
    for a, b in mirrors:
        mirrored |= ((view[:, None] == a) & (view == b)) | ((view[:, None] == b) & (view == a))
    by_views = _by_views(similarity, identity, view, names)
    if np.isnan(by_views).all():
        raise InputError(
            f"none of the {len(who)} identities is shown in two views with another one beside it; nothing can be "
            "compared across views"
        )
    rng = np.random.default_rng([seed, 11])
    null = []
    for _ in range(permutations):
        dealt = identity.copy()
        for v in names:
            dealt[view == v] = rng.permutation(dealt[view == v])
        null.append(_off(_by_views(similarity, dealt, view, names)))
    other = ~same_who & ~same_view & ~mirrored
    low, high = np.quantile(null, [0.025, 0.975]) if null else (np.nan, np.nan)
    return Views(
        similarity=similarity,
        views=tuple(names.tolist()),
        by_views=by_views,
        invariance=_off(by_views),
        view_grouping=_mean(similarity[~same_who & same_view]) - _mean(similarity[~same_who & ~same_view]),
        mirror=_mean(similarity[mirrored & ~same_who]) - _mean(similarity[other]),
        shuffled_low=float(low),
        shuffled_high=float(high),
    )


def similarity_matrix(responses: Any) -> np.ndarray:
    """[n, n]: correlation over units of two pictures' responses [n, units], each unit standardized over the pictures.

    Units that never vary, or by a rounding of their dtype alone, count 0; a picture whose standardized responses are
    all alike (with one unit, each) has 0 everywhere. Source: Freiwald & Tsao 2010. InputError: another shape, no
    picture, no unit, NaN or infinity.
    """
    return _similarity(as_floats(responses), responses)


def _similarity(y: np.ndarray, given: Any) -> np.ndarray:
    """See similarity_matrix; y, float64, from what was given."""
    if y.ndim != 2 or not y.size or not np.isfinite(y).all():
        raise InputError(
            f"responses have shape {list(y.shape)}, {int((~np.isfinite(y)).sum())} of them NaN or infinite; "
            "needed: [n, units], none of them 0, finite"
        )
    constant, size = still(y, given), np.abs(y).max(0)
    y = y / np.where(size > 0, size, 1)  # squares of 1e-200 are 0
    y = y - y.mean(0)
    sd = y.std(0)
    y = y / np.where(~constant & (sd > 1e-12), sd, np.inf)  # rounding, which unit variance would blow up
    y = y - y.mean(1, keepdims=True)
    length = np.linalg.norm(y, axis=1, keepdims=True)
    y = y / np.where(length > 0, length, np.inf)
    return np.clip(y @ y.T, -1, 1)  # of equal pictures it may be rounded to above 1


def _named(name: str, labels: Any, n: int) -> np.ndarray:
    out = labels_of(name, labels, n)
    if missing := int((out != out).sum()):  # NaN is not even equal to itself: a picture would be of nobody
        raise InputError(f"{name} holds NaN in {missing} of {n} rows; give each picture a label, or leave it out")
    return out


def _by_views(similarity: np.ndarray, identity: np.ndarray, view: np.ndarray, names: np.ndarray) -> np.ndarray:
    out = np.full((len(names), len(names)), np.nan)
    for i, a in enumerate(names):
        for j, b in enumerate(names):
            block = similarity[np.ix_(view == a, view == b)]
            same = identity[view == a][:, None] == identity[view == b]
            if i != j and same.any() and not same.all():
                out[i, j] = block[same].mean() - block[~same].mean()
    return out


def _off(by_views: np.ndarray) -> float:
    there = by_views[~np.eye(len(by_views), dtype=bool)]
    return _mean(there[~np.isnan(there)])


def _mean(values: np.ndarray) -> float:
    """NaN of none."""
    return float(values.mean()) if values.size else float("nan")
