"""What the paper states, as quantities with regions that were written before anything was measured.

Counts are exact and deterministic. Trained errors: mean absolute error over that of the best constant, one value a network, so
that intervals are over networks.
"""

import math
from math import prod
from typing import Any

import numpy as np

from deeptheory.core.results import Estimate
from deeptheory.runs import Claim, NotRun, Sample, at_setting
from deeptheory.studies.rolnick_tegmark_2018.steps import GROUPS, MONOMIALS, TABLE, UNIVARIATE, named

_PAPER = "Rolnick & Tegmark 2018"
_COUNTED = "counted exactly (rank below, construction above), bias-free units, Taylor sense"
_BUILT = "weights set, exp units, float64"
_TRAINED = "trained on the absolute error, protocol of the run"
DERIVED = {  # from theorem 5.1 with whole groups, by hand: (n, k) -> neurons; not printed in the paper
    (8, 1): 256, (8, 2): 28, (8, 3): 28,
    (16, 1): 65_536, (16, 2): 80, (16, 3): 60, (16, 4): 60,
    (20, 1): 1_048_576, (20, 2): 112, (20, 3): 76, (20, 4): 76, (20, 5): 80,
    (32, 1): 2**32, (32, 2): 304, (32, 3): 128, (32, 4): 124, (32, 5): 124,
}  # fmt: skip


def frontier(n: int, k: Any) -> Any:
    """w = n^((k-1)/k) 2^(n^(1/k)): the order of theorem 5.1, which figure 2 lays over the errors."""
    k = np.asarray(k, dtype=float)
    return n ** ((k - 1) / k) * 2 ** (n ** (1 / k))


def grid(results: Any) -> Any:
    """The trained shapes of the rectangular grid, extra ones left out."""
    data = results["trained"]
    return data.isel(shape=data["in_grid"].values)


def separation(n: int, depth: np.ndarray, width: np.ndarray, error: np.ndarray) -> float:
    """Area under the curve with which w over the frontier tells low errors from high ones, [cell] each.

    Low: below the geometric mean of the least and the largest. NaN where all errors are alike.
    """
    low = error < math.sqrt(error.min() * error.max())
    score = np.log(width / frontier(n, depth))
    if low.all() or not low.any():
        return math.nan
    above = score[low][:, None] - score[~low][None]
    return float(((above > 0) + 0.5 * (above == 0)).mean())


def _frontier(n: int):
    def measure(results):
        data = grid(results)
        if int(data["n"][0]) != n:
            return NotRun(_COST[n])
        depth, width = data["depth"].values, data["width"].values
        return np.array([separation(n, depth, width, e) for e in data["error"].values])

    return measure


_COST = {
    4: "this scale multiplies another number of inputs; --scale quick has 4 (minutes)",
    8: "this scale multiplies another number of inputs; --scale standard has 8 (hours on 2 cores)",
    20: "this scale multiplies another number of inputs; --scale paper has 20 (weeks on 2 cores: many cores or a GPU)",
}


def _thin_against_wide(results):
    data = results["trained"]["error"]
    if int(results["trained"]["n"][0]) != 4:
        return NotRun(_COST[4])
    if "1x512" not in data["shape"].values:
        return NotRun("this run has no network of one layer of 512")
    return Sample(np.stack([data.sel(shape="2x8").values, data.sel(shape="1x512").values], axis=1), "ratio")


def _entry(name: str, bound: str, m: tuple[int, ...]):
    return lambda results: float(results["counts"][name].sel(monomial=named(m), bound=bound))


def _shallow(m: tuple[int, ...]):
    def measure(results):
        low, high = (_entry("shallow", b, m)(results) for b in ("lower", "upper"))
        return high if low == high else math.nan

    return measure


def _product(n: int, k: int):
    def measure(results):
        data = results["counts"]
        at = (data["entry_n"].values == n) & (data["entry_k"].values == k)
        return float(data["product"].values[at][0])

    return measure


def _order(results):
    data = results["counts"]
    n, k = data["entry_n"].values, data["entry_k"].values
    return max(float(c / (d * frontier(int(m), d))) for c, m, d in zip(data["product"].values, n, k))


