"""Quadratic Hamiltonians of real variables: Gaussians, fitted by likelihood,
which is as cheap here as pseudo-likelihood.

ln p = h x - x K x / 2 - ln Z; a term of degree 1 is h_i, of degree 2 -K_ii / 2 or -K_ij. With all terms K is the
inverse of the covariance; with fewer or shared ones the likelihood is concave in them
(Dempster 1972, covariance selection).
"""

import numpy as np

from deeptheory.cheap.hamiltonians.terms import Term
from deeptheory.core.errors import DeeptheoryError, InputError

_STEPS = 200
_CLOSE = 1e-10
_ROWS = 65_536


class Gaussian:
    """values: [N, n] real; orbits: terms of degree 2 at most, the squares of all variables among them.

    InputError: a square is missing, so that no density exists. DeeptheoryError: a covariance without inverse.
    """

    def __init__(self, values: np.ndarray, orbits: list[list[Term]]):
        self.rows, self.n = values.shape
        self.parameters = len(orbits)
        flat = [(k, t) for k, orbit in enumerate(orbits) for t in orbit]
        self.owner = np.array([k for k, _ in flat])
        self.left = np.array([t[0][0] for _, t in flat])
        # a term of degree 1 has no second variable; x_i^2 has itself
        self.right = np.array([t[-1][0] if sum(p for _, p in t) == 2 else -1 for _, t in flat])
        squares = set(self.left[self.left == self.right].tolist())
        if len(squares) < self.n:
            missing = min(set(range(self.n)) - squares)
            raise InputError(
                f"no term holds the square of variable {missing}; a Gaussian needs degree 2 and all squares"
            )
        self.mean = values.mean(0, dtype=np.float64)
        second = np.zeros((self.n, self.n))
        for start in range(0, self.rows, _ROWS):
            part = values[start : start + _ROWS].astype(np.float64) - self.mean
            second += part.T @ part
        self.covariance = second / self.rows
        if not np.isfinite(self.covariance).all():
            raise InputError("the squares of the samples leave float64; give them in other units, or standardized")
        spread = np.sqrt(np.diag(self.covariance))  # variables have units of their own
        if not spread.all() or np.linalg.eigvalsh(self.covariance / spread / spread[:, None])[0] <= 1e-12:
            raise DeeptheoryError("the covariance of the samples has no inverse; drop variables that repeat others")

    def fit(self) -> tuple[np.ndarray, np.ndarray]:
        """theta [P] and standard errors [P] from the information matrix. DeeptheoryError: no way up, or the samples are
        so far from 0 in their own spread that the matrix has no root in float64."""
        try:
            return self._climb()
        except np.linalg.LinAlgError as error:
            raise DeeptheoryError(f"the Gaussian fit failed ({error}); standardize the samples") from error

    def _climb(self) -> tuple[np.ndarray, np.ndarray]:
        from scipy.linalg import cho_factor, cho_solve

        theta = self._start()
        wanted = self._moments(self.mean, self.covariance)
        value = self._value(theta, wanted)
        for _ in range(_STEPS):
            mean, covariance = self._model(theta)
            gradient = wanted - self._moments(mean, covariance)
            factor = cho_factor(self._information(mean, covariance))
            step = cho_solve(factor, gradient)
            if float(gradient @ step) < _CLOSE / self.rows:
                inverse = cho_solve(factor, np.eye(self.parameters))
                return theta, np.sqrt(np.diag(inverse) / self.rows)
            share = 1.0
            while (trial := self._value(theta + share * step, wanted)) < value - 1e-12 * abs(value):
                share /= 2
                if share < 1e-9:
                    raise DeeptheoryError("the Gaussian fit found no way up; standardize the samples")
            theta, value = theta + share * step, trial
        raise DeeptheoryError(f"the Gaussian fit did not converge in {_STEPS} steps; standardize the samples")

    def _start(self) -> np.ndarray:
        """The inverse covariance, as far as the terms hold it and where that is a Gaussian; else its diagonal alone."""
        inverse = np.linalg.inv(self.covariance)
        for k in (inverse, np.diag(1 / np.diag(self.covariance))):
            per_term = np.where(self.right == self.left, -0.5, -1.0) * k[self.left, self.right]
            theta = self._mean(np.where(self.right < 0, (k @ self.mean)[self.left], per_term))
            if np.isfinite(self._value(theta, self._moments(self.mean, self.covariance))):
                break
        return theta

    def tables(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """h [n] and K [n, n] of these parameters."""
        value, single = theta[self.owner], self.right < 0
        h, k = np.zeros(self.n), np.zeros((self.n, self.n))
        np.add.at(h, self.left[single], value[single])
        a, b, v = self.left[~single], self.right[~single], value[~single]
        np.add.at(k, (a, b), -v)
        np.add.at(k, (b, a), -v)  # a square meets the diagonal twice: K_ii = -2 theta
        return h, k

    def log_p(self, theta: np.ndarray, values: np.ndarray) -> np.ndarray:
        """sum_i ln p(x_i | rest) of other samples, [rows]: each conditional is a Gaussian of variance 1 / K_ii."""
        h, k = self.tables(theta)
        precision = np.diag(k)
        out = []
        for start in range(0, len(values), _ROWS):
            x = values[start : start + _ROWS].astype(np.float64)
            off = (x @ k - h) / precision  # x_i less its conditional mean
            out.append((0.5 * np.log(precision / (2 * np.pi)) - 0.5 * precision * off**2).sum(1))
        return np.concatenate(out)

    def _pool(self, per_term: np.ndarray) -> np.ndarray:
        return np.bincount(self.owner, per_term, self.parameters)

    def _mean(self, per_term: np.ndarray) -> np.ndarray:
        return self._pool(per_term) / np.bincount(self.owner, minlength=self.parameters)

    def _moments(self, mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        second = covariance + np.outer(mean, mean)
        return self._pool(np.where(self.right < 0, mean[self.left], second[self.left, self.right]))

    def _model(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        h, k = self.tables(theta)
        covariance = np.linalg.inv(k)
        return covariance @ h, covariance

    def _value(self, theta: np.ndarray, wanted: np.ndarray) -> float:
        """Mean ln p of the samples, -inf where K is not positive definite."""
        h, k = self.tables(theta)
        try:
            factor = np.linalg.cholesky(k)
        except np.linalg.LinAlgError:
            return -np.inf
        z = np.linalg.solve(factor, h)
        return float(theta @ wanted - z @ z / 2 + np.log(np.diag(factor)).sum())

    def _information(self, mean: np.ndarray, c: np.ndarray) -> np.ndarray:
        """Covariance of the terms under the model, pooled, [P, P]; by Isserlis' rule."""
        a, b = self.left[:, None], self.right[:, None]
        out = np.zeros((self.parameters, self.parameters))
        chunk = max(1, 4_000_000 // len(self.left))
        for start in range(0, len(self.left), chunk):
            i, j = a[start : start + chunk], b[start : start + chunk]
            k, m = self.left[None], self.right[None]
            one_i, one_k = j < 0, m < 0
            part = c[i, k] * np.where(one_i, 1, mean[j]) * np.where(one_k, 1, mean[m])
            part = part + np.where(one_k, 0, c[i, m] * mean[k] * np.where(one_i, 1, mean[j]))
            part = part + np.where(one_i, 0, c[j, k] * mean[i] * np.where(one_k, 1, mean[m]))
            pair = c[j, m] * mean[i] * mean[k] + c[i, k] * c[j, m] + c[i, m] * c[j, k]
            part = part + np.where(one_i | one_k, 0, pair)
            pooled = np.zeros((len(part), self.parameters))
            np.add.at(pooled.T, self.owner, part.T)
            np.add.at(out, self.owner[start : start + chunk], pooled)
        return out
