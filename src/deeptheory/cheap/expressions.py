"""What a user may hand over as a formula, read: sympy expressions or text, one or several, and their polynomial form.

Text is read by a parser of its own (text.py), sizes are looked at before work is begun. A name that stands in the
domain is a variable, whatever sympy takes it for. A float is the binary fraction that it is, exactly.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from deeptheory.cheap.text import MOST_EXPONENT, MOST_INSIDE, check_tree, parse, shown
from deeptheory.core.errors import InputError

if TYPE_CHECKING:
    import sympy

Exponents = tuple[int, ...]
Terms = dict[Exponents, Fraction]  # a polynomial: coefficient by exponents

MOST_TERMS = 20_000
MOST_FUNCTIONS = 100  # of one formula that is compiled: some seconds
MOST_PRODUCTS = 2_000
MOST_PRODUCTS_AT_DEPTH = 300  # where several ways to multiply are tried
MOST_SYMBOLS = 2_000
MOST_DEGREE = 30_000  # half a minute for groups of any depth
_MOST_WORK = 60_000  # terms times degree times length of the coefficients: a second or two


def read_expressions(expression: Any, names: Iterable[str] = ()) -> list["sympy.Expr"]:
    """One sympy expression an output. expression: sympy, text, a number, or a list of them; names: known variables.

    InputError: text that does not parse, something that is no expression, an empty list.
    """
    several = isinstance(expression, Sequence) and not isinstance(expression, str)
    given = list(expression) if several or _is_matrix(expression) else [expression]
    if not given:
        raise InputError("expression is an empty list; give one expression or more")
    return [_read(e, list(names)) for e in given]


def _is_matrix(expression: Any) -> bool:
    return hasattr(expression, "shape") and hasattr(expression, "free_symbols")


def _read(expression: Any, names: list[str]) -> "sympy.Expr":
    import sympy

    if isinstance(expression, str):
        read: Any = parse(expression, names)
    else:
        try:
            read = sympy.sympify(expression, strict=True)
        except (sympy.SympifyError, ValueError, TypeError) as error:
            raise InputError(f"expression is {shown(repr(expression))}; give sympy, text or a number") from error
    if not isinstance(read, sympy.Expr):
        raise InputError(
            f"expression {shown(expression)} is a {type(read).__name__}; needed: one real-valued expression"
        )
    check_tree(read)
    wrong = [c for c in (sympy.I, sympy.zoo, sympy.nan, sympy.oo, sympy.S.NegativeInfinity) if read.has(c)]
    if wrong:
        raise InputError(f"expression {shown(expression)} is not a finite real one: it holds {wrong[0]}")
    return read


def variables(expressions: Sequence["sympy.Expr"], domain: Any = None) -> list[str]:
    """Names in sorted order: the free symbols, and with a domain that is a mapping its names too.

    InputError: a symbol that such a domain does not name; two symbols of one name.
    """
    symbols = {s for e in expressions for s in e.free_symbols}
    names = sorted({str(s) for s in symbols})
    if len(names) < len(symbols):
        raise InputError("two different symbols have one name (other assumptions); use one symbol a name")
    if isinstance(domain, Mapping):
        missing = [n for n in names if n not in {str(k) for k in domain}]
        if missing:
            known = ", ".join(map(str, domain)) or "nothing"
            raise InputError(f"domain has no interval for {', '.join(missing)}; it names {known}")
        names = sorted({*names, *(str(k) for k in domain)})
    return names


def polynomial_terms(expression: "sympy.Expr", names: Sequence[str]) -> Terms:
    """The expanded polynomial with rational coefficients, terms of coefficient 0 left out.

    InputError: no polynomial in these variables, or a coefficient that is not rational.
    """
    import sympy

    _check_work(expression, len(names))
    symbols = {str(s): s for s in expression.free_symbols}
    generators = [symbols.get(n, sympy.Symbol(n)) for n in names] or [sympy.Symbol("_")]
    try:
        exact = sympy.Poly(expression, *generators).as_dict()
    except sympy.PolynomialError as error:
        raise InputError(
            f"{expression} is no polynomial in {', '.join(names)}; "
            "only polynomials are counted (compile_polynomial takes more)"
        ) from error
    terms = {powers[: len(names)]: _fraction(c) for powers, c in exact.items()}
    return {k: v for k, v in terms.items() if v}


def _check_work(expression: "sympy.Expr", n: int) -> None:
    """InputError: multiplied out, the polynomial would be too long. Sizes are added up on the tree;
    nothing is expanded."""
    degree, terms, digits = sizes(expression, n)
    if degree > MOST_DEGREE:
        raise InputError(
            f"the degree is {degree}; counted up to {MOST_DEGREE}: substitute a power by a variable of its own"
        )
    work = terms * (degree if terms > 1 else 1) * (1 + digits / 30)
    if terms > MOST_TERMS or work > _MOST_WORK:
        raise InputError(
            f"{shown(expression)} has up to {terms:.3g} terms with {digits:.0f} digits when multiplied out; counted "
            f"are up to {MOST_TERMS}, fewer of high degree: give a shorter polynomial"
        )


def sizes(e: Any, n: int) -> tuple[int, float, float]:
    """Degree, terms and digits of the coefficients at most, multiplied out."""
    import sympy

    if isinstance(e, sympy.Symbol):
        return 1, 1, 1.0
    if e.is_Number:
        if e.is_Float:
            return 0, 1, 20.0
        top, bottom = map(int, e.as_numer_denom())
        return 0, 1, max(abs(top).bit_length(), bottom.bit_length()) * 0.31
    below = [sizes(a, n) for a in e.args]
    if isinstance(e, sympy.Add):
        degree = max(d for d, _, _ in below)
        made = degree, sum(t for _, t, _ in below), max(g for _, _, g in below) + math.log10(len(below)) + 1
    elif isinstance(e, sympy.Mul):
        degree = sum(d for d, _, _ in below)
        made = degree, math.prod(t for _, t, _ in below), sum(g + math.log10(t) for _, t, g in below)
    elif isinstance(e, sympy.Pow) and e.exp.is_Integer and e.exp > 0:
        d, t, g = below[0]
        k = int(e.exp)
        degree = d * k
        grown = (
            math.comb(int(t) + k - 1, k)
            if t < 100 and k < 1000
            else (math.inf if t > 1 and t * k > 1e6 else degree + 1.0 if t == 1 or n == 1 else math.inf)
        )
        made = degree, 1.0 if t == 1 else float(min(grown, 1e300)), min(k * (g + math.log10(t)), 1e300)
    else:
        return 0, 1, 1.0  # no polynomial: said by whoever reads it as one
    room = math.comb(n + degree, n) if degree < 10**6 else math.inf
    return made[0], min(made[1], float(min(room, 1e300))), made[2]


def number(expression: Any) -> Fraction:
    """A sympy number as a fraction: exact where rational, else to 40 digits. InputError: not real, or beyond 1e300."""
    import sympy

    made = expression if isinstance(expression, (sympy.Float, sympy.Rational)) else sympy.N(expression, 40)
    if isinstance(made, sympy.Float) and made.is_finite:
        sign, mantissa, exponent, _ = made._mpf_
        out = Fraction(-int(mantissa) if sign else int(mantissa)) * (
            Fraction(2) ** max(-99999, min(int(exponent), 99999))
        )
    elif isinstance(made, sympy.Rational):
        out = Fraction(int(made.p), int(made.q))
    else:
        raise InputError(f"{shown(expression)} is no finite real number; write the formula with real numbers")
    if abs(out) > 10**300 or (out and abs(out) < Fraction(1, 10**300)):
        raise InputError(f"{shown(expression)} is beyond what floats hold well (1e-300 to 1e300); scale the formula")
    return out


def _fraction(coefficient) -> Fraction:
    import sympy

    if isinstance(coefficient, sympy.Float):
        sign, mantissa, exponent, _ = coefficient._mpf_
        return Fraction(-int(mantissa) if sign else int(mantissa)) * Fraction(2) ** int(exponent)
    if isinstance(coefficient, sympy.Rational):
        return Fraction(int(coefficient.p), int(coefficient.q))
    raise InputError(
        f"coefficient {coefficient} is no rational number; exact ranks need one: write it as a fraction or a float"
    )


def check_size(expressions: Sequence["sympy.Expr"], depth: int | None) -> None:
    """InputError: a power above what is multiplied, or so many parts that compiling them would take minutes."""
    import sympy

    parts: set[sympy.Basic] = set().union(*(sympy.preorder_traversal(e) for e in expressions)) if expressions else set()
    powers = [p for p in parts if isinstance(p, sympy.Pow)]
    for p in powers:
        if p.exp.is_Integer and abs(p.exp) > MOST_EXPONENT:
            raise InputError(
                f"{shown(p)} has an exponent above {MOST_EXPONENT}; substitute a power by a variable of its own"
            )
    functions = [p for p in parts if isinstance(p, sympy.Function)]
    functions += [p for p in powers if p.free_symbols and not (p.exp.is_Integer and p.exp > 0)]
    nested = _nested(expressions, set(functions))
    products = sum(isinstance(p, sympy.Mul) and len(p.free_symbols) > 1 for p in parts) + len(powers)
    symbols = sum(p.is_Symbol for p in parts)
    most = MOST_PRODUCTS if depth is None else MOST_PRODUCTS_AT_DEPTH
    for count, limit, what in (
        (len(functions), MOST_FUNCTIONS, "different functions"),
        (products, most, "products" if depth is None else "products, for a depth that is asked,"),
        (symbols, MOST_SYMBOLS, "variables"),
        (nested, MOST_INSIDE, "functions inside one another"),
    ):
        if count > limit:
            raise InputError(f"the formula has {count} {what}; compiled are up to {limit}: compile parts of it and "
                             f"add their outputs")  # fmt: skip


def _nested(expressions: Sequence["sympy.Expr"], functions: set) -> int:
    """How many of these functions lie inside one another at most."""
    import sympy

    depth: dict[sympy.Basic, int] = {}
    for expression in expressions:
        for part in sympy.postorder_traversal(expression):
            if part not in depth:
                depth[part] = max((depth[a] for a in part.args), default=0) + (part in functions)
    return max((depth[e] for e in expressions), default=0)
