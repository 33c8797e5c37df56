"""The page: which figures, what to see in them, and how far to trust them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from deeptheory.faces import montage, picture_figure
from deeptheory.runs import NotDone, Page, Plate, Sample, Section
from deeptheory.runs.intervals import interval
from deeptheory.studies.chang_tsao_2017.claims import median_where, preferences
from deeptheory.studies.chang_tsao_2017.layers import LAYERS
from deeptheory.theme import layer_colours, new_figure

_CONDITIONS = {"trained": "trained", "untrained": "before training"}


def page(results: Any, ledger: Any, settings: dict, scale: str, changed: dict) -> Page:
    """The page of a run; figures whose step was not done are left out."""
    notices = ["The faces are procedural (58 landmarks of their own, not the paper's 58 on photographs), and the cells are units of networks."]  # fmt: skip
    if changed:
        turned = ", ".join(f"{k} = {v}" for k, v in changed.items())
        notices.append(f"Not the published settings: {turned}. No published claim is decided.")
    sections = []
    for title, text, makers in _SECTIONS:
        plates = []
        for make in makers:
            try:
                plate = make(results, settings)
            except NotDone as missing:
                notices.append(f"A figure is missing: {missing}.")
                continue
            if plate is not None:
                plates.append(plate)
        sections.append(Section(title=title, text=text, plates=tuple(plates)))
    return Page(
        title="The code for facial identity, asked of networks",
        lead=_lead(settings, scale),
        sections=tuple(sections),
        notices=tuple(dict.fromkeys(notices)),
    )


def _lead(settings: dict, scale: str) -> str:
    return (
        f"{settings['networks']} networks, each trained to tell {settings['people']} people of its own apart "
        f"({settings['steps']} steps), are shown {settings['stimuli']} faces drawn from a face space of {settings['shape']} shape "
        f"and {settings['appearance']} appearance coordinates. Up to {settings['cells']} units a layer are recorded like cells: "
        f"{settings['rate']:g} spikes a second on average, counted in {1000 * settings['window']:g} ms, {settings['trials']} "
        f"trials a face. Scale “{scale}”. The same network before training and plain pixels stand beside."
    )


def _table(rows: list[dict]) -> Any:
    import pandas as pd

    return pd.DataFrame(rows)


def _row(values: Any, statistic: str = "mean", **named: Any) -> dict:
    got = interval(Sample(np.asarray(values), statistic))
    return named | {"value": got.value, "low": got.low, "high": got.high, "networks": got.seeds}


def _dots(table: Any, x: str, series: str, y_title: str, x_title: str, line: float | None = None) -> Any:
    """Means with their intervals, one colour a series, series beside each other."""
    import plotly.graph_objects as go

    figure = new_figure(xaxis_title=x_title, yaxis_title=y_title)
    names, places = list(dict.fromkeys(table[series])), list(dict.fromkeys(table[x]))
    for k, (name, colour) in enumerate(zip(names, layer_colours(len(names)))):
        part = table[table[series] == name]
        at = [places.index(v) + 0.12 * (k - (len(names) - 1) / 2) for v in part[x]]
        error = {"type": "data", "symmetric": False, "thickness": 1.5, "array": (part["high"] - part["value"]).round(4).tolist(), "arrayminus": (part["value"] - part["low"]).round(4).tolist()}  # fmt: skip
        marks = {"x": at, "y": part["value"].round(4).tolist(), "error_y": error, "name": str(name)}
        figure.add_trace(go.Scatter(**marks, mode="markers", marker={"color": colour, "size": 9}))
    if line is not None:
        figure.add_hline(y=line, line_dash="dot", line_width=1)
    figure.update_xaxes(tickvals=list(range(len(places))), ticktext=[str(p) for p in places])
    return figure


def _stimuli(results: Any, settings: dict) -> Plate:
    from deeptheory.studies.chang_tsao_2017.stimuli import world

    results["network"]
    seed = int(results["network"]["seed"].values[0])
    space = world({**settings, "stimuli": 8}, seed).space
    figure = space.figure(3)
    return Plate(
        name="components",
        title="The first components of shape and of appearance",
        figure=figure,
        table=space.table(),
        see="Each row is one coordinate at both ends and in the middle. Shape moves landmarks and leaves the texture; appearance "
        "changes the texture and leaves the landmarks where they are.",
        trust="Learnt from 200 procedural heads under one light. Real faces correlate in ways that these do not.",
        alt="A grid of small faces: three shape and three appearance components, each at minus, zero and plus 2.5 deviations.",
    )


def _preference(results: Any, settings: dict) -> Plate:
    data = results["layers"]
    rows = [_row(preferences(results, c)[:, k], layer=name, condition=label) for c, label in _CONDITIONS.items() for k, name in enumerate(LAYERS)]  # fmt: skip
    alone = median_where(data["pixels_preference"].values, data["pixels_tuned"].values == 1)
    rows += [_row(alone, layer=name, condition="pixels") for name in LAYERS[:1]]
    table = _table(rows)
    return Plate(
        name="preference",
        title="Shape or appearance? Preference of the cells, layer by layer",
        figure=_dots(table, "layer", "condition", "shape preference (median over cells)", "layer", 0.0),
        table=table,
        see="Above 0 a layer's cells follow shape, below 0 appearance. If training turns a network from shape to appearance, the "
        "trained dots fall from left to right and those before training do not.",
        trust="Means with 95 % intervals over networks. The index depends on how coordinates are scaled: here each block has the "
        "same total variance, as in the released analysis.",
        alt="Dots with error bars: median shape preference by layer, trained, before training, and of pixels.",
    )


def _flatness(results: Any, settings: dict) -> Plate:
    data = results["layers"]
    rows = []
    for c, label in _CONDITIONS.items():
        for name in LAYERS:
            at = data.sel(condition=c, layer=name)
            tuned = at["tuned"].values == 1
            share = np.nansum(at["flat"].values * tuned, axis=1) / np.maximum(tuned.sum(1), 1)
            beats = ((at["axis"] > at["exemplar"]).values & np.isfinite(at["axis"].values)).sum(1) / np.isfinite(
                at["axis"].values
            ).sum(1)
            rows += [
                _row(share, layer=name, condition=label, quantity="flat"),
                _row(beats, layer=name, condition=label, quantity="axis beats exemplar"),
            ]
    table = _table(rows).assign(series=lambda t: t["quantity"] + ", " + t["condition"])
    return Plate(
        name="flatness",
        title="Are cells flat orthogonal to their axis, and does an axis explain them better than a distance?",
        figure=_dots(table, "layer", "series", "share of cells", "layer", 0.5),
        table=table,
        see="Both shares near 1 is what the paper reports of cells. Compare each with the same network before training.",
        trust="“Flat” means: nothing found in the whole orthogonal space where an effect of a tenth of the axis's would have been, or "
        "less than a twentieth of it. The exemplar is bounded: without a bound it becomes an axis, and nothing tells them apart.",
        alt="Dots with error bars: share of flat cells and share better explained by an axis, by layer and condition.",
    )


def _verdicts(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data = results["layers"]["counts"].sum("seed")
    table = data.to_dataframe(name="cells").reset_index()
    figure = new_figure(barmode="stack", xaxis_title="layer", yaxis_title="cells, all networks together")
    names = data["verdict"].values.tolist()
    for name, colour in zip(names, layer_colours(len(names))):
        part = data.sel(verdict=name, condition="trained").values.tolist()
        figure.add_trace(go.Bar(x=LAYERS, y=part, name=name, marker_color=colour))
    return Plate(
        name="verdicts",
        title="What each trained cell is called when all models compete",
        figure=figure,
        table=table,
        see="How many cells are axes, how many distances, and how many the data cannot decide.",
        trust="Verdicts are paired over held-out faces; “cannot tell” is an answer. A norm times a direction looks like an axis in a "
        "Gaussian cloud of faces.",
        alt="Stacked bars by layer: number of cells by verdict.",
    )


def _decoding(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    mean = results["population"]["explained"].mean("seed")
    table = results["population"]["explained"].to_dataframe().reset_index()
    figure = new_figure(
        xaxis_title="coordinate (25 of shape, then 25 of appearance)", yaxis_title="explained variance, leave-one-out"
    )
    names = mean["area"].values.tolist()
    for name, colour in zip(names, layer_colours(len(names))):
        y = mean.sel(area=name).values.round(4).tolist()
        figure.add_trace(
            go.Scatter(x=list(range(1, len(y) + 1)), y=y, name=name, mode="lines+markers", line_color=colour)
        )
    return Plate(
        name="decoding",
        title="Which coordinates can be read from the cells",
        figure=figure,
        table=table,
        see="Middle layer and embedding together against each alone, and whether later components are read less well.",
        trust="Mean over networks of leave-one-out least squares; negative where a coordinate cannot be read. “Combined” has twice as "
        "many cells, as in the paper.",
        alt="Lines: explained variance against the number of the coordinate, for the middle, the anterior and both areas.",
    )


def _identification(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data, codes = results["population"], results["simulated"]["by_size"].mean("seed")
    figure = new_figure(xaxis_title="number of cells", yaxis_title=f"identified among {settings['candidates']}")
    figure.update_xaxes(type="log")
    rows = []
    network = data["by_size"].mean("seed")
    series = {
        "network, all layers": network,
        **{f"simulated, {c} code": codes.sel(code=c) for c in codes["code"].values.tolist()},
    }
    for (name, line), colour in zip(series.items(), layer_colours(len(series))):
        x, y = line["size"].values.tolist(), line.values.round(4).tolist()
        rows += [{"series": name, "cells": a, "identified": b} for a, b in zip(x, y)]
        figure.add_trace(go.Scatter(x=x, y=y, name=name, mode="lines+markers", line_color=colour))
    figure.add_hline(y=1 / settings["candidates"], line_dash="dot", line_width=1)
    return Plate(
        name="identification",
        title="How many cells it takes to know a face",
        figure=figure,
        table=_table(rows),
        see="One cell says little; the population says nearly all. A code by axes should need fewer cells than one by distances.",
        trust="Mean over networks. A distance code identifies as well, with more cells: identification alone does not tell codes "
        "apart.",
        alt="Curves against a logarithmic number of cells: share identified by the network's cells and by two simulated codes.",
    )


def _reconstructions(results: Any, settings: dict) -> Plate:
    data = results["population"]
    pictures = data["reconstructed"].values[0]
    return Plate(
        name="reconstructions",
        title="Faces shown, and faces rebuilt from what the cells say",
        figure=picture_figure(
            montage(pictures.reshape(-1, *pictures.shape[2:]), pictures.shape[1]), None, ["shown", "rebuilt"]
        ),
        table=_table([_row(data["reconstruction"].values, quantity="decoded to true / decoded to nearest stranger")]),
        see="Is the lower face the upper one? Large differences first: outline, brows, skin.",
        trust="The first eight faces of the first network, not chosen. Coordinates that cannot be read shrink to the mean, so rebuilt "
        "faces are more alike than those shown.",
        alt="Two rows of faces: above those shown, below those rebuilt from the activity of 200 cells.",
    )


def _metamers(results: Any, settings: dict) -> Plate:
    data = results["population"]
    pictures = data["metamers"].values[0]
    ratio = data["null_change"].values / data["axis_change"].values
    return Plate(
        name="metamers",
        title="Faces moved along a cell's null plane, and along its axis",
        figure=picture_figure(
            montage(pictures.reshape(-1, *pictures.shape[2:]), pictures.shape[1]), None, ["faces", "null plane", "axis"]
        ),
        table=_table(
            [
                {"network": int(s), "cell": k, "null_over_axis": v}
                for s, row in zip(data["seed"].values, ratio)
                for k, v in enumerate(row)
            ]
        ),
        see="Both lower rows are equally far from the upper one. If the cell is an axis, it answers the middle row as it does the "
        "upper one, though the faces differ.",
        trust="The cell of the first network whose axis explains most. The axis is estimated from noisy trials, so that some of it is "
        "left in the null plane.",
        alt="Three rows of faces: as drawn, moved along the null plane, moved along the axis.",
    )


def _published(results: Any, settings: dict) -> Plate | None:
    data = results["photographs"]
    if "published_preference" not in data:
        return None
    rows = [
        _row(data["published_preference"].sel(condition=c, published_layer=name).values, layer=name.removesuffix(".relu2"), condition=label)
        for c, label in _CONDITIONS.items() for name in data["published_layer"].values.tolist()
    ]  # fmt: skip
    table = _table(rows)
    return Plate(
        name="published",
        title="A published face network, shown faces of a space of photographs",
        figure=_dots(table, "layer", "condition", "shape preference (median over cells)", "layer", 0.0),
        table=table,
        see="The same question of a network that learnt from photographs.",
        trust="One network; the intervals are over draws of faces and cells.",
        alt="Dots with error bars: median shape preference by layer of the published network, trained and with random weights.",
    )


def _neurons(results: Any, settings: dict) -> Plate | None:
    import plotly.graph_objects as go

    data = results["photographs"]
    if "decoded" not in data:
        return None
    mean = data["decoded"].mean("seed")
    figure = new_figure(
        xaxis_title="middle of the window (ms after the picture)", yaxis_title="objects told apart (of seven)"
    )
    figure.add_trace(
        go.Scatter(
            x=mean["window"].values.tolist(), y=mean.values.round(4).tolist(), mode="lines+markers", name="132 units"
        )
    )
    figure.add_hline(y=1 / 7, line_dash="dot", line_width=1)
    return Plate(
        name="neurons",
        title="Monkey IT: which of seven objects was shown",
        figure=figure,
        table=data["decoded"].to_dataframe().reset_index(),
        see="Nothing before the picture, and a rise some 100 ms after it.",
        trust="Units were recorded one by one and paired by object, so that their common noise is lost; objects are not faces of a "
        "face space, and no axis can be measured here.",
        alt="A line: accuracy of telling seven objects apart against time.",
    )


_Maker = Callable[[Any, dict], Plate | None]
_SECTIONS: tuple[tuple[str, str, tuple[_Maker, ...]], ...] = (
    ("The faces (figure 1)", "A face space of shape and shape-free appearance, from which independent Gaussians are drawn.", (_stimuli,)),
    ("Preference and codes (figures 2 and 4, supplement)", "Layers stand for areas.", (_preference, _flatness, _verdicts)),
    ("Reading faces (figures 3 and 7)", "Leave-one-out over all faces.", (_decoding, _identification, _reconstructions)),
    ("Null planes (figure 5)", "What is orthogonal is each cell's null plane, not the cells' axes to each other.", (_metamers,)),
    ("Elsewhere", "Only where the data folder has them.", (_published, _neurons)),
)  # fmt: skip
