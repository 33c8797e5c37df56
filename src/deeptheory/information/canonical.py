"""Linear dependence in many columns: which canonical correlations are there at all, how large they truly are, and
what a Gaussian would leave out.

Sources: Bartlett 1947 (the sum of log(1 - r^2) over the correlations that are left, as chi-squared); Johnstone 2008
(the largest squared canonical correlation of independent normals: Tracy-Widom on the logit scale); Bao, Hu, Pan & Zhou
2019 (where a true correlation appears among those of noise, theorem 1.8).
Pitfall: with p and q columns and n rows of noise the largest squared correlation is
(sqrt(p (n - q)) + sqrt(q (n - p)))^2 / n^2: .10 at 50 x 50 and n = 2,000,
so -1/2 sum log(1 - r^2) over all of them says 0.95 bits of nothing.
"""

from dataclasses import dataclass

import numpy as np

_TAIL = 3.2724  # of Tracy-Widom's distribution (beta = 1): exceeded with probability .001
_MOST = 3  # canonical variates whose products are looked at
_BY_CHANCE = (10, 24, 45)  # n * bits that regressions find in normal samples once in 100, by one to three variates


@dataclass(frozen=True)
class Canonical:
    """squared [m]: true squared canonical correlations, those beyond noise; u, v: [n, m] their variates, standardized;
    missed: bits that regressions on products of variates and norms find beyond the linear ones.
    rest: bits, the upper end of what the correlations that are not beyond noise may share all together."""

    squared: np.ndarray
    u: np.ndarray
    v: np.ndarray
    missed: float
    rest: float

    @property
    def information(self) -> float:
        """-1/2 sum log2(1 - rho^2), bits."""
        return float(-0.5 * np.log2(1 - self.squared).sum())

    @property
    def half(self) -> float:
        """Half the 95 % interval of `information` (delta method)."""
        n = len(self.u)
        return 1.96 * float(np.sqrt(self.squared.sum() / n)) / np.log(2)


def beyond_correlations(a: np.ndarray, b: np.ndarray) -> float | None:
    """Bits that regressions on products of canonical variates and norms find beyond the linear ones, of any columns; 0
    where normal samples would show as much once in a hundred, None where n is under 3 (p + q) + 10, too few to tell."""
    made = _variates(a, b)
    if made is None:
        return None
    s, u, v = made
    m = min(len(s), _MOST)
    found = max(_missed(u, v, m), _missed(v, u, m))
    return found if found > _BY_CHANCE[m - 1] / len(a) else 0.0


def canonical(a: np.ndarray, b: np.ndarray) -> Canonical | None:
    """Of normal scores a [n, p], b [n, q]; None where no correlation stands out of noise, or n is under 3 (p + q)."""
    made = _variates(a, b)
    if made is None:
        return None
    s, u, v = made
    n, p, q = len(a), u.shape[1], v.shape[1]
    found = int((s**2 > _noise_edge(p, q, n)).sum())
    if not found:
        return None
    squared = _true_squares(s[:found] ** 2, p / n, q / n)
    m = min(found, _MOST)
    missed = max(_missed(u, v, m), _missed(v, u, m))
    return Canonical(squared, u[:, :found], v[:, :found], missed, _rest(s[found:] ** 2, p, q, n))


