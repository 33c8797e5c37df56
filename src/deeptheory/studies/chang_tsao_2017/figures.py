"""The figures, what they show and their limitations; the page is made of them."""

from typing import Any

import numpy as np

from deeptheory.core.theme import NEUTRAL
from deeptheory.faces import image_figure, montage
from deeptheory.report import charts
from deeptheory.runs import PageFigure
from deeptheory.studies.chang_tsao_2017 import claims, external_data
from deeptheory.studies.chang_tsao_2017.cell_figures import (
    axes,
    flat_curves,
    histogram,
    ladder,
    preference,
    ramps,
    readers,
    views,
)
from deeptheory.studies.chang_tsao_2017.layers import (
    CONDITIONS,
    LAYERS,
    WORDS,
    crowd,
    layer_chart,
    line_chart,
    of,
    world,
)
from deeptheory.studies.pages import Part
from deeptheory.studies.paper import printed, stated
from deeptheory.studies.tables import estimate, table_of

MAIN = "flat-curves"
TITLE = "The code for facial identity, asked of networks"
_CONTROLS = {"untrained": "both, before training", "pixels": "pixels, as many"}


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    return (
        f"Networks that distinguish {settings['people']} people are shown {settings['stimuli']} faces of a face "
        f"space, and their units are "
        "recorded like cells: do they code faces by axes, more than before training and more than pixels?"
    )


def notices(settings: dict) -> list[str]:
    """What stands at the top of the page."""
    return [
        "The faces are procedural (58 landmarks of their own, not the paper's 58 on photographs), "
        "and the cells are units of networks."
    ]


def _with_controls(first: dict[str, tuple], x: Any, values: Any, dash: str = "dash") -> dict[str, tuple]:
    """The series, and those of the controls; values: a DataArray with control."""
    return first | {word: (x, values.sel(control=k).values, dash) for k, word in _CONTROLS.items()}


def _coordinates(settings: dict) -> str:
    return f"coordinate ({settings['shape']} of shape, then {settings['appearance']} of appearance)"


def _rows_of_images(images: np.ndarray, names: list[str]) -> Any:
    """A figure of images [row, column, y, x]."""
    return image_figure(montage(np.concatenate(images), images.shape[1]), None, names)


def _faces(results: Any, settings: dict) -> PageFigure:
    seed = int(results["network"]["seed"].values[0])
    few = {**settings, "people": 2, "pictures": 8, "stimuli": 16}
    images = np.concatenate([crowd(few, seed)[0], world(few, seed).images])
    accuracy = results["network"]["accuracy"]
    table = table_of([estimate(accuracy.sel(look=k), name="value", step=k) for k in accuracy["look"].values.tolist()])
    return PageFigure(
        name="faces",
        title="What the network is taught, and what it is shown",
        figure=image_figure(montage(images, 8), None, ["one person", "another", "shown", "shown"]),
        table=table,
        shows="Above: pictures of two people as the network learns them, turned a little and under any light. Below: "
        "faces drawn from the face space, frontal and under one light.",
        limitations=f"Networks name {table['value'].iloc[-1]:.0%} of held-out pictures correctly at the end of "
        f"training (chance {1 / settings['people']:.1%}); the table gives it by step.",
        alt="Four rows of eight small faces: two people in eight pictures each, and sixteen drawn faces.",
    )


def _components(results: Any, settings: dict) -> PageFigure:
    space = world({**settings, "stimuli": 8}, int(results["network"]["seed"].values[0])).space
    return PageFigure(
        name="components",
        title="The first components of shape and of appearance",
        figure=space.figure(3),
        table=space.table(),
        shows="Each row is one coordinate at both ends and in the middle. By construction shape moves landmarks and "
        "leaves the texture; appearance changes the texture and leaves the landmarks.",
        limitations=f"Learnt from {settings['space_faces']} procedural heads under one light. "
        "Real faces correlate in ways that these do not.",
        alt="A grid of small faces: three shape and three appearance components, each at minus, "
        "zero and plus 2.5 deviations.",
    )


def _decoding(results: Any, settings: dict) -> PageFigure:
    data = results["population"].mean("seed")
    x = range(1, data.sizes["feature"] + 1)
    names = {"middle": "middle", "anterior": "anterior", "combined": "both"}
    series = {word: (x, data["explained"].sel(area=name).values, "solid") for name, word in names.items()}
    figure, table = line_chart(
        _with_controls(series, x, data["control_explained"]),
        "coordinate",
        "explained",
        _coordinates(settings),
        "explained variance, leave-one-out",
    )
    return PageFigure(
        name="decoding",
        title="Which coordinates can be read from the cells",
        figure=charts.reference(figure, upright=settings["shape"] + 0.5),
        table=table,
        published="Figure 3: the middle patches tell more of shape, the anterior one of appearance, both "
        "together most.",
        shows="Can more be read from the middle layer and the embedding together than from either alone, and are later "
        "components read less well? Dashed: the same before training and from pixels.",
        claims=("decode-combined-best", "decode-falls-with-component"),
        limitations="Mean over networks of leave-one-out least squares; negative where a coordinate cannot be read. "
        "“Both” has twice as many cells, as in the paper: with few faces per cell, that costs more than it brings.",
        alt="Lines: explained variance against the number of the coordinate, for areas and controls.",
    )


