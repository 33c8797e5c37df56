"""Hessian: how curved is the loss around these weights, and in how many directions? On request: it costs many passes.

Sources: Ghorbani, Krishnan & Xiao 2019 and Papyan 2018 (C outliers above a bulk); Lanczos quadrature as in Lin, Saad &
Yang 2016; trace of the Fisher matrix as a mean over the model's own labels (Kunstner, Balles & Hennig 2019 on why not
the true ones). Products by two derivatives of the loss (Pearlmutter 1994), eigenvalues by scipy's ARPACK.
Pitfall: the Hessian depends on the parametrization: weights of a ReLU network rescaled between layers compute the same
function with another spectrum (Dinh et al. 2017). Compare checkpoints of one network, not networks.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.core.powers import power_of
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_real, check_whole, check_within
from deeptheory.inspection.instrument import Context, Finding, Instrument, Passes, Quantity, Reading
from deeptheory.inspection.mean_loss import BATCH, MeanLoss, learned, output_of
from deeptheory.inspection.rows import chosen_inputs, chosen_rows, generator_of
from deeptheory.recording.found import as_found
from deeptheory.recording.inputs import as_inputs, cut, sample_count

if TYPE_CHECKING:
    import pandas

INPUTS, STEPS, VECTORS = 256, 40, 4
_DENSE = 300  # parameters up to which the whole matrix is computed
_FISHER = 32  # random vectors of the Fisher trace


@dataclass(frozen=True, kw_only=True, eq=False)
class SpectralDensity(Result):
    """Lanczos quadrature of the Hessian's spectrum: nodes and weights [vectors, steps]; each row of weights sums to 1.

    The mean of f over all eigenvalues is the mean over rows of sum(weights f(nodes)), exact in expectation for
    polynomials of degree below 2 steps. nodes: eigenvalues, in loss (nats) per weight^2, each row ascending; a row
    that ended early repeats its last node with weight 0. steps: as asked for, at most parameters, which is how many
    eigenvalues there are. float64.
    """

    nodes: np.ndarray
    weights: np.ndarray
    parameters: int

    def mean(self) -> float:
        """Estimate of the mean eigenvalue, that is trace / parameters."""
        return float((self.nodes * self.weights).sum(1).mean())

    def below(self, value: float) -> float:
        """Fraction of the eigenvalues strictly below a value, coarse between the nodes. InputError: it is no number."""
        check_within(value=(value, -np.inf, np.inf))
        return float((self.weights * (self.nodes < value)).sum(1).mean())

    def __repr__(self) -> str:
        return (
            f"SpectralDensity({self.parameters} eigenvalues from {self.nodes.min():.3g} to {self.nodes.max():.3g}, "
            f"mean {self.mean():.3g})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per node of all vectors, ascending: eigenvalue, weight (of all rows together 1)."""
        import pandas as pd

        frame = pd.DataFrame({"eigenvalue": self.nodes.ravel(), "weight": self.weights.ravel() / len(self.nodes)})
        return frame.sort_values("eigenvalue", ignore_index=True)


def hessian_eigenvalues(
    model: nn.Module,
    inputs: Any,
    targets: Any,
    *,
    k: int = 10,
    loss: Any = "cross_entropy",
    tolerance: float = 1e-4,
    seed: int = 0,
) -> np.ndarray:
    """The k largest (most positive) eigenvalues [k] of the Hessian of the mean loss, largest first, float64.

    By the parameters that have gradients; products in the model's dtype, on its device. model: left as found, in eval
    mode for the time. inputs: as for a Recorder. targets: [n] class indices for "cross_entropy" of the logits (nats),
    numbers of the output's size for "squared" (half the squared distance, summed over outputs), or what a function
    loss(output, targets) -> mean over the batch takes; it is called on batches of 64. Up to max(300, 2 k) parameters
    the whole matrix is computed, and fewer parameters than k give all; beyond, ARPACK from a start drawn from the
    seed, each eigenvalue to the relative tolerance.
    InputError: k or seed no integer, k below 1, tolerance not above 0, targets masked, negative as class indices or of
    another number, no parameter with gradients, no convergence, a loss that takes no such, is not finite or has no
    second derivative.
    """
    check_whole(k=(k, 1), seed=(seed, 0))
    check_real(tolerance=(tolerance, 0))
    given = as_inputs(inputs, model)
    with as_found(model, grad=True):
        return _largest(MeanLoss(model, given, targets, loss), int(k), tolerance, seed)


