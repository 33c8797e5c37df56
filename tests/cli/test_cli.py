"""The command line: what it prints where, and how it ends."""

import json
import subprocess
import sys

import pytest

from deeptheory import __version__
from deeptheory.cli import main
from deeptheory.cli.installation import _SCRIPT

STUDY = "shwartz-ziv-tishby-2017"
SMALL = ["--set", "networks=2", "controls=1", "epochs=2", "points=3", "--engine", "serial"]


def run(capsys, *arguments):
    """Exit code, stdout, stderr."""
    code = 0
    try:
        main(list(arguments))
    except SystemExit as stop:
        code = stop.code or 0
    out = capsys.readouterr()
    return code, out.out, out.err


def test_version_and_help(capsys):
    assert run(capsys, "--version") == (0, f"deeptheory {__version__}\n", "")
    code, out, _ = run(capsys, "--help")
    assert code == 0
    assert all(name in out for name in ("list", "reproduce", "report", "data", "doctor"))
    assert ("bench" in out) == _SCRIPT.exists()  # a command of a clone


def test_list_says_names_costs_and_settings(capsys):
    _, out, _ = run(capsys, "list")
    assert STUDY in out
    assert "about 3 minutes on 2 cores" in out
    assert "activation" in out
    rows = json.loads(run(capsys, "list", "--json")[1])
    assert rows[0]["name"] == STUDY
    assert set(rows[0]["scales"]) == {"quick", "standard", "paper"}


def test_data(capsys, tmp_path):
    names = [row["name"] for row in json.loads(run(capsys, "data", "list", "--json")[1])]
    assert names[:2] == ["icosahedron", "committee"]
    for name in ("icosahedron", "ground_truth", "student_teacher"):
        assert "generated" in run(capsys, "data", "get", name)[1]
    code, _, err = run(capsys, "data", "get", "icosahedon")
    assert code == 2
    assert "did you mean icosahedron" in err
    assert run(capsys, "data", "list", "--data", str(tmp_path / "no"))[0] == 2


def test_doctor(capsys):
    found = json.loads(run(capsys, "doctor", "--json")[1])
    assert found["versions"]["deeptheory"] == __version__
    assert set(found) == {"versions", "machine", "device", "data", "browser", "plug-ins"}
    assert "torch" in run(capsys, "doctor")[1]


