"""The bottleneck, channels, the bound of layers, gradient phases: what each number promises, tried.

Solvers here; curves and channels in bottleneck_curves.py, layers and phases in bottleneck_layers.py.
"""

import math
import time

import numpy as np
import torch
from threadpoolctl import threadpool_limits

import deeptheory as dt
from deeptheory.information import bottleneck_branches, first_critical_beta
from oracles import bottleneck as oracle
from trials.bottleneck_curves import CURVES
from trials.bottleneck_layers import LAYERS
from trials.bottleneck_tables import TABLES, channel, entropy, erasure, soft, topics
from trials.frame import Found, Row, all_of, near, quick, refused

HARD = ("dib", "agglomerative", "sequential")
METHODS = ("ib", "squared", *HARD)


def numbers(found):
    return [found.i_x, found.i_y, found.h_t, found.lagrangian]


def nothing(method):
    """Independent X and Y of every shape: nothing is kept, exactly for "ib"; hard clusters join all."""

    def check(rng, draws):
        out = []
        for nx, ny in ((2, 2), (3, 7), (30, 4), (40, 25)):
            p = np.outer(rng.dirichlet(np.ones(nx)), rng.dirichlet(np.ones(ny)))
            for beta in (0.5, 3.0, 1e4, 1e12):
                found = dt.bottleneck(p, beta, method)
                out.append(near([found.i_x, found.i_y], 0, 1e-12 if method in ("ib", "squared") else 1e-9))
        return all_of(*out)

    return check


def independent_counts(rng, draws):
    """Counts whose margins multiply, and their float32 form: what rounding leaves tells nothing."""
    out = []
    for nx, ny in ((3, 4), (12, 30), (64, 2)):
        counts = np.outer(rng.integers(1, 50, nx), rng.integers(1, 50, ny))
        for p in (counts, (counts / counts.sum()).astype(np.float32)):
            out.append(near([dt.bottleneck(p, 1e6).i_x, dt.bottleneck_curve(p).i_xy], 0, 0))
            out.append(near(first_critical_beta(p), np.inf, 0))
    return all_of(*out)


def symmetric(rng, draws):
    out = []
    for p in (0.01, 0.1, 0.3, 0.49):
        first = 1 / (1 - 2 * p) ** 2
        for beta in (0.9 * first, 1.01 * first, 2 * first, 10 * first, 1e4 * first):
            found = dt.bottleneck(channel(p), beta)
            out.append(
                near([found.i_x, found.i_y], oracle.symmetric_channel(p, beta), 1e-7, f"p {p}, beta {beta:.3g}: ")
            )
    return all_of(*out)


def erasing(rng, draws):
    """Y is X or an erasure: I(T;Y) = (1 - e) I(X;T) for every T, so all of it comes at beta 1 / (1 - e)."""
    out = []
    for m in (2, 3, 8):
        for e in (0.001, 0.2, 0.9):
            p, first = erasure(m, e), 1 / (1 - e)
            out.append(near(first_critical_beta(p) / first, 1, 1e-9))
            below, above = dt.bottleneck(p, first * 0.999), dt.bottleneck(p, first * 1.001)
            out.append(near([below.i_x, below.i_y], 0, 1e-9))
            out.append(near([above.i_x, above.i_y], [np.log2(m), (1 - e) * np.log2(m)], 1e-9, f"{m} labels, e {e}: "))
    return all_of(*out)


def deterministic(method):
    """Y a function of X, and the transpose: T = Y above beta 1; the squared Lagrangian on the line at I = beta / 2."""

    def check(rng, draws):
        out = []
        for nx, ny in ((6, 3), (40, 2), (30, 12)):
            labels = np.concatenate([np.arange(ny), rng.integers(0, ny, nx - ny)])
            p = np.eye(ny)[labels] * rng.dirichlet(np.ones(nx))[:, None]
            h_y = entropy(p.sum(0))
            for table in (p, p.T) if method in ("ib", "squared") else (p,):
                if method == "squared":
                    beta = 0.8 * h_y
                    out.append(near(dt.bottleneck(table, beta, method).i_y, beta / 2, 1e-6))
                else:
                    found = dt.bottleneck(table, 1.7, method)
                    out.append(near([found.i_x, found.i_y], h_y, 1e-9, f"{method} {table.shape}: "))
                    out.append(near(found.lagrangian, -0.7 * h_y, 1e-9))
        return all_of(*out)

    return check


