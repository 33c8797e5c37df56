"""Trials of the Hessian's eigenvalues, its density and the Fisher trace: rows of test_inspection."""

import numpy as np
import torch
from torch import nn

from deeptheory.inspection import fisher_trace, hessian_eigenvalues, spectral_density
from trials.frame import Found, Row, all_of, covers, near, refused, same

TOP = "inspection.hessian_eigenvalues"
DENSITY = "inspection.spectral_density"
FISHER = "inspection.fisher_trace"


class Weights(nn.Module):
    """Gives its weights for every input: any function of them is a loss."""

    def __init__(self, size):
        super().__init__()
        self.w = nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def forward(self, x):
        return self.w.expand(len(x), -1)


def _quadratic(rng, size):
    a = rng.normal(size=(size, size))
    a = torch.as_tensor((a + a.T) / 2)
    return Weights(size), lambda out, y: (out @ a * out).sum(1).mean() / 2, a.numpy()


def quadratics(rng, draws):
    """Dense up to 300 weights, by ARPACK beyond; both signs, more asked for than there are."""
    out = []
    for size, k in ((5, 3), (5, 9), (400, 12)):
        net, loss, a = _quadratic(rng, size)
        found = hessian_eigenvalues(net, torch.zeros(3, 1), torch.zeros(3), k=k, loss=loss, tolerance=1e-10)
        out.append(near(found, np.linalg.eigvalsh(a)[::-1][:k], 1e-7))
    return all_of(*out)


def linear_regression(rng, draws):
    """H of half the mean squared distance is X'X / n, one block per output."""
    x = rng.normal(size=(150, 6))
    net = nn.Linear(6, 2, bias=False).double()
    found = hessian_eigenvalues(net, torch.as_tensor(x), torch.zeros(150, 2, dtype=torch.float64), k=12, loss="squared")
    return near(found, np.sort(np.linalg.eigvalsh(x.T @ x / 150).repeat(2))[::-1], 1e-9)


def _softmax(rng):
    net = nn.Linear(4, 3).double()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.as_tensor(rng.normal(size=tuple(p.shape))))
    x = rng.normal(size=(130, 4))
    z = net(torch.as_tensor(x)).detach().numpy()
    p = np.exp(z - z.max(1, keepdims=True))
    return net, x, p / p.sum(1, keepdims=True)


def softmax_regression(rng, draws):
    """H = mean over inputs of (diag p - p p') x (x, 1)(x, 1)': for this loss the Fisher matrix, too.
    The labels do not matter."""
    net, x, p = _softmax(rng)
    one = np.hstack([x, np.ones((130, 1))])
    h = sum(np.kron(np.diag(a) - np.outer(a, a), np.outer(b, b)) for a, b in zip(p, one)) / 130
    truth = np.linalg.eigvalsh(h)[::-1]
    found = hessian_eigenvalues(net, torch.as_tensor(x), torch.as_tensor(rng.integers(0, 3, 130)), k=15)
    return near(found, truth, 1e-10)


def density_moments(rng, draws):
    """All of a small spectrum: nodes are eigenvalues, and the mean over many vectors is the trace."""
    net, loss, a = _quadratic(rng, 12)
    found = spectral_density(net, torch.zeros(2, 1), torch.zeros(2), loss=loss, steps=12, vectors=200)
    values = np.linalg.eigvalsh(a)
    spread = np.sqrt(2 * (values**2).mean() / 12 / 200)
    middles = (values[1:] + values[:-1]) / 2
    below = [found.below(v) for v in middles]
    return all_of(
        near(np.sort(found.nodes[0]), values, 1e-8),
        near(found.mean(), values.mean(), 4 * spread),
        near(found.weights.sum(1), 1, 1e-12),
        near(below, np.arange(1, 12) / 12, 4 * np.sqrt(2 / 12 / 12 / 200) * 3),
    )


def density_of_few_values(rng, draws):
    """Two eigenvalues: Lanczos ends after two steps, with the fractions as weights."""
    net = Weights(2000)
    d = torch.where(torch.arange(2000) < 500, 7.0, -1.0).double()
    found = spectral_density(
        net, torch.zeros(1, 1), torch.zeros(1), loss=lambda out, y: (out * out * d).sum() / 2, vectors=8
    )
    return all_of(near(found.below(0), 0.75, 0.03), near([found.nodes.min(), found.nodes.max()], [-1, 7], 1e-9))


def flat_loss(rng, draws):
    """A loss that is linear in the weights has no curvature."""
    net = nn.Linear(5, 1).double()
    x, loss = torch.as_tensor(rng.normal(size=(7, 5))), lambda out, y: out.mean()
    return all_of(
        near(hessian_eigenvalues(net, x, torch.zeros(7), k=3, loss=loss), 0, 0),
        near(spectral_density(net, x, torch.zeros(7), loss=loss).nodes, 0, 0),
    )


def certain_model(rng, draws):
    """A model that is certain of everything has no Fisher information."""
    net = nn.Linear(3, 2).double()
    with torch.no_grad():
        net.weight.zero_()
        net.bias.copy_(torch.tensor([0.0, 900.0]))
    return near(fisher_trace(net, torch.as_tensor(rng.normal(size=(9, 3)))), 0, 0)


