"""Benchmarks run from the command line, and both sides of each compute the same thing. Times are not tested."""

import json
import subprocess
import sys

import pytest


def bench(*arguments):
    done = subprocess.run([sys.executable, "-m", "deeptheory", "bench", *arguments], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [
        ("recorder", 1e-6),
        ("faces", 0.05),
        *(pytest.param(*p, marks=pytest.mark.slow) for p in (("plane", 1e-9), ("population", 1e-5), ("known", 0.02))),
    ],
)
def test_both_sides_agree(name, tolerance):
    code, out, err = bench("--only", name, "--quick", "--json")
    assert code == 0, err
    rows = json.loads(out)["rows"]
    assert rows
    assert all(row["error"] <= tolerance for row in rows if row["error"] is not None)  # a row of times alone has none
    assert all(row["ours_ms"] > 0 and row["theirs_ms"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("name", "left_out"), [("bottleneck", "embo and dit"), ("estimators", "ennemi, npeet-plus, scikit-learn")]
)
def test_a_benchmark_runs_without_its_peers(name, left_out, monkeypatch):
    monkeypatch.delenv("DEEPTHEORY_PEERS", raising=False)
    code, out, err = bench("--only", name, "--quick", "--json")
    assert code == 0, err
    assert f"{left_out}: left out" in err
    assert json.loads(out)["rows"][0]["ours_ms"] > 0


def test_an_unknown_benchmark_is_wrong_use():
    code, out, err = bench("--only", "plan")
    assert (code, out) == (2, "")
    assert "did you mean plane" in err
