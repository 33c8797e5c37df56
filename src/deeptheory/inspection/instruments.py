"""The instruments by name, in the order of the page; each is loaded when it is used.

A new one is a file with an Instrument at its top and a line here. Users pass an Instrument of their own to
`dt.inspect`; packages add theirs by entry points "deeptheory.instruments", which run where they are named.
"""

from collections.abc import Iterable
from importlib import import_module

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.plugins import Registry
from deeptheory.inspection.instrument import Instrument


def accept(name: str, loaded: object) -> Instrument:
    """A plug-in's instrument. TypeError: anything else. InputError: it calls itself otherwise."""
    if not isinstance(loaded, Instrument):
        raise TypeError(f"it is a {type(loaded).__name__}; needed: a deeptheory.inspection.Instrument")
    if loaded.name != name:
        raise InputError(f"the instrument calls itself {loaded.name!r}; give both one name")
    return loaded


INSTRUMENTS: Registry[str | Instrument] = Registry(
    "instruments",
    {
        "health": "deeptheory.inspection.health:HEALTH",
        "class_geometry": "deeptheory.inspection.class_geometry:CLASS_GEOMETRY",
        "information": "deeptheory.inspection.information:INFORMATION",
        "correlation": "deeptheory.inspection.correlation:CORRELATION",
        "propagation": "deeptheory.inspection.propagation:PROPAGATION",
        "cheapness": "deeptheory.inspection.cheapness:CHEAPNESS",
        "flattening": "deeptheory.inspection.flattening:FLATTENING",
        "hessian": "deeptheory.inspection.hessian:HESSIAN",
        "capsule_routing": "deeptheory.inspection.capsule_routing:CAPSULE_ROUTING",
    },
    accept=accept,
)


def load(name: str) -> Instrument:
    """The instrument of this name. InputError: unknown, with the known ones."""
    found = pick(INSTRUMENTS, name, what="instrument")
    if isinstance(found, Instrument):
        return found
    module, _, attribute = found.partition(":")
    return getattr(import_module(module), attribute)


def chosen(
    instruments: Iterable[str | Instrument] | str | Instrument | None = None, skip: str | Iterable[str] = ()
) -> dict[str, Instrument]:
    """The instruments to run, by name. instruments: names or Instruments, None: our own default ones.

    skip: names left out. InputError: an unknown name, two of one name, or none left.
    """
    if instruments is None:
        found = [i for i in map(load, INSTRUMENTS.own) if i.default]
    else:
        given = [instruments] if isinstance(instruments, str | Instrument) else list(instruments)
        found = [load(i) if isinstance(i, str) else i for i in given]
        wrong = next((i for i in found if not isinstance(i, Instrument)), None)
        if wrong is not None:
            raise InputError(
                f"instruments hold a {type(wrong).__name__}; needed: names or deeptheory.inspection.Instrument"
            )
    out = {i.name: i for i in found}
    if len(out) < len(found):
        raise InputError(f"instruments {[i.name for i in found]} hold a name twice; each has one place on the page")
    skip = [skip] if isinstance(skip, str) else list(skip)
    for name in skip:
        pick(out, name, what="instrument to skip")
    out = {name: i for name, i in out.items() if name not in set(skip)}
    if not out:
        raise InputError("no instrument is left to run; skip fewer of them")
    return out
