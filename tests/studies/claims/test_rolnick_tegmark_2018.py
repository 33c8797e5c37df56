"""Rolnick & Tegmark 2018: each claim on results where it is true and where it is false."""

import math

import numpy as np
import pytest

from deeptheory.studies.rolnick_tegmark_2018.claims import CLAIMS, DERIVED, deep_bound, frontier
from deeptheory.studies.rolnick_tegmark_2018.steps import MONOMIALS, UNIVARIATE, named
from oracles.simulated import check, check_complete, dataset

NEVER = {"conjecture": "about every network; no measurement decides it"}
NAMES = [named(m) for m in MONOMIALS]
NETWORKS = 6


def at(name, here, elsewhere):
    """[monomial]: a number of one, another of the rest."""
    return [here if n == name else elsewhere for n in NAMES]


def counts(**variables):
    return {
        "counts": dataset(
            variables, monomial=NAMES, bound=["lower", "upper"], degree=list(UNIVARIATE),
            broken=["lower", "upper", "construction"],
        )
    }  # fmt: skip


def built(**variables):
    return {"built": dataset(variables, monomial=NAMES)}


def shallow(m, lower, upper):
    rows = np.stack([at(named(m), lower, lower + 7), at(named(m), upper, upper + 7)], axis=1)
    return counts(shallow=(("monomial", "bound"), rows))


def deep(m, neurons, others):
    return built(neurons=("monomial", at(named(m), neurons, others)))


def sums(lower, upper, construction):
    """60 random sums, the last of which breaks so."""
    rows = np.zeros((60, 3), dtype=bool)
    rows[-1] = lower, upper, construction
    return counts(sums=(("sum", "broken"), rows))


def waring(upper, lower=0):
    """Every monomial needs so many times prod(r_i + 1) neurons with a power."""
    rows = [[lower, upper * math.prod(r + 1 for r in m)] for m in MONOMIALS]
    return counts(waring=(("monomial", "bound"), rows))


def waring_at(m, upper):
    """One monomial needs so many, the rest plenty."""
    rows = np.array([[0, upper if other == m else 10**6] for other in MONOMIALS])
    return counts(waring=(("monomial", "bound"), rows))


def univariate(name, upper, lower=0):
    """Neurons of degrees 1 to 12 beyond d + 1; one degree has that many."""
    rows = np.array([[d + 1, d + 1] for d in UNIVARIATE])
    rows[6] += lower, upper
    other = "power" if name == "general" else "general"
    return counts(**{name: (("degree", "bound"), rows), other: (("degree", "bound"), rows + (3 if upper <= 0 else 0))})


def product(n, k, value, factor=None):
    """The table as derived by hand, one entry replaced, or all times a factor."""
    keys = list(DERIVED)
    values = [value if (n, k) == key else DERIVED[key] * (factor or 1) for key in keys]
    return counts(
        product=("entry", values), entry_n=("entry", [a for a, _ in keys]), entry_k=("entry", [b for _, b in keys])
    )


def pair(name, first, second):
    return built(**{name: ("tolerance", [first, second])})


def trained(n, better):
    """Errors of a grid of shapes, low where `better(width over frontier)`;
    a shape outside the grid says the opposite."""
    shapes = [(k, w) for k in (1, 2, 3, 4, 6) for w in (2, 4, 8, 16, 32, 64, 128)]
    over = np.array([w / frontier(n, k) for k, w in shapes])
    error = np.where(better(over), 0.05, 0.9) * np.linspace(0.9, 1.1, NETWORKS)[:, None]
    error = error * (1 + 0.1 * np.sin(np.arange(len(shapes))))
    extra = np.full((NETWORKS, 1), 0.9 if better(np.array([1e9]))[0] else 0.05)
    shapes.append((1, 10**6))
    return {
        "trained": dataset(
            {
                "error": (("seed", "shape"), np.hstack([error, extra])), "depth": ("shape", [k for k, _ in shapes]),
                "width": ("shape", [w for _, w in shapes]), "in_grid": ("shape", [True] * (len(shapes) - 1) + [False]),
                "n": ("shape", [n] * len(shapes)),
            },
            shape=[f"{k}x{w}" for k, w in shapes],
        )
    }  # fmt: skip


