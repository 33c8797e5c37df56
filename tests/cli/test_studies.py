"""list, reproduce, cite as a user types them."""

import json
from pathlib import Path

import pytest

from cli.running import run
from deeptheory.cli.studies import _ledger, _told
from deeptheory.core.verdicts import VERDICTS
from deeptheory.runs import Ledger
from deeptheory.studies import STUDIES, find

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_study_can_be_cited(capsys):
    for name in STUDIES:
        code, out, _ = run(capsys, "cite", name)
        study = find(name)
        assert code == 0
        first = study.paper.split(",")[0].split(" ")[0]
        assert f"{{{name},\n" in out
        assert "author" in out
        assert f"{{{first}" in out
        assert out.count("{") == out.count("}")
        assert f"{{{name.rpartition('-')[2]}}}" in out  # the year
        assert (study.arxiv in out) if study.arxiv else "howpublished" in out or "journal" in out
        assert "@software{deeptheory" in out
    by_number = json.loads(run(capsys, "cite", "1710.09829", "--json")[1])
    assert list(by_number) == ["sabour-2017", "deeptheory"]
    assert "Sabour and Frosst and Hinton" in by_number["sabour-2017"]
    assert list(json.loads(run(capsys, "cite", "--json")[1])) == ["deeptheory"]
    assert run(capsys, "cite", "sabour-2018")[0] == 2


def test_the_package_is_cited_as_in_its_citation_file(capsys):
    said = (REPOSITORY / "CITATION.cff").read_text()
    out = run(capsys, "cite")[1]
    stated = {
        line.partition(": ")[0].strip(" -"): line.partition(": ")[2].strip('"') for line in said.splitlines() if line
    }
    for key in ("version", "license"):
        assert stated[key] in out
    assert said.split('title: "')[1].split('"')[0] in out
    assert said.split("- name: ")[1].splitlines()[0] in out


@pytest.mark.parametrize("study", STUDIES)
def test_sixty_columns_cut_no_verdict_and_end_with_what_to_open(capsys, monkeypatch, study):
    monkeypatch.setenv("COLUMNS", "60")
    ledger = Ledger.load(REPOSITORY / "docs" / "ledgers" / "runs" / study)
    rows = ledger.rows()
    _told(ledger, Path("runs/demo"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "Open in a browser: runs/demo/report.html"
    assert max(map(len, lines)) <= 60
    begun = (*(v for v in VERDICTS if v not in ("not run", "measured, not judged")), "not judged")
    measured = [r for r in rows if r["measured"] is not None]
    assert sum(line.startswith(begun) for line in lines) == len(measured)
    text = "\n".join(lines)
    assert all(r["id"] in text for r in measured)


def test_a_wide_terminal_gets_a_table(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    rows = Ledger.load(REPOSITORY / "docs" / "ledgers" / "runs" / "saxe-2018").rows()
    _ledger(rows)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split("  ")[0] == "verdict"
    at = lines[0].index("claim")
    measured = [r for r in rows if r["measured"] is not None]
    assert [line[at:].split("  ")[0] for line in lines[1 : len(measured) + 1]] == [r["id"] for r in measured]


def test_list_names_the_steps_that_only_takes(capsys):
    said = json.loads(run(capsys, "list", "saxe-2018", "--json")[1])
    assert said["steps"] == [step.name for step in find("saxe-2018").part("steps").STEPS]
    assert "one-neuron" in run(capsys, "list", "saxe-2018")[1]


def test_a_wrong_step_is_answered_with_near_ones(capsys, tmp_path):
    code, _, err = run(capsys, "reproduce", "saxe-2018", "--only", "tahn", "--out", tmp_path / "r", "--json")
    assert code == 2
    assert "did you mean tanh" in err
