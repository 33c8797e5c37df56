"""Text as a formula, read by a parser of its own: nothing is run, and work is bounded before it is begun.

sympy's parser runs what it reads, and works out what it is asked to: 2**factorial(99) never ends. Here a formula is
sums, products, powers, functions and numbers; numbers stay below 4,000 digits, functions with whole arguments below
100, trees below 50,000 parts. Sums and products are read in loops, so that only parentheses nest.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from deeptheory.cheap.text_names import CONSTANTS, COUNTING, GROWING, MAKERS, OTHER, PYTHON, SMOOTH, TOKEN
from deeptheory.core.errors import InputError

if TYPE_CHECKING:
    import sympy

DIGITS = 4_000  # decimal digits of a number that is worked out
MOST_CHARACTERS = 100_000
MOST_PARTS = 50_000
MOST_INSIDE = 8  # functions inside one another: reading tanh of tanh of ..., and refining them, doubles with each
MOST_NESTED = 60
MOST_EXPONENT = 1_000_000
MOST_WHOLE, _LONG = 100, 500  # an argument of a function that multiplies, counts or recurs, and its parts
_PLACES = 60  # digits of a float while the text is read
_LARGEST = 1e300  # of a number that is no fraction
_FAILURES = (ArithmeticError, AttributeError, IndexError, MemoryError, NotImplementedError, RecursionError,
    TypeError, ValueError)  # of sympy, at work  # fmt: skip


def parse(text: str, names: Sequence[str] = ()) -> "sympy.Expr":
    """The formula that the text is; names: variables, whatever sympy takes them for. InputError: none, or too large."""
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"expression {shown(text)} has {len(text)} characters; read up to {MOST_CHARACTERS}")
    try:
        return _plain(_Parser(text, names).whole())
    except _Unreadable as error:
        raise InputError(
            f"expression {shown(text)} cannot be read ({error}); write it as in 'x*y + sin(x)': numbers, names, "
            "+ - * / ** and functions"
        ) from error
    except InputError:
        raise
    except _FAILURES as error:
        raise InputError(
            f"expression {shown(text)} cannot be worked out ({str(error)[:80]}); write it as in 'x*y + sin(x)'"
        ) from error


def shown(text: Any) -> str:
    """Not too long to print."""
    text = text if isinstance(text, str) else str(text)
    return repr(text) if len(text) <= 60 else repr(text[:57] + "...")


class _Unreadable(Exception):
    pass


class _Parser:
    def __init__(self, text: str, names: Sequence[str]):
        self.own = set(names)
        self.tokens = list(_tokens(text))
        self.at = self.nested = self.inside = 0

    def whole(self) -> "sympy.Expr":
        made = self.sum()
        if self.kind != "end":
            found = "it holds ifexp" if self.word == "if" else f"{self.word!r} stands where nothing is expected"
            raise _Unreadable(found)
        return made

    @property
    def kind(self) -> str:
        return self.tokens[self.at][0]

    @property
    def word(self) -> str:
        return self.tokens[self.at][1]

    def took(self, *words: str) -> str | None:
        if self.kind == "sign" and self.word in words:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return None

    def sum(self) -> "sympy.Expr":
        import sympy

        parts = [self.product()]
        while sign := self.took("+", "-"):
            part = self.product()
            parts.append(part if sign == "+" else -part)
        if sum(_digits(p)[1] for p in parts) > 4 * DIGITS:
            raise _Unreadable(f"a number of more than {DIGITS} digits")
        return _held(sympy.Add(*parts)) if len(parts) > 1 else parts[0]

    def product(self) -> "sympy.Expr":
        import sympy

        parts = [self.signed()]
        while sign := self.took("*", "/"):
            part = self.signed()
            parts.append(part if sign == "*" else sympy.Integer(1) / part)
        if sum(map(max, map(_digits, parts))) > DIGITS:
            raise _Unreadable(f"a number of more than {DIGITS} digits")
        return _held(sympy.Mul(*parts)) if len(parts) > 1 else parts[0]

    def signed(self) -> "sympy.Expr":
        minus = False
        while sign := self.took("+", "-"):
            minus ^= sign == "-"
        made = self.power()
        return -made if minus else made

    def power(self) -> "sympy.Expr":
        """Right to left, a sign allowed in front of an exponent; in a loop, so that x^x^x^... does not nest."""
        parts, signs = [self.atom()], [1]
        while self.took("**", "^"):
            minus = 1
            while sign := self.took("+", "-"):
                minus *= -1 if sign == "-" else 1
            parts.append(self.atom())
            signs.append(minus)
        made = parts[-1]
        for base, sign in zip(parts[-2::-1], signs[:0:-1]):
            made = raised(base, sign * made)
        return made

    def atom(self) -> "sympy.Expr":
        kind, word = self.tokens[self.at]
        self.at += 1
        if kind == "number":
            return _number(word)
        if kind == "name":
            return self.call(word) if self.kind == "sign" and self.word == "(" else self.named(word)
        if kind == "sign" and word == "(":
            self.deeper()
            made = self.sum()
            self.close()
            return made
        raise _Unreadable(
            "it ends too early" if kind == "end" else f"{word!r} stands where a number or name is expected"
        )

    def deeper(self) -> None:
        self.nested += 1
        if self.nested > MOST_NESTED:
            raise _Unreadable(f"parentheses nest deeper than {MOST_NESTED}")

    def close(self) -> None:
        if not self.took(")"):
            raise _Unreadable("a parenthesis is not closed")
        self.nested -= 1

    def named(self, word: str) -> "sympy.Expr":
        import sympy

        if word in CONSTANTS and word not in self.own:
            return getattr(sympy, word)
        if word in PYTHON:
            raise _Unreadable(f"it holds {PYTHON[word]}, {word}")
        return sympy.Symbol(word)

    def call(self, word: str) -> "sympy.Expr":
        function = None if word in self.own else _function(word)
        if function is None:
            raise _Unreadable(f"it holds a call of {word}, which is no function that is known")
        self.at, self.inside = self.at + 1, self.inside + 1
        if self.inside > MOST_INSIDE:
            raise _Unreadable(f"it holds more functions inside one another than compiled are up to, {MOST_INSIDE}")
        self.deeper()
        arguments = []
        while not self.took(")"):
            arguments.append(self.sum())
            if self.took(")"):
                break
            if not self.took(","):
                open_end, word = self.kind == "end", f"{self.word!r} stands in the arguments of {word}"
                raise _Unreadable("a parenthesis is not closed" if open_end else word)
        self.nested, self.inside = self.nested - 1, self.inside - 1
        if not arguments:
            raise _Unreadable(f"it holds {word}() without an argument")
        return _held(function(word, arguments))


def _tokens(text: str):
    at, end = 0, len(text.rstrip())
    while at < end:
        found = TOKEN.match(text, at)
        if not found:
            seen = text[at:].lstrip()[:1]
            raise _Unreadable(f"it holds {'compare or assignment' if seen in '=<>!' else repr(seen)}")
        at = found.end()
        kind = found.lastgroup or ""
        word = found[kind]
        yield kind, unicodedata.normalize("NFKC", word) if kind == "name" and word.isidentifier() else word
        if kind == "name" and not word.isidentifier():
            raise _Unreadable(f"{word!r} is no name")
    yield "end", ""


def _number(word: str) -> "sympy.Expr":
    import sympy

    word = word.replace("_", "")
    if word.isdigit():
        if len(word) > DIGITS:
            raise _Unreadable(f"a number of more than {DIGITS} digits")
        return sympy.Integer(int(word))
    value = float(word)
    if math.isinf(value) or (value == 0 and any(c in "123456789" for c in re.split("[eE]", word)[0])):
        raise _Unreadable(f"{word[:40]} is beyond what floats hold")
    return sympy.Float(value, _PLACES)  # exactly: what is worked out of numbers alone must not round as floats do


def _plain(e: "sympy.Expr") -> Any:
    """Numbers that a float holds as plain floats, so that they print as they were written."""
    import sympy

    plain = {f: sympy.Float(float(f)) for f in e.atoms(sympy.Float)}
    return e.xreplace({f: g for f, g in plain.items() if f._mpf_ == g._mpf_})


def raised(base: Any, exponent: Any) -> "sympy.Expr":
    """base to the exponent, unless that is a number too long or a power too high."""
    import sympy

    symbols = base.free_symbols
    if base.is_Rational and exponent.is_Rational and base != 0 and abs(base) != 1:
        size = max(_digits(base)) * abs(float(exponent)) if abs(exponent) < 10**9 else math.inf
        if size > DIGITS:
            raise _Unreadable(f"a number of more than {DIGITS} digits")
        if not exponent.is_Integer and max(*_digits(base), *_digits(exponent)) > 300:
            raise _Unreadable("a root of a number of more than 300 digits")
    if symbols and exponent.is_Rational and max(abs(exponent.p), exponent.q) > 10**10:
        raise _Unreadable(f"an exponent above {MOST_EXPONENT}")
    return _held(sympy.Pow(base, exponent))


def _digits(e: Any) -> tuple[float, float]:
    """log10 of numerator and denominator of a fraction; 0 of anything else."""
    return (_log10(e.p), _log10(e.q)) if e.is_Rational else (0.0, 0.0)  # type: ignore[attr-defined]


def _log10(n: Any) -> float:
    return math.log10(abs(int(n)) or 1)


def _function(word: str) -> Callable[[str, list], "sympy.Expr"] | None:
    word = OTHER.get(word, word)
    if word == "logistic":
        return _own
    return _smooth if word in SMOOTH else _made if word in MAKERS else _whole if word in COUNTING else None


def _own(word: str, arguments: list) -> "sympy.Expr":
    import sympy

    if len(arguments) != 1:
        raise _Unreadable(f"{word} takes one argument")
    return 1 / (1 + sympy.exp(-arguments[0]))


def _smooth(word: str, arguments: list) -> "sympy.Expr":
    import sympy

    word = OTHER.get(word, word)
    for a in arguments:
        value = _value(a)
        most = 1e4 if word in GROWING else _LARGEST
        if value is not None and not abs(value) <= most:
            raise _Unreadable(f"{word} of a number above {most:g} is not worked out")
    if word == "root":
        base, degree = arguments
        return raised(base, 1 / degree)
    if word in ("sqrt", "cbrt") and len(arguments) == 1:
        return raised(arguments[0], sympy.Rational(1, 2 if word == "sqrt" else 3))
    return getattr(sympy, word)(*arguments)


def _made(word: str, arguments: list) -> "sympy.Expr":
    """Rational(1, 3), Float(0.1), Integer(2), S(2)."""
    import sympy

    if not all(a.is_Rational or a.is_Float for a in arguments) or len(arguments) > 2:
        raise _Unreadable(f"{word} of something that is no number")
    if word == "Rational":
        return sympy.nsimplify(arguments[0], rational=True) / (arguments[1] if len(arguments) > 1 else 1)
    if len(arguments) > 1 and not arguments[1] <= 50:
        raise _Unreadable("a number of more than 50 digits as a float")
    return getattr(sympy, word)(*(arguments if word == "Float" else arguments[:1]))


def _whole(word: str, arguments: list) -> "sympy.Expr":
    """Functions that count or recur: of small integers and of formulas."""
    import sympy

    for a in arguments:
        numbers = [abs(n) for n in a.atoms(sympy.Number)]
        value = _value(a)
        largest = max([*numbers, abs(value)] if value is not None else numbers, default=0)
        if not largest <= MOST_WHOLE:
            raise _Unreadable(
                f"a function of a number above {MOST_WHOLE if largest <= 1000 else 1000} is not worked out"
            )
        if parts(a, _LONG) >= _LONG:
            raise _Unreadable(f"{word} of so long a formula is not worked out")
    return getattr(sympy, word)(*arguments)


def _value(e: Any) -> float | None:
    """As a float, infinite where it is beyond; None where a variable stands."""
    if e.free_symbols:
        return None
    try:
        return float(e) if e.is_Rational or e.is_Float else float(e.evalf(15))
    except OverflowError:
        return math.inf
    except (TypeError, ValueError, AttributeError) as error:
        raise _Unreadable(f"{shown(e)} is no finite real number") from error


def _held(e: Any) -> "sympy.Expr":
    """The part, unless it is no finite real number or too large to go on with."""
    import sympy

    if not isinstance(e, sympy.Expr):
        raise _Unreadable(f"it holds a {type(e).__name__}")
    if e.is_Rational:
        if max(_digits(e)) > DIGITS:
            raise _Unreadable(f"a number of more than {DIGITS} digits")
    elif not e.free_symbols and not e.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, sympy.S.NegativeInfinity):
        value = _value(e)
        if value is None or not abs(value) <= _LARGEST:
            raise _Unreadable(f"{shown(e)} is beyond what floats hold")
    return e


def parts(e: Any, most: int = MOST_PARTS) -> int:
    """How many parts the tree has, counted up to most."""
    todo, count = [e], 0
    while todo and count < most:
        count += 1
        todo.extend(todo.pop().args)
    return count


def check_tree(e: "sympy.Expr") -> None:
    """A formula given as sympy: numbers and size. InputError: too large, or a part of it no finite real number."""
    import sympy

    if parts(e) >= MOST_PARTS:
        raise InputError(
            f"expression {shown(type(e).__name__)} has more than {MOST_PARTS} parts; give a shorter formula"
        )
    depth: dict[Any, int] = {}
    todo: list[tuple[Any, bool]] = [(e, False)]
    try:
        while todo:  # every part after its own parts
            part, below = todo.pop()
            if part in depth:
                continue
            if not below:
                todo.append((part, True))
                todo.extend((a, False) for a in part.args)
                continue
            depth[part] = 1 + max((depth[a] for a in part.args), default=0)
            if depth[part] > 3 * MOST_NESTED:
                raise InputError(
                    f"expression {shown(type(e).__name__)} nests deeper than {3 * MOST_NESTED}; give a flatter formula"
                )
            if isinstance(part, (sympy.exp, sympy.cosh, sympy.sinh)) and (_value(next(iter(part.args))) or 0) > 1e4:
                raise _Unreadable("exp of a number above 10000")
            if isinstance(part, sympy.Expr) and not part.free_symbols:
                _whole_numbers(part)
                _held(part)
            if part.is_Pow and any(a.is_Integer and not _log10(a) <= 10 for a in list(part.args)[1:]):
                raise _Unreadable(f"an exponent above {MOST_EXPONENT}")
    except _Unreadable as error:
        raise InputError(f"expression {shown(e)} cannot be read ({error}); write it as in 'x*y + sin(x)'") from error


def _whole_numbers(part: Any) -> None:
    """Numbers given unevaluated: 2**factorial(99), fibonacci(10**7)."""
    if part.is_Pow and part.base.is_Rational and not _digits_of_power(part) <= DIGITS:
        raise _Unreadable(f"a number of more than {DIGITS} digits")
    if (
        part.is_Function
        and type(part).__name__ not in SMOOTH
        and any(abs(_value(a) or 0) > MOST_WHOLE for a in part.args)
    ):
        raise _Unreadable("a function of a number above 1000 is not worked out")


def _digits_of_power(part: Any) -> float:
    exponent = _value(part.exp)
    return max(_digits(part.base)) * abs(exponent if exponent is not None else math.inf)
