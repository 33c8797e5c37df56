"""Binning: each unit's value is replaced by the number of its cell.

Sources: Shwartz-Ziv & Tishby 2017, section 3.2 (30 equal bins on [-1, 1]); Saxe et al. 2018, figure 1 (range of all
units and epochs); Chelombiev et al. 2019 (entropy-based edges); Lorenzen et al. 2022 (bounds by unit or layer).
Pitfalls: bins are a quantization that the network does not have. Fixed bounds are wrong for unbounded units,
and a global range is set by the largest unit; the choice is therefore never silent. Ranges of 1e-310 or 1e308 are
brought to the order of 1 by a power of two first: their edges would be rounded by whole cells, their widths overflow.
Here are the cells alone: I(X;T) and I(T;Y) from their counts are in `information/counting.py`; how far they fall, and
their share of I(X;Y), in `information/compression.py`.
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_number, check_real, finite_floats
from deeptheory.information.counting import binned, cells, x_log_x
from deeptheory.information.entering import as_activations, as_dict, as_labels, numbered
from deeptheory.information.readouts.keys import KeyStream, Ranges, check_sizes, hash_cells, held_keys

Spacing = Literal["width", "count", "entropy"]
Bounds = Literal["unit", "layer", "global"]
_SPACINGS: dict[str, str] = {"width": "equal width", "count": "equal count", "entropy": "entropy-based"}
_BOUNDED = {"tanh": np.tanh, "softsign": lambda z: z / (1 + np.abs(z)), "sigmoid": lambda z: 0.5 + 0.5 * np.tanh(z / 2)}
_ENDS = {"tanh": (-1.0, 1.0), "softsign": (-1.0, 1.0), "sigmoid": (0.0, 1.0)}
_FAR = 900  # powers of two from which on a range's width, or one over it, may leave float64
_BOUNDS = {"unit": "each unit's range", "layer": "the layer's range", "global": "the range over all layers and steps"}


_GLOBAL = (
    "bounds='global' needs every layer and step at once: keep the activations (no readouts=, or store=) and hand the "
    "recording to information_plane, or give the range, Binning(n, (low, high))"
)


@dataclass(frozen=True, eq=True, init=False, repr=False)
class Binning:
    """Readout by cells: each unit's value becomes one of n cells; T is the row of cells, closed on the right.

    The first cell is closed on both sides. bounds: (a, b), "layer" (least and largest value of each network's layer at
    that step), "unit" (of each of its units), or "global" (of all units, layers, steps and networks of a recording;
    needs the activations kept). Values outside (a, b) are an error unless clamp=True puts them into the end cells; what
    is constant falls into the first. spacing: "width" (equal), "count" (equally many values of the bounds' scope in
    each cell; ties make fewer cells) or "entropy" (the same over distinct values, Chelombiev et al. 2019). edges: your
    own [cells + 1], ascending and finite; then n and bounds are not given. Source: Shwartz-Ziv & Tishby 2017, section
    3.2: 30 cells on (-1, 1); `Binning.released()` has the edges of their code.
    InputError: n left out without edges, below 1, from 2^31 on or no integer; unknown names; edges not ascending, not
    finite, fewer than two, or with n; bounds not finite or not ascending; spacing "count" or "entropy" with (a, b) or
    "global".
    """

    n: int
    bounds: Bounds | tuple[float, float]
    spacing: Spacing
    clamp: bool
    edges: tuple[float, ...] | None
    wrap: bool

    def __init__(
        self,
        n: int | None = None,
        bounds: Bounds | tuple[float, float] = "layer",
        *,
        spacing: Spacing = "width",
        clamp: bool = False,
        edges=None,
        _wrap: bool = False,
    ):
        if edges is not None:
            edges = tuple(finite_floats("edges", edges).ravel().tolist())
            if n is not None or len(edges) < 2 or not (np.diff(edges) > 0).all():
                raise InputError(
                    f"edges must ascend, two or more, and n is then not given; seen n={n}, edges={edges[:4]}"
                )
            n, bounds = len(edges) - 1, (edges[0], edges[-1])
        n = _cells("n", n)
        if isinstance(bounds, str):
            pick(_BOUNDS, bounds, what="bounds")
        else:
            if np.shape(bounds) != (2,):
                raise InputError(f"bounds are {bounds}; needed: two numbers (low, high), or a name")
            check_number(low=bounds[0], high=bounds[1])
            low, high = (float(b) for b in bounds)
            if not (np.isfinite([low, high]).all() and low < high):
                raise InputError(f"bounds are ({low}, {high}); the first must be below the second, both finite")
            bounds = (low, high)
        pick(_SPACINGS, spacing, what="spacing")
        if spacing != "width" and not isinstance(bounds, str):
            raise InputError(
                f"spacing={spacing!r} finds the edges from the values; use bounds 'layer', 'unit' or 'global'"
            )
        if spacing != "width" and bounds == "global":
            raise InputError(f"spacing={spacing!r} takes bounds 'layer' or 'unit', not 'global'")
        for name, value in (
            ("n", n),
            ("bounds", bounds),
            ("spacing", spacing),
            ("clamp", bool(clamp)),
            ("edges", edges),
            ("wrap", bool(_wrap)),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def released(cls, n: int = 30) -> "Binning":
        """The bins of the code released with Shwartz-Ziv & Tishby 2017, for units in [-1, 1]: edges linspace(-1, 1, n).

        That is n - 1 cells closed on the left, and one more for exactly +1; anything above joins it,
        and anything below -1 wraps into it as well. InputError: n below 1 or no integer.
        """
        n = _cells("n", n)
        low = np.linspace(-1, 1, n)
        # closed on the left: every edge but the first moves down by one float, where our cells close on the right
        edges = np.concatenate(
            [[low[0]], np.nextafter(low[1:].astype(np.float32), np.float32(-2)).astype(float), [1.0]]
        )
        return cls(edges=edges, clamp=True, _wrap=True)

    @classmethod
    def net_input(
        cls, n: int, activation: Literal["tanh", "softsign", "sigmoid"] = "tanh", reach: float = 50.0
    ) -> "Binning":
        """n cells even in the net input z of a bounded unit h = f(z): edges f(linspace(-reach, reach, n + 1)).

        Saxe et al. 2018: read out so, saturation no longer merges inputs. Edges that fall together in float64 are one,
        and the outer cells take what lies beyond, up to the ends of f: the cells are at most n. InputError: an unknown
        activation, reach not above 0 or not finite, n below 1 or no integer.
        """
        f = pick(_BOUNDED, activation, what="bounded activation")
        n = _cells("n", n)
        check_real(reach=(reach, 0))
        low, high = _ENDS[activation]
        inner = np.unique(f(np.linspace(-reach, reach, n + 1)[1:-1]))
        inner = inner[(inner > low) & (inner < high)]
        return cls(edges=[low, *inner, high])

    def __repr__(self) -> str:
        if self.wrap:
            return f"Binning.released({self.n})"
        head = f"edges={list(self.edges)}" if self.edges is not None else f"{self.n}, {self.bounds!r}"
        spacing = "" if self.spacing == "width" else f", spacing={self.spacing!r}"
        return f"Binning({head}{spacing}{', clamp=True' if self.clamp else ''})"

    def summarize(self, activations: Any, targets: Any) -> dict[str, np.ndarray]:
        """Information of the binned layer in bits, each [seed] float64: i_x = h_t = H(T), i_y = I(T;Y), occupied.

        Plug-in over the samples, each equally likely, without correction; occupied: cells of T in use. activations:
        [seed, sample, unit], any float or integer dtype; targets: labels [sample], numbers or names, or p(y|x) [sample,
        class]. InputError: another shape, NaN, values outside the bounds, bounds "global" (one layer at one step does
        not show them), missing labels, one class only, rows of p(y|x) that do not sum to 1.
        """
        a = as_activations(activations)
        labels, classes, p_y = as_labels(targets, a.shape[1])
        given, (edges, uniform, power) = a, self._edges(a)
        a = _at_one(a, power)
        out, bad = np.empty((len(a), 4)), np.zeros((len(a), 3), dtype=np.int64)
        binned(a, edges, uniform, self.wrap, labels, classes, p_y, x_log_x(a.shape[1]), out, bad)
        self._check_outside(int(bad[:, 1:].sum()), given)
        return as_dict(out)

    def start(self, layer: str) -> Any:
        """A stream over one layer: update(activations, targets) with every batch, then result().

        With bounds "layer" or "unit" it reads every batch before the first update. spacing "count" and "entropy" sort
        the layer's values: their stream holds the layer. InputError: bounds "global".
        """
        if self.edges is None and self.bounds == "global":
            raise InputError(_GLOBAL)
        if self.spacing != "width":
            from deeptheory.recording.streams import Whole

            return Whole(self, layer)
        return _BinStream(self)

    def held(self, *, inputs: int, units: int, seeds: int, classes: int, itemsize: int) -> int:
        """Bytes that the stream of one layer keeps: of `inputs` samples, `units` units, `seeds` networks.

        classes: of the labels; itemsize: bytes of one activation. InputError: one is no integer of 0 or more.
        """
        check_sizes(inputs=inputs, units=units, seeds=seeds, classes=classes, itemsize=itemsize)
        if self.spacing != "width":
            return inputs * units * seeds * itemsize
        by_unit = self.edges is None and self.bounds == "unit"
        return held_keys(inputs, seeds) + (units * seeds * 8 * (3 + self.n) if by_unit else 0)

    def _check_outside(self, outside: int, a: np.ndarray) -> None:
        if outside and not self.clamp:
            raise InputError(
                f"{outside} values lie outside [{self.bounds[0]:g}, {self.bounds[1]:g}] (the activations run "
                f"from {a.min():g} to {a.max():g}); use bounds='layer' or 'unit', wider bounds, or clamp=True"
                if not isinstance(self.bounds, str)
                else f"{outside} values lie outside the range that look() saw; it needs every batch before the first "
                "update"
            )

    def symbols(self, activations: Any) -> np.ndarray:
        """Which inputs fall into the same cells: numbers [seed, sample] int64.

        They count from 0, in order of appearance in a network.
        activations: [seed, sample, unit]. InputError: as summarize.
        """
        a = as_activations(activations)
        edges, uniform, power = self._edges(a)
        a = _at_one(a, power)
        rows = np.empty(a.shape, dtype=np.int32)
        outside = 0
        for s in range(len(a)):
            e = edges[s if len(edges) > 1 else 0]
            outside += sum(cells(a[s], e, uniform, rows[s])[1:])
        if self.wrap:
            rows[a < edges[0, 0, 0]] = self.n - 1
        if outside and not self.clamp:
            raise InputError(
                f"{outside} values lie outside the bounds; use bounds='layer', wider bounds, or clamp=True"
            )
        return numbered(rows)

    def on_range(self, low: float, high: float) -> "Binning":
        """A Binning of as many equal cells on [low, high], as information_plane makes it for bounds "global".

        high not above low: a range of width max(1, |low|) from low. clamp and spacing are dropped. InputError: low or
        high not finite.
        """
        check_real(low=(low, -np.inf), high=(high, -np.inf))
        if not high > low:  # below, where above would leave float64
            low, high = (low, low + max(1.0, abs(low))) if low < 8e307 else (low / 2, low)
        return Binning(self.n, (low, high))

    def _edges(self, a: np.ndarray) -> tuple[np.ndarray, bool, np.ndarray]:
        """Edges [S or 1, unit or 1, n_cells + 1], whether they are evenly spaced, and the powers of two
        [S or 1, unit or 1] that they and the activations are divided by."""
        if self.edges is not None:
            return np.array(self.edges)[None, None], False, _NO_POWER
        if self.bounds == "global":
            raise InputError(_GLOBAL)
        if self.spacing != "width":
            return self._edges_by_value(a), False, _NO_POWER
        if not isinstance(self.bounds, str):
            return self._between(*(np.full((1, 1), b) for b in self.bounds))
        ranges = Ranges(self.bounds == "unit")
        ranges.look(a)
        return self._between(ranges.low, ranges.high)

    def _between(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, bool, np.ndarray]:
        """As `_edges`, of equal cells from low to high, [S, unit or 1] each."""
        power = np.frexp(np.maximum(np.abs(low), np.abs(high)))[1]
        power = np.where(np.abs(power) > _FAR, power, 0)
        low, high = np.ldexp(low, -power), np.ldexp(high, -power)
        high = np.where(high > low, high, low + np.maximum(1, np.abs(low)))  # a constant unit: all in the first cell
        edges = np.linspace(low, high, self.n + 1, axis=-1)
        edges[..., -1] = high
        return np.ascontiguousarray(edges), True, power

    def _edges_by_value(self, a: np.ndarray) -> np.ndarray:
        """Quantile edges of each scope's values ("count") or distinct values ("entropy"), padded by the top."""
        scopes = a.astype(np.float64).reshape(len(a), -1, 1) if self.bounds == "layer" else a.astype(np.float64)
        edges = np.empty((len(a), scopes.shape[2], self.n + 1))
        for s in range(len(a)):
            for u in range(scopes.shape[2]):
                values = np.unique(scopes[s, :, u]) if self.spacing == "entropy" else np.sort(scopes[s, :, u])
                at = np.linspace(0, len(values) - 1, self.n + 1)
                edges[s, u] = values[np.round(at).astype(int)]
        return edges


