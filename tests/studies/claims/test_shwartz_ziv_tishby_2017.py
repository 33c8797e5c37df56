"""Shwartz-Ziv & Tishby 2017: each claim on results where it is true and where it is false."""

import numpy as np
import pytest

from deeptheory.runs import decide
from deeptheory.studies.shwartz_ziv_tishby_2017.claims import CLAIMS, epochs_to, transition
from oracles.simulated import STEPS, N, around, check, check_complete, check_missing, dataset, falling, only

LAYERS = [f"layer{k}" for k in range(1, 7)]
FIRST, LAST_HIDDEN = LAYERS[0], LAYERS[-2]
AXES = ("seed", "step", "layer")
NEVER: dict[str, str] = {}

FIT_EARLY, FIT_LATE = [0, 0.9, 0.98, 0.99, 0.99], [0, 0.1, 0.2, 0.3, 0.99]  # I(T;Y) over the looks
DROPS_AT_100, DROPS_AT_1000, NEVER_DROPS = [5, 4, 1.1, 0.1, 0.1], [5, 4, 4, 1.1, 0.1], [5, 4, 4, 4, 3]  # SNR
DROPS_AT_ONCE, BELOW = [5, 0.5, 0.1, 0.1, 0.1], [0.5, 0.5, 0.1, 0.1, 0.1]
PEAKS_AT_100, PEAKS_AT_4000, STILL = falling(2.0), [2, 3, 4, 5, 8], [8, 8, 8, 8, 8]


def by_layer(rows):
    return around(np.array(rows, dtype=float).T)


def network(*, i_x=None, i_y=None, snr=None, step="minibatch", names=LAYERS, steps=STEPS, attrs=None, **more):
    """One step: curves by layer over STEPS."""
    data = {k: (AXES, by_layer(v)) for k, v in (("i_x", i_x), ("i_y", i_y)) if v is not None}
    if snr is not None:
        ratio = by_layer(snr)
        same = np.full_like(ratio, 2.0)
        data |= {"mean_norm": (AXES, 2 * ratio), "std_norm": (AXES, same), "weight_norm": (AXES, same)}
    said = {"information": 1.0, "pictures": "digits", **(attrs or {})}
    return {step: dataset(data | more, attrs=said, layer=list(names), step=list(steps))}


def phases(layer, step="minibatch", *, falls=2.0, label=FIT_EARLY):
    """One layer fits and then compresses; the others the opposite."""
    other = falling(0.0 if falls > 0.5 and label is FIT_EARLY else 2.0)
    return network(step=step, i_x=only(layer, LAYERS, falling(falls), other), i_y=only(layer, LAYERS, label, FIT_EARLY))


def gradients(layer, snr, others, i_x=PEAKS_AT_100, rest=PEAKS_AT_4000):
    """The SNR of one layer against the peak of the last hidden layer's information."""
    return network(snr=only(layer, LAYERS, snr, others), i_x=only(LAST_HIDDEN, LAYERS, i_x, rest))


def last_snr(*values):
    """SNR by layer in the last ten looks; before them the layers differ in any case."""
    return network(snr=[[10.0**k] * 15 + [v] * 10 for k, v in enumerate(values)], steps=range(25))


def fallen(**falls):
    """Last hidden fall by step; the output and the rest fall as the other step's."""
    (_, a), (_, b) = falls.items()
    out = {}
    for name, here, other in (("full-batch", a, b), ("minibatch", b, a)):
        out |= network(step=name, i_x=[falling(f) for f in only(LAST_HIDDEN, LAYERS, here, other)])
    return out


def weights(before, after):
    axes = ("seed", "unit", "input")
    return {"minibatch": dataset({"weights_before": (axes, before), "weights_after": (axes, after)})}


def _weights_of():
    rng = np.random.default_rng(0)
    apart = rng.standard_normal((N, 8, 12))
    alike = apart[:1] + 0.05 * rng.standard_normal((N, 8, 12))
    shuffled = np.stack([rng.permutation(w) for w in alike])  # the same units in another order
    return apart, shuffled


APART, ALIKE = _weights_of()


def depths(reached, one_layer=0.99):
    """Output information by depth: reaches 1 bit at the look `reached` of it."""
    rows = [[0.1 if k < at else 1.0 for k in range(6)] for at in reached]
    rows[0][-1] = one_layer
    values = around(np.array(rows, dtype=float), spread=0.001).swapaxes(0, 1)
    return {
        "depth": dataset(
            {"output_i_y": (("depth", "seed", "step"), values)}, attrs={"information": 1.0},
            depth=[1, 2, 3, 4, 5, 6], step=[0, 1, 10, 100, 1000, 4000],
        )
    }  # fmt: skip


