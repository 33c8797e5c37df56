"""The certificate of a compiled network: how far it can be from its formula, anywhere in the domain."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from deeptheory.results import Result

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificate(Result):
    """|network(x) - formula(x)| <= total for every x of the domain given in `dtype`, at any batch size, on the CPU.

    truncation: what the gates' Taylor remainders and the expansions of leaves leave, in exact arithmetic. rounding: what
    the floating-point type adds. total: their sum. domain: variable -> (low, high). largest_weight: in absolute value.
    scale: the smallest input scale of a gate. rigorous: False where a derivative of a user's callable was only sampled.
    """

    truncation: float
    rounding: float
    total: float
    domain: dict[str, tuple[float, float]]
    largest_weight: float
    scale: float
    dtype: str
    activation: str
    rigorous: bool = True
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Certificate({self.total:.3g} = {self.truncation:.3g} truncation + {self.rounding:.3g} rounding, {self.dtype}, "
            f"{self.activation}, largest weight {self.largest_weight:.3g})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row a part of the bound."""
        import pandas as pd

        rows = [("truncation", self.truncation), ("rounding", self.rounding), ("total", self.total)]
        rows += [("largest weight", self.largest_weight), ("scale", self.scale)]
        return pd.DataFrame(rows, columns=["quantity", "value"])
