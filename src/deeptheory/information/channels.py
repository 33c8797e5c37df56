"""Channel capacity and rate-distortion of finite alphabets, each with a bound on how far it is from the optimum.

Sources: Blahut 1972, Arimoto 1972. Capacity: max over p of I; for any p, I(p) <= C <= max_x KL[p(y|x) || p(y)]. Rate-
distortion: for given codewords a convex problem in their masses, solved by Newton steps with an active set.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.arrays import Array, as_floats, as_numpy, check_paired, like
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_real, check_shapes
from deeptheory.core.theme import new_figure
from deeptheory.information.bottleneck.methods import check_betas
from deeptheory.information.bottleneck.mixture import best_weights

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

_BITS = 1 / np.log(2)
_ITERATIONS = 20_000


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ChannelCapacity(Result):
    """Capacity of a channel in bits, between value and high.

    value: I(X;Y) of p_x, a lower bound; high: no input distribution carries more. p_x [nx], p_y [ny]: that input
    distribution and what it gives, float64, torch where the channel was.
    """

    value: float
    high: float
    p_x: Array
    p_y: Array

    def __repr__(self) -> str:
        return (
            f"ChannelCapacity({self.value:.6g} bits, at most {self.high:.6g}, "
            f"{int((as_numpy(self.p_x) > 1e-9).sum())} inputs in use)"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per input: its number from 0 (input), and p_x."""
        import pandas as pd

        return pd.DataFrame({"input": range(len(self.p_x)), "p_x": as_numpy(self.p_x)})


def capacity(channel, tolerance: float = 1e-9) -> ChannelCapacity:
    """Capacity of a discrete memoryless channel, the largest I(X;Y) over p(x), in bits per use.

    channel: p(y|x) [nx, ny], numpy or torch, rows summing to 1. Blahut-Arimoto with steps as long as still pay (Blahut
    1972, Arimoto 1972, Matz & Duhamel 2004), until the bounds meet to `tolerance` bits, or for 20,000 steps.
    InputError: rows that are no distributions, NaN, tolerance not above 0.
    """
    check_shapes(channel=(channel, "x y"))
    check_finite(channel=channel)
    q = as_floats(channel)
    if q.size == 0 or q.min() < 0 or not np.allclose(q.sum(1), 1, atol=1e-6):
        raise InputError("channel [nx, ny] holds p(y|x): not empty, not negative, each row summing to 1")
    check_real(tolerance=(tolerance, -np.inf))
    if not tolerance > 0:
        raise InputError(f"tolerance is {tolerance}; needed: above 0")
    q = q / q.sum(1, keepdims=True)
    qlq = (q * np.log(np.where(q > 0, q, 1))).sum(1)
    p, stretch = np.full(len(q), 1 / len(q)), 1.0
    value, divergence = _carried(p, q, qlq)
    for _ in range(_ITERATIONS):
        high = divergence.max()
        if (high - value) * _BITS <= tolerance:
            break
        new = p * np.exp(stretch * (divergence - high))
        new /= new.sum()
        new_value, new_divergence = _carried(new, q, qlq)
        if new_value < value and stretch > 1:
            stretch = max(1.0, stretch / 4)
            continue
        p, value, divergence, stretch = new, new_value, new_divergence, min(stretch * 1.3, 1e6)
    return ChannelCapacity(
        value=float(value * _BITS), high=float(divergence.max() * _BITS), p_x=like(p, channel), p_y=like(p @ q, channel)
    )


