"""One run at a time in a run folder.

The lock is the operating system's, on the file `.lock`, so it ends with its process however that ends: a lock left by
`kill -9` is simply taken over. The file holds the number of the process.

Pitfall: workers outlive a run that was killed, for a moment, and must not write beside the run that goes on. Each
holds a shared lock on `.workers` while it works, and stops where `.lock` names another run than its own;
a run that goes on waits for that lock.

An object store has no lock. There `.lock` holds a mark of the run that came last: it takes the folder over, and workers
of the run before give up when they see it. Two runs at once may do the same units twice, with the same bits.
"""

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from deeptheory.core.errors import StoreError
from deeptheory.core.places import Folder, RemotePath

LOCK, WORKERS = ".lock", ".workers"
_PATIENCE = 60.0  # seconds for workers of a killed run to end; they look for it five times a second


@contextmanager
def locked(folder: Folder) -> Iterator[str]:
    """Hold the folder, made if need be; the mark by which the lock names this run.

    StoreError: another process holds it (never where it lies in an object store), or it cannot be written.
    """
    if isinstance(folder, RemotePath):
        mark = uuid.uuid4().hex
        (folder / LOCK).write_text(mark)
        try:
            yield mark
        finally:
            if held(folder, mark):
                (folder / LOCK).unlink(missing_ok=True)
        return
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
            mark = str(os.getpid())
            file.write(mark)
            file.flush()
        except OSError as error:
            raise StoreError(f"{folder} cannot be written ({error}); free space or choose another folder") from error
        try:
            yield mark
        finally:
            with suppress(OSError):  # a folder that went away has no number to take out
                file.truncate(0)


@contextmanager
def working(folder: Folder, mark: str) -> Iterator[bool]:
    """For a worker of the run of that mark: whether the folder is still that run's; nobody else's while this is held.

    In an object store another run may take it all the same. StoreError: it cannot be written.
    """
    if isinstance(folder, RemotePath):
        yield held(folder, mark)
        return
    with _opened(folder) as file:
        _share(file)
        yield held(folder, mark)


def held(folder: Folder, mark: str) -> bool:
    """Whether the lock names the run of that mark."""
    try:
        return (folder / LOCK).read_text().strip() == mark
    except OSError:
        return False


def wait_for_workers(folder: Folder, say: Callable[[str], None]) -> None:
    """Until no worker of an earlier run is at work; in an object store nobody can know.

    StoreError: one still is after a minute, or the folder cannot be written.
    """
    if isinstance(folder, RemotePath):
        return
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
