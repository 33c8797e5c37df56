"""Decoders, ceilings, tuning, flatness and dissimilarities of the axis science: what they promise, tried."""

import numpy as np

import deeptheory as dt
from deeptheory import axis as ax
from oracles.axis import leave_one_out
from oracles.left_out import nested_ridge
from trials import axis_data as data
from trials.frame import Found, Row, all_of, covers, near, often, quick, rare, uniform
from trials.test_axis_invariance import ROWS as INVARIANCE
from trials.test_axis_population import ROWS as POPULATION
from trials.test_axis_verdicts import ROWS as VERDICTS

SHAPES = ((40, 1600), (50, 200), (60, 60), (100, 20), (400, 10))  # stimuli, units: 1:40 to 40:1
PLAIN = {"models": False, "permutations": 0}


def noise_code(rng, n, units, d=5, **options):
    return dt.axis_code(rng.standard_normal((n, units)), rng.standard_normal((n, d)), **PLAIN | options)


def noise_is_not_decoded(n, units):
    def check(rng, draws):
        found = np.array([noise_code(rng, n, units).decoding.explained for _ in range(draws)])
        text = f"mean R2 {found.mean():.3f}, largest {found.max():.3f}"
        return Found(text, "mean in [-.3, .02], largest below .3", -0.3 < found.mean() < 0.02 and found.max() < 0.3)

    return check


def noise_is_not_identified(n, units):
    def check(rng, draws):
        found = [noise_code(rng, n, units).identification([2, 20]) for _ in range(draws)]
        mean = np.mean([f.accuracy[-1] for f in found], 0)
        hits = sum(bool(((f.low[-1] <= f.chance) & (f.chance <= f.high[-1])).all()) for f in found)
        return all_of(near(mean, [0.5, 0.05], 2 / np.sqrt(draws * n)), covers(hits, draws))

    return check


def random_labels(n, units, values, rare_share=0.5):
    def check(rng, draws):
        hits, seen = 0, []
        for _ in range(draws):
            labels = rng.permutation(np.arange(n) % values if rare_share == 0.5 else np.arange(n) < rare_share * n)
            read = noise_code(rng, n, units, 2).attribute(labels)
            hits += read.low <= 1 / values <= read.high
            seen.append(read.value)
        return all_of(covers(hits, draws), near(np.mean(seen), 1 / values, 3 / np.sqrt(draws * n)))

    return check


def strong_labels(rng, draws):
    hits = 0
    for _ in range(draws):
        labels = rng.permutation(np.arange(100) % 2)
        y = rng.standard_normal((100, 150))
        y[:, :60] += 0.5 * labels[:, None]
        hits += dt.axis_code(y, rng.standard_normal((100, 2)), **PLAIN).attribute(labels).low > 0.5
    return often(hits, draws, 0.8)


def decoding_is_brute_force(rng, draws):
    out = []
    for n, units in ((12, 20), (14, 14), (60, 5)):
        code = noise_code(rng, n, units, 3, folds=2)
        y, s = code._entered.y.numpy(), code.decoding.actual
        slow = leave_one_out(y, s) if n >= 8 * (units + 1) else nested_ridge(y, s, tuple(10.0**k for k in range(-6, 5)))
        out.append(near(code.decoding.predicted, slow, 1e-8))
    return all_of(*out)


def dependent(kind, phi=0.9, n=600):
    """Tuned shares (p < .05) and decoding of unrelated features and responses; kind: series, runs, repeats, many."""

    def check(rng, draws):
        p, decoded, dimensions = [], [], []
        for _ in range(draws):
            groups = None
            s, y = data.series(rng, n, 3, phi), data.series(rng, n, 6, phi)
            if kind == "runs":
                groups = np.repeat(np.arange(6), 100)
            if kind == "many":
                groups = np.repeat(np.arange(40), 15)
            if kind == "repeats":
                image = np.repeat(np.arange(120), 5)
                s, y, groups = rng.standard_normal((120, 3))[image], rng.standard_normal((120, 6))[image], image
                y = y + 0.5 * rng.standard_normal(y.shape)
            code = dt.axis_code(y, s, groups=groups, models=False, permutations=99)
            p.append(code.ramp.p[0])  # units of one draw share the features
            dimensions.append(bool(code.preference.tuned_dimensions[0]))
            decoded.append(code.decoding.explained.mean())
        judged = int(np.isfinite(p).sum())  # NaN: too few independent rows, as a note says
        level = rare(int((np.array(p) <= 0.05).sum()), judged)
        text = Found(f"mean decoded R2 {np.mean(decoded):.3f}", "in [-.1, .05]", -0.1 < np.mean(decoded) < 0.05)
        there = Found(f"{judged} of {draws} p-values", "half or more", 2 * judged >= draws)
        return all_of(level, text, rare(sum(dimensions), draws, 0.06), there)

    return check


