"""Intervals, p-values and nulls: what they promise, tried."""

import numpy as np

from deeptheory import statistics as st
from trials.frame import Found, Row, all_of, covers, near, often, quick, same, uniform

SIZES = (4, 6, 8, 18, 36)


def held(interval, draw, truth):
    def check(rng, draws):
        found = [interval(draw(rng)) for _ in range(draws)]
        return covers(sum(i.low <= truth <= i.high for i in found), draws)

    return check


def normal(n):
    return lambda rng: rng.normal(size=n)


def ranks_under_the_null(n, ties):
    def check(rng, draws):
        pairs = [(rng.normal(size=n), rng.normal(size=n)) for _ in range(draws)]
        return uniform([st.rank_correlation(np.round(x, ties), np.round(y, ties)).p for x, y in pairs])

    return check


def group_null(**how):
    """Two independent AR(.9) series: the size of their product against that of permuted pairings."""

    def series(rng):
        x = rng.normal(size=400)
        for k in range(1, 400):
            x[k] = 0.9 * x[k - 1] + x[k] * np.sqrt(1 - 0.81)
        return x

    def check(rng, draws):
        p = []
        for _ in range(draws):
            x, y = series(rng), series(rng)
            orders = st.permutations(400, 99, seed=int(rng.integers(2**31)), **how)
            p.append(float(st.permutation_p(abs(x @ y), np.abs(y[orders] @ x))))
        return uniform(p)

    return check


def batches(**how):
    """The mean of 800 rows (of 80 groups that share an offset, or a series of AR(.9)): the batch interval holds 0."""

    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            x = rng.normal(size=800)
            if "groups" in how:
                x = x + np.repeat(rng.normal(size=80), 10)
            if "block" in how:
                for k in range(1, 800):
                    x[k] = 0.9 * x[k - 1] + x[k] * np.sqrt(1 - 0.81)
            mean, seed = x.mean(), int(rng.integers(2**31))
            low, high = st.batch_interval(mean, lambda rows: x[rows].mean(), 800, seed=seed, **how)  # noqa: B023
            hits += low <= 0 <= high
        return covers(hits, draws)

    return check


def adjusted(rng, draws):
    """Benjamini-Hochberg and Holm as their papers write them; NaN is left out and stays."""
    p = rng.uniform(size=12)
    p[3] = np.nan
    known = np.sort(p[~np.isnan(p)])
    m = len(known)
    bh = [min(known[j] * m / (j + 1) for j in range(i, m)) for i in range(m)]
    holm = [min(1, max(known[j] * (m - j) for j in range(i + 1))) for i in range(m)]
    order = np.argsort(p)[:m]
    stays = [bool(np.isnan(f(p)[3])) for f in (st.false_discovery, st.holm)]
    return all_of(
        near(st.false_discovery(p)[order], np.minimum(bh, 1), 1e-12),
        near(st.holm(p)[order], holm, 1e-12),
        near(stays, 1, 0, "NaN stays: "),
    )


def labels_of_any_kind(rng, draws):
    codes = rng.integers(0, 4, 50)
    names = [
        np.array(["b", "a", "zz", "c"])[codes],
        np.array([7, -1, 10**12, 0])[codes],
        list(np.array([0.5, 2.5, 1e300, -3])[codes]),
    ]
    first = list(dict.fromkeys(codes.tolist()))
    by_hand = [first.index(c) for c in codes]
    return same([by_hand, st.codes_of(codes), *(st.codes_of(v) for v in names)])


def strong_pairs(rng, draws):
    hits = 0
    for _ in range(draws):
        x = rng.normal(size=30)
        hits += st.rank_correlation(x, 0.7 * x + 0.71 * rng.normal(size=30)).p <= 0.05
    return often(hits, draws, 0.9)


def known_times(rng, draws):
    off = []
    for phi in (0.0, 0.5, 0.9):
        x = rng.normal(size=200_000)
        for k in range(1, len(x)):
            x[k] = phi * x[k - 1] + x[k]
        off.append(near(st.autocorrelation_time(x) / ((1 + phi) / (1 - phi)), 1, 0.15, f"phi {phi}: ratio "))
    return all_of(*off)


