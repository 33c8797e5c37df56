"""What a snapshot costs, said before; how far it is, during. Lines on stderr only where it takes long."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeptheory.core.results import Result

if TYPE_CHECKING:
    import pandas

_LONG = 20.0  # seconds from which a snapshot says what it will take
_EVERY = 30.0  # seconds between lines


@dataclass(frozen=True, kw_only=True, eq=False)
class Cost(Result):
    """What one snapshot of a Recorder costs, from its first batch.

    passes: over the probe inputs; batches: forward passes in each; held: bytes that readouts or activations hold at its
    end; batch_bytes: bytes that one forward pass shows, about what it needs beside the weights; stored: bytes written;
    seconds: the first batch's time (forward pass and readouts) times all of them; layers: how many; notes: what
    readouts say beforehand.
    """

    passes: int
    batches: int
    layers: int
    held: int
    batch_bytes: int
    stored: int
    seconds: float
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        stored = f", {size(self.stored)} stored" if self.stored else ""
        return (
            f"Cost({self.layers} layers, {self.passes} pass{'es' * (self.passes > 1)} of {self.batches} batches, about "
            f"{self.seconds:.3g} s, {size(self.held)} held, {size(self.batch_bytes)} a batch{stored})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row: passes, batches, layers, held, batch_bytes, stored, seconds."""
        import pandas as pd

        return pd.DataFrame([{k: v for k, v in vars(self).items() if k != "notes"}])


class Teller:
    """Counts batches; after the first says what is to come where that is long, then how far it is."""

    def __init__(self, total: int, what: str, progress: Callable[[int, int], Any] | None):
        self.total, self.what, self.progress = total, what, progress
        self.done, self.began = 0, time.monotonic()
        self.last = self.began
        self.telling = False

    def batch(self) -> None:
        """One more is done."""
        self.done += 1
        if self.progress is not None:
            self.progress(self.done, self.total)
            return
        now = time.monotonic()
        spent = now - self.began
        if self.done == 1 and spent * self.total > _LONG and self.total > 1:
            self.telling, self.last = True, now
            print(
                f"snapshot: {self.what}; about {spent * self.total:.0f} s by the first batch",
                file=sys.stderr,
                flush=True,
            )
        elif self.telling and now - self.last > _EVERY and self.done < self.total:
            self.last = now
            left = spent / self.done * (self.total - self.done)
            print(
                f"snapshot: {self.done} of {self.total} batches, about {left:.0f} s left", file=sys.stderr, flush=True
            )


def size(n: float) -> str:
    """Bytes in words: 38.1 MB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000 or unit == "GB":
            return f"{n:.0f} {unit}" if unit == "bytes" else f"{n:.3g} {unit}"
        n /= 1000
    return ""


def available() -> int | None:
    """Bytes of memory that the system can still give, where it says so."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None
