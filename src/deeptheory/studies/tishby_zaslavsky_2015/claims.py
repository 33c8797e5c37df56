"""What the paper says, as quantities with regions that were written before anything was measured. I in bits."""

from typing import Any

import numpy as np

from deeptheory.core.results import Estimate
from deeptheory.runs import Claim, NotRun, Sample, at_setting

_PAPER = "Tishby & Zaslavsky 2015"
_PROTOCOL = "own: the paper has no experiment"
_LAYERS = [f"layer{k}" for k in range(1, 6)]
_LEAST_RISE = 1e-4  # bits of I(X;T) between two betas, below which a slope is rounding


def _end(results: Any) -> Any:
    return results["layers"].isel(step=-1)


def _dpi(name: str):
    def measure(results):
        data = _end(results)
        names = data["layer"].values.tolist()
        if name not in names[:-1]:
            return NotRun(f"these networks have no {name} before their last layer")
        at = names.index(name)
        i_y = data["i_y"].values
        drop = i_y[:, at] - i_y[:, at + 1]
        return _worst(drop, drop.min(), "smallest")

    return measure


def _worst(values: np.ndarray, value: float, which: str) -> Estimate:
    """Each network's number is exact, and one violation is a violation: the worst of them counts. Rounded to 1e-10."""
    return Estimate(
        value=round(float(value), 10) + 0.0, method=f"{which} of {len(values)} networks, each exact", direction="exact"
    )


def _neuron(results):
    error = results["neuron"]["error"].values
    return Estimate(
        value=float(error.max()), unit="1", method=f"largest over {len(error)} random sources", direction="exact"
    )


def _critical(results):
    data = results["bound"]
    first, found = float(data["first_critical"]), float(data["critical"][0])
    notes = tuple(n for n in data.attrs["notes"] if "jump" in n)
    return Estimate(value=abs(found / first - 1), unit="1", method="certified optimum", direction="exact", notes=notes)


def _above(results):
    data = _end(results)
    above = -data["distance"].values
    return _worst(above, above.max(), "largest")


def slopes(data: Any) -> np.ndarray:
    """dI(T;Y)/dI(X;T) times beta between neighbouring betas, where the curve moves at all."""
    d_x, d_y = np.diff(data["dense_i_x"].values), np.diff(data["dense_i_y"].values)
    beta = data["dense_beta"].values
    moves = d_x > _LEAST_RISE
    return (d_y[moves] / d_x[moves]) * np.sqrt(beta[1:] * beta[:-1])[moves]


def _slope(results):
    found = slopes(results["bound"])
    if not len(found):
        return NotRun("the curve does not move between the betas that were looked at")
    return Estimate(
        value=float(np.median(found)), low=float(found.min()), high=float(found.max()), unit="1",
        method=f"median; least and largest of {len(found)} pieces of the curve", direction="exact",
    )  # fmt: skip


def distance_after(results: Any, step: int) -> np.ndarray:
    """[network]: mean over layers of log beta less log of the critical beta nearest to it, above 0 where a layer's fitted beta
    lies after its bifurcation; step: -1 trained, 0 untrained. Layers without a finite beta above 0 are left out (NaN: all)."""
    fitted = results["layers"]["beta"].isel(step=step).transpose("seed", "layer").values
    critical = np.log(results["bound"]["critical"].values)
    usable = np.isfinite(fitted) & (fitted > 0)
    logs = np.log(np.where(usable, fitted, 1.0))
    signed = logs[..., None] - critical
    nearest = np.take_along_axis(signed, np.abs(signed).argmin(-1)[..., None], -1)[..., 0]
    count = usable.sum(1)
    return np.where(count > 0, np.where(usable, nearest, 0).sum(1) / np.maximum(count, 1), np.nan)


def _conjecture(results):
    trained, untrained = (distance_after(results, step) for step in (-1, 0))
    left_out = [int((~np.isfinite(results["layers"]["beta"].isel(step=s).values)).sum()) for s in (-1, 0)]
    size = results["layers"]["beta"].isel(step=0).size
    return Sample(
        trained - untrained,
        "mean",
        (f"no finite beta: {left_out[0]} trained and {left_out[1]} untrained of {size} layers",),
    )


