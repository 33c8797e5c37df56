"""A training run that survives a kill: weights, optimiser, log and recording in one folder, swapped in whole.

A checkpoint is written beside the old one and then takes its name, so that at every moment one of the two is complete.
Weights are safetensors, never pickle.
"""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from deeptheory.core.errors import StoreError
from deeptheory.networks.fingerprints import digest, of_tensors
from deeptheory.networks.population.engines import Plan

SCHEMA = 2
_ROWS = 16  # on which outputs are compared
_SAME = 1e-3  # relative to the largest output; another machine rounds by a millionth
MARK = "checkpoint.json"  # written last: a folder that holds it is complete


class Checkpoint:
    """The folder of one call of fit. StoreError: corrupt, of another schema, or of other settings.

    Settings are compared by value: the weights that the networks begin with (their init), their head, activation and what they
    give on a few rows, every field of the plan, and what else is said in `more`. Left out: progress and checkpoint_seconds, which
    change no result.
    """

    def __init__(self, folder: str | Path, nets, plan: Plan, epochs: int, looks: list[int], seconds: float, more: dict[str, Any]):  # fmt: skip
        self.folder, self.seconds, self.last = Path(folder), seconds, time.monotonic()
        tensors = {**dict(nets.named_parameters()), **dict(nets.named_buffers())}
        self.settings = {
            "schema": SCHEMA,
            "seeds": list(nets.seeds),
            "network": str(nets.extra_repr() or type(nets).__name__),
            "head": nets.head,
            "dtype": str(next(nets.parameters()).dtype),
            "initial weights": of_tensors(tensors),
            "epochs": epochs,
            "looks": looks,
            "plan": {field.name: digest(getattr(plan, field.name)) for field in fields(plan)},
            **more,
        }
        self.given = _outputs(nets, plan)

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
            (new / MARK).write_text(json.dumps(self.settings | {"given": self.given, "now": now, "done": log.done}))

        swap_in(self.folder, fill)
        self.last = time.monotonic()

    def restore(self, run, log, recorder, gradients) -> int:
        """Take the state up, if there is one; returns the epochs done."""
        folder = newest(self.folder)
        if folder is None:
            return 0
        try:
            seen = read_mark(folder, self.settings)
            self._check_outputs(seen["given"])
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

    def _check_outputs(self, seen: list[float]) -> None:
        """StoreError: networks of the same shapes and weights that compute something else, such as another function of one's own."""
        was, now = np.array(seen), np.array(self.given)
        if was.shape != now.shape or np.abs(now - was).max() > _SAME * np.abs(was).max():
            raise StoreError(
                f"the checkpoint {self.folder.name} was made with another network: its weights are the same, what it gives on the "
                "first rows of x is not; use the same arguments or another folder"
            )


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
    here = json.loads(json.dumps(dict(settings)))
    differ = [_named(k, seen.get(k), here[k]) for k in here if seen.get(k) != here[k]]
    if differ:
        begun = (
            "; give it the network as it was before the first call, built from its seed"
            if "initial weights" in differ
            else ""
        )
        raise StoreError(
            f"the checkpoint {folder.name} was made with another {', '.join(differ)}; use the same arguments or another folder{begun}"
        )
    return seen


def _named(name: str, seen: Any, here: Any) -> str:
    """The setting, and where it has parts the parts that differ."""
    if not isinstance(seen, dict) or not isinstance(here, dict):
        return name
    parts = [k for k in {**seen, **here} if seen.get(k) != here.get(k)]
    return f"{name} ({', '.join(parts)})"


def _outputs(nets, plan: Plan) -> list[float]:
    """What the networks give on the first rows, before training."""
    x = torch.as_tensor(plan.x[:_ROWS]).to(next(nets.parameters()))
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nets.logits(x).double().flatten().tolist()
