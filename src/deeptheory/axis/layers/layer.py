"""axis_code on a layer of anybody's network: stimuli go through in batches, and only what is a unit is kept.

What a unit is must be stated. Maps [n, channel, y, x] and tokens [n, token, channel] are pooled over positions ("mean",
"max"), looked at in one position (its index, or "center"), or every position is a unit of its own ("all"). Pooling and
choosing units are done batch by batch, so that the full activations are never held; where units are drawn, the first
256 stimuli tell which there are. Plain layers [n, unit] are taken as they are.
Pitfalls: three axes may also mean [n, channel, x] (one-dimensional convolutions): then say channels="first". Tokens of
a vision transformer begin with a class token (and registers), which is no position: where what remains is a square grid
it is left out of "mean", "max" and "center", and the notes say so; special= says how many there are.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.axis.bench.code import AxisCode, axis_code
from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown
from deeptheory.core.shapes import check_real, check_whole, labels_array, whole_numbers
from deeptheory.recording.found import as_found
from deeptheory.recording.inputs import as_inputs, batches, call, sample_count
from deeptheory.recording.sites import unwrap, watching

_POOLS = ("mean", "max", "center", "all")
_LOOK = 256  # stimuli that decide which units can be drawn


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Units of one layer as an electrode would have them.

    responses: [n, unit], pooled, without noise, float32 (float64 of such a layer); trials: [n, trial, unit] with noise,
    or None; positions: [unit], which units of the pooled layer; notes: how they were pooled and drawn.
    """

    responses: np.ndarray
    trials: np.ndarray | None
    positions: np.ndarray
    notes: tuple[str, ...]

    @property
    def recorded(self) -> np.ndarray:
        """What axis_code takes: the trials where there are any, else the responses."""
        return self.responses if self.trials is None else self.trials


def axis_code_of(
    model: nn.Module,
    layer: str,
    stimuli: Any,
    features: Any,
    *,
    blocks: Any = None,
    pool: Any = "mean",
    channels: str | None = None,
    special: int | None = None,
    units: Any = None,
    min_active_fraction: float | None = None,
    noise: Any = None,
    batch: int = 64,
    seed: int = 0,
    **options: Any,
) -> AxisCode:
    """axis_code of one layer's responses to stimuli whose features are known; -> AxisCode.

    model: any nn.Module, left as found. layer: a name that dt.layers(model, x) lists. stimuli: what the model takes, n
    of them, `batch` at a time. features: [n, d], blocks: as in axis_code. pool, channels, special: see activations_of.
    units, min_active_fraction, noise: see record_units. seed: of units, noise and axis_code. options: the other
    arguments of axis_code. How units were pooled and drawn stands in .notes, their positions in the layer in .units.
    InputError: unknown layer, pooling that does not fit its shape, fewer units than asked for, what axis_code refuses.
    """
    cells = record_units(
        model,
        [layer],
        stimuli,
        pool=pool,
        channels=channels,
        special=special,
        units=units,
        min_active_fraction=min_active_fraction,
        noise=noise,
        batch=batch,
        seed=seed,
    )[layer]
    return axis_code(cells.recorded, features, blocks, seed=seed, **options).noted(cells.notes, cells.positions)


