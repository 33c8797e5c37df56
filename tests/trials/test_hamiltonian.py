"""Trials of hamiltonian_fit and of the counts of parameters. Truth: enumeration of all states, loops,
exact tables of scipy."""

import math

import numpy as np
import torch

from deeptheory import cheap
from deeptheory.cheap import Assumptions
from oracles import hamiltonian as oracle
from trials.frame import Found, Row, all_of, near, often, quick, refused, same
from trials.hamiltonian_data import drawn, every_state, fitted, held, within

INF = math.inf


def independent(n, rows, p):
    """Spikes of n cells that do not know of one another."""

    def check(rng, draws):
        inside, normal, field, width = [], [], [], []
        for _ in range(draws):
            x = rng.random((rows, n)) < p
            if x.any(0).all() and not x.all(0).any():
                fit = fitted(x)
                a, b = within(fit, 0.0, 2)
                inside.append(a), normal.append(b), width.append(fit.high - fit.low)
                field.append(within(fit, 0.5 * math.log(p / (1 - p)), 1)[0])
        found = all_of(held(inside, rows * p * p >= 10), held(normal, False), held(field, False))
        width = np.concatenate(width)
        said = f"median width {np.median(width):.3g} nats, {(~np.isfinite(width)).mean():.0%} open"
        return Found(f"{found.measured}; {said}", found.needed, found.held)

    return check


def coupled(q, n, rows, field, spread, degree=2, most=False, **assumed):
    """Fields and random couplings, sampled by enumeration."""

    def check(rng, draws):
        orbits = Assumptions(n=n, degree=degree, levels=q, **assumed).orbits()
        inside, normal = [], []
        for _ in range(draws):
            theta = np.array([field if len(o[0]) == 1 else rng.normal(0, spread) for o in orbits])
            x = drawn(rng, orbits, theta, q, rows)
            a, b = within(fitted(x, degree, kind="binary" if q == 2 else "potts", **assumed), theta)
            inside.append(a), normal.append(b)
        return all_of(held(inside, most), held(normal, False))

    return check


def triples(n, rows, field, spread):
    """Couplings of three spins, by how many joint states are expected: at least 93 %, at most 97.5 % from 10 on; and
    the terms below them, which rest on the triples' rarer states."""

    def check(rng, draws):
        orbits = Assumptions(n=n, degree=3).orbits()
        order = np.array([len(o[0]) for o in orbits])
        inside, expected, width = [], [], []
        for _ in range(draws):
            theta = np.array([field if len(o[0]) == 1 else rng.normal(0, spread) for o in orbits])
            x = drawn(rng, orbits, theta, 2, rows)
            fit = fitted(x, 3, kind="binary")
            inside.append(within(fit, theta)[0]), width.append(fit.high - fit.low)
            share = np.minimum((x > 0).mean(0), (x < 0).mean(0))
            expected.append([rows * np.prod([share[v] for v, _ in o[0]]) for o in orbits])
        (inside, expected, width), three = map(np.concatenate, (inside, expected, width)), np.tile(order == 3, draws)
        found = [held(inside[~three], False)]
        for part, most in ((three & (expected >= 10), True), (three & (expected < 10), False)):
            if part.sum() >= 20:
                found.append(held(inside[part], most))
        end = f"; median width {np.median(width[three]):.3g}, {(~np.isfinite(width[three])).mean():.0%} open"
        return Found(all_of(*found).measured + end, all_of(*found).needed, all_of(*found).held)

    return check


