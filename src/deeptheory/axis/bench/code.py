"""axis_code: the electrophysiologist's bench for a population of units, recorded or simulated or of a network.

Source: Chang & Tsao 2017 (Cell 169:1013), with the corrections of specs 2.3: mean-subtracted axes, bounded exemplars
with all parameters free, the ceiling rho, the pooled orthogonal space.
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
    """What axis_code found. axes, ramp, preference, flatness, models, decoding: results of their own.

    models: None with models=False. units: [unit], positions of the units kept among those given; dead: how many were
    left out; stimuli: how many, repeats counted once. reliability: [unit], reliability= where given, else the
    split-half rho of the responses, NaN without trials. normalize, seed: as given. notes: what was left out, and
    pitfalls of these data, in words. Arrays are numpy; [unit] is always in the order of units.
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
        """[unit]: axis, exemplar, norm x direction, energy, none or undetermined, by the rules that Models states.

        InputError: models=False.
        """
        return self._models.verdict

    @property
    def _models(self) -> Models:
        if self.models is None:
            raise InputError("models were not compared (models=False); call axis_code with models=True")
        return self.models

    @property
    def share(self) -> dict[str, float]:
        """{verdict: fraction of the kept units}, all six verdicts. InputError: models=False."""
        return {k: v / len(self.units) for k, v in self._models.counts.items()}

    def identification(self, n: Any = 40, units: Any = None, draws: int = 5) -> Identification:
        """Which of N stimuli was shown: the one nearest (Euclidean) to the decoded features; -> Identification.

        n: N, or several, each from 2 to the number of stimuli. units: numbers of units to try beside all, each a mean
        over `draws` random sets, by the code's seed. Source: Chang & Tsao 2017, figure 3.
        InputError: n (the default too) or units out of range, draws below 1.
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
        """Accuracy (a fraction) of a linear decoder of an attribute from all units, on stimuli left out; -> Estimate.

        labels: [n] of any kind (man or woman, say), one per row that was given. Least squares on indicators, ridge
        where units are many; the mean over 2 to 10 draws of up to 10 stratified folds. The 95 % interval is Clopper and
        Pearson's for n / 1.35 stimuli; the note has the frequency of the most frequent label.
        InputError: another number of labels, fewer than two values or one that occurs once, labels that differ within a
        stimulus's repeats.
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
        """Cosines, rank and participation ratio of the units' axes in the normalized features; -> Geometry.

        which: "whitened", "sta", "ridge", or "fitted" (of the axis model). draws: sets of as many directions, even over
        the sphere, for the null. InputError: another name, draws below 1, fewer than two units; "fitted" with
        models=False.
        """
        check_whole(draws=(draws, 1))
        axes = (
            self._models.axis
            if which == "fitted"
            else pick({k: getattr(self.axes, k) for k in ("whitened", "sta", "ridge")}, which, what="axis")
        )
        return axes_geometry(axes, None, draws=draws, seed=self.seed)

    def metamers(self, unit: int, k: int = 20, projection: float = 1.0) -> Metamers:
        """k stimuli that share a projection onto the axis of a unit, and k along the axis; -> Metamers.

        unit: its name in .units; projection: in standard deviations of the stimuli's. The axis is that of the fitted
        axis model, with models=False the whitened one; all else is drawn from the stimuli's Gaussian, by the code's
        seed. InputError: a unit that is not there, k below 2, projection no finite number.
        """
        check_whole(unit=(unit, 0), k=(k, 2))
        check_real(projection=(projection, -np.inf))
        axes = self._models.axis if self.models is not None else self.axes.whitened
        at = self._at([unit])[0]
        return metamers(self._entered, axes[at], int(unit), k, projection, self.seed)

    def controversial(self, n: int = 200, units: Any = None, candidates: int = 4000) -> np.ndarray:
        """[n, d]: stimuli, as features in the caller's units, on which the rival models of the units disagree most.

        The idea is Golan et al. 2020's; models are axis, exemplar, norm x direction and energy; units take turns to
        choose among random `candidates`, .15 to 2 median norms long or along a unit's axis or exemplar. Show them, and
        call axis_code again with both sets. units: names; default all, or 200 drawn by seed where there are more.
        InputError: n below 1 or above candidates, no unit or one that is not there, models=False.
        """
        check_whole(n=(n, 1), candidates=(candidates, 1))
        if units is None:
            rng = np.random.default_rng([self.seed, 10])
            names = self.units if len(self.units) <= 200 else np.sort(rng.choice(self.units, 200, replace=False))
        else:
            names = whole_numbers("units", units)
            if not len(names):
                raise InputError("units is empty; needed: names in .units, or None for all")
        return controversial(self._entered, self._at(names), self._models.bound, n, candidates, self.seed)

    def reconstruct(self, decoder: Any) -> Any:
        """decoder(features [n, d]) for the features decoded from the units, each stimulus's from the others.

        decoder: a function of features in the caller's units, or an object with .decode, such as a face space; what it
        gives is returned. InputError: it is neither.
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
        """The same with further notes in front; positions: new names of the units given, [given], None: as they are."""
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
        """One row per unit: columns of .models (where compared), .ramp, .axes, .flatness (its p, q: orthogonal_p, _q).

        Between them "preference NAME" for each block and tuned_dimensions; last reliability_of_response.
        """
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
        """Fractions of units by verdict (where compared) and tuned; share/flat: of the tuned, NaN where none is.

        preference/BLOCK: mean over units; explained/BLOCK: mean explained variance.
        """
        out = {f"share/{k}": v for k, v in self.share.items()} if self.models is not None else {}
        out["share/tuned"] = float(self.ramp.tuned.mean())
        tuned = self.ramp.tuned
        out["share/flat"] = float(self.flatness.flat[tuned].mean()) if tuned.any() else float("nan")
        for k, name in enumerate(self.preference.blocks):
            out[f"preference/{name}"] = float(self.preference.value[:, k].mean())
        return out | self.decoding.scalars()

    def figure(self, name: Figure = "models") -> "plotly.graph_objects.Figure":
        """That part's figure; "geometry": that of .geometry(), "identification": of .identification() by n and units.

        InputError: another name, "models" with models=False, "geometry" of one unit.
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
    """Axes, tuning, flatness, rival models, decoding of every unit; -> AxisCode.

    responses: [n, units], rates or activations of either sign, or [n, trials, units] (then with noise ceilings; NaN: no
    such trial). features: [n, d], coordinates of the stimuli. In float64 on the responses' device, the null in float32.
    blocks: {"shape": slice(0, 25), ...}, slices or indices, no feature twice; None: one block, "all". normalize:
    features are centered, and "block" gives each block an equal part of a total variance of 1 (the code of Chang & Tsao
    2017; features in no block are one more), "dim" each feature unit variance, "none" no more. Axes, norms and
    distances depend on it.
    groups: [n] labels. Rows of one label with equal features are repeats and become trials of one stimulus; other
    groups stay in one fold and move together under the null. Repeats without groups, more than coarse features give by
    chance, are refused; rows that follow each other in features and responses count as a series in time, with a note.
    folds: of the model comparison. permutations: of the null of ramp and preference; 0: their p is NaN. radius: bound
    of the exemplar's length, in median stimulus norms. reliability: ceilings known otherwise, [units] or one number, at
    most 1. models=False leaves the comparison out. seed: of all draws.
    Left out, see .dead and .notes: units that never vary or lack over half of the stimuli, stimuli without a trial.
    InputError: shapes, infinities, NaN in features, no living unit, fewer than 3 stimuli, or than the models need,
    2 (d + 5) folds / (folds - 1) with d the rank of the features; numbers out of range.
    """
    check_whole(folds=(folds, 2), permutations=(permutations, 0), seed=(seed, 0))
    check_real(radius=(radius, 0))
    with workers() as pool:
        e = enter(responses, features, blocks, normalize, groups)
        if models and len(e.s) < folds * 2:
            raise InputError(f"{len(e.s)} stimuli in {folds} folds; needed: at least two in each")
        ceilings = _ceiling(e, reliability)
        options = {"permutations": permutations, "folds": folds, "radius": radius, "models": models, "seed": seed}
        if e.seen is None:
            found = _measured(e, ceilings, pool, **options)
        else:
            parts = [(restricted(e, u, rows), ceilings[u]) for u, rows in patterns(e.seen)]
            found = joined([_measured(*part, pool, **options) for part in parts])
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
    e: Entered, ceiling: np.ndarray, pool: Any, permutations: int, folds: int, radius: float, models: bool, seed: int
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
        if given.shape not in ((), (e.asked,)) or not given.size or (given > 1).any():
            seen = f"reliability has shape {list(given.shape)}, largest {given.max(initial=-np.inf):g}"
            raise InputError(f"{seen}; needed: one number, or [{e.asked}], at most 1")
        return np.broadcast_to(given, (e.asked,))[e.units].copy()
    if e.trials is None:
        return np.full(len(e.units), np.nan)
    return split_half(e.trials)


def _notes(e: Entered, models: Models | None, ceiling: np.ndarray) -> list[str]:
    from scipy.stats import kurtosis

    out = []
    d, r = e.s.shape[1], len(e.variances)
    heavy = np.abs(kurtosis((e.z / e.variances.sqrt()).cpu().numpy(), axis=0)).max()  # fourth powers stay in float64
    if heavy > max(1.0, 5 * (24 / len(e.z)) ** 0.5):  # the second is chance alone, the largest of many directions
        out.append(
            f"the features are far from Gaussian (excess kurtosis {heavy:.1f} along a principal direction): "
            "the STA is then no estimate of Sigma w for a curved response; prefer the fitted axis of .models"
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
            "equally well; stimuli near and far from the mean along the axis would decide (.controversial)"
        )
    if not models.converged.all():
        out.append(f"the fits of {count(int((~models.converged).sum()), 'unit')} did not converge")
    return out


def _some_n(stimuli: int) -> list[int]:
    return [k for k in (2, 5, 10, 20, 40, 100, 200, 400) if k <= stimuli]


def _some_units(units: int) -> list[int]:
    return [k for k in (1, 2, 5, 10, 20, 50, 100, 200, 500) if k < units]
