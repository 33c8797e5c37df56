"""Propagation: does a small change of the input grow or vanish on its way to the output?

Source: Pennington, Schoenholz & Ganguli 2017: the singular values of the input-output Jacobian J of an untrained
network. Gaussian linear layers: largest s^2 = (L + 1)^(L + 1) / L^L; orthogonal ones: all 1; critical ReLU: variance of
s^2 is 2 L, with orthogonal weights L. Mean square by random vectors: Hutchinson 1990;
largest by bidiagonalization: Golub & Kahan 1965.
Pitfall: the sizes depend on the input's unit of measurement and on what comes at the end (logits or probabilities):
only the comparison with the same network untrained says what training did.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.autograd import grad

from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one, power_of, times_power
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole
from deeptheory.core.statistics import mean_interval
from deeptheory.inspection.instrument import Context, Finding, Instrument, Passes, Quantity, Reading
from deeptheory.inspection.rows import FEW, chosen_inputs, generator_of
from deeptheory.recording.found import as_found
from deeptheory.recording.inputs import as_inputs, call, cut, mapped, sample_count, tensors_of
from deeptheory.recording.sites import tensors_in

if TYPE_CHECKING:
    import pandas

MOST = 32  # outputs up to which all singular values are computed
VECTORS, STEPS = 16, 20
_ENTRIES = 500_000  # of the inputs that are differentiated at once
_LEAK = 1e-5  # of its own derivative: an output that another sample moves by more is no function of its own input


@dataclass(frozen=True, kw_only=True, eq=False)
class JacobianMoments(Result):
    """Moments of the singular values of the Jacobian at each of n inputs.

    mean_square [n]: mean of the squared ones, |J|_F^2 / min(outputs, inputs); error [n]: its standard error over the
    random vectors; largest [n]: the largest one, a lower bound. Tensors of float64 on the model's device. vectors,
    steps: what they were estimated with.
    """

    mean_square: Tensor
    error: Tensor
    largest: Tensor
    vectors: int
    steps: int

    def __repr__(self) -> str:
        return (
            f"JacobianMoments({len(self.largest)} inputs, mean square {float(self.mean_square.mean()):.4g}, "
            f"largest {float(self.largest.mean()):.4g})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per input: mean_square, error, largest."""
        import pandas as pd

        columns = ("mean_square", "error", "largest")
        return pd.DataFrame({name: getattr(self, name).cpu().numpy() for name in columns})


def jacobian_singular_values(model: nn.Module, inputs: Any) -> Tensor:
    """All singular values of the input-output Jacobian at each input, largest first: [n, min(outputs, inputs)] float64.

    model: any module whose samples do not see each other in eval mode; left as found. inputs: as for a Recorder; the
    first floating tensor among them is what is differentiated, all its values per sample; the first floating output
    with a row per sample is flattened, too. Derivatives in the model's dtype, on its device, where the result stays;
    one backward pass per output. NaN where a Jacobian is not finite. Pennington, Schoenholz & Ganguli 2017, eq. 3.
    InputError: inputs of integers, no floating output, a derivative that does not exist, samples that see each other.
    """
    given = as_inputs(inputs, model)
    with as_found(model, grad=True):
        return torch.cat([_all_values(x, out) for x, out in _pieces(model, given)])


def jacobian_moments(
    model: nn.Module, inputs: Any, *, vectors: int = VECTORS, steps: int = STEPS, seed: int = 0
) -> JacobianMoments:
    """Mean squared and largest singular value of the Jacobian at each input, for networks of many outputs.

    model, inputs: as for jacobian_singular_values, which is exact and as cheap where there are no more outputs than
    vectors. Mean square: |J' v|^2 / min(outputs, inputs), averaged over `vectors` random vectors v of signs (Hutchinson
    1990); exact for one output. largest: by `steps` steps of Golub & Kahan 1965 from a random start, a lower bound that
    rises with the steps and is exact from min(outputs, inputs) steps on, up to rounding; it needs second derivatives.
    NaN where a Jacobian is not finite. All that is random comes from the seed.
    InputError: see jacobian_singular_values; vectors below 2, steps below 1, no second derivative.
    """
    check_whole(vectors=(vectors, 2), steps=(steps, 1), seed=(seed, 0))
    seed = int(seed)  # torch's generator takes Python's own alone
    given = as_inputs(inputs, model)
    with as_found(model, grad=True):
        found = [
            (*_hutchinson(x, out, vectors, seed + k), _golub_kahan(x, out, steps, seed + k))
            for k, (x, out) in enumerate(_pieces(model, given))
        ]
    mean, error, largest = (torch.cat(column) for column in zip(*found))
    return JacobianMoments(mean_square=mean, error=error, largest=largest, vectors=vectors, steps=steps)


