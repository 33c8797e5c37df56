"""Features, cells and series whose truth is known, for the trials of the axis science, and rows that need no more."""

import numpy as np

import deeptheory as dt
from deeptheory.axis.simulate.codes import CODES
from trials.frame import rare, refused


def series(rng, n, d, phi):
    """[n, d]: AR(1) columns of unit variance."""
    x = rng.standard_normal((n, d))
    for k in range(1, n):
        x[k] = phi * x[k - 1] + np.sqrt(1 - phi**2) * x[k]
    return x


def features(kind, rng, n, d):
    """[n, d] stimuli of a named distribution."""
    normal = rng.standard_normal((n, d))
    if kind == "sphere":
        return normal / np.linalg.norm(normal, axis=1, keepdims=True)
    if kind == "collinear":
        return normal[:, : d // 2] @ rng.standard_normal((d // 2, d)) + 1e-3 * normal
    return {
        "Gaussian": lambda: normal,
        "skewed": lambda: np.exp(0.8 * normal),
        "exponential": lambda: rng.exponential(size=(n, d)),
        "heavy-tailed": lambda: rng.standard_t(3, (n, d)),
        "binary": lambda: np.sign(normal),
        "decaying": lambda: normal * np.geomspace(1, 0.05, d),
    }[kind]()


TRUE = {"axis": "axis", "softplus": "axis", "exponential": "axis", "rectified": "axis", "exemplar": "exemplar",
    "energy": "energy",
        "norm": "norm x direction", "XOR": None, "none": "none"}  # fmt: skip


def cells(code, s, units, rng):
    """[n, units]: rates of unit variance, of one code of TRUE."""
    s = s - s.mean(0)
    w = rng.standard_normal((units, s.shape[1]))
    w /= np.linalg.norm(w, axis=1, keepdims=True)
    z = s @ w.T
    z = z / z.std(0)
    if code == "exemplar":
        e = s[rng.integers(0, len(s), units)]
        e = e / np.linalg.norm(e, axis=1, keepdims=True) * np.median(np.linalg.norm(s, axis=1))
        y = CODES["exemplar"](s, e * rng.uniform(0.5, 1.4, (units, 1)))
    elif code == "norm":
        y = CODES["norm x direction"](s, w)
    elif code == "XOR":
        y = np.sign(z) * np.sign(s @ rng.standard_normal((s.shape[1], units)))
    elif code == "none":
        return np.zeros_like(z)
    else:
        curves = {"axis": lambda: z, "softplus": lambda: np.logaddexp(0, 2 * z),
            "exponential": lambda: np.exp(z.clip(-5, 3)),
                  "rectified": lambda: np.maximum(z - 1, 0), "energy": lambda: z**2}  # fmt: skip
        y = curves[code]()
    return (y - y.mean(0)) / y.std(0)


def recorded(rates, ceiling, trials, rng):
    """[n, trials, units]: rates of unit variance with noise, so that the mean over trials has that reliability."""
    noise = np.sqrt(trials * (1 - ceiling) / ceiling) if rates.any() else 1.0
    return rates[:, None] + noise * rng.standard_normal((len(rates), trials, rates.shape[1]))


EXEMPT = {
    "axis.CODES": "functions of known codes; simulate and the verdicts are tried on them",
    "axis.AxisCode.noted": "the same result with other notes and names",
    "axis.AxisCode.controversial": "makes stimuli; axis_code's ambient row compares them, "
    "verdict_power what they are worth",
    "axis.AxisCode.metamers": "makes stimuli; see axis.null_plane's row, which asks for their ratio",
    "axis.AxisCode.geometry": "axes_geometry of its own axes; compared in axis.AxisCode.scalars' row",
    "axis.AxisCode.reconstruct": "calls the decoder that is given; compared in axis.AxisCode.scalars' row",
    "axis.Cells.recorded": "one of its own arrays",
    "axis.Models.bound": "the largest of .bounds, of which every unit's verdict is made",
    "axis.LayerwiseAxisCode.conditions": "lists its own codes",
    "axis.LayerwiseAxisCode.scalars": "the table's numbers by name; axis_code_of's row compares the table",
    "axis.Decoding.scalars": "by_block by name",
    "axis.Flatness.relative": "share over along; compared in axis.AxisCode.scalars' row",
    "axis.Efficiency.ratio": "in axis.metric_efficiency's row",
    "axis.Identification.chance": "in axis.AxisCode.scalars' row",
    "axis.Models.aic_weights": "in axis.AxisCode.scalars' row",
    "axis.Metamers.ratio": "in axis.null_plane's row",
    "axis.NullPlane.change": "in axis.null_plane's row",
    "axis.ObjectSpace.encode": "in axis.similarity_matrix' row",
    "axis.ObjectSpace.quadrants": "in axis.similarity_matrix' row",
    "axis.Power.cells": "in axis.verdict_power's row",
    "axis.Power.share": "in axis.verdict_power's row",
    "axis.Power.wrong": "in axis.verdict_power's row",
    "axis.Simulation.respond": "in axis.simulate's rows",
    "axis.axis_code_by_layer": "in axis_code_of's row",
    "axis.record_units": "in axis_code_of's row",
    "axis.activations_of": "in axis_code_of's row",
    "axis.rdm": "in axis.similarity_matrix' row",
}


def trends(rng, draws):
    """A trend that features and responses share for no reason makes no unit tuned."""
    hits = 0
    for _ in range(draws):
        time = np.linspace(-1, 1, 300)[:, None]
        y, s = (time * rng.standard_normal((1, k)) + 0.3 * rng.standard_normal((300, k)) for k in (4, 3))
        code = dt.axis_code(y, s, models=False, permutations=99)
        hits += bool((code.ramp.p < 0.05).any())
    return rare(hits, draws)


def repeated_rows(rng, draws):
    return refused(
        lambda: dt.axis_code(rng.standard_normal((60, 4)), rng.standard_normal((20, 3)).repeat(3, 0)), "groups="
    )
