"""A training run that survives a kill: weights, optimiser, log and recording in one folder, swapped in whole.

A checkpoint is written beside the old one and then takes its name, so that at every moment one of the two is complete.
Weights are safetensors, never pickle.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from deeptheory.errors import StoreError
from deeptheory.networks.engines import Plan

SCHEMA = 1
MARK = "checkpoint.json"  # written last: a folder that holds it is complete


class Checkpoint:
    """The folder of one call of fit. StoreError: corrupt, of another schema, or of other settings."""

    def __init__(self, folder: str | Path, nets, plan: Plan, epochs: int, looks: list[int], seconds: float):
        self.folder, self.seconds, self.last = Path(folder), seconds, time.monotonic()
        self.settings = {
            "schema": SCHEMA,
            "seeds": list(nets.seeds),
            "network": str(nets.extra_repr() or type(nets).__name__),
            "epochs": epochs,
            "looks": looks,
            "plan": _fingerprint(plan),
        }

    def keep(self, now: int, run, log, recorder, gradients) -> None:
        """Write the state after `now` epochs, if the last was written long enough ago."""
        if time.monotonic() - self.last < self.seconds:
            return

        def fill(new: Path) -> None:
            save_file(run.state(), new / "state.safetensors")
            np.save(new / "log.npy", np.stack(log.rows) if log.rows else np.zeros((0, 4, len(self.settings["seeds"]))))
            for name, source in (("recording", recorder), ("gradients", gradients)):
                if source is not None and hasattr(source, "keep"):
                    source.keep(new / name)
            (new / MARK).write_text(json.dumps(self.settings | {"now": now, "done": log.done}))

        swap_in(self.folder, fill)
        self.last = time.monotonic()

    def restore(self, run, log, recorder, gradients) -> int:
        """Take the state up, if there is one; returns the epochs done."""
        folder = newest(self.folder)
        if folder is None:
            return 0
        try:
            seen = read_mark(folder, self.settings)
            now, done = seen["now"], seen["done"]
            run.load(load_file(folder / "state.safetensors"))
            log.rows = list(np.load(folder / "log.npy"))
            log.done = list(done)
        except (ValueError, KeyError, FileNotFoundError, SafetensorError) as error:
            raise StoreError(f"the checkpoint {folder.name} is corrupt ({error}); delete it to start again") from error
        for name, source in (("recording", recorder), ("gradients", gradients)):
            if source is not None and hasattr(source, "resume"):
                source.resume(folder / name)
        return int(now)


def swap_in(folder: Path, fill: Callable[[Path], None]) -> None:
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
    except OSError as error:
        raise StoreError(f"the checkpoint {folder.name} could not be written ({error}); free space") from error


def newest(folder: Path) -> Path | None:
    """The complete version of a checkpoint, which a kill may have left beside its place; None where there is none."""
    versions = (folder, folder.with_name(folder.name + ".old"))
    return next((v for v in versions if (v / MARK).exists()), None)


def read_mark(folder: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """What the MARK says. StoreError: it was made with other settings; the message names those that differ."""
    seen = json.loads((folder / MARK).read_text())
    differ = [k for k in settings if seen.get(k) != json.loads(json.dumps(settings[k]))]
    if differ:
        raise StoreError(
            f"the checkpoint {folder.name} was made with another {', '.join(differ)}; "
            "use the same arguments or another folder"
        )
    return seen


def _fingerprint(plan: Plan) -> str:
    digest = hashlib.sha256()
    for value in (plan.x, plan.target, plan.order, plan.counts, plan.lr):
        digest.update(np.ascontiguousarray(value).tobytes())
    digest.update(
        repr(
            [plan.batch, plan.drop_last, plan.reshuffle, plan.optimizer, plan.momentum, plan.betas, plan.orthonormal]
        ).encode()
    )
    return digest.hexdigest()
