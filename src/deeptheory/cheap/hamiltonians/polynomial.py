"""Pseudo-likelihood of any list of terms: spins and Potts variables of any degree, real variables of low degree.

Given the others, ln p(x_i | rest) = sum_k eta_k u_k(x_i) - ln Z, with u_k the powers of x_i
(or the indicators of its levels less 1/q) and eta_k = sum over terms that hold u_k of theta times the product of their
other variables. ln Z over the levels, or over a stated interval by Gauss-Legendre quadrature.
Pitfall: a polynomial of odd degree has no density on the whole line; on an interval it has,
and the interval is part of the model.
"""

import numpy as np

from deeptheory.cheap.hamiltonians.terms import Term
from deeptheory.core.errors import InputError

_ROWS = 4_096
_NARROW, _AWAY = 100, 4  # widths of the interval, spreads from 0: beyond them bits are off by .1 and more
_NODES = 96  # of the quadrature: enough for conditionals 30 times narrower than the interval


def check_comparable(values: np.ndarray, domain: tuple[float, float], ridge: float) -> None:
    """InputError: samples [N, n] beyond the domain, a variable too narrow for its quadrature, or values so far from 0
    that a ridge on the coefficients of their powers decides the fit."""
    low, high, wide = float(values.min()), float(values.max()), domain[1] - domain[0]
    if domain[0] > low or domain[1] < high:
        raise InputError(f"domain is {domain}; the samples run from {low:.4g} to {high:.4g}")
    spread = values.std(0)
    narrow = int(spread.argmin())
    if spread[narrow] < wide / _NARROW:
        raise InputError(
            f"variable {narrow} spreads over {spread[narrow]:.3g}, on an interval of {wide:.3g} that all share; give "
            "them in comparable units, such as x / x.std(0)"
        )
    away, own = abs(float(values.mean())), float(values.std())
    if ridge and away > _AWAY * own:
        raise InputError(
            f"values are {values.mean():.4g} on the average, with a spread of {own:.3g}: a ridge on the coefficients of"
            " their powers would decide the fit; take off an offset first (x - x.mean()), or give ridge=0"
        )


