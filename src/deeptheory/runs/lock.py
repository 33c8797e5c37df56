"""One process at a time in a run folder.

The lock is the operating system's, on the file `.lock`, so it ends with its process however that ends: a lock left by
`kill -9` is simply taken over. The file holds the process number, for the message only.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from deeptheory.core.errors import StoreError

LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder, made if need be. StoreError: another process holds it, or it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK).open("a+")
    except OSError as error:
        raise StoreError(f"{folder} cannot be written ({error}); choose another folder") from error
    with file:
        if not _take(file):
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise StoreError(f"process {holder} is at work in {folder}; wait for it or choose another folder")
        try:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        except OSError as error:
            raise StoreError(f"{folder} cannot be written ({error}); free space or choose another folder") from error
        try:
            yield
        finally:
            file.truncate(0)


def _take(file: IO[str]) -> bool:
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(1 << 20)  # a byte far behind the number, which others may then read
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
