"""What would be recorded from a model, before anything is."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from deeptheory.recording.sites import OUTPUT, Seen, as_found, as_inputs, call, sample_count, unwrap, watching
from deeptheory.results import Result


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerPreview(Result):
    """Rows (name, kind, shape, dtype, bytes, kept, why), in the order of the forward pass."""

    rows: tuple[dict[str, Any], ...]

    def __repr__(self) -> str:
        kept = [r for r in self.rows if r["kept"]]
        size = sum(r["bytes"] for r in kept)
        return f"LayerPreview({len(kept)} of {len(self.rows)} kept, {size:,} bytes a snapshot)"

    def table(self):
        """One row a tensor that the forward pass shows."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=["name", "kind", "shape", "dtype", "bytes", "kept", "why"])


def layers(model: nn.Module, x: Any, layers=None) -> LayerPreview:
    """Name, kind, shape, bytes of every layer that a Recorder could keep, and which it keeps by default and why.

    model: any nn.Module, left as found. x: a small batch, as for Recorder(inputs=). layers: names or globs, as there.
    """
    from deeptheory.recording.recorder import chooser

    x = as_inputs(x)
    inner = unwrap(model)
    n = sample_count(x)
    choose = chooser(layers)
    with as_found(inner), watching(inner, lambda name, nonlinear: "keep") as seen:
        call(inner, x)
    seeds = len(getattr(inner, "seeds", ())) or None
    rows = []
    for s in seen:
        why = refusal(s, n, seeds) or duplicate(s, seen)
        kept = choose(s.name, s.nonlinear) and why is None
        if why is None:
            is_output = s.name.partition(".")[0] == OUTPUT
            why = "the model's output" if is_output else "a nonlinearity" if s.nonlinear else "not a nonlinearity"
            why = why if layers is None else "asked for" if kept else "not asked for"
        rows.append(
            {
                "name": s.name,
                "kind": s.kind,
                "shape": tuple(s.tensor.shape),
                "dtype": str(s.tensor.dtype).removeprefix("torch."),
                "bytes": s.tensor.numel() * s.tensor.element_size(),
                "kept": kept,
                "why": why,
            }
        )
    return LayerPreview(rows=tuple(rows))


def refusal(s: Seen, n: int, seeds: int | None) -> str | None:
    """Why a tensor cannot be an activation [sample, unit...], or None."""
    shape = tuple(s.tensor.shape)
    if not s.tensor.is_floating_point():
        return f"not real numbers ({str(s.tensor.dtype).removeprefix('torch.')})"
    lead = (n,) if seeds is None else (seeds, n)
    if shape[: len(lead)] != lead:
        axes = "samples" if seeds is None else "seeds and samples"
        return f"shape {list(shape)} does not begin with the {axes} {list(lead)}"
    if 0 in shape:
        return f"empty: shape {list(shape)}"
    return None


def duplicate(s: Seen, seen: list[Seen]) -> str | None:
    """The later name under which the very same tensor is kept as the model's output, or None."""
    for other in seen:
        if other is not s and other.name == OUTPUT and same(s.tensor, other.tensor):
            return "the same tensor as the model's output"
    return None


def same(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors are the same memory read in the same way."""
    return a.data_ptr() == b.data_ptr() and a.shape == b.shape and a.stride() == b.stride()
