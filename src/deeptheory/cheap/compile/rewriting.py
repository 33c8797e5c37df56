"""The same formula, easier to expand: functions of sin and cos, pairs of exponentials, quotients that stay finite at 0.

A quotient is expanded over the range of its denominator. 1/(exp(u) + exp(-u)) has one that grows like exp(u), though as
sech(u)/2 it is tame; sin(u)/u has one that meets 0, though sinc(u) is smooth there. Both are met in physics.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from deeptheory.core.errors import InputError

if TYPE_CHECKING:
    import sympy


def simplified(e: Any, names: Sequence[str] = (), box: Sequence[tuple[float, float]] = ()) -> "sympy.Expr":
    """An expression of equal value, wherever the given one has a value. names, box: where that is known."""
    import sympy

    if names:
        e = e.replace(lambda a: isinstance(a, sympy.atan2), lambda a: _angle(a.args[0], a.args[1], names, box))
    table = {sympy.sec: lambda x: 1 / sympy.cos(x), sympy.csc: lambda x: 1 / sympy.sin(x),
        sympy.cot: lambda x: sympy.cos(x) / sympy.sin(x),
             sympy.coth: lambda x: 1 / sympy.tanh(x), sympy.csch: lambda x: 1 / sympy.sinh(x),
             sympy.acot: lambda x: sympy.atan(1 / x), sympy.asec: lambda x: sympy.acos(1 / x),
             sympy.acsc: lambda x: sympy.asin(1 / x),
             sympy.acoth: lambda x: sympy.atanh(1 / x), sympy.asech: lambda x: sympy.acosh(1 / x),
             sympy.acsch: lambda x: sympy.asinh(1 / x)}  # fmt: skip
    for function, made in table.items():
        e = e.replace(function, made)
    e = e.replace(
        lambda a: a.is_Pow and a.exp.is_Integer and a.exp < 0 and a.base.is_Add and a.base.has(sympy.exp), _occupied
    )
    e = e.replace(lambda a: a.is_Add and a.has(sympy.exp), _paired)
    e = e.replace(
        lambda a: a.is_Pow and isinstance(a.base, sympy.cosh) and a.exp.is_Integer and a.exp < 0,
        lambda a: sympy.sech(a.base.args[0]) ** -a.exp,
    )
    return e.replace(lambda a: a.is_Mul and a.has(sympy.sin), _finite)


def made_function(name: str) -> Any:
    """A function that sympy has not, by name: logistic(x) = 1 / (1 + exp(-x)), planck(x) = x / (exp(x) - 1)."""
    import sympy

    return sympy.Function(name)


def _occupied(e: Any) -> "sympy.Expr":
    """1 / (c + k exp(u)): a logistic function where c, k are above 0, planck(u) / (k u) where c = -k."""
    import sympy

    base = e.base
    if len(base.args) != 2:
        return e
    c, (k, wave) = base.args[0], base.args[1].as_coeff_Mul()
    if not c.is_Number or not isinstance(wave, sympy.exp) or not c or not wave.free_symbols:
        return e
    u: Any = wave.args[0]
    if c / k > 0:
        shift = sympy.Integer(0) if c == k else sympy.log(sympy.nsimplify(k / c, rational=True))
        lifted: Any = -u
        made: Any = made_function("logistic")(lifted - shift)
        return (made / c) ** -e.exp
    if c == -k:
        return (made_function("planck")(u) / (k * u)) ** -e.exp
    return e


def _angle(y: Any, x: Any, names: Sequence[str], box: Sequence[tuple[float, float]]) -> "sympy.Expr":
    """atan2(y, x) by arcs of quotients, where one of its arguments keeps its sign."""
    import sympy

    from deeptheory.cheap.compile.ranges import span

    (low, high), (bottom, top) = (span(a, tuple(names), tuple(box)) for a in (x, y))
    if low > 0:
        return sympy.atan(y / x)
    if bottom > 0:
        return sympy.pi / 2 - sympy.atan(x / y)
    if top < 0:
        return -sympy.pi / 2 - sympy.atan(x / y)
    if high < 0 and bottom >= 0:
        return sympy.pi + sympy.atan(y / x)
    raise InputError(
        "atan2 is expanded where its second argument stays above 0, or its first away from 0: at the cut it jumps; "
        "change the domain"
    )


def _paired(e: Any) -> "sympy.Expr":
    """c exp(a) + c exp(-a) = 2 c cosh(a), c exp(a) - c exp(-a) = 2 c sinh(a)."""
    import sympy

    waves: dict[Any, Any] = {r.args[0]: c for c, r in (a.as_coeff_Mul() for a in e.args) if isinstance(r, sympy.exp)}
    done: set = set()
    for a in sorted(waves, key=sympy.default_sort_key):
        c = waves[a]
        if a in done or a.could_extract_minus_sign() or abs(waves.get(-a, 0)) != abs(c):
            continue
        opposite = waves[-a]
        e = (
            e
            - c * sympy.exp(a)
            - opposite * sympy.exp(-a)
            + 2 * c * (sympy.cosh(a) if opposite == c else sympy.sinh(a))
        )
        done |= {a, -a}
    return e


def _finite(e: Any) -> "sympy.Expr":
    """sin(a)^k / b^m where a / b is a polynomial in what b holds: (a / b)^k sinc(a)^k / b^(m - k), for k up to m."""
    import sympy

    powers: dict = dict(a.as_base_exp() for a in e.args)
    for wave in [b for b, r in powers.items() if isinstance(b, sympy.sin) and r.is_Integer and r > 0]:
        for b in sorted(
            (b for b, r in powers.items() if r.is_Integer and r < 0 and b.free_symbols),
            key=lambda b: (powers[b], sympy.default_sort_key(b)),
        ):
            ratio = sympy.factor(wave.args[0] / b)
            if ratio.free_symbols <= wave.args[0].free_symbols and not sympy.denom(ratio).free_symbols:
                k = min(powers[wave], -powers[b])
                whole = e * wave**-k * b**k
                made: Any = whole * (ratio * sympy.sinc(wave.args[0])) ** k
                return _finite(made) if made.is_Mul else made
    return e
