"""Telling how far a run is, always on stderr: bars on a terminal, plain lines elsewhere,
or a function of the user's."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from deeptheory.core.names import count_of

_LINE_EVERY = 10.0  # seconds between two lines of one step
_LOOK_EVERY = 0.25


class Lines:
    """Plain lines, few: a step's beginning and end, and one every ten seconds between."""

    def __init__(self) -> None:
        self._started = self._said = 0.0

    def begin(self, step: str, done: float, total: int) -> None:
        """A step of `total` units begins, `done` of them from before."""
        self._started = self._said = time.monotonic()
        units = count_of(total, "unit")
        self.say(f"{step}: {done:.0f} of {units} done already" if done else f"{step}: {units}")

    def at(self, step: str, done: float, total: int) -> None:
        """`done` of `total` units are done; fractions count."""
        if time.monotonic() - self._said >= _LINE_EVERY:
            self._said = time.monotonic()
            self.say(f"{step}: {100 * done / total:.0f} %")

    def end(self, step: str) -> None:
        """The step is done."""
        self.say(f"{step}: done in {time.monotonic() - self._started:.1f} s")

    def say(self, text: str) -> None:
        """One line of text."""
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Nothing follows."""


class Bars(Lines):
    """One rich bar a step."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

        columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
        self._bars = Progress(*columns, console=Console(stderr=True))
        self._ids: dict[str, Any] = {}
        self._bars.start()

    def begin(self, step: str, done: float, total: int) -> None:
        """See Lines."""
        so_far: Any = done  # rich takes fractions, its types do not say so
        self._ids[step] = self._bars.add_task(step, completed=so_far, total=total)

    def at(self, step: str, done: float, total: int) -> None:
        """See Lines."""
        self._bars.update(self._ids[step], completed=done)

    def end(self, step: str) -> None:
        """See Lines."""
        self._bars.refresh()

    def say(self, text: str) -> None:
        """See Lines."""
        self._bars.console.print(text, markup=False, highlight=False)

    def close(self) -> None:
        """See Lines."""
        self._bars.stop()


class Silent(Lines):
    """Nothing."""

    def say(self, text: str) -> None:
        """See Lines."""


class Called(Silent):
    """progress(step, units done, units) of the user's; units done may be a fraction."""

    def __init__(self, function: Callable[[str, float, int], Any]) -> None:
        super().__init__()
        self._function = function

    def begin(self, step: str, done: float, total: int) -> None:
        """See Lines."""
        self._function(step, done, total)

    def at(self, step: str, done: float, total: int) -> None:
        """See Lines."""
        self._function(step, done, total)

    def end(self, step: str) -> None:
        """See Lines."""


def reporter(progress: Callable[[str, float, int], Any] | bool | None) -> Lines:
    """None or True: bars on a terminal, lines elsewhere; False: silence; else a function to call."""
    if callable(progress):
        return Called(progress)
    if progress is False:
        return Silent()
    return Bars() if sys.stderr.isatty() else Lines()


@contextmanager
def watched(look: Callable[[], None]) -> Iterator[None]:
    """Call look() a few times a second from a thread, until the block ends."""
    ended = threading.Event()

    def loop() -> None:
        while not ended.wait(_LOOK_EVERY):
            look()

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
