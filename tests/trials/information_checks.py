"""What test_information.py tries of estimators from samples: draws, closed forms, checks."""

import numpy as np
import torch
from scipy.integrate import trapezoid
from scipy.stats import norm

import deeptheory as dt
from trials.frame import all_of, covers, near, often, same, uniform

MI, CMI, H = dt.mutual_information, dt.conditional_mutual_information, dt.entropy
LN2 = np.log(2)


def dense(n, d):
    return lambda rng: rng.normal(size=(n, d))


def relu(n, d):
    return lambda rng: np.maximum(rng.normal(size=(n, d)), 0)


def counts(n, d, mean=3):
    return lambda rng: rng.poisson(mean, size=(n, d)).astype(float)


def heavy(n, d):
    return lambda rng: rng.standard_t(2, size=(n, d))


def labels(n, *p):
    return lambda rng: rng.choice(len(p), size=n, p=p)


def nothing_shared(x, y, method, z=None, **options):
    """The interval holds 0 on independent draws."""

    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            got = CMI(x(rng), y(rng), z(rng), method=method, **options) if z else MI(x(rng), y(rng), method, **options)
            hits += got.low <= 0 <= got.high
        return covers(hits, draws)

    return check


def null_p(x, y, method, **options):
    def check(rng, draws):
        return uniform([MI(x(rng), y(rng), method, permutations=19, **options).p for _ in range(draws)])

    return check


def mean_of_null(method, x, y):
    """The mean of y permuted is the bias at independence: the value less it has mean 0."""

    def check(rng, draws):
        got = [MI(x(rng), y(rng), method, permutations=9) for _ in range(draws)]
        rest = np.array([g.value - g.null_mean for g in got])
        return near(rest.mean(), 0, 4 * rest.std() / np.sqrt(draws), "mean of value less null mean ")

    return check


def pair(rng, n, rho, d=1):
    x, y = rng.normal(size=(2, n, d))
    y[:, 0] = rho * x[:, 0] + np.sqrt(1 - rho**2) * y[:, 0]
    return x, y


def of_normals(rho):
    return -0.5 * np.log2(1 - rho**2)


def normal_truth(method, rho, within, d=1, n=2000, **options):
    def check(rng, draws):
        got = [MI(*pair(rng, n, rho, d), method, **options).value for _ in range(draws)]
        return near(np.mean(got), of_normals(rho), within)

    return check


def found(method, n, rho, d=1, share=0.8):
    """.2 bit: the interval leaves 0 out."""

    def check(rng, draws):
        return often(sum(MI(*pair(rng, n, rho, d), method).low > 0 for _ in range(draws)), draws, share)

    return check


def shifted(n, shift, p):
    """A normal moved by `shift` where a label of probability p is 1; bits by quadrature."""
    z = np.linspace(-10, 10 + shift, 40_001)
    densities = norm.pdf(z), norm.pdf(z - shift)
    mixture = (1 - p) * densities[0] + p * densities[1]
    bits = sum(
        w * trapezoid(np.where(f > 0, f * np.log2(np.maximum(f, 1e-300) / np.maximum(mixture, 1e-300)), 0), z)
        for w, f in zip((1 - p, p), densities)
    )

    def draw(rng):
        y = (rng.random(n) < p).astype(int)
        return rng.normal(size=n) + shift * y, y

    return draw, float(bits)


def label_truth(method, shift, p):
    draw, bits = shifted(2000, shift, p)

    def check(rng, draws):
        return near(np.mean([MI(*draw(rng), method).value for _ in range(draws)]), bits, 0.03)

    return check


def outliers(method, **options):
    def check(rng, draws):
        off = []
        for size in (1e3, 1e5, 1e12):
            u, v = pair(rng, 2000, np.sqrt(0.5))
            x, y = np.append(u, size), np.append(v, 0)
            off.append(near(MI(x, y, method, **options).value, 0.5, 0.1, f"outlier of {size:g}: "))
        return all_of(*off)

    return check


def tails(rng, draws):
    off = []
    for sigma in (1, 3, 6):
        u, v = pair(rng, 2000, np.sqrt(0.5))
        x, y = np.exp(sigma * u), np.exp(sigma * v)
        for method in ("ksg", "mixed", "gaussian"):
            got = MI(x, y, method, ranks=True).value
            off.append(near(got, 0.5, 0.12, f"{method}, lognormal sigma {sigma}: "))
    return all_of(*off)


def codes(rng, draws):
    """Names of labels, of y and of a condition, do not matter."""
    label = rng.integers(0, 3, 600)
    x, z = rng.normal(size=(600, 2)) + label[:, None], rng.normal(size=600)
    out = []
    for names in ([0, 1, 2], [7, 1, 1000], [-5, 30_000, 4], ["a", "b", "c"]):
        y = np.array(names)[label]
        out.append(
            [MI(x, y, "labels").value, MI(y, label, "plugin").value, CMI(x, z, y).value, H(y).value, MI(x, y).value]
        )
    return same(out, 1e-12)


def units_and_order(method, **options):
    def check(rng, draws):
        x, y = pair(rng, 400, 0.6, 2)
        turn = rng.permutation(400)
        out = [MI(x, y, method, **options).value, MI(x[turn], y[turn], method, **options).value]
        out += [MI(x * c, y / c, method, **options).value for c in (1e-200, 1e-8, 1e8, 1e200)]
        return same(out, 1e-6)

    return check