def halves_of_a_series(phi, n):
    """Axes of two halves of a series that answers nothing have no direction in common."""

    def check(rng, draws):
        found = [
            dt.axis_code(data.series(rng, n, 6, phi), data.series(rng, n, 8, phi), **PLAIN).axes.reliability
            for _ in range(draws)
        ]
        return near(np.mean(found), 0, 0.15 + 0.5 / np.sqrt(draws))

    return check


def decoded_in_a_series(phi, n):
    """Units that answer linearly, as strong as their noise: the truth is the best reader's, who knows the weights."""

    def check(rng, draws):
        out = []
        for _ in range(draws):
            s, w = data.series(rng, n, 3, phi), rng.standard_normal((3, 12)) / np.sqrt(3)
            code = dt.axis_code(s @ w + data.series(rng, n, 12, phi), s, **PLAIN)
            best = 1 - np.diag(np.linalg.inv(np.eye(3) + w @ w.T))
            out.append((best - code.decoding.explained).mean())
        return near(np.mean(out), 0, 0.15)

    return check


def tuned_in_a_series(rng, draws):
    hits = 0
    for _ in range(draws):
        s = data.series(rng, 1000, 3, 0.9)
        code = dt.axis_code(
            s @ rng.standard_normal((3, 1)) + data.series(rng, 1000, 1, 0.9), s, models=False, permutations=99
        )
        hits += code.ramp.p[0] <= 0.05
    return often(hits, draws, 0.9)


def unequal_trials(counts, rho1):
    """rho1: reliability of one trial; the truth: of the mean over the trials that there are."""
    truth = 1 / (1 + (1 / rho1 - 1) * np.mean(1 / np.array(counts)))

    def check(rng, draws):
        x = rng.standard_normal((800, 1, 8 * draws)) + np.sqrt(1 / rho1 - 1) * rng.standard_normal(
            (800, max(counts), 8 * draws)
        )
        each = np.resize(counts, 800)
        x[np.arange(max(counts))[None] >= each[:, None]] = np.nan
        return all_of(*(near(np.mean(f(x)), truth, 0.03) for f in (ax.split_half, ax.signal_power)))

    return check


def drifting(rng, draws):
    x = rng.standard_normal((400, 1, 20)) + np.sqrt(1.6) * rng.standard_normal((400, 4, 20))
    truth, out = 1 / (1 + 1.6 / 4), []
    for size in (0, 1, 30):
        moved = x + size * rng.standard_normal((1, 4, 20))
        low, high = ax.bootstrap(moved, 100)
        out += [near(np.mean(f(moved)), truth, 0.03) for f in (ax.split_half, ax.signal_power)]
        out.append(near(np.mean((low + high) / 2), truth, 0.04))
    return all_of(*out)


def ceilings_cover(n, rho):
    def check(rng, draws):
        x = rng.standard_normal((n, 1, draws)) + np.sqrt(4 * (1 - rho) / rho) * rng.standard_normal((n, 4, draws))
        low, high = ax.bootstrap(x, 200)
        return covers(int(((low <= rho) & (rho <= high)).sum()), draws, 0.93)

    return check


def ceilings_of_noise(rng, draws):
    x = rng.standard_normal((60, 4, 200))
    return all_of(*(near(f(x).mean(), 0, 0.06) for f in (ax.split_half, ax.signal_power)))


