"""Samples of known Hamiltonians, and what the trials of hamiltonian_fit ask of a fit."""

import itertools
import math

import numpy as np

from deeptheory.cheap import hamiltonian_fit
from oracles import hamiltonian as oracle
from trials.frame import Found, all_of, covers

INF = math.inf


def fitted(x, degree=2, **options):
    return hamiltonian_fit(x, degree, **{"compare_assumptions": False, "held_out_fraction": 0.0, **options})


def every_state(n, q):
    states = np.array(list(itertools.product(range(q), repeat=n)))
    return 2 * states - 1 if q == 2 else states


def drawn(rng, orbits, theta, q, rows):
    """Samples of exp(sum theta t) by enumeration; all levels of all variables among them."""
    states = every_state(1 + max(v for o in orbits for t in o for v, _ in t), q)
    log = np.array([oracle.log_weight(s, theta, orbits, q) for s in states.tolist()])
    p = np.exp(log - log.max())
    while True:
        x = states[rng.choice(len(states), rows, p=p / p.sum())]
        if (x.min(0) < x.max(0)).all() and len(np.unique(x)) == q:
            return x


def held(hits, most=True):
    """At least 93 % within the binomial band and, where intervals are not one-sided by need, at most 97.5 %."""
    from scipy.stats import binom

    hits = np.asarray(hits)
    found = covers(int(hits.sum()), hits.size, 0.93)
    limit = int(binom.ppf(1 - 1e-3, hits.size, 0.975))
    upper = Found(f"{int(hits.sum())} of {hits.size} held it", f"at most {limit} (97.5 %)", hits.sum() <= limit)
    return all_of(found, upper) if most else found


def within(fit, truth, order=None):
    """Of each parameter: does its interval, and theta -+ 1.96 s.e., hold the truth?"""
    chosen = [order is None or len(o[0]) == order for o in fit.orbits]
    inside = (fit.low <= truth) & (truth <= fit.high)
    normal = np.abs(fit.theta - truth) <= 1.9601 * fit.standard_error
    return inside[chosen], normal[chosen]
