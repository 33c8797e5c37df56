"""Models: what the comparison found, by unit, as a result that shows itself."""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from deeptheory.axis.bench.flatness import detectable
from deeptheory.axis.bench.validation import Entered
from deeptheory.axis.models.family import one_family
from deeptheory.axis.models.generators import typical_length
from deeptheory.axis.models.scores import DISTANCES, MODELS, RADII, Scores, score
from deeptheory.axis.models.verdicts import REASONS, VERDICTS, Evidence, verdicts
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray


@dataclass(frozen=True, kw_only=True, eq=False)
class Models(Result):
    """The rival models of every unit, compared on held-out stimuli.

    names, of cubics of one number, s the normalized features: "axis" w.s; "exemplar" |s - e|, |e| at most bounds (also
    at half and twice that); "norm x direction" cos(s, w), times |s|, 0 at a right angle; "energy" (w.s)^2; "angle"
    cos(s, w); "norm" |s|. Also "quadratic", all products of two features, ridge; "energy, two axes"; "constant".
    Source: Chang & Tsao 2017, figure 4.
    r2: [model, unit], 1 - squared error / that of the constant, on folds left out. lead, lead_error: [model, model,
    unit], r2 of the first minus r2 of the second, and its standard error, paired over stimuli. ceiling: [unit], rho of
    the responses, NaN where not known. aic: [model, unit], n log(mean squared error) + 2 (parameters + 1), fits on all
    stimuli. axis: [unit, d], fitted, of unit length, the response growing along it; target: [unit, d], fitted exemplar;
    bounds: [unit], radius= in median norms of the stimuli that it saw; radius: [3, unit], |e| at that bound, half,
    twice. norm_p: [unit], score test of an effect of |s| at a given w.s, NaN where all lengths |s| are equal.
    folds: how many. units: names. converged: [unit] bool, the fits of axis and exemplar on all stimuli ended by
    themselves.

    verdict, and at half and twice the bound verdict_half, verdict_twice: [unit]; reason: why it is undetermined, else
    "". Better is: by 2 standard errors and 2 % of the best r2. In this order, a later name replacing an earlier:
    "axis": tuned (the ramp's p below .05; without a null, r2 above 0 by 3 errors), better than exemplar and energy;
    norm x direction worse, or equal to within 2 %, and norm_p above .001 or norm x direction not better by .25 %. "norm
    x direction": better than exemplar and energy, axis not better, and by 5 % better than axis, or so in the mean with
    norm_p below .001. "exemplar": better than axis (by 3 errors), norm x direction and energy. "energy": better than
    exemplar and the constant, axis and norm x direction not better, and both ends of its axis respond alike, unlike its
    middle. "none": not tuned and no model above the constant, where an axis of a tenth of the variance would be found
    and trials repeat no better. "undetermined": no name; or its model leaves half of the ceiling unexplained, a richer
    model (angle; by 5 % quadratic, two energies) is better, the ceiling is 0 or less, or |s|^2 is nearly linear in s,
    so that all but energy are one family.
    """

    names: tuple[str, ...]
    r2: np.ndarray
    ceiling: np.ndarray
    lead: np.ndarray
    lead_error: np.ndarray
    aic: np.ndarray
    verdict: np.ndarray
    reason: np.ndarray
    verdict_half: np.ndarray
    verdict_twice: np.ndarray
    bounds: np.ndarray
    radius: np.ndarray
    axis: np.ndarray
    target: np.ndarray
    norm_p: np.ndarray
    converged: np.ndarray
    folds: int
    units: np.ndarray

    @property
    def bound(self) -> float:
        """The largest of bounds."""
        return float(self.bounds.max())

    def of(self, name: str) -> np.ndarray:
        """[unit]: r2 of the model `name`, one of .names. InputError: no such model."""
        if name not in self.names:
            from deeptheory.core.names import unknown

            raise InputError(unknown(name, self.names, what="model"))
        return self.r2[self.names.index(name)]

    @property
    def normalized(self) -> np.ndarray:
        """[model, unit]: r2 over the ceiling rho; NaN where there is none above 0."""
        return self.r2 / np.where(self.ceiling > 0, self.ceiling, np.nan)

    @property
    def aic_weights(self) -> np.ndarray:
        """[model, unit]: exp(-(aic - least aic) / 2) over its sum; 0 for the exemplar at half and twice the bound."""
        use = np.array([name not in DISTANCES[1:] for name in self.names])[:, None]
        delta = np.where(use, self.aic - np.where(use, self.aic, np.inf).min(0), np.inf)
        weight = np.exp(-delta / 2)
        return weight / weight.sum(0)

    @property
    def counts(self) -> dict[str, int]:
        """{verdict: number of units}, all six verdicts."""
        return {name: int((self.verdict == name).sum()) for name in VERDICTS}

    def __repr__(self) -> str:
        said = ", ".join(f"{v} {k}" for k, v in self.counts.items() if v)
        return f"Models({said}; {self.folds} folds, |e| <= {self.bound:.3g})"

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset: r2, aic over [model, unit]; verdicts, reason, ceiling, norm_p over [unit]."""
        import xarray as xr

        arrays = {k: (("model", "unit"), getattr(self, k)) for k in ("r2", "aic")}
        arrays |= {
            k: (("unit",), getattr(self, k))
            for k in ("verdict", "reason", "verdict_half", "verdict_twice", "ceiling", "norm_p")
        }
        return xr.Dataset(arrays, coords={"model": list(self.names), "unit": self.units})

    def table(self) -> "pandas.DataFrame":
        """One row per unit: verdicts, reason, "r2 MODEL" but for the constant, ceiling, radius (over bound), norm_p."""
        import pandas as pd

        columns: dict[str, Any] = {
            "unit": self.units,
            "verdict": self.verdict,
            "reason": self.reason,
            "verdict_half": self.verdict_half,
        }
        columns |= {"verdict_twice": self.verdict_twice}
        columns |= {f"r2 {name}": self.r2[k] for k, name in enumerate(self.names) if name != "constant"}
        columns |= {"ceiling": self.ceiling, "radius": self.radius[0] / self.bounds, "norm_p": self.norm_p}
        return pd.DataFrame(columns)

    def figure(self) -> "plotly.graph_objects.Figure":
        """r2 of axis against exemplar, verdicts as colors, 1,000 units of each at most; below -.2 drawn at -.2."""
        from deeptheory.axis.drawing import draw_models

        return draw_models(self)


def compare_models(
    e: Entered, ceiling: np.ndarray, p: np.ndarray, folds: int, radius: float, seed: int, pool: Executor
) -> Models:
    """p: of the ramp, NaN without a null; radius: bound of the exemplar in median stimulus norms; pool: computes folds.

    InputError: too few stimuli for the parameters.
    """
    z = e.z
    n, d = z.shape
    least = int(np.ceil(2 * (d + 5) * folds / (folds - 1)))
    if n < least:
        raise InputError(
            f"{n} stimuli for {d} features: the models have {d + 4} parameters and need {least} stimuli; show more, or "
            "give fewer features (their leading principal components), or models=False"
        )
    size = typical_length(z.norm(dim=1))  # fits know no unit of the features
    z, bound = z / size, radius
    found: Scores = score(z, e.y, e.dependence.folds(folds, seed), bound, pool, e.clusters)
    kept = {k: v.cpu().numpy().astype(np.float64) for k, v in vars(found).items() if isinstance(v, torch.Tensor)}
    above = kept["lead"][0, -1] > 3 * kept["lead_error"][0, -1]  # the axis model over the constant
    effective = e.dependence.effective
    evidence = Evidence(
        r2=kept["r2"],
        lead=kept["lead"],
        error=kept["lead_error"],
        norm_p=kept["norm_p"],
        arms=kept["arms"],
        ceiling=ceiling,
        tuned=np.where(np.isnan(p), above, p < 0.05),
        detectable=detectable(d, effective - d - 1),
        family=one_family(z),
        stimuli=effective,
    )
    said = [verdicts(evidence, k) for k in range(len(RADII))]
    basis = e.basis.cpu().numpy()
    return Models(
        names=MODELS,
        r2=kept["r2"],
        ceiling=ceiling,
        lead=kept["lead"],
        lead_error=kept["lead_error"],
        aic=kept["aic"],
        verdict=said[0][0],
        reason=np.array([REASONS.get(k, "") for k in said[0][1]]),
        verdict_half=said[1][0],
        verdict_twice=said[2][0],
        bounds=np.full(len(e.units), bound * size),
        radius=kept["radius"] * size,
        axis=kept["axis"] @ basis.T,
        target=kept["target"] * size @ basis.T,
        norm_p=kept["norm_p"],
        converged=kept["converged"].astype(bool),
        folds=folds,
        units=e.units,
    )
