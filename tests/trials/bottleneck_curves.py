"""Rows of test_bottleneck.py: the information curve, Gaussians, finite samples, capacity, rate-distortion."""

import numpy as np

import deeptheory as dt
from deeptheory.information import finite_sample_bound
from oracles import bottleneck as oracle
from trials.bottleneck_tables import TABLES, channel, entropy, erasure, soft, topics
from trials.frame import Found, Row, all_of, near, refused


def h2(p):
    return entropy([p, 1 - p])


def independent(rng, draws):
    out = []
    for nx, ny in ((2, 2), (1, 5), (5, 1), (20, 30)):
        curve = dt.bottleneck_curve(np.outer(rng.dirichlet(np.ones(nx)), rng.dirichlet(np.ones(ny))))
        out.append(near([*curve.i_x, *curve.i_y, curve.i_xy, len(curve.beta) - 1, len(curve.critical_beta)], 0, 0))
        out.append(near([curve.first_critical], np.inf, 0))
        out.append(Found(str(curve.notes), "said", "independent" in curve.notes[0]))
    return all_of(*out)


def symmetric(rng, draws):
    """Also where X and Y share 1e-5 and 1e-9 bits: tolerances are relative to I(X;Y)."""
    out = []
    for p in (0.01, 0.2, 0.45, 0.49, 0.498, 0.49999):
        curve = dt.bottleneck_curve(channel(p))
        known = np.array([oracle.symmetric_channel(p, b) for b in curve.beta])
        out.append(Found(f"{len(curve.beta)} points at p {p}", "20 to 400", 20 <= len(curve.beta) < 400))
        out.append(near(curve.i_y / curve.i_xy, known[:, 1] / curve.i_xy, 1e-5, f"p {p}: "))
        out.append(near(curve.i_x, known[:, 0], 1e-5))  # the Lagrangian, certified to 1e-10, is flat just past 1/s2^2
        out.append(near(curve.i_xy / (1 - h2(p)), 1, 1e-3 if p > 0.49 else 1e-9))
        out.append(near(curve.critical_beta * (1 - 2 * p) ** 2, [1], 1e-4))
    return all_of(*out)


def weak(rng, draws):
    """Issue 10's table and scalings of it to 1e-9 bits: a proper curve, its ends at 0 and I(X;Y)."""
    out = []
    for d in (1e-2, 1e-3, 1e-4, 1e-5):
        curve = dt.bottleneck_curve(np.array([[0.25 + d, 0.25 - d], [0.25 - d, 0.25 + d]]))
        out.append(near(curve.i_xy / (8 * d**2 / np.log(2)), 1, 1e-2))
        out.append(Found(f"{len(curve.beta)} points", "20 or more", len(curve.beta) >= 20))
        out.append(near(curve.i_y.max() / curve.i_xy, 1, 1e-3))
        x = np.linspace(0, 1, 101)
        out.append(near((curve.bound(x) - curve.envelope(x)) / curve.i_xy, 0, 1e-3))
    return all_of(*out)


def line(rng, draws):
    """X a function of Y, Y of X, a permutation; dit issue 155. Tables that only share a part: the line ends there."""
    out = []
    for nx, ny in ((2, 3), (4, 9), (3, 3), (10, 40)):
        labels = np.concatenate([np.arange(nx), rng.integers(0, nx, ny - nx)])
        p = np.eye(nx)[labels].T * rng.dirichlet(np.ones(ny))
        h = entropy(p.sum(1))
        for table in (p, p.T):
            curve = dt.bottleneck_curve(table)
            out.append(near(curve.i_x, curve.i_y, 0))
            out.append(near([curve.i_x.min(), curve.i_x.max()], [0, h], 1e-12, f"{table.shape}: "))
            out.append(Found(f"{len(curve.beta)} points", "10 or more", len(curve.beta) >= 10))
            x = np.linspace(0, h, 7)
            out.append(near([curve.bound(x), curve.envelope(x)], x, 1e-9))
    blocks = np.kron(np.diag([0.5, 0.3, 0.2]), channel(0.2) / 1.0)
    curve = dt.bottleneck_curve(blocks)
    shared = entropy([0.5, 0.3, 0.2])
    on = curve.beta == 1
    out.append(near(curve.i_x[on], curve.i_y[on], 0))
    out.append(near(curve.i_x[on].max(), shared, 1e-9))
    out.append(near(curve.i_xy, shared + 1 - h2(0.2), 1e-9))
    slope = (curve.i_y[~on] - shared) < (curve.i_x[~on] - shared) + 1e-12
    return all_of(*out, Found(str(bool(slope.all())), "below the line beyond", bool(slope.all())))


