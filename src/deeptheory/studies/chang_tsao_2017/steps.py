"""What is trained, shown and recorded; every step is cut into networks, whose faces and people are their own.

"network" trains and saves the weights; "layers" shows the faces to every layer, before and after training, and to
pixels; "population" reads faces out of many cells (figures 3 and 5); "views" shows faces from the side (figure 6);
"simulated" asks the same of cells whose code is known (figures 4L and 7); "photographs" looks into a published network
and at recordings from IT, where the data folder has them.
"""

from functools import partial
from typing import Any

import numpy as np
from torch.nn.utils import parameters_to_vector

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.networks import accuracy, classification_loss, minibatches, train
from deeptheory.runs import Step, derive, generator
from deeptheory.studies.chang_tsao_2017.external_data import photographs
from deeptheory.studies.chang_tsao_2017.layers import (
    CONDITIONS,
    LAST,
    LAYERS,
    MIDDLE,
    World,
    both_networks,
    crowd,
    firing,
    layers,
    loaded,
    pixel_components,
    recorded,
    world,
)  # fmt: skip
from deeptheory.studies.units import seeds

AREAS = (
    "middle",
    "anterior",
    "combined",
)  # the third convolution, the embedding, and both, as the paper combines ML/MF and AM
CONTROLS = ("untrained", "pixels")  # both areas of the network before training, and as many pixels
CANDIDATES = (2, 5, 10, 20, 40, 80, 160, 320)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200)
SHOWN = 8
_METAMER_CELLS, _METAMER_FACES, _REACH = 12, 12, 2.0
_PEOPLE, _YAWS, _SIDE = 25, np.linspace(-90.0, 90.0, 8), 60.0
_VIEW_MEASURES, _VIEW_PERMUTATIONS = ("invariance", "view_grouping", "mirror", "shuffled_high"), 50
_CODE_SIZES = (5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 205)
_ENOUGH, _RELIABILITY = (
    0.8,
    0.5,
)  # identification at which simulated codes are compared, and how reliable their cells are


