"""Discrete bottleneck methods: each takes a Joint and beta, and gives a BottleneckSolution. Options are keyword-only."""

import math

import numpy as np

from deeptheory.errors import InputError
from deeptheory.information.bottleneck.annealing import anneal
from deeptheory.information.bottleneck.hard import merge, move
from deeptheory.information.bottleneck.joint import Joint
from deeptheory.information.bottleneck.optimal import encoder_of, solve_path
from deeptheory.information.bottleneck.solution import BottleneckSolution, discrete_solution

_BITS = 1 / math.log(2)
_SWEEPS = 200
DETERMINISTIC = (
    "Y is a function of X: every beta above 1 gives T = Y and every beta below 1 nothing; the curve min(I(X;T), H(Y)) "
    "between them is traced by method='squared' (Kolchinsky, Tracey & Van Kuyk 2019)"
)


def check_beta(beta) -> float:
    """beta as a float. InputError: negative, or no finite number."""
    value = float(beta)
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"beta is {beta}; it is a finite number, 0 or above")
    return value


def check_clusters(joint: Joint, clusters: int | None, default: int) -> int:
    """A number of clusters. InputError: below 1."""
    if clusters is not None and clusters < 1:
        raise InputError(f"clusters is {clusters}; needed: at least 1")
    return min(default, len(joint.p)) if clusters is None else int(clusters)


def ib(joint: Joint, beta: float, *, clusters: int | None = None, restarts: int = 6, seed: int = 0):
    """The information bottleneck (Tishby, Pereira & Bialek 1999): least I(X;T) - beta I(T;Y).

    clusters None: as many as the optimum has (64 at most); found as a convex problem with a certificate, `gap`. clusters
    a number: if the optimum has no more than that, it is the answer; otherwise Blahut-Arimoto iterations from `restarts`
    starts, annealed from above and below, and the gap counts from the optimum without that limit.
    """
    beta = check_beta(beta)
    check_clusters(joint, clusters, 1)
    k, r, w, gap = solve_path(joint, np.array([beta]))
    encoder = encoder_of(joint, r[0, : k[0]], w[0, : k[0]], beta)
    notes = (DETERMINISTIC,) if joint.deterministic and joint.h_y > 0 else ()
    gap_bits = float(gap[0]) * _BITS
    if clusters is not None and k[0] > clusters:
        best = _ib_of(joint, encoder, beta, gap_bits, ())
        betas = np.array([beta]) if clusters == 1 else beta * np.array([0.7, 0.85, 1.0, 1.2, 1.5])
        encoder = anneal(joint, betas, clusters, restarts=restarts, seed=seed)[list(betas).index(beta)]
        found = _ib_of(joint, encoder, beta, 0.0, ())
        gap_bits = found.lagrangian - best.lagrangian + best.gap
        notes = (*notes, f"the optimum has {k[0]} clusters, {clusters} were allowed")
    elif gap_bits > 1e-6:
        notes = (
            *notes,
            f"the optimum may hold more than the {k[0]} clusters found; it is at most {gap_bits:.2g} bits lower",
        )
    return _ib_of(joint, encoder, beta, gap_bits, notes)


def _ib_of(joint, encoder, beta, gap, notes) -> BottleneckSolution:
    new = _one_step(joint, encoder, beta)
    residual = np.abs(new - encoder).max()
    return discrete_solution(
        joint, encoder, beta, "ib", lagrangian=lambda x, y, h: x - beta * y, residual=residual, gap=gap, notes=notes
    )


def _one_step(joint: Joint, encoder: np.ndarray, beta: float) -> np.ndarray:
    w = joint.p @ encoder
    used = w > 0
    r = (encoder * joint.p[:, None]).T @ joint.q
    r = np.where(used[:, None], r / np.where(used, w, 1)[:, None], joint.p_y)
    return encoder_of(joint, r, w, beta)


def dib(
    joint: Joint,
    beta: float,
    *,
    alpha: float = 0.0,
    clusters: int | None = None,
    restarts: int = 12,
    seed: int = 0,
):
    """The deterministic bottleneck and the family up to the usual one: least H(T) - alpha H(T|X) - beta I(T;Y).

    Strouse & Schwab 2017. alpha 0: every x in one cluster; fixed points of their iteration and merged clusters, from each
    single moves until none lowers the Lagrangian. alpha 1: the same as "ib". Between: iterations from `restarts` starts.
    clusters: at most so many (default 16). InputError: alpha outside [0, 1], clusters or restarts below 1.
    """
    beta = check_beta(beta)
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha is {alpha}; it lies in [0, 1]")
    k = check_clusters(joint, clusters, 16)
    check_restarts(restarts)
    if alpha == 1:
        return ib(joint, beta, clusters=clusters, restarts=restarts, seed=seed)
    encoder = anneal(joint, np.array([beta]), k, restarts=restarts, seed=seed, alpha=alpha)[0]
    residual = math.nan
    if alpha == 0:
        starts = [_level(joint, _merges(joint, beta)[0], c) for c in {min(k, len(joint.p)), 1}]
        candidates = [encoder.argmax(1), *starts, *_random_labels(joint, k, restarts, seed)]
        encoder, residual = np.eye(k)[_best_moved(joint, candidates, k, beta, seed)], 0.0
    return discrete_solution(
        joint, encoder, beta, "dib", lagrangian=lambda x, y, h: h - alpha * (h - x) - beta * y, residual=residual
    )