def thin(thin_error, wide_error):
    rows = np.linspace(0.95, 1.05, NETWORKS)[:, None] * [wide_error, thin_error, 0.5]
    rows[:, 0] = rows[::-1, 0]
    return {
        "trained": dataset(
            {"error": (("seed", "shape"), rows), "n": ("shape", [4, 4, 4])}, shape=["1x512", "2x8", "2x512"]
        )
    }


def wide(over):
    return over >= 1


def any_width(over):
    """Every other shape is good, whatever its width."""
    return np.arange(len(over)) % 2 == 0


def narrow(over):
    return over < 1


CASES = {
    "homogeneous-scaling": (
        built(scaled_error=("scale", [1e-3, 1e-5])), built(scaled_error=("scale", [1e-5, 1e-3])),
    ),
    "finite-limit": (pair("fixed_size", 4, 4), pair("fixed_size", 4, 9)),
    "finite-limit-not-for-relu": (pair("relu_size", 20, 60), pair("relu_size", 60, 20)),
    **{
        f"shallow-count/{named(m)}": (shallow(m, *[math.prod(r + 1 for r in m)] * 2), shallow(m, *[sum(m)] * 2))
        for m in MONOMIALS
    },
    **{
        f"deep-count/{named(m)}": (deep(m, deep_bound(m), 10**6), deep(m, deep_bound(m) + 1, 0)) for m in MONOMIALS
    },
    "sum-of-monomials": (sums(False, False, True), sums(True, False, False)),
    "sum-of-monomials-built": (sums(True, True, False), sums(False, False, True)),
    "only-top-coefficient": (waring(1.0), waring(0.1, 10**6)),
    "vandermonde": (univariate("general", 0), univariate("general", 1)),
    "univariate-count": (univariate("power", 0), univariate("power", 1)),
    **{
        f"depth-k-table/{n}, {k}": (product(n, k, DERIVED[n, k], 2), product(n, k, DERIVED[n, k] + 2))
        for n, k in DERIVED
    },
    "depth-k-order": (product(32, 5, DERIVED[32, 5]), product(32, 5, 3 * 5 * frontier(32, 5))),
    "optimal-groups": (counts(group_difference=("group", [0.2, 0.9])), counts(group_difference=("group", [0.2, 2.5]))),
    "taylor-versus-uniform-gap": (built(gap=("eps", [0.9, 0.9, 1.0])), built(gap=("eps", [1.0, 1.0, 1e-6]))),
    **{f"fig2-frontier/{n}": (trained(n, wide), trained(n, narrow)) for n in (4, 8, 20)},
    "two-thin-beat-one-wide": (thin(0.1, 0.4), thin(0.4, 0.1)),
}  # fmt: skip

MORE_FALSE = [
    *((f"fig2-frontier/{n}", trained(n, any_width)) for n in (4, 8, 20)),
    *((f"shallow-count/{named(m)}", shallow(m, *[math.prod(r + 1 for r in m) + 1] * 2)) for m in MONOMIALS),
    ("sum-of-monomials", sums(False, True, False)),
    ("only-top-coefficient", waring_at((5,), 1)),  # below prod(r_i + 1) / d = 6 / 5, not below the middle coefficient 1
    ("only-top-coefficient", waring_at((1,) * 6, 12)),  # below the middle coefficient 20, not below 64 / 6
    ("univariate-count", univariate("power", 0, lower=-1)),
    ("finite-limit-not-for-relu", pair("relu_size", 20, 20)),
]


@pytest.mark.parametrize("name", CASES)
def test_a_claim_is_decided_by_what_its_paper_says(name):
    check(CLAIMS, name, CASES[name])


@pytest.mark.parametrize(("name", "false"), MORE_FALSE)
def test_another_way_of_being_false(name, false):
    check(CLAIMS, name, (CASES[name][0], false))


def test_every_claim_is_tried():
    check_complete(CLAIMS, CASES, NEVER)
