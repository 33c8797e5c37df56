"""What the paper says, as quantities with regions that were written before anything was measured. I in bits.

A layer of a deep network can be judged by two informations: what it keeps of the input, and how much of that tells the
label. The bottleneck curve bounds the second by the first. Layers can only lose what their input knew; the best ones
are expected just after the curve's bifurcations; and a finite sample makes one point of the curve the best.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from deeptheory.core.results import Estimate
from deeptheory.runs import NotRun, Sample
from deeptheory.runs.intervals import sample_of
from deeptheory.studies.paper import Paper, exact

PAPER = Paper(
    citation="Tishby & Zaslavsky 2015", protocol="own: the paper has no experiment", criterion="within {region}"
)
OURS = "other data"  # the setting of what is measured on networks of ours
_LAYERS = [f"layer{k}" for k in range(1, 6)]
_LEARNED = 0.5  # of I(X;Y) that the output holds; below it networks are called untrained
_LEAST_RISE = 1e-4  # bits of I(X;T) between two betas, below which a slope is rounding


def _worst(values: np.ndarray, which: Any) -> Estimate:
    """Each network's number is exact, and one violation is a violation: the worst of them counts. Rounded to 1e-10."""
    method = f"{'smallest' if which is np.min else 'largest'} of {len(values)} networks, each exact"
    return exact(round(float(which(values)), 10) + 0.0, method, "bits")


def neuron_against_bayes(results: Any) -> Estimate:
    """Largest difference between the logistic unit and the posterior."""
    error = results["neuron"]["error"].values
    return exact(error.max(), f"largest over {len(error)} random sources")


def loss_to_next_layer(results: Any, name: str) -> Estimate | NotRun:
    """I(Y;T) of a layer minus that of the next, the smallest over networks."""
    i_y = results["layers"]["i_y"].isel(step=-1)
    names = i_y["layer"].values.tolist()
    if name not in names[:-1]:
        return NotRun(f"these networks have no {name} before their last layer")
    at = names.index(name)
    return _worst(i_y.values[:, at] - i_y.values[:, at + 1], np.min)


def first_critical_beta(results: Any) -> Estimate:
    """Relative difference between the beta at which the optimum leaves the trivial solution and the eigenvalue's."""
    data = results["bound"]
    notes = tuple(n for n in data.attrs["notes"] if "jump" in n)
    return exact(abs(float(data["critical"][0]) / float(data["first_critical"]) - 1), "certified optimum", notes=notes)


def above_the_bound(results: Any) -> Estimate:
    """Largest I(T;Y) of any layer of any network above the bound."""
    return _worst(-results["layers"]["distance"].isel(step=-1).values, np.max)


def slopes(data: Any) -> np.ndarray:
    """dI(T;Y)/dI(X;T) times beta between neighboring betas, where the curve moves at all."""
    d_x, d_y = np.diff(data["dense_i_x"].values), np.diff(data["dense_i_y"].values)
    beta = data["dense_beta"].values
    moves = d_x > _LEAST_RISE
    return (d_y[moves] / d_x[moves]) * np.sqrt(beta[1:] * beta[:-1])[moves]


def slope_times_beta(results: Any) -> Estimate | NotRun:
    """The median slope, and the least and largest."""
    found = slopes(results["bound"])
    if not len(found):
        return NotRun("the curve does not move between the betas of this run")
    method = f"median; least and largest of {len(found)} pieces of the curve"
    return exact(np.median(found), method, low=float(found.min()), high=float(found.max()))


def distance_after(results: Any, step: int) -> np.ndarray:
    """[network]: mean over layers of log beta minus log of the critical beta nearest to it, above 0 where a layer's
    fitted beta lies after its bifurcation; step: -1 trained, 0 untrained.
    Layers without a finite beta above 0 are left out (NaN: all)."""
    fitted = results["layers"]["beta"].isel(step=step).transpose("seed", "layer").values
    usable = np.isfinite(fitted) & (fitted > 0)
    signed = np.log(np.where(usable, fitted, 1.0))[..., None] - np.log(results["bound"]["critical"].values)
    nearest = np.take_along_axis(signed, np.abs(signed).argmin(-1)[..., None], -1)[..., 0]
    count = usable.sum(1)
    return np.where(count > 0, np.where(usable, nearest, 0).sum(1) / np.maximum(count, 1), np.nan)


def moved_after_bifurcations(results: Any) -> Sample:
    """How much farther after the nearest bifurcation layers lie once they are trained."""
    beta = results["layers"]["beta"]
    trained, untrained = (int((~np.isfinite(beta.isel(step=s).values)).sum()) for s in (-1, 0))
    note = f"no finite beta: {trained} trained and {untrained} untrained of {beta.isel(step=0).size} layers"
    return Sample(distance_after(results, -1) - distance_after(results, 0), "mean", (note,))


