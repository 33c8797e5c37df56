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

from deeptheory.cheap.activations import Activation, activation_of
from deeptheory.cheap.assembling import Assembly, Block, check_weights
from deeptheory.cheap.building import Plan, as_written, multiplied_out
from deeptheory.cheap.certificates import ASSUMED, Certificate, bits_needed
from deeptheory.cheap.domains import read_domain
from deeptheory.cheap.expansions import FINEST
from deeptheory.cheap.expressions import read_expressions, variables
from deeptheory.cheap.layouts import layout
from deeptheory.cheap.network import CompiledNetwork
from deeptheory.cheap.rewriting import simplified
from deeptheory.cheap.rounding import precision
from deeptheory.errors import InputError

if TYPE_CHECKING:
    import sympy

_FANS = (2, 3, 4, 5, 6, 8, 10, 12, 16)
_REFINEMENTS = 9  # expansions are tried to tolerance / 4, / 16, ...


class ToleranceError(InputError):
    """No network of that dtype and depth meets the tolerance. .best: what is reached; .depth: hidden layers that do."""

    def __init__(self, message: str, best: float, depth: int):
        super().__init__(message)
        self.best, self.depth = best, depth


@dataclass(frozen=True)
class _Problem:
    expressions: tuple["sympy.Expr", ...]
    names: tuple[str, ...]
    domain: dict[str, tuple[float, float]]
    activation: Activation
    bits: int

    @property
    def box(self) -> list[tuple[float, float]]:
        return list(self.domain.values())

    @property
    def sizes(self) -> list[float]:
        return [max(abs(low), abs(high)) for low, high in self.box]


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

    expression: sympy or text, or a list of them (one output each, sharing hidden layers); polynomials, quotients,
    powers and the functions of deeptheory.cheap.expansions. depth: hidden layers; None: as the formula asks. activation:
    a name, or any smooth elementwise torch function; "relu" takes a route of its own (Yarotsky 2017). domain:
    (low, high) for all, one pair a variable in sorted order, or a mapping by name. Variables are inputs in sorted order.
    ToleranceError: out of reach in that dtype and depth; it names the best value, and the depth that reaches it.
    InputError: no such formula, a symbol without an interval, a domain that is infinite, weights that overflow.
    """
    several = isinstance(expression, (list, tuple))
    named = [str(k) for k in domain] if isinstance(domain, dict) else []
    expressions = tuple(simplified(e) for e in read_expressions(expression, named))
    if depth is not None and (isinstance(depth, bool) or depth != int(depth) or depth < 1):
        raise InputError(f"depth is {depth!r}; needed: a whole number of hidden layers, 1 or more, or None")
    if not (isinstance(tolerance, (int, float)) and math.isfinite(tolerance) and tolerance >= 0):
        raise InputError(f"tolerance is {tolerance}; needed: a finite number, 0 or more")
    names = tuple(variables(expressions, domain))
    name, bits, largest = precision(dtype)
    box = read_domain(domain, names)
    if activation == "relu" or activation is torch.relu:
        from deeptheory.cheap.relu import compile_relu

        return compile_relu(expressions, names, box, tolerance, dtype, depth=depth, several=several)
    problem = _Problem(expressions, names, box, activation_of(activation), bits)
    chosen = _choose(problem, depth, float(tolerance), name)
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
    return CompiledNetwork(blocks, affine, problem.activation, dtype, variables=names, expressions=expressions, several=several, expansions=chosen.plan.expansions, certificate=certificate)  # fmt: skip


def _choose(problem: _Problem, depth: int | None, tolerance: float, dtype: str) -> _Candidate:
    """The candidate of fewest neurons that meets the tolerance. ToleranceError: none does."""
    good, best, refused = None, None, None
    for make in _forms(problem, depth):
        try:
            found = _refined(problem, make, depth, tolerance)
        except InputError as error:
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
    if best is None:
        raise refused or InputError(f"no form of the formula fits in {depth} hidden layers; allow more")
    _refuse(problem, best, depth, tolerance, dtype)
    raise AssertionError


def _refuse(problem: _Problem, best: _Candidate, depth: int | None, tolerance: float, dtype: str) -> None:
    free = best
    if depth is not None:
        free = min((c for c in (_best(problem, None, tolerance), best) if c), key=lambda c: c.best)
    reached, layers = free.best, free.assembly.layout.depth
    for _ in range(6):  # how functions are expanded depends on the tolerance: name a value that is then met
        again = _best(problem, (layers or None) if depth is not None else None, reached) if reached > 0 else None
        if again is None or again.best <= reached:
            break
        reached, layers = again.best, again.assembly.layout.depth
    here = f"tolerance {tolerance:.3g} is out of reach in {dtype}" + (f" with {depth} hidden layers, which reach {best.best:.6g}" if depth is not None else "")  # fmt: skip
    mend = "use dtype=torch.float64, " if dtype == "float32" else ""
    raise ToleranceError(f"{here}; the best reachable is {reached!r} with {layers} hidden layers: {mend}raise the tolerance{' or the depth' * (depth is not None and layers > depth)}", reached, layers)  # fmt: skip


def _best(problem: _Problem, depth: int | None, tolerance: float) -> _Candidate | None:
    """The candidate of least error, found as a search for that tolerance goes."""
    found = []
    for make in _forms(problem, depth):
        try:
            found.append(_refined(problem, make, depth, tolerance))
        except InputError:
            continue
    return min((c for c in found if c), key=lambda c: c.best, default=None)


Maker = Callable[[float], Plan]  # error of expansions -> plan


def _forms(problem: _Problem, depth: int | None) -> Iterator[Maker]:
    """Ways to write the formula as gates, for at most that many layers."""
    given = (problem.expressions, problem.names, problem.box)
    nested = any(_nested(e) for e in problem.expressions)
    polynomial = all(e.is_polynomial() for e in problem.expressions)
    if depth is None:
        yield lambda error: as_written(*given, 2, error)
        if nested and polynomial and _small(problem.expressions):
            yield lambda error: multiplied_out(*given, 2, error)
        return
    plain = polynomial and not nested
    if plain:  # what is tried without a depth is tried with it: a refusal names a depth
        made = _tried(as_written, given, 2)
        if made is not None and made.depth <= depth:
            yield lambda error: as_written(*given, 2, error)
    for form in (multiplied_out,) if plain else (as_written, multiplied_out):
        fitting = 0
        for fan in _FANS:
            made = _tried(form, given, fan)
            if made is None:
                yield lambda error, form=form, fan=fan: form(*given, fan, error)  # says why when it is made
                break
            if made.depth <= depth or not polynomial:
                fitting += made.depth <= depth
                yield lambda error, form=form, fan=fan: form(*given, fan, error)
            if fitting == 2:
                break


def _tried(form: Callable[..., Plan], given: tuple, fan: int) -> Plan | None:
    try:
        return form(*given, fan, 1e-2)
    except InputError:
        return None


def _nested(e: "sympy.Expr") -> bool:
    """Whether a sum stands inside a product or a power."""
    import sympy

    inside = [a for a in sympy.preorder_traversal(e) if isinstance(a, (sympy.Mul, sympy.Pow))]
    return any(a.has(sympy.Add) for a in inside)


def _small(expressions: Sequence["sympy.Expr"]) -> bool:
    """Whether multiplying out is worth a try: few sums, low powers."""
    return all(e.count_ops() < 60 for e in expressions)


def _refined(problem: _Problem, make: Maker, depth: int | None, tolerance: float) -> _Candidate | None:
    """The form with its functions expanded as finely as the tolerance asks; None where it needs more layers."""
    best = None
    asked = max(tolerance, FINEST)
    start = math.floor(math.log(asked / 4, 4))
    for step in range(_REFINEMENTS):
        plan = make(4.0 ** (start - step))
        slack = np.array([plan.graph.bounds(v)[2] for v in plan.outputs])
        if depth is not None and plan.depth > depth:
            return best
        if slack.max(initial=0.0) <= asked / 2:
            assembly = Assembly(layout(plan, depth), problem.activation, problem.sizes, problem.bits)
            reached = float((assembly.finest().total + slack).max(initial=0.0))
            if not math.isfinite(reached):
                raise InputError(f"values of {', '.join(map(str, problem.expressions))} overflow on this domain; narrow it, or scale the formula")  # fmt: skip
            if best is None or reached < best.best:
                best = _Candidate(plan, assembly, slack, reached)
            if reached <= tolerance or slack.max(initial=0.0) < 0.02 * reached:
                return best
        if not plan.expansions:
            return best
    return best
