"""Gaussian noise added to every unit, for the analysis only: bounds on the information of the noisy layer.

Sources: Kolchinsky & Tracey 2017 (pairwise-distance bounds on the entropy of a mixture); Saxe et al. 2018 for their use
on networks (variance 0.1 in the text, 1e-3 and 0.1 in the released code).
With equal Gaussians the upper bound of h(T) takes exp(-|h_i - h_j|^2 / 2 sigma^2) between samples (Kullback-Leibler),
the lower one exp(-|h_i - h_j|^2 / 8 sigma^2) (Bhattacharyya).
Pitfalls: an absolute sigma is not free of scale, and one relative to the layer hides saturation: give both. Distances
grow with the root of the number of units: in wide layers a sigma by unit tells all samples apart, one by distance does
not. The usual recipe for I(T;Y) subtracts two upper bounds and is no bound itself;
the true bounds of it are kept beside it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.powers import power_of
from deeptheory.core.shapes import check_number
from deeptheory.information.entering import as_activations, as_labels
from deeptheory.information.mixtures import pair_sums

_SQUARED = 40  # powers of two within which float32 holds the square
_FEW = 64  # classes up to which all are summed in one pass over pairs


@njit(cache=True, error_model="numpy")
def _mixture_logs(h, weight, inv, out):
    """out[0] = -sum_i w_i log sum_j w_j exp(-d_ij^2 inv[0]) (upper), out[1] the same with inv[1] (lower); nats.

    h: [n, unit] float64, differences taken directly; weight: [n], sums to 1; memory of order 1.
    """
    n, units = h.shape
    out[0], out[1] = 0.0, 0.0
    for i in range(n):
        if weight[i] == 0:
            continue
        near, far = 0.0, 0.0
        for j in range(n):
            if weight[j] == 0:
                continue
            d = 0.0
            for u in range(units):
                d += (h[i, u] - h[j, u]) ** 2
            near += weight[j] * np.exp(-d * inv[0])
            far += weight[j] * np.exp(-d * inv[1])
        out[0] -= weight[i] * np.log(near)
        out[1] -= weight[i] * np.log(far)


@dataclass(frozen=True)
class GaussianNoise:
    """Readout by noise added for the analysis: T = h + N(0, sigma^2) on every unit, independent.

    sigma: standard deviation, in the unit of the activations. relative=True: in units of each network's layer's
    standard deviation over all its values; relative="distance": of the samples' root mean squared distance from their
    mean, all units together, so that a layer of thousands of units is looked at as coarsely as one of ten.
    Source: Kolchinsky & Tracey 2017, as Saxe et al. 2018 use it (sigma^2 of 0.1 in the text, 0.001 in their code).
    A Recorder holds the whole layer for it. InputError: sigma not above 0, another relative; from summarize, a constant
    layer with a relative sigma.
    """

    sigma: float
    relative: bool | str = False

    def __post_init__(self):
        check_number(sigma=self.sigma)
        if not (self.sigma > 0 and np.isfinite(float(self.sigma))):
            raise InputError(f"sigma is {self.sigma!r}; noise needs a finite standard deviation above 0")
        if isinstance(self.relative, str):
            pick({"distance": 0}, self.relative, what="relative noise")
        object.__setattr__(self, "sigma", float(self.sigma))
        object.__setattr__(self, "relative", self.relative if isinstance(self.relative, str) else bool(self.relative))

    def summarize(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """Bounds in bits, each [seed] float64, by sums over all pairs of samples.

        Within 1e-5 bits for float32 activations. i_x: upper bound of I(X;T); i_x_lower. i_y: the usual recipe, upper
        bound of h(T) less the mean upper bound of h(T|y): a proxy; i_y_lower, i_y_upper: true bounds. h_t: upper bound
        of the differential entropy h(T). occupied: 2^i_x, the effective number of distinguishable inputs. activations:
        [seed, sample, unit]; targets and InputError: see Binning.summarize.
        """
        a = as_activations(activations)
        codes, classes, p_y = as_labels(targets, a.shape[1])
        if not len(p_y) and classes <= _FEW:
            p_y = np.eye(classes)[codes]
        names = ("i_x", "i_y", "h_t", "occupied", "i_x_lower", "i_y_lower", "i_y_upper")
        rows = [self._one(h, p_y, codes) for h in a]
        return {name: np.array([row[k] for row in rows]) for k, name in enumerate(names)}

    def _one(self, h: np.ndarray, p_y: np.ndarray, codes: np.ndarray) -> tuple[float, ...]:
        n, units = h.shape
        still = self.relative and (h == (h[:1] if self.relative == "distance" else h[0, 0])).all()
        if still:  # the deviation of equal values is rounding, not always 0
            raise InputError("a constant layer has no scale for relative noise; use relative=False")
        power = power_of(h)
        power = power if abs(power) > _SQUARED else 0
        h = np.ldexp(h, -power) if power else h
        sigma = self.sigma * self._scale(h) if self.relative else float(np.ldexp(self.sigma, -power))
        if self.relative and not sigma > 0:
            raise InputError(f"sigma {self.sigma} of this layer's scale is below what float64 holds; take a larger one")
        size = np.log2(sigma) + power if self.relative else np.log2(self.sigma)
        sigma = min(max(sigma, 1e-150), 1e150)  # beyond, all samples are apart, or all are one
        single = h.dtype == np.float32 and 1e-15 < sigma < 1e15
        sums = _in_single if single else _in_double
        if len(p_y):
            masses = [m for m in p_y.T if m.sum() > 0]
            whole, *parts = sums(h, sigma, [np.ones(n), *masses])
            given = sum((m.mean() * part for m, part in zip(masses, parts)), np.zeros(2))
        else:  # of many classes each is summed within itself: memory of n, not of n times classes
            whole, given = sums(h, sigma, [np.ones(n)])[0], np.zeros(2)
            order = np.argsort(codes, kind="stable")
            for members in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
                part = sums(np.ascontiguousarray(h[members]), sigma, [np.ones(len(members))])[0]
                given = given + len(members) / n * part
        upper, lower = whole / np.log(2)
        given_upper, given_lower = given / np.log(2)
        noise = units * (np.log2(2 * np.pi * np.e) / 2 + size)
        recipe = upper - given_upper
        return upper, recipe, upper + noise, 2**upper, lower, lower - given_upper, upper - given_lower

    def _scale(self, h: np.ndarray) -> float:
        if self.relative == "distance":
            return float(np.sqrt(h.var(axis=0, dtype=np.float64).sum()))
        return float(h.std(dtype=np.float64)) if self.relative else 1.0


def _in_double(h: np.ndarray, sigma: float, masses: list[np.ndarray]) -> list[np.ndarray]:
    """Upper and lower sum [2] for each mass, normalized; nats, float64 throughout."""
    inv, out = np.array([1 / (2 * sigma**2), 1 / (8 * sigma**2)]), []
    for mass in masses:
        part = np.empty(2)
        _mixture_logs(h, mass / mass.sum(), inv, part)
        out.append(part)
    return out


def _in_single(h: np.ndarray, sigma: float, masses: list[np.ndarray]) -> list[np.ndarray]:
    """The same from float32 activations, all masses in one pass; within 1e-5 bits, many times as fast."""
    weights = np.stack([m / m.sum() for m in masses])
    near, far = np.empty(weights.shape), np.empty(weights.shape)
    pair_sums(np.ascontiguousarray(h.T), 1 / (2 * sigma**2), weights.astype(np.float32), near, far)
    return [-np.array([(w[w > 0] * np.log(v[k][w > 0])).sum() for v in (near, far)]) for k, w in enumerate(weights)]
