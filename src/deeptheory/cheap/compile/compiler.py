"""compile_polynomial: a formula becomes a trainable network with its weights set, and a bound of its error.

Source: Lin, Tegmark & Rolnick 2017 (any polynomial from gates of neurons), Rolnick & Tegmark 2018 (depth against
width); functions that are no polynomials by certified Chebyshev expansion. What neither paper counts and this does:
the rounding of the floats that the network computes in.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from deeptheory.cheap.compile.activations import Activation, activation_of, own_name
from deeptheory.cheap.compile.assembling import Assembly, Block, check_weights
from deeptheory.cheap.compile.building import as_written, multiplied_out
from deeptheory.cheap.compile.certificates import ASSUMED, Certificate, bits_needed
from deeptheory.cheap.compile.expansions import FINEST
from deeptheory.cheap.compile.layouts import layout
from deeptheory.cheap.compile.network import CompiledNetwork
from deeptheory.cheap.compile.plans import Errors, Plan
from deeptheory.cheap.compile.problem import Maker, Problem, ToleranceError, refinements, scale_of
from deeptheory.cheap.compile.relu import compile_relu
from deeptheory.cheap.compile.rewriting import simplified
from deeptheory.cheap.compile.rounding import precision, representable
from deeptheory.cheap.domains import read_domain
from deeptheory.cheap.expressions import check_size, read_expressions, sizes, variables
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_whole

if TYPE_CHECKING:
    import sympy

MOST_DEPTH = 1_000
_MOST_NODES = 25_000  # of all plans of one search
_FANS = (2, 3, 4, 5, 6, 8, 10, 12, 16)


@dataclass(frozen=True)
class _Candidate:
    plan: Plan
    assembly: Assembly
    slack: np.ndarray  # by output, from expansions
    best: float  # least certificate, worst output


def compile_polynomial(
    expression: Any,
    depth: int | None = None,
    activation: "str | Callable | Activation" = "silu",
    *,
    domain: Any = (-1, 1),
    tolerance: float = 1e-6,
    dtype: torch.dtype = torch.float64,
) -> CompiledNetwork:
    """A network whose output is within `tolerance` of the expression everywhere in the domain, rounding included.

    Source: Lin, Tegmark & Rolnick 2017; Rolnick & Tegmark 2018. Of the forms tried, the one of fewest neurons.
    expression: sympy or text, or a list of them (one output each, sharing hidden layers); polynomials, quotients,
    powers and functions such as exp, log, sin, sqrt and tanh, which are expanded. depth: hidden layers, 1 to 1,000;
    None: as the formula asks. activation: silu, gelu, softplus, tanh, sigmoid, exp, cos, sin, or any smooth elementwise
    torch function; "relu" takes a route of its own (Yarotsky 2017). domain: (low, high) for all, one pair per variable
    in sorted order, or a mapping by name, whose other names become inputs too. tolerance: largest |error|, absolute.
    dtype: float64 or float32. The network takes [..., variables in sorted order] and gives [..., outputs], on the CPU;
    nothing is random.
    ToleranceError: out of reach in that dtype and depth; it names the best value, and the depth that reaches it.
    InputError: no such formula, a symbol without an interval, a domain that is infinite, weights that overflow, a depth
    that is no such integer or too few for the formula, a tolerance below 0, another dtype or activation.
    """
    several = isinstance(expression, (list, tuple))
    named = [str(k) for k in domain] if isinstance(domain, dict) else []
    given = tuple(read_expressions(expression, named))
    if depth is not None:
        check_whole(depth=(depth, 1))
    if depth is not None and depth > MOST_DEPTH:
        raise InputError(
            f"depth is {depth}; compiled are up to {MOST_DEPTH} hidden layers: "
            "those beyond would only carry the outputs"
        )
    check_number(tolerance=tolerance)
    if not (isinstance(tolerance, (int, float)) and math.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance is {tolerance}; needed: a finite number, 0 or more")
    check_size(given, depth)
    names = tuple(variables(given, domain))
    bits = precision(dtype)[1]
    box = read_domain(domain, names)
    sides = tuple(representable(low, high, bits) for low, high in box.values())
    problem = Problem(
        tuple(simplified(e, names, sides) for e in given), names, sides, activation_of(activation, relu=True), bits
    )
    said = {"variables": names, "expressions": given, "several": several}
    try:
        if problem.activation.name == "relu":
            return _through_relu(problem, box, depth, float(tolerance), dtype, said)
        return _compiled(problem, box, depth, float(tolerance), dtype, said)
    except OverflowError as error:
        raise InputError(
            f"values of {shortened(given)}, or numbers on the way to them, overflow on this domain; narrow it, or "
            "scale the formula"
        ) from error


def _compiled(
    problem: Problem, box: dict, depth: int | None, tolerance: float, dtype: torch.dtype, said: dict
) -> CompiledNetwork:
    name, bits, largest = precision(dtype)
    chosen = _choose(problem, depth, tolerance, name)
    with np.errstate(all="ignore"):
        found = chosen.assembly.fit(tolerance - chosen.slack)
    blocks = chosen.assembly.blocks()
    affine = None if blocks else (chosen.assembly.entry, chosen.assembly.entry_constant)
    most = check_weights(blocks or [Block(chosen.assembly.entry, *[chosen.assembly.entry_constant] * 3)], largest, name)
    totals = found.total + chosen.slack
    worst = int(np.argmax(totals))
    truncation = float(found.truncation[worst] + chosen.slack[worst])
    rounding = max(float(totals[worst]) - truncation, 0.0)
    certificate = Certificate(
        truncation=truncation,
        rounding=rounding,
        total=float(totals[worst]),
        outputs=tuple(float(t) for t in totals),
        domain=box,
        largest_weight=most,
        dtype=name,
        bits=bits_needed(truncation, rounding, bits),
        notes=(ASSUMED,) if problem.activation.assumed else (),
    )
    return CompiledNetwork(
        blocks,
        affine,
        activation=problem.activation,
        dtype=dtype,
        **said,
        expansions=chosen.plan.expansions,
        certificate=certificate,
    )


def _through_relu(
    problem: Problem, box: dict, depth: int | None, tolerance: float, dtype: torch.dtype, said: dict
) -> CompiledNetwork:
    return compile_relu(problem, box, tolerance, dtype, depth=depth, said=said)


def _choose(problem: Problem, depth: int | None, tolerance: float, dtype: str) -> _Candidate:
    """The candidate of fewest neurons that meets the tolerance. ToleranceError: none does."""
    good, best = None, None
    refused: Exception | None = None
    for make in _forms(problem, depth):
        try:
            found = _refined(problem, make, depth, tolerance)
        except (InputError, OverflowError) as error:
            refused = refused or error
            continue
        if found is None:
            continue
        if best is None or found.best < best.best:
            best = found
        if found.best <= tolerance and (good is None or found.assembly.neurons < good.assembly.neurons):
            good = found
    if good is not None:
        return good
    if best is None and refused is None and depth is None:
        best = _coarser(problem)
    if best is None:
        raise refused or InputError(
            f"no form of the formula fits in {depth} hidden layers; allow more"
            if depth
            else f"{shortened(problem.expressions)} is not expanded finely enough on this domain; narrow it, "
            "or raise the tolerance"
        )
    _refuse(problem, best, depth, tolerance, dtype)
    raise AssertionError


def _coarser(problem: Problem) -> _Candidate | None:
    """The best where no expansion comes as close as was asked: what the finest ones reach."""
    slacks = []
    for make in _forms(problem, None):
        try:
            plans = list(refinements(make, 0.0, own_name(problem.activation)))
        except InputError:
            continue
        slacks += [max(p.graph.bounds(v)[2] for v in p.outputs) for p in plans]
    return _best(problem, None, 1.3 * min(slacks)) if slacks else None


def _refuse(problem: Problem, best: _Candidate, depth: int | None, tolerance: float, dtype: str) -> None:
    free = best
    if depth is not None:
        free = min((c for c in (_best(problem, None, tolerance), best) if c), key=lambda c: c.best)
    reached, layers = free.best, free.assembly.layout.depth
    rounds = 8 if free.assembly.neurons < 300 else 2
    for _ in range(
        rounds if free.plan.expansions else 0
    ):  # how functions are expanded depends on the tolerance: name a value that is then met
        at = (layers or None) if depth is not None else None
        again = _best(problem, at, reached) if reached > 0 else None
        if again is None or 0.98 * reached <= again.best <= reached:
            break
        if again.best < reached:
            more = _best(problem, at, again.best)
            if more is None or more.best > again.best:
                break
            reached, layers = again.best, again.assembly.layout.depth
            continue
        reached, layers = 1.02 * again.best, again.assembly.layout.depth
    here = f"tolerance {tolerance:.3g} is out of reach in {dtype}" + (
        f" with {depth} hidden layers, which reach {best.best:.6g}" if depth is not None else ""
    )
    fix = "use dtype=torch.float64, " if dtype == "float32" else ""
    raise ToleranceError(
        f"{here}; the best reachable is {reached!r} with {layers} hidden layers: {fix}raise the "
        f"tolerance{' or the depth' * (depth is not None and layers > depth)}",
        reached,
        layers,
    )


def _best(problem: Problem, depth: int | None, tolerance: float) -> _Candidate | None:
    """The candidate of least error, found as a search for that tolerance goes."""
    found = []
    for make in _forms(problem, depth):
        try:
            found.append(_refined(problem, make, depth, tolerance))
        except (InputError, OverflowError):
            continue
    return min((c for c in found if c), key=lambda c: c.best, default=None)


def _forms(problem: Problem, depth: int | None) -> Iterator[Maker]:
    """Ways to write the formula as gates, for at most that many layers."""
    given = (problem.expressions, problem.names, problem.box)
    nested = any(_nested(e) for e in problem.expressions)
    polynomial = all(e.is_polynomial() for e in problem.expressions)
    if depth is None:
        yield lambda errors: as_written(*given, 2, errors)
        if nested and polynomial and _small(problem.expressions, problem.names):
            yield lambda errors: multiplied_out(*given, 2, errors)
        return
    plain = polynomial and not nested
    if plain:  # what is tried without a depth is tried with it: a refusal names a depth
        made = _tried(as_written, given, 2)
        if made is not None and made.depth <= depth:
            yield lambda errors: as_written(*given, 2, errors)
    for form in (multiplied_out,) if plain else (as_written, multiplied_out):
        fitting = 0
        for fan in _FANS:
            made = _tried(form, given, fan)
            if made is None:
                yield lambda errors, form=form, fan=fan: form(*given, fan, errors)  # says why when it is made
                break
            if made.depth <= depth or not polynomial:
                fitting += made.depth <= depth
                yield lambda errors, form=form, fan=fan: form(*given, fan, errors)
            if fitting == 2:
                break


def _tried(form: Callable[..., Plan], given: tuple, fan: int) -> Plan | None:
    try:
        return form(*given, fan, Errors(1e-2))
    except InputError:
        return None


def shortened(expressions: Sequence["sympy.Expr"]) -> str:
    """The formulas as text, not too long."""
    text = ", ".join(map(str, expressions))
    return text if len(text) < 80 else f"{text[:77]}..."


def _nested(e: "sympy.Expr") -> bool:
    """Whether a sum stands inside a product or a power."""
    import sympy

    inside = [a for a in sympy.preorder_traversal(e) if isinstance(a, (sympy.Mul, sympy.Pow))]
    return any(a.has(sympy.Add) for a in inside)


def _small(expressions: Sequence["sympy.Expr"], names: Sequence[str]) -> bool:
    """Whether multiplying out is worth a try: few sums, low powers, few terms."""
    return all(e.count_ops() < 60 and sizes(e, len(names))[1] <= 300 for e in expressions)


def _refined(problem: Problem, make: Maker, depth: int | None, tolerance: float) -> _Candidate | None:
    """The form with its functions expanded as finely as the tolerance asks; None where it needs more layers."""
    best, seen, overflowed = None, 0, False
    for step, plan in enumerate(refinements(make, tolerance, own_name(problem.activation))):
        seen += len(plan.graph.nodes)
        if seen > _MOST_NODES and step:  # what is left is slow and seldom better
            return best
        slack = np.array([plan.graph.bounds(v)[2] for v in plan.outputs])
        if depth is not None and plan.depth > depth:
            if step and best is not None:
                return best
            continue
        asked = max(tolerance, FINEST * scale_of(plan))
        if slack.max(initial=0.0) <= asked:
            assembly = Assembly(layout(plan, depth), problem.activation, problem.sizes, problem.bits)
            with np.errstate(all="ignore"):
                reached = float((assembly.finest().total + slack).max(initial=0.0))
            if not math.isfinite(reached):  # another plan's errors may not grow so
                overflowed = True
                continue
            if best is None or reached < best.best:
                best = _Candidate(plan, assembly, slack, reached)
            if reached <= tolerance or slack.max(initial=0.0) < 0.02 * reached:
                return best
        if step > 1 and len(plan.graph.nodes) > 300:  # so long, finer ones are slow and seldom better
            break
    if best is None and overflowed:
        raise OverflowError
    return best
