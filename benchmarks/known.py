"""Networks of known information: noise read-outs, sample propagation, neighbour counts, quantised training.

The other side is a competent form of the same: matrices of distances in numpy for Gaussian sums, scikit-learn's
`mutual_info_regression` for one pair of columns (the same neighbours, other tie-breaking noise), autograd for training.
Sample propagation is compared on the same samples and points.
"""

import numpy as np
import torch
from scipy.special import logsumexp

import deeptheory as dt
from benchmarks.timing import Row, compare
from deeptheory.information.mixtures import log_densities


def noise_by_matrix(h, y, sigma):
    """i_x and i_y by the usual recipe: the whole matrix of distances, logsumexp."""
    d = ((h[:, None] - h[None]) ** 2).sum(-1) / (2 * sigma**2)

    def bits(part):
        return -(logsumexp(-part, axis=1) - np.log(len(part))).mean() / np.log(2)

    whole = bits(d)
    return whole, whole - sum((y == c).mean() * bits(d[np.ix_(y == c, y == c)]) for c in np.unique(y))


def densities_by_matrix(points, centres, inv):
    """log p(t) up to a constant, all distances at once."""
    d = ((points[:, :, None] - centres[None]) ** 2).sum(1)
    return logsumexp(-inv * d, axis=1) - np.log(centres.shape[1])


def run(rounds: int, quick: bool) -> list[Row]:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    n = 1024 if quick else 4096
    return [
        _noise(rng, n, rounds),
        _propagation(rng, n, rounds),
        _neighbours(rng, n, rounds),
        _quantised(rounds, quick),
    ]


def _noise(rng, n, rounds) -> Row:
    h, y = np.tanh(2 * rng.standard_normal((n, 6))).astype(np.float32), rng.integers(0, 2, n)
    readout, wide = dt.GaussianNoise(0.2), h.astype(np.float64)
    ours, theirs = readout.summarise(h[None], y), noise_by_matrix(wide, y, 0.2)
    error = max(abs(ours["i_x"][0] - theirs[0]), abs(ours["i_y"][0] - theirs[1]))
    return compare(
        f"noise bounds of one layer, {n} x 6", lambda: readout.summarise(h[None], y), "matrices in numpy",
        lambda: noise_by_matrix(wide, y, 0.2), max(3, rounds // 3), error=float(error), error_of="bits",
        note="ours gives the lower bounds as well",
    )  # fmt: skip


def _propagation(rng, n, rounds) -> Row:
    centres = rng.standard_normal((6, 2 * n)).astype(np.float32)
    given = np.ascontiguousarray(centres[:, :256].T[:, :, None])
    points = (centres[:, :256].T + 0.3 * rng.standard_normal((256, 6))).astype(np.float32)
    at, out, wide = np.arange(256), np.empty((256, 4)), centres.astype(np.float64)

    def ours():
        log_densities(
            points,
            centres,
            given,
            at,
            at,
            np.zeros(256, dtype=np.int64),
            2 * n,
            2.0,
            np.zeros((0, 2 * n), np.float32),
            out,
        )
        return out[:, 0]

    error = np.abs(ours() - densities_by_matrix(points.astype(np.float64), wide, 2.0)).max()
    return compare(
        f"densities of sample propagation, 256 points, {2 * n} centres", ours, "matrices in numpy",
        lambda: densities_by_matrix(points.astype(np.float64), wide, 2.0), rounds, error=float(error), error_of="nats",
    )  # fmt: skip


def _neighbours(rng, n, rounds) -> Row:
    from sklearn.feature_selection import mutual_info_regression

    x = rng.standard_normal((n, 1))
    y = 0.8 * x[:, 0] + 0.6 * rng.standard_normal(n)
    from deeptheory.information.estimators.ksg import _ksg

    columns = [np.ascontiguousarray(((v - v.mean()) / v.std()).reshape(1, -1)) for v in (x[:, 0], y)]

    def theirs():
        return mutual_info_regression(x, y, n_neighbors=3, random_state=0)[0] / np.log(2)

    error = abs(_ksg(columns, 3) - theirs())
    return compare(
        f"KSG of one pair of columns, {n} samples", lambda: _ksg(columns, 3), "scikit-learn", theirs, rounds,
        error=float(error), error_of="bits", note="both by tree; ours takes any number of columns, by a scan over rows",
    )  # fmt: skip


def _quantised(rounds, quick) -> Row:
    data = dt.datasets.icosahedron()
    epochs = 1 if quick else 3

    def train(engine):
        nets = dt.networks.Population.mlp([12, 10, 7, 5, 4, 3, 2], seeds=range(8), bits=8)
        dt.networks.fit(nets, data.x, data.y, epochs=epochs, optimizer="sgd", lr=0.1, batch=256, engine=engine)
        return nets.theta.detach().numpy()

    error = np.abs(train("handwritten") - train("autograd")).max()
    return compare(
        f"training 8 quantised networks, {epochs} epochs", lambda: train("handwritten"), "autograd, stacked",
        lambda: train("autograd"), max(3, rounds // 3), error=float(error), error_of="weights",
        note="a value between two levels may be rounded either way",
    )  # fmt: skip
