"""What a docstring calls by name is there, and what a call takes is named: so that prose outlives no renaming."""

import dataclasses
import inspect
import re
from itertools import chain

import pytest

import deeptheory as dt
from test_docstrings import functions, public, told

TICKED = re.compile(r"`\.?([A-Za-z_]+)[`(=]")  # `name`, `.name`, `name(...)`, `name=`
READ = ("axis", "capsules", "faces")  # packages whose every argument is explained
KNOWN = set(dir(dt)).union(*(full.split(".") for full, _ in public()))


def fields(kind: type) -> tuple[str, ...]:
    """Fields of a result that is a dataclass or a named tuple, but for private ones."""
    named = (
        [f.name for f in dataclasses.fields(kind)] if dataclasses.is_dataclass(kind) else getattr(kind, "_fields", ())
    )
    return tuple(name for name in named if not name.startswith("_"))


def unknown(doc: str, known: set[str]) -> list[str]:
    return [name for name in TICKED.findall(doc) if name not in known]


def unnamed(doc: str, names) -> list[str]:
    return [name for name in names if not re.search(rf"\b{name}\b", doc)]


def in_read(thing) -> bool:
    return thing.__module__.split(".")[1] in READ


def test_names_in_backticks_are_there():
    found = {}
    for name, (made, home) in functions().items():
        if not in_read(made):
            continue
        known = KNOWN | set(inspect.signature(made).parameters)
        if home is not None:
            own = inspect.getsource(home)
            known |= {*dir(home), *fields(home), *inspect.signature(home).parameters}
            known |= set(chain(*re.findall(r"self\.(\w+)|register_buffer\(\"(\w+)", own)))
        if lost := unknown(told(made, home), known):
            found[name] = lost
    assert found == {}


def test_every_argument_is_named():
    every = {name: (made, home) for name, (made, home) in functions().items() if in_read(made)}
    assert len(every) > 150
    lacking = {
        name: unnamed(told(made, home), [p for p in inspect.signature(made).parameters if p not in ("self", "cls")])
        for name, (made, home) in every.items()
    }
    assert {name: lost for name, lost in lacking.items() if lost} == {}


def test_every_field_is_named():
    kinds = {name: kind for name, kind in public() if inspect.isclass(kind) and in_read(kind) and fields(kind)}
    assert len(kinds) > 25
    lacking = {name: unnamed(inspect.getdoc(kind) or "", fields(kind)) for name, kind in kinds.items()}
    assert {name: lost for name, lost in lacking.items() if lost} == {}


@pytest.mark.parametrize(
    ("doc", "lost"),
    [
        ("The spans hold `share` of each set.", ["share"]),
        ("The spans hold `fraction` of each set; see `spans`.", ["spans"]),
        ("`.spans(n)`, `fraction=1`", ["spans"]),
        ("fraction of each", []),
    ],
)
def test_a_name_that_is_not_there_is_found(doc, lost):
    assert unknown(doc, {"fraction"}) == lost


def test_an_argument_without_a_word_is_found():
    assert unnamed("a: of b_c, and d.", ["a", "b", "b_c", "d", "e"]) == ["b", "e"]
