"""Pairs whose information is exact: closed forms, sums over tables, and integrals of smooth densities.

Sources: each function names its own. Integrals are Gauss-Legendre panels in float64, tested against closed forms and,
where a pair gives its log density ratio, against the mean of it over the sampler's own draws: that holds sampler and
truth to each other. Pitfall: an integral over a box cuts tails; boxes are wide enough for 1e-6 bit.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Draw = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]
Map = Callable[[np.ndarray], np.ndarray]
Ratio = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Pair:
    """draw(rng, n) -> x, y; nats: I(X;Y). ratio(x, y) -> [n]: log p(x, y) / p(x) p(y), where there is a formula."""

    draw: Draw
    nats: float
    ratio: Ratio | None = None

    def through(self, of_x: Map, of_y: Map) -> "Pair":
        """Each side through a map that is one to one: the information stays."""

        def draw(rng, n):
            x, y = self.draw(rng, n)
            return of_x(x), of_y(y)

        return Pair(draw, self.nats)

    def beside(self, more_x: Callable | None = None, more_y: Callable | None = None) -> "Pair":
        """With columns of noise (rng, n) -> [n, d] on a side, independent of all else: the information stays."""

        def draw(rng, n):
            x, y = self.draw(rng, n)
            x = x if more_x is None else np.concatenate([x, more_x(rng, n)], axis=1)
            return x, y if more_y is None else np.concatenate([y, more_y(rng, n)], axis=1)

        return Pair(draw, self.nats)


def nodes(edges, order: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre points and weights on each panel between the edges."""
    t, w = np.polynomial.legendre.leggauss(order)
    edges = np.asarray(edges, dtype=np.float64)
    half = np.diff(edges)[:, None] / 2
    return ((edges[:-1, None] + edges[1:, None]) / 2 + half * t).ravel(), (half * w).ravel()


def entropy_of(density: Map, edges) -> float:
    """Differential entropy in nats of a density over the panels."""
    t, w = nodes(edges)
    p = density(t)
    return -float((w * p * np.log(np.where(p > 0, p, 1))).sum())


def information_of(joint: Callable, edges_x, edges_y, order: int = 40) -> float:
    """I(X;Y) in nats of a joint density p(x, y) by its own marginals on the panels."""
    (x, u), (y, v) = nodes(edges_x, order), nodes(edges_y, order)
    p = joint(x[:, None], y[None])
    product = (p @ v)[:, None] * (u @ p)[None]
    return float((u[:, None] * v * p * np.log(np.where(p > 0, p / np.where(product > 0, product, 1), 1))).sum())


def phi(t, mean=0.0, sd=1.0) -> np.ndarray:
    """Density of a normal."""
    return np.exp(-(((t - mean) / sd) ** 2) / 2) / (math.sqrt(2 * math.pi) * sd)


def binary_entropy(p: float) -> float:
    """Nats."""
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


def table(joint) -> Pair:
    """Two symbols with this joint distribution [kx, ky]: integers from 0."""
    p = np.asarray(joint, dtype=np.float64)
    p = p / p.sum()
    product = p.sum(1, keepdims=True) * p.sum(0, keepdims=True)
    log = np.log(np.where(p > 0, p, 1) / np.where(p > 0, product, 1))

    def draw(rng, n):
        at = rng.choice(p.size, n, p=p.ravel())
        return at // p.shape[1], at % p.shape[1]

    return Pair(draw, float((p * log).sum()), lambda x, y: log[x, y])


def channel(rows, source=None) -> Pair:
    """p(y|x) with this source, uniform unless given."""
    q = np.asarray(rows, dtype=np.float64)
    source = np.full(len(q), 1 / len(q)) if source is None else np.asarray(source)
    return table(source[:, None] * q)


def normal_pair(r: float) -> Pair:
    """1 x 1, correlation r."""
    s = math.sqrt(1 - r * r)

    def draw(rng, n):
        x = rng.standard_normal((n, 1))
        return x, r * x + s * rng.standard_normal((n, 1))

    def ratio(x, y):
        return np.log(phi(y, r * x, s) / phi(y))[:, 0]

    return Pair(draw, -math.log(s), ratio)


