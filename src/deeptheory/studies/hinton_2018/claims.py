"""What the paper claims, as quantities with regions that were written before anything was measured.

A matrix capsule has a pose, a 4x4 matrix, and an activation that says whether its part or object is there. Capsules
vote for the poses of those above them through learned matrices that hold from every viewpoint, and EM routes each to
the parent around whose pose votes cluster. On smallNORB this makes fewer errors than convolutional networks, new
viewpoints are recognized better at equal accuracy on familiar ones, each part of the routing contributes, and attacks
that know the network succeed less.

Errors and accuracies in per cent; one value per network, networks of one seed paired. Rows of the paper's tables are
decided by its own networks on smallNORB alone: what is measured on rendered solids says nothing of them.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import Claim, NotRun, Sample
from deeptheory.studies.paper import Paper

PAPER = Paper(citation="Hinton, Sabour & Frosst 2018", protocol="code (released program) unless the run says text")
_TEXT, _MEMORY = "text", "unverified: from memory of the paper"
_COST = (
    "their network takes 1.6 s a step of 64 on one core (measured), 400,000 steps: a week of one core for each "
    "network; use --scale paper on a GPU"
)


_PAIRS = 4  # fewer that are good enough on familiar viewpoints are not compared


def end(results: Any, step: str) -> np.ndarray:
    """[network]: test error at the end of the training."""
    return 100 - results[step]["familiar"].values[:, -1]


def difference(results: Any, first: str, second: str) -> np.ndarray:
    """[network]: test error of the first kind less that of the second."""
    return end(results, first) - end(results, second)


def of_the_papers_network(results: Any, step: str, measure: Callable = end) -> np.ndarray | NotRun:
    """A number of the paper's tables, where its own network was trained on smallNORB."""
    told = results[step].attrs
    if not told["full"] or told.get("unlike"):
        network = told.get("unlike") or "a small network on rendered solids"
        return NotRun(f"{network} cannot decide the paper's number; {_COST}")
    return measure(results, step)


def never(results: Any, reason: str) -> NotRun:
    """What no scale measures."""
    return NotRun(reason)


def parameters(results: Any, network: str) -> float:
    """How many the paper's network has."""
    return float(results["parameters"]["count"].sel(network=network))


def compared(results: Any, condition: str) -> list[Any]:
    """For each seed, accuracy on new viewpoints of capsules and of the CNN where they are equally good on familiar
    ones."""
    curves = [results[f"{condition}-{kind}"] for kind in ("capsules", "cnn")]
    return [
        dt.networks.compare_at_equal_accuracy(*((c["familiar"].values[k], c["novel"].values[k]) for c in curves))
        for k in range(len(curves[0]["seed"]))
    ]


def fewer_errors(results: Any, condition: str) -> Sample | NotRun:
    """Errors on new viewpoints that capsules avoid, over the errors of the CNN, in pairs of which both know familiar
    ones as well as the setting `familiar` asks."""
    if "novel" not in results[f"{condition}-capsules"]:
        return NotRun(f"this source has no second {condition}")
    found, asked = compared(results, condition), results[f"{condition}-capsules"].attrs.get("asked", 0)
    ends = {kind: results[f"{condition}-{kind}"]["familiar"].values[:, -1] for kind in ("capsules", "cnn")}
    equal = [p for p, *reached in zip(found, *ends.values(), strict=True) if min(reached) >= asked]
    told = f"{len(equal)} of {len(found)} pairs reach {asked:g} % on familiar ones"
    if len(equal) < min(_PAIRS, len(found)):
        reached = " and ".join(f"{kind} {v.min():.1f} to {v.max():.1f} %" for kind, v in ends.items())
        return NotRun(f"{told}; reached: {reached}")
    notes = (f"{told}; the others are left out",) if len(equal) < len(found) else ()
    return Sample(np.array([[p.first - p.second, 100 - p.second] for p in equal]), "ratio", notes)


def error_on_new_views(results: Any, step: str) -> np.ndarray:
    """[network]: error on new viewpoints of one kind where both are equally good on familiar ones."""
    condition, kind = step.split("-")
    return np.array([100 - (p.first if kind == "capsules" else p.second) for p in compared(results, condition)])


def votes_tighten(results: Any) -> np.ndarray:
    """[network]: mean distance of votes in the last iteration over that in the first."""
    distance = results["votes"]["distance"].values
    return distance[:, -1] / distance[:, 0]


def more_accurate(results: Any, attack: str) -> np.ndarray:
    """[network]: accuracy under attack, capsules less CNN, mean over every epsilon but 0."""
    accuracy = results["attacks"]["accuracy"].sel(attack=attack).isel(epsilon=slice(1, None)).mean("epsilon")
    return (accuracy.sel(network="capsules") - accuracy.sel(network="cnn")).values


def gradient_ratio(results: Any) -> np.ndarray:
    """[network]: log10 of the size of gradients, capsules over CNN."""
    size = results["attacks"]["size"]
    return np.log10((size.sel(network="capsules") / size.sel(network="cnn")).values)


