"""What only the data folder has: a published face network on photographed faces, and recordings from monkey IT."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.errors import StoreError
from deeptheory.networks import FaceResNet, face_resnet
from deeptheory.runs import derive, generator
from deeptheory.studies.chang_tsao_2017.cells import recorded

PUBLISHED = ("relu", "conv32_3.relu2", "conv64_3.relu2", "conv128_2.relu2", "conv256_2.relu2")
CONDITIONS = ("trained", "untrained", "pixels")
_SIZE, _CELLS, _TRIALS = 96, 60, 20


def photographs(settings, unit, inputs, workspace, progress):
    """One Dataset a member: draws of faces, cells and trials are its own; the network and the recordings are the same.

    Variables are missing where the data folder lacks what they need; the attribute `missing` says what.
    """
    import xarray as xr

    out, missing = xr.Dataset(coords={"seed": [unit]}), []
    for k, part in enumerate((_network, _neurons, _dissimilarities)):
        try:
            out = out.merge(part(settings, unit))
        except StoreError as error:
            missing.append(str(error))
        progress(k + 1, 3)
    return out.assign_attrs(missing=missing)


def _network(settings: dict, member: int) -> Any:
    """The table of the bench by layer of the published network, for faces drawn from photographs' space; pixels beside."""
    import xarray as xr

    net, found = face_resnet(), dt.datasets.faces(_SIZE, color=True)
    space = dt.faces.FaceSpace.fit(
        found.images, found.landmarks, settings["shape"], settings["appearance"], normalize="released"
    )
    drawn = max(settings["photographs"], 2 * len(space.variances))
    coordinates = space.sample(drawn, derive(member, "photographs") % 2**31)
    images = _cropped(space, space.decode(coordinates).clip(0, 255))
    code = dt.axis.axis_code_by_layer(
        net, PUBLISHED, images, coordinates, space.blocks, untrained=_random_weights(member), permutations=settings["permutations"],
        normalize=settings["normalize"], models=False, **recorded(settings, member, _CELLS),
    )  # fmt: skip
    table = code.table()
    pixels = table[table["condition"] == "pixels"].iloc[0]
    variables: dict[str, Any] = {}
    for key in ("preference", "flat", "explained", "tuned"):
        rows = [table.loc[table["condition"] == c, key].to_numpy() for c in CONDITIONS[:2]]
        variables[f"published_{key}"] = (("seed", "published_condition", "published_layer"), np.array([rows]))
        variables[f"published_pixels_{key}"] = (("seed",), [pixels[key]])
    coords = {"seed": [member], "published_condition": list(CONDITIONS[:2]), "published_layer": list(PUBLISHED)}
    variables["published_faces"] = (("seed", "face", "row", "column", "channel"), images[None, :8].clip(0, 255).astype(np.uint8))  # fmt: skip
    return xr.Dataset(variables, coords=coords)


def _random_weights(member: int) -> Any:
    """The published network's form, never trained."""
    return FaceResNet(derive(member, "random weights") % 2**31).eval()


def _cropped(space: Any, images: np.ndarray) -> np.ndarray:
    """The box around the face space's mask, which the network expects to fill its picture."""
    rows, columns = np.nonzero(space.mask.any(1))[0], np.nonzero(space.mask.any(0))[0]
    return images[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def _neurons(settings: dict, member: int) -> Any:
    """Which of seven objects was shown, by the nearest mean of other pseudo-trials, in every window."""
    import xarray as xr

    neurons = dt.datasets.it_neurons()
    trials, _ = neurons.pseudo_trials(_TRIALS, derive(member, "trials") % 2**31)
    found = dt.axis.label_decoding(trials)
    coords = {"seed": [member], "window": neurons.windows.mean(1)}
    return xr.Dataset({"decoded": (("seed", "window"), found.accuracy[None])}, coords=coords)


def _dissimilarities(settings: dict, member: int) -> Any:
    """How far layers agree with monkey IT on which pictures are alike, over half of the pictures, each member's own; the same
    of human IT, which bounds what can be expected, and of pixels."""
    import xarray as xr

    known = dt.datasets.it_rdms()
    rows = generator(member, "pictures").choice(len(known.images), len(known.images) // 2, replace=False)

    def alike(responses: Any) -> float:
        return float(dt.axis.rdm_correlation(dt.axis.rdm(responses), known.monkey_it, rows, 0))

    values: dict[str, Any] = {
        "rdm_human": (("seed",), [float(dt.axis.rdm_correlation(known.human_it, known.monkey_it, rows, 0))])
    }
    values["rdm_pixels"] = (("seed",), [alike(known.images.reshape(len(known.images), -1))])
    try:
        nets = (face_resnet(), _random_weights(member))
    except StoreError:
        nets = ()
    coords: dict[str, Any] = {"seed": [member]}
    if nets:
        seen = [dt.axis.activations_of(net, PUBLISHED, known.images.astype(np.float32), pool="all") for net in nets]
        table = np.array([[[alike(s[name]) for name in PUBLISHED] for s in seen]])
        values["rdm_published"] = (("seed", "published_condition", "published_layer"), table)
        coords |= {"published_condition": list(CONDITIONS[:2]), "published_layer": list(PUBLISHED)}
    return xr.Dataset(values, coords=coords)
