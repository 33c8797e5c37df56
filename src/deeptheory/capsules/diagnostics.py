"""What routing does, iteration by iteration: who gets how much, how sure, how well votes agree, which parents are dead.

Source: Hinton, Sabour & Frosst 2018, figure 2 (distances of votes to the mean, weighted by assignment); Sabour, Frosst
& Hinton 2017, appendix A (change of logits by iteration).
Pitfall: everything is weighted by the assignments (for EM times the child's activation): a vote that no parent takes
says nothing.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import einsum, nn
from torch.utils._pytree import tree_map

from deeptheory.capsules.matrix_layers import ClassCapsules, ConvMatrixCapsules
from deeptheory.capsules.vector_layers import Capsules, ConvCapsules
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole
from deeptheory.core.theme import new_figure, series_colors
from deeptheory.core.vectors import lengths_of, scale_of

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

DEAD = 0.01  # of an equal share of the mass
_MOST_BINS = 100_000  # of each parent and iteration


@dataclass(frozen=True, kw_only=True, eq=False)
class RoutingTrace(Result):
    """One layer's routing of some examples.

    r iterations, J parent types (positions together), all but distances and couplings means over the examples.

    layer: its name; kind: "agreement" or "EM". entropy: [r] of a child's coupling over the parents of its window, in
    bits, 0 to log2 of their number; for EM weighted by the child's activation. agreement: [r] cosine of vote and
    parent, weighted by coupling. change: [r] mean |change| of logits (agreement) or assignments (EM) since the
    iteration before; NaN in the first.
    mass: [r, J] sum of couplings (times activations) a parent. presence: [r, J] length or activation. dead: [r]
    fraction of parent types with less than a hundredth of an equal part of the mass. cost: [r] mean |logit| of parents'
    activations, NaN but for EM: beyond 4 they are saturated.
    distances: [r, J, bins], no share and no mean: the weights (couplings, for EM times the child's activation) of all
    examples added up by distance of vote and parent. edges: [bins + 1], from 0 to the 99.9 % quantile of the first
    iteration's distances; all beyond is in the last bin.
    A child that is not there (masked, padding, or of activation 0) counts in none of these. Where there is no mass at
    all, entropy, agreement and mean distance are NaN and all parents are dead.
    couplings: where asked for, of every example: [r, B, I, J], in a convolutional layer [r, B, P, N, J] with P windows
    of N children; for EM times the child's activation; 0 for children that are not there. Else None.
    """

    layer: str
    kind: str
    entropy: np.ndarray
    agreement: np.ndarray
    change: np.ndarray
    mass: np.ndarray
    presence: np.ndarray
    dead: np.ndarray
    cost: np.ndarray
    distances: np.ndarray
    edges: np.ndarray
    couplings: np.ndarray | None = None

    def __repr__(self) -> str:
        first, last = (f"{x:.2f}" for x in self.entropy[[0, -1]])
        return (
            f"RoutingTrace({self.layer}, {self.kind}, {len(self.entropy)} iterations, entropy {first} to "
            f"{last} bits, dead {self.dead[-1]:.0%})"
        )

    def mean_distance(self) -> np.ndarray:
        """[r, J]: mean distance of vote and parent, weighted by assignment; bins count by their middles.

        NaN for a parent without mass.
        """
        middles = (self.edges[1:] + self.edges[:-1]) / 2
        with np.errstate(invalid="ignore", divide="ignore"):
            return (self.distances * middles).sum(-1) / self.distances.sum(-1)

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset over iteration (from 1), parent, distance (middles of bins); couplings are left out."""
        import xarray as xr

        one, two = ("iteration",), ("iteration", "parent")
        return xr.Dataset(
            {
                **{k: (one, getattr(self, k)) for k in ("entropy", "agreement", "change", "dead", "cost")},
                **{k: (two, getattr(self, k)) for k in ("mass", "presence")},
                "distances": ((*two, "distance"), self.distances),
            },
            coords={
                "iteration": np.arange(1, len(self.entropy) + 1),
                "parent": np.arange(self.mass.shape[1]),
                "distance": (self.edges[1:] + self.edges[:-1]) / 2,
            },
            attrs={"layer": self.layer, "kind": self.kind},
        )

    def table(self) -> "pandas.DataFrame":
        """One row per iteration.

        iteration (from 1), entropy, agreement, change, dead, cost, mean_distance (over parents, weighted by mass),
        least_mass and largest_mass of a parent.
        """
        import pandas as pd

        rows = {"iteration": np.arange(1, len(self.entropy) + 1)}
        rows |= {k: getattr(self, k) for k in ("entropy", "agreement", "change", "dead", "cost")}
        total = self.mass.sum(1)
        weight = self.mass / np.where(total > 0, total, 1)[:, None]
        rows["mean_distance"] = np.where(total > 0, np.nansum(self.mean_distance() * weight, axis=1), np.nan)
        return pd.DataFrame(rows | {"least_mass": self.mass.min(1), "largest_mass": self.mass.max(1)})

    def figure(self) -> "plotly.graph_objects.Figure":
        """Fraction of the mass, all parents together, by distance of vote and parent; one line an iteration.

        As figure 2 of Hinton et al. 2018.
        """
        import plotly.graph_objects as go

        figure = new_figure(
            title=self.layer, xaxis_title="distance of vote and parent", yaxis_title="share of the mass"
        )
        middles = (self.edges[1:] + self.edges[:-1]) / 2
        digits = max(5, 4 - math.floor(math.log10(self.edges[-1])))  # votes have any unit
        total = self.distances.sum((1, 2))
        shares = self.distances.sum(1) / np.where(total > 0, total, np.nan)[:, None]
        for k, (y, color) in enumerate(zip(shares, series_colors(len(shares)))):
            line = {"color": color, "shape": "hvh"}
            figure.add_trace(
                go.Scatter(
                    x=[round(x, digits) for x in middles.tolist()],
                    y=y.round(6).tolist(),
                    name=f"iteration {k + 1}",
                    mode="lines",
                    line=line,
                )
            )
        return figure

    def figure_of_change(self) -> "plotly.graph_objects.Figure":
        """Mean |change| of logits or assignments from the second iteration on, on a logarithmic axis.

        As in Sabour et al. 2017, appendix A.
        """
        import plotly.graph_objects as go

        figure = new_figure(title=self.layer, xaxis_title="iteration", yaxis_title="mean |change|")
        figure.update_yaxes(type="log", exponentformat="power")
        x = list(range(2, len(self.change) + 1))
        figure.add_trace(go.Scatter(x=x, y=self.change[1:].tolist(), mode="lines+markers", name="change"))
        return figure


ROUTED = (Capsules, ConvCapsules, ConvMatrixCapsules, ClassCapsules)


def trace_routing(model: nn.Module, *inputs: Any, bins: int = 60, couplings: bool = False) -> dict[str, RoutingTrace]:
    """{name: RoutingTrace} of every routed capsule layer in a model, for one forward pass of the inputs in eval mode.

    Routed are Capsules, ConvCapsules, ConvMatrixCapsules, ClassCapsules. inputs: what the model's forward takes, such
    as images [B, C, H, W]. bins: of the distances. couplings: keep those of every example as well (four bytes for each
    child, parent, iteration and example). The model is left as it was. Votes are kept for one layer at a time: 64
    examples are plenty. A layer that is itself handed in is named by its class; one that is called twice appears a
    second time, as "name (2)". InputError: no module, no routed layer was reached, no example, bins below 1 or above
    100,000, votes that are not finite.
    """
    check_whole(bins=(bins, 1))
    if bins > _MOST_BINS:
        raise InputError(f"bins is {bins}; needed: 1 to {_MOST_BINS:,}, for each parent and iteration")
    if not isinstance(model, nn.Module):
        raise InputError(f"model is a {type(model).__name__}; needed: a torch.nn.Module with routed layers")
    caught: list[tuple[str, nn.Module, tuple, dict]] = []

    def catch(name: str) -> Callable:
        def hook(layer, args, kwargs):
            own = name or type(layer).__name__
            calls = 1 + sum(layer is other for _, other, *_ in caught)
            args, kwargs = tree_map(_copied, args), tree_map(_copied, kwargs)  # later layers may write into them
            caught.append((own if calls == 1 else f"{own} ({calls})", layer, args, kwargs))

        return hook

    found = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, ROUTED)]
    handles = [layer.register_forward_pre_hook(catch(name), with_kwargs=True) for name, layer in found]
    modes = [(m, m.training) for m in model.modules()]
    try:
        model.eval()
        with torch.no_grad():
            model(*inputs)
    finally:
        for handle in handles:
            handle.remove()
        for m, training in modes:
            m.training = training
    if not caught:
        known = ", ".join(c.__name__ for c in ROUTED)
        raise InputError(f"no routed layer was reached in {type(model).__name__}; routed layers are {known}")
    with torch.no_grad():
        return {name: _trace(name, layer, args, kwargs, bins, couplings) for name, layer, args, kwargs in caught}


