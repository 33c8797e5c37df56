"""Is the response flat orthogonal to the preferred axis? Along one axis, as published, and over the whole orthogonal
space.

Source: Chang & Tsao 2017, figure 4: the stimuli's part along the STA is taken off, and the longest axis of what is left
is looked along. Tests here are partial F tests of squares: y on [1, all d features, x^2, x^3], with x the projection
onto the whitened axis, against the same with (o.s)^2 added, for the longest axis o alone, for all d - 1 orthogonal
axes, or for |orth|^2. Every o has o.sta = 0, so that o.s and x are uncorrelated. The axis depends on the responses
through their linear part alone,
and every regressor is cleared of that: for responses without orthogonal tuning and with Gaussian noise the test is
exact.
Pitfall: one axis of 50 has little power (specs 2.5: an exemplar code shows -.09 along it and -.5 to -.7 with |orth|^2);
"not significant" means flat only beside the effect that the test could have seen.
"""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from deeptheory.axis.bench.validation import Entered, without_axis
from deeptheory.core.results import Result
from deeptheory.core.statistics import false_discovery

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

ALPHA, POWER = 0.05, 0.8
_UNITS = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Flatness(Result):
    """How flat the responses are orthogonal to the whitened axis; all [unit], fractions of the response's variance.

    Source: Chang & Tsao 2017, figure 4; the tests are ours: F tests of y on [1, all d features, x^2, x^3] (x: the
    projection onto the axis) against the same with (o.s)^2 added for orthogonal axes o, each with o.sta = 0.
    along: what all features, x^2 and x^3 explain. Then what squares add: share_single, p_single (the longest orthogonal
    axis), share, p, q (all d - 1; q: p after Benjamini-Hochberg over units), norm_r, p_norm (partial correlation with
    |orth|^2, signed). The three fractions are adjusted for the number of parameters: about 0 where there is nothing.
    detectable: the share that the test over all orthogonal axes finds with probability .8 at level .05.
    tuned: as the ramp says. flat: tuned, and p above .05 while detectable is below a tenth of `along`, or share below
    5 % of `along`; never where it could not be tested. With fewer than 2 d + 3 independent stimuli (d: the features'
    rank) along, both shares, norm_r, p, q and detectable are NaN; p_single and p_norm need d + 5 only. Where the sta is
    0, so that there is no axis, all but along and detectable are NaN.
    longest: [unit, d], the longest orthogonal axis, in normalized features; curve_x, curve, curve_sem: [unit, 10], the
    place along it, the standardized response there and its standard error, in tenths of the stimuli.
    """

    along: np.ndarray
    share_single: np.ndarray
    p_single: np.ndarray
    share: np.ndarray
    p: np.ndarray
    q: np.ndarray
    norm_r: np.ndarray
    p_norm: np.ndarray
    detectable: np.ndarray
    longest: np.ndarray
    curve_x: np.ndarray
    curve: np.ndarray
    curve_sem: np.ndarray
    tuned: np.ndarray
    units: np.ndarray

    @property
    def relative(self) -> np.ndarray:
        """[unit]: share / along, what the orthogonal space explains against the axis; huge where along is 0 or less."""
        return self.share / np.maximum(self.along, 1e-12)

    @property
    def flat(self) -> np.ndarray:
        """[unit] bool: shown to be flat, by the rule in the class."""
        unseen = (self.p > ALPHA) & (self.detectable < 0.1 * self.along)
        return self.tuned & (unseen | (self.share < 0.05 * self.along))

    def __repr__(self) -> str:
        return (
            f"Flatness({self.flat.sum()} of {self.tuned.sum()} tuned units flat; median share orthogonal / along "
            f"{np.median(self.relative):.3f}, detectable {np.median(self.detectable):.3f})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per unit: every field but longest, the curve and tuned; then relative and flat."""
        import pandas as pd

        names = (
            "along",
            "share_single",
            "p_single",
            "share",
            "p",
            "q",
            "norm_r",
            "p_norm",
            "detectable",
            "relative",
            "flat",
        )
        return pd.DataFrame({"unit": self.units, **{name: getattr(self, name) for name in names}})

    def figure(self) -> "plotly.graph_objects.Figure":
        """share against along, a point for each of the first 1,000 units; dotted: the median of detectable."""
        from deeptheory.axis.drawing import draw_flatness

        return draw_flatness(self)


def orthogonal_flatness(e: Entered, tuned: np.ndarray) -> Flatness:
    """See Flatness. Computed in the principal directions of the features."""
    z = e.z / e.variances.sum().sqrt()
    linear = torch.linalg.qr(torch.cat([torch.ones_like(z[:, :1]), z / z.std(0, correction=0)], 1)).Q
    parts = [_flatness(e, z, linear, slice(at, at + _UNITS)) for at in range(0, e.y.shape[1], _UNITS)]
    joined = {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}
    return Flatness(**joined, q=false_discovery(joined["p"]), tuned=tuned, units=e.units)


def _flatness(e: Entered, z: torch.Tensor, linear: torch.Tensor, piece: slice) -> dict[str, np.ndarray]:
    from scipy.stats import f as fisher

    n, d, variances = len(z), z.shape[1], z.square().mean(0)
    y = e.y[:, piece]
    y = ((y - y.mean(0)) / y.std(0, correction=0)).mT  # [u, n]
    sta = y @ z / n
    none = without_axis(e, e.s.mT @ (e.y - e.y.mean(0)) / n)[piece]
    x = (sta / variances) @ z.mT
    x = (x - x.mean(1, keepdim=True)) / x.std(1, correction=0, keepdim=True)
    x = torch.where(none[:, None], 0.0, x)
    cleared = y - (y @ linear) @ linear.mT
    bends = _cleared(torch.stack([x**2 - 1, x**3 - 3 * x], 1), linear)
    projector = _orthonormal(bends)[0]
    residual = cleared - _onto(projector, cleared[:, None])[:, 0]
    rest = residual.square().sum(1)
    axes, scores = _orthogonal(sta, z, variances)  # [u, d, d-1], [u, d-1, n]; longest first
    squares = scores**2
    squares = squares - squares.mean(2, keepdim=True)
    squares = squares / squares.square().mean(2, keepdim=True).sqrt().clamp_min(1e-30)
    norm = (scores**2).sum(1, keepdim=True)
    norm = norm - norm.mean(2, keepdim=True)
    norm = norm / norm.square().mean(2, keepdim=True).sqrt().clamp_min(1e-30)
    fewer = e.dependence.effective / n  # of what the residual's squares hold: dependent stimuli count in part
    used = 1 + d + 2
    freedom = max(n * fewer - used, 0.0)
    along = 1 - (rest / n) * (n * fewer - 1) / max(freedom, 1)
    out = {"along": along, "longest": axes[:, :, 0] @ e.basis.mT if d > 1 else torch.zeros(len(y), e.s.shape[1]).to(z)}
    testable = torch.zeros_like(rest, dtype=torch.bool)
    tests = {"single": squares[:, :1], "all": squares, "norm": norm}
    for name, added in tests.items():
        added = _cleared(added, linear)
        added = added - _onto(projector, added)
        basis, ranks = _orthonormal(added)
        k = ranks.to(rest)
        gained = (basis @ residual[:, :, None]).square().sum((1, 2))
        free = n * fewer - used - k
        error = (rest - gained) / free.clamp_min(1)  # of one stimulus; dependent ones: of as many as count
        ratio = (gained / k.clamp_min(1)) / error * fewer
        p = fisher.sf(ratio.cpu().numpy(), k.clamp_min(1).cpu().numpy(), free.clamp_min(1).cpu().numpy())
        p = torch.where((k > 0) & (free >= 1), torch.as_tensor(p).to(rest), torch.nan)
        if name == "norm":
            sign = (added[:, 0] * residual).sum(1).sign()
            out["norm_r"], out["p_norm"] = sign * (gained / rest.clamp_min(1e-300)).sqrt(), p
        else:
            suffix = "" if name == "all" else "_single"
            out["share" + suffix], out["p" + suffix] = (gained - k * error / fewer) / n, p
            if name == "all":
                each = [detectable(int(m), float(f)) for m, f in zip(k.tolist(), free.tolist())]
                out["detectable"] = torch.as_tensor(each).to(rest) * rest / n
                testable = (k > 0) & (free >= 1)
    for name in ("along", "share", "share_single", "norm_r"):
        out[name] = torch.where(testable, out[name], torch.nan)
    x_mean, mean, sem = _tenths(scores[:, 0] * float(e.variances.sum().sqrt()) if d > 1 else x, y)
    out |= {"curve_x": x_mean, "curve": mean, "curve_sem": sem}
    for name in out.keys() - {"along", "detectable"}:
        out[name] = out[name].masked_fill(none.view(-1, *[1] * (out[name].ndim - 1)), torch.nan)
    return {k: v.cpu().numpy() for k, v in out.items()}


def _cleared(rows: torch.Tensor, linear: torch.Tensor) -> torch.Tensor:
    """Rows [u, k, n] without what is linear in the features."""
    return rows - (rows @ linear) @ linear.mT


def _orthogonal(sta: torch.Tensor, z: torch.Tensor, variances: torch.Tensor):
    """Principal axes of the stimuli within the hyperplane o.sta = 0, longest first, and the stimuli's places there."""
    unit = sta / sta.norm(dim=1, keepdim=True).clamp_min(1e-30)
    d = len(variances)
    away = torch.eye(d).to(z) - unit[:, :, None] * unit[:, None, :]
    _, vectors = torch.linalg.eigh(away @ torch.diag(variances) @ away)
    axes = vectors[:, :, 1:].flip(2)
    return axes, axes.mT @ z.mT


def _orthonormal(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """[u, k, n], each of a mean square near 1 before it was cleared -> the same span with orthonormal rows, and its
    dimension [u]; what clearing left as rounding becomes 0."""
    values, vectors = torch.linalg.eigh(rows @ rows.mT)
    keep = values > 1e-9 * rows.shape[2]
    scale = torch.where(keep, values.clamp_min(1e-300).rsqrt(), torch.zeros_like(values))
    return (vectors * scale[:, None]).mT @ rows, keep.sum(1)


def _onto(basis: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    return (rows @ basis.mT) @ basis


@cache
def detectable(k: int, freedom: float) -> float:
    """Share of the residual variance that the F test of k squares finds with probability POWER at level ALPHA."""
    from scipy.optimize import brentq
    from scipy.stats import f as fisher
    from scipy.stats import ncf

    if k < 1 or freedom < 1:
        return float("nan")
    limit, high = fisher.isf(ALPHA, k, freedom), 10.0
    while ncf.sf(limit, k, freedom, high) < POWER and high < 1e6:
        high *= 2
    size: Any = high if high >= 1e6 else brentq(lambda v: ncf.sf(limit, k, freedom, v) - POWER, 1e-3, high)
    return size / (size + freedom)


def _tenths(x: torch.Tensor, y: torch.Tensor):
    """Mean place, mean response and its standard error in the tenths of x: each [u, 10]."""
    order = x.argsort(1)
    xs, ys = x.gather(1, order), y.gather(1, order)
    cuts = [
        slice(int(a), int(b)) for a, b in zip(np.linspace(0, x.shape[1], 11)[:-1], np.linspace(0, x.shape[1], 11)[1:])
    ]
    mean = torch.stack([ys[:, c].mean(1) for c in cuts], 1)
    none = torch.full_like(ys[:, 0], torch.nan)
    sem = torch.stack([ys[:, c].std(1) / (c.stop - c.start) ** 0.5 if c.stop - c.start > 1 else none for c in cuts], 1)
    return torch.stack([xs[:, c].mean(1) for c in cuts], 1), mean, sem
