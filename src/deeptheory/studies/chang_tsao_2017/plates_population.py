"""Plates of the population: decoding, identification, reconstructions (figure 3), null planes (5), views (6), read-outs (7)."""

from typing import Any

import numpy as np

from deeptheory.faces import montage, picture_figure
from deeptheory.runs import Plate
from deeptheory.studies.chang_tsao_2017.marks import curves, dots, long, row, table_of

_WORDS = {"untrained": "both, before training", "pixels": "pixels, as many"}


def decoding(results: Any, settings: dict) -> Plate:
    """Explained variance by coordinate."""
    data = results["population"]
    mean, controls = data["explained"].mean("seed"), data["control_explained"].mean("seed")
    x = list(range(1, mean.sizes["feature"] + 1))
    names = {"middle": "middle", "anterior": "anterior", "combined": "both"}
    series: dict[str, tuple] = {words: (x, mean.sel(area=name).values) for name, words in names.items()}
    series |= {_WORDS[k]: (x, controls.sel(control=k).values, "dash") for k in controls["control"].values.tolist()}
    figure = curves(series, f"coordinate ({settings['shape']} of shape, then {settings['appearance']} of appearance)", "explained variance, leave-one-out")  # fmt: skip
    figure.add_vline(x=settings["shape"] + 0.5, line_width=1, line_dash="dot")
    return Plate(
        name="decoding",
        title="Which coordinates can be read from the cells",
        figure=figure,
        table=long(series, "coordinate", "explained"),
        see="Can more be read from the middle layer and the embedding together than from either alone, and are later components read less well? Dashed: the same before training and from pixels.",
        claims=("decode-combined-best", "decode-falls-with-component"),
        trust="Mean over networks of leave-one-out least squares; negative where a coordinate cannot be read. “Both” has twice as "
        "many cells, as in the paper: with few faces a cell, that costs more than it brings.",
        alt="Lines: explained variance against the number of the coordinate, for areas and controls.",
    )


def identification(results: Any, settings: dict) -> Plate:
    """Identified among N, against N."""
    data = results["population"]
    x = data["candidates"].values.tolist()
    controls = data["control_by_candidates"].mean("seed")
    series: dict[str, tuple] = {"both areas": (x, data["by_candidates"].mean("seed").values)}
    series |= {_WORDS[k]: (x, controls.sel(control=k).values, "dash") for k in controls["control"].values.tolist()}
    series["chance"] = (x, [1 / k for k in x], "dot")
    return Plate(
        name="identification",
        title="Finding a face among others",
        figure=curves(series, "number of faces", "identified", logarithmic=True),
        table=long(series, "candidates", "identified"),
        see="How often is the face that was shown nearest to what the cells say, among so many?",
        claims=("identify-at-40",),
        trust="Mean over networks; exact expectation over all sets of others. Identification tells that there is information, not which "
        "code carries it, nor that training put it there: compare the dashed lines.",
        alt="Curves against a logarithmic number of faces: share identified from both areas, before training, and from pixels.",
    )


def cells_needed(results: Any, settings: dict) -> Plate:
    """Identified among the candidates, against cells."""
    data, codes = results["population"], results["simulated"]["accuracy"].mean("seed").sel(reader="identity")
    network = data["by_size"].mean("seed")
    series: dict[str, tuple] = {"network, all layers": (network["size"].values.tolist(), network.values)}
    controls, sizes = data["control_by_size"].mean("seed"), data["both_size"].values.tolist()
    series["both areas"] = (sizes, data["both_by_size"].mean("seed").values)
    series |= {_WORDS[k]: (sizes, controls.sel(control=k).values, "dot") for k in controls["control"].values.tolist()}
    words = {"axis": "simulated, axis code", "exemplar": "simulated, distance code"}
    series |= {words[c]: (codes["size"].values.tolist(), codes.sel(code=c).values, "dash") for c in codes["code"].values.tolist()}  # fmt: skip
    number = settings["candidates"]
    return Plate(
        name="cells-needed",
        title="How many cells it takes to know a face",
        figure=curves(series, "number of cells", f"identified among {number}", 1 / number, logarithmic=True),
        table=long(series, "cells", "identified"),
        see="How many cells are needed, and do codes by axes need fewer than codes by distances?",
        claims=("population-not-grandmother", "200-suffice"),
        trust="Mean over networks. A distance code identifies as well, with more cells: identification alone does not tell codes "
        "apart. Simulated cells are of reliability 0.5 and fill 50 even dimensions, the network's cells neither.",
        alt="Curves against a logarithmic number of cells: share identified by the network's cells and by two simulated codes.",
    )