def normal_blocks(cov, dx: int) -> Pair:
    """Jointly normal, the first dx columns x."""
    from deeptheory.datasets.tasks.ground_truth import normal

    return Pair(*normal(np.asarray(cov), dx))


def pairs(*correlations: float) -> Pair:
    """Columns in pairs of these correlations, all else independent."""
    r = np.array(correlations)

    def draw(rng, n):
        x, e = rng.standard_normal((2, n, len(r)))
        return x, r * x + np.sqrt(1 - r**2) * e

    return Pair(draw, float(-np.log1p(-(r**2)).sum() / 2))


def correlated_student(cov, dx: int, dof: float) -> Pair:
    """Student's t with this dispersion: the normal's nats plus those of one scale (Arellano-Valle et al. 2013)."""
    from scipy.special import digamma, gammaln

    base, d = normal_blocks(cov, dx), len(cov)

    def g(v: float) -> float:
        return float(gammaln(v / 2) - v / 2 * digamma(v / 2))

    def draw(rng, n):
        x, y = base.draw(rng, n)
        scale = np.sqrt(rng.chisquare(dof, (n, 1)) / dof)
        return x / scale, y / scale

    return Pair(draw, base.nats + g(dof) + g(dof + d) - g(dof + dx) - g(dof + d - dx))


def normal_mixture(weights, means, covs) -> Pair:
    """1 x 1, a mixture of bivariate normals: means [k, 2], covs [k, 2, 2]; by integration."""
    w, m, c = (np.asarray(v, dtype=np.float64) for v in (weights, means, covs))
    sd = np.sqrt(np.einsum("kii->ki", c))
    roots, inverses = np.linalg.cholesky(c), np.linalg.inv(c)

    def joint(x, y):
        total = 0.0
        for k in range(len(w)):
            a, b = x - m[k, 0], y - m[k, 1]
            q = inverses[k, 0, 0] * a * a + 2 * inverses[k, 0, 1] * a * b + inverses[k, 1, 1] * b * b
            total = total + w[k] * np.exp(-q / 2) / (2 * math.pi * math.sqrt(np.linalg.det(c[k])))
        return total

    def side(t, i):
        return sum(w[k] * phi(t, m[k, i], sd[k, i]) for k in range(len(w)))

    def draw(rng, n):
        k = rng.choice(len(w), n, p=w)
        both = m[k] + np.einsum("nij,nj->ni", roots[k], rng.standard_normal((n, 2)))
        return both[:, :1], both[:, 1:]

    def ratio(x, y):
        return np.log(joint(x, y) / (side(x, 0) * side(y, 1)))[:, 0]

    edges = [np.linspace((m[:, i] - 9 * sd[:, i]).min(), (m[:, i] + 9 * sd[:, i]).max(), 41) for i in (0, 1)]
    return Pair(draw, information_of(joint, *edges, order=24), ratio)


def clayton(theta: float) -> Pair:
    """Clayton's copula: log(1 + theta) - theta / (1 + theta) nats, by Kendall's distribution of it."""

    def draw(rng, n):
        u, v = rng.uniform(size=(2, n, 1))
        return u, (u**-theta * (v ** (-theta / (1 + theta)) - 1) + 1) ** (-1 / theta)

    def ratio(x, y):
        inner = x**-theta + y**-theta - 1
        return (math.log1p(theta) - (1 + theta) * np.log(x * y) - (2 + 1 / theta) * np.log(inner))[:, 0]

    return Pair(draw, math.log1p(theta) - theta / (1 + theta), ratio)


def frank(theta: float) -> Pair:
    """Frank's copula, by integration."""
    one = -math.expm1(-theta)

    def density(u, v):
        a, b = -np.expm1(-theta * u), -np.expm1(-theta * v)
        return theta * one * np.exp(-theta * (u + v)) / (one - a * b) ** 2

    def draw(rng, n):
        u, p = rng.uniform(size=(2, n, 1))
        a = np.exp(-theta * u)
        return u, -np.log1p(-p * one / (a * (1 - p) + p)) / theta

    edges = np.linspace(0, 1, 21)
    return Pair(draw, information_of(density, edges, edges, 24), lambda x, y: np.log(density(x, y))[:, 0])


