"""Plates of the layers: faces, axes, ramps (figure 1), preference (2), flatness and rival models (4)."""

from typing import Any

import numpy as np

from deeptheory.core.theme import NEUTRAL, layer_colors, new_figure
from deeptheory.runs import Plate
from deeptheory.studies.chang_tsao_2017.claims import median_where, preferences
from deeptheory.studies.chang_tsao_2017.layers import CURVED, LAYERS
from deeptheory.studies.chang_tsao_2017.marks import CONDITIONS, PIXELS, curves, dots, long, row, table_of

_GRID = np.linspace(-2, 2, 17)  # standard deviations along an axis
_FULL = 8  # faces in a bin that is drawn
_EXAMPLES = 5


def stimuli(results: Any, settings: dict) -> Plate:
    """The first components of the first network's face space."""
    from deeptheory.studies.chang_tsao_2017.stimuli import world

    seed = int(results["network"]["seed"].values[0])
    space = world({**settings, "stimuli": 8}, seed).space
    return Plate(
        name="components",
        title="The first components of shape and of appearance",
        figure=space.figure(3),
        table=space.table(),
        see="Each row is one coordinate at both ends and in the middle. By construction shape moves landmarks and leaves the texture; appearance changes the texture and leaves the landmarks.",
        trust=f"Learnt from {settings['space_faces']} procedural heads under one light. Real faces correlate in ways that these do not.",
        alt="A grid of small faces: three shape and three appearance components, each at minus, zero and plus 2.5 deviations.",
    )


def shown(results: Any, settings: dict) -> Plate:
    """Faces as the network was taught, and as it is shown."""
    from deeptheory.faces import montage, picture_figure
    from deeptheory.studies.chang_tsao_2017.stimuli import crowd, world

    seed = int(results["network"]["seed"].values[0])
    few = {**settings, "people": 2, "pictures": 8, "stimuli": 16}
    drawn, (taught, _, _) = world(few, seed).images, crowd(few, seed)
    accuracy = results["network"]["accuracy"]
    series = [row(accuracy.isel(look=k).values, step=int(v)) for k, v in enumerate(accuracy["look"].values)]
    pictures = np.concatenate([taught, drawn])
    return Plate(
        name="faces",
        title="What the network is taught, and what it is shown",
        figure=picture_figure(montage(pictures, 8), None, ["one person", "another", "shown", "shown"]),
        table=table_of(series),
        see="Above: pictures of two people as the network learns them, turned a little and under any light. Below: faces drawn "
        "from the face space, frontal and under one light.",
        trust=f"Networks name {series[-1]['value']:.0%} of held-out pictures rightly at the end of training (chance "
        f"{1 / settings['people']:.1%}); the table gives it by step.",
        alt="Four rows of eight small faces: two people in eight pictures each, and sixteen drawn faces.",
    )


def axes(results: Any, settings: dict) -> Plate:
    """Spike-triggered averages of one network's cells, by preference."""
    import plotly.graph_objects as go

    data = results["layers"].isel(seed=0)
    rows, breaks = [], []
    for c, label in CONDITIONS.items():
        at = data.sel(condition=c, layer=CURVED)
        rows.append((label, at["sta"].values, at["preference"].values, at["tuned"].values))
    rows.append((PIXELS, data["pixels_sta"].values, data["pixels_preference"].values, data["pixels_tuned"].values))
    image, table = [], []
    for label, sta, preference, tuned in rows:
        order = [k for k in np.argsort(-preference) if tuned[k] == 1]
        breaks.append((len(image) + len(order) / 2, label))
        image += [sta[k] for k in order]
        table += [{"condition": label, "cell": int(k), "preference": preference[k], **{f"axis {j + 1}": v for j, v in enumerate(sta[k])}} for k in order]  # fmt: skip
    z = np.array(image)
    figure = new_figure(xaxis_title=f"coordinate ({settings['shape']} of shape, then {settings['appearance']} of appearance)", yaxis_title="tuned cells, most for shape on top")  # fmt: skip
    figure.add_trace(go.Heatmap(z=z.round(3).tolist(), x=list(range(1, z.shape[1] + 1)), colorscale="RdBu", zmin=-0.6, zmax=0.6, colorbar={"title": "axis"}))  # fmt: skip
    figure.add_vline(x=settings["shape"] + 0.5, line_width=1)
    figure.update_yaxes(autorange="reversed", tickvals=[b for b, _ in breaks], ticktext=[name for _, name in breaks])
    return Plate(
        name="axes",
        title="The axes of the cells of the last hidden layer",
        figure=figure,
        table=table_of(table),
        see="One row per cell: its spike-triggered average over the 50 coordinates, of unit length, sorted by preference for shape. Do the cells fall into two groups?",
        claims=("tuned-dimensions",),
        trust="The first network; tuned cells only. Coordinates keep their relative variances, so that the first ones of each "
        "block weigh most in any axis.",
        alt="A heat map in three blocks, trained, before training and pixels: rows are cells, columns 50 coordinates.",
    )


