"""What other packages add, of every kind: for list and doctor."""

import sys
from collections.abc import Sequence
from importlib import import_module

from deeptheory.core.plugins import Plugin, Registry, named

REGISTRIES = {  # kind, as in the entry points' group "deeptheory.KIND" -> where its parts are
    "estimators": "deeptheory.information.estimators:MUTUAL_INFORMATION",
    "readouts": "deeptheory.information.readouts:READOUTS",
    "solvers": "deeptheory.information.bottleneck.solve:METHODS",
    "routings": "deeptheory.capsules.routing.variants:VARIANTS",
    "instruments": "deeptheory.inspection.instruments:INSTRUMENTS",
    "studies": "deeptheory.studies:STUDIES",
    "datasets": "deeptheory.datasets:CATALOGUE",
}


def registry(kind: str) -> Registry:
    """The registry of one kind."""
    module, _, name = REGISTRIES[kind].partition(":")
    return getattr(import_module(module), name)


def added() -> list[Plugin]:
    """Every part that a package names, by kind, whether it can be used or not."""
    path = tuple(sys.path)
    return [plugin for kind in REGISTRIES if named(kind, path) for plugin in registry(kind).added()]


def told(plugins: Sequence[Plugin]) -> str:
    """The same as text, a line each."""
    if not plugins:
        return "no package adds anything; docs/extend.md says how one does"
    lines = [f"  {p}{f' is left out: {p.problem}' if p.problem else ''}" for p in plugins]
    return "\n".join(("added by other packages", *lines))
