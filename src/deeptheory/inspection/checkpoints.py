"""The states of a model that are measured, by name and in the order of training: state dicts, modules, files, a
folder, a Recorder's.

A name's number is its step: "epoch=3-step=300.ckpt" is 300, "checkpoint-500/model.safetensors" 500. Files are read
one at a time."""

import contextlib
import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.inspection.weights import SUFFIXES, named_alike, read_weights
from deeptheory.recording import Recorder

_NUMBERS = (r"step[=_\- ]?(\d+)", r"(?:global|iter|batch)[=_\- ]?(\d+)", r"epoch[=_\- ]?(\d+)", r"(\d+)(?!.*\d)")
_IN_FOLDER = ("model.safetensors", "pytorch_model.bin")  # of a folder per checkpoint, next to an optimizer's state


@dataclass(frozen=True)
class File:
    """Weights in a file. trust: pickles of more than weights may be opened."""

    path: Path
    trust: bool = False

    def read(self) -> dict[str, torch.Tensor]:
        """The state dict."""
        return read_weights(self.path, self.trust)


def states_of(checkpoints: Any, trust: bool = False) -> dict[str, Any]:
    """Name -> File, state dict or module, in the order of training where the names tell it; {} for None.

    checkpoints: {name or step: state dict, path or module}, a list of them, folders or files, or a Recorder with
    weights=. trust: pickles of more than weights may be opened. InputError: none, a folder without any, a name twice,
    a Recorder that kept no weights."""
    if checkpoints is None:
        return {}
    if isinstance(checkpoints, Recorder):
        if checkpoints.weights is None:
            raise InputError(
                "the Recorder kept no weights; make it with weights=FOLDER, so that each snapshot can be measured"
            )
        checkpoints = {str(s): checkpoints.weights.path(s) for s in checkpoints.weights.steps}
    if isinstance(checkpoints, Mapping) and not _is_state(checkpoints):
        named = [(str(k), v) for k, v in checkpoints.items()]
    else:
        one = isinstance(checkpoints, str | Path | nn.Module) or _is_state(checkpoints)
        named = _listed([checkpoints] if one else list(checkpoints))
    named = [(name, File(Path(v), trust) if isinstance(v, str | Path) else v) for name, v in named]
    out = dict(named)
    if not out:
        raise InputError("checkpoints hold none; give state dicts, paths or modules by name")
    if len(out) < len(named):
        twice = sorted({n for n, _ in named if [m for m, _ in named].count(n) > 1})
        raise InputError(f"checkpoints hold the name {twice[0]!r} twice; give them by names of their own")
    return out


def steps_of(names: Iterable[str]) -> tuple[float, ...] | None:
    """The step of each name, where each has one of its own; None where the names do not tell."""
    names = list(names)
    with contextlib.suppress(ValueError):  # names that are numbers
        numbers = tuple(float(n) for n in names)
        return numbers if len(set(numbers)) == len(names) and np.isfinite(numbers).all() else None
    for pattern in _NUMBERS:
        found = [re.search(pattern, name, re.IGNORECASE) for name in names]
        steps = [int(m[1]) for m in found if m]
        if names and len(set(steps)) == len(names):
            return tuple(steps)
    return None


def state_of(given: Any) -> Any:
    """The state dict of a File, anything else as it is."""
    return given.read() if isinstance(given, File) else given


def check_fits(model: nn.Module, state: Any, name: str) -> None:
    """InputError: the checkpoint is of another architecture. Nothing is copied."""
    if isinstance(state, nn.Module):
        return
    mine = model.state_dict()
    try:
        theirs = named_alike(state, mine)
    except (TypeError, AttributeError) as error:
        raise InputError(
            f"checkpoint {name!r} is a {type(state).__name__}; needed: a state dict, a path or a module"
        ) from error
    missing, more = [k for k in mine if k not in theirs], [k for k in theirs if k not in mine]
    other = [k for k in mine if k in theirs and getattr(theirs[k], "shape", None) != getattr(mine[k], "shape", None)]
    said = [f"it lacks {missing[0]!r}"] if missing else []
    said += [f"{more[0]!r} is not in the model"] if more else []
    said += (
        [f"{other[0]!r} is {list(getattr(theirs[other[0]], 'shape', ()))} there and {list(mine[other[0]].shape)} here"]
        if other
        else []
    )
    if said:
        raise InputError(f"checkpoint {name!r} does not fit the model: {'; '.join(said)}")


def checksum(model: Any) -> str:
    """Of all parameters and buffers of a module or state dict."""
    state = model.state_dict() if isinstance(model, nn.Module) else model
    digest = hashlib.sha256()
    for name, t in state.items():
        digest.update(name.encode())
        if isinstance(t, torch.Tensor) and not t.is_meta and t.layout == torch.strided and not t.is_quantized:
            digest.update(np.ascontiguousarray(as_numpy(t)).tobytes())
        else:
            digest.update(repr(t).encode())
    return digest.hexdigest()


def _is_state(given: Any) -> bool:
    return isinstance(given, Mapping) and any(isinstance(v, torch.Tensor) for v in given.values())


def _listed(items: list[Any]) -> list[tuple[str, Any]]:
    """(name, state) of what was given without names; a folder becomes its files."""
    out: list[tuple[str, Any]] = []
    for k, c in enumerate(items):
        if not isinstance(c, str | Path):
            out.append((f"checkpoint {k + 1}", c))
        elif Path(c).is_dir():
            out += _in_folder(Path(c))
        else:
            out.append((Path(c).stem, Path(c)))
    names = [name for name, _ in out]
    if len(set(names)) < len(names):  # files of one name in several folders
        out = [(f"{Path(c).parent.name}/{name}" if isinstance(c, str | Path) else name, c) for name, c in out]
        names = [name for name, _ in out]
    if len(set(names)) < len(names):
        out = [(f"{k + 1}: {name}", c) for k, (name, c) in enumerate(out)]
    return out


def _in_folder(folder: Path) -> list[tuple[str, Path]]:
    """Weights in a folder, each a file or a folder of its own, by step, or by name where there are no steps."""
    found: list[tuple[str, Path]] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_file() and path.suffix.lower() in SUFFIXES:
            found.append((path.stem, path))
        elif path.is_dir():
            inner = next((path / n for n in _IN_FOLDER if (path / n).is_file()), None)
            if inner is None and any(path.glob("*.index.json")):
                raise InputError(
                    f"{path.name} holds weights in several parts; join them into one file (save_pretrained with a "
                    f"larger max_shard_size)"
                )
            if inner is not None:
                found.append((path.name, inner))
    if not found:
        raise InputError(
            f"{folder} holds no weights ({', '.join(SUFFIXES)}, or folders of model.safetensors); name the folder of "
            f"the checkpoints"
        )
    steps = steps_of(name for name, _ in found)
    return found if steps is None else [f for _, f in sorted(zip(steps, found), key=lambda pair: pair[0])]
