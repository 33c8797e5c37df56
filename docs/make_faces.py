"""Draw the picture of docs/faces.md and measure its numbers: python docs/make_faces.py [--peers FOLDER]

The pictures are docs/images/faces.png and cells_to_faces.png. The numbers stand between comments of docs/faces.md and
are written there. The detector is OpenCV's, in an environment of its own: FOLDER/cv (or DEEPTHEORY_PEERS/cv), made with
`python -m venv FOLDER/cv` and `FOLDER/cv/bin/pip install opencv-python-headless`; without it that line says that it was
not measured.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import deeptheory as dt
from deeptheory.faces import FaceSpace, PixelSpace, held_out, recognized

ROOT = Path(__file__).parents[1]
BEGIN, END = "<!-- measured by docs/make_faces.py -->", "<!-- end of what was measured -->"
PEOPLE, SIZE = 200, 64


def picture() -> None:
    """Strangers, one person under eight lights, one head from side to side."""
    faces = dt.faces.ProceduralFaces(96, color=True)
    turned = np.array([[yaw, 0, 0, 0, 0, 1] for yaw in np.linspace(-90, 90, 8)])
    rows = [
        faces.sample(16, 0),
        faces.sample(1, 3, images_per_face=8, light="any"),
        faces.render(np.zeros((8, 25)), np.zeros((8, 25)), pose=turned),
    ]
    to = ROOT / "docs" / "images" / "faces.png"
    Image.fromarray(dt.faces.montage(np.concatenate([r.images for r in rows]), 8)).save(to, optimize=True)


def components() -> list[str]:
    """The table of errors on held-out identities."""
    images, landmarks, _ = dt.faces.ProceduralFaces(SIZE).sample(PEOPLE, 0)
    table = held_out(images, landmarks, (1, 2, 5, 10, 25)).table()
    lines = [
        f"Identities that the space has not seen ({PEOPLE} procedural faces of {SIZE}x{SIZE}, values 0 to "
        "1, five folds, seed 0):",
        "",
        "| components a block | landmarks, mean distance (pixels) | pixels, rms: face space | pixel "
        "components, equal dimension |",
        "|---|---|---|---|",
    ]
    for _, r in table.iterrows():
        lines.append(
            f"| {r['components']:.0f} | {r['landmark_error']:.3f} | {r['pixel_error']:.4f} | {r['pixels_alone']:.4f} |"
        )
    return lines


def recognition() -> list[str]:
    """People named by the nearest coordinates of their first picture, and by the nearest pixels."""
    made, n = dt.faces.ProceduralFaces(SIZE), 100
    learnt = made.sample(PEOPLE, 0)
    space = FaceSpace.fit(learnt.images, learnt.landmarks)
    pixels = PixelSpace.fit(learnt.images, 50)
    rows = [
        "| second picture | 50 coordinates | 25 of shape | 25 of appearance | 50 pixel components | all pixels |",
        "|---|---|---|---|---|---|",
    ]
    for light, words in (
        ("fixed", "turned by a few degrees, the same light"),
        ("any", "turned by a few degrees, any light"),
    ):
        images, landmarks, _ = made.sample(n, 7, images_per_face=2, pose="near", light=light)
        codes = {
            "all": space.encode(images, landmarks),
            "components": pixels.encode(images),
            "pixels": images.reshape(len(images), -1),
        }
        codes |= {"shape": codes["all"][:, :25], "appearance": codes["all"][:, 25:]}
        share = {
            k: recognized(v[::2], v[1::2], np.arange(n), spread=None if k != "pixels" else np.ones(v.shape[1])).mean()
            for k, v in codes.items()
        }
        rows.append(
            f"| {words} | "
            + " | ".join(f"{share[k]:.0%}" for k in ("all", "shape", "appearance", "components", "pixels"))
            + " |"
        )
    return [f"{n} other people, each named by the nearest first picture among {n} (chance {1 / n:.0%}):", "", *rows]


def pixels_across_light() -> str:
    """Whether the nearest picture is of the same person, twelve pictures each."""
    made, n = dt.faces.ProceduralFaces(SIZE), 40
    one = made.sample(n, 2, images_per_face=12, pose="near", light="fixed").images.reshape(n, 12, -1)
    lights = made.sample(n, 2, images_per_face=12, pose="near", light="any").images.reshape(n, 12, -1)
    gallery, of = one[:, :6].reshape(6 * n, -1), np.repeat(np.arange(n), 6)

    def share(probes):
        squared = (gallery**2).sum(1)[None] - 2 * probes @ gallery.T
        return (of[squared.argmin(1)] == of).mean()

    inside, across = (share(x[:, 6:].reshape(6 * n, -1)) for x in (one, lights))
    return (
        f"Nearest pixels among six pictures each of {n} people name {inside:.1%} of their other pictures "
        "under the same light, "
        f"and {across:.1%} under any light: what a network has to learn is not in the pixels."
    )


def detected(peers: Path | None) -> str:
    """Faces found by a detector that knows nothing of how they were drawn."""
    python = peers / "cv" / "bin" / "python" if peers else None
    if python is None or not python.exists():
        return "How many of 200 faces a stock detector finds was not measured here (OpenCV was not there)."
    images = dt.faces.ProceduralFaces(128).sample(200, 0).images
    framed = np.pad((images * 255).astype(np.uint8), ((0, 0), (40, 40), (40, 40)), constant_values=85)
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "faces.npy", framed)
        script = ROOT / "benchmarks" / "face_detector.py"
        done = subprocess.run([python, script, Path(folder) / "faces.npy"], check=True, capture_output=True, text=True)
    found = np.array(json.loads(done.stdout))
    return (
        f"OpenCV's frontal Haar cascade at its usual settings finds a face in {(found > 0).sum()} of "
        f"{len(found)} strangers of 128x128 "
        f"in a gray margin, and more than one in {(found > 1).sum()}."
    )


def cells() -> list[str]:
    """205 simulated cells whose axes are known: faces rebuilt from them, and moved along the null plane and the
    axis of one.
    """
    made = dt.faces.ProceduralFaces(96)
    people = made.sample(PEOPLE, 0)
    space = FaceSpace.fit(people.images, people.landmarks, background=made.background)
    coordinates = space.sample(2000, 1)
    axes = np.random.default_rng(2).standard_normal((50, 205)) / np.sqrt(50)

    def answers(features: np.ndarray) -> np.ndarray:
        return np.log1p(np.exp(2 * (features / coordinates.std(0)) @ axes))

    code = dt.axis_code(
        dt.axis.Poisson(trials=4)(answers(coordinates), 3), coordinates, space.blocks, models=False, normalize="dim"
    )
    best = int(code.units[code.axes.explained.argmax()])
    plane = dt.axis.null_plane(code, best, np.arange(8), reach=6.0)
    null, along = plane.change(lambda f: answers(f)[:, best])
    ratio = np.median(dt.axis.distractor_ratio(code.decoding.predicted, code.decoding.actual))
    rebuilt = code.reconstruct(lambda f: space.decode(f[:8].astype(np.float32)))
    rows = [
        space.decode(coordinates[:8]),
        rebuilt,
        *(space.decode(f.astype(np.float32)) for f in (plane.null, plane.along)),
    ]
    to = ROOT / "docs" / "images" / "cells_to_faces.png"
    Image.fromarray(dt.faces.montage(np.concatenate(rows).clip(0, 1), 8)).save(to, optimize=True)
    return [
        f"Of 2,000 faces the cells identify {float(code.identification(40)):.1%} among 40; the rebuilt "
        "face is nearer to the true one than "
        f"to the nearest of 1,999 strangers by a factor of {1 / ratio:.1f} (median). Moved along its null "
        "plane the cell's answer changes by "
        f"{null / along:.1%} of what it changes along its axis (root mean square, spikes of "
        f"{np.median(code.reliability):.2f} "
        "reliability in the median cell; correct axes would give 0)."
    ]


CELLS_BEGIN, CELLS_END = "<!-- cells, measured by docs/make_faces.py -->", "<!-- end of cells -->"


def _between(text: str, begin: str, end: str, lines: list[str]) -> str:
    before, rest = text.split(begin)
    return before + begin + "\n" + "\n".join(lines) + "\n" + end + rest.split(end)[1]


def main() -> None:
    parser = argparse.ArgumentParser(prog="docs/make_faces.py")
    parser.add_argument("--peers", type=Path, default=os.environ.get("DEEPTHEORY_PEERS"))
    chosen = parser.parse_args()
    picture()
    lines = [
        *components(),
        "",
        *recognition(),
        "",
        pixels_across_light(),
        "",
        detected(chosen.peers and Path(chosen.peers)),
    ]
    page = ROOT / "docs" / "faces.md"
    text = _between(page.read_text(encoding="utf-8"), BEGIN, END, lines)
    page.write_text(_between(text, CELLS_BEGIN, CELLS_END, cells()), encoding="utf-8")
    print("\n".join(lines), file=sys.stderr)


if __name__ == "__main__":
    main()
