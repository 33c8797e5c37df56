"""The figures of single cells, of views, and of readers of simulated cells."""

from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.theme import NEUTRAL, new_figure, series_colors
from deeptheory.report import charts
from deeptheory.runs import PageFigure
from deeptheory.studies.chang_tsao_2017 import claims
from deeptheory.studies.chang_tsao_2017.layers import (
    CONDITIONS,
    LAST,
    LAYERS,
    MIDDLE,
    WORDS,
    layer_chart,
    line_chart,
    of,
)
from deeptheory.studies.paper import printed, stated
from deeptheory.studies.tables import estimate, table_of

_GRID = np.linspace(-2, 2, 17)  # standard deviations along an axis
_FULL = 8  # faces in a bin that is drawn
_EXAMPLES = 5
_RELATIVE = "Coordinates keep their relative variances, so that the first ones of each block weigh most in any axis."
_WEIGHED = {  # what the setting `normalize` does to axes, and to the index
    "block": (_RELATIVE, "each block has the same total variance, as in the released analysis"),
    "dim": ("Every coordinate has the same variance.", "every coordinate has the same variance"),
    "none": (_RELATIVE, "they are as the face space has them"),
}


def ramps(results: Any, settings: dict) -> PageFigure:
    """Responses of the most tuned cells along their own axes."""
    data, series = results["layers"].isel(seed=0), {}
    for condition, shown in (("trained", _EXAMPLES), ("untrained", 1), ("pixels", 1)):
        x, y, count, r = (of(data, key, condition) for key in ("ramp_x", "ramp_y", "ramp_count", "r"))
        for k in np.argsort(-np.nan_to_num(r, nan=-1))[:shown]:
            full = np.nan_to_num(count[k]) >= _FULL
            name = "a pixel" if condition == "pixels" else f"cell {k}, {WORDS[condition]}"
            series[name] = (x[k][full].round(3), y[k][full], "solid" if condition == "trained" else "dash")
    figure, table = line_chart(
        series, "projection", "rate", "projection onto the axis (standard deviations)", "spikes a second"
    )
    return PageFigure(
        name="ramps",
        title="Responses along the cell's own axis",
        figure=figure,
        table=table,
        published="Figure 1: a cell of the macaque whose response ramps up along its axis over 2,000 drawn faces; 205 "
        "cells were recorded, 106 in the middle patches and 99 in the anterior one.",
        shows="Does the response grow from one end of the cell's own axis to the other without turning back? Dashed: "
        "the most tuned cell of the same network before training, and the most tuned pixel.",
        claims=("ramp",),
        limitations="The most tuned cells of the first network, chosen for that; the axis comes from the same "
        "responses. Cells with a preferred face would ramp as well: a ramp alone says nothing of the code.",
        alt="Lines: response of example cells against the projection of faces onto their axes, with controls.",
    )


def axes(results: Any, settings: dict) -> PageFigure:
    """Axes of the tuned cells of the last hidden layer, as a heat map."""
    import plotly.graph_objects as go

    data, rows = results["layers"].isel(seed=0), []
    for condition, word in WORDS.items():
        axes, preference, tuned = (of(data, key, condition) for key in ("sta", "preference", "tuned"))
        rows += [
            {
                "condition": word,
                "cell": int(k),
                "preference": preference[k],
                **{f"axis {j + 1}": v for j, v in enumerate(axes[k])},
            }
            for k in np.argsort(-preference)
            if tuned[k] == 1
        ]
    if not rows:
        raise InputError("no cell of the first network is tuned")
    table = table_of(rows)
    z = table.filter(like="axis ")
    figure = new_figure(
        xaxis_title=f"coordinate ({settings['shape']} of shape, then {settings['appearance']} of appearance)",
        yaxis_title="tuned cells, most for shape on top",
    )
    figure.add_trace(
        go.Heatmap(
            z=z.to_numpy().round(3).tolist(),
            x=list(range(1, z.shape[1] + 1)),
            colorscale="RdBu",
            zmin=-0.6,
            zmax=0.6,
            colorbar={"title": "axis"},
        )
    )
    middle = table.reset_index().groupby("condition", sort=False)["index"].mean() + 0.5
    figure.add_vline(x=settings["shape"] + 0.5, line_width=1)
    figure.update_yaxes(autorange="reversed", tickvals=middle.tolist(), ticktext=middle.index.tolist())
    return PageFigure(
        name="axes",
        title="The axes of the cells of the last hidden layer",
        figure=figure,
        table=table,
        published=f"A cell is tuned to about {printed(claims.CLAIMS, 'tuned-dimensions')} of the 50 dimensions.",
        shows=f"One row per cell: its spike-triggered average over the {z.shape[1]} coordinates, of unit length, "
        "sorted by "
        "preference for shape. Do the cells fall into two groups?",
        claims=("tuned-dimensions",),
        limitations=f"The first network; tuned cells only. {_WEIGHED[settings['normalize']][0]}",
        alt=f"A heat map by condition ({', '.join(middle.index)}): rows are cells, columns {z.shape[1]} coordinates.",
    )


