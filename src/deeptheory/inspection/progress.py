"""How far an inspection is and how long it will still take: a bar on a terminal, few lines elsewhere,
or a function of the user's."""

import sys
import time
from collections.abc import Callable
from typing import Any

_EVERY = 10.0  # seconds between two lines
_QUIET = 5.0  # an inspection shorter than this says nothing


class Progress:
    """Counts the promised seconds of what is done against those of all; the speed so far corrects what is left.

    told: None or True for stderr, False for silence, else a function (fraction, seconds left).
    """

    def __init__(self, told: Callable[[float, float], Any] | bool | None, promised: dict[str, float]):
        self._promised, self._told = promised, told
        self._whole = max(sum(promised.values()), 1e-9)
        self._done = self._skipped = self._reached = 0.0
        self._began = self._said = time.monotonic()
        self._unit, self._batches, self._total = "", 0, 1
        self._bar: Any = None
        if told in (None, True) and sys.stderr.isatty():
            self._open_bar()

    def skip(self, unit: str) -> None:
        """This unit was done in an earlier session."""
        self._done += self._promised[unit]
        self._skipped += self._promised[unit]

    def begin(self, unit: str, batches: int) -> None:
        """A unit begins."""
        self._unit, self._batches, self._total = unit, 0, max(batches, 1)
        self._say()

    def batch(self) -> None:
        """A batch of the unit is done."""
        self._batches = min(self._batches + 1, self._total)
        self._say()

    def end(self) -> None:
        """The unit is done."""
        self._done += self._promised[self._unit]
        self._batches, self._unit = 0, ""
        self._say()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar[0].stop()

    def now(self) -> tuple[float, float]:
        """(fraction done, seconds left)."""
        done = self._done + self._promised.get(self._unit, 0.0) * self._batches / self._total
        here = done - self._skipped
        spent = time.monotonic() - self._began
        rate = spent / here if here > 0.02 * self._whole else 1.0
        return min(done / self._whole, 1.0), max(self._whole - done, 0.0) * rate

    def _say(self) -> None:
        fraction, left = self.now()
        self._reached = fraction = max(self._reached, fraction)  # a sum's last digit never sets it back
        if callable(self._told):
            self._told(fraction, left)
        elif self._bar is not None:
            bars, task = self._bar
            bars.update(task, completed=fraction, description=f"inspect: about {left:.0f} s left")
        elif self._told is not False and self._whole > _QUIET and time.monotonic() - self._said >= _EVERY:
            self._said = time.monotonic()
            print(
                f"inspect: {fraction:.0%} ({self._unit or 'next'}), about {left:.0f} s left",
                file=sys.stderr,
                flush=True,
            )

    def _open_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar = bars, bars.add_task("inspect", total=1.0)
        bars.start()