def _minimum(results):
    data = results["bound"]
    rate, depth = float(data["r_star"]), float(data["d_star"])
    notes = (f"R* = {rate:.4g} bits, worst-case D* = {depth:.4g} bits, {data.attrs['samples']} samples",)
    return Estimate(value=float(bool(data["interior"])), unit="1", method="minimised", direction="exact", notes=notes)


def _gaps(which: str | None):
    def measure(results):
        data = _end(results)
        if which is not None:
            return data[which].values
        return np.minimum(data["d_gap"].values, data["c_gap"].values)

    return measure


def _claim(id: str, source: str, statement: str, quantity: str, region: str, measure, unit="1") -> Claim:
    figure = source.removeprefix("figure ") if source.startswith("figure ") else source
    return Claim(
        id=id,
        figure=figure,
        source=f"{_PAPER}, {source}",
        statement=statement,
        quantity=quantity,
        unit=unit,
        region=region,
        criterion=f"within {region}",
        protocol=_PROTOCOL,
        measure=measure,
    )


CLAIMS = [
    _claim(
        "neuron-is-posterior",
        "section II.B",
        "A logistic unit with log-likelihood ratios as weights and the log prior ratio as bias is the exact posterior.",
        "largest difference between the unit and Bayes' rule, all count vectors of random naive-Bayes sources",
        "< 1e-10",
        _neuron,
    ),
    *(
        _claim(
            f"dpi-chain/{name}",
            "section III",
            "Information about the label can only be lost from layer to layer.",
            f"I(Y;T) of {name} less that of the next layer, the smallest over networks",
            ">= 0",
            _dpi(name),
            unit="bits",
        )
        for name in _LAYERS
    ),
    _claim(
        "critical-beta",
        "section II.C",
        "The first critical beta follows from the largest eigenvalue of second-order correlations.",
        "relative difference between the beta at which the optimum leaves the trivial solution and 1/s2^2",
        "< 1e-3",
        _critical,
    ),
    _claim(
        "bound-above-layers",
        "figure 2",
        "No layer lies beyond the bottleneck bound.",
        "largest I(T;Y) of any layer above the bound at its I(X;T), over networks",
        "<= 1e-6",
        _above,
        unit="bits",
    ),
    _claim(
        "slope-is-inverse-beta",
        "section II.C",
        "The slope of the curve is one over beta.",
        "slope of I(T;Y) over I(X;T) times beta, along the curve",
        "1 +- 0.02",
        _slope,
    ),
    _claim(
        "layers-after-bifurcations",
        "section IV",
        "Conjecture: the best layers sit just after bifurcations (expected beforehand: inconclusive).",
        "signed distance in log beta of a layer's fitted beta after the nearest critical beta, mean over layers, trained minus "
        "untrained networks",
        "> 0",
        _conjecture,
    ),
    _claim(
        "finite-sample-minimum-exists",
        "figure 2",
        "The finite-sample bound has a minimum at a complexity between nothing and everything.",
        "1 if the minimum of the worst-case curve lies inside, 0 if at an end",
        "= 1",
        _minimum,
    ),
    _claim(
        "gaps",
        "section III",
        "A network's distortion and complexity exceed the optimal ones for its sample.",
        "the smaller of the generalisation gap and the complexity gap, mean over networks",
        ">= 0",
        _gaps(None),
        unit="bits",
    ),
    _claim(
        "gaps/generalisation",
        "section III",
        "The network's distortion exceeds the optimal one.",
        "I(X;Y|decision) less D*(n), mean over networks",
        ">= 0",
        _gaps("d_gap"),
        unit="bits",
    ),
    _claim(
        "gaps/complexity",
        "section III",
        "The network's complexity exceeds the optimal one.",
        "I(X;decision) less R*(n), mean over networks",
        ">= 0",
        _gaps("c_gap"),
        unit="bits",
    ),
]
CLAIMS = at_setting(
    "other data", CLAIMS, "dpi-chain/", "bound-above-layers", "layers-after-bifurcations", "gaps"
)  # networks of ours
