"""What a user may hand over as a formula, read: sympy expressions or text, one or several, and their polynomial form.

Traps: text is read by sympy's parser with sympy's names only, and `E`, `I`, `S`, `N` or `beta` would mean sympy's own;
a name that stands in the domain is a variable. A float is the binary fraction that it is, exactly.
"""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from deeptheory.errors import InputError

if TYPE_CHECKING:
    import sympy

Exponents = tuple[int, ...]
Terms = dict[Exponents, Fraction]  # a polynomial: coefficient by exponents


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
    from sympy.parsing.sympy_parser import convert_xor, parse_expr, standard_transformations

    if isinstance(expression, str):
        own = {n: sympy.Symbol(n) for n in names}
        space: dict[str, Any] = {}
        exec("from sympy import *", space)
        space.update({"__builtins__": {}})
        try:
            rules = (*standard_transformations, convert_xor)
            read = parse_expr(expression, local_dict=own, global_dict=space, transformations=rules)
        except Exception as error:  # the parser raises whatever the text provokes
            raise InputError(f"expression {expression!r} cannot be read ({error}); write it as in 'x*y + sin(x)'") from error  # fmt: skip
    else:
        try:
            read = sympy.sympify(expression, strict=True)
        except sympy.SympifyError as error:
            raise InputError(f"expression is {expression!r}; give sympy, text or a number") from error
    if not isinstance(read, sympy.Expr):
        raise InputError(f"expression {expression!r} is a {type(read).__name__}; needed: one real-valued expression")
    wrong = [c for c in (sympy.I, sympy.zoo, sympy.nan, sympy.oo) if read.has(c)]
    if wrong:
        raise InputError(f"expression {expression!r} is not a finite real one: it holds {wrong[0]}")
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

    symbols = {str(s): s for s in expression.free_symbols}
    generators = [symbols.get(n, sympy.Symbol(n)) for n in names] or [sympy.Symbol("_")]
    try:
        exact = sympy.Poly(expression, *generators).as_dict()
    except sympy.PolynomialError as error:
        raise InputError(f"{expression} is no polynomial in {', '.join(names)}; only polynomials are counted (compile_polynomial takes more)") from error  # fmt: skip
    terms = {powers[: len(names)]: _fraction(c) for powers, c in exact.items()}
    return {k: v for k, v in terms.items() if v}


def _fraction(coefficient) -> Fraction:
    import sympy

    if isinstance(coefficient, sympy.Float):
        return Fraction(float(coefficient))
    if isinstance(coefficient, sympy.Rational):
        return Fraction(int(coefficient.p), int(coefficient.q))
    raise InputError(f"coefficient {coefficient} is no rational number; exact ranks need one: write it as a fraction or a float")  # fmt: skip