def spectral_density(
    model: nn.Module,
    inputs: Any,
    targets: Any,
    *,
    loss: Any = "cross_entropy",
    steps: int = STEPS,
    vectors: int = VECTORS,
    seed: int = 0,
) -> SpectralDensity:
    """Where the Hessian's eigenvalues lie, by Lanczos quadrature from random vectors (Lin, Saad & Yang 2016).

    inputs [n, ...], targets [n, ...] and loss as for hessian_eigenvalues. vectors: Gaussian, drawn from the seed.
    steps: products with the Hessian per vector, at most as many as parameters, each orthogonalized against all before.
    InputError: as there; steps or vectors no integers or below 1.
    """
    check_whole(steps=(steps, 1), vectors=(vectors, 1), seed=(seed, 0))
    given = as_inputs(inputs, model)
    with as_found(model, grad=True):
        return _density(MeanLoss(model, given, targets, loss), steps, vectors, seed)


def fisher_trace(model: nn.Module, inputs: Any, *, vectors: int = _FISHER, seed: int = 0) -> tuple[float, float]:
    """(trace, standard error) of the Fisher matrix of a classifier that gives logits, a mean over inputs.

    E |d log p(y|x) / d weights|^2, natural logarithm, in 1 / weight^2, with y drawn from the model itself: the mean
    over inputs of tr J' (diag p - p p') J, J the derivative of the logits by the weights that have gradients. Estimated
    by `vectors` vectors of random signs from the seed; the standard error is over these, not over inputs. inputs: as
    for a Recorder; model: left as found, in eval mode. See Kunstner, Balles & Hennig 2019.
    InputError: vectors below 2, no parameter with gradients, an output that is no [n, classes] or of one
    class, a trace that is not finite.
    """
    check_whole(vectors=(vectors, 2), seed=(seed, 0))
    given = as_inputs(inputs, model)
    with as_found(model, grad=True):
        return _fisher(model, given, vectors, seed)


def _largest(loss: MeanLoss, k: int, tolerance: float, seed: int) -> np.ndarray:
    from scipy.sparse.linalg import ArpackError, ArpackNoConvergence, LinearOperator, eigsh

    if loss.size <= max(_DENSE, 2 * k):
        matrix = np.stack([loss.times(e) for e in np.eye(loss.size)])
        return np.linalg.eigvalsh((matrix + matrix.T) / 2)[::-1][:k].copy()
    start = np.random.default_rng(seed).normal(size=loss.size)
    unit = _unit_of(loss.times(start), np.abs(start).max())
    if not unit:
        return np.zeros(k)  # a random vector is sent to 0 by nothing else
    unit = 1.0 if 2.0**-20 < unit < 2.0**20 else unit
    made: Any = LinearOperator  # a factory, whose arguments are not those of its class
    operator = made((loss.size, loss.size), matvec=lambda v: loss.times(v) / unit, dtype=np.float64)
    try:
        found = eigsh(operator, k=k, which="LA", v0=start, tol=tolerance, return_eigenvectors=False)  # type: ignore[arg-type]  # no stub
    except ArpackNoConvergence as error:
        raise InputError(
            f"only {len(error.eigenvalues)} of {k} eigenvalues converged; ask for fewer, or a larger tolerance="
        ) from error
    except ArpackError as error:
        raise InputError(f"the eigenvalues are not found: {error}") from error
    return np.sort(found)[::-1] * unit


def _unit_of(product: np.ndarray, size: float = 1.0) -> float:
    """The power of 2 next to |product| / size, 0 of zeros. For ARPACK all below 4e-11 has converged, and squares of
    1e-170 are 0."""
    most = float(np.abs(product).max()) / size
    return 2.0 ** power_of(np.asarray(most)) if most > 0 else 0.0


