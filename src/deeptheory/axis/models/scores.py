"""Every model of every unit, fitted on all stimuli (for AIC and the parameters) and on folds (for the score).

The score is R^2 = 1 - sum of squared held-out errors / sum of squares about the mean (of dependent rows: about the mean
of the rows learned from); two models of a unit are compared
stimulus by stimulus, so that what both miss, the noise above all, cancels. AIC = n log(mean squared error) + 2
parameters.
Source: specs 2.3; Chang & Tsao 2017, figure 4. Pitfall: in-sample R^2 of d + 4 parameters on n stimuli is (d + 4)/n
without any tuning at all.
"""

from concurrent.futures import Executor
from dataclasses import dataclass

import torch

from deeptheory.axis.models.both_arms import both_arms
from deeptheory.axis.models.fitting import Design, Fit, fit
from deeptheory.axis.models.generators import GENERATORS, Generator, Stimuli
from deeptheory.axis.models.norm_effect import norm_effect
from deeptheory.axis.models.quadratic import Quadratic
from deeptheory.axis.models.starts import even_axis, start

Tensor = torch.Tensor
CHUNK = 256  # units at a time: what bounds the memory
RADII = (1.0, 0.5, 2.0)  # times the bound: the bound itself, half and twice
DISTANCES = ("exemplar", "exemplar, half the bound", "exemplar, twice the bound")
SECOND = "energy, two axes"  # the energy model, and another fitted to what it leaves
MODELS = ("axis", *DISTANCES, "norm x direction", "energy", "angle", "norm", "quadratic", SECOND, "constant")
_FOLD, _FULL = (12, 5e-5), (40, 1e-6)  # steps at most, and the gain in explained variance that ends them


@dataclass(frozen=True)
class Scores:
    """By model (MODELS) and unit: r2 held out, aic, lead[a, b]: r2 of a minus r2 of b and its standard error.

    axis, target [u, d]: fitted axis (unit length, of the sign that the response grows with it) and exemplar at the
    bound; radius [3, u]: length of the exemplar at the bound, half, twice; norm_p [u]: does the response at a given
    projection depend on the norm (norm_effect.py); arms [u]: how surely the response turns back along the energy
    model's axis (both_arms.py); converged [u]: the fits of axis and
    exemplar on all stimuli ended by themselves.
    """

    r2: Tensor
    aic: Tensor
    lead: Tensor
    lead_error: Tensor
    axis: Tensor
    target: Tensor
    radius: Tensor
    norm_p: Tensor
    arms: Tensor
    converged: Tensor


def score(
    s: Tensor,
    y: Tensor,
    folds: list[tuple[Tensor, Tensor]],
    bound: float,
    pool: Executor,
    clusters: Tensor | None = None,
) -> Scores:
    """s [n, d] centered features, y [n, u]; folds: (learned from, left out); bound: largest |e|; pool: computes folds;
    clusters [n]: what counts as one in standard errors.

    All in double: fits of a code that is not there wander, and in single precision the last bit of a response moved the
    held-out R^2 of a rival by up to .03.
    """
    y = y - y.mean(0)
    y = (y - y.mean(0)) / y.std(0, correction=0)  # the mean twice: the first is rounded where responses are far from 0
    s, y = s.to(torch.float64), y.to(torch.float64)
    stimuli = Stimuli.of(s)
    quadratic = Quadratic(s, folds)
    parts = [
        _score(stimuli, y[:, at : at + CHUNK].mT.contiguous(), folds, bound, quadratic, pool, clusters)
        for at in range(0, y.shape[1], CHUNK)
    ]
    return Scores(**{k: torch.cat([getattr(p, k) for p in parts], _UNIT_AXIS[k]) for k in vars(parts[0])})


_UNIT_AXIS = {
    "r2": 1,
    "aic": 1,
    "lead": 2,
    "lead_error": 2,
    "axis": 0,
    "target": 0,
    "radius": 1,
    "norm_p": 0,
    "arms": 0,
    "converged": 0,
}


