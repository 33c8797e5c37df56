"""Which of N stimuli was shown? The one nearest to what the population predicts; against N, and against units.

Source: Chang & Tsao 2017, figure 3: the target among N - 1 others drawn at random, Euclidean distance in feature space.
No drawing is needed: if c_i of the other n - 1 stimuli lie nearer to the prediction than the target does, a set of
N - 1 of them holds none of these with probability C(n-1-c_i, N-1) / C(n-1, N-1), exactly, for every N at once.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from deeptheory.axis.bench.left_out import Folds, left_out
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import whole_numbers

if TYPE_CHECKING:
    import plotly.graph_objects
    import xarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Identification(Result):
    """accuracy, low, high: [size, N]: probability that the target is nearest, its mean and 95 % interval over targets.

    Source: Chang & Tsao 2017, figure 3. With c of the n - 1 other stimuli nearer to the decoded features (ties count
    half), the probability is C(n-1-c, N-1) / C(n-1, N-1): an exact mean over all sets of N - 1 others. Student's
    interval, dependent stimuli counted as one, held within [0, 1].
    candidates: N, rising; sizes: numbers of units, the last all of them, of fewer a mean over `draws` random sets.
    best_single: [N], accuracy of the unit that is best alone among the 24 most promising, chosen on other targets than
    it is scored on; single: the name of the best on all targets. float(): all units at the largest N.
    """

    candidates: tuple[int, ...]
    sizes: tuple[int, ...]
    accuracy: np.ndarray
    low: np.ndarray
    high: np.ndarray
    best_single: np.ndarray
    single: int
    draws: int

    @property
    def chance(self) -> np.ndarray:
        """[N]: one over the number of candidates."""
        return 1 / np.array(self.candidates)

    def __float__(self) -> float:
        return float(self.accuracy[-1, -1])

    def __repr__(self) -> str:
        n, u = self.candidates[-1], self.sizes[-1]
        return (
            f"Identification({float(self):.3f} of {n} candidates with {u} units, best single unit "
            f"{self.best_single[-1]:.3f}, chance {1 / n:.3f})"
        )

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset: accuracy, low, high over [units, candidates]; best_single, chance over [candidates]."""
        import xarray as xr

        arrays = {k: (("units", "candidates"), getattr(self, k)) for k in ("accuracy", "low", "high")}
        arrays["best_single"] = (("candidates",), self.best_single)  # type: ignore[assignment]
        arrays["chance"] = (("candidates",), self.chance)  # type: ignore[assignment]
        return xr.Dataset(arrays, coords={"units": list(self.sizes), "candidates": list(self.candidates)})

    def figure(self) -> "plotly.graph_objects.Figure":
        """Left: accuracy against N for all units, the best single one and chance; right: at the largest N, by units."""
        from deeptheory.axis.drawing import draw_identification

        return draw_identification(self)


def identify(
    y: torch.Tensor, s: torch.Tensor, steady: torch.Tensor, names: np.ndarray, n=40, sizes=None, draws: int = 5,
    seed: int = 0,
    folds: Folds | None = None, clusters: torch.Tensor | None = None, rows: float | None = None,
) -> Identification:  # fmt: skip
    """y [n, u] responses, s [n, d] features, steady [n, d] decoded by all units (left_out.py). n: N, or several. sizes:
    numbers of units. folds, clusters, rows (how many independent ones they weigh): of dependent rows.

    InputError: N below 2 or above the number of stimuli, a number of units that there is not.
    """
    candidates = tuple(sorted({int(k) for k in whole_numbers("n", n, 2)}))
    if not candidates:
        raise InputError("n is empty; needed: numbers of candidates")
    if candidates[0] < 2 or candidates[-1] > len(s):
        raise InputError(f"candidates run from {candidates[0]} to {candidates[-1]}; needed: 2 to {len(s)}, the stimuli")
    u = y.shape[1]
    wanted = sorted({int(k) for k in whole_numbers("units", () if sizes is None else sizes, 1)} | {u})
    if wanted[0] < 1 or wanted[-1] > u:
        raise InputError(f"numbers of units run from {wanted[0]} to {wanted[-1]}; needed: 1 to {u}")
    rng = np.random.default_rng([seed, 5])
    found = []
    for size in wanted:
        sets = [rng.choice(u, size, replace=False) for _ in range(draws)] if size < u else [None]
        parts = [
            chances(nearer(steady if k is None else left_out(y[:, k], s, folds, rows=rows).steady, s), candidates)
            for k in sets
        ]
        found.append(np.mean(parts, axis=0))  # [target, N]
    each = np.stack(found)
    mean, half = each.mean(1), _half_width(each, clusters)
    single, alone = best_single(y, s, candidates, folds, rows)
    return Identification(
        candidates=candidates,
        sizes=tuple(wanted),
        accuracy=mean,
        low=np.maximum(mean - half, 0),
        high=np.minimum(mean + half, 1),
        best_single=alone,
        single=int(names[single]),
        draws=draws,
    )


