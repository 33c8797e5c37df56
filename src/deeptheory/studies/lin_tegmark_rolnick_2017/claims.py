"""What the paper states, as quantities with regions that were written before anything was measured.

The paper has no experiment: identities and counts are checked exactly, the rest is measured on data of our choosing.
"""

from typing import Any

import numpy as np

from deeptheory.core.results import Estimate
from deeptheory.core.statistics import Interval
from deeptheory.runs import Claim, NotRun, Sample, at_setting
from deeptheory.runs.intervals import LEAST_FOR_MEANS, interval
from deeptheory.studies.lin_tegmark_rolnick_2017.steps import BIASES, DATA, DECIMALS, PARAMETERS, SHALLOW, SPARSE, TREES

_PAPER = "Lin, Tegmark & Rolnick 2017"
_EXACT = "whole numbers"
_GATES = "float64, inputs in [-1, 1], biases where sigma'' does not vanish"
_CONVENTIONS = ("bias_free", "output_bias", "biases", "parity")


def _of(step: str, name: str, **at: Any):
    return lambda results: float(results[step][name].sel(**at))


def _floor(results):
    data = results["gates"]
    ratio = [
        float(data["error"].sel(activation=a).min()) / float(p)
        for a, p in zip(data["activation"].values, data["predicted_floor"].values)
        if p > 0
    ]
    notes = ("silu and gelu are left out: they vanish at 0, pay no cancellation and go far below any such floor",)
    middle = float(np.exp(np.mean(np.log(ratio))))
    method = "least, largest and geometric mean over activations"
    return Estimate(
        value=middle, low=min(ratio), high=max(ratio), unit="1", method=method, direction="exact", notes=notes
    )


def _needs(convention: str):
    def measure(results):
        at = results["counts"]["gate"].sel(convention=convention)
        low, high = float(at.sel(bound="lower")), float(at.sel(bound="upper"))
        return Estimate(
            value=high, low=low, high=high, unit="neurons", method="rank below, construction above", direction="exact"
        )

    return measure


def _shallow(n: int):
    def measure(results):
        low, high = (float(v) for v in results["counts"]["shallow"].sel(n=n).values)
        return Estimate(
            value=high, low=low, high=high, unit="neurons", method="rank below, construction above", direction="exact"
        )

    return measure


def _precision(results):
    at = {"n": 8, "what": "error"}
    return float(results["gates"]["tree"].sel(at) / results["gates"]["flat"].sel(at))


def _over_fields(results, i: int) -> Interval | NotRun:
    """The interval of an exponent, which needs as many fields as any mean, and a value in each."""
    got = interval(Sample(results["fields"]["exponent"].sel(term=i).values))
    if got.missing or got.n < LEAST_FOR_MEANS:
        return NotRun(
            f"a value in {got.n} of {got.n + got.missing} fields; needed: all, and at least {LEAST_FOR_MEANS}"
        )
    return got


def _exponent(i: int):
    def measure(results):
        got = _over_fields(results, i)
        if isinstance(got, NotRun):
            return got
        inside = got.low <= 2 - 2 * i <= got.high
        notes = (f"exponent {got.value:.4f} [{got.low:.4f}, {got.high:.4f}] over {got.n} independent seeds",)
        return Estimate(value=float(inside), unit="1", method="whether it lies inside", direction="exact", notes=notes)

    return measure


def _width(i: int):
    def measure(results):
        got = _over_fields(results, i)
        return got if isinstance(got, NotRun) else got.high - got.low

    return measure


def gains(bits) -> Sample:
    """Held-out gain from degree 2 to 3 over the size of the gain from 1 to 2; bits: [seed, degree 1 to 3].

    The size, not the gain: where pairs overfit, a gain of triples over a loss of pairs would be below any limit.
    """
    second, third = -np.diff(bits, axis=1).T
    return Sample(np.stack([third, second * (np.sign(second.mean()) or 1.0)], axis=1), "ratio")


