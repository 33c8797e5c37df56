"""What a formula in text is made of: tokens, and the names that it may hold."""

import re

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[^\W0-9]\w*)|(?P<sign>\*\*|[-+*/^(),]))"
)
CONSTANTS = ("pi", "E", "I", "oo", "zoo", "nan", "EulerGamma", "GoldenRatio", "Catalan")
SMOOTH = (
    "exp", "log", "ln", "sin", "cos", "tan", "sec", "csc", "cot", "sinh", "cosh", "tanh", "sech", "csch", "coth",
    "asin", "acos", "atan", "acot", "asec", "acsc", "asinh", "acosh", "atanh", "acoth", "asech", "acsch", "atan2",
    "erf", "erfc", "erfi", "sinc", "sqrt", "cbrt", "root", "Abs", "sign", "Max", "Min", "floor", "ceiling", "Heaviside",
)  # fmt: skip
COUNTING = (
    "factorial", "factorial2", "subfactorial", "binomial", "RisingFactorial", "FallingFactorial", "rf", "ff",
    "fibonacci", "lucas", "bernoulli", "euler", "catalan", "harmonic", "bell", "gamma", "beta", "zeta", "digamma",
    "loggamma", "LambertW", "besselj", "bessely", "besseli", "besselk", "airyai", "airybi", "Si", "Ci", "Ei",
    "elliptic_k", "elliptic_e", "chebyshevt", "chebyshevu", "legendre", "assoc_legendre", "hermite", "laguerre",
    "assoc_laguerre", "gegenbauer", "jacobi", "Piecewise", "re", "im", "arg", "conjugate", "DiracDelta",
)  # fmt: skip
OTHER = {
    "abs": "Abs", "max": "Max", "min": "Min", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arcsinh": "asinh",
    "arccosh": "acosh", "arctanh": "atanh", "sigmoid": "logistic",
}  # fmt: skip
PYTHON = {
    "True": "constant", "False": "constant", "None": "constant", "lambda": "lambda", "and": "boolop", "or": "boolop",
    "not": "not", "in": "compare", "is": "compare", "for": "for",
}  # fmt: skip
MAKERS = ("Rational", "Integer", "Float", "S")
GROWING = ("exp", "sinh", "cosh", "erfi", "sech", "csch")