def ramps(results: Any, settings: dict) -> Plate:
    """Figure 1: responses of example cells along their own axes."""
    data = results["layers"].isel(seed=0)
    series = {}
    for c, label in CONDITIONS.items():
        at, one = data.sel(condition=c), data.sel(condition=c, layer=CURVED)
        best = np.argsort(-np.nan_to_num(one["r"].values, nan=-1))[: _EXAMPLES if c == "trained" else 1]
        series |= {f"cell {k}, {label}": _ramp(at, k, c) for k in best}
    best = int(np.nanargmax(data["pixels_r"].values))
    series[f"a {PIXELS.removesuffix('s')}"] = _ramp(data, best, "pixels")
    return Plate(
        name="ramps",
        title="Responses along the cell's own axis",
        figure=curves(series, "projection onto the axis (standard deviations)", "spikes a second"),
        table=long(series, "projection", "rate"),
        see="Does the response grow from one end of the cell's own axis to the other without turning back? Dashed: the most tuned cell of the same network before training, and the most tuned pixel.",
        claims=("ramp",),
        trust="The most tuned cells of the first network, chosen for that; the axis comes from the same responses. Cells with a "
        "preferred face would ramp as well: a ramp alone says nothing of the code.",
        alt="Lines: response of example cells against the projection of faces onto their axes, with controls.",
    )


def _ramp(data: Any, k: int, condition: str) -> tuple:
    before = "pixels_" if condition == "pixels" else ""
    x, y, count = (data[f"{before}ramp_{key}"].values[k] for key in ("x", "y", "count"))
    full = np.nan_to_num(count) >= _FULL
    return (x[full].round(3).tolist(), y[full].tolist(), *([] if condition == "trained" else ["dash"]))


def flat_curves(results: Any, settings: dict) -> Plate:
    """Figure 4: the mean tuned cell along its axis, and along the longest orthogonal one."""
    data = results["layers"]
    series = {}
    for c, label in (*CONDITIONS.items(), ("pixels", PIXELS)):
        for kind, words in (("ramp", "axis"), ("flat", "longest orthogonal")):
            mean = np.array([_mean_curve(data.isel(seed=k), c, kind) for k in range(data.sizes["seed"])])
            known = np.isfinite(mean).any(0)
            series[f"{words}, {label}"] = (_GRID[known].tolist(), np.nanmean(mean[:, known], axis=0).tolist(), "solid" if kind == "ramp" else "dash")  # fmt: skip
    return Plate(
        name="flat-curves",
        title="Along the axis, and along the longest axis orthogonal to it",
        figure=curves(series, "standard deviations along that axis", "response / mean response", pairs=True),
        table=long(series, "projection", "response"),
        see="The mean tuned cell of the last hidden layer. Solid: along its own axis. Dashed: along the longest axis orthogonal to it. Is the dashed line flat?",
        claims=("flat-orthogonal",),
        trust="Mean over cells, then over networks. Each orthogonal axis is turned so that the response rises along it, so that chance "
        "makes the dashed lines rise a little. One orthogonal axis of 49 says little; the shares below test all of them at once, "
        "cell by cell.",
        alt="Lines: mean response against projection, rising along the axis and level along the orthogonal axis, by condition.",
    )


