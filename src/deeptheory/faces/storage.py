"""A face space on disk: a folder with arrays.safetensors and space.json, whole or not at all, checked on return."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from deeptheory.core.errors import StoreError
from deeptheory.core.storage import check_folder, read_json, replace_folder
from deeptheory.faces.alignment import NORMALIZATIONS

Space = TypeVar("Space")
SCHEMA = 1
_ARRAYS = "arrays.safetensors"
_FORM = {"frame": list, "flat": bool, "normalize": str, "noise": float | int, "background": float | int, "faces": int}
_PLAIN = tuple(_FORM)


def save(space: Any, folder: Path) -> None:
    """Write the folder of a FaceSpace, replacing an older one only when the new one is complete.

    StoreError: it cannot be written, or the folder holds other things, which would be lost.
    """
    check_folder(folder, "space.json", "a face space")
    new = folder.with_name(f".{folder.name}.new-{os.getpid()}")
    arrays = {k: np.ascontiguousarray(v) for k, v in _fields(space).items() if isinstance(v, np.ndarray)}
    try:
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        save_file(arrays, new / _ARRAYS)
        said = {"schema": SCHEMA, "sha256": _sha256(new / _ARRAYS), **{k: getattr(space, k) for k in _PLAIN}}
        (new / "space.json").write_text(json.dumps(said, indent=1), encoding="utf-8")
        replace_folder(new, folder)
    except OSError as error:
        shutil.rmtree(new, ignore_errors=True)
        raise StoreError(
            f"{folder.name} could not be written ({error}); free space or choose another folder"
        ) from error


def load(folder: Path, kind: type[Space]) -> Space:
    """The space of such a folder; kind: FaceSpace. StoreError: missing, corrupt, or of another schema."""
    said = read_json(folder / "space.json", "face space")
    if not isinstance(said, dict) or said.pop("schema", None) != SCHEMA:
        raise StoreError(f"{folder.name} holds no face space of schema {SCHEMA}; fit and save it again")
    try:
        if said.pop("sha256") != _sha256(folder / _ARRAYS):
            raise StoreError(f"{folder.name}/{_ARRAYS} is corrupt (checksum); fit and save the space again")
        lost = [name for name, form in _FORM.items() if not isinstance(said.get(name), form)]
        lost += ["normalize"] if said.get("normalize") not in NORMALIZATIONS else []
        if lost or len(said["frame"]) != 3 or not all(isinstance(v, int) for v in said["frame"]):
            raise StoreError(f"{folder.name}/space.json is damaged in {lost or 'frame'}; fit and save the space again")
        return kind(**load_file(folder / _ARRAYS), **{**said, "frame": tuple(said["frame"])})
    except (OSError, KeyError, TypeError, SafetensorError) as error:
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"{folder.name} cannot be read ({error}); fit and save the space again") from error


def _fields(space: Any) -> dict:
    from dataclasses import fields

    return {f.name: getattr(space, f.name) for f in fields(space)}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
