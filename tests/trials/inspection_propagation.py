"""Trials of the Jacobian, of the correlation of inputs and of the mean-field map: rows of test_inspection."""

import math

import numpy as np
import torch
from torch import nn

from deeptheory.inspection import jacobian_moments, jacobian_singular_values, mean_correlation, mean_field_kernel
from trials.frame import Found, Row, all_of, covers, near, refused, same

VALUES = "inspection.jacobian_singular_values"
MOMENTS = "inspection.jacobian_moments"
CORRELATION = "inspection.mean_correlation"
MAP = "inspection.mean_field_kernel"


def linear(rng, depth, width, orthogonal=False, activation=None, gain=1.0):
    layers = []
    for _ in range(depth):
        w = rng.normal(size=(width, width)) / math.sqrt(width)
        layer = nn.Linear(width, width, bias=False, dtype=torch.float64)
        layer.weight.data = torch.as_tensor(gain * (np.linalg.qr(w)[0] if orthogonal else w))
        layers += [layer, *([activation()] if activation else [])]
    return nn.Sequential(*layers)


def inputs(rng, n, width):
    return torch.as_tensor(rng.normal(size=(n, width)))


def gaussian_depth(rng, draws):
    """Largest s^2 of L Gaussian layers: (L + 1)^(L + 1) / L^L, at width 500 within 8 %."""
    return all_of(
        *(
            near(
                float(jacobian_singular_values(linear(rng, depth, 500), inputs(rng, 2, 500))[0, 0]) ** 2
                / ((depth + 1) ** (depth + 1) / depth**depth),
                1,
                0.08,
            )
            for depth in (1, 3)
        )
    )


def orthogonal_depth(rng, draws):
    return near(jacobian_singular_values(linear(rng, 6, 40, True), inputs(rng, 3, 40)), 1, 1e-12)


def critical_relu(orthogonal):
    """Variance over squared mean of s^2: 2 L for Gaussian weights, L for orthogonal ones; width 400,
    mean of 2 networks of 3 layers."""

    def check(rng, draws):
        found = []
        for _ in range(2 * draws):
            net = linear(rng, 3, 400, orthogonal, nn.ReLU, math.sqrt(2))
            square = jacobian_singular_values(net, inputs(rng, 2, 400)).square()
            found.append(float((square.var(1, correction=0) / square.mean(1).square()).mean()))
        return near(np.mean(found) / (3 if orthogonal else 6), 1, 0.2)

    return check


class _Curved(nn.Module):
    """Several axes in, a dict out, dropout and batch statistics on the way."""

    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Dropout(0.5)
        self.last = nn.Linear(12, 5)

    def forward(self, x):
        h = torch.tanh(self.drop(self.norm(self.conv(x))))
        return {"ids": torch.arange(len(x)), "logits": self.last(h.flatten(1))}


def _curved(rng):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(1 << 30)))
        net = _Curved().double()
    net.norm.running_mean.normal_(generator=torch.Generator().manual_seed(1))
    return net, torch.as_tensor(rng.normal(size=(6, 2, 4, 4)))


def jacobian_by_differences(rng, draws):
    """Against central differences of every input entry, and their singular values."""
    net, x = _curved(rng)
    net.eval()
    out = []
    with torch.no_grad():
        for a in x:
            columns = []
            for k in range(a.numel()):
                e = torch.zeros(a.numel(), dtype=torch.float64)
                e[k] = 1e-5
                up, down = (net((a + s * e.view_as(a))[None])["logits"][0] for s in (1, -1))
                columns.append((up - down) / 2e-5)
            out.append(torch.linalg.svdvals(torch.stack(columns, 1)))
    return near(jacobian_singular_values(net, x), torch.stack(out), 1e-8)


class _Still(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, x):
        return self.weight + 0 * x.sum(1, keepdim=True)


def constant_network(rng, draws):
    x = inputs(rng, 4, 5)
    found = jacobian_moments(_Still().double(), x)
    return near([*jacobian_singular_values(_Still().double(), x).ravel(), *found.mean_square, *found.largest], 0, 0)


def jacobian_does_not_depend(what):
    """On train mode, batches, grad mode, gradients that are frozen, who is next to whom;
    and the network is left as found."""

    def check(rng, draws):
        net, x = _curved(rng)
        net.eval()
        turn = torch.as_tensor(rng.permutation(6))
        base = what(net, x)
        net.train()
        before = {k: v.clone() for k, v in net.state_dict().items()}
        found = [base, what(net, x)]
        with torch.inference_mode():
            found.append(what(net, x))
        for p in net.parameters():
            p.requires_grad_(False)
        with torch.no_grad():
            found += [what(net, x[turn])[torch.argsort(turn)], torch.cat([what(net, x[:2]), what(net, x[2:])])]
        kept = [net.training, *(torch.equal(v, before[k]) for k, v in net.state_dict().items())]
        return all_of(same(found, 1e-10), Found(f"{sum(kept)} of {len(kept)} as found", "all", all(kept)))

    return check


