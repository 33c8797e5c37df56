"""A caption asks; the outcome is written by the claims it names, which exist."""

import ast
from pathlib import Path

import pytest

import deeptheory as dt
from deeptheory.studies.study import STUDIES, find
from oracles.stored_runs import load

FOLDER = Path(dt.__file__).parent / "studies"


def shown(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            given = {k.arg: k.value for k in node.keywords}
            if "shows" in given and "limitations" in given:
                yield given


def texts(node):
    return [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


@pytest.mark.parametrize("name", STUDIES)
def test_figures_name_claims_of_their_study(name):
    ids = [c.id for c in find(name).part("claims").CLAIMS]
    named = 0
    for path in (FOLDER / name.replace("-", "_")).glob("*.py"):
        for given in shown(path):
            for start in texts(given["claims"]) if "claims" in given else ():
                if start.startswith("novel-") or start in ("tanh", "even"):
                    continue  # put together from a setting
                assert any(i == start or i.startswith(start + "/") for i in ids), (path.name, start)
                named += 1
    assert named >= 3


@pytest.mark.parametrize("name", STUDIES)
def test_figures_that_decide_a_claim_do_not_say_its_outcome(name):
    """Verdicts and their words stay with the ledger."""
    for path in (FOLDER / name.replace("-", "_")).glob("*.py"):
        for given in shown(path):
            said = " ".join(texts(given["shows"])).lower()
            for word in ("reproduced", "contradicted", "as expected", "clearly", "confirms", "confirmed", "indeed"):
                assert word not in said, (path.name, said)


def drawn_by(name):
    """Figure name -> keywords, of every figure that a study's files draw under a fixed name."""
    for path in (FOLDER / name.replace("-", "_")).glob("*.py"):
        for given in shown(path):
            for at in texts(given["name"]) or ["figure-2"]:  # a function that draws two
                yield at, given


@pytest.mark.parametrize("name", STUDIES)
def test_the_main_figure_and_others_say_what_was_published(name):
    """In words and in the paper's numbers; a number that no source was read for is called unverified."""
    said = {at: " ".join(texts(given["published"])) for at, given in drawn_by(name) if "published" in given}
    assert find(name).part("figures").MAIN in said
    assert len(said) >= (1 if name.startswith("tishby") else 4)  # that paper has one figure of this kind
    for at, text in said.items():
        assert "from memory" not in text or "unverified" in text, (at, text)


@pytest.mark.parametrize("name", STUDIES)
def test_a_region_that_is_drawn_is_said_to_be_shaded(name):
    for path in (FOLDER / name.replace("-", "_")).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_dots"):
                regions = [n for n in ast.walk(node) if isinstance(n, ast.Attribute) and n.attr == "region"]
                if any(getattr(n.value, "id", "") == "charts" for n in regions):
                    assert "haded" in " ".join(texts(node)), (path.name, node.name)


@pytest.mark.parametrize(
    ("study", "figures", "settings", "stale", "said"),
    [
        ("saxe-2018", ("_one_neuron", "_curves", "_falls", "_rebin", "_causes", "_cells"),
            {"bins": 7, "cells": 11, "train": 0.6, "small": 0.25, "batch": 100},
            ("30 cells", "100 cells", "30 even", "13 times", "tanh, 80 %", "100 over the range of all",
                "30 % of the data"),
            ("7 cells", "11 cells", "7 even", "25 times", "tanh, 60 %", "11 over the range of all",
                "25 % of the data")),
        ("goldfeld-2019", ("_quantized",), {"bits": 3}, ("256 levels",), ("8 levels",)),
        ("shwartz-ziv-tishby-2017", ("_falls",), {"activation": "softsign"}, ("than tanh",), ("than softsign",)),
        ("shwartz-ziv-tishby-2017", ("_falls",), {"activation": "relu"}, ("another range",), ("All are read out",)),
        ("rolnick-tegmark-2018", ("_learned",), {"activation": "relu"}, ("tanh with",), ("relu with biases",)),
    ],
)  # fmt: skip
def test_captions_follow_the_settings_of_their_run(study, figures, settings, stale, said):
    results, values, _ = load(study)
    module = find(study).part("figures")
    drawn = [getattr(module, name)(results, values | settings) for name in figures]
    text = "\n".join(f"{d.title} {d.shows} {d.limitations} {d.alt} {d.table.to_csv()}" for d in drawn)
    assert [word for word in stale if word in text] == []
    assert [word for word in said if word not in text] == []


def test_shading_is_said_where_there_is_some():
    results, values, _ = load("goldfeld-2019")
    module = find("goldfeld-2019").part("figures")
    whole = module._penalty(results, values)
    assert "Shaded: where layer4 and layer5 have to lie" in whole.shows
    shallow = {k: d.isel(layer=[0, 1]) if "layer" in d.dims else d for k, d in results.items()}
    assert "haded" not in module._penalty(shallow, values).shows


def test_a_mean_over_nothing_is_said_to_be_none():
    results, values, _ = load("tishby-zaslavsky-2015")
    layers = results["layers"]
    results["layers"] = layers.assign(beta=layers["beta"].where(layers["step"] == layers["step"][0]))
    drawn = find("tishby-zaslavsky-2015").part("figures")._bifurcations(results, values)
    assert "trained none, untrained" in drawn.shows
