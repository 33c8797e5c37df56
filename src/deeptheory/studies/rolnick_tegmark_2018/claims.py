"""What the paper states, as quantities with regions that were written before anything was measured.

A product of n numbers takes 2^n neurons in one hidden layer, and many fewer in several: with k layers of the order of
n^((k-1)/k) 2^(n^(1/k)). Monomials and sums of them have exact counts of the same kind. Counts are exact and
deterministic. Trained errors: mean absolute error over that of the best constant, one value per network,
so that intervals are over networks.
"""

import math
from functools import partial
from math import prod
from typing import Any

import numpy as np

from deeptheory.core.results import Estimate
from deeptheory.runs import NotRun, Sample
from deeptheory.studies.paper import Paper, exact
from deeptheory.studies.rolnick_tegmark_2018.steps import GROUPS, MONOMIALS, TABLE, UNIVARIATE, named

_COUNTED = "counted exactly (rank below, construction above), bias-free units, Taylor sense"
_BUILT = "weights set, exp units, float64"
_TRAINED = "trained on the absolute error, protocol of the run"
_SEARCHED = "exact search over balanced groups"
PAPER = Paper(citation="Rolnick & Tegmark 2018", protocol=_COUNTED, criterion="in {region}; exact")
_COST = {  # of the scale that multiplies n numbers
    4: "this scale multiplies another number of inputs; --scale quick has 4 (minutes)",
    8: "this scale multiplies another number of inputs; --scale standard has 8 (hours on 2 cores)",
    20: "this scale multiplies another number of inputs; --scale paper has 20 (weeks on 2 cores: many cores or a GPU)",
}
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


def scaled_error(results: Any) -> float:
    """Error of a layer for x^2 y at scale 0.01 over that at 0.1."""
    at = results["built"]["scaled_error"]
    return float(at[1] / at[0])


def growth(results: Any, name: str) -> float:
    """Neurons for x y within 1e-5 over those within 1e-2."""
    at = results["built"][name]
    return float(at[1] / at[0])


def shallow_count(results: Any, m: tuple[int, ...]) -> float:
    """Neurons in one layer; NaN where rank and construction do not agree."""
    low, high = (float(results["counts"]["shallow"].sel(monomial=named(m), bound=b)) for b in ("lower", "upper"))
    return high if low == high else math.nan


def deep_count(results: Any, m: tuple[int, ...]) -> float:
    """Neurons of the network that was built."""
    return float(results["built"]["neurons"].sel(monomial=named(m)))


def deep_bound(m: tuple[int, ...]) -> int:
    """sum_i (7 ceil(log2 r_i) + 4)."""
    return sum(7 * math.ceil(math.log2(r)) + 4 for r in m)


def broken_sums(results: Any) -> int:
    """Random sums that provably break either bound."""
    return int(results["counts"]["sums"].sel(broken=["lower", "upper"]).sum())


def larger_sums(results: Any) -> Estimate:
    """Random sums whose construction takes more than those of their monomials together."""
    more = int(results["counts"]["sums"].sel(broken="construction").sum())
    notes = ("a monomial that is ready early has to be carried through later layers, which the theorem does not count",)
    return exact(more, "counted", "sums", notes=notes if more else ())


def below_waring(results: Any) -> Estimate:
    """Monomials for which a construction from a pure power has fewer neurons than either bound of theorem 4.4."""
    found = results["counts"]["waring"].sel(bound="upper").values
    below = [m for w, m in zip(found, MONOMIALS) if w < max(prod(r + 1 for r in m) / sum(m), _middle(m))]
    notes = [f"below for exponents {named(m)}" for m in below]
    if any(len(m) == 1 for m in below):
        notes.append("one unit z^d is x^d itself, so that the bound as noted cannot hold for one variable")
    return exact(len(below), "counted", "monomials", notes=tuple(notes))


def _middle(m: tuple[int, ...]) -> int:
    """Largest coefficient of prod_i (1 + y + ... + y^r_i)."""
    out = np.ones(1, dtype=np.int64)
    for r in m:
        out = np.convolve(out, np.ones(r + 1, dtype=np.int64))
    return int(out.max())


def beyond_degree(results: Any) -> int:
    """Largest count of a polynomial of degree d minus (d + 1)."""
    data = results["counts"]
    return int((data["general"].sel(bound="upper") - data["degree"] - 1).max())


