"""Doing one unit of a step, in whatever process: read what it needs, call its function, keep its result.

Pitfall: bits must not depend on the engine. So every unit gets its own copy of the settings, reads its inputs from
disk, and runs with the number of threads that run.json states.
"""

import contextlib
import copy
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from deeptheory.core.errors import DeeptheoryError, StoreError
from deeptheory.core.places import Folder, RemotePath
from deeptheory.runs.lock import LOCK, held, working
from deeptheory.runs.results import Results, unit_path, write_unit
from deeptheory.runs.steps import Step

_TELL_EVERY = 0.2  # seconds between two writes of a unit's progress
_LOOK_EVERY = 0.2  # seconds between two looks whether the owner is there
_ASK_EVERY = 5.0  # the same where the folder lies in an object store, which counts requests
_owner: int | None = None  # in a worker: the process it works for
_theirs: tuple[Folder, str] | None = None  # in a cluster's worker: the folder, and the mark of the run that has it
_looked = 0.0  # when it last looked whether that is so
_ALONE = threading.Lock()
_TAKEN = "the run folder belongs to another run by now; this unit is given up"


@dataclass(frozen=True, kw_only=True)
class Task:
    """One unit of work, as it travels to a worker. mark: by which the folder's lock names the run."""

    folder: Folder
    mark: str
    step: Step
    part: str
    unit: Any
    settings: dict
    needed: dict[str, Step]
    threads: int

    @contextlib.contextmanager
    def workspace(self):
        """The unit's own folder, which outlives a kill; on this machine where the run folder is not, and goes then."""
        if isinstance(self.folder, RemotePath):
            with tempfile.TemporaryDirectory(prefix="deeptheory-") as folder:
                yield Path(folder)
        else:
            place = _workspace(self.folder, self.step.name, self.part)
            try:
                place.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"{self.folder} cannot be written ({error}); free space or choose another folder"
                ) from error
            yield place

    def do(self) -> None:
        """Do the unit, and write its result into the folder."""
        settings = copy.deepcopy(self.settings)
        inputs = Results(self.folder, self.needed, settings, unit=self.unit)
        with limited_threads(self.threads), self.workspace() as workspace:
            unit, options = copy.deepcopy((self.unit, dict(self.step.options)))
            data = self.step.function(settings, unit, inputs, workspace, teller(self), **options)
        stop_if_orphaned()
        check_there(self.folder)
        write_unit(data, unit_path(self.folder, self.step.name, self.part))
        clear(self.folder, self.step.name, self.part)


class Job(Protocol):
    """What an engine can have done: a Task, or another of the same form. do() writes its result into the folder; mark:
    by which the folder's lock names the run; threads: that it may use."""

    @property
    def folder(self) -> Folder: ...  # noqa: D102
    @property
    def mark(self) -> str: ...  # noqa: D102
    @property
    def threads(self) -> int: ...  # noqa: D102
    def do(self) -> None: ...  # noqa: D102


def perform(task: Job) -> float:
    """Do it; seconds taken."""
    started = time.monotonic()
    task.do()
    return time.monotonic() - started


def check_there(folder: Folder) -> None:
    """StoreError: the run folder went away while its run was at work; made again, it would hold a part of a run."""
    if not isinstance(folder, RemotePath) and not (folder / LOCK).exists():
        raise StoreError(
            f"{folder} is gone: it was moved or removed, or its disk or network is away; bring it back and go on, or "
            "choose another folder"
        )


def clear(folder: Folder, step: str, part: str) -> None:
    """Remove what a unit that is done needed on its way."""
    if isinstance(folder, RemotePath):
        return
    shutil.rmtree(_workspace(folder, step, part), ignore_errors=True)
    _share_file(folder, step, part).unlink(missing_ok=True)


def _workspace(folder: Path, step: str, part: str) -> Path:
    return unit_path(folder, step, f".{part}.work")


def _share_file(folder: Path, step: str, part: str) -> Path:
    return unit_path(folder, step, f".{part}.share")


def perform_for(task: Job, owner: int) -> float:
    """perform in a worker of the process `owner`; the work stops when that process is gone."""
    global _owner
    if owner == os.getpid():  # an engine may work in the owner's own process
        _owner = None
        return perform(task)
    if _owner != owner:
        _owner = owner
        threading.Thread(target=_end_with, args=(owner,), daemon=True).start()
    with working(task.folder, task.mark) as ours:
        if not ours:
            if isinstance(task.folder, RemotePath):
                raise DeeptheoryError(_TAKEN)
            os._exit(1)  # its run is gone: nobody hears an error
        return perform(task)


def perform_anywhere(task: Job) -> float:
    """perform in a worker that is nobody's child, on this or another machine, while the folder's lock names its run.

    One unit at a time in a process, whatever its number of threads. DeeptheoryError: another run has the folder now.
    """
    global _theirs
    with _ALONE, working(task.folder, task.mark) as ours:
        if not ours:
            raise DeeptheoryError(_TAKEN)
        try:
            _theirs = (task.folder, task.mark)
            return perform(task)
        finally:
            _theirs = None


def _end_with(owner: int) -> None:
    """Steps that do not tell of their progress end with the process that they work for, too."""
    while _owner == owner:
        stop_if_orphaned()
        time.sleep(_LOOK_EVERY)


def teller(task: Task) -> Callable[[int, int], None]:
    """progress(done, total) for a step's function: leaves the share done in a small file, from any process."""
    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        stop_if_orphaned()
        if time.monotonic() - last >= _TELL_EVERY:
            last = time.monotonic()
            if (file := share_file(task)) is None:
                return
            with contextlib.suppress(OSError):  # only a display; a full disk shows where results are written
                file.write_text(str(done / max(total, 1)))

    return progress


def share_file(task: Task) -> Path | None:
    """Where a unit at work says which share of it is done; nowhere in an object store, which counts requests."""
    return None if isinstance(task.folder, RemotePath) else _share_file(task.folder, task.step.name, task.part)


def share(task: Task) -> float:
    """The share of a unit that is done, 0 where nothing was said."""
    file = share_file(task)
    try:
        return 0.0 if file is None else min(1.0, float(file.read_text()))
    except (OSError, ValueError):  # not begun, or caught in the middle of a write
        return 0.0


@contextlib.contextmanager
def limited_threads(threads: int):
    """torch and the linear algebra under numpy keep to so many threads, and have their own number back afterwards.

    A torch that the step itself is the first to load starts with so many and keeps them.
    """
    from threadpoolctl import threadpool_limits  # comes with scikit-learn

    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    torch: Any = sys.modules.get("torch")
    torch_before = torch.get_num_threads() if torch is not None else None
    try:
        os.environ.update(dict.fromkeys(names, str(threads)))
        if torch is not None:
            torch.set_num_threads(threads)
        with threadpool_limits(threads):
            yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.__setitem__(name, value)
        if torch is not None:
            torch.set_num_threads(torch_before)


def stop_if_orphaned() -> None:
    """A worker whose run was killed would go on beside the run that takes over; it stops instead."""
    if _owner is not None and os.getppid() != _owner:
        os._exit(1)
    global _looked
    every = _ASK_EVERY if _theirs is not None and isinstance(_theirs[0], RemotePath) else _LOOK_EVERY
    if _theirs is not None and time.monotonic() - _looked >= every:
        _looked = time.monotonic()
        if not held(*_theirs):
            raise DeeptheoryError(_TAKEN)
