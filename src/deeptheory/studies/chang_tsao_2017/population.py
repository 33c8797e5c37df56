"""Reading faces out of many cells: decoding, identification, reconstruction (figure 3), geometry, metamers (figure 5).

Areas: "middle" is the third convolution, "anterior" the embedding, "combined" both, as the paper combines ML/MF and AM.
Controls: both areas of the network before training, and as many pixels.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import derive, generator
from deeptheory.studies.chang_tsao_2017.cells import firing, recorded
from deeptheory.studies.chang_tsao_2017.layers import LAYERS
from deeptheory.studies.chang_tsao_2017.stimuli import World, world

AREAS = ("middle", "anterior", "combined")
CONTROLS = ("untrained", "pixels")
CANDIDATES = (2, 5, 10, 20, 40, 80, 160, 320)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200)
SHOWN = 8
_MIDDLE, _ANTERIOR = "relu3", "relu6"
_METAMER_CELLS, _METAMER_FACES, _REACH = 12, 12, 2.0


def population(settings: dict, member: int, trained: Any, untrained: Any, progress: Any) -> Any:
    """One Dataset a network: explained [area, feature], identification, reconstruction, geometry, metamers, examples; what
    begins with control_ is of the controls, [control, ...]."""
    import xarray as xr

    shown = world(settings, member)
    cells = dt.axis.record_units(trained, LAYERS, shown.images, **recorded(settings, member))
    areas = {"middle": cells[_MIDDLE].recorded, "anterior": cells[_ANTERIOR].recorded}
    areas["combined"] = np.concatenate(list(areas.values()), axis=2)
    codes = {name: _code(settings, member, shown, r) for name, r in areas.items()}
    progress(1, 4)
    everybody = _code(settings, member, shown, np.concatenate([c.recorded for c in cells.values()], axis=2))
    sizes = [k for k in SIZES if k < len(everybody.units)]
    by_size = everybody.identification(settings["candidates"], sizes)
    numbers = [k for k in CANDIDATES if k <= settings["stimuli"]]
    combined = codes["combined"]
    at_n = combined.identification(settings["candidates"])
    progress(2, 4)
    null, along, moved = metamers(member, _responses(trained, cells[_ANTERIOR]), shown, codes["anterior"])
    variables: dict[str, Any] = {
        "explained": (("seed", "area", "feature"), np.array([[codes[a].decoding.explained for a in AREAS]])),
        "by_candidates": (("seed", "candidates"), combined.identification(numbers).accuracy[-1:]),
        "by_size": (("seed", "size"), by_size.accuracy[None, :-1, -1]),
        "everybody": (("seed",), by_size.accuracy[-1:, -1]),
        "identified": (("seed",), at_n.accuracy[-1:, -1]),
        "best_single": (("seed",), at_n.best_single[-1:]),
        "null_change": (("seed", "metamer_cell"), null[None]),
        "axis_change": (("seed", "metamer_cell"), along[None]),
        "metamers": (("seed", "metamer_row", "metamer_column", "y", "x"), moved[None]),
        **{k: (("seed",), [v]) for k, v in geometry(combined, member).items()},
    }
    progress(3, 4)
    controls = _controls(settings, member, shown, untrained, numbers)
    few = [k for k in SIZES if k < min(len(c.units) for c in (combined, *(c for c, _, _ in controls)))]
    ratios, faces = zip(*(_rebuilt(shown, c) for c in (combined, *(c for c, _, _ in controls))))
    variables |= {
        "reconstruction": (("seed",), [ratios[0]]),
        "reconstructed": (("seed", "row", "column", "y", "x"), np.stack([shown.images[:SHOWN], *faces])[None]),
        "both_by_size": (("seed", "both_size"), combined.identification(settings["candidates"], few).accuracy[None, :-1, -1]),
        "control_reconstruction": (("seed", "control"), [ratios[1:]]),
        "control_explained": (("seed", "control", "feature"), np.array([[c.decoding.explained for c, _, _ in controls]])),
        "control_by_candidates": (("seed", "control", "candidates"), np.array([[c.identification(numbers).accuracy[-1] for c, _, _ in controls]])),
        "control_by_size": (("seed", "control", "both_size"), np.array([[c.identification(settings["candidates"], few).accuracy[:-1, -1] for c, _, _ in controls]])),
        "control_null_change": (("seed", "control", "metamer_cell"), np.array([[n for _, n, _ in controls]])),
        "control_axis_change": (("seed", "control", "metamer_cell"), np.array([[a for _, _, a in controls]])),
    }  # fmt: skip
    progress(4, 4)
    coords = {
        "seed": [member],
        "area": list(AREAS),
        "control": list(CONTROLS),
        "size": sizes,
        "both_size": few,
        "candidates": numbers,
    }
    return xr.Dataset(variables, coords=coords)


def _code(settings: dict, member: int, shown: World, rates: np.ndarray) -> Any:
    return dt.axis_code(
        rates,
        shown.coordinates,
        shown.space.blocks,
        permutations=settings["permutations"],
        normalize=settings["normalize"],
        models=False,
        seed=member,
    )


def _controls(settings: dict, member: int, shown: World, untrained: Any, numbers: list[int]) -> list[tuple]:
    """(code of both areas, changes along the null plane, along the axis) of the untrained network, and of pixels."""
    cells = dt.axis.record_units(untrained, [_MIDDLE, _ANTERIOR], shown.images, **recorded(settings, member))
    both = _code(settings, member, shown, np.concatenate([c.recorded for c in cells.values()], axis=2))
    anterior = _code(settings, member, shown, cells[_ANTERIOR].recorded)
    first = metamers(member, _responses(untrained, cells[_ANTERIOR]), shown, anterior)[:2]
    values, at = dt.axis.pixels_of(shown.images, 2 * settings["cells"], member)
    pixels = _code(settings, member, shown, firing(settings)(values, derive(member, "pixels") % 2**31))
    second = metamers(member, lambda images, k: images.reshape(len(images), -1)[:, at[k]], shown, pixels)[:2]
    return [(both, *first), (pixels, *second)]


def _responses(net: Any, cells: Any) -> Any:
    """A function (images, cell) -> responses [image] of that cell, without noise."""

    def respond(images: np.ndarray, k: int) -> np.ndarray:
        seen = dt.axis.record_units(net, [_ANTERIOR], images, pool="all", units=cells.positions[[k]])
        return seen[_ANTERIOR].responses[:, 0]

    return respond


def geometry(code: Any, member: int) -> dict[str, float]:
    """How the axes lie to each other: rank, participation ratio, median |cosine|; null_cosine: of random directions."""
    found = code.geometry()
    directions = generator(member, "directions").standard_normal(code.axes.whitened.shape)
    null = dt.axis.axes_geometry(directions, draws=1, seed=member)
    return {
        "axes_rank": float(found.rank),
        "axes_participation": found.participation,
        "axes_cosine": _median_cosine(found),
        "null_cosine": _median_cosine(null),
    }


def _median_cosine(found: Any) -> float:
    return float(np.median(np.abs(found.cosines[np.triu_indices(len(found.cosines), 1)])))


def _rebuilt(shown: World, code: Any) -> tuple[float, np.ndarray]:
    """Median over faces of the distance to the true face over that to the nearest stranger; and the first faces rebuilt."""
    ratio = float(np.median(dt.axis.distractor_ratio(code.decoding.predicted, code.decoding.actual)))
    return ratio, code.reconstruct(lambda features: _drawn(shown, features[:SHOWN]))


def _drawn(shown: World, features: np.ndarray) -> np.ndarray:
    return shown.space.decode(features.astype(np.float32)).clip(0, 1)


def metamers(member: int, respond: Any, shown: World, code: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much the cells whose axis explains most answer to faces moved along their null plane, and along their axis.

    -> root mean square changes [cell], [cell], and pictures of the first cell [3, SHOWN, size, size]: faces, along its null
    plane, along its axis. The length of a step is two standard deviations of the faces along the axis.
    """
    best = np.argsort(-code.axes.explained)[:_METAMER_CELLS]
    faces = generator(member, "metamers").choice(len(shown.coordinates), _METAMER_FACES, replace=False)
    change, pictures = [], np.empty(0)
    for k in code.units[best]:
        plane = dt.axis.null_plane(code, k, faces, _REACH, member)
        change.append(plane.change(lambda f, k=k: respond(_drawn(shown, f), k)))
        if not len(pictures):
            pictures = np.stack([_drawn(shown, f[:SHOWN]) for f in (plane.start, plane.null, plane.along)])
    null, along = np.array(change).T
    return null, along, pictures.astype(np.float32)
