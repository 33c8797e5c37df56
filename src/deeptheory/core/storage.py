"""Arrays on disk: whole or not at all, and checked when they come back.

An xarray Dataset becomes one immutable zarr folder, written under a temporary name and renamed, with a sha256 of each
variable beside it. In an object store, which cannot rename, the checksums are put last and say that all is there.
Pitfalls: appending to zarr is not atomic (an interrupted append does not open, another layer order
relabels old rows), so nothing is ever appended; consolidated metadata goes stale, so there is none; no pickle.
"""

import hashlib
import json
import os
import shutil
import tempfile
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.errors import StoreError
from deeptheory.core.places import OPTIONS, Folder, RemotePath, place

if TYPE_CHECKING:
    import xarray

SCHEMA = 1
RUN_SCHEMA, CLAIMS_SCHEMA = 1, 2  # of run.json; of claims.json, whose 1 had neither setting nor p
_CHECKSUMS = "checksums.json"


def write_dataset(data: "xarray.Dataset", path: str | Path | RemotePath) -> None:
    """Write the Dataset as the folder `path`, replacing what was there only when it is complete.

    In an object store what was there is replaced one object after the other, and the checksums tell a mixture.
    Attributes must be plain values (str, numbers, lists). StoreError: the disk is full, the folder cannot be written,
    or it holds other things, which would be lost.
    """
    path = place(path)
    if isinstance(path, RemotePath):
        _put_dataset(data, path)
        return
    check_folder(path, _CHECKSUMS, "a folder of arrays")
    new = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.parent.mkdir(parents=True, exist_ok=True)
        with _quiet_zarr():
            # a block of fill values is not left out: it would come back as other bytes, of NaN and of -0.0
            data.to_zarr(new, mode="w", consolidated=False, zarr_format=3, write_empty_chunks=True)
        (new / _CHECKSUMS).write_text(_checksums(data))
        replace_folder(new, path)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise StoreError(f"{path.name} could not be written ({error}); free space or choose another folder") from error


def _put_dataset(data: "xarray.Dataset", path: RemotePath) -> None:
    """Written here and put from here, so that two who put the same at once never take each other's away."""
    with tempfile.TemporaryDirectory(prefix="deeptheory-") as folder:
        write_dataset(data, Path(folder) / "whole")
        path.put_folder(Path(folder) / "whole", last=_CHECKSUMS)


def _checksums(data: "xarray.Dataset") -> str:
    sums = {str(name): _sha256(np.asarray(v.values)) for name, v in data.variables.items()}
    return json.dumps({"schema": SCHEMA, "sha256": sums})


def is_whole(path: Folder) -> bool:
    """Whether a Dataset is there, not only begun."""
    return (path / _CHECKSUMS).exists() if isinstance(path, RemotePath) else path.exists()


def whole_below(folder: Folder) -> set[str]:
    """Names of the Datasets in a folder that are there, not only begun."""
    if isinstance(folder, RemotePath):
        return folder.holding(_CHECKSUMS)
    return {p.name for p in folder.iterdir()} if folder.is_dir() else set()


def read_dataset(path: str | Path | RemotePath) -> "xarray.Dataset":
    """The Dataset of such a folder, in memory. StoreError: missing, of another schema, or not the bytes written."""
    import xarray as xr

    path = place(path)
    kept = read_json(path / _CHECKSUMS, "folder of arrays")
    if kept.get("schema") != SCHEMA:
        raise StoreError(f"{path.name} has schema {kept.get('schema')}; this version reads {SCHEMA}: make it again")
    try:
        how: Any = {"consolidated": False, "zarr_format": 3, "chunks": None, "decode_timedelta": False}
        away: Any = {"storage_options": OPTIONS} if isinstance(path, RemotePath) else {}
        with _quiet_zarr(), xr.open_zarr(str(path), **how, **away) as opened:
            data = opened.load()
        names = {str(v) for v in data.variables}
        bad = [n for n, s in kept["sha256"].items() if n not in names or _sha256(np.asarray(data[n].values)) != s]
    except Exception as error:  # a damaged chunk surfaces as whatever the codec raises
        raise StoreError(
            f"{path.name} cannot be read ({type(error).__name__}: {error}); delete it to make it again"
        ) from error
    if bad:
        raise StoreError(f"{path.name} is corrupt in {', '.join(bad)} (checksum); delete it to make it again")
    # a store lists its variables as the file system does; tables made of them shall be the same on every machine
    order = [n for n in kept["sha256"] if n in names]
    return xr.Dataset(
        {n: data.variables[n] for n in order if n in data.data_vars},
        coords={n: data.variables[n] for n in order if n in data.coords},
        attrs=data.attrs,
    )


