"""What a population's training keeps in its checkpoint: weights, optimizer, log and recording; and what it is known
by.
"""

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from deeptheory.core.errors import StoreError
from deeptheory.networks.checkpoint_folder import Checkpoint, CheckpointFolder, read_array
from deeptheory.networks.fingerprints import digest, of_tensors
from deeptheory.networks.population.engines import Plan

_ROWS = 16  # on which outputs are compared
_SAME = 1e-3  # relative to the largest output; another machine rounds by a millionth


class PopulationCheckpoint(CheckpointFolder):
    """The folder of one call of fit. StoreError: corrupt, of another schema, or of other settings.

    Settings are compared by value: the weights that the networks begin with (their init), their head, activation and
    what they give on a few rows, every field of the plan, and what else is said in `more`. Left out: progress and
    how often it is written, which change no result.
    """

    def __init__(self, where: Checkpoint, nets, plan: Plan, epochs: int, looks: list[int], more: dict[str, Any]):
        tensors = {**dict(nets.named_parameters()), **dict(nets.named_buffers())}
        settings = {
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
        super().__init__(where, settings)
        self.given = _outputs(nets, plan)

    def keep(self, now: int, run, log, recorder, gradients) -> None:
        """Write the state after `now` epochs, if the last was written long enough ago."""
        if not self.due():
            return

        def fill(new: Path) -> None:
            save_file(run.state(), new / "state.safetensors")
            np.save(new / "log.npy", np.stack(log.rows) if log.rows else np.zeros((0, 4, len(self.settings["seeds"]))))
            for name, source in (("recording", recorder), ("gradients", gradients)):
                if source is not None and hasattr(source, "keep"):
                    source.keep(new / name)

        self.write(fill, json.dumps(self.settings | {"given": self.given, "now": now, "done": log.done}))

    def restore(self, run, log, recorder, gradients) -> int:
        """Take the state up, if there is one; returns the epochs done."""
        with self.opened() as found:
            if found is None:
                return 0
            folder, seen = found
            self._check_outputs(seen["given"])
            now, done = seen["now"], seen["done"]
            run.load(load_file(folder / "state.safetensors"))
            log.rows = list(read_array(folder / "log.npy"))
            log.done = list(done)
        for name, source in (("recording", recorder), ("gradients", gradients)):
            if source is not None and hasattr(source, "resume"):
                source.resume(folder / name)
        return int(now)

    def _check_outputs(self, seen: list[float]) -> None:
        """StoreError: networks of the same shapes and weights that compute something else, such as another function
        of one's own.
        """
        was, now = np.array(seen), np.array(self.given)
        if was.shape != now.shape or np.abs(now - was).max() > _SAME * np.abs(was).max():
            raise StoreError(
                f"the checkpoint {self.folder.name} was made with another network: its weights are the same, what "
                "it gives on the "
                "first rows of x is not; use the same arguments or another folder"
            )


def _outputs(nets, plan: Plan) -> list[float]:
    """What the networks give on the first rows, before training."""
    x = torch.as_tensor(plan.x[:_ROWS]).to(next(nets.parameters()))
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nets.logits(x).double().flatten().tolist()
