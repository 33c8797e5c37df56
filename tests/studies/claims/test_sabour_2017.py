"""Sabour, Frosst & Hinton 2017: each claim on results where it is true and where it is false."""

import numpy as np
import pytest

from deeptheory.runs import decide
from deeptheory.studies.sabour_2017.claims import CLAIMS
from oracles.simulated import around, check, check_complete, dataset, only

NETWORKS = ["capsules", "capsules-without-decoder", "multimnist-capsules", "cnn", "multimnist-cnn"]
NEVER = {
    "r3-optimises-faster": "CIFAR-10 is no part of any scale",
    "affnist/expanded-capsules": "needs the paper's network trained to that accuracy",
    "affnist/expanded-cnn": "needs the paper's network trained to that accuracy",
    "cifar10": "needs CIFAR-10's published files and seven networks",
    "smallnorb": "needs smallNORB's published files",
    "svhn": "needs SVHN's published files",
}


def counts(name, number):
    return {"parameters": dataset({"count": ("network", only(name, NETWORKS, number, 1))}, network=NETWORKS)}


def trained(step, error, full=True):
    """Test error at the end, in per cent; at the look before it what is 100 less it."""
    data = {"error": (("seed", "look"), around([100 - error, error], spread=0.001))}
    return {step: dataset(data, attrs={"full": int(full)}, look=[1, 2])}


def fewer(first, second):
    """The first network makes fewer errors than the second."""
    return tuple(trained(first, a) | trained(second, b) for a, b in ((1.0, 3.0), (3.0, 1.0)))


def moved(capsules, cnn):
    """Accuracy on affine digits where both are at 90 % on moved ones; what comes later is the other way round."""
    curves = {"capsules": ([50, 90, 95], [50, capsules, cnn]), "cnn": ([50, 70, 90], [capsules, capsules, cnn])}
    return {
        f"expanded-{kind}": dataset(
            {
                "expanded": (("seed", "look"), np.tile(np.array(seen, dtype=float), (18, 1))),
                "affine": (("seed", "look"), around(affine, spread=0.001)),
            }
        )
        for kind, (seen, affine) in curves.items()
    }


def affine(step, accuracy, moved=99.3):
    """Accuracy on affine digits at the look at which moved digits reach `moved`; before and after,
    what is 100 less it."""
    data = {
        "affine": (("seed", "look"), around([100 - accuracy, accuracy, 100 - accuracy], spread=0.001)),
        "expanded": (("seed", "look"), np.tile([90.0, moved, moved + 0.1], (18, 1))),
    }
    return {step: dataset(data, attrs={"full": 1})}


def explained(best, rest):
    """[seed, class, dimension]: one dimension of each class, another in each, explains the width;
    one class never wins."""
    values = np.full((10, 16), rest)
    values[np.arange(10), np.arange(10)] = best
    values[7] = np.nan
    return {"perturbation": dataset({"explained": (("seed", "class", "dimension"), around(values))})}


def energy(absent, present):
    names = ["first", "second", "absent"]
    return {"segmentation": dataset({"energy": (("seed", "what"), around([present, present, absent]))}, what=names)}


def logits(rate):
    """Mean change by iteration; undefined in the first."""
    change = np.array([np.nan, *np.exp(rate * np.arange(7))])
    return {"logits": dataset({"change": (("seed", "iteration"), around(change))}, iteration=np.arange(1, 9))}


def losses(three, one):
    """Training loss in the second half; in the first half the other way round."""
    return {
        step: dataset({"losses": (("seed", "update"), around([10 * b] * 50 + [a] * 50))})
        for step, a, b in (("r3", three, one), ("r1", one, three))
    }


def row(step, error):
    """The paper's error, and four times as many."""
    return trained(step, error), trained(step, 4 * error)


COUNTS = {
    "capsules": (8_215_568, 8_200_000), "capsules-without-decoder": (6_804_224, 6_800_000),
    "multimnist-capsules": (11_360_000, 11_365_000), "cnn": (35_400_000, 35_450_000),
    "multimnist-cnn": (24_560_000, 24_565_000),
}  # fmt: skip
CASES = {
    **{f"parameters/{n}": (counts(n, right), counts(n, wrong)) for n, (right, wrong) in COUNTS.items()},
    "r3-versus-r1": fewer("r3-reconstruction", "r1-reconstruction"),
    "reconstruction-helps": fewer("r3-reconstruction", "r3"),
    "capsules-versus-cnn": fewer("r3-reconstruction", "cnn"),
    "affine-at-matched-accuracy": (moved(79, 66), moved(66, 79)),
    "multimnist-versus-cnn": fewer("multimnist-capsules", "multimnist-cnn"),
    "multimnist/r3-versus-r1": fewer("multimnist-capsules", "multimnist-r1"),
    "width-dimension-exists": (explained(0.95, 0.1), explained(0.6, 0.5)),
    "absent-class-not-hallucinated": (energy(1, 10), energy(10, 1)),
    "logit-change-falls": (logits(-0.5), logits(0.5)),
    "r3-optimises-faster/digits": (losses(0.1, 0.3), losses(0.3, 0.1)),
    "mnist/cnn": row("cnn", 0.39),
    "mnist/r1": row("r1", 0.34),
    "mnist/r1-reconstruction": row("r1-reconstruction", 0.29),
    "mnist/r3": row("r3", 0.35),
    "mnist/r3-reconstruction": row("r3-reconstruction", 0.25),
    "multimnist/cnn": row("multimnist-cnn", 8.1),
    "multimnist/r1-reconstruction": row("multimnist-r1", 7.5),
    "multimnist/r3-reconstruction": row("multimnist-capsules", 5.2),
    "affnist/capsules": (affine("expanded-capsules", 79), affine("expanded-capsules", 21)),
    "affnist/cnn": (affine("expanded-cnn", 66), affine("expanded-cnn", 34)),
}


MORE_FALSE = [  # each network with what the paper reports of the other
    ("affnist/capsules", affine("expanded-capsules", 66)),
    ("affnist/cnn", affine("expanded-cnn", 79)),
    ("mnist/r3-reconstruction", trained("r3-reconstruction", 0.39)),
    ("mnist/cnn", trained("cnn", 0.25)),
]


@pytest.mark.parametrize("name", CASES)
def test_a_claim_is_decided_by_what_its_paper_says(name):
    check(CLAIMS, name, CASES[name])


@pytest.mark.parametrize("name", [c for c in CASES if c.startswith(("mnist/", "multimnist/r1-", "affnist/"))])
def test_a_small_network_does_not_decide_a_row_of_the_paper(name):
    small = {step: data.assign_attrs(full=0) for step, data in CASES[name][0].items()}
    assert decide([c for c in CLAIMS if c.id == name], small, scale="quick")[name].verdict == "not run"


@pytest.mark.parametrize(("name", "false"), MORE_FALSE)
def test_another_way_of_being_false(name, false):
    check(CLAIMS, name, (CASES[name][0], false))


@pytest.mark.parametrize("kind", ["capsules", "cnn"])
def test_a_network_that_never_reached_the_papers_accuracy_does_not_decide_its_row(kind):
    results = affine(f"expanded-{kind}", 79, moved=99.0)
    entry = decide([c for c in CLAIMS if c.id == f"affnist/{kind}"], results, scale="paper")[f"affnist/{kind}"]
    assert entry.verdict == "inconclusive"


def test_every_claim_is_tried():
    check_complete(CLAIMS, CASES, NEVER)
