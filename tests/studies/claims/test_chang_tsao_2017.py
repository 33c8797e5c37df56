"""Chang & Tsao 2017: each claim on results where it is true and where it is false."""

import numpy as np
import pytest
import xarray as xr

from deeptheory.runs import decide
from deeptheory.studies.chang_tsao_2017 import cell_figures, claims
from deeptheory.studies.chang_tsao_2017.claims import CLAIMS
from deeptheory.studies.chang_tsao_2017.external_data import PUBLISHED
from deeptheory.studies.chang_tsao_2017.layers import CONDITIONS, LAYERS
from oracles.simulated import N, around, check, check_complete, dataset, only

NEVER = {
    f"neural/{name}": "needs the coordinates of the 2,000 faces that were shown to the monkeys"
    for name in (
        "shape-preference-by-area",
        "explained-variance",
        "identify-at-40",
        "tuned-dimensions",
        "metamers",
        "eigenface-worse",
    )
}
AXES = ("seed", "condition", "layer", "cell")
TUNED = np.array([1.0] * 7 + [0.0, 0.0, np.nan])  # of ten cells; the last is missing
FIRST, LAST = LAYERS[0], LAYERS[-1]
BLOCK = 3  # features in each of two blocks


def place(condition, layer, here, elsewhere):
    """[condition, layer, ...]: values of one layer in one condition, others everywhere else."""
    return np.array([
        [here if (c, name) == (condition, layer) else elsewhere for name in LAYERS] for c in CONDITIONS
    ])  # fmt: skip


def layers(**cells):
    """[condition, layer, cell] by name, the same in all networks but for one cell that differs in every third."""
    made = {}
    for name, values in cells.items():
        many = np.tile(values, (N, *[1] * np.ndim(values)))
        if name in ("flat", "monotone"):
            many[::3, ..., 0] = 1 - many[::3, ..., 0]
        elif name not in ("tuned", "dimensions"):
            many = around(values)
        made[name] = (AXES[: many.ndim] if name != "eigenface" else AXES[:3], many)
    return {"layers": dataset(made, condition=list(CONDITIONS), layer=list(LAYERS))}


def shares(name, condition, layer):
    """Tuned cells have it and the others not, in one layer; then the other way round."""
    has, lacks = TUNED.copy(), 1 - TUNED
    tuned = place(condition, layer, TUNED, TUNED)
    return tuple(
        layers(**{name: place(condition, layer, a, b), "tuned": tuned}) for a, b in ((has, lacks), (lacks, has))
    )


def rivals(condition, layer):
    better, worse = np.array([0.5] * 8 + [0.1, np.nan]), np.array([0.2] * 8 + [0.3, np.nan])
    a, b = place(condition, layer, better, worse), place(condition, layer, worse, better)
    return layers(axis=a, exemplar=b), layers(axis=b, exemplar=a)


def ceiling(share):
    """The axis explains that share of the ceiling; cells without reliability the opposite, in other layers too."""
    top = np.array([0.6] * 5 + [0.01] * 4 + [np.nan])
    explained = np.array([0.6 * share] * 5 + [0.6 * (1 - share)] * 4 + [0.1])
    return layers(axis=place("trained", LAST, explained, 0.6 - explained), ceiling=place("trained", LAST, top, top))


def dimensions(here, elsewhere):
    cells = np.where(TUNED == 1, here, elsewhere)
    return layers(
        dimensions=place("trained", LAST, cells, elsewhere + 0 * cells), tuned=place("trained", LAST, TUNED, TUNED)
    )


def preferences(condition, rows):
    """Median shape preference by layer in one condition; the other condition and untuned cells have the opposite."""
    cells = np.array([np.where(TUNED == 1, v, -v) for v in rows])
    values = np.array([cells if c == condition else -cells for c in CONDITIONS])
    return layers(preference=values, tuned=place(condition, LAST, TUNED, TUNED))


def eigenface(layer, here, elsewhere):
    values = place("trained", layer, here, elsewhere)
    return layers(eigenface=values)


def population(**variables):
    coords = {"area": ["middle", "anterior", "combined"], "size": [1, 100, 200]}
    return {"population": dataset(variables, **coords)}


def areas(middle, anterior, combined):
    rows = np.array([[m + 0.01 * np.cos(np.arange(2 * BLOCK))] for m in (middle, anterior, combined)])[:, 0]
    return population(explained=(("seed", "area", "feature"), around(rows)))


def components(falls):
    """Explained variance falls within each block of the combined areas, and rises in the other two areas,
    or the reverse."""
    block = np.linspace(0.9, 0.3, BLOCK) if falls else np.linspace(0.3, 0.9, BLOCK)
    rows = np.array([np.tile(block[::-1], 2)] * 2 + [np.append(block, 2 + block)])
    return population(explained=(("seed", "area", "feature"), around(rows)))


