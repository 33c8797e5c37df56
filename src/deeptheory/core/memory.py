"""Free memory that the allocator keeps to itself.

Trap: glibc (2.36) cannot reuse the gaps between torch's aligned blocks when their sizes change from step to step; a
training with a snapshot at each look grew by 3.9 MB a look, to gigabytes, with nothing referenced. Its malloc_trim
hands the gaps back. It costs milliseconds and is therefore called only when the process has grown.
"""

import ctypes
import os
import sys
from functools import cache
from pathlib import Path

_GROWN = 64 << 20  # bytes
_last = 0


def give_back() -> None:
    """Hand free memory back to the system if this process has grown by 64 MB since the last time; else nothing."""
    global _last
    trim = _trim()
    if trim is None:
        return
    if _resident() - _last > _GROWN:
        trim(0)
        _last = _resident()


@cache
def _trim():
    """glibc's malloc_trim, or None where there is none."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):  # another libc
        return None


def _resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
