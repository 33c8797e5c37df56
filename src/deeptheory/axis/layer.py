"""axis_code on a layer of anybody's network: stimuli go through in batches, and only what is a unit is kept.

What a unit is must be stated. Maps [n, channel, y, x] and tokens [n, token, channel] are pooled over positions ("mean",
"max"), looked at in one position (its index, or "centre"), or every position is a unit of its own ("all"). Pooling is
done batch by batch, so that the full activations are never held. Plain layers [n, unit] are taken as they are.
Trap: three axes may also mean [n, channel, x] (one-dimensional convolutions): then say channels="first".
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.axis.code import AxisCode, axis_code
from deeptheory.errors import InputError
from deeptheory.names import unknown
from deeptheory.recording.sites import as_found, as_inputs, batches, call, first_tensor, unwrap, watching

_POOLS = ("mean", "max", "centre", "all")


def axis_code_of(
    model: nn.Module,
    layer: str,
    stimuli: Any,
    features: Any,
    blocks: Any = None,
    *,
    pool: Any = "mean",
    channels: str | None = None,
    units: int | None = None,
    batch: int = 64,
    seed: int = 0,
    **options: Any,
) -> AxisCode:
    """axis_code of one layer's responses to stimuli whose features are known.

    model: any nn.Module, left as found. layer: a name that dt.layers(model, x) lists. stimuli: what the model takes, n of
    them. features: [n, d]. pool, channels: see above and responses_of. units: look at this many, drawn by seed.
    options: those of axis_code (folds, shuffles, normalize, radius, models). How the layer was pooled stands in .notes.
    InputError: unknown layer, pooling that does not fit its shape, fewer units than asked for, what axis_code refuses.
    """
    responses, said = _gather(model, [layer], stimuli, pool, channels, batch)
    r, notes = responses[layer], [said[layer]]
    if units is not None:
        if not 1 <= units <= r.shape[1]:
            raise InputError(f"units is {units}; layer {layer!r} has {r.shape[1]} units after pooling")
        chosen = np.sort(np.random.default_rng([seed, 6]).choice(r.shape[1], units, replace=False))
        notes.append(f"{units} of {r.shape[1]} units, drawn by seed {seed}")
        code = axis_code(r[:, chosen], features, blocks, seed=seed, **options)
        return code.noted(notes, positions=chosen)
    return axis_code(r, features, blocks, seed=seed, **options).noted(notes)


def responses_of(
    model: nn.Module,
    layers: Iterable[str],
    stimuli: Any,
    *,
    pool: Any = "mean",
    channels: str | None = None,
    batch: int = 64,
) -> dict[str, torch.Tensor]:
    """{layer: [n, units]} of several layers in one pass, on the host.

    pool: "mean", "max", "centre", "all", an index of a position, or a function of the layer's tensor giving [n, units].
    channels: "first" or "last"; default: first for maps (four axes or more), last for tokens (three).
    """
    return _gather(model, list(layers), stimuli, pool, channels, batch)[0]


def _gather(model: nn.Module, layers: list[str], stimuli: Any, pool: Any, channels: str | None, batch: int):
    if not (callable(pool) or isinstance(pool, int) or pool in _POOLS):
        raise InputError(unknown(pool, _POOLS, what="pooling") + "; or an index, or a function")
    if channels not in (None, "first", "last"):
        raise InputError(unknown(channels, ("first", "last"), what="order of channels"))
    if batch < 1:
        raise InputError(f"batch is {batch}; needed: at least 1 stimulus a forward pass")
    model = unwrap(model)
    stimuli = as_inputs(stimuli)
    first = first_tensor(stimuli)
    n = 0 if first is None else len(first)
    parts: dict[str, list[torch.Tensor]] = {name: [] for name in layers}
    shapes: dict[str, tuple[int, ...]] = {}
    met: dict[str, None] = {}

    def wanted(name: str, nonlinear: bool) -> str | None:
        met[name] = None
        return "clone" if name in parts else None  # a later in-place step would rewrite what is only kept

    with as_found(model):
        for piece in batches(stimuli, n, batch):
            with watching(model, wanted) as seen:
                call(model, piece)
            at_once = first_tensor(piece)
            size = 0 if at_once is None else len(at_once)
            for s in seen:
                parts[s.name].append(_units(s.tensor, pool, channels, s.name, size).to("cpu"))
                shapes[s.name] = tuple(s.tensor.shape[1:])
            seen.clear()
            lost = [name for name in layers if name not in shapes]
            if lost:
                raise InputError(unknown(lost[0], met, what="layer") + ". dt.layers(model, x) lists all")
    return {k: torch.cat(v) for k, v in parts.items()}, {k: _said(shapes[k], pool, channels, k) for k in layers}


def _units(a: torch.Tensor, pool: Any, channels: str | None, name: str, size: int) -> torch.Tensor:
    """[n, ...] -> [n, units]."""
    if a.ndim < 2 or len(a) != size or not a.is_floating_point():
        raise InputError(
            f"layer {name!r} gives shape {list(a.shape)} for {size} stimuli; needed: real numbers [n, ...]"
        )
    if callable(pool):
        out: Any = pool(a)
        if out.ndim != 2 or len(out) != len(a):
            raise InputError(
                f"the pooling function gave {list(out.shape)} for {list(a.shape)}; needed: [{len(a)}, units]"
            )
        return out
    if a.ndim == 2:
        return a
    a = _positions_last(a, channels)  # [n, channel, position]
    positions = a.shape[2]
    if pool == "all":
        return a.flatten(1)
    if pool == "mean":
        return a.mean(2)
    if pool == "max":
        return a.amax(2)
    where = _centre(positions) if pool == "centre" else int(pool)
    if not -positions <= where < positions:
        raise InputError(f"position {where} of layer {name!r}, which has {positions}; needed: below that")
    return a[:, :, where]


def _positions_last(a: torch.Tensor, channels: str | None) -> torch.Tensor:
    first = channels == "first" or (channels is None and a.ndim > 3)
    return (a if first else a.movedim(-1, 1)).flatten(2)


def _centre(positions: int) -> int:
    side = round(positions**0.5)
    return (side // 2) * side + side // 2 if side * side == positions else positions // 2


def _said(shape: tuple[int, ...], pool: Any, channels: str | None, name: str) -> str:
    if len(shape) == 1:
        return f"layer {name}: {shape[0]} units"
    how = pool if isinstance(pool, str) else "a function" if callable(pool) else f"position {pool}"
    order = channels or ("first" if len(shape) > 2 else "last")
    return f"layer {name}: shape {list(shape)} a stimulus, channels {order}; positions: {how}"
