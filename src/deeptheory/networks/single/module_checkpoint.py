"""The state of one module's training in a folder: weights, buffers, optimizer, losses and looks; never pickle.

Pitfall: buffers that are registered with persistent=False are missing in state_dict, and would make a resumed run
another one.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from deeptheory.core.errors import InputError, StoreError
from deeptheory.networks.checkpoint_folder import Checkpoint, CheckpointFolder, read_array
from deeptheory.networks.fingerprints import name_of, of_tensors

_SAME = 1e-4  # relative; another machine or number of threads rounds the first loss by a millionth


class ModuleCheckpoint(CheckpointFolder):
    """The folder of one call of train. state: has losses [steps], done, looks, rows, stopped.

    InputError: an optimizer or module whose state is no tensors and plain numbers. StoreError: corrupt, of another
    schema, or of other settings.
    """

    def __init__(
        self,
        where: Checkpoint,
        module: nn.Module,
        optimizer: torch.optim.Optimizer,
        settings: Mapping[str, Any],
    ):
        self.module, self.optimizer = module, optimizer
        tensors = _tensors(module)
        shapes = {k: [str(v.dtype), list(v.shape)] for k, v in tensors.items()}
        known = {
            "module": {"class": name_of(type(module)), "tensors": shapes},
            "initial weights": of_tensors(tensors),
            **settings,
        }
        super().__init__(where, known)

    def keep(self, state: Any, now: bool = False) -> None:
        """Write the state, if the last was written long enough ago or `now`."""
        if not (now or self.due()):
            return
        tensors = {f"module.{k}": v for k, v in _tensors(self.module).items()}
        numbers: dict[str, Any] = {}
        for index, values in self.optimizer.state_dict()["state"].items():
            for name, value in values.items():
                (tensors if isinstance(value, torch.Tensor) else numbers)[f"optimizer.{index}.{name}"] = value
        said = {"done": state.done, "looks": state.looks, "rows": state.rows, "stopped": state.stopped}
        try:
            text = json.dumps({**self.settings, **said, "numbers": numbers})
        except TypeError as error:
            kind = type(self.optimizer).__name__
            raise InputError(f"the state of {kind} cannot be kept ({error}); train without checkpoint=") from error

        def fill(new: Path) -> None:
            save_file({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, new / "state.safetensors")
            np.save(new / "losses.npy", state.losses[: state.done])

        self.write(fill, text)

    def restore(self, state: Any, first_loss: Callable[[], float]) -> None:
        """Take the state up, if there is one.

        first_loss: of step 0 with the weights as they are now, before anything is loaded.
        """
        with self.opened() as found:
            if found is None:
                return
            folder, seen = found
            if seen["done"]:
                self._check_first(float(read_array(folder / "losses.npy")[0]), first_loss())
            tensors = load_file(folder / "state.safetensors")
            losses = read_array(folder / "losses.npy")
            done, looks, rows, stopped = (seen[k] for k in ("done", "looks", "rows", "stopped"))
            with torch.no_grad():
                for name, value in _tensors(self.module).items():
                    value.copy_(tensors[f"module.{name}"])
            self._restore_optimizer(tensors, seen["numbers"])
            state.losses[:done] = losses
            state.done, state.looks, state.rows, state.stopped = done, list(looks), list(rows), stopped

    def _check_first(self, was: float, now: float) -> None:
        """StoreError: the module, the loss or the minibatches compute something else, though their shapes are the
        same.
        """
        if not abs(now - was) <= _SAME * abs(was):
            raise StoreError(
                f"the checkpoint {self.folder.name} was made with another module, loss or batches: the loss of "
                f"step 0 is {now:.6g} "
                f"here and was {was:.6g}; use the same arguments or another folder"
            )

    def _restore_optimizer(self, tensors: Mapping[str, torch.Tensor], numbers: Mapping[str, Any]) -> None:
        state: dict[int, dict[str, Any]] = {}
        for key, value in (*tensors.items(), *numbers.items()):
            kind, _, rest = key.partition(".")
            if kind == "optimizer":
                index, _, name = rest.partition(".")
                state.setdefault(int(index), {})[name] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})


def _tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers by name, those that state_dict leaves out with them."""
    extra = [k for k in module.state_dict() if k.endswith("_extra_state")]
    if extra:
        raise InputError(
            f"{type(module).__name__} keeps a state that is no tensor ({extra[0]}); train without checkpoint="
        )
    return {**dict(module.named_parameters()), **dict(module.named_buffers())}