def numbers(**values):
    return population(**{k: ("seed", around(v)) for k, v in values.items()})


def by_size(at_200, everybody):
    sizes = around([everybody, everybody, at_200])
    return population(by_size=(("seed", "size"), sizes), everybody=("seed", around(everybody)))


def changes(null, along):
    axes = ("seed", "metamer_cell")
    return population(
        null_change=(axes, around([null] * 5 + [np.nan])), axis_change=(axes, around([along] * 5 + [np.nan]))
    )


def views(trained, untrained):
    rows = np.array([[trained] * 4 + [np.nan], [untrained] * 4 + [np.nan]])
    return {"views": dataset({"view_cosine": (AXES[:2] + AXES[3:], around(rows))}, condition=list(CONDITIONS))}


def simulated(**values):
    return {"simulated": dataset({k: ("seed", around(v)) for k, v in values.items()})}


def photographs(trained, **more):
    """[condition, layer] of the published network, untrained the other way round."""
    ((name, rows),) = trained.items()
    rows = np.array(rows, dtype=float)
    axes = ("seed", "published_condition", "published_layer")
    data = {name: (axes, around([rows, -rows if name == "published_preference" else 1 - rows]))}
    data |= {k: ("seed", around(v)) for k, v in more.items()}
    coords = {"published_condition": list(CONDITIONS), "published_layer": list(PUBLISHED)}
    return {"photographs": dataset(data, **coords)}


def decoded(within, outside):
    """Accuracy in windows 100 to 350 ms after the picture, and before and after."""
    data = {"decoded": (("seed", "window"), around([outside, within, 1 / 7, outside]))}
    return {"photographs": dataset(data, window=[50.0, 150.0, 300.0, 500.0])}


def both(build, *rows):
    return tuple(build(*row) for row in rows)


def control(prefix):
    return "untrained" if prefix else "trained"


DOWN, UP = [0.5, 0.3, 0.1, -0.1, -0.3, -0.5], [-0.5, -0.3, -0.1, 0.1, 0.3, 0.5]
PREFIXES = ("", "untrained-control/")

CASES = {
    "ramp": shares("monotone", "trained", LAST),
    **{f"{p}flat-orthogonal/{n}": shares("flat", control(p), n) for p in PREFIXES for n in LAYERS},
    **{f"{p}axis-beats-exemplar/{n}": rivals(control(p), n) for p in PREFIXES for n in LAYERS},
    **{
        f"{p}late-layers-appearance": (preferences(control(p), DOWN), preferences(control(p), UP)) for p in PREFIXES
    },
    **{
        f"{p}early-layers-shape": (preferences(control(p), DOWN), preferences(control(p), UP)) for p in PREFIXES
    },
    "near-ceiling": both(ceiling, (0.8,), (0.2,)),
    "tuned-dimensions": both(dimensions, (6, 40), (40, 6)),
    "decode-combined-best": both(areas, (0.3, 0.5, 0.6), (0.3, 0.6, 0.5)),
    "decode-falls-with-component": both(components, (True,), (False,)),
    "identify-at-40": both(lambda v: numbers(identified=v), (0.75,), (0.025,)),
    "population-not-grandmother": both(lambda a, b: numbers(identified=a, best_single=b), (0.75, 0.1), (0.1, 0.75)),
    "200-suffice": both(by_size, (0.95, 0.97), (0.4, 0.97)),
    "axes-not-mutually-orthogonal": both(lambda a, b: numbers(axes_cosine=a, null_cosine=b), (0.3, 0.1), (0.1, 0.3)),
    "eigenface-worse": both(eigenface, (LAST, -0.2, 0.3), (LAST, 0.3, -0.2)),
    **{f"eigenface-worse/{n}": both(eigenface, (n, -0.2, 0.3), (n, 0.3, -0.2)) for n in LAYERS[:-1]},
    "eigenface-worse/simulated": (simulated(eigenface=-0.2), simulated(eigenface=0.3)),
    "metamers": both(changes, (0.05, 1.0), (1.0, 0.05)),
    "reconstruction": both(lambda v: numbers(reconstruction=v), (0.8,), (1.25,)),
    "view-transfer": both(views, (0.8, 0.0), (0.0, 0.8)),
    "axis-metric-efficient": (simulated(ratio=2.0), simulated(ratio=0.5)),
    "published-network/late-layers-appearance": tuple(
        photographs({"published_preference": row[:5]}) for row in (DOWN, UP)
    ),
    **{
        f"published-network/flat-orthogonal/{n}": tuple(
            photographs({"published_flat": only(n, PUBLISHED, a, 1 - a)}) for a in (0.9, 0.1)
        )
        for n in PUBLISHED
    },
    "it/objects-decoded": both(decoded, (0.8, 0.2), (0.2, 0.8)),
    "it/network-resembles": tuple(
        photographs({"rdm_published": [a] * 4 + [b]}, rdm_pixels=a) for a, b in ((0.1, 0.4), (0.4, 0.1))
    ),
}  # fmt: skip

