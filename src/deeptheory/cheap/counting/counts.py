"""How many neurons does a polynomial need? Lower bounds by exact ranks, upper bounds by construction.

Source: Lin, Tegmark & Rolnick 2017, appendix A (2^n for a product); Rolnick & Tegmark 2018: proposition 3.3 (a
network with the right Taylor polynomial comes uniformly close as its scale goes to 0), theorem 3.4 (one size for
every tolerance), theorem 4.1 (prod(r_i + 1) for a monomial in one layer), theorem 4.2 (sum of 7 ceil(log2 r_i) + 4 in
several), theorem 4.3 (sums of monomials), theorem 4.4 (a single Taylor coefficient), propositions 4.5 and 4.6 (one
variable: d + 1), theorem 5.1 (k layers: `groups.py`, which says where the frontier of trained widths is), conjecture
5.2. A polynomial of bounded degree d shows no exponential gap: by theorem 4.1 each term takes 2^d neurons at most.
Pitfalls: "exactly 4" and "exactly 2^n" are statements about a convention, one of CONVENTIONS, and about Taylor
coefficients; that no smaller network comes *uniformly* close is a conjecture, as closeness bounds no coefficient
(eps tanh(x / eps^2) is small everywhere and steep). A slip of print: for a product of n = 32 the text of 2017 has
4n = 160 neurons; a tree has 4 (n - 1) = 124."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from math import ceil, log2, prod
from typing import TYPE_CHECKING, Any, Literal

from deeptheory.cheap.counting.groups import MOST_DEPTH, monomial_optimum
from deeptheory.cheap.counting.ranks import derivative_rank, independent_rows
from deeptheory.cheap.counting.shallow import is_form, shallow_lower, shallow_upper
from deeptheory.cheap.expressions import MOST_DEGREE, Terms, polynomial_terms, read_expressions, sizes, variables
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_real, check_whole, whole_numbers

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

MOST_VARIABLES = 200
MOST_DEGREE_DEEP = 3_000  # groups of any depth take seconds beyond
Convention = Literal["bias_free", "output_bias", "biases", "parity", "power"]
CONVENTIONS: dict[Convention, str] = {
    "bias_free": "no biases, every Taylor coefficient of the activation at 0 up to the degree differs from 0 (exp): "
    "the theorems' own",
    "output_bias": "the same with a bias at the output, or with sigma(0) = 0 (silu): "
    "the unit that sees nothing is free",
    "biases": "a bias at every unit and at the output, any smooth activation",
    "parity": "an output bias and an activation even or odd, as the degree is (cos, sin; tanh for odd degrees): "
    "units a and -a are one",
    "power": "sigma(z) = z^d for a form of degree d in one hidden layer: the Waring rank, of real weights",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Count(Result):
    """Hidden neurons with which a network of one fixed size approximates a polynomial to any accuracy.

    lower: fewer cannot have it as Taylor polynomial (exact rank). upper: a construction comes uniformly close as its
    scale goes to 0. lower_uniform: what is proven for uniform closeness; that it is `lower` is conjectured. convention:
    a name in CONVENTIONS ("relu" from relu_count, whose bounds are for one tolerance). depth: hidden layers, None for
    any. synapses: weights of the construction. degree: of the polynomial. largest_group: most numbers that a gate of
    the construction multiplies. proof: why, in words.
    """

    lower: int
    upper: int
    lower_uniform: int
    convention: str
    depth: int | None
    synapses: int
    degree: int
    largest_group: int
    proof: str

    @property
    def exact(self) -> bool:
        """Whether lower and upper are the same number."""
        return self.lower == self.upper

    def bits(self, tolerance: float) -> int:
        """Significand bits with which rounding stays below that truncation, constants of order 1 left out.

        A gate of b factors needs a scale near tolerance^(1/2) and loses u / scale^b: (1 + b/2) log2(1 / tolerance).
        InputError: tolerance outside (0, 1).
        """
        check_real(tolerance=(tolerance, 0))
        if not tolerance < 1:
            raise InputError(f"tolerance is {tolerance}; needed: a number between 0 and 1")
        return ceil((1 + self.largest_group / 2) * -log2(tolerance))

    def __repr__(self) -> str:
        size = f"exactly {self.lower}" if self.exact else f"{self.lower} to {self.upper}"
        depth = "any depth" if self.depth is None else f"{self.depth} hidden layer{'s' * (self.depth > 1)}"
        return f"Count({size} neuron{'s' * (self.upper != 1)}, {depth}, {self.convention})"

    def table(self) -> "pandas.DataFrame":
        """One row: a column for each field."""
        import pandas as pd

        return pd.DataFrame([{f.name: getattr(self, f.name) for f in fields(self)}])


def neuron_count(expression: Any, depth: int | None = None, *, convention: Convention = "bias_free") -> Count:
    """Bounds of the hidden neurons that a polynomial needs; several outputs share their hidden layers.

    Lower bounds: ranks of partial derivatives (Lin, Tegmark & Rolnick 2017, appendix A; Rolnick & Tegmark 2018,
    theorems 4.1 to 4.4). Upper: constructions (theorems 4.1, 4.2 and 5.1 there). expression: sympy or text, or a list.
    depth: number of hidden layers; None: whichever needs fewest. convention: a name in CONVENTIONS, which says what
    biases and activation are; "exactly 2^n" for a product of n numbers holds for "bias_free". Numbers are exact
    integers. InputError: no polynomial, an irrational coefficient, a depth that is no integer of 1 to 500, an unknown
    convention, "power" for what is no form or has more layers, a degree beyond 30,000 (3,000 but for depth 1), over 200
    variables.
    """
    pick(CONVENTIONS, convention, what="convention")
    if depth is not None:
        check_whole(depth=(depth, 1))
        depth = int(depth)
        if depth > MOST_DEPTH:
            raise InputError(f"depth is {depth}; counted are up to {MOST_DEPTH} hidden layers")
    expressions = read_expressions(expression)
    names = variables(expressions)
    if len(names) > MOST_VARIABLES:
        raise InputError(f"the formula has {len(names)} variables; counted up to {MOST_VARIABLES}: count parts of it")
    given = [polynomial_terms(e, names) for e in expressions]
    outputs, essential = _essential(given)
    said = {"convention": convention, "depth": depth, "degree": max((sum(k) for t in outputs for k in t), default=0)}
    most = MOST_DEGREE if depth == 1 else MOST_DEGREE_DEEP
    if said["degree"] > most:
        raise InputError(
            f"the degree is {said['degree']}; counted up to {most}: substitute a power by a variable of its own"
        )
    if convention == "power" and (depth not in (None, 1) or not is_form(outputs)):
        raise InputError(
            "convention 'power' is about forms, all terms of one degree, in one hidden layer; choose another"
        )
    if said["degree"] == 0:
        return Count(
            lower=0,
            upper=0,
            lower_uniform=0,
            synapses=0,
            largest_group=1,
            proof="a constant is a bias at the output",
            **said,
        )
    if depth is None and said["degree"] == 1 and convention != "power":
        return Count(
            lower=0,
            upper=0,
            lower_uniform=0,
            synapses=0,
            largest_group=1,
            proof="a linear map takes no hidden layer",
            **said,
        )
    ends = len(names) + len(outputs)
    flat, how_flat, flat_group = shallow_upper(outputs, convention)
    high, how, group, synapses = flat, how_flat, flat_group, flat * ends
    if depth == 1 or convention == "power":
        low, why = shallow_lower(outputs, convention)
    else:
        low, why = _deep_lower(outputs, convention, depth, essential)
        carried = 0 if depth is None else (depth - 1) * len(outputs) * gate_of(convention)((1,))
        high, how, synapses = flat + carried, f"{how}{', carried on' * (carried > 0)}", synapses + 2 * carried
        deep, layers, deep_group = _deep_upper(outputs, convention, depth)
        if deep < high:
            high, group, synapses = deep, deep_group, deep * 2 * deep_group
            how = f"groups in {layers} hidden layers, term by term"
        built = _built_upper(expressions, names, convention, depth)
        if built is not None and built[0] < high:
            high, synapses, group = built
            how = "the gates that compile_polynomial makes, sums shared"
    assert low <= high, (low, high, why, how)
    uniform = min(essential, low)
    proof = (
        f"at least {low}: {why}; at most {high}: {how}. The lower bound is for Taylor polynomials; uniformly at least "
        f"{uniform} is proven (a first layer of fewer units is blind to a direction) and {low} conjectured"
    )
    return Count(
        lower=low, upper=high, lower_uniform=uniform, synapses=synapses, largest_group=group, proof=proof, **said
    )


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DepthCounts(Result):
    """Counts of one polynomial, one per depth. expression: as text; counts: one Count for each depth asked for."""

    expression: str
    counts: tuple[Count, ...]

    def __repr__(self) -> str:
        return f"DepthCounts({self.expression}: {', '.join(f'{c.depth}: {c.lower} to {c.upper}' for c in self.counts)})"

    def table(self) -> "pandas.DataFrame":
        """One row per depth: a column for each field of Count."""
        import pandas as pd

        return pd.concat([c.table() for c in self.counts], ignore_index=True)

    def figure(self) -> "plotly.graph_objects.Figure":
        """Lower and upper bounds of the neurons against hidden layers, neurons logarithmic."""
        from deeptheory.cheap.drawing import draw_counts

        return draw_counts(self.expression, self.table())


def neurons_by_depth(
    expression: Any, depths: Sequence[int] = (1, 2, 3, 4, 5), *, convention: Convention = "bias_free"
) -> DepthCounts:
    """neuron_count for several numbers of hidden layers, with a figure. InputError: as there, and no depth."""
    depths = whole_numbers("depths", depths, least=1).tolist()
    if not depths:
        raise InputError("depths is empty; give one number of hidden layers or more")
    counts = tuple(neuron_count(expression, d, convention=convention) for d in depths)
    return DepthCounts(expression=", ".join(map(str, read_expressions(expression))), counts=counts)


def _essential(outputs: Sequence[Terms]) -> tuple[list[Terms], int]:
    """The outputs in as few variables as a linear change of variables leaves, and how many those are.

    Variables with linearly independent first derivatives are kept, the others set to 0: p(x) = p(w) for the w in their
    span that differs from x by a direction along which p is constant. (x + y + z)^3 counts as x^3.
    """
    keep = independent_rows(outputs)
    inside = [{k: v for k, v in t.items() if all(i in keep for i, p in enumerate(k) if p)} for t in outputs]
    return [{tuple(k[i] for i in keep): v for k, v in t.items()} for t in inside], len(keep)


def _deep_lower(outputs: Sequence[Terms], convention: str, depth: int | None, essential: int) -> tuple[int, str]:
    first = f"{essential} essential variables at the first layer"
    if depth is not None:
        return essential + depth - 1, f"{first} and a unit at every other"
    flat = shallow_lower(outputs, convention)
    deep = essential + 1, f"{first} and a unit at a second one"
    return min(flat, deep)


def gate_of(convention: str) -> Callable[[tuple[int, ...]], int]:
    """Neurons of a gate with these exponents, under a convention."""
    if convention == "bias_free":
        return lambda exponents: prod(r + 1 for r in exponents)
    if convention == "parity":
        return lambda exponents: prod(r + 1 for r in exponents) // 2
    return lambda exponents: prod(r + 1 for r in exponents) - 1


def _deep_upper(outputs: Sequence[Terms], convention: str, depth: int | None) -> tuple[int, int, int]:
    """Neurons, layers and the largest gate, term by term (theorem 4.3)."""
    gate, monomials = gate_of(convention), {k for t in outputs for k in t if any(k)}
    degree = max(sum(k) for k in monomials)
    depths = [depth] if depth is not None else range(1, ceil(log2(max(degree, 2))) + 2)
    made, known = {}, {}
    for layers in depths:
        each = [monomial_optimum(m, layers, gate, known) for m in monomials]
        made[layers] = sum(n for n, _ in each), max(g for _, g in each)
    best = min(made, key=lambda layers: (made[layers][0], layers))
    return made[best][0], best, made[best][1]


def _built_upper(
    expressions: Sequence[Any], names: Sequence[str], convention: str, depth: int | None
) -> tuple[int, int, int] | None:
    """Neurons, weights and the largest gate's degree of the layouts that the compiler chooses from; None: none fits."""
    from deeptheory.cheap.compile.building import as_written, multiplied_out
    from deeptheory.cheap.compile.layouts import layout
    from deeptheory.cheap.compile.plans import Errors

    gate, best = gate_of(convention), None
    short = all(e.count_ops() < 300 for e in expressions)
    forms = (
        (as_written, multiplied_out)
        if short and sum(sizes(e, len(names))[1] for e in expressions) <= 300
        else (as_written,)
    )
    for form in forms if short else ():
        for fan in (2,) if depth is None else (2, 3, 4, 6, 8):
            try:
                plan = form(expressions, names, [(-1.0, 1.0)] * len(names), fan, Errors(1e-2))
                if depth is not None and plan.depth > depth:
                    continue
                cells = [c for layer in layout(plan, depth).cells for c in layer]
            except (InputError, OverflowError):
                continue
            neurons = sum(gate(c.exponents) for c in cells)
            if best is None or neurons < best[0]:
                weights = sum(gate(c.exponents) * (len(c.wires) + 1) for c in cells)
                best = neurons, weights, max((sum(c.exponents) for c in cells), default=1)
    return best


def shallow_rank(expression: Any) -> int:
    """Dimension of the span of all partial derivatives of a polynomial, over all orders: exact, modulo a prime.

    InputError: no polynomial, or an irrational coefficient.
    """
    expressions = read_expressions(expression)
    names = variables(expressions)
    outputs = [polynomial_terms(e, names) for e in expressions]
    degree = max((sum(k) for t in outputs for k in t), default=0)
    if not is_form(outputs):
        raise InputError("the terms have different degrees; ranks order by order are of a form, all of one degree")
    return sum(derivative_rank(outputs, k) for k in range(degree + 1))
