"""The claims of figures 3, 5, 6, 7 and 8, as quantities. One value a network, or a network of each condition with one seed."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.statistics import spearman
from deeptheory.information import fall, fits_before_compressing, fraction_of_information
from deeptheory.runs import NotRun, Sample


def epochs_to(data: Any, level: float) -> np.ndarray:
    """[depth, seed]: the first look at which the output's I(T;Y) has reached that many bits; infinite if never."""
    i_y = data["output_i_y"].transpose("depth", "seed", "step").values
    reached = i_y >= level
    steps = data["step"].values.astype(float)
    return np.where(reached.any(-1), steps[reached.argmax(-1)], np.inf)


def depth_speeds(results):
    data = results["depth"]
    needed = epochs_to(data, 0.95 * data.attrs["information"])
    depths = data["depth"].values
    return np.array([spearman(depths, needed[:, s]) for s in range(needed.shape[1])])


def one_layer(results):
    data = results["depth"]
    if 1 not in data["depth"].values:
        return NotRun("no network with one hidden layer was trained")
    at = data.sel(depth=1)
    return fraction_of_information(at["output_i_y"].transpose("seed", "step").values, data.attrs["information"])


def _hidden(data: Any) -> np.ndarray:
    """[share, seed, step]: I(T;Y) of the last hidden layer."""
    return data["i_y"].isel(layer=-2).transpose("share", "seed", "step").values


def small_data(percent: str):
    def measure(results):
        data = results["training-size"]
        at = np.flatnonzero(np.isclose(data["share"].values, float(percent) / 100))
        if not len(at):
            return NotRun(f"{percent} % is not among the shares of this run")
        i_y = _hidden(data)[at[0]]
        return i_y.max(-1) - i_y[:, -1]

    return measure


def more_data(results):
    data = results["training-size"]
    ends = _hidden(data)[:, :, -1]
    return np.array([spearman(data["share"].values, ends[:, s]) for s in range(ends.shape[1])])


def beta_falls(results):
    beta = results["minibatch"]["bound_beta"].isel(when=-1).transpose("seed", "layer").values
    return np.array([spearman(np.arange(len(row)), row) for row in beta])


def on_the_bound(name: str):
    def measure(results):
        data = results["minibatch"]
        if name not in data["layer"].values:
            return NotRun(f"these networks have no {name}")
        at = data["bound_distance"].sel(layer=name)
        pair = np.stack([at.isel(when=-1).values, at.isel(when=0).values], axis=1)
        if pair[:, 1].mean() < 1e-6:
            return NotRun(
                f"untrained {name} is on the bound already ({pair[:, 1].mean():.1e} bits below it on average): the "
                "read-out tells nearly all inputs apart, so there is no distance to shrink"
            )
        return Sample(pair, "ratio")

    return measure


def transition(crossing: np.ndarray, i_x: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """[seed]: epoch at which the SNR falls through 1 / at which I(X;T) [seed, step] is largest, both counted from 1, as on a
    logarithmic axis. 0 where the SNR lies below 1 from the first look on and falls through nothing; NaN where I(X;T) does not
    fall after its largest value, which then begins no compression."""
    ratio = (crossing + 1) / (steps[i_x.argmax(1)] + 1)
    return np.where(crossing == 0, 0.0, np.where(fall(i_x) > 0, ratio, np.nan))


def committee_phases(results):
    at = results["committee"].isel(layer=-2)
    return fits_before_compressing(at["i_x"].values, at["i_y"].values)


def picture_phases(results):
    data = results["pictures"]
    phases = dt.gradient_phases(data)
    with np.errstate(invalid="ignore"):
        crossing = np.median(phases.crossing, axis=1)  # over layers
    values = transition(crossing, data["i_x"].isel(layer=-2).values, data["step"].values)
    return Sample(values, "median", (f"data: {data.attrs['pictures']}",))
