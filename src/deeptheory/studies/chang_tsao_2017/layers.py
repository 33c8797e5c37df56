"""The faces that are shown, and each layer of a network as an area: what its cells prefer, and how (figures 1, 2, 4, supplement).

A cell is one unit at one place of a layer, drawn at random among those that answer at least a twentieth of the faces, not always alike. Its
response is scaled to a mean rate and counted as Poisson spikes in a window, in several trials per face: so numbers that depend on noise (how
many dimensions a cell is tuned to, how far a population goes) can stand next to those of real cells. The same is measured of the network
before training and of pixels, which nobody trained.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch.nn.utils import vector_to_parameters

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.statistics import spearman
from deeptheory.core.theme import NEUTRAL, new_figure, series_colors
from deeptheory.networks import FaceNet
from deeptheory.report import charts
from deeptheory.runs import Plate, derive
from deeptheory.studies.tables import table_of

LAYERS = list(FaceNet.layers)
CONDITIONS = ("trained", "untrained")
WORDS = {"trained": "trained", "untrained": "before training", "pixels": "pixels"}  # as figures say it
VERDICTS = ("axis", "exemplar", "norm x direction", "energy", "none", "undetermined")
MIDDLE, LAST = "relu3", "relu6"  # where the paper speaks of ML/MF and of AM
_CURVES = ("ramp_x", "ramp_y", "ramp_count", "flat_x", "flat_y")  # saved of the last hidden layer alone
_ANSWERED = 0.05
_GRID = np.linspace(-2, 2, 17)  # standard deviations along an axis
_FULL = 8  # faces in a bin that is drawn
_EXAMPLES = 5
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """space: the face space. coordinates: [stimulus, 50], independent Gaussians. images: [stimulus, size, size], 0 to 1."""

    space: dt.faces.FaceSpace
    coordinates: np.ndarray
    images: np.ndarray


def world(settings: dict, member: int) -> World:
    """Space and stimuli of one member of the run: its own 200 people, frontal and under one light, and its own draws."""
    made = dt.faces.ProceduralFaces(settings["size"])
    people = made.sample(settings["space_faces"], derive(member, "space") % 2**31)
    space = dt.faces.FaceSpace.fit(
        people.images, people.landmarks, settings["shape"], settings["appearance"], background=made.background
    )
    coordinates = space.sample(settings["stimuli"], derive(member, "stimuli") % 2**31)
    return World(space=space, coordinates=coordinates, images=space.decode(coordinates).clip(0, 1))


def crowd(settings: dict, member: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images [n, size, size] of people that a network learns, their numbers, and which of them are held out.

    Turned by a few degrees and under any light, so that neither pixels nor one light tells who it is; every tenth image of
    a person is held out.
    """
    seed = derive(member, "people") % 2**31
    images, _, latents = dt.faces.ProceduralFaces(settings["size"]).sample(
        settings["people"], seed, pictures=settings["pictures"], pose="near", light="any"
    )
    return images, latents["identity"], np.arange(len(images)) % settings["pictures"] % 10 == 9


def pixel_components(settings: dict, shown: World) -> np.ndarray:
    """[stimulus, component]: the faces in as many principal components of pixels as the face space has coordinates."""
    return dt.faces.PixelSpace.fit(shown.images, settings["shape"] + settings["appearance"]).encode(shown.images)


def loaded(settings: dict, member: int, weights: Any = None) -> FaceNet:
    """The network of a member: before training, or with these weights [parameter]."""
    net = FaceNet(settings["people"], size=settings["size"], seed=derive(member, "weights") % 2**31)
    if weights is not None:
        vector_to_parameters(as_tensor(weights), net.parameters())
    return net


def both_networks(settings: dict, member: int, inputs: Any) -> tuple[FaceNet, FaceNet]:
    """The network of a member, trained and untrained."""
    return loaded(settings, member, inputs.part("network")["weights"].values[0]), loaded(settings, member)


def firing(settings: dict) -> dt.axis.Poisson:
    """The noise of every cell."""
    return dt.axis.Poisson(rate=settings["rate"], window=settings["window"], trials=settings["trials"])


def recorded(settings: dict, member: int, cells: int | None = None) -> dict[str, Any]:
    """What dt.axis.record_units and axis_code_by_layer are told: n cells per layer (settings["cells"]), drawn by the member."""
    return {
        "pool": "all",
        "units": cells or settings["cells"],
        "min_active_fraction": _ANSWERED,
        "noise": firing(settings),
        "batch": 200,
        "seed": member,
    }


