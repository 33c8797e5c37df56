"""The faces that are shown, and each layer of a network as an area: what its cells prefer, and how
(figures 1, 2, 4, supplement).

A cell is one unit at one place of a layer, drawn at random among those that answer at least a twentieth of the faces,
not always alike. Its response is scaled to a mean rate and counted as Poisson spikes in a window, in several trials per
face: so numbers that depend on noise (how many dimensions a cell is tuned to, how far a population goes) can stand next
to those of real cells. The same is measured of the network before training and of pixels, which nobody trained.
Formulas: axis/bench/axes.py (STA); the untrained control: axis/layers/depth.py.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from torch.nn.utils import vector_to_parameters

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.core.statistics import spearman
from deeptheory.core.theme import NEUTRAL, series_colors
from deeptheory.networks import FaceNet
from deeptheory.networks.architectures.face_net import EMBEDDING, WIDTHS
from deeptheory.report import charts
from deeptheory.runs import derive
from deeptheory.studies.tables import table_of
from deeptheory.studies.units import widened

LAYERS = list(FaceNet.layers)
CONDITIONS = ("trained", "untrained")
WORDS = {"trained": "trained", "untrained": "before training", "pixels": "pixels"}  # as figures say it
VERDICTS = ("axis", "exemplar", "norm x direction", "energy", "none", "undetermined")
MIDDLE, LAST = "relu3", "relu6"  # where the paper speaks of ML/MF and of AM
_CURVES = ("ramp_x", "ramp_y", "ramp_count", "flat_x", "flat_y")  # saved of the last hidden layer alone
_ANSWERED = 0.05
_TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500)


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """space: the face space. coordinates: [stimulus, 50], independent Gaussians. images: [stimulus, size, size],
    0 to 1."""

    space: dt.faces.FaceSpace
    coordinates: np.ndarray
    images: np.ndarray


def world(settings: dict, member: int) -> World:
    """Space and stimuli of one member of the run: its own 200 people, frontal and under one light,
    and its own draws."""
    made = dt.faces.ProceduralFaces(settings["size"])
    people = made.sample(settings["space_faces"], derive(member, "space") % 2**31)
    space = dt.faces.FaceSpace.fit(
        people.images,
        people.landmarks,
        shape=settings["shape"],
        appearance=settings["appearance"],
        background=made.background,
    )
    coordinates = space.sample(settings["stimuli"], derive(member, "stimuli") % 2**31)
    return World(space=space, coordinates=coordinates, images=space.decode(coordinates).clip(0, 1))


def crowd(settings: dict, member: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images [n, size, size] of people that a network learns, their numbers, and which of them are held out.

    Turned by a few degrees and under any light, so that neither pixels nor one light tells who it is; every tenth image
    of a person is held out.
    """
    seed = derive(member, "people") % 2**31
    images, _, latents = dt.faces.ProceduralFaces(settings["size"]).sample(
        settings["people"], seed, images_per_face=settings["pictures"], pose="near", light="any"
    )
    return images, latents["identity"], np.arange(len(images)) % settings["pictures"] % 10 == 9


def pixel_components(settings: dict, shown: World) -> np.ndarray:
    """[stimulus, component]: the faces in as many principal components of pixels as the face space has coordinates."""
    return dt.faces.PixelSpace.fit(shown.images, settings["shape"] + settings["appearance"]).encode(shown.images)


def loaded(settings: dict, member: int, weights: Any = None) -> FaceNet:
    """The network of a member: before training, or with these weights [parameter]."""
    *widths, embedding = widened((*WIDTHS, EMBEDDING), settings)
    net = FaceNet(
        settings["people"],
        size=settings["size"],
        embedding=embedding,
        widths=tuple(widths),
        seed=derive(member, "weights") % 2**31,
    )
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
    """What dt.axis.record_units and axis_code_by_layer are told: n cells per layer (settings["cells"]),
    drawn by the member."""
    return {
        "pool": "all",
        "units": cells or settings["cells"],
        "min_active_fraction": _ANSWERED,
        "noise": firing(settings),
        "batch": 200,
        "seed": member,
    }