def histogram(results: Any, settings: dict) -> PageFigure:
    """Preference for shape of the cells of two layers."""
    data, edges = results["layers"], np.linspace(-1, 1, 21)
    kinds = {f"{layer}, {WORDS[c]}": (c, layer) for c in CONDITIONS for layer in (MIDDLE, LAST)} | {
        "pixels": ("pixels", "")
    }
    rows = []
    for name, place in kinds.items():
        found = of(data, "preference", *place)[of(data, "tuned", *place) == 1]
        shares = np.histogram(found, edges)[0] / (len(found) or np.nan)  # of no cell there is no line
        rows += [
            {"series": name, "low": a, "high": b, "share": s, "cells": len(found)}
            for a, b, s in zip(edges[:-1], edges[1:], shares)
        ]
    table = table_of(rows)
    style = {
        name: {"line": {"shape": "hvh", "dash": "solid" if c == "trained" else "dash", "color": color}}
        for (name, (c, _)), color in zip(kinds.items(), [*series_colors(4), NEUTRAL])
    }
    drawn = table.assign(middle=(table["low"] + table["high"]) / 2).drop(columns=["low", "high"])  # bins, no intervals
    figure = charts.lines(
        drawn,
        "middle",
        "share",
        "series",
        x_title="shape preference index",
        y_title="share of tuned cells",
        style=style,
    )
    return PageFigure(
        name="preference-histogram",
        title="Shape or appearance? The cells of two areas",
        figure=charts.reference(figure, upright=0),
        table=table,
        published="Figure 2: cells of the middle patches lie to the right (shape), those of the anterior one to the "
        "left (appearance).",
        shows="To the right cells prefer shape, to the left appearance. The paper reports its middle area on the "
        "right, its anterior area on the left; here the third convolution and the embedding are compared.",
        claims=("late-layers-appearance", "early-layers-shape"),
        limitations="Tuned cells of all networks together. A cell that is tuned to a few coordinates only is pulled "
        "towards 0 by noise in all the others.",
        alt="Histograms as outlines: shape preference index of tuned cells in two layers, trained and untrained, "
        "and of pixels.",
    )


def preference(results: Any, settings: dict) -> PageFigure:
    """Median preference of each layer, trained, before training, and of pixels."""
    rows = [
        estimate(v, name="value", layer=k, condition=WORDS[c])
        for c in CONDITIONS
        for k, v in zip(LAYERS, claims.preferences(results, c).T)
    ]
    alone = estimate(claims.preferences(results, "pixels"), name="value", layer="", condition=WORDS["pixels"])
    table = table_of([*rows, alone])
    figure = layer_chart(table, "shape preference (median over cells)", 0.0)
    return PageFigure(
        name="preference",
        title="Preference of the cells, layer by layer",
        figure=charts.region(figure, *stated(claims.CLAIMS, "early-layers-shape"), across=(-0.4, 0.4)),
        table=table,
        published="Supplement: in a network trained on 2,622 people (from memory, unverified) later layers turn to "
        "appearance.",
        shows="Above 0 a layer's cells follow shape, below 0 appearance. Do the trained dots fall from left to right, "
        "and those before training not? Shaded: where the first layer has to lie.",
        claims=("late-layers-appearance", "early-layers-shape", "untrained-control/late-layers-appearance"),
        limitations="Means with 95 % intervals over networks. The index depends on how coordinates are scaled: here "
        f"{_WEIGHED[settings['normalize']][1]}.",
        alt="Dots with error bars: median shape preference by layer, trained, before training, and of pixels.",
    )