def no_ceiling_no_score(rng, draws):
    code = dt.axis_code(rng.standard_normal((80, 3, 12)), rng.standard_normal((80, 4)), folds=3, permutations=19)
    lost = code.reliability <= 0
    blank = np.isnan(code.models.normalized[:, lost]).all() and np.isfinite(code.models.normalized[:, ~lost]).all()
    said = any("at or below 0" in n for n in code.notes) == bool(lost.any())
    return Found(
        f"{lost.sum()} of {len(lost)} ceilings at or below 0, NaN there: {blank}, said: {said}",
        "some of each, NaN and a note",
        bool(blank and said and lost.any() and not lost.all()),
    )


def flat_level(n, d):
    def check(rng, draws):
        f = dt.axis_code(rng.standard_normal((n, draws)), rng.standard_normal((n, d)), **PLAIN).flatness
        tests = [rare(int((p < 0.05).sum()), draws) for p in (f.p, f.p_single, f.p_norm)]
        return all_of(
            *tests, near(f.share.mean(), 0, 0.06), Found(f"{f.flat.sum()} untuned units flat", "none", not f.flat.any())
        )

    return check


def flat_power(n, d):
    def check(rng, draws):
        s = rng.standard_normal((n, d))
        y = data.recorded(data.cells("exemplar", s, draws, rng), 0.9, 1, rng)[:, 0]
        f = dt.axis_code(y, s, **PLAIN).flatness
        return often(int(((f.p < 0.05) | (f.p_norm < 0.05)).sum()), draws, 0.95)

    return check


def shape_of(curve, wanted, never, rate=None, n=600, ceiling=0.9):
    def check(rng, draws):
        s = rng.standard_normal((n, 10))
        z = s @ (w := rng.standard_normal((10, draws))) / np.linalg.norm(w, axis=0)
        y = curve(z)
        y = (y / y.std(0) if y.any() else y) + np.sqrt(1 / ceiling - 1) * rng.standard_normal(z.shape)
        said = dt.axis_code(y, s, **PLAIN).ramp.shape
        wrong = rare(int((said == never).sum()), draws)
        return wrong if rate is None else all_of(wrong, often(int((said == wanted).sum()), draws, rate))

    return check


def near_exemplars(radius):
    def check(rng, draws):
        s = rng.standard_normal((600, 4))
        e = rng.standard_normal((draws, 4))
        y = -np.linalg.norm(s[:, None] - radius * e / np.linalg.norm(e, axis=1, keepdims=True), axis=2)
        said = dt.axis_code(y / y.std(0) + 0.3 * rng.standard_normal(y.shape), s, **PLAIN).ramp.monotone
        return rare(int(said.sum()), draws)

    return check


def ramp_uniform(n, d):
    def check(rng, draws):
        p = [
            dt.axis_code(
                rng.standard_normal((n, 1)), rng.standard_normal((n, d)), models=False, permutations=99
            ).ramp.p[0]
            for _ in range(draws)
        ]
        return uniform(p)

    return check


def rdm_null(n):
    def check(rng, draws):
        found = [
            ax.rdm_correlation(
                ax.rdm(rng.standard_normal((n, 20))), ax.rdm(rng.standard_normal((n, 20))), permutations=99
            )
            for _ in range(draws)
        ]
        return all_of(uniform([f.p for f in found]), covers(sum(f.low <= 0 <= f.high for f in found), draws))

    return check


def rdm_truth(rng, draws):
    """Interval of a correlation that is not 0: the truth is that of 400 images of the same two areas."""
    a, b = rng.standard_normal((2, 4, 30))

    def pair(n):
        z = rng.standard_normal((n, 4))
        return [ax.rdm(z @ w + 0.5 * rng.standard_normal((n, 30))) for w in (a, b)]

    truth = np.mean([float(ax.rdm_correlation(*pair(300), permutations=0)) for _ in range(4)])
    found = [ax.rdm_correlation(*pair(30), permutations=19) for _ in range(draws)]
    return all_of(
        covers(sum(f.low <= truth <= f.high for f in found), draws, 0.9),
        often(sum(f.p <= 0.05 for f in found), draws, 0.9),
    )