def check(settings: dict) -> None:
    """InputError: too few faces for the coordinates that are read out of the answers to them, for the candidates
    or for the folds; or too few for a face space of that many components."""
    d = settings["shape"] + settings["appearance"]
    folds = settings["folds"]  # the rivals' parameters are fitted in all folds but one
    least = max(3 * (d + 5), -(-2 * (d + 5) * folds // (folds - 1)), settings["candidates"], 2 * folds)
    if settings["stimuli"] < least:
        raise InputError(
            f"stimuli is {settings['stimuli']}; needed: {least} or more, for {d} coordinates, {settings['candidates']} "
            f"candidates and {settings['folds']} folds"
        )
    world({**settings, "stimuli": 1}, 0)


def network(settings, unit, inputs, workspace, progress):
    """A network that tells people apart; its weights after training, and how well it does on held-out images."""
    import xarray as xr

    images, people, held = crowd(settings, unit)
    net = loaded(settings, unit)
    x, y = as_tensor(images[held]), as_tensor(people[held])
    log = train(
        net,
        minibatches(images[~held], people[~held], batch=settings["batch"], seed=derive(unit, "order") % 2**31),
        classification_loss,
        steps=settings["steps"],
        lr=settings["lr"],
        evaluate=lambda module: {"accuracy": accuracy(module, x, y)},
        every=max(1, settings["steps"] // 10),
        seed=unit,
        checkpoint=workspace / "training",
        progress=progress,
    )
    weights = parameters_to_vector(net.parameters()).detach().numpy()
    return xr.Dataset(
        {"weights": (("seed", "parameter"), weights[None]), "accuracy": (("seed", "look"),
            log.measured["accuracy"][None])},
        coords={"seed": [unit], "look": list(log.steps)},
    )  # fmt: skip


def population(settings, unit, inputs, workspace, progress):
    """One Dataset per network: explained [area, feature], identification, reconstruction, geometry, metamers, examples;
    what begins with control_ is of the controls, [control, ...]."""
    import xarray as xr

    trained, untrained = both_networks(settings, unit, inputs)
    shown, candidates = world(settings, unit), settings["candidates"]
    cells = dt.axis.record_units(trained, LAYERS, shown.images, **recorded(settings, unit))
    areas = {"middle": cells[MIDDLE].recorded, "anterior": cells[LAST].recorded}
    areas["combined"] = np.concatenate(list(areas.values()), axis=2)
    codes = {name: _code(settings, unit, shown, rates) for name, rates in areas.items()}
    progress(1, 4)
    everybody = _code(settings, unit, shown, np.concatenate([c.recorded for c in cells.values()], axis=2))
    sizes = [k for k in SIZES if k < len(everybody.units)]
    by_size, at_n = everybody.identification(candidates, sizes), codes["combined"].identification(candidates)
    progress(2, 4)
    null, along, moved = metamers(unit, _responses(trained, cells[LAST]), shown, codes["anterior"])
    progress(3, 4)
    known = [(codes["combined"], null, along), *_controls(settings, unit, shown, untrained)]
    few = [k for k in SIZES if k < min(len(code.units) for code, *_ in known)]
    numbers = [k for k in CANDIDATES if k <= settings["stimuli"]]
    both, *controls = [
        _read(code, shown, numbers, candidates, few).assign(
            null_change=("metamer_cell", n), axis_change=("metamer_cell", a)
        )
        for code, n, a in known
    ]
    rebuilt = [shown.images[:SHOWN], *(d["rebuilt"].values for d in (both, *controls))]
    progress(4, 4)
    found = xr.Dataset(
        {
            "explained": (("area", "feature"), np.array([codes[a].decoding.explained for a in AREAS])),
            "by_size": ("size", by_size.accuracy[:-1, -1]),
            "everybody": by_size.accuracy[-1, -1],
            "identified": at_n.accuracy[-1, -1],
            "best_single": at_n.best_single[-1],
            "metamers": (("metamer_row", "metamer_column", "y", "x"), moved),
            "reconstructed": (("row", "column", "y", "x"), np.stack(rebuilt)),
            **geometry(codes["combined"], unit),
        },
        attrs={"shape": settings["shape"]},
        coords={"area": list(AREAS), "control": list(CONTROLS), "size": sizes, "both_size": few, "candidates": numbers},
    )
    again = xr.concat(controls, "control").drop_vars("rebuilt").rename(both_by_size="by_size")
    again = again.rename({k: f"control_{k}" for k in again})
    return found.merge(both.drop_vars(["explained", "rebuilt"])).merge(again).expand_dims(seed=[unit])


def _code(settings: dict, member: int, shown: World, rates: np.ndarray) -> Any:
    how = {"permutations": settings["permutations"], "normalize": settings["normalize"], "models": False}
    return dt.axis_code(rates, shown.coordinates, shown.space.blocks, seed=member, **how)


def _read(code: Any, shown: World, numbers: list[int], candidates: int, few: list[int]) -> Any:
    """What is read out of both areas. reconstruction: median over faces of the distance to the true face over that to
    the nearest stranger. rebuilt: the first faces as decoded."""
    import xarray as xr

    ratios = dt.axis.distractor_ratio(code.decoding.predicted, code.decoding.actual)
    return xr.Dataset(
        {
            "explained": ("feature", code.decoding.explained),
            "by_candidates": ("candidates", code.identification(numbers).accuracy[-1]),
            "both_by_size": ("both_size", code.identification(candidates, few).accuracy[:-1, -1]),
            "reconstruction": float(np.median(ratios)),
            "rebuilt": (("column", "y", "x"), code.reconstruct(lambda features: _drawn(shown, features[:SHOWN]))),
        }
    )


def _controls(settings: dict, member: int, shown: World, untrained: Any) -> list[tuple]:
    """(code of both areas, changes along the null plane, along the axis) of the untrained network, and of pixels."""
    cells = dt.axis.record_units(untrained, [MIDDLE, LAST], shown.images, **recorded(settings, member))
    both = _code(settings, member, shown, np.concatenate([c.recorded for c in cells.values()], axis=2))
    anterior = _code(settings, member, shown, cells[LAST].recorded)
    values, at = dt.axis.pixels_of(shown.images, 2 * settings["cells"], member)
    pixels = _code(settings, member, shown, firing(settings)(values, derive(member, "pixels") % 2**31))
    return [
        (both, *metamers(member, _responses(untrained, cells[LAST]), shown, anterior)[:2]),
        (pixels, *metamers(member, lambda images, k: images.reshape(len(images), -1)[:, at[k]], shown, pixels)[:2]),
    ]


def _responses(net: Any, cells: Any) -> Any:
    """A function (images, cell) -> responses [image] of that cell, without noise."""

    def respond(images: np.ndarray, k: int) -> np.ndarray:
        seen = dt.axis.record_units(net, [LAST], images, pool="all", units=cells.positions[[k]])
        return seen[LAST].responses[:, 0]

    return respond


def geometry(code: Any, member: int) -> dict[str, float]:
    """How the axes lie to each other: rank, participation ratio, median |cosine|; null_cosine: of random directions."""
    found = code.geometry()
    directions = generator(member, "directions").standard_normal(code.axes.whitened.shape)
    return {
        "axes_rank": float(found.rank),
        "axes_participation": found.participation,
        "axes_cosine": _median_cosine(found),
        "null_cosine": _median_cosine(dt.axis.axes_geometry(directions, draws=1, seed=member)),
    }


def _median_cosine(found: Any) -> float:
    return float(np.median(np.abs(found.cosines[np.triu_indices(len(found.cosines), 1)])))


def _drawn(shown: World, features: np.ndarray) -> np.ndarray:
    return shown.space.decode(features.astype(np.float32)).clip(0, 1)


def metamers(member: int, respond: Any, shown: World, code: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How much the cells whose axis explains most answer to faces moved along their null plane, and along their axis.

    -> root mean square changes [cell], [cell], NaN where fewer cells were found, and images for the first cell
    [3, SHOWN, size, size]: faces, along its null plane, along its axis.
    The length of a step is two standard deviations of the faces along the axis.
    """
    best = code.units[np.argsort(-code.axes.explained)[:_METAMER_CELLS]]
    faces = generator(member, "metamers").choice(len(shown.coordinates), _METAMER_FACES, replace=False)
    planes = [dt.axis.null_plane(code, k, faces, reach=_REACH, seed=member) for k in best]
    change = [plane.change(lambda f, k=k: respond(_drawn(shown, f), k)) for k, plane in zip(best, planes)]
    found = np.full((2, _METAMER_CELLS), np.nan)
    found[:, : len(best)] = np.array(change).T
    first = planes[0]
    moved = np.stack([_drawn(shown, f[:SHOWN]) for f in (first.start, first.null, first.along)])
    return found[0], found[1], moved.astype(np.float32)


def views(settings, unit, inputs, workspace, progress):
    """Faces from the side: is a cell's appearance axis the same (figure 6), and who is known from view to view?

    view_cosine: [condition, cell]; invariance, view_grouping, mirror: [condition, layer] of view_tolerance, and pixels_
    of each. Procedural heads, so that shape and appearance are the same numbers in every view. The second question is
    that of Freiwald & Tsao 2010: 25 people in 8 views, similarity of the population's answers; which they find
    view-specific in ML/MF, mirror-symmetric in AL and nearly view-invariant in AM.
    """
    import xarray as xr

    if not settings["views"]:
        return xr.Dataset(coords={"seed": [unit]})
    nets, render = both_networks(settings, unit, inputs), dt.faces.ProceduralFaces(settings["size"]).render
    latents = generator(unit, "views").standard_normal((2, settings["stimuli"], 25))
    front, side = (render(*latents, pose=_turned([yaw])[0]).images for yaw in (0.0, _SIDE))
    cosines = [_transfer(settings, unit, net, front, side, np.hstack(list(latents))) for net in nets]
    progress(1, 2)
    of_people = np.repeat(generator(unit, "people in views").standard_normal((2, _PEOPLE, 25)), len(_YAWS), axis=1)
    images = render(*of_people, pose=np.tile(_turned(_YAWS), (_PEOPLE, 1))).images
    how: dict[str, Any] = recorded(settings, unit) | {"noise": None}
    cells = [dt.axis.record_units(net, LAYERS, images, **how) for net in nets]
    pixels = _known(unit, dt.axis.pixels_of(images, settings["cells"], unit)[0])
    known = np.array([[_known(unit, seen[name].responses) for name in LAYERS] for seen in cells])
    progress(2, 2)
    return xr.Dataset(
        {
            "view_cosine": (("condition", "cell"), np.array(cosines)),
            **{name: (("condition", "layer"), known[:, :, k]) for k, name in enumerate(_VIEW_MEASURES)},
            **{f"pixels_{name}": pixels[k] for k, name in enumerate(_VIEW_MEASURES)},
        },
        coords={"condition": list(CONDITIONS), "layer": LAYERS},
    ).expand_dims(seed=[unit])


def _transfer(
    settings: dict, member: int, net: Any, front: np.ndarray, side: np.ndarray, latents: np.ndarray
) -> np.ndarray:
    """[cell]: cosine of the appearance part of the axes, in front and from the side; NaN where there is no cell."""
    how = recorded(settings, member, 2 * settings["cells"])
    first = dt.axis.record_units(net, [LAST], front, **how)[LAST]
    how |= {"units": first.positions, "min_active_fraction": None, "seed": derive(member, "side") % 2**31}
    second = dt.axis.record_units(net, [LAST], side, **how)[LAST]
    code = partial(dt.axis_code, models=False, permutations=settings["permutations"], seed=member)
    blocks = {"shape": slice(0, 25), "appearance": slice(25, 50)}
    codes = [code(cells.recorded, latents, blocks) for cells in (first, second)]
    out = np.full(2 * settings["cells"], np.nan)
    cosines, units = dt.axis.axis_transfer(codes[0], codes[1], block="appearance", which="sta")
    out[units] = cosines
    return out


def _known(member: int, responses: np.ndarray) -> list[float]:
    """The measures of responses [person x view, cell]."""
    who, view = np.repeat(np.arange(_PEOPLE), len(_YAWS)), np.tile(_YAWS.round(1), _PEOPLE)
    mirrors = [(-v, v) for v in _YAWS.round(1) if v > 0]
    found = dt.axis.view_tolerance(responses, who, view, mirrors=mirrors, permutations=_VIEW_PERMUTATIONS, seed=member)
    return [getattr(found, name) for name in _VIEW_MEASURES]


def _turned(yaws: Any) -> np.ndarray:
    return np.array([[yaw, 0, 0, 0, 0, 1.0] for yaw in yaws])


def simulated(settings, unit, inputs, workspace, progress):
    """Accuracy by code, number of cells and reader, and the codes' ratio. eigenface: variance of cells that are axes of
    the face space that pixel components explain, minus that by the space itself."""
    import xarray as xr

    seed = derive(unit, "simulated") % 2**31
    found = dt.axis.metric_efficiency(
        _CODE_SIZES,
        n=settings["stimuli"],
        d=50,
        candidates=settings["candidates"],
        reliability=_RELIABILITY,
        seeds=(seed,),
    )
    progress(1, 2)
    shown = world(settings, unit)
    s = (shown.coordinates - shown.coordinates.mean(0)) / shown.coordinates.std(0)
    drive = s @ generator(unit, "axis cells").standard_normal((s.shape[1], 100)) / np.sqrt(s.shape[1])
    rates = firing(settings)(np.log1p(np.exp(2 * drive)), derive(unit, "axis cells") % 2**31)
    code = partial(dt.axis_code, rates, permutations=0, models=False, seed=unit)
    pixels, space = (code(f).axes.explained.mean() for f in (pixel_components(settings, shown), shown.coordinates))
    progress(2, 2)
    return xr.Dataset(
        {
            "accuracy": (("seed", "code", "size", "reader"), found.accuracy),
            "ratio": (("seed",), found.ratio(_ENOUGH)),
            "eigenface": (("seed",), [float(pixels - space)]),
        },
        coords={"seed": [unit], "code": list(found.metrics), "size": list(_CODE_SIZES), "reader": list(found.readers)},
    )


STEPS = [
    Step(name="network", function=network, units=seeds, about="networks that tell people apart"),
    Step(name="layers", function=layers, units=seeds, needs=("network",), about="axes, flatness, models by layer"),
    Step(name="population", function=population, units=seeds, needs=("network",), about="decoding, metamers"),
    Step(name="views", function=views, units=seeds, needs=("network",), about="faces from the side"),
    Step(name="simulated", function=simulated, units=seeds, about="cells whose code is known"),
    Step(name="photographs", function=photographs, units=seeds, about="a published network; recordings from IT"),
]