def _variates(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Canonical correlations [min(p, q)] and all variates [n, p], [n, q], standardized; None where a side has no column
    or n is under 3 (p + q) + 10."""
    n = len(a)
    qa, qb = _basis(a), _basis(b)
    p, q = qa.shape[1], qb.shape[1]
    if min(p, q) == 0 or n < 3 * (p + q) + 10:
        return None
    left, s, right = np.linalg.svd(qa.T @ qb)
    return s, qa @ left * np.sqrt(n), qb @ right.T * np.sqrt(n)


def _rest(seen: np.ndarray, p: int, q: int, n: int) -> float:
    """Upper end (95 %, one-sided) of -1/2 sum log2(1 - rho^2) over those of p x q correlations that are left.

    Bartlett's statistic less its degrees of freedom is 2 n nats of it in the mean; it varies as a noncentral
    chi-squared, of variance 2 free + 4 * that mean: the end is where the statistic lies 1.645 deviations below."""
    free = (p - (min(p, q) - len(seen))) * (q - (min(p, q) - len(seen)))
    if not free:
        return 0.0
    excess = -(n - 1 - (p + q + 1) / 2) * np.log1p(-np.minimum(seen, 1 - 1e-12)).sum() - free
    z = 1.645
    upper = excess + 2 * z**2 + z * np.sqrt(max(2 * free + 4 * excess + 4 * z**2, 0.0))
    return float(max(upper, 0.0) / (2 * n) / np.log(2))


def _basis(a: np.ndarray) -> np.ndarray:
    """Orthonormal columns that span those of a; repeated and constant ones add nothing."""
    centered = a - a.mean(0)
    u, s, _ = np.linalg.svd(centered, full_matrices=False)
    return u[:, s > 1e-9 * max(s.max(initial=0.0), 1e-300)]


def _noise_edge(p: int, q: int, n: int) -> float:
    """What the largest squared canonical correlation of independent normals exceeds once in 1,000."""
    p, q = min(p, q), max(p, q)
    total = n - 2
    gamma, phi = 2 * np.arcsin(np.sqrt((p - 0.5) / total)), 2 * np.arcsin(np.sqrt((q - 0.5) / total))
    middle = 2 * np.log(np.tan((phi + gamma) / 2))
    scale = (16 / total**2 / (np.sin(phi + gamma) ** 2 * np.sin(phi) * np.sin(gamma))) ** (1 / 3)
    return float(1 / (1 + np.exp(-(middle + _TAIL * scale))))


def _true_squares(seen: np.ndarray, p: float, q: float) -> np.ndarray:
    """The larger root r of seen = r (1 - p + p / r) (1 - q + q / r), p and q in columns per row."""
    a, b, c = (1 - p) * (1 - q), (1 - p) * q + (1 - q) * p - seen, p * q
    return np.clip((-b + np.sqrt(np.maximum(b * b - 4 * a * c, 0))) / (2 * a), 0, 1 - 1e-12)


def _missed(u: np.ndarray, v: np.ndarray, m: int) -> float:
    """Bits that v's first m residuals, given all of u linearly, share with products of u's first m and the norm of u,
    by their mean (-1/2 log of what is left) and by their covariance (to second order a quarter of its mean square
    change)."""
    n = len(u)
    norm = (u**2).sum(1)
    norm = (norm - norm.mean()) / max(norm.std(), 1e-12)
    products = [u[:, i] * u[:, j] for i in range(m) for j in range(i + 1)]
    features = np.stack([*products, *(u[:, i] * norm for i in range(m)), norm], axis=1)
    linear = np.linalg.qr(np.concatenate([np.ones((n, 1)), u], axis=1))[0]
    curved = _basis(features - linear @ (linear.T @ features))
    all_of = _basis(np.concatenate([u[:, :m], features], axis=1))
    rest = v[:, :m] - linear @ (linear.T @ v[:, :m])
    size = (rest**2).mean(0)
    if size.min() < 1e-9:
        return 0.0  # linear to the last digit: nothing is missed
    rest /= np.sqrt(size)
    explained = ((curved.T @ rest) ** 2).sum(0) / n - curved.shape[1] / n
    bits = -0.5 * np.log2(1 - np.clip(explained, 0, 0.99)).sum()
    for i in range(m):
        for j in range(i + 1):
            product = rest[:, i] * rest[:, j]
            product -= product.mean()
            changes = ((all_of.T @ product) ** 2).sum() / n - all_of.shape[1] / n * product.var()
            bits += max(changes, 0.0) * (0.25 if i == j else 0.5) / np.log(2)
    return float(bits)
