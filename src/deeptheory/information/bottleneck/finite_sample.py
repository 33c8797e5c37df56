"""What a bottleneck learnt from n samples is worth: the worst-case curve and its minimum.

Source: Shamir, Sabato & Tishby 2010, as used by Tishby & Zaslavsky 2015, section II.D: with K clusters
I(T;Y) and its estimate differ by O(K |Y| / sqrt n), I(X;T) and its by O(K / sqrt n), and the effective K is 2^I(X;T).
The constant of the O is not stated there; it is an argument here, the same for both. Results depend on it.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize_scalar

from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_number, check_whole
from deeptheory.core.theme import NEUTRAL, SERIES_COLORS, new_figure
from deeptheory.information.bottleneck.curve import BottleneckCurve

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

_POINTS = 400


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class FiniteSampleBound(Result):
    """The worst-case curve of n samples, in bits, and its minimum.

    rate R = I(X;T), distortion D = I(X;Y) - I(T;Y) on the curve, worst = D + constant 2^R classes / sqrt n: each [400].
    r_star, d_star: where `worst` is least, and how much it is there. d_at_r_star: the curve's D there. interior:
    whether that lies between the ends: neither T constant nor T = X. rate_error = constant 2^r_star / sqrt n:
    what I(X;T) itself may be off by at r_star.
    """

    n: int
    constant: float
    classes: int
    rate: np.ndarray
    distortion: np.ndarray
    worst: np.ndarray
    r_star: float
    d_star: float
    d_at_r_star: float
    rate_error: float
    interior: bool

    def __repr__(self) -> str:
        where = "" if self.interior else ", at an end of the curve"
        return (
            f"FiniteSampleBound(n {self.n}, constant {self.constant:g}: least worst-case D {self.d_star:.4f} bits "
            f"at R {self.r_star:.4f} bits{where})"
        )

    def table(self) -> "pandas.DataFrame":
        """rate, distortion, worst: one row per point."""
        import pandas as pd

        return pd.DataFrame({"rate": self.rate, "distortion": self.distortion, "worst": self.worst})

    def figure(self) -> "plotly.graph_objects.Figure":
        """D against R: the curve, the worst case, and its minimum."""
        import plotly.graph_objects as go

        table = self.table()
        figure = new_figure(xaxis_title="R = I(X;T) (bits)", yaxis_title="D = I(X;Y|T) (bits)")
        for column, color, name in (
            ("distortion", NEUTRAL, "bound"),
            ("worst", SERIES_COLORS[1], f"with {self.n} samples"),
        ):
            points = {"x": table["rate"].round(5).tolist(), "y": table[column].round(5).tolist()}
            figure.add_trace(go.Scatter(**points, mode="lines", line={"color": color}, name=name))
        mark = {"size": 10, "color": SERIES_COLORS[1]}
        figure.add_trace(go.Scatter(x=[self.r_star], y=[self.d_star], mode="markers", marker=mark, name="(R*, D*)"))
        top = float(self.distortion.max())
        figure.update_yaxes(range=[-0.04 * top, max(1.6 * top, 1.2 * self.d_star)])
        return figure


def finite_sample_bound(
    curve: BottleneckCurve, n: int, *, constant: float = 1.0, classes: int = 2
) -> FiniteSampleBound:
    """The worst-case curve D(R) + constant 2^R |Y| / sqrt n and its minimum (R*(n), D*(n)).

    Source: Shamir, Sabato & Tishby 2010, as used by Tishby & Zaslavsky 2015, section II.D, with 2^R for the number of
    clusters; the constant of the O is not stated there, and the results depend on it.
    curve: of p(x, y), or of the empirical table. n: samples. classes: |Y|. InputError: no curve; n or classes below 1
    or no integers, constant negative or not finite, a worst case beyond float64.
    """
    if not isinstance(curve, BottleneckCurve):
        raise InputError(f"curve is {type(curve).__name__}; needed: what dt.bottleneck_curve(p_xy) returns")
    check_whole(n=(n, 1), classes=(classes, 1))
    check_number(constant=constant)
    if not (np.isfinite(constant) and constant >= 0):
        raise InputError(f"constant is {constant}; needed: a finite number, 0 or above")
    try:
        root = math.sqrt(n)
        scale = float(constant) * float(classes) / root
    except OverflowError:
        root = scale = math.inf
    if not (math.isfinite(root) and math.isfinite(scale * 2.0**curve.h_x)):
        raise InputError("constant 2^H(X) classes / sqrt n leaves float64; needed: smaller numbers")

    def worst(rate):
        return curve.i_xy - curve.envelope(rate) + scale * np.exp2(rate)

    rate = np.linspace(0, curve.h_x, _POINTS)
    values = worst(rate)
    at = int(values.argmin())
    low, high = rate[max(at - 1, 0)], rate[min(at + 1, _POINTS - 1)]
    size = min(1.0, curve.h_x)  # what is near an end depends on how long the curve is
    best = 0.0
    if high > low:
        near: Any = minimize_scalar(worst, bounds=(low, high), method="bounded", options={"xatol": 1e-10 * size})
        best = float(near.x)
    r_star = min((float(rate[at]), best), key=worst)
    distortion = curve.i_xy - curve.envelope(rate)
    return FiniteSampleBound(
        n=int(n),
        constant=float(constant),
        classes=int(classes),
        rate=rate,
        distortion=distortion,
        worst=values,
        r_star=r_star,
        d_star=float(worst(r_star)),
        d_at_r_star=float(curve.i_xy - curve.envelope(r_star)),
        rate_error=float(constant * 2.0**r_star / root),
        interior=bool(1e-6 * size < r_star < curve.h_x - 1e-6 * size),
    )
