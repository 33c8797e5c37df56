"""`method="auto"` as a whole, its choice of method included: independent marginals of every kind, .2 bit,
known pairs."""

import numpy as np

import deeptheory as dt
from trials.frame import Found, Row, all_of, covers, near, often, rare, same
from trials.information_checks import pair, shifted

MI = dt.mutual_information


def _mixed(rng, n, d):
    kinds = (rng.normal, lambda size: np.maximum(rng.normal(size=size), 0), lambda size: rng.poisson(3, size))
    kinds += (rng.standard_cauchy, lambda size: np.full(size, 0.1))
    return np.stack([kinds[j % 5](size=n).astype(float) for j in range(d)], axis=1)


MARGINALS = {
    "dense": lambda rng, n, d: rng.normal(size=(n, d)),
    "uniform": lambda rng, n, d: rng.uniform(size=(n, d)),
    "zeros of a ReLU": lambda rng, n, d: np.maximum(rng.normal(size=(n, d)), 0),
    "93 % zeros": lambda rng, n, d: np.maximum(rng.normal(size=(n, d)) - 1.5, 0),
    "counts": lambda rng, n, d: rng.poisson(3, (n, d)),
    "whole numbers to 1,000": lambda rng, n, d: rng.integers(0, 1000, (n, d)),
    "bits": lambda rng, n, d: rng.integers(0, 2, (n, d)),
    "rounded": lambda rng, n, d: np.round(rng.normal(size=(n, d)), 1),
    "Cauchy": lambda rng, n, d: rng.standard_cauchy((n, d)),
    "lognormal, sigma 3": lambda rng, n, d: np.exp(3 * rng.normal(size=(n, d))),
    "constant": lambda rng, n, d: np.full((n, d), 0.1),
    "mixed": _mixed,
}
OTHERS = {
    "1 normal": lambda rng, n: rng.normal(size=n),
    "2 balanced labels": lambda rng, n: rng.integers(0, 2, n),
    "a label of 1 %": lambda rng, n: (rng.random(n) < 0.01).astype(int) + np.eye(1, n, dtype=int)[0],
    "10 labels": lambda rng, n: rng.integers(0, 10, n),
    "words": lambda rng, n: np.array(["a", "b", "c"])[rng.choice(3, n, p=[0.8, 0.15, 0.05])],
    "1 Cauchy": lambda rng, n: rng.standard_cauchy(n),
    "3 of a ReLU": lambda rng, n: np.maximum(rng.normal(size=(n, 3)), 0),
    "10 normals": lambda rng, n: rng.normal(size=(n, 10)),
}
COLUMNS = (1, 3, 10, 50)


def nothing_shared(x, n):
    """Coverage of 0 and the rate of notes over all kinds of the other side and 1 to 50 columns, in turn."""

    def check(rng, draws):
        held = noted = 0
        cells = [(d, y) for y in OTHERS.values() for d in COLUMNS]
        for k in range(draws):
            d, y = cells[k % len(cells)]
            marginal = MARGINALS[x] if x else list(MARGINALS.values())[k % len(MARGINALS)]
            got = MI(marginal(rng, n, d), y(rng, n))
            held += got.low <= 0 <= got.high
            noted += bool(got.notes)
        return all_of(covers(held, draws, 0.93), rare(noted, draws, 0.1))

    return check


def wide(rng, draws):
    """Fewer rows than columns: 30 to 200 rows of 100 to 1,000 columns, dense or heavy-tailed."""
    held = said = 0
    for k in range(draws):
        n, d = ((30, 100), (50, 1000), (200, 300))[k % 3]
        x = rng.normal(size=(n, d)) if k % 2 else rng.standard_t(3, size=(n, d))
        got = MI(x, rng.integers(0, 2, n) if k % 4 < 2 else rng.normal(size=n))
        held += got.low <= 0 <= got.high
        said += any("may be too narrow" in t for t in got.notes)
    return all_of(covers(held, draws, 0.9), Found(f"{said} of {draws} say so", "all", said == draws))


