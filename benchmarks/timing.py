"""Fair timing: both sides in one process with one thread, rounds interleaved, medians of ratios, accuracy beside
them.
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Row:
    """One comparison. ratio: median over rounds of theirs / ours, with the least and largest; error: largest difference
    between the two results, in `error_of`; note: what one must know."""

    name: str
    ours_ms: float
    theirs: str
    theirs_ms: float
    ratio: float
    least: float
    largest: float
    error: float | None
    error_of: str
    note: str = ""

    def as_dict(self) -> dict:
        return asdict(self)


def interleaved(
    functions: dict[str, Callable[[], object]], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Seconds of each function in each round; every function is called once before. clock: time.process_time where
    both sides only compute, so that waiting for a busy machine does not count."""
    for function in functions.values():
        function()
    times: dict[str, list[float]] = {name: [] for name in functions}
    for k in range(rounds):
        order = list(functions) if k % 2 == 0 else list(functions)[::-1]
        for name in order:
            start = clock()
            functions[name]()
            times[name].append(clock() - start)
    return times


def compare(
    name, ours, theirs_name, theirs, rounds, *, ours_scale=1.0, theirs_scale=1.0, error=None, error_of="", note="",
    clock=time.perf_counter,
):  # fmt: skip
    """A Row; a scale multiplies the time of a side that did only a part of the work, which the note then says."""
    times = interleaved({"ours": ours, "theirs": theirs}, rounds, clock)
    a = [t * ours_scale for t in times["ours"]]
    b = [t * theirs_scale for t in times["theirs"]]
    ratios = sorted(y / x for x, y in zip(a, b))
    return Row(
        name=name,
        ours_ms=1000 * statistics.median(a),
        theirs=theirs_name,
        theirs_ms=1000 * statistics.median(b),
        ratio=statistics.median(ratios),
        least=ratios[0],
        largest=ratios[-1],
        error=error,
        error_of=error_of,
        note=note,
    )
