"""What a compiled formula is planned to be: its graph, and how large the error of each function in it may be."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from deeptheory.cheap.compile.functions import Function
from deeptheory.cheap.compile.graphs import Graph, Value


class Errors:
    """How large the error of each expanded function may be. shares: by expression; others: that part of their size.
    own: the function that one neuron of the network is, if any, which is not expanded."""

    def __init__(self, relative: float, shares: Mapping[Any, float] | None = None, own: str = ""):
        self.relative, self.shares, self.own = relative, shares or {}, own

    def of(self, key: Any, function: Function, low: float, high: float) -> float:
        """The largest error that one function on [low, high] may have."""
        if key in self.shares:
            return self.shares[key]
        try:
            ends = function.values(low, high)
        except (OverflowError, ValueError, ZeroDivisionError):
            ends = (0.0, 1.0)
        size = max(map(abs, ends))
        return self.relative * (size if 0 < size < inf else 1.0)


@dataclass(frozen=True)
class Plan:
    """A graph and its outputs. expansions: functions that were expanded, name and degree. felt: by expression of a
    function, how much the outputs feel an error of it, and its size."""

    graph: Graph
    outputs: tuple[Value, ...]
    expansions: tuple[tuple[str, int], ...]
    felt: Mapping[Any, tuple[float, float]]

    @property
    def depth(self) -> int:
        """Hidden layers."""
        return max((self.graph.level(v) for v in self.outputs), default=0)