def readers(results: Any, settings: dict) -> Plate:
    """Figure 7: what linear readers make of the two simulated codes."""
    data = results["simulated"]["accuracy"].mean("seed")
    words = {"identity": f"identity among {settings['candidates']}", "two": "which of two", "attribute": "an attribute", "nuisance": "identity, half of the coordinates a nuisance"}  # fmt: skip
    x = data["size"].values.tolist()
    kinds = {"axis": "axis", "exemplar": "distance"}
    series = {f"{words[r]}, {kinds[c]}": (x, data.sel(reader=r, code=c).values, "solid" if c == "axis" else "dash") for r in data["reader"].values.tolist() for c in data["code"].values.tolist()}  # fmt: skip
    return Plate(
        name="readers",
        title="What a code by axes is good for",
        figure=curves(series, "number of cells", "right", logarithmic=True, pairs=True),
        table=long(series, "cells", "right"),
        see="Solid: cells that are axes; dashed: cells that answer the distance to a face; the same decoders, noise and numbers. Which line is higher at equal numbers?",
        claims=("axis-metric-efficient",),
        trust="Pure simulation: softplus of either, reliability 0.5, exemplars at half to one and a half of the usual distance. "
        "How large the advantage is depends on all three.",
        alt="Lines against the number of cells: accuracy of four readers from axis cells and from distance cells.",
    )


def reconstructions(results: Any, settings: dict) -> Plate:
    """Faces and faces rebuilt."""
    data = results["population"]
    pictures = data["reconstructed"].values[0]
    controls = data["control_reconstruction"]
    kinds = {"both areas": data["reconstruction"].values} | {_WORDS[k]: controls.sel(control=k).values for k in controls["control"].values.tolist()}  # fmt: skip
    names = ["shown", "from the cells", "before training", "from pixels"]
    return Plate(
        name="reconstructions",
        title="Faces shown, and faces rebuilt from what the cells say",
        figure=picture_figure(montage(pictures.reshape(-1, *pictures.shape[2:]), pictures.shape[1]), None, names),
        table=table_of(
            [row(v, cells=k, quantity="decoded to true / decoded to nearest stranger") for k, v in kinds.items()]
        ),
        see="Is the lower face the upper one? Large differences first: outline, brows, skin.",
        claims=("reconstruction",),
        trust="The first eight faces of the first network, not chosen. Coordinates that cannot be read shrink to the mean, so rebuilt "
        "faces are more alike than those shown.",
        alt="Four rows of faces: those shown, and those rebuilt from trained cells, untrained cells and pixels.",
    )


def metamers(results: Any, settings: dict) -> Plate:
    """Pictures of one cell's null plane and axis."""
    data = results["population"]
    pictures = data["metamers"].values[0]
    return Plate(
        name="metamers",
        title="Faces moved along a cell's null plane, and along its axis",
        figure=picture_figure(montage(pictures.reshape(-1, *pictures.shape[2:]), pictures.shape[1]), None, ["faces", "null plane", "axis"]),
        table=_changes(data),
        see="Both lower rows are equally far from the upper one. An axis cell would answer the middle row as it does the upper one, though the faces differ.", claims=("metamers",),
        trust="The cell of the first network whose axis explains most. The axis is estimated from noisy trials, so that some of it is "
        "left in the null plane.",
        alt="Three rows of faces: as drawn, moved along the null plane, moved along the axis.",
    )  # fmt: skip