MORE_FALSE = [
    ("tuned-dimensions", dimensions(1, 6)),
    ("decode-combined-best", areas(0.6, 0.3, 0.5)),
    ("axis-metric-efficient", simulated(ratio=0.99 / 1.02)),
]


@pytest.mark.parametrize("name", CASES)
def test_a_claim_is_decided_by_what_its_paper_says(name):
    check(CLAIMS, name, CASES[name])


@pytest.mark.parametrize(("name", "false"), MORE_FALSE)
def test_another_way_of_being_false(name, false):
    check(CLAIMS, name, (CASES[name][0], false))


@pytest.mark.parametrize("name", ["ramp", "flat-orthogonal/relu3", "axis-beats-exemplar/relu3", "early-layers-shape"])
def test_networks_without_a_cell_that_counts_decide_nothing(name):
    """Cells that are not tuned, or missing, have no share: no verdict, and no warning."""
    data = CASES[name][0]["layers"].copy(deep=True)
    for key in ("tuned", "axis"):
        if key in data:
            data[key][:3] = np.nan if key == "axis" else 0
    entry = decide([c for c in CLAIMS if c.id == name], {"layers": data}, scale="quick")[name]
    assert entry.verdict == "inconclusive"
    assert f"no value in 3 of {N}" in entry.note


def test_undetermined_ramps_are_left_out_and_counted():
    """A cell whose responses tell neither way is no evidence against ramps: the share is of those that tell."""
    data = CASES["ramp"][0]["layers"].copy(deep=True)
    ramp = [c for c in CLAIMS if c.id == "ramp"]
    determined = decide(ramp, {"layers": data}, scale="quick")["ramp"]
    data["monotone"][:, :, :, 3:6] = np.nan  # of the seven tuned cells
    data["monotone"][:, :, :, 7:] = np.nan  # of untuned cells: not counted
    entry = decide(ramp, {"layers": data}, scale="quick")["ramp"]
    assert determined.measured == pytest.approx((N - N / 3 / 7) / N)
    assert entry.measured == pytest.approx((N - N / 3 / 4) / N)
    assert f"{3 * N} of {7 * N} tuned cells undetermined and left out" in entry.note


def test_every_claim_is_tried():
    check_complete(CLAIMS, CASES, NEVER)


def test_components_are_ranked_in_blocks_of_unequal_size():
    explained = np.array([[0.9, 0.8, 0.7, 0.95, 0.5, 0.3, 0.2, 0.1]])  # 3 of shape, 5 of appearance, each falling
    data = xr.Dataset(
        {"explained": (("seed", "area", "feature"), explained[:, None])},
        coords={"area": ["combined"]},
        attrs={"shape": 3},
    )
    assert claims.falls({"population": data}) == pytest.approx([-1.0])  # halves of four gave -0.6 in the first


def test_a_cell_without_an_exemplar_is_not_counted_against_the_axis():
    values = {"axis": [[0.5, 0.5, np.nan]], "exemplar": [[0.4, np.nan, 0.1]]}
    data = xr.Dataset(
        {k: (("seed", "condition", "layer", "cell"), np.array(v)[:, None, None]) for k, v in values.items()},
        coords={"condition": ["trained"], "layer": ["relu6"]},
    )
    assert claims.axis_beats({"layers": data}, "relu6").tolist() == [1.0]


def test_cells_that_do_not_answer_along_their_axis_are_counted_in_a_note():
    values = {"null_change": [[0.1, 0.3, 0.5, np.nan]], "axis_change": [[1.0, 1.0, 0.0, np.nan]]}
    data = xr.Dataset({k: (("seed", "metamer_cell"), np.array(v)) for k, v in values.items()})
    found = claims.null_over_axis({"population": data})
    assert found.values == pytest.approx([0.2])
    assert found.notes[0].startswith("2 of 4 cells left out")
    whole = claims.null_over_axis({"population": data.isel(metamer_cell=slice(0, 2))})
    assert whole.notes == ()


@pytest.mark.parametrize(
    ("how", "said"), [("block", "the same total variance"), ("dim", "every coordinate has the same")]
)
def test_the_caption_of_preferences_says_how_coordinates_were_scaled(how, said):
    data = {"layers": CASES["early-layers-shape"][0]["layers"]}
    pixels = {f"pixels_{k}": data["layers"][k].isel(condition=0, layer=0, drop=True) for k in ("preference", "tuned")}
    found = cell_figures.preference({"layers": data["layers"].assign(pixels)}, {"normalize": how})
    assert said in found.limitations
