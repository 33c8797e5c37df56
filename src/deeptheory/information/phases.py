"""Gradient phases: drift, where the mean over minibatches leads, and diffusion, where the fluctuation does.

Source: Shwartz-Ziv & Tishby 2017, figure 4: per layer the norm of the mean gradient and of its fluctuation over
minibatches, both divided by the norm of the weights; SNR = mean / fluctuation. Saxe et al. 2018 find the same
transition in networks that do not compress, so the phases alone say nothing about compression.
Pitfall: with B minibatches of pure noise the expected SNR is about 1/sqrt(B), not 0; a note says what that is.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.statistics import LEAST_FOR_MEDIAN, median_interval
from deeptheory.core.theme import NEUTRAL, layer_colors, new_figure

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientPhases(Result):
    """Norms of mean and fluctuation of minibatch gradients, their ratio, and where it falls below 1.

    mean and std (both divided by ||W||), snr = mean / std: [seed, step, layer], steps ascending; plain numbers. snr is
    NaN where both are 0 or std is NaN (one minibatch), infinite where std alone is 0.

    crossing: [seed, layer], the step from which the SNR stays below 1, interpolated between recorded steps
    on a logarithmic axis (half way to an SNR that is 0 or infinite); 0 if it is below 1 from the first step, infinite
    if it is not below 1 at the last. Steps without an SNR are left out; NaN where none has one, or where the first has
    none and all others are below 1. crossing_low, crossing_high: [layer], 95 % interval of the median over networks
    with a crossing (infinite ones count) from order statistics; NaN below 6 of them.
    """

    seeds: tuple[int, ...]
    steps: tuple[float, ...]
    layers: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray
    snr: np.ndarray
    crossing: np.ndarray
    crossing_low: np.ndarray
    crossing_high: np.ndarray
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        each = ", ".join(f"{layer} {m:.0f}" for layer, m in zip(self.layers, _medians(self.crossing)))
        return f"GradientPhases({len(self.seeds)} networks, SNR falls through 1 at step: {each})"

    def dataset(self) -> "xarray.Dataset":
        """mean, std, snr [seed, step, layer] and crossing [seed, layer], float64; the notes among .attrs."""
        import xarray as xr

        axes = ("seed", "step", "layer")
        return xr.Dataset(
            {
                "mean": (axes, self.mean),
                "std": (axes, self.std),
                "snr": (axes, self.snr),
                "crossing": (("seed", "layer"), self.crossing),
            },
            coords={"seed": list(self.seeds), "step": list(self.steps), "layer": list(self.layers)},
            attrs={"notes": self.notes},
        )

    def table(self) -> "pandas.DataFrame":
        """One row per layer, medians over networks.

        crossing with its interval low, high; never: networks whose SNR is not below 1 at the end; undefined: networks
        without a crossing; snr_end: the SNR at the last step.
        """
        import pandas as pd

        rows = {
            "layer": list(self.layers),
            "crossing": _medians(self.crossing),
            "low": self.crossing_low,
            "high": self.crossing_high,
            "never": np.isinf(self.crossing).sum(0),
            "undefined": np.isnan(self.crossing).sum(0),
            "snr_end": _medians(self.snr[:, -1]),
        }
        return pd.DataFrame(rows)

    def figure(self) -> "plotly.graph_objects.Figure":
        """As figure 4: normalized mean (solid) and fluctuation (dashed) against step + 1, both axes logarithmic.

        Medians over networks; a dotted line at the median crossing of all layers, where that is above 0 and finite.
        """
        import plotly.graph_objects as go

        figure = new_figure(xaxis_title="epoch + 1", yaxis_title="gradient norm / weight norm")
        figure.update_xaxes(type="log")
        figure.update_yaxes(type="log", exponentformat="power")
        x = (np.array(self.steps) + 1).tolist()
        for k, (layer, color) in enumerate(zip(self.layers, layer_colors(len(self.layers)))):
            for values, name, dash in ((self.mean, "mean", "solid"), (self.std, "fluctuation", "dash")):
                figure.add_trace(
                    go.Scatter(
                        x=x,
                        y=_significant(_medians(values[:, :, k])),
                        mode="lines",
                        name=f"{layer}, {name}",
                        line={"color": color, "dash": dash},
                    )
                )
        middle = float(_medians(self.crossing.reshape(-1, 1))[0])
        if np.isfinite(middle) and middle > 0:
            figure.add_vline(x=middle + 1, line={"dash": "dot", "color": NEUTRAL})
            figure.add_annotation(  # on a logarithmic axis shapes stand at x, annotations at log10 x
                x=float(np.log10(middle + 1)),
                y=1,
                yref="paper",
                yanchor="bottom",
                showarrow=False,
                text=f"median crossing {middle:.0f}",
            )
        return figure


def gradient_phases(gradients) -> GradientPhases:
    """Drift and diffusion of training: SNR = ||mean gradient|| / ||its fluctuation|| per layer, and where it crosses 1.

    gradients: a Recording with gradients, or their Dataset [seed, step, layer], in any order of steps, with mean_norm,
    std_norm, weight_norm and, for the noise floor 1/sqrt(batches) in the notes, batches (see GradientRecorder).
    Source: Shwartz-Ziv & Tishby 2017, figure 4.
    InputError: no gradients, an axis that is missing, a seed, step or layer twice, steps below 0, or fluctuations that
    are all undefined (one minibatch per epoch).
    """
    data = getattr(gradients, "gradients", gradients)
    if data is None or not hasattr(data, "data_vars") or "mean_norm" not in data:
        raise InputError("no gradients were recorded; pass gradients= to fit, or use dt.recording.GradientRecorder")
    for name in ("std_norm", "weight_norm"):
        if name not in data:
            raise InputError(
                f"the gradients have no {name}; needed: mean_norm, std_norm, weight_norm [seed, step, layer]"
            )
    for axis in ("seed", "step", "layer"):
        if set(data["mean_norm"].dims) != {"seed", "step", "layer"}:
            raise InputError(f"mean_norm has axes {list(data['mean_norm'].dims)}; needed: seed, step, layer")
        values, count = np.unique(np.asarray(data[axis].values), return_counts=True)
        if (count > 1).any():
            raise InputError(f"{axis} {values[count > 1][0]} appears {count.max()} times; needed: each {axis} once")
    seeds = np.asarray(data["seed"].values)
    if seeds.dtype.kind not in "iuf" or not np.array_equal(seeds, np.floor(seeds)):
        raise InputError(f"seeds are {seeds.tolist()[:5]}; needed: integers")
    if np.asarray(data["step"].values).dtype.kind not in "iuf":
        raise InputError(f"steps are {data['step'].values.dtype}; needed: one or more numbers, 0 or above")
    data = data.sortby("step")
    steps = np.asarray(data["step"].values, dtype=np.float64)
    if len(steps) == 0 or not (np.isfinite(steps) & (steps >= 0)).all():
        raise InputError(f"steps are {steps.tolist()[:5]}; needed: one or more numbers, 0 or above")
    mean_norm, std_norm, weight = (_over_all(data, k) for k in ("mean_norm", "std_norm", "weight_norm"))
    if np.isnan(std_norm).all():
        raise InputError("fluctuations are undefined: one minibatch per epoch; measure with gradient_batch=512, say")
    with np.errstate(divide="ignore", invalid="ignore"):
        snr, mean, std = mean_norm / std_norm, mean_norm / weight, std_norm / weight
    crossing = _crossing(snr, steps)
    found = [median_interval(column) for column in crossing.T]
    layers = tuple(str(v) for v in data["layer"].values)
    return GradientPhases(
        seeds=tuple(int(s) for s in data["seed"].values),
        steps=tuple(int(s) if s == int(s) else float(s) for s in steps),
        layers=layers,
        mean=mean,
        std=std,
        snr=snr,
        crossing=crossing,
        crossing_low=np.array([f.low for f in found]),
        crossing_high=np.array([f.high for f in found]),
        notes=_notes(data, snr, crossing, layers, steps),
    )


def _over_all(data, name: str) -> np.ndarray:
    """One variable [seed, step, layer], float64; axes that it does not have are filled in by name.
    InputError: other axes, norms below 0."""
    if not set(data[name].dims) <= {"seed", "step", "layer"}:
        raise InputError(f"{name} has axes {list(data[name].dims)}; needed: seed, step, layer")
    full = data[name].broadcast_like(data["mean_norm"]).transpose("seed", "step", "layer")
    values = np.asarray(full.values, dtype=np.float64)
    if (values < 0).any():
        raise InputError(f"{name} holds {np.nanmin(values):g}; a norm is 0 or above")
    return values


def _crossing(snr: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """[seed, step, layer] -> [seed, layer]; see GradientPhases."""
    out = np.full((snr.shape[0], snr.shape[2]), np.nan)
    for s in range(snr.shape[0]):
        for k in range(snr.shape[2]):
            there = ~np.isnan(snr[s, :, k])
            y, x = snr[s, there, k], np.log1p(steps[there])
            if not len(y):
                continue
            above = np.flatnonzero(y >= 1)
            if len(above) == 0:
                out[s, k] = 0.0 if there[0] else np.nan
            elif above[-1] == len(y) - 1:
                out[s, k] = np.inf
            else:
                a = above[-1]
                with np.errstate(divide="ignore"):
                    high, low = np.log(y[a]), np.log(y[a + 1])
                share = high / (high - low) if np.isfinite(high - low) else 0.5
                out[s, k] = np.expm1(x[a] + share * (x[a + 1] - x[a]))
    return out


def _notes(data, snr: np.ndarray, crossing: np.ndarray, layers: tuple[str, ...], steps: np.ndarray) -> tuple[str, ...]:
    notes = []
    never = int(np.isinf(crossing).sum())
    if never:
        notes.append(f"{never} of {crossing.size} crossings did not happen by step {steps[-1]:g}")
    missing = np.isnan(snr)
    dead = np.asarray(missing.all(1))
    if dead.any():
        names = [name for k, name in enumerate(layers) if dead[:, k].any()]
        notes.append(
            f"no gradient at any step in {', '.join(names)} ({int(dead.sum())} of {dead.size}): no SNR, no crossing"
        )
    partly = int((missing.any(1) & ~dead).sum())
    if partly:
        notes.append(
            f"{partly} of {dead.size} series have steps without an SNR (mean and fluctuation 0 or NaN); "
            "those are left out"
        )
    early = int((np.isnan(crossing) & ~dead).sum())
    if early:
        notes.append(f"{early} crossings are undefined: no SNR at the first step, below 1 at all others")
    few = (~np.isnan(crossing)).sum(0).min()
    if few < LEAST_FOR_MEDIAN:
        notes.append(
            f"{few} network{'s have' if few != 1 else ' has'} a crossing; a median has an interval from "
            f"{LEAST_FOR_MEDIAN} on"
        )
    batches = np.asarray(data["batches"].values if "batches" in data else [], dtype=np.float64)
    batches = batches[batches >= 1]  # NaN is none
    if batches.size:
        low, high = batches.min(), batches.max()
        floor = 1 / np.sqrt(low)
        said = f"{low:g}" if low == high else f"{low:g} to {high:g}"
        notes.append(f"pure noise over {said} minibatches has an SNR of about 1/sqrt(B) = {floor:.3g}, not 0")
        if floor >= 1:
            notes.append("with so few minibatches noise alone is not below 1: these crossings say nothing")
    else:
        notes.append("pure noise over B minibatches has an SNR of about 1/sqrt(B), not 0 (B was not recorded)")
    return tuple(notes)


def _medians(values: np.ndarray) -> np.ndarray:
    """Median over networks [seed, column] of those that are defined; NaN where none is."""
    return np.array([median_interval(column).value for column in values.T])


def _significant(values: np.ndarray, digits: int = 4) -> list[float]:
    return [float(f"{v:.{digits}g}") for v in values]