def scales(rng, draws):
    x, y = rng.normal(size=12) + 5, rng.normal(size=12) + 4
    mean, ratio = st.mean_interval(x), st.ratio_interval(x, y)
    out = []
    middle = st.median_interval(x).value
    for c in (1e-200, 1e-8, 1e8, 1e200, 2e307):
        m, r = st.mean_interval(x * c), st.ratio_interval(x * c, y * c)
        out += [
            near([m.low / c, m.high / c], [mean.low, mean.high], 1e-9),
            near([r.low, r.high], [ratio.low, ratio.high], 1e-9),
            near([m.value / c, st.median_interval(x * c).value / c], [mean.value, middle], 1e-9),
        ]
    return all_of(*out)


def still_columns(rng, draws):
    """.1 a thousand times has a mean that is off by a rounding, and that is no series."""
    x = rng.normal(size=1000)
    still = [np.full(1000, value) for value in (0.1, 0.7, 1e-200, 1 / 3)]
    more = [st.autocorrelation_time(np.stack([s, x], axis=1)) for s in still]
    return all_of(same([1.0, *map(st.autocorrelation_time, still)]), same([st.autocorrelation_time(x), *more]))


def units_of_a_series(rng, draws):
    x = rng.normal(size=1000).cumsum()
    x /= np.abs(x).max()
    return same([st.autocorrelation_time(x * c) for c in (1, 1e-300, 1e-12, 1e12, 1.5e308)], 1e-9)


def order_of_rows(rng, draws):
    x, y = rng.normal(size=(2, 40))
    turn = rng.permutation(40)
    a, b = st.rank_correlation(x, y), st.rank_correlation(x[turn], y[turn])
    c = st.rank_correlation(np.exp(x), y * 1e9)
    return same([[r.value, r.low, r.high] for r in (a, b, c)], 1e-12)


def ends_by_scipy(rng, draws):
    """Both ends, which a coverage alone does not see: an interval that is too wide covers, too."""
    from scipy import stats

    out = []
    for n in (2, 5, 36):
        for level in (0.5, 0.95, 0.99):
            x = rng.normal(3, 2, n)
            known = stats.t.interval(level, n - 1, x.mean(), x.std(ddof=1) / np.sqrt(n))
            mean, geometric = st.mean_interval(x, level), st.geometric_mean_interval(np.exp(x), level)
            out.append(near([mean.value, mean.low, mean.high], [x.mean(), *known], 1e-12, "mean: "))
            out.append(near(np.log([geometric.value, geometric.low, geometric.high]), [x.mean(), *known], 1e-12))
            k = int(rng.integers(0, n + 1))
            exact = stats.binomtest(k, n).proportion_ci(level, "exact")
            found = st.proportion_interval(k, n, level)
            out.append(near([found.value, found.low, found.high], [k / n, exact.low, exact.high], 1e-6, "proportion: "))
    return all_of(*out)


def ends_of_medians(rng, draws):
    """Order statistics k and n + 1 - k: the tables of the sign test give k = 1, 1, 2, 3, 5, 12 at 95 %."""
    out = []
    for n, k in ((6, 1), (8, 1), (9, 2), (12, 3), (18, 5), (36, 12)):
        x = rng.exponential(size=n)
        found, ordered = st.median_interval(x), np.sort(x)
        out.append(near([found.value, found.low, found.high], [np.median(x), ordered[k - 1], ordered[n - k]], 0))
    return all_of(*out)


def ends_of_ratios(rng, draws):
    """Fieller: at both ends q the mean of a - q b is as many standard errors from 0 as Student's quantile says."""
    from scipy.stats import t

    out = []
    for n in (4, 8, 36):
        a, b = 4 + rng.normal(size=n), 2 + 0.3 * rng.normal(size=n)
        found = st.ratio_interval(a, b)
        for end in (found.low, found.high):
            rest = a - end * b
            away = abs(rest.mean()) / (rest.std(ddof=1) / np.sqrt(n))
            out.append(near(away / t.ppf(0.975, n - 1), 1, 1e-6, f"n = {n}: "))
        out.append(near(found.value, a.mean() / b.mean(), 1e-12))
        out.append(
            Found(f"[{found.low:.3g}, {found.high:.3g}]", "about the value", found.low < found.value < found.high)
        )
    return all_of(*out)


def widths(make, width, within):
    """The mean width over that of the theory: coverage alone does not see an interval that is too wide."""

    def check(rng, draws):
        found = [np.subtract(*make(rng)[::-1]) for _ in range(draws)]
        return near(np.mean(found) / width, 1, within, "ratio ")

    return check


def of_bootstrap(n):
    def make(rng):
        found = st.bootstrap_interval(np.mean, rng.normal(size=n), resamples=999, seed=int(rng.integers(2**31)))
        return found.low, found.high

    return make


