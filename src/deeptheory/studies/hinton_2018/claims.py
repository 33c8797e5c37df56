"""What the paper claims, as quantities with regions that were written before anything was measured.

Errors and accuracies in per cent; one value a network, networks of one seed paired. Rows of the paper's tables are decided by its
own networks on smallNORB alone: what is measured on rendered solids says nothing of them.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import Claim, NotRun, Sample, at_setting

_PAPER = "Hinton, Sabour & Frosst 2018"
_TEXT, _MEMORY = "text", "unverified: from memory of the paper"
_DEAR = "their network takes 1.6 s a step of 64 on one core (measured), 400,000 steps: a week of one core for each network; use --scale paper on a GPU"
_STRONGEST = slice(1, None)  # every epsilon but 0


def _end(results: Any, step: str) -> np.ndarray:
    """[seed]: test error at the end."""
    return 100 - results[step]["familiar"].values[:, -1]


def _row(step: str):
    """A number of the paper's tables, where its own network was trained on smallNORB."""

    def measure(results):
        if not results[step].attrs["full"]:
            return NotRun(f"a small network on rendered solids cannot decide the paper's number; {_DEAR}")
        return _end(results, step)

    return measure


def _never(reason: str):
    return lambda results: NotRun(reason)


def _parameters(name: str):
    return lambda results: float(results["parameters"]["count"].sel(network=name))


def _difference(first: str, second: str):
    return lambda results: _end(results, first) - _end(results, second)


def compared(results: Any, condition: str) -> list[Any]:
    """For each seed, accuracy on new viewpoints of capsules and of the CNN where they are equally good on familiar ones."""
    curves = [results[f"{condition}-{kind}"] for kind in ("capsules", "cnn")]
    return [
        dt.networks.matched(*((c["familiar"].values[k], c["novel"].values[k]) for c in curves))
        for k in range(len(curves[0]["seed"]))
    ]


def _novel(condition: str):
    def measure(results):
        if "novel" not in results[f"{condition}-capsules"]:
            return NotRun(f"this source has no second {condition}")
        pairs = compared(results, condition)
        return Sample(
            np.array([[p.first - p.second, 100 - p.second] for p in pairs]), "ratio"
        )  # fewer errors / errors of the CNN

    return measure


def _new_view(condition: str, side: str):
    """A number of table 2: error on new viewpoints where both networks are equally good on familiar ones."""

    def measure(results):
        if not results[f"{condition}-{'capsules' if side == 'first' else 'cnn'}"].attrs["full"]:
            return NotRun(f"a small network on rendered solids cannot decide the paper's number; {_DEAR}")
        return np.array([100 - getattr(pair, side) for pair in compared(results, condition)])

    return measure


def _tighten(results):
    distance = results["votes"]["distance"].values
    return distance[:, -1] / distance[:, 0]


def _attacked(method: str):
    def measure(results):
        accuracy = results["attacks"]["accuracy"].sel(attack=method).isel(epsilon=_STRONGEST).mean("epsilon")
        return (accuracy.sel(network="capsules") - accuracy.sel(network="cnn")).values

    return measure


def _gradient(results):
    size = results["attacks"]["size"]
    return np.log10((size.sel(network="capsules") / size.sel(network="cnn")).values)


def _zeros(results):
    zeros = results["attacks"]["zeros"]
    return (zeros.sel(network="capsules") - zeros.sel(network="cnn")).values


def _claim(id: str, figure: str, statement: str, quantity: str, region: str, measure, unit="1", **more) -> Claim:
    return Claim(
        id=id,
        figure=figure,
        source=f"{_PAPER}, {figure}",
        statement=statement,
        quantity=quantity,
        unit=unit,
        region=region,
        criterion=more.pop("criterion", f"95 % interval over networks within {region}"),
        protocol="code (released program) unless the run says text",
        measure=measure,
        **more,
    )


def _count(name: str, statement: str, region: str, published: str, trust: str) -> Claim:
    return _claim(f"parameters/{name}", "section 4", statement, "number of parameters", region, _parameters(name), published=published, published_trust=trust, criterion=f"count within {region}")  # fmt: skip


def _ablation(id: str, statement: str, quantity: str, first: str, second: str, published: str, trust: str) -> Claim:
    return _claim(id, "table 1", statement, f"test error, {quantity}, all viewpoints, same seeds and steps", "> 0", _difference(first, second), "points", published=published, published_trust=trust)  # fmt: skip


