"""Does a coarse model with the right partition function have the right distribution? No: a counterexample for any H.

Source: Lin, Tegmark & Rolnick 2017, section III.D. For any H(y) and any K(y) that is not constant let
H(y, y') = H(y) + H(y') + K(y) + ln Z~, with Z~ = sum_y exp(-H(y) - K(y)). Then Z_tot = sum_{y,y'} exp(-H(y, y')) = Z,
and yet the marginal of the visible y is exp(-H - K) / Z~, which is not exp(-H) / Z.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_shapes

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

_MOST = 20_000  # states: seconds for all pairs
_AT_ONCE = 2**22  # pairs
_NEAR = 1e-3  # nats: differences of the logarithms below which their sum would be rounding


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class PartitionCounterexample(Result):
    """Two distributions of one partition function, over s states.

    log_z, log_z_total: ln Z of H and of the pair (nats), equal up to rounding. p, marginal: [s] distributions of y,
    different unless K is constant. bits: KL(p || marginal), above 0 then.
    """

    log_z: float
    log_z_total: float
    p: np.ndarray
    marginal: np.ndarray
    bits: float

    def __repr__(self) -> str:
        return (
            f"PartitionCounterexample(ln Z differs by {self.log_z_total - self.log_z:.1e}, p by {self.bits:.4g} bits)"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per state: state, p and marginal."""
        import pandas as pd

        return pd.DataFrame({"state": range(len(self.p)), "p": self.p, "marginal": self.marginal})

    def figure(self) -> "plotly.graph_objects.Figure":
        """Both distributions as bars over the states."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure

        table, figure = self.table(), new_figure(xaxis_title="state y", yaxis_title="probability", barmode="group")
        for name, label in (("p", "exp(-H) / Z"), ("marginal", "visible marginal, same Z")):
            figure.add_trace(go.Bar(x=table["state"], y=table[name], name=label))
        return figure


def partition_counterexample(hamiltonian, coupling) -> PartitionCounterexample:
    """The pair built from H and K, its partition function and its visible marginal, summed over all pairs of states.

    H(y, y') = H(y) + H(y') + K(y) + ln Z~, Z~ = sum_y exp(-H - K): its Z is that of H, its marginal exp(-H - K) / Z~ is
    not exp(-H) / Z (Lin, Tegmark & Rolnick 2017, section III.D). hamiltonian, coupling: H and K, [s] in nats.
    InputError: other shapes, NaN or infinite entries, differences of energies beyond float64, fewer than 2 states or
    over 20,000.
    """
    h, k = (as_floats(v) for v in (hamiltonian, coupling))
    sizes = check_shapes(hamiltonian=(h, "s"), coupling=(k, "s"))
    check_finite(hamiltonian=h, coupling=k)
    if sizes["s"] < 2:
        raise InputError("hamiltonian has 1 state; a distribution that may differ needs at least 2")
    if sizes["s"] > _MOST:
        raise InputError(f"hamiltonian has {sizes['s']} states; all pairs are summed, of up to {_MOST}")
    if max(float(np.abs(h).max()), float(np.abs(k).max())) > 1e307:
        raise InputError("hamiltonian and coupling have energies above 1e307; their sums leave float64")
    least = h.min()  # taken off: ln Z of energies near 1e15 is rounded to .1 nat, their differences are not
    h, k = h - least, k - k.min()
    free = _log_sum(-h - k)
    rows = max(1, _AT_ONCE // len(h))
    sums = [  # ln sum over y' of exp(-H(y, y'))
        _log_sum(-(h[i : i + rows, None] + h[None, :] + k[i : i + rows, None] + free), axis=1)
        for i in range(0, len(h), rows)
    ]
    visible = np.concatenate(sums)
    log_z, log_z_total = (float(_log_sum(v)) for v in (-h, visible))
    log_p, log_marginal = -h - log_z, visible - log_z_total
    p, apart = np.exp(log_p), log_p - log_marginal
    few = bool((np.abs(apart) < _NEAR).all())  # then terms of second order: sum of p (d + exp(-d) - 1) is the same
    return PartitionCounterexample(
        log_z=log_z - float(least),
        log_z_total=log_z_total - float(least),
        p=p,
        marginal=np.exp(log_marginal),
        bits=float((p * (apart + np.expm1(-apart) if few else apart)).sum() / np.log(2)),
    )


def _log_sum(logs: np.ndarray, axis: int | None = None) -> np.ndarray:
    from scipy.special import logsumexp

    return np.asarray(logsumexp(logs, axis=axis))