def layers(settings, unit, inputs, workspace, progress):
    """Over [seed, condition, layer, cell], and with pixels_ in front the same of pixels, without a layer: what preferences, models_of and
    curves say. Curves, [seed, condition, cell, bin], are those of the last hidden layer."""
    import xarray as xr

    trained, untrained = both_networks(settings, unit, inputs)
    shown, normalize, permutations = world(settings, unit), settings["normalize"], settings["permutations"]
    coordinates, blocks = shown.coordinates, shown.space.blocks
    how = recorded(settings, unit)
    bench = partial(
        dt.axis.axis_code_by_layer, trained, LAYERS, shown.images, untrained=untrained, folds=settings["folds"]
    )
    code = bench(coordinates, blocks, permutations=permutations, models=False, normalize=normalize, **how)
    progress(1, 3)
    rivals = bench(pixel_components(settings, shown), None, permutations=0, models=False, normalize="block", **how)
    progress(2, 3)
    how |= {"units": settings["modelled"]}
    few = bench(coordinates, blocks, permutations=permutations, normalize=normalize, **how)
    progress(3, 3)
    found = {
        (condition, layer): xr.Dataset(preferences(settings, one, rival) | models_of(settings, model) | curves(settings, one))
        for (condition, layer, one), (*_, rival), (*_, model) in zip(code.conditions(), rivals.conditions(), few.conditions())
    }  # fmt: skip
    areas = xr.concat([xr.concat([found[c, k] for k in LAYERS], "layer") for c in CONDITIONS], "condition")
    areas = areas.assign({k: areas[k].isel(layer=LAYERS.index(LAST)) for k in _CURVES})
    pixels = found["pixels", ""]
    coords = {"condition": list(CONDITIONS), "layer": LAYERS, "verdict": list(VERDICTS)}
    return areas.merge(pixels.rename({k: f"pixels_{k}" for k in pixels})).expand_dims(seed=[unit]).assign_coords(coords)


def preferences(settings: dict, code: Any, rival: Any) -> dict[str, Any]:
    """What the axis code says of one area; cells that are missing or dead are NaN.

    preference: of shape against appearance. tuned, flat: 1 or 0. monotone: 1, 0 for a cell shown to reverse, NaN for one that
    its responses do not determine. relative: variance in the orthogonal space over that along the axis. dimensions: features
    to which the cell is tuned. r: correlation with the projection onto the axis. sta: [cell, feature], of unit length.
    explained: [feature], decoded. eigenface: variance explained by pixel components minus that by the face space (held out:
    either may be negative, so that a ratio says nothing), mean over tuned cells (over all, where none is).
    """
    tuned = code.ramp.tuned
    share = tuned if tuned.any() else np.ones(len(tuned), dtype=bool)
    by_cell = {
        "preference": code.preference.index,
        "tuned": tuned,
        "monotone": np.where(code.ramp.shape == "undetermined", np.nan, code.ramp.monotone),
        "flat": code.flatness.flat,
        "relative": code.flatness.relative,
        "dimensions": code.preference.tuned_dimensions,
        "r": code.ramp.r,
        "sta": code.axes.sta / np.linalg.norm(code.axes.sta, axis=1, keepdims=True),
    }
    return {
        **{k: (("cell", "feature")[: v.ndim], _placed(v, settings["cells"])) for k, v in by_cell.items()},
        "explained": ("feature", code.decoding.explained),
        "eigenface": ((), rival.axes.explained[share].mean() - code.axes.explained[share].mean()),
    }


def models_of(settings: dict, code: Any) -> dict[str, Any]:
    """axis, exemplar: [model_cell] held-out R2 of the models; ceiling: of the same cells. counts: [verdict] cells."""
    models = code.models
    rows = {"axis": models.of("axis"), "exemplar": models.of("exemplar"), "ceiling": models.ceiling}
    return {
        **{k: ("model_cell", _placed(v, settings["modelled"])) for k, v in rows.items()},
        "counts": ("verdict", [models.counts.get(v, 0) for v in VERDICTS]),
    }


def curves(settings: dict, code: Any) -> dict[str, Any]:
    """Responses [cell, bin] in spikes a second along the axis (ramp) and along the longest orthogonal one (flat), and where the
    bins lie. The flat ones come standardized: mean and deviation of each cell are those of its ramp's bins."""
    mean, sem, count = code.ramp.mean, code.ramp.sem, code.ramp.count
    total = count.sum(1)
    rate = (np.nan_to_num(mean) * count).sum(1) / total
    within = np.nan_to_num(sem) ** 2 * count * np.maximum(count - 1, 0)
    spread = np.sqrt((within + np.nan_to_num((mean - rate[:, None]) ** 2) * count).sum(1) / total)
    flat = rate[:, None] + spread[:, None] * code.flatness.curve
    rows = zip(_CURVES, (code.ramp.centers, mean, count, code.flatness.curve_x, flat))
    return {k: (("cell", f"{k.split('_')[0]}_bin"), _placed(v, settings["cells"])) for k, v in rows}


