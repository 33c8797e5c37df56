"""Information of models in closed form, and of layers by their distances: neurons, linear maps,
noisy networks, clusters."""

import numpy as np
import torch
from scipy.integrate import trapezoid
from scipy.special import ndtr
from scipy.stats import norm

import deeptheory as dt
from deeptheory import information as info
from trials.frame import Row, all_of, near, refused, same


def one_neuron(rng, draws):
    out = []
    for w in (0.3, 1.0, 4.0):
        edges = np.linspace(-1, 1, 31)
        cells = np.tanh(w * rng.normal(size=200_000))
        p = np.bincount(np.clip(np.searchsorted(edges, cells) - 1, 0, 29), minlength=30) / 200_000
        bits = -(p[p > 0] * np.log2(p[p > 0])).sum()
        out.append(near(info.one_neuron_information(w, edges), bits, 0.01, f"w = {w}: "))
    two, q = info.one_neuron_information(1.7, [-1, 0.5, 1]), ndtr(np.arctanh(0.5) / 1.7)
    out.append(near(two, -(q * np.log2(q) + (1 - q) * np.log2(1 - q)), 1e-12, "two cells, closed form: "))
    out.append(near(info.one_neuron_information(1e-9, [-1, -0.5, 0.5, 1]), 0, 1e-12, "no weight: "))
    return all_of(*out)


def one_neuron_shapes(rng, draws):
    w = np.exp(rng.normal(size=6))
    edges = np.linspace(-1, 1, 9)
    whole = info.one_neuron_information(w, edges)
    return all_of(
        same([whole, [float(info.one_neuron_information(v, edges)) for v in w]]),
        near(info.one_neuron_information(torch.as_tensor(w), edges), whole, 1e-12),
        refused(lambda: info.one_neuron_information(-1.0, edges), "weights above 0"),
    )


def two_points(rng, draws):
    """Antipodal signalling: closed by quadrature; far apart the entropy of the points, at no weight 0."""
    out = []
    for w in (0.2, 1.0, 2.5):
        z = np.linspace(-14, 14, 56_001)
        mix = (norm.pdf(z - w) + norm.pdf(z + w)) / 2
        bits = -trapezoid(mix * np.log2(mix), z) - 0.5 * np.log2(2 * np.pi * np.e)
        got = info.noisy_neuron_information(w * 0.3, [-1, 1], 0.3, activation="linear")
        out.append(near(got, bits, 1e-6, f"w = {w}: "))
    for n in (2, 5, 16):
        out.append(near(info.noisy_neuron_information(1e4, np.arange(n), 0.1, activation="linear"), np.log2(n), 1e-6))
    out.append(near(info.noisy_neuron_information(0.0, rng.normal(size=7), 0.1), 0, 1e-6, "no weight: "))
    return all_of(*out)


def points_order(rng, draws):
    x = rng.normal(size=9)
    base = info.noisy_neuron_information(2.0, x, 0.2)
    turned = info.noisy_neuron_information(2.0, rng.permutation(x), 0.2)
    double = info.noisy_neuron_information(2.0, np.repeat(x, 2), 0.2)
    scaled = info.noisy_neuron_information(2e9, x * 1e-9, 0.2)
    return same([base, turned, double, scaled], 1e-9)


def linear(rng, draws):
    out = [near(info.linear_information(np.zeros((3, 4)), 0.5), 0, 0, "no weight: ")]
    for noise in (0.01, 1.0, 100.0):
        w = rng.normal(size=(1, 1))
        out.append(
            near(info.linear_information(w, noise), 0.5 * np.log2(1 + (w[0, 0] / noise) ** 2), 1e-9, "one unit: ")
        )
    w, x = rng.normal(size=(2, 3)), rng.normal(size=(20_000, 3)) / np.sqrt(3)
    t = x @ w.T + 0.7 * rng.normal(size=(20_000, 2))
    sampled = dt.mutual_information(x, t, "gaussian").value
    out.append(near(info.linear_information(w, 0.7), sampled, 0.05, "sampled: "))
    teacher = rng.normal(size=(1, 3))
    y = x @ teacher.T + 0.5 * rng.normal(size=(20_000, 1))
    sampled = dt.mutual_information(t, y, "gaussian").value
    out.append(
        near(info.linear_label_information(w, 0.7, teacher, label_sigma=0.5), sampled, 0.03, "about the label: ")
    )
    for size in (1.0, 1e-4, 1e-8, 1e-12):
        w, v = size * rng.normal(size=(1, 3)), size * rng.normal(size=(1, 3))
        rho2 = ((w @ v.T / 3) ** 2 / ((w @ w.T / 3 + 0.49) * (v @ v.T / 3 + 0.25))).item()
        known = [-0.5 * np.log1p(-rho2) / np.log(2), 0.5 * np.log1p((w @ w.T).item() / 3 / 0.49) / np.log(2)]
        got = [info.linear_label_information(w, 0.7, v, label_sigma=0.5), info.linear_information(w, 0.7)]
        out.append(near(np.array(got) / known, 1, 1e-9, f"weights of {size:g}, relative: "))
    blind = np.array([[1.0, 0, 0]]), np.array([[0, 1.0, 1.0]])
    out.append(
        near(info.linear_label_information(blind[0], 0.7, blind[1], label_sigma=0.5), 0, 1e-12, "inputs not shared: ")
    )
    return all_of(*out)


