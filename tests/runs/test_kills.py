"""Runs killed by `kill -9`, by the script that does it 200 times: a few here, every write in the slow test."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # benchmarks are no part of the package

from benchmarks import kills  # noqa: E402


def killed(keep, *arguments):
    command = [sys.executable, "-m", "benchmarks.kills", "--keep", str(keep), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return done, [json.loads(line) for line in keep.read_text().splitlines()]


@pytest.mark.slow  # 20 s; three kills stay in test_run.py
@pytest.mark.timeout(600)  # on a machine that others keep busy
def test_a_few_kills_lose_nothing(tmp_path):
    done, rows = killed(tmp_path / "kills.jsonl", "--few")
    assert done.returncode == 0, done.stderr
    assert {r["trial"]["engine"] for r in rows} == {"serial", "processes"}
    assert all(r["kills"] for r in rows if r["trial"]["at"])  # one at a random moment may come too late
    assert sum(r["trial"]["at"] is not None for r in rows) >= 4
    assert not [r["wrong"] for r in rows if r["wrong"]]


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_kill_at_every_write_loses_nothing(tmp_path):
    done, rows = killed(tmp_path / "kills.jsonl", "--only", "serial", "--kills", "8")
    assert done.returncode == 0, done.stderr
    assert sum(r["kills"] for r in rows) > 200


def test_what_was_lost_shows(tmp_path):
    folder = tmp_path / "r"
    kills.RUNS["small"](folder, "serial")
    unbroken = kills.files(folder)
    assert kills.difference(folder, unbroken) == ""
    (folder / "steps" / "draw" / ".x.new-1").mkdir()
    assert kills.difference(folder, unbroken) == "left over: ['steps/draw/.x.new-1']"
    (folder / "claims.json").write_text("[]")
    assert "differ: ['claims.json']" in kills.difference(folder, unbroken)
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {"times": {}}))
    assert "run.json" not in kills.difference(folder, unbroken)
    (folder / "run.json").write_text(json.dumps(record | {"seed": 1}))
    assert "run.json" in kills.difference(folder, unbroken)


@pytest.mark.parametrize("n", [1, 2, 7, 64])
def test_every_write_comes_once_in_an_order_that_is_spread(n):
    assert sorted(kills.spread(n)) == list(range(1, n + 1))
    if n == 64:
        assert {(k - 1) // 16 for k in kills.spread(n)[:4]} == {0, 1, 2, 3}