def distances_of_nothing(units, trials):
    def check(rng, draws):
        mean = rng.standard_normal((1, 1, units))
        found = [
            ax.cross_validated_rdm(mean + rng.standard_normal((30, trials, units)))[np.triu_indices(30, 1)].mean()
            for _ in range(draws)
        ]
        return near(np.mean(found), 0, 4 * np.std(found) / np.sqrt(draws) + 1e-12)

    return check


def distances_of_something(rng, draws):
    """Means of variance v per unit, noise 1: 2 v, whitened or not."""
    x = 0.7 * rng.standard_normal((150, 1, 40)) + rng.standard_normal((150, 3, 40))
    upper = np.triu_indices(150, 1)
    return all_of(*(near(ax.cross_validated_rdm(x, w)[upper].mean(), 2 * 0.49, 0.1) for w in (False, True)))


def space_rank(rank, dtype):
    def check(rng, draws):
        y = (rng.standard_normal((80, rank)) @ rng.standard_normal((rank, 60)) + 3).astype(dtype)
        space = ax.object_space(y, 50)
        found = near(len(space.components), min(rank, 50), 0)
        other = (rng.standard_normal((40, rank)) @ rng.standard_normal((rank, 60)) + 3).astype(dtype)
        return all_of(
            found,
            Found(
                f"largest code {np.abs(space.encode(other)).max():.3g}",
                "below 1e4",
                np.abs(space.encode(other)).max() < 1e4,
            ),
        )

    return check


def transfer(rng, draws):
    w, out = rng.standard_normal((5, 4)), []
    for spread in ([1, 1, 1, 1, 1], [9, 3, 1, 0.3, 0.1]):
        for scale in ("block", "dim", "none"):
            a, b = rng.standard_normal((200, 5)), rng.standard_normal((200, 5)) * spread
            codes = [dt.axis_code(s @ w, s, normalize=k, **PLAIN) for s, k in ((a, "block"), (b, scale))]
            out.append(near(ax.axis_transfer(*codes)[0], 1, 1e-9))
    return all_of(*out)


_MONOTONE = ("linear", lambda z: z), ("softplus", lambda z: np.logaddexp(0, 2 * z)), ("tanh", np.tanh)
_TURNING = (("sin(2.2 z) + z", lambda z: np.sin(2.2 * z) + z), ("-|z - .8|", lambda z: -np.abs(z - 0.8)),
    ("sin(3 z) + z", lambda z: np.sin(3 * z) + z))  # fmt: skip
