"""Matlab files of version 5, looked through before scipy reads them.

Pitfall: scipy's reader takes the number of a data type as an index into a table; one that is none ends the process.
Source: MAT-File Format, MathWorks, Level 5.
"""

import mmap
import struct
import zlib
from pathlib import Path
from typing import Any

_HEADER = 128
_MATRIX, _COMPRESSED = 14, 15
_TYPES = {*range(1, 8), 9, 12, 13, _MATRIX, _COMPRESSED, 16, 17, 18}
_DEEP = 100  # cells within cells


def check_mat(path: Path) -> None:
    """ValueError: an element of a type that is none, or longer than what holds it. Other files than version 5 pass."""
    with path.open("rb") as file:
        head = file.read(_HEADER)
        order = {b"IM": "<", b"MI": ">"}.get(head[126:128])
        if order is None or struct.unpack(order + "H", head[124:126])[0] != 0x0100 or not file.read(1):
            return
        held = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)  # it goes when the last view of it goes
    _walk(memoryview(held)[_HEADER:], order, 0)


def _walk(held: Any, order: str, depth: int) -> None:
    if depth > _DEEP:
        raise ValueError(f"arrays lie more than {_DEEP} deep in each other")
    at = 0
    while at + 8 <= len(held):
        kind, size = struct.unpack(order + "II", held[at : at + 8])
        if kind >> 16:  # a small element: its data are in its own tag
            kind, size, start, after = kind & 0xFFFF, kind >> 16, at + 4, at + 8
            if size > 4:
                raise ValueError(f"a small element of {size} bytes")
        else:
            start = at + 8
            after = start + size + (0 if kind == _COMPRESSED else -size % 8)
        if kind not in _TYPES:
            raise ValueError(f"{kind} is no data type")
        if start + size > len(held):
            raise ValueError(f"an element of {size} bytes where {len(held) - start} are left")
        if kind == _MATRIX:
            _walk(held[start : start + size], order, depth + 1)
        elif kind == _COMPRESSED:
            _walk(memoryview(zlib.decompress(held[start : start + size])), order, depth + 1)
        at = after