def of_batches(rng):
    x = rng.normal(size=800)
    return st.batch_interval(x.mean(), lambda rows: x[rows].mean(), 800, seed=int(rng.integers(2**31)))


def ranks_by_scipy(rng, draws):
    """Value by scipy, ties among them; p of 5 pairs by all 120 orders, of 30 by scipy's t to .02."""
    from itertools import permutations

    from scipy.stats import spearmanr

    out = []
    for n, ties in ((5, 6), (7, 0), (12, 0), (30, 6)):
        for slope in (-1, 0, 1):
            x = np.round(rng.normal(size=n), ties)
            y = np.round(slope * x + rng.normal(size=n), ties)
            known = spearmanr(x, y)
            found = st.rank_correlation(x, y)
            out.append(near([found.value, st.spearman(x, y)], known.statistic, 1e-12, f"{n} pairs: "))
            if n == 5:
                orders = [abs(spearmanr(x, y[list(o)]).statistic) for o in permutations(range(5))]
                out.append(near(found.p, np.mean(np.array(orders) >= abs(known.statistic) - 1e-9), 1e-12, "p: "))
            if n == 30:
                out.append(near(found.p, known.pvalue, 0.02, "p: "))
    return all_of(*out)


def ranks_covered(rng, draws):
    """Normals of correlation .6: Spearman's is 6 / pi asin(.3)."""
    truth, hits = 6 / np.pi * np.arcsin(0.3), 0
    for _ in range(draws):
        x, e = rng.normal(size=(2, 40))
        found = st.rank_correlation(x, 0.6 * x + 0.8 * e)
        hits += found.low <= truth <= found.high
    return covers(hits, draws)


def orders_of_rows(rng, draws):
    """Every order is one of the rows; groups and strata hold; each row comes to every place that it may, alike."""
    groups = np.repeat(rng.permutation(5), 4)
    strata = rng.permutation(np.arange(20) % 4)
    seed = int(rng.integers(2**31))
    free, whole, inside = (
        st.permutations(20, 4000, seed=seed, **how) for how in ({}, {"groups": groups}, {"within": strata})
    )
    blocks = st.permutations(20, 4000, seed=seed, block=5)
    out = [near(np.sort(o, 1), np.broadcast_to(np.arange(20), o.shape), 0) for o in (free, whole, inside, blocks)]
    out.append(near(np.diff(whole.reshape(4000, 5, 4), axis=2), 1, 0, "groups stay in one piece: "))
    out.append(near(strata[inside], np.broadcast_to(strata, inside.shape), 0, "strata: "))
    inner = (np.diff(blocks, axis=1) % 20 == 1).sum(1)
    out.append(Found(f"{inner.min()} of 19 neighbors", "16 or more in blocks of 5", inner.min() >= 16))
    for orders, places in ((free, 20), (whole, 5), (inside, 5), (blocks, 20)):
        moved = np.mean(orders == np.arange(20))
        error = 4 * np.sqrt(1 / places / 4000)  # rows of one group move together
        out.append(near(moved, 1 / places, error, "rows at home: "))
    return all_of(*out)


def p_by_counting(rng, draws):
    out = []
    for m in (1, 19, 200):
        null = np.round(rng.normal(size=(m, 6)), 1)  # ties among them
        seen = np.round(rng.normal(size=6), 1)
        above = [(1 + sum(v >= s for v in column)) / (m + 1) for s, column in zip(seen, null.T)]
        below = [(1 + sum(v <= s for v in column)) / (m + 1) for s, column in zip(seen, null.T)]
        both = [min(1, 2 * min(a, b)) for a, b in zip(above, below)]
        for tail, known in (("greater", above), ("less", below), ("both", both)):
            out.append(near(st.permutation_p(seen, null, tail), known, 1e-12, f"{tail}: "))
    return all_of(near(st.permutation_p(2.0, np.array([1.0, 2.0, 3.0])), 3 / 4, 0), *out)