def _low_degree(name: str):
    def measure(results):
        bits = results["data"]["fit"].sel(data=name, what="bits").values  # [seed, degree]
        return gains(bits)

    return measure


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
    *(
        _claim(
            f"softmax-is-bayes/{model}", "section II.A",
            "A network of the Hamiltonians and a softmax with the log priors as biases is the exact posterior.",
            "largest difference from Bayes' rule", "< 1e-6", "float64", _of("posteriors", "worst", model=model),
        )
        for model in ("Gaussian", "Ising", "factor graph")
    ),
    *(
        _claim(
            f"gate-slope/{name}", "equation 11, figure 2",
            "Four neurons multiply two numbers; the error vanishes as the scale goes to 0.",
            "slope of the largest error against the scale, both logarithmic, scales 0.003 to 0.1", "[1.95, 2.05]", _GATES,
            _of("gates", "slope", activation=name),
        )
        for name in BIASES
    ),
    _claim(
        "gate-rounding-floor", "section II.B",
        "In floating point the error does not vanish: rounding grows as truncation falls. (Ours.)",
        "least error over all scales / 2 sqrt(eps |sigma| M4 / 3) / |sigma''|", "[0.1, 10]", _GATES, _floor,
    ),
    *(
        _claim(
            f"gate-needs-4/{convention}", "section II.B",
            "A product needs four neurons.", "neurons, from exact rank to construction", "= 4",
            f"convention {convention}" + ("" if convention == "bias_free" else "; not the paper's"), _needs(convention),
            unit="neurons",
        )
        for convention in _CONVENTIONS
    ),
    _claim(
        "polynomial-fixed-size", "section II.B, corollary",
        "Any polynomial is approximated to any accuracy by a network of one fixed size.",
        "neurons for x y z + 2 x^2 y - z within 1e-6 / within 1e-2", "= 1", "weights set, silu, float64",
        lambda r: float(r["gates"]["fixed_size"][1] / r["gates"]["fixed_size"][0]), unit="neurons / neurons",
    ),
    _claim(
        "bit-gate", "equation 14, figure 2",
        "One neuron multiplies k bits.", "wrong bits among all inputs, k = 1..12, beta = 20", "= 0", "exhaustive",
        lambda r: int(r["gates"]["wrong_bits"].sum()), unit="bits",
    ),
    _claim(
        "bit-gate-error", "equation 14",
        "Its worst error is e^(-beta/2) / (1 + e^(-beta/2)). (Ours.)",
        "worst error / that, the farthest from 1 over k = 1..12", "1 +- 1e-6", "exhaustive, beta = 20",
        lambda r: max(map(float, r["gates"]["bit_error"].values), key=lambda v: abs(v - 1)),
    ),
    _claim(
        "beta-rule", "section II.B",
        "beta = D ln 10 gives D decimals.", f"worst error times 10^D, D = {DECIMALS}", "<= 1", "exhaustive, k = 3",
        _of("gates", "beta_rule", rule="D ln 10"), published="D ln 10", published_trust="from notes on the text, unverified",
    ),
    _claim(
        "beta-rule-corrected", "section II.B",
        "beta = 2 D ln 10 does: the margin is 1/2. (Ours.)", f"worst error times 10^D, D = {DECIMALS}", "<= 1",
        "exhaustive, k = 3", _of("gates", "beta_rule", rule="2 D ln 10"),
    ),
    *(
        _claim(
            f"parameter-counts/{row}", "section II.D",
            "Low degree, locality and symmetry leave few parameters.", "parameters, enumerated", f"= {expected}", _EXACT,
            _of("counts", "parameters", row=row), unit="parameters",
        )
        for row, (_, expected) in PARAMETERS.items()
    ),
    *(
        _claim(
            f"hamiltonian-low-degree/{name}", "section II.D",
            "Hamiltonians of data have low degree." + (" (Control: a purely cubic one; it must fail.)" if name == "cubic" else ""),
            "held-out bits gained from degree 2 to 3 / size of the gain from 1 to 2, pseudo-likelihood", "< 0.1", "disjoint parts of the data",
            _low_degree(name), criterion="95 % interval over parts below 0.1", n_of="parts of the data",
        )
        for name in DATA
    ),
    _claim(
        "theorem-2", "theorem 2",
        "Minimal sufficient statistics of a hierarchy are functions of each other: T_i = f_i(T_(i+1)).",
        "violations in random chains, classes from each level's own posterior", "= 0", _EXACT,
        lambda r: int(r["hierarchies"]["violations"].sum()), unit="violations",
    ),
    _claim(
        "corollary-2", "corollary 2",
        "The posterior is the composition of these functions.", "largest difference from Bayes' rule over the chains",
        "< 1e-12", "float64", lambda r: float(r["hierarchies"]["composition"].max()),
    ),
    _claim(
        "sufficient-keeps-all", "section III.B",
        "A sufficient statistic keeps all information: equality in the data-processing inequality.",
        "largest difference of I(y_0; T_i) from I(y_0; y_n) over chains and levels", "< 1e-12", "float64",
        lambda r: float(r["hierarchies"]["information"].max()), unit="bits",
    ),
    _claim(
        "cosmology-costs", "figure 3",
        "The inverse of the cosmological hierarchy costs O(n), O(n^1.5), O(n^2) and O(n^3), stage by stage.",
        "-", "= 1", "-", lambda r: NotRun("needs a pipeline from time-ordered data to parameters; an illustration in the text"),
    ),
    *(
        _claim(
            f"rg-exponent/{i}", "section III.D",
            f"Block averaging sends y_{i} to b^{2 - 2 * i} y_{i}.", f"1 where {2 - 2 * i} lies inside the 95 % interval", "= 1",
            "Whittle fits of Gaussian fields, b = 2", _exponent(i), criterion="the interval over independent fields holds it",
        )
        for i in range(3)
    ),
    *(
        _claim(
            f"rg-precision/{i}", "section III.D",
            f"And the interval of the exponent of y_{i} says something. (Ours.)", "width of the interval", "< 0.25",
            "Whittle fits of Gaussian fields, b = 2", _width(i),
        )
        for i in range(3)
    ),
    _claim(
        "partition-function-counterexample", "section III.D",
        "A coarse model with the right partition function may have the wrong distribution.",
        "least KL divergence of the visible marginal over 100 random H and K, to 12 decimals", "> 0", "summed over all states",
        lambda r: round(float(r["posteriors"]["bits"].min()), 12), unit="bits",  # the rest is rounding
    ),
    _claim(
        "partition-function-matches", "section III.D",
        "And its partition function is right.", "largest |ln Z_tot - ln Z| over the same", "< 1e-12", "summed over all states",
        lambda r: float(r["posteriors"]["log_z_difference"].max()), unit="nats",
    ),
    _claim(
        "no-flattening/fft", "section III.G",
        "The Fourier transform costs n / (2 log2 n) times as many synapses flat.", "cost / formula, n = 256", "1 +- 1e-9",
        "factors built, counted", lambda r: float(r["linear"]["fft"]),
    ),
    *(
        _claim(
            f"no-flattening/strassen{'' if k == 4 else f', n = {2**k}'}", "section III.G",
            "Multiplying a matrix by a fixed one has fewer synapses in factors: with Strassen's, 9 * 7^k - 8 * 4^k against 8^k.",
            f"cost / formula, n = {2**k}", "1 +- 1e-9", "factors built, counted",
            _of("linear", "strassen", level=k),
        )
        for k in (2, 3, 4)
    ),
    _claim(
        "no-flattening/strassen-pays", "section III.G",
        "Flat costs more.", "synapses flat / in Strassen's factors, n = 16", "> 1", "factors built, counted",
        _of("linear", "strassen_cost", level=4),
    ),
    _claim(
        "no-flattening/low rank", "section III.G",
        "A map of rank k costs n / (2 k).", "cost / formula, n = 64, k = 4", "1 +- 1e-9", "factors built, counted",
        lambda r: float(r["linear"]["low_rank"]),
    ),
    _claim(
        "no-flattening/sparse", "section III.G",
        f"Two random 0/1 matrices of density p cost [1 - (1 - p^2)^n] / (2 p); n = {SPARSE[0]}, p = {SPARSE[1]}.",
        "cost / formula", "1 +- 0.05", "factors drawn, counted", lambda r: r["linear"]["sparse"].values,
        criterion="95 % interval over draws within 5 %", n_of="draws",
    ),
    *(
        _claim(
            f"product-shallow/{n}", "appendix A",
            "One hidden layer needs exactly 2^n neurons to multiply n numbers.", "neurons, from exact rank to construction",
            f"= {2**n}", "bias-free units, Taylor sense", _shallow(n), unit="neurons",
        )
        for n in SHALLOW
    ),
    *(
        _claim(
            f"product-tree/{n}", "section III.G",
            "A binary tree multiplies n numbers with 4 (n - 1) neurons.", "neurons of the tree", f"= {4 * (n - 1)}", _EXACT,
            _of("counts", "tree", leaves=n), unit="neurons",
        )
        for n in TREES
    ),
    _claim(
        "text-4n-160", "section III.G",
        "For n = 32 the text has 4 n = 160 neurons.", "neurons of the tree", "exact", _EXACT,
        _of("counts", "tree", leaves=32), unit="neurons", published=160, published_trust="from notes on the text, unverified",
    ),
    _claim(
        "depth-wins-precision", "section III.G",
        "Depth wins in precision, not only in neurons: l^-n weights drown in rounding. (Ours.)",
        "largest error of the tree / of the flat layer, n = 8, each at its best scale", "< 1e-2", "exp units, float64", _precision,
    ),
]  # fmt: skip
CLAIMS = at_setting("other data", CLAIMS, "hamiltonian-low-degree/")
