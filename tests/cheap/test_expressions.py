"""Text as a formula: arithmetic is read, anything that would run code or never end is refused."""

import pytest
import sympy

from deeptheory.cheap.expressions import read_expressions
from deeptheory.core.errors import InputError

X, Y = sympy.symbols("x y")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x^2", X**2),
        ("-x^2 + 2*x^-1", -(X**2) + 2 / X),
        (" x + 1 ", X + 1),
        ("(x+1)**2**3", (X + 1) ** 8),
        ("sqrt(5000)*x", 50 * sympy.sqrt(2) * X),
        ("Rational(1, 30000)*x", X / 30000),
        ("S(12345)*x", 12345 * X),
        ("sin(x*y)**2 + pi*E", sympy.sin(X * Y) ** 2 + sympy.pi * sympy.E),
        ("2**(2**13)*x", 2 ** (2**13) * X),
    ],
)
def test_arithmetic_is_read(text, expected):
    assert read_expressions(text) == [expected]


def test_a_name_of_the_domain_is_a_variable():
    assert read_expressions("beta*E", ["beta", "E"]) == [sympy.Symbol("beta") * sympy.Symbol("E")]


@pytest.mark.parametrize(
    "text",
    [
        "exec('open({!r}, \"w\")')*x",
        "eval('open({!r}, \"w\")')",
        "S('open({!r}, \"w\")')*x",
        "().__class__.__mro__[1].__subclasses__().__len__()*x",
        "x.diff(x)",
        "(lambda: x)()",
        "sin(x)(x)",
        "sin(x, evaluate=False)",
    ],
)
def test_text_runs_no_code(text, tmp_path):
    made = tmp_path / "made"
    with pytest.raises(InputError, match="cannot be read"):
        read_expressions(text.format(str(made)))
    assert not made.exists()


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("9**9**9*x", "a number of more than 4000 digits"),
        ("(1/2)**(10**8)*x", "a number of more than 4000 digits"),
        ("factorial(10**9)", "a function of a number above 1000"),
        ("test()", "holds a call of test"),
        ("preview(x)", "holds a call of preview"),
        ("Sum(x, (x, 1, 10))", "cannot be read"),
        ("x if x else y", "holds ifexp"),
        ("x < 1", "holds compare"),
        ("True*x", "holds constant"),
        ("x(2)", "holds a call of x"),
        ("x*", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_what_is_refused(text, match):
    with pytest.raises(InputError, match=match):
        read_expressions(text, ["x"])
