"""Readouts as streams: what a Recorder hands each batch to, and how the older form, whole layers at once, becomes one.

A readout gives `start(layer)`, a stream with `update(activations [seed, batch, unit], targets [batch, ...])` and
`result() -> {name: [seed]}`. A stream that must know a range first says `passes = 2` and has `look(activations)`, which
sees every batch before the first update. Where a readout has them, `held(inputs, units, seeds, classes, itemsize)` says
the bytes of one layer's stream, and `said(units, classes)` what else should be said before ("" for nothing).
"""

from typing import Any

import numpy as np
import torch

from deeptheory.core.arrays import as_numpy


class Whole:
    """A stream for a readout with `summarize` alone: it holds the layer, and summarizes at the end."""

    passes = 1

    def __init__(self, readout: Any, layer: str):
        self._readout, self.layer = readout, layer
        self._parts: list[torch.Tensor] = []
        self._targets: list[Any] = []

    def update(self, activations: Any, targets: Any) -> None:
        """Take a batch, copied: it may be a view of what the model goes on with."""
        self._parts.append(torch.as_tensor(activations).detach().clone())
        self._targets.append(targets)

    def result(self) -> dict[str, Any]:
        """The readout's summary of all batches."""
        whole = self._parts[0] if len(self._parts) == 1 else torch.cat(self._parts, dim=1)
        self._parts = [whole]
        targets = None if self._targets[0] is None else np.concatenate([as_numpy(t) for t in self._targets])
        return self._readout.summarize(whole, targets)


def start(readout: Any, layer: str) -> Any:
    """A new stream of the readout for a layer."""
    return readout.start(layer) if hasattr(readout, "start") else Whole(readout, layer)


def is_readout(thing: Any) -> bool:
    """Whether it can be handed to a Recorder."""
    return (
        not isinstance(thing, type)
        and (hasattr(thing, "start") or hasattr(thing, "summarize"))
        and not isinstance(thing, str)
    )


def held_bytes(readout: Any, *, inputs: int, units: int, seeds: int, classes: int, itemsize: int) -> int:
    """Bytes that one layer's stream holds when all is seen: what the readout says, or the whole layer."""
    if hasattr(readout, "held"):
        return int(readout.held(inputs=inputs, units=units, seeds=seeds, classes=classes, itemsize=itemsize))
    return inputs * units * seeds * itemsize
