"""Rows of the trained estimators. Training is long: quick rows are one or few short trainings, full rows are few
draws."""

import numpy as np

import deeptheory as dt
from trials.frame import Found, Row, all_of, covers, near, often, refused, same
from trials.information_checks import counts, dense, heavy, labels, nothing_shared, of_normals, pair, relu, shifted

MI = dt.mutual_information
METHODS = ("infonce", "nwj", "dv", "smile", "doe", "lmi", "flow")
BRIEF = {"steps": 60, "progress": False}
WHOLE = {"progress": False}
LOWER = ("infonce", "nwj", "dv")
TAKE_LABELS = ("infonce", "nwj", "dv", "smile", "doe", "lmi")


def normals(method, rho, d, n, off):
    """Normals of correlation rho in the first of d columns: the mean is off by at most `off`."""

    def check(rng, draws):
        got = [MI(*pair(rng, n, rho, d), method, **WHOLE).value for _ in range(draws)]
        return near(np.mean(got), of_normals(rho), off)

    return check


def strong(method):
    """Several bits along a line, which a sample of few rows cannot bear out: no more than there is, and half of what
    log n allows."""

    def check(rng, draws):
        found = []
        for n in (200, 2000):
            for noise in (0.1, 0.03, 0.001):
                x = rng.normal(size=n)
                got, bits = MI(x, x + noise * rng.normal(size=n), method, **WHOLE), np.log2(1 + noise**-2) / 2
                least = min(bits, np.log2(n / 10)) / 2
                found.append((f"{got.value:.2f} of {bits:.2f}", least < got.value < bits + 0.2))
        said = "; ".join(text for text, _ in found)
        return Found(said, "half of what log n allows", all(ok for _, ok in found))

    return check


def label(method):
    draw, bits = shifted(1500, 2.0, 0.4)

    def check(rng, draws):
        x, y = draw(rng)
        names = np.where(y == 1, "b", "a")
        return near(MI(x, names, method, **WHOLE).value, bits, 0.12)

    return check


def bound(method, n=1000):
    """The low end of a lower bound lies below the truth, also where a sample of few rows meets strong dependence."""

    def check(rng, draws):
        hits = 0
        for _ in range(draws):
            hits += MI(*pair(rng, n, 0.95), method, **WHOLE).low <= of_normals(0.95)
        return covers(hits, draws, 0.975)

    return check


def power(method):
    def check(rng, draws):
        found = sum(MI(*pair(rng, 1000, np.sqrt(1 - 2**-0.4)), method, **WHOLE).low > 0 for _ in range(draws))
        return often(found, draws, 0.8)

    return check


def surroundings(method):
    """Order of rows, units from 1e-200 to 1e200, an increasing map, dtypes, containers, grad modes."""

    def check(rng, draws):
        import torch

        x, y = (a.astype(np.float32).astype(np.float64) for a in pair(rng, 120, 0.6, 2))
        turn = rng.permutation(120)
        out = [MI(x, y, method, **BRIEF).value, MI(x[turn], y[turn], method, **BRIEF).value]
        out += [MI(x * c, y / c, method, **BRIEF).value for c in (1e-200, 1e200)]
        out.append(MI(np.exp(x), y**3, method, **BRIEF).value)
        with torch.no_grad():
            out.append(MI(torch.as_tensor(x, dtype=torch.float32), y.tolist(), method, **BRIEF).value)
        return same(out, 1e-6)

    return check


def names(rng, draws):
    """Names and codes of labels."""
    y, out = rng.integers(0, 3, 150), []
    x = rng.normal(size=(150, 2)) + y[:, None]
    for said in ([0, 1, 2], [7, 1, 1000], ["b", "c", "a"]):
        out.append([MI(x, np.array(said)[y], m, **BRIEF).value for m in ("dv", "doe", "lmi")])
    return same(out, 1e-6)