def off_degree(results: Any) -> int:
    """Largest |count of x^d - (d + 1)|."""
    data = results["counts"]
    return int(np.abs(data["power"] - data["degree"] - 1).max())


def product_count(results: Any, n: int, k: int) -> float:
    """The exact integer optimum for a product of n numbers in k layers."""
    data = results["counts"]
    return float(data["product"].values[(data["entry_n"].values == n) & (data["entry_k"].values == k)][0])


def over_the_order(results: Any) -> float:
    """Largest optimum of the table over its order."""
    data = results["counts"]
    return float((data["product"].values / (data["entry_k"] * frontier(data["entry_n"].values, data["entry_k"]))).max())


def off_equation_5(results: Any) -> float:
    """Largest difference between an integer group and the equation's."""
    return float(results["counts"]["group_difference"].max())


def slope_of_small_function(results: Any) -> float:
    """Slope at 0, times eps, of a function whose size stays below eps."""
    return float(results["built"]["gap"][-1])


def bounded_degree(results: Any) -> float:
    """Largest count over 16 c."""
    return float(results["counts"]["bounded"].max())


def separated(results: Any, n: int) -> np.ndarray | NotRun:
    """[network]: how well the frontier separates the shapes that learn a product of n numbers."""
    data = grid(results)
    if int(data["n"][0]) != n:
        return NotRun(_COST[n])
    return np.array([separation(n, data["depth"].values, data["width"].values, e) for e in data["error"].values])


def thin_over_wide(results: Any) -> Sample | NotRun:
    """Error of two layers of 8 over that of one of 512."""
    data = results["trained"]["error"]
    if int(results["trained"]["n"][0]) != 4:
        return NotRun(_COST[4])
    if "1x512" not in data["shape"].values:
        return NotRun("this run has no network of one layer of 512")
    return Sample(np.stack([data.sel(shape="2x8").values, data.sel(shape="1x512").values], axis=1), "ratio")


