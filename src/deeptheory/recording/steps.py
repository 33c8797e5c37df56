"""Activations of one step on disk: one array file and one JSON beside it,
written batch by batch and renamed when whole.

STEP.npy holds every layer one after the other, each [seed, sample, unit] in C order; STEP.json says for each its dtype,
shape, where it begins and ends, and its sha256. The file is plain `.npy` (of the layers' dtype, or of bytes where they
differ), so that numpy reads it memory-mapped, and fsspec from anywhere. The JSON is renamed last: without it there is
no step.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import StoreError
from deeptheory.core.storage import read_json

_CHUNK = 16 << 20


class StepWriter:
    """One step being written; `put` batches of layers, then `close`, or `abandon`. StoreError: the disk is full."""

    def __init__(self, folder: Path, step: int):
        self._folder, self._step = folder, step
        self._new = folder / f".{step}.new-{os.getpid()}.npy"
        self._layers: dict[str, dict[str, Any]] = {}
        self._end = 0
        self._file: Any = None

    def reserve(self, layers: dict[str, tuple[tuple[int, ...], np.dtype]]) -> None:
        """Make room for these layers: (shape [seed, sample, unit], dtype) by name."""
        for name, (shape, dtype) in layers.items():
            size = int(np.prod(shape)) * dtype.itemsize
            self._layers[name] = {
                "dtype": dtype.name,
                "shape": list(shape),
                "start": self._end,
                "stop": self._end + size,
            }
            self._end += size
        kinds = {d.name for _, d in layers.values()}
        dtype = np.dtype(kinds.pop()) if len(kinds) == 1 else np.dtype(np.uint8)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = self._new.open("w+b")  # closed by close or abandon
            header = {
                "descr": np.lib.format.dtype_to_descr(dtype),
                "fortran_order": False,
                "shape": (self._end // dtype.itemsize,),
            }
            np.lib.format.write_array_header_1_0(self._file, header)
            self._at = self._file.tell()
            if hasattr(os, "posix_fallocate") and self._end:
                os.posix_fallocate(self._file.fileno(), 0, self._at + self._end)
        except OSError as error:
            raise self._failed(error) from error

    def put(self, name: str, start: int, values: Any, network: int = 0) -> None:
        """Samples from `start` on of a layer, [seed, batch, unit], from network number `network` on."""
        held = self._layers[name]
        _, n, units = held["shape"]
        dtype = np.dtype(held["dtype"])
        a = np.ascontiguousarray(as_numpy(values), dtype=dtype)
        try:
            for s in range(len(a)):
                self._file.seek(self._at + held["start"] + ((network + s) * n + start) * units * dtype.itemsize)
                self._file.write(a[s].data if a[s].size else b"")
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Sum up, and give the files their names."""
        try:
            self._file.flush()
            for held in self._layers.values():
                held["sha256"] = _sha256(self._file, self._at + held["start"], held["stop"] - held["start"])
            self._file.close()
            said = self._new.with_suffix(".json")
            said.write_text(json.dumps({"step": self._step, "layers": self._layers}, indent=1), encoding="utf-8")
            os.replace(self._new, self._folder / f"{self._step}.npy")
            os.replace(said, self._folder / f"{self._step}.json")
        except OSError as error:
            raise self._failed(error) from error

    def abandon(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            self._file.close()
        for path in (self._new, self._new.with_suffix(".json")):
            path.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> StoreError:
        self.abandon()
        return StoreError(f"step {self._step} could not be written ({error}); free space or choose another folder")


def steps_in(folder: Path) -> list[int]:
    """The whole steps of a folder."""
    names = [p.stem for p in folder.glob("*.json")] if folder.exists() else []
    return sorted(int(n) for n in names if n.lstrip("-").isdigit())  # others are of an interrupted write


def read_layer(folder: Path, step: int, layer: str, layers: tuple[str, ...]) -> np.ndarray:
    """One layer [seed, sample, unit] of a stored step. StoreError: of other layers, or not the bytes written."""
    said = read_json(folder / f"{step}.json", "stored step")
    path = folder / f"{step}.npy"
    there = said.get("layers") if isinstance(said, dict) else None
    if not isinstance(there, dict) or tuple(there) != layers:
        raise StoreError(f"step {step} in {folder.parent.name} has layers {list(there or ())}, not {list(layers)}")
    try:
        held = there[layer]
        digest = held["sha256"]
        whole = np.load(path, mmap_mode="r").view(np.uint8)
        values = np.array(whole[held["start"] : held["stop"]]).view(held["dtype"]).reshape(held["shape"])
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        raise StoreError(
            f"{folder.name}/{path.name} cannot be read ({type(error).__name__}: {error}); delete it to make it again"
        ) from error
    if hashlib.sha256(values.tobytes()).hexdigest() != digest:
        raise StoreError(f"{folder.name}/{path.name} is corrupt in {layer} (checksum); delete it to make it again")
    return values


def forget(folder: Path, step: int) -> None:
    """Take a step away, its JSON first."""
    for suffix in (".json", ".npy"):
        (folder / f"{step}{suffix}").unlink(missing_ok=True)


def _sha256(file: Any, at: int, size: int) -> str:
    digest = hashlib.sha256()
    file.seek(at)
    while size > 0:
        part = file.read(min(_CHUNK, size))
        if not part:
            break
        digest.update(part)
        size -= len(part)
    return digest.hexdigest()