def read_on_the_probe(rng, draws):
    """I of T = W X + noise from the layer's numbers on the probe: one half log2 det (1 + W W' / (n sigma^2)), in words
    of singular values; of the inputs that carry the label and of the others, those that are not asked for as noise."""
    out = []
    for inputs, units, sigma in ((1, 1, 0.3), (5, 3, 1.0), (4, 9, 0.05)):
        w, shift = rng.normal(size=(2, units, inputs)), rng.normal(size=(2, 1, units))
        layers = np.stack([info.LinearGaussian.probe(inputs) @ m.T for m in w]) + shift
        known = [0.5 * np.log2(1 + np.linalg.svd(m)[1] ** 2 / inputs / sigma**2).sum() for m in w]
        out.append(near(info.LinearGaussian(sigma=sigma).summarize(layers)["i_x"], known, 1e-5))
        some = inputs // 2
        got = info.LinearGaussian(sigma=sigma, relevant=some).summarize(layers)
        for name, others in (("i_x_relevant", slice(some, None)), ("i_x_irrelevant", slice(0, some))):
            parts = []
            for m in w:
                every, rest = m @ m.T / inputs, m[:, others]
                noise = sigma**2 * np.eye(units) + rest @ rest.T / inputs
                parts.append(
                    0.5 * (np.linalg.slogdet(every + sigma**2 * np.eye(units))[1] - np.linalg.slogdet(noise)[1])
                )
            out.append(near(got[name], np.array(parts) / np.log(2), 1e-5, f"{name}: "))
    return all_of(*out)


def linear_turns(rng, draws):
    w, teacher = rng.normal(size=(4, 5)), rng.normal(size=(2, 5))
    turn = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    forms = [w, turn @ w, w[::-1], torch.as_tensor(w), w.copy(order="F")]
    whole = same([info.linear_information(f, 0.3) for f in forms], 1e-9)
    label = same([info.linear_label_information(f, 0.3, teacher, label_sigma=0.4) for f in forms], 1e-9)
    units = same([info.linear_information(w * c, 0.3 * c) for c in (1, 1e-6, 1e6)], 1e-6)
    layer = w @ info.LinearGaussian.probe(5).T + 2.0
    read = info.LinearGaussian(sigma=0.3).summarize(layer.T[None])["i_x"][0]
    return all_of(whole, label, units, near(read, info.linear_information(w, 0.3), 1e-5, "read out on the probe: "))


def noisy_layers(rng, draws):
    """One layer over a few points is a channel of one integral; a layer that ignores its input carries nothing."""
    out = []
    for w in (0.5, 1.5):
        x = torch.linspace(-1, 1, 8, dtype=torch.float32)[:, None]
        (got,) = dt.information.noisy_network_information([lambda t, w=w: torch.tanh(w * t)], x, 0.2, draws=256, seed=1)
        bits = float(info.noisy_neuron_information(w, x[:, 0].numpy(), 0.2))
        out.append(near(got.low - 0.01 <= bits <= got.high + 0.01, True, 0, f"w = {w}: "))
        out.append(near(got.value, bits, 0.05, f"w = {w}: "))
    (none,) = dt.information.noisy_network_information([lambda t: 0 * t], x, 0.2, seed=1)
    out.append(near(none.value, 0, 0.01, "blind layer: "))
    return all_of(*out)


def noisy_order(rng, draws):
    x = torch.as_tensor(rng.normal(size=(12, 2)), dtype=torch.float32)
    layer = torch.nn.Linear(2, 2)
    turn = torch.as_tensor(rng.permutation(12))
    with torch.no_grad():
        a, b = (
            dt.information.noisy_network_information([layer], v, 0.3, draws=256, seed=2)[0].value for v in (x, x[turn])
        )
        with torch.inference_mode():
            c = dt.information.noisy_network_information([layer], x, 0.3, draws=256, seed=2)[0].value
    return all_of(near(a, b, 0.1, "order of inputs: "), same([a, c], 1e-6))