_NO_POWER = np.zeros((1, 1), dtype=np.int64)


def _cells(name: str, n: Any) -> int:
    """A number of cells; 30.0 is 30."""
    try:
        whole = not isinstance(n, bool | np.bool_) and int(n) == n and 1 <= n < 2**31  # cells are numbered in 32 bits
    except (TypeError, ValueError, OverflowError):
        whole = False
    if not whole:
        raise InputError(f"{name} is {n}; needed: an integer number of cells, at least 1 and below 2^31")
    return int(n)


def _at_one(a: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Activations [S, n, unit] divided by powers of two [S or 1, unit or 1], so exactly;
    as they are where all powers are 0."""
    with np.errstate(over="ignore"):  # what lies outside of bounds of 1e-310 by so much is infinite
        return np.ldexp(a.astype(np.float64), -power[:, None, :]) if power.any() else a


class _BinStream(KeyStream):
    def __init__(self, settings: Binning):
        super().__init__()
        self._settings = settings
        self.passes = 2 if settings.edges is None and isinstance(settings.bounds, str) else 1
        self._ranges = Ranges(settings.bounds == "unit")
        self._edges: Any = None

    def look(self, activations: Any) -> None:
        """Take in the range of a batch."""
        self._ranges.look(as_activations(activations))

    def _keys(self, a: np.ndarray) -> np.ndarray:
        if self.passes == 2:
            self._ranges.check_seen()
        if self._edges is None:
            self._edges = (
                self._settings._between(self._ranges.low, self._ranges.high)
                if self.passes == 2
                else self._settings._edges(a)
            )
        edges, uniform, power = self._edges
        given, a = a, _at_one(a, power)
        out = np.empty((*a.shape[:2], 2), dtype=np.uint64)
        outside = 0
        for s in range(len(a)):
            e = edges[s if len(edges) > 1 else 0]
            outside += sum(hash_cells(a[s], e, uniform, self._settings.wrap, out[s])[1:])
        self._settings._check_outside(outside, given)
        return out