def shares(losses, ends=(0.5, 0.7, 0.9)):
    """I(T;Y) of the last hidden layer by share of the data: its end, and what it loses after its largest."""
    curves = np.array([[0.1, e / 2, e, e + loss, e] for e, loss in zip(ends, losses)])  # [share, step]
    opposite = curves[::-1]
    layers = np.stack([opposite, curves, opposite], axis=-1)  # first, last hidden, output
    values = around(layers, spread=0.001).swapaxes(0, 1)
    return {
        "training-size": dataset(
            {"i_y": (("share", "seed", "step", "layer"), values)}, share=[0.05, 0.45, 0.85], layer=["a", "b", "c"]
        )
    }


def betas(end, before):
    return {
        "minibatch": dataset(
            {"bound_beta": (("seed", "when", "layer"), around([before, end]))}, when=[0, 4000], layer=LAYERS
        )
    }


def short(layer, before, end):
    """How far each layer lies below the bound, before training and at the end."""
    rows = np.array([only(layer, LAYERS, before, end), only(layer, LAYERS, end, before)])
    data = {"bound_distance": (("seed", "when", "layer"), around(rows))}
    return {"minibatch": dataset(data, when=[0, 4000], layer=LAYERS)}


def pictures(snr, i_x=PEAKS_AT_100):
    names = LAYERS[:4]
    return network(step="pictures", names=names, snr=[snr] * 4, i_x=only(names[-2], names, i_x, PEAKS_AT_4000))


IN_ORDER = [6, 5, 4, 3, 2, 1]  # epochs needed, by depth: looks of that number

CASES = {
    **{f"fit-then-compress/{n}": (phases(n), phases(n, falls=0.2)) for n in LAYERS},
    "first-layer-flat": tuple(
        network(i_x=[falling(f) for f in only(FIRST, LAYERS, a, b)]) for a, b in ((0.02, 2.0), (2.0, 0.02))
    ),
    "full-information": tuple(
        network(i_y=[[0, 0, 0, 0, v] for v in only(LAST_HIDDEN, LAYERS, a, b)]) for a, b in ((0.99, 0.5), (0.5, 0.99))
    ),
    **{
        f"snr-transition/{n}": (gradients(n, DROPS_AT_100, DROPS_AT_ONCE), gradients(n, DROPS_AT_ONCE, DROPS_AT_100))
        for n in LAYERS
    },
    "snr-alike-across-layers": (last_snr(1, 1.2, 1, 1.1, 1, 0.9), last_snr(1, 10, 1, 1, 1, 1)),
    "noise-drives-compression": (fallen(full_batch=0.3, minibatch=2.0), fallen(full_batch=2.0, minibatch=0.3)),
    "networks-differ": (weights(ALIKE, APART), weights(APART, ALIKE)),
    "depth-speeds-learning": (depths(IN_ORDER), depths(IN_ORDER[::-1])),
    "one-layer-too-slow": (depths(IN_ORDER, 0.5), depths(IN_ORDER, 0.99)),
    "small-data-loses/5": (shares([0.1, 0, 0]), shares([0, 0.1, 0.1])),
    "small-data-loses/45": (shares([0, 0.1, 0]), shares([0.1, 0, 0.1])),
    "small-data-loses/85": (shares([0.1, 0.1, 0]), shares([0, 0, 0.1])),
    "more-data-more-label": (shares([0, 0, 0]), shares([0, 0, 0], (0.9, 0.7, 0.5))),
    "beta-falls-with-depth": (
        betas([np.inf, 50, 40, 30, 20, 10], [1, 2, 3, 4, 5, 6]),
        betas([10, 20, 30, 40, 50, np.inf], [6, 5, 4, 3, 2, 1]),
    ),
    **{f"on-the-bound/{n}": (short(n, 0.5, 0.05), short(n, 0.05, 0.5)) for n in LAYERS},
    "committee-same-phases": (phases(LAST_HIDDEN, "committee"), phases(LAST_HIDDEN, "committee", falls=0.2)),
    "mnist-gradient-phases": (pictures(DROPS_AT_100), pictures(DROPS_AT_ONCE)),
}

