"""Runs: done once, gone on with after anything, refused where they are of something else."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from deeptheory.core.errors import DeeptheoryError, InputError, StoreError
from deeptheory.runs import NotDone, Run, Step, chunks, derive, members
from deeptheory.runs.lock import locked
from oracles import steps as work


def units(settings):
    return chunks(range(6), 2)


STEPS = [
    Step(name="draw", function=work.draw, units=units),
    Step(name="scaled", function=work.scaled, needs=("draw",)),
]


def run(folder, *, seed=0, study="s", scale="quick", resume=None, threads=1, **settings):
    return Run(
        folder,
        study=study,
        scale=scale,
        seed=seed,
        settings={"factor": 2.0, **settings},
        command="go on",
        resume=resume,
        threads=threads,
    )


def calls(folder):
    path = Path(folder).parent / "calls"
    return len(path.read_text().splitlines()) if path.exists() else 0


def test_a_run_is_a_folder_and_a_second_call_does_nothing(tmp_path):
    first = run(tmp_path / "r").execute(STEPS, progress=False)
    assert calls(tmp_path / "r") == 3
    assert first["draw"]["value"].shape == (6, 4)
    assert first["draw"].attrs == {"names": ["a", "b"]}
    record = json.loads((tmp_path / "r" / "run.json").read_text())
    assert record["study"] == "s"
    assert record["settings"] == {"factor": 2.0}
    assert record["times"]["finished"]
    assert set(record["times"]["steps"]) == {"draw", "scaled"}
    assert record["versions"]["torch"]
    assert str(Path.home()) not in json.dumps(record)
    second = run(tmp_path / "r").execute(STEPS, progress=False)
    assert calls(tmp_path / "r") == 3
    assert second["draw"].identical(first["draw"])
    assert second["scaled"].identical(first["scaled"])


def test_engines_give_the_same_bits(tmp_path):
    a = run(tmp_path / "a").execute(STEPS, engine="serial", progress=False)
    b = run(tmp_path / "b").execute(STEPS, engine="processes", jobs=2, progress=False)
    assert a["draw"].identical(b["draw"])
    assert a["scaled"].identical(b["scaled"])


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_steps_that_share_a_function_differ_by_their_options(tmp_path, engine):
    steps = [
        Step(name="plain", function=work.draw, units=units),
        Step(name="two", function=work.shifted, options={"by": 2.0}, units=units),
        Step(name="three", function=work.shifted, options={"by": 2.0, "also": (1.0,)}, units=units),
    ]
    found = run(tmp_path / "r").execute(steps, engine=engine, jobs=2, progress=False)
    assert np.allclose(found["two"]["value"] - found["plain"]["value"], 2)
    assert np.allclose(found["three"]["value"] - found["plain"]["value"], 3)


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_each_unit_has_the_threads_that_the_run_states(tmp_path, engine):
    steps = [Step(name="threads", function=work.threads, units=units)]
    results = run(tmp_path / "r").execute(steps, engine=engine, jobs=2, progress=False)
    assert (results["threads"]["threads"] == 1).all()


@pytest.mark.parametrize("left", [".a.new-123", ".a.old-123"])
def test_what_a_killed_process_left_half_written_goes(tmp_path, left):
    run(tmp_path / "r").execute(STEPS, progress=False)
    half = tmp_path / "r" / "steps" / "draw" / left
    half.mkdir()
    (half / "zarr.json").write_text("{")
    work_folder = tmp_path / "r" / "steps" / "draw" / ".a.work"
    work_folder.mkdir()
    run(tmp_path / "r").execute(STEPS, progress=False)
    assert not half.exists()
    assert work_folder.exists()  # a unit's workspace holds its checkpoint


@pytest.mark.parametrize("how", ["one core", "jobs 1"])
def test_one_core_or_one_worker_works_in_this_process(tmp_path, how):
    here = Path(__file__).parent
    text = _SCRIPT.format(paths=[str(here), str(here.parent)], folder=str(tmp_path / "r"), engine="processes")
    text = text.replace("wait=1.5", "wait=0.0").replace("jobs=2", "jobs=None" if how == "one core" else "jobs=1")
    (tmp_path / "go.py").write_text(text)
    pin = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if how == "one core" else []
    done = subprocess.run([*pin, sys.executable, str(tmp_path / "go.py")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    same = run(tmp_path / "serial" / "r", wait=0.0).execute(STEPS[:1], progress=False)
    assert run(tmp_path / "r", wait=0.0).execute(STEPS[:1], progress=False)["draw"].identical(same["draw"])


def test_a_killed_worker_says_how_to_go_on(tmp_path, capsys):
    steps = [Step(name="draw", function=work.killed, units=units)]
    with pytest.raises(DeeptheoryError, match="a worker process was killed"):
        run(tmp_path / "r").execute(steps, engine="processes", jobs=2, progress=False)
    assert "To go on: go on" in capsys.readouterr().err


@pytest.mark.parametrize("error", [True, False])
def test_a_full_disk_or_ctrl_c_leaves_what_was_done(tmp_path, error, capsys):
    steps = [Step(name="draw", function=work.fragile, units=units)]
    (tmp_path / "broken").touch()
    with pytest.raises(OSError if error else KeyboardInterrupt):
        run(tmp_path / "r", error=error).execute(steps, progress=False)
    assert "what is done stands in" in capsys.readouterr().err
    (tmp_path / "broken").unlink()
    results = run(tmp_path / "r", error=error).execute(steps, progress=False)
    assert calls(tmp_path / "r") == 3  # the first unit was not done again
    whole = run(tmp_path / "whole" / "r").execute(STEPS[:1], progress=False)
    assert results["draw"].identical(whole["draw"])


_SCRIPT = """
import sys
sys.path[:0] = {paths!r}
from test_run import STEPS, run
if __name__ == "__main__":
    run({folder!r}, wait=1.5).execute(STEPS[:1], engine={engine!r}, jobs=2, progress=False)