def laws(rng, draws):
    """Every kind of table: both informations rise with beta, no encoder drawn is above the bound,
    the slope is 1 / beta."""
    from deeptheory.information.bottleneck.joint import as_joint, informations

    out = []
    for kind, make in TABLES.items():
        p = make(rng, 8, 3)
        curve, joint = dt.bottleneck_curve(p, locate=False), as_joint(p)
        out.append(Found(f"{np.diff(curve.i_y).min():.1g} ({kind})", "rises", np.diff(curve.i_y).min() >= -1e-7))
        for _ in range(30):
            got = informations(joint, rng.dirichlet(np.full(int(rng.integers(2, 9)), 0.2), len(joint.p)))
            out.append(
                Found(
                    f"{got['i_y'] - curve.bound(got['i_x']):.2g} above",
                    "0",
                    got["i_y"] <= curve.bound(got["i_x"]) + 1e-9,
                )
            )
        x = np.linspace(0.1, 0.9, 9) * curve.h_x
        out.append(near(curve.bound(x), curve.envelope(x), 3e-4, f"{kind}: "))
        step = np.flatnonzero((np.diff(curve.i_x) > 1e-3) & (np.diff(curve.i_y) > 1e-5))
        slope = np.diff(curve.i_x)[step] / np.diff(curve.i_y)[step]
        inside = (slope >= curve.beta[step] * (1 - 1e-3)) & (slope <= curve.beta[step + 1] * (1 + 1e-3))
        out.append(
            Found(f"{inside.sum()} of {len(inside)} slopes", "between neighboring betas", len(inside) and inside.all())
        )
        out.append(
            near(curve.beta_at(curve.hull()[0][:1]), np.diff(curve.hull()[0])[0] / np.diff(curve.hull()[1])[0], 1e-12)
        )
    return all_of(*out)


def curve_invariance(rng, draws):
    out = []
    for nx, ny in ((5, 2), (9, 4), (12, 12)):
        counts = rng.poisson(4 * topics(rng, nx, ny) * nx * ny) + np.eye(nx, ny, dtype=np.int64)
        p = counts / counts.sum()
        betas = [1.5, 3.0, 10.0, 1e3]
        first = dt.bottleneck_curve(p, betas, locate=False)
        turned = p[rng.permutation(nx)][:, rng.permutation(ny)]
        for table in (turned, counts, 7 * counts, np.concatenate([p, p]) / 2, np.pad(p, 1)):
            curve = dt.bottleneck_curve(table, betas, locate=False)
            out.append(near([curve.i_x, curve.i_y], [first.i_x, first.i_y], 1e-5))
            out.append(near([curve.i_xy, curve.h_x, curve.h_y], [first.i_xy, first.h_x, first.h_y], 1e-12))
        other = dt.bottleneck_curve(p.T, betas, locate=False)
        out.append(near([other.i_xy, other.first_critical / first.first_critical], [first.i_xy, 1], 1e-9))
    return all_of(*out)


def gaussian_null(rng, draws):
    out = []
    for dx, dy in ((1, 1), (3, 2), (2, 6)):
        mix = rng.standard_normal((dx, dx))
        found = dt.gaussian_bottleneck(mix @ mix.T + np.eye(dx), np.eye(dy), np.zeros((dx, dy)), [0.5, 3.0, 1e9])
        out.append(near([*found.i_x, *found.i_y, found.i_xy, *found.dimension], 0, 1e-12))
    return all_of(*out)


