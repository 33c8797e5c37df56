"""Plates of what only the data folder has: a published face network, and recordings from monkey IT."""

from typing import Any

import numpy as np

from deeptheory.core.theme import NEUTRAL
from deeptheory.faces import montage, picture_figure
from deeptheory.runs import Plate
from deeptheory.studies.chang_tsao_2017.marks import CONDITIONS, PIXELS, curves, dots, long, row, table_of


def published(results: Any, settings: dict) -> Plate | None:
    """Preference by layer of the published network."""
    data = results["photographs"]
    if "published_preference" not in data:
        return None
    table = _by_layer(data, "preference")
    return Plate(
        name="published",
        title="A published face network, shown faces of a space of photographs",
        figure=dots(table, "layer", "condition", "shape preference (median over cells)", "layer", 0.0),
        table=table,
        see="Do shape and appearance preference change with depth in a network that learnt from photographs?",
        claims=("published-network/late-layers-appearance",),
        trust="One network; the intervals are over draws of faces and cells. Faces are drawn from the space of the data folder's "
        "photographs, cropped to the face.",
        alt="Dots with error bars: median shape preference by layer of the published network, with random weights, and of pixels.",
    )


def published_faces(results: Any, settings: dict) -> Plate | None:
    """Faces that the published network was shown."""
    data = results["photographs"]
    if "published_faces" not in data:
        return None
    pictures = data["published_faces"].values[:2]
    number = pictures.shape[1]
    return Plate(
        name="published-faces",
        title="Faces drawn from a space of photographs",
        figure=picture_figure(montage(pictures.reshape(-1, *pictures.shape[2:]), number, 0, 255), None, [""] * len(pictures)),
        table=_by_layer(data, "tuned"),
        see="What the published network is shown: shape and colours of nobody in particular, from the data folder's photographs.",
        trust="Independent Gaussians along components: some draws are unlike anybody. The table gives the share of tuned cells by "
        "layer.",
        alt="Rows of small colour faces, drawn from a face space of photographs.",
    )  # fmt: skip


def published_flatness(results: Any, settings: dict) -> Plate | None:
    """Share of flat cells by layer of the published network."""
    data = results["photographs"]
    if "published_flat" not in data:
        return None
    table = _by_layer(data, "flat")
    return Plate(
        name="published-flatness",
        title="The published network: are cells flat orthogonal to their axis?",
        figure=dots(table, "layer", "condition", "share of tuned cells", "layer", 0.5),
        table=table,
        see="At 1 cells change along their axis alone. How near do layers come?",
        claims=("published-network/flat-orthogonal",),
        trust="As above. Random weights stand beside, and pixels.",
        alt="Dots with error bars: share of flat cells by layer of the published network, with random weights, and of pixels.",
    )


def _by_layer(data: Any, key: str) -> Any:
    rows = [
        row(data[f"published_{key}"].sel(published_condition=c, published_layer=name).values, layer=name.removesuffix(".relu2"), condition=label)
        for c, label in CONDITIONS.items() for name in data["published_layer"].values.tolist()
    ]  # fmt: skip
    return table_of([*rows, row(data[f"published_pixels_{key}"].values, layer="", condition=PIXELS)])


def neurons(results: Any, settings: dict) -> Plate | None:
    """Monkey IT: objects told apart, against time."""
    data = results["photographs"]
    if "decoded" not in data:
        return None
    mean = data["decoded"].mean("seed")
    series = {"132 units": (mean["window"].values.tolist(), mean.values)}
    return Plate(
        name="neurons",
        title="Monkey IT: which of seven objects was shown",
        figure=curves(series, "middle of the window (ms after the picture)", "objects told apart (of seven)", 1 / 7),
        table=long(series, "window", "accuracy"),
        see="When does the object become readable? Zero is the onset of the picture; chance is one in seven.",
        claims=("it/objects-decoded",),
        trust="Units were recorded one by one and paired by object, so that their common noise is lost; objects are not faces of a "
        "face space, and no axis can be measured here.",
        alt="A line: accuracy of telling seven objects apart against time.",
    )


def dissimilarities(results: Any, settings: dict) -> Plate | None:
    """Agreement of layers with monkey IT on which pictures are alike."""
    data = results["photographs"]
    if "rdm_published" not in data:
        return None
    rows = [
        row(data["rdm_published"].sel(published_condition=c, published_layer=name).values, layer=name.removesuffix(".relu2"), condition=label)
        for c, label in CONDITIONS.items() for name in data["published_layer"].values.tolist()
    ]  # fmt: skip
    table = table_of([*rows, row(data["rdm_pixels"].values, layer="", condition=PIXELS)])
    human = float(np.mean(data["rdm_human"].values))
    figure = dots(table, "layer", "condition", "Spearman with monkey IT", "layer")
    figure.add_hline(y=human, line={"dash": "dot", "color": NEUTRAL}, annotation_text="human IT")
    return Plate(
        name="dissimilarities",
        title="Which pictures are alike? Layers of the face network and monkey IT",
        figure=figure,
        table=table,
        see="How far does a layer order 92 pictures as monkey IT does? The dotted line is how far human IT does.",
        claims=("it/network-resembles",),
        trust="Halves of the same 92 pictures, which overlap, so that the intervals are too narrow. The pictures are of everything; "
        "the network has seen faces only.",
        alt="Dots with error bars: rank correlation with monkey IT by layer, trained and with random weights, with lines for pixels and human IT.",
    )