ROWS = [
    *(Row("axis.Decoding.by_block", "null", f"noise, {n} stimuli, {u} units", noise_is_not_decoded(n, u), 4, 40)
        for n, u in SHAPES),
    *(Row("axis.AxisCode.identification", "null", f"noise, {n} stimuli, {u} units", noise_is_not_identified(n, u), 4,
        60) for n, u in SHAPES if u < 1000),
    Row("axis.AxisCode.identification", "null", "noise, 40 stimuli, 1600 units", noise_is_not_identified(40, 1600), 0,
        20),
    *(Row("axis.AxisCode.attribute", "null", f"random labels, {n} stimuli, {u} units, {v} values",
        random_labels(n, u, v), q, 200) for n, u, v, q in ((100, 200, 2, 0), (40, 10, 2, 30), (30, 60, 2, 10),
        (200, 20, 2, 0), (60, 60, 3, 10))),
    Row("axis.AxisCode.attribute", "power", "150 units, 60 of them half a deviation apart", strong_labels, 5, 60),
    Row("axis.Decoding.by_block", "truth", "one regression per stimulus, penalty and stimulus left out within (oracle)",
        decoding_is_brute_force),
    *(Row("axis.Ramp.tuned", "null", f"unrelated {kind}, AR({phi}), {n:,} rows", dependent(kind, phi, n), q, 200)
        for kind, phi, n, q in (("series", 0.9, 600, 20), ("series", 0.95, 1000, 0), ("series", 0.98, 6000, 10),
            ("series", 0.99, 12000, 0), ("runs", 0.9, 600, 20), ("many", 0.9, 600, 10), ("repeats", 0, 600, 20))),
    *(Row("axis_code", "null", f"split-half cosines of axes, AR({phi}), {n:,} rows", halves_of_a_series(phi, n), q, 40)
        for phi, n, q in ((0.9, 600, 8), (0.98, 3000, 0), (0.99, 6000, 0))),
    *(Row("axis.Decoding.by_block", "truth", f"linear units in AR({phi}) noise, {n:,} rows: R2 of the known weights "
        "(closed form)", decoded_in_a_series(phi, n), q, 40)
        for phi, n, q in ((0.9, 1500, 3), (0.98, 6000, 0), (0.99, 12000, 0))),
    Row("axis.Ramp.tuned", "power", "axis cells in AR(.9) noise, 1,000 rows in a series", tuned_in_a_series, 10, 100),
    *(Row("axis.Ramp.tuned", "null", f"{n} stimuli, {d} features", ramp_uniform(n, d), q, 500)
        for n, d, q in ((60, 20, 60), (30, 60, 0), (300, 5, 0))),
    *(Row("axis.split_half", "truth", f"trials {c}, reliability of one {r}: closed form", unequal_trials(c, r), 1, 20)
        for c, r in (((1, 1, 1, 4), 0.3), ((2, 3), 0.2), ((1, 2, 8), 0.5), ((3,), 0.6))),
    Row("axis.signal_power", "invariance", "drift common to all stimuli", drifting),
    *(Row("axis.bootstrap", "null", f"{n} stimuli, reliability {r}", ceilings_cover(n, r), 200, 2000) for n in (20, 60)
        for r in (0.2, 0.7)),
    Row("axis.signal_power", "null", "no signal, 60 stimuli, 4 trials", ceilings_of_noise),
    Row("axis.Models.normalized", "null", "no signal: NaN and a note where the ceiling is at or below 0",
        no_ceiling_no_score),
    *(Row("axis.Flatness.flat", "null", f"noise, {n} stimuli, {d} features", flat_level(n, d), 300, 2000)
        for n, d in ((60, 20), (60, 5), (300, 20))),
    *(Row("axis.Flatness.flat", "power", f"p < .05 of exemplar cells, {n} stimuli, {d} features", flat_power(n, d), 40,
        400)
        for n, d in ((60, 10), (60, 20), (300, 20))),
    *(Row("axis.Ramp.monotone", "truth", f"{name}, ceiling .9, 600 stimuli", shape_of(f, "monotone", "reverses", 0.8),
        20, 200) for name, f in _MONOTONE),
    *(Row("axis.Ramp.monotone", "truth", f"{name} turns back", shape_of(f, "reverses", "monotone"), 40, 400)
        for name, f in _TURNING),
    *(Row("axis.Ramp.monotone", "truth", f"exemplars {r} deviations from the mean", near_exemplars(r), 20, 200)
        for r in (0.3, 0.6, 0.9)),
    Row("axis.Ramp.monotone", "null", "no tuning", shape_of(lambda z: 0 * z, "undetermined", "monotone", 0.9), 40, 400),
    *(Row("axis.rdm_correlation", "null", f"unrelated areas, {n} images", rdm_null(n), q, 300)
        for n, q in ((10, 60), (30, 0))),
    Row("axis.rdm_correlation", "truth", "related areas, 30 images; truth from 300", rdm_truth, 20, 200),
    *(Row("axis.cross_validated_rdm", "null", f"identical conditions, {u} units, {t} trials",
        distances_of_nothing(u, t), 10, 100) for u, t in ((5, 2), (40, 4), (80, 2))),
    Row("axis.cross_validated_rdm", "truth", "means of variance .49: .98 (closed form)", distances_of_something),
    *(Row("axis.object_space", "truth", f"responses of rank {r}, {np.dtype(t)}", space_rank(r, t))
        for r, t in ((10, float), (3, np.float32), (50, float))),
    Row("axis.axis_transfer", "truth", "identical linear cells under other covariances and scalings: 1", transfer),
    Row("axis.Ramp.tuned", "null", "a trend in features and responses", data.trends, 8, 60),
    Row("axis_code", "null", "repeated rows without groups", data.repeated_rows),
    *INVARIANCE,
    *POPULATION,
    *VERDICTS,
]  # fmt: skip

EXEMPT = data.EXEMPT


@quick([r for r in ROWS if r not in (*INVARIANCE, *POPULATION, *VERDICTS)])
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