def more_zeros(results: Any) -> np.ndarray:
    """[network]: fraction of gradients that are zero, capsules less CNN."""
    zeros = results["attacks"]["zeros"]
    return (zeros.sel(network="capsules") - zeros.sel(network="cnn")).values


def attacked_strongest(results: Any) -> np.ndarray:
    """[network]: accuracy of capsules under bim at the largest epsilon."""
    return results["attacks"]["accuracy"].sel(attack="bim", network="capsules").isel(epsilon=-1).values


def published(id: str, where: str, what: str, value: float, trust: str, measure: Callable) -> Claim:
    """A row of a table, within a fifth of it, for all rows alike."""
    quantity, region = f"{what}, at the end of the training", f"{value} +- {round(value / 5, 3)}"
    return PAPER.claim(id, where, what, quantity, region, measure, unit="%", published=value, published_trust=trust)


CLAIMS = [
    *(
        PAPER.claim(
            f"parameters/{name}", "section 4", statement, "number of parameters", region,
            partial(parameters, network=name),
            # counted, not trained
            setting="published", published=number, published_trust=trust, criterion="count within {region}",
        )
        for name, statement, region, number, trust in (
            ("capsules", "The network with 32 types everywhere has 310,000 parameters.", "= 317194", "310K",
                "text; 317,194 by the arithmetic of the architecture"),
            ("small-capsules", "A small one with 64, 8, 16, 16 has 68,000.", "= 68754", "68K",
                "text; 68,754 by the arithmetic of the architecture"),
            ("cnn", "The baseline has 4.2 million.", "[4150000, 4250000)", "4.2M", _TEXT),
        )
    ),
    *(
        PAPER.claim(
            f"novel-{condition}", "table 2",
            f"On new {condition}s capsules make about 30 % fewer errors than a CNN that is as good on familiar ones.",
            f"1 - errors of capsules / errors of the CNN on new {condition}s, where both first reach the accuracy on "
            "familiar ones at which the worse of them ended", "> 0", partial(fewer_errors, condition=condition),
            published=f"about 0.3 ({numbers})",
            published_trust="about 30 %: text; the numbers: unverified, from memory",
        )
        for condition, numbers in (
            ("azimuth", "20.0 and 13.5 %, familiar 3.7"), ("elevation", "17.8 and 12.3 %, familiar 4.3"),
        )
    ),
    *(
        PAPER.claim(
            id, "table 1", statement, f"test error, {quantity}, all viewpoints, same seeds and steps", "> 0",
            partial(difference, first=first, second=second), unit="points", published=numbers, published_trust=trust,
        )
        for id, statement, quantity, first, second, numbers, trust in (
            ("iterations", "Three iterations are better than one.", "one iteration less three", "r1", "whole",
                "9.7 - 1.8", "1.8: text; 9.7: unverified, from memory"),
            ("iterations/2", "Two iterations are better than one.", "one iteration less two", "r1", "r2", "9.7 - 2.2",
                _MEMORY),
            ("iterations/5", "Five iterations are worse than three.", "five iterations less three", "r5", "whole",
                "3.9 - 1.8", _MEMORY),
            ("activation-ablation", "Activations from a cost are better than mixing proportions.",
                "mixing proportions less activations", "mass", "whole", "4.5 - 1.8", _TEXT),
            ("pose-form", "Poses as matrices are better than as vectors.", "vectors less matrices", "vector", "whole",
                "2.9 - 1.8", _MEMORY),
            ("pose-form/no-coordinates", "They are so without coordinates, too.",
                "vectors less matrices, neither with coordinates", "vector-no-coordinates", "no-coordinates",
                "3.2 - 2.6", _MEMORY),
            ("coordinates", "Coordinates in the last layer help.", "without coordinates less with", "no-coordinates",
                "whole", "2.6 - 1.8", _MEMORY),
            ("loss", "The spread loss is better than cross-entropy.", "cross-entropy less spread loss", "cross-entropy",
                "whole", "5.8 - 1.8", _MEMORY),
            ("loss/margin", "The spread loss is better than the margin loss.", "margin loss less spread loss", "margin",
                "whole", "3.2 - 1.8", _MEMORY),
        )
    ),
    PAPER.claim(
        "votes-tighten", "figure 2",
        "Routing brings the votes for the right class together.",
        "mean distance of votes to the mean of the winning class, weighted by assignment, last iteration / first",
        "< 1", votes_tighten,
    ),
    *(
        PAPER.claim(
            id, "section 5.2", statement,
            f"accuracy under {attack}, capsules less CNN, mean over epsilon of 0.02 to 0.2{more}", "> 0",
            partial(more_accurate, attack=attack), published="figures only", published_trust=_TEXT,
        )
        for id, attack, statement, more in (
            ("white-box-fgsm", "fgsm",
                "Against one step along the gradient of its own loss, capsules are less vulnerable than a CNN.", ""),
            ("white-box-bim", "bim", "So they are against many small steps.", ""),
            ("strong-attack", "strong", "So they are against many steps on logits from many starts.",
                "; no claim of the paper, expected contradicted (Michels et al. 2019, arXiv 1906.03612)"),
        )
    ),
    PAPER.claim(
        "transfer-no-advantage", "section 5.2",
        "Against images made to fool another network capsules have no advantage.",
        "accuracy on images made by bim against a CNN of another seed, capsules less CNN, "
        "mean over epsilon of 0.02 to 0.2", "[-0.1, 0.1]",
        partial(more_accurate, attack="transferred"), published="no advantage", published_trust=_TEXT,
    ),
    PAPER.claim(
        "gradient-magnitude", "section 5.2",
        "Gradients by pixels are two orders of magnitude smaller than a CNN's.",
        "log10 of mean absolute gradient by pixels of the own loss (spread loss at margin 0.9, summed over classes; "
        "cross-entropy), capsules / CNN",
        "< -1", gradient_ratio, published="about -2", published_trust=_TEXT,
    ),
    PAPER.claim(
        "gradient-zeros", "section 5.2",
        "That is not because more of them are zero.",
        "fraction of gradients that are exactly zero, capsules less CNN", "<= 0.05", more_zeros, published="not more",
        published_trust=_TEXT,
    ),
    *(
        published(id, where, what, value, trust, measure)
        for id, where, what, value, trust, measure in (
            ("smallnorb/capsules", "table 1", "smallNORB error, three iterations, matrices, spread loss, coordinates",
                1.8, _TEXT, partial(of_the_papers_network, step="whole")),
            ("smallnorb/multi-crop", "section 4", "smallNORB error, mean over crops", 1.4, _TEXT,
                partial(never, reason=f"crops are not averaged here; {_COST}")),
            ("smallnorb/small", "section 4", "smallNORB error, 68,000 parameters", 2.2, _TEXT,
                partial(never, reason=f"not trained here; {_COST}")),
            ("smallnorb/cnn", "section 4", "smallNORB error, baseline", 5.2, _TEXT,
                partial(of_the_papers_network, step="whole-cnn")),
            ("smallnorb/ciresan", "section 4", "smallNORB error, best before (Ciresan et al. 2011)", 2.56, _TEXT,
                partial(never, reason="another group's network; not built here")),
            ("smallnorb/mixing-proportions", "section 4", "smallNORB error, mixing proportions for activations", 4.5,
                _TEXT, partial(of_the_papers_network, step="mass")),
            ("smallnorb/r1", "table 1", "smallNORB error, one iteration", 9.7, _MEMORY,
                partial(of_the_papers_network, step="r1")),
            ("smallnorb/r2", "table 1", "smallNORB error, two iterations", 2.2, _MEMORY,
                partial(of_the_papers_network, step="r2")),
            ("smallnorb/r5", "table 1", "smallNORB error, five iterations", 3.9, _MEMORY,
                partial(of_the_papers_network, step="r5")),
            ("smallnorb/vector", "table 1", "smallNORB error, vectors, coordinates", 2.9, _MEMORY,
                partial(of_the_papers_network, step="vector")),
            ("smallnorb/vector-no-coordinates", "table 1", "smallNORB error, vectors, no coordinates", 3.2, _MEMORY,
                partial(of_the_papers_network, step="vector-no-coordinates")),
            ("smallnorb/no-coordinates", "table 1", "smallNORB error, matrices, no coordinates", 2.6, _MEMORY,
                partial(of_the_papers_network, step="no-coordinates")),
            ("smallnorb/margin", "table 1", "smallNORB error, margin loss", 3.2, _MEMORY,
                partial(of_the_papers_network, step="margin")),
            ("smallnorb/cross-entropy", "table 1", "smallNORB error, cross-entropy", 5.8, _MEMORY,
                partial(of_the_papers_network, step="cross-entropy")),
            ("norb-cluttered", "section 4", "NORB error, jittered and cluttered", 2.6, _TEXT,
                partial(never, reason="needs NORB's published files; not run")),
            ("mnist", "section 4", "MNIST error", 0.44, _TEXT, partial(never, reason=f"not trained here; {_COST}")),
            ("cifar10", "section 4", "CIFAR-10 error", 11.9, _TEXT,
                partial(never, reason="needs CIFAR-10's published files; not run")),
        )
    ),
    *(
        published(
            f"{condition}/{kind}", "table 2", f"smallNORB error on new {condition}s, {kind}", value, _MEMORY,
            partial(of_the_papers_network, step=f"{condition}-{kind}", measure=error_on_new_views),
        )
        for condition, kind, value in (
            ("azimuth", "cnn", 20.0), ("azimuth", "capsules", 13.5), ("elevation", "cnn", 17.8),
            ("elevation", "capsules", 12.3),
        )
    ),
    PAPER.claim(
        "attacks/above-chance", "figure 3",
        "Under attack the accuracy of capsules never falls below chance.",
        "accuracy of capsules under bim at epsilon 0.2", ">= 0.2", attacked_strongest, published="never below 0.2",
        published_trust=_TEXT,
    ),
]  # fmt: skip
