"""The page and the command: the same numbers as in Python, files that say what they are, and how wrong use ends."""

import json

import numpy as np
import pandas as pd
import pytest

from deeptheory.axis import axis_code, simulate
from deeptheory.cli import main
from deeptheory.inspection import write_axis_page


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arrays")
    sim = simulate({"axis": 0.5, "exemplar": 0.5}, n=200, d=6, units=8, seed=4)
    np.save(folder / "r.npy", sim.responses)
    np.save(folder / "f.npy", sim.features)
    return folder, sim


def run(capsys, *arguments):
    code = 0
    try:
        main([str(a) for a in arguments])
    except SystemExit as stop:
        code = stop.code or 0
    out = capsys.readouterr()
    return code, out.out, out.err


def test_the_command_writes_the_page_and_says_what_python_says(files, capsys, tmp_path):
    folder, sim = files
    asked = (
        "axis",
        folder / "r.npy",
        folder / "f.npy",
        "--blocks",
        "shape:2,appearance:4",
        "--folds",
        4,
        "--permutations",
        50,
    )
    code, out, err = run(capsys, *asked, "--out", tmp_path / "run", "--json")
    assert code == 0, err
    said = json.loads(out)
    blocks = {"shape": slice(0, 2), "appearance": slice(2, 6)}
    same = axis_code(sim.responses, sim.features, blocks, folds=4, permutations=50)
    assert said["verdicts"] == same.models.counts
    assert said["preference/shape"] == same.scalars()["preference/shape"]
    units = pd.read_csv(tmp_path / "run" / "units.csv")
    assert units["verdict"].tolist() == same.verdict.tolist()
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Which code do these units use?" in page
    assert "The ledger" not in page
    assert "Preference for shape" in page
    assert str(folder) not in page
    plates = sorted(p.stem for p in (tmp_path / "run" / "figures").glob("*.json"))
    assert plates == ["decoding", "flatness", "geometry", "identification", "models", "preference", "ramp"]
    code, out, _ = run(capsys, *asked, "--out", tmp_path / "run")
    assert code == 0
    assert "AxisCode(8 units" in out
    assert run(capsys, "report", tmp_path / "run")[0] == 0


def test_a_page_without_blocks_and_models(files, tmp_path):
    _, sim = files
    code = axis_code(sim.responses, sim.features, permutations=20, models=False)
    page = write_axis_page(code, tmp_path, source="Simulated.").read_text()
    assert "Simulated. 8 units, 200 stimuli" in page
    assert "Preference" not in page
    assert "Which code?" not in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing.npy", "f.npy"), "missing.npy: there is no such file"),
        (("r.npy", "f.npy", "--blocks", "shape"), "--blocks is 'shape'; needed: NAME:NUMBER"),
        (("r.npy", "f.npy", "--blocks", "shape:9"), "block 'shape' holds"),
        (("r.npy", "f.npy", "--normalize", "no"), "unknown normalisation"),
    ],
)
def test_wrong_use_ends_with_two(files, capsys, tmp_path, arguments, message):
    folder, _ = files
    paths = [folder / a if a.endswith(".npy") else a for a in arguments]
    code, out, err = run(capsys, "axis", *paths, "--out", tmp_path / "run")
    assert (code, out) == (2, "")
    assert message in err