def against_plain(nx, ny, betas, runs, kinds=tuple(TABLES)):
    """The Lagrangian against the best of plain Blahut-Arimoto runs, |T| = |X|: at most 1e-6 above."""

    def check(rng, draws):
        worst, where = -math.inf, ""
        for kind in kinds:
            p = TABLES[kind](rng, nx, ny)
            for beta in betas:
                ours = dt.bottleneck(p, beta).lagrangian
                best = min(oracle.plain(p, beta, int(rng.integers(2**31))) for _ in range(runs))
                if ours - best > worst or math.isnan(ours):
                    worst, where = ours - best, f"{kind}, beta {beta:g}"  # NaN stays the worst
        return Found(f"at most {worst:.2g} bits above ({where})", "at most 1e-6 bits above", worst <= 1e-6)

    return check


def in_time(nx, ny, limit, runs):
    """Seconds of processor time of one thread at beta 10, and the Lagrangian against plain runs in the same run."""

    def check(rng, draws):
        p = topics(rng, nx, ny)
        dt.bottleneck(topics(rng, 20, 10), 10.0)  # compiled
        with threadpool_limits(1):
            start = time.process_time()
            found = dt.bottleneck(p, 10.0)
            spent = time.process_time() - start
        best = min((oracle.plain(p, 10.0, s) for s in range(runs)), default=0.0)
        held = spent <= limit and found.lagrangian <= best + 1e-6
        return Found(
            f"{spent:.1f} s, {found.lagrangian - best:.2g} bits above plain", f"at most {limit} s, 1e-6 bits", held
        )

    return check


def least_of_all_partitions(rng, draws):
    out = []
    for ny in (2, 3, 5):
        p = rng.dirichlet(np.full(ny, 0.5), 6) * rng.dirichlet(np.ones(6))[:, None]
        for beta in (1.5, 5.0, 40.0):
            least = oracle.best_partition(p.tolist(), beta)
            out.append(near(dt.bottleneck(p, beta, "dib").lagrangian, least, 1e-9))
            above = [dt.bottleneck(p, beta, m).lagrangian - least for m in HARD[1:]]
            out.append(Found(f"{np.min(above):.2g} below the least", "never below", bool(np.min(above) >= -1e-9)))
    return all_of(*out)


def own_numbers(method):
    """I(X;T), I(T;Y), H(T) are those of the returned encoder, by their definitions; the Lagrangian is theirs."""

    def check(rng, draws):
        out = []
        for make in TABLES.values():
            p = make(rng, 12, 6)
            found = dt.bottleneck(p, 6.0, method)
            known = oracle.informations(p.tolist(), found.encoder.tolist())
            out.append(near([found.i_x, found.i_y, found.h_t], known, 1e-9))
            x, y, h = known
            lagrangian = {"ib": x - 6 * y, "squared": x * x - 6 * y}.get(method, h - 6 * y)
            out.append(near(found.lagrangian, lagrangian, 1e-8))
            out.append(near(found.decoder.sum(1), 1, 1e-9))
            out.append(near(p.sum(1) @ found.encoder, found.p_t, 1e-9))
        return all_of(*out)

    return check


def residual_and_gap(rng, draws):
    """The residual is what one more loop step changes; the gap bounds how far plain runs get below."""
    out = []
    for kind, make in TABLES.items():
        for ny in (2, 3, 12):
            p = make(rng, 15, ny)
            p = p[p.sum(1) > 0]
            for beta in (1.5, 6.0, 80.0):
                found = dt.bottleneck(p, beta)
                again = np.array(oracle.iterate(p.tolist(), found.encoder.tolist(), beta, 1))
                out.append(near(np.abs(again - found.encoder).max(), found.residual, 1e-8))
                out.append(Found(f"residual {found.residual:.1g}", "at most 1e-4", found.residual <= 1e-4))
                out.append(Found(f"gap {found.gap:.1g} ({kind} {ny})", "at most 1e-6", -1e-12 <= found.gap <= 1e-6))
    return all_of(*out)


