"""deeptheory inspect: a page from the command line, one JSON document, a plan before, and what a kill leaves."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from deeptheory.cli import main
from deeptheory.cli.inspection import _command

FILE = """
import time, torch
from torch import nn
class Slow(nn.Sequential):
    def forward(self, x):
        time.sleep(DELAY)
        return super().forward(x)
def make():
    torch.manual_seed(0)
    return Slow(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 2))
def with_probe():
    torch.manual_seed(1)
    return make(), torch.randn(60, 12), torch.arange(60) % 2
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(FILE.replace("DELAY", "0"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    with pytest.raises(SystemExit) as stop:
        main(["inspect", *arguments])
    return stop.value.code or 0


def test_a_page_and_its_sentences(here, capsys):
    assert run("mine.py:with_probe", "--only", "health", "--twins", "2", "--split", "test") == 0
    said = capsys.readouterr()
    assert "page: runs/inspect-mine.py-with_probe/report.html" in said.out
    assert "1. " in said.out
    assert "shared pass" in said.err
    assert "mean over" not in said.out
    page = (here / "runs" / "inspect-mine.py-with_probe" / "report.html").read_text()
    assert "deeptheory inspect mine.py:with_probe --split test --only health --twins 2 --seed 0" in page
    assert str(here) not in page
    assert (
        run("mine.py:with_probe", "--only", "health", "--twins", "1") == 0
    )  # another run of the name has a folder of its own
    assert (here / "runs" / "inspect-mine.py-with_probe-2" / "report.html").exists()


def test_json_is_one_document(here, capsys):
    assert (
        run("mine.py:make", "--probe", "icosahedron", "--first", "50", "--only", "health", "--twins", "1", "--json")
        == 0
    )
    said = json.loads(capsys.readouterr().out)
    assert said["facts"]["drawn"] == "50 of 4,096, drawn with seed 0"
    assert said["page"].endswith("report.html")
    assert run("mine.py:make", "--probe", "icosahedron", "--only", "health", "--plan", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert {r["name"]: r["kept"] for r in said["layers"]} == {"0": False, "1": True, "2": False, "output": True}


def test_a_plan_measures_nothing(here, capsys):
    assert run("mine.py:with_probe", "--only", "health", "--plan") == 0
    said = capsys.readouterr().out
    assert "skipped: 0 (Linear): not a nonlinearity" in said
    assert "about" in said
    assert not (here / "runs").exists()


def test_a_folder_of_checkpoints(here, capsys):
    import torch
    from torch import nn

    for step in (5, 40):
        torch.manual_seed(step)
        torch.save(nn.Sequential(nn.Linear(12, 8), nn.ReLU(), nn.Linear(8, 2)).state_dict(), here / f"step-{step}.pt")
    assert run("mine.py:with_probe", "--only", "health", "--twins", "1", "--checkpoints", str(here), "--out", "x") == 0
    page = (here / "x" / "report.html").read_text()
    assert 'id="training-health-rank"' in page
    assert "2 checkpoints on the same probe" in page
    assert f"--checkpoints {here.name} --out x --seed 0" in page
    assert str(here) not in page
    assert "with 2 checkpoints and 1 twin" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("mine.py:make",), "no probe: pass --probe"),
        (("mine.py:gone", "--probe", "digits"), "has no 'gone'"),
        (("mine.py:with_probe", "--only", "helth"), "did you mean health"),
        (("mine.py:with_probe", "--first", "-1"), "--first is -1"),
        (("mine.py:with_probe", "--budget", "soon"), "budget is 'soon'"),
        (("mine.py:with_probe", "--split", "dev"), "split is 'dev'"),
        (("mine.py:make", "--probe", "digits"), "0 (Linear) takes 12 values and was given 8 values"),
        (("mine.py:make", "--probe", "digits", "--labels", "y"), "digits brings labels of its own"),
    ],
)
def test_wrong_use_is_one_line_and_code_2(here, capsys, arguments, match):
    assert run(*arguments) == 2
    said = capsys.readouterr()
    assert match in said.err
    assert said.out == ""


def test_the_cost_counts_loading_and_planning(here, capsys):
    assert run("mine.py:with_probe", "--only", "health", "--twins", "0", "--json") == 0
    said = capsys.readouterr()
    facts = json.loads(said.out)["facts"]
    assert facts["promised_seconds"] == facts["planning_seconds"] + sum(
        p["seconds"] + p["control_seconds"] for p in facts["promised"]
    )
    assert facts["spent_seconds"] == facts["planning_seconds"] + sum(facts["spent"].values())
    assert facts["planning_seconds"] > 0
    assert "s went into loading and planning" in said.err


