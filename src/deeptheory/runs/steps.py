"""What a run is made of: steps, each cut into units that can be done, killed and done again one by one."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step of a study.

    function(settings, unit, inputs, workspace, progress, **options) -> xarray.Dataset stands at the top of a module, so
    that a worker can import it. settings: dict, with "seed". inputs: read-only mapping of the needed steps' results,
    read when asked for; inputs.part(name) is the part that this same unit made. workspace: a folder of this unit's own
    that outlives a kill and goes when the unit is done. progress(done, total): call it as often as you like.

    options: keywords of the function by which steps that share it differ; constants of the study, never a user's.
    units(settings) -> list of JSON values, one per unit (mostly chunks of seeds); None: one unit. needs: names of steps
    before this one. combine: the dimension along which the units' Datasets are joined, or a function of their list.
    about: what it does, in words. InputError: a name that is no plain word, or a function that no worker could import.
    """

    name: str
    function: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    units: Callable[[dict], Sequence[Any]] | None = None
    needs: tuple[str, ...] = ()
    about: str = ""
    combine: str | Callable[[list], Any] = "seed"

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(f"step name is {self.name!r}; use letters, digits, '-', '_' and '.'")
        where = getattr(self.function, "__qualname__", "<no name>")
        if "<" in where:
            raise InputError(f"the function of step {self.name} is {where}; it must stand at the top of a module")

    def parts(self, settings: dict) -> dict[str, Any]:
        """Units by the names of their folders, in order; {"all": None} where units is None. settings: with "seed".

        InputError: no unit, two of the same name, or one that is no JSON value.
        """
        units: Sequence[Any] = [None] if self.units is None else list(self.units(settings))
        named = {unit_name(u): u for u in units}
        if not units or len(named) < len(units):
            raise InputError(
                f"step {self.name} has {len(units)} units, {len(named)} of them different; it needs 1 or more"
            )
        return named


def unit_name(unit: Any) -> str:
    """The folder name of a unit: readable where it can be, and never the same for two units of a step.

    InputError: the unit is no JSON value.
    """
    if unit is None:
        return "all"
    try:
        text = json.dumps(unit, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"unit {unit!r} is no JSON value ({error}); use numbers, strings, lists") from error
    if isinstance(unit, int) or (isinstance(unit, str) and _NAME.fullmatch(unit) and len(unit) <= 60):
        return str(unit)
    ends = f"{unit[0]}-{unit[-1]}" if isinstance(unit, list) and unit else ""
    readable = ends if _NAME.fullmatch(ends) and len(ends) <= 40 else "unit"
    return f"{readable}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def in_order(steps: Sequence[Step]) -> dict[str, Step]:
    """Steps by name. InputError: a name twice, or a need that does not stand earlier."""
    known: dict[str, Step] = {}
    for step in steps:
        if step.name in known:
            raise InputError(f"two steps have the name {step.name!r}; each result needs a folder of its own")
        for need in step.needs:
            if need not in known:
                raise InputError(f"step {step.name} needs {need!r}; {unknown(need, known, what='earlier step')}")
        known[step.name] = step
    return known


def check_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings as JSON would give them back (tuples become lists), so that a resumed run sees the same.

    InputError: a value that JSON cannot hold, or the key "seed", which the run adds.
    """
    if "seed" in settings:
        raise InputError("settings hold 'seed', which the run adds itself; pass seed= to the run")
    try:
        return json.loads(json.dumps(dict(settings), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InputError(f"settings are no JSON ({error}); use numbers, strings, lists, dicts") from error
