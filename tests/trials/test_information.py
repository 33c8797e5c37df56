"""Information from samples: null, power, truth, invariance of every method and entry, and of `auto` as a whole."""

import numpy as np

import deeptheory as dt
from trials.frame import Row, often, quick
from trials.information_auto import AUTO
from trials.information_checks import (
    codes,
    conditional_labels,
    copies,
    counts,
    dense,
    entropies,
    entropy_intervals,
    entropy_units,
    found,
    halves,
    heavy,
    kinds,
    label_truth,
    labels,
    many_classes,
    mean_of_null,
    normal_truth,
    nothing_shared,
    null_p,
    outliers,
    pair,
    partial,
    relu,
    tails,
    units_and_order,
)
from trials.information_counts import corrected, corrected_order, given_labels
from trials.information_models import MODELS
from trials.information_more import MORE
from trials.information_pieces import PIECES
from trials.information_refusals import refusals
from trials.information_series import SERIES, block_p, blocks, grouped, series_false, series_noted
from trials.information_trained import TRAINED
from trials.row_labels import ROW_LABELS

CMI = dt.conditional_mutual_information
EXEMPT = {
    "information.LinearGaussian.probe": "makes inputs, no number",
    "information.LinearGaussian.maps": "weights as they are read; linear_information's rows stand on it",
}
_HALF = np.sqrt(1 - 2**-0.4)  # correlation of a normal pair that shares .2 bit