def few(rng, draws):
    """Below the least number of samples no interval pretends: unbounded with a note, or NaN; never of width 0."""
    off = []
    for n in (4, 5, 7, 9, 13, 19, 25, 29):
        x, y, z = rng.normal(size=(3, n))
        label, symbols, one = np.arange(n) % 2, rng.integers(0, 3, n), np.ones(n)
        given = dt.conditional_mutual_information
        found = {
            "auto, numbers": (30, MI(x, y)),
            "auto, a label": (20, MI(x, label)),
            "auto, counts": (20, MI(label, symbols)),
            "auto, a constant": (20, MI(x, one)),
            "ksg": (200, MI(x, y, "ksg")),
            "ksg, a constant": (20, MI(x, one, "ksg")),
            "plugin": (20, MI(label, symbols, "plugin")),
            "plugin given": (20, given(label, symbols, label)),
            "entropy": (20, dt.entropy(symbols)),
            "entropy of one symbol": (20, dt.entropy(np.ones(n, dtype=int))),
            "ksg given": (200, given(x, y, z)),
        }
        if n > 4:
            found["gaussian"] = (10, MI(x, y, "gaussian"))
        for name, (least, got) in found.items():
            said = got.low == -np.inf and got.high == np.inf and any("unbounded" in t for t in got.notes)
            none = np.isnan(got.low) or said
            off.append(Found(f"{name}, n = {n}: [{got.low:.3g}, {got.high:.3g}]", "no interval", none == (n < least)))
    return all_of(*off)


def small(draw, truth, method="auto"):
    """Intervals at the least number of samples that has them: at least 90 %."""

    def check(rng, draws):
        got = [MI(*draw(rng), method) for _ in range(draws)]
        return covers(sum(g.low <= truth <= g.high for g in got), draws, 0.9)

    return check


def noisy_symbols(n):
    def draw(rng):
        x = rng.integers(0, 3, n)
        return x, np.where(rng.random(n) < 0.3, rng.integers(0, 3, n), x)

    return draw


_KEPT = np.full((3, 3), 0.1 / 3) + 0.7 * np.eye(3) / 3
SMALL = [
    *((f"auto, {n} normals of correlation {r}", small(lambda rng, n=n, r=r: pair(rng, n, r), -0.5 * np.log2(1 - r**2)))
      for n, r in ((30, 0.6), (30, 0.95), (100, 0.95))),
    *((f"gaussian, {n} normals of correlation .95",
        small(lambda rng, n=n: pair(rng, n, 0.95), -0.5 * np.log2(1 - 0.95**2), "gaussian"))
      for n in (10, 30)),
    *((f"auto, {n} samples, a shift of {s} by a label", small(*shifted(n, s, 0.5))) for n, s in ((20, 2.0), (20, 8.0))),
    *((f"{m}, {n} samples of 3 x 3 symbols", small(noisy_symbols(n), float((_KEPT * np.log2(_KEPT * 9)).sum()), m))
      for m in ("auto", "plugin") for n in (20, 60)),
]  # fmt: skip


def normals(d, change=lambda v: v):
    def draw(rng):
        x, y = pair(rng, 2000, np.sqrt(1 - 2**-0.4), d)
        return change(x), change(y[:, 0])

    return draw


def classes(d, change=lambda v: v):
    shift, p = 1.1321, 0.5  # .2 bit, checked below
    one, bits = shifted(2000, shift, p)
    assert abs(bits - 0.2) < 1e-3, bits

    def draw(rng):
        x, y = one(rng)
        return change(np.concatenate([x[:, None], rng.normal(size=(2000, d - 1))], axis=1)), y

    return draw


def found(draw):
    def check(rng, draws):
        return often(sum(MI(*draw(rng)).low > 0 for _ in range(draws)), draws, 0.8)

    return check


def known_pairs(names, silent, share):
    """Over draws: wrong (by over .15 bit, outside its interval) without a note;
    notes among those right within .1 bit."""

    def check(rng, draws):
        worst = right = noted = 0
        least = len(names) * draws / 3
        for _ in range(draws):
            wrong = 0
            for name in names:
                truth = dt.datasets.ground_truth(name)
                got, bits = MI(*truth.sample(2000, int(rng.integers(2**31)))), truth.mutual_information
                off = abs(got.value - bits)
                wrong += not (off <= 0.15 or got.low <= bits <= got.high or got.notes)  # NaN is wrong
                right += off <= 0.1
                noted += off <= 0.1 and bool(got.notes)
            worst = max(worst, wrong)
        said = f"at most {worst} silently wrong per draw; {noted} notes on {right} right"
        needed = f"at most {silent}; notes on at most {share:.0%}; a third right"
        return Found(said, needed, worst <= silent and noted <= share * right and right >= least)

    return check


def one_outlier(rng, draws):
    off = []
    for size in (1e3, 1e5, 1e300):
        u, v = pair(rng, 2000, np.sqrt(0.5))
        off.append(near(MI(np.append(u, size), np.append(v, 0)).value, 0.5, 0.1, f"outlier of {size:g}: "))
    for sigma in (1, 3, 6):
        u, v = pair(rng, 2000, np.sqrt(0.5))
        off.append(near(MI(np.exp(sigma * u), np.exp(sigma * v)).value, 0.5, 0.1, f"lognormal, sigma {sigma}: "))
    return all_of(*off)