ROWS = [
    Row("statistics.mean_interval", "truth", "both ends by scipy, three levels; geometric means, proportions",
        ends_by_scipy),
    Row("statistics.median_interval", "truth", "order statistics of the sign test's tables, 6 to 36", ends_of_medians),
    Row("statistics.ratio_interval", "truth", "Fieller's equation at both ends", ends_of_ratios),
    Row("statistics.bootstrap_interval", "truth", "width for the mean of 200 normals: 3.92 / sqrt 200",
        widths(of_bootstrap(200), 2 * 1.96 / np.sqrt(200), 0.1), 10, 100),
    Row("statistics.batch_interval", "truth", "width for the mean of 800 rows: Student of 9, times c4(10)",
        widths(of_batches, 2 * 2.2622 * 0.9727 / np.sqrt(800), 0.12), 60, 600),
    *(Row("statistics.mean_interval", "null", f"{n} normal values", held(st.mean_interval, normal(n), 0), 100, 2000)
        for n in SIZES),
    *(
        Row("statistics.geometric_mean_interval", "null", f"{n} lognormal values, sigma 2",
            held(st.geometric_mean_interval, lambda r, n=n: np.exp(2 * r.normal(size=n)), 1.0), 100, 2000)
        for n in SIZES
    ),
    *(
        Row("statistics.median_interval", "null", f"{n} exponential values",
            held(st.median_interval, lambda r, n=n: r.exponential(size=n), np.log(2)), 100, 2000)
        for n in SIZES[1:]
    ),
    *(
        Row("statistics.ratio_interval", "null", f"{n} pairs, true ratio 2",
            held(lambda z: st.ratio_interval(*z), lambda r, n=n: (4 + 2 * r.normal(size=n), 2 + r.normal(size=n)), 2.0),
            100, 2000)
        for n in SIZES
    ),
    *(
        Row("statistics.proportion_interval", "null", f"{n} trials of p = {p}",
            held(lambda k, n=n: st.proportion_interval(k, n), lambda r, n=n, p=p: int(r.binomial(n, p)), p), 100, 2000)
        for n, p in ((4, 0.5), (12, 0.05), (40, 0.9))
    ),
    *(
        Row("statistics.bootstrap_interval", "null", f"{n} normal values, standard deviation",
            held(lambda x: st.bootstrap_interval(np.std, x, resamples=999), normal(n), 1.0), 0, 500)
        for n in (100, 400)
    ),
    *(Row("statistics.rank_correlation", "null", f"{n} pairs, rounded to {t} digits", ranks_under_the_null(n, t), 100,
        1000) for n, t in ((5, 6), (8, 0), (20, 0), (20, 6))),
    Row("statistics.rank_correlation", "power", "30 pairs of correlation .7: p <= .05", strong_pairs, 40, 400),
    Row("statistics.permutations", "null", "two AR(.9) series of 400, blocks of 40", group_null(block=40), 100, 1000),
    Row("statistics.permutations", "null", "two AR(.9) series of 400, groups of 40 rows",
        group_null(groups=np.arange(400) // 40), 100, 1000),
    Row("statistics.batch_interval", "null", "800 independent rows", batches(), 100, 2000),
    Row("statistics.batch_interval", "null", "80 groups of 10 dependent rows", batches(groups=np.arange(800) // 10),
        100, 2000),
    Row("statistics.batch_interval", "null", "AR(.9) series, block=4 (stretches of 80)", batches(block=4), 0, 1000),
    Row("statistics.false_discovery", "truth", "as the papers write it, with NaN", adjusted),
    Row("statistics.codes_of", "invariance", "labels as numbers, words, floats: in order of appearance",
        labels_of_any_kind),
    Row("statistics.permutation_p", "truth", "(b + 1) / (m + 1) by counting, three tails, ties", p_by_counting),
    Row("statistics.permutations", "truth", "orders of rows: groups and strata hold, every place alike",
        orders_of_rows),
    Row("statistics.rank_correlation", "truth", "values and p by scipy and by all orders, ties", ranks_by_scipy),
    Row("statistics.rank_correlation", "truth", "intervals of 40 normal pairs of correlation .6", ranks_covered, 20,
        100),
    Row("statistics.autocorrelation_time", "truth", "AR(1): (1 + phi) / (1 - phi), closed form", known_times),
    Row("statistics.autocorrelation_time", "truth", "columns that do not vary have none", still_columns),
    Row("statistics.autocorrelation_time", "invariance", "units from 1e-300 to 1e308", units_of_a_series),
    Row("statistics.mean_interval", "invariance", "units of measurement from 1e-200 to 1e307; ratios, too", scales),
    Row("statistics.rank_correlation", "invariance", "order of pairs, monotone transformations", order_of_rows),
]  # fmt: skip


EXEMPT = {
    "statistics.holm": "tried with false_discovery",
    "statistics.spearman": "the value of rank_correlation; compared with scipy's in its truth row",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
