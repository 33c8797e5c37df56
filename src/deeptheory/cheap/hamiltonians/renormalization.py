"""Which terms of a Hamiltonian survive coarse-graining? Measured on fields: y_i -> b^(d - 2i) y_i.

Source: Lin, Tegmark & Rolnick 2017, section III.D, in two dimensions (d = 2): a field with
H = integral of y_0 phi^2 + y_1 (grad phi)^2 + y_2 (lap phi)^2 + ... has 1 / (2 S(k)) = y_0 + y_1 k^2 + y_2 k^4 + ..., S
its power spectrum; averaging blocks of b x b sites sends y_i to b^(2-2i) y_i: y_0 is relevant, y_1 marginal,
the rest irrelevant.
Pitfalls: the averaging itself damps short waves by a known factor W(k)^2, which mixes y_i into y_(i+1), y_(i+2): it is
divided out here. Waves shorter than a block fold back onto long ones; that adds terms of order k^6,
so fits keep to k <= k_max.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.arrays import as_floats, as_numbers
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate, Result
from deeptheory.core.shapes import check_finite, check_real, check_shapes, check_whole, finite_floats
from deeptheory.core.statistics import mean_interval

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

_NEWTON = 100
_LEAST_FIELDS = 2
_LEAST_POWER, _MOST_POWER = 1e-140, 1e140  # of a mode: one over its square stays within float64
_ROUNDED = 1e-26  # of the mean square of a field: a power below it is what rounding of the field leaves


def renormalized(couplings, b: float, d: int = 2) -> np.ndarray:
    """y_i b^(d - 2i) for couplings y_0, y_1, ..., [terms] -> [terms] float64: the rule of a blocking in d dimensions.

    Source: Lin, Tegmark & Rolnick 2017, section III.D, for d = 2. InputError: b not above 0 and finite, d no integer of
    1 or more, another shape, couplings that are not finite, powers of
    b, or what they make of the couplings, beyond float64 (0 for a coupling that is not).
    """
    check_real(b=(b, 0))
    check_whole(d=(d, 1))
    check_real(d=(d, 0))  # within float64
    y = finite_floats("couplings", couplings)
    check_shapes(couplings=(y, "terms"))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        out = y * float(b) ** (d - 2.0 * np.arange(len(y)))
    if not np.isfinite(out).all() or ((out == 0) & (y != 0)).any():
        raise InputError(f"b is {b}; its powers to {d} leave float64")
    return out


def gaussian_field(couplings, size: int, seed: int) -> np.ndarray:
    """A Gaussian field [size, size], float64, on a torus with 1 / (2 S(k)) = sum_i y_i k^(2i), k in radians per site.

    couplings: y_0, y_1, ..., [terms]; S: its power spectrum, E|FFT|^2 / size^2; of mean 0, drawn by seed.
    InputError: size no integer of 2 or more, or couplings that make the spectrum infinite or not above 0 at some k.
    """
    check_whole(size=(size, 2), seed=(seed, 0))
    y = finite_floats("couplings", couplings)
    check_shapes(couplings=(y, "terms"))
    with np.errstate(over="ignore", invalid="ignore"):
        stiffness = _powers(_wave(size) ** 2, y)
        wrong = stiffness[~((stiffness > 0) & np.isfinite(2 * stiffness))]
    if len(wrong):
        raise InputError(
            f"couplings {y.tolist()} give 1/S = {2 * float(wrong.min()):g} at some k; it must be above 0 at all, and "
            "finite"
        )
    white = np.fft.fft2(np.random.default_rng(seed).standard_normal((size, size)))
    return np.fft.ifft2(white / np.sqrt(2 * stiffness)).real


def block_average(field, b: int) -> np.ndarray:
    """Means over blocks of b x b sites: field [..., L, L], numpy or torch -> numpy [..., L / b, L / b].

    NaN and infinity stay, and no sum overflows on the way.
    InputError: b no integer of 1 or more, or it does not divide L; another shape.
    """
    check_whole(b=(b, 1))
    field = as_numbers(field)
    size = field.shape[-1] if field.ndim >= 2 else 0
    if field.ndim < 2 or field.shape[-2] != size or b < 1 or size % b:
        raise InputError(f"field has shape {list(field.shape)}; needed: [..., L, L] with L a multiple of b = {b}")
    blocks = field.reshape(*field.shape[:-2], size // b, b, size // b, b)
    with np.errstate(over="ignore", invalid="ignore"):
        means = blocks.mean((-3, -1))
        if np.isfinite(means).all():
            return means
        return np.where(np.isfinite(means), means, (blocks / float(b * b)).sum((-3, -1)))


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RenormalizationFlow(Result):
    """Couplings of fields before and after steps of block averaging.

    couplings: [fields, steps + 1, terms], in units of the lattice of that step. b: side of a block. exponents: one
    Estimate per term, log_b of the growth per step, mean over independent fields and its 95 % interval (Student).
    """

    couplings: np.ndarray
    b: int
    exponents: tuple[Estimate, ...]

    @property
    def predicted(self) -> tuple[int, ...]:
        """2 - 2i for each term i: the exponents of the rule in two dimensions."""
        return tuple(2 - 2 * i for i in range(self.couplings.shape[2]))

    def __repr__(self) -> str:
        said = ", ".join(f"{e.value:.3f} [{e.low:.3f}, {e.high:.3f}]" for e in self.exponents)
        return f"RenormalizationFlow(exponents {said}; predicted {', '.join(map(str, self.predicted))})"

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset: coupling over [field, step, term]; attribute b."""
        import xarray as xr

        return xr.Dataset({"coupling": (("field", "step", "term"), self.couplings)}, attrs={"b": self.b})

    def table(self) -> "pandas.DataFrame":
        """One row per term: term, predicted, exponent (measured), low, high."""
        import pandas as pd

        rows = [(i, p, e.value, e.low, e.high) for i, (p, e) in enumerate(zip(self.predicted, self.exponents))]
        return pd.DataFrame(rows, columns=["term", "predicted", "exponent", "low", "high"])

    def scalars(self) -> dict[str, float]:
        """Measured exponents, "exponent/0" and so on."""
        return {f"exponent/{i}": e.value for i, e in enumerate(self.exponents)}

    def figure(self) -> "plotly.graph_objects.Figure":
        """Mean coupling against step, logarithmic, with the rule's straight lines."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure, series_colors

        figure = new_figure(xaxis_title=f"blockings by {self.b} x {self.b}", yaxis_title="coupling")
        figure.update_yaxes(type="log")
        figure.update_xaxes(dtick=1)
        mean, steps = self.couplings.mean(0), np.arange(self.couplings.shape[1])
        for i, color in enumerate(series_colors(mean.shape[1])):
            rule = mean[0, i] * float(self.b) ** (self.predicted[i] * steps)
            figure.add_trace(go.Scatter(x=steps, y=mean[:, i], name=f"y_{i} measured", mode="markers",
                                        marker={"color": color, "size": 10}))  # fmt: skip
            figure.add_trace(go.Scatter(x=steps, y=rule, name=f"y_{i} b^{self.predicted[i]}", mode="lines",
                                        line={"color": color, "dash": "dot"}))  # fmt: skip
        return figure


def renormalization_flow(
    fields, b: int = 2, *, terms: int = 3, steps: int = 1, k_max: float = 1.2
) -> RenormalizationFlow:
    """Fit y_0 .. y_(terms-1) to fields and to their block averages, and take exponents from the growth.

    fields: [fields, L, L], independent of each other and of mean 0. b: side of a block; steps: blockings, b^steps in
    all. Each fit is the maximum of Whittle's likelihood over modes with 0 < k <= k_max radians per site of that
    lattice, the damping by averages divided out. Exponent of a field: slope of log_b y over steps; 2 - 2i is predicted
    (Lin, Tegmark & Rolnick 2017, section III.D). InputError: b no integer of 2 or more, terms or steps below 1, k_max
    no finite number above 0, fewer than 2 fields (no interval), NaN, a shape that b^steps does not divide, fewer than
    10 modes per term, a field that is constant or so small or large that its power leaves 1e-140 to 1e140, one whose
    long waves are not above the rounding of its values, one that no couplings fit (a few waves outweigh all others), or
    a coupling fitted at or below 0, which has no exponent.
    """
    check_whole(b=(b, 2), terms=(terms, 1), steps=(steps, 1))
    check_real(k_max=(k_max, 0))
    x = as_floats(fields)
    if x.ndim != 3 or len(x) < _LEAST_FIELDS:
        raise InputError(
            f"fields have shape {list(x.shape)}; needed: [fields, L, L] with at least {_LEAST_FIELDS} fields"
        )
    check_finite(fields=x)
    couplings = np.stack(
        [np.stack([_fit(block_average(f, b**s), b**s, terms, k_max) for s in range(steps + 1)]) for f in x]
    )
    if not (couplings > 0).all():
        field, step, term = (int(v) for v in np.argwhere(~(couplings > 0))[0])
        raise InputError(
            f"y_{term} of field {field} after {step} steps is fitted as {couplings[field, step, term]:.3g}, not above "
            "0; take larger fields or a larger k_max"
        )
    at = np.arange(steps + 1) - steps / 2
    slopes = (np.log(couplings) * at[:, None]).sum(1) / ((at**2).sum() * np.log(b))  # [fields, terms]
    return RenormalizationFlow(couplings=couplings, b=b, exponents=tuple(_interval(s) for s in slopes.T))


def _interval(values: np.ndarray) -> Estimate:
    found = mean_interval(values)
    method = f"Whittle fits, {found.method} over {found.n} fields"
    return Estimate(value=found.value, low=found.low, high=found.high, unit="1", method=method)


def _wave(size: int) -> np.ndarray:
    """|k| in radians a site, [size, size]."""
    k = 2 * np.pi * np.fft.fftfreq(size)
    return np.hypot(k[:, None], k[None, :])


def _powers(k2: np.ndarray, y: np.ndarray) -> np.ndarray:
    return sum((c * k2**i for i, c in enumerate(y)), np.zeros_like(k2))


def _fit(field: np.ndarray, b: int, terms: int, k_max: float) -> np.ndarray:
    """Couplings of one field that was averaged over b x b sites: Gamma likelihood, 1 / (2 S) linear in them; Newton."""
    size = len(field)
    k = 2 * np.pi * np.fft.fftfreq(size)
    wave = _wave(size)
    chosen = (wave > 0) & (wave <= k_max)
    if chosen.sum() < 10 * terms:
        raise InputError(
            f"{int(chosen.sum())} modes lie within k_max = {k_max}; {10 * terms} are needed for {terms} terms"
        )
    damping = _damping(k / b, b)
    with np.errstate(over="ignore", invalid="ignore"):
        spectrum = np.abs(np.fft.fft2(field)) ** 2 / size**2 / (damping[:, None] * damping[None, :])
    p, design = spectrum[chosen], (wave[chosen][:, None] ** 2) ** np.arange(terms)
    if not _LEAST_POWER <= p.mean() <= _MOST_POWER:
        raise InputError(
            f"a field has the mean power {p.mean():.3g} in its long waves; needed: {_LEAST_POWER:g} to "
            f"{_MOST_POWER:g}, so fields that vary, in a unit of about their own size"
        )
    if p.mean() <= _ROUNDED * (size_of := float((field**2).mean())):
        raise InputError(
            f"a field has the mean power {p.mean():.3g} in its long waves and the mean square {size_of:.3g}: the waves "
            "are not above the rounding of its values; take off its mean, or take a larger k_max"
        )
    scale = design.mean(0)  # k^4 is small: bring the columns to one size
    design = design / scale
    y = np.zeros(terms)
    y[0] = 1 / (2 * p.mean())
    # -log L = sum over modes of 2 p eta - ln eta (up to constants), eta = design y = 1 / (2 S): convex
    for _ in range(_NEWTON):
        eta = design @ y
        gradient = design.T @ (2 * p - 1 / eta)
        try:
            step = np.linalg.solve((design / eta[:, None] ** 2).T @ design, gradient)
        except np.linalg.LinAlgError as error:
            raise InputError(
                f"no couplings fit {terms} terms to a field: a few waves outweigh all others; take off trends and "
                "outliers, or fewer terms"
            ) from error
        share = 1.0
        while not ((trial := design @ (y - share * step)) > 0).all() or _loss(p, trial) > _loss(p, eta) + 1e-9 * len(p):
            share /= 2
            if share < 1e-12:
                return y / scale
        y = y - share * step
        if gradient @ step < 1e-12 * len(p):
            return y / scale
    raise InputError(f"no fit of {terms} terms to a field in {_NEWTON} Newton steps; take fewer terms")


def _loss(p: np.ndarray, eta: np.ndarray) -> float:
    return float((2 * p * eta - np.log(eta)).sum())


def _damping(k: np.ndarray, b: int) -> np.ndarray:
    """|W(k)|^2 of the mean of b neighboring sites, k in radians a fine site."""
    return np.abs(np.exp(1j * k[:, None] * np.arange(b)).mean(1)) ** 2
