"""A table on stdout: columns where they fit the terminal, else each row as a few lines. Nothing is ever cut off."""

import sys
from collections.abc import Sequence

from deeptheory.cli.application import columns, put
from deeptheory.core.verdicts import CONTRADICTED, FAILS, HOLDS, INCONCLUSIVE, REPRODUCED

_COLORS = {REPRODUCED: "32", HOLDS: "32", CONTRADICTED: "31", FAILS: "31", INCONCLUSIVE: "33"}
_GAP = "  "


def print_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows of text under their heading; verdicts are colored on a terminal.

    Where the widest row does not fit: the first two cells on one line, the others below, each named unless it is
    empty.
    """
    if not rows:
        return
    width = columns()
    widths = [max(map(len, cells)) for cells in zip(heading, *rows, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        for row in (heading, *rows):
            print(_GAP.join(_colored(cell, n) for cell, n in zip(row, widths, strict=True)).rstrip())
        return
    for first, second, *more in rows:
        one = f"{first}{_GAP}{second}"
        if len(one) <= width:
            print(f"{_colored(first)}{_GAP}{second}")
        else:
            print(f"{_colored(first)}\n{_GAP}{second}")
        for name, cell in zip(heading[2:], more, strict=True):
            if cell:
                put(f"{_GAP}{name}: {cell}")


def _colored(cell: str, width: int = 0) -> str:
    color = _COLORS.get(cell)
    padded = cell.ljust(width)
    return f"\x1b[{color}m{padded}\x1b[0m" if color and sys.stdout.isatty() else padded