def _changes(data: Any) -> Any:
    kinds = {"trained": (data["null_change"].values, data["axis_change"].values)}
    for k in data["control"].values.tolist():
        kinds[k] = tuple(data[f"control_{name}_change"].sel(control=k).values for name in ("null", "axis"))
    return table_of([
        {"cells": kind, "network": int(s), "cell": k, "null": n, "axis": a, "null_over_axis": n / a}
        for kind, (null, axis) in kinds.items() for s, ns, xs in zip(data["seed"].values, null, axis) for k, (n, a) in enumerate(zip(ns, xs))
    ])  # fmt: skip


def null_changes(results: Any, settings: dict) -> Plate:
    """Figure 5: response change along the null plane over that along the axis."""
    table = _changes(results["population"])
    words = {"trained": "trained", "untrained": "before training", "pixels": "pixels"}
    per_network = table.groupby(["cells", "network"])["null_over_axis"].median()
    rows = [row(per_network[k].to_numpy(), cells=word, series="median of 12 cells") for k, word in words.items()]
    summary = table_of(rows)
    return Plate(
        name="null-changes",
        title="How much cells answer to their null plane",
        figure=dots(summary, "cells", "series", "response change, null plane / axis", "cells", 0.1),
        table=table,
        see="At 1 a cell would change as much along its null plane as along its axis; the claim asks for less than a tenth (dotted).",
        claims=("metamers",),
        trust="No noise in these responses, but the axis was estimated from noisy trials. Cells are those whose axis explains most. "
        "Root mean square over 12 faces.",
        alt="Dots with error bars: ratio of response changes for trained cells, untrained cells and pixels.",
    )


def views(results: Any, settings: dict) -> Plate | None:
    """Figure 6: the appearance part of the axis, in front and from the side."""
    data = results["views"]
    if "view_cosine" not in data:
        return None
    rows = []
    for c, word in {"trained": "trained", "untrained": "before training"}.items():
        values = data["view_cosine"].sel(condition=c).values
        rows.append(row([np.nanmedian(v) for v in values], cells=word, series="median over cells"))
    table = table_of(rows)
    return Plate(
        name="views",
        title="Is the appearance axis the same for faces from the side?",
        figure=dots(table, "cells", "series", "cosine of the appearance axes, frontal and 60°", "cells", 0.5),
        table=table,
        see="At 1 a cell asks for the same appearance in front and from the side, at 0 for something unrelated.",
        claims=("view-transfer",),
        trust="Latents of the procedural heads, so that shape and appearance are the same numbers in both views. The networks were "
        "taught faces turned by up to six degrees, never faces from the side. Pixels are left out: one pixel does not show the "
        "same part of a turned face.",
        alt="Dots with error bars: median cosine between axes for frontal and turned faces, trained and before training.",
    )


def ladder(results: Any, settings: dict) -> Plate | None:
    """Freiwald & Tsao 2010: identity from view to view, by layer."""
    data = results["views"]
    if "invariance" not in data:
        return None
    words = {"invariance": "same person, another view", "mirror": "another person, the mirrored view"}
    kinds = {"trained": "trained", "untrained": "before training"}
    rows = [
        row(data[name].sel(condition=c, layer=layer).values, layer=layer, series=f"{said}, {word}")
        for name, said in words.items() for c, word in kinds.items() for layer in data["layer"].values.tolist()
    ]  # fmt: skip
    rows += [
        row(data[f"pixels_{name}"].values, layer="pixels", series=f"{said}, pixels") for name, said in words.items()
    ]
    table = table_of(rows)
    return Plate(
        name="ladder",
        title="Who is known from view to view?",
        figure=dots(table, "layer", "series", "similarity above that of others", "layer", 0.0),
        table=table,
        see="25 people in 8 views from side to side. “Same person, another view”: how much more alike the answers to one person are across views than to two. “Mirrored view”: how much more alike answers to two people in mirrored views are than in other pairs of views. The paper's group reports the first to grow towards AM, and the second to stand out in AL.",
        trust="Correlations over up to 100 units of a layer, no noise. The networks were taught faces turned by six degrees at most.",
        alt="Dots with error bars by layer: similarity of one person across views, and of mirrored views, with controls.",
    )
