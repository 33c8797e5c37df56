"""A certificate: how far a network can be from its formula, anywhere in the domain,
in the floats that it computes in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from deeptheory.core.results import Result

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Certificate(Result):
    """|network(x) - formula(x)| <= total for every x of the domain that is a number of the dtype.

    All in the output's unit, for the worst output. truncation: what the network of exact numbers gets wrong. rounding:
    what weights and arithmetic of the dtype add: forward error analysis through the actual weights, for sums in any
    order. total: their sum. outputs: total, one per output. domain: (low, high) by variable. largest_weight: |weight|
    or |bias|. dtype: "float64" or "float32". bits: the significand at which rounding would equal truncation, the
    dtype's own where either is 0. Holds for dot products in the dtype itself (no TF32). notes: what was measured, not
    proven.
    """

    truncation: float
    rounding: float
    total: float
    domain: Mapping[str, tuple[float, float]]
    largest_weight: float
    dtype: str
    bits: int
    outputs: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"Certificate({self.total:.3g} = {self.truncation:.3g} truncation + {self.rounding:.3g} rounding, "
            f"{self.dtype})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row: total, truncation, rounding, largest weight, dtype, bits, domain, notes."""
        import pandas as pd

        domain = ", ".join(f"{name} in [{low:g}, {high:g}]" for name, (low, high) in self.domain.items())
        row = {"total": self.total, "truncation": self.truncation, "rounding": self.rounding}
        row |= {"largest weight": self.largest_weight, "dtype": self.dtype, "bits": self.bits, "domain": domain}
        return pd.DataFrame([row | {"notes": "; ".join(self.notes)}])


def bits_needed(truncation: float, rounding: float, bits: int) -> int:
    """Significand bits at which rounding, proportional to 2^-bits, would equal truncation;
    the dtype's where none errs."""
    from math import ceil, log2

    if truncation <= 0 or rounding <= 0:
        return bits
    return max(1, ceil(bits + log2(rounding / truncation)))


ASSUMED = "derivatives of the activation were sampled, and its rounding taken to be 16 units: measured, not proven"