def _density(loss: MeanLoss, steps: int, vectors: int, seed: int) -> SpectralDensity:
    rng = np.random.default_rng(seed)
    steps = min(steps, loss.size)
    nodes, weights = np.zeros((vectors, steps)), np.zeros((vectors, steps))
    unit = 0.0
    for r in range(vectors):
        basis = np.zeros((steps, loss.size))
        diagonal, below = np.zeros(steps), np.zeros(steps)
        q = rng.normal(size=loss.size)
        q /= np.linalg.norm(q)
        used = steps
        for j in range(steps):
            basis[j] = q
            w = loss.times(q)
            unit = unit or _unit_of(w)
            w = w / (unit or 1.0)
            diagonal[j] = q @ w
            for _ in range(2):  # once leaves what rounding brought in
                w -= basis[: j + 1].T @ (basis[: j + 1] @ w)
            below[j] = np.linalg.norm(w)
            if below[j] <= 1e-10 * max(np.abs(diagonal[: j + 1]).max(), below[: j + 1].max()) or below[j] == 0:
                used = j + 1  # the vectors so far are all that the first one reaches
                break
            q = w / below[j]
        small = np.diag(diagonal[:used]) + np.diag(below[: used - 1], 1) + np.diag(below[: used - 1], -1)
        values, sides = np.linalg.eigh(small)
        nodes[r, :used], weights[r, :used] = values, sides[0] ** 2
        nodes[r, used:] = values[-1]
    nodes = nodes * (unit or 1.0)
    return SpectralDensity(nodes=nodes, weights=weights, parameters=loss.size)


def _fisher(model: nn.Module, given: Any, vectors: int, seed: int) -> tuple[float, float]:
    parameters, n = learned(model), sample_count(given)
    generator = generator_of(seed)
    drawn = np.zeros(vectors)
    for start in range(0, n, BATCH):
        stop = min(n, start + BATCH)
        logits = output_of(model, cut(given, n, start, stop), stop - start)
        if logits.ndim != 2:
            raise InputError(f"the output has shape {list(logits.shape)}; the Fisher trace needs logits [n, classes]")
        if logits.shape[1] == 1:
            raise InputError("the output is one number, whose softmax is 1; give two logits: 0 and that number")
        p = logits.detach().double().softmax(1)
        for r in range(vectors):
            signs = torch.randint(0, 2, tuple(p.shape), generator=generator).to(p) * 2 - 1
            root = p.sqrt() * signs
            root = (root - p * root.sum(1, keepdim=True)).to(logits.dtype)  # L e with L L' = diag p - p p'
            slopes = torch.autograd.grad(logits, parameters, root, retain_graph=True, allow_unused=True)
            drawn[r] += sum(float(g.double().square().sum()) for g in slopes if g is not None)
    drawn /= n
    if not np.isfinite(drawn).all():
        raise InputError(f"the Fisher trace is {drawn.mean():g}; are inputs or weights too large, or not finite?")
    return float(drawn.mean()), float(drawn.std(ddof=1) / math.sqrt(vectors))


def run(context: Context) -> dict[str, list[Reading]]:
    """Largest eigenvalues, density and Fisher trace, over up to 256 samples."""
    rows = chosen_rows(context, INPUTS)
    loss = "squared" if context.classes is None else "cross_entropy"
    given = chosen_inputs(context, INPUTS)
    names = [q.name for q in HESSIAN.quantities]
    try:
        made = MeanLoss(context.model, given, _targets(context, given, rows), loss)
        k = (context.classes or 1) + 5
        top = _largest(made, k, 1e-3, context.seed)
        density = _density(made, STEPS, VECTORS, context.seed)
        trace, error = (
            (math.nan, math.nan) if context.classes is None else _fisher(context.model, given, _FISHER, context.seed)
        )
    except (
        InputError,
        RuntimeError,
        IndexError,
    ) as problem:  # a loss that does not take this output, no second derivative
        why = f"no Hessian of the {loss.replace('_', ' ')}: {str(problem).splitlines()[0]}"
        return {"": [Reading(quantity=q, value=math.nan, note=why) for q in names]}
    per = density.nodes * density.weights
    low, high = _student(per.sum(1) * made.size)
    out = [
        Reading(quantity="largest", value=float(top[0]),
            note=f"{len(top)} largest: {', '.join(f'{v:.3g}' for v in top)}; {len(rows)} samples"),
        Reading(quantity="trace", value=density.mean() * made.size, low=low, high=high,
            note=f"{VECTORS} random vectors"),
        Reading(quantity="negative", value=density.below(-1e-3 * float(np.abs(density.nodes).max())),
            note=f"density by {STEPS} Lanczos steps"),
    ]  # fmt: skip
    classes = context.classes
    if classes is not None and len(top) > classes and top[classes] > 0:
        out.append(Reading(quantity="gap", value=float(top[classes - 1] / top[classes])))
    else:
        out.append(
            Reading(quantity="gap", value=math.nan, note="no classes, or fewer positive eigenvalues than classes")
        )
    if math.isnan(trace):
        out.append(Reading(quantity="fisher_trace", value=math.nan, note="it needs classes"))
    else:
        out.append(
            Reading(
                quantity="fisher_trace",
                value=trace,
                low=trace - 1.96 * error,
                high=trace + 1.96 * error,
                note=f"{_FISHER} random vectors",
            )
        )
    return {"": out}


