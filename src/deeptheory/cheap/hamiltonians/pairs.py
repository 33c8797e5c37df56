"""Pseudo-likelihood of spins and Potts variables with terms of degree 1 and 2, as a few large matrix products.

Source: Besag 1975; Ravikumar, Wainwright & Lafferty 2010. sum_i ln p(x_i | rest), each factor a logistic or softmax
regression whose coefficients the two ends of a bond share. One pass of N samples of D features costs 4 N D^2.
"""

import numpy as np

from deeptheory.cheap.hamiltonians.terms import Term

_ROWS = 16_384  # samples at a time
_EXACT = 4_000_000  # entries up to which float64 is used: strong couplings leave gradients below float32's rounding


class Pairs:
    """A model of hamiltonian_newton.Model. states: [N, n] int8, -1 and 1 for q = 2, else levels; orbits: terms."""

    def __init__(self, states: np.ndarray, q: int, orbits: list[list[Term]]):
        self.states, self.q, self.rows, self.parameters = states, q, len(states), len(orbits)
        n, width = states.shape[1], states.shape[1] * (q - 1)
        self.dtype: type = np.float64 if states.shape[0] * width <= _EXACT else np.float32
        self.n, self.own = n, np.full(width, -1)
        self.pair = np.full((width, width), -1)
        for k, orbit in enumerate(orbits):
            for term in orbit:
                at = [v * (q - 1) + p - 1 for v, p in term]
                if len(at) == 1:
                    self.own[at[0]] = k
                else:
                    self.pair[at[0], at[1]] = self.pair[at[1], at[0]] = k
        self.each = sum(len(orbit[0]) for orbit in orbits) / n
        self.shared = len({k for k in (*self.own, *np.triu(self.pair).ravel()) if k >= 0}) < sum(map(len, orbits))

    def features(self, start: int, stop: int) -> np.ndarray:
        """[rows, n (q - 1)] float64, float32 for large data: spins, or indicators of the levels 1..q-1 less 1/q."""
        states = self.states[start:stop]
        if self.q == 2:
            return states.astype(self.dtype)
        one_hot = states[:, :, None] == np.arange(1, self.q)
        return one_hot.reshape(len(states), -1).astype(self.dtype) - self.dtype(1 / self.q)

    def _spread(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        padded = np.append(theta, 0.0).astype(self.dtype)  # index -1: no such term
        return padded[self.own], padded[self.pair]

    def _conditionals(self, f: np.ndarray, theta: np.ndarray):
        """ln p(x_i | rest) [rows, n], residuals [rows, D], and the mean [rows, n, q - 1] of the features."""
        own, pair = self._spread(theta)
        eta = f @ pair + own
        if self.q == 2:
            z = 2 * f * eta
            log_p = np.minimum(z, 0) - np.log1p(np.exp(-np.abs(z)))  # ln sigmoid(z); logaddexp is 15 times slower
            mean = np.tanh(eta)
            return log_p, f - mean, mean[:, :, None]
        eta = eta.reshape(len(f), self.n, self.q - 1)
        top = np.maximum(eta.max(-1), 0)
        log_z = top + np.log(np.exp(-top) + np.exp(eta - top[..., None]).sum(-1))
        mean = np.exp(eta - log_z[..., None])
        own_level = f.reshape(eta.shape) + self.dtype(1 / self.q)
        residual = (own_level - mean).reshape(len(f), -1)
        return (own_level * eta).sum(-1) - log_z, residual, mean

    def value_and_gradient(self, theta: np.ndarray, rows: int) -> tuple[float, np.ndarray]:
        """Mean over the first `rows` samples of sum_i ln p(x_i | rest) in nats, and its gradient."""
        total, width = 0.0, len(self.own)
        once, twice = np.zeros(width), np.zeros((width, width))
        for start in range(0, rows, _ROWS):
            f = self.features(start, min(rows, start + _ROWS))
            log_p, r, _ = self._conditionals(f, theta)
            total += float(log_p.sum(dtype=np.float64))
            once += r.sum(0, dtype=np.float64)
            twice += f.T @ r
        gradient = np.bincount(self.own + 1, once, self.parameters + 1)
        gradient += np.bincount(np.triu(self.pair + 1).ravel(), (twice + twice.T).ravel(), self.parameters + 1)
        return total / rows, gradient[1:] / rows

    def information(self, theta: np.ndarray, rows: int) -> np.ndarray:
        """Minus the second derivative of that mean, [P, P]."""
        out = np.zeros((self.parameters, self.parameters))
        s, width = self.q - 1, len(self.own)
        blocks = np.zeros((self.n, s, s, width + 1, width + 1))
        for start in range(0, rows, _ROWS):
            f = self.features(start, min(rows, start + _ROWS))
            mean = self._conditionals(f, theta)[2]
            f = np.concatenate([np.ones((len(f), 1), dtype=self.dtype), f], axis=1)
            for i in range(self.n):
                for a in range(s):
                    for b in range(a, s):
                        m = mean[:, i]
                        spread = 1 - m[:, 0] ** 2 if self.q == 2 else m[:, a] * ((a == b) - m[:, b])
                        blocks[i, a, b] += (f * spread[:, None]).T @ f
        for i in range(self.n):
            for a in range(s):
                for b in range(a, s):
                    self._scatter(out, i * s + a, i * s + b, blocks[i, a, b])
                    if a != b:
                        self._scatter(out, i * s + b, i * s + a, blocks[i, a, b].T)
        return out / rows

    def _scatter(self, out: np.ndarray, a: int, b: int, block: np.ndarray) -> None:
        left, right = (np.append(self.own[c], self.pair[c]) for c in (a, b))
        keep_left, keep_right = np.flatnonzero(left >= 0), np.flatnonzero(right >= 0)
        at = np.ix_(left[keep_left], right[keep_right])
        part = block[np.ix_(keep_left, keep_right)]
        if self.shared:
            np.add.at(out, at, part)
        else:
            out[at] += part

    def scores(self, theta: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Gradient of each sample, [rows, P] float32."""
        f = self.features(start, stop)
        r = self._conditionals(f, theta)[1]
        out = np.zeros((len(f), self.parameters), dtype=np.float32)
        ones = np.flatnonzero(self.own >= 0)
        left, right = np.nonzero(np.triu(self.pair + 1))
        columns = np.concatenate([self.own[ones], self.pair[left, right]])
        values = np.concatenate([r[:, ones], f[:, left] * r[:, right] + f[:, right] * r[:, left]], axis=1)
        if self.shared:
            np.add.at(out.T, columns, values.T)
        else:
            out[:, columns] = values
        return out

    def log_p(self, theta: np.ndarray, states: np.ndarray) -> np.ndarray:
        """sum_i ln p(x_i | rest) of other samples, [rows]."""
        other = Pairs.__new__(Pairs)
        other.__dict__.update(self.__dict__, states=states)
        parts = [
            other._conditionals(other.features(k, k + _ROWS), theta)[0].sum(1, dtype=np.float64)
            for k in range(0, len(states), _ROWS)
        ]
        return np.concatenate(parts)
