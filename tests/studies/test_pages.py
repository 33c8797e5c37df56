"""Every study's page says whose paper it is and opens with a figure that the study draws."""

import ast
from pathlib import Path

import pytest

import deeptheory as dt
from deeptheory.studies.pages import paper
from deeptheory.studies.study import STUDIES, find

FOLDER = Path(dt.__file__).parent / "studies"


@pytest.mark.parametrize("name", STUDIES)
def test_the_paper_is_named_and_linked(name):
    study = find(name)
    said = paper(study.part("figures"))
    assert f"{said['authors']} {said['year']}".split()[0] in study.paper
    assert said["links"]
    assert all(address.startswith("https://") for _, address in said["links"])
    assert said["bibtex"].count("@") == 2
    assert len(study.part("figures").lead(study.values("quick")[0], "quick")) < 260  # a sentence or two


@pytest.mark.parametrize("name", STUDIES)
def test_the_first_figure_is_one_that_the_study_draws(name):
    names = {
        k.value.value
        for path in (FOLDER / name.replace("-", "_")).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        for k in node.keywords
        if k.arg == "name" and isinstance(k.value, ast.Constant)
    }
    names |= {"figure-2"} if name.startswith("tishby") else set()  # given to a function that draws two
    assert find(name).part("figures").MAIN in names