def _sums_built(results):
    more = int(results["counts"]["sums"].sel(broken="construction").sum())
    notes = ("a monomial that is ready early has to be carried through later layers, which the theorem does not count",)
    return Estimate(value=more, unit="sums", method="counted", direction="exact", notes=notes if more else ())


def _waring(results):
    """Monomials for which a construction from a pure power has fewer neurons than either bound of theorem 4.4."""
    found = results["counts"]["waring"].sel(bound="upper").values
    below = [m for w, m in zip(found, MONOMIALS) if w < max(prod(r + 1 for r in m) / sum(m), _middle(m))]
    notes = [f"below for exponents {named(m)}" for m in below]
    if any(len(m) == 1 for m in below):
        notes.append("one unit z^d is x^d itself, so that the bound as noted cannot hold for one variable")
    return Estimate(value=len(below), unit="monomials", method="counted", direction="exact", notes=tuple(notes))


def _middle(m: tuple[int, ...]) -> int:
    """Largest coefficient of prod_i (1 + y + ... + y^r_i)."""
    out = np.ones(1, dtype=np.int64)
    for r in m:
        out = np.convolve(out, np.ones(r + 1, dtype=np.int64))
    return int(out.max())


def deep_bound(m: tuple[int, ...]) -> int:
    """sum_i (7 ceil(log2 r_i) + 4)."""
    return sum(7 * math.ceil(math.log2(r)) + 4 for r in m)


def _claim(id: str, where: str, statement: str, quantity: str, region: str, protocol: str, measure, **more) -> Claim:
    return Claim(
        id=id,
        figure=where,
        source=f"{_PAPER}, {where}",
        statement=statement,
        quantity=quantity,
        unit=more.pop("unit", "1"),
        region=region,
        criterion=more.pop("criterion", f"in {region}; exact"),
        protocol=protocol,
        measure=measure,
        **more,
    )