def huge(rng, draws):
    """Where beta outweighs every divergence T = X, its equal rows merged: I(X;T) = H(X), I(T;Y) = I(X;Y). Gamma 50 has
    p(y|x) down to 5e-15, which beta 1e300 distinguishes and 1e6 does not."""
    out = []
    for p in (channel(0.2), topics(rng, 30, 20), topics(rng, 120, 60), soft()):
        curve = dt.bottleneck_curve(p, [1e300])
        for beta in (1e18, 1e100, 1e300) if len(p) < 1000 else (1e300,):
            found = dt.bottleneck(p, beta)
            out.append(near([found.i_x, found.i_y], [curve.h_x, curve.i_xy], 1e-9))
            out.append(near(found.lagrangian / beta, -curve.i_xy, 1e-9))
    steps = [dt.bottleneck(soft(), b) for b in (1e3, 1e6, 1e9, 1e12, 1e15, 1e18)]
    grows = np.diff([f.i_x for f in steps]).min()
    gaps = [f.gap / b for f, b in zip(steps, (1e3, 1e6, 1e9, 1e12, 1e15, 1e18))]
    return all_of(
        *out, Found(f"I(X;T) moves by {grows:.2g}", "never falls with beta", grows >= -1e-9), near(gaps, 0, 1e-12)
    )


def clusters_at_most(rng, draws):
    out = []
    for nx, ny in ((12, 3), (40, 12), (400, 200)):
        p = topics(rng, nx, ny)
        free, values = dt.bottleneck(p, 10.0, certify=False), []
        for k in (1, 2, 4, 7):
            found = dt.bottleneck(p, 10.0, clusters=k, certify=False)
            values.append(found.lagrangian)
            out.append(Found(f"{len(found.p_t)} clusters", f"at most {k}", len(found.p_t) <= k))
        out.append(
            Found(f"{np.diff(values).max():.1g}", "more clusters are never worse", np.diff(values).max() <= 1e-6)
        )
        out.append(Found(f"{min(values) - free.lagrangian:.2g}", "never below", min(values) >= free.lagrangian - 1e-3))
        out.append(near(values[0], 0, 1e-12))
    return all_of(*out)


def stops(rng, draws):
    """seconds= ends it, with a solution and a note; progress= is told."""
    p, told, out = topics(rng, 400, 150), [], []
    for seconds in (1e-3, 0.05, 0.3):
        start = time.process_time()
        found = dt.bottleneck(p, 10.0, seconds=seconds, progress=lambda done, most: told.append((done, most)))
        out.append(
            Found(f"{time.process_time() - start:.1f} s", "a few rounds more at most", time.process_time() - start < 5)
        )
        out.append(near(found.encoder.sum(1), 1, 1e-9))
        out.append(Found(str(found.notes), "said", any("stopped after" in n for n in found.notes)))
    return all_of(*out, Found(f"{len(told)} calls", "told", len(told) > 0 and all(a <= b for a, b in told)))


def what_must_not_matter(method):
    """Order of rows and columns, empty and doubled rows, counts and their scale, float32, torch, default dtype."""

    def check(rng, draws):
        out = []
        for nx, ny in ((8, 2), (12, 3), (14, 5)) if method == "squared" else ((8, 2), (14, 5), (30, 20)):
            counts = rng.poisson(3 * TABLES["topics"](rng, nx, ny) * nx * ny) + np.eye(nx, ny, dtype=np.int64)
            p = counts / counts.sum()
            turn, columns = rng.permutation(nx), rng.permutation(ny)
            wide = np.zeros((nx + 2, ny + 1))
            wide[1 : nx + 1, :ny] = p
            halves = np.concatenate([p, p]) / 2
            before = torch.get_default_dtype()
            torch.set_default_dtype(torch.float64)
            other = dt.bottleneck(p, 6.0, method)
            torch.set_default_dtype(before)
            forms = [p, p[turn][:, columns], wide, halves, counts, 1000 * counts, torch.as_tensor(p), p.tolist()]
            within = 1e-6 if method in ("ib", "squared") else 1e-9
            if method == "sequential":  # its random beginnings are by row: another order may end elsewhere
                forms = [p, wide, counts, 1000 * counts, torch.as_tensor(p), p.tolist()]
            first, *rest = [numbers(dt.bottleneck(f, 6.0, method)) for f in forms]
            out += [near(r[:2] + r[3:], first[:2] + first[3:], within) for r in [*rest, numbers(other)]]
            out.append(near(dt.bottleneck(p.astype(np.float32), 6.0, method).lagrangian, first[3], 1e-3))
        return all_of(*out)

    return check


