"""What would be recorded from a model, before anything is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

from deeptheory.core.results import Result
from deeptheory.recording.inputs import with_targets
from deeptheory.recording.sites import unwrap
from deeptheory.recording.tracing import sites

if TYPE_CHECKING:
    import pandas

_COLUMNS = ["name", "kind", "shape", "dtype", "bytes", "kept", "why"]


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerPreview(Result):
    """Rows (name, kind, shape, dtype, bytes, kept, why), in the order of the forward pass; then modules it skips.

    kind: the module's class or "torch.FUNCTION". shape, bytes: of the tensor for the x that was given, samples first;
    () and 0 for modules that the pass does not call. kept: whether a Recorder with these layers= keeps it. why: in
    words.
    """

    rows: tuple[dict[str, Any], ...]

    def __repr__(self) -> str:
        kept = [r for r in self.rows if r["kept"]]
        size = sum(r["bytes"] for r in kept)
        return f"LayerPreview({len(kept)} of {len(self.rows)} kept, {size:,} bytes a snapshot)"

    def table(self) -> "pandas.DataFrame":
        """One row per entry of .rows, with its columns."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=_COLUMNS)


def layers(model: nn.Module, x: Any, layers=None) -> LayerPreview:
    """Name, kind, shape, bytes of every layer that a Recorder could keep, and which it keeps by default and why.

    model: any nn.Module, left as found. x: a batch [n, ...], as for Recorder(inputs=); a few samples do, and all that
    are given go through at once, then three of them again to tell which axis is the samples'. layers: names or globs,
    as there, of what to keep; one that fits nothing keeps nothing. Every function that changes values has a row, but
    for those of `deeptheory.recording.operations.IGNORED`. InputError: no module, a module or a batch that cannot be
    recorded.
    """
    from deeptheory.recording.probe import chooser, seen_with_gradients

    inner = unwrap(model)
    x, _ = with_targets(x, None, inner)
    choose = chooser(layers)
    seeds = len(getattr(inner, "seeds", ())) or None
    (found, _), _ = seen_with_gradients(inner, lambda: sites(inner, x, seeds=seeds))
    rows = []
    for s in found:
        kept = s.refusal is None and choose(s)
        why = s.why if layers is None or s.refusal is not None else "asked for" if kept else "not asked for"
        rows.append(
            {
                "name": s.name,
                "kind": s.kind,
                "shape": s.shape,
                "dtype": s.dtype,
                "bytes": s.bytes,
                "kept": kept,
                "why": why,
            }
        )
    return LayerPreview(rows=tuple(rows))