def flat_curves(results: Any, settings: dict) -> PageFigure:
    """Mean response along the axis, and along the longest axis orthogonal to it."""
    data, series = results["layers"], {}
    for condition, word in WORDS.items():
        for kind, words, dash in (("ramp", "axis", "solid"), ("flat", "longest orthogonal", "dash")):
            mean = np.array([_mean_curve(data.isel(seed=k), condition, kind) for k in range(data.sizes["seed"])])
            known = np.isfinite(mean).any(0)
            series[f"{words}, {word}"] = (_GRID[known], np.nanmean(mean[:, known], axis=0), dash)
    figure, table = line_chart(
        series, "projection", "response", "standard deviations along that axis", "response / mean response", paired=True
    )
    return PageFigure(
        name="flat-curves",
        title="Along the axis, and along the longest axis orthogonal to it",
        figure=figure,
        table=table,
        published="Figure 4: the responses of single cells and of their population ramp up along the axis and are flat "
        "along the longest axis orthogonal to it, in sparse cells, too (protocol from memory, unverified).",
        shows="The mean tuned cell of the last hidden layer. Solid: along its own axis. Dashed: along the longest axis "
        "orthogonal to it. Is the dashed line flat?",
        claims=("flat-orthogonal",),
        limitations="Mean over cells, then over networks. Each orthogonal axis is turned so that the response rises "
        "along "
        "it, so that chance makes the dashed lines rise a little. One orthogonal axis of "
        f"{settings['shape'] + settings['appearance'] - 1} says little; the shares below test all of them at once, "
        "cell by cell.",
        alt="Lines: mean response against projection, rising along the axis and level along the orthogonal axis, "
        "by condition.",
    )


