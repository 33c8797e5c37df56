"""Which parts have other packages added? A registry: a dict of our own parts, and behind it those of plug-ins.

A package names its parts in its pyproject.toml, under a group for each kind:

    [project.entry-points."deeptheory.estimators"]
    cosine = "my_package.estimator:cosine"

Nothing is looked for until a name is asked for that is not our own, or all names are listed. A part that cannot be
taken is named in a PluginWarning and left out; what it was beside goes on. Pitfall: a plug-in is a program, and runs
with the rights of whoever asks for it.
"""

import re
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import EntryPoint, distributions
from typing import Any, Generic, TypeVar

from deeptheory.core.errors import PluginWarning

Value = TypeVar("Value")
Function = Callable[..., Any]
PREFIX = "deeptheory."
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_LONGEST = 200  # characters of somebody else's error that are repeated


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A part that a package names: whose it is, where it is, and why it could not be taken ("": it was)."""

    kind: str
    name: str
    package: str
    version: str
    target: str
    problem: str = ""

    def __str__(self) -> str:
        return f"{self.kind}: {self.name!r} of {self.package} {self.version}"


class Registry(MutableMapping[str, Value], Generic[Value]):
    """Parts by name: our own and those that a user sets, then those of plug-ins.

    kind: the entry points' group without its prefix. own: name -> part. accept(name, loaded) -> what the registry
    holds; whatever it raises is why the part is left out.
    """

    def __init__(self, kind: str, own: dict[str, Value], *, accept: Callable[[str, Any], Value]):
        self.kind, self.own = kind, own
        self._accept = accept
        self._lock = threading.RLock()
        self._found: dict[str, tuple[Plugin, EntryPoint]] = {}
        self._taken: dict[str, Value] = {}
        self._refused: list[Plugin] = []
        self._at_work: set[str] = set()
        self._path: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        return f"Registry({self.kind}: {', '.join(self)})"

    def __getitem__(self, name: str) -> Value:
        if name in self.own:
            return self.own[name]
        with self._lock:
            if self._take(name):
                return self._taken[name]
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        if name in self.own:
            return True
        with self._lock:
            return isinstance(name, str) and self._take(name)

    def __iter__(self) -> Iterator[str]:
        yield from tuple(self.own)
        yield from self._all()

    def __len__(self) -> int:
        return len(self.own) + len(self._all())

    def __setitem__(self, name: str, value: Value) -> None:
        self.own[name] = value

    def __delitem__(self, name: str) -> None:
        del self.own[name]

    def added(self) -> tuple[Plugin, ...]:
        """Every part that a package names, those that could not be taken last, each with its problem."""
        with self._lock:
            taken = [self._found[name][0] for name in self._all()]
            return (*taken, *self._refused)

    def _all(self) -> list[str]:
        """Names of plug-ins' parts that could be taken, by package and name."""
        with self._lock:
            self._look()
            return [name for name in tuple(self._found) if name not in self.own and self._take(name)]

    def _look(self) -> None:
        """Find what packages name, once for each sys.path."""
        path = tuple(sys.path)
        if path == self._path:
            return
        self._path, self._found, self._taken, self._refused = path, {}, {}, []
        for plugin, point in named(self.kind, path):
            first = self._found.get(plugin.name)
            if not _NAME.fullmatch(plugin.name):
                self._refuse(plugin, "a name is letters, digits, '-', '_' and '.'")
            elif plugin.name in self.own:
                self._refuse(plugin, "deeptheory has one of that name, which stays")
            elif first is not None:
                self._refuse(plugin, f"{first[0].package} has one of that name, which stays")
            else:
                self._found[plugin.name] = (plugin, point)

    def _take(self, name: str) -> bool:
        """Whether a plug-in has a part of that name, which is loaded when first asked for."""
        self._look()
        if name in self._taken:
            return True
        if name not in self._found or name in self._at_work:  # asked for by its own import: not there yet
            return False
        plugin, point = self._found[name]
        self._at_work.add(name)
        try:
            self._taken[name] = self._accept(name, point.load())
        except (Exception, SystemExit) as error:  # whatever a stranger's module raises
            del self._found[name]
            said = " ".join(str(error).split())
            self._refuse(plugin, f"{type(error).__name__}: {said[:_LONGEST]}" if said else type(error).__name__)
            return False
        finally:
            self._at_work.discard(name)
        return True

    def _refuse(self, plugin: Plugin, why: str) -> None:
        self._refused.append(replace(plugin, problem=why))
        warnings.warn(f"{plugin} ({plugin.target}) is left out: {why}", PluginWarning, stacklevel=2)


def functions(needed: str) -> Callable[[str, object], Function]:
    """accept of a registry that holds functions; needed: how they are called, for the TypeError of what is none."""

    def accept(name: str, loaded: object) -> Function:
        if not callable(loaded):
            raise TypeError(f"it is a {type(loaded).__name__}; needed: a function {needed}")
        return loaded

    return accept


def named(kind: str, path: tuple[str, ...]) -> list[tuple[Plugin, EntryPoint]]:
    """What the packages on `path` name under one kind, by package and name; nothing of theirs is imported."""
    found = []
    for package, version, points in packages(path):
        for point in points:
            if point.group == PREFIX + kind:
                plugin = Plugin(kind=kind, name=point.name, package=package, version=version, target=point.value)
                found.append((plugin, point))
    return sorted(found, key=lambda pair: (pair[0].package.lower(), pair[0].name))


@lru_cache(maxsize=4)
def packages(path: tuple[str, ...]) -> tuple[tuple[str, str, tuple[EntryPoint, ...]], ...]:
    """(package, version, entry points) of those that name any of ours; the first of a name on the path counts."""
    found: dict[str, tuple[str, str, tuple[EntryPoint, ...]]] = {}
    for package in distributions(path=list(path)):
        try:
            if PREFIX not in (package.read_text("entry_points.txt") or ""):
                continue
            name, points = package.metadata["Name"], tuple(package.entry_points)
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), (name, package.version, points))
        except Exception as error:  # damaged metadata may be anybody's
            where = getattr(package, "_path", "a package")
            said = " ".join(str(error).split())[:_LONGEST]
            text = (
                f"the entry points of {getattr(where, 'name', where)} cannot be read ({type(error).__name__}: {said})"
            )
            warnings.warn(f"{text}; install it again", PluginWarning, stacklevel=2)
    return tuple(found.values())
