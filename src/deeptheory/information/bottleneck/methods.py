"""Discrete bottleneck methods: each takes a Joint and beta, and gives a BottleneckSolution.
Options are keyword-only."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_floats, as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_whole
from deeptheory.information.bottleneck.annealing import anneal, clustered, hardest
from deeptheory.information.bottleneck.divergence import divergence
from deeptheory.information.bottleneck.hard import merge, move
from deeptheory.information.bottleneck.joint import Joint
from deeptheory.information.bottleneck.optimal import encoder_of, limited, solve_path
from deeptheory.information.bottleneck.products import Clock
from deeptheory.information.bottleneck.solution import BottleneckSolution, discrete_solution

_BITS = 1 / math.log(2)
_SWEEPS = 200
_DEFAULT = 16  # hard clusters
_LARGE = 50_000  # entries of p(y|x), above which clusters= goes from each start alone
_CHEAP = 2_000  # and up to which a gap comes unasked with clusters=
_FAINT = 1e-6  # bits of I(X;Y), below which it is lost in differences of entropies
_TIMES = 1e6  # a beta above which costs of hard clusters are counted over beta
DETERMINISTIC = (
    "{} is a function of {}: every beta above 1 keeps all of I(X;Y), every beta below 1 nothing, and the curve between "
    "is the line I(T;Y) = I(X;T); method='squared' gives each point of it (Kolchinsky, Tracey & Van Kuyk 2019)"
)


def deterministic_note(joint: Joint) -> tuple[str, ...]:
    """What to say where one of X and Y decides the other."""
    if joint.i_xy == 0 or not (joint.deterministic or joint.reverse):
        return ()
    return (DETERMINISTIC.format(*(("Y", "X") if joint.deterministic else ("X", "Y"))),)


def check_beta(beta: Any) -> float:
    """beta as a float. InputError: not one number, negative, or not finite."""
    try:
        value = math.nan if isinstance(beta, str | bool | np.bool_) or np.ndim(beta) else float(beta)
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise InputError(f"beta is {beta}; it is a finite number, 0 or above (several at once: dt.bottleneck_curve)")
    return value


def check_betas(betas: Any, above: bool = False) -> np.ndarray:
    """betas [b] as given. InputError: none, not numbers (True is none), not finite, negative (above: or 0)."""
    try:
        row = np.atleast_1d(as_floats(betas)) if as_numpy(betas).dtype != bool else np.zeros(0)
    except (TypeError, ValueError):
        row = np.zeros(0)
    fine = row.ndim == 1 and len(row) > 0 and bool((np.isfinite(row) & ((row > 0) if above else (row >= 0))).all())
    if not fine:
        raise InputError(
            f"beta is {betas}; needed: one or more finite {'numbers above 0' if above else 'numbers, 0 or above'}"
        )
    return row


def check_clusters(joint: Joint, clusters: int | None, default: int) -> int:
    """A number of clusters, no more than different rows. InputError: not an integer, below 1."""
    return min(default if clusters is None else check_count("clusters", clusters), len(joint.p))


def check_count(name: str, value: Any) -> int:
    """InputError: not an integer of at least 1."""
    check_whole(**{name: (value, 1)})
    return int(value)


def check_clock(seconds: Any, progress: Any) -> Clock:
    """InputError: seconds not a number above 0, progress not callable."""
    if seconds is not None:
        check_number(seconds=seconds)
    if seconds is not None and not seconds > 0:
        raise InputError(f"seconds is {seconds}; needed: a number above 0, or None for no limit")
    if progress is not None and not callable(progress):
        raise InputError(f"progress is {progress!r}; needed: a function of (done, most), or None")
    return Clock(seconds, progress)


def ib(
    joint: Joint,
    beta: float,
    *,
    clusters: int | None = None,
    restarts: int = 6,
    seed: int = 0,
    certify: bool | None = None,
    seconds: float | None = None,
    progress: Callable[[int, int], Any] | None = None,
):
    """The information bottleneck (Tishby, Pereira & Bialek 1999): least I(X;T) - beta I(T;Y).

    clusters None: as many as the optimum has, found as a convex problem with a certificate, `gap`. A number: at most so
    many, by iterations from `restarts` starts, annealed from above and below; then the gap counts from the optimum
    without that limit, which is solved afterwards. certify: None: search for missing clusters until that stops to pay;
    True: until the gap is below 1e-8 nats; False: no search, no gap. With clusters= and more than 2,000 entries of
    p(y|x) None gives no gap.
    seconds: time after which the best so far is returned (a note says so); it is looked at between iterations.
    progress(done, most): called after every round.
    """
    beta, clock = check_beta(beta), check_clock(seconds, progress)
    check_whole(restarts=(restarts, 1), seed=(seed, 0))
    if clusters is not None and check_count("clusters", clusters) < len(joint.p):
        return _ib_limited(joint, beta, int(clusters), restarts, seed, certify, clock)
    found = solve_path(joint, np.array([beta]), certify=certify, clock=clock)[0]
    gap = found.gap * _BITS
    notes = deterministic_note(joint)
    if found.stopped:
        notes = (*notes, f"stopped after {seconds:g} seconds with the best so far")
    if gap > 1e-6:
        notes = (
            *notes,
            f"the optimum may hold more than the {len(found.w)} clusters found; it is at most {gap:.2g} bits lower",
        )
    elif math.isnan(gap):
        notes = (*notes, "no missing clusters were looked for: a local optimum (certify=True looks)")
    return _ib_of(joint, encoder_of(joint, found.r, found.w, beta), beta, gap, notes)


def _ib_limited(joint: Joint, beta: float, clusters: int, restarts: int, seed: int, certify, clock: Clock):
    size = joint.q.size
    found = clustered(joint, beta, clusters, restarts=restarts, seed=seed, large=size > _LARGE, clock=clock)
    if certify or (certify is None and size <= _LARGE):
        again = limited(joint, beta, found, clusters, certify, clock)
        found = again if again.value(joint, beta) < found.value(joint, beta) else found
    notes = deterministic_note(joint)
    if clock.over():
        notes = (*notes, "time ran out: the best so far")
    solution = _ib_of(joint, encoder_of(joint, found.r, found.w, beta), beta, math.nan, notes)
    if certify is False or (certify is None and size > _CHEAP) or clock.over():
        said = f"the best of {restarts} starts; no certificate (certify=True)"
        return dataclasses.replace(solution, notes=(*solution.notes, said))
    best = solve_path(joint, np.array([beta]), certify=certify, clock=clock)[0]
    whole = _ib_of(joint, encoder_of(joint, best.r, best.w, beta), beta, best.gap * _BITS, notes)
    if whole.lagrangian <= solution.lagrangian and len(whole.p_t) <= clusters:
        return whole
    said = f"the optimum has {len(whole.p_t)} clusters, {clusters} were allowed"
    gap = max(solution.lagrangian - whole.lagrangian, 0.0) + whole.gap
    return dataclasses.replace(solution, gap=gap, notes=(*solution.notes, said))


def _ib_of(joint, encoder, beta, gap, notes) -> BottleneckSolution:
    residual = np.abs(_one_step(joint, encoder, beta) - encoder).max()
    return discrete_solution(
        joint, encoder, beta, "ib", lagrangian=lambda x, y, h: x - beta * y, residual=residual, gap=gap, notes=notes
    )


def _one_step(joint: Joint, encoder: np.ndarray, beta: float) -> np.ndarray:
    if len(encoder) == encoder.shape[1] and np.array_equal(encoder, np.eye(len(encoder))):
        return encoder_of(joint, joint.q, joint.p, beta)  # decoders without the rounding of p q / p
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

    Strouse & Schwab 2017. alpha 0: every x in one cluster; fixed points of their iteration and merged clusters, from
    each single moves until none lowers the Lagrangian. alpha 1: the same as "ib". Between: iterations from `restarts`
    starts. clusters: at most so many (default 16). InputError: alpha outside [0, 1], clusters or restarts below 1.
    """
    beta = check_beta(beta)
    check_number(alpha=alpha)
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha is {alpha}; it lies in [0, 1]")
    k = check_clusters(joint, clusters, _DEFAULT)
    check_whole(restarts=(restarts, 1), seed=(seed, 0))
    if alpha == 1:
        return ib(joint, beta, clusters=clusters, restarts=restarts, seed=seed)
    encoder = anneal(joint, np.array([min(beta, hardest(joint))]), k, restarts=restarts, seed=seed, alpha=alpha)[0]
    residual = math.nan
    if alpha == 0:
        starts = [_level(joint, _merges(joint, beta)[0], c) for c in {min(k, len(joint.p)), 1}]
        candidates = [encoder.argmax(1), *starts, *_random_labels(joint, k, restarts, seed)]
        encoder, residual = np.eye(k)[_best_moved(joint, candidates, k, beta, seed)], 0.0
    return discrete_solution(
        joint,
        encoder,
        beta,
        "dib",
        lagrangian=lambda x, y, h: h - alpha * (h - x) - beta * y,
        residual=residual,
        notes=_all_in_use(joint, encoder, clusters),
    )