def _mean_curve(data: Any, condition: str, kind: str) -> np.ndarray:
    """Mean over tuned cells of response / mean response, at _GRID; NaN where no cell was measured."""
    names = ("tuned", "ramp_y", "ramp_count", f"{kind}_x", f"{kind}_y")
    tuned, ramp, count, along, response = (of(data, key, condition) for key in names)
    rows = [np.full(len(_GRID), np.nan)]
    for k in np.flatnonzero(tuned == 1):
        x, y, faces = along[k], response[k], np.nan_to_num(count[k])
        full = np.isfinite(y) & (faces >= _FULL if kind == "ramp" else True)
        if full.sum() < 2:
            continue
        if kind == "flat":  # in standard deviations: tenths of the faces, of equal weight
            x = x / np.sqrt((x**2).mean())
            if np.corrcoef(x, y)[0, 1] < 0:  # an axis has no sign of its own: each is turned to rise
                x, y = -x[::-1], y[::-1]
        rate = (np.nan_to_num(ramp[k]) * faces).sum() / faces.sum()
        rows.append(np.interp(_GRID, x[full], y[full], left=np.nan, right=np.nan) / rate)
    known = np.isfinite(rows).sum(0)
    return np.where(known >= max(1, (len(rows) - 1) // 4), np.nansum(rows, 0) / np.maximum(known, 1), np.nan)


def views(results: Any, settings: dict) -> PageFigure | None:
    """Cosines of appearance axes, frontal and turned; None where faces from the side were not shown."""
    if "view_cosine" not in results["views"]:
        return None
    table = table_of(
        [
            estimate(claims.view_cosine(results, c), name="value", cells=WORDS[c], series="median over cells")
            for c in CONDITIONS
        ]
    )
    figure = layer_chart(table, "cosine of the appearance axes, frontal and 60°", 0.5, "cells", "series")
    return PageFigure(
        name="views",
        title="Is the appearance axis the same for faces from the side?",
        figure=charts.region(figure, *stated(claims.CLAIMS, "view-transfer"), across=(-0.4, 0.4)),
        table=table,
        published="Figure 6: one appearance axis explains a cell of the anterior patch in front and in profile (from "
        "memory, unverified).",
        shows="At 1 a cell asks for the same appearance in front and from the side, at 0 for something unrelated. "
        "Shaded: where trained cells have to lie.",
        claims=("view-transfer",),
        limitations="Latents of the procedural heads, so that shape and appearance are the same numbers in both "
        "views. The "
        "networks were taught faces turned by up to six degrees, never faces from the side. Pixels are left out: one "
        "pixel does not show the same part of a turned face.",
        alt="Dots with error bars: median cosine between axes for frontal and turned faces, "
        "trained and before training.",
    )


def ladder(results: Any, settings: dict) -> PageFigure | None:
    """Similarity across views by layer; None where they were not shown."""
    data = results["views"]
    if "invariance" not in data:
        return None
    kinds = {"invariance": "same person, another view", "mirror": "another person, the mirrored view"}
    places = [(key, c, k) for key in kinds for c in CONDITIONS for k in LAYERS] + [
        (key, "pixels", "pixels") for key in kinds
    ]
    table = table_of(
        [
            estimate(of(data, key, c, k), name="value", layer=k, series=f"{kinds[key]}, {WORDS[c]}")
            for key, c, k in places
        ]
    )
    return PageFigure(
        name="ladder",
        title="Who is known from view to view?",
        figure=layer_chart(table, "similarity above that of others", 0.0, series="series"),
        table=table,
        shows="25 people in 8 views from side to side. “Same person, another view”: how much more alike the answers to "
        "one person are across views than to two. “Mirrored view”: how much more alike answers to two people in "
        "mirrored views are than in other pairs of views. The paper's group reports the first to grow towards AM, and "
        "the second to stand out in AL.",
        limitations=f"Correlations over up to {settings['cells']} units of a layer, no noise. "
        "The networks were taught faces turned by six degrees at most.",
        alt="Dots with error bars by layer: similarity of one person across views, and of mirrored views, "
        "with controls.",
    )  # fmt: skip


def readers(results: Any, settings: dict) -> PageFigure:
    """Accuracy of readers of simulated cells, by number of cells and code."""
    data = results["simulated"]["accuracy"].mean("seed")
    words = {
        "identity": f"identity among {settings['candidates']}",
        "two": "which of two",
        "attribute": "an attribute",
        "nuisance": "identity, half of the coordinates a nuisance",
    }
    kinds = {"axis": ("axis", "solid"), "exemplar": ("distance", "dash")}
    series = {
        f"{words[r]}, {kinds[c][0]}": (data["size"].values.tolist(), data.sel(reader=r, code=c).values, kinds[c][1])
        for r in data["reader"].values.tolist()
        for c in data["code"].values.tolist()
    }
    figure, table = line_chart(series, "cells", "right", "number of cells", "right", paired=True, log="x")
    return PageFigure(
        name="readers",
        title="What a code by axes is good for",
        figure=figure,
        table=table,
        published="Figure 7, simulated: cells that code by axes need be fewer than cells that code by distances, and "
        "serve more readers (details from memory, unverified).",
        shows="Solid: cells that are axes; dashed: cells that answer the distance to a face; the same decoders, noise "
        "and numbers. Which line is higher at equal numbers?",
        claims=("axis-metric-efficient",),
        limitations="Pure simulation: softplus of either, reliability 0.5, exemplars at half to one and a half of "
        "the usual distance. How large the advantage is depends on all three.",
        alt="Lines against the number of cells: accuracy of four readers from axis cells and from distance cells.",
    )
