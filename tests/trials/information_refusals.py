"""What the estimators refuse by name, and what the error says."""

import numpy as np

import deeptheory as dt
from trials.frame import all_of, refused
from trials.information_checks import pair

MI, CMI, H = dt.mutual_information, dt.conditional_mutual_information, dt.entropy


def refusals(rng, draws):
    import pandas as pd

    x, y = pair(rng, 40, 0.5)
    mixed = np.array([1, "a"] * 20, dtype=object)
    calls = [
        (lambda: MI(x, y, "mine"), "use 'dv'"),
        (lambda: MI(x, y, "club"), "of the bounds that are trained"),
        (lambda: MI(x, y, "ksg", epochs=3), "steps= with a trained method"),
        (lambda: MI(x, y, "kraskov"), "use 'ksg'"),
        (lambda: MI(x, y, "gcmi"), "use 'copula'"),
        *((lambda m=m: MI(x, y, m), "another quantity") for m in ("hsic", "Renyi", "sliced", "dcor")),
        (lambda: MI(x, y, "ksg2"), "variant=2"),
        (lambda: MI(x, y, "mesner-shalizi"), "variant='mesner-shalizi'"),
        (lambda: MI(x, y, "nsb"), "correct='nsb'"),
        (lambda: MI(x, y, "ross"), "use 'labels'"),
        (lambda: MI(x, y, estimator="ksg"), "use method="),
        (lambda: MI(x, y, bins=10), "bin them"),
        (lambda: MI(x, y, "ksg", metric="euclidean"), "max-norm"),
        (lambda: MI(x, y, "ksg", noise_level=1e-8), "ties are broken"),
        (lambda: MI(x, y, normalized=True), "normalized\\(by="),
        (lambda: MI(x, y, "ksg", variant=3), "variant is 3"),
        (lambda: MI(x, y, "mixed", variant="ross"), "unknown variant 'ross'"),
        (lambda: MI(x, y, "kde-bounds", bandwidth=0), "bandwidth is 0"),
        (lambda: MI(x, y, "kde-bounds", bound="both"), "bound is 'both'"),
        (lambda: MI(np.c_[x, x**2, x**3, x**4], y, "lnc"), "at most 4 columns"),
        (lambda: MI(x, y, "lnc", k=2), "more neighbors than columns"),
        (lambda: MI(x, y, "histogram"), "bin the columns"),
        (lambda: MI(x, y, None), "method is None"),
        (lambda: MI(x, y, 3), "method is 3"),
        (lambda: MI(x, y, base=2), "use unit="),
        (lambda: H(x, base=np.e), "use unit="),
        (lambda: MI(x, y, n_neighbors=5), "use k="),
        (lambda: MI(x, y, random_state=0), "use seed="),
        (lambda: MI(x, y, n_perm=100), "use permutations="),
        (lambda: MI(x, y, "ksg", discrete_features=True), "labels as integers or words"),
        (lambda: MI(x, y, kk=3), "unknown option 'kk'"),
        (lambda: MI(x, y, unit="bit"), "unit is 'bit'"),
        *((lambda k=k, m=m: MI(x, y, m, k=k), f"k is {k}") for k in (2.5, None, True) for m in ("auto", "ksg", "wkl")),
        *((lambda k=k: CMI(x, y, y, k=k), f"k is {k}") for k in (2.5, None)),
        *((lambda s=s: MI(x, y, seed=s), "seed is") for s in (None, 1.5, "a", -1)),
        (lambda: MI(x, y, permutations=2.5), "permutations is 2.5"),
        (lambda: MI(x, y, permutations=-1), "permutations is -1"),
        (lambda: MI(x, y, groups=[1, 2]), "groups has shape"),
        (lambda: MI(x, y, block=0), "block is 0"),
        (lambda: MI(mixed, y), "row 1 holds 'a'"),
        (lambda: MI(np.array([[1], {}] * 20, dtype=object), y), "holds a list"),
        (lambda: MI([[1], [1, 2]], [1, 2]), "no array of numbers"),
        (lambda: MI(pd.DataFrame({"a": x[:, 0], "b": ["u"] * 40}), y), "column 'b' of x"),
        (lambda: MI(pd.Series([1.0, None] * 20, dtype=object), y), "no value in row 1"),
        (lambda: MI(pd.Series(["a", None] * 20).astype("category"), y), "no category in row 1"),
        (lambda: MI(np.array(["2020"] * 40, dtype="datetime64[D]"), y), "holds datetime64"),
        (lambda: MI(x + 1j, y), "holds complex"),
        (lambda: MI(np.ma.array(x, mask=x > 0), y), "masks"),
        (lambda: MI(3, y), "x is one int"),
        (lambda: MI((v for v in x), y), "x is one generator"),
        (lambda: H(x, permutations=9), "Known: k, weighted"),
        (lambda: H(np.round(x), "kl"), "add noise|'plugin'"),
        (lambda: MI(x, np.arange(40).astype(str)), "label of their own"),
        *((lambda m=m: MI(x, y, m, ranks=True), "ranks= is for") for m in ("plugin", "wkl", "compressed")),
        (lambda: CMI(x, y, x + y, permutations=9), "z is continuous"),
    ]
    return all_of(*(refused(call, match) for call, match in calls))
