"""What the paper states, as quantities with regions that were written before anything was measured.

Deep learning is cheap because physics is special. What generates data has a Hamiltonian of low degree, local and
symmetric, and a few neurons compute it: four multiply two numbers. What arises step by step is undone step by step:
each level has a minimal sufficient statistic, a function of the one below it, and coarse-graining keeps what is
relevant. Such depth has a price when it is flattened: linear maps then need more synapses, and in one hidden
layer n numbers are not multiplied with fewer than 2^n neurons.

The paper has no experiment: identities and counts are checked exactly, the rest is measured on data of our choosing.
"""

from functools import partial
from typing import Any

import numpy as np

from deeptheory.core.results import Estimate
from deeptheory.core.statistics import Interval
from deeptheory.runs import NotRun, Sample
from deeptheory.runs.intervals import LEAST_FOR_MEANS, interval
from deeptheory.studies.lin_tegmark_rolnick_2017.steps import BIASES, DATA, DECIMALS, PARAMETERS, SHALLOW, SPARSE, TREES
from deeptheory.studies.paper import Paper, exact

PAPER = Paper(citation="Lin, Tegmark & Rolnick 2017", protocol="integers", criterion="in {region}; exact")
_GATES = "float64, inputs in [-1, 1], biases where sigma'' does not vanish"
_BUILT = "factors built, counted"
_FIELDS = "Whittle fits of Gaussian fields, b = 2"
_STATES = "summed over all states"
_CONVENTIONS = ("bias_free", "output_bias", "biases", "parity")


def computed(results: Any, step: str, name: str, **at: Any) -> float:
    """One number that a step computed."""
    return float(results[step][name].sel(**at))


def largest(results: Any, step: str, name: str) -> float:
    """The largest of the numbers that a step computed."""
    return float(results[step][name].max())


def total(results: Any, step: str, name: str) -> int:
    """How many a step counted in all."""
    return int(results[step][name].sum())


def neurons(results: Any, name: str, **at: Any) -> Estimate:
    """Neurons, from exact rank to construction."""
    low, high = (computed(results, "counts", name, **at, bound=bound) for bound in ("lower", "upper"))
    return exact(high, "rank below, construction above", "neurons", low=low, high=high)


def rounding_floor(results: Any) -> Estimate | NotRun:
    """Least error of a gate over its predicted floor, where one is predicted."""
    data = results["gates"]
    predicted = data["predicted_floor"].values
    if not (predicted > 0).any():
        return NotRun("no floor is predicted for any activation")
    ratio = data["error"].min("scale").values[predicted > 0] / predicted[predicted > 0]
    notes = ("silu and gelu are left out: they vanish at 0, pay no cancellation and go far below any such floor",)
    method = "least, largest and geometric mean over activations"
    return exact(np.exp(np.mean(np.log(ratio))), method, low=float(ratio.min()), high=float(ratio.max()), notes=notes)


def growth(results: Any) -> float:
    """Neurons of a polynomial within 1e-6 over those within 1e-2."""
    rough, fine = results["gates"]["fixed_size"].values
    return float(fine / rough)


def bit_error(results: Any) -> float:
    """Worst error of a bit gate over the formula's, where it is farthest from 1."""
    return max(map(float, results["gates"]["bit_error"].values), key=lambda v: abs(v - 1))


def tree_over_flat(results: Any) -> float:
    """Largest error of a tree that multiplies eight numbers over that of one layer."""
    tree, flat = (computed(results, "gates", name, n=8, what="error") for name in ("tree", "flat"))
    return tree / flat


def least_divergence(results: Any) -> float:
    """Of the visible marginal, in bits; beyond 12 decimals it is rounding."""
    return round(float(results["posteriors"]["bits"].min()), 12)


