"""Trials of the physics of cheap learning: posteriors, partition functions, hierarchies,
renormalization, flattening."""

import itertools
import math
from fractions import Fraction

import numpy as np
import torch

from deeptheory import cheap
from trials.frame import Row, all_of, covers, near, refused, same

INF = math.inf


def gaussians(rng, d, classes, scale=1.0):
    means = rng.normal(size=(classes, d)) * scale
    roots = rng.normal(size=(classes, d, d)) + 2 * np.eye(d)
    return means, np.einsum("cij,ckj->cik", roots, roots) * scale**2


def posterior_of_gaussians(d, scale):
    def check(rng, draws):
        from scipy.stats import multivariate_normal

        means, covariances = gaussians(rng, d, 3, scale)
        priors = rng.dirichlet(np.ones(3) * 5)
        made = cheap.BayesSoftmax(
            cheap.GaussianHamiltonian(torch.tensor(means), torch.tensor(covariances)), torch.tensor(priors)
        )
        x = rng.normal(size=(50, d)) * scale
        logs = np.stack([multivariate_normal(m, c).logpdf(x) for m, c in zip(means, covariances)], -1) + np.log(priors)
        p = np.exp(logs - logs.max(-1, keepdims=True))
        return near(made(torch.tensor(x)).detach().numpy(), p / p.sum(-1, keepdims=True), 1e-9)

    return check


def far_away(size):
    """Equal covariances: the class on that side, in closed form; unequal: the widest."""

    def check(rng, draws):
        d = 3
        means = rng.normal(size=(2, d))
        equal = cheap.BayesSoftmax(cheap.GaussianHamiltonian(torch.tensor(means), torch.eye(d, dtype=torch.float64)))
        x = rng.normal(size=(20, d))
        side = (x @ (means[1] - means[0]) > 0).astype(int)
        first = near(equal(torch.tensor(x * size)).detach().numpy(), np.eye(2)[side], 1e-6)
        wide = torch.stack([torch.eye(d, dtype=torch.float64), 3 * torch.eye(d, dtype=torch.float64)])
        other = cheap.BayesSoftmax(cheap.GaussianHamiltonian(torch.tensor(means), wide))
        return all_of(first, near(other(torch.tensor(x * size)).detach().numpy()[:, 1], 1, 1e-9))

    return check


def bayes_null(rng, draws):
    """One Hamiltonian for all classes: the posterior is the prior."""
    priors = torch.tensor(rng.dirichlet(np.ones(4)))
    made = cheap.BayesSoftmax([lambda x: x.square().sum(-1)] * 4, priors)
    return near(made(torch.tensor(rng.normal(size=(9, 3)) * 100)).detach().numpy(), priors.numpy(), 1e-9)


def tables(rng, levels, impossible):
    scopes = [(0, 1), (1, 2), (2, 3), (0, 3), (1,)]
    out = []
    for s in scopes:
        t = rng.normal(size=[levels] * len(s))
        t = np.where(rng.random(t.shape) < impossible, -INF, t)
        out.append((s, torch.tensor(t)))
    return out


def graph_by_sums(levels, impossible):
    """ln Z, H and posteriors against sums over all states."""

    def check(rng, draws):
        factors = tables(rng, levels, impossible)
        factors[0][1][0, :] = factors[1][1][:, 0] = factors[2][1][0, 0] = factors[3][1][0, 0] = factors[4][1][:] = 0.0
        graph = cheap.FactorGraph(levels, factors)
        states = np.array(list(itertools.product(range(levels), repeat=4)))
        logs = sum(f.numpy()[tuple(states[:, v] for v in s)] for s, f in factors)
        z = np.log(np.exp(logs).sum())
        h = graph(torch.tensor(states)).detach().numpy()
        p = np.exp(logs)
        seen = np.array(list(itertools.product(range(levels), repeat=2)))
        truth = np.array(
            [
                [p[(states[:, 1] == a) & (states[:, 3] == b) & (states[:, 0] == q)].sum() for q in range(levels)]
                for a, b in seen
            ]
        )
        possible = truth.sum(1) > 0
        got = graph.posterior(0, [1, 3])(torch.tensor(seen)).detach().numpy()[possible]
        return all_of(
            near(graph.log_z().item(), z, 1e-9, "ln Z "),
            near(np.exp(-h), np.exp(logs - z), 1e-9, "p "),
            near(got, truth[possible] / truth[possible].sum(1, keepdims=True), 1e-9, "posterior "),
        )

    return check