def _mean_curve(data: Any, condition: str, kind: str) -> np.ndarray:
    """Mean over tuned cells of response / mean response, at _GRID; NaN where no cell was measured."""
    before = "pixels_" if condition == "pixels" else ""
    tuned = data["pixels_tuned"] if before else data["tuned"].sel(condition=condition, layer=CURVED)
    at = data if before else data.sel(condition=condition)
    rows = []
    for k in np.flatnonzero(tuned.values == 1).tolist():
        x, y = at[f"{before}{kind}_x"].values[k], at[f"{before}{kind}_y"].values[k]
        count = at[f"{before}ramp_count"].values[k] if kind == "ramp" else np.full(len(x), _FULL)
        full = (np.nan_to_num(count) >= _FULL) & np.isfinite(y)
        if full.sum() > 1:
            x = x / (1 if kind == "ramp" else _spread(x))
            if kind == "flat" and np.corrcoef(x, y)[0, 1] < 0:  # an axis has no sign of its own: each is turned to rise
                x, y = -x[::-1], y[::-1]
            rows.append(np.interp(_GRID, x[full], y[full], left=np.nan, right=np.nan) / _rate(at, before, k))
    if not rows:
        return np.full(len(_GRID), np.nan)
    rows, known = np.array(rows), np.isfinite(rows)
    mean = np.where(known, rows, 0).sum(0) / np.maximum(known.sum(0), 1)
    return np.where(known.sum(0) >= max(1, len(rows) // 4), mean, np.nan)


def _spread(x: np.ndarray) -> float:
    return float(np.sqrt((x**2).mean()))  # tenths of the faces: equal weights


def _rate(at: Any, before: str, k: int) -> float:
    y, count = at[f"{before}ramp_y"].values[k], np.nan_to_num(at[f"{before}ramp_count"].values[k])
    return float((np.nan_to_num(y) * count).sum() / count.sum())


def histogram(results: Any, settings: dict) -> Plate:
    """Figure 2: the preference index of tuned cells in the middle and in the last layer."""
    import plotly.graph_objects as go

    data, edges = results["layers"], np.linspace(-1, 1, 21)
    figure = new_figure(xaxis_title="shape preference index", yaxis_title="share of tuned cells", barmode="overlay")
    kinds = [(f"{layer}, {label}", data["preference"].sel(condition=c, layer=layer), data["tuned"].sel(condition=c, layer=layer)) for c, label in CONDITIONS.items() for layer in (LAYERS[2], CURVED)]  # fmt: skip
    kinds.append((PIXELS, data["pixels_preference"], data["pixels_tuned"]))
    rows = []
    for (name, value, tuned), color in zip(kinds, [*layer_colors(4), NEUTRAL]):
        found = value.values[tuned.values == 1]
        share = np.histogram(found, edges)[0] / max(len(found), 1)
        rows += [{"series": name, "low": a, "high": b, "share": s, "cells": len(found)} for a, b, s in zip(edges[:-1], edges[1:], share)]  # fmt: skip
        middle = ((edges[1:] + edges[:-1]) / 2).round(4).tolist()
        dash = "solid" if name.endswith(" trained") else "dash"
        figure.add_trace(go.Scatter(x=middle, y=share.round(4).tolist(), name=name, mode="lines", line={"color": color, "shape": "hvh", "dash": dash}))  # fmt: skip
    figure.add_vline(x=0, line_dash="dot", line_width=1)
    return Plate(
        name="preference-histogram",
        title="Shape or appearance? The cells of two areas",
        figure=figure,
        table=table_of(rows),
        see="To the right cells prefer shape, to the left appearance. The paper reports its middle area on the right, its anterior area on the left; here the third convolution and the embedding are compared.",
        claims=("late-layers-appearance", "early-layers-shape"),
        trust="Tuned cells of all networks together. A cell that is tuned to a few coordinates only is pulled towards 0 by noise "
        "in all the others.",
        alt="Histograms as outlines: shape preference index of tuned cells in two layers, trained and untrained, and of pixels.",
    )


def preference(results: Any, settings: dict) -> Plate:
    """Median preference by layer."""
    data = results["layers"]
    rows = [row(preferences(results, c)[:, k], layer=name, condition=label) for c, label in CONDITIONS.items() for k, name in enumerate(LAYERS)]  # fmt: skip
    alone = median_where(data["pixels_preference"].values, data["pixels_tuned"].values == 1)
    table = table_of([*rows, row(alone, layer="", condition=PIXELS)])
    return Plate(
        name="preference",
        title="Preference of the cells, layer by layer",
        figure=dots(table, "layer", "condition", "shape preference (median over cells)", "layer", 0.0),
        table=table,
        see="Above 0 a layer's cells follow shape, below 0 appearance. Do the trained dots fall from left to right, and those before training not?",
        claims=("late-layers-appearance", "untrained-control/late-layers-appearance"),
        trust="Means with 95 % intervals over networks. The index depends on how coordinates are scaled: here each block has the "
        "same total variance, as in the released analysis.",
        alt="Dots with error bars: median shape preference by layer, trained, before training, and of pixels.",
    )


def flatness(results: Any, settings: dict) -> Plate:
    """Shares of flat cells, and of cells whose axis beats an exemplar."""
    data = results["layers"]
    rows = []
    for c, label in CONDITIONS.items():
        for name in LAYERS:
            at = data.sel(condition=c, layer=name)
            share, beats = _shares(*(at[key].values for key in ("flat", "tuned", "axis", "exemplar")))
            rows += [row(share, layer=name, series=f"flat, {label}"), row(beats, layer=name, series=f"axis beats exemplar, {label}")]  # fmt: skip
    share, beats = _shares(*(data[f"pixels_{key}"].values for key in ("flat", "tuned", "axis", "exemplar")))
    rows += [
        row(share, layer=PIXELS, series="flat, pixels"),
        row(beats, layer=PIXELS, series="axis beats exemplar, pixels"),
    ]
    table = table_of(rows)
    return Plate(
        name="flatness",
        title="Are cells flat orthogonal to their axis, and does an axis explain them better than a distance?",
        figure=dots(table, "layer", "series", "share of cells", "layer", 0.5),
        table=table,
        see="The paper reports both fractions near 1 of its cells. How do they compare with the same network before training, and with pixels on the right?",
        claims=(
            "flat-orthogonal",
            "axis-beats-exemplar",
            "untrained-control/flat-orthogonal",
            "untrained-control/axis-beats-exemplar",
        ),
        trust="“Flat” means: nothing found in the whole orthogonal space where an effect of a tenth of the axis's would have been, or "
        "less than a twentieth of it. The exemplar is bounded: without a bound it becomes an axis, and nothing tells them apart.",
        alt="Dots with error bars: share of flat cells and share better explained by an axis, by layer and condition.",
    )


def _shares(
    flat: np.ndarray, tuned: np.ndarray, axis: np.ndarray, exemplar: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(axis)
    return np.nansum(flat * (tuned == 1), axis=1) / np.maximum((tuned == 1).sum(1), 1), ((axis > exemplar) & known).sum(1) / known.sum(1)  # fmt: skip


def models(results: Any, settings: dict) -> Plate:
    """Figure 4: held-out R2 of the axis against that of the exemplar, cell by cell."""
    import plotly.graph_objects as go

    data = results["layers"]
    kinds = [(label, *(data[k].sel(condition=c, layer=CURVED) for k in ("axis", "exemplar", "ceiling"))) for c, label in CONDITIONS.items()]  # fmt: skip
    kinds.append((PIXELS, *(data[f"pixels_{k}"] for k in ("axis", "exemplar", "ceiling"))))
    figure = new_figure(xaxis_title="exemplar: held-out R² / ceiling", yaxis_title="axis: held-out R² / ceiling")
    rows = []
    for (name, axis, exemplar, ceiling), color in zip(kinds, [*layer_colors(2), NEUTRAL]):
        a, e, c = (v.values.ravel() for v in (axis, exemplar, ceiling))
        keep = np.isfinite(a) & np.isfinite(e) & (c > 0.1)
        x, y = (e[keep] / c[keep]).round(3), (a[keep] / c[keep]).round(3)
        rows += [
            {"condition": name, "axis": p, "exemplar": q, "ceiling": r} for p, q, r in zip(a[keep], e[keep], c[keep])
        ]
        figure.add_trace(go.Scatter(x=x.tolist(), y=y.tolist(), mode="markers", name=name, marker={"color": color, "size": 6, "opacity": 0.7}))  # fmt: skip
    figure.add_trace(
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines", showlegend=False, line={"color": NEUTRAL, "dash": "dot"})
    )
    return Plate(
        name="models",
        title="Axis against exemplar, cell by cell",
        figure=figure,
        table=table_of(rows),
        see="Cells of the last hidden layer. Above the diagonal the axis predicts new faces better than the distance to a face. On which side do most lie?",
        claims=("axis-beats-exemplar",),
        trust="All 50 coordinates of the exemplar are free within a bounded length; both models end in a cubic; ten-fold or "
        "five-fold held-out faces. Cells of reliability below 0.1 are left out. The paper's 57 % of the explainable variance "
        "(unverified: from memory) is of real cells and real faces.",
        alt="Scatter plot: ceiling-normalised R squared of the axis model against the exemplar model, one dot a cell.",
    )


def verdicts(results: Any, settings: dict) -> Plate:
    """Counts of verdicts by layer and condition."""
    import plotly.graph_objects as go

    data = results["layers"]
    counts, pixels = data["counts"].sum("seed"), data["pixels_counts"].sum("seed")
    figure = new_figure(barmode="stack", yaxis_title="cells, all networks together")
    places = [(label, name) for label in CONDITIONS.values() for name in LAYERS] + [(PIXELS, "")]
    names = counts["verdict"].values.tolist()
    rows = []
    for name, color in zip(names, layer_colors(len(names))):
        values = [*counts.sel(verdict=name).values.ravel().tolist(), int(pixels.sel(verdict=name))]
        rows += [{"condition": c, "layer": layer, "verdict": name, "cells": v} for (c, layer), v in zip(places, values)]
        x = [[c for c, _ in places], [layer for _, layer in places]]
        figure.add_trace(go.Bar(x=x, y=values, name=name, marker_color=color))
    return Plate(
        name="verdicts",
        title="What each cell is called when all models compete",
        figure=figure,
        table=table_of(rows),
        see="How many cells are called axes, how many distances, and how many can the data not decide?",
        claims=("axis-beats-exemplar",),
        trust="Verdicts are paired over held-out faces; “undetermined” is an answer. A norm times a direction looks like an axis in a "
        "Gaussian cloud of faces.",
        alt="Stacked bars by condition and layer: number of cells by verdict.",
    )


def eigenface(results: Any, settings: dict) -> Plate:
    """Figure 4L: pixel components against the face space."""
    data, control = results["layers"], results["simulated"]["eigenface"]
    rows = [row(data["eigenface"].sel(condition=c, layer=name).values, layer=name, condition=label) for c, label in CONDITIONS.items() for name in LAYERS]  # fmt: skip
    rows.append(row(control.values, layer="simulated", condition="cells that are axes"))
    table = table_of([*rows, row(data["pixels_eigenface"].values, layer="", condition=PIXELS)])
    return Plate(
        name="eigenface",
        title="Fifty pixel components against the fifty of the face space",
        figure=dots(table, "layer", "condition", "explained variance, pixel components minus face space", "layer", 0.0),
        table=table,
        see="Below 0 the face space explains the tuned cells better, as the paper reports of AM. On the right the positive control: cells simulated as axes of the face space.",
        claims=("eigenface-worse",),
        trust="A network that sees pixels need not follow the coordinates from which faces were drawn; what holds of it need not "
        "hold of a brain.",
        alt="Dots with error bars: difference of explained variance by layer and condition, with simulated axis cells and pixels.",
    )