class Polynomial:
    """A model of hamiltonian_newton.Model.

    values: [N, n]; spins -1 and 1 (q = 2), levels (q > 2), or real numbers (q None) within `interval`. orbits: terms.
    """

    def __init__(self, values: np.ndarray, q: int | None, orbits: list[list[Term]], interval=(-1.0, 1.0)):
        self.values, self.q, self.rows, self.parameters = values, q, len(values), len(orbits)
        self.n = values.shape[1]
        self.each = sum(len(orbit[0]) for orbit in orbits) / self.n
        holders: list[dict[int, list[tuple[int, Term]]]] = [{} for _ in range(self.n)]
        for k, orbit in enumerate(orbits):
            for term in orbit:
                for v, p in term:
                    holders[v].setdefault(p, []).append((k, tuple(t for t in term if t[0] != v)))
        # of each variable and each power (or level): which parameters, and the other variables of their terms
        self.held = [[(p, np.array([k for k, _ in h[p]]), [r for _, r in h[p]]) for p in sorted(h)] for h in holders]
        if q is None:
            nodes, weights = np.polynomial.legendre.leggauss(_NODES)
            low, high = interval
            self.support = low + (high - low) * (nodes + 1) / 2
            self.log_weight = np.log(weights * (high - low) / 2)
        else:
            self.support = np.array([-1.0, 1.0]) if q == 2 else np.arange(q)
            self.log_weight = np.zeros(len(self.support))

    def _column(self, x: np.ndarray, v: int, p: int) -> np.ndarray:
        if self.q is None:
            return x[:, v] ** p
        return x[:, v].astype(np.float64) if self.q == 2 else (x[:, v] == p) - 1 / self.q

    def _statistic(self, values: np.ndarray, p: int) -> np.ndarray:
        return values**p if self.q is None else values if self.q == 2 else (values == p) - 1 / self.q

    def _node(self, x: np.ndarray, i: int, theta: np.ndarray):
        """Designs F_k [rows, T], parameters, residuals [rows, K], mean, second moment over K,
        and ln p(x_i | rest) [rows]."""
        columns: dict[tuple[int, int], np.ndarray] = {}
        designs, owners, eta = [], [], []
        for _, ks, rests in self.held[i]:
            f = np.ones((len(x), len(ks)))
            for j, rest in enumerate(rests):
                for v, p in rest:
                    if (v, p) not in columns:
                        columns[v, p] = self._column(x, v, p)
                    f[:, j] *= columns[v, p]
            designs.append(f)
            owners.append(ks)
            eta.append(f @ theta[ks])
        u = np.stack([self._statistic(self.support, p) for p, _, _ in self.held[i]], axis=1)  # [G, K]
        own = np.stack([self._statistic(x[:, i], p) for p, _, _ in self.held[i]], axis=1)  # [rows, K]
        logits = np.stack(eta, axis=1) @ u.T + self.log_weight  # [rows, G]
        top = logits.max(1, keepdims=True)
        weight = np.exp(logits - top)
        z = weight.sum(1, keepdims=True)
        weight /= z
        log_p = (own * np.stack(eta, axis=1)).sum(1) - (top + np.log(z))[:, 0]
        mean = weight @ u
        return designs, owners, own - mean, mean, weight, u, log_p

    def value_and_gradient(self, theta: np.ndarray, rows: int) -> tuple[float, np.ndarray]:
        """Mean over the first `rows` samples of sum_i ln p(x_i | rest) in nats, and its gradient."""
        total, gradient = 0.0, np.zeros(self.parameters)
        for start in range(0, rows, _ROWS):
            x = self.values[start : min(rows, start + _ROWS)]
            for i in range(self.n):
                if not self.held[i]:
                    total -= len(x) * self._free()
                    continue
                designs, owners, residual, _, _, _, log_p = self._node(x, i, theta)
                total += float(log_p.sum())
                for k, (f, ks) in enumerate(zip(designs, owners)):
                    np.add.at(gradient, ks, f.T @ residual[:, k])
        return total / rows, gradient / rows

    def information(self, theta: np.ndarray, rows: int) -> np.ndarray:
        """Minus the second derivative of that mean, [P, P]."""
        out = np.zeros((self.parameters, self.parameters))
        for start in range(0, rows, _ROWS):
            x = self.values[start : min(rows, start + _ROWS)]
            for i in range(self.n):
                if not self.held[i]:
                    continue
                designs, owners, _, mean, weight, u, _ = self._node(x, i, theta)
                for a in range(len(designs)):
                    for b in range(a, len(designs)):
                        spread = weight @ (u[:, a] * u[:, b]) - mean[:, a] * mean[:, b]
                        block = (designs[a] * spread[:, None]).T @ designs[b]
                        np.add.at(out, np.ix_(owners[a], owners[b]), block)
                        if a != b:
                            np.add.at(out, np.ix_(owners[b], owners[a]), block.T)
        return out / rows

    def scores(self, theta: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Gradient of each sample, [rows, P]."""
        x = self.values[start:stop]
        out = np.zeros((len(x), self.parameters))
        for i in range(self.n):
            if self.held[i]:
                designs, owners, residual, *_ = self._node(x, i, theta)
                for k, (f, ks) in enumerate(zip(designs, owners)):
                    np.add.at(out.T, ks, (f * residual[:, k : k + 1]).T)
        return out

    def log_p(self, theta: np.ndarray, values: np.ndarray) -> np.ndarray:
        """sum_i ln p(x_i | rest) of other samples, [rows]."""
        out = np.zeros(len(values))
        for start in range(0, len(values), _ROWS):
            x = values[start : start + _ROWS]
            for i in range(self.n):
                out[start : start + len(x)] += self._node(x, i, theta)[-1] if self.held[i] else -self._free()
        return out

    def _free(self) -> float:
        """ln Z of a variable that no term holds."""
        return float(np.log(np.exp(self.log_weight).sum()))
