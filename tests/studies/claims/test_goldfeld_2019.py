"""Goldfeld et al. 2019 and what followed it: each claim on results where it is true and where it is false."""

import numpy as np
import pytest

from deeptheory.studies.goldfeld_2019.claims import CLAIMS
from deeptheory.studies.goldfeld_2019.steps import ARCHITECTURES, CNN_LAYERS
from oracles.simulated import STEPS, N, around, check, check_complete, check_missing, dataset, falling, only

LAYERS = [f"layer{k}" for k in range(1, 6)]
SIZES = [0.0001, 0.001, 0.01, 0.1]
AXES = ("seed", "step", "layer")
NEVER: dict[str, str] = {}
DOWN, UP = [8, 7, 5, 4, 2], [2, 4, 5, 7, 8]  # over the looks


def looks(rows):
    """[seed, step, layer] of curves by layer."""
    return around(np.array(rows, dtype=float).T)


def tracks(step, curve, other, layer, alike):
    """Two curves of a step that move together in one layer alone (alike), or in all others alone."""
    first = [DOWN] * 5
    second = only(layer, LAYERS, DOWN, UP) if alike else only(layer, LAYERS, UP, DOWN)
    data = {other: (AXES, looks(second))}
    unrelated = {"apart": "within", "within": "apart"}[other]
    data[unrelated] = (AXES, looks([UP if row is DOWN else DOWN for row in second]))
    if curve == "binned":
        sizes = [looks(first if size == 0.01 else [UP] * 5) for size in SIZES]
        data["binned"] = ((*AXES, "size"), np.stack(sizes, axis=-1))
    else:
        data["i_x"] = (AXES, looks(first))
    return {step: dataset(data, layer=LAYERS, step=STEPS, size=SIZES)}


def falls(*values, name="i_x", layers=LAYERS, attrs=None):
    """A step whose layers fall so far."""
    data = {name: (AXES, looks([falling(f) for f in values]))}
    return dataset(data, attrs=attrs, layer=list(layers), step=STEPS)


def accuracies(orthonormal, noisy):
    names = {"orthonormal": orthonormal, "noisy": noisy}
    course = {s: (("seed", "step"), around([0.5] * 4 + [v])) for s, v in names.items()}
    return {s: dataset({"test_accuracy": c, "i_x": c}) for s, c in course.items()}


def cells(here, elsewhere):
    """H of cells of every size: `here` in the last layer at the last look,
    `elsewhere` in the other layers and before."""
    values = np.broadcast_to(np.array(elsewhere, dtype=float), (5, 5, 4)).copy()
    values[-1, -1] = here
    return {"deterministic": dataset({"binned": ((*AXES, "size"), around(values))}, layer=LAYERS, size=SIZES)}


def bits(name, off):
    """H(T) is log2 n but for one layer at one look."""
    values = np.full((N, 5, 5), 12.0)
    values[:, 2, 1] -= off
    other = "exact_single" if name == "exact_double" else "exact_double"
    data = {name: (AXES, values), other: (AXES, values if off else values - 1)}
    return {"deterministic": dataset(data, layer=LAYERS)}


def quantized(name, *here, rest, first=None):
    """Falls by layer of one architecture (first two, between, last hidden, output);
    the other architectures' are `rest`."""
    data = {}
    for other, (widths, _) in ARCHITECTURES.items():
        count = len(widths) - 1
        early, between, last, output = here if other == name else rest
        row = [early if first is None else first, early] + [between] * (count - 4) + [last, output]
        data[f"{other}/i_x"] = (("seed", "step", f"layer of {other}"), looks([falling(f) for f in row]))
    return {"quantised": dataset(data)}


def sets(low, estimate, pca):
    """24 sets of image pairs; what the other compressor gives is `pca`."""
    truth = np.tile([0.5, 1.0, 2.0, 4.0], 6)
    data = {
        "low": (("set", "how"), np.stack([truth + low, truth + pca], axis=1)),
        "estimate": (("set", "how"), np.stack([truth + estimate * around(1.0, 24), truth + pca], axis=1)),
        "truth": ("set", truth),
    }
    return {"synthetic": dataset(data, how=["autoencoder", "pca"])}


def clusters(layer, rise):
    """Similarity within classes less between: rises in one layer, falls in the others."""
    rows = only(layer, CNN_LAYERS, rise, -rise)
    within = looks([[0.5, 0.5, 0.5, 0.5, 0.5 + r] for r in rows])
    between = looks([[0.4, 0.4, 0.4, 0.4, 0.4 - r] for r in rows])
    data = {"within": (AXES, within), "between": (AXES, between)}
    return {"clusters": dataset(data, attrs={"pictures": "digits"}, layer=list(CNN_LAYERS), step=STEPS)}