MORE_FALSE = [
    *((f"fit-then-compress/{n}", phases(n, label=FIT_LATE)) for n in LAYERS[3:]),  # compresses before it fits
    ("committee-same-phases", phases(LAST_HIDDEN, "committee", label=FIT_LATE)),
    *((f"snr-transition/{n}", gradients(n, NEVER_DROPS, DROPS_AT_100)) for n in LAYERS),  # drift to the end
    *((f"snr-transition/{n}", gradients(n, BELOW, DROPS_AT_100)) for n in LAYERS),  # diffusion from the start
    *((f"snr-transition/{n}", gradients(n, BELOW, DROPS_AT_100, i_x=STILL)) for n in LAYERS),  # neither happens
    ("mnist-gradient-phases", pictures(NEVER_DROPS)),
    ("mnist-gradient-phases", pictures(BELOW, STILL)),
    ("depth-speeds-learning", depths([1, 2, 3, 4, 5, 6])),
    ("beta-falls-with-depth", betas([1, 2, 3, 4, 5, 6], [np.inf, 50, 40, 30, 20, 10])),
]


@pytest.mark.parametrize("name", CASES)
def test_a_claim_is_decided_by_what_its_paper_says(name):
    check(CLAIMS, name, CASES[name])


@pytest.mark.parametrize(("name", "false"), MORE_FALSE)
def test_one_part_alone_does_not_make_it_true(name, false):
    check(CLAIMS, name, (CASES[name][0], false))


@pytest.mark.parametrize("i_x", [STILL, PEAKS_AT_4000])
def test_without_compression_there_is_nothing_for_a_transition_to_come_with(i_x):
    """SNR that drops where I(X;T) is largest for no other reason than that training ends there."""
    at_the_end = [5, 4, 4, 4, 1.0]
    for snr in (DROPS_AT_ONCE, DROPS_AT_100, at_the_end):
        results = gradients("layer2", snr, DROPS_AT_100, i_x=i_x, rest=PEAKS_AT_100)
        entry = decide([c for c in CLAIMS if c.id == "snr-transition/layer2"], results, scale="quick")[
            "snr-transition/layer2"
        ]
        assert entry.verdict == "inconclusive"
        assert f"no value in {N} of {N}" in entry.note


def test_a_network_that_diverged_differs_from_none():
    results = weights(ALIKE, np.concatenate([np.full_like(APART[:1], np.nan), APART[1:]]))
    entry = decide([c for c in CLAIMS if c.id == "networks-differ"], results, scale="quick")["networks-differ"]
    assert entry.verdict == "inconclusive"
    assert f"no value in 1 of {N // 2} pairs" in entry.note


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_on_the_bound_from_the_start_has_nothing_to_come_nearer(name):
    results = short(name, 1e-9, 0.5)
    entry = decide([c for c in CLAIMS if c.id == f"on-the-bound/{name}"], results, scale="quick")[
        f"on-the-bound/{name}"
    ]
    assert entry.verdict == "not run"


@pytest.mark.parametrize("name", [*(f"fit-then-compress/{layer}" for layer in LAYERS), "committee-same-phases"])
def test_a_network_without_numbers_has_no_value(name):
    check_missing(CLAIMS, name, CASES[name][0])


def test_every_claim_is_tried():
    check_complete(CLAIMS, CASES, NEVER)


def decided(name, results):
    return decide([c for c in CLAIMS if c.id == name], results, scale="quick")[name]


def test_a_diverged_network_is_not_one_that_never_learns():
    values = np.array([[[0.1, 0.6, 0.9]], [[0.1, 0.2, 0.3]], [[0.1, 0.6, np.nan]]])  # [depth, seed, step]
    data = dataset({"output_i_y": (("depth", "seed", "step"), values)}, depth=[1, 2, 3], step=[0, 10, 100])
    assert epochs_to(data, 0.5).ravel()[:2].tolist() == [10, np.inf]
    assert np.isnan(epochs_to(data, 0.5)[2, 0])


def test_a_diverged_network_has_no_transition():
    i_x = np.array([[1.0, 2.0, 1.0], [1.0, np.nan, 1.0]])
    found = transition(np.array([0.0, 0.0]), i_x, np.array([0, 10, 100]))
    assert found[0] == 0
    assert np.isnan(found[1])


def test_the_full_batch_is_not_compared_with_itself():
    one = fallen(minibatch=2.0, full_batch=2.0)["minibatch"]
    entry = decided("noise-drives-compression", {"minibatch": one, "full-batch": one})
    assert (entry.verdict, entry.measured) == ("not run", None)
    assert "full-batch and minibatch are the same networks" in entry.note


def test_two_fractions_of_the_data_make_no_correlation():
    results = {"training-size": shares((0.1, 0, 0))["training-size"].isel(share=[0, 2])}
    entry = decided("more-data-more-label", results)
    assert (entry.verdict, entry.measured) == ("inconclusive", 1.0)
    assert "2 fractions of the data; needs 3 or more" in entry.note