def record_units(
    model: nn.Module,
    layers: Iterable[str],
    stimuli: Any,
    *,
    pool: Any = "mean",
    channels: str | None = None,
    special: int | None = None,
    units: Any = None,
    min_active_fraction: float | None = None,
    noise: Any = None,
    batch: int = 64,
    seed: int = 0,
) -> dict[str, Cells]:
    """{layer: Cells} of several layers: which units, their responses, and noisy trials of them.

    model, layers, stimuli, pool, channels, special, batch: see activations_of. units: how many, drawn by seed; or
    positions among the layer's pooled units, or a mask of them; None: all. min_active_fraction: draw among the units
    that are above 0 for this fraction of the first 256 stimuli or more, and vary; then a layer with fewer of them gives
    what it has. noise: a function (responses [n, unit], seed) -> [n, trial, unit], such as dt.axis.Poisson(); each
    layer has a seed of its own, made from `seed` and its name.
    InputError: more units than there are (without min_active_fraction), positions that are not there, no unit left,
    noise of another shape, and as axis_code_of.
    """
    check_whole(batch=(batch, 1), seed=(seed, 0))
    if min_active_fraction is not None:
        check_real(min_active_fraction=(min_active_fraction, -np.inf))
    layers = named_layers(layers)
    chosen: dict[str, np.ndarray] = {}
    if units is not None or min_active_fraction is not None:
        inputs = as_inputs(stimuli)
        first = next(iter(batches(inputs, sample_count(inputs), _LOOK)))
        looked = _gather(model, layers, first, pool, channels, special, batch)[0]
        chosen = {name: _chosen(_host(r), units, min_active_fraction, seed, name) for name, r in looked.items()}
        del looked
    found, said = _gather(model, layers, stimuli, pool, channels, special, batch, chosen)
    out = {}
    for name in layers:
        r = _host(found[name])
        total = said[name][1]
        positions = chosen.get(name, np.arange(total))
        notes = [said[name][0]]
        if name in chosen:
            notes.append(_drawn(len(positions), total, units, min_active_fraction, seed))
        trials = None if noise is None else noisy(r, noise, _own_seed(seed, name))
        out[name] = Cells(responses=r, trials=trials, positions=positions, notes=tuple(notes))
    return out


def noisy(responses: np.ndarray, noise: Any, seed: int) -> np.ndarray:
    """Trials [n, trial, unit] that a caller's function makes of responses [n, unit].

    InputError: other stimuli or units, whose names would be lost; no trial, no function.
    """
    if not callable(noise):
        raise InputError(f"noise is {noise!r:.60}; needed: a function (responses [n, unit], seed) -> [n, trial, unit]")
    out = as_floats(noise(responses.copy(), seed))  # a function that works in place would change the responses
    n, units = responses.shape
    if out.ndim not in (2, 3) or len(out) != n or out.shape[-1] != units or not out.size:
        raise InputError(f"noise gave shape {list(out.shape)} for {[n, units]}; needed: [{n}, trials, {units}]")
    return out


def named_layers(layers: Any) -> list[str]:
    """The names as a list. InputError: no iterable."""
    if not isinstance(layers, Iterable):
        raise InputError(f"layers is {layers!r}; needed: a list of names (dt.layers(model, x) lists all)")
    return [layers] if isinstance(layers, str) else list(layers)


def _host(r: torch.Tensor) -> np.ndarray:
    return (r if r.dtype == torch.float64 else r.float()).numpy()  # numpy has no bfloat16


def _own_seed(seed: int, name: str) -> int:
    """Each layer its own noise, the same in whatever company it is asked."""
    return int(np.random.default_rng([seed, 13, *name.encode()]).integers(2**31))


def _chosen(looked: np.ndarray, units: Any, min_active_fraction: float | None, seed: int, name: str) -> np.ndarray:
    n = looked.shape[1]
    if units is not None and np.ndim(units) == 0:
        check_whole(units=(units, 1))
    if units is not None and not _is_number(units):
        positions = np.asarray(labels_array("units", units))
        positions = (
            np.flatnonzero(positions)
            if positions.shape == (n,) and positions.dtype == bool
            else whole_numbers("units", units)
        )
        if len(np.unique(positions)) < len(positions):
            raise InputError(f"units are {positions.tolist()[:5]}, some of them twice; needed: each position once")
        if len(positions) == 0 or positions.max() >= n:
            raise InputError(
                f"units are {positions.tolist()[:5]}; layer {name!r} has {n}; needed: positions from 0 to {n - 1}"
            )
        return positions
    living = np.arange(n)
    if min_active_fraction is not None:
        looked = looked.astype(np.float64)  # squares of small units are 0 in single precision
        varies = looked.std(0) > 1e-6 * np.abs(looked).max(0)  # its own largest: units need not be of one size
        living = np.flatnonzero(varies & ((looked > 0).mean(0) >= min_active_fraction))
        if len(living) == 0:
            raise InputError(
                f"no unit of layer {name!r} is above 0 for {min_active_fraction:g} of {len(looked)} stimuli"
            )
    wanted = len(living) if units is None else int(units)
    if min_active_fraction is not None:
        wanted = min(wanted, len(living))
    if not 1 <= wanted <= len(living):
        raise InputError(f"units is {wanted}; layer {name!r} has {n} units after pooling")
    return np.sort(np.random.default_rng([seed, 6]).choice(living, wanted, replace=False))