def of_trained(measure: Callable[[Any], Any]) -> Callable[[Any], Sample]:
    """The measure of a claim about trained networks, which decides nothing where their epochs were too few to learn."""

    def measured(results: Any) -> Sample:
        found = measure(results)
        sample = found if isinstance(found, Sample) else sample_of(found)
        data = results["layers"]
        part = float(data["i_y"].isel(step=-1, layer=-1).mean()) / data.attrs["information"]
        why = f"the outputs hold {100 * part:.0f} % of I(X;Y) at the end: these networks have not learned"
        return sample if part >= _LEARNED else replace(sample, undecided=why)

    return measured


def has_inner_minimum(results: Any) -> Estimate:
    """1 where the minimum of the finite-sample bound lies inside."""
    data = results["bound"]
    rate, depth = float(data["r_star"]), float(data["d_star"])
    note = f"R* = {rate:.4g} bits, worst-case D* = {depth:.4g} bits, {data.attrs['samples']} samples"
    return exact(bool(data["interior"]), "minimized", notes=(note,))


def gap(results: Any, *names: str) -> np.ndarray:
    """[network]: the smaller of the gaps of those names."""
    end = results["layers"].isel(step=-1)
    return np.min([end[name].values for name in names], axis=0)


CLAIMS = [
    PAPER.claim(
        "neuron-is-posterior",
        "section II.B",
        "A logistic unit with log-likelihood ratios as weights and the log prior ratio as bias is the exact posterior.",
        "largest difference between the unit and Bayes' rule, all count vectors of random naive-Bayes sources",
        "< 1e-10",
        neuron_against_bayes,
    ),
    *(
        PAPER.claim(
            f"dpi-chain/{name}",
            "section III",
            "Information about the label can only be lost from layer to layer.",
            f"I(Y;T) of {name} less that of the next layer, the smallest over networks",
            None,  # a theorem for a chain of exact symbols: a test holds it
            partial(loss_to_next_layer, name=name),
            unit="bits",
            setting=OURS,
        )
        for name in _LAYERS
    ),
    PAPER.claim(
        "critical-beta",
        "section II.C",
        "The first critical beta follows from the largest eigenvalue of second-order correlations.",
        "relative difference between the beta at which the optimum leaves the trivial solution and 1/s2^2",
        "< 1e-3",
        first_critical_beta,
    ),
    PAPER.claim(
        "bound-above-layers",
        "figure 2",
        "No layer lies beyond the bottleneck bound.",
        "largest I(T;Y) of any layer above the bound at its I(X;T), over networks",
        None,  # a theorem for networks of the same p(x, y): a test holds it
        above_the_bound,
        unit="bits",
        setting=OURS,
    ),
    PAPER.claim(
        "slope-is-inverse-beta",
        "section II.C",
        "The slope of the curve is one over beta.",
        "slope of I(T;Y) over I(X;T) times beta, along the curve",
        "1 +- 0.02",
        slope_times_beta,
    ),
    PAPER.claim(
        "layers-after-bifurcations",
        "section IV",
        "Conjecture: the best layers sit just after bifurcations (expected beforehand: inconclusive).",
        "signed distance in log beta of a layer's fitted beta after the nearest critical beta, mean over layers, "
        "trained minus untrained networks",
        "> 0",
        of_trained(moved_after_bifurcations),
        setting=OURS,
    ),
    PAPER.claim(
        "finite-sample-minimum-exists",
        "figure 2",
        "The finite-sample bound has a minimum at a complexity between nothing and everything.",
        "1 if the minimum of the worst-case curve lies inside, 0 if at an end",
        "= 1",
        has_inner_minimum,
    ),
    PAPER.claim(
        "gaps",
        "section III",
        "A network's distortion and complexity exceed the optimal ones for its sample.",
        "the smaller of the generalization gap and the complexity gap, mean over networks",
        ">= 0",
        of_trained(lambda results: gap(results, "d_gap", "c_gap")),
        unit="bits",
        setting=OURS,
    ),
    PAPER.claim(
        "gaps/generalisation",
        "section III",
        "The network's distortion exceeds the optimal one.",
        "I(X;Y|decision) less D*(n), mean over networks",
        ">= 0",
        of_trained(lambda results: gap(results, "d_gap")),
        unit="bits",
        setting=OURS,
    ),
    PAPER.claim(
        "gaps/complexity",
        "section III",
        "The network's complexity exceeds the optimal one.",
        "I(X;decision) less R*(n), mean over networks",
        ">= 0",
        of_trained(lambda results: gap(results, "c_gap")),
        unit="bits",
        setting=OURS,
    ),
]
