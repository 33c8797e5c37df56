"""The weights of a model at each snapshot, in a folder: one safetensors file per step, written whole or not at all.

What an instrument measures afterwards needs no more than these. Pitfall: safetensors refuses tensors that share
memory (tied weights), so each is copied."""

import os
import re
from pathlib import Path
from typing import Any

import torch
from torch import nn

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.places import local_place

_NAME = re.compile(r"step-(-?\d+)\.safetensors")


class Checkpoints:
    """A folder of state dicts, step-N.safetensors. StoreError: it is a file. InputError: an address."""

    def __init__(self, folder: str | Path):
        self.folder = local_place(folder, "weights")
        self.saved: tuple[int, ...] = ()  # by this object; others are of an earlier session
        if self.folder.exists() and not self.folder.is_dir():
            raise StoreError(f"{self.folder.name} is a file; name a folder for the weights")

    def __repr__(self) -> str:
        return f"Checkpoints({self.folder.name}: {len(self.steps)} steps)"

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps that are there, ascending."""
        found = (_NAME.fullmatch(p.name) for p in self.folder.glob("step-*.safetensors"))
        return tuple(sorted(int(m[1]) for m in found if m))

    def path(self, step: int) -> Path:
        """The file of a step."""
        return self.folder / f"step-{step}.safetensors"

    def save(self, step: int, model: nn.Module) -> None:
        """Write parameters and buffers; a file of an earlier session is replaced.

        StoreError: the disk is full; or, at the first step of a session, the folder holds later ones, which are of
        another training. InputError: the model has no weights, or some that are not plain tensors (quantized, sparse,
        without values)."""
        later = [s for s in self.steps if s > step]
        if later and not self.saved:
            raise StoreError(
                f"{self.folder.name} holds steps after {step} ({', '.join(map(str, later[:4]))}) of another "
                f"training; choose "
                "another folder, or remove them"
            )
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        held = {name: _plain(name, t) for name, t in model.state_dict().items() if isinstance(t, torch.Tensor)}
        if not held:
            raise InputError(f"the model ({type(model).__name__}) has no weights to keep; leave weights= out")
        new = self.folder / f".step-{step}.new-{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_file(held, new)
            os.replace(new, self.path(step))
            self.saved = (*self.saved, step)
        except (OSError, SafetensorError) as error:  # the second is how safetensors tells of a full disk
            new.unlink(missing_ok=True)
            raise StoreError(
                f"{self.path(step).name} could not be written ({error}); free space or choose another folder"
            ) from error

    def forget_after(self, steps: Any) -> None:
        """Remove the steps that are not among these: training goes on from an earlier one."""
        for step in set(self.steps) - set(steps):
            self.path(step).unlink()
        self.saved = self.steps


def _plain(name: str, t: torch.Tensor) -> torch.Tensor:
    if t.is_meta or t.is_quantized or t.layout != torch.strided:
        kind = "quantized" if t.is_quantized else "sparse" if t.layout != torch.strided else "without values (meta)"
        raise InputError(f"weight {name!r} is {kind}; safetensors keeps plain tensors: leave weights= out")
    return t.detach().cpu().contiguous().clone()