def agglomerative(joint: Joint, beta: float = math.inf, *, clusters: int | None = None):
    """Greedy merging (Slonim & Tishby 1999): the pair whose merger costs least of H(T) - beta I(T;Y), until `clusters`
    are left; None: the number with the least Lagrangian on the way. beta infinite: the cost is the loss of I(T;Y)
    alone, and the Lagrangian is the part I(X;Y) - I(T;Y) that was lost. InputError:
    beta infinite and no number of clusters.
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

    The best of `restarts` random beginnings. clusters: at most so many (default 16 for a finite beta). The Lagrangian
    is that of "agglomerative". InputError: beta infinite and no number of clusters, clusters or restarts below 1.
    """
    beta, finite = _finite_or_not(beta, clusters)
    k = check_clusters(joint, clusters, _DEFAULT)
    check_whole(restarts=(restarts, 1), seed=(seed, 0))
    labels = _best_moved(joint, _random_labels(joint, k, restarts, seed), k, beta, seed)
    return _hard(joint, labels, beta, finite, "sequential", _all_in_use(joint, np.eye(k)[labels], clusters))


def _all_in_use(joint: Joint, encoder: np.ndarray, clusters: int | None) -> tuple[str, ...]:
    used = int((joint.p @ encoder > 0).sum())
    if clusters is None and used == _DEFAULT < len(joint.p):
        return (f"all {used} clusters of the default are in use; more may do better (clusters=)",)
    return ()