def two_spins(p, j, rows):
    """One table: theta is 1/4 ln of the odds ratio (no ridge), its limits those of Fisher's noncentral distribution."""

    def check(rng, draws):
        from scipy.optimize import brentq
        from scipy.stats import nchypergeom_fisher

        out = []
        for _ in range(draws):
            h = 0.5 * math.log(p / (1 - p)) + j
            orbits = Assumptions(n=2, degree=2).orbits()
            theta = [h if len(o[0]) == 1 else j for o in orbits]
            x = drawn(rng, orbits, theta, 2, rows)
            n = [[int(((x[:, 0] == a) & (x[:, 1] == b)).sum()) for b in (-1, 1)] for a in (-1, 1)]
            fit, at = fitted(x, ridge=0.0), [len(o[0]) for o in orbits].index(2)
            one, two, t = n[1][0] + n[1][1], n[0][1] + n[1][1], n[1][1]
            if min(map(min, n)):
                closed = math.log(n[1][1] * n[0][0] / (n[0][1] * n[1][0])) / 4
                out.append(near(fit.theta[at], closed, 1e-5, "J "))
            expected = one * two / rows - max(one + two - rows, 0)
            if min(map(min, n)) >= 30 and expected >= 30:
                continue
            half = min(t, one - t, two - t) >= 5 and expected >= 10

            def tail(ratio, side, one=one, two=two, t=t, half=half):
                law = nchypergeom_fisher(rows, one, two, math.exp(4 * ratio))
                return (law.cdf(t) if side else law.sf(t - 1)) - half * 0.5 * law.pmf(t) - 0.025

            low = -INF if t == max(one + two - rows, 0) else brentq(tail, -6, 6, args=(False,))
            high = INF if t == min(one, two) else brentq(tail, -6, 6, args=(True,))
            # an interval always holds theta
            low, high = min(low, fit.theta[at]), max(high, fit.theta[at])
            out.append(near([fit.low[at], fit.high[at]], [low, high], 1e-4, "limits "))
        return all_of(*out)

    return check


COLUMNS = {
    "the same": (1, lambda x: x[:, 0], [(0, 1, INF)]),
    "opposite": (1, lambda x: 1 - x[:, 0], [(0, 1, -INF)]),
    "and": (2, lambda x: x[:, 0] & x[:, 1], [(0, 2, INF), (1, 2, INF)]),
    "or": (2, lambda x: x[:, 0] | x[:, 1], [(0, 2, INF), (1, 2, INF)]),
    "majority of three": (3, lambda x: (x.sum(1) > 1).astype(int),
        [(0, 3, INF), (1, 3, INF), (2, 3, INF), (0, 1, -INF)]),
    "a third column that copies": (2, lambda x: x[:, 1], [(1, 2, INF)]),
}  # fmt: skip


def determined(name, rows, p=0.5):
    """No finite maximum: the interval is open on that side and closed on the other, s.e. infinite,
    and a note says it."""
    count, made, expected = COLUMNS[name]

    def check(rng, draws):
        out = []
        for _ in range(draws):
            x = (rng.random((rows, count)) < p).astype(int)
            fit = fitted(np.column_stack([x, made(x)]))
            at = {tuple(v for v, _ in o[0]): k for k, o in enumerate(fit.orbits)}
            for i, j, end in expected:
                k = at[i, j]
                open_, closed = (fit.high[k], fit.low[k]) if end > 0 else (fit.low[k], fit.high[k])
                ok = open_ == end and math.isfinite(closed) and closed * end > 0 and fit.standard_error[k] == INF
                out.append(Found(f"J{i}{j} [{fit.low[k]:.3g}, {fit.high[k]:.3g}]", f"open to {end}", bool(ok)))
            out.append(Found(str(fit.notes), "a note", any("no finite maximum" in n for n in fit.notes)))
            out.append(Found("theta", "finite", bool(np.isfinite(fit.theta).all() and not np.isnan(fit.low).any())))
        return all_of(*out)

    return check


def shared_by_copies(rng, draws):
    """x2 copies x1: only J01 + J02 is determined, so that neither interval may be closed."""
    x = (rng.random((3000, 2)) < 0.5).astype(int)
    fit = fitted(np.column_stack([x, x[:, 1]]))
    at = {tuple(v for v, _ in o[0]): k for k, o in enumerate(fit.orbits)}
    return near([fit.low[at[0, 1]], fit.high[at[0, 2]]], [-INF, INF], 0)


def converges(j, rows):
    """Two strongly coupled spins and a third: a fit and an interval that holds, every time."""

    def check(rng, draws):
        orbits, hits = Assumptions(n=3, degree=2).orbits(), []
        for _ in range(draws):
            theta = np.array([0.0 if len(o[0]) == 1 else j if o[0][1][0] == 1 else 0.1 for o in orbits])
            fit = fitted(drawn(rng, orbits, theta, 2, rows), held_out_fraction=0.2)
            hits.append(within(fit, theta)[0])
            assert np.isfinite(fit.theta).all()
        return held(hits, False)

    return check


