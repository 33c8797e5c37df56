"""Scripts that are run by hand do what they say, at a size that a test can wait for. Times are not tested."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # benchmarks are no part of the package

from benchmarks import capsule_step, covering, gpu, mutants, peak


@pytest.fixture
def script(monkeypatch, capsys):
    """Call a script in this process; exit code, stdout, stderr."""

    def call(module, *arguments):
        monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
        threads = torch.get_num_threads()
        code = module.main()
        torch.set_num_threads(threads)
        return code, *capsys.readouterr()

    return call


def test_the_gpu_script_runs_through_and_goes_on(tmp_path, script):
    tiny = ("--device", "cpu", "--tiny", "--keep", tmp_path / "k.json")
    code, out, err = script(gpu, *tiny, "--page", tmp_path / "p.md")
    assert code == 0, err
    made = json.loads(out)
    assert all(r["finite"] and r["off"] < 1e-4 for r in made["kernels"].values())
    assert set(made["mnist"]) == set(gpu.ROWS)
    assert all(r["steps"] == r["of"] == 6 for r in made["mnist"].values())
    assert "no GPU" in (tmp_path / "p.md").read_text()
    _, again, said = script(gpu, *tiny, "--seconds", 0)
    assert json.loads(again)["kernels"] == made["kernels"]
    assert said == ""  # nothing was left to do


def test_a_training_that_ran_out_of_time_goes_on(tmp_path, script):
    tiny = ("--device", "cpu", "--tiny", "--only", "mnist", "--keep", tmp_path / "k.json")
    done = []
    for seconds in (1e-3, 600):
        _, out, _ = script(gpu, *tiny, "--seconds", seconds)
        done.append([r["steps"] for r in json.loads(out).get("mnist", {}).values()])
    assert sum(done[0]) < 24
    assert done[1] == [6] * 4


def test_without_a_gpu_it_says_so(script, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code, out, err = script(gpu)
    assert (code, out) == (2, "")
    assert "no CUDA device" in err


def test_digits_are_moved_as_loops_move_them():
    x = torch.rand(6, 1, 5, 7)
    got = gpu.moved(x, np.random.default_rng(3), most=2)
    by = np.random.default_rng(3).integers(0, 5, (2, 6)) - 2
    for b in range(6):
        for r in range(5):
            for k in range(7):
                i, j = r + by[0, b], k + by[1, b]
                assert got[b, 0, r, k] == (x[b, 0, i, j] if 0 <= i < 5 and 0 <= j < 7 else 0)


def test_a_wrong_kernel_shows():
    truth = [torch.ones(3, dtype=torch.float64), torch.full((2,), 10.0, dtype=torch.float64)]
    assert gpu.off([truth[0] + 0.5, truth[1]], truth)["off"] == 0.5
    assert gpu.off([truth[0], truth[1] + 1], truth)["off"] == pytest.approx(0.1)  # relative where values are large
    assert not gpu.off([truth[0], truth[1] * np.nan], truth)["finite"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_step_of_the_capsule_network(tmp_path, script):
    code, out, err = script(capsule_step, "--tiny", "--threads", 1, "--page", tmp_path / "p.md")
    assert code == 0, err
    rows = {r["form"]: r for r in json.loads(out)["rows"]}
    assert rows["step"]["operations"] > rows["its convolutions alone"]["operations"] > 0
    assert rows["step, channels last"]["off"] < 1e-5
    assert "bfloat16 minus float32" in (tmp_path / "p.md").read_text()


@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="no /proc")
def test_the_peak_is_of_the_whole_tree():
    hold = "import time; a = bytearray(150_000_000); time.sleep(1.5)"
    both = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}; p.wait()"
    one, two = (peak.measure([sys.executable, "-c", c]) for c in (hold, both))
    assert one["processes"] == 1
    assert two["processes"] == 2
    assert one["peak_gb"] == pytest.approx(0.15, abs=0.05)
    assert two["peak_gb"] == pytest.approx(0.30, abs=0.06)
    assert peak.measure([sys.executable, "-c", "import sys; sys.exit(3)"])["code"] == 3


@pytest.mark.parametrize("science", mutants.KERNELS)
def test_mutants_are_tried_on_files_and_tests_that_exist(science):
    """Tests that were not there ended in an error of pytest's, which was taken for a kill."""
    files, tests = mutants.KERNELS[science]
    assert all((mutants.ROOT / "src/deeptheory" / f).exists() for f in files)
    assert all((mutants.ROOT / t).exists() for t in tests)


@pytest.mark.parametrize(("code", "end"), [(0, True), (1, False), (2, False), (-11, False), (4, None), (5, None)])
def test_a_run_of_no_tests_is_no_kill(code, end):
    if end is None:
        with pytest.raises(SystemExit, match="no such tests"):
            mutants.passed(code)
    else:
        assert mutants.passed(code) == end
    if code == 4:  # of tests that ran before: the changed module no longer loads
        assert not mutants.passed(code, ran_before=True)


def test_a_line_names_the_tests_that_run_it(tmp_path):
    """Those of the line first; of a line that none is seen to run, those of its file."""
    source = tmp_path / "small"
    source.mkdir()
    (source / "__init__.py").write_text(
        "LEAST = 2\n\n\ndef half(x):\n    return x / 2\n\n\ndef twice(x):\n    return x * LEAST\n"
    )
    (tmp_path / "test_small.py").write_text(
        "import pytest\n\nimport small\n\n\n@pytest.mark.parametrize('x', [2, 4])\ndef test_half(x):\n"
        "    assert small.half(x) == x / 2\n\n\ndef test_twice():\n    assert small.twice(2) == 4\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    code, found = covering.record([str(tmp_path / "test_small.py")], source, tmp_path / "kept", environment)
    assert code == 0
    (half, rest), (twice, _), (every, none) = (found.tests("__init__.py", k, k) for k in (5, 9, 1))
    assert [t.rpartition("::")[2] for t in half] == ["test_half"]
    assert [t.rpartition("::")[2] for t in rest] == ["test_twice"]
    assert [t.rpartition("::")[2] for t in twice] == ["test_twice"]
    assert len(every) == 2
    assert none == []
    assert found.tests("absent.py", 1, 9) == [[], []]


def test_survivors_stand_on_the_page_with_their_reasons(tmp_path):
    ends = {"a/b.py:7 Add to Sub | x = y | z": "survived", "a/b.py:9 Lt to LtE | if u < v:": "killed"}
    ends |= {"a/b.py:11 1 to 2 | n = 1": "survived", "a/b.py:12 0 to 1 | while 0:": "undecided (time)"}
    (tmp_path / "axis.json").write_text(json.dumps(ends))
    made = mutants.page(tmp_path, {"a/b.py: Add to Sub | x = y | z": "z is 0"})
    assert "| axis | 4 | 1 | 2 | 1 |" in made
    assert "| a/b.py:7 Add to Sub: `x = y \\| z` | z is 0 |" in made
    assert "| a/b.py:11 1 to 2: `n = 1` | not explained yet |" in made
    assert "Lt to LtE" not in made
