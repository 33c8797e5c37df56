"""Gradient phases: drift, where the mean over minibatches leads, and diffusion, where the fluctuation does.

Source: Shwartz-Ziv & Tishby 2017, figure 4: per layer the norm of the mean gradient and of its fluctuation over
minibatches, both divided by the norm of the weights; SNR = mean / fluctuation. Saxe et al. 2018 find the same
transition in networks that do not compress, so the phases alone say nothing about compression.
Trap: with B minibatches of pure noise the expected SNR is about 1/sqrt(B), not 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.errors import InputError
from deeptheory.results import Result
from deeptheory.theme import NEUTRAL, layer_colours, new_figure


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientPhases(Result):
    """Arrays [seed, step, layer]: mean and std (both over ||W||), snr. crossing: [seed, layer], the step at which the SNR
    falls through 1 for good, interpolated between looks on a logarithmic axis; 0 if it is below 1 from the first look,
    infinite if it never stays below. crossing_low, crossing_high: [layer], 95 % interval of the median over networks.
    """

    seeds: tuple[int, ...]
    steps: tuple[int, ...]
    layers: tuple[str, ...]
    mean: np.ndarray
    std: np.ndarray
    snr: np.ndarray
    crossing: np.ndarray
    crossing_low: np.ndarray
    crossing_high: np.ndarray
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        with np.errstate(invalid="ignore"):
            middle = np.median(self.crossing, axis=0)
        each = ", ".join(f"{layer} {m:.0f}" for layer, m in zip(self.layers, middle))
        return f"GradientPhases({len(self.seeds)} networks, SNR falls through 1 at step: {each})"

    def dataset(self):
        """xarray.Dataset: mean, std, snr [seed, step, layer]; crossing [seed, layer]."""
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

    def table(self):
        """One row a layer: median crossing with its interval, networks that never cross, SNR at the end."""
        import pandas as pd

        with np.errstate(invalid="ignore"):
            rows = {
                "layer": list(self.layers),
                "crossing": np.median(self.crossing, axis=0),
                "low": self.crossing_low,
                "high": self.crossing_high,
                "never": np.isinf(self.crossing).sum(0),
                "snr_end": np.median(self.snr[:, -1], axis=0),
            }
        return pd.DataFrame(rows)

    def figure(self) -> Any:
        """As figure 4: normalised mean (solid) and fluctuation (dashed) against step + 1, both axes logarithmic."""
        import plotly.graph_objects as go

        figure = new_figure(xaxis_title="epoch + 1", yaxis_title="gradient norm / weight norm")
        figure.update_xaxes(type="log")
        figure.update_yaxes(type="log", exponentformat="power")
        x = (np.array(self.steps) + 1).tolist()
        for k, (layer, colour) in enumerate(zip(self.layers, layer_colours(len(self.layers)))):
            for values, name, dash in ((self.mean, "mean", "solid"), (self.std, "fluctuation", "dash")):
                figure.add_trace(
                    go.Scatter(
                        x=x,
                        y=_significant(np.median(values[:, :, k], axis=0)),
                        mode="lines",
                        name=f"{layer}, {name}",
                        line={"color": colour, "dash": dash},
                    )
                )
        middle = float(np.median(self.crossing))
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


def gradient_phases(gradients, seed: int = 0, draws: int = 2000) -> GradientPhases:
    """Phases from gradient moments: a Recording with gradients, or their Dataset [seed, step, layer].

    The Dataset holds mean_norm, std_norm, weight_norm (see recording.GradientRecorder). seed, draws: of the bootstrap
    over networks for the interval of the median crossing. InputError: no gradients, or fluctuations that are all
    undefined (one minibatch an epoch).
    """
    data = getattr(gradients, "gradients", gradients)
    if data is None or not hasattr(data, "data_vars") or "mean_norm" not in data:
        raise InputError("no gradients were recorded; pass gradients= to fit, or use dt.recording.GradientRecorder")
    data = data[["mean_norm", "std_norm", "weight_norm"]].transpose("seed", "step", "layer")
    mean_norm, std_norm, weight = (np.asarray(data[k].values) for k in ("mean_norm", "std_norm", "weight_norm"))
    if np.isnan(std_norm).all():
        raise InputError("fluctuations are undefined: one minibatch an epoch; measure with gradient_batch=512, say")
    with np.errstate(divide="ignore", invalid="ignore"):
        snr = mean_norm / std_norm
    steps = np.asarray(data["step"].values, dtype=np.float64)
    crossing = _crossing(snr, steps)
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, len(crossing), (draws, len(crossing)))
    with np.errstate(invalid="ignore"):
        medians = np.sort(np.median(crossing[rows], axis=1), axis=0)
    low, high = medians[int(0.025 * draws)], medians[min(int(0.975 * draws), draws - 1)]
    layers = tuple(str(v) for v in data["layer"].values)
    never = np.isinf(crossing).sum()
    return GradientPhases(
        seeds=tuple(int(s) for s in data["seed"].values),
        steps=tuple(int(s) for s in steps),
        layers=layers,
        mean=mean_norm / weight,
        std=std_norm / weight,
        snr=snr,
        crossing=crossing,
        crossing_low=low,
        crossing_high=high,
        notes=(f"{never} of {crossing.size} crossings did not happen by step {int(steps[-1])}",) if never else (),
    )


def _crossing(snr: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """[seed, step, layer] -> [seed, layer]; see GradientPhases."""
    out = np.full((snr.shape[0], snr.shape[2]), np.inf)
    x = np.log(steps + 1)
    for s in range(snr.shape[0]):
        for k in range(snr.shape[2]):
            y = np.log(np.where(snr[s, :, k] > 0, snr[s, :, k], 1e-300))
            above = np.flatnonzero(~(y < 0))  # NaN counts as not below
            if len(above) == 0:
                out[s, k] = 0.0
            elif above[-1] < len(y) - 1:
                a = above[-1]
                share = y[a] / (y[a] - y[a + 1]) if np.isfinite(y[a]) else 0.0
                out[s, k] = np.exp(x[a] + share * (x[a + 1] - x[a])) - 1
    return out


def _significant(values: np.ndarray, digits: int = 4) -> list[float]:
    return [float(f"{v:.{digits}g}") for v in values]