def by_search(q, degree, ridge):
    """theta against a general maximizer of the oracle's pseudo-likelihood, loops over samples and variables."""

    def check(rng, draws):
        from scipy.optimize import minimize

        orbits = Assumptions(n=3, degree=degree, levels=q).orbits()
        x = drawn(rng, orbits, rng.normal(0, 0.4, len(orbits)), q, 80)
        states, count = np.unique(x, axis=0, return_counts=True)
        each = [[s] for s in states.tolist()]

        def cost(theta):
            likely = sum(c * oracle.pseudo_likelihood(s, theta, orbits, q) for s, c in zip(each, count))
            return ridge / 2 * float(theta @ theta) - likely

        best = minimize(cost, np.zeros(len(orbits)), method="BFGS", options={"gtol": 1e-4}).x
        return near(fitted(x, degree, ridge=ridge, kind="binary" if q == 2 else "potts").theta, best, 2e-4)

    return check


def bits(rng, draws):
    """Held-out bits are the oracle's at theta; against itself a fit loses nothing;
    H and the graph are the oracle's weights."""
    orbits = Assumptions(n=4, degree=2).orbits()
    x = drawn(rng, orbits, rng.normal(0, 0.4, len(orbits)), 2, 400)
    fit, other = fitted(x, held_out_fraction=0.25), fitted(x, 1, held_out_fraction=0.25)
    rest = x[np.random.default_rng(0).permutation(400)[300:]]
    states = every_state(4, 2)
    weights = [-oracle.log_weight(s, fit.theta, fit.orbits, 2) for s in states.tolist()]
    graph = fit.graph().energy(torch.as_tensor((states + 1) // 2)).detach().numpy()
    truth = -oracle.pseudo_likelihood(rest.tolist(), fit.theta, fit.orbits, 2) / math.log(2)
    less = -oracle.pseudo_likelihood(rest.tolist(), other.theta, other.orbits, 2) / math.log(2)
    return all_of(
        near(fit.bits.value, truth, 1e-9, "bits "),
        near(fit.excess_bits_over(fit).value, 0, 0),
        near(other.excess_bits_over(fit).value, less - truth, 1e-9, "lost "),
        near(fit.energy(states), weights, 1e-12, "H "),
        near(graph, weights, 1e-9, "graph "),
        near([fit.fields[v] for v in range(4)], [fit.theta[fit.orbits.index([((v, 1),)])] for v in range(4)], 0),
        near(fit.couplings[1, 3], fit.theta[fit.orbits.index([((1, 1), (3, 1))])], 0),
        near(fit.parameters, 10, 0),
    )


def found_at(p, j, rows):
    """One pair of six that goes together: its interval lies above 0."""

    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            orbits = Assumptions(n=6, degree=2).orbits()
            h = 0.5 * math.log(p / (1 - p))
            theta = [h + j * (o[0][0][0] < 2) if len(o[0]) == 1 else j * (o == [((0, 1), (1, 1))]) for o in orbits]
            fit = fitted(drawn(rng, orbits, theta, 2, rows))
            hits += fit.low[fit.orbits.index([((0, 1), (1, 1))])] > 0
        return often(int(hits), draws, 0.9)

    return check


def unmoved(p):
    """Coding, dtype, numpy or torch, order of rows (nothing held out) and of columns, layout, default dtype."""

    def check(rng, draws):
        x = rng.random((1500, 5)) < p
        x[:, 1] |= x[:, 0] & (rng.random(1500) < 0.3)
        order = rng.permutation(5)

        def numbers(given, back=None, **options):
            fit = fitted(given, **options)
            ends = []
            for values in (fit.theta, fit.low, fit.high):
                table = np.zeros((5, 5))
                for value, (term,) in zip(values, fit.orbits):
                    table[term[0][0], term[-1][0]] = table[term[-1][0], term[0][0]] = value
                ends.append(table if back is None else table[np.ix_(back, back)])
            return np.stack(ends)

        first = [numbers(x), numbers(2 * x.astype(np.int8) - 1), numbers(x * 5.0 + 2.5), numbers(torch.tensor(x))]
        first += [numbers(x.astype(k)) for k in (np.float32, np.uint8, np.int64)]
        first += [numbers(np.asfortranarray(x)), numbers(x[rng.permutation(1500)]), numbers(x, seed=5)]
        first += [numbers(x[:, order], np.argsort(order))]
        before = torch.get_default_dtype()
        try:
            torch.set_default_dtype(torch.bfloat16)
            first.append(numbers(torch.tensor(x).bfloat16()))
        finally:
            torch.set_default_dtype(before)
        return same(first, 1e-5)

    return check


def mirrored(rng, draws):
    """0 and 1 of one column exchanged: its field and couplings change sign, intervals with them."""
    x = (rng.random((2000, 4)) < 0.05).astype(int)
    y = x.copy()
    y[:, 2] = 1 - y[:, 2]
    a, b = fitted(x), fitted(y)
    sign = np.array([-1 if any(v == 2 for v, _ in o[0]) else 1 for o in a.orbits])
    low, high = np.where(sign > 0, b.low, -b.high), np.where(sign > 0, b.high, -b.low)
    return all_of(near(b.theta * sign, a.theta, 1e-5), near(low, a.low, 1e-5), near(high, a.high, 1e-5))


def renamed(rng, draws):
    """Potts levels of other names: the same."""
    x = rng.choice(3, (1000, 4), p=[0.9, 0.08, 0.02])
    a, b = fitted(x, kind="potts"), fitted(np.array([-3, 4, 70])[x], kind="potts")
    return all_of(*(near(u, v, 1e-9) for u, v in ((a.theta, b.theta), (a.low, b.low), (a.high, b.high))))


def counted(n, degree, levels):
    def check(rng, draws):
        truth = len(oracle.terms(n, degree, levels, lambda a, b: True))
        assumed = Assumptions(n=n, degree=degree, levels=levels)
        return near(
            [
                cheap.parameter_count(n, degree, levels=levels),
                assumed.count_without_symmetry() - 1,
                len(assumed.terms()),
            ],
            truth,
            0,
        )

    return check


def shared_count(shape, distance, degree):
    """Terms of a periodic grid and their classes under its shifts, by trying every one."""

    def check(rng, draws):
        n, sites = math.prod(shape), np.arange(math.prod(shape)).reshape(shape)
        at = np.stack(np.unravel_index(np.arange(n), shape), 1)

        def linked(a, b):
            return sum(min(d, s - d) for d, s in zip(np.abs(at[a] - at[b]), shape)) <= distance

        local = oracle.terms(n, degree or n, 2, linked)  # None: any degree
        group = [np.roll(sites, s, range(len(shape))).ravel().tolist() for s in np.ndindex(*shape)]
        options = {"shape": shape, "periodic": True}
        return near(
            [cheap.parameter_count(n, degree, locality=distance, **options), cheap.parameter_count(n, degree,
                locality=distance, symmetry="translation", **options)],
            [len(local), oracle.count_orbits(local, group)], 0,
        )  # fmt: skip

    return check


def maps(shape, reach):
    """Pairs of sites no farther apart than that along any side of the periodic grid."""

    def check(rng, draws):
        at = list(np.ndindex(*shape))
        near_ = sum(all(min((a - b) % s, (b - a) % s) <= reach for a, b, s in zip(p, q, shape)) for p in at for q in at)
        return near(
            [cheap.linear_map_count(shape, reach), cheap.linear_map_count(shape, reach, translation=True),
                cheap.linear_map_count(shape)],
            [near_, near_ // len(at), len(at) ** 2], 0,
        )  # fmt: skip

    return check


FIT = "cheap.hamiltonian_fit"
ROWS = [
    *(Row(FIT, "null",
        f"6 independent cells, p = {p}, {n} samples, {n * p * p:g} expected together: 0 and the field held",
        independent(6, n, p), 14, 300) for p in (0.5, 0.1, 0.02, 0.01) for n in (1_000, 3_000, 10_000)),
    *(Row(FIT, "null", f"{k} independent cells, p = {p}, {n} samples: 0 and the field held", independent(k, n, p), 2,
        30) for k, p, n in ((15, 0.1, 2_000), (15, 0.03, 5_000), (25, 0.1, 1_500), (30, 0.01, 10_000))),
    Row(FIT, "null", "potts, 3 levels, two rare: independent", coupled(3, 4, 2_000, -3.0, 0.0), 15, 300),
    Row(FIT, "null", "degree 3, rare spikes: independent", coupled(2, 5, 2_000, -1.2, 0.0, 3), 10, 200),
    *(Row(FIT, "truth", f"6 spins, couplings of s.d. {s}, field {h}, {n} samples: enumeration",
        coupled(2, 6, n, h, s, most=m), 15, 300)
            for s, h, n, m in ((0.3, 0.0, 2_000, True), (0.3, 0.1, 10_000, True), (0.7, 0.0, 5_000, False),
                (1.5, 0.0, 1_000, False), (0.3, -1.5, 3_000, False), (0.2, -0.8, 20_000, False))),
    Row(FIT, "truth", "chain, nearest neighbors, rare: enumeration", coupled(2, 6, 2_000, -1.5, 0.3, locality=1), 15,
        300),
    Row(FIT, "truth", "ring, shared by translation, rare: enumeration",
        coupled(2, 6, 500, -1.5, 0.3, locality=1, symmetry="translation", periodic=True), 60, 600),
    Row(FIT, "truth", "degree 3, couplings of s.d. .3: enumeration", coupled(2, 5, 3_000, 0.0, 0.3, 3), 10, 200),
    *(Row(FIT, "truth", f"degree 3, {n} spins, fields {h}, couplings of s.d. {s}, {rows} samples: enumeration",
        triples(n, rows, h, s), 12, 200) for n, rows, h, s in ((5, 2_000, -0.7, 0.3), (5, 1_000, -0.4, 0.3),
        (4, 1_000, -0.5, 0.3), (5, 3_000, 0.0, 0.3), (5, 2_000, -1.2, 0.0), (6, 1_500, -1.0, 0.1),
        (4, 20_000, -2.3, 0.0), (6, 3_000, 0.0, 0.1))),
    Row(FIT, "truth", "potts, couplings of s.d. .3: enumeration", coupled(3, 4, 2_000, 0.0, 0.3), 10, 200),
    *(Row(FIT, "truth", f"two spins, p = {p}, J = {j}, {n} samples: closed form and Fisher's limits",
        two_spins(p, j, n), 4, 40) for p, j, n in ((0.02, 0.0, 2_000), (0.1, 0.0, 1_000), (0.1, 0.5, 500),
        (0.3, -0.5, 300), (0.5, 1.5, 400))),
    *(Row(FIT, "truth", f"a column that is {c}, {n} samples: open", determined(c, n), 2, 10) for c in COLUMNS
        for n in (100, 1_000, 10_000)),
    *(Row(FIT, "truth", f"identical rare columns, p = {p}: open", determined("the same", 3_000, p), 3, 20)
        for p in (0.2, 0.02)),
    Row(FIT, "truth", "two copies share a coupling: neither is determined", shared_by_copies),
    *(Row(FIT, "truth", f"J = {j}, {n} samples: converges, and holds it", converges(j, n), 20, 200)
        for j in (1.0, 2.0, 3.5, 5.0, -4.0) for n in (200, 1_000, 10_000)),
    *(Row(FIT, "truth", f"{q} levels, degree {d}, ridge {r}: general maximizer over loops", by_search(q, d, r))
        for q, d, r in ((2, 2, 1.0), (2, 2, 0.1), (2, 3, 1.0), (3, 2, 1.0))),
    *(Row(FIT, "power", f"one pair, J = {j}, p = {p}, {n} samples: above 0", found_at(p, j, n), 20, 200)
        for p, j, n in ((0.5, 0.15, 1_000), (0.1, 0.3, 2_000), (0.02, 0.6, 10_000))),
    *(Row(FIT, "invariance", f"coding, dtype, torch, rows, columns, layout, default dtype, p = {p}", unmoved(p))
        for p in (0.5, 0.1, 0.02)),
    Row(FIT, "invariance", "one column's 0 and 1 exchanged", mirrored),
    Row(FIT, "invariance", "names of potts levels", renamed),
    Row(FIT, "truth", "a constant column: refused",
        lambda r, d: refused(lambda: fitted(np.column_stack([r.integers(0, 2, 90), np.zeros(90, int)])),
            "is constant")),
    Row("cheap.HamiltonianFit", "truth", "bits, lost, H, graph, fields, couplings: loops", bits),
    *(Row("cheap.parameter_count", "truth", f"{n} variables, degree {d}, {v} levels: one by one", counted(n, d, v))
        for n, d, v in ((5, 2, 2), (6, 6, 2), (4, 3, 3), (3, 2, 5), (3, 4, None), (1, 3, None), (2, 5, 2))),
    *(Row("cheap.Assumptions", "truth", f"ring or torus {s}, distance {r}, degree {d}: one by one",
        shared_count(s, r, d))
        for s, r, d in (((6,), 2, 3), ((3, 3), 1, 2), ((2, 4), 1, 4), ((8,), 8, 2), ((6,), 2, None))),
    *(Row("cheap.linear_map_count", "truth", f"grid {s}, reach {r}: pairs one by one", maps(s, r))
        for s, r in (((5,), 1), ((4, 6), 1), ((5, 5), 2), ((3, 3, 3), 0))),
]  # fmt: skip


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
