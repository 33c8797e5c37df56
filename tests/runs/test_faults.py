"""Runs on a disk that is full, closed, away or shared, and with a clock that jumps: said clearly, and nothing lost."""

import errno
import io
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from deeptheory.core.errors import DeeptheoryError, StoreError
from deeptheory.runs import Run, Step, chunks, record
from oracles import steps as work

STEPS = [
    Step(name="draw", function=work.draw, units=lambda settings: chunks(range(4), 2)),
    Step(name="scaled", function=work.scaled, needs=("draw",)),
]
NOBODY = 65534
ERRORS = (errno.ENOSPC, errno.EROFS, errno.EIO, errno.ESTALE, errno.EDQUOT)


def run(folder, steps=STEPS):
    made = Run(folder, study="s", scale="quick", seed=0, settings={"factor": 2.0}, command="deeptheory reproduce s")
    return made.execute(steps, progress=False)


def held(folder):
    """Every file of a run but its times, by content; zarr's own by what they hold."""
    out = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and name not in ("run.json", ".lock", ".workers"):
            out[name] = path.read_bytes()
    return out


class Disk:
    """A disk whose writes below `folder` fail from the k-th on; counts them."""

    def __init__(self, monkeypatch, folder: Path, k: int, code: int):
        self.folder, self.k, self.code, self.writes = str(folder), k, code, 0
        for home, name in ((io, "open"), ("builtins", "open"), (os, "mkdir"), (os, "replace"), (os, "rename")):
            where = __import__(home) if isinstance(home, str) else home
            monkeypatch.setattr(where, name, self.watching(getattr(where, name), name))

    def watching(self, real, name):
        def call(path, *args, **kwargs):
            mode = args[0] if args else kwargs.get("mode", "r")
            writes = name != "open" or (isinstance(mode, str) and set(mode) & set("wax+"))
            if writes and str(path).startswith(self.folder):
                self.writes += 1
                if self.writes >= self.k:
                    raise OSError(self.code, os.strerror(self.code), str(path))
            return real(path, *args, **kwargs)

        return call


def failing(tmp_path, k, capsys):
    """A run whose k-th write and all later ones fail, and then one on a disk that works; False: it had no k-th."""
    folder = tmp_path / f"r{k}"
    with pytest.MonkeyPatch.context() as patch:
        disk = Disk(patch, folder, k, ERRORS[k % len(ERRORS)])
        seen = None
        try:
            run(folder)
        except DeeptheoryError as error:
            seen = str(error)
        if seen is None:
            return False
    assert os.strerror(disk.code) in seen
    assert "choose another folder" in seen
    said = capsys.readouterr().err
    assert "To go on: deeptheory reproduce s" in said or not (folder / "run.json").exists()
    run(folder)
    return True


@pytest.fixture
def whole(tmp_path):
    run(tmp_path / "whole")
    return held(tmp_path / "whole")


@pytest.mark.parametrize("k", [1, 2, 3, 5, 9, 17, 33])
def test_a_disk_that_fails_loses_nothing(tmp_path, whole, capsys, k):
    if failing(tmp_path, k, capsys):
        assert held(tmp_path / f"r{k}") == whole


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_disk_that_fails_at_any_write_loses_nothing(tmp_path, whole, capsys):
    k = 1
    while failing(tmp_path, k, capsys):
        assert held(tmp_path / f"r{k}") == whole, k
        k += 1
    assert k > 40


@pytest.fixture
def stranger(tmp_path):
    """Somebody without the rights of root, for whom folders can be closed."""
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == os.getuid() and parent.is_relative_to("/tmp"):  # pytest closes its own
            parent.chmod(parent.stat().st_mode | 0o055)
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="folders are closed otherwise there")
def test_a_folder_that_is_closed_is_said(tmp_path, stranger):
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o555)
    with pytest.raises(StoreError, match="Permission denied.*choose another folder"):
        run(closed / "r")
    open_once = tmp_path / "r"
    run(open_once)
    before = held(open_once)
    shutil.rmtree(open_once / "steps" / "scaled" / "all", ignore_errors=True)
    for place in (open_once / "steps" / "scaled", open_once):
        place.chmod(0o555)
    with pytest.raises(StoreError, match="Permission denied"):
        run(open_once)
    for place in (open_once, open_once / "steps" / "scaled"):
        place.chmod(0o755)
    run(open_once)
    assert held(open_once) == before


def gone(settings, unit, inputs, workspace, progress):
    """The run folder goes away while the second unit works."""
    if unit[0] == 2:
        shutil.rmtree(workspace.parents[2])
    return xr.Dataset({"value": ("seed", np.zeros(len(unit)))}, coords={"seed": list(unit)})


def test_a_folder_that_goes_away_is_said_and_not_made_anew(tmp_path, capsys):
    steps = [Step(name="draw", function=gone, units=lambda settings: chunks(range(6), 2))]
    with pytest.raises(StoreError, match="is gone: it was moved or removed, or its disk or network is away"):
        run(tmp_path / "r", steps)
    assert "To go on: deeptheory reproduce s" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_two_processes_do_not_meet_in_a_folder(tmp_path):
    code = (
        "import sys; from deeptheory.runs.lock import locked; from pathlib import Path\n"
        f"with locked(Path({str(tmp_path / 'r')!r})):\n    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=f"process {other.pid} is at work in .*wait for it or choose another"):
            run(tmp_path / "r")
        other.kill()
    run(tmp_path / "r")


def test_a_clock_that_jumps_changes_no_result(tmp_path, whole, monkeypatch):
    hours = iter((23, 1, 12, 0, 5, *[3] * 100))

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(1971, 1, 1, next(hours), tzinfo=tz or UTC)

    monkeypatch.setattr(record, "datetime", Clock)
    monkeypatch.setattr("time.time", lambda: float(next(hours)))
    run(tmp_path / "r", STEPS[:1])
    run(tmp_path / "r")
    assert held(tmp_path / "r") == whole
    kept = record.read_record(tmp_path / "r")
    assert all(spent >= 0 for spent in kept.times["steps"].values())
