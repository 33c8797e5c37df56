"""report and compare: run folders that are there, and what two of them differ in."""

import json
import shutil
from pathlib import Path

import pytest

from cli.running import run
from deeptheory.core.errors import InputError
from deeptheory.runs.comparison import compare_runs

STORED = Path(__file__).resolve().parents[2] / "docs" / "ledgers" / "runs"
SAXE = STORED / "saxe-2018"


@pytest.fixture
def other(tmp_path):
    """A copy of a stored run in which four claims, its seed and a setting are changed."""
    folder = shutil.copytree(SAXE, tmp_path / "other")
    rows = json.loads((folder / "claims.json").read_text())
    rows[0]["verdict"] = "reproduced"
    rows[1]["measured"] *= 1.1
    for key in ("measured", "low", "high"):
        rows[2][key] += 5
    del rows[3]
    rows[4]["region"] = rows[4]["criterion"] = "> 0.6"
    rows[5]["measured"] *= 1 + 1e-9  # last bits
    rows.append({**rows[6], "id": "new"})
    (folder / "claims.json").write_text(json.dumps(rows))
    record = json.loads((folder / "run.json").read_text())
    record["seed"] = 7
    record["settings"]["epochs"] = 99
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def test_a_run_equals_itself(capsys):
    code, out, _ = run(capsys, "compare", SAXE, SAXE)
    assert (code, out) == (0, "0 of 42 claims moved\n")


def test_what_moved_is_named(capsys, other):
    rows = json.loads((SAXE / "claims.json").read_text())
    found = compare_runs(SAXE, other)
    # the fourth row went, so that the fifth and sixth of the file are the fourth and fifth of the changed one
    assert [(m.id, m.how) for m in found.moved()] == [
        (rows[0]["id"], "verdict"),
        (rows[1]["id"], "number"),
        (rows[2]["id"], "number (intervals apart)"),
        (rows[3]["id"], "removed"),
        (rows[5]["id"], "region"),
        ("new", "added"),
    ]
    assert "seed: 0 -> 7" in found.differences
    assert "epochs: 10000 -> 99" in found.differences
    back = {m.id: m.how for m in compare_runs(other, SAXE).moved()}
    swap = {"added": "removed", "removed": "added"}
    assert back == {m.id: swap.get(m.how, m.how) for m in found.moved()}
    document = json.loads(run(capsys, "compare", SAXE, other, "--json")[1])
    assert [m["id"] for m in document["moved"]] == [m.id for m in found.moved()]
    assert document["claims"] == 43


def test_sixty_columns_cut_no_word(capsys, other, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    _, out, _ = run(capsys, "compare", SAXE, other, "--all")
    assert max(map(len, out.splitlines())) <= 60
    rows = json.loads((SAXE / "claims.json").read_text())
    assert all(r["id"] in out for r in rows)
    assert out.count("contradicted") >= sum(r["verdict"] == "contradicted" for r in rows)
    assert "6 of 43 claims moved" in out


def test_runs_that_cannot_be_compared(capsys, tmp_path):
    with pytest.raises(InputError, match="give two of one study"):
        compare_runs(SAXE, STORED / "sabour-2017")
    code, _, err = run(capsys, "compare", SAXE, "/nonexistent")
    assert code == 2
    assert "/nonexistent is no folder" in err
    code, _, err = run(capsys, "compare", SAXE, tmp_path)
    assert code == 1
    assert "run.json is missing" in err
