"""Layers of a network against the information bottleneck bound of the task, with the nulls that such a fit needs.

Sources: Shwartz-Ziv & Tishby 2017, figure 6 and equation 12 (the fitted beta); Tishby & Zaslavsky 2015, sections III and IV
(layer criterion, the two gaps). Every layer is read out as symbols, so that its encoder p(t|x) is exact.
Trap: beta is fitted with the layer's own decoder, which builds agreement in: a layer that nobody trained has a beta, too. The
residual of the fit stands beside it, and the same of shuffled labels.
Trap: I(X;T) far above what the task needs lies over the flat end of the bound, where a short vertical distance says little;
`excess` is how many bits less would have done.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq

from deeptheory.arrays import as_numpy
from deeptheory.errors import InputError
from deeptheory.information.bottleneck.curve import BottleneckCurve, bottleneck_curve
from deeptheory.information.bottleneck.finite_sample import finite_sample_bound
from deeptheory.information.bottleneck.joint import Joint, as_joint
from deeptheory.results import Result
from deeptheory.theme import NEUTRAL, layer_colours, new_figure

_BITS = 1 / np.log(2)
_LARGEST = 1e6  # a fitted beta beyond it is infinite: the layer lost nothing about Y
_FEW = 60  # different rows of p(y|x), for which the curve's betas are chosen one by one
_PER_LAYER = ("i_x", "i_y", "bound", "distance", "excess", "beta", "residual", "residual_shuffled")
_PER_STEP = ("i_previous", "lost", "criterion")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LayerBound(Result):
    """Arrays [seed, step, layer], bits: i_x, i_y; bound: the most I(T;Y) at that I(X;T); distance = bound - i_y;
    excess: I(X;T) beyond the least with that I(T;Y). beta: fitted (eq. 12), infinite where the layer lost nothing about Y;
    residual: of the fit, E KL[p(t|x) || fitted encoder]; residual_shuffled: its mean with the rows of p(y|x) dealt out anew
    among the inputs, NaN where not asked for. i_previous = I(T_before; T), lost = I(Y; T_before | T), criterion = i_previous +
    beta lost (2015); the layer before the first is X.
    quality [seed, step]: I(Y; decision) / I(X;Y). d_n, r_n [seed, step]: I(X;Y|decision), I(X; decision); gaps d_gap, c_gap
    to (D*, R*) of `samples` training samples, NaN where that was not given. curve: of the task.
    """

    seeds: tuple[int, ...]
    steps: tuple[int, ...]
    layers: tuple[str, ...]
    i_x: np.ndarray
    i_y: np.ndarray
    bound: np.ndarray
    distance: np.ndarray
    excess: np.ndarray
    beta: np.ndarray
    residual: np.ndarray
    residual_shuffled: np.ndarray
    i_previous: np.ndarray
    lost: np.ndarray
    criterion: np.ndarray
    quality: np.ndarray
    d_n: np.ndarray
    r_n: np.ndarray
    d_gap: np.ndarray
    c_gap: np.ndarray
    curve: BottleneckCurve
    readout: str
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        means = self.distance[:, -1].mean(0).round(9) + 0.0  # rounding alone puts a layer beyond the bound; no "-0"
        each = ", ".join(f"{n} {d:.3g}" for n, d in zip(self.layers, means))
        return f"LayerBound({len(self.seeds)} networks, {self.readout}; bits below the bound at step {self.steps[-1]}: {each})"

    def dataset(self):
        """xarray.Dataset over [seed, step, layer] and [seed, step]; see the class."""
        import xarray as xr

        axes = ("seed", "step", "layer")
        columns: dict[str, Any] = {k: (axes, getattr(self, k)) for k in (*_PER_LAYER, *_PER_STEP)}
        columns |= {k: (axes[:2], getattr(self, k)) for k in ("quality", "d_n", "r_n", "d_gap", "c_gap")}
        coords = {"seed": list(self.seeds), "step": list(self.steps), "layer": list(self.layers)}
        return xr.Dataset(columns, coords=coords, attrs={"readout": self.readout, "notes": self.notes})

    def table(self):
        """One row a network, step and layer."""
        return self.dataset()[[*_PER_LAYER, *_PER_STEP]].to_dataframe().reset_index()

    def figure(self) -> Any:
        """The bound, and every layer of every network at the last step (filled) and at the first (hollow)."""
        return draw_layers(self.dataset(), self.curve)


def layer_bound(
    recording,
    p_xy,
    *,
    readout=None,
    steps=None,
    curve: BottleneckCurve | None = None,
    permutations: int = 0,
    samples: int | None = None,
    constant: float = 1.0,
    seed: int = 0,
) -> LayerBound:
    """Every layer of a recording against the bound of its task.

    recording: a Recording with activations; its inputs are the rows of p_xy [nx, ny], in order. readout: with symbols, so
    Binning, Quantized or Exact; no default, as for the plane. steps: those to look at (default: the first, often untrained,
    and the last). curve: of p_xy, if it is there already. permutations: draws of the null. samples: training samples, for the
    gaps, with the constant of the finite-sample bound.
    InputError: no read-out or one without symbols, rows that do not fit, p_xy as in bottleneck, an unknown step.
    """
    if readout is None or not hasattr(readout, "symbols"):
        raise InputError(f"readout is {readout!r}; layers have an exact encoder under Binning, Quantized or Exact")
    joint = as_joint(p_xy)
    if recording.inputs != joint.shape[0]:
        raise InputError(f"the recording has {recording.inputs} inputs, p_xy {joint.shape[0]} rows; they are the same inputs, in order")  # fmt: skip
    p_x = as_numpy(p_xy).astype(np.float64).sum(1)
    curve = _curve(joint) if curve is None else curve
    chosen = sorted({recording.steps[0], recording.steps[-1]}) if steps is None else sorted(steps)
    shape = (len(recording.seeds), len(chosen), len(recording.layers))
    found = {name: np.full(shape, np.nan) for name in (*_PER_LAYER, *_PER_STEP)}
    ends = {name: np.full(shape[:2], np.nan) for name in ("quality", "d_n", "r_n", "d_gap", "c_gap")}
    null = _deals(joint, permutations, seed)
    for t, step in enumerate(chosen):
        ids = [readout.symbols(recording.activations(layer, step)) for layer in recording.layers]
        decided = _decisions(recording.activations(recording.layers[-1], step))
        for s in range(shape[0]):
            before = np.arange(len(p_x))
            for k, symbols in enumerate(ids):
                row = _layer(joint, p_x, symbols[s], before, null)
                before = symbols[s]
                for name, value in row.items():
                    found[name][s, t, k] = value
            i_x, i_y = _informations(joint, p_x, decided[s])
            ends["quality"][s, t] = i_y / joint.i_xy if joint.i_xy > 0 else np.nan
            ends["d_n"][s, t], ends["r_n"][s, t] = joint.i_xy - i_y, i_x
    found["bound"] = curve.bound(found["i_x"])
    found["distance"] = found["bound"] - found["i_y"]
    found["excess"] = found["i_x"] - _least_rate(curve, found["i_y"])
    weight = np.where(found["lost"] > 1e-12, found["beta"], 0.0)  # an infinite beta comes with nothing lost
    found["criterion"] = found["i_previous"] + weight * found["lost"]
    if samples is not None:
        limit = finite_sample_bound(curve, samples, constant, joint.shape[1])
        ends["d_gap"], ends["c_gap"] = ends["d_n"] - limit.d_star, ends["r_n"] - limit.r_star
    return LayerBound(
        seeds=tuple(recording.seeds),
        steps=tuple(chosen),
        layers=tuple(recording.layers),
        **found,
        **ends,
        curve=curve,
        readout=repr(readout),
        notes=_notes(found, permutations),
    )


def _curve(joint: Joint) -> BottleneckCurve:
    """The curve; of a table with many different rows by 60 betas, whose lines bound it from above all the same."""
    betas = None if len(joint.p) <= _FEW else np.geomspace(1, 1000, 60)
    return bottleneck_curve(joint, betas, locate=False)


def _layer(joint: Joint, p_x: np.ndarray, symbols: np.ndarray, before: np.ndarray, null) -> dict[str, float]:
    held = _held(joint, p_x, symbols)
    i_x, i_y = _from_held(joint, held)
    beta, residual = _fit(joint, held)
    row = {"i_x": i_x, "i_y": i_y, "beta": beta, "residual": residual}
    both = np.unique(np.stack([before, symbols]), axis=1, return_inverse=True)[1].ravel()
    together, y_together = _informations(joint, p_x, both)
    row |= {"i_previous": i_x + _informations(joint, p_x, before)[0] - together, "lost": max(y_together - i_y, 0.0)}
    if null:
        row["residual_shuffled"] = float(np.mean([_fit(dealt, _held(dealt, p_x, symbols))[1] for dealt in null]))
    return row


def _held(joint: Joint, p_x: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """p(merged row, t), [n, k]."""
    n, k = len(joint.p), int(symbols.max()) + 1
    kept = joint.group >= 0
    return np.bincount(joint.group[kept] * k + symbols[kept], p_x[kept] / p_x.sum(), n * k).reshape(n, k)


def _informations(joint: Joint, p_x: np.ndarray, symbols: np.ndarray) -> tuple[float, float]:
    return _from_held(joint, _held(joint, p_x, symbols))


def _from_held(joint: Joint, held: np.ndarray) -> tuple[float, float]:
    """H(T) = I(X;T) of a function of x, and I(T;Y), bits."""
    p_t, p_ty = held.sum(0), held.T @ joint.q
    h_t = -(p_t * _log2(p_t)).sum()
    return float(h_t), max(float(joint.h_y + h_t + (p_ty * _log2(p_ty)).sum()), 0.0)


def _log2(v: np.ndarray) -> np.ndarray:
    return np.log2(np.where(v > 0, v, 1))


def _fit(joint: Joint, held: np.ndarray) -> tuple[float, float]:
    """beta* of equation 12 and E KL[p_i(t|x) || p_beta(t|x)] there, bits; T is a function of x.

    J(b) = E log Z_x(b) - E log p(t(x)) + b E KL[p(y|x) || p_i(y|t(x))], convex in b; Z_x(b) = sum_t p(t) exp(-b KL).
    """
    p_t = held.sum(0)
    used = p_t > 0
    held, p_t = held[:, used], p_t[used]
    decoder = held.T @ joint.q / p_t[:, None]
    q_log_q = (joint.q * np.log(np.where(joint.q > 0, joint.q, 1))).sum(1)
    different, which = np.unique(np.round(decoder, 12), axis=0, return_inverse=True)  # Z needs each decoder once
    mass = np.bincount(which.ravel(), p_t)
    log_r = np.where(different > 0, np.log(np.where(different > 0, different, 1)), -1e30)
    kl = np.maximum(q_log_q[:, None] - joint.q @ log_r.T, 0.0)  # [n, decoders]
    share = np.zeros((len(joint.p), len(different)))
    np.add.at(share.T, which.ravel(), held.T)
    mean = float((share * np.where(share > 0, kl, 0)).sum())  # I(X;Y|T), nats
    kl = np.minimum(kl, 1e30)
    constant = -float((p_t * np.log(p_t)).sum())

    def log_z(b: float) -> tuple[np.ndarray, np.ndarray]:
        weights = mass * np.exp(-b * kl)
        return np.log(np.maximum(weights.sum(1), 1e-300)), weights

    def slope(log_b: float) -> float:
        _, weights = log_z(np.exp(log_b))
        kept = np.where(weights > 0, kl, 0)
        return mean - float(joint.p @ ((weights * kept).sum(1) / np.maximum(weights.sum(1), 1e-300)))

    low, high = np.log(1e-4), np.log(_LARGEST)
    if mean < 1e-12 or slope(high) < 0:
        b = np.inf
    elif slope(low) >= 0:
        b = 0.0
    else:
        root: Any = brentq(slope, low, high, xtol=1e-10)
        b = float(np.exp(root))
    at = min(b, _LARGEST)
    return b, max(float((joint.p @ log_z(at)[0] + constant + at * mean) * _BITS), 0.0)


def _least_rate(curve: BottleneckCurve, i_y: np.ndarray) -> np.ndarray:
    """The least I(X;T) with which that I(T;Y) is reached, by the envelope turned round."""
    x = np.linspace(0, curve.h_x, 4001)
    y = np.maximum.accumulate(curve.envelope(x))
    rising = np.concatenate([[True], np.diff(y) > 1e-12])
    return np.interp(i_y, y[rising], x[rising])


def _deals(joint: Joint, permutations: int, seed: int) -> list[Joint]:
    """The same table with p(y|x) dealt out anew among its inputs, so many times."""
    rng = np.random.default_rng([seed, 6])
    return [replace(joint, group=joint.group[rng.permutation(len(joint.group))]) for _ in range(permutations)]


def _decisions(activations) -> np.ndarray:
    """The network's answer [seed, sample]: the largest unit, or whether the only one is above 1/2."""
    a = as_numpy(activations)
    return a.argmax(-1) if a.shape[-1] > 1 else (a[..., 0] > 0.5).astype(np.int64)


