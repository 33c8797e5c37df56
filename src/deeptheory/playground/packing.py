"""Measured planes in few bytes: one gzip stream that the page unpacks in the browser and `unpack` reads in Python.

Form: the length of the header (4 bytes, least first), the header (JSON), then the numbers. A number is an integer
(hundredths of a bit of I(X;T), thousandths of I(T;Y) and of an accuracy), less the one before it along the epochs,
folded so that small ones of either sign are small (0, -1, 1, -2 become 0, 1, 2, 3), 16 bits: all lower bytes, then all
upper ones. Order: settings, then in each the readouts with i_x, i_y [network, layer, epoch] and floor [layer, epoch],
then train_accuracy and test_accuracy [network, epoch].
"""

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from deeptheory import __version__
from deeptheory.core.errors import StoreError
from deeptheory.core.storage import write_text
from deeptheory.playground.grid import PROTOCOL, READOUTS, Setting, grid
from deeptheory.playground.measuring import DIGITS, SCHEMA, key_of, read_setting

FORM = 1
STEPS = {"i_x": 100, "i_y": 1000, "floor": 1000, "train_accuracy": 1000, "test_accuracy": 1000}
_HALF = 2**15  # a folded difference lies in 0 to 2^16 - 1


def pack_folder(folder: str | Path) -> bytes:
    """The settings of the grid that a folder of `measure` has, as `pack` packs them; other files are passed over.

    StoreError: none of them, damage, or files of different protocols.
    """
    paths = [path for path in (Path(folder) / f"{s.key}.json" for s in grid()) if path.exists()]
    if not paths:
        raise StoreError(f"{folder} holds no measured setting; deeptheory playground --measure {folder} makes them")
    return pack(read_setting(path) for path in paths)


def pack(measured: Iterable[dict[str, Any]]) -> bytes:
    """What `measure` wrote, one dict per file, as one gzip stream; the same input gives the same bytes.

    Rounded to hundredths of a bit of I(X;T), thousandths of I(T;Y), of its floor and of accuracies.
    StoreError: none, damage, or different protocols or epochs.
    """
    found = list(measured)
    if not found:
        raise StoreError("no measured setting was given; deeptheory playground --measure FOLDER makes them")
    first = found[0]
    for other in found:
        for name in ("protocol", "epochs"):
            if other[name] != first[name]:
                raise StoreError(f"{key_of(other)} has another {name} than {key_of(first)}; measure them in one folder")
        if not (np.diff(other["epochs"]) > 0).all():
            raise StoreError(f"the epochs of {key_of(other)} do not ascend; delete its file to measure it again")
    header = {
        "form": FORM,
        "version": __version__,
        "protocol": first["protocol"],
        "epochs": first["epochs"],
        "readouts": READOUTS,
        "steps": STEPS,
        "settings": [m["setting"] | {"key": key_of(m), "layers": len(m["layers"]), "range": m["range"]} for m in found],
    }
    try:
        numbers = np.concatenate([_folded(values, STEPS[name]) for m in found for name, values in _parts(m)])
    except (KeyError, ValueError) as error:
        raise StoreError(f"a measured setting is damaged ({error}); delete its file to measure it again") from error
    head = json.dumps(header, separators=(",", ":")).encode()
    body = numbers.astype("<u2").view(np.uint8).reshape(-1, 2)
    raw = len(head).to_bytes(4, "little") + head + body[:, 0].tobytes() + body[:, 1].tobytes()
    return gzip.compress(raw, 9, mtime=0)


def unpack(packed: bytes) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """(header, planes) of what `pack` made.

    header: form, version, protocol, epochs, readouts, steps (per unit, of the rounding) and settings. planes: Setting
    key -> {readout: {"i_x", "i_y" [network, layer, epoch], "floor" [layer, epoch]}, "train_accuracy" and
    "test_accuracy" [network, epoch]}; bits and fractions, float64. floor: I(T;Y) with labels permuted once more, mean
    over networks. StoreError: no such bytes.
    """
    try:
        raw = gzip.decompress(packed)
        size = int.from_bytes(raw[:4], "little")
        header = json.loads(raw[4 : 4 + size])
        _check(header)
        low, high = np.frombuffer(raw, np.uint8, offset=4 + size).reshape(2, -1).astype(np.int64)
        networks, epochs = header["protocol"]["networks"], len(header["epochs"])
        each = [s["layers"] * (2 * networks + 1) * len(header["readouts"]) + 2 * networks for s in header["settings"]]
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"the packed planes cannot be read ({error}); pack them again") from error
    folded, at, out = low + 256 * high, 0, {}
    if sum(each) * epochs != len(folded):
        raise StoreError(f"the packed planes hold {len(folded)} numbers, not {sum(each) * epochs}; pack them again")

    def take(name: str, *shape: int) -> np.ndarray:
        nonlocal at
        count = int(np.prod(shape)) * epochs
        part, at = folded[at : at + count].reshape(*shape, epochs), at + count
        return ((part >> 1) ^ -(part & 1)).cumsum(-1) / STEPS[name]

    for setting in header["settings"]:
        layers = setting["layers"]
        values: dict[str, Any] = {
            name: {
                "i_x": take("i_x", networks, layers),
                "i_y": take("i_y", networks, layers),
                "floor": take("floor", layers),
            }
            for name in header["readouts"]
        }
        out[setting["key"]] = values | {n: take(n, networks) for n in ("train_accuracy", "test_accuracy")}
    return header, out


