"""What every result can do, and Estimate, the form in which every estimated number travels.

A result is a frozen dataclass of named fields that shows itself: .table() (pandas), .figure() (plotly), .dataset()
(xarray) where it has axes, .scalars() (a dict for any tracker), a short repr and a notebook repr. pandas, plotly and
xarray are imported when asked for.
"""

import math
from dataclasses import dataclass, fields
from numbers import Number
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from deeptheory.core.errors import InputError
from deeptheory.core.notebook import block

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

Direction = Literal["exact", "consistent", "lower", "upper", "proxy"]
DIRECTIONS: tuple[Direction, ...] = get_args(Direction)


class Result:
    """Base of what functions return: frozen, with .table(), .dataset() and .figure() where there is something to show.

    .save(path) writes them, .scalars() gives the single numbers, a notebook shows the first 20 rows and all notes.
    """

    def dataset(self) -> "xarray.Dataset":
        """The numbers as an xarray.Dataset with their axes named. InputError where this result has no axes."""
        raise InputError(f"{type(self).__name__} has no axes; use .table()")

    def table(self) -> "pandas.DataFrame":
        """One row per entry: by default, every point of .dataset(). InputError: a result without axes."""
        return self.dataset().to_dataframe().reset_index()

    def figure(self) -> "plotly.graph_objects.Figure":
        """A plotly figure drawn from .table() or .dataset(). InputError where nothing is drawn."""
        raise InputError(f"{type(self).__name__} draws no figure; use .table()")

    def save(self, path: str | Path, /) -> None:
        """Write the figure or its numbers to a file, by its ending.

        .html and .json: the interactive figure; .csv: the table; .pdf, .svg and .png: the figure, by the package
        kaleido and a Chrome or Chromium. A file that is there is replaced.
        InputError: another ending, or nothing is drawn. MissingDependency: what .pdf, .svg and .png need is not there.
        StoreError: the file cannot be written, or its folder is missing.
        """
        from deeptheory.core.saving import save

        save(self, Path(path))

    def scalars(self) -> dict[str, float]:
        """The single numbers among the fields, by name, NaN too, for any experiment tracker.

        Of an Estimate its value; arrays, text and truth values are left out.
        """
        out: dict[str, float] = {}
        for f in fields(self):  # type: ignore[arg-type]  # every subclass is a dataclass
            value = getattr(self, f.name)
            if isinstance(value, Estimate):
                out[f.name] = value.value
            elif isinstance(value, Number) and not isinstance(value, (bool, complex)):
                out[f.name] = float(value)  # type: ignore[arg-type]
        return out

    def _shown(self) -> "pandas.DataFrame":
        """What a notebook shows of .table()."""
        return self.table()

    def _repr_html_(self) -> str:
        return block(repr(self), self._shown(), getattr(self, "notes", ()))


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimate(Result):
    """A number that was estimated, with its interval and its doubts.

    value, low, high: in `unit` (bits unless said); low and high bound a 95 % interval, NaN where none was computed.
    method: how it was made. direction: "exact", "consistent" (right as samples grow), "lower" or "upper" (a bound in
    expectation), or "proxy" (another quantity). notes: the caveats that an expert would raise. float(e) is the value.
    InputError: an unknown direction, or an interval reversed.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    unit: str = "bits"
    method: str
    direction: Direction = "consistent"
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise InputError(f"direction is {self.direction!r}; known: {', '.join(DIRECTIONS)}")
        if self.low > self.high:
            raise InputError(f"the interval [{self.low}, {self.high}] is reversed; low comes first")

    def __float__(self) -> float:
        return float(self.value)

    def __repr__(self) -> str:
        interval = "" if math.isnan(self.low) else f" [{self.low:.4g}, {self.high:.4g}]"
        notes = f", {len(self.notes)} note{'s' * (len(self.notes) > 1)}" if self.notes else ""
        return f"Estimate({self.value:.4g}{interval} {self.unit}, {self.method}, {self.direction}{notes})"

    def table(self) -> "pandas.DataFrame":
        """One row: value, low, high, unit, method, direction, notes."""
        import pandas as pd

        row = {f.name: getattr(self, f.name) for f in fields(self)}
        return pd.DataFrame([row | {"notes": "; ".join(self.notes)}])