def ising_line(n):
    """A chain without field: Z = 2 (2 cosh J)^(n - 1)."""

    def check(rng, draws):
        j = float(rng.normal())
        return near(
            cheap.ising([n], coupling=j).log_z().item(), math.log(2) + (n - 1) * math.log(2 * math.cosh(j)), 1e-9
        )

    return check


def potts_line(n, q):
    def check(rng, draws):
        j = float(rng.normal())
        return near(
            cheap.potts([n], q, coupling=j).log_z().item(), math.log(q) + (n - 1) * math.log(math.exp(j) + q - 1), 1e-9
        )

    return check


def chain_by_paths(levels, states):
    """Posterior, composition and information against sums over all paths, in fractions."""

    def check(rng, draws):
        prior, steps = cheap.lumpable_chain(int(rng.integers(2**31)), levels=levels, states=states)
        h = cheap.MarkovHierarchy(prior, steps)
        joint = np.zeros((states, states), dtype=object)
        total = sum(int(p) for p in prior)
        sums = [[sum(int(v) for v in m[:, j]) for j in range(states)] for m in steps]
        for path in itertools.product(range(states), repeat=levels + 1):
            w = Fraction(int(prior[path[0]]), total)
            for m, s, a, b in zip(steps, sums, path, path[1:]):
                w *= Fraction(int(m[b, a]), s[a])
            joint[path[0], path[-1]] += w
        p = joint.astype(float)
        alive = p.sum(0) > 0
        truth = (p / np.where(alive, p.sum(0), 1)).T[alive]
        ratio = p / np.where(p > 0, p.sum(0) * p.sum(1, keepdims=True), 1)
        bits = float((p * np.log2(np.where(ratio > 0, ratio, 1))).sum())
        held = h.theorem_2()
        return all_of(
            near(h.posterior()[alive], truth, 1e-12, "posterior "),
            near(h.compose()[alive], truth, 1e-12, "composition "),
            near(h.information(0)[1:], bits, 1e-9, "information "),
            near(len({tuple(r) for r in np.round(truth, 10)}), h.counts[0], 0, "classes "),
            near([held.violations, not held.agree], 0, 0, "theorem 2 "),
        )

    return check


def chain_null(rng, draws):
    """A step that forgets everything: one class above it, no information."""
    s = int(rng.integers(3, 7))
    m = np.tile(rng.integers(1, 9, (s, 1)), (1, s))
    h = cheap.MarkovHierarchy(rng.integers(1, 9, s), [m, np.eye(s, dtype=int)])
    return all_of(
        near(h.counts[0], 1, 0),
        near(h.information(0), 0, 1e-12),
        near(h.distil(0).lost, 0, 1e-12),
    )


def merged_by_loops(levels, states):
    """Classes of the top level merged one pair at a time, the pair whose mixing loses least first; what is lost, from
    informations of the tables before and after, down to one class, where all of it is."""

    def check(rng, draws):
        def bits(table):
            table = np.array([row for row in table if row is not None])
            outer = table.sum(0) * table.sum(1, keepdims=True)
            return float((table[table > 0] * np.log2(table[table > 0] / outer[table > 0])).sum())

        out, most = [], 0
        for _ in range(5):
            prior, steps = cheap.lumpable_chain(int(rng.integers(2**31)), levels=levels, states=states)
            h = cheap.MarkovHierarchy(prior, steps)
            top = np.diag(np.asarray(prior, dtype=float) / sum(int(v) for v in prior))
            for m in steps:
                top = (np.asarray(m, dtype=float) / np.asarray(m, dtype=float).sum(0)) @ top
            joint = {}  # rows of one posterior are one class
            for row in top[top.sum(1) > 0]:
                key = tuple(np.round(row / row.sum(), 10))
                joint[key] = joint.get(key, 0) + row
            rows, lost = list(joint.values()), [0.0]
            whole, found = bits(rows), h.distil(0)
            while len(rows) > 1:
                options = []
                for a, b in itertools.combinations(range(len(rows)), 2):
                    rest = [r for k, r in enumerate(rows) if k not in (a, b)]
                    options.append((bits(rows) - bits([*rest, rows[a] + rows[b]]), a, b))
                least, a, b = min(options)
                rows = [r for k, r in enumerate(rows) if k not in (a, b)] + [rows[a] + rows[b]]
                lost.append(lost[-1] + least)
            most = max(most, len(lost))
            out.append(near(found.states, range(len(lost), 0, -1), 0, "states: "))
            out.append(near(found.lost, lost, 1e-9, "lost: "))
            out.append(near([found.information, found.lost[-1]], whole, 1e-9, "all of it: "))
        return all_of(*out, near(most > 2, 1, 0, "three classes or more: "))

    return check


