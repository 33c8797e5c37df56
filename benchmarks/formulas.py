"""Formulas for compilers: those of pykan's open issues, and 30 equations of the Feynman symbolic regression database.

Source of names, formulas and intervals: the database's table FeynmanEquations.csv (Udrescu & Tegmark 2020, "AI
Feynman"). 13 equations were here first; the 17 others are every fifth of the 100 (numbers 5, 10, .. 100; three stood
here already), so that nobody chose the easy ones.
"""

Domain = tuple[float, float] | dict[str, tuple[float, float]]  # of all variables, or of each

ISSUES: list[tuple[str, str, Domain]] = [  # label, formula, domain
    ("pykan issue 557", "sin(5*a) + cos(3*a)", (-1, 1)),
    ("pykan issue 463", "exp(x) - exp(-x)", (-1, 1)),
    ("pykan issue 404", "a*b*c*d", (-1, 1)),
]
FEYNMAN: list[tuple[str, str, Domain]] = [
    ("I.6.2a", "exp(-theta**2/2)/sqrt(2*pi)", (1, 3)),
    ("I.9.18", "G*m1*m2/((x2 - x1)**2 + (y2 - y1)**2 + (z2 - z1)**2)", {**dict.fromkeys(("m1", "m2", "G", "x2", "y2",
    "z2"), (1, 2)), **dict.fromkeys(("x1", "y1", "z1"), (3, 4))}),
    ("I.12.2", "q1*q2*r/(4*pi*epsilon*r**3)", (1, 5)),
    ("I.12.11", "q*(Ef + B*v*sin(theta))", (1, 5)),
    ("I.13.12", "G*m1*m2*(1/r2 - 1/r1)", (1, 5)),
    ("I.14.3", "m*g*z", (1, 5)),
    ("I.16.6", "(u + v)/(1 + u*v/c**2)", (1, 5)),
    ("I.18.4", "(m1*r1 + m2*r2)/(m1 + m2)", (1, 5)),
    ("I.24.6", "m*(omega**2 + omega_0**2)*x**2/4", (1, 3)),
    ("I.25.13", "q/C", (1, 5)),
    ("I.27.6", "1/(1/d1 + n/d2)", (1, 5)),
    ("I.29.16", "sqrt(x1**2 + x2**2 - 2*x1*x2*cos(theta1 - theta2))", (1, 5)),
    ("I.30.3", "Int_0*sin(n*theta/2)**2/sin(theta/2)**2", (1, 5)),
    ("I.34.1", "omega_0/(1 - v/c)", {"c": (3, 10), "v": (1, 2), "omega_0": (1, 5)}),
    ("I.39.1", "3*pr*V/2", (1, 5)),
    ("I.43.16", "mu_drift*q*Volt/d", (1, 5)),
    ("I.48.2", "m*c**2/sqrt(1 - v**2/c**2)", {"m": (1, 5), "v": (1, 2), "c": (3, 10)}),
    ("I.50.26", "x1*(cos(omega*t) + alpha*cos(omega*t)**2)", (1, 3)),
    ("II.6.11", "p_d*cos(theta)/(4*pi*epsilon*r**2)", (1, 3)),
    ("II.6.15b", "3*p_d*cos(theta)*sin(theta)/(4*pi*epsilon*r**3)", (1, 3)),
    ("II.10.9", "sigma_den/(epsilon*(1 + chi))", (1, 5)),
    ("II.11.28", "1 + n*alpha/(1 - n*alpha/3)", (0, 1)),
    ("II.15.5", "-p_d*Ef*cos(theta)", (1, 5)),
    ("II.34.2a", "q*v/(2*pi*r)", (1, 5)),
    ("II.35.18", "n_0/(exp(mom*B/(kb*T)) + exp(-mom*B/(kb*T)))", (1, 3)),
    ("II.38.14", "Y/(2*(1 + sigma))", (1, 5)),
    ("III.9.52", "2*pi*p_d*Ef*t/h*sin((omega - omega_0)*t/2)**2/((omega - omega_0)*t/2)**2", {**dict.fromkeys(("p_d",
    "Ef", "t", "h"), (1, 3)), "omega": (1, 5), "omega_0": (1, 5)}),
    ("III.15.12", "2*U*(1 - cos(k*d))", (1, 5)),
    ("III.17.37", "beta*(1 + alpha*cos(theta))", (1, 5)),
    ("III.21.20", "-rho_c_0*q*A_vec/m", (1, 5)),
]  # fmt: skip
FORMULAS = ISSUES + [(f"Feynman {name}", text, domain) for name, text, domain in FEYNMAN]
