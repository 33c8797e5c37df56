"""What a user may hand over as a formula, read: sympy expressions or text, one or several, and their polynomial form.

Traps: text is read by sympy's parser with sympy's names only, and `E`, `I`, `S`, `N` or `beta` would mean sympy's own;
a name that stands in the domain is a variable. A float is the binary fraction that it is, exactly. That parser runs what it
reads (strings and attributes reach any code), so text is held to arithmetic first, and to numbers that can be written out.
"""

import ast
import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from deeptheory.errors import InputError

if TYPE_CHECKING:
    import sympy

Exponents = tuple[int, ...]
Terms = dict[Exponents, Fraction]  # a polynomial: coefficient by exponents

_ARITHMETIC = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
    ast.operator,
    ast.unaryop,
)
_MAKERS = ("sqrt", "cbrt", "root", "Rational", "Integer", "Float", "S")  # no function classes in sympy, and harmless
_DIGITS = 4_000  # decimal digits of a number that text may ask to be worked out; Python prints no more than 4300


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
        space.update({"__builtins__": {}, "abs": sympy.Abs, "max": sympy.Max, "min": sympy.Min})
        _hold_to_arithmetic(expression, space, own)
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


def _hold_to_arithmetic(text: str, space: Mapping[str, Any], own: Mapping[str, Any]) -> None:
    """InputError: text that does not parse, is more than sums, products, powers and functions, or towers of numbers."""
    from sympy.core.function import FunctionClass

    try:
        tree = ast.parse(text.strip().replace("^", "**"), mode="eval")
        _size(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(f"expression {text!r} cannot be read ({error}); write it as in 'x*y + sin(x)'") from error
    for node in ast.walk(tree):
        number = isinstance(node, ast.Constant) and type(node.value) in (int, float)
        if not isinstance(node, _ARITHMETIC) or (isinstance(node, ast.Constant) and not number):
            raise _not_arithmetic(text, type(node).__name__.lower())
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            known = space.get(name)
            if (
                not name
                or node.keywords
                or name in own
                or not (known is None or isinstance(known, FunctionClass) or name in _MAKERS)
            ):
                raise _not_arithmetic(text, f"a call of {name or 'something without a name'}")


def _not_arithmetic(text: str, what: str) -> InputError:
    return InputError(f"expression {text!r} cannot be read (it holds {what}); write it as in 'x*y + sin(x)': numbers, names, + - * / ** and functions")  # fmt: skip


def _size(node: ast.AST) -> float | None:
    """log10 of the size that a part made of numbers alone may have; None where a name stands. ValueError: beyond _DIGITS."""
    if isinstance(node, ast.Call):
        below = [_size(a) for a in node.args]
        maker = isinstance(node.func, ast.Name) and node.func.id in _MAKERS
        known = [b for b in below if b is not None]
        if len(known) < len(below):
            return None
        if not maker and max(known, default=0.0) > 3:
            raise ValueError("a function of a number above 1000 is not worked out")
        return max(known, default=0.0) if maker else 3.0
    below = [_size(child) for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr)]
    known = [b for b in below if b is not None]
    if isinstance(node, ast.Name) or len(known) < len(below):
        return None
    if isinstance(node, ast.Constant):
        return math.log10(max(abs(node.value), 1)) if isinstance(node.value, int | float) else 0.0
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        size = known[0] * 10 ** min(known[1], 9.0)
    else:
        size = sum(known) + 0.31
    if size > _DIGITS:
        raise ValueError(f"a number of more than {_DIGITS} digits")
    return size


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
