"""What comes into a Recording from outside: seeds, and activations that fit it and each other."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError


def seeds_of(seeds: Iterable[Any]) -> tuple[int, ...]:
    """The seeds as integers. InputError: one that is none (0.5 is not cut to 0), or one twice."""
    given = list(seeds)
    bad = next((s for s in given if isinstance(s, bool) or not hasattr(s, "__index__")), None)
    if bad is not None:
        raise InputError(f"seeds hold {bad!r}; needed: integers, one for each network")
    out = tuple(int(s) for s in given)
    if len(set(out)) < len(out):
        raise InputError(f"seeds are {list(out)}; each network has a seed of its own")
    return out


def real(layer: str, values: Any) -> torch.Tensor:
    """A layer's activations as a tensor without a gradient, of the caller's memory. InputError: no real numbers."""
    try:
        found = as_tensor(values)
    except InputError as error:
        raise InputError(f"activations of layer {layer!r}: {error}") from error
    if found.is_complex():
        raise InputError(f"activations of layer {layer!r} are complex; needed: real numbers")
    return found.detach()


def check_shapes(
    step: int, shapes: Mapping[str, tuple[int, ...]], networks: int, samples: int, before: Mapping[str, tuple[int, ...]]
) -> None:
    """samples: of the inputs or targets, 0 where unknown. before: shapes at earlier steps.

    InputError: no layer, a shape that is not [seed, sample, unit] of these, or not that of earlier steps.
    """
    if not shapes:
        raise InputError(f"step {step} has no layer; give the activations of at least one")
    n = samples or next((shape[1] for shape in shapes.values() if len(shape) == 3), 0)
    for name, shape in shapes.items():
        if len(shape) != 3 or shape[:2] != (networks, n) or before.get(name, shape) != shape:
            needed = f" {before[name]}" if name in before else f", [{networks}, {n or 'sample'}, unit]"
            raise InputError(f"layer {name!r} has shape {list(shape)} at step {step}; needed:{needed}")
