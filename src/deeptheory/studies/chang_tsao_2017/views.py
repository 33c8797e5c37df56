"""Faces from the side: is a cell's appearance axis the same (figure 6), and who is known from view to view?

Procedural heads, so that shape and appearance are the same numbers in every view. The second question is that of Freiwald & Tsao
2010: 25 people in 8 views, similarity of the population's answers; which they find view-specific in ML/MF, mirror-symmetric in AL and
nearly view-invariant in AM.
"""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import derive, generator
from deeptheory.studies.chang_tsao_2017.cells import recorded
from deeptheory.studies.chang_tsao_2017.layers import CONDITIONS, LAYERS

PEOPLE, YAWS, SIDE = 25, np.linspace(-90.0, 90.0, 8), 60.0
_SHUFFLES = 50
_MEASURES = ("invariance", "view_grouping", "mirror", "shuffled_high")


def transfer_and_ladder(settings: dict, member: int, trained: Any, untrained: Any, progress: Any) -> Any:
    """view_cosine: [condition, cell]; invariance, view_grouping, mirror: [condition, layer] of view_tolerance, and
    pixels_ of each."""
    import xarray as xr

    made = dt.faces.ProceduralFaces(settings["size"])
    nets = dict(zip(CONDITIONS, (trained, untrained)))
    cosines = _transfer(settings, member, made, nets)
    progress(1, 2)
    ladder, pixels = _ladder(settings, member, made, nets)
    progress(2, 2)
    variables: dict[str, Any] = {"view_cosine": (("seed", "condition", "cell"), cosines[None])}
    for k, name in enumerate(_MEASURES):
        variables[name] = (("seed", "condition", "layer"), ladder[None, :, :, k])
        variables[f"pixels_{name}"] = (("seed",), pixels[k : k + 1])
    return xr.Dataset(variables, coords={"seed": [member], "condition": list(CONDITIONS), "layer": LAYERS})


def _transfer(settings: dict, member: int, made: Any, nets: dict) -> np.ndarray:
    """[condition, cell]: cosine of the appearance part of the axes, in front and from the side; NaN where there is no cell."""
    latents = generator(member, "views").standard_normal((2, settings["stimuli"], 25))
    front, side = (made.render(*latents, pose=_turned([yaw])[0]).images for yaw in (0.0, SIDE))
    out = np.full((len(nets), 2 * settings["cells"]), np.nan)
    for k, net in enumerate(nets.values()):
        how = recorded(settings, member, 2 * settings["cells"])
        first = dt.axis.cells_of(net, ["relu6"], front, **how)["relu6"]
        how |= {"units": first.positions, "answering": None, "seed": derive(member, "side") % 2**31}
        second = dt.axis.cells_of(net, ["relu6"], side, **how)["relu6"]
        codes = [
            dt.axis_code(
                cells.recorded, np.hstack(list(latents)), {"shape": slice(0, 25), "appearance": slice(25, 50)},
                models=False, permutations=settings["permutations"], seed=member,
            )
            for cells in (first, second)
        ]  # fmt: skip
        cosines, units = dt.axis.axis_transfer(codes[0], codes[1], "appearance", "sta")
        out[k, units] = cosines
    return out


def _ladder(settings: dict, member: int, made: Any, nets: dict) -> tuple[np.ndarray, np.ndarray]:
    """[condition, layer, measure] and [measure] of pixels."""
    latents = np.repeat(generator(member, "people in views").standard_normal((2, PEOPLE, 25)), len(YAWS), axis=1)
    images = made.render(*latents, pose=np.tile(_turned(YAWS), (PEOPLE, 1))).images
    who, view = np.repeat(np.arange(PEOPLE), len(YAWS)), np.tile(YAWS.round(1), PEOPLE)
    mirrors = [(-v, v) for v in YAWS.round(1) if v > 0]

    def measure(responses: np.ndarray) -> list[float]:
        found = dt.axis.view_tolerance(responses, who, view, mirrors, permutations=_SHUFFLES, seed=member)
        return [getattr(found, name) for name in _MEASURES]

    how: dict[str, Any] = recorded(settings, member) | {"noise": None}
    rows = []
    for net in nets.values():
        cells = dt.axis.cells_of(net, LAYERS, images, **how)
        rows.append([measure(cells[name].responses) for name in LAYERS])
    values, _ = dt.axis.pixels_of(images, settings["cells"], member)
    return np.array(rows), np.array(measure(values))


def _turned(yaws: Any) -> np.ndarray:
    return np.array([[yaw, 0, 0, 0, 0, 1.0] for yaw in yaws])