def chain_order(rng, draws):
    """Codes of states do not matter: counts and information of a chain whose states are renamed."""
    prior, steps = cheap.lumpable_chain(int(rng.integers(2**31)), levels=3, states=6)
    turns = [rng.permutation(6) for _ in range(4)]
    renamed = [m[t][:, s] for m, s, t in zip(steps, turns, turns[1:])]
    a, b = cheap.MarkovHierarchy(prior, steps), cheap.MarkovHierarchy(prior[turns[0]], renamed)
    rough = cheap.MarkovHierarchy((prior / prior.sum()), [m / m.sum(0) for m in steps])
    return all_of(
        same([a.counts, b.counts, rough.counts]), same([a.information(0), b.information(0), rough.information(0)], 1e-9)
    )


def block_means(b):
    def check(rng, draws):
        x = rng.normal(size=(2, 12, 12)) * 10.0 ** rng.integers(-150, 150)
        truth = [
            [[x[f, i * b : i * b + b, j * b : j * b + b].mean() for j in range(12 // b)] for i in range(12 // b)]
            for f in range(2)
        ]
        return near(cheap.block_average(x, b) / np.abs(x).max(), np.array(truth) / np.abs(x).max(), 1e-12)

    return check


def flow_covers(term):
    """Exponents 2 - 2 i: the interval over 4 fields of 256 x 256 with y = .02, 1, 4."""

    def check(rng, draws):
        hits, values = 0, []
        for _ in range(draws):
            fields = np.stack([cheap.gaussian_field((0.02, 1.0, 4.0), 256, int(rng.integers(2**31))) for _ in range(4)])
            e = cheap.renormalization_flow(fields).exponents[term]
            hits += e.low <= 2 - 2 * term <= e.high
            values.append(e.value)
        return all_of(covers(hits, draws), near(np.mean(values), 2 - 2 * term, 0.1, "mean exponent "))

    return check


def flow_units(rng, draws):
    fields = np.stack([cheap.gaussian_field((0.02, 1.0, 4.0), 256, int(rng.integers(2**31))) for _ in range(3)])
    flows = [cheap.renormalization_flow(fields * c) for c in (1, 1e-3, 1e4)]
    return same([[e.value for e in f.exponents] for f in flows], 1e-6)


def counterexample(scale):
    def check(rng, draws):
        h, k = rng.normal(size=(2, 5)) * scale
        found = cheap.partition_counterexample(h, k)
        from scipy.special import logsumexp

        marginal = np.exp(-h - k - logsumexp(-h - k))
        p = np.exp(-h - logsumexp(-h))
        bits = float((p * ((-h - logsumexp(-h)) - (-h - k - logsumexp(-h - k)))).sum() / math.log(2))
        return all_of(
            near(found.log_z_total, found.log_z, 1e-9 * max(1, scale)),
            near(found.marginal, marginal, 1e-9),
            near(found.bits, bits, 1e-9 * max(1, scale)),
        )

    return check


def counterexample_null(rng, draws):
    found = cheap.partition_counterexample(rng.normal(size=6) * 10, np.full(6, float(rng.normal())))
    return all_of(near(found.bits, 0, 1e-12), near(found.p, found.marginal, 1e-12))


def flat_by_counting(n):
    """Synapses of random 0/1 matrices and of their product, counted in integers."""

    def check(rng, draws):
        a, b = (rng.random((2, n, n)) < 0.2).astype(int)
        found = cheap.flattening_cost([a, b])
        product = b @ a
        rank = np.linalg.matrix_rank(product)
        return near([found.deep, found.flat, found.rank], [a.sum() + b.sum(), (product != 0).sum(), rank], 0)

    return check


def flat_fourier(n):
    """The FFT's factors against the full matrix: n^2 over 2 n log2 n."""

    def check(rng, draws):
        factors, size = [], n
        order = [int(f"{k:0{int(math.log2(n))}b}"[::-1], 2) for k in range(n)]
        factors.append(np.eye(n)[order])
        half = 1
        while half < n:
            block = np.block(
                [
                    [np.eye(half), np.diag(np.exp(-1j * np.pi * np.arange(half) / half))],
                    [np.eye(half), -np.diag(np.exp(-1j * np.pi * np.arange(half) / half))],
                ]
            )
            factors.append(np.kron(np.eye(n // (2 * half)), block))
            half *= 2
        found = cheap.flattening_cost(factors)
        return near([found.flat, found.deep - n], [size * size, 2 * n * math.log2(n)], 0)

    return check


def flat_units(rng, draws):
    a, b = rng.normal(size=(2, 6, 6))
    found = [cheap.flattening_cost([a * c, torch.tensor(b)]) for c in (1, 1e-120, 1e120)]
    return same([[f.deep, f.flat, f.rank] for f in found])


ROWS = [
    *(Row("cheap.BayesSoftmax", "truth", f"Gaussians in {d} dimensions, scale {s:g}, against scipy's densities",
        posterior_of_gaussians(d, s)) for d, s in ((1, 1.0), (3, 1.0), (5, 1e-3), (2, 1e5))),
    *(Row("cheap.BayesSoftmax", "truth", f"Gaussians, x near {s:g}, where H overflows: closed form", far_away(s))
        for s in (1e60, 1e160, 1e250)),
    Row("cheap.BayesSoftmax", "null", "one Hamiltonian for all classes: the prior", bayes_null),
    Row("cheap.GaussianHamiltonian", "truth", "4 dimensions, against scipy's densities",
        posterior_of_gaussians(4, 1.0)),
    *(Row("cheap.FactorGraph", "truth", f"{q} levels, {share:.0%} of the table -inf: sums over all states",
        graph_by_sums(q, share)) for q, share in ((2, 0.0), (3, 0.2), (2, 0.5))),
    Row("cheap.FactorGraph", "truth", "no state left: refused",
        lambda r, d: refused(lambda: cheap.FactorGraph(2, [((0,), torch.tensor([-INF, -INF]))]).log_z(),
            "every state has probability 0")),
    *(Row("cheap.FactorGraph", "truth", f"a table with {v}: refused",
        lambda r, d, v=v: refused(lambda: cheap.FactorGraph(2, [((0,), torch.tensor([0.0, v]))]), "NaN or inf"))
            for v in (INF, math.nan)),
    *(Row("cheap.ising", "truth", f"a line of {n}: closed form", ising_line(n)) for n in (2, 7, 40)),
    *(Row("cheap.potts", "truth", f"a line of {n} of {q} levels: closed form", potts_line(n, q))
        for n, q in ((2, 3), (12, 4))),
    *(Row("cheap.MarkovHierarchy", "truth", f"{n} steps of {s} states: sums over all paths, in fractions",
        chain_by_paths(n, s)) for n, s in ((2, 4), (3, 4), (4, 3))),
    Row("cheap.MarkovHierarchy", "truth", "classes merged, cheapest pair first: loops over pairs",
        merged_by_loops(2, 6)),
    Row("cheap.MarkovHierarchy", "null", "a step that forgets everything", chain_null),
    Row("cheap.MarkovHierarchy", "invariance", "names of states; counts or floats", chain_order),
    *(Row("cheap.block_average", "truth", f"blocks of {b}, sizes 1e-150 to 1e150: means by loops", block_means(b))
        for b in (2, 3, 4)),
    *(Row("cheap.renormalized", "truth", f"{d} dimensions, b = {b}: b^(d - 2 i)",
        lambda r, n, d=d, b=b: near(cheap.renormalized([1.0, 1.0, 1.0], b, d),
            [float(b) ** (d - 2 * i) for i in range(3)], 1e-12)) for d, b in ((2, 2), (3, 3), (1, 1.5))),
    *(Row("cheap.renormalization_flow", "truth", f"exponent {2 - 2 * t} in the interval over 4 fields", flow_covers(t),
        q, 100) for t, q in ((0, 3), (1, 0), (2, 0))),
    Row("cheap.renormalization_flow", "invariance", "units of the field from 1e-3 to 1e4", flow_units),
    *(Row("cheap.partition_counterexample", "truth", f"energies of size {s:g}: sums in closed form", counterexample(s))
        for s in (0.1, 1.0, 50.0)),
    Row("cheap.partition_counterexample", "null", "a constant coupling: no bits", counterexample_null),
    *(Row("cheap.flattening_cost", "truth", f"two 0/1 matrices of {n}: counted in integers", flat_by_counting(n))
        for n in (5, 20, 60)),
    *(Row("cheap.flattening_cost", "truth", f"FFT of {n}: 2 n log2 n against n^2", flat_fourier(n)) for n in (8, 32)),
    Row("cheap.flattening_cost", "invariance", "units of the weights from 1e-120 to 1e120, numpy or torch", flat_units),
]  # fmt: skip
