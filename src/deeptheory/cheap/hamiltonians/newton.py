"""The largest pseudo-likelihood by Newton's method: curvature from a part of the samples, the gradient from all.

Source: Erdogdu & Montanari 2015 (sub-sampled Newton). The curvature of a few thousand samples a parameter is good
enough to lead; only the gradient decides where to stop. Stopped when a further step would move the parameters, in units
of their standard errors, by less than 1e-3 in all.
"""

from typing import Protocol

import numpy as np

from deeptheory.core.errors import DeeptheoryError

_STEPS = 100
_LEAST_ROWS = 20_000  # samples for the curvature
_ROWS_PER_PARAMETER = 20
_CLOSE = 1e-6  # squared length of the last step in standard errors
_RENEW = 10  # steps after which the curvature is taken from all samples
_ROUNDED = 1e-3  # the same, where rounding lets the value rise no further
_SANDWICH_ROWS = 4_000
_UNSEEN = 0.25  # of the model's own variance: below it the samples lack what the model expects of them


class Model(Protocol):
    """What is maximized: a mean over samples that stand in random order."""

    rows: int
    parameters: int
    each: float  # parameters of one conditional, mean

    def value_and_gradient(self, theta: np.ndarray, rows: int) -> tuple[float, np.ndarray]:
        """Of the mean over the first `rows` samples, at theta [P]; the gradient is [P]."""
        ...

    def information(self, theta: np.ndarray, rows: int) -> np.ndarray:
        """[P, P]: minus the Hessian of that mean."""
        ...

    def scores(self, theta: np.ndarray, start: int, stop: int) -> np.ndarray:
        """[stop - start, P]: gradients of single samples."""
        ...


def maximize(model: Model, ridge: float, errors: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """theta [P]; its standard errors [P] (sandwich: right for a composite likelihood, also where the model is not);
    the share [P] of the prior's variance that the samples leave: near 0 where they determine theta, near 1 where the
    ridge does; and how many samples [P] carry each error, 0 where those that should have carried it were not seen.

    errors: False spares all but theta (NaN). ridge: precision of a Gaussian prior around 0, in samples; it keeps
    parameters finite where the data does not. DeeptheoryError: no convergence."""
    n, p = model.rows, model.parameters
    theta = np.zeros(p)
    few = min(n, max(_LEAST_ROWS, 2 * p))
    many = min(n, max(_LEAST_ROWS, _ROWS_PER_PARAMETER * p))
    if few < n:
        theta = _newton(model, theta, few, ridge, close=1e-2)
    if many < n:
        theta, factor = _with_fixed_curvature(model, theta, many, ridge)
    else:
        theta = _newton(model, theta, n, ridge, close=_CLOSE)
        factor = _factor(model, theta, n, ridge)
    error, left, carriers = _errors(model, theta, factor, ridge) if errors else (np.full(p, np.nan),) * 3
    return theta, error, left, carriers


def _objective(model: Model, theta: np.ndarray, rows: int, ridge: float) -> tuple[float, np.ndarray]:
    value, gradient = model.value_and_gradient(theta, rows)
    return value - ridge / (2 * rows) * float(theta @ theta), gradient - ridge / rows * theta


def _prior(model: Model, ridge: float) -> float:
    """Curvature of the prior in samples' units, above the rounding of a matrix."""
    return ridge / model.rows + 1e-12


def _factor(model: Model, theta: np.ndarray, rows: int, ridge: float):
    from scipy.linalg import cho_factor

    curvature = model.information(theta, rows)
    curvature.flat[:: len(theta) + 1] += _prior(model, ridge)
    try:
        return cho_factor(curvature, overwrite_a=True)
    except np.linalg.LinAlgError as error:
        raise DeeptheoryError("terms depend on each other in these samples; drop some, or raise ridge") from error


def _newton(model: Model, theta: np.ndarray, rows: int, ridge: float, close: float) -> np.ndarray:
    from scipy.linalg import cho_solve

    value, gradient = _objective(model, theta, rows, ridge)
    for _ in range(_STEPS):
        step = cho_solve(_factor(model, theta, rows, ridge), gradient)
        length = float(gradient @ step) * rows
        if length < close:
            return theta + step
        before = value
        theta, value, gradient = _uphill(model, theta, step, value, gradient, rows, ridge)
        if length < _ROUNDED and value <= before:
            return theta  # what is left of the gradient is rounding
    raise DeeptheoryError(f"no convergence in {_STEPS} Newton steps; raise ridge or give more samples")


def _with_fixed_curvature(model: Model, theta: np.ndarray, rows: int, ridge: float):
    from scipy.linalg import cho_solve

    factor = _factor(model, theta, rows, ridge)
    value, gradient = _objective(model, theta, model.rows, ridge)
    for k in range(_STEPS):
        if k % _RENEW == _RENEW - 1:  # strong couplings: a part of the samples misleads
            factor = _factor(model, theta, model.rows, ridge)
        step = cho_solve(factor, gradient)
        length = float(gradient @ step) * model.rows
        if length < _CLOSE:
            return theta + step, factor
        before = value
        theta, value, gradient = _uphill(model, theta, step, value, gradient, model.rows, ridge)
        if length < _ROUNDED and value <= before:
            return theta, factor
    raise DeeptheoryError(f"no convergence in {_STEPS} steps over all samples; raise ridge or give more samples")


def _uphill(model, theta, step, value, gradient, rows, ridge):
    """A step that does not lower the objective, halved until it does not; rounding of the value is forgiven."""
    share = 1.0
    while True:
        trial = theta + share * step
        new_value, new_gradient = _objective(model, trial, rows, ridge)
        if new_value >= value - 1e-7 * abs(value) or share < 1e-6:
            return trial, new_value, new_gradient
        share /= 2


def _errors(model: Model, theta: np.ndarray, factor, ridge: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Root of the diagonal of A V A / N: A the inverse information, V the covariance of the samples' gradients; ridge
    A / N; and how many samples carry it, (sum m^2)^2 / sum m^4 over what each moves theta by, m.

    N less the parameters of one conditional, as residuals of a regression are too small by them.
    """
    from scipy.linalg import cho_solve

    p = len(theta)
    inverse = cho_solve(factor, np.eye(p), overwrite_b=True)
    expected = np.diag(inverse).copy()
    inverse = inverse.astype(np.float32)
    rows = min(model.rows, _SANDWICH_ROWS if p > 500 else 50_000)
    total, square, fourth = np.zeros((3, p))
    chunk = max(1, 4_000_000 // p)
    for start in range(0, rows, chunk):
        moved = model.scores(theta, start, min(rows, start + chunk)).astype(np.float32) @ inverse
        total += moved.sum(0, dtype=np.float64)
        moved = moved.astype(np.float64) ** 2
        square += moved.sum(0)
        fourth += (moved**2).sum(0)
    variance = np.maximum(square / rows - (total / rows) ** 2, 0)
    carriers = square**2 / np.maximum(fourth, np.finfo(float).tiny) * (model.rows / rows)
    carriers[variance < _UNSEEN * expected] = 0
    return np.sqrt(variance / max(model.rows - model.each, 1)), expected * _prior(model, ridge), carriers