"""


@pytest.mark.parametrize("engine", ["serial", "processes", pytest.param("dask", marks=pytest.mark.slow)])
def test_kill_9_loses_nothing_that_was_done(tmp_path, engine):
    here = Path(__file__).parent
    script = _SCRIPT.format(paths=[str(here), str(here.parent)], folder=str(tmp_path / "r"), engine=engine)
    (tmp_path / "go.py").write_text(script)
    process = subprocess.Popen([sys.executable, str(tmp_path / "go.py")])
    done = tmp_path / "r" / "steps" / "draw"
    deadline = time.monotonic() + 60
    while not any(p for p in done.glob("[!.]*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    finished = list(done.glob("[!.]*"))
    assert finished
    before = {p: p.stat().st_mtime_ns for p in finished}
    time.sleep(0.5)
    results = run(tmp_path / "r", wait=1.5)
    for _ in range(40):  # orphaned workers notice within a progress call; until then units may still be theirs
        try:
            got = results.execute(STEPS[:1], progress=False)
            break
        except StoreError:
            time.sleep(0.2)
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())
    whole = run(tmp_path / "whole" / "r", wait=0).execute(STEPS[:1], progress=False)
    assert got["draw"].identical(whole["draw"])


def test_a_unit_s_workspace_outlives_a_kill(tmp_path):
    code = (
        "import sys; sys.path[:0] = {!r}\nfrom test_run import *\n"
        "run({!r}).execute([Step(name='s', function=work.scratch, units=lambda s: [[0]])], progress=False)"
    ).format([str(Path(__file__).parent), str(Path(__file__).parents[1])], str(tmp_path / "r"))
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert not list((tmp_path / "r" / "steps" / "s").glob(".*work"))


def test_a_corrupt_result_names_its_folder_and_only_it_is_made_again(tmp_path):
    first = run(tmp_path / "r").execute(STEPS, progress=False)
    part = sorted((tmp_path / "r" / "steps" / "draw").glob("[!.]*"))[0]
    chunk = next(p for p in (part / "value").rglob("*") if p.is_file() and p.name != "zarr.json")
    chunk.write_bytes(b"\0" * chunk.stat().st_size)
    with pytest.raises(StoreError, match=rf"steps/draw/{part.name} cannot be trusted .* only this unit is made again"):
        run(tmp_path / "r").execute(STEPS, progress=False)["draw"]
    shutil.rmtree(part)
    again = run(tmp_path / "r").execute(STEPS, progress=False)
    assert calls(tmp_path / "r") == 4
    assert again["draw"].identical(first["draw"])


def test_one_step_alone(tmp_path):
    with pytest.raises(NotDone, match="needs draw, whose .* run draw first"):
        run(tmp_path / "r").execute(STEPS, only="scaled", progress=False)
    results = run(tmp_path / "r").execute(STEPS, only="draw", progress=False)
    with pytest.raises(NotDone, match="step scaled has 0 of 1 units"):
        results["scaled"]
    assert "scaled" in run(tmp_path / "r").execute(STEPS, only="scaled", progress=False)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"study": "other"}, "holds a run with study s, not other; choose another folder"),
        ({"scale": "paper"}, "with scale quick, not paper"),
        ({"seed": 1}, "with seed 0, not 1"),
        ({"threads": 2}, "with threads 1, not 2"),
        ({"factor": 3.0}, "with setting factor = 2.0, not 3.0"),
        ({"more": 1}, "with setting more = None, not 1"),
    ],
)
def test_the_folder_of_another_run_is_refused(tmp_path, change, match):
    run(tmp_path / "r").execute(STEPS, progress=False)
    with pytest.raises(StoreError, match=match):
        run(tmp_path / "r", **change).execute(STEPS, progress=False)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"schema": 9}, "schema 9, this version reads 1"),
        ({"versions": {"deeptheory": "7.0.0"}}, "was made by deeptheory 7.0.0"),
        ({"surprise": 1}, "is damaged"),
    ],
)
def test_another_schema_or_version_is_refused(tmp_path, change, match):
    run(tmp_path / "r").execute(STEPS, progress=False)
    path = tmp_path / "r" / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(StoreError, match=match):
        run(tmp_path / "r").execute(STEPS, progress=False)


def test_other_package_versions_are_noted(tmp_path):
    run(tmp_path / "r").execute(STEPS, progress=False)
    path = tmp_path / "r" / "run.json"
    record = json.loads(path.read_text())
    record["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(record))
    again = run(tmp_path / "r")
    again.execute(STEPS, progress=False)
    assert any("numpy 1.0 -> " in note for note in again.record.notes)


@pytest.mark.parametrize("place", ["steps", "steps/draw", "figures", "steps/draw/a"])
def test_links_out_of_the_folder_are_refused(tmp_path, place):
    run(tmp_path / "r").execute(STEPS, progress=False)
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / ".x.new-1").mkdir()
    target = tmp_path / "r" / place
    if target.exists():
        shutil.rmtree(target)
    target.symlink_to(tmp_path / "precious")
    with pytest.raises(StoreError, match="is a symbolic link"):
        run(tmp_path / "r").execute(STEPS, progress=False)
    assert (tmp_path / "precious" / ".x.new-1").exists()


def test_a_whole_run_folder_may_lie_elsewhere(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "r").symlink_to(tmp_path / "disk")
    run(tmp_path / "r").execute(STEPS, progress=False)
    assert (tmp_path / "disk" / "run.json").exists()


@pytest.mark.parametrize("cut", [0, 1, 40])
def test_a_truncated_record_says_what_can_be_done(tmp_path, cut):
    run(tmp_path / "r").execute(STEPS, progress=False)
    path = tmp_path / "r" / "run.json"
    path.write_text(path.read_text()[:cut])
    with pytest.raises(StoreError, match="put back a copy of it, or start again in another folder"):
        run(tmp_path / "r").execute(STEPS, progress=False)


def test_resume_means_what_it_says(tmp_path):
    with pytest.raises(InputError, match="holds no run to resume"):
        run(tmp_path / "r", resume=True).execute(STEPS, progress=False)
    assert not (tmp_path / "r").exists()
    run(tmp_path / "r").execute(STEPS, progress=False)
    run(tmp_path / "r", resume=True).execute(STEPS, progress=False)
    with pytest.raises(InputError, match="holds a run already"):
        run(tmp_path / "r", resume=False).execute(STEPS, progress=False)


def test_a_folder_of_something_else_is_not_touched(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "thesis.tex").write_text("x")
    with pytest.raises(StoreError, match=r"is not a run folder \(no run.json\) and holds thesis.tex"):
        run(tmp_path / "r").execute(STEPS, progress=False)
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be written"):
        run(tmp_path / "file").execute(STEPS, progress=False)


def test_one_process_at_a_time(tmp_path):
    with locked(tmp_path / "r"), pytest.raises(StoreError, match=f"process {os.getpid()} is at work"):
        run(tmp_path / "r").execute(STEPS, progress=False)
    run(tmp_path / "r").execute(STEPS, progress=False)


def test_progress_goes_to_stderr_or_to_a_function(tmp_path, capsys):
    seen = []
    run(tmp_path / "a").execute(STEPS, progress=lambda step, done, total: seen.append((step, done, total)))
    assert seen[0] == ("draw", 0, 3)
    assert ("draw", 3, 3) in seen
    assert ("scaled", 1, 1) in seen
    run(tmp_path / "b").execute(STEPS)
    out = capsys.readouterr()
    assert out.out == ""
    assert "draw: 3 units" in out.err
    assert "draw: done in" in out.err


def returns(value):
    def function(settings, unit, inputs, workspace, progress):
        return value

    function.__qualname__ = "function"
    return [Step(name="s", function=function)]


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda f: run(f).execute(STEPS, engine="slurm"), "unknown engine 'slurm'. Known: serial, processes, dask"),
        (lambda f: run(f).execute(STEPS, jobs=0), "jobs is 0; needed: a number of workers"),
        (lambda f: run(f).execute(STEPS, jobs=-1), "jobs is -1"),
        (lambda f: run(f).execute(STEPS, jobs=1.5), "jobs is 1.5"),
        (lambda f: run(f).execute(STEPS, only="drw"), "unknown step 'drw'; did you mean draw"),
        (lambda f: run(f).execute(STEPS[1:]), "step scaled needs 'draw'"),
        (lambda f: run(f).execute(STEPS + STEPS), "two steps have the name 'draw'"),
        (lambda f: run(f, bad=object()), "settings are no JSON"),
        (lambda f: Run(f, study="s", scale="q", seed=0, settings={"seed": 1}), "settings hold 'seed'"),
        (lambda f: run(f, seed=-1), "seed is -1"),
        (lambda f: run(f, seed=1.5), "seed is 1.5"),
        (lambda f: derive(-1, "x"), "seed is -1"),
        (lambda f: derive(0, ("a", "b")), r"names hold \('a', 'b'\)"),
        (lambda f: members(0, 2.5), "n is 2.5"),
        (lambda f: members(1.5, 2), "seed is 1.5"),
        (lambda f: members(2**62, 2), "needed: an integer from 0 to 922337203685476"),
        (lambda f: chunks([1], 0.5), "size is 0.5"),
        (lambda f: Step(name="a b", function=work.draw), "step name is 'a b'"),
        (lambda f: Step(name="a", function=lambda: 0), "must stand at the top of a module"),
        (lambda f: run(f).execute([Step(name="a", function=work.draw, units=lambda s: [])]), "has 0 units"),
        (lambda f: run(f).execute([Step(name="a", function=work.draw, units=lambda s: [1, 1])]), "1 of them different"),
        (lambda f: run(f).execute(returns(3)), "returned int; a step returns an xarray.Dataset"),
        (lambda f: run(f).execute(returns(xr.Dataset({"a": ("x", [object()])}))), "holds objects"),
        (lambda f: run(f).execute(returns(xr.Dataset(attrs={"a": object()}))), "are no JSON"),
        (lambda f: members(0, 0), "n is 0"),
        (lambda f: chunks([1], 0), "size is 0"),
    ],
)  # fmt: skip
def test_wrong_use(tmp_path, call, match):
    with pytest.raises(InputError, match=match):
        call(tmp_path / "r")


def test_seeds_of_purposes_and_families_stay_apart():
    assert derive(0, "a") != derive(0, "b") != derive(1, "a")
    assert derive(0, "a", "b") != derive(0, "ab")
    assert derive(3, "x") == derive(3, "x")
    assert not set(members(0, 10_000)) & set(members(1, 10_000))
    assert 2**63 - 20_000 < max(members(922337203685476, 10_000)) < 2**63


def test_datasets_come_back_as_they_were(tmp_path):
    from deeptheory.runs.results import read_unit, write_unit

    data = xr.Dataset(
        {
            "f": (("x", "y"), np.array([[1.5, np.nan], [np.inf, -0.0]], dtype=np.float32)),
            "i": ("x", np.array([1, 2**62])),
            "b": ("x", [True, False]),
            "t": ("x", ["ä", "longer"]),
        },
        coords={"x": [3, 4]},
        attrs={"a": [1, 2], "n": np.float64(2.5)},
    )
    write_unit(data, tmp_path / "steps" / "s" / "u")
    back = read_unit(tmp_path / "steps" / "s" / "u")
    assert all(back[k].dtype == data[k].dtype for k in "fib")
    assert np.array_equal(back["f"].values.view(np.int32), data["f"].values.view(np.int32))
    assert back.equals(data)
    assert back.attrs == {"a": [1, 2], "n": 2.5}
