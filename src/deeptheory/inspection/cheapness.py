"""Cheapness: is what a unit computes a polynomial of low degree of a few directions of the input?

Source: Lin, Tegmark & Rolnick 2017: functions of nature are often polynomials of low degree. Held-out R^2 of a ridge
regression of degree 1 and 2 in the first 10 principal components of the input, on up to 32 units per layer; the penalty
is chosen without the rows scored.
Pitfall: principal components are the directions of most variance, not those that the network uses: a low R^2 is also
what a linear unit of other directions gives. In convolutional layers a unit is a channel's mean.
"""

import math
from itertools import combinations_with_replacement
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import Tensor

from deeptheory.axis.bench.left_out import left_out
from deeptheory.core.arrays import as_floats, check_paired
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one
from deeptheory.core.shapes import check_finite, check_shapes, check_whole
from deeptheory.core.statistics import mean_interval
from deeptheory.inspection.instrument import Batch, Context, Finding, Instrument, Layer, Passes, Quantity, Reading
from deeptheory.inspection.neural_collapse import moved
from deeptheory.inspection.rows import ROUNDING, Held, chosen_rows, generator_of
from deeptheory.recording.inputs import tensors_of

COMPONENTS, UNITS = 10, 32
PER_COEFFICIENT = 5  # rows
DEGREES = (1, 2)
_FOLDS = 5
_ROWS = 4000  # of a larger probe so many are used
_PIXELS = 4096  # of a larger input so many entries give the principal components


def polynomial_r2(inputs: Any, outputs: Any, degree: int, *, components: int = COMPONENTS, seed: int = 0) -> np.ndarray:
    """Held-out R^2 of each output as a polynomial of the inputs' first principal components: [units] float64.

    inputs: [n, d]; outputs: [n, units]. 1 - SSE / SST over 5 folds drawn from the seed; at most 1, a little below 0 for
    what is unrelated, NaN for a constant output. The polynomial has all monomials up to `degree`, with a constant, in
    at most `components` components of unit variance. Ridge, its penalty chosen for each output within the rows learned
    from (least squares from 8 rows per coefficient). Principal components are made from all rows: they see no output.
    After Lin, Tegmark & Rolnick 2017, sec. 2, whose Hamiltonians are polynomials of low degree.
    InputError: other shapes, NaN, degree or components no integers or below 1, inputs that do not vary, fewer than 5
    rows to learn from per coefficient, the same row labels (pandas) in another order.
    """
    check_paired(inputs=inputs, outputs=outputs)
    x, y = as_floats(inputs), as_floats(outputs)
    check_shapes(inputs=(x, "n d"), outputs=(y, "n units"))
    check_finite(inputs=x, outputs=y)
    check_whole(degree=(degree, 1), components=(components, 1), seed=(seed, 0))
    directions = principal_components(x, components)
    why = too_few(len(x), directions.shape[1], degree)
    if why:
        raise InputError(why)
    return _r2(torch.as_tensor(directions), torch.as_tensor(y), degree, int(seed), _eps(outputs))


def _eps(given: Any) -> float:
    kind = str(getattr(given, "dtype", "float64")).removeprefix("torch.")
    return {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}.get(kind, 2.0**-52)


def principal_components(x: np.ndarray, components: int) -> np.ndarray:
    """Scores [n, k] of the first principal components, each of unit variance; k is less where the inputs have fewer."""
    none = "the inputs do not vary; they have no principal component"
    if not x.size:
        raise InputError(none)
    x = moved(torch.as_tensor(x)).numpy()  # a constant column of 1e12 would leave the others below all thresholds
    size = float(np.abs(x).max()) or 1.0
    x = x / size
    x = x - x.mean(0)
    tall = x.shape[1] <= x.shape[0]
    values, vectors = np.linalg.eigh(x.T @ x if tall else x @ x.T)
    order = np.argsort(values)[::-1][:components]
    order = order[values[order] > max(1e-10 * float(values.max()), 1e-24 * len(x))]  # the mean of equal rows is rounded
    scores = x @ vectors[:, order] if tall else vectors[:, order]
    if not len(order):
        raise InputError(none)
    return scores / scores.std(axis=0)