def _pieces(model: nn.Module, given: Any) -> Iterator[tuple[Tensor, Tensor]]:
    """The differentiated input and the output [b, outputs] of a few inputs at a time:
    graphs and Jacobians are large."""
    n = sample_count(given)
    real = next((t for t in tensors_of(given) if t.is_floating_point() and t.ndim and len(t) == n), None)
    per = n if real is None else max(2, _ENTRIES // max(real[0].numel(), 1))
    for start in range(0, n, per):
        yield _forward(model, cut(given, n, start, start + per) if per < n else given, check=start == 0)


def _forward(model: nn.Module, given: Any, check: bool) -> tuple[Tensor, Tensor]:
    """The differentiated input, and the output as [n, outputs]."""
    n = sample_count(given)
    leaves: list[Tensor] = []

    def leaf(v: Tensor) -> Tensor:
        if not leaves and v.is_floating_point() and v.ndim and len(v) == n:
            leaves.append(v.detach().clone().requires_grad_())
            return leaves[0]
        return v

    parameter = next(iter(model.parameters()), None)
    moved = mapped(given, lambda v: v if parameter is None else v.to(parameter.device))
    ready = mapped(moved, leaf)
    if not leaves:
        raise InputError("the inputs are integers (tokens?) or complex; a Jacobian needs real inputs")
    shown = next(
        (
            t
            for _, t in tensors_in(call(model, ready))
            if t.is_floating_point() and t.ndim and len(t) == n and t.numel()
        ),
        None,
    )
    if shown is None:
        raise InputError("the model gives no floating tensor with a row per sample, or an empty one")
    if not shown.requires_grad:
        raise InputError(
            "the output has no derivative with respect to the input (a detach, a rounding, or no_grad inside)"
        )
    out = shown.reshape(n, -1)
    if check and n > 1 and any(_sees_others(leaves[0], out, k) for k in (0, n - 1)):
        raise InputError(
            "samples see each other (normalization over the batch, or a recurrent network whose first axis is time?): "
            "the Jacobian is not one of each input"
        )
    return leaves[0], out


def _sees_others(x: Tensor, out: Tensor, k: int) -> bool:
    """Whether another sample moves a random sum of the outputs of sample k (their plain sum may be a constant). In a
    recurrent network over the samples the first is moved by none, and the last by all."""
    weights = torch.randn((out.shape[1],), generator=generator_of(0), dtype=torch.float32).to(out)
    (slope,) = _grad((out[k] * weights).sum(), x)
    slope, own = slope.clone(), float(slope[k].abs().max())
    slope[k] = 0
    return float(slope.abs().max()) > _LEAK * max(own, 1e-300)


def _grad(out: Tensor, x: Tensor, v: Tensor | None = None, create: bool = False) -> tuple[Tensor, ...]:
    found = grad(out, x, v, retain_graph=True, create_graph=create, allow_unused=True)
    return tuple(torch.zeros_like(x) if g is None else g for g in found)


def _all_values(x: Tensor, out: Tensor) -> Tensor:
    rows = [_grad(out[:, k].sum(), x)[0].flatten(1).double() for k in range(out.shape[1])]
    jacobian = torch.stack(rows, dim=1)
    finite = torch.isfinite(jacobian).flatten(1).all(1)
    values = torch.linalg.svdvals(torch.where(finite[:, None, None], jacobian, 0.0))
    return torch.where(finite[:, None], values, torch.nan)


def _hutchinson(x: Tensor, out: Tensor, vectors: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = generator_of(seed)
    few = min(out.shape[1], x[0].numel())
    drawn = []
    for _ in range(vectors):
        v = torch.randint(0, 2, tuple(out.shape), generator=generator).to(out) * 2 - 1
        (g,) = _grad(out, x, v)
        drawn.append(g.flatten(1).double().square().sum(1) / few)
    each = torch.stack(drawn)
    return each.mean(0), each.std(0) / math.sqrt(vectors)


def _golub_kahan(x: Tensor, out: Tensor, steps: int, seed: int) -> Tensor:
    """Largest singular value of the bidiagonal matrix after some steps, for all samples at once."""
    dummy = torch.zeros_like(out, requires_grad=True)
    try:
        (back,) = _grad(out, x, dummy, create=True)
        u = torch.randn(tuple(out.shape), generator=generator_of(seed), dtype=torch.float32).to(out)
        u = u / u.norm(dim=1, keepdim=True)
        v, beta = torch.zeros_like(x), out.new_zeros(len(out))
        diagonal, below = [], []
        for _ in range(min(steps, out.shape[1], x[0].numel())):
            (g,) = _grad(out, x, u)
            v = g - _times(beta, v)
            alpha, v = _unit(v)
            forward = _grad(back, dummy, v)[0] if back.requires_grad else torch.zeros_like(out)
            u = forward - _times(alpha, u)
            beta, u = _unit(u)
            diagonal.append(alpha)
            below.append(beta)
    except RuntimeError as error:
        raise InputError(
            f"the model has no second derivatives, which the largest singular value needs: {error}"
        ) from error
    a, b = torch.stack(diagonal, 1).double(), torch.stack(below, 1).double()
    steps = a.shape[1]
    matrix = a.new_zeros(len(a), steps + 1, steps)
    at = torch.arange(steps)
    matrix[:, at, at], matrix[:, at + 1, at] = a, b
    finite = torch.isfinite(matrix).flatten(1).all(1)
    norms = torch.linalg.matrix_norm(torch.where(finite[:, None, None], matrix, 0.0), 2)
    return torch.where(finite, norms, torch.nan)


def _times(a: Tensor, b: Tensor) -> Tensor:
    return a.reshape(-1, *[1] * (b.ndim - 1)) * b


def _unit(v: Tensor) -> tuple[Tensor, Tensor]:
    """Norm [n] and direction of each row: of values of 1e-25, whose squares float32 takes for 0, too."""
    power = power_of(v.flatten(1), 1)
    v = times_power(v, -power.reshape(-1, *[1] * (v.ndim - 1)))
    norm = v.flatten(1).norm(dim=1)
    return times_power(norm, power), _times(_reciprocal(norm), v)


def _reciprocal(a: Tensor) -> Tensor:
    return torch.where(a > 0, 1 / a.clamp_min(torch.finfo(a.dtype).tiny), torch.zeros_like(a))


def run(context: Context) -> dict[str, list[Reading]]:
    """Readings of the model as a whole; NaN with the reason where there is no Jacobian."""
    names = ("mean_square", "largest", "relative_variance")
    try:
        found, outputs = _measured(context)
    except (InputError, RuntimeError) as error:  # no derivative of some operation
        return {"": [_none(q, str(error).splitlines()[0]) for q in names]}
    if outputs <= MOST:
        square = found["values"].square()
        mean, largest = _over_inputs("mean_square", square.mean(1)), _over_inputs("largest", square[:, 0].sqrt())
        if square.shape[1] > 1:
            spread = _spread(found["values"])
        else:
            spread = _none("relative_variance", "one output, or one input, has one singular value")
        return {"": [mean, largest, spread]}
    size = float(found["mean"].mean())
    drawn = float(found["error"].square().sum().sqrt()) / len(found["error"])
    vectors = f"{VECTORS} random vectors for {outputs} outputs" + (
        f", standard error {drawn / size:.1%}" if size else ""
    )
    largest = (
        _over_inputs("largest", found["largest"], f"{STEPS} steps, a lower bound")
        if "largest" in found
        else _none("largest", "the model has no second derivatives, which the largest singular value needs")
    )
    spread = _none("relative_variance", f"{outputs} outputs; all singular values are computed up to {MOST}")
    return {"": [_over_inputs("mean_square", found["mean"], vectors), largest, spread]}


def _spread(values: Tensor) -> Reading:
    """Variance over squared mean; an input whose Jacobian is 0 has none."""
    square = near_one(values, 1).square()
    mean = square.mean(1)
    silent = int((mean == 0).sum())
    if silent == len(mean):
        return _none("relative_variance", "the Jacobian is 0 at every input")
    note = f"{silent} of {len(mean)} inputs have a Jacobian of 0 and are left out" if silent else ""
    kept = mean != 0
    return _over_inputs("relative_variance", square[kept].var(1, correction=0) / mean[kept].square(), note)


def _measured(context: Context) -> tuple[dict[str, Tensor], int]:
    """All singular values, or moments, of the chosen inputs; and how many outputs there are."""
    parts: dict[str, list[Tensor]] = {}
    outputs = 0
    for k, (x, out) in enumerate(_pieces(context.model, chosen_inputs(context))):
        outputs = out.shape[1]
        if outputs <= MOST:
            parts.setdefault("values", []).append(_all_values(x, out))
            continue
        mean, error = _hutchinson(x, out, VECTORS, context.seed + k)
        parts.setdefault("mean", []).append(mean)
        parts.setdefault("error", []).append(error)
        try:
            parts.setdefault("largest", []).append(_golub_kahan(x, out, STEPS, context.seed + k))
        except InputError:
            parts.setdefault("failed", []).append(mean)
    if "failed" in parts:
        parts.pop("largest", None)
    return {name: torch.cat(v) for name, v in parts.items()}, outputs


def _over_inputs(quantity: str, values: Tensor, note: str = "") -> Reading:
    v = values.detach().double().cpu().numpy()
    bad = int((~torch.isfinite(values)).sum())
    if bad:
        return _none(quantity, f"{bad} of {len(v)} inputs give no finite number")
    found = mean_interval(v)
    return Reading(quantity=quantity, value=found.value, low=max(found.low, 0.0), high=found.high, note=note)


def _none(quantity: str, why: str) -> Reading:
    return Reading(quantity=quantity, value=math.nan, note=why)


def cost(context: Context) -> Passes:
    """Passes over 64 inputs: one forward, one backward per output; beyond 32 outputs 16 of random vectors and 20 steps
    of three."""
    few = min(FEW, context.n)
    share = few / context.n
    outputs = next((layer.units * layer.positions for layer in context.layers if layer.role == "output"), MOST)
    back = outputs + 2 if outputs <= MOST else VECTORS + 3 * STEPS + 4
    x = next(tensors_of(context.inputs), None)
    held = 0 if x is None else 8 * min(outputs, MOST) * min(_ENTRIES, few * x[0].numel())
    return Passes(forward=share, backward=back * share, held=held)


def finding(result: Any) -> Finding | None:
    """Size of the Jacobian next to that of the untrained networks."""
    found = {r.quantity: r for r in result.rows if r.checkpoint == result.checkpoints[-1] and not math.isnan(r.value)}
    if "largest" not in found:
        return None
    text = (
        f"A small change of the input is stretched at most by {found['largest'].said()} on its way to the output, "
        "mean over inputs"
    )
    if "mean_square" in found:
        text += f"; the mean squared singular value of the Jacobian is {found['mean_square'].said()}"
    return Finding(text=f"{text}.", quantity="largest")


PROPAGATION = Instrument(
    name="propagation",
    title="Propagation",
    question="Does a small change of the input grow or vanish on its way to the output?",
    source="Pennington, Schoenholz & Ganguli 2017",
    formula="J = ∂ output / ∂ input",
    quantities=(
        Quantity(
            name="mean_square",
            title="Mean squared singular value",
            about="of the input-output Jacobian, mean over 64 inputs",
            log=True,
        ),
        Quantity(
            name="largest",
            title="Largest singular value",
            about="of the input-output Jacobian, mean over 64 inputs",
            log=True,
        ),
        Quantity(
            name="relative_variance",
            title="Spread of squared singular values",
            about="variance over squared mean; 0 is dynamical isometry",
        ),
    ),
    limits=(
        "The sizes are in units of output per unit of input: rescaled inputs, or probabilities in place of logits, "
        "change them. Compare with the untrained networks only.",
        "64 inputs of the probe; elsewhere the network may be steeper. A Jacobian is about infinitely small changes.",
        "The published values (dynamical isometry, critical initialization) are about untrained networks of infinite "
        "width.",
    ),
    run=run,
    gradients=True,
    cost=cost,
    finding=finding,
)