def _is_number(units: Any) -> bool:
    return np.ndim(units) == 0  # np.array(5), too, is how many, not which


def _drawn(k: int, total: int, units: Any, min_active_fraction: float | None, seed: int) -> str:
    if units is not None and not _is_number(units):
        return f"{k} of {total} units, as asked"
    among = "" if min_active_fraction is None else f" among those above 0 for {min_active_fraction:g} of the stimuli"
    return f"{k} of {total} units, drawn by seed {seed}{among}"


def activations_of(
    model: nn.Module,
    layers: Iterable[str],
    stimuli: Any,
    *,
    pool: Any = "mean",
    channels: str | None = None,
    special: int | None = None,
    batch: int = 64,
) -> dict[str, torch.Tensor]:
    """{layer: [n, units]} of several layers in one pass, on the host, in the layer's dtype, without gradient.

    model: any nn.Module, left as found. layers: names that dt.layers(model, x) lists. stimuli: [n, ...], or whatever
    else the model takes, `batch` at a time.
    pool: over the positions of maps and tokens, a unit a channel: "mean", "max", "center" or an index of a position;
    "all": every channel at every position is a unit; or a function of the layer's tensor giving a tensor of real
    numbers [n, units]. Layers [n, unit] are taken as they are.
    channels: "first" or "last"; default: first for maps (four axes or more), last for tokens (three; say "first" of
    one-dimensional convolutions). special: leading tokens that are no positions, left out by mean, max and center;
    default: 0, 1 or 5 (4 registers), the first that leaves a square number of 16 or more, else 0.
    InputError: an unknown layer, pooling or order of channels, a position that is not there, another shape than these,
    special below 0 or all tokens, batch below 1.
    """
    check_whole(batch=(batch, 1))
    return _gather(model, named_layers(layers), stimuli, pool, channels, special, batch)[0]


def _gather(
    model: nn.Module,
    layers: list[str],
    stimuli: Any,
    pool: Any,
    channels: str | None,
    special: int | None,
    batch: int,
    chosen: Any = None,
):
    """({layer: [n, units]}, {layer: (how it was pooled, how many units it has)}); chosen: {layer: positions} to
    keep.
    """
    chosen = chosen or {}
    index = isinstance(pool, int | np.integer) and not isinstance(pool, bool)
    if not (callable(pool) or index or (isinstance(pool, str) and pool in _POOLS)):
        raise InputError(unknown(pool, _POOLS, what="pooling") + "; or an index, or a function")
    if channels not in (None, "first", "last"):
        raise InputError(unknown(channels, ("first", "last"), what="order of channels"))
    if special is not None:
        check_whole(special=(special, 0))
    model = unwrap(model)
    stimuli = as_inputs(stimuli)
    n = sample_count(stimuli)
    parts: dict[str, list[torch.Tensor]] = {name: [] for name in layers}
    shapes: dict[str, tuple[int, ...]] = {}
    totals: dict[str, int] = {}
    met: dict[str, None] = {}

    def wanted(name: str, nonlinear: bool) -> str | None:
        met[name] = None
        return "clone" if name in parts else None  # a later in-place step would rewrite what is only kept

    with as_found(model):
        for piece in batches(stimuli, n, batch):
            with watching(model, wanted) as seen:
                call(model, piece)
            size = sample_count(piece)
            times = Counter(s.name for s in seen)
            lost = [name for name in layers if name in met and times[name] != 1]
            if lost:
                raise InputError(
                    f"layer {lost[0]!r} is passed by some batches of stimuli and not by others, so that nobody knows "
                    "which of its responses are whose"
                )
            for s in seen:
                got = _units(s.tensor, pool, channels, special, s.name, size)
                if totals.setdefault(s.name, got.shape[1]) != got.shape[1]:
                    raise InputError(
                        f"layer {s.name!r} gives {totals[s.name]} units for some batches of stimuli and "
                        f"{got.shape[1]} for others; pool over positions, or give stimuli of one size"
                    )
                shapes[s.name] = tuple(s.tensor.shape[1:])
                parts[s.name].append((got[:, chosen[s.name]] if s.name in chosen else got).to("cpu"))
            seen.clear()
            lost = [name for name in layers if name not in shapes]
            if lost:
                raise InputError(unknown(lost[0], met, what="layer") + ". dt.layers(model, x) lists all")
    return {k: torch.cat(v) for k, v in parts.items()}, {
        k: (_said(shapes[k], pool, channels, special, k), totals[k]) for k in layers
    }


