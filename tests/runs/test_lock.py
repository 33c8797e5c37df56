"""The folder of a run is one run's: neither a second run nor workers that a killed one left behind write into it."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deeptheory.core.errors import StoreError
from deeptheory.runs import Run, Step, lock
from deeptheory.runs.lock import LOCK, locked, wait_for_workers, working
from oracles import steps as work

STEPS = [Step(name="draw", function=work.draw, units=lambda s: [[0], [1]])]


def run(folder):
    return Run(folder, study="s", scale="quick", seed=0, settings={}, command="go on")


_WORKER = """
import os, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from deeptheory.runs import Step
from deeptheory.runs.work import Task, perform_for
from oracles import steps as work
step = Step(name="draw", function=work.draw)
folder = Path({folder!r})
owner = os.getppid()
(folder / ".lock").write_text({holder!r}.replace("owner", str(owner)))
perform_for(Task(folder=folder, mark=str(owner), step=step, part="u", unit=[0], settings={{"seed": 0}}, needed={{}},
                 threads=1), owner)
"""


@pytest.mark.parametrize(("holder", "code"), [("owner", 0), ("1", 1), ("", 1)])
def test_a_worker_does_nothing_in_the_folder_of_another_run(tmp_path, holder, code):
    (tmp_path / "r").mkdir()
    text = _WORKER.format(paths=[str(Path(__file__).parents[1])], folder=str(tmp_path / "r"), holder=holder)
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    assert (tmp_path / "r" / "steps" / "draw" / "u").exists() == (code == 0)


_HOLDS = """
import sys, time
from pathlib import Path
from deeptheory.runs.lock import working
with working(Path({folder!r}), "1"):
    print("there", flush=True)
    time.sleep({seconds})
"""


def holding(folder, seconds):
    folder.mkdir()
    text = _HOLDS.format(folder=str(folder), seconds=seconds)
    process = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    return process


def test_a_run_waits_for_the_workers_of_a_killed_one(tmp_path):
    process, started = holding(tmp_path / "r", 1.0), time.monotonic()
    run(tmp_path / "r").execute(STEPS, progress=False)
    assert time.monotonic() - started > 0.9
    assert process.wait() == 0


def test_workers_that_do_not_end_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "_PATIENCE", 0.1)
    process = holding(tmp_path / "r", 60)
    try:
        with pytest.raises(StoreError, match="workers of a run that was killed are still at work"):
            run(tmp_path / "r").execute(STEPS, progress=False)
    finally:
        process.kill()
        process.wait()
    run(tmp_path / "r").execute(STEPS, progress=False)


def test_what_stands_in_the_place_of_the_lock_is_named(tmp_path):
    (tmp_path / "r" / ".workers").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"\.workers cannot be written .* remove it"):
        run(tmp_path / "r").execute(STEPS, progress=False)


def test_workers_of_one_run_work_side_by_side(tmp_path):
    with locked(tmp_path) as mark, working(tmp_path, mark) as one, working(tmp_path, mark) as two:
        assert one
        assert two
        with working(tmp_path, mark + "1") as other:
            assert not other
    (tmp_path / LOCK).unlink()
    with working(tmp_path, mark) as alone:
        assert not alone
    said = []
    wait_for_workers(tmp_path, said.append)
    assert said == []


def test_what_a_killed_run_left_beside_its_results_goes(tmp_path):
    folder = tmp_path / "r"
    run(folder).execute(STEPS, progress=False)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (folder / "figures").mkdir()
    gone = [
        folder / f".claims.json.new-{dead.pid}",
        folder / "figures" / f".a.csv.new-{dead.pid}",
        folder / ".run.json.new-99999999999999999999",
    ]
    part = next(p.name for p in (folder / "steps" / "draw").iterdir() if not p.name.startswith("."))
    gone.append(folder / "steps" / "draw" / f".{part}.share")
    stay = folder / f".page.json.new-{os.getpid()}"  # somebody is about to finish it
    for path in (*gone, stay):
        path.write_text("half")
    (folder / "steps" / "draw" / f".{part}.work").mkdir()
    run(folder).execute(STEPS, progress=False)
    assert not [p for p in gone if p.exists()]
    assert not (folder / "steps" / "draw" / f".{part}.work").exists()
    assert stay.exists()


_SILENT = """
import sys
sys.path[:0] = {paths!r}
from deeptheory.runs import Run, Step
from oracles import steps as work
step = Step(name="silent", function=work.silent, units=lambda s: [[0], [1]])
run = Run({folder!r}, study="s", scale="quick", seed=0, settings={{}}, command="")
run.execute([step], engine="processes", jobs=2, progress=False)
"""


def test_a_step_that_tells_nothing_ends_with_its_run(tmp_path):
    text = _SILENT.format(paths=[str(Path(__file__).parents[1])], folder=str(tmp_path / "r"))
    process = subprocess.Popen([sys.executable, "-c", text])
    deadline = time.monotonic() + 100
    while len(list(tmp_path.glob("pid-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.wait()
    workers = [int(p.name.removeprefix("pid-")) for p in tmp_path.glob("pid-*")]
    assert len(workers) == 2
    deadline = time.monotonic() + 20  # the step itself would take 60 s
    while any(Path(f"/proc/{w}").exists() for w in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{w}").exists() for w in workers)
