"""Weights from a file: safetensors, or torch's own with weights_only=True;
other pickles can run code and are refused unless trusted."""

import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from deeptheory.core.errors import InputError

SUFFIXES = (".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".tar")
_INNER = ("state_dict", "model_state_dict", "model", "module", "weights", "net")  # where training scripts put it
_DEPTH = 8  # dicts within dicts: a file may hold one that holds itself


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
    for _ in range(_DEPTH):
        if not isinstance(found, dict):
            break
        nested = [found[k] for k in _INNER if isinstance(found.get(k), dict)]
        inner = next((v for v in nested if _is_state(v)), None)  # next to a step or a random state, tensors as well
        if inner is None and _is_state(found):
            break
        inner = inner if inner is not None else next(iter(nested), None)
        if inner is None:
            keys = ", ".join(map(str, list(found)[:6]))
            raise InputError(f"{path} holds no state dict (its keys: {keys}); save model.state_dict()")
        found = inner
    if not isinstance(found, dict) or not _is_state(found):
        raise InputError(f"{path} holds a {type(found).__name__}; needed: a state dict, the weights by name")
    return found


def _is_state(found: dict) -> bool:
    return (
        bool(found)
        and all(isinstance(k, str) for k in found)
        and any(isinstance(v, torch.Tensor) for v in found.values())
    )


def fitted(state: dict[str, Any], model: Mapping[str, Any]) -> dict[str, Any]:
    """The state under the model's names, and with those of its tied weights that a file keeps once. model: its state
    dict."""
    found = named_alike(state, model)
    ties: dict[tuple, list[str]] = {}
    for name, t in model.items():
        if isinstance(t, torch.Tensor) and t.numel() and not t.is_meta:
            ties.setdefault((t.data_ptr(), tuple(t.shape), t.stride()), []).append(name)
    kept = {name: next((other for other in group if other in found), None) for group in ties.values() for name in group}
    return found | {name: found[other] for name, other in kept.items() if name not in found and other is not None}


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
