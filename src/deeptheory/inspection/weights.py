"""Weights from a file: safetensors, or torch's own with weights_only=True;
other pickles can run code and are refused unless trusted."""

import pickle
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch

from deeptheory.core.errors import InputError

SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".tar")
_INNER = ("state_dict", "model_state_dict", "model", "module", "weights", "net")  # where training scripts put it


def read_weights(path: Path, trust: bool = False) -> dict[str, torch.Tensor]:
    """The state dict in a file, on the CPU. trust: unpickle whatever it holds, which runs its code.

    InputError: no such file, damaged, another suffix, a pickle of more than tensors, or no state dict in it.
    """
    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    suffix = path.suffix.lower()
    if suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except (SafetensorError, OSError, ValueError) as error:
            raise InputError(f"{path} cannot be read as safetensors ({error})") from error
    if suffix not in SUFFIXES:
        raise InputError(f"{path} ends in {suffix or 'nothing'!r}; read are .safetensors, .pt, .pth, .ckpt, .bin")
    try:
        found = torch.load(path, map_location="cpu", weights_only=not trust)
    except pickle.UnpicklingError as error:
        if trust:
            raise InputError(f"{path} cannot be read ({str(error).splitlines()[0]})") from error
        raise InputError(
            f"{path} holds more than weights; unpickling it can run any code. Save the state dict alone "
            "(torch.save(model.state_dict(), path)), or pass --trust (trust=True) if you made the file"
        ) from error
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        raise InputError(f"{path} cannot be read as weights ({type(error).__name__}: {str(error)[:200]})") from error
    return _state(found, path)


def _state(found: Any, path: Path) -> dict[str, torch.Tensor]:
    if isinstance(found, torch.nn.Module):
        found = found.state_dict()
    while isinstance(found, dict) and not _is_state(found):
        inner = next((found[k] for k in _INNER if isinstance(found.get(k), dict)), None)
        if inner is None:
            keys = ", ".join(map(str, list(found)[:6]))
            raise InputError(f"{path} holds no state dict (its keys: {keys}); save model.state_dict()")
        found = inner
    if not isinstance(found, dict) or not found:
        raise InputError(f"{path} holds a {type(found).__name__}; needed: a state dict, the weights by name")
    return found


def _is_state(found: dict) -> bool:
    return (
        bool(found)
        and all(isinstance(k, str) for k in found)
        and any(isinstance(v, torch.Tensor) for v in found.values())
    )


def named_alike(state: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The state with the prefix that data parallelism, torch.compile or a Lightning module put before every name taken
    off, where that makes its names those of the model."""
    wanted = set(names)
    for prefix in ("", "module.", "_orig_mod.", "model.", "net."):
        tried = (
            {k.removeprefix(prefix): v for k, v in state.items()} if all(k.startswith(prefix) for k in state) else {}
        )
        if set(tried) == wanted:
            return tried
    return state