def write_text(path: Folder, text: str) -> None:
    """Replace a small file in one step. StoreError: the disk is full or the folder cannot be written."""
    if isinstance(path, RemotePath):
        path.write_text(text)
        return
    new = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new.write_text(text, encoding="utf-8")
        os.replace(new, path)
    except OSError as error:
        with suppress(OSError):  # a folder that went away, or cannot be written at all
            new.unlink(missing_ok=True)
        raise StoreError(f"{path.name} could not be written ({error}); free space or choose another folder") from error


def check_schema(run: Any, claims: Any = None) -> None:
    """StoreError: run.json, or rows of claims.json, of a form or a major version of deeptheory that this one does
    not read.
    """
    from deeptheory import __version__

    if not isinstance(run, dict) or run.get("schema") != RUN_SCHEMA:
        found = run.get("schema") if isinstance(run, dict) else type(run).__name__
        raise StoreError(f"run.json has schema {found}, this version reads {RUN_SCHEMA}; use the version that made it")
    made_by = str((run.get("versions") or {}).get("deeptheory", "0"))
    if made_by.partition(".")[0] != __version__.partition(".")[0]:
        raise StoreError(f"the run was made by deeptheory {made_by}, this is {__version__}; use a version {made_by[0]}")
    if claims is not None:
        check_claims(claims)


def check_claims(rows: Any) -> None:
    """StoreError: rows of claims.json of a form that this version does not read."""
    found = {r.get("schema", 1) if isinstance(r, dict) else None for r in rows} if isinstance(rows, list) else {None}
    if found - {CLAIMS_SCHEMA}:
        said = ", ".join(sorted(map(str, found)))
        raise StoreError(
            f"claims.json has schema {said}, this version reads {CLAIMS_SCHEMA}; run the study again into its folder"
        )


def read_json(path: Folder, what: str, fix: str = "delete it to make it again") -> Any:
    """The JSON document in a file. fix: what to do where it is damaged. StoreError: missing or not JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise StoreError(f"{path} is missing; this is not a complete {what}") from error
    except (ValueError, OSError) as error:
        raise StoreError(f"{path} cannot be read ({error}); {fix}") from error


def check_folder(folder: Path, mark: str, what: str) -> None:
    """Whether a folder may be replaced: it is not there, empty, or one of ours, which holds the file `mark`.

    what: its kind, in words. StoreError: it holds other things, or its path names no folder of its own.
    """
    if not folder.name or folder.name == "..":
        raise StoreError(f"{str(folder)!r} names no folder of its own; name one to write {what} to")
    try:
        other = folder.exists() and not (folder / mark).is_file() and (folder.is_file() or any(folder.iterdir()))
    except OSError as error:
        raise StoreError(f"{folder.name} cannot be looked into ({error}); choose another folder") from error
    if other:
        raise StoreError(f"{folder.name} holds other things than {what}; choose another folder")


def replace_folder(new: Path, path: Path) -> None:
    """Give `new` the name `path`; an older folder of that name goes after the new one is complete."""
    if path.exists():
        old = path.with_name(f".{path.name}.old-{os.getpid()}")
        path.rename(old)
        new.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    else:
        new.rename(path)


def _sha256(values: np.ndarray) -> str:
    if values.dtype.kind in "OUST":
        return hashlib.sha256(json.dumps(values.tolist()).encode()).hexdigest()
    values = values.astype(values.dtype.newbyteorder("="), copy=False)  # as zarr gives it back
    return hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()


@contextmanager
def _quiet_zarr():
    """zarr warns of our checksum file beside its own and of strings of fixed width; we write both on purpose."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*not recognized as a component of a Zarr hierarchy")
        warnings.filterwarnings("ignore", message=".*does not have a Zarr V3 specification")
        yield