def _identification(results: Any, settings: dict) -> PageFigure:
    data = results["population"].mean("seed")
    x = data["candidates"].values.tolist()
    series = {"both areas": (x, data["by_candidates"].values, "solid")}
    series = _with_controls(series, x, data["control_by_candidates"]) | {"chance": (x, [1 / k for k in x], "dot")}
    figure, table = line_chart(series, "candidates", "identified", "number of faces", "identified", log="x")
    asked = settings["candidates"] / 1.15, 1.15 * settings["candidates"]
    return PageFigure(
        name="identification",
        title="Finding a face among others",
        figure=charts.region(figure, *stated(claims.CLAIMS, "identify-at-40"), across=asked),
        table=table,
        published=f"Figure 3: about {printed(claims.CLAIMS, 'identify-at-40')} among 40 faces, chance 0.025.",
        shows="How often, among this many faces, is the one that was shown nearest to what the cells say? "
        "Shaded: where both areas have to lie.",
        claims=("identify-at-40",),
        limitations="Mean over networks; exact expectation over all sets of others. Identification tells that there is "
        "information, not which code carries it, nor that training put it there: compare the dashed lines.",
        alt="Curves against a logarithmic number of faces: share identified from both areas, before training, "
        "and from pixels.",
    )


def _cells_needed(results: Any, settings: dict) -> PageFigure:
    data, codes = (
        results["population"].mean("seed"),
        results["simulated"]["accuracy"].mean("seed").sel(reader="identity"),
    )
    few, number = data["both_size"].values.tolist(), settings["candidates"]
    series = {"network, all layers": (data["size"].values.tolist(), data["by_size"].values, "solid")}
    series["both areas"] = (few, data["both_by_size"].values, "solid")
    series = _with_controls(series, few, data["control_by_size"], "dot")
    words = {"axis": "simulated, axis code", "exemplar": "simulated, distance code"}
    series |= {
        words[c]: (codes["size"].values.tolist(), codes.sel(code=c).values, "dash")
        for c in codes["code"].values.tolist()
    }
    figure, table = line_chart(series, "cells", "identified", "number of cells", f"identified among {number}", log="x")
    return PageFigure(
        name="cells-needed",
        title="How many cells it takes to know a face",
        figure=charts.reference(figure, level=1 / number, label="chance"),
        table=table,
        shows="How many cells are needed, and do codes by axes need fewer than codes by distances?",
        claims=("population-not-grandmother", "200-suffice"),
        limitations="Mean over networks. A distance code identifies as well, with more cells: identification alone "
        "does not distinguish codes. Simulated cells are of reliability 0.5 and fill 50 even dimensions, "
        "the network's cells neither.",
        alt="Curves against a logarithmic number of cells: share identified by the network's cells and by two "
        "simulated codes.",
    )


def _reconstructions(results: Any, settings: dict) -> PageFigure:
    data, quantity = results["population"], "decoded to true / decoded to nearest stranger"
    kinds = {"both areas": data["reconstruction"]} | {
        word: data["control_reconstruction"].sel(control=k) for k, word in _CONTROLS.items()
    }
    names = ["shown", "from the cells", "before training", "from pixels"]
    return PageFigure(
        name="reconstructions",
        title="Faces shown, and faces rebuilt from what the cells say",
        figure=_rows_of_images(data["reconstructed"].values[0], names),
        table=table_of([estimate(v, name="value", cells=k, quantity=quantity) for k, v in kinds.items()]),
        published="Figure 3: faces rebuilt from 205 cells, next to those that were shown.",
        shows="Is the lower face the upper one? Large differences first: outline, brows, skin.",
        claims=("reconstruction",),
        limitations="The first eight faces of the first network, not chosen. Coordinates that cannot be read shrink "
        "to the mean, so rebuilt faces are more alike than those shown.",
        alt="Four rows of faces: those shown, and those rebuilt from trained cells, untrained cells and pixels.",
    )


