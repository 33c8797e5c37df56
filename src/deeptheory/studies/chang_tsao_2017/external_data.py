"""What only the data folder has: a published face network on photographed faces, and recordings from monkey IT; the
step, its measures, its figures."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.errors import StoreError
from deeptheory.faces import image_figure, montage
from deeptheory.networks import FaceResNet, face_resnet
from deeptheory.report import charts
from deeptheory.runs import NotRun, PageFigure, derive, generator
from deeptheory.studies.chang_tsao_2017.layers import CONDITIONS, WORDS, layer_chart, rank_correlation, recorded
from deeptheory.studies.pages import Part
from deeptheory.studies.tables import estimate, table_of

PUBLISHED = ("relu", "conv32_3.relu2", "conv64_3.relu2", "conv128_2.relu2", "conv256_2.relu2")
_MEASURES = ("preference", "flat", "explained", "tuned")
_SIZE, _CELLS, _TRIALS = 96, 60, 20


def photographs(settings, unit, inputs, workspace, progress):
    """One Dataset per member: draws of faces, cells and trials are its own;
    the network and the recordings are the same.

    Variables are missing where the data folder lacks what they need; the attribute `missing` says what.
    """
    import xarray as xr

    out, missing = xr.Dataset(), []
    for k, part in enumerate((_network, _neurons, _dissimilarities)):
        try:
            out = out.merge(part(settings, unit))
        except StoreError as error:
            missing.append(str(error))
        progress(k + 1, 3)
    return out.expand_dims(seed=[unit]).assign_attrs(missing=missing)


def _network(settings: dict, member: int) -> Any:
    """The measures by layer of the published network, for faces drawn from photographs' space; pixels next to it."""
    import xarray as xr

    net, found = face_resnet(), dt.datasets.faces(_SIZE, color=True)
    space = dt.faces.FaceSpace.fit(
        found.images,
        found.landmarks,
        shape=settings["shape"],
        appearance=settings["appearance"],
        normalize="reference_code",
    )
    drawn = max(settings["photographs"], 2 * len(space.variances))
    coordinates = space.sample(drawn, derive(member, "photographs") % 2**31)
    images = _cropped(space, space.decode(coordinates).clip(0, 255))
    code = dt.axis.axis_code_by_layer(
        net, PUBLISHED, images, coordinates, blocks=space.blocks, untrained=_random_weights(member),
            permutations=settings["permutations"],
        normalize=settings["normalize"], models=False, **recorded(settings, member, _CELLS),
    )  # fmt: skip
    by = code.table().set_index("condition")
    names = ("published_condition", "published_layer")
    return xr.Dataset(
        {
            **{f"published_{k}": (names, np.array([by.loc[c, k] for c in CONDITIONS])) for k in _MEASURES},
            **{f"published_pixels_{k}": by.loc["pixels", k] for k in _MEASURES},
            "published_faces": (("face", "row", "column", "channel"), images[:8].clip(0, 255).astype(np.uint8)),
        },
        coords=dict(zip(names, (list(CONDITIONS), list(PUBLISHED)))),
    )


def _random_weights(member: int) -> Any:
    """The published network's form, never trained."""
    return FaceResNet(derive(member, "random weights") % 2**31).eval()


def _cropped(space: Any, images: np.ndarray) -> np.ndarray:
    """The box around the face space's mask, which the network expects to fill its image."""
    rows, columns = np.nonzero(space.mask.any(1))[0], np.nonzero(space.mask.any(0))[0]
    return images[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)


def _neurons(settings: dict, member: int) -> Any:
    """Which of seven objects was shown, by the nearest mean of other pseudo-trials, in every window."""
    import xarray as xr

    neurons = dt.datasets.it_neurons()
    trials, _ = neurons.pseudo_trials(_TRIALS, derive(member, "trials") % 2**31)
    decoded = dt.axis.label_decoding(trials).accuracy
    return xr.Dataset({"decoded": ("window", decoded)}, coords={"window": neurons.windows.mean(1)})