def _carried(p: np.ndarray, q: np.ndarray, qlq: np.ndarray) -> tuple[float, np.ndarray]:
    """I(X;Y) and KL[p(y|x) || p(y)] by x, nats."""
    p_y = p @ q
    divergence = qlq - q @ np.log(np.where(p_y > 0, p_y, 1))
    missing = (q[:, p_y <= 0] > 0).any(1)  # such an input has mass 0: its divergence is infinite
    divergence = np.where(missing, np.inf, divergence)
    return float(p[p > 0] @ divergence[p > 0]), np.maximum(divergence, 0.0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RateDistortion(Result):
    """A rate-distortion curve: at each beta the least rate + beta distortion / ln 2. In the order of the betas given.

    beta [b], nats per unit of distortion; rate [b] (bits), distortion [b] (its own unit), gap [b]: bits by which
    rate + beta distortion / ln 2 may be above the least; encoder [b, nx, k]: p(t|x) of the k codewords; p_t [b, k]:
    p(t).
    """

    beta: np.ndarray
    rate: np.ndarray
    distortion: np.ndarray
    gap: np.ndarray
    encoder: Array
    p_t: Array

    def __repr__(self) -> str:
        ends = (
            f"rate {self.rate[0]:.4g} to {self.rate[-1]:.4g} bits, distortion {self.distortion[0]:.4g} to "
            f"{self.distortion[-1]:.4g}"
        )
        return f"RateDistortion({len(self.beta)} betas: {ends})"

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset over beta: rate (bits), distortion, gap."""
        import xarray as xr

        columns = {k: ("beta", getattr(self, k)) for k in ("rate", "distortion", "gap")}
        return xr.Dataset(columns, coords={"beta": self.beta})

    def figure(self) -> "plotly.graph_objects.Figure":
        """Rate against distortion."""
        import plotly.graph_objects as go

        table = self.table().sort_values("distortion")
        figure = new_figure(xaxis_title="distortion", yaxis_title="rate (bits)")
        figure.add_trace(go.Scatter(x=table["distortion"].tolist(), y=table["rate"].tolist(), mode="lines+markers"))
        return figure


def rate_distortion(p, distortion, beta) -> RateDistortion:
    """The rate-distortion curve of a source p [nx] with distortion [nx, k], at trade-offs beta (a number or [b]).

    The least I(X;T) + beta E d(x, t) over p(t|x) (Blahut 1972), in nats; k codewords, whose masses are the unknowns.
    p(t|x) = p(t) exp(-beta distortion) / Z, so the curve's slope is -beta / ln 2 bits per unit of distortion.
    InputError: p that is no distribution, shapes, the same row labels in another order, NaN, beta empty,
    negative or no finite number.
    """
    check_paired(p=p, distortion=distortion)
    check_shapes(p=(p, "x"), distortion=(distortion, "x k"))
    check_finite(p=p, distortion=distortion)
    betas = check_betas(beta)
    source, d = as_floats(p), as_floats(distortion)
    if d.size == 0 or source.min() < 0 or abs(source.sum() - 1) > 1e-6:
        raise InputError(
            f"p sums to {source.sum():.6g}; needed: probabilities that sum to 1, and at least one codeword"
        )
    source = source / source.sum()
    with_mass = np.flatnonzero(source > 0)
    kept, best = source[with_mass], d.min(1, keepdims=True)
    rows, w = [], np.full(d.shape[1], 1 / d.shape[1])
    for b in betas:
        e = np.exp(-b * (d - best))
        w = 0.5 * w + 0.5 / len(w)
        z = e[with_mass] @ w
        for _ in range(50):
            w = w * ((kept / z) @ e[with_mass])
            z = e[with_mass] @ w
        rows_e = np.ascontiguousarray(e[with_mass])
        for _ in range(
            5 if len(w) <= 400 else 0
        ):  # codewords that are nearly alike: a fresh start goes on where one stopped
            best_weights(kept, rows_e, w, len(w), np.empty(len(kept)))
            w = w / w.sum()
            if ((kept / (rows_e @ w)) @ rows_e).max() < 1 + 1e-12:
                break
        z = e @ w
        encoder = np.where(z[:, None] > 0, e * w / np.where(z > 0, z, 1)[:, None], w)  # a symbol without mass: p(t)
        gap = np.log(((kept / z[with_mass]) @ e[with_mass]).max())
        p_t = source @ encoder
        ratio = np.where(encoder > 0, encoder / np.where(p_t > 0, p_t, 1), 1)
        rate = float(source @ (encoder * np.log2(ratio)).sum(1))
        rows.append((max(rate, 0.0), float(source @ (encoder * d).sum(1)), max(gap, 0.0) * _BITS, encoder, p_t))
    rate, mean, gap, encoder, p_t = (np.array(column) for column in zip(*rows))
    return RateDistortion(beta=betas, rate=rate, distortion=mean, gap=gap, encoder=like(encoder, p), p_t=like(p_t, p))
