"""axis_code: the electrophysiologist's bench for a population of units, recorded or simulated or of a network.

Source: Chang & Tsao 2017 ("The code for facial identity in the primate brain", Cell 169:1013), with the corrections of
specs 2.3: mean-subtracted axes, bounded exemplars with all parameters free, the ceiling rho, the pooled orthogonal
space.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deeptheory.axis.bench.attribute import read_attribute
from deeptheory.axis.bench.axes import Axes, preferred_axes
from deeptheory.axis.bench.decoding import FOLDS, Decoding, decode
from deeptheory.axis.bench.flatness import Flatness, orthogonal_flatness
from deeptheory.axis.bench.identification import Identification, identify
from deeptheory.axis.bench.own_stimuli import joined, patterns, restricted
from deeptheory.axis.bench.preference import Preference, block_preference
from deeptheory.axis.bench.ramp import Ramp, ramp_tuning
from deeptheory.axis.bench.reliability import split_half
from deeptheory.axis.bench.shuffles import shuffled
from deeptheory.axis.bench.synthesis import Metamers, controversial, metamers, outward
from deeptheory.axis.bench.threads import workers
from deeptheory.axis.bench.validation import Entered, Normalization, count, enter
from deeptheory.axis.models.result import Models, compare_models
from deeptheory.axis.population.geometry import Geometry, axes_geometry
from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.results import Estimate, Result
from deeptheory.core.shapes import check_real, check_whole, labels_of, whole_numbers
from deeptheory.core.statistics import codes_of

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects


Figure = Literal["ramp", "preference", "flatness", "geometry", "models", "decoding", "identification"]


@dataclass(frozen=True, kw_only=True, eq=False)
class AxisCode(Result):
    """What axis_code found; each part is a result of its own, with .table() and .figure().

    axes, ramp, preference, flatness, decoding; models (None with models=False). units: [unit], positions of the units
    kept among those given; dead: how many were left out; stimuli: how many, repeats counted once; normalize: how
    features were scaled; reliability: [unit], what was given as reliability=, else the split-half rho of the responses,
    NaN without trials; seed: of all draws; notes: what was left out, and pitfalls of
    these data, in words.
    """

    axes: Axes
    ramp: Ramp
    preference: Preference
    flatness: Flatness
    models: Models | None
    decoding: Decoding
    reliability: np.ndarray
    units: np.ndarray
    dead: int
    stimuli: int
    normalize: str
    seed: int
    notes: tuple[str, ...]
    _entered: Entered

    @property
    def verdict(self) -> np.ndarray:
        """[unit]: axis, exemplar, norm x direction, energy, none, undetermined. InputError: models=False."""
        return self._models.verdict

    @property
    def _models(self) -> Models:
        if self.models is None:
            raise InputError("models were not compared (models=False); call axis_code with models=True")
        return self.models

    @property
    def share(self) -> dict[str, float]:
        """Share of the kept units by verdict."""
        return {k: v / len(self.units) for k, v in self._models.counts.items()}

    def identification(self, n: Any = 40, units: Any = None, draws: int = 5) -> Identification:
        """Which of n stimuli was shown: n, or several; units: numbers of units to try beside all, `draws` sets each.

        InputError: n below 2 or above the stimuli, units below 1 or above those there are.
        """
        check_whole(draws=(draws, 1))
        e = self._entered
        import torch

        steady = torch.as_tensor(self.decoding._steady, dtype=e.s.dtype, device=e.s.device)
        folds = e.dependence.left_out(FOLDS, self.seed)
        return identify(
            e.y, e.s, steady, self.units, n, units, draws, self.seed, folds, e.clusters, e.dependence.effective
        )

    def attribute(self, labels: Any) -> Estimate:
        """How well a linear reader of all units predicts an attribute of the stimuli: share right.

        labels: [n] of any kind (man or woman, say); in stratified folds, with the interval. InputError: another number
        of labels, fewer than two values, values that differ within a stimulus's repeats.
        """
        e = self._entered
        labels = labels_of("labels", labels, e.given)
        codes, first = codes_of(labels), np.unique(e.member, return_index=True)[1]
        first = first[e.member[first] >= 0]
        there = e.member >= 0
        if (codes[there] != codes[first][e.member[there]]).any():
            raise InputError(
                "labels differ within the rows of one stimulus (groups=); an attribute belongs to the stimulus"
            )
        return read_attribute(e.y, labels[first], e.dependence, self.seed)

    def geometry(self, which: Literal["whitened", "sta", "ridge", "fitted"] = "whitened", draws: int = 100) -> Geometry:
        """Cosines, rank and participation ratio of the axes.

        which: "whitened", "sta", "ridge", or "fitted" (of the axis model). draws: of random axes, for comparison.
        InputError: another name, draws below 1, fewer than two units.
        """
        check_whole(draws=(draws, 1))
        axes = (
            self._models.axis
            if which == "fitted"
            else pick({k: getattr(self.axes, k) for k in ("whitened", "sta", "ridge")}, which, what="axis")
        )
        return axes_geometry(axes, None, draws=draws, seed=self.seed)

    def metamers(self, unit: int, k: int = 20, projection: float = 1.0) -> Metamers:
        """k stimuli that share a projection onto the axis of a unit, and k along the axis, as features.

        unit: its name in .units; projection: in standard deviations. InputError: a unit that is not there.
        """
        check_whole(unit=(unit, 0), k=(k, 2))
        check_real(projection=(projection, -np.inf))
        axes = self._models.axis if self.models is not None else self.axes.whitened
        at = self._at([unit])[0]
        return metamers(self._entered, axes[at], int(unit), k, projection, self.seed)

    def controversial(self, n: int = 200, units: Any = None, candidates: int = 4000) -> np.ndarray:
        """[n, d]: stimuli, as features, on which the rival models of the units disagree most.

        Show them, and call axis_code again with both sets. units: names; default all, or 200 drawn by seed where there
        are more. InputError: n above candidates, a unit that is not there.
        """
        check_whole(n=(n, 1), candidates=(candidates, 1))
        if units is None:
            names = self.units
            if len(names) > 200:
                names = np.sort(np.random.default_rng([self.seed, 10]).choice(names, 200, replace=False))
        else:
            names = whole_numbers("units", units)
        return controversial(self._entered, self._at(names), self._models.bound, n, candidates, self.seed)

    def reconstruct(self, decoder: Any) -> Any:
        """What a decoder makes of the decoded features, each stimulus decoded from the others.

        decoder: features [n, d] in the caller's coordinates -> anything, pictures for instance; a function or an object
        with .decode. InputError: it is neither.
        """
        import torch

        decode = getattr(decoder, "decode", decoder)
        if not callable(decode):
            raise InputError(
                f"decoder is {type(decoder).__name__}; needed: a function of features [n, d], or an object with .decode"
            )
        predicted = torch.as_tensor(self.decoding.predicted).to(self._entered.s)
        return decode(outward(self._entered, predicted))

    def _at(self, names: Any) -> np.ndarray:
        place = {int(u): k for k, u in enumerate(self.units)}
        lost = [int(u) for u in names if int(u) not in place]
        if lost:
            raise InputError(
                f"unit {lost[0]} is not among the {len(place)} kept (see .units; {self.dead} were left out)"
            )
        return np.array([place[int(u)] for u in names])

    def noted(self, notes: Any, positions: Any = None) -> "AxisCode":
        """The same with further notes, and, where units were chosen beforehand, their positions among all."""
        from dataclasses import replace

        units = self.units if positions is None else np.asarray(positions)[self.units]
        named = {
            k: replace(getattr(self, k), units=units)
            for k in ("axes", "ramp", "preference", "flatness", "models")
            if getattr(self, k) is not None
        }
        return replace(self, **named, units=units, notes=(*notes, *self.notes))

    def __repr__(self) -> str:
        if self.models is None:
            said = f"{self.ramp.tuned.sum()} tuned"
        else:
            said = ", ".join(f"{v} {k}" for k, v in self.models.counts.items() if v)
        dead = f", {self.dead} left out" if self.dead else ""
        notes = f", {len(self.notes)} notes" if self.notes else ""
        return f"AxisCode({len(self.units)} units{dead}, {self.stimuli} stimuli: {said}{notes})"

    def table(self) -> "pandas.DataFrame":
        """One row per unit: verdict, ramp, preference, flatness, models, reliability."""
        out = self.ramp.table().merge(self.axes.table(), on="unit")
        for k, name in enumerate(self.preference.blocks):
            out[f"preference {name}"] = self.preference.value[:, k]
        out["tuned_dimensions"] = self.preference.tuned_dimensions
        flat = self.flatness.table().rename(columns={"p": "orthogonal_p", "q": "orthogonal_q"})
        out = out.merge(flat, on="unit")
        if self.models is not None:
            out = self.models.table().merge(out, on="unit")
        out["reliability_of_response"] = self.reliability
        return out

    def scalars(self) -> dict[str, float]:
        """Shares of units by verdict, tuned, flat; mean preference and explained variance by block."""
        out = {f"share/{k}": v for k, v in self.share.items()} if self.models is not None else {}
        out["share/tuned"] = float(self.ramp.tuned.mean())
        tuned = self.ramp.tuned
        out["share/flat"] = (
            float(self.flatness.flat[tuned].mean()) if tuned.any() else float("nan")
        )  # of the tuned units
        for k, name in enumerate(self.preference.blocks):
            out[f"preference/{name}"] = float(self.preference.value[:, k].mean())
        return out | self.decoding.scalars()

    def figure(self, name: Figure = "models") -> "plotly.graph_objects.Figure":
        """ramp, preference, flatness, geometry, models, decoding or identification.

        InputError: another name, models=False.
        """
        parts = {
            "ramp": lambda: self.ramp.figure(),
            "preference": lambda: self.preference.figure(),
            "flatness": lambda: self.flatness.figure(),
            "geometry": lambda: self.geometry().figure(),
            "models": lambda: self._models.figure(),
            "decoding": lambda: self.decoding.figure(),
            "identification": lambda: self.identification(_some_n(self.stimuli), _some_units(len(self.units))).figure(),
        }
        return pick(parts, name, what="figure")()


def axis_code(
    responses: Any,
    features: Any,
    blocks: Any = None,
    *,
    folds: int = 10,
    permutations: int = 500,
    groups: Any = None,
    seed: int = 0,
    normalize: Normalization = "block",
    radius: float = 1.5,
    reliability: Any = None,
    models: bool = True,
) -> AxisCode:
    """Axes, tuning, flatness, rival models, decoding of every unit.

    responses: [n, units], rates or activations of either sign, or [n, trials, units] (then with noise ceilings; NaN: no
    such trial). features: [n, d], coordinates of the stimuli. blocks: {"shape": slice(0, 25), ...}. folds: of the model
    comparison. permutations: draws of the null. normalize: "block", "dim" or "none" (validation.py): axes, norms and
    distances depend on it. radius: bound of the exemplar's length, in median stimulus norms. reliability: ceilings
    [units], where known otherwise. models=False leaves the comparison out. groups: [n], rows of one stimulus alike.
    Left out and counted in .dead and .notes: units that never vary, trials with NaN.
    InputError: shapes, infinities, no living unit, too few stimuli for the models (about 2.2 (d + 5)), folds < 2.
    """
    check_whole(folds=(folds, 2), permutations=(permutations, 0), seed=(seed, 0))
    check_real(radius=(radius, 0))
    with workers() as pool:
        e = enter(responses, features, blocks, normalize, groups)
        if models and len(e.s) < folds * 2:
            raise InputError(f"{len(e.s)} stimuli in {folds} folds; needed: at least two in each")
        ceilings = _ceiling(e, reliability)
        options = {
            "permutations": permutations,
            "folds": folds,
            "radius": radius,
            "models": models,
            "seed": seed,
            "pool": pool,
        }
        if e.seen is None:
            found = _measured(e, ceilings, **options)
        else:
            found = joined([_measured(restricted(e, u, rows), ceilings[u], **options) for u, rows in patterns(e.seen)])
        return AxisCode(
            **found,
            decoding=decode(e, seed=seed),
            units=e.units,
            dead=e.dead,
            stimuli=len(e.s),
            normalize=normalize,
            seed=seed,
            notes=(*e.notes, *_notes(e, found["models"], found["reliability"])),
            _entered=e,
        )


def _measured(
    e: Entered, ceiling: np.ndarray, permutations: int, folds: int, radius: float, models: bool, seed: int, pool: Any
) -> dict[str, Any]:
    """What is measured unit by unit."""
    null = shuffled(e, permutations, seed)
    ramp = ramp_tuning(e, null, seed)
    return {
        "axes": preferred_axes(e, seed),
        "ramp": ramp,
        "preference": block_preference(e, null),
        "flatness": orthogonal_flatness(e, ramp.tuned),
        "models": compare_models(e, ceiling, ramp.p, folds, radius, seed, pool) if models else None,
        "reliability": ceiling,
    }


def _ceiling(e: Entered, given: Any) -> np.ndarray:
    if given is not None:
        given = as_floats(given)
        if given.shape not in ((), (e.asked,)) or (given > 1).any():
            raise InputError(
                f"reliability has shape {list(given.shape)}, largest {given.max():g}; needed: one number, or "
                f"[{e.asked}], at most 1"
            )
        return np.broadcast_to(given, (e.asked,))[e.units].copy()
    if e.trials is None:
        return np.full(len(e.units), np.nan)
    return split_half(e.trials)


def _notes(e: Entered, models: Models | None, ceiling: np.ndarray) -> list[str]:
    from scipy.stats import kurtosis

    out = []
    d, r = e.s.shape[1], len(e.variances)
    heavy = np.abs(kurtosis(e.z.cpu().numpy(), axis=0)).max()
    if heavy > max(1.0, 5 * (24 / len(e.z)) ** 0.5):  # the second is chance alone, the largest of many directions
        out.append(
            f"the features are far from Gaussian (excess kurtosis {heavy:.1f} along a principal direction): "
            "the STA is then "
            "no estimate of Sigma w for a curved response; prefer the fitted axis of .models"
        )
    if e.dependence.effective < 2 * r + 3:
        span = "" if r == d else f" of rank {r}"
        out.append(
            f"flatness cannot be tested: {e.dependence.effective:.0f} independent stimuli, {d} features{span}; "
            f"{2 * r + 3} are needed"
        )
    if (lost := int((ceiling <= 0).sum())) > 0:
        out.append(
            f"the ceiling of {count(lost, 'unit')} is at or below 0: nothing there repeats from trial to "
            "trial, normalized scores are NaN"
        )
    if models is None:
        return out
    if np.isnan(ceiling).all():
        out.append(
            "no trials, no ceiling: a verdict says which model is best, not that it explains what can be explained"
        )
    wavering = (models.verdict != models.verdict_half) | (models.verdict != models.verdict_twice)
    if wavering.any():
        out.append(f"the verdict of {count(int(wavering.sum()), 'unit')} changes at half or twice the radius bound")
    for why in dict.fromkeys(models.reason.tolist()):
        if why:
            out.append(f"{count(int((models.reason == why).sum()), 'unit')} undetermined: {why}")
    near = models.names.index("norm x direction"), models.names.index("axis")
    open_ = (models.verdict == "axis") & (models.lead[near[1], near[0]] < 2 * models.lead_error[near[1], near[0]])
    if open_.any():
        out.append(
            f"for {count(int(open_.sum()), 'unit')} called axis, norm x direction predicts these stimuli "
            "equally well; stimuli near "
            "and far from the mean along the axis would decide (.controversial)"
        )
    if not models.converged.all():
        out.append(f"the fits of {count(int((~models.converged).sum()), 'unit')} did not converge")
    return out


def _some_n(stimuli: int) -> list[int]:
    return [k for k in (2, 5, 10, 20, 40, 100, 200, 400) if k <= stimuli]


def _some_units(units: int) -> list[int]:
    return [k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500) if k < units]
