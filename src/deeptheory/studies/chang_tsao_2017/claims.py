"""What the paper claims, as quantities with regions that were written before anything was measured.

Macaques recognize faces fast and reliably. With faces as points in a linear space of shape and appearance, a cell
of a face patch fires in proportion to the projection of a face onto one axis of that space, and does not change along
directions orthogonal to it. Faces can then be decoded from some 200 cells, and the rates of cells predicted. So no cell
stands for one identity: faces that look very different, engineered to have the same projection, give the same response.

One value per network, so that intervals are over networks with people, faces, weights and cells of their own. A layer's
claim counts its tuned cells. Where the paper speaks of cells and this of a layer, the last hidden layer (relu6, the
embedding) stands for AM, the third convolution (relu3) for ML/MF. Numbers in `published` are from memory: unverified.
"""

from functools import partial
from typing import Any

import numpy as np

from deeptheory.runs import Claim, NotRun, Sample
from deeptheory.studies.chang_tsao_2017 import external_data
from deeptheory.studies.chang_tsao_2017.layers import LAST, LAYERS, rank_correlation
from deeptheory.studies.paper import Paper

PAPER = Paper(
    citation="Chang & Tsao 2017",
    protocol="paper; 58 procedural landmarks, not the paper's 58 on photographs; units of a network for cells",
)
_UNVERIFIED = "unverified: from memory of the text"


def cells(results: Any, key: str, layer: Any = LAST, condition: str = "trained") -> np.ndarray:
    """[seed, cell] of one layer, [seed, layer, cell] of several; of "pixels", which have no layer, [seed, cell]."""
    data = results["layers"]
    if condition == "pixels":
        return data[f"pixels_{key}"].values
    return data[key].sel(layer=layer, condition=condition).values