def _copied(x: Any) -> Any:
    return x.detach().clone() if isinstance(x, torch.Tensor) else x


def _trace(name: str, layer: Any, args: tuple, kwargs: dict, bins: int, couplings: bool) -> RoutingTrace:
    em = isinstance(layer, (ConvMatrixCapsules, ClassCapsules))
    first = (*args, *kwargs.values())[0]
    if not len(first):
        raise InputError(
            f"the inputs hold no example (layer {name}: {list(first.shape)}); a trace is a mean over examples"
        )
    looks = _Looks(bins, couplings, by_mass=em and layer.presence == "mass")
    layer._route(*args, **kwargs, watch=looks.em if em else looks.agreement)
    kept = {k: np.array([row[k] for row in looks.rows]) for k in looks.rows[0]}
    return RoutingTrace(layer=name, kind="EM" if em else "agreement", edges=looks.edges, **kept)


class _Looks:
    """Numbers of each iteration, from what `route` shows. Arrays are [..., I, J], parents [..., J, q]."""

    def __init__(self, bins: int, couplings: bool = False, by_mass: bool = False):
        self.bins, self.edges, self.before = bins, np.zeros(0), None
        self.couplings, self.by_mass = couplings, by_mass
        self.there: torch.Tensor | None = None
        self.rows: list[dict[str, Any]] = []

    def agreement(self, coupling, logits, v, votes, there=None):
        """there: [..., I], False for a child that is not there (masked, or padding): it has no vote, and so no
        weight.
        """
        weight = coupling.expand(votes.shape[:-1])
        if there is not None:
            there = there.expand(weight.shape[:-1]) > 0
            weight = weight * there[..., None]
        self._look(weight, coupling, logits, v, votes, lengths_of(v), float("nan"), there)

    def em(self, r, mass, mean, variance, logit, votes):
        weight = r.expand(votes.shape[:-1])
        if not self.rows:  # first assignments are above 0
            self.there = weight.sum(-1) > 0
        presence = mass / mass.sum(-1, keepdim=True) if self.by_mass else logit.sigmoid()
        coupling = weight / _above_zero(weight.sum(-1, keepdim=True))
        self._look(weight, coupling, weight, mean, votes, presence, float(logit.abs().mean()), self.there)

    def _look(self, weight, coupling, state, parents, votes, presence, cost, there=None):
        j = weight.shape[-1]
        p = coupling / _above_zero(coupling.sum(-1, keepdim=True))
        entropy = -(p * p.clamp(min=1e-30).log2()).sum(-1)
        heard = weight.sum(-1)
        left, right = (x * scale_of(x) for x in (votes, parents))  # a cosine knows no unit
        lengths = left.norm(dim=-1) * right.norm(dim=-1).unsqueeze(-2)
        cosine = einsum("...IJq,...Jq->...IJ", left, right) / _above_zero(lengths)
        distance = lengths_of(votes - parents.unsqueeze(-3))
        mass = weight.sum(-2).reshape(-1, j).mean(0)
        change = float("nan") if self.before is None else _mean_of((state - self.before).abs(), there)
        self.before = state.expand(weight.shape) if state.shape != weight.shape else state
        none = not bool(mass.sum() > 0)
        self.rows.append({
            "entropy": float("nan") if none else float((entropy * heard).sum() / heard.sum()),
            "agreement": float("nan") if none else float((cosine * weight).sum() / weight.sum()),
            "change": change,
            "mass": mass.cpu().double().numpy(),
            "presence": presence.reshape(-1, j).mean(0).cpu().double().numpy(),
            "dead": 1.0 if none else float((mass < DEAD * mass.sum() / j).float().mean()),
            "cost": cost,
            "distances": self._histogram(distance, weight),
        } | ({"couplings": weight.float().cpu().numpy()} if self.couplings else {}))  # fmt: skip

    def _histogram(self, distance, weight):
        j = weight.shape[-1]
        d, w = (x.reshape(-1, j).cpu().double().numpy() for x in (distance, weight))
        if not np.isfinite(d).all():
            raise InputError("votes or parents hold NaN or infinity; a trace needs finite ones: look at the inputs")
        if not len(self.edges):
            seen = d[w > 0] if (w > 0).any() else d
            top = float(np.quantile(seen, 0.999)) or float(seen.max()) or 1e-12
            self.edges = np.linspace(0, top, self.bins + 1)
        d = np.minimum(d, self.edges[-1])
        return np.stack([np.histogram(d[:, k], self.edges, weights=w[:, k])[0] for k in range(j)])


def _above_zero(x: torch.Tensor) -> torch.Tensor:
    """x, 1 where it is 0: what is divided by it is 0 there."""
    return torch.where(x > 0, x, 1)


def _mean_of(x: torch.Tensor, there: torch.Tensor | None) -> float:
    """Mean of x [..., I, J] over the children that are there [..., I]; NaN if none is."""
    if there is None or bool(there.all()):
        return float(x.mean())
    return float((x * there[..., None]).sum() / (there.sum() * x.shape[-1]))
