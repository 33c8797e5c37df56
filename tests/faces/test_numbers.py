"""What issue and docs say of faces in numbers, where a clock is not needed: the warp at full size, people, pages."""

import sys
from pathlib import Path

import numpy as np
import pytest

from deeptheory.faces import FaceSpace, ProceduralFaces, recognized

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
from benchmarks.faces import error_of_places, run  # noqa: E402


def test_every_pixel_of_a_large_face_is_within_a_twentieth_of_the_exact_warp():
    images, landmarks, _ = ProceduralFaces(128).sample(60, 0)
    space = FaceSpace.fit(images, landmarks)
    assert error_of_places(space, space.landmarks(space.sample(3, 1))) < 0.05


def test_people_are_known_by_their_coordinates_under_one_light_and_by_their_shape_under_any():
    made = ProceduralFaces(48)
    learnt = made.sample(100, 0)
    space = FaceSpace.fit(learnt.images, learnt.landmarks)
    share = {}
    for light in ("fixed", "any"):
        images, landmarks, _ = made.sample(50, 7, images_per_face=2, pose="near", light=light)
        codes = space.encode(images, landmarks)
        for block, part in {"all": slice(0, 50), **space.blocks}.items():
            share[light, block] = recognized(codes[::2, part], codes[1::2, part], np.arange(50)).mean()
    assert share["fixed", "all"] > 0.95
    assert share["any", "shape"] > 0.8 > share["any", "appearance"]


def test_the_benchmark_runs_and_both_sides_agree():
    rows = run(3, True)
    assert [r.error_of for r in rows] == ["pixels from the exact warp", "s.d. of the first component"]
    assert rows[0].error < 0.05
    assert rows[1].error < 1e-4
    assert all(r.ours_ms > 0 and r.theirs_ms > 0 for r in rows)


@pytest.mark.parametrize("said", ["finds a face in 19", "of 200 strangers", "components a block", "all pixels"])
def test_the_page_gives_the_measured_numbers(said):
    text = (ROOT / "docs" / "faces.md").read_text(encoding="utf-8")
    assert (
        said in text.split("<!-- measured by docs/make_faces.py -->")[1].split("<!-- end of what was measured -->")[0]
    )