def _finite_or_not(beta: float, clusters: int | None) -> tuple[float, bool]:
    if beta == math.inf:
        if clusters is None:
            raise InputError("beta is infinite, so nothing but clusters= limits T; state how many")
        return beta, False
    return check_beta(beta), True


def _factors(joint: Joint, beta: float) -> tuple[float, float, np.ndarray]:
    """a, b and p_y of hard.py. A large beta is divided out: what is left of H(T) is rounding anyway, unless I(X;Y) is
    as small; then costs are counted over it."""
    if 0 < joint.i_xy < _FAINT:
        nats = joint.i_xy / _BITS
        scale = max(1.0, beta * nats) if math.isfinite(beta) else math.inf
        return (1.0 / scale, beta / scale if math.isfinite(beta) else 1.0 / nats, joint.p_y)
    if beta > _TIMES:
        return (1.0 - 1.0 / beta, 1.0, np.zeros(0))
    return (beta - 1.0, beta, np.zeros(0))


def _merges(joint: Joint, beta: float) -> tuple[np.ndarray, np.ndarray]:
    n = len(joint.p)
    into, price = np.zeros((max(n - 1, 0), 2), dtype=np.int64), np.zeros(max(n - 1, 0))
    merge(joint.p, joint.q, *_factors(joint, beta), into, price)
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
    a, b, p_y = _factors(joint, beta)
    for start in candidates:
        labels = np.ascontiguousarray(start, dtype=np.int64).copy()
        orders = np.stack([rng.permutation(n) for _ in range(_SWEEPS)])
        move(joint.p, joint.q, labels, k, a, b, p_y, orders)
        w = np.bincount(labels, joint.p, k)
        h = np.stack([np.bincount(labels, joint.p * column, k) for column in joint.q.T])
        if len(p_y):
            value = -a * _phi(w).sum() - b * divergence(h, p_y[:, None] * w).sum()
        else:
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