def _placed(values: np.ndarray, cells: int) -> np.ndarray:
    """values [found, ...] first, NaN after them: [cells, ...] float."""
    return np.concatenate([values.astype(float), np.full((cells - len(values), *values.shape[1:]), np.nan)])


def rank_correlation(rows: np.ndarray) -> np.ndarray:
    """Spearman of place and value in each row; NaN where a value is missing or all are the same."""
    return np.array([spearman(np.arange(len(row)), row) for row in rows])


def layer_chart(
    table: Any, y_title: str, level: float, x: str = "layer", series: str = "condition", label: str = ""
) -> Any:
    """Means with their intervals, a dotted line at a level, and pixels, where they have no layer, as a dashed one."""
    pixels = table[series] == WORDS["pixels"]
    figure = charts.points(table[~pixels], x, "value", series, x_title=x, y_title=y_title)
    ends = [-0.4, table.loc[~pixels, x].nunique() - 0.6]
    for value in table.loc[pixels, "value"]:
        charts.add_line(figure, ends, [value] * 2, WORDS["pixels"], color=NEUTRAL, line={"dash": "dash", "width": 2})
    return charts.reference(figure, level=level, label=label)


def of(data: Any, key: str, condition: str, layer: str = LAST) -> np.ndarray:
    """Values of one condition, in the layer where they have one; see layers."""
    if condition == "pixels":
        return data[f"pixels_{key}"].values
    values = data[key].sel(condition=condition)
    return (values.sel(layer=layer) if "layer" in values.dims else values).values