CLAIMS = [
    PAPER.claim(
        "homogeneous-scaling",
        "proposition 3.3",
        "A network whose Taylor polynomial is p gives p uniformly as its inputs shrink, at the same size.",
        "largest error of a layer for x^2 y at scale 0.01 / at 0.1",
        "< 0.2",
        scaled_error,
        protocol=_BUILT,
    ),
    PAPER.claim(
        "finite-limit",
        "theorem 3.4",
        "With smooth units the number of neurons has a finite limit as the error goes to 0.",
        "neurons for x y within 1e-5 / within 1e-2",
        "= 1",
        partial(growth, name="fixed_size"),
        protocol=_BUILT,
        unit="neurons / neurons",
    ),
    PAPER.claim(
        "finite-limit-not-for-relu",
        "theorem 3.4",
        "With ReLU units it has none.",
        "neurons of a ReLU network for x y within 1e-5 / within 1e-2",
        "> 1",
        partial(growth, name="relu_size"),
        protocol="weights set, ReLU units, float64",
        unit="neurons / neurons",
    ),
    *(
        PAPER.claim(
            f"shallow-count/{named(m)}",
            "theorem 4.1",
            "One hidden layer needs exactly prod(r_i + 1) neurons for a monomial.",
            "neurons, where the exact rank and the construction agree",
            f"= {prod(r + 1 for r in m)}",
            partial(shallow_count, m=m),
            unit="neurons",
        )
        for m in MONOMIALS
    ),
    *(
        PAPER.claim(
            f"deep-count/{named(m)}",
            "theorem 4.2",
            "At any depth sum(7 ceil(log2 r_i) + 4) neurons suffice for a monomial.",
            "neurons of the network that was built",
            f"<= {deep_bound(m)}",
            partial(deep_count, m=m),
            protocol=_BUILT,
            unit="neurons",
        )
        for m in MONOMIALS
    ),
    PAPER.claim(
        "sum-of-monomials",
        "theorem 4.3",
        "A sum of c monomials needs at least 1/c of what the worst needs in one layer, "
        "and at most their sum at any depth.",
        "random sums that provably break either bound",
        "= 0",
        broken_sums,
        unit="sums",
    ),
    PAPER.claim(
        "sum-of-monomials-built",
        "theorem 4.3",
        "The construction of a sum takes no more than those of its monomials together. (Ours.)",
        "random sums whose construction takes more",
        "= 0",
        larger_sums,
        unit="sums",
    ),
    PAPER.claim(
        "only-top-coefficient",
        "theorem 4.4",
        "With a pure power as activation the count is at least prod(r_i + 1) / d and the middle coefficient.",
        "monomials whose exact count is below either",
        "= 0",
        below_waring,
        protocol="counted exactly (Waring rank)",
        unit="monomials",
    ),
    PAPER.claim(
        "vandermonde",
        "proposition 4.5",
        "Any polynomial of degree d in one variable needs at most d + 1 neurons.",
        f"largest count less (d + 1), d = 1..{UNIVARIATE[-1]}",
        "<= 0",
        beyond_degree,
        unit="neurons",
    ),
    PAPER.claim(
        "univariate-count",
        "proposition 4.6",
        "x^d needs exactly d + 1 neurons in one layer.",
        f"largest |count - (d + 1)|, d = 1..{UNIVARIATE[-1]}",
        "= 0",
        off_degree,
        unit="neurons",
    ),
    *(
        PAPER.claim(
            f"depth-k-table/{n}, {k}",
            "theorem 5.1",
            "In k hidden layers a product takes sum_i (n / prod b_j) 2^b_i neurons; the least, with whole groups.",
            "exact whole optimum",
            f"= {DERIVED[n, k]}",
            partial(product_count, n=n, k=k),
            protocol=_SEARCHED,
            unit="neurons",
        )
        for n, depths in TABLE.items()
        for k in depths
    ),
    PAPER.claim(
        "depth-k-order",
        "theorem 5.1",
        "That is of order n^((k-1)/k) 2^(n^(1/k)).",
        "largest optimum / (k n^((k-1)/k) 2^(n^(1/k))) over the table",
        "<= 2",
        over_the_order,
        protocol=_SEARCHED,
    ),
    PAPER.claim(
        "optimal-groups",
        "equation 5, figure 1",
        "The best groups grow with the layer: b_(i+1) = b_i + log2(b_i - 1/ln 2).",
        f"largest difference between a whole group and the equation's, {len(GROUPS)} pairs of n and k",
        "<= 1",
        off_equation_5,
        protocol="exact search against the equation",
        unit="factors",
    ),
    PAPER.claim(
        "conjecture",
        "conjecture 5.2",
        "Nothing does better: m_k = 2^Theta(n^(1/k)).",
        "-",
        "= 1",
        lambda results: NotRun("a conjecture about every network; no measurement decides it"),
        protocol="-",
    ),
    PAPER.claim(
        "taylor-versus-uniform-gap",
        "theorem 4.1",
        "Uniform closeness bounds no Taylor coefficient: the lower bounds are about Taylor polynomials. (Ours, "
        "against the text.)",
        "slope at 0 of eps tanh(x / eps^2), times eps, while its size stays below eps; eps = 1e-6",
        "1 +- 1e-6",
        slope_of_small_function,
        protocol="arithmetic",
    ),
    PAPER.claim(
        "bounded-degree-no-gap",
        "section 4",
        "Polynomials of bounded degree, the natural ones, show no exponential gap.",
        "largest count in one layer / (16 c), c monomials of degree up to 4",
        None,  # arithmetic: prod(r + 1) <= 16 for a monomial of degree 4; a test holds it
        bounded_degree,
    ),
    *(
        PAPER.claim(
            f"fig2-frontier/{n}",
            "figure 2",
            "The curve w = n^((k-1)/k) 2^(n^(1/k)) separates shapes that learn a product from those that do not.",
            "area under the curve of w over the frontier, telling cells of low error (below the geometric mean of the "
            "least and the largest) from the rest",
            "> 0.8",
            partial(separated, n=n),
            protocol=_TRAINED,
            setting="scaled down",  # smaller products, Adam
            criterion="95 % interval over networks above 0.8",
        )
        for n in (4, 8, 20)
    ),
    PAPER.claim(
        "two-thin-beat-one-wide",
        "figure 2",
        "Two thin layers learn a product of four better than one wide one.",
        "mean error of 2 x 8 / of one layer of 512, n = 4",
        "< 1",
        thin_over_wide,
        protocol=_TRAINED,
        setting="scaled down",
        criterion="95 % interval over networks below 1",
    ),
]