def _notes(found: dict[str, np.ndarray], permutations: int) -> tuple[str, ...]:
    notes = [
        "beta is fitted with each layer's own decoder, which builds agreement in: compare residuals with their nulls"
    ]
    if not permutations:
        notes.append("no null of shuffled labels was drawn (permutations=)")
    if np.isinf(found["beta"]).any():
        notes.append("beta is infinite where a layer lost nothing about Y")
    return tuple(notes)


def draw_layers(data, curve: BottleneckCurve) -> Any:
    """The figure of LayerBound from its dataset."""
    import plotly.graph_objects as go

    ends = [int(data["step"].values[t]) for t in (0, -1)]
    title = f"hollow: step {ends[0]}<br>filled: step {ends[1]}" if ends[0] != ends[1] else f"step {ends[1]}"
    figure = new_figure(xaxis_title="I(X;T) (bits)", yaxis_title="I(T;Y) (bits)", legend={"title": {"text": title}})
    layers = data["layer"].values.tolist()
    add_bound(figure, curve, float(data["i_x"].max()))
    for k, colour in enumerate(layer_colours(len(layers))):
        for t, hollow in ((0, True), (-1, False)) if ends[0] != ends[1] else ((-1, False),):
            at = data.isel(layer=k, step=t)
            text = [f"network {s}: beta {b:.3g}, residual {r:.2g} bits" for s, b, r in zip(at["seed"].values, at["beta"].values, at["residual"].values)]  # fmt: skip
            points = {"x": at["i_x"].values.round(4).tolist(), "y": at["i_y"].values.round(4).tolist()}
            symbol = "circle-open" if hollow else "circle"
            name = f"{layers[k]}, step {data['step'].values[t]}"
            figure.add_trace(go.Scatter(**points, mode="markers", marker={"color": colour, "size": 8, "symbol": symbol}, text=text, name=name if hollow else layers[k], legendgroup=layers[k], showlegend=not hollow))  # fmt: skip
    return figure


def add_bound(figure: Any, curve: BottleneckCurve, widest: float) -> None:
    """The bound as a line, from 0 to I(X;T) = widest."""
    import plotly.graph_objects as go

    x = np.unique(np.concatenate([np.linspace(0, min(curve.h_x, widest), 200), [widest]]))
    line = {"color": NEUTRAL, "width": 2, "dash": "dash"}
    points = {"x": x.round(4).tolist(), "y": curve.bound(x).round(4).tolist()}
    figure.add_trace(go.Scatter(**points, mode="lines", line=line, name="bound", hoverinfo="skip"))
