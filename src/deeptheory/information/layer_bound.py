"""Layers of a network against the information bottleneck bound of the task, with the nulls that such a fit needs.

Sources: Shwartz-Ziv & Tishby 2017, figure 6 and equation 12 (the fitted beta); Tishby & Zaslavsky 2015, sections III
and IV (layer criterion, the two gaps). Every layer is read out as symbols, so that its encoder p(t|x) is exact.
The critical betas beside which section IV expects the layers are in `bottleneck/curve.py` (`critical_beta`).
Pitfall: beta is fitted with the layer's own decoder, which builds agreement in: a layer that nobody trained has a beta,
too. The residual of the fit is given next to it, and the same of permuted labels.
Pitfall: I(X;T) far above what the task needs lies over the flat end of the bound, where a short vertical distance says
little; `excess` is how many bits less would have done.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq

from deeptheory.core.arrays import as_floats, as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import as_step, check_whole
from deeptheory.core.theme import NEUTRAL, layer_colors, new_figure
from deeptheory.information.bottleneck.curve import BottleneckCurve, bottleneck_curve, first_critical_beta
from deeptheory.information.bottleneck.divergence import divergence, divergences
from deeptheory.information.bottleneck.finite_sample import finite_sample_bound
from deeptheory.information.bottleneck.joint import Joint, as_joint, entropy

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

_BITS = 1 / np.log(2)
_ROUNDING = 1e-12  # relative: sums of up to a million products
_CANCELS = 1e-4  # nats: divergences below it are summed term by term, so that they are right to 1e-12 of themselves
_LEAST = np.log(1e-6)  # beta times the largest divergence, below which beta is 0
_FEW = 60  # different rows of p(y|x), for which the curve's betas are chosen one by one
_PER_LAYER = ("i_x", "i_y", "bound", "distance", "excess", "beta", "residual", "residual_shuffled")
_PER_STEP = ("i_previous", "lost", "criterion")


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LayerBound(Result):
    """Layers of a network against the bottleneck bound of its task, in bits.

    Arrays [seed, step, layer]: i_x, i_y; bound: the most I(T;Y) at that I(X;T); distance = bound - i_y;
    excess: I(X;T) beyond the least with that I(T;Y). beta: fitted (Shwartz-Ziv & Tishby 2017, equation 12), infinite
    where every input is in the cluster that is nearest to it, as where the layer lost nothing about Y; 0 where T
    tells nothing, NaN where X tells nothing; residual: of the fit, E KL[p(t|x) || fitted encoder]; residual_shuffled:
    its mean with the rows of p(y|x) permuted among the inputs, NaN where not asked for. i_previous = I(T_before; T),
    lost = I(Y; T_before | T), criterion = i_previous + beta lost (2015); the layer before the first is X. quality
    [seed, step]: I(Y; decision) / I(X;Y). d_n, r_n [seed, step]: I(X;Y|decision), I(X; decision); gaps d_gap, c_gap
    to (D*, R*) of `n` training samples, NaN where that was not given. curve: of the task.
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
        return (
            f"LayerBound({len(self.seeds)} networks, {self.readout}; bits below the bound at step "
            f"{self.steps[-1]}: {each})"
        )

    def dataset(self) -> "xarray.Dataset":
        """All arrays of the class over [seed, step, layer] and [seed, step], float64; readout and notes in .attrs."""
        import xarray as xr

        axes = ("seed", "step", "layer")
        columns: dict[str, Any] = {k: (axes, getattr(self, k)) for k in (*_PER_LAYER, *_PER_STEP)}
        columns |= {k: (axes[:2], getattr(self, k)) for k in ("quality", "d_n", "r_n", "d_gap", "c_gap")}
        coords = {"seed": list(self.seeds), "step": list(self.steps), "layer": list(self.layers)}
        return xr.Dataset(columns, coords=coords, attrs={"readout": self.readout, "notes": self.notes})

    def table(self) -> "pandas.DataFrame":
        """One row per network, step and layer: what is measured per layer; quality and gaps are in .dataset()."""
        return self.dataset()[[*_PER_LAYER, *_PER_STEP]].to_dataframe().reset_index()

    def figure(self) -> "plotly.graph_objects.Figure":
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
    n: int | None = None,
    constant: float = 1.0,
    seed: int = 0,
) -> LayerBound:
    """Every layer of a recording against the bound of its task: how many bits of I(T;Y) its I(X;T) could buy more.

    Sources: Shwartz-Ziv & Tishby 2017, figure 6 and equation 12; Tishby & Zaslavsky 2015, sections III and IV.
    recording: a Recording with activations; its inputs are the rows of p_xy [nx, ny], in order. readout: with symbols,
    so Binning, Quantized or Exact; no default, as for the plane. steps: those to look at (default: the first, often
    untrained, and the last). curve: of p_xy, if it is there already. permutations: draws, from the seed, of the null of
    `residual`, the rows of p(y|x) permuted among the inputs. n: training samples, for the gaps, with the constant of
    the finite-sample bound; the decision is the last layer's largest unit (above 1/2 for one). InputError: no Recording
    with activations, no readout or one without symbols, rows that do not fit, p_xy as in bottleneck, an unknown step,
    permutations or seed no integer of 0 or more, n or constant as in finite_sample_bound, the curve of another table.
    """
    if not (hasattr(recording, "activations") and hasattr(recording, "inputs")):
        shape = f" of shape {list(as_numpy(recording).shape)}" if hasattr(recording, "shape") else ""
        raise InputError(
            f"recording is {type(recording).__name__}{shape}; needed: a Recording, as dt.Recorder(model, inputs=x) "
            "makes it (its .recording after .snapshot(step))"
        )
    if not recording.steps or not recording.layers:
        raise InputError("the recording is empty; call snapshot(step), or pass recorder= to fit")
    if readout is None or not hasattr(readout, "symbols"):
        raise InputError(f"readout is {readout!r}; layers have an exact encoder under Binning, Quantized or Exact")
    check_whole(permutations=(permutations, 0), seed=(seed, 0))
    joint = as_joint(p_xy)
    if recording.inputs != joint.shape[0]:
        raise InputError(
            f"the recording has {recording.inputs} inputs, p_xy {joint.shape[0]} rows; they are the same inputs, "
            "in order"
        )
    p_x = np.ascontiguousarray(as_floats(p_xy)).sum(1)
    curve = _curve(joint) if curve is None else _checked(curve, joint)
    chosen = sorted({recording.steps[0], recording.steps[-1]}) if steps is None else _steps(steps)
    shape = (len(recording.seeds), len(chosen), len(recording.layers))
    found = {name: np.full(shape, np.nan) for name in (*_PER_LAYER, *_PER_STEP)}
    ends = {name: np.full(shape[:2], np.nan) for name in ("quality", "d_n", "r_n", "d_gap", "c_gap")}
    null = _permuted(joint, permutations, seed)
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
            i_x, i_y = _from_held(joint, _held(joint, p_x, decided[s]))
            ends["quality"][s, t] = i_y / joint.i_xy if joint.i_xy > 0 else np.nan
            ends["d_n"][s, t], ends["r_n"][s, t] = joint.i_xy - i_y, i_x
    found["bound"] = curve.bound(found["i_x"])
    found["distance"] = found["bound"] - found["i_y"]
    found["excess"] = found["i_x"] - _least_rate(curve, found["i_y"])
    weight = np.where(found["lost"] > 0, found["beta"], 0.0)  # infinite times nothing lost is nothing
    found["criterion"] = found["i_previous"] + weight * found["lost"]
    if n is not None:
        limit = finite_sample_bound(curve, n, constant=constant, classes=joint.shape[1])
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


