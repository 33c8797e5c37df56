"""The page of what to trust says what was measured, and everything that it rests on is there."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from deeptheory.information.estimators import MUTUAL_INFORMATION
from trials.test_information import ROWS

sys.path.insert(0, str(Path(__file__).parents[1] / "docs"))

import make_which

ROOT = Path(__file__).parents[1]


def test_the_page_is_what_the_script_writes():
    assert make_which.PAGE.read_text(encoding="utf-8") == make_which.page(), "run docs/make_which.py"


def test_every_step_rests_on_rows_pairs_and_tests_that_are_there():
    cases, pairs = {row.case for row in ROWS}, make_which.pairs()
    for step in make_which.STEPS:
        assert step.rows or step.pairs, step.question
        assert set(step.rows) <= cases
        assert set(step.pairs) <= set(pairs)
        assert all((ROOT / name).is_file() for name in step.tests)
    found = make_which.measured()
    assert sum(row in found for step in make_which.STEPS for row in step.rows) > 10


@pytest.mark.parametrize(("what", "file", "test"), make_which.RULES)
def test_every_rule_names_code_and_a_test_that_are_there(what, file, test):
    path, _, name = test.partition("::")
    assert (ROOT / "src/deeptheory" / file).is_file()
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(encoding="utf-8"), re.M)


def test_what_the_figure_asks_for_can_be_asked():
    said = " ".join(step.answer for step in make_which.STEPS)
    assert {m for m in re.findall(r'"(\w+)"', said) if m != "nsb"} <= set(MUTUAL_INFORMATION)


@pytest.mark.parametrize("theme", make_which.THEMES)
def test_the_figure_is_drawn(theme, tmp_path):
    from PIL import Image

    make_which.draw(theme, tmp_path / "f.png")
    with Image.open(tmp_path / "f.png") as new, Image.open(make_which.DOCS / make_which.PICTURE.format(theme)) as old:
        assert new.size == old.size
        pixels = np.asarray(new.convert("RGB"))
    back = [int(make_which.THEMES[theme][0][k : k + 2], 16) for k in (1, 3, 5)]
    assert pixels[2, 2].tolist() == back
    assert (pixels != back).any(-1).mean() > 0.03