def monotone(rng, draws):
    """With ranks, no increasing map of a column matters; constant and repeated columns never do."""
    x, y = pair(rng, 600, 0.7, 2)
    base = MI(x, y, ranks=True).value
    out = [base] + [
        MI(f(x), y, ranks=True).value for f in (np.exp, np.arctan, lambda v: v**3, lambda v: 1e6 + 1e-3 * v)
    ]
    out += [MI(np.c_[x, np.full(600, 0.1)], y, ranks=True).value, MI(np.c_[x, x[:, 0]], y, ranks=True).value]
    return same(out, 1e-9)


def symmetric(rng, draws):
    label = rng.integers(0, 3, 500)
    x, y = pair(rng, 500, 0.7, 2)
    return all_of(
        near(MI(x, label).value, MI(label, x).value, 1e-12, "labels: "),
        near(MI(label, label % 2).value, MI(label % 2, label).value, 1e-12, "counts: "),
        near(MI(x, y).value, MI(y, x).value, 0.02, "numbers: "),
    )


def never_above(rng, draws):
    """Information about a label is at most its entropy, whatever separates the classes."""
    off = []
    for k in (2, 5, 20):
        label = rng.integers(0, k, 2000)
        entropy = dt.entropy(label).value
        for x in (label * 100.0 + rng.normal(size=2000), np.eye(k)[label] * 50 + rng.normal(size=(2000, k))):
            off.append(near(MI(x, label).value, entropy, 0.05, f"{k} classes apart: "))
    for k in (10, 100, 300):
        label = rng.integers(0, k, 2000)
        off.append(
            near(
                MI(label.astype(str), (label * 7 % 1009).astype(str)).value,
                dt.entropy(label).value,
                0.1,
                f"{k} names renamed: ",
            )
        )
        off.append(
            near(
                MI(label.astype(str), rng.integers(0, k, 2000).astype(str)).value, 0, 0.1, f"{k} names beside others: "
            )
        )
    return all_of(*off)


_EASY = (
    "normal-1x1",
    "half-cube-1x1",
    "swiss-roll-2x1",
    "additive-0.75",
    "dense-5x5",
    "two-pairs-3x3",
    "student-1x1-dof1",
)
_HARD = ("dense-25x25", "two-pairs-25x25", "student-3x3-dof2", "spiral-two-pairs-3x3", "half-cube-two-pairs-5x5")

AUTO = [
    Row("mutual_information", "null", "auto: every marginal beside every other, 1 to 50 columns, n = 300",
        nothing_shared(None, 300), 96, 0),
    *(Row("mutual_information", "null", f"auto: {x}, beside every other, 1 to 50 columns, n = {n}",
        nothing_shared(x, n), 0, 320)
      for x in MARGINALS for n in (300, 1000)),
    Row("mutual_information", "null", "auto: fewer rows than columns, at least 90 %", wide, 12, 360),
    *(Row("mutual_information", "power", f"auto: .2 bit of normals in {d} columns, {case}", found(normals(d, change)),
        q, 100)
      for d, case, change, q in ((1, "dense", lambda v: v, 10), (10, "dense", lambda v: v, 10),
          (50, "dense", lambda v: v, 0),
                                 (1, "sinh(2x)", lambda v: np.sinh(2 * v), 10), (3, "cubed", lambda v: v**3, 0))),
    *(Row("mutual_information", "power", f"auto: .2 bit on a label in {d} columns", found(classes(d)), q, 100)
      for d, q in ((1, 10), (10, 5), (50, 0))),
    Row("mutual_information", "truth", "auto: 12 of the 40 known pairs, n = 2,000",
        known_pairs(_EASY + _HARD, 1, 0.25)),
    Row("mutual_information", "truth", "auto: the 40 known pairs, n = 2,000",
        known_pairs(dt.datasets.ground_truths(), 2, 0.25), 0, 5),
    Row("mutual_information", "truth", "auto: one outlier of 1e3 to 1e300; lognormal tails", one_outlier),
    Row("mutual_information", "truth", "4 to 29 samples: no interval below the least number, said", few),
    *(Row("mutual_information", "truth", f"intervals of few: {case}", check, 0, 400) for case, check in SMALL),
    Row("mutual_information", "truth", "auto: classes that lie apart give their entropy", never_above),
    Row("mutual_information", "invariance", "auto, ranks: increasing maps, constant and repeated columns", monotone),
    Row("mutual_information", "invariance", "auto: x and y change places", symmetric),
]  # fmt: skip
