"""Reading faces out of many cells: decoding, identification, reconstruction (figure 3), geometry, metamers (figure 5).

Areas: "middle" is the third convolution, "anterior" the embedding, "combined" both, as the paper combines ML/MF and AM.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import generator
from deeptheory.studies.chang_tsao_2017.cells import record, spikes
from deeptheory.studies.chang_tsao_2017.layers import LAYERS
from deeptheory.studies.chang_tsao_2017.stimuli import World, world

AREAS = ("middle", "anterior", "combined")
CANDIDATES = (2, 5, 10, 20, 40, 80, 160, 320)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200)
SHOWN = 8
_METAMER_CELLS, _METAMER_FACES, _REACH = 12, 12, 2.0


def population(settings: dict, member: int, net: Any, progress: Any) -> Any:
    """One Dataset a network: explained [area, feature], identification, reconstruction, geometry, metamers, examples."""
    import xarray as xr

    shown = world(settings, member)
    responses = record(net, shown.images, LAYERS, settings["cells"], member)
    rates = {name: spikes(r, settings, member, f"trained {name}") for name, r in responses.items()}
    areas = {"middle": rates["relu3"], "anterior": rates["relu6"]}
    areas["combined"] = np.concatenate([areas["middle"], areas["anterior"]], axis=2)
    codes = {name: _code(settings, member, shown, r) for name, r in areas.items()}
    progress(1, 3)
    everybody = _code(settings, member, shown, np.concatenate(list(rates.values()), axis=2))
    sizes = [k for k in SIZES if k < len(everybody.units)]
    by_size = everybody.identification(settings["candidates"], sizes)
    combined = codes["combined"]
    by_candidates = combined.identification([k for k in CANDIDATES if k <= settings["stimuli"]])
    at_n = combined.identification(settings["candidates"])
    progress(2, 3)
    geometry = axes_geometry(combined.axes.whitened, member)
    null, along, pictures = metamers(settings, member, net, shown, codes["anterior"])
    predicted, actual = combined.decoding.predicted, combined.decoding.actual
    ratio, faces = reconstructions(shown, predicted, actual)
    variables: dict[str, Any] = {
        "explained": (("seed", "area", "feature"), np.array([[codes[a].decoding.explained for a in AREAS]])),
        "by_candidates": (("seed", "candidates"), by_candidates.accuracy[-1:]),
        "by_size": (("seed", "size"), by_size.accuracy[None, :-1, -1]),
        "everybody": (("seed",), by_size.accuracy[-1:, -1]),
        "identified": (("seed",), at_n.accuracy[-1:, -1]),
        "best_single": (("seed",), at_n.best_single[-1:]),
        "reconstruction": (("seed",), [ratio]),
        "reconstructed": (("seed", "row", "column", "y", "x"), faces[None]),
        "null_change": (("seed", "metamer_cell"), null[None]),
        "axis_change": (("seed", "metamer_cell"), along[None]),
        "metamers": (("seed", "metamer_row", "metamer_column", "y", "x"), pictures[None]),
        **{k: (("seed",), [v]) for k, v in geometry.items()},
    }
    coords = {"seed": [member], "area": list(AREAS), "size": sizes, "candidates": list(by_candidates.candidates)}
    return xr.Dataset(variables, coords=coords)


def _code(settings: dict, member: int, shown: World, rates: np.ndarray) -> Any:
    return dt.axis_code(
        rates,
        shown.coordinates,
        shown.space.blocks,
        shuffles=settings["shuffles"],
        normalize=settings["normalize"],
        models=False,
        seed=member,
    )


def axes_geometry(axes: np.ndarray, member: int) -> dict[str, float]:
    """How axes [cell, feature] lie to each other: rank, participation ratio of their covariance, median |cosine|.

    null_cosine: the same median for directions drawn at random.
    """
    unit = axes / np.linalg.norm(axes, axis=1, keepdims=True)
    values = np.linalg.svd(unit, compute_uv=False)
    pairs = np.triu_indices(len(unit), 1)
    random = generator(member, "directions").standard_normal(unit.shape)
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    return {
        "axes_rank": float((values > 1e-6 * values[0]).sum()),
        "axes_participation": float((values**2).sum() ** 2 / (values**4).sum()),
        "axes_cosine": float(np.median(np.abs(unit @ unit.T)[pairs])),
        "null_cosine": float(np.median(np.abs(random @ random.T)[pairs])),
        "axes": float(len(unit)),
    }


def reconstructions(shown: World, predicted: np.ndarray, actual: np.ndarray) -> tuple[float, np.ndarray]:
    """Median distance of decoded coordinates to the true face over that to the nearest stranger among all shown; and the
    first faces, true above and rebuilt below [2, SHOWN, size, size]."""
    squared = ((predicted[:, None] - actual[None]) ** 2).sum(2)
    own = squared.diagonal().copy()
    np.fill_diagonal(squared, np.inf)
    ratio = float(np.median(np.sqrt(own / squared.min(1))))
    middle, unit = _scaling(shown, actual)
    rebuilt = shown.space.decode((predicted[:SHOWN] * unit + middle).astype(np.float32)).clip(0, 1)
    return ratio, np.stack([shown.images[:SHOWN], rebuilt]).astype(np.float32)


def metamers(settings: dict, member: int, net: Any, shown: World, code: Any) -> tuple:
    """Faces moved along a cell's axis and along its null plane, by the same length: how much the response changes.

    The cells whose axis explains most; the length is two standard deviations of the faces along the axis. A null direction
    has o.w = 0 with the cell's (ridge) axis w, in the normalised space, and is drawn like the faces otherwise.
    -> changes along the null plane and along the axis [cell], root mean square over faces, no noise; and pictures of the
    first cell [3, SHOWN, size, size]: faces, along its null plane, along its axis.
    """
    best = np.argsort(-code.axes.explained)[:_METAMER_CELLS]
    rng = generator(member, "metamers")
    faces = rng.choice(len(shown.coordinates), _METAMER_FACES, replace=False)
    middle, unit = _scaling(shown, code.decoding.actual)
    start = code.decoding.actual[faces]
    moved, pictures = [], []
    for k in best:
        w = code.axes.ridge[k] / np.linalg.norm(code.axes.ridge[k])
        reach = _REACH * (code.decoding.actual @ w).std()
        o = rng.standard_normal(start.shape) * code.decoding.actual.std(0)
        o -= (o @ w)[:, None] * w
        o *= reach / np.linalg.norm(o, axis=1, keepdims=True)
        steps = (o, np.broadcast_to(reach * w, start.shape))
        moved.append([shown.space.decode(((start + s) * unit + middle).astype(np.float32)).clip(0, 1) for s in steps])
        if not pictures:
            pictures = [shown.images[faces][:SHOWN], *(m[:SHOWN] for m in moved[0])]
    images = np.concatenate([shown.images[faces], *(m for pair in moved for m in pair)])
    seen = record(net, images, ["relu6"], settings["cells"], member, shown.images)["relu6"]
    base, rest = seen[: len(faces)], seen[len(faces) :].reshape(len(best), 2, len(faces), -1)
    change = np.array([[np.sqrt(((rest[i, j, :, code.units[k]] - base[:, code.units[k]]) ** 2).mean()) for j in (0, 1)] for i, k in enumerate(best)])  # fmt: skip
    return change[:, 0], change[:, 1], np.stack(pictures).astype(np.float32)


def _scaling(shown: World, actual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Middle and unit [feature] with which coordinates = normalised * unit + middle."""
    middle = shown.coordinates.mean(0)
    return middle, (shown.coordinates - middle).std(0) / actual.std(0)