def median_where(values: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Median over the last axis of the values kept; NaN where none is, which the ledger counts."""
    pairs = zip(values.reshape(-1, values.shape[-1]), keep.reshape(-1, keep.shape[-1]))
    return np.array([np.median(v[k]) if k.any() else np.nan for v, k in pairs]).reshape(values.shape[:-1])


def share_where(has: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Share over the last axis of those kept that have it; NaN where none is kept, which the ledger counts."""
    with np.errstate(invalid="ignore"):
        return (has & keep).sum(-1) / keep.sum(-1)


def share_of_tuned(results: Any, key: str, layer: str = LAST, condition: str = "trained") -> Sample:
    """Share of the tuned cells with a value of 1; those without one (undetermined) are counted in a note."""
    value, tuned = cells(results, key, layer, condition), cells(results, "tuned", layer, condition) == 1
    known = tuned & np.isfinite(value)
    left = int(tuned.sum() - known.sum())
    notes = (f"{left} of {tuned.sum()} tuned cells undetermined and left out",) if left else ()
    return Sample(share_where(value == 1, known), notes=notes)


def axis_beats(results: Any, layer: str, condition: str = "trained") -> np.ndarray:
    """Share of the cells that the axis explains better than the exemplar."""
    axis, exemplar = (cells(results, k, layer, condition) for k in ("axis", "exemplar"))
    return share_where(axis > exemplar, np.isfinite(axis) & np.isfinite(exemplar))


def near_ceiling(results: Any) -> np.ndarray:
    """R2 of the axis over the ceiling, median over the cells whose ceiling is above 0.1."""
    axis, ceiling = cells(results, "axis"), cells(results, "ceiling")
    keep = ceiling > 0.1  # NaN, too, is left out
    return median_where(axis / np.where(keep, ceiling, 1), keep & np.isfinite(axis))


def tuned_dimensions(results: Any) -> np.ndarray:
    """Dimensions to which a tuned cell is tuned, median."""
    return median_where(cells(results, "dimensions"), cells(results, "tuned") == 1)


def preferences(results: Any, condition: str = "trained") -> np.ndarray:
    """[seed, layer]: median shape preference of the tuned cells; of pixels [seed]."""
    values, tuned = (cells(results, k, LAYERS, condition) for k in ("preference", "tuned"))
    return median_where(values, tuned == 1)


def late_appearance(results: Any, condition: str = "trained") -> np.ndarray:
    """Spearman of depth with the shape preference."""
    return rank_correlation(preferences(results, condition))


def early_shape(results: Any, condition: str = "trained") -> np.ndarray:
    """Shape preference of the first layer."""
    return preferences(results, condition)[:, 0]


def combined_best(results: Any) -> np.ndarray:
    """Explained variance of both areas less that of the better one."""
    each = results["population"]["explained"].mean("feature")
    return each.sel(area="combined").values - each.sel(area=["middle", "anterior"]).max("area").values


def falls(results: Any) -> np.ndarray:
    """Spearman of a component's number in its block with its explained variance, mean of the two blocks."""
    explained = results["population"]["explained"].sel(area="combined").values
    shape = results["population"].attrs.get("shape", explained.shape[1] // 2)  # the components of the first block
    return (rank_correlation(explained[:, :shape]) + rank_correlation(explained[:, shape:])) / 2


def measured(results: Any, key: str, less: str | None = None, step: str = "population") -> np.ndarray:
    """[seed]: what a step measured, less something else of it."""
    values = results[step][key].values
    return values if less is None else values - results[step][less].values


def from_200(results: Any) -> np.ndarray | NotRun:
    """Identification from 200 cells over that from all."""
    data = results["population"]
    if 200 not in data["size"].values:
        return NotRun("fewer than 200 cells were recorded")
    return data["by_size"].sel(size=200).values / data["everybody"].values


def null_over_axis(results: Any) -> Sample:
    """Response change along the null plane over that along the axis, median over cells; those left out are counted in a
    note."""
    null, axis = (results["population"][k].values for k in ("null_change", "axis_change"))
    change = null / np.where(axis > 0, axis, np.nan)
    left = int(np.isnan(change).sum())
    note = f"{left} of {change.size} cells left out: fewer were found, or they do not answer along the axis"
    return Sample(median_where(change, np.isfinite(change)), notes=(note,) if left else ())


def view_cosine(results: Any, condition: str = "trained") -> np.ndarray | NotRun:
    """Cosine of the appearance axes of a cell, frontal and turned faces, median over cells."""
    data = results["views"]
    if "view_cosine" not in data:
        return NotRun("faces from the side were not shown (views = false)")
    values = data["view_cosine"].sel(condition=condition).values
    return median_where(values, np.isfinite(values))


_FLAT = ("figure 4", "Orthogonal to its axis a cell does not answer: tuning is flat.",
    "share of tuned cells with pooled orthogonal tuning below the detectable effect, "
    "or under 5 % of the axis's variance", "> 0.5")  # fmt: skip
_BEATS = ("figure 4", "An axis explains a cell better than a distance to an exemplar does.",
    "share of cells whose held-out R2 is larger for the axis than for the exemplar, all of its coordinates free, "
    "its length bounded", "> 0.5")  # fmt: skip
_LATE = ("supplement", "From layer to layer a face network turns from shape to appearance.",
    "Spearman of depth with the median shape preference of tuned cells", "< 0")  # fmt: skip
_EARLY = ("figure 2", "Cells of the earlier area prefer shape.",
    "median shape preference of the tuned cells of the first layer", "> 0")  # fmt: skip
_PIXELS = ("figure 4L", "Cells are explained better by shape and shape-free appearance than by pixel components.")
_EIGENFACE = "variance explained by 50 pixel components minus by the 50 of the face space, tuned cells"
_CONTROL = "Control, before training: where it holds here as well, training is not why."
_PUBLISHED = "The same in a published face network, shown faces of a space of photographs."


def _control(id: str, family: tuple[str, str, str, str], measure: Any) -> Claim:
    """The same of networks before training."""
    where, _, quantity, region = family
    before = partial(measure, condition="untrained")
    return PAPER.claim(f"untrained-control/{id}", where, _CONTROL, quantity, region, before)


def _elsewhere() -> list[Claim]:
    """Claims of external data: a published network, and recordings of objects."""
    photographs: dict[str, Any] = {
        "protocol": "paper; the landmarks of the data folder's photographs, not the paper's 58; "
        "units of a network for cells",
        "criterion": "95 % interval over draws of faces and cells",
        "n_of": "draws",
    }
    return [
        PAPER.claim(
            "published-network/late-layers-appearance",
            _LATE[0],
            _PUBLISHED,
            *_LATE[2:],
            external_data.late_appearance,
            **photographs,
        ),
        *(
            PAPER.claim(
                f"published-network/flat-orthogonal/{layer}",
                _FLAT[0],
                _PUBLISHED,
                *_FLAT[2:],
                partial(external_data.flat, layer=layer),
                **photographs,
            )
            for layer in external_data.PUBLISHED
        ),
        PAPER.claim(
            "it/objects-decoded",
            "beyond the paper",
            "Which of seven objects was shown can be read from 132 units of IT, 100 to 350 ms after it.",
            "accuracy less chance (1/7), best window, nearest mean of other pseudo-trials",
            "> 0.3",
            external_data.objects_decoded,
            source="beyond the paper",
            protocol="recordings of the data folder; units recorded one by one, trials paired by object",
            criterion="95 % interval over draws of trials",
            n_of="draws",
        ),
        PAPER.claim(
            "it/network-resembles",
            "beyond the paper",
            "A face network's last layer orders pictures more like monkey IT than pixels do.",
            "Spearman of dissimilarities with monkey IT, last layer less pixels",
            "> 0",
            external_data.resembles_it,
            source="beyond the paper",
            protocol="recordings of the data folder; 92 pictures of everything, not only faces",
            criterion="95 % interval over halves of the pictures, which overlap",
            n_of="halves",
        ),
    ]


_NEURAL = (
    ("shape-preference-by-area", "figure 2", "ML/MF cells prefer shape, AM cells appearance.",
        "difference of the mean shape preference between areas", "> 0", None),
    ("explained-variance", "figure 4", "An axis explains about 57 % of the explainable variance of a cell.",
        "axis R2 / ceiling, median over cells", "0.57 +- 0.1", "0.57"),
    ("identify-at-40", "figure 3", "About 75 % of faces are identified among 40 from 205 cells.",
        "accuracy among 40", "0.75 +- 0.1", "0.75"),
    ("tuned-dimensions", "figure 2", "A cell is tuned to about 6 dimensions.",
        "median number of dimensions", "[3, 12]", "6"),
    ("metamers", "figure 5", "Faces that differ along a cell's null plane alone are the same to it.",
        "response change along the null plane / along the axis", "< 0.1", None),
    ("eigenface-worse", "figure 4L", "AM is explained better by shape-free appearance than by eigenfaces.",
        "variance explained by pixel components minus by the face space", "< 0", None),
)  # fmt: skip


def no_recordings(results: Any) -> NotRun:
    """Why what the paper says of cells is not measured."""
    return NotRun(
        "needs the recordings: responses of the 205 cells have been passed on, but not the coordinates of the 2,000 "
        "faces that were shown; with both, as arrays, dt.axis_code measures this in seconds"
    )


CLAIMS = [
    PAPER.claim(
        "ramp",
        "figure 1",
        "Along its preferred axis a cell's response ramps up.",
        "share of cells shown to be monotone among the tuned cells of the last hidden layer shown to be monotone or to "
        "reverse",
        "> 0.9",
        partial(share_of_tuned, key="monotone"),
    ),
    *(PAPER.claim(f"flat-orthogonal/{k}", *_FLAT, partial(share_of_tuned, key="flat", layer=k)) for k in LAYERS),
    *(PAPER.claim(f"axis-beats-exemplar/{k}", *_BEATS, partial(axis_beats, layer=k)) for k in LAYERS),
    PAPER.claim(
        "near-ceiling",
        "figure 4",
        "The axis explains most of what can be explained.",
        "held-out R2 of the axis over the cell's reliability, median over cells of the last hidden layer",
        "> 0.5",
        near_ceiling,
        published="0.57",
        published_trust=_UNVERIFIED,
    ),
    PAPER.claim(
        "tuned-dimensions",
        "figure 2",
        "A cell is tuned to about six of the fifty dimensions.",
        "median number of dimensions of the tuned cells of the last hidden layer",
        "[3, 12]",
        tuned_dimensions,
        published="6",
        published_trust=_UNVERIFIED,
    ),
    PAPER.claim("late-layers-appearance", *_LATE, late_appearance),
    PAPER.claim("early-layers-shape", *_EARLY, early_shape),
    PAPER.claim(
        "decode-combined-best",
        "figure 3",
        "Both areas together read out more than either.",
        "mean explained variance of 50 dimensions, both areas less the better one",
        "> 0",
        combined_best,
    ),
    PAPER.claim(
        "decode-falls-with-component",
        "figure 3",
        "Later components are read out less well.",
        "Spearman of the component's number with its explained variance, mean of the blocks, both areas",
        "< 0",
        falls,
    ),
    PAPER.claim(
        "identify-at-40",
        "figure 3",
        "A face is found among 40 from some 200 cells.",
        "accuracy among 40, both areas (chance 0.025)",
        "> 0.5",
        partial(measured, key="identified"),
        published="0.75",
        published_trust=_UNVERIFIED,
    ),
    PAPER.claim(
        "population-not-grandmother",
        "discussion",
        "Identity is in the population; no single cell stands for a face.",
        "accuracy among 40 of both areas less that of the best single cell",
        "> 0.3",
        partial(measured, key="identified", less="best_single"),
    ),
    PAPER.claim(
        "200-suffice",
        "figure 3",
        "About 200 cells suffice to know a face.",
        "accuracy among 40 from 200 cells / from all recorded cells of all layers",
        "> 0.9",
        from_200,
    ),
    PAPER.claim(
        "axes-not-mutually-orthogonal",
        "summary of the paper elsewhere",
        "“200 orthogonal axes”: 200 axes in 50 dimensions cannot be orthogonal to each other, which is arithmetic; are "
        "they even as far from each other as directions drawn at random? What is orthogonal is each cell's null plane.",
        "median |cosine| between preferred axes minus that of as many random directions with the same covariance",
        "> 0",
        partial(measured, key="axes_cosine", less="null_cosine"),
        source="summary of the paper elsewhere",
    ),
    PAPER.claim(
        "eigenface-worse", *_PIXELS, f"{_EIGENFACE} of the last hidden layer", "< 0", partial(cells, key="eigenface")
    ),
    *(
        PAPER.claim(f"eigenface-worse/{k}", *_PIXELS, _EIGENFACE, "< 0", partial(cells, key="eigenface", layer=k))
        for k in LAYERS[:-1]
    ),
    PAPER.claim(
        "eigenface-worse/simulated",
        "figure 4L",
        "Control: for cells that are axes of the face space it must hold.",
        "the same for simulated axis cells",
        "< 0",
        partial(measured, key="eigenface", step="simulated"),
        n_of="draws",
    ),
    PAPER.claim(
        "metamers",
        "figure 5",
        "Faces that differ along a cell's null plane alone are nearly the same to it.",
        "response change along the null plane / along the axis, median over the 12 best cells of the last hidden layer",
        "< 0.1",
        null_over_axis,
    ),
    PAPER.claim(
        "reconstruction",
        "figure 3",
        "The face that is read out is nearer to the true one than any other is.",
        "distance of decoded to true / to the nearest stranger, median over faces",
        "< 1",
        partial(measured, key="reconstruction"),
    ),
    PAPER.claim(
        "view-transfer",
        "figure 6",
        "The appearance axis of a cell is the same for faces from the side.",
        "cosine of the appearance part of a cell's axis, frontal with turned by 60 degrees, median over cells",
        "> 0.5",
        view_cosine,
    ),
    PAPER.claim(
        "axis-metric-efficient",
        "figure 7",
        "Cells that code by axes need be fewer than cells that code by distances.",
        "cells for 80 % identification among 40, distance code / axis code, median",
        "> 1",
        lambda results: Sample(measured(results, "ratio", step="simulated"), "median"),
        n_of="draws",
    ),
    *(_control(f"flat-orthogonal/{k}", _FLAT, partial(share_of_tuned, key="flat", layer=k)) for k in LAYERS),
    *(_control(f"axis-beats-exemplar/{k}", _BEATS, partial(axis_beats, layer=k)) for k in LAYERS),
    _control("late-layers-appearance", _LATE, late_appearance),
    _control("early-layers-shape", _EARLY, early_shape),
    *_elsewhere(),
    *(
        PAPER.claim(
            f"neural/{name}",
            figure,
            statement,
            quantity,
            region,
            no_recordings,
            published=published,
            published_trust=_UNVERIFIED if published else "",
            criterion="interval over cells within {region}",
        )
        for name, figure, statement, quantity, region, published in _NEURAL
    ),
]