def layers(settings, unit, inputs, workspace, progress):
    """Over [seed, condition, layer, cell], and with pixels_ in front the same of pixels, without a layer: what
    preferences, models_of and curves say. Curves, [seed, condition, cell, bin], are those of the last hidden layer."""
    import xarray as xr

    trained, untrained = both_networks(settings, unit, inputs)
    shown, normalize, permutations = world(settings, unit), settings["normalize"], settings["permutations"]
    coordinates, blocks = shown.coordinates, shown.space.blocks
    how = recorded(settings, unit)
    bench = partial(
        dt.axis.axis_code_by_layer, trained, LAYERS, shown.images, untrained=untrained, folds=settings["folds"]
    )
    code = bench(coordinates, blocks=blocks, permutations=permutations, models=False, normalize=normalize, **how)
    progress(1, 3)
    rivals = bench(
        pixel_components(settings, shown), blocks=None, permutations=0, models=False, normalize="block", **how
    )
    progress(2, 3)
    how |= {"units": settings["modelled"]}
    few = bench(coordinates, blocks=blocks, permutations=permutations, normalize=normalize, **how)
    progress(3, 3)
    found = {
        (condition, layer): xr.Dataset(
            preferences(settings, one, rival) | models_of(settings, model) | curves(settings, one)
        )
        for (condition, layer, one), (*_, rival), (*_, model) in zip(
            code.conditions(), rivals.conditions(), few.conditions()
        )
    }
    areas = xr.concat([xr.concat([found[c, k] for k in LAYERS], "layer") for c in CONDITIONS], "condition")
    areas = areas.assign({k: areas[k].isel(layer=LAYERS.index(LAST)) for k in _CURVES})
    pixels = found["pixels", ""]
    coords = {"condition": list(CONDITIONS), "layer": LAYERS, "verdict": list(VERDICTS)}
    return areas.merge(pixels.rename({k: f"pixels_{k}" for k in pixels})).expand_dims(seed=[unit]).assign_coords(coords)


def preferences(settings: dict, code: Any, rival: Any) -> dict[str, Any]:
    """What the axis code says of one area; cells that are missing or dead are NaN.

    preference: of shape against appearance. tuned, flat: 1 or 0. monotone: 1, 0 for a cell shown to reverse,
    NaN for one that its responses do not determine. relative: variance in the orthogonal space over that along the
    axis. dimensions: features to which the cell is tuned. r: correlation with the projection onto the axis. sta:
    [cell, feature], of unit length. explained: [feature], decoded. eigenface: variance explained by pixel components
    minus that by the face space (held out: either may be negative, so that a ratio says nothing),
    mean over tuned cells (over all, where none is).
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
    """Responses [cell, bin] in spikes a second along the axis (ramp) and along the longest orthogonal one (flat), and
    where the bins lie. The flat ones come standardized: mean and deviation of each cell are those of its ramp's
    bins."""
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


def line_chart(
    series: dict[str, tuple], x: str, y: str, x_title: str, y_title: str, *, paired: bool = False, log: str = ""
) -> tuple[Any, Any]:
    """Chart and table of {name: (x, y, dash)}; paired: two that follow each other are of one color."""
    table = table_of(
        [{"series": name, x: a, y: float(b)} for name, (at, values, _) in series.items() for a, b in zip(at, values)]
    )
    colors = np.repeat(series_colors(len(series) // 2), 2) if paired else series_colors(len(series))
    style = {name: {"line": {"color": str(c), "dash": dash}} for (name, (*_, dash)), c in zip(series.items(), colors)}
    figure = charts.lines(table, x, y, "series", markers=True, x_title=x_title, y_title=y_title, log=log, style=style)
    if log:
        figure.update_xaxes(tickmode="array", tickvals=_TICKS, ticktext=_TICKS)
    return figure, table
