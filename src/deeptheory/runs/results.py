"""Results of steps on disk: one immutable folder a unit, read when asked for.

What comes back is what was returned, bit for bit, dtype and attributes included; what zarr could not give back is
refused before it is written.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.names import unknown
from deeptheory.core.places import Folder, RemotePath
from deeptheory.core.storage import is_whole, read_dataset, whole_below, write_dataset
from deeptheory.runs.steps import Step, unit_name

if TYPE_CHECKING:
    import xarray

UNITS = "steps"
# read back, a variable with one of these holds other values
_OF_THE_STORE = ("_FillValue", "missing_value", "scale_factor", "add_offset", "_Unsigned", "_Encoding", "dtype")
_OF_THE_STORE += ("coordinates",)


class NotDone(InputError):
    """A result was asked for of a step that has not been run to its end; an InputError."""


class Results(Mapping[str, "xarray.Dataset"]):
    """Results of a run's steps: results[name] is the xarray.Dataset of a finished step, in memory once read.

    A read-only mapping over the names of all steps, done or not; Run.execute returns it. results[name] raises NotDone:
    the step is not finished; InputError: no step of that name; StoreError: a unit's folder is corrupt.
    """

    def __init__(self, folder: Folder, steps: Mapping[str, Step], settings: dict, *, unit: Any = None):
        self._folder, self._steps, self._settings, self._unit = folder, steps, settings, unit
        self._read: dict[str, xarray.Dataset] = {}

    def __getitem__(self, name: str) -> "xarray.Dataset":
        if name not in self._read:
            step = self._step(name)
            paths = [unit_path(self._folder, name, part) for part in step.parts(self._settings)]
            there = whole_below(self._folder / UNITS / name)
            missing = [p for p in paths if p.name not in there]
            if missing:
                raise NotDone(f"step {name} has {len(paths) - len(missing)} of {len(paths)} units; run it first")
            self._read[name] = _combine(step, [read_unit(p) for p in paths])
        return self._read[name]

    def part(self, name: str, unit: Any = None) -> "xarray.Dataset":
        """The xarray.Dataset that one unit of a step made; unit: the JSON value that Step.units gave.

        None: inside a step's function the unit at work, elsewhere the one unit of a step that has no others.
        InputError: no such step or unit. NotDone (an InputError): the unit is not done. StoreError: it is corrupt.
        """
        step, part = self._step(name), unit_name(self._unit if unit is None else unit)
        if part not in step.parts(self._settings):
            raise InputError(unknown(part, step.parts(self._settings), what=f"unit of step {name}"))
        path = unit_path(self._folder, name, part)
        if not is_whole(path):
            raise NotDone(f"step {name} has not done its unit {part}; run it first")
        return read_unit(path)

    def so_far(self, name: str) -> "xarray.Dataset":
        """The units of a step that are done, joined as all of them will be, and never kept.

        NotDone (an InputError): none is. InputError: no step of that name. StoreError: a unit's folder is corrupt.
        """
        step = self._step(name)
        whole = whole_below(self._folder / UNITS / name)
        there = [unit_path(self._folder, name, part) for part in step.parts(self._settings) if part in whole]
        if not there:
            raise NotDone(f"step {name} has done no unit yet; run it first")
        return _combine(step, [read_unit(p) for p in there])

    def __contains__(self, name: object) -> bool:
        return name in self._steps

    def __iter__(self) -> Iterator[str]:
        return iter(self._steps)

    def __len__(self) -> int:
        return len(self._steps)

    def _step(self, name: str) -> Step:
        if name not in self._steps:
            raise InputError(unknown(name, self._steps, what="step") + "; is it among the needs?")
        return self._steps[name]


def unit_path(folder: Any, step: str, part: str) -> Any:
    """The folder of one unit's result, of the kind of the run folder."""
    return folder / UNITS / step / part


def write_unit(data: Any, path: Folder) -> None:
    """Keep a unit's result, whole or not at all.

    InputError: no Dataset, or one with values that would not come back as they are. StoreError: it cannot be written.
    """
    data = _plain(data, f"{path.parent.name}/{path.name}")
    if isinstance(path, RemotePath) and is_whole(path):
        return  # another run that took the folder over was here first, with the same bits
    write_dataset(data, path)


def read_unit(path: Folder) -> "xarray.Dataset":
    """A unit's result. StoreError: corrupt; the message names the folder and says what is lost: this unit alone."""
    try:
        return read_dataset(path)
    except StoreError as error:
        where = f"{UNITS}/{path.parent.name}/{path.name}"
        fix = f"delete the folder {where} in the run and run again: only this unit is made again"
        raise StoreError(f"{where} cannot be trusted ({error}). To fix: {fix}") from error


def _plain(data: Any, name: str) -> "xarray.Dataset":
    """The Dataset in the form in which zarr gives it back: strings of fixed width, attributes as JSON has them."""
    import xarray as xr

    if not isinstance(data, xr.Dataset):
        raise InputError(f"unit {name} returned {type(data).__name__}; a step returns an xarray.Dataset")
    data = data.copy()
    for key in list(data.variables):
        values = data[key].values
        if values.dtype.kind in "OT":
            if not all(isinstance(v, str) for v in values.ravel()):
                raise InputError(f"variable {key} of unit {name} holds objects; store numbers, booleans or strings")
            data[key] = data[key].astype(np.dtype(f"<U{max([1, *map(len, values.ravel())])}"))
        elif (
            values.dtype.kind not in "biufcUMV"  # timedelta, bytes
            or values.dtype.char in "gG"  # extended precision
            or (values.dtype.kind == "M" and values.dtype != np.dtype("M8[ns]"))
        ):
            raise InputError(
                f"variable {key} of unit {name} is of {values.dtype}, which is not stored as it is; store float64, "
                "integers, booleans or strings"
            )
        if taken := [a for a in _OF_THE_STORE if a in data[key].attrs]:
            raise InputError(
                f"variable {key} of unit {name} has the attribute {taken[0]!r}, by which a store changes values; name "
                "it otherwise"
            )
        if " since " in str(data[key].attrs.get("units", "")):
            raise InputError(
                f"variable {key} of unit {name} has units '... since ...', read back as dates; say it apart"
            )
        data[key].attrs = _plain_attributes(data[key].attrs, f"variable {key} of unit {name}")
        data[key].encoding = {}
    if "coordinates" in data.attrs:
        raise InputError(f"unit {name} has the attribute 'coordinates', which a store takes; name it otherwise")
    data.attrs = _plain_attributes(data.attrs, f"unit {name}")
    return data


def _plain_attributes(attributes: Mapping, name: str) -> dict[str, Any]:
    try:
        return json.loads(json.dumps({str(k): _number(v) for k, v in attributes.items()}))
    except TypeError as error:
        raise InputError(f"the attributes of {name} are no JSON ({error}); use strings, numbers, lists") from error


def _number(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _combine(step: Step, parts: list) -> "xarray.Dataset":
    if callable(step.combine):
        return step.combine(parts)
    if len(parts) == 1:
        return parts[0]
    import xarray as xr

    if not all(step.combine in p.dims for p in parts):
        raise InputError(f"the units of step {step.name} cannot be joined along {step.combine!r}: no such dimension")
    joined: Any = xr.concat(  # what has no such dimension must be equal in all units; nothing is aligned or filled
        parts,
        dim=step.combine,
        data_vars="minimal",
        coords="minimal",
        compat="equals",
        join="exact",
        combine_attrs="drop_conflicts",
    )
    return joined
