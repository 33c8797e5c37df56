"""A run is a folder that can be killed at any moment and gone on with.

Every unit's result is written under a temporary name and renamed, so what stands in `steps/STEP/UNIT` is whole; a
second call does what is not there. A resumed run equals an unbroken one bit for bit, whatever the engine.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.names import pick
from deeptheory.core.places import RemotePath, place
from deeptheory.core.shapes import check_whole
from deeptheory.core.storage import whole_below
from deeptheory.runs.engines import Engine, Work, opened
from deeptheory.runs.lock import LOCK, locked, wait_for_workers
from deeptheory.runs.progress import Lines, reporter, watched
from deeptheory.runs.record import RECORD, Record
from deeptheory.runs.results import UNITS, NotDone, Results, unit_path
from deeptheory.runs.steps import Step, check_settings, in_order
from deeptheory.runs.work import Task, check_there, clear, share

Progress = Callable[[str, float, int], Any] | bool | None
After = Callable[[Results, str, int, int], str | None]  # (results, step, units done, units); what it returns is said


class Run:
    """One study at one scale with one seed and one set of settings, in one folder, here or in an object store.

    Nothing is read or written before execute. settings: JSON values; the steps see them with "seed" added. seeds: of
    the independent networks, for the record. changed: settings that are not the published ones. command: what to type
    to go on. threads: of torch and the linear algebra in each unit, whichever the engine. resume: True wants a run in
    the folder, False wants none, None takes either; execute refuses the rest. InputError: settings that are no JSON, or
    hold "seed"; seed below 0, threads below 1, or no integers.
    """

    def __init__(
        self,
        folder: str | Path | RemotePath,
        *,
        study: str,
        scale: str,
        seed: int,
        settings: Mapping[str, Any],
        seeds: Sequence[int] = (),
        changed: Mapping[str, Any] | None = None,
        command: str = "",
        threads: int = 1,
        resume: bool | None = None,
    ):
        check_whole(seed=(seed, 0), threads=(threads, 1))
        self.folder = place(folder)
        self.settings = check_settings(settings) | {"seed": int(seed)}
        self.record = Record(
            study=study,
            scale=scale,
            seed=int(seed),
            seeds=[int(s) for s in seeds],
            settings=check_settings(settings),
            changed=check_settings(changed or {}),
            threads=threads,
            command=command,
        )
        self._resume = resume

    def __repr__(self) -> str:
        return f"Run({self.record.study}, {self.record.scale}, seed {self.record.seed}, in {self.folder})"

    def execute(
        self,
        steps: Sequence[Step],
        *,
        engine: Engine | str = "serial",
        jobs: int | None = None,
        only: str | None = None,
        progress: Progress = None,
        after: After | None = None,
    ) -> Results:
        """Do what is not done yet, and return the results.

        steps: in order, each after what it needs. engine: a name in ENGINES, or "dask:ADDRESS" or "ray:ADDRESS" of a
        cluster whose workers see the folder; it changes no result. jobs: workers, None for one per core. only: this
        step alone; what it needs must be there. progress: a function (step, units done, units), units done perhaps a
        fraction; False: nothing is said; None: bars on a terminal, lines elsewhere, on stderr. after(results, step,
        units done, units): called each time a unit is done; what it returns is said. Ctrl-C and kill leave a folder
        that the same call goes on with, bit for bit.
        InputError: an unknown engine or step, steps out of order, jobs below 1, resume=True and no run there, or False
        and one. NotDone: only=, and a need is not there. StoreError: the folder holds another run or cannot be written,
        or another process works in it. DeeptheoryError: a worker process was killed.
        """
        known = in_order(steps)
        if only is not None:
            pick(known, only, what="step")
        at = opened(engine, jobs, self.folder)
        if self._resume and not (self.folder / RECORD).exists():
            raise InputError(
                f"{self.folder} holds no run to resume (no {RECORD}); leave resume out, or name its folder"
            )
        self._check_links()
        left = isinstance(self.folder, RemotePath) and (self.folder / LOCK).exists()
        with locked(self.folder) as mark:
            self.record = self.record.enter(self.folder, self._resume)
            self._resume = None
            tell = reporter(progress)
            try:
                wait_for_workers(self.folder, tell.say)
                if left:
                    tell.say(f"{self.folder} was left by a run that was killed, or is another's: it is taken over")
                self._sweep_texts()
                for note in self.record.notes:
                    tell.say(f"note: {note}")
                chosen = known.values() if only is None else [known[only]]
                with at as work:
                    worked = [self._do(step, known, work, tell, after, mark) for step in chosen]
                if only is None and (any(worked) or self.record.times["finished"] is None):
                    self.record.finish(self.folder)
            except (KeyboardInterrupt, Exception) as error:
                tell.close()
                if not isinstance(error, NotDone):
                    Lines().say(f"stopped; what is done stands in {self.folder}. To go on: {self.record.command}")
                raise
            finally:
                tell.close()
        return Results(self.folder, known, self.settings)

    def _do(self, step: Step, known: dict[str, Step], work: Work, tell: Lines, after: After | None, mark: str) -> bool:
        """Do the units that are missing; whether there were any."""
        needed = {name: known[name] for name in step.needs}
        missing = {n: self._missing(s) for n, s in needed.items()}
        for name, parts in missing.items():
            if parts:
                raise NotDone(f"step {step.name} needs {name}, whose {', '.join(parts)} is not there; run {name} first")
        self._sweep(step)
        parts, waiting = step.parts(self.settings), self._missing(step)
        if not waiting:
            return False
        tasks = [
            Task(
                folder=self.folder,
                mark=mark,
                step=step,
                part=part,
                unit=parts[part],
                settings=self.settings,
                needed=needed,
                threads=self.record.threads,
            )
            for part in waiting
        ]
        total, done = len(parts), len(parts) - len(waiting)
        open_tasks = {t.part: t for t in tasks}
        tell.begin(step.name, done, total)

        def look() -> None:
            at_work = list(open_tasks.values())
            tell.at(step.name, total - len(at_work) + sum(share(t) for t in at_work), total)

        with watched(look):
            for task, seconds in work(tasks):
                del open_tasks[task.part]
                check_there(self.folder)
                spent = self.record.times["steps"]
                spent[step.name] = round(spent.get(step.name, 0.0) + seconds, 3)
                self.record.write(self.folder)
                results = Results(self.folder, known, self.settings)
                said = after(results, step.name, total - len(open_tasks), total) if after else None
                if said:
                    tell.say(said)
        tell.at(step.name, total, total)
        tell.end(step.name)
        return True

    def _check_links(self) -> None:
        """StoreError: a symbolic link inside the folder, through which cleaning and writing would reach elsewhere."""
        if isinstance(self.folder, RemotePath):
            return
        for holder in (self.folder, self.folder / UNITS, *(self.folder / UNITS).glob("*")):
            for path in holder.iterdir() if holder.is_dir() else ():
                if path.is_symlink():
                    raise StoreError(
                        f"{path} is a symbolic link; a run folder holds its files itself: replace it by a copy"
                    )

    def _missing(self, step: Step) -> list[str]:
        there = whole_below(self.folder / UNITS / step.name)
        return [p for p in step.parts(self.settings) if p not in there]

    def _sweep_texts(self) -> None:
        """Remove small files that a killed process had not finished writing;
        a living one writes the page outside of the lock."""
        if isinstance(self.folder, RemotePath):  # which has no temporary names
            return
        for path in (*self.folder.glob(".*.new-*"), *self.folder.glob("*/.*.new-*")):
            if path.is_file() and not _lives(path.name.rpartition("-")[2]):
                path.unlink(missing_ok=True)

    def _sweep(self, step: Step) -> None:
        """Remove what a killed process had not finished writing, and workspaces of units that it had; other workspaces
        stay, they hold checkpoints."""
        if isinstance(self.folder, RemotePath):
            return
        folder = self.folder / UNITS / step.name
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob(".*"):
                if ".new-" in path.name or ".old-" in path.name:
                    shutil.rmtree(path)
            for part in step.parts(self.settings):
                if unit_path(self.folder, step.name, part).exists():
                    clear(self.folder, step.name, part)
        except OSError as error:
            raise StoreError(f"{folder} cannot be written ({error}); choose another folder") from error


def _lives(number: str) -> bool:
    """Whether a process of that number is there."""
    if not number.isdigit():
        return False
    if os.name == "nt":  # where asking by os.kill would end it
        return True
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:  # another user's
        return True
    return True