CLAIMS = [
    _claim(
        "homogeneous-scaling", "proposition 3.3",
        "A network whose Taylor polynomial is p gives p uniformly as its inputs shrink, at the same size.",
        "largest error of a layer for x^2 y at scale 0.01 / at 0.1", "< 0.2", _BUILT,
        lambda r: float(r["built"]["scaled_error"][1] / r["built"]["scaled_error"][0]),
    ),
    _claim(
        "finite-limit", "theorem 3.4",
        "With smooth units the number of neurons has a finite limit as the error goes to 0.",
        "neurons for x y within 1e-5 / within 1e-2", "= 1", _BUILT,
        lambda r: float(r["built"]["fixed_size"][1] / r["built"]["fixed_size"][0]), unit="neurons / neurons",
    ),
    _claim(
        "finite-limit-not-for-relu", "theorem 3.4",
        "With ReLU units it has none.",
        "neurons of a ReLU network for x y within 1e-5 / within 1e-2", "> 1", "weights set, ReLU units, float64",
        lambda r: float(r["built"]["relu_size"][1] / r["built"]["relu_size"][0]), unit="neurons / neurons",
    ),
    *(
        _claim(
            f"shallow-count/{named(m)}", "theorem 4.1",
            "One hidden layer needs exactly prod(r_i + 1) neurons for a monomial.",
            "neurons, where the exact rank and the construction agree", f"= {prod(r + 1 for r in m)}", _COUNTED,
            _shallow(m), unit="neurons",
        )
        for m in MONOMIALS
    ),
    *(
        _claim(
            f"deep-count/{named(m)}", "theorem 4.2",
            "At any depth sum(7 ceil(log2 r_i) + 4) neurons suffice for a monomial.",
            "neurons of the network that was built", f"<= {deep_bound(m)}", _BUILT,
            lambda r, m=m: float(r["built"]["neurons"].sel(monomial=named(m))), unit="neurons",
        )
        for m in MONOMIALS
    ),
    _claim(
        "sum-of-monomials", "theorem 4.3",
        "A sum of c monomials needs at least 1/c of what the worst needs in one layer, and at most their sum at any depth.",
        "random sums that provably break either bound", "= 0", _COUNTED,
        lambda r: int(r["counts"]["sums"].sel(broken=["lower", "upper"]).sum()), unit="sums",
    ),
    _claim(
        "sum-of-monomials-built", "theorem 4.3",
        "The construction of a sum takes no more than those of its monomials together. (Ours.)",
        "random sums whose construction takes more", "= 0", _COUNTED, _sums_built, unit="sums",
    ),
    _claim(
        "only-top-coefficient", "theorem 4.4",
        "With a pure power as activation the count is at least prod(r_i + 1) / d and the middle coefficient.",
        "monomials whose exact count is below either", "= 0", "counted exactly (Waring rank)", _waring, unit="monomials",
    ),
    _claim(
        "vandermonde", "proposition 4.5",
        "Any polynomial of degree d in one variable needs at most d + 1 neurons.",
        f"largest count less (d + 1), d = 1..{UNIVARIATE[-1]}", "<= 0", _COUNTED,
        lambda r: int((r["counts"]["general"].sel(bound="upper") - r["counts"]["degree"] - 1).max()), unit="neurons",
    ),
    _claim(
        "univariate-count", "proposition 4.6",
        "x^d needs exactly d + 1 neurons in one layer.",
        f"largest |count - (d + 1)|, d = 1..{UNIVARIATE[-1]}", "= 0", _COUNTED,
        lambda r: int(np.abs(r["counts"]["power"] - r["counts"]["degree"] - 1).max()), unit="neurons",
    ),
    *(
        _claim(
            f"depth-k-table/{n}, {k}", "theorem 5.1",
            "In k hidden layers a product takes sum_i (n / prod b_j) 2^b_i neurons; the least, with whole groups.",
            "exact whole optimum", f"= {DERIVED[n, k]}", "exact search over balanced groups", _product(n, k),
            unit="neurons",
        )
        for n, depths in TABLE.items()
        for k in depths
    ),
    _claim(
        "depth-k-order", "theorem 5.1",
        "That is of order n^((k-1)/k) 2^(n^(1/k)).",
        "largest optimum / (k n^((k-1)/k) 2^(n^(1/k))) over the table", "<= 2", "exact search over balanced groups", _order,
    ),
    _claim(
        "optimal-groups", "equation 5, figure 1",
        "The best groups grow with the layer: b_(i+1) = b_i + log2(b_i - 1/ln 2).",
        f"largest difference between a whole group and the equation's, {len(GROUPS)} pairs of n and k", "<= 1",
        "exact search against the equation", lambda r: float(r["counts"]["group_difference"].max()), unit="factors",
    ),
    _claim(
        "conjecture", "conjecture 5.2",
        "Nothing does better: m_k = 2^Theta(n^(1/k)).", "-", "= 1", "-",
        lambda r: NotRun("a conjecture about every network; no measurement decides it"),
    ),
    _claim(
        "taylor-versus-uniform-gap", "theorem 4.1",
        "Uniform closeness bounds no Taylor coefficient: the lower bounds are about Taylor polynomials. (Ours, against the text.)",
        "slope at 0 of eps tanh(x / eps^2), times eps, while its size stays below eps; eps = 1e-6", "1 +- 1e-6",
        "arithmetic", lambda r: float(r["built"]["gap"][-1]),
    ),
    _claim(
        "bounded-degree-no-gap", "section 4",
        "Polynomials of bounded degree, the natural ones, show no exponential gap.",
        "largest count in one layer / (16 c), c monomials of degree up to 4", "<= 1", _COUNTED,
        lambda r: float(r["counts"]["bounded"].max()),
    ),
    *(
        _claim(
            f"fig2-frontier/{n}", "figure 2",
            "The curve w = n^((k-1)/k) 2^(n^(1/k)) separates shapes that learn a product from those that do not.",
            "area under the curve of w over the frontier, telling cells of low error (below the geometric mean of the least and "
            "the largest) from the rest", "> 0.8", _TRAINED, _frontier(n),
            criterion="95 % interval over networks above 0.8",
        )
        for n in (4, 8, 20)
    ),
    _claim(
        "two-thin-beat-one-wide", "figure 2",
        "Two thin layers learn a product of four better than one wide one.",
        "mean error of 2 x 8 / of one layer of 512, n = 4", "< 1", _TRAINED, _thin_against_wide,
        criterion="95 % interval over networks below 1",
    ),
]  # fmt: skip
CLAIMS = at_setting("scaled down", CLAIMS, "fig2-frontier/", "two-thin-beat-one-wide")  # smaller products, Adam