def _view(condition: str, published: str) -> Claim:
    return _claim(
        f"novel-{condition}",
        "table 2",
        f"On new {condition}s capsules make about 30 % fewer errors than a CNN that is as good on familiar ones.",
        f"1 - errors of capsules / errors of the CNN on new {condition}s, where both first reach the accuracy on familiar ones at which "
        "the worse of them ended",
        "> 0",
        _novel(condition),
        published=f"about 0.3 ({published})",
        published_trust="about 30 %: text; the numbers: unverified, from memory",
    )


def _attack(id: str, method: str, statement: str, more: str = "", region: str = "> 0") -> Claim:
    return _claim(
        id,
        "section 5.2",
        statement,
        f"accuracy under {method}, capsules less CNN, mean over epsilon of 0.02 to 0.2{more}",
        region,
        _attacked(method),
        published="figures only",
        published_trust=_TEXT,
    )


def _published(id: str, where: str, what: str, value: float, trust: str, measure) -> Claim:
    reach = round(value / 5, 3)  # a fifth of it, stated for all rows alike
    return _claim(id, where, what, f"{what}, at the end of the training", f"{value} +- {reach}", measure, "%", published=value, published_trust=trust)  # fmt: skip


_NORB = "smallnorb"
CLAIMS = [
    _count("capsules", "The network with 32 types everywhere has 310,000 parameters.", "= 317194", "310K", "text; 317,194 by the arithmetic of the architecture"),
    _count("small-capsules", "A small one with 64, 8, 16, 16 has 68,000.", "= 68754", "68K", "text; 68,754 by the arithmetic of the architecture"),
    _count("cnn", "The baseline has 4.2 million.", "[4150000, 4250000)", "4.2M", _TEXT),
    _view("azimuth", "20.0 and 13.5 %, familiar 3.7"),
    _view("elevation", "17.8 and 12.3 %, familiar 4.3"),
    _ablation("iterations", "Three iterations are better than one.", "one iteration less three", "r1", "whole", "9.7 - 1.8", "1.8: text; 9.7: unverified, from memory"),
    _ablation("iterations/2", "Two iterations are better than one.", "one iteration less two", "r1", "r2", "9.7 - 2.2", _MEMORY),
    _ablation("iterations/5", "Five iterations are worse than three.", "five iterations less three", "r5", "whole", "3.9 - 1.8", _MEMORY),
    _ablation("activation-ablation", "Activations from a cost are better than mixing proportions.", "mixing proportions less activations", "mass", "whole", "4.5 - 1.8", _TEXT),
    _ablation("pose-form", "Poses as matrices are better than as vectors.", "vectors less matrices", "vector", "whole", "2.9 - 1.8", _MEMORY),
    _ablation("pose-form/no-coordinates", "They are so without coordinates, too.", "vectors less matrices, neither with coordinates", "vector-no-coordinates", "no-coordinates", "3.2 - 2.6", _MEMORY),
    _ablation("coordinates", "Coordinates in the last layer help.", "without coordinates less with", "no-coordinates", "whole", "2.6 - 1.8", _MEMORY),
    _ablation("loss", "The spread loss is better than cross-entropy.", "cross-entropy less spread loss", "cross-entropy", "whole", "5.8 - 1.8", _MEMORY),
    _ablation("loss/margin", "The spread loss is better than the margin loss.", "margin loss less spread loss", "margin", "whole", "3.2 - 1.8", _MEMORY),
    _claim(
        "votes-tighten",
        "figure 2",
        "Routing brings the votes for the right class together.",
        "mean distance of votes to the mean of the winning class, weighted by assignment, last iteration / first",
        "< 1",
        _tighten,
    ),
    _attack("white-box-fgsm", "fgsm", "Against one step along the gradient of its own loss, capsules are less vulnerable than a CNN."),
    _attack("white-box-bim", "bim", "So they are against many small steps."),
    _attack("strong-attack", "strong", "So they are against many steps on logits from many starts.", "; no claim of the paper, expected contradicted (Michels et al. 2019, arXiv 1906.03612)"),
    _claim(
        "transfer-no-advantage",
        "section 5.2",
        "Against pictures made to fool another network capsules have no advantage.",
        "accuracy on pictures made by bim against a CNN of another seed, capsules less CNN, mean over epsilon of 0.02 to 0.2",
        "[-0.1, 0.1]",
        _attacked("transferred"),
        published="no advantage",
        published_trust=_TEXT,
    ),
    _claim(
        "gradient-magnitude",
        "section 5.2",
        "Gradients by pixels are two orders of magnitude smaller than a CNN's.",
        "log10 of mean absolute gradient by pixels of the own loss (spread loss at margin 0.9, summed over classes; cross-entropy), capsules / CNN",
        "< -1",
        _gradient,
        published="about -2",
        published_trust=_TEXT,
    ),
    _claim(
        "gradient-zeros",
        "section 5.2",
        "That is not because more of them are zero.",
        "share of gradients that are exactly zero, capsules less CNN",
        "<= 0.05",
        _zeros,
        published="not more",
        published_trust=_TEXT,
    ),
    _published(f"{_NORB}/capsules", "table 1", "smallNORB error, three iterations, matrices, spread loss, coordinates", 1.8, _TEXT, _row("whole")),
    _published(f"{_NORB}/multi-crop", "section 4", "smallNORB error, mean over crops", 1.4, _TEXT, _never(f"crops are not averaged here; {_DEAR}")),
    _published(f"{_NORB}/small", "section 4", "smallNORB error, 68,000 parameters", 2.2, _TEXT, _never(f"not trained here; {_DEAR}")),
    _published(f"{_NORB}/cnn", "section 4", "smallNORB error, baseline", 5.2, _TEXT, _row("whole-cnn")),
    _published(f"{_NORB}/ciresan", "section 4", "smallNORB error, best before (Ciresan et al. 2011)", 2.56, _TEXT, _never("another group's network; not built here")),
    _published(f"{_NORB}/mixing-proportions", "section 4", "smallNORB error, mixing proportions for activations", 4.5, _TEXT, _row("mass")),
    _published(f"{_NORB}/r1", "table 1", "smallNORB error, one iteration", 9.7, _MEMORY, _row("r1")),
    _published(f"{_NORB}/r2", "table 1", "smallNORB error, two iterations", 2.2, _MEMORY, _row("r2")),
    _published(f"{_NORB}/r5", "table 1", "smallNORB error, five iterations", 3.9, _MEMORY, _row("r5")),
    _published(f"{_NORB}/vector", "table 1", "smallNORB error, vectors, coordinates", 2.9, _MEMORY, _row("vector")),
    _published(f"{_NORB}/vector-no-coordinates", "table 1", "smallNORB error, vectors, no coordinates", 3.2, _MEMORY, _row("vector-no-coordinates")),
    _published(f"{_NORB}/no-coordinates", "table 1", "smallNORB error, matrices, no coordinates", 2.6, _MEMORY, _row("no-coordinates")),
    _published(f"{_NORB}/margin", "table 1", "smallNORB error, margin loss", 3.2, _MEMORY, _row("margin")),
    _published(f"{_NORB}/cross-entropy", "table 1", "smallNORB error, cross-entropy", 5.8, _MEMORY, _row("cross-entropy")),
    _published("norb-cluttered", "section 4", "NORB error, jittered and cluttered", 2.6, _TEXT, _never("needs NORB's published files; not run")),
    _published("mnist", "section 4", "MNIST error", 0.44, _TEXT, _never(f"not trained here; {_DEAR}")),
    _published("cifar10", "section 4", "CIFAR-10 error", 11.9, _TEXT, _never("needs CIFAR-10's published files; not run")),
    *(
        _published(f"{where}/{kind}", "table 2", f"smallNORB error on new {where}s, {kind}", value, _MEMORY, _new_view(where, side))
        for where, pair in (("azimuth", (20.0, 13.5)), ("elevation", (17.8, 12.3)))
        for kind, side, value in zip(("cnn", "capsules"), ("second", "first"), pair)
    ),
    _claim("attacks/above-chance", "figure 3", "Under attack the accuracy of capsules never falls below chance.", "accuracy of capsules under bim at epsilon 0.2", ">= 0.2", lambda results: results["attacks"]["accuracy"].sel(attack="bim", network="capsules").isel(epsilon=-1).values, published="never below 0.2", published_trust=_TEXT),
]  # fmt: skip
CLAIMS = at_setting("published", CLAIMS, "parameters/")  # counted, not trained