def _targets(context: Context, given: Any, rows: Any) -> torch.Tensor:
    """What the loss takes: numbers, or the output of each sample's class. A probe may lack a class in the middle, so
    that codes are not the outputs. InputError: more outputs than classes whose labels are no numbers of outputs."""
    assert context.targets is not None
    y = context.targets[rows, 0]
    if context.classes is None:
        return y if context.dtype == "float64" else y.float()
    out = output_of(context.model, given, len(rows))
    outputs = out.shape[1] if out.ndim > 1 else 1
    if outputs <= context.classes:
        return y
    values = torch.tensor(context.label_values, dtype=torch.int64)
    if not len(values) or int(values.min()) < 0 or int(values.max()) >= outputs:
        raise InputError(f"{outputs} outputs for {context.classes} classes, whose labels do not number them")
    return values[y]


def _student(values: np.ndarray) -> tuple[float, float]:
    from deeptheory.core.statistics import mean_interval

    found = mean_interval(values)
    return found.low, found.high


def cost(context: Context) -> Passes:
    """About 3 products per eigenvalue, and those of the density; one is a forward pass and three backward."""
    share = min(INPUTS, context.n) / context.n
    products = 3 * ((context.classes or 1) + 5) + 20 + STEPS * VECTORS
    return Passes(forward=products * share, backward=(3 * products + _FISHER) * share)


def finding(result: Any) -> Finding | None:
    """The largest eigenvalue next to that of the untrained networks."""
    there = [r for r in result.of("largest") if not math.isnan(r.value)]
    if not there:
        return None
    text = f"The loss is curved most by {there[0].said()} (largest eigenvalue of its Hessian)"
    gap = [r for r in result.of("gap") if not math.isnan(r.value)]
    if gap:
        text += f"; the eigenvalue of the number of classes is {gap[0].said()} times the next"
    return Finding(text=f"{text}.", quantity="largest", weight=0.9)


HESSIAN = Instrument(
    name="hessian",
    title="Hessian",
    question="How curved is the loss around these weights, and in how many directions?",
    source="Papyan 2018; Ghorbani, Krishnan & Xiao 2019",
    formula="H = ∂² loss / ∂ weights²",
    quantities=(
        Quantity(name="largest", title="Largest eigenvalue", about="of the Hessian of the mean loss", log=True),
        Quantity(
            name="gap",
            title="Outliers",
            about="the eigenvalue of the number of classes over the next: well above 1, classes stand out of the bulk",
        ),
        Quantity(name="trace", title="Trace", about="sum of all eigenvalues"),
        Quantity(
            name="negative",
            title="Negative eigenvalues",
            about="fraction of the density below -1/1000 of the largest",
            ends=(0.0, 1.0),
        ),
        Quantity(
            name="fisher_trace",
            title="Trace of the Fisher matrix",
            about="mean squared gradient under labels drawn from the model",
            log=True,
        ),
    ),
    limits=(
        "The spectrum depends on the parametrization: rescaling weights between ReLU layers changes it and not the "
        "function. Compare checkpoints of one network.",
        f"Up to {INPUTS} samples of the probe, in eval mode, of cross-entropy on the model's output taken as logits "
        "(squared distance for regression): not the loss that was trained, where that had more terms.",
        "A small curvature here is no evidence of good generalization by itself.",
    ),
    needs="targets",
    run=run,
    gradients=True,
    cost=cost,
    finding=finding,
    default=False,
)
