"""Where a run folder lies: on this machine, or in an object store that fsspec reaches, such as "s3://bucket/run".

A RemotePath has those operations of pathlib.Path that a run folder needs, under the same names. One object is put whole
or not at all; of several, the one that is written last says that all are there.
Pitfall: an object store has neither a rename nor a lock, and fsspec remembers listings, in which what another process
has written since is missing; here nothing is remembered.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deeptheory.core.errors import InputError, MissingDependency, StoreError

OPTIONS: dict[str, Any] = {"use_listings_cache": False}  # for fsspec, and for zarr, which opens its own file system
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://(.+)")
_COLLAPSED = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/[^/]")  # what pathlib makes of an address
_HERE = ("file", "local")


@dataclass(frozen=True, order=True)
class RemotePath:
    """A place in an object store. url: "protocol://bucket/key", no slash at its end; equal where the urls are.

    Keys and endpoints are taken where fsspec's file system for the protocol takes them: from its environment variables.
    Its methods do what those of pathlib.Path do. StoreError: the store does not answer or refuses. MissingDependency:
    the protocol's package is not installed. InputError: an unknown protocol.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: str) -> "RemotePath":
        return RemotePath(f"{self.url}/{name}")

    @property
    def name(self) -> str:
        """The last part."""
        return self.url.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The last part without its ending."""
        return Path(self.name).stem

    @property
    def suffix(self) -> str:
        """The ending of the last part, with its point."""
        return Path(self.name).suffix

    @property
    def parent(self) -> "RemotePath":
        """All but the last part; of a bucket, itself."""
        start, _, last = self.url.rpartition("/")
        return RemotePath(start) if last and not start.endswith("/") else self

    @property
    def alone(self) -> bool:
        """Whether only this process sees the store."""
        return self.url.startswith("memory:")

    def resolve(self) -> "RemotePath":
        """Itself: every machine calls it the same."""
        return self

    def is_absolute(self) -> bool:
        """Yes."""
        return True

    def exists(self) -> bool:
        """Whether there is an object, or one below."""
        with self._asked() as (fs, at):
            return fs.exists(at)

    def is_file(self) -> bool:
        """Whether there is an object."""
        with self._asked() as (fs, at):
            return fs.isfile(at)

    def is_dir(self) -> bool:
        """Whether there are objects below."""
        with self._asked() as (fs, at):
            return fs.isdir(at)

    def iterdir(self) -> Iterator["RemotePath"]:
        """What is there, one level below; nothing where there is nothing."""
        with self._asked() as (fs, at):
            try:
                found = fs.ls(at, detail=False)
            except FileNotFoundError:
                found = []
        below = [path for path in (str(p).strip("/") for p in found) if path != str(at).strip("/")]  # some list itself
        yield from (self / name for name in dict.fromkeys(path.rpartition("/")[2] for path in below))

    def holding(self, name: str) -> set[str]:
        """Names of the folders one level below that hold an object of that name, by one listing of all that is below.

        Not by a pattern: fsspec would list each folder apart, and take "*" and "[" in the address for more of it.
        """
        with self._asked() as (fs, at):
            below = (path[len(at) :].strip("/").split("/") for path in map(str, fs.find(at)))
            return {parts[0] for parts in below if len(parts) == 2 and parts[1] == name}

    def put_folder(self, folder: Path, last: str) -> None:
        """Put the files of a folder of this machine, the one of that name last; what else lies there goes first."""
        files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        with self._asked() as (fs, at):
            stale = [path for path in map(str, fs.find(at)) if path[len(at) :].strip("/") not in files]
            if stale:
                fs.rm(stale)
            fs.pipe({f"{at}/{name}": content for name, content in files.items() if name != last})
            fs.pipe_file(f"{at}/{last}", files[last])

    def read_text(self, encoding: str = "utf-8") -> str:
        """The text of an object. FileNotFoundError: there is none."""
        with self._asked() as (fs, at):
            return fs.cat_file(at).decode(encoding)

    def write_text(self, text: str, encoding: str = "utf-8") -> None:
        """Put the object, whole or not at all."""
        with self._asked() as (fs, at):
            try:
                fs.pipe_file(at, text.encode(encoding))
            except FileNotFoundError as error:
                raise RuntimeError(f"there is no such bucket: {error}") from error

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove an object. FileNotFoundError: there is none."""
        with self._asked() as (fs, at):
            if not missing_ok or fs.exists(at):
                fs.rm_file(at)

    @contextmanager
    def _asked(self) -> Iterator[tuple[Any, str]]:
        """The file system and the place in it; its errors, of whatever library, in ours."""
        from fsspec.core import url_to_fs

        protocol = self.url.partition("://")[0]
        try:
            fs, at = url_to_fs(self.url, **OPTIONS)
        except ImportError as error:
            extra = 'pip install "deeptheory[s3]"' if protocol in ("s3", "s3a") else "install it"
            raise MissingDependency(f"{self.url} needs a package for {protocol} ({error}): {extra}") from error
        except ValueError as error:
            raise InputError(f"{self.url} cannot be read as an address ({error}); write s3://bucket/run") from error
        try:
            yield fs, at
        except FileNotFoundError:
            raise
        except Exception as error:  # a store's library has errors of its own
            raise StoreError(
                f"{self.url} cannot be reached ({type(error).__name__}: {error}); check the address, the bucket and "
                "the keys in the environment"
            ) from error


Folder = Path | RemotePath


def place(given: "str | Path | RemotePath") -> Folder:
    """The folder at a path or an address: a Path on this machine, also for "file://", else a RemotePath.

    InputError: an address without a place, one that went through pathlib, which takes one of its slashes, or one of two
    file systems ("::").
    """
    if isinstance(given, RemotePath):
        return given
    if collapsed := _COLLAPSED.match(str(given)):
        raise InputError(
            f"{given} has lost a slash, as pathlib does with an address; give the text {collapsed[1]}://..."
        )
    if not isinstance(given, str) or "://" not in given:
        return Path(given)
    if "::" in given:
        raise InputError(f"{given} names two file systems; give the address of one, such as s3://bucket/run")
    address = _ADDRESS.fullmatch(given)
    if address is None:
        raise InputError(f"{given!r} is no address; write s3://bucket/run")
    if address[1].lower() in _HERE:
        return Path(address[2])
    return RemotePath(f"{address[1].lower()}://{re.sub('/+', '/', address[2]).rstrip('/')}")


def local_place(given: "str | Path | RemotePath", what: str) -> Path:
    """place() of what has to lie on this machine. InputError: an address in an object store."""
    found = place(given)
    if isinstance(found, RemotePath):
        raise InputError(f"{what} is {found}; it has to lie on this machine, only run folders may lie in a store")
    return found
