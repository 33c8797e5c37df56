"""What the two hundreds of held-out pairs are built of: marginals, rotations, networks, mixtures, curves."""

import math
from collections.abc import Callable

import numpy as np

from benchmarks.truths import exact
from benchmarks.truths.exact import Pair, pairs

Row = tuple[str, str, tuple[int, int], Callable[[], Pair]]


def uniform(x):
    from scipy.special import ndtr

    return ndtr(x)


def exponential(x):
    from scipy.special import log_ndtr

    return -log_ndtr(-x)


def quantile(name: str, *parameters: float):
    """Normal numbers to another marginal of scipy.stats."""

    def change(x):
        import scipy.stats

        return getattr(scipy.stats, name)(*parameters).ppf(uniform(x))

    return change


def cauchy(x):
    return np.tan(math.pi * (uniform(x) - 0.5))


def pareto(x):
    return np.exp(exponential(x))


def both(base: Pair, change) -> Pair:
    return base.through(change, change)


def orthogonal(d: int, seed: int) -> np.ndarray:
    q, r = np.linalg.qr(np.random.default_rng([d, seed]).standard_normal((d, d)))
    return q * np.sign(np.diag(r))


def turned(d: int, seed: int, change):
    """change(x), then a fixed rotation."""
    q = orthogonal(d, seed)
    return lambda x: change(x) @ q


def network(d: int, seed: int):
    """Two layers of orthogonal weights and leaky ReLU of slope .2: one to one."""
    first, second = orthogonal(d, seed), orthogonal(d, seed + 1)

    def leaky(v):
        return np.where(v > 0, v, 0.2 * v)

    return lambda x: leaky(leaky(x @ first + 0.3) @ second - 0.2)


def some(d: int, *correlations: float) -> Pair:
    """d x d, the first columns in pairs of these correlations."""
    return pairs(*correlations, *(0.0 for _ in range(d - len(correlations))))


def equal(d: int, r: float) -> np.ndarray:
    return np.full((d, d), r) + (1 - r) * np.eye(d)


def factor(dx: int, dy: int, loading: float) -> Pair:
    """x = loading f + N, y = loading f + N, one factor f."""
    d = dx + dy
    return exact.normal_blocks(np.eye(d) + loading**2 * np.ones((d, d)), dx)


def autoregressive(d: int, r: float) -> Pair:
    at = np.arange(2 * d)
    return exact.normal_blocks(r ** np.abs(at[:, None] - at), d)


def crossed() -> Pair:
    c = [[[1, 0.95], [0.95, 1]], [[1, -0.95], [-0.95, 1]]]
    return exact.normal_mixture([0.5, 0.5], np.zeros((2, 2)), c)


def islands() -> Pair:
    m = [[-3, 0], [0, 3], [3, 0], [0, -3]]
    return exact.normal_mixture(np.full(4, 0.25), m, np.tile(np.eye(2), (4, 1, 1)))


def ring() -> Pair:
    angle = np.arange(6) * math.pi / 3
    m = 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return exact.normal_mixture(np.full(6, 1 / 6), m, np.tile(0.25 * np.eye(2), (6, 1, 1)))


def background() -> Pair:
    c = np.array([[[1, 0.97], [0.97, 1]], [[9, 0], [0, 9]]])
    return exact.normal_mixture([0.8, 0.2], np.zeros((2, 2)), c)


def clusters(d: int, apart: float) -> Pair:
    """Two clusters that both sides share, in d x d, along a direction of each: the projections are sufficient."""
    m = apart / 2 * np.array([[1.0, 1.0], [-1.0, -1.0]])
    base = exact.normal_mixture([0.5, 0.5], m, np.tile(np.eye(2), (2, 1, 1)))
    if d == 1:
        return base
    more = base.beside(*2 * [lambda rng, n: rng.standard_normal((n, d - 1))])
    return more.through(turned(d, 1, lambda x: x), turned(d, 2, lambda x: x))


def shells(d: int):
    """A balanced bit: points in the ball of radius 1, or between 1.5 and 2.5, any direction."""

    def side(rng, n):
        bit = rng.integers(0, 2, n)
        v = rng.standard_normal((n, d))
        radius = np.where(bit == 1, rng.uniform(1.5, 2.5, n), rng.uniform(0, 1, n))
        return radius[:, None] * v / np.linalg.norm(v, axis=1, keepdims=True), bit

    return side


def sign_of_product(used: int, d: int):
    def side(rng, n):
        x = rng.standard_normal((n, d))
        return x, (x[:, :used].prod(1) > 0).astype(np.int64)

    return side


def parity(bits: int):
    def side(rng, n):
        x = rng.integers(0, 2, (n, bits))
        return x, x.sum(1) % 2

    return side


def from_uniform(mean, sd, low: float, high: float, reach: tuple[float, float]) -> Pair:
    """x uniform on [low, high], y = mean(x) + sd(x) noise."""
    t, w = exact.nodes(np.linspace(low, high, 201), 12)
    return exact.noisy(mean, sd, lambda rng, n: rng.uniform(low, high, (n, 1)), t, w / (high - low),
                       np.linspace(*reach, 121))  # fmt: skip


def sine(periods: int) -> Pair:
    return from_uniform(
        lambda x: np.sin(2 * math.pi * periods * x), lambda x: np.full(x.shape, 0.3), 0.0, 1.0, (-4.5, 4.5)
    )


def sparse(columns: int, noise: float) -> Pair:
    """Each column of x is 0 but for a tenth, y their sum and noise: a mixture of normals by how many are there."""
    from scipy.stats import binom

    p = binom.pmf(np.arange(columns + 1), columns, 0.1)
    sd = np.sqrt(np.arange(columns + 1) + noise**2)

    def density(t):
        return p @ exact.phi(t[None], 0.0, sd[:, None])

    def draw(rng, n):
        x = np.where(rng.random((n, columns)) < 0.1, rng.standard_normal((n, columns)), 0.0)
        return x, x.sum(1, keepdims=True) + noise * rng.standard_normal((n, 1))

    top = 9 * sd[-1]
    edges = np.concatenate([np.linspace(-top, -2, 40), np.linspace(-2, 2, 81)[1:-1], np.linspace(2, top, 40)])
    return Pair(draw, exact.entropy_of(density, edges) - 0.5 * math.log(2 * math.pi * math.e * noise**2))


def columns(*maps):
    return lambda x: np.concatenate([f(x) for f in maps], axis=1)


def heavy(d: int):
    return lambda rng, n: rng.standard_cauchy((n, d))


def nothing(side_x, side_y) -> Pair:
    return Pair(lambda rng, n: (side_x(rng, n), side_y(rng, n)), 0.0)


def same(x):
    return x