def _check(header: dict[str, Any]) -> None:
    """ValueError, KeyError or TypeError: a header of another form, or one that contradicts itself."""
    if header["form"] != FORM:
        raise ValueError(f"form {header['form']}, read is {FORM}")
    if tuple(header["readouts"]) != READOUTS or header["steps"] != STEPS:
        raise ValueError("readouts or steps are not those of this version")
    if not header["protocol"].keys() >= PROTOCOL.keys() or not isinstance(header["version"], str):
        raise ValueError("the protocol or the version is not whole")
    counts = [header["protocol"]["networks"], *(s["layers"] for s in header["settings"])]
    if not all(type(n) is int and n > 0 for n in counts):
        raise ValueError("networks and layers are not counted")
    if not all(type(e) is int for e in header["epochs"]) or not (np.diff(header["epochs"]) > 0).all():
        raise ValueError("the epochs do not ascend")
    keys = [s["key"] for s in header["settings"]]
    if keys != [Setting(**{k: s[k] for k in asdict(Setting())}).key for s in header["settings"]]:
        raise ValueError("settings have the names of others")
    if len(set(keys)) < len(keys):
        raise ValueError("a setting is there twice")


def unpack_folder(packed: bytes, folder: str | Path) -> list[Path]:
    """Write packed settings as the files that `measure` leaves, so that it measures what they lack; those that a folder
    has already stay. The paths of all.

    Packed again they give the same bytes; of the digits that were measured they have those that were packed.
    StoreError: no such bytes, or files that cannot be written.
    """
    header, planes = unpack(packed)
    paths = []
    for said in header["settings"]:
        found, setting = planes[said["key"]], {k: said[k] for k in said if k not in ("key", "layers", "range")}
        path = Path(folder) / f"{said['key']}.json"
        paths.append(path)
        if path.exists():
            continue
        read = {r: {name: _lists(values) for name, values in found[r].items()} for r in header["readouts"]}
        measured = {
            "schema": SCHEMA, "version": header["version"], "setting": setting, "protocol": header["protocol"],
            "epochs": header["epochs"], "layers": [f"layer{k + 1}" for k in range(said["layers"])],
            "range": said["range"],
            **{name: found[name].round(DIGITS).tolist() for name in ("train_accuracy", "test_accuracy")},
            "planes": read,
        }  # fmt: skip
        write_text(path, json.dumps(measured, separators=(",", ":"), allow_nan=False) + "\n")
    return paths


def _lists(values: np.ndarray) -> list:
    """[..., layer, epoch] as lists [..., epoch, layer]."""
    return np.moveaxis(values, -1, -2).round(DIGITS).tolist()


def _parts(measured: dict[str, Any]) -> Iterator[tuple[str, np.ndarray]]:
    """(name, values with epochs last), in the order of the form. ValueError: a shape that the setting does not have."""
    networks, epochs = measured["protocol"]["networks"], len(measured["epochs"])
    shape = (networks, epochs, len(measured["layers"]))
    for readout in READOUTS:
        for name in ("i_x", "i_y", "floor"):
            values = measured["planes"][readout][name]
            yield name, np.moveaxis(_shaped(values, shape[1:] if name == "floor" else shape), -1, -2)
    for name in ("train_accuracy", "test_accuracy"):
        yield name, _shaped(measured[name], shape[:2])


def _shaped(values: Any, shape: tuple[int, ...]) -> np.ndarray:
    out = np.asarray(values, dtype=float)
    if out.shape != shape:
        raise ValueError(f"shape {list(out.shape)} in place of {list(shape)}")
    return out


def _folded(values: np.ndarray, steps: int) -> np.ndarray:
    """Integers in 0 to 2^16 - 1, flat. ValueError: NaN, or out of range."""
    if not np.isfinite(values).all():
        raise ValueError("a value is not finite")
    change = np.diff(np.rint(values * steps).astype(np.int64), axis=-1, prepend=0)
    if np.abs(change).max() >= _HALF:
        raise ValueError(f"a change of {np.abs(change).max() / steps:g} does not fit into 16 bits")
    return np.where(change < 0, -2 * change - 1, 2 * change).ravel()
