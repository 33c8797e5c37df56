"""What is an axis code good for? Populations with an axis metric against populations with a distance metric, read out
linearly.

Source: Chang & Tsao 2017, figure 7 (the claim; details from memory): with equally many units and equal noise, axis
units let a linear reader decode identity better, from fewer units, at more noise and in more dimensions. Three readers,
all trained on some stimuli and asked about others: which of two stimuli it was; an attribute (the side of a random
hyperplane in feature space); identity under nuisance (the features of one half of the dimensions, the other half
varying freely). Both metrics have the same output (a softplus of the standardized x), the same reliability of each
unit.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from deeptheory.axis.bench.identification import chances, nearer
from deeptheory.axis.bench.left_out import left_out
from deeptheory.axis.simulate.simulation import simulate
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_real, check_whole, whole_numbers

if TYPE_CHECKING:
    import plotly.graph_objects
    import xarray

Reader = Literal["identity", "two", "attribute", "nuisance"]
READERS: tuple[Reader, ...] = get_args(Reader)


@dataclass(frozen=True, kw_only=True, eq=False)
class Efficiency(Result):
    """What linear readers make of axis cells and of exemplar cells (Chang & Tsao 2017, figure 7).

    accuracy: [seed, metric, units, reader], fractions of stimuli left out; metrics: ("axis", "exemplar"); units:
    numbers of cells, rising; seeds: as given. readers: "identity", the true stimulus is the nearest of `candidates` to
    the decoded features; "two", of two; "attribute", the side of a random hyperplane; "nuisance", identity by the first
    half of the features alone. chance: [reader].
    """

    accuracy: np.ndarray
    seeds: tuple[int, ...]
    units: tuple[int, ...]
    metrics: tuple[str, str] = ("axis", "exemplar")
    readers: tuple[str, ...] = READERS
    chance: tuple[float, ...]

    def __repr__(self) -> str:
        last = self.accuracy[:, :, -1, 0].mean(0)
        return (
            f"Efficiency(identity from {self.units[-1]} units: axis {last[0]:.2f}, distance {last[1]:.2f}; "
            f"{len(self.seeds)} seeds)"
        )

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset: accuracy over [seed, metric, units, reader], by their names."""
        import xarray as xr

        axes = ("seed", "metric", "units", "reader")
        named = {
            "seed": list(self.seeds),
            "metric": list(self.metrics),
            "units": list(self.units),
            "reader": list(self.readers),
        }
        return xr.Dataset({"accuracy": (axes, self.accuracy)}, coords=named)

    def ratio(self, accuracy: float = 0.5, reader: Reader = "identity") -> np.ndarray:
        """[seed]: how many times as many exemplar units as axis units it takes to reach an accuracy, 0 to 1.

        Interpolated between log numbers of units, the first number where that reaches it already; NaN where one of the
        metrics does not reach it. InputError: no such reader, accuracy that is no finite number.
        """
        from deeptheory.core.names import pick

        check_real(accuracy=(accuracy, -np.inf))
        r = pick({name: k for k, name in enumerate(self.readers)}, reader, what="reader")
        needed = np.array(
            [
                [_crossing(self.accuracy[s, m, :, r], self.units, float(accuracy)) for m in (0, 1)]
                for s in range(len(self.seeds))
            ]
        )
        return needed[:, 1] / needed[:, 0]

    def figure(self, reader: Reader = "identity") -> "plotly.graph_objects.Figure":
        """Accuracy of a reader against the number of units, a line per metric and seed. InputError: no such reader."""
        from deeptheory.axis.drawing import draw_efficiency

        return draw_efficiency(self, reader)


def metric_efficiency(
    units=(5, 10, 20, 50, 100, 200),
    *,
    n: int = 600,
    d: int = 50,
    candidates: int = 40,
    reliability: float = 0.5,
    radius=(0.5, 1.5),
    seeds=(0, 1, 2, 3),
) -> Efficiency:
    """What linear readers make of axis cells and of exemplar cells, as many and as noisy (Chang & Tsao 2017, figure 7).

    units: numbers of cells, the first so many of one population; n stimuli, d dimensions, isotropic Gaussian;
    candidates: among how many identity is asked for; reliability: of every cell; radius: of the exemplars, in median
    norms; seeds: one simulation each, see simulate. Each stimulus is read by a reader trained on the others, least
    squares or ridge as in Decoding. -> Efficiency, accuracy [seed, metric, units, reader].
    InputError: no unit or seed, n below 3, d below 2, candidates below 2 or above n, what simulate refuses.
    """
    check_whole(n=(n, 3), d=(d, 2), candidates=(candidates, 2))
    units = tuple(sorted(whole_numbers("units", units, 1).tolist()))
    seeds = tuple(whole_numbers("seeds", seeds).tolist())
    if not units or not seeds:
        raise InputError(f"units are {units}, seeds {seeds}; needed: at least one of each")
    if candidates > n:
        raise InputError(f"candidates is {candidates}; needed: 2 to {n}, the stimuli")
    out = np.empty((len(seeds), 2, len(units), len(READERS)))
    for i, seed in enumerate(seeds):
        for m, metric in enumerate(("axis", "exemplar")):
            sim = simulate(metric, n=n, d=d, units=units[-1], reliability=reliability, radius=radius, seed=seed)
            for k, count in enumerate(units):
                out[i, m, k] = _read(sim.responses[:, :count], sim.features, candidates, seed)
    return Efficiency(accuracy=out, seeds=seeds, units=units, chance=(1 / candidates, 0.5, 0.5, 1 / candidates))


def _read(responses: np.ndarray, features: np.ndarray, candidates: int, seed: int) -> list[float]:
    import torch

    y, s = torch.as_tensor(responses), torch.as_tensor(features)
    predicted = left_out(y, s).steady
    rng = np.random.default_rng([seed, 12])
    side = (s @ torch.as_tensor(rng.standard_normal(s.shape[1]))).sign()[:, None]
    told = left_out(y, side).steady
    half = s.shape[1] // 2
    closer, relevant = nearer(predicted, s), nearer(predicted[:, :half], s[:, :half])
    return [
        float(chances(closer, (candidates,)).mean()),
        float(chances(closer, (2,)).mean()),
        float(torch.where(told.abs() < 1e-12, 0.5, (told.sign() == side).double()).mean()),  # nothing told: guessed
        float(chances(relevant, (candidates,)).mean()),
    ]


def _crossing(accuracy: np.ndarray, units: tuple[int, ...], wanted: float) -> float:
    """The number of units at which the accuracy first reaches what is wanted."""
    above = np.flatnonzero(accuracy >= wanted)
    if len(above) == 0:
        return np.nan
    k = above[0]
    if k == 0:
        return float(units[0])
    share = (wanted - accuracy[k - 1]) / (accuracy[k] - accuracy[k - 1])
    return float(np.exp(np.log(units[k - 1]) + share * np.log(units[k] / units[k - 1])))
