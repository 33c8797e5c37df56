"""Several recordings of one probe as one: other networks, or later snapshots."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from deeptheory.core.errors import InputError
from deeptheory.recording.identity import digest_of, some_of


def joined(kind: Any, recordings: Sequence[Any], dim: str) -> Any:
    """A recording of this class, in memory, of what the others hold; see Recording.concatenate."""
    if dim not in ("seed", "step"):
        raise InputError(f"dim is {dim!r}; recordings join along 'seed' or 'step'")
    if not recordings:
        raise InputError("no recordings to join; give one or more")
    first = recordings[0]
    for other in recordings[1:]:
        if digest_of(first.targets) != digest_of(other.targets):
            raise InputError(
                "recordings differ in targets (shuffled labels, say); give each its own plane, or set .targets"
            )
        shared = ["layers", "keys", "fingerprint"] + (["steps"] if dim == "seed" else ["seeds"])
        for name in shared:
            a, b = getattr(first, name), getattr(other, name)
            if a != b:
                raise InputError(f"recordings differ in {name}: {some_of(a)} and {some_of(b)}; they cannot be joined")
    along = [v for r in recordings for v in (r.seeds if dim == "seed" else r.steps)]
    if len(set(along)) < len(along):
        twice = sorted({v for v in along if along.count(v) > 1})
        raise InputError(f"{dim} {some_of(twice)} stands in two recordings; each may stand once")
    names = ("readouts", "inputs", "distinct", "fingerprint", "keys")
    kept = {name: getattr(first, name) for name in names}
    out = kind(along if dim == "seed" else first.seeds, first.targets, **kept)
    out.layers = first.layers
    for step in first.steps if dim == "seed" else sorted(along):
        parts = list(recordings) if dim == "seed" else [r for r in recordings if step in r.steps]
        if out.readouts:
            rows = [r._summaries[step] for r in parts]
            out.add_summaries(
                step,
                {
                    n: {
                        la: {k: np.concatenate([p[n][la][k] for p in rows]) for k in rows[0][n][la]}
                        for la in first.layers
                    }
                    for n in out.readouts
                },
            )
        else:
            out.add(step, {la: _stacked(la, [r.activations(la, step) for r in parts]) for la in first.layers})
    if all(r.gradients is not None for r in recordings):
        out.gradients = _gradients([r.gradients for r in recordings], dim)
    return out


def _stacked(layer: str, parts: list[torch.Tensor]) -> torch.Tensor:
    shapes = sorted({tuple(p.shape[1:]) for p in parts})
    if len(shapes) > 1:
        raise InputError(f"recordings differ in layer {layer!r}: [sample, unit] is {some_of(shapes)}; record one probe")
    return torch.cat(parts)


def _gradients(found: list[Any], dim: str) -> Any:
    import xarray as xr

    try:
        return found[0] if len(found) == 1 else xr.concat(found, dim=dim, join="exact", data_vars="all")
    except ValueError as error:
        raise InputError(f"the recordings' gradients cannot be joined along {dim}: {error}") from error
