"""Looking a name up in a registry, which is a dict; an unknown name lists the known ones."""

from collections.abc import Hashable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from deeptheory.core.errors import InputError

Value = TypeVar("Value")
_MANY, _FEW = 24, 8  # more names than _MANY are not listed, but for the first _FEW where none is near


def pick(registry: Mapping[Any, Value], name: str, *, what: str) -> Value:
    """registry[name]. InputError: the name is unknown; the message lists near names first, then all known."""
    if isinstance(name, Hashable) and name in registry:
        return registry[name]
    raise InputError(unknown(name, registry, what=what))


def unknown(name: object, known, *, what: str) -> str:
    """The sentence for a name that is not known: near names, then all of them, or of many some and their number."""
    known = [str(k) for k in known]
    near = get_close_matches(str(name), known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    if len(known) > _MANY:
        shown = "" if near else f", among them {', '.join(known[:_FEW])}"
        return f"unknown {what} {name!r}{hint} There are {len(known)}{shown}"
    return f"unknown {what} {name!r}{hint} Known: {', '.join(known) or 'none'}"


def count_of(n: int, thing: str) -> str:
    """As in "1 unit" and "2 units"."""
    return f"{n} {thing}{'s' * (n != 1)}"