def agglomerative(joint: Joint, beta: float = math.inf, *, clusters: int | None = None):
    """Greedy merging (Slonim & Tishby 1999): the pair whose merger costs least of H(T) - beta I(T;Y), until `clusters`
    are left; None: the number with the least Lagrangian on the way. beta infinite: the cost is the loss of I(T;Y) alone,
    and the Lagrangian is the part I(X;Y) - I(T;Y) that was lost. InputError: beta infinite and no number of clusters.
    """
    beta, finite = _finite_or_not(beta, clusters)
    into, price = _merges(joint, beta)
    n = len(joint.p)
    if clusters is None:
        clusters = n - int(np.concatenate([[0.0], np.cumsum(price)]).argmin())
    labels = _level(joint, into, check_clusters(joint, clusters, n))
    notes = () if clusters <= n else (f"p_xy has {n} different rows, so no more clusters than that",)
    return _hard(joint, labels, beta, finite, "agglomerative", notes)


def sequential(joint: Joint, beta: float = math.inf, *, clusters: int | None = None, restarts: int = 10, seed: int = 0):
    """Sequential clustering (Slonim, Friedman & Tishby 2002): each x in turn is drawn out and put where it costs least.

    The best of `restarts` random beginnings. clusters: at most so many (default 16 for a finite beta). The Lagrangian is
    that of "agglomerative". InputError: beta infinite and no number of clusters, clusters or restarts below 1.
    """
    beta, finite = _finite_or_not(beta, clusters)
    k = check_clusters(joint, clusters, 16)
    check_restarts(restarts)
    labels = _best_moved(joint, _random_labels(joint, k, restarts, seed), k, beta, seed)
    return _hard(joint, labels, beta, finite, "sequential", ())


def check_restarts(restarts: int) -> None:
    """InputError: below 1."""
    if restarts < 1:
        raise InputError(f"restarts is {restarts}; needed: at least 1")


def _finite_or_not(beta: float, clusters: int | None) -> tuple[float, bool]:
    if beta == math.inf:
        if clusters is None:
            raise InputError("beta is infinite, so nothing but clusters= limits T; state how many")
        return beta, False
    return check_beta(beta), True


def _factors(beta: float) -> tuple[float, float]:
    return (1.0, 1.0) if beta == math.inf else (beta - 1.0, beta)


def _merges(joint: Joint, beta: float) -> tuple[np.ndarray, np.ndarray]:
    n = len(joint.p)
    into, price = np.zeros((max(n - 1, 0), 2), dtype=np.int64), np.zeros(max(n - 1, 0))
    merge(joint.p, joint.q, *_factors(beta), into, price)
    return into, price


def _level(joint: Joint, into: np.ndarray, clusters: int) -> np.ndarray:
    """Labels 0.. after merging down to so many clusters."""
    n = len(joint.p)
    head = np.arange(n)
    for i, j in into[: max(n - clusters, 0)]:
        head[head == j] = i
    return np.unique(head, return_inverse=True)[1].ravel()


def _random_labels(joint: Joint, k: int, restarts: int, seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, k, len(joint.p)) for _ in range(restarts)]


def _best_moved(joint: Joint, candidates, k: int, beta: float, seed: int) -> np.ndarray:
    rng, n, best, least = np.random.default_rng([seed, 1]), len(joint.p), None, math.inf
    a, b = _factors(beta)
    for start in candidates:
        labels = np.ascontiguousarray(start, dtype=np.int64).copy()
        orders = np.stack([rng.permutation(n) for _ in range(_SWEEPS)])
        move(joint.p, joint.q, labels, k, a, b, orders)
        w = np.bincount(labels, joint.p, k)
        h = np.stack([np.bincount(labels, joint.p * column, k) for column in joint.q.T])
        value = a * _phi(w).sum() - b * _phi(h).sum()
        if value < least - 1e-13:
            best, least = labels, value
    assert best is not None
    return best


def _phi(v: np.ndarray) -> np.ndarray:
    return v * np.log(np.where(v > 0, v, 1))


def _hard(joint: Joint, labels: np.ndarray, beta: float, finite: bool, method: str, notes) -> BottleneckSolution:
    def lagrangian(i_x, i_y, h_t):
        return h_t - beta * i_y if finite else joint.i_xy - i_y

    encoder = np.eye(int(labels.max()) + 1)[labels]
    return discrete_solution(joint, encoder, beta, method, lagrangian=lagrangian, notes=notes)