def _dissimilarities(settings: dict, member: int) -> Any:
    """How far layers agree with monkey IT on which images are alike, over half of the images, each member's own; the
    same of human IT, which bounds what can be expected, and of pixels."""
    import xarray as xr

    known = dt.datasets.it_rdms()
    rows = generator(member, "pictures").choice(len(known.images), len(known.images) // 2, replace=False)

    def alike(dissimilarity: Any) -> float:
        return float(dt.axis.rdm_correlation(dissimilarity, known.monkey_it, rows, permutations=0))

    pixels = dt.axis.rdm(known.images.reshape(len(known.images), -1))
    out = xr.Dataset({"rdm_human": alike(known.human_it), "rdm_pixels": alike(pixels)})
    try:
        nets = (face_resnet(), _random_weights(member))
    except StoreError:
        return out
    seen = [dt.axis.activations_of(net, PUBLISHED, known.images.astype(np.float32), pool="all") for net in nets]
    table = np.array([[alike(dt.axis.rdm(s[name])) for name in PUBLISHED] for s in seen])
    coords = {"published_condition": list(CONDITIONS), "published_layer": list(PUBLISHED)}
    return out.assign(rdm_published=(tuple(coords), table)).assign_coords(coords)


def _measured(results: Any, name: str, files: Sequence[str], measure: Callable[[Any], Any]) -> Any:
    """measure of the photographs, or why it cannot be: one of the files is not there."""
    data = results["photographs"]
    if name in data:
        return measure(data).values
    lacking = [m for m in data.attrs.get("missing", []) if any(f in m for f in files)]
    why = "; ".join(lacking) or f"{' or '.join(files)} was not found"
    return NotRun(f"{why}; with it, about ten seconds per member")


def late_appearance(results: Any) -> Any:
    """Spearman of depth with the shape preference in the published network."""
    rows = _measured(
        results,
        "published_preference",
        ("face",),
        lambda d: d["published_preference"].sel(published_condition="trained"),
    )
    return rows if isinstance(rows, NotRun) else rank_correlation(rows)


def flat(results: Any, layer: str) -> Any:
    """Share of flat cells in a layer of the published network."""
    where = {"published_condition": "trained", "published_layer": layer}
    return _measured(results, "published_flat", ("face",), lambda d: d["published_flat"].sel(where))


def objects_decoded(results: Any) -> Any:
    """Accuracy less chance, of seven objects in the best window from 100 to 350 ms."""
    window = slice(100, 350)
    return _measured(
        results, "decoded", ("it_neurons",), lambda d: d["decoded"].sel(window=window).max("window") - 1 / 7
    )


def resembles_it(results: Any) -> Any:
    """Agreement with monkey IT of the published network's last layer, less that of pixels."""
    last = {"published_condition": "trained", "published_layer": PUBLISHED[-1]}
    files = ("face_resnet", "it_rdms")
    return _measured(results, "rdm_published", files, lambda d: d["rdm_published"].sel(last) - d["rdm_pixels"])


def _by_layer(data: Any, pixels: Any) -> Any:
    """One row per condition and layer, and one for pixels, which have none."""
    rows = [
        estimate(
            data.sel(published_condition=c, published_layer=name),
            name="value",
            layer=name.removesuffix(".relu2"),
            condition=WORDS[c],
        )
        for c in CONDITIONS
        for name in data["published_layer"].values.tolist()
    ]
    return table_of([*rows, estimate(pixels, name="value", layer="", condition=WORDS["pixels"])])


def _faces(results: Any, settings: dict) -> PageFigure | None:
    data = results["photographs"]
    if "published_faces" not in data:
        return None
    images = data["published_faces"].values[:2]
    return PageFigure(
        name="published-faces",
        title="Faces drawn from a space of photographs",
        figure=image_figure(
            montage(np.concatenate(images), images.shape[1], low=0, high=255), None, [""] * len(images)
        ),
        table=_by_layer(data["published_tuned"], data["published_pixels_tuned"]),
        shows="What the published network is shown: shape and colors of nobody in particular, "
        "from the data folder's photographs.",
        limitations="Independent Gaussians along components: some draws are unlike anybody. The table gives the "
        "share of tuned cells by layer.",
        alt="Rows of small color faces, drawn from a face space of photographs.",
    )


def _preference(results: Any, settings: dict) -> PageFigure | None:
    data = results["photographs"]
    if "published_preference" not in data:
        return None
    table = _by_layer(data["published_preference"], data["published_pixels_preference"])
    return PageFigure(
        name="published",
        title="A published face network, shown faces of a space of photographs",
        figure=layer_chart(table, "shape preference (median over cells)", 0.0),
        table=table,
        shows="Do shape and appearance preference change with depth in a network that learnt from photographs?",
        claims=("published-network/late-layers-appearance",),
        limitations="One network; the intervals are over draws of faces and cells. Faces are drawn from the space of "
        "the data folder's photographs, cropped to the face.",
        alt="Dots with error bars: median shape preference by layer of the published network, with random weights, "
        "and of pixels.",
    )


def _flatness(results: Any, settings: dict) -> PageFigure | None:
    data = results["photographs"]
    if "published_flat" not in data:
        return None
    table = _by_layer(data["published_flat"], data["published_pixels_flat"])
    return PageFigure(
        name="published-flatness",
        title="The published network: are cells flat orthogonal to their axis?",
        figure=layer_chart(table, "share of tuned cells", 0.5),
        table=table,
        shows="At 1 cells change along their axis alone. How near do layers come?",
        claims=("published-network/flat-orthogonal",),
        limitations="As above. Random weights and pixels are shown next to it.",
        alt="Dots with error bars: share of flat cells by layer of the published network, with random weights, "
        "and of pixels.",
    )


def _objects(results: Any, settings: dict) -> PageFigure | None:
    data = results["photographs"]
    if "decoded" not in data:
        return None
    table = (
        data["decoded"]
        .mean("seed")
        .to_dataframe("accuracy")
        .reset_index()
        .assign(series="132 units")[["series", "window", "accuracy"]]
    )
    figure = charts.lines(
        table, "window", "accuracy", "series", markers=True, x_title="middle of the window (ms after the picture)",
        y_title="objects distinguished (of seven)",
    )  # fmt: skip
    return PageFigure(
        name="neurons",
        title="Monkey IT: which of seven objects was shown",
        figure=charts.reference(figure, level=1 / 7, label="chance"),
        table=table,
        shows="When does the object become readable? Zero is the onset of the picture; chance is one in seven.",
        claims=("it/objects-decoded",),
        limitations="Units were recorded one by one and paired by object, so that their common noise is lost; "
        "objects are not faces of a face space, and no axis can be measured here.",
        alt="A line: accuracy of distinguishing seven objects against time.",
    )


def _alike(results: Any, settings: dict) -> PageFigure | None:
    data = results["photographs"]
    if "rdm_published" not in data:
        return None
    table = _by_layer(data["rdm_published"], data["rdm_pixels"])
    return PageFigure(
        name="dissimilarities",
        title="Which pictures are alike? Layers of the face network and monkey IT",
        figure=layer_chart(table, "Spearman with monkey IT", float(data["rdm_human"].mean()), label="human IT"),
        table=table,
        shows="How far does a layer order 92 pictures as monkey IT does? The dotted line is how far human IT does.",
        claims=("it/network-resembles",),
        limitations="Halves of the same 92 pictures, which overlap, so that the intervals are too narrow. The "
        "pictures are of everything; the network has seen faces only.",
        alt="Dots with error bars: rank correlation with monkey IT by layer, trained and with random weights, with "
        "lines for pixels and human IT.",
    )


SECTION: Part = (
    "Elsewhere",
    "Only where the data folder has them.",
    (_faces, _preference, _flatness, _objects, _alike),
)