def gaussian_truth(rng, draws):
    """Independent pairs of correlation rho_k: Chechik et al. 2005, eq. 16, summed over those with beta rho^2 > 1."""
    out = []
    for rho in ([0.8], [0.99, 0.5, 0.1], [1 - 1e-6, 1e-3]):
        rho = np.array(rho)
        for beta in (1.2, 3.0, 50.0, 1e7):
            found = dt.gaussian_bottleneck(np.eye(len(rho)), np.eye(len(rho)), np.diag(rho), [beta])
            on = beta * rho**2 > 1
            i_x = 0.5 * np.log2((beta - 1) * rho[on] ** 2 / (1 - rho[on] ** 2)).sum()
            i_y = i_x - 0.5 * np.log2(beta * rho[on] ** 2).sum()
            out.append(near([found.i_x[0], found.i_y[0]], [i_x, i_y], 1e-8))
            solution = dt.bottleneck((np.eye(len(rho)), np.eye(len(rho)), np.diag(rho)), beta, "gaussian")
            out.append(
                near([solution.i_x, solution.i_y, solution.lagrangian], [i_x, i_y, i_x - beta * i_y], 1e-6 * beta)
            )
        out.append(near(found.i_xy, -0.5 * np.log2(1 - rho**2).sum(), 1e-8))
    return all_of(*out)


def gaussian_weak(rng, draws):
    """The same formulas in 600 digits, correlations down to 1e-120 in turned and mixed columns;
    what is off is relative."""
    import mpmath

    out = []
    for dx, dy in ((1, 1), (4, 3), (2, 6)):
        for weakest in (1e-3, 1e-8, 1e-9, 1e-20, 1e-120):
            k = min(dx, dy)
            rho = weakest * np.linspace(1, 2, k)[::-1]
            lx, ly = (np.linalg.cholesky(a @ a.T + np.eye(len(a))) for a in (rng.normal(size=(d, d)) for d in (dx, dy)))
            u, v = (np.linalg.qr(rng.normal(size=(d, d)))[0][:, :k] for d in (dx, dy))
            for times in (1.5, 3.0, 1e6):
                beta = times / weakest**2
                found = dt.gaussian_bottleneck(lx @ lx.T, ly @ ly.T, lx @ u @ np.diag(rho) @ v.T @ ly.T, [beta])
                with mpmath.workdps(600):
                    b, squares = mpmath.mpf(beta), [mpmath.mpf(r) ** 2 for r in rho]
                    i_x = sum(mpmath.log((b - 1) * s / (1 - s), 2) for s in squares) / 2
                    i_y = sum(mpmath.log((b - 1) / (b * (1 - s)), 2) for s in squares) / 2
                    i_xy = -sum(mpmath.log(1 - s, 2) for s in squares) / 2
                    pairs = ((found.i_x[0], i_x), (found.i_y[0], i_y), (found.i_xy, i_xy))
                    off = [float(mpmath.mpf(float(a)) / c) for a, c in pairs]
                    off += [c * s for c, s in zip(found.critical_beta, rho[:k] ** 2, strict=True)]
                out.append(near(off, 1, 1e-9, f"{dx} x {dy}, {weakest:g}: "))
    return all_of(*out)


def gaussian_units(rng, draws):
    mix = rng.standard_normal((5, 5))
    cov = mix @ mix.T + 0.2 * np.eye(5)
    first, out = dt.gaussian_bottleneck(cov[:3, :3], cov[3:, 3:], cov[:3, 3:], [2.0, 30.0]), []
    for scale in (1e-100, 1e-8, 1e8, 1e100):
        s = np.diag([scale, 1.0, 3.0])
        found = dt.gaussian_bottleneck(s @ cov[:3, :3] @ s, cov[3:, 3:] * 1e6, 1e3 * s @ cov[:3, 3:], [2.0, 30.0])
        out.append(near([*found.i_x, *found.i_y, found.i_xy], [*first.i_x, *first.i_y, first.i_xy], 1e-7))
    return all_of(*out)


def impossible(rng, draws):
    calls = [
        (lambda r=r: dt.gaussian_bottleneck([[1.0]], [[1.0]], [[r]], [2.0]), "no variables have these")
        for r in (1.01, -2.0, 1e6)
    ]
    calls += [
        (lambda s=s: dt.gaussian_bottleneck(s, [[1.0]], [[0.1], [0.1]], [2.0]), m)
        for s, m in (
            ([[1.0, 2.0], [2.0, 1.0]], "no covariance"),
            ([[1.0, 0.5], [0.1, 1.0]], "not symmetric"),
            ([[1.0, 1.0], [1.0, 1.0]], "not positive definite"),
        )
    ]
    calls += [
        (lambda b=b: dt.gaussian_bottleneck([[1.0]], [[1.0]], [[0.5]], b), "beta is") for b in (None, [], [0.0], "x")
    ]
    calls += [
        (lambda b=b: dt.rate_distortion([0.5, 0.5], np.eye(2), b), "beta is") for b in (None, [], [-1.0], [[1.0]], "x")
    ]
    calls += [(lambda b=b: dt.bottleneck_curve(channel(0.1), b), "beta is") for b in ([], [-1.0], [np.inf], ["a"])]
    return all_of(*(refused(call, match) for call, match in calls))