def over_fields(results: Any, term: int) -> Interval | NotRun:
    """The interval of an exponent, which needs as many fields as any mean, and a value in each."""
    got = interval(Sample(results["fields"]["exponent"].sel(term=term).values))
    if got.missing or got.n < LEAST_FOR_MEANS:
        return NotRun(
            f"a value in {got.n} of {got.n + got.missing} fields; needed: all, and at least {LEAST_FOR_MEANS}"
        )
    return got


def holds_exponent(results: Any, term: int) -> Estimate | NotRun:
    """1 where 2 - 2 term lies inside the interval of the exponent."""
    got = over_fields(results, term)
    if isinstance(got, NotRun):
        return got
    if got.high - got.low >= 2:  # the distance between exponents
        return NotRun(f"the interval [{got.low:.3g}, {got.high:.3g}] is wide enough to hold one of 2, 0 and -2 anyway")
    note = f"exponent {got.value:.4f} [{got.low:.4f}, {got.high:.4f}] over {got.n} independent seeds"
    return exact(got.low <= 2 - 2 * term <= got.high, "whether it lies inside", notes=(note,))


def width(results: Any, term: int) -> float | NotRun:
    """Of the interval of an exponent."""
    got = over_fields(results, term)
    return got if isinstance(got, NotRun) else got.high - got.low


def gains(bits: np.ndarray) -> Sample:
    """Held-out gain from degree 2 to 3 over the size of the gain from 1 to 2; bits: [seed, degree 1 to 3].

    The size, not the gain: where pairs overfit, a gain of triples over a loss of pairs would be below any limit.
    """
    second, third = -np.diff(bits, axis=1).T
    return Sample(np.stack([third, second * (np.sign(second.mean()) or 1.0)], axis=1), "ratio")


def third_degree(results: Any, name: str) -> Sample:
    """What terms of degree 3 add to a Hamiltonian of those data."""
    return gains(results["data"]["fit"].sel(data=name, what="bits").values)


def never(results: Any) -> NotRun:
    """The cosmological hierarchy is not built."""
    return NotRun("needs a pipeline from time-ordered data to parameters; an illustration in the text")