def _steps(steps: Any) -> list[int]:
    """Ascending, each once. InputError: none, or no integers."""
    given = steps if np.iterable(steps) and not isinstance(steps, str) else []
    chosen = sorted({as_step(step) for step in given})
    if not chosen:
        raise InputError(f"steps are {steps!r:.60}; needed: one or more recorded steps, as in steps=[0, 10]")
    return chosen


def _curve(joint: Joint) -> BottleneckCurve:
    """The curve; of a table with many different rows by 60 betas, whose lines bound it from above all the same."""
    betas = None if len(joint.p) <= _FEW else np.geomspace(1, 1000, 60)
    return bottleneck_curve(joint, betas, locate=False)


def _checked(curve: BottleneckCurve, joint: Joint) -> BottleneckCurve:
    """InputError: the curve's own I(X;Y), entropies or first critical beta are not those of this table."""
    if not isinstance(curve, BottleneckCurve):
        raise InputError(f"curve is {type(curve).__name__}; needed: what dt.bottleneck_curve(p_xy) returns")
    given = (curve.i_xy, curve.h_x, curve.h_y, curve.first_critical)
    own = (joint.i_xy, joint.h_x, joint.h_y, first_critical_beta(joint))
    if not np.allclose(given, own, rtol=1e-6, atol=1e-9):
        told = [
            f"{name} {a:.6g} against {b:.6g}"
            for name, a, b in zip(("I(X;Y)", "H(X)", "H(Y)", "first critical beta"), given, own)
        ]
        raise InputError(
            f"curve is of another table than p_xy: {', '.join(told)}; leave curve= out, or use "
            "dt.bottleneck_curve(p_xy)"
        )
    return curve