def _units(a: torch.Tensor, pool: Any, channels: str | None, special: int | None, name: str, size: int) -> torch.Tensor:
    """[n, ...] -> [n, units]."""
    if a.ndim < 2 or len(a) != size or not a.is_floating_point():
        raise InputError(
            f"layer {name!r} gives shape {list(a.shape)} for {size} stimuli; needed: real numbers [n, ...]"
        )
    if callable(pool):
        out: Any = pool(a)
        if not isinstance(out, torch.Tensor) or out.ndim != 2 or len(out) != len(a) or out.is_complex():
            seen = f"{list(out.shape)} {out.dtype}" if isinstance(out, torch.Tensor) else type(out).__name__
            raise InputError(
                f"the pooling function gave {seen} for {list(a.shape)}; needed: a tensor of real numbers "
                f"[{len(a)}, units]"
            )
        return out
    if a.ndim == 2:
        return a
    tokens = a.ndim == 3 and channels != "first"
    grid: tuple[int, ...] = tuple(
        a.shape[2:] if channels == "first" or (channels is None and a.ndim > 3) else a.shape[1:-1]
    )
    a = _positions_last(a, channels)  # [n, channel, position]
    lead = _lead(a.shape[2], special) if tokens else 0
    if lead >= a.shape[2]:
        raise InputError(
            f"special is {lead}; layer {name!r} has {a.shape[2]} tokens, and one at least has to be a position"
        )
    if pool == "all":
        return a.flatten(1)
    if pool == "mean":
        return a[:, :, lead:].mean(2)
    if pool == "max":
        return a[:, :, lead:].amax(2)
    positions = a.shape[2]
    where = lead + _center((positions - lead,) if tokens else grid, tokens) if pool == "center" else int(pool)
    if not -positions <= where < positions:
        raise InputError(f"position {where} of layer {name!r}, which has {positions}; needed: below that")
    return a[:, :, where]


def _positions_last(a: torch.Tensor, channels: str | None) -> torch.Tensor:
    first = channels == "first" or (channels is None and a.ndim > 3)
    return (a if first else a.movedim(-1, 1)).flatten(2)


def _lead(tokens: int, special: int | None) -> int:
    """How many leading tokens are no positions."""
    if special is not None:
        return special
    return next((k for k in (0, 1, 5) if tokens - k >= 16 and isqrt(tokens - k) ** 2 == tokens - k), 0)


def _center(grid: tuple[int, ...], tokens: bool) -> int:
    """The middle position of a grid, counted as it is flattened; tokens of a square number lie in a square."""
    number = int(np.prod(grid))
    side = isqrt(number)
    if tokens and side**2 == number:
        grid = (side, side)
    return int(np.ravel_multi_index([k // 2 for k in grid], grid))


def _said(shape: tuple[int, ...], pool: Any, channels: str | None, special: int | None, name: str) -> str:
    if len(shape) == 1:
        return f"layer {name}: {shape[0]} units"
    how = pool if isinstance(pool, str) else "a function" if callable(pool) else f"position {pool}"
    order = channels or ("first" if len(shape) > 2 else "last")
    tokens = len(shape) == 2 and order == "last" and pool in ("mean", "max", "center")
    number = int(np.prod(shape[:1]))
    lead = _lead(number, special) if tokens else 0
    without = (
        ""
        if not lead
        else f", without the first {lead} of {number} tokens, taken for class token and registers (special=0 "
        "keeps them)"
    )
    return f"layer {name}: shape {list(shape)} per stimulus, channels {order}; positions: {how}{without}"