CLAIMS = [
    *(
        PAPER.claim(
            f"softmax-is-bayes/{model}", "section II.A",
            "A network of the Hamiltonians and a softmax with the log priors as biases is the exact posterior.",
            "largest difference from Bayes' rule", "< 1e-6",
            partial(computed, step="posteriors", name="worst", model=model), protocol="float64",
        )
        for model in ("Gaussian", "Ising", "factor graph")
    ),
    *(
        PAPER.claim(
            f"gate-slope/{name}", "equation 11, figure 2",
            "Four neurons multiply two numbers; the error vanishes as the scale goes to 0.",
            "slope of the largest error against the scale, both logarithmic, scales 0.003 to 0.1", "[1.95, 2.05]",
            partial(computed, step="gates", name="slope", activation=name), protocol=_GATES,
        )
        for name in BIASES
    ),
    PAPER.claim(
        "gate-rounding-floor", "section II.B",
        "In floating point the error does not vanish: rounding grows as truncation falls. (Ours.)",
        "least error over all scales / 2 sqrt(eps |sigma| M4 / 3) / |sigma''|", "[0.1, 10]", rounding_floor,
        protocol=_GATES,
    ),
    *(
        PAPER.claim(
            f"gate-needs-4/{convention}", "section II.B",
            "A product needs four neurons.", "neurons, from exact rank to construction", "= 4",
            partial(neurons, name="gate", convention=convention), unit="neurons",
            protocol=f"convention {convention}" + ("" if convention == "bias_free" else "; not the paper's"),
        )
        for convention in _CONVENTIONS
    ),
    PAPER.claim(
        "polynomial-fixed-size", "section II.B, corollary",
        "Any polynomial is approximated to any accuracy by a network of one fixed size.",
        "neurons for x y z + 2 x^2 y - z within 1e-6 / within 1e-2", "= 1", growth,
        protocol="weights set, silu, float64", unit="neurons / neurons",
    ),
    PAPER.claim(
        "bit-gate", "equation 14, figure 2",
        "One neuron multiplies k bits.", "wrong bits among all inputs, k = 1..12, beta = 20", "= 0",
        partial(total, step="gates", name="wrong_bits"), protocol="exhaustive", unit="bits",
    ),
    PAPER.claim(
        "bit-gate-error", "equation 14",
        "Its worst error is e^(-beta/2) / (1 + e^(-beta/2)). (Ours.)",
        "worst error / that, the farthest from 1 over k = 1..12", "1 +- 1e-6", bit_error,
        protocol="exhaustive, beta = 20",
    ),
    PAPER.claim(
        "beta-rule", "section II.B",
        "beta = D ln 10 gives D decimals.", f"worst error times 10^D, D = {DECIMALS}", "<= 1",
        partial(computed, step="gates", name="beta_rule", rule="D ln 10"), protocol="exhaustive, k = 3",
        published="D ln 10", published_trust="from notes on the text, unverified",
    ),
    PAPER.claim(
        "beta-rule-corrected", "section II.B",
        "beta = 2 D ln 10 does: the margin is 1/2. (Ours.)", f"worst error times 10^D, D = {DECIMALS}", "<= 1",
        partial(computed, step="gates", name="beta_rule", rule="2 D ln 10"), protocol="exhaustive, k = 3",
    ),
    *(
        PAPER.claim(
            f"parameter-counts/{row}", "section II.D",
            "Low degree, locality and symmetry leave few parameters.", "parameters, enumerated", f"= {expected}",
            partial(computed, step="counts", name="parameters", row=row), unit="parameters",
        )
        for row, (_, expected) in PARAMETERS.items()
    ),
    *(
        PAPER.claim(
            f"hamiltonian-low-degree/{name}", "section II.D",
            "Hamiltonians of data have low degree." + (" (Control: a purely cubic one; it must fail.)"
                if name == "cubic" else ""),
            "held-out bits gained from degree 2 to 3 / size of the gain from 1 to 2, pseudo-likelihood", "< 0.1",
            partial(third_degree, name=name), protocol="disjoint parts of the data", setting="other data",
            criterion="95 % interval over parts below 0.1", n_of="parts of the data",
        )
        for name in DATA
    ),
    PAPER.claim(
        "theorem-2", "theorem 2",
        "Minimal sufficient statistics of a hierarchy are functions of each other: T_i = f_i(T_(i+1)).",
        "violations in random chains, classes from each level's own posterior", "= 0",
        partial(total, step="hierarchies", name="violations"), unit="violations",
    ),
    PAPER.claim(
        "corollary-2", "corollary 2",
        "The posterior is the composition of these functions.", "largest difference from Bayes' rule over the chains",
        "< 1e-12", partial(largest, step="hierarchies", name="composition"), protocol="float64",
    ),
    PAPER.claim(
        "sufficient-keeps-all", "section III.B",
        "A sufficient statistic keeps all information: equality in the data-processing inequality.",
        "largest difference of I(y_0; T_i) from I(y_0; y_n) over chains and levels", "< 1e-12",
        partial(largest, step="hierarchies", name="information"), protocol="float64", unit="bits",
    ),
    PAPER.claim(
        "cosmology-costs", "figure 3",
        "The inverse of the cosmological hierarchy costs O(n), O(n^1.5), O(n^2) and O(n^3), stage by stage.",
        "-", "= 1", never, protocol="-",
    ),
    *(
        PAPER.claim(
            f"rg-exponent/{i}", "section III.D",
            f"Block averaging sends y_{i} to b^{2 - 2 * i} y_{i}.",
            f"1 where {2 - 2 * i} lies inside the 95 % interval", "= 1",
            partial(holds_exponent, term=i), protocol=_FIELDS,
            criterion="the interval over independent fields holds it",
        )
        for i in range(3)
    ),
    *(
        PAPER.claim(
            f"rg-precision/{i}", "section III.D",
            f"And the interval of the exponent of y_{i} says something. (Ours.)", "width of the interval", "< 0.25",
            partial(width, term=i), protocol=_FIELDS,
        )
        for i in range(3)
    ),
    PAPER.claim(
        "partition-function-counterexample", "section III.D",
        "A coarse model with the right partition function may have the wrong distribution.",
        "least KL divergence of the visible marginal over 100 random H and K, to 12 decimals", "> 0", least_divergence,
        protocol=_STATES, unit="bits",
    ),
    PAPER.claim(
        "partition-function-matches", "section III.D",
        "And its partition function is right.", "largest |ln Z_tot - ln Z| over the same", "< 1e-12",
        partial(largest, step="posteriors", name="log_z_difference"), protocol=_STATES, unit="nats",
    ),
    PAPER.claim(
        "no-flattening/fft", "section III.G",
        "The Fourier transform costs n / (2 log2 n) times as many synapses flat.", "cost / formula, n = 256",
        "1 +- 1e-9", partial(computed, step="linear", name="fft"), protocol=_BUILT,
    ),
    *(
        PAPER.claim(
            f"no-flattening/strassen{'' if k == 4 else f', n = {2**k}'}", "section III.G",
            "Multiplying a matrix by a fixed one has fewer synapses in factors: with Strassen's, "
            "9 * 7^k - 8 * 4^k against 8^k.",
            f"cost / formula, n = {2**k}", "1 +- 1e-9", partial(computed, step="linear", name="strassen", level=k),
            protocol=_BUILT,
        )
        for k in (2, 3, 4)
    ),
    PAPER.claim(
        "no-flattening/strassen-pays", "section III.G",
        "Flat costs more.", "synapses flat / in Strassen's factors, n = 16", "> 1",
        partial(computed, step="linear", name="strassen_cost", level=4), protocol=_BUILT,
    ),
    PAPER.claim(
        "no-flattening/low rank", "section III.G",
        "A map of rank k costs n / (2 k).", "cost / formula, n = 64, k = 4", "1 +- 1e-9",
        partial(computed, step="linear", name="low_rank"), protocol=_BUILT,
    ),
    PAPER.claim(
        "no-flattening/sparse", "section III.G",
        f"Two random 0/1 matrices of density p cost [1 - (1 - p^2)^n] / (2 p); n = {SPARSE[0]}, p = {SPARSE[1]}.",
        "cost / formula", "1 +- 0.05", lambda results: results["linear"]["sparse"].values,
        protocol="factors drawn, counted", criterion="95 % interval over draws within 5 %", n_of="draws",
    ),
    *(
        PAPER.claim(
            f"product-shallow/{n}", "appendix A",
            "One hidden layer needs exactly 2^n neurons to multiply n numbers.",
            "neurons, from exact rank to construction", f"= {2**n}", partial(neurons, name="shallow", n=n),
            protocol="bias-free units, Taylor sense", unit="neurons",
        )
        for n in SHALLOW
    ),
    *(
        PAPER.claim(
            f"product-tree/{n}", "section III.G",
            "A binary tree multiplies n numbers with 4 (n - 1) neurons.", "neurons of the tree", f"= {4 * (n - 1)}",
            partial(computed, step="counts", name="tree", leaves=n), unit="neurons",
        )
        for n in TREES
    ),
    PAPER.claim(
        "text-4n-160", "section III.G",
        "For n = 32 the text has 4 n = 160 neurons.", "neurons of the tree", "exact",
        partial(computed, step="counts", name="tree", leaves=32), unit="neurons", published=160,
        published_trust="from notes on the text, unverified",
    ),
    PAPER.claim(
        "depth-wins-precision", "section III.G",
        "Depth wins in precision, not only in neurons: l^-n weights drown in rounding. (Ours.)",
        "largest error of the tree / of the flat layer, n = 8, each at its best scale", "< 1e-2", tree_over_flat,
        protocol="exp units, float64",
    ),
]  # fmt: skip