def finite(rng, draws):
    """Y a function of X: D(R) = H - R, so that worst = H - R + s 2^R is least at R = -log2(s ln 2),
    where that is inside."""
    out = []
    for m in (4, 16, 64):
        curve, h = dt.bottleneck_curve(np.eye(m) / m), np.log2(m)
        for n in (100, 10_000, 10**8):
            s = 0.3 * 2 / np.sqrt(n)
            r = float(np.clip(-np.log2(s * np.log(2)), 0, h))
            found = finite_sample_bound(curve, n, constant=0.3)
            out.append(near([found.r_star, found.d_star], [r, h - r + s * 2**r], 1e-5, f"{m} labels, n {n}: "))
    return all_of(*out)


def finite_null(rng, draws):
    curve = dt.bottleneck_curve(np.outer([0.5, 0.5], [0.2, 0.8]))
    found = [finite_sample_bound(curve, n) for n in (1, 100, 10**9)]
    return near([[f.r_star, f.d_at_r_star] for f in found], 0, 1e-12)


def capacities(rng, draws):
    """Cover & Thomas, chapter 7: symmetric, erasure, Z, noisy typewriter;
    and no channel carries more than its bound."""
    out = []
    for p in (0.01, 0.25, 0.49):
        found = dt.capacity([[1 - p, p], [p, 1 - p]])
        out.append(near([found.value, found.high], 1 - h2(p), 1e-8))
        z = np.log2(1 + (1 - p) * p ** (p / (1 - p)))
        out.append(near(dt.capacity([[1.0, 0.0], [p, 1 - p]]).value, z, 1e-8))
    for m in (2, 5, 30):
        out.append(near(dt.capacity(erasure(m, 0.3) * m).value, 0.7 * np.log2(m), 1e-8))
        out.append(near(dt.capacity((np.eye(m) + np.roll(np.eye(m), 1, 0)) / 2).value, np.log2(m / 2), 1e-8))
        found = dt.capacity(rng.dirichlet(np.full(4, 0.3), m))
        out.append(Found(f"{found.high - found.value:.1g}", "bounds meet", -1e-12 <= found.high - found.value <= 1e-6))
    return all_of(*out)


def capacity_null(rng, draws):
    found = [dt.capacity(np.tile(rng.dirichlet(np.ones(k)), (n, 1))) for n, k in ((2, 2), (7, 3), (50, 40))]
    return near([[f.value, f.high] for f in found], 0, 1e-9)


def capacity_invariance(rng, draws):
    out = []
    for n, k in ((3, 4), (10, 5)):
        q = rng.dirichlet(np.ones(k), n)
        forms = (
            q[rng.permutation(n)][:, rng.permutation(k)],
            np.concatenate([q, q]),
            np.pad(q, ((0, 0), (0, 2))),
            q.astype(np.float32),
        )
        out += [near(dt.capacity(f).value, dt.capacity(q).value, 1e-6) for f in forms]
    return all_of(*out)


def rates(rng, draws):
    """Cover & Thomas, chapter 10: a coin of bias p, H(p) - H(D); m equal symbols,
    log m - H(D) - D log(m - 1); Hamming."""
    out = []
    for p in (0.1, 0.3, 0.5):
        found = dt.rate_distortion([p, 1 - p], 1 - np.eye(2), [0.5, 1.0, 3.0, 9.0])
        known = [h2(p) - h2(d) if d < p else 0.0 for d in found.distortion]
        out.append(near(found.rate, known, 1e-7, f"p {p}: "))
        at = [min(p, 1 / (1 + np.exp(b))) for b in (0.5, 1.0, 3.0, 9.0)]  # the slope of the rate in nats is -beta
        out.append(near(found.distortion, at, 1e-6, f"distortion at beta, p {p}: "))
        out.append(near(found.gap, 0, 1e-7))
    for m in (3, 8):
        found = dt.rate_distortion(np.ones(m) / m, 1 - np.eye(m), [1.0, 4.0])
        out.append(near(found.rate, [np.log2(m) - h2(d) - d * np.log2(m - 1) for d in found.distortion], 1e-7))
    return all_of(*out)