def neuron(end, other):
    rows = [[0, 2, end], [0, other, other]]
    data = {"i_x": (("sigma", "w"), rows)}
    return {"one-neuron": dataset(data, sigma=[0.05, 0.2], w=[0.1, 1, 100])}


def on_pictures(*values):
    names = [f"layer{k}" for k in range(1, 6)]
    return {"quantised-pictures": falls(*values, layers=names, attrs={"pictures": "digits", "epochs": 3})}


def both(build, *rows):
    return tuple(build(*row) for row in rows)


PAIRS = {
    "noisy-compression-tracks-clusters": ("noisy", "i_x", "apart"),
    "same-class-distance-tracks": ("noisy", "i_x", "within"),
    "binned-entropy-tracks-clusters": ("deterministic", "binned", "apart"),
}
SUFFIX = {name: "" if name == "tanh" else f"/{name}" for name in ARCHITECTURES}
LAST = LAYERS[-1]

CASES = {
    "one-neuron-merges": both(neuron, (1.0, 2), (2.0, 1)),
    **{
        f"{name}/{layer}": tuple(tracks(*how, layer, alike) for alike in (True, False))
        for name, how in PAIRS.items()
        for layer in LAYERS
    },
    **{
        f"noisy-compresses/{n}": tuple({"noisy": falls(*only(n, LAYERS, a, 1.0 - a))} for a in (1.0, 0.0))
        for n in LAYERS[-2:]
    },
    "orthonormal-stops-compression": tuple(
        {"orthonormal": falls(*only(LAST, LAYERS, a, b)), "noisy": falls(*only(LAST, LAYERS, b, a))}
        for a, b in ((0.2, 2.0), (2.0, 0.2))
    ),
    "orthonormal-no-harm": both(accuracies, (0.9, 0.8), (0.8, 0.9)),
    "binned-entropy-depends-on-bin": both(cells, ([12, 10, 8, 4], [6] * 4), ([6] * 4, [12, 10, 8, 4])),
    "deterministic-is-constant": both(bits, ("exact_double", 0.0), ("exact_double", 0.01)),
    "deterministic-is-constant/single-precision": both(bits, ("exact_single", 0.0), ("exact_single", 0.01)),
    **{
        f"quantised-early-layers-stay{SUFFIX[a]}": (
            quantized(a, 0.0, 2, 2, 2, rest=[2] * 4), quantized(a, 2, 0, 0, 0, rest=[0] * 4, first=0.0),
        )
        for a in ARCHITECTURES
    },
    **{
        f"quantised-last-layers-compress{SUFFIX[a]}": (
            quantized(a, 0, 0, 1, 0, rest=[0] * 4), quantized(a, 1, 1, 0, 1, rest=[1] * 4),
        )
        for a in ARCHITECTURES
    },
    **{
        f"quantised-output-compresses/{a}": (
            quantized(a, 0, 0, 0, 1, rest=[0] * 4), quantized(a, 1, 1, 1, 0, rest=[1] * 4),
        )
        for a in ARCHITECTURES
    },
    "compressed-estimate-is-lower": both(sets, (-0.1, 0, 0.5), (0.1, 0.3, -0.5)),
    "compressed-estimate-is-near": both(sets, (-0.1, -0.1, -1), (-1.2, -1.0, 0)),
    **{
        f"mnist-cnn-clusters{'' if n == 'dense1' else f'/{n}'}": both(clusters, (n, 0.2), (n, -0.2)) for n in CNN_LAYERS
    },
    "quantised-early-layers-stay/mnist": both(on_pictures, (0, 0, 1, 1, 1), (0, 1, 0, 0, 0)),
    "quantised-last-layers-compress/mnist": both(on_pictures, (0, 0, 0, 1, 0), (1, 1, 1, 0, 1)),
    "quantised-output-compresses/mnist": both(on_pictures, (0, 0, 0, 0, 1), (1, 1, 1, 1, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_claim_is_decided_by_what_its_paper_says(name):
    check(CLAIMS, name, CASES[name])


def test_an_estimate_above_the_truth_is_not_near_it():
    above = sets(0.5, 1.0, 0)
    check(CLAIMS, "compressed-estimate-is-near", (CASES["compressed-estimate-is-near"][0], above))


def test_a_set_without_an_interval_has_no_value():
    case = CASES["compressed-estimate-is-lower"][0]
    check_missing(CLAIMS, "compressed-estimate-is-lower", case, dim="set")


def test_every_claim_is_tried():
    check_complete(CLAIMS, CASES, NEVER)
