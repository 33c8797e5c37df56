"""run.json: what a run is, what it ran on, and whether a folder holds this run or another.

Nothing in it names a user, a host or an absolute path, so that a run folder can be published as it is.
"""

import json
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from typing import Any

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.places import Folder
from deeptheory.core.storage import RUN_SCHEMA, check_schema, read_json, write_text
from deeptheory.runs.machine import machine, versions

RECORD = "run.json"


@dataclass
class Record:
    """The content of run.json, kept up to date while the run goes on.

    study, scale, seed, settings: which run it is; seeds: of its independent networks; changed: settings that are not
    the published ones; threads: per unit; command: what to type to go on; versions, machine: what it ran on, without
    names. times: when it started and finished (UTC, ISO 8601) and seconds per step, added up over sessions. notes: what
    must be said of it, such as a change of machine.
    """

    _: KW_ONLY
    study: str
    scale: str
    seed: int
    seeds: list[int]
    settings: dict[str, Any]
    changed: dict[str, Any]
    threads: int
    command: str
    versions: dict[str, str] = field(default_factory=versions)
    machine: dict[str, Any] = field(default_factory=machine)
    times: dict[str, Any] = field(default_factory=lambda: {"started": _now(), "finished": None, "steps": {}})
    notes: list[str] = field(default_factory=list)

    def write(self, folder: Folder) -> None:
        """Replace run.json in the folder in one step. StoreError: it cannot be written."""
        write_text(folder / RECORD, json.dumps({"schema": RUN_SCHEMA, **vars(self)}, indent=1))

    def finish(self, folder: Folder) -> None:
        """Note that the run came to its end now, and write it. StoreError: it cannot be written."""
        self.times["finished"] = _now()
        self.write(folder)

    def enter(self, folder: Folder, resume: bool | None) -> "Record":
        """The record of the folder: this one, written, or the one that lies there, if it is of the same run.

        The same: study, scale, seed, threads and settings; other versions or another machine are noted. resume: False
        wants no run there; True and None take up what is there (Run.execute refuses True where nothing is).
        InputError: resume False, and a run is there. StoreError: the folder holds something else or another run, or
        cannot be written.
        """
        there = (folder / RECORD).exists()
        if not there:
            strangers = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
            if strangers:
                raise StoreError(
                    f"{folder} is not a run folder (no {RECORD}) and holds {strangers[0]}; choose another folder"
                )
            self.write(folder)
            return self
        if resume is False:
            raise InputError(f"{folder} holds a run already; leave resume out to go on, or choose another folder")
        return self._taken_up(folder)

    def _taken_up(self, folder: Folder) -> "Record":
        old = read_record(folder)
        for name in ("study", "scale", "seed", "threads"):
            was, now = getattr(old, name), getattr(self, name)
            if was != now:
                raise StoreError(f"{folder} holds a run with {name} {was}, not {now}; {_FIX}")
        for name in sorted(old.settings.keys() | self.settings.keys()):
            was, now = old.settings.get(name), self.settings.get(name)
            if was != now:
                raise StoreError(f"{folder} holds a run with setting {name} = {was}, not {now}; {_FIX}")
        for name, now in self.versions.items():
            was = old.versions.get(name)
            if was != now and not any(f"{name} {was} -> {now}" in n for n in old.notes):
                old.notes.append(f"begun and gone on with other versions: {name} {was} -> {now}; last bits may differ")
        if old.machine != self.machine and _OTHER_MACHINE not in old.notes:
            old.notes.append(_OTHER_MACHINE)
        old.command = self.command
        return old


def read_record(folder: Folder) -> Record:
    """The record in run.json of a run folder.

    StoreError: missing, damaged, of another schema, or made by another major version of deeptheory.
    """
    kept = read_json(folder / RECORD, "run", "put back a copy of it, or start again in another folder")
    try:
        check_schema(kept)
    except StoreError as error:
        raise StoreError(f"{folder}: {error}") from error
    kept.pop("schema")
    try:
        return Record(**kept)
    except TypeError as error:
        raise StoreError(f"{folder}/{RECORD} is damaged ({error}); choose another folder") from error


_FIX = "choose another folder, or the same values to go on"
_OTHER_MACHINE = "begun and gone on with on machines that differ; last bits may differ"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