def jacobian_refuses(rng, draws):
    x, net = inputs(rng, 4, 3), nn.Linear(3, 2).double()
    seen = type("Seen", (nn.Module,), {"forward": lambda self, x: x - x.mean(0)})()
    cut = type("Cut", (nn.Module,), {"forward": lambda self, x: x.detach() * 2})()
    ids = nn.Sequential(nn.Embedding(9, 4), nn.Flatten())
    return all_of(
        refused(lambda: jacobian_singular_values(seen, x), "see each other"),
        refused(lambda: jacobian_singular_values(cut, x), "no derivative"),
        refused(lambda: jacobian_singular_values(ids, torch.arange(8).view(4, 2)), "integers"),
        refused(lambda: jacobian_moments(net, x, vectors=1), "vectors is 1"),
    )


def moments_hold(rng, draws):
    """The mean square over 20 inputs, 16 vectors: within 1.96 standard errors (Student, 15) of the exact value as often
    as said."""
    from scipy.stats import t

    hits, total, off = 0, 0, []
    for _ in range(draws):
        net, x = linear(rng, 3, 40, activation=nn.Tanh), inputs(rng, 20, 40)
        exact = jacobian_singular_values(net, x).square().mean(1)
        found = jacobian_moments(net, x, steps=2, seed=int(rng.integers(1 << 30)))
        hits += int(((found.mean_square - exact).abs() <= t.ppf(0.975, 15) * found.error).sum())
        total += 20
        off.append([float((found.mean_square - exact).square().mean()), float(found.error.square().mean())])
    missed, said = np.sqrt(np.mean(off, 0))  # an error that is too large covers, too
    return all_of(covers(hits, total), near(missed / said, 1, 0.3, "size of the errors over what is said: "))


def largest_is_reached(rng, draws):
    """With as many steps as units it is the largest; 20 steps of 120 come within 2 %, from below."""
    small, big = linear(rng, 2, 12, activation=nn.Tanh), linear(rng, 3, 120, activation=nn.Tanh)
    x, z = inputs(rng, 3, 12), inputs(rng, 3, 120)
    ratio = jacobian_moments(big, z).largest / jacobian_singular_values(big, z)[:, 0]
    return all_of(
        near(jacobian_moments(small, x, steps=12).largest, jacobian_singular_values(small, x)[:, 0], 1e-9),
        near(ratio, 0.99, 0.01 + 1e-9),
    )


# correlation


def unrelated_patterns(rng, draws):
    """Independent Gaussian activations: mean 0, standard deviation of the mean over pairs 1 / sqrt(d n (n - 1) / 2)."""
    found = [mean_correlation(rng.normal(size=(30, 200))) for _ in range(draws)]
    return near(np.mean(found), 0, 4 / math.sqrt(200 * 435 * draws))


def known_angle(rng, draws):
    a = np.array([[1.0, 0], [math.cos(1.1), math.sin(1.1)], [-1, 0]])
    c = (math.cos(1.1) - 1 - math.cos(1.1)) / 3
    return near([mean_correlation(a), mean_correlation(a * [[1e-200], [1e200], [3]])], c, 1e-12)


def correlation_does_not_depend(rng, draws):
    x = rng.normal(size=(9, 5)) + 1
    q = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    several = [
        x,
        x[rng.permutation(9)],
        x[:, rng.permutation(5)],
        x @ q,
        1e-190 * x,
        torch.as_tensor(x),
        torch.as_tensor(x, dtype=torch.bfloat16).double(),
    ]
    found = [mean_correlation(v) for v in several]
    return all_of(same(found[:-1], 1e-12), near(found[-1], found[0], 0.01))


def correlation_refuses(rng, draws):
    return all_of(
        refused(lambda: mean_correlation(np.zeros((3, 2))), "of them zeros"),
        refused(lambda: mean_correlation(np.ones((1, 2))), "two or more"),
        refused(lambda: mean_field_kernel([[1.0, 2.0], [0.0, 1.0]], None), "not symmetric"),
        refused(lambda: mean_field_kernel([[1.0]], None, weight_variance=-1.0), "negative"),
    )


def _kernel(rng, n=5):
    x = rng.normal(size=(n, 8))
    return x @ x.T / 8


def map_of_erf(rng, draws):
    """Williams 1997: E erf(u) erf(v) = 2 / pi asin(2 q12 / sqrt((1 + 2 q11) (1 + 2 q22)))."""
    erf = type("Erf", (nn.Module,), {"forward": lambda self, z: torch.erf(z)})()
    k = _kernel(rng)
    q = 1.3 * k + 0.1
    one = 1 + 2 * np.diag(q)
    truth = 2 / math.pi * np.arcsin(2 * q / np.sqrt(one[:, None] * one))
    return near(mean_field_kernel(k, erf, weight_variance=1.3, bias_variance=0.1), truth, 1e-6)