def _layer(joint: Joint, p_x: np.ndarray, symbols: np.ndarray, before: np.ndarray, null) -> dict[str, float]:
    held = _held(joint, p_x, symbols)
    i_x, i_y = _from_held(joint, held)
    beta, residual = _fit(joint, held)
    row = {"i_x": i_x, "i_y": i_y, "beta": beta, "residual": residual}
    pairs, both = np.unique(np.stack([before, symbols]), axis=1, return_inverse=True)
    fine = _held(joint, p_x, both.ravel())
    row["i_previous"] = i_x + entropy(_held(joint, p_x, before).sum(0)) - entropy(fine.sum(0))
    row["lost"] = _lost(joint, fine, held, pairs[1])
    if null:
        row["residual_shuffled"] = float(np.mean([_fit(other, _held(other, p_x, symbols))[1] for other in null]))
    return row


def _held(joint: Joint, p_x: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """p(merged row, t), [n, k]."""
    n, k = len(joint.p), int(symbols.max()) + 1
    kept = joint.group >= 0
    return np.bincount(joint.group[kept] * k + symbols[kept], p_x[kept] / p_x.sum(), n * k).reshape(n, k)


def _decoders(joint: Joint, held: np.ndarray) -> np.ndarray:
    """p(y|t) [k, m]; p(y) where t has no mass."""
    p_t = held.sum(0)
    return np.where(p_t[:, None] > 0, held.T @ joint.q / np.where(p_t > 0, p_t, 1)[:, None], joint.p_y)


def _from_held(joint: Joint, held: np.ndarray) -> tuple[float, float]:
    """H(T) = I(X;T) of a function of x, and I(T;Y), bits."""
    p_t = held.sum(0)
    return entropy(p_t), float(p_t @ divergence(_decoders(joint, held), joint.p_y).sum(1)) * _BITS


def _lost(joint: Joint, fine: np.ndarray, held: np.ndarray, parent: np.ndarray) -> float:
    """I(Y; T_before | T) bits: E KL of the decoder of (T_before, T) from that of T;
    exactly 0 where they are the same."""
    one, other = _decoders(joint, fine), _decoders(joint, held)[parent]
    terms = np.where(_same(one, other), 0.0, divergence(one, other))
    return float(fine.sum(0) @ terms.sum(1)) * _BITS


def _same(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Probabilities that differ by the rounding of the sums they come from."""
    return np.abs(a - b) <= _ROUNDING * np.maximum(a, b)


def _fit(joint: Joint, held: np.ndarray) -> tuple[float, float]:
    """beta* of equation 12 and E KL[p_i(t|x) || p_beta(t|x)] there, bits; T is a function of x.

    J(b) = E log Z_x(b) + b E KL[p(y|x) || p(y|t(x))] - E log p(t(x)), Z_x(b) = sum_t p(t) exp(-b KL), is convex in b.
    It falls for ever, beta* infinite, where every x is in the cluster that is nearest to it; else its slope has a root.
    """
    p_t = held.sum(0)
    held, p_t = held[:, p_t > 0], p_t[p_t > 0]
    constant = entropy(p_t)
    decoder = _decoders(joint, held)
    digits, exponent = np.frexp(decoder)
    rounded = np.ldexp(np.round(np.ldexp(digits, 40)), exponent - 40)
    _, first, which = np.unique(rounded, axis=0, return_index=True, return_inverse=True)  # Z needs each decoder once
    decoder, mass = decoder[first], np.bincount(which.ravel(), p_t)
    kl = divergences(joint.q, decoder, _CANCELS, _ROUNDING)  # [n, decoders]
    share = np.zeros((len(joint.p), len(decoder)))
    np.add.at(share.T, which.ravel(), held.T)
    x, own = np.nonzero(share)
    p_own, away = share[x, own], kl[x] - kl[x, own][:, None]  # how much further the others are, [pairs, decoders]
    moved = sum(np.abs(a[:, None] - b) for a, b in zip(joint.q.T, decoder.T))  # by which relative rounding moves kl
    away[np.abs(away) <= 0.1 * _ROUNDING * (kl + moved)[x]] = 0.0  # ties

    def terms(b: float) -> tuple[np.ndarray, np.ndarray]:
        score = np.log(mass) - b * away
        top = score.max(1)
        weights = np.exp(score - top[:, None])
        return top + np.log(weights.sum(1)), weights

    def slope(log_b: float) -> float:
        _, weights = terms(np.exp(log_b))
        return -float(p_own @ (np.where(weights > 0, weights * away, 0.0).sum(1) / weights.sum(1)))

    if (
        len(decoder) == 1
    ):  # T tells nothing: every beta fits alike, the least is given; none where there is nothing to tell
        b = 0.0 if joint.i_xy > 0 else np.nan
        return b, max(float(p_own @ terms(0.0)[0]) * _BITS + constant, 0.0)
    if not (away < 0).any():
        nearest = np.log(np.where(away == 0, mass, 0.0).sum(1))  # what the weights tend to
        return np.inf, max(float(p_own @ nearest) * _BITS + constant, 0.0)
    low, high = _LEAST - np.log(np.abs(away).max()), -np.log(-away[away < 0].min())
    if slope(low) >= 0:
        b = 0.0
    else:
        while slope(high) < 0:
            high += 3.0
        root: Any = brentq(slope, low, high, xtol=1e-10)
        b = float(np.exp(root))
    return b, max(float(p_own @ terms(b)[0]) * _BITS + constant, 0.0)


def _least_rate(curve: BottleneckCurve, i_y: np.ndarray) -> np.ndarray:
    """The least I(X;T) with which that I(T;Y) is reached, by the envelope read from the side."""
    x, y = curve.hull()
    rising = np.concatenate([[True], np.diff(np.maximum.accumulate(y)) > 0])
    return np.interp(i_y, y[rising], x[rising])


def _permuted(joint: Joint, permutations: int, seed: int) -> list[Joint]:
    """The same table with p(y|x) permuted among its inputs that have mass, `permutations` times."""
    rng, rows, out = np.random.default_rng([seed, 6]), np.flatnonzero(joint.group >= 0), []
    for _ in range(permutations):
        group = joint.group.copy()
        group[rows] = group[rng.permutation(rows)]
        out.append(replace(joint, group=group))
    return out


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
        notes.append(
            "beta is infinite where every input is in the cluster nearest to it, as where a layer lost nothing about Y"
        )
    return tuple(notes)


def draw_layers(data, curve: BottleneckCurve) -> Any:
    """The figure of LayerBound from its dataset."""
    import plotly.graph_objects as go

    ends = [int(data["step"].values[t]) for t in (0, -1)]
    title = f"hollow: step {ends[0]}<br>filled: step {ends[1]}" if ends[0] != ends[1] else f"step {ends[1]}"
    figure = new_figure(xaxis_title="I(X;T) (bits)", yaxis_title="I(T;Y) (bits)", legend={"title": {"text": title}})
    layers = data["layer"].values.tolist()
    add_bound(figure, curve, float(data["i_x"].max()))
    for k, color in enumerate(layer_colors(len(layers))):
        for t, hollow in ((0, True), (-1, False)) if ends[0] != ends[1] else ((-1, False),):
            at = data.isel(layer=k, step=t)
            text = [
                f"network {s}: beta {b:.3g}, residual {r:.2g} bits"
                for s, b, r in zip(at["seed"].values, at["beta"].values, at["residual"].values)
            ]
            points = {"x": at["i_x"].values.round(4).tolist(), "y": at["i_y"].values.round(4).tolist()}
            symbol = "circle-open" if hollow else "circle"
            name = f"{layers[k]}, step {data['step'].values[t]}"
            figure.add_trace(
                go.Scatter(
                    **points,
                    mode="markers",
                    marker={"color": color, "size": 8, "symbol": symbol},
                    text=text,
                    name=name if hollow else layers[k],
                    legendgroup=layers[k],
                    showlegend=not hollow,
                )
            )
    return figure


def add_bound(figure: Any, curve: BottleneckCurve, widest: float) -> None:
    """The bound as a line, from 0 to I(X;T) = widest."""
    import plotly.graph_objects as go

    x = np.unique(np.concatenate([np.linspace(0, min(curve.h_x, widest), 200), [widest]]))
    line = {"color": NEUTRAL, "width": 2, "dash": "dash"}
    points = {"x": x.round(4).tolist(), "y": curve.bound(x).round(4).tolist()}
    figure.add_trace(go.Scatter(**points, mode="lines", line=line, name="bound", hoverinfo="skip"))