def tiny(rng, draws):
    """Probabilities of 1e-300 next to ordinary ones change nothing but what they are."""
    out = []
    for eps in (1e-300, 1e-200, 1e-30):
        p = np.array([[0.4, 0.1, eps], [0.1, 0.4, 0.0], [eps, 0.0, eps]])
        for method in METHODS:
            found, known = dt.bottleneck(p, 6.0, method), dt.bottleneck(p[:2, :2], 6.0, method)
            out.append(near([found.i_x, found.i_y, found.lagrangian], [known.i_x, known.i_y, known.lagrangian], 1e-8))
    return all_of(*out)


def critical(rng, draws):
    out = []
    for p in (0.01, 0.2, 0.4, 0.4999, 0.5 - 1e-7):
        out.append(near(first_critical_beta(channel(p)) * (1 - 2 * p) ** 2, 1, 1e-7, f"p {p}: "))
    for m, p in ((3, 0.1), (10, 0.3), (40, 0.5)):
        table = (np.full((m, m), p / (m - 1)) + np.eye(m) * (1 - p - p / (m - 1))) / m
        out.append(near(first_critical_beta(table) * (1 - p * m / (m - 1)) ** 2, 1, 1e-9, f"{m} symbols: "))
    return all_of(*out)


def branches(rng, draws):
    out = []
    for p in (0.05, 0.2):
        betas = np.array([1.2, 2.0, 3.0, 8.0]) / (1 - 2 * p) ** 2
        found = bottleneck_branches(channel(p), betas, (1, 2, 3))
        known = np.array([oracle.symmetric_channel(p, b) for b in betas])
        out.append(near(found.i_x[0], 0, 1e-12))
        out.append(near(np.stack([found.i_x[1], found.i_y[1]], 1), known, 1e-5))
        out.append(near(found.lagrangian[2], found.lagrangian[1], 1e-6))
        out.append(near(found.leaves[1], betas[0], 0))
    return all_of(*out)


def branches_of_nothing(rng, draws):
    p = np.outer(rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(3)))
    found = bottleneck_branches(p, [1.5, 10.0, 100.0], (1, 2, 3))
    return all_of(
        near(found.i_x, 0, 1e-12),
        near(found.i_y, 0, 1e-12),
        Found(str(found.leaves), "none leaves", bool(np.isnan(found.leaves).all())),
    )


def variational(rng, draws):
    """Never below the optimum (its standard error allowed for), nor far above on a table that it can represent."""
    out = []
    for p in (0.02, 0.1):
        best = dt.bottleneck(channel(p), 6.0).lagrangian
        found = dt.bottleneck(channel(p), 6.0, "variational", steps=300)
        error = 6 * 4 * float(found.notes[0].split("errors ")[1].split()[0]) + 1e-3
        out.append(Found(f"{found.lagrangian - best:.3g} above", "not below", found.lagrangian >= best - error))
        out.append(Found(f"{found.lagrangian:.3g} of {best:.3g}", "half of it", found.lagrangian <= 0.5 * best))
    return all_of(*out)


def terms(rng, draws):
    """An encoder that ignores x and shows N(0, 1): rate 0, cross-entropy at least H(Y), bits."""
    from deeptheory.information.bottleneck.variational import VariationalBottleneck

    out = []
    for classes in (2, 5):
        net = VariationalBottleneck(3, classes, 2.0, hidden=()).double()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.zero_()
            net.encoder[-1].bias[2:] = 5 + math.log(math.e - 1)  # softplus(. - 5) = 1
        x, y = torch.zeros(600, 3, dtype=torch.float64), torch.arange(600) % classes
        found = net.terms(x, y)
        out.append(near([float(found.rate), float(found.cross_entropy)], [0, math.log2(classes)], 1e-5))
        out.append(near(float(found.loss.detach()), 2 * math.log(classes), 1e-5))
    return all_of(*out)