def _score(
    stimuli: Stimuli, y: Tensor, folds: list[tuple[Tensor, Tensor]], bound: float, quadratic: Quadratic, pool: Executor,
    clusters: Tensor | None,
) -> Scores:  # fmt: skip
    n = y.shape[1]
    errors = y.new_empty(len(MODELS), *y.shape)

    def left_out(fold: tuple[Tensor, Tensor]) -> None:
        train, test = fold
        inside, outside, learnt = stimuli.rows(train), stimuli.rows(test), y[:, train]
        for name, (g, fitted) in all_fits(inside, learnt, bound, _FOLD).items():
            errors[MODELS.index(name)][:, test] = fitted.predict(g, outside) - y[:, test]
        errors[MODELS.index("norm")][:, test] = _norm_model(inside, learnt, outside) - y[:, test]
        errors[MODELS.index(SECOND)][:, test] += errors[MODELS.index("energy")][:, test] + y[:, test]

    waited = pool.submit(all_fits, stimuli, y, bound, _FULL)
    list(pool.map(left_out, folds))
    whole = waited.result()
    errors[MODELS.index("quadratic")], quadratic_loss, effective = quadratic.errors(y)
    constant = errors[MODELS.index("constant")].copy_(y)
    if clusters is not None:  # a stretch lies away from the mean of the rest, which no model can know
        for train, test in folds:
            constant[:, test] -= y[:, train].mean(1, keepdim=True)
    squared = errors.square_()
    lead, lead_error = _leads(squared, clusters)
    loss = {"quadratic": quadratic_loss, "norm": (_norm_model(stimuli, y, stimuli) - y).square().mean(1)}
    loss["constant"] = y.square().mean(1)
    parameters: dict = {"quadratic": effective, "norm": 4, "constant": 1}
    found = {name: fitted for name, (_, fitted) in whole.items()}
    for name, (g, fitted) in whole.items():
        loss[name], parameters[name] = fitted.loss, g.parameters(stimuli.s.shape[1]) * (1 + (name == SECOND))
    ended = found["axis"].converged & found["exemplar"].converged
    rising = found["axis"].coefficients[:, 1].sign()
    rising = torch.where(rising == 0, torch.ones_like(rising), rising)[:, None]
    axis = found["axis"].theta / found["axis"].theta.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return Scores(
        r2=1 - squared.mean(2) / squared[MODELS.index("constant")].mean(1),
        aic=torch.stack([n * loss[m].clamp_min(1e-12).log() + 2 * (parameters[m] + 1) for m in MODELS]),
        lead=lead,
        lead_error=lead_error,
        axis=axis * rising,
        target=found["exemplar"].theta,
        radius=torch.stack([found[name].theta.norm(dim=1) for name in DISTANCES]),
        norm_p=norm_effect(stimuli, y, found["axis"], clusters),
        arms=both_arms(stimuli, y, found["energy"], clusters),
        converged=ended,
    )


def all_fits(stimuli: Stimuli, y: Tensor, bound: float, effort: tuple[int, float]) -> dict[str, tuple[Generator, Fit]]:
    """{model: (its generator, its fit)}."""
    out: dict[str, tuple[Generator, Fit]] = {}
    even = even_axis(Design(GENERATORS["axis"], stimuli), y)
    for g in GENERATORS.values():
        design = Design(g, stimuli)
        if g.distance:
            out |= {name: (g, made) for name, made in _within_bounds(design, y, even, bound, effort).items()}
        else:
            hint = out["axis"][1].theta if g.name == "energy" else None
            out[g.name] = (g, fit(design, y, start(design, y, even, None, hint), None, *effort))
            if g.name == "energy":
                rest = y - out[g.name][1].predict(g, stimuli)
                out[SECOND] = (g, fit(design, rest, even_axis(design, rest), None, *effort))
    return out


def _within_bounds(design: Design, y: Tensor, even: Tensor, bound: float, effort: tuple[int, float]) -> dict[str, Fit]:
    """The fit for each bound: the widest first, the others only where that one lies beyond theirs."""
    widest, out = bound * max(RADII), {}
    found = fit(design, y, start(design, y, even, widest), widest, *effort)
    for factor, name in sorted(zip(RADII, DISTANCES), reverse=True):
        beyond = found.theta.norm(dim=1) > bound * factor
        if bool(beyond.any()):
            found = found.replaced(beyond, fit(design, y[beyond], found.theta[beyond], bound * factor, *effort))
        out[name] = found
    return out


def _norm_model(inside: Stimuli, y: Tensor, outside: Stimuli) -> Tensor:
    """Cubic of |s|, no direction at all; of lengths farther from those learned from than these from each other, it says
    what it says there: where all but one are equal, that one would lie 1e11 deviations off.
    """
    middle, spread = inside.length.mean(), inside.length.std().clamp_min(1e-12)
    least, most = inside.length.aminmax()
    width = most - least

    def powers(x: Stimuli) -> Tensor:
        z = (x.length.clamp(least - width, most + width) - middle) / spread
        return torch.stack([torch.ones_like(z), z, z * z - 1, z * (z * z - 3)], 1)

    x = powers(inside).double()
    root = torch.linalg.cholesky(x.mT @ x + 1e-9 * len(x) * torch.eye(4, dtype=x.dtype, device=x.device))
    return (powers(outside).double() @ torch.cholesky_solve(x.mT @ y.mT.double(), root)).mT.to(y.dtype)


def _leads(squared: Tensor, clusters: Tensor | None) -> tuple[Tensor, Tensor]:
    """lead[a, b, u] = mean(error of b - error of a), and its standard error over the n stimuli."""
    n = squared.shape[2]
    by_unit = squared.permute(1, 0, 2)
    mean = by_unit.mean(2)
    away = by_unit - mean[:, :, None]
    if clusters is not None:
        summed = away.new_zeros(*away.shape[:2], int(clusters.max()) + 1)
        away = summed.index_add_(2, clusters, away)
    cov = away @ away.mT / n
    variance = cov.diagonal(dim1=1, dim2=2)
    spread = (variance[:, :, None] + variance[:, None, :] - 2 * cov).clamp_min(0)
    lead = mean[:, None, :] - mean[:, :, None]
    return lead.permute(1, 2, 0), (spread / n).sqrt().permute(1, 2, 0)