def belong(rng, draws):
    """Ten copies of each of 30 independent rows: nothing is shared, where groups say so."""
    hits = 0
    for _ in range(draws):
        x, y = (np.repeat(rng.normal(size=(30, 3)), 10, axis=0) for _ in range(2))
        got = MI(x, y, "dv", groups=np.repeat(np.arange(30), 10), **WHOLE)
        hits += got.low <= 0 <= got.high
    return covers(hits, draws)


def edges(rng, draws):
    """Constants and copies tell nothing or more than any bound can hold; half precision; one outlier; too few rows."""
    x, y = pair(rng, 200, 0.6)
    off = [near(MI(np.zeros(200), y, m, **BRIEF).value, 0, 0, "constant: ") for m in METHODS]
    u = np.append(x, 1e200)
    v = np.append(y, 0)
    plain, with_one = (MI(a, b, "dv", **BRIEF).value for a, b in ((x, y), (u, v)))
    off.append(near(with_one, plain, 0.25, "one outlier of 1e200: "))
    off.append(near(MI(x.astype(np.float16), y, "dv", **BRIEF).value, plain, 0.25, "float16: "))
    off += [refused(lambda m=m: MI(x[:6], y[:6], m), "too few for") for m in METHODS]
    off.append(refused(lambda: MI(x, np.arange(200).astype(str), "infonce"), "labels must repeat"))
    return all_of(*off)


TRAINED = [
    *(Row("mutual_information", "null", f"{m}, trained: {case}", nothing_shared(x, y, m, **WHOLE), 0, 40)
      for m in METHODS
      for case, x, y in (("2 x 1 dense, n = 500", dense(500, 2), dense(500, 1)),
          ("50 x 3 dense, n = 500", dense(500, 50), dense(500, 3)),
          ("5 x 1 zeros of a ReLU, n = 500", relu(500, 5), dense(500, 1)),
          ("1 x 1 Student of 2 degrees, n = 500", heavy(500, 1), heavy(500, 1)))),
    *(Row("mutual_information", "null", f"{m}, trained: 3 columns and 4 labels, n = 500",
        nothing_shared(dense(500, 3), labels(500, 0.1, 0.2, 0.3, 0.4), m, **WHOLE), 0, 40) for m in TAKE_LABELS),
    *(Row("mutual_information", "null", f"{m}, trained, quick: {case}", nothing_shared(x, y, m, **BRIEF), 3, 40)
      for m, case, x, y in (("dv", "2 x 1 counts, n = 200", counts(200, 2), counts(200, 1)),
          ("doe", "2 x 1 dense, n = 200", dense(200, 2), dense(200, 1)))),
    Row("mutual_information", "null", "trained: 30 groups of 10 copies, n = 300", belong, 0, 40),
    *(Row("mutual_information", "truth", f"{m}, trained: normals of correlation .8, {d} columns, n = 2,000",
        normals(m, 0.8, d, 2000, 0.1), 0, 4) for m in METHODS for d in (1, 3)),
    *(Row("mutual_information", "truth", f"{m}, trained: 3 to 10 bits along a line, n = 200 and 2,000", strong(m), 0, 1)
      for m in METHODS),
    *(Row("mutual_information", "truth", f"{m}, trained: a normal shifted by a label, quadrature", label(m), 0, 2)
      for m in TAKE_LABELS),
    *(Row("mutual_information", "truth", f"{m}, trained: the low end is below the truth, normals", bound(m), 0, 40)
      for m in LOWER),
    Row("mutual_information", "truth", "trained: constants, outliers, half precision, few rows", edges),
    *(Row("mutual_information", "power", f"{m}, trained: .2 bit of 1 x 1 normals, n = 1,000", power(m), 0, 20)
      for m in METHODS),
    *(Row("mutual_information", "invariance", f"{m}, trained: order of rows, units, increasing maps, containers",
        surroundings(m), int(m in ("dv", "flow")), 1) for m in METHODS),
    Row("mutual_information", "invariance", "trained: names and codes of labels", names),
]  # fmt: skip
