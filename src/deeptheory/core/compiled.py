"""numba's njit, whose stored machine code is thrown away when any compiled file of the package changes.

Pitfall: numba's cache of a function watches the file it is written in, and holds what it calls in other files as it
was. After an update of a clone, or with an editor, the old code would go on giving the old numbers.
"""

import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba

ROOT = Path(__file__).resolve().parents[1]
FILES = (  # all that compile; tests/core/test_compiled.py looks for others
    *("networks/population/step.py", "networks/population/elementary.py", "networks/population/disturbances.py"),
    *("networks/population/optimizers.py", "information/mixtures.py", "information/counting.py"),
    *("information/clustering.py", "information/readouts/classes.py", "information/readouts/noise.py"),
    *("information/readouts/keys.py", "information/estimators/kde_bounds.py", "information/estimators/neighbors.py"),
    *("information/estimators/trees.py", "information/estimators/scans.py", "information/bottleneck/hard.py"),
    *("information/bottleneck/divergence.py", "information/bottleneck/optimal.py", "information/bottleneck/peaks.py"),
    *("information/bottleneck/linear.py", "information/bottleneck/mixture.py", "faces/inverse.py"),
    *("faces/rasterizing.py", "information/bottleneck/joint.py"),
)


@cache
def stamp() -> tuple[int, int]:
    """One number for the text of all compiled files, and their size; numba compares it as (time, size) of a file."""
    texts = [(ROOT / name).read_bytes() for name in FILES]
    sums = 0
    for text in texts:
        sums = zlib.crc32(text, sums)
    return sums, sum(map(len, texts))


def njit(function: Callable | None = None, **options: Any) -> Any:
    """numba.njit. With cache=True the code stored for an earlier text of any of FILES is not used."""
    if function is None:
        return lambda given: njit(given, **options)
    made = numba.njit(**options)(function)
    stored: Any = getattr(getattr(made, "_cache", None), "_cache_file", None)  # numba has no public name for it
    if stored is not None:  # None: nothing is stored, or NUMBA_DISABLE_JIT
        stored._source_stamp = stamp()
    return made
