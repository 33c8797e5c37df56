"""Linear maps of Gaussian inputs with Gaussian noise: every information in closed form, nothing estimated.

Source: Saxe et al. 2018, section 3 (the paper drops the factor 1/2 and the input covariance in places; both are kept).
X ~ N(0, cov), T = W X + N(0, sigma^2 I):  I(X;T) = 1/2 log2 |W cov W' + sigma^2 I| / |sigma^2 I|.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_real, check_whole, finite_floats, whole_numbers


def linear_information(weight, sigma: float, cov_x=None, *, rows=None) -> np.ndarray:
    """I(X;T) in bits of T = W X + N(0, sigma^2 I), or, with rows, I(X_rows;T): what T tells about those inputs alone.

    1/2 log2 |W cov W' + sigma^2 I| / |sigma^2 I|, X Gaussian of mean 0 (Saxe et al. 2018, section 3, with the 1/2).
    weight: [..., units, inputs]; the leading axes come back, float64. cov_x: [inputs, inputs] of X, default the
    identity / inputs (each input of variance 1 / inputs, as in the paper). rows: indices of inputs, or [inputs] bool;
    they must be independent of the others. InputError: another shape, NaN, sigma not above 0, a covariance that is not
    symmetric and positive, a T beyond float64, rows that are no indices or are correlated with the rest.
    """
    w = _weights(weight)
    check_real(sigma=(sigma, -np.inf))
    if not sigma > 0:
        raise InputError(f"sigma is {sigma}; without sigma I(X;T) is infinite")
    root = _root(cov_x, w.shape[-1])
    if rows is None:
        return _half_log_det(_mapped(w, root), sigma)
    kept = _chosen(rows, w.shape[-1])
    covariance = root @ root.T
    spread = np.sqrt(np.diag(covariance))  # inputs have units of their own
    shared = np.abs(covariance[np.ix_(kept, ~kept)]) > 1e-12 * np.outer(spread[kept], spread[~kept])
    if shared.any():
        raise InputError(
            "the chosen inputs are correlated with the others; I(X_rows;T) then has no such closed form here"
        )
    others = _mapped(w[..., ~kept], _root(covariance[np.ix_(~kept, ~kept)], int((~kept).sum())))
    return np.maximum(_half_log_det(_mapped(w, root), sigma) - _half_log_det(others, sigma), 0.0)


def linear_label_information(weight, sigma: float, teacher, *, label_sigma: float, cov_x=None) -> np.ndarray:
    """I(T;Y) in bits, Y = teacher X + N(0, label_sigma^2 I), T = W X + N(0, sigma^2 I), the two noises independent.

    weight: [..., units, inputs]; the leading axes come back, float64. teacher: [outputs, inputs]. cov_x: [inputs,
    inputs] of X, default the identity / inputs. From the canonical correlations of (T, Y): -1/2 sum log2(1 - rho^2).
    Source: Saxe et al. 2018, section 3, with the 1/2. InputError: shapes that do not fit, NaN, a sigma not above 0, a
    covariance that is not symmetric and positive, signals so far above the noises that float64 cannot hold it.
    """
    w, v = _weights(weight), finite_floats("teacher", teacher)
    if v.ndim != 2 or v.shape[1] != w.shape[-1]:
        raise InputError(f"teacher has shape {list(v.shape)}, weight {list(w.shape)}; both end in the number of inputs")
    check_real(sigma=(sigma, -np.inf), label_sigma=(label_sigma, -np.inf))
    if not (sigma > 0 and label_sigma > 0):
        raise InputError(f"sigma is {sigma}, label_sigma {label_sigma}; both must be above 0")
    root = _root(cov_x, v.shape[1])
    a, b = w @ root / sigma, v @ root / label_sigma  # both noises 1: information does not see the units of T and Y
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            t = np.linalg.cholesky(a @ np.swapaxes(a, -1, -2) + np.eye(a.shape[-2]))
            y = np.linalg.cholesky(b @ b.T + np.eye(len(b)))
            whitened = np.linalg.solve(y, np.swapaxes(np.linalg.solve(t, a @ b.T), -1, -2))
            rho = np.linalg.svd(whitened, compute_uv=False)  # canonical correlations, below 1 since both have noise
    except np.linalg.LinAlgError:
        rho = np.ones(1)
    if not (rho < 1).all():  # NaN, too
        raise InputError(
            "signal over noise is beyond what float64 distinguishes from none; raise sigma and label_sigma, or give "
            "weight, teacher and cov_x in other units"
        )
    return -0.5 * np.log1p(-(rho**2)).sum(-1) / np.log(2) + 0.0


@dataclass(frozen=True)
class LinearGaussian:
    """A summary of linear networks for a Recorder, exact: I(X;T) of T = W X + N(0, sigma^2 I).

    It gives no I(T;Y), so it makes no plane: see recording.summary(readout). The probe is the origin and the unit
    vectors, on which a linear layer shows its own map (`probe(inputs)`). Inputs are N(0, I / inputs), as in Saxe et al.
    2018, section 3; every unit of the layer gets noise N(0, sigma^2). relevant: the first so many inputs carry the
    label, the others are kept apart. Pitfall: another probe of as many rows cannot be recognized, and its numbers mean
    nothing. InputError: from summarize, where sigma is not above 0, relevant is not from 0 to the number of inputs, or
    the activations have another shape.
    """

    sigma: float = 1.0
    relevant: int | None = None

    @staticmethod
    def probe(inputs: int) -> np.ndarray:
        """[1 + inputs, inputs] float32: the origin, then the unit vectors. InputError: inputs is no integer above 0."""
        check_whole(inputs=(inputs, 1))
        return np.concatenate([np.zeros((1, inputs)), np.eye(inputs)]).astype(np.float32)

    def summarize(self, activations: Any, targets: Any = None) -> dict[str, np.ndarray]:
        """i_x = I(X;T), and with `relevant` i_x_relevant and i_x_irrelevant, each [seed] float64; bits.

        activations: [seed, 1 + inputs, unit]; targets are not used.
        InputError: another shape, NaN, sigma not above 0, relevant out of range.
        """
        w = self.maps(activations)
        if self.relevant is not None:
            check_whole(relevant=(self.relevant, None))
        if self.relevant is not None and not 0 <= self.relevant <= w.shape[-1]:
            raise InputError(f"relevant is {self.relevant}; needed: from 0 to {w.shape[-1]}, the number of inputs")
        out = {"i_x": linear_information(w, self.sigma)}
        if self.relevant is not None:
            every = np.arange(w.shape[-1])
            out["i_x_relevant"] = linear_information(w, self.sigma, rows=every[: self.relevant])
            out["i_x_irrelevant"] = linear_information(w, self.sigma, rows=every[self.relevant :])
        return out

    @staticmethod
    def maps(activations: Any) -> np.ndarray:
        """W [seed, unit, input] float64 from activations [seed, 1 + inputs, unit] on the probe.

        What each unit vector gives, minus what the origin gives. InputError: another shape.
        """
        a = finite_floats("activations", activations)
        if a.ndim != 3 or a.shape[1] < 2:
            raise InputError(
                f"activations have shape {list(a.shape)}; needed: [seed, 1 + inputs, unit], on .probe(inputs)"
            )
        return np.swapaxes(a[:, 1:] - a[:, :1], 1, 2)


def _mapped(w: np.ndarray, root: np.ndarray) -> np.ndarray:
    """w root. InputError: beyond float64."""
    with np.errstate(over="ignore", invalid="ignore"):
        out = w @ root
    if not np.isfinite(out).all():
        raise InputError("weight times the spread of X leaves float64; give weight, sigma and cov_x in other units")
    return out


def _weights(weight: Any) -> np.ndarray:
    w = finite_floats("weight", weight)
    if w.ndim < 2:
        raise InputError(f"weight has shape {list(w.shape)}; needed: [..., units, inputs]")
    return w


def _chosen(rows: Any, inputs: int) -> np.ndarray:
    """Which inputs are meant, [inputs] bool."""
    given, kept = np.asarray(rows), np.zeros(inputs, dtype=bool)
    at = np.flatnonzero(given) if given.dtype == bool and given.shape == (inputs,) else whole_numbers("rows", rows)
    if len(at) and at.max() >= inputs:
        raise InputError(f"rows hold {at.max()}; the {inputs} inputs are numbered from 0")
    kept[at] = True
    return kept


def _root(cov, inputs: int) -> np.ndarray:
    """A square root R with R R' = cov."""
    if cov is None:
        return np.eye(inputs) / np.sqrt(inputs)
    c = finite_floats("cov_x", cov)
    if c.shape != (inputs, inputs):
        raise InputError(f"cov_x has shape {list(c.shape)}; needed: symmetric [{inputs}, {inputs}]")
    if inputs and np.diag(c).min() < 0:
        raise InputError(f"cov_x has the variance {np.diag(c).min():g}; a covariance has none below 0")
    spread = np.sqrt(np.diag(c))  # inputs have units of their own: correlations are what is checked
    each = np.where(spread > 0, spread, 1.0)
    shared = c / each / each[:, None]
    if not np.allclose(shared, shared.T):
        raise InputError(f"cov_x is not symmetric; needed: symmetric [{inputs}, {inputs}]")
    values, vectors = np.linalg.eigh(shared)
    if inputs and values.min() < -1e-10 * max(values.max(), 1e-300):
        raise InputError(
            f"cov_x, each input at variance 1, has the eigenvalue {values.min():g}; a covariance has none below 0"
        )
    return each[:, None] * vectors * np.sqrt(np.maximum(values, 0))


def _half_log_det(a: np.ndarray, noise: float) -> np.ndarray:
    """1/2 log2 |I + a a' / noise^2| from the singular values of a, over the leading axes."""
    if a.shape[-1] == 0:
        return np.zeros(a.shape[:-2])
    with np.errstate(divide="ignore"):  # the logarithm of 0
        ratio = np.log(np.linalg.svd(a, compute_uv=False)) - np.log(noise)  # whose squares may leave float64
    return 0.5 * np.logaddexp(0, 2 * ratio).sum(-1) / np.log(2)