def _half_width(each: np.ndarray, clusters: torch.Tensor | None) -> np.ndarray:
    """[size, N]: half of Student's interval of the mean over targets, each [size, target, N]; clusters count as one."""
    from scipy.stats import t as student

    away = each - each.mean(1, keepdims=True)
    if clusters is not None:
        member = np.eye(int(clusters.max()) + 1)[clusters.cpu().numpy()]  # [target, cluster]
        away = np.einsum("stn,tc->scn", away, member)
    k = away.shape[1]
    error = np.sqrt((away**2).sum(1) * k / max(k - 1, 1)) / each.shape[1]
    return student.ppf(0.975, max(k - 1, 1)) * error


def nearer(predicted: torch.Tensor, s: torch.Tensor) -> np.ndarray:
    """c [n]: how many other stimuli lie nearer to the prediction of stimulus i than it does itself; ties count half."""
    length = s.square().sum(1)
    root, out = length.sqrt(), []
    for at in range(0, len(s), 1024):
        piece = slice(at, at + 1024)
        distance = length - 2 * predicted[piece] @ s.mT
        own = distance.diagonal(offset=at) if at else distance.diagonal()
        said = predicted[piece].square().sum(1).sqrt()[:, None]
        size = length + said * root  # of what is summed: an outlier's rounding is not that of the others
        near = 1e-12 * (size + (length[piece, None] + said * root[piece, None]))
        below = (distance < own[:, None] - near).sum(1)
        equal = ((distance - own[:, None]).abs() <= near).sum(1) - 1
        out.append(below.double() + equal.double() / 2)
    return torch.cat(out).cpu().numpy()


def chances(closer: np.ndarray, candidates: tuple[int, ...]) -> np.ndarray:
    """[target, N]: probability that none of N - 1 others, drawn without replacement, is among the closer ones."""
    from scipy.special import gammaln

    others = len(closer) - 1
    free = others - closer[:, None]
    k = np.array(candidates)[None] - 1
    with np.errstate(invalid="ignore"):
        log = gammaln(free + 1) - gammaln(np.maximum(free - k, 0) + 1) - gammaln(others + 1) + gammaln(others - k + 1)
    return np.where(free >= k, np.exp(log), 0.0)


def best_single(
    y: torch.Tensor, s: torch.Tensor, candidates: tuple[int, ...], folds: Folds | None = None, rows: float | None = None
) -> tuple[int, np.ndarray]:
    """The unit that identifies best alone at the largest N, and the accuracy at every N of units so chosen: on every
    other target the one that is best on the rest, so that the best of many is not also the luckiest."""
    order = _promising(y, s)
    found = np.stack([chances(nearer(left_out(y[:, [k]], s, folds, rows=rows).steady, s), candidates) for k in order])
    halves = [found[:, k::2] for k in (0, 1)]  # [unit, target, N]
    picks = [half[:, :, -1].mean(1).argmax() for half in halves]
    alone = np.concatenate([halves[1][picks[0]], halves[0][picks[1]]]).mean(0)
    return int(order[found[:, :, -1].mean(1).argmax()]), alone


def _promising(y: torch.Tensor, s: torch.Tensor, most: int = 24) -> list[int]:
    """Units by the feature variance that each explains alone; identification of the others need not be computed."""
    a = (y - y.mean(0)) / y.std(0, correction=0)
    explained = (a.mT @ (s - s.mean(0)) / len(s)).square().sum(1)
    return explained.argsort(descending=True)[:most].tolist()
