"""The one-dimensional generators that models of a cell are made of, each with its output polynomial.

A model says: rate = sum_b c_b phi_b(x), x = x(theta, s), with theta free in all d dimensions and c solved in closed
form.
Sources: Chang & Tsao 2017, figure 4 (axis, exemplar, cubic output); specs 2.3 for norm, angle, energy.
A new model: one Generator and one line in GENERATORS.

Every x is a function of t = theta.u_n with u_n a row that does not depend on the unit (the stimulus, its direction, or
the stimulus and a one), so that for all units at once x is one matrix product, and so are its derivatives.
Pitfall: the exemplar contains the axis in the limit |e| -> infinity, hence the bound; the axis with a cubic output
contains the energy model, hence the order of preference in verdicts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

Tensor = torch.Tensor
Scale = tuple[Tensor, Tensor, Tensor, Tensor]


def typical_length(length: Tensor) -> float:
    """The median of lengths [n]; where that is 0 but for rounding (over half of the stimuli lie in the mean), of the
    others."""
    least = 1e-13 * float(length.max())
    median = float(length.median())
    return median if median > least else float(length[length > least].median())


@dataclass(frozen=True)
class Stimuli:
    """s [n, d], centered; length [n] = |s|; direction [n, d] = s/|s|; unit: the typical length of the whole set."""

    s: Tensor
    length: Tensor
    direction: Tensor
    unit: float

    @classmethod
    def of(cls, s: Tensor) -> "Stimuli":
        """From centered features [n, d]."""
        length = s.square().sum(1).sqrt()
        return cls(s, length, s / length.clamp_min(1e-12)[:, None], typical_length(length))

    def rows(self, index: Any) -> "Stimuli":
        """Some rows; the unit of length stays."""
        return Stimuli(self.s[index], self.length[index], self.direction[index], self.unit)


@dataclass(frozen=True)
class Basis:
    """phi [u, b, n]; slope(c [u, b]) -> dr/dt [u, n]; scale: center, spread, least and largest standardized x, [u]
    each.

    Given a scale, x is held within its least and largest: no polynomial is trusted beyond what it was fitted on.
    """

    phi: Tensor
    slope: Callable[[Tensor], Tensor]
    scale: Scale


_CUBIC, _EVEN = (0.0, 0.0, 10.0, 60.0), (0.0, 0.0, 250.0, 18000.0)


@dataclass(frozen=True)
class Generator:
    """rows(stimuli) -> [n, k]; basis(theta, t, stimuli, scale) -> Basis; parameters(d): how many numbers are fitted.

    penalty / n: the ridge on each output coefficient. It stands for a curvature of a tenth of the variance at a
    reliability of one half, and is felt only where stimuli are few: at n = 400 an unpenalized cubic follows outliers.
    """

    name: str
    about: str
    rows: Callable[[Stimuli], Tensor]
    basis: Callable[..., Basis]
    parameters: Callable[[int], int]
    penalty: tuple[float, ...] = _CUBIC
    distance: bool = False


def _standard(x: Tensor, scale: Scale | None, centered: bool = True) -> tuple[Tensor, Scale]:
    if scale is not None:
        center, spread, least, most = (v[:, None] for v in scale)
        return ((x - center) / spread).clamp(least, most), scale
    center = x.mean(1) if centered else torch.zeros_like(x[:, 0])
    away = x - center[:, None]
    spread = away.square().mean(1).sqrt().clamp_min(1e-12)
    z = away / spread[:, None]
    return z, (center, spread, z.amin(1), z.amax(1))


def _cubic(theta: Tensor, t: Tensor, stimuli: Stimuli, scale=None) -> Basis:
    """1, z, z^2 - 1, z^3 - 3 z (Hermite: nearly orthogonal for a Gaussian z, and spanning all cubics in t)."""
    z, scale = _standard(t, scale)
    square = z * z
    phi = torch.stack([torch.ones_like(z), z, square - 1, z * (square - 3)], 1)
    spread = scale[1][:, None]

    def slope(c: Tensor) -> Tensor:
        return (c[:, 1, None] + 2 * c[:, 2, None] * z + 3 * c[:, 3, None] * (square - 1)) / spread

    return Basis(phi, slope, scale)


def _distance(theta: Tensor, t: Tensor, stimuli: Stimuli, scale=None) -> Basis:
    """Cubic in x = |s - e|; slope is (dr/dx)/x, since dx/de = (e - s)/x."""
    squared = stimuli.length.square()[None] - 2 * t + theta.square().sum(1)[:, None]
    x = squared.clamp_min(1e-8).sqrt()
    inner = _cubic(theta, x, stimuli, scale)
    return Basis(inner.phi, lambda c: inner.slope(c) / x, inner.scale)


def _even(theta: Tensor, t: Tensor, stimuli: Stimuli, scale=None) -> Basis:
    """Cubic in t^2, as even Hermite polynomials of z = t / rms(t)."""
    z, scale = _standard(t, scale, centered=False)
    q = z * z
    phi = torch.stack([torch.ones_like(z), q - 1, q * (q - 6) + 3, q * (q * (q - 15) + 45) - 15], 1)
    spread = scale[1][:, None]

    def slope(c: Tensor) -> Tensor:
        c1, c2, c3 = (c[:, k, None] for k in (1, 2, 3))
        return z * (2 * c1 + c2 * (4 * q - 12) + c3 * (6 * q * q - 60 * q + 90)) / spread

    return Basis(phi, slope, scale)


def _norm_direction(theta: Tensor, t: Tensor, stimuli: Stimuli, scale=None) -> Basis:
    """1 and |s| times a cubic in the cosine t = theta.s/|s| that is 0 at a right angle to the preferred direction.

    Pitfall: with |s| alone in the basis too, it would bend into a near copy of the exemplar model.
    """
    z, scale = _standard(t, scale, centered=False)
    m = (stimuli.length / stimuli.unit)[None]
    square = z * z
    phi = torch.stack([torch.ones_like(z), m * z, m * square, m * z * (square - 3)], 1)
    spread = scale[1][:, None]

    def slope(c: Tensor) -> Tensor:
        return m * (c[:, 1, None] + 2 * c[:, 2, None] * z + 3 * c[:, 3, None] * (square - 1)) / spread

    return Basis(phi, slope, scale)


def _with_one(stimuli: Stimuli) -> Tensor:
    return torch.cat([stimuli.s, torch.ones_like(stimuli.s[:, :1])], 1)


GENERATORS = {
    g.name: g
    for g in (
        Generator("axis", "cubic of w.s", lambda x: x.s, _cubic, lambda d: d + 3),
        Generator("exemplar", "cubic of |s - e|", _with_one, _distance, lambda d: d + 4, distance=True),
        Generator("norm x direction", "|s| times a cubic of cos(s, w), 0 at a right angle", lambda x: x.direction,
        _norm_direction, lambda d: d + 3),
        Generator("energy", "cubic of (w.s)^2", lambda x: x.s, _even, lambda d: d + 3, _EVEN),
        Generator("angle", "cubic of cos(s, w)", lambda x: x.direction, _cubic, lambda d: d + 3),
    )
}  # fmt: skip