def by_hand(h, labels):
    apart = np.linalg.norm(h[:, None] - h[None], axis=2)
    pairs = np.triu(np.ones(apart.shape, dtype=bool), 1)
    alike = labels[:, None] == labels[None]
    return apart[pairs & alike].mean(), apart[pairs & ~alike].mean()


def clusters(rng, draws):
    out = []
    for n, d in ((6, 1), (40, 3), (90, 20)):
        h, labels = rng.normal(size=(n, d)), np.arange(n) % 3
        got = info.Clusters(0.5).summarize(h[None], labels)
        within, between = by_hand(h, labels)
        out += [near(got["within"][0], within, 1e-9), near(got["between"][0], between, 1e-9)]
        unit = h / np.linalg.norm(h, axis=1, keepdims=True)
        cosine, pairs = unit @ unit.T, np.triu(np.ones((n, n), dtype=bool), 1)
        alike = labels[:, None] == labels[None]
        found = info.Cosines().summarize(h[None], labels)
        out += [
            near(found["within"][0], cosine[pairs & alike].mean(), 1e-9),
            near(found["between"][0], cosine[pairs & ~alike].mean(), 1e-9),
        ]
    points = np.repeat(np.arange(4) * 10.0, 8)[:, None]
    tight = info.Clusters(1.0).summarize(points[None], np.repeat(np.arange(4), 8))
    return all_of(*out, near(tight["apart"][0], 2, 1e-12, "4 equal clusters: "), near(tight["within"][0], 0, 0))


def no_classes(rng, draws):
    """Labels that mean nothing: within and between classes alike, on the average of draws."""
    rest = []
    for _ in range(draws):
        h, labels = rng.normal(size=(60, 4)), rng.permutation(60) % 3
        a, b = info.Clusters(0.5).summarize(h[None], labels), info.Cosines().summarize(h[None], labels)
        rest.append([float(v["within"][0] - v["between"][0]) for v in (a, b)])
    rest = np.array(rest)
    return near(np.abs(rest.mean(0)) / (rest.std(0) / np.sqrt(draws)), 0, 4, "mean difference in standard errors ")


def cluster_names(rng, draws):
    h, labels = rng.normal(size=(2, 30, 4)), np.arange(30) % 3
    turn = rng.permutation(30)
    rotate = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    forms = [
        (h, labels),
        (h[:, turn], labels[turn]),
        (h @ rotate, labels),
        (torch.as_tensor(h), torch.as_tensor(labels)),
    ]
    forms += [(h, labels * 20_000), (h, np.array(list("abc"))[labels]), (h, labels[:, None])]
    one = same([np.concatenate(list(info.Clusters(0.7).summarize(*f).values())) for f in forms], 1e-9)
    return all_of(one, same([np.concatenate(list(info.Cosines().summarize(*f).values())) for f in forms], 1e-9))


_LINEAR = (
    "information.linear_information",
    "information.linear_label_information",
    "information.LinearGaussian.summarize",
)
_CLASSES = ("information.Clusters.summarize", "information.Cosines.summarize")
MODELS = [
    Row("information.one_neuron_information", "truth", "sampled cells; two cells in closed form; no weight",
        one_neuron),
    Row("information.one_neuron_information", "invariance", "one by one or together, torch", one_neuron_shapes),
    Row("information.noisy_neuron_information", "truth", "two points by quadrature; far apart, at no weight",
        two_points),
    Row("information.noisy_neuron_information", "invariance", "order and repeats of points, units", points_order),
    *(Row(n, "truth", "no weight, one unit, 20,000 samples of layer and label", linear) for n in _LINEAR[:2]),
    Row(_LINEAR[2], "truth", "maps read on the probe: singular values; parts of the inputs", read_on_the_probe),
    *(Row(n, "invariance", "turned units, torch, units of measurement, read on the probe", linear_turns)
        for n in _LINEAR),
    Row("information.noisy_network_information", "truth", "one layer over 8 points: one integral; a blind layer",
        noisy_layers),
    Row("information.noisy_network_information", "invariance", "order of inputs, inference_mode", noisy_order),
    *(Row(n, "truth", "distances and cosines by hand; 4 equal clusters", clusters) for n in _CLASSES),
    *(Row(n, "null", "labels that mean nothing", no_classes, 40, 400) for n in _CLASSES),
    *(Row(n, "invariance", "order, rotation, names of labels, torch", cluster_names) for n in _CLASSES),
]  # fmt: skip
