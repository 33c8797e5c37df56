"""What `help` says of every public name: a summary of one line, the shapes of arrays, and when it refuses."""

import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import deeptheory as dt

OFTEN = {  # arrays of any kind, as they are called where they are annotated Any
    "activations", "targets", "responses", "features", "images", "labels", "x", "y", "z", "trials", "values", "p_xy",
    "coordinates", "landmarks", "samples", "pose", "groups", "within",
}  # fmt: skip
ARRAY = re.compile(r"ndarray|Tensor|ArrayLike|Array\b|^None$")  # None: not annotated, as are most arrays of any kind
NO_ARRAY = {  # what is not annotated, or takes arrays, and is no array itself
    "seeds", "locality", "symmetry", "data", "readout", "layers", "augment", "loss", "items", "attack", "affine",
}  # fmt: skip


def public() -> Iterator[tuple[str, object]]:
    """Every name that `dir` lists, with its home: a function or class of the package."""
    for name in dir(dt):
        thing = getattr(dt, name)
        inside = (
            {f"{name}.{n}": getattr(thing, n) for n in dir(thing)} if isinstance(thing, ModuleType) else {name: thing}
        )
        for full, one in inside.items():
            if (getattr(one, "__module__", None) or "").startswith("deeptheory") and not full.rsplit(".")[
                -1
            ].startswith("_"):
                yield full, one


def functions() -> dict[str, tuple[Callable, type | None]]:
    """Public functions, and the public methods of public classes: with the class, where there is one."""
    found: dict[Callable, tuple[str, type | None]] = {}
    for name, thing in public():
        if inspect.isfunction(thing):
            found.setdefault(thing, (name, None))
        elif inspect.isclass(thing):
            for own, value in vars(thing).items():
                made = getattr(value, "__func__", None) or getattr(value, "fget", None) or value
                if (
                    not inspect.isfunction(made)
                    or not made.__module__.startswith("deeptheory")
                    or made.__name__ == "<lambda>"
                ):
                    continue  # what dataclasses write has no source
                if (own == "__init__" and made.__code__.co_filename != "<string>") or not own.startswith("_"):
                    found.setdefault(made, (f"{name}.{own}", thing))
    return {name: (made, home) for made, (name, home) in found.items()}


def told(made: Callable, home: type | None) -> str:
    """The docstring; of what makes an object, its class's."""
    return f"{made.__doc__ or ''} {home.__doc__ if home is not None and made.__name__ == '__init__' else ''}"


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(Path(importlib.import_module(module).__file__ or "").read_text())


def node(made: Callable) -> tuple[ast.FunctionDef, ast.ClassDef | None]:
    inside, home = tree(made.__module__).body, None
    for part in made.__qualname__.split(".")[:-1]:
        home = next(n for n in inside if isinstance(n, ast.ClassDef) and n.name == part)
        inside = home.body
    return next(n for n in inside if isinstance(n, ast.FunctionDef) and n.name == made.__name__), home


def refuses(module: str, one: ast.FunctionDef, home: ast.ClassDef | None, seen: set[int]) -> bool:
    """Whether it raises an InputError: itself, in a private helper of its file, or in a check of the package."""
    if id(one) in seen:
        return False
    seen.add(id(one))
    here = {n.name: n for n in tree(module).body if isinstance(n, ast.FunctionDef)}
    elsewhere = {
        alias.name: n.module
        for n in ast.walk(tree(module))
        if isinstance(n, ast.ImportFrom) and n.module and n.module.startswith("deeptheory.")
        for alias in n.names
        if alias.name.startswith(("check_", "as_", "pick"))
    }
    for n in ast.walk(one):
        if isinstance(n, ast.Raise) and n.exc is not None and "InputError" in ast.unparse(n.exc):
            return True
        if not isinstance(n, ast.Call):
            continue
        called, where = n.func, module
        if isinstance(called, ast.Name) and called.id.startswith(("_", "check_")) and called.id in here:
            found, inner = here[called.id], None
        elif isinstance(called, ast.Name) and called.id in elsewhere:
            where, inner = elsewhere[called.id], None
            found = next((m for m in tree(where).body if isinstance(m, ast.FunctionDef) and m.name == called.id), None)
        elif isinstance(called, ast.Attribute) and home and ast.unparse(called.value) in ("self", "cls"):
            found = next((m for m in home.body if isinstance(m, ast.FunctionDef) and m.name == called.attr), None)
            inner = home
            if called.attr[0] != "_":
                found = None
        else:
            continue
        if found is not None and refuses(where, found, inner, seen):
            return True
    return False


def test_there_is_a_summary_of_one_line():
    named = {name: made for name, (made, _) in functions().items() if made.__name__ != "__init__"}
    named |= {name: thing for name, thing in public() if inspect.isclass(thing)}
    assert len(named) > 600
    lines = {name: (inspect.getdoc(thing) or "").split("\n") for name, thing in named.items()}
    assert [name for name, said in lines.items() if not said[0].strip() or (len(said) > 1 and said[1].strip())] == []


def test_every_array_has_its_shape():
    lacking = []
    for name, (made, home) in functions().items():
        said = told(made, home)
        one, _ = node(made)
        for argument in (*one.args.posonlyargs, *one.args.args, *one.args.kwonlyargs):
            kind = ast.unparse(argument.annotation) if argument.annotation else "None"
            if argument.arg in ("self", "cls", *NO_ARRAY) or not (
                ARRAY.search(kind) or (kind == "Any" and argument.arg in OFTEN)
            ):
                continue
            if not re.search(rf"\b{argument.arg}\b", said) or not re.search(r"\[|any shape", said):
                lacking.append(f"{name}: {argument.arg}")
    assert lacking == []


def test_what_refuses_says_when():
    every = functions()
    refusing = {name for name, (made, home) in every.items() if refuses(made.__module__, *node(made), set())}
    assert len(refusing) > 200
    silent = {name for name in refusing if not re.search("InputError|ToleranceError", told(*every[name]))}
    assert silent == set()
