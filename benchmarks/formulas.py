"""Formulas for compilers: those of pykan's open issues, and equations of the Feynman set with every variable in [1, 2]."""

ISSUES = [  # label, formula, domain of all variables
    ("pykan issue 557", "sin(5*a) + cos(3*a)", (-1, 1)),
    ("pykan issue 463", "exp(x) - exp(-x)", (-1, 1)),
    ("pykan issue 404", "a*b*c*d", (-1, 1)),
]
FEYNMAN = [
    ("I.6.20a", "exp(-t**2/2)/sqrt(2*pi)"),
    ("I.12.11", "q*(e + b*v*sin(t))"),
    ("I.13.12", "g*m*n*(1/s - 1/r)"),
    ("I.18.4", "(m*r + n*s)/(m + n)"),
    ("I.24.6", "m*(w**2 + v**2)*x**2/4"),
    ("I.27.6", "1/(1/d + n/f)"),
    ("I.29.16", "sqrt(x**2 + y**2 - 2*x*y*cos(s - t)/3)"),
    ("I.48.2", "m/sqrt(1 - v**2/9)"),
    ("I.50.26", "x*(cos(w*t) + a*cos(w*t)**2)"),
    ("II.6.15b", "3*p*cos(t)*sin(t)/(4*pi*e*r**3)"),
    ("II.11.28", "1 + n*a/(1 - n*a/6)"),
    ("II.35.18", "n/(exp(m*b/(k*t)) + exp(-m*b/(k*t)))"),
    ("III.17.37", "b*(1 + a*cos(t))"),
]
FORMULAS = ISSUES + [(f"Feynman {name}", text, (1, 2)) for name, text in FEYNMAN]
