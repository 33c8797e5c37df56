"""One run at a time in a run folder.

The lock is the operating system's, on the file `.lock`, so it ends with its process however that ends: a lock left by
`kill -9` is simply taken over. The file holds the number of the process.

Pitfall: workers outlive a run that was killed, for a moment, and must not write beside the run that goes on. Each
holds a shared lock on `.workers` while it works, and stops where `.lock` names another run than its own;
a run that goes on waits for that lock.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from deeptheory.core.errors import StoreError

LOCK, WORKERS = ".lock", ".workers"
_PATIENCE = 60.0  # seconds for workers of a killed run to end; they look for it five times a second


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
            with suppress(OSError):  # a folder that went away has no number to take out
                file.truncate(0)


@contextmanager
def working(folder: Path, owner: int) -> Iterator[bool]:
    """For a worker of the process `owner`: whether the folder is still that process's;
    nobody else's while this is held.

    StoreError: it cannot be written.
    """
    with _opened(folder) as file:
        _share(file)
        yield held(folder, owner)


def held(folder: Path, owner: int) -> bool:
    """Whether the lock names that process."""
    try:
        return (folder / LOCK).read_text().strip() == str(owner)
    except OSError:
        return False


def wait_for_workers(folder: Path, say: Callable[[str], None]) -> None:
    """Until no worker of an earlier run is at work. StoreError: one still is after a minute,
    or the folder cannot be written."""
    started, said = time.monotonic(), False
    with _opened(folder) as file:
        while not _take(file):
            waited = time.monotonic() - started
            if waited > _PATIENCE:
                raise StoreError(f"workers of a run that was killed are still at work in {folder}; end them or wait")
            if waited > 2 and not said:
                said = True
                say("waiting for the workers of a run that was killed")
            time.sleep(0.05)


def _opened(folder: Path) -> IO[str]:
    try:
        return (folder / WORKERS).open("a")
    except OSError as error:
        raise StoreError(
            f"{folder / WORKERS} cannot be written ({error}); remove it or choose another folder"
        ) from error


def _share(file: IO[str]) -> None:
    if os.name != "nt":  # there is no shared lock; the check of the holder remains
        import fcntl

        fcntl.flock(file, fcntl.LOCK_SH)


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