def map_of_samples(activation):
    """Against the mean over 400,000 draws of the Gaussian pair, within 5 of their standard errors."""

    def check(rng, draws):
        k = _kernel(rng, 3)
        z = rng.multivariate_normal(np.zeros(3), 1.5 * k + 0.2, size=400_000)
        f = activation(torch.as_tensor(z)).numpy()
        product = f[:, :, None] * f[:, None]
        error = product.std(0) / math.sqrt(len(f))
        found = mean_field_kernel(k, activation, weight_variance=1.5, bias_variance=0.2)
        return near((found - product.mean(0)) / error, 0, 5, "in standard errors: ")

    return check


def wide_network(rng, draws):
    """The correlation in a random ReLU network of width 4,000 is the map's within 3 %."""
    x = rng.normal(size=(6, 30))
    kernel, h, out = x @ x.T / 30, x, []
    for _ in range(3):
        w, b = rng.normal(size=(4000, h.shape[1])) * math.sqrt(1.7 / h.shape[1]), rng.normal(size=4000) * 0.3
        h = np.maximum(h @ w.T + b, 0)
        kernel = mean_field_kernel(kernel, nn.ReLU(), weight_variance=1.7, bias_variance=0.09)
        size = np.sqrt(np.diag(kernel))
        c = kernel / size / size[:, None]
        out.append(near(mean_correlation(h), (c.sum() - 6) / 30, 0.03))
    return all_of(*out)


def unrelated_stay_unrelated(rng, draws):
    """An odd nonlinearity without biases keeps a correlation of 0."""
    found = mean_field_kernel(np.diag([0.5, 1.0, 4.0]), nn.Tanh(), weight_variance=1.5)
    return near(found - np.diag(np.diag(found)), 0, 1e-12)


def map_does_not_depend(rng, draws):
    k, turn = _kernel(rng), rng.permutation(5)
    for_tanh = mean_field_kernel(k, nn.Tanh())
    relu = mean_field_kernel(k, nn.ReLU())
    return all_of(
        near(mean_field_kernel(k[np.ix_(turn, turn)], nn.Tanh()), for_tanh[np.ix_(turn, turn)], 1e-12),
        near(mean_field_kernel(torch.as_tensor(k), nn.Tanh()), for_tanh, 0),
        near(mean_field_kernel(k * 1e-120, nn.ReLU()) * 1e120, relu, 1e-12),
        near(mean_field_kernel(k, nn.LeakyReLU(1.0)), k, 1e-12),
    )


PROPAGATION = [
    Row(VALUES, "null", "a constant network has none", constant_network),
    Row(VALUES, "truth", "Gaussian linear layers: (L + 1)^(L + 1) / L^L", gaussian_depth),
    Row(VALUES, "truth", "orthogonal linear layers: all 1", orthogonal_depth),
    Row(VALUES, "truth", "critical ReLU, Gaussian: variance 2 L", critical_relu(False)),
    Row(VALUES, "truth", "critical ReLU, orthogonal: variance L", critical_relu(True)),
    Row(VALUES, "truth", "central differences of a convolutional network", jacobian_by_differences),
    Row(VALUES, "invariance", "mode, batches, order, grad mode; left as found",
        jacobian_does_not_depend(jacobian_singular_values)),
    Row(VALUES, "truth", "refusals", jacobian_refuses),
    Row(MOMENTS, "null", "a constant network has none", constant_network),
    Row(MOMENTS, "truth", "the mean square's standard error holds", moments_hold, 10, 100),
    Row(MOMENTS, "truth", "largest singular value, from below", largest_is_reached),
    Row(MOMENTS, "invariance", "largest: mode, batches, order, grad mode; left as found",
        jacobian_does_not_depend(lambda net, x: jacobian_moments(net, x, steps=5).largest)),
    Row(CORRELATION, "null", "independent patterns", unrelated_patterns, 20, 200),
    Row(CORRELATION, "truth", "known angles, tiny and huge patterns", known_angle),
    Row(CORRELATION, "invariance", "order, units, rotation, scale, torch, bfloat16", correlation_does_not_depend),
    Row(CORRELATION, "truth", "refusals, those of the map too", correlation_refuses),
    Row(MAP, "null", "unrelated inputs stay unrelated under tanh", unrelated_stay_unrelated),
    Row(MAP, "truth", "the error function in closed form", map_of_erf),
    *(Row(MAP, "truth", f"{type(a).__name__} against draws", map_of_samples(a))
        for a in (nn.ReLU(), nn.LeakyReLU(0.1), nn.Tanh(), nn.GELU())),
    Row(MAP, "truth", "a random network of width 4,000", wide_network),
    Row(MAP, "invariance", "order, torch, scale of ReLU, identity", map_does_not_depend),
]  # fmt: skip