def fisher_of_softmax(rng, draws):
    """mean (1 - |p|^2) (|x|^2 + 1): within 1.96 standard errors (Student, 31) as often as said."""
    from scipy.stats import t

    hits, off = 0, []
    for k in range(draws):
        net, x, p = _softmax(rng)
        truth = ((1 - (p**2).sum(1)) * ((x**2).sum(1) + 1)).mean()
        value, error = fisher_trace(net, torch.as_tensor(x), seed=k)
        hits += abs(value - truth) <= t.ppf(0.975, 31) * error
        off.append([value - truth, error])
    missed, said = np.sqrt(np.square(off).mean(0))  # an error that is too large covers, too
    return all_of(covers(hits, draws), near(missed / said, 1, 0.4, "size of the errors over what is said: "))


def _network(rng):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(1 << 30)))
        net = nn.Sequential(
            nn.Linear(6, 16),
            nn.BatchNorm1d(16),
            nn.Dropout(),
            nn.Tanh(),
            nn.Linear(16, 8),
            nn.ReLU(),
            nn.Linear(8, 4),
        )
    x, y = torch.as_tensor(rng.normal(size=(150, 6))), torch.as_tensor(rng.integers(0, 4, 150))
    return net.double(), x, y


def hessian_does_not_depend(rng, draws):
    """On order of rows, train mode, grad mode; BatchNorm statistics, gradients and modes are left as found."""
    net, x, y = _network(rng)
    turn = torch.as_tensor(rng.permutation(150))
    state = {k: v.clone() for k, v in net.state_dict().items()}
    top = lambda a, b: hessian_eigenvalues(net, a, b, k=5, tolerance=1e-9)  # noqa: E731
    found = [top(x, y), top(x[turn], y[turn]), top(x.numpy(), y.numpy())]
    net.eval()
    with torch.inference_mode():
        found.append(top(x, y))
    net.train()
    kept = [
        net.training,
        all(p.grad is None for p in net.parameters()),
        *(torch.equal(v, state[k]) for k, v in net.state_dict().items()),
    ]
    return all_of(same(found, 1e-6), Found(f"{sum(kept)} of {len(kept)} as found", "all", all(kept)))


def others_do_not_depend(rng, draws):
    net, x, y = _network(rng)
    density = [spectral_density(net, a, b, steps=8).nodes for a, b in ((x, y), (x.numpy(), y.numpy()))]
    net.eval()
    density.append(spectral_density(net, x, y, steps=8).nodes)
    return all_of(same(density, 1e-9), same([fisher_trace(net, x), fisher_trace(net.train(), x)], 0))


def dense_is_arpack(rng, draws):
    """A network with more weights than are computed densely, both ways."""
    from deeptheory.inspection.mean_loss import MeanLoss
    from deeptheory.recording.found import as_found

    net, x, y = _network(rng)
    found = hessian_eigenvalues(net, x, y, k=6, tolerance=1e-10)
    with as_found(net, grad=True):
        loss = MeanLoss(net, x, y, "cross_entropy")
        matrix = np.stack([loss.times(e) for e in np.eye(loss.size)])
    return all_of(near(matrix, matrix.T, 1e-12), near(found, np.linalg.eigvalsh(matrix)[::-1][:6], 1e-7))


def hessian_refuses(rng, draws):
    net, x, y = _network(rng)
    frozen = nn.Linear(6, 4).double().requires_grad_(False)
    return all_of(
        refused(lambda: hessian_eigenvalues(net, x, y, k=0), "k is 0"),
        refused(lambda: hessian_eigenvalues(frozen, x, y), "no parameter with gradients"),
        refused(lambda: hessian_eigenvalues(net, x, y[:5]), "one each is needed"),
        refused(lambda: hessian_eigenvalues(net, x, y, loss="hinge"), "unknown loss"),
        refused(lambda: hessian_eigenvalues(net, x * float("inf"), y), "finite"),
        refused(lambda: spectral_density(net, x, y, steps=0), "at least 1"),
        refused(lambda: fisher_trace(net, x, vectors=1), "at least 2"),
    )


HESSIAN = [
    Row(TOP, "null", "a loss that is linear in the weights", flat_loss),
    Row(TOP, "truth", "quadratics, dense and by ARPACK", quadratics),
    Row(TOP, "truth", "linear regression: X'X / n", linear_regression),
    Row(TOP, "truth", "softmax regression in closed form", softmax_regression),
    Row(TOP, "truth", "a network: ARPACK against the whole matrix, which is symmetric", dense_is_arpack),
    Row(TOP, "invariance", "order, mode, grad mode, numpy; left as found", hessian_does_not_depend),
    Row(TOP, "truth", "refusals, those of the others too", hessian_refuses),
    Row(DENSITY, "null", "a loss that is linear in the weights", flat_loss),
    Row(DENSITY, "truth", "a small spectrum and its trace", density_moments),
    Row(DENSITY, "truth", "two eigenvalues of 2,000", density_of_few_values),
    Row(DENSITY, "invariance", "mode, numpy", others_do_not_depend),
    Row("inspection.SpectralDensity.mean", "truth", "a small spectrum and its trace", density_moments),
    Row("inspection.SpectralDensity.below", "truth", "two eigenvalues of 2,000", density_of_few_values),
    Row(FISHER, "null", "a certain model", certain_model),
    Row(FISHER, "truth", "softmax regression in closed form", fisher_of_softmax, 60, 500),
    Row(FISHER, "invariance", "mode", others_do_not_depend),
]  # fmt: skip