def kinds(rng, draws):
    """numpy, torch, lists, pandas, dtypes, default dtypes, grad modes."""
    import pandas as pd

    x, y = (a.astype(np.float32) for a in pair(rng, 300, 0.6, 2))
    label = rng.integers(0, 3, 300)
    base = [MI(x, y, "ksg").value, MI(x, label).value, CMI(x, y, label).value, H(x).value]

    def with_(of):
        return [
            MI(of(x), of(y), "ksg").value,
            MI(of(x), of(label)).value,
            CMI(of(x), of(y), of(label)).value,
            H(of(x)).value,
        ]

    out = [base, with_(torch.as_tensor), with_(lambda a: a.tolist()), with_(np.asfortranarray)]
    out.append(with_(lambda a: pd.DataFrame(a) if a.ndim == 2 else pd.Series(a).astype("category")))
    before = torch.get_default_dtype()
    try:
        for dtype in (torch.float64, torch.bfloat16):
            torch.set_default_dtype(dtype)
            out.append(with_(torch.as_tensor))
        with torch.inference_mode():
            out.append(with_(torch.as_tensor))
    finally:
        torch.set_default_dtype(before)
    return same(out, 1e-6)


def halves(rng, draws):
    """bfloat16 and float16 are taken as they are: their ties are no information."""
    out = []
    for dtype in (torch.bfloat16, torch.float16):
        a = torch.as_tensor(rng.normal(size=4000)).to(dtype)
        out.append(near(MI(a, (a > 0).long()).value, 1, 0.03, f"{dtype} against its sign: "))
        b = torch.as_tensor(rng.normal(size=4000)).to(dtype)
        out.append(near(MI(a, b).value, 0, 0.08, f"{dtype}, independent: "))
    return all_of(*out)


def conditional_labels(rng, draws):
    label = rng.integers(0, 3, 4000)
    truth = 0.5 * np.log2(5)  # -2 r + e: noise of variance 1 around a standard normal times 2
    off = []
    for names in ([0, 1, 2], [7, 1, 1000]):
        r = rng.normal(size=4000)
        got = CMI(np.array(names)[label], r - 2 * label, rng.normal(size=4000))
        off.append(near(got.value, _shift_information(), 0.06, "labels beside numbers, given noise: "))
        got = CMI(r, -2 * r + rng.normal(size=4000), np.array(names)[label])
        off.append(near(got.value, truth, 0.08, "numbers given a label: "))
    return all_of(*off)


def _shift_information():
    z = np.linspace(-14, 10, 48_001)
    parts = [norm.pdf(z + 2 * k) for k in range(3)]
    mixture = sum(parts) / 3
    entropy = -trapezoid(mixture * np.log2(mixture), z)
    return float(entropy - 0.5 * np.log2(2 * np.pi * np.e))


def many_classes(rng, draws):
    z = rng.integers(0, 50, 4000)
    x, y = rng.normal(size=(2, 4000)) + z
    none = CMI(x, y, z)
    both = CMI(x, y + 0.75 * (x - z), z)
    return all_of(
        near(none.value, 0, 0.06, "50 classes, nothing left: "),
        near(both.value, 0.5 * np.log2(1 + 0.75**2), 0.08, "50 classes, .322 left: "),
    )


def partial(rng, draws):
    z = rng.normal(size=(2000, 2))
    x = z[:, :1] + rng.normal(size=(2000, 1))
    y = z.sum(1, keepdims=True) + 0.8 * (x - z[:, :1]) + rng.normal(size=(2000, 1))
    truth = 0.5 * np.log2(1.64)
    return all_of(
        near(CMI(x, y, z, method="gaussian").value, truth, 0.06),
        near(CMI(x, y, z, method="ksg").value, truth, 0.12, "ksg: "),
    )


def entropies(rng, draws):
    n = 3000
    u = rng.normal(size=(n, 2))
    c = rng.integers(0, 8, n)
    return all_of(
        near(H(u[:, 0] * 5).value, np.log2(5 * np.sqrt(2 * np.pi * np.e)), 0.1, "normal: "),
        near(H(rng.uniform(0, 4, n)).value, 2, 0.1, "uniform: "),
        near(H(rng.exponential(size=n)).value, 1 / LN2, 0.1, "exponential: "),
        near(H(u, "gaussian").value, np.log2(2 * np.pi * np.e), 0.1, "Gaussian: "),
        near(H(c).value, 3, 0.02, "8 equal symbols: "),
        near(H(np.array(list("abcdefgh"))[c]).value, 3, 0.02, "8 words: "),
        near(H(c, unit="nats").value, H(c).value * LN2, 1e-12, "nats: "),
        near(H(np.c_[u, u]).value, -np.inf, 0, "repeated columns: "),
    )


def entropy_intervals(draw, truth, method):
    def check(rng, draws):
        got = [H(draw(rng), method) for _ in range(draws)]
        return covers(sum(g.low <= truth <= g.high for g in got), draws)

    return check


def entropy_units(rng, draws):
    x = rng.normal(size=(500, 2))
    turn = rng.permutation(500)
    out = [H(x).value, H(x[turn]).value, *(H(x * c).value - 2 * np.log2(c) for c in (1e-100, 1e-8, 1e8, 1e100))]
    return same(out, 1e-6)


def copies(rng, draws):
    """I(X;X) of continuous data has no finite truth, and says so; of labels it is the entropy."""
    u = rng.normal(size=1500)
    out = []
    for method in ("ksg", "wkl", "gaussian", "auto"):
        got = MI(np.c_[u, rng.normal(size=1500)], u, method)
        out.append(near("infinite" in " ".join(got.notes), True, 0, f"{method} named: "))
    c = rng.integers(0, 5, 1500)
    out.append(near(MI(c, c).value, H(c).value, 0.01, "labels: "))
    x, y = pair(rng, 2000, np.sqrt(0.5))
    out += [near(MI(np.c_[x, x], y, m).value, MI(x, y, m).value, 1e-6, f"{m}, column twice: ") for m in ("ksg", "auto")]
    return all_of(*out)