def gamma_exponential(a: float) -> Pair:
    """X ~ Gamma(a), Y given X exponential of rate X: digamma(a + 1) - log a nats."""
    from scipy.special import digamma

    def draw(rng, n):
        x = rng.gamma(a, size=(n, 1))
        return x, rng.exponential(size=(n, 1)) / x

    def ratio(x, y):
        return (np.log(x) - x * y - math.log(a) + (a + 1) * np.log1p(y))[:, 0]

    return Pair(draw, float(digamma(a + 1)) - math.log(a), ratio)


def gamma_sum(a: float, b: float) -> Pair:
    """X ~ Gamma(a), Y = X + Gamma(b): the entropy of Gamma(a + b) less that of Gamma(b)."""
    from scipy.stats import gamma

    def draw(rng, n):
        x = rng.gamma(a, size=(n, 1))
        return x, x + rng.gamma(b, size=(n, 1))

    def ratio(x, y):
        return (gamma.logpdf(y - x, b) - gamma.logpdf(y, a + b))[:, 0]

    return Pair(draw, float(gamma.entropy(a + b) - gamma.entropy(b)), ratio)


def von_mises(kappa: float) -> Pair:
    """An angle, uniform, and the same turned by a von Mises angle: kappa I1 / I0 - log I0 nats. In [0, 2 pi)."""
    from scipy.special import i0e, i1e

    log_i0 = math.log(i0e(kappa)) + kappa

    def draw(rng, n):
        x = rng.uniform(0, 2 * math.pi, (n, 1))
        return x, (x + rng.vonmises(0, kappa, (n, 1))) % (2 * math.pi)

    def ratio(x, y):
        return (kappa * np.cos(y - x) - log_i0)[:, 0]

    return Pair(draw, kappa * i1e(kappa) / i0e(kappa) - log_i0, ratio)


def on_circle(angle: np.ndarray) -> np.ndarray:
    """[n, 1] -> [n, 2]."""
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def dirichlet(a: float, b: float, c: float) -> Pair:
    """Two coordinates of a Dirichlet: Beta marginals, entropies in closed form."""
    from scipy.stats import beta
    from scipy.stats import dirichlet as joint

    def draw(rng, n):
        both = rng.dirichlet([a, b, c], n)
        return both[:, :1], both[:, 1:2]

    return Pair(draw, float(beta.entropy(a, b + c) + beta.entropy(b, a + c) - joint.entropy([a, b, c])))


def disc() -> Pair:
    """A point of the unit disc: log pi - 1 nats (semicircle marginals)."""

    def draw(rng, n):
        r, t = np.sqrt(rng.uniform(size=(n, 1))), rng.uniform(0, 2 * math.pi, (n, 1))
        return r * np.cos(t), r * np.sin(t)

    def ratio(x, y):
        return (math.log(math.pi / 4) - np.log(np.sqrt(1 - x**2) * np.sqrt(1 - y**2)))[:, 0]

    return Pair(draw, math.log(math.pi) - 1, ratio)


def noisy(mean: Map, sd: Map, draw_x: Callable, points: np.ndarray, weights: np.ndarray, edges) -> Pair:
    """Y = mean(X) + sd(X) N(0, 1). points, weights: a quadrature of X's distribution; edges: panels for Y."""
    m, s = mean(points)[:, None], np.broadcast_to(sd(points), points.shape)[:, None]

    def density(t):
        return weights @ phi(t[None], m, s)

    def draw(rng, n):
        x = draw_x(rng, n)
        return x, mean(x) + sd(x) * rng.standard_normal((n, 1))

    def ratio(x, y):
        return np.log(phi(y, mean(x), sd(x)) / density(y[:, 0])[:, None])[:, 0]

    noise = 0.5 * math.log(2 * math.pi * math.e) + float(weights @ np.log(s[:, 0]))
    return Pair(draw, entropy_of(density, edges) - noise, ratio)