def line_chart(series: dict[str, tuple], x: str, y: str, x_title: str, y_title: str, *, paired: bool = False, log: str = "") -> tuple[Any, Any]:  # fmt: skip
    """Chart and table of {name: (x, y, dash)}; paired: two that follow each other are of one color."""
    table = table_of([{"series": name, x: a, y: float(b)} for name, (at, values, _) in series.items() for a, b in zip(at, values)])  # fmt: skip
    colors = np.repeat(series_colors(len(series) // 2), 2) if paired else series_colors(len(series))
    style = {name: {"line": {"color": str(c), "dash": dash}} for (name, (*_, dash)), c in zip(series.items(), colors)}
    figure = charts.lines(table, x, y, "series", markers=True, x_title=x_title, y_title=y_title, log=log, style=style)
    if log:
        figure.update_xaxes(tickmode="array", tickvals=_TICKS, ticktext=_TICKS)
    return figure, table


def ramps(results: Any, settings: dict) -> Plate:
    data, series = results["layers"].isel(seed=0), {}
    for condition, shown in (("trained", _EXAMPLES), ("untrained", 1), ("pixels", 1)):
        x, y, count, r = (of(data, key, condition) for key in ("ramp_x", "ramp_y", "ramp_count", "r"))
        for k in np.argsort(-np.nan_to_num(r, nan=-1))[:shown]:
            full = np.nan_to_num(count[k]) >= _FULL
            name = "a pixel" if condition == "pixels" else f"cell {k}, {WORDS[condition]}"
            series[name] = (x[k][full].round(3), y[k][full], "solid" if condition == "trained" else "dash")
    figure, table = line_chart(series, "projection", "rate", "projection onto the axis (standard deviations)", "spikes a second")  # fmt: skip
    return Plate(
        name="ramps",
        title="Responses along the cell's own axis",
        figure=figure,
        table=table,
        see="Does the response grow from one end of the cell's own axis to the other without turning back? Dashed: the most tuned cell of the same network before training, and the most tuned pixel.",
        claims=("ramp",),
        trust="The most tuned cells of the first network, chosen for that; the axis comes from the same responses. Cells with a "
        "preferred face would ramp as well: a ramp alone says nothing of the code.",
        alt="Lines: response of example cells against the projection of faces onto their axes, with controls.",
    )


def axes(results: Any, settings: dict) -> Plate:
    import plotly.graph_objects as go

    data, rows = results["layers"].isel(seed=0), []
    for condition, word in WORDS.items():
        axes, preference, tuned = (of(data, key, condition) for key in ("sta", "preference", "tuned"))
        rows += [
            {"condition": word, "cell": int(k), "preference": preference[k], **{f"axis {j + 1}": v for j, v in enumerate(axes[k])}}
            for k in np.argsort(-preference) if tuned[k] == 1
        ]  # fmt: skip
    if not rows:
        raise InputError("no cell of the first network is tuned")
    table = table_of(rows)
    z = table.filter(like="axis ")
    figure = new_figure(
        xaxis_title=f"coordinate ({settings['shape']} of shape, then {settings['appearance']} of appearance)",
        yaxis_title="tuned cells, most for shape on top",
    )
    figure.add_trace(go.Heatmap(z=z.to_numpy().round(3).tolist(), x=list(range(1, z.shape[1] + 1)), colorscale="RdBu", zmin=-0.6, zmax=0.6, colorbar={"title": "axis"}))  # fmt: skip
    middle = table.reset_index().groupby("condition", sort=False)["index"].mean() + 0.5
    figure.add_vline(x=settings["shape"] + 0.5, line_width=1)
    figure.update_yaxes(autorange="reversed", tickvals=middle.tolist(), ticktext=middle.index.tolist())
    return Plate(
        name="axes",
        title="The axes of the cells of the last hidden layer",
        figure=figure,
        table=table,
        see="One row per cell: its spike-triggered average over the 50 coordinates, of unit length, sorted by preference for shape. Do the cells fall into two groups?",
        claims=("tuned-dimensions",),
        trust="The first network; tuned cells only. Coordinates keep their relative variances, so that the first ones of each "
        "block weigh most in any axis.",
        alt="A heat map in three blocks, trained, before training and pixels: rows are cells, columns 50 coordinates.",
    )


def histogram(results: Any, settings: dict) -> Plate:
    data, edges = results["layers"], np.linspace(-1, 1, 21)
    kinds = {f"{layer}, {WORDS[c]}": (c, layer) for c in CONDITIONS for layer in (MIDDLE, LAST)} | {
        "pixels": ("pixels", "")
    }
    rows = []
    for name, place in kinds.items():
        found = of(data, "preference", *place)[of(data, "tuned", *place) == 1]
        shares = np.histogram(found, edges)[0] / max(len(found), 1)
        rows += [{"series": name, "low": a, "high": b, "share": s, "cells": len(found)} for a, b, s in zip(edges[:-1], edges[1:], shares)]  # fmt: skip
    table = table_of(rows)
    style = {name: {"line": {"shape": "hvh", "dash": "solid" if c == "trained" else "dash", "color": color}} for (name, (c, _)), color in zip(kinds.items(), [*series_colors(4), NEUTRAL])}  # fmt: skip
    drawn = table.assign(middle=(table["low"] + table["high"]) / 2).drop(columns=["low", "high"])  # bins, no intervals
    figure = charts.lines(drawn, "middle", "share", "series", x_title="shape preference index", y_title="share of tuned cells", style=style)  # fmt: skip
    return Plate(
        name="preference-histogram",
        title="Shape or appearance? The cells of two areas",
        figure=charts.reference(figure, upright=0),
        table=table,
        see="To the right cells prefer shape, to the left appearance. The paper reports its middle area on the right, its anterior area on the left; here the third convolution and the embedding are compared.",
        claims=("late-layers-appearance", "early-layers-shape"),
        trust="Tuned cells of all networks together. A cell that is tuned to a few coordinates only is pulled towards 0 by noise "
        "in all the others.",
        alt="Histograms as outlines: shape preference index of tuned cells in two layers, trained and untrained, and of pixels.",
    )


def flat_curves(results: Any, settings: dict) -> Plate:
    data, series = results["layers"], {}
    for condition, word in WORDS.items():
        for kind, words, dash in (("ramp", "axis", "solid"), ("flat", "longest orthogonal", "dash")):
            mean = np.array([_mean_curve(data.isel(seed=k), condition, kind) for k in range(data.sizes["seed"])])
            known = np.isfinite(mean).any(0)
            series[f"{words}, {word}"] = (_GRID[known], np.nanmean(mean[:, known], axis=0), dash)
    figure, table = line_chart(series, "projection", "response", "standard deviations along that axis", "response / mean response", paired=True)  # fmt: skip
    return Plate(
        name="flat-curves",
        title="Along the axis, and along the longest axis orthogonal to it",
        figure=figure,
        table=table,
        see="The mean tuned cell of the last hidden layer. Solid: along its own axis. Dashed: along the longest axis orthogonal to it. Is the dashed line flat?",
        claims=("flat-orthogonal",),
        trust="Mean over cells, then over networks. Each orthogonal axis is turned so that the response rises along it, so that chance "
        "makes the dashed lines rise a little. One orthogonal axis of 49 says little; the shares below test all of them at once, "
        "cell by cell.",
        alt="Lines: mean response against projection, rising along the axis and level along the orthogonal axis, by condition.",
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
