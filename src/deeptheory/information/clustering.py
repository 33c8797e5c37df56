"""How tightly samples cluster in a layer, from the distances between them alone: no density, no noise, no bins.

Source: Goldfeld et al. 2019, section 5: compression is the clustering of the inputs' representations. The correlation
entropy is Grassberger & Procaccia 1983.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one, power_of
from deeptheory.core.shapes import check_number
from deeptheory.information.entering import as_activations, as_labels


@dataclass(frozen=True)
class Clusters:
    """Distances between the samples of a layer; a summary for a Recorder, not a readout of the plane.

    radius: in the activations' unit; two samples nearer than this are in one cluster; of a layer with noise sigma,
    4 sigma (either is taken for the other two sigma away). Source: Goldfeld et al. 2019, section 5; Grassberger &
    Procaccia 1983. InputError: radius not above 0.
    """

    radius: float

    def __post_init__(self):
        check_number(radius=self.radius)
        if not self.radius > 0:
            raise InputError(f"radius is {self.radius}; it must be above 0")

    def summarize(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """Mean distances in a layer, and how many clusters they make, each [seed] float64.

        apart: -log2 of the share of pairs nearer than the radius, a sample paired with itself counted
        (bits, from 0 to log2 n; Grassberger & Procaccia's correlation entropy). within, between: mean Euclidean
        distance of two different samples of the same class, and of different classes. nearest: mean distance to the
        nearest other one. activations: [seed, sample, unit]; targets: labels [sample], numbers or names.
        InputError: other shapes, missing values, labels that are probabilities, no class with two samples, one class.
        """
        a = as_activations(activations).astype(np.float64)
        labels, _, p_y = as_labels(targets, a.shape[1])
        if len(p_y):
            raise InputError("clusters need labels [sample], not probabilities")
        if np.bincount(labels).max() < 2:
            raise InputError("no class has two samples; distances within a class are undefined")
        rows = np.array([self._one(h, labels) for h in a])
        return {"apart": 0.0 - np.log2(rows[:, 0]), "within": rows[:, 1], "between": rows[:, 2], "nearest": rows[:, 3]}

    def _one(self, h: np.ndarray, labels: np.ndarray) -> tuple[float, ...]:
        power = power_of(h)  # each network's own
        with np.errstate(over="ignore", under="ignore"):  # beyond, every pair is nearer than the radius
            reach = max(float(np.square(np.ldexp(self.radius, -power))), 5e-324)  # equal rows are nearer than any
        share, *means = _distances(np.ldexp(h, -power), labels, reach)
        return share, *(float(np.ldexp(mean, power)) for mean in means)


@dataclass(frozen=True)
class Cosines:
    """Cosine similarities between the samples of a layer, by class.

    A summary for a Recorder, not a readout of the plane.
    Source: Goldfeld et al. 2019, section 5. A sample whose units are all 0 has similarity 0 with every other.
    """

    def summarize(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """Mean cosines in a layer, each [seed] float64.

        within, between: mean cosine of two different samples of the same class, and of different classes, in [-1, 1].
        activations: [seed, sample, unit]; targets: labels [sample], numbers or names. InputError: other shapes, missing
        values, labels that are probabilities, no class with two samples, one class only.
        """
        a = as_activations(activations).astype(np.float64)
        labels, _, p_y = as_labels(targets, a.shape[1])
        if len(p_y):
            raise InputError("cosines need labels [sample], not probabilities")
        counts = np.bincount(labels)
        if counts.max() < 2:
            raise InputError("no class has two samples; cosines within a class are undefined")
        n, pairs = len(labels), float((counts * (counts - 1)).sum())
        a = near_one(a, 2)  # a direction has no size
        length = np.linalg.norm(a, axis=2, keepdims=True)
        unit = np.divide(a, length, out=np.zeros_like(a), where=length > 0)
        own = (unit**2).sum((1, 2))  # of each sample with itself: 1, or 0
        sums = np.stack([unit[:, labels == c].sum(1) for c in np.unique(labels)], axis=1)
        same, everything = (sums**2).sum((1, 2)) - own, (unit.sum(1) ** 2).sum(1) - own
        return {"within": same / pairs, "between": (everything - same) / (n * (n - 1) - pairs)}


@njit(cache=True, error_model="numpy")
def _distances(h, labels, reach):
    """Share of pairs within, mean distance within a class, between classes, mean nearest distance; h: [n, unit]."""
    n = len(h)
    nearest = np.full(n, np.inf)
    close, within, between, same, other = 0, 0.0, 0.0, 0, 0
    for i in range(n):
        for j in range(i):
            d = 0.0
            for u in range(h.shape[1]):
                d += (h[i, u] - h[j, u]) ** 2
            close += d < reach
            nearest[i], nearest[j] = min(nearest[i], d), min(nearest[j], d)
            if labels[i] == labels[j]:
                within += np.sqrt(d)
                same += 1
            else:
                between += np.sqrt(d)
                other += 1
    share = (2.0 * close + n) / (n * n)
    return share, within / same, between / other, np.sqrt(nearest).mean()
