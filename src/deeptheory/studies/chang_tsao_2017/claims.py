"""What the paper claims, as quantities with regions that were written before anything was measured.

One value a network, so that intervals are over networks with people, faces, weights and cells of their own. A layer's claim
counts its tuned cells. Where the paper speaks of cells and this of a layer, the last hidden layer (relu6, the embedding)
stands for AM, the third convolution (relu3) for ML/MF. Numbers in `published` are from memory of the paper: unverified.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from deeptheory.core.statistics import spearman
from deeptheory.runs import Claim, NotRun, Sample
from deeptheory.studies.chang_tsao_2017.layers import LAYERS
from deeptheory.studies.chang_tsao_2017.outside import PUBLISHED

_PAPER = "Chang & Tsao 2017"
_PROTOCOL = "paper; 58 procedural landmarks, not the paper's 58 on photographs; units of a network for cells"
_PHOTOGRAPHS = "paper; the landmarks of the data folder's photographs, not the paper's 58; units of a network for cells"
_LAST = "relu6"
_UNVERIFIED = "unverified: from memory of the text"


# --- measures: results -> one value a network


def median_where(values: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """Median over the last axis of the values kept; NaN where none is, which the ledger counts."""
    rows = [np.median(v[k]) if k.any() else np.nan for v, k in zip(values.reshape(-1, values.shape[-1]), keep.reshape(-1, keep.shape[-1]))]  # fmt: skip
    return np.array(rows).reshape(values.shape[:-1])


def _rank_correlation(row: np.ndarray) -> float:
    """Spearman of place and value; NaN where a value is missing or all are the same."""
    return spearman(np.arange(len(row)), row)


def of_layer(key: str, layer: str, condition: str = "trained") -> Callable[[Any], np.ndarray]:
    """[seed, cell] of one layer."""
    return lambda results: results["layers"][key].sel(layer=layer, condition=condition).values


def _share_of_tuned(key: str, layer: str, condition: str = "trained"):
    """Share of the tuned cells with a value; those without one (undetermined) are left out, and counted in a note."""

    def measure(results):
        value, tuned = (of_layer(k, layer, condition)(results) for k in (key, "tuned"))
        known = (tuned == 1) & np.isfinite(value)
        with np.errstate(invalid="ignore"):  # a network without such a cell has no share: NaN, which the ledger counts
            share = np.where(known, value, 0).sum(1) / known.sum(1)
        left = int(np.sum(tuned == 1) - known.sum())
        return Sample(
            share, notes=(f"{left} of {np.sum(tuned == 1)} tuned cells undetermined and left out",) if left else ()
        )

    return measure


def _axis_beats(layer: str, condition: str = "trained"):
    def measure(results):
        axis, exemplar = (of_layer(k, layer, condition)(results) for k in ("axis", "exemplar"))
        known = np.isfinite(axis)
        with np.errstate(invalid="ignore"):  # as above: a network without a known cell has no share
            return ((axis > exemplar) & known).sum(1) / known.sum(1)

    return measure


def _near_ceiling(results):
    axis, ceiling = (of_layer(k, _LAST)(results) for k in ("axis", "ceiling"))
    keep = ceiling > 0.1  # NaN, too, is left out
    return median_where(axis / np.where(keep, ceiling, 1), keep & np.isfinite(axis))


def _dimensions(results):
    count, tuned = (of_layer(k, _LAST)(results) for k in ("dimensions", "tuned"))
    return median_where(count, tuned == 1)


def preferences(results: Any, condition: str = "trained") -> np.ndarray:
    """[seed, layer]: median shape preference of the tuned cells."""
    data = results["layers"].sel(condition=condition)
    return median_where(data["preference"].values, data["tuned"].values == 1)


def _late_appearance(condition: str):
    def measure(results):
        return np.array([_rank_correlation(row) for row in preferences(results, condition)])

    return measure


def _early_shape(condition: str):
    return lambda results: preferences(results, condition)[:, 0]


def _mean_explained(results) -> Any:
    return results["population"]["explained"].mean("feature")


def _combined_best(results):
    each = _mean_explained(results)
    return each.sel(area="combined").values - each.sel(area=["middle", "anterior"]).max("area").values


def _falls(results):
    explained = results["population"]["explained"].sel(area="combined").values
    half = explained.shape[1] // 2
    blocks = (explained[:, :half], explained[:, half:])
    return np.array([np.mean([_rank_correlation(b[k, :half]) for b in blocks]) for k in range(len(explained))])


def _identify(results):
    return results["population"]["identified"].values


def _not_grandmother(results):
    data = results["population"]
    return data["identified"].values - data["best_single"].values


def _suffice(results):
    data = results["population"]
    if 200 not in data["size"].values:
        return NotRun("fewer than 200 cells were recorded")
    return data["by_size"].sel(size=200).values / data["everybody"].values


def _cosine(results):
    return results["population"]["axes_cosine"].values - results["population"]["null_cosine"].values


def _eigenface(layer: str):
    return lambda results: results["layers"]["eigenface"].sel(layer=layer, condition="trained").values


def _metamers(results):
    data = results["population"]
    return np.median(data["null_change"].values / data["axis_change"].values, axis=1)


def _reconstruction(results):
    return results["population"]["reconstruction"].values


def _view(results):
    data = results["views"]
    if "view_cosine" not in data:
        return NotRun("faces from the side were not shown (views = false)")
    values = data["view_cosine"].sel(condition="trained").values
    return median_where(values, np.isfinite(values))


def _efficient(results):
    return Sample(results["simulated"]["ratio"].values, "median")


def _outside(name: str, files: tuple[str, ...], measure: Callable[[Any], Any]):
    """measure of the photographs, or why it cannot be: one of the files is not there."""

    def measured(results):
        data = results["photographs"]
        if name not in data:
            lacking = [m for m in data.attrs.get("missing", []) if any(f in m for f in files)]
            why = "; ".join(lacking) or f"{' or '.join(files)} was not found"
            return NotRun(f"{why}; with it, about ten seconds a member")
        return measure(data)

    return measured


def _published_late(data):
    rows = data["published_preference"].sel(published_condition="trained").values
    return np.array([_rank_correlation(row) for row in rows])


def _time_course(data):
    after = data["decoded"].sel(window=slice(100, 350)).max("window").values
    return after - 1 / 7


# --- claims


def _claim(
    id: str, figure: str, statement: str, quantity: str, region: str, measure: Any, unit: str = "1", **more: Any
) -> Claim:
    return Claim(
        id=id,
        figure=figure,
        source=f"{_PAPER}, {figure}" if figure.startswith(("figure", "supplement", "discussion")) else figure,
        statement=statement,
        quantity=quantity,
        unit=unit,
        region=region,
        criterion=more.pop("criterion", f"95 % interval over networks within {region}"),
        protocol=more.pop("protocol", _PROTOCOL),
        measure=measure,
        **more,
    )


_FLAT = ("figure 4", "Orthogonal to its axis a cell does not answer: tuning is flat.", "share of tuned cells with pooled orthogonal tuning below the detectable effect, or under 5 % of the axis's variance", "> 0.5")  # fmt: skip
_BEATS = ("figure 4", "An axis explains a cell better than a distance to an exemplar does.", "share of cells whose held-out R2 is larger for the axis than for the exemplar, all of its coordinates free, its length bounded", "> 0.5")  # fmt: skip
_LATE = ("supplement", "From layer to layer a face network turns from shape to appearance.", "Spearman of depth with the median shape preference of tuned cells", "< 0")  # fmt: skip
_EARLY = ("figure 2", "Cells of the earlier area prefer shape.", "median shape preference of the tuned cells of the first layer", "> 0")  # fmt: skip
_CONTROL = "Control, before training: where it holds here as well, training is not why."


def _controls() -> list[Claim]:
    out = []
    for layer in LAYERS:
        out.append(_claim(f"untrained-control/flat-orthogonal/{layer}", _FLAT[0], _CONTROL, *_FLAT[2:], _share_of_tuned("flat", layer, "untrained")))  # fmt: skip
    for layer in LAYERS:
        out.append(_claim(f"untrained-control/axis-beats-exemplar/{layer}", _BEATS[0], _CONTROL, *_BEATS[2:], _axis_beats(layer, "untrained")))  # fmt: skip
    out.append(_claim("untrained-control/late-layers-appearance", _LATE[0], _CONTROL, *_LATE[2:], _late_appearance("untrained")))  # fmt: skip
    out.append(
        _claim("untrained-control/early-layers-shape", _EARLY[0], _CONTROL, *_EARLY[2:], _early_shape("untrained"))
    )
    return out


_NEURAL = (
    ("shape-preference-by-area", "figure 2", "ML/MF cells prefer shape, AM cells appearance.", "difference of the mean shape preference between areas", "> 0", None),
    ("explained-variance", "figure 4", "An axis explains about 57 % of the explainable variance of a cell.", "axis R2 / ceiling, median over cells", "0.57 +- 0.1", "0.57"),
    ("identify-at-40", "figure 3", "About 75 % of faces are identified among 40 from 205 cells.", "accuracy among 40", "0.75 +- 0.1", "0.75"),
    ("tuned-dimensions", "figure 2", "A cell is tuned to about 6 dimensions.", "median number of dimensions", "[3, 12]", "6"),
    ("metamers", "figure 5", "Faces that differ along a cell's null plane alone are the same to it.", "response change along the null plane / along the axis", "< 0.1", None),
    ("eigenface-worse", "figure 4L", "AM is explained better by shape-free appearance than by eigenfaces.", "variance explained by pixel components minus by the face space", "< 0", None),
)  # fmt: skip
_RECORDINGS = (
    "needs the recordings: responses of the 205 cells have been passed on, but not the coordinates of the 2,000 faces that were "
    "shown; with both, as arrays, dt.axis_code measures this in seconds"
)


def _neural() -> list[Claim]:
    return [
        _claim(
            f"neural/{name}", figure, statement, quantity, region, lambda results: NotRun(_RECORDINGS),
            published=published, published_trust=_UNVERIFIED if published else "", criterion=f"interval over cells within {region}",
        )
        for name, figure, statement, quantity, region, published in _NEURAL
    ]  # fmt: skip


def _elsewhere() -> list[Claim]:
    more = {"protocol": _PHOTOGRAPHS, "criterion": "95 % interval over draws of faces and cells", "n_of": "draws"}
    return [
        _claim(
            "published-network/late-layers-appearance", "supplement", "The same in a published face network, shown faces of a space of photographs.",
            _LATE[2], _LATE[3], _outside("published_preference", ("face",), _published_late), **more,
        ),
        *(
            _claim(
                f"published-network/flat-orthogonal/{layer}", "figure 4", "The same in a published face network, shown faces of a space of photographs.",
                _FLAT[2], _FLAT[3], _outside("published_flat", ("face",), lambda d, layer=layer: d["published_flat"].sel(published_condition="trained", published_layer=layer).values), **more,
            )
            for layer in PUBLISHED
        ),
        _claim(
            "it/objects-decoded", "beyond the paper", "Which of seven objects was shown can be read from 132 units of IT, 100 to 350 ms after it.",
            "accuracy less chance (1/7), best window, nearest mean of other pseudo-trials", "> 0.3", _outside("decoded", ("it_neurons",), _time_course),
            protocol="recordings of the data folder; units recorded one by one, trials paired by object", criterion="95 % interval over draws of trials", n_of="draws",
        ),
        _claim(
            "it/network-resembles", "beyond the paper", "A face network's last layer orders pictures more like monkey IT than pixels do.",
            "Spearman of dissimilarities with monkey IT, last layer less pixels", "> 0",
            _outside("rdm_published", ("face_resnet", "it_rdms"), lambda d: d["rdm_published"].sel(published_condition="trained", published_layer=PUBLISHED[-1]).values - d["rdm_pixels"].values),
            protocol="recordings of the data folder; 92 pictures of everything, not only faces", criterion="95 % interval over halves of the pictures, which overlap", n_of="halves",
        ),
    ]  # fmt: skip


CLAIMS = [
    _claim("ramp", "figure 1", "Along its preferred axis a cell's response ramps up.", "share of cells shown to be monotone among the tuned cells of the last hidden layer shown to be monotone or to reverse", "> 0.9", _share_of_tuned("monotone", _LAST)),
    *(_claim(f"flat-orthogonal/{layer}", *_FLAT, _share_of_tuned("flat", layer)) for layer in LAYERS),
    *(_claim(f"axis-beats-exemplar/{layer}", *_BEATS, _axis_beats(layer)) for layer in LAYERS),
    _claim("near-ceiling", "figure 4", "The axis explains most of what can be explained.", "held-out R2 of the axis over the cell's reliability, median over cells of the last hidden layer", "> 0.5", _near_ceiling, published="0.57", published_trust=_UNVERIFIED),
    _claim("tuned-dimensions", "figure 2", "A cell is tuned to about six of the fifty dimensions.", "median number of dimensions of the tuned cells of the last hidden layer", "[3, 12]", _dimensions, published="6", published_trust=_UNVERIFIED),
    _claim("late-layers-appearance", *_LATE, _late_appearance("trained")),
    _claim("early-layers-shape", *_EARLY, _early_shape("trained")),
    _claim("decode-combined-best", "figure 3", "Both areas together read out more than either.", "mean explained variance of 50 dimensions, both areas less the better one", "> 0", _combined_best),
    _claim("decode-falls-with-component", "figure 3", "Later components are read out less well.", "Spearman of the component's number with its explained variance, mean of the blocks, both areas", "< 0", _falls),
    _claim("identify-at-40", "figure 3", "A face is found among 40 from some 200 cells.", "accuracy among 40, both areas (chance 0.025)", "> 0.5", _identify, published="0.75", published_trust=_UNVERIFIED),
    _claim("population-not-grandmother", "discussion", "Identity is in the population; no single cell stands for a face.", "accuracy among 40 of both areas less that of the best single cell", "> 0.3", _not_grandmother),
    _claim("200-suffice", "figure 3", "About 200 cells suffice to know a face.", "accuracy among 40 from 200 cells / from all recorded cells of all layers", "> 0.9", _suffice),
    _claim(
        "axes-not-mutually-orthogonal", "summary of the paper elsewhere",
        "“200 orthogonal axes”: 200 axes in 50 dimensions cannot be orthogonal to each other, which is arithmetic; are they even as far from each other as directions drawn at random? What is orthogonal is each cell's null plane.",
        "median |cosine| between preferred axes minus that of as many random directions with the same covariance", "> 0", _cosine,
    ),
    _claim("eigenface-worse", "figure 4L", "Cells are explained better by shape and shape-free appearance than by pixel components.", "variance explained by 50 pixel components minus by the 50 of the face space, tuned cells of the last hidden layer", "< 0", _eigenface(_LAST)),
    *(_claim(f"eigenface-worse/{layer}", "figure 4L", "Cells are explained better by shape and shape-free appearance than by pixel components.", "variance explained by 50 pixel components minus by the 50 of the face space, tuned cells", "< 0", _eigenface(layer)) for layer in LAYERS[:-1]),
    _claim("eigenface-worse/simulated", "figure 4L", "Control: for cells that are axes of the face space it must hold.", "the same for simulated axis cells", "< 0", lambda results: results["simulated"]["eigenface"].values, n_of="draws"),
    _claim("metamers", "figure 5", "Faces that differ along a cell's null plane alone are nearly the same to it.", "response change along the null plane / along the axis, median over the 12 best cells of the last hidden layer", "< 0.1", _metamers),
    _claim("reconstruction", "figure 3", "The face that is read out is nearer to the true one than any other is.", "distance of decoded to true / to the nearest stranger, median over faces", "< 1", _reconstruction),
    _claim("view-transfer", "figure 6", "The appearance axis of a cell is the same for faces from the side.", "cosine of the appearance part of a cell's axis, frontal with turned by 60 degrees, median over cells", "> 0.5", _view),
    _claim("axis-metric-efficient", "figure 7", "Cells that code by axes need be fewer than cells that code by distances.", "cells for 80 % identification among 40, distance code / axis code, median", "> 1", _efficient, n_of="draws"),
    *_controls(),
    *_elsewhere(),
    *_neural(),
]  # fmt: skip