def too_few(n: int, components: int, degree: int) -> str:
    """Why a polynomial of that degree is not fitted to n rows, "" where it is."""
    coefficients = math.comb(components + degree, degree)
    learned = n - -(-n // _FOLDS)
    if learned >= PER_COEFFICIENT * coefficients:
        return ""
    return (
        f"degree {degree} in {components} components has {coefficients} coefficients and {learned} rows to learn "
        f"from; needed: {PER_COEFFICIENT} per coefficient"
    )


def _r2(x: Tensor, y: Tensor, degree: int, seed: int, eps: float) -> np.ndarray:
    """eps: relative rounding of the outputs, whose constant ones have no R^2."""
    n, k = x.shape
    x = near_one(x, 0)  # monomials of values up to 1 are finite
    terms = [x[:, list(t)].prod(1) for d in range(1, degree + 1) for t in combinations_with_replacement(range(k), d)]
    size = y.abs().amax(0).clamp_min(1e-300)
    y = y / size
    order = torch.randperm(n, generator=generator_of(seed))
    parts = order.tensor_split(_FOLDS)
    folds = [(torch.cat([p for p in parts if p is not part]), part) for part in parts]
    said = left_out(torch.stack(terms, 1), y, folds, inner=0).predicted
    total = (y - y.mean(0)).square().sum(0)
    moving = y.amax(0) - y.amin(0) > ROUNDING * eps
    r2 = 1 - (y - said).square().sum(0) / torch.where(moving, total, torch.ones_like(total))
    return torch.where(moving, r2, torch.full_like(r2, torch.nan)).numpy()


class _Stream:
    """Up to 32 units of a layer for each row that is used."""

    def __init__(self, layer: Layer, context: Context):
        generator = generator_of(context.seed + 1 + layer.index)
        self._layer, self._context = layer, context
        self._units = torch.randperm(layer.units, generator=generator)[:UNITS].sort().values
        self._rows = chosen_rows(context, _ROWS)
        self._held = Held(self._rows, context.n, self._units)

    def update(self, batch: Batch) -> None:
        """Take a batch in."""
        self._held.take(batch)

    @torch.inference_mode(False)
    def result(self) -> list[Reading]:
        """Mean R^2 over the units, by degree."""
        x = _inputs(self._context)
        out = []
        for degree in DEGREES:
            quantity = f"degree_{degree}"
            y = self._held.x
            if isinstance(x, str):
                out.append(Reading(quantity=quantity, value=math.nan, note=x))
            elif why := too_few(len(x), x.shape[1], degree):
                out.append(Reading(quantity=quantity, value=math.nan, note=why))
            elif not bool(torch.isfinite(y).all()):
                out.append(Reading(quantity=quantity, value=math.nan, note="some activations are not finite"))
            else:
                out.append(self._reading(quantity, _r2(x, y.double(), degree, self._context.seed, _eps(y))))
        return out

    def _reading(self, quantity: str, r2: np.ndarray) -> Reading:
        there = r2[~np.isnan(r2)]
        if not len(there):
            return Reading(quantity=quantity, value=math.nan, note=f"none of the {len(r2)} units varies")
        found = mean_interval(there)
        constant = f"; {len(r2) - len(there)} constant ones are left out" if len(there) < len(r2) else ""
        of = f"{len(r2)} of {self._layer.units} units" if len(r2) < self._layer.units else f"{len(r2)} units"
        return Reading(quantity=quantity, value=found.value, low=found.low, high=min(found.high, 1.0),
            note=f"mean of {of}{constant}; the interval is over units")  # fmt: skip


_SCORES: WeakKeyDictionary[Context, Any] = WeakKeyDictionary()


def _inputs(context: Context) -> Tensor | str:
    """Principal components [n, k] of the model's input, or why there are none; the same for every layer."""
    if context not in _SCORES:
        _SCORES[context] = _scores(context)
    return _SCORES[context]


def _scores(context: Context) -> Tensor | str:
    first = next(
        (t for t in tensors_of(context.inputs) if t.is_floating_point() and t.ndim and len(t) == context.n), None
    )
    if first is None:
        return "the inputs are integers (tokens?) or complex; they have no principal components"
    x = first[chosen_rows(context, _ROWS)].flatten(1)
    if x.shape[1] > _PIXELS:
        generator = generator_of(context.seed)
        x = x[:, torch.randperm(x.shape[1], generator=generator)[:_PIXELS].sort().values]
    if not bool(torch.isfinite(x).all()):
        return "some inputs are not finite"
    try:
        return torch.as_tensor(principal_components(x.double().cpu().numpy(), COMPONENTS))
    except InputError as error:
        return str(error)


def start(layer: Layer, context: Context) -> _Stream | None:
    """A stream over a layer; the input itself is what is predicted from."""
    return None if layer.role == "input" else _Stream(layer, context)


def cost(context: Context) -> Passes:
    """Holds 32 units per layer."""
    return Passes(held=sum(8 * min(context.n, _ROWS) * min(UNITS, layer.units) for layer in context.layers))


def finding(result: Any) -> Finding | None:
    """The first and the last layer, at the highest degree that was fitted."""
    for quantity, name in (("degree_2", "quadratic"), ("degree_1", "linear")):
        there = [r for r in result.of(quantity) if not math.isnan(r.value)]
        if there:
            first, last = there[0], there[-1]
            text = (
                f"A {name} polynomial of the input's first principal components (at most {COMPONENTS}) explains a "
                f"held-out fraction of {first.said()} of a unit's variance at {first.label}"
            )
            if last is not first:
                text += f" and {last.said()} at {last.label}"
            return Finding(text=f"{text}.", quantity=quantity, layer=last.layer, weight=0.7)
    return None


CHEAPNESS = Instrument(
    name="cheapness",
    title="Cheapness",
    question="Is what a unit computes a polynomial of low degree of a few directions of the input?",
    source="Lin, Tegmark & Rolnick 2017",
    formula="R² = 1 - SSE / SST, held out",
    quantities=(
        Quantity(
            name="degree_1",
            title="Linear in 10 components",
            about="held-out R² of units; 1 is explained, 0 is not",
            chance=lambda context: 0.0,
            shown=True,
        ),
        Quantity(
            name="degree_2",
            title="Quadratic in 10 components",
            about="held-out R² of units; 1 is explained, 0 is not",
            chance=lambda context: 0.0,
            shown=True,
        ),
    ),
    limits=(
        "Principal components are the input's directions of most variance. "
        "A unit that is linear in other directions has a low R².",
        "In maps and token sequences a unit is averaged over positions first. Of several inputs the first is taken.",
        f"A polynomial needs {PER_COEFFICIENT} rows per coefficient to learn from: with 10 components about 70 samples "
        "for degree 1 and 410 for degree 2.",
    ),
    start=start,
    cost=cost,
    finding=finding,
)
