"""Statistical physics by enumeration: every state in turn, math.exp, no tensors."""

import itertools
import math


def states(levels):
    """Every state of variables with so many levels each."""
    return list(itertools.product(*(range(v) for v in levels)))


def weights(levels, factors):
    """Unnormalized probability of every state; factors: (variables, nested log table)."""
    out = {}
    for x in states(levels):
        log = 0.0
        for scope, table in factors:
            for v in scope:
                table = table[x[v]]
            log += table
        out[x] = math.exp(log)
    return out


def ising_energy(x, shape, j, h, periodic=False):
    """-J sum of s_i s_j over neighbors - h sum of s_i on a two-dimensional grid; x: levels 0 and 1, row by row."""
    rows, columns = shape
    s = [[2 * x[r * columns + c] - 1 for c in range(columns)] for r in range(rows)]
    energy = 0.0
    for r in range(rows):
        for c in range(columns):
            energy -= h * s[r][c]
            if c + 1 < columns or (periodic and columns > 2):
                energy -= j * s[r][c] * s[r][(c + 1) % columns]
            if r + 1 < rows or (periodic and rows > 2):
                energy -= j * s[r][c] * s[(r + 1) % rows][c]
    return energy


def posterior(p_x_given_y, priors, x):
    """p(y | x) from likelihoods as functions, by Bayes' rule."""
    joint = [p(x) * q for p, q in zip(p_x_given_y, priors)]
    return [v / sum(joint) for v in joint]


def spectrum(field):
    """|sum_x phi(x) exp(-i k x)|^2 / sites of a small field [size, size], by the double sum."""
    size = len(field)
    out = [[0.0] * size for _ in range(size)]
    for a in range(size):
        for b in range(size):
            re = im = 0.0
            for r in range(size):
                for c in range(size):
                    angle = 2 * math.pi * (a * r + b * c) / size
                    re += field[r][c] * math.cos(angle)
                    im -= field[r][c] * math.sin(angle)
            out[a][b] = (re * re + im * im) / size**2
    return out