def _flatness(results: Any, settings: dict) -> PageFigure:
    rows = []
    for condition, layer in [*((c, k) for c in CONDITIONS for k in LAYERS), ("pixels", "pixels")]:
        flat = claims.share_of_tuned(results, "flat", layer, condition).values
        beats = claims.axis_beats(results, layer, condition)
        kinds = {"flat": flat, "axis beats exemplar": beats}
        rows += [
            estimate(v, name="value", layer=layer, series=f"{kind}, {WORDS[condition]}") for kind, v in kinds.items()
        ]
    table = table_of(rows)
    return PageFigure(
        name="flatness",
        title="Are cells flat orthogonal to their axis, and does an axis explain them better than a distance?",
        figure=charts.region(
            layer_chart(table, "share of cells", 0.5, series="series"),
            *stated(claims.CLAIMS, f"flat-orthogonal/{LAYERS[-1]}"),
        ),
        table=table,
        shows="Shaded: where both fractions have to lie; the paper reports them near 1 of its cells. How do they "
        "compare with the same network before training, and with pixels on the right?",
        claims=(
            "flat-orthogonal",
            "axis-beats-exemplar",
            "untrained-control/flat-orthogonal",
            "untrained-control/axis-beats-exemplar",
        ),
        limitations="“Flat” means: nothing found in the whole orthogonal space where an effect of a tenth of the "
        "axis's "
        "would have been, or less than a twentieth of it. The exemplar is bounded: without a bound it becomes an axis, "
        "and nothing distinguishes them.",
        alt="Dots with error bars: share of flat cells and share better explained by an axis, by layer and condition.",
    )


def _models(results: Any, settings: dict) -> PageFigure:
    keys, data = ("axis", "exemplar", "ceiling"), results["layers"]
    cells = [
        {"condition": word, **dict(zip(keys, v))}
        for c, word in WORDS.items()
        for v in zip(*(of(data, k, c).ravel() for k in keys))
    ]
    table = table_of(cells).dropna()
    table = table[table["ceiling"] > 0.1]
    drawn = table.assign(axis=table["axis"] / table["ceiling"], exemplar=table["exemplar"] / table["ceiling"])
    style = {"pixels": {"marker": {"color": NEUTRAL}}}
    figure = charts.points(
        drawn,
        "exemplar",
        "axis",
        "condition",
        x_title="exemplar: held-out R² / ceiling",
        y_title="axis: held-out R² / ceiling",
        style=style,
    )
    return PageFigure(
        name="models",
        title="Axis against exemplar, cell by cell",
        figure=charts.reference(figure.update_traces(marker={"size": 6, "opacity": 0.7}), diagonal=(0, 1)),
        table=table,
        published="Figure 4: the axis explains most cells better than an exemplar does, and "
        f"{printed(claims.CLAIMS, 'near-ceiling')} of what can be explained.",
        shows="Cells of the last hidden layer. Above the diagonal the axis predicts new faces better than the distance "
        "to a face. On which side do most lie?",
        claims=("axis-beats-exemplar",),
        limitations=f"All {settings['shape'] + settings['appearance']} coordinates of the exemplar are free within a "
        "bounded length; both models end in a cubic; "
        f"held-out faces in {settings['folds']} folds. Cells of reliability below 0.1 are left out. "
        "The paper's number is of real cells and real faces.",
        alt="Scatter plot: ceiling-normalized R squared of the axis model against the exemplar model, "
        "one dot per cell.",
    )


def _verdicts(results: Any, settings: dict) -> PageFigure:
    counts = results["layers"][["counts", "pixels_counts"]].sum("seed")
    places = [*((c, k) for c in CONDITIONS for k in LAYERS), ("pixels", "")]
    rows = [
        {"condition": WORDS[c], "layer": k, "verdict": verdict, "cells": int(of(counts, "counts", c, k)[j])}
        for j, verdict in enumerate(counts["verdict"].values.tolist()) for c, k in places
    ]  # fmt: skip
    table = table_of(rows)
    return PageFigure(
        name="verdicts",
        title="What each cell is called when all models compete",
        figure=charts.bars(table, ["condition", "layer"], "cells", "verdict", y_title="cells, all networks together"),
        table=table,
        shows="How many cells are called axes, how many distances, and how many can the data not decide?",
        claims=("axis-beats-exemplar",),
        limitations="Verdicts are paired over held-out faces; “undetermined” is an answer. A norm times a direction "
        "looks like an axis in a Gaussian cloud of faces.",
        alt="Stacked bars by condition and layer: number of cells by verdict.",
    )