@pytest.mark.slow
def test_reproduce_report_and_json(capsys, tmp_path):
    folder = str(tmp_path / "r")
    code, out, err = run(capsys, "reproduce", STUDY, "--out", folder, *SMALL)
    assert code == 0
    assert "report.html" in out
    assert "first-layer-flat" in out
    assert "not run" in out
    assert "minibatch: 1 unit\n" in err
    code, out, err = run(capsys, "reproduce", STUDY, "--out", folder, "--json", "--resume", *SMALL)
    assert code == 0
    document = json.loads(out)
    assert document["study"] == STUDY
    assert {c["id"] for c in document["claims"]} >= {"full-information"}
    (tmp_path / "r" / "report.html").unlink()
    code, out, _ = run(capsys, "report", folder)
    assert (tmp_path / "r" / "report.html").exists()
    assert json.loads(run(capsys, "report", folder, "--json")[1])["report"].endswith("report.html")
    assert len(run(capsys, "report", folder, folder)[1].splitlines()) == 2
    assert len(json.loads(run(capsys, "report", folder, folder, "--json")[1])["reports"]) == 2
    assert run(capsys, "reproduce", STUDY, "--out", folder, "--fail-on", "not run", *SMALL)[0] == 1
    assert run(capsys, "reproduce", STUDY, "--out", folder, "--fail-on", "contradicted", *SMALL)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "match"),
    [
        (["reproduce", "saxe"], 2, "unknown study"),
        (["reproduce", STUDY, "--scale", "huge"], 2, "unknown scale"),
        (["reproduce", STUDY, "--set", "lr"], 2, "write NAME=VALUE"),
        (["reproduce", STUDY, "--set", "lr=fast"], 2, "lr is 'fast'"),
        (["reproduce", STUDY, "--set", "rl=1"], 2, "unknown setting 'rl'; did you mean lr"),
        (["reproduce", STUDY, "--fail-on", "sad"], 2, "--fail-on is 'sad'"),
        (["reproduce", STUDY, "--seed", "x"], 2, "seed"),
        (["reproduce", STUDY, "--seed", "-1"], 2, "error: seed is -1"),
        (["reproduce", STUDY, "--data", "nowhere-at-all"], 2, "no folder"),
        (["reproduce"], 2, "name a study, or the arXiv number of its paper; known: shwartz-ziv-tishby-2017"),
        (["reprodcue"], 2, "No such command"),
        (["report", "/nowhere/at/all"], 2, "/nowhere/at/all is no folder"),  # was 1: a wrong folder is wrong use
        (["report", "tests"], 1, "tests/run.json is missing; this is not a complete run"),
        (["compile", "x*y", "--out", "/nowhere/at/all/a.pt2"], 2, "there is no folder /nowhere/at/all"),
        (["cost", "missing.pt2"], 2, "missing.pt2: there is no such file"),
        (["cost", "missing.pt"], 2, "missing.pt: there is no such file"),
        (["cost", "pyproject.toml"], 2, "pyproject.toml is neither a polynomial nor a module"),
        (["cost", "y-1.5*x"], 0, ""),
    ],
)
def test_wrong_use_and_failure(capsys, arguments, code, match):
    got, out, err = run(capsys, *arguments)
    assert got == code
    assert match in err
    assert bool(out) == (code == 0)
    assert "Traceback" not in err


def test_a_damaged_module_and_short_help(capsys, tmp_path):
    (tmp_path / "a.pt2").write_bytes(b"nothing")
    code, _, err = run(capsys, "cost", str(tmp_path / "a.pt2"))
    assert code == 2
    assert "a.pt2 cannot be read as an exported program" in err
    assert "Usage" in run(capsys, "report", "-h")[1]


def test_debug_shows_where(capsys, monkeypatch):
    monkeypatch.setattr("deeptheory.cli.application._debug", False)
    with pytest.raises(ValueError, match="unknown study"):
        main(["--debug", "reproduce", "saxe"])


def test_an_unforeseen_error_is_one_line(capsys, monkeypatch):
    monkeypatch.setattr("deeptheory.cli.application._debug", False)
    monkeypatch.setattr("deeptheory.cli.doctor.examine", lambda: 1 / 0)
    code, _, err = run(capsys, "doctor")
    assert code == 1
    assert err == "error: ZeroDivisionError: division by zero (--debug shows where)\n"


def test_it_runs_as_a_module():
    done = subprocess.run([sys.executable, "-m", "deeptheory", "--version"], capture_output=True, text=True)
    assert done.stdout == f"deeptheory {__version__}\n"


def test_list_of_one_study(capsys):
    from deeptheory.studies import find

    known = find("rolnick-tegmark-2018")
    code, out, _ = run(capsys, "list", "1705.05502")
    assert code == 0
    for said in (
        "about 3 minutes on 2 cores",
        "adadelta",
        "integer 1 to 10000",
        "quick 4, standard 8, paper 20",
        "depth-k-order: <= 2",
    ):
        assert said in out
    row = json.loads(run(capsys, "list", known.name, "--json")[1])
    assert row["settings"]["n"]["default"] == {"quick": 4, "standard": 8, "paper": 20}
    assert row["settings"]["networks"]["range"] == "integer 1 to 10000"
    assert row["scales"]["quick"]["cost"] == known.scales["quick"].cost
    assert [c["id"] for c in row["claims"]] == [c.id for c in known.part("claims").CLAIMS]
    assert run(capsys, "list", "rolnick")[0] == 2
