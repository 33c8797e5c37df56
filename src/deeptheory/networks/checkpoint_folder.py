"""A folder that survives a kill: what a training has reached, swapped in whole, and taken up by the same settings only.

A checkpoint is written beside the old one and then takes its name, so that at every moment one of the two is complete.
Weights are safetensors, never pickle. What a population keeps is said in population/checkpoint.py, what one module
keeps in single/module_checkpoint.py.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from deeptheory.core.errors import StoreError
from deeptheory.core.places import local_place

SCHEMA = 2
MARK = "checkpoint.json"  # written last: a folder that holds it is complete


@dataclass(frozen=True)
class Checkpoint:
    """Where `fit` and `train` save their state, and how often: the folder, and the least seconds between two writes.

    The folder is made where it is missing; a complete version of it is there at every moment. seconds 0: at every
    chance, which is each step of `train` and each 200 epochs or logged epoch of `fit`.
    """

    folder: str | Path
    seconds: float = 30.0


def as_checkpoint(given: str | Path | Checkpoint) -> Checkpoint:
    """A folder alone is written to every 30 seconds."""
    return given if isinstance(given, Checkpoint) else Checkpoint(given)


class CheckpointFolder:
    """settings: values that JSON can hold, and that must be the same when the state is taken up."""

    def __init__(self, where: Checkpoint, settings: Mapping[str, Any]):
        self.folder, self.seconds, self.last = local_place(where.folder, "checkpoint"), where.seconds, time.monotonic()
        self.settings = {"schema": SCHEMA, **settings}

    def due(self) -> bool:
        """Whether the last write was long enough ago."""
        return time.monotonic() - self.last >= self.seconds

    def write(self, fill: Callable[[Path], None], mark: str) -> None:
        """What fill(new folder) writes, and the MARK's text. StoreError: the disk is full or it cannot be written."""

        def whole(new: Path) -> None:
            fill(new)
            (new / MARK).write_text(mark)

        _swap_in(self.folder, whole)
        self.last = time.monotonic()

    @contextmanager
    def opened(self) -> Iterator[tuple[Path, dict[str, Any]] | None]:
        """The newest complete version and what its MARK says, or None.

        StoreError: of other settings, or it is damaged.
        """
        folder = _newest(self.folder)
        try:
            yield None if folder is None else (folder, _read_mark(folder, self.settings))
        except (ValueError, KeyError, FileNotFoundError, SafetensorError, EOFError) as error:
            name = (folder or self.folder).name
            raise StoreError(f"the checkpoint {name} is corrupt ({error}); delete it to start again") from error


def read_array(path: Path) -> Any:
    """The array of an .npy file of a checkpoint. StoreError: it is damaged, in whichever way numpy says so."""
    try:
        return np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise
    except Exception as error:
        raise StoreError(
            f"the checkpoint {path.parent.name} is corrupt ({path.name}: {error}); delete it to start again"
        ) from error


def _swap_in(folder: Path, fill: Callable[[Path], None]) -> None:
    """Give `folder` what fill(new folder) writes, its MARK last; at every moment one complete version is there.

    StoreError: the disk is full or the folder cannot be written.
    """
    new, old = folder.with_name(folder.name + ".new"), folder.with_name(folder.name + ".old")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        fill(new)
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except (OSError, SafetensorError) as error:  # the second is how safetensors tells of a full disk
        raise StoreError(f"the checkpoint {folder.name} could not be written ({error}); free space") from error


def _newest(folder: Path) -> Path | None:
    """The complete version of a checkpoint, which a kill may have left beside its place; None where there is none."""
    versions = (folder, folder.with_name(folder.name + ".old"))
    return next((v for v in versions if (v / MARK).exists()), None)


def _read_mark(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the MARK says. StoreError: it was made with other settings; the message names those that differ."""
    seen = json.loads((folder / MARK).read_text())
    if not isinstance(seen, dict):
        raise ValueError(f"{MARK} holds a {type(seen).__name__}")
    here = json.loads(json.dumps(dict(settings)))
    differ = [_named(k, seen.get(k), here[k]) for k in here if seen.get(k) != here[k]]
    if differ:
        begun = (
            "; give it the network as it was before the first call, built from its seed"
            if "initial weights" in differ
            else ""
        )
        raise StoreError(
            f"the checkpoint {folder.name} was made with another {', '.join(differ)}; use the same arguments "
            f"or another folder{begun}"
        )
    return seen


def _named(name: str, seen: Any, here: Any) -> str:
    """The setting, and where it has parts the parts that differ."""
    if not isinstance(seen, dict) or not isinstance(here, dict):
        return name
    parts = [k for k in {**seen, **here} if seen.get(k) != here.get(k)]
    return f"{name} ({', '.join(parts)})"
