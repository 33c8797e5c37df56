"""What only the data folder has: a published face network on photographed faces, and recordings from monkey IT."""

from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.arrays import as_numpy, as_tensor
from deeptheory.errors import StoreError
from deeptheory.networks import FaceResNet, face_resnet
from deeptheory.runs import derive, generator
from deeptheory.studies.chang_tsao_2017.cells import record, spikes

PUBLISHED = ("relu", "conv32_3.relu2", "conv64_3.relu2", "conv128_2.relu2", "conv256_2.relu2")
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
    """Preference, flatness and decoding by layer of the published network, for faces drawn from photographs' space."""
    import xarray as xr

    net, found = face_resnet(), dt.datasets.faces(_SIZE, colour=True)
    space = dt.faces.FaceSpace.fit(
        found.images, found.landmarks, settings["shape"], settings["appearance"], normalise="released"
    )
    coordinates = space.sample(
        max(settings["photographs"], 2 * len(space.variances)), derive(member, "photographs") % 2**31
    )
    images = _cropped(space, space.decode(coordinates).clip(0, 255))
    before = FaceResNet().eval()
    rows: dict[str, list] = {"preference": [], "flat": [], "explained": [], "tuned": []}
    for condition, model in (("trained", net), ("untrained", before)):
        responses = record(model, images, PUBLISHED, _CELLS, member)
        for name in PUBLISHED:
            code = dt.axis_code(
                spikes(responses[name], settings, member, f"published {condition} {name}"), coordinates, space.blocks,
                shuffles=settings["shuffles"], normalize=settings["normalize"], models=False, seed=member,
            )  # fmt: skip
            tuned = code.ramp.tuned
            rows["preference"].append(np.median(code.preference.index[tuned]) if tuned.any() else np.nan)
            rows["flat"].append(code.flatness.flat[tuned].mean() if tuned.any() else np.nan)
            rows["explained"].append(code.decoding.explained.mean())
            rows["tuned"].append(tuned.mean())
    shape = (1, 2, len(PUBLISHED))
    return xr.Dataset(
        {
            f"published_{k}": (("seed", "condition", "published_layer"), np.array(v).reshape(shape))
            for k, v in rows.items()
        },
        coords={"seed": [member], "condition": ["trained", "untrained"], "published_layer": list(PUBLISHED)},
    )


def _cropped(space: Any, images: np.ndarray) -> np.ndarray:
    """The box around the face space's mask, which the network expects to fill its picture."""
    rows, columns = np.nonzero(space.mask.any(1))[0], np.nonzero(space.mask.any(0))[0]
    return images[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def _neurons(settings: dict, member: int) -> Any:
    """Which of seven objects was shown, by the nearest mean of other pseudo-trials, in every window; and faces alone."""
    import xarray as xr

    recorded = dt.datasets.it_neurons()
    trials, names = recorded.pseudo_trials(_TRIALS, derive(member, "trials") % 2**31)
    half = _TRIALS // 2
    right = []
    for w in range(trials.shape[3]):
        learn, test = trials[:, :half, :, w], trials[:, half:, :, w]
        spread = learn.std((0, 1)) + 1e-9
        centres, probes = learn.mean(1) / spread, test.reshape(-1, test.shape[2]) / spread
        squared = ((probes[:, None] - centres[None]) ** 2).sum(2)
        right.append((squared.argmin(1) == np.repeat(np.arange(len(names)), test.shape[1])).mean())
    return xr.Dataset(
        {"decoded": (("seed", "window"), np.array([right]))},
        coords={"seed": [member], "window": recorded.windows.mean(1)},
    )


def _dissimilarities(settings: dict, member: int) -> Any:
    """Rank correlation of a layer's dissimilarities (1 - correlation) with those of monkey IT, over half of the pictures,
    each member's own; the same of human IT with monkey IT, which bounds what can be expected."""
    import xarray as xr
    from scipy.stats import spearmanr

    known = dt.datasets.it_rdms()
    rows = generator(member, "pictures").choice(len(known.images), len(known.images) // 2, replace=False)
    pairs = tuple(rows[np.stack(np.triu_indices(len(rows), 1))])
    bound: Any = spearmanr(known.human_it[pairs], known.monkey_it[pairs])
    values: dict[str, Any] = {"rdm_human": (("seed",), [float(bound.statistic)])}
    values["rdm_pixels"] = (("seed",), [_alike(known.images.reshape(len(known.images), -1), pairs, known.monkey_it)])
    try:
        nets = {"trained": face_resnet(), "untrained": FaceResNet().eval()}
    except StoreError:
        nets = {}
    if nets:
        table = np.empty((1, 2, len(PUBLISHED)))
        for c, net in enumerate(nets.values()):
            seen = dt.Recorder(net, as_tensor(known.images.astype(np.float32)), layers=list(PUBLISHED)).activations()
            table[0, c] = [_alike(as_numpy(seen[name])[0], pairs, known.monkey_it) for name in PUBLISHED]
        values["rdm_published"] = (("seed", "condition", "published_layer"), table)
    coords = {"seed": [member]} | ({"condition": list(nets), "published_layer": list(PUBLISHED)} if nets else {})
    return xr.Dataset(values, coords=coords)


def _alike(activations: np.ndarray, pairs: tuple, monkey: np.ndarray) -> float:
    from scipy.stats import spearmanr

    found: Any = spearmanr(1 - np.corrcoef(activations)[pairs], monkey[pairs])
    return float(found.statistic)