def rates_of_nothing(rng, draws):
    """beta 0, one symbol, a distortion that does not depend on the codeword: no bit is spent."""
    found = [
        dt.rate_distortion(rng.dirichlet(np.ones(4)), rng.random((4, 3)), 0.0),
        dt.rate_distortion([1.0], rng.random((1, 5)), [0.0, 5.0, 1e300]),
        dt.rate_distortion(rng.dirichlet(np.ones(4)), np.tile(rng.random((4, 1)), (1, 6)), [1.0, 1e6]),
    ]
    return near(np.concatenate([f.rate for f in found]), 0, 1e-9)


def rate_units(rng, draws):
    """Distortion in other units, beta in theirs: the same rate; a constant added to a row: the same rate."""
    p, d = rng.dirichlet(np.ones(5)), rng.random((5, 4))
    first = dt.rate_distortion(p, d, [2.0, 10.0]).rate
    forms = [dt.rate_distortion(p, d * c, np.array([2.0, 10.0]) / c).rate for c in (1e-100, 1e-6, 1e6, 1e100)]
    turn = rng.permutation(5)
    forms += [
        dt.rate_distortion(p, d + 7, [2.0, 10.0]).rate,
        dt.rate_distortion(p[turn], d[turn][:, ::-1].copy(), [2.0, 10.0]).rate,
    ]
    return all_of(*(near(f, first, 1e-9) for f in forms))


def twelve_bits(rng, draws):
    """The first critical beta of the 12-bit rule, gamma 50, of a published claim's own computation: 1.007039."""
    curve = dt.bottleneck_curve(soft())
    return all_of(
        near(curve.first_critical, 1.007039, 1e-6),
        Found(curve.notes[0][:40], "the jump is said", "jump" in curve.notes[0]),
    )


CURVES = [
    Row("bottleneck_curve", "null", "independent tables of four shapes: the single point 0, said", independent),
    Row("bottleneck_curve", "truth", "symmetric channels, I(X;Y) from .92 to 3e-10 bits: closed form", symmetric),
    Row("bottleneck_curve", "truth", "weak 2x2 tables down to 1e-9 bits: a proper curve", weak),
    Row("bottleneck_curve", "truth", "one variable decides the other, or they share a part: the whole line", line),
    Row("bottleneck_curve", "truth", "12-bit rule: first critical beta and its jump", twelve_bits),
    Row("information.BottleneckCurve.bound", "truth", "random encoders on six kinds of table; slopes; hull", laws),
    Row("bottleneck_curve", "invariance", "order, counts and their scale, doubled and empty rows, transposes",
        curve_invariance),
    Row("gaussian_bottleneck", "null", "no covariance between X and Y", gaussian_null),
    Row("gaussian_bottleneck", "truth", "independent pairs, rho .001 to 1 - 1e-6: closed form", gaussian_truth),
    Row("gaussian_bottleneck", "truth", "correlations of 1e-3 to 1e-120: relative precision against 600 digits",
        gaussian_weak),
    Row("gaussian_bottleneck", "invariance", "units of measurement from 1e-100 to 1e100", gaussian_units),
    Row("gaussian_bottleneck", "truth", "impossible covariances and betas are refused by name", impossible),
    Row("information.finite_sample_bound", "null", "independent X and Y: nothing is worth keeping", finite_null),
    Row("information.finite_sample_bound", "truth", "Y a function of X: closed form", finite),
    Row("capacity", "null", "every input says the same", capacity_null),
    Row("capacity", "truth", "symmetric, erasure, Z, typewriter channels: closed forms", capacities),
    Row("capacity", "invariance", "order, doubled inputs, unused outputs, float32", capacity_invariance),
    Row("rate_distortion", "null", "beta 0, one symbol, codewords that do not matter", rates_of_nothing),
    Row("rate_distortion", "truth", "Hamming distortion of coins and equal symbols: closed forms", rates),
    Row("rate_distortion", "invariance", "units of distortion from 1e-100 to 1e100, order, constants", rate_units),
]  # fmt: skip
