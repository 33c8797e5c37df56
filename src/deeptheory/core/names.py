"""Looking a name up in a registry, which is a dict; an unknown name lists the known ones."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TypeVar

from deeptheory.core.errors import InputError

Value = TypeVar("Value")


def pick(registry: Mapping[str, Value], name: str, *, what: str) -> Value:
    """registry[name]. InputError: the name is unknown; the message lists near names first, then all known."""
    if name in registry:
        return registry[name]
    raise InputError(unknown(name, registry, what=what))


def unknown(name: object, known, *, what: str) -> str:
    """The sentence for a name that is not known: near names, if any, then all of them."""
    known = [str(k) for k in known]
    near = get_close_matches(str(name), known, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else "."
    return f"unknown {what} {name!r}{hint} Known: {', '.join(known) or 'none'}"