def _eigenface(results: Any, settings: dict) -> PageFigure:
    groups = {
        **{(k, WORDS[c]): claims.cells(results, "eigenface", k, c) for c in CONDITIONS for k in LAYERS},
        ("simulated", "cells that are axes"): results["simulated"]["eigenface"],
        ("", WORDS["pixels"]): claims.cells(results, "eigenface", condition="pixels"),
    }
    table = table_of([estimate(v, name="value", layer=k, condition=c) for (k, c), v in groups.items()])
    return PageFigure(
        name="eigenface",
        title=f"{settings['shape'] + settings['appearance']} pixel components against as many of the face space",
        figure=charts.region(
            layer_chart(table, "explained variance, pixel components minus face space", 0.0),
            *stated(claims.CLAIMS, "eigenface-worse"),
        ),
        table=table,
        published="Figure 4L: cells of the anterior patch are better explained by shape-free appearance than by "
        "pixels.",
        shows="Below 0 (shaded) the face space explains the tuned cells better, as the paper reports of AM. On "
        "the right the positive control: cells simulated as axes of the face space.",
        claims=("eigenface-worse",),
        limitations="A network that sees pixels need not follow the coordinates from which faces were drawn; what "
        "holds of it need not hold of a brain.",
        alt="Dots with error bars: difference of explained variance by layer and condition, "
        "with simulated axis cells and pixels.",
    )


def _changes(data: Any) -> Any:
    """Response changes along a cell's null plane and along its axis, one row per cell."""
    kinds = {"trained": (data["null_change"], data["axis_change"])}
    kinds |= {k: tuple(data[f"control_{name}_change"].sel(control=k) for name in ("null", "axis")) for k in _CONTROLS}
    return table_of([
        {"cells": kind, "network": s, "cell": k, "null": n, "axis": a, "null_over_axis": n / a}
        for kind, (null, axis) in kinds.items()
        for s, ns, xs in zip(data["seed"].values.tolist(), null.values, axis.values)
        for k, (n, a) in enumerate(zip(ns, xs))
    ])  # fmt: skip


def _metamers(results: Any, settings: dict) -> PageFigure:
    data = results["population"]
    return PageFigure(
        name="metamers",
        title="Faces moved along a cell's null plane, and along its axis",
        figure=_rows_of_images(data["metamers"].values[0], ["faces", "null plane", "axis"]),
        table=_changes(data),
        published="Figure 5: very different faces on one null plane get the same response (the number of the "
        "figure from memory, unverified).",
        shows="Both lower rows are equally far from the upper one. An axis cell would answer the middle row as it does "
        "the upper one, though the faces differ.",
        claims=("metamers",),
        limitations="The cell of the first network whose axis explains most. The axis is estimated from noisy "
        "trials, so that some of it is left in the null plane.",
        alt="Three rows of faces: as drawn, moved along the null plane, moved along the axis.",
    )


def _null_changes(results: Any, settings: dict) -> PageFigure:
    table = _changes(results["population"])
    each = table.groupby(["cells", "network"])["null_over_axis"].median()
    means = [estimate(each[k], name="value", cells=word, series="median of 12 cells") for k, word in WORDS.items()]
    return PageFigure(
        name="null-changes",
        title="How much cells answer to their null plane",
        figure=charts.region(
            layer_chart(table_of(means), "response change, null plane / axis", 0.1, "cells", "series"),
            *stated(claims.CLAIMS, "metamers"),
            across=(-0.4, 0.4),
        ),
        table=table,
        shows="At 1 a cell would change as much along its null plane as along its axis; "
        "the claim asks for less than a tenth of trained ones (shaded).",
        claims=("metamers",),
        limitations="No noise in these responses, but the axis was estimated from noisy trials. Cells are those "
        "whose axis explains most. Root mean square over 12 faces.",
        alt="Dots with error bars: ratio of response changes for trained cells, untrained cells and pixels.",
    )


SECTIONS: tuple[Part, ...] = (
    ("The faces and the axes (figure 1)",
        "A face space of shape and shape-free appearance, from which independent Gaussians are drawn.",
        (_faces, _components, ramps, axes)),
    ("Shape and appearance (figure 2, supplement)", "Layers stand for areas.", (histogram, preference)),
    ("Reading faces (figure 3)", "Leave-one-out over all faces.",
        (_decoding, _identification, _cells_needed, _reconstructions)),
    ("Axes against exemplars (figure 4)", "Along the axis, orthogonal to it, and against a code by distances.",
        (flat_curves, _flatness, _models, _verdicts, _eigenface)),
    ("Null planes (figure 5)", "What is orthogonal is each cell's null plane, not the cells' axes to each other.",
        (_metamers, _null_changes)),
    ("Views (figure 6)", "The same latents, in front and from the side.", (views, ladder)),
    ("What it is good for (figure 7)", "Simulated cells, read by the same readers.", (readers,)),
    external_data.SECTION,
)  # fmt: skip