ROWS = [
    *(
        Row("mutual_information", "null", f"{m}: {case}", nothing_shared(x, y, m), q, 1000)
        for m, case, x, y, q in (
            ("ksg", "1 x 1 dense, n = 400", dense(400, 1), dense(400, 1), 100),
            ("ksg", "1 x 1 Student of 2 degrees, n = 400", heavy(400, 1), heavy(400, 1), 0),
            ("ksg", "5 x 1 zeros of a ReLU, n = 400", relu(400, 5), dense(400, 1), 100),
            ("ksg", "3 x 3 dense, n = 2,000", dense(2000, 3), dense(2000, 3), 0),
            ("ksg", "20 x 20 dense, n = 400", dense(400, 20), dense(400, 20), 0),
            ("mixed", "2 x 1 counts, n = 400", counts(400, 2), counts(400, 1), 100),
            ("labels", "10 columns of ReLU, balanced, n = 1,000", relu(1000, 10), labels(1000, 0.5, 0.5), 0),
            ("labels", "1 column, 4 classes, n = 400", dense(400, 1), labels(400, 0.1, 0.2, 0.3, 0.4), 100),
            ("labels", "3 columns, a class of 2 %, n = 1,000", dense(1000, 3), labels(1000, 0.98, 0.02), 0),
            ("gaussian", "3 x 3 dense, n = 200", dense(200, 3), dense(200, 3), 100),
            ("gaussian", "40 x 20 dense, n = 200", dense(200, 40), dense(200, 20), 100),
            ("gaussian", "250 x 40 dense, n = 300", dense(300, 250), dense(300, 40), 0),
            ("wkl", "2 x 2 dense, n = 400", dense(400, 2), dense(400, 2), 0),
            ("wkl", "1 x 1 dense, n = 400", dense(400, 1), dense(400, 1), 100),
            ("wkl", "1 x 1 Student of 2 degrees, n = 2,000", heavy(2000, 1), heavy(2000, 1), 0),
            ("plugin", "6 x 6 symbols, n = 400", labels(400, *[1 / 6] * 6), labels(400, *[1 / 6] * 6), 100),
            ("plugin", "30 x 30 symbols, n = 400", labels(400, *[1 / 30] * 30), labels(400, *[1 / 30] * 30), 100),
            ("compressed", "6 x 2 dense, n = 400", dense(400, 6), dense(400, 2), 0),
        )
    ),
    *(
        Row("conditional_mutual_information", "null", f"{m}: {case}", nothing_shared(x, y, m, z), q, 1000)
        for m, case, x, y, z, q in (
            ("ksg", "1, 1 given 1 dense, n = 400", dense(400, 1), dense(400, 1), dense(400, 1), 100),
            ("mixed", "ReLU, dense given a label, n = 400", relu(400, 2), dense(400, 1), labels(400, 0.5, 0.5), 0),
            ("plugin", "4, 4 given 4 symbols, n = 600", *(labels(600, *[0.25] * 4),) * 3, 100),
            ("gaussian", "2, 2 given 2 dense, n = 200", dense(200, 2), dense(200, 2), dense(200, 2), 100),
        )
    ),
    Row("mutual_information", "null", "permutation p, ksg, n = 60", null_p(dense(60, 1), dense(60, 1), "ksg"), 100,
        1000),
    Row("mutual_information", "null", "permutation p, labels, a rare class, n = 80",
        null_p(relu(80, 2), labels(80, 0.9, 0.1), "labels"), 0, 1000),
    Row("mutual_information", "null", "permutation p, Gaussian 20 x 20, n = 60",
        null_p(dense(60, 20), dense(60, 20), "gaussian"), 0, 1000),
    Row("mutual_information", "null", "permutation p of two AR(.8), blocks of 40", block_p, 0, 400),
    Row("mutual_information", "null", "permutation p of 40 groups of 5 rows", grouped, 0, 600),
    Row("mutual_information", "null", "null mean is the bias, plug-in 20 x 20, n = 200",
        mean_of_null("plugin", labels(200, *[0.05] * 20), labels(200, *[0.05] * 20)), 30, 300),
    Row("mutual_information", "null", "independent rows are no series", series_false, 100, 1000),
    Row("mutual_information", "null", "two AR(.8) of 4,000, intervals by blocks of 20", blocks, 0, 400),
    *(Row("mutual_information", "power", f"{m}: .2 bit of {d} x {d} normals, n = {n}", found(m, n, _HALF, d), 20, 200)
      for m, d, n in (("ksg", 1, 1000), ("gaussian", 1, 200), ("gaussian", 10, 1000), ("mixed", 1, 1000))),
    *(Row("mutual_information", "truth", f"{m}: normals of correlation {rho}, closed form", normal_truth(m, rho, 0.05),
        2, 20)
      for m in ("ksg", "mixed", "gaussian", "wkl") for rho in (0.3, 0.6, 0.9)),
    *(Row("mutual_information", "truth", f"{m}: {d} x {d} normals of correlation .6", normal_truth(m, 0.6, 0.06, d), q,
        20)
      for m, d, q in (("ksg", 2, 2), ("wkl", 2, 8), ("gaussian", 20, 2))),
    *(Row("mutual_information", "truth", f"{m}: shift {s} by a label of probability {p}, quadrature",
        label_truth(m, s, p), 3, 30)
      for m in ("labels", "auto") for s, p in ((1.0, 0.5), (3.0, 0.1), (2.0, 0.02))),
    Row("mutual_information", "truth", "ksg with ranks: outliers of 1e3, 1e5, 1e12", outliers("ksg", ranks=True)),
    Row("mutual_information", "truth", "lognormal tails with ranks, by method", tails),
    Row("mutual_information", "truth", "half precision against its own sign: 1 bit", halves),
    Row("mutual_information", "truth", "I(X;X) and repeated columns", copies),
    Row("mutual_information", "truth", "series on both sides are noted, else not", series_noted),
    Row("mutual_information", "truth", "wrong use is answered by name", refusals),
    *(Row("conditional_mutual_information", "null" if rho == 0 else "truth",
        f"{m}: intervals given {k or 'a normal instead of'} labels, n = {n}, correlation {rho}",
        given_labels(n, k, rho, m), q, 200)
      for m, n, k, q in (("ksg", 400, 2, 0), ("ksg", 400, 5, 100), ("ksg", 400, 19, 0), ("ksg", 1000, 19, 0),
          ("ksg", 1000, 30, 0), ("mixed", 1000, 5, 0), ("ksg", 400, None, 0))
      for rho in (0, 0.6, 0.9)),
    Row("conditional_mutual_information", "power", "ksg: .2 bit given a normal, n = 1,000",
        lambda rng, draws: often(sum(CMI(*pair(rng, 1000, _HALF), rng.normal(size=1000)).low > 0 for _ in range(draws)),
            draws, 0.8), 20, 200),
    Row("conditional_mutual_information", "truth", "labels, their codes: closed form and quadrature",
        conditional_labels),
    Row("conditional_mutual_information", "truth", "a condition of 50 classes: 0 and .322", many_classes),
    Row("conditional_mutual_information", "truth", "normals given two normals: closed form", partial),
    Row("entropy", "truth", "normal, uniform, exponential, symbols: closed forms", entropies),
    *(Row("mutual_information", "null", f"plugin, {c}: {k} x {k} symbols, n = 400",
        nothing_shared(labels(400, *[1 / k] * k), labels(400, *[1 / k] * k), "plugin", correct=c), 100 if k == 6 else 0,
        1000)
      for c in ("grassberger", "chao-shen", "shrink") for k in (6, 30)),
    *(Row("entropy", "truth", f"plugin, {c}: 100 equal symbols, a geometric law", corrected(c), q, 20)
      for c, q in (("miller-madow", 2), ("grassberger", 2), ("chao-shen", 2), ("shrink", 2))),
    Row("entropy", "invariance", "corrections of counts: order, names of symbols, sides", corrected_order),
    Row("entropy", "null", "Kozachenko-Leonenko, 400 normals",
        entropy_intervals(dense(400, 1), 0.5 * np.log2(2 * np.pi * np.e), "kl"), 100, 1000),
    Row("entropy", "null", "plug-in, 300 of 8 symbols", entropy_intervals(labels(300, *[0.125] * 8), 3.0, "plugin"),
        100, 1000),
    Row("entropy", "invariance", "order of rows, units of measurement: h(cX) = h(X) + d log c", entropy_units),
    *(Row("mutual_information", "invariance", f"{m}: order of rows, units from 1e-200 to 1e200", units_and_order(m))
      for m in ("ksg", "mixed", "gaussian", "wkl", "auto")),
    Row("mutual_information", "invariance", "codes and names of labels", codes),
    Row("conditional_mutual_information", "invariance",
        "numpy, torch, pandas, lists, dtypes, default dtypes, grad modes", kinds),
    *AUTO,
    *MODELS,
    *MORE,
    *PIECES,
    *SERIES,
    *ROW_LABELS,
    *TRAINED,
]  # fmt: skip


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
