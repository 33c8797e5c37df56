"""Tishby & Zaslavsky 2015: each claim on results where it is true and where it is false."""

import numpy as np
import pytest

from deeptheory.runs import decide
from deeptheory.studies.tishby_zaslavsky_2015.claims import CLAIMS
from oracles.simulated import around, check, check_complete, dataset

LAYERS = [f"layer{k}" for k in range(1, 7)]
AXES = ("seed", "step", "layer")
NEVER: dict[str, str] = {}


KNOWN = {"information": 1.0}


def output(end):
    """I(Y;T) of networks whose output holds so many bits at the end, and all before."""
    return {"i_y": (AXES, around(np.array([[1.0] * 6, [1.0] * 5 + [end]])))}


def neuron(worst):
    error = np.full(18, 1e-16)
    error[7] = worst  # one source is enough
    return {"neuron": dataset({"error": ("seed", error)})}


def layers(name, end, start):
    """[seed, step, layer], [layer] each: untrained networks and trained ones."""
    return {"layers": dataset({name: (AXES, around(np.array([start, end])))}, layer=LAYERS, step=[0, 100])}


def bound(**variables):
    attrs = {"notes": ["none"], "samples": 3277}
    return {"bound": dataset(variables, attrs=attrs)}


def critical(found):
    return bound(critical=("bifurcation", [found, 9.0]), first_critical=((), 2.0))


def curve(slope_times_beta):
    beta = np.geomspace(2, 20, 40)
    i_x = np.linspace(0.1, 4, 40)
    middle = np.sqrt(beta[1:] * beta[:-1])
    i_y = np.concatenate([[0.0], np.cumsum(np.diff(i_x) * slope_times_beta(middle))])
    return bound(dense_beta=("dense", beta), dense_i_x=("dense", i_x), dense_i_y=("dense", i_y))


def bifurcations(trained, untrained):
    """Fitted betas that lie so far, in log beta, after the nearest of two critical ones; one layer has none."""
    rows = [[2.0 * np.exp(d)] * 3 + [9.0 * np.exp(d)] * 2 + [np.inf] for d in (untrained, trained)]
    values = around(np.array(rows), spread=0.05)
    data = {"beta": (AXES, values), **output(0.9)}
    return {"layers": dataset(data, attrs=KNOWN, layer=LAYERS, step=[0, 100]), **critical(2.0)}


def minimum(inside):
    return bound(r_star=((), 3.0), d_star=((), 0.2), interior=((), inside))


def gaps(d, c, learned=0.9):
    data = {
        k: (("seed", "step"), around([-v, v])) for k, v in (("d_gap", d), ("c_gap", c))
    }  # fmt: skip
    return {"layers": dataset(data | output(learned), attrs=KNOWN, step=[0, 100])}


CASES = {
    "neuron-is-posterior": (neuron(1e-15), neuron(1e-3)),
    "critical-beta": (critical(2.001), critical(2.5)),
    "slope-is-inverse-beta": (curve(lambda b: 1 / b), curve(lambda b: 1 - 1 / b)),
    "layers-after-bifurcations": (bifurcations(0.4, 0.1), bifurcations(0.1, 0.4)),
    "finite-sample-minimum-exists": (minimum(True), minimum(False)),
    "gaps": (gaps(0.2, 0.3), gaps(0.2, -0.3)),
    "gaps/generalisation": (gaps(0.2, -0.3), gaps(-0.2, 0.3)),
    "gaps/complexity": (gaps(-0.2, 0.3), gaps(0.2, -0.3)),
}

MORE_FALSE = [
    ("critical-beta", critical(1.5)),
    ("slope-is-inverse-beta", curve(lambda b: 1 / b**2)),
    ("slope-is-inverse-beta", curve(lambda b: -1 / b)),
    ("layers-after-bifurcations", bifurcations(-0.3, 0.3)),  # before them; unsigned distances are the same
    ("gaps", gaps(-0.2, 0.3)),
]


@pytest.mark.parametrize("name", CASES)
def test_a_claim_is_decided_by_what_its_paper_says(name):
    check(CLAIMS, name, CASES[name])


@pytest.mark.parametrize(("name", "false"), MORE_FALSE)
def test_another_way_of_being_false(name, false):
    check(CLAIMS, name, (CASES[name][0], false))


def test_the_nearest_of_two_bifurcations_counts():
    """From before the second one to after the first."""
    before, after = 9 * np.exp(-0.6), 2 * np.exp(0.4)
    moved = {
        b: {
            "layers": dataset({"beta": (AXES, around([[b[0]] * 6, [b[1]] * 6])), **output(0.9)}, attrs=KNOWN),
            **critical(2.0),
        }
        for b in ((before, after), (after, before))
    }
    check(CLAIMS, "layers-after-bifurcations", tuple(moved.values()))


def test_one_piece_of_the_curve_off_leaves_the_slope_undecided():
    for off in (0.5, 2.0):
        results = curve(lambda b, off=off: np.where(np.arange(len(b)) == 7, off, 1.0) / b)
        entry = decide([c for c in CLAIMS if c.id == "slope-is-inverse-beta"], results, scale="quick")[
            "slope-is-inverse-beta"
        ]
        assert entry.verdict == "inconclusive"


def test_every_claim_is_tried():
    check_complete(CLAIMS, CASES, NEVER)


@pytest.mark.parametrize(("learned", "verdict"), [(0.9, "fails here"), (0.1, "inconclusive"), (np.nan, "inconclusive")])
def test_networks_that_have_not_learned_decide_nothing_about_trained_ones(learned, verdict):
    judged = [c for c in CLAIMS if c.id.startswith("gaps")]
    entries = list(decide(judged, gaps(-0.5, -0.5, learned), scale="quick"))
    assert [e.verdict for e in entries] == [verdict] * 3
    assert all(e.measured == pytest.approx(-0.5, abs=0.01) for e in entries)
    assert all(("these networks have not learned" in e.note) == (verdict == "inconclusive") for e in entries)