def refusals(rng, draws):
    p = channel(0.1)
    calls = (
        [(lambda b=b: dt.bottleneck(p, b), "beta is") for b in (None, "x", -1, math.nan, math.inf, [1.0, 2.0])]
        + [(lambda k=k: dt.bottleneck(p, 2.0, clusters=k), "clusters is") for k in (0, -1, 2.5, True)]
        + [(lambda s=s: dt.bottleneck(p, 2.0, seconds=s), "seconds is") for s in (0, -1, "x")]
        + [(lambda: dt.bottleneck(2 * p, 2.0), "sums to 2"), (lambda: dt.bottleneck(0 * p, 2.0), "0 everywhere")]
        + [(lambda: dt.bottleneck(p.astype(str), 2.0), "probabilities, or counts")]
        + [(lambda m=m: dt.bottleneck(p, 2.0, m, wrong=1), "no option 'wrong'") for m in (*METHODS, "variational")]
    )
    return all_of(*(refused(call, match) for call, match in calls))


ROWS = [
    *(Row("bottleneck", "null", f'independent tables of four shapes, betas .5 to 1e12, "{m}"', nothing(m))
        for m in METHODS),
    Row("bottleneck", "null", "counts whose margins multiply, and their float32 form", independent_counts),
    Row("bottleneck", "truth", "binary symmetric channels: closed form", symmetric),
    Row("bottleneck", "truth", "erasure channels of 2, 3, 8 symbols: all at beta 1 / (1 - e)", erasing),
    *(Row("bottleneck", "truth", f'Y = f(X) and X = f(Y): closed form, "{m}"', deterministic(m)) for m in METHODS),
    Row("bottleneck", "truth", "30x12 and six kinds of table: the best of 3 plain Blahut-Arimoto runs",
        against_plain(30, 12, (1.5, 5.0, 40.0), 3)),
    Row("bottleneck", "truth", "80x2 and six kinds of table: the best of 3 plain Blahut-Arimoto runs",
        against_plain(80, 2, (2.0, 20.0), 3)),
    Row("bottleneck", "truth", "100x40 and six kinds of table: the best of 5 plain Blahut-Arimoto runs",
        against_plain(100, 40, (1.5, 3.0, 10.0, 100.0), 5), quick=0),
    Row("bottleneck", "truth", "300x100 at beta 10: 20 s, and the best of 5 plain runs", in_time(300, 100, 20, 5),
        quick=0),
    # one plain run of 5: each takes 50 to 70 s of processor time, two to three times as long as ours
    Row("bottleneck", "truth", "1000x500 at beta 10: 300 s, and a plain run", in_time(1000, 500, 300, 1), quick=0),
    Row("bottleneck", "truth", "300x100 at beta 10: 20 s, without plain runs", in_time(300, 100, 20, 0)),
    Row("bottleneck", "truth", "hard clusters: all partitions of 6 rows", least_of_all_partitions),
    Row("bottleneck", "truth", "beta 1e18 to 1e300: T = X, its equal rows merged", huge),
    Row("bottleneck", "truth", "clusters= on 12x3, 40x12, 400x200: so many at most, ordered", clusters_at_most),
    Row("bottleneck", "truth", "seconds= and progress=", stops),
    Row("bottleneck", "truth", "refusals name the value", refusals),
    *(Row("information.BottleneckSolution", "truth", f'definitions, by loops, "{m}"', own_numbers(m)) for m in METHODS),
    Row("information.BottleneckSolution.residual", "truth", "one step of loops; six kinds of table, 2 to 12 labels",
        residual_and_gap),
    *(Row("bottleneck", "invariance", f'{"empty" if m == "sequential" else "order, empty and doubled"} rows, counts, '
        f'dtypes, torch, "{m}"', what_must_not_matter(m)) for m in METHODS),
    Row("bottleneck", "invariance", "probabilities of 1e-300 to 1e-30 beside ordinary ones", tiny),
    Row("information.first_critical_beta", "truth", "symmetric channels of 2 to 40 symbols to 1e-7 of independence",
        critical),
    Row("information.bottleneck_branches", "null", "independent table", branches_of_nothing),
    Row("information.bottleneck_branches", "truth", "binary symmetric channels", branches),
    Row("bottleneck", "truth", '"variational" on symmetric channels: above the optimum, below half of it', variational),
    Row("information.bottleneck.variational.VariationalBottleneck.terms", "truth", "an encoder that ignores x", terms),
    *CURVES,
    *LAYERS,
]  # fmt: skip

EXEMPT = {
    "information.bottleneck.variational.VariationalBottleneck.encode": "parameters of T, tried through terms",
    "information.bottleneck.variational.VariationalBottleneck.forward": "logits of the user's network",
    "information.bottleneck.variational.VariationalBottleneck.step": "one optimizer step; its numbers are those of "
    "terms",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
