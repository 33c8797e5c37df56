"""What is computed: the neuron that is a posterior, the bound of a real p(x, y), and networks against it.

The networks' layers are rounded to a few levels, in training and afterwards, so each layer is a function of the one
before it and both are symbols: Y - X - T1 - T2 - ... is a Markov chain whose informations are exact,
with no estimator between.
"""

from math import lgamma
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.information import bottleneck_branches, finite_sample_bound
from deeptheory.information.bottleneck.joint import as_joint
from deeptheory.runs import Step, generator
from deeptheory.studies.units import in_chunks

SYMBOLS, DRAWS = 4, 8  # of the naive-Bayes source: values of a feature, draws in one sample
CLUSTERS = (1, 2, 3, 4)


def task(settings: dict) -> Any:
    """The soft 12-bit rule; its labels are drawn from the run's seed."""
    return dt.datasets.icosahedron(gamma=settings["gamma"], seed=settings["seed"])


def check(settings: dict) -> None:
    """InputError: settings that do not go together, found by one epoch of one network."""
    _trained({**settings, "epochs": 1, "seed": 0}, [0])


def neuron(settings, unit, inputs, workspace, progress):
    """Section II.B: with w_j = log p(j|y) / p(j|y'), b = log p(y) / p(y') and counts as inputs,
    a logistic unit against Bayes."""
    import xarray as xr

    counts = _compositions(DRAWS, SYMBOLS)
    rows = [_unit_and_posterior(generator(settings["seed"], "source", seed), counts) for seed in unit]
    exact, output, kept = (np.array(column) for column in zip(*rows))
    return xr.Dataset(
        {
            "error": ("seed", np.abs(output - exact).max(1)),
            "kept": ("seed", kept),
            "exact": (("seed", "sample"), exact),
            "output": (("seed", "sample"), output),
        },
        coords={"seed": unit},
    )


def _unit_and_posterior(rng: np.random.Generator, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Bayes' rule and the unit's output for each count vector of a random source,
    and the part of I(X;Y) that the output keeps."""
    ways = np.exp([lgamma(DRAWS + 1) - sum(lgamma(c + 1) for c in row) for row in counts])
    p_j, prior = rng.dirichlet(np.ones(SYMBOLS), 2), float(rng.uniform(0.2, 0.8))
    p_y = np.array([1 - prior, prior])
    joint = np.stack([p_y[y] * ways * np.prod(p_j[y] ** counts, axis=1) for y in (0, 1)], axis=1)
    weights, bias = np.log(p_j[1] / p_j[0]), np.log(p_y[1] / p_y[0])
    output = 1 / (1 + np.exp(-(counts @ weights + bias)))
    groups = np.unique(np.round(output, 10), return_inverse=True)[1].ravel()
    merged = np.stack([np.bincount(groups, joint[:, y]) for y in (0, 1)], axis=1)
    return joint[:, 1] / joint.sum(1), output, as_joint(merged).i_xy / as_joint(joint).i_xy


def bound(settings, unit, inputs, workspace, progress):
    """The curve with its critical betas, branches with few clusters, and the finite-sample bound."""
    import xarray as xr

    joint = as_joint(task(settings).p_xy)
    curve = dt.bottleneck_curve(joint)
    smooth = np.geomspace(1.02 * curve.critical_beta[0], 3 * curve.critical_beta[-1], 400)
    dense = dt.bottleneck_curve(joint, smooth, locate=False)
    betas = np.unique(
        np.append(
            np.geomspace(curve.critical_beta[0] * 0.98, 3 * curve.critical_beta[-1], settings["branches"]),
            curve.critical_beta * 1.02,
        )
    )
    branches = bottleneck_branches(joint, betas, CLUSTERS, restarts=4, seed=settings["seed"])
    samples = round(settings["train"] * joint.shape[0])
    limit = finite_sample_bound(curve, samples, constant=settings["constant"], classes=joint.shape[1])
    return xr.Dataset(
        {
            **{k: ("beta", getattr(curve, k)) for k in ("i_x", "i_y", "clusters", "gap")},
            "critical": ("bifurcation", curve.critical_beta),
            "first_critical": curve.first_critical,
            "dense_beta": ("dense", smooth),
            "dense_i_x": ("dense", dense.i_x),
            "dense_i_y": ("dense", dense.i_y),
            "branch_i_x": (("k", "at"), branches.i_x),
            "branch_i_y": (("k", "at"), branches.i_y),
            "rate": ("point", limit.rate),
            "worst": ("point", limit.worst),
            "r_star": limit.r_star,
            "d_star": limit.d_star,
            "rate_error": limit.rate_error,
            "interior": limit.interior,
        },
        coords={"beta": curve.beta, "at": betas, "k": list(CLUSTERS)},
        attrs={
            "i_xy": curve.i_xy,
            "h_x": curve.h_x,
            "samples": samples,
            "seed": settings["seed"],
            "notes": list(curve.notes),
        },
    )


def layers(settings, unit, inputs, workspace, progress):
    """Networks, trained on the drawn labels, against the bound: before training and at the end."""
    data, recorder, history = _trained(settings, unit, workspace, progress)
    found = dt.layer_bound(
        recorder.recording,
        data.p_xy,
        readout=dt.Exact(),
        permutations=2,
        n=round(settings["train"] * len(data.x)),
        constant=settings["constant"],
        seed=settings["seed"],
    )
    out = found.dataset().merge(history.dataset())
    return out.assign_attrs(information=data.mutual_information, readout="rounded in the network")


def _trained(settings, seeds, workspace=None, progress=None):
    data = task(settings)
    nets = dt.networks.Population.mlp(
        settings["widths"], settings["activation"], seeds=seeds, init=settings["init"], bits=settings["bits"]
    )
    recorder = dt.Recorder(nets, data.x, data.y, layers="layer*")
    history = dt.networks.fit(
        nets,
        data.x,
        data.y,
        train_fraction=settings["train"],
        optimizer=settings["optimizer"],
        lr=settings["lr"],
        batch=settings["batch"],
        epochs=settings["epochs"],
        recorder=recorder,
        record_at=[0, settings["epochs"]],
        seed=settings["seed"],
        checkpoint=None if workspace is None else workspace / "training",
        progress=progress,
    )
    return data, recorder, history


def _compositions(total: int, parts: int) -> np.ndarray:
    """Every way to write total as a sum of `parts` counts, [number, parts]."""
    if parts == 1:
        return np.array([[total]])
    return np.concatenate([np.insert(_compositions(total - c, parts - 1), 0, c, axis=1) for c in range(total + 1)])


STEPS = [
    Step(name="neuron", function=neuron, units=in_chunks, about="one logistic unit against the exact posterior"),
    Step(name="bound", function=bound, about="curve, branches and finite-sample bound of p(x, y)"),
    Step(name="layers", function=layers, units=in_chunks, about="networks whose layers are a chain of symbols"),
]
