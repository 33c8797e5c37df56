"""The benchmarks run without their peers and say so; both sides compute the same thing. Times are not tested."""

import importlib.util
import io
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]


def run(*command):
    environment = {k: v for k, v in os.environ.items() if k != "DEEPTHEORY_PEERS"}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


@pytest.mark.slow
def test_it_runs():
    measured, _ = run("-m", "deeptheory", "bench", "--only", "cheap", "--quick", "--json")
    rows = measured["rows"]
    assert all(row["error"] <= 1e-4 for row in rows if row["error"] is not None)
    assert [row["ratio"] > 1e4 for row in rows if "bound the error" in row["name"]] == [True] * 3


@pytest.fixture(scope="module")
def formulas():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT))
        patch.delenv("DEEPTHEORY_PEERS", raising=False)
        compilers = import_module("benchmarks.compilers")
        said = io.StringIO()
        patch.setattr(sys, "stderr", said)
        threads = torch.get_num_threads()
        measured = compilers.measure(2, quick=True)
        torch.set_num_threads(threads)
    return {"machine": {"processor": "P", "cores": 2}, "formulas": measured}, said.getvalue()


def test_formulas_are_compiled_without_peers(formulas):
    measured, said = formulas
    assert "polybake_peer is left out" in said
    assert "formula_peers is left out" in said
    for m in measured["formulas"]:
        assert 0 < m["ours"]["error"] <= m["ours"]["certified"] <= 1e-3 * m["size"]
        assert m["trained"]["error"] > m["ours"]["error"]
        assert m["intervals"] > 1
        assert "kan" not in m


def test_the_table_says_what_was_measured(formulas):
    spec = importlib.util.spec_from_file_location("make_compilers", ROOT / "docs/make_compilers.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    measured = json.loads(json.dumps(formulas[0]))
    wrong = {"error": 2.0, "build": 0.02, "run": 0.003, "size": 32, "failed": ""}
    measured["formulas"][0] |= {"kan": wrong, "sympytorch": wrong, "polybake": {"failed": "LoweringError: f"}}
    measured["formulas"][1]["ours"] = {"refused": "it reaches 0"}
    old = f"before\n{made.START}\nold\n{made.END}\nafter\n"
    page = made.page(measured, old)
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "old" not in page
    first, second = (
        line.split("|")[1:-1] for line in page.splitlines() if line.startswith(("| pykan issue 5", "| pykan issue 46"))
    )
    assert len(first) == len(second) == made.HEAD.splitlines()[0].count("|") - 1
    assert first[1].strip() == str(measured["formulas"][0]["ours"]["neurons"])
    assert first[7].strip() == "**no**"
    assert second[1].strip() == "refused"
    assert "- Ours, pykan issue 463: it reaches 0" in page
    assert "PolyBake, pykan issue 557: LoweringError\n" in page  # its own words are long and Japanese
    assert made.page(measured, page) == page
    with pytest.raises(ValueError, match="substring not found"):
        made.page(measured, "no marks")