def test_help_shows_no_default_that_cannot_be_typed(capsys):
    assert run("--help") == 0
    said = capsys.readouterr().out
    assert "not said" not in said
    assert "--target" not in said
    assert "--labels" in said


FORMS = """
import torch
from torch import nn
def plain():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))
def compiled():
    return torch.compile(plain(), backend="eager")
def half():
    return plain().bfloat16()
"""


def values(here, name, *arguments):
    """(layer, quantity) -> value of a whole run of the command."""
    common = ("--probe", "digits", "--first", "120", "--twins", "1", "--permutations", "2", "--out", name)
    assert run(*arguments, *common) == 0
    kept = json.loads((here / name / "inspection.json").read_text())
    assert not kept["refused"]
    assert (here / name / "report.html").exists()
    return {(r["layer"], r["quantity"]): r["value"] for i in kept["instruments"] for r in i["rows"]}


@pytest.mark.slow
def test_compiled_and_bfloat16_models_give_the_numbers_of_the_plain_one(here, capsys):
    (here / "forms.py").write_text(FORMS)
    plain = values(here, "plain", "forms.py:plain")
    assert values(here, "compiled", "forms.py:compiled") == plain
    half = values(here, "half", "forms.py:half")
    assert half.keys() == plain.keys()
    for key in (("1", "rank"), ("output", "rank"), ("1", "linear"), ("1", "noise_i_y"), ("output", "correlation")):
        assert half[key] == pytest.approx(plain[key], rel=0.03), key


@pytest.mark.slow
def test_an_exported_program_gives_the_numbers_of_its_model(here, capsys):
    import torch

    (here / "forms.py").write_text(FORMS)
    plain = values(here, "plain", "forms.py:plain")
    scope = {}
    exec(FORMS, scope)
    sizes = ({0: torch.export.Dim("n", min=2, max=4096)},)
    exported = torch.export.export(scope["plain"]().eval(), (torch.randn(20, 64),), dynamic_shapes=sizes)
    torch.export.save(exported, here / "free.pt2")
    found = values(here, "pt2", "free.pt2")
    shared = [key for key in found if key[0] in ("input", "output") and key in plain and found[key] is not None]
    assert {("output", "rank"), ("output", "linear"), ("input", "linear")} <= set(shared)
    for key in shared:
        assert found[key] == pytest.approx(plain[key], rel=1e-3), key


@pytest.mark.slow
def test_kill_9_and_the_same_command_goes_on(here):
    (here / "mine.py").write_text(FILE.replace("DELAY", "0.2"))
    command = [
        sys.executable,
        "-m",
        "deeptheory",
        "inspect",
        "mine.py:with_probe",
        "--only",
        "health",
        "--twins",
        "3",
        "--out",
        "run",
        "--batch",
        "30",
    ]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 90
    while not list((here / "run" / "steps").glob("*.json")) and time.monotonic() < until:
        time.sleep(0.02)
    first.send_signal(signal.SIGKILL)
    first.wait()
    done = {p.name: p.stat().st_mtime_ns for p in (here / "run" / "steps").glob("*.json")}
    assert 0 < len(done) < 4
    assert not (here / "run" / "report.html").exists()
    (here / "mine.py").write_text(FILE.replace("DELAY", "0"))
    again = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert {p.name: p.stat().st_mtime_ns for p in (here / "run" / "steps").glob("*.json") if p.name in done} == done
    assert (here / "run" / "report.html").exists()


@pytest.mark.parametrize(
    ("target", "options", "said"),
    [
        ("hf:org/name", {"layers": "encoder.*.mlp"}, "deeptheory inspect hf:org/name --layers 'encoder.*.mlp'"),
        ("/home/me/a b.py:net", {"trust": True}, "deeptheory inspect 'a b.py:net' --trust"),
        ("m.pt2", {"checkpoints": [Path("/x/one two"), Path("three")]},
            "deeptheory inspect m.pt2 --checkpoints 'one two' --checkpoints three"),
    ],
)  # fmt: skip
def test_the_command_of_the_page_can_be_typed(target, options, said):
    assert _command(target, options) == said


@pytest.mark.parametrize("blocks", ["a:1,a:1", "a:\u00b2,b:1", "a:0,b:2"])
def test_blocks_have_names_of_their_own_and_numbers(tmp_path, capsys, monkeypatch, blocks):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    np.save("y.npy", rng.normal(size=(60, 3)))
    np.save("s.npy", rng.normal(size=(60, 2)))
    with pytest.raises(SystemExit, match="2"):
        main(["axis", "y.npy", "s.npy", "--blocks", blocks])
    assert f"--blocks is {blocks!r}" in capsys.readouterr().err
