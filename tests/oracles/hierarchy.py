"""Markov hierarchies as the paper writes them: sums over every path, Fractions, dictionaries. No numpy arithmetic."""

import itertools
from fractions import Fraction


def posterior(prior, transitions, level):
    """P(y_level | y_n = x) for every x as a list of Fractions, None where x cannot happen. Tables are [new, old]."""
    total = sum(Fraction(p) for p in prior)
    columns = [[sum(Fraction(row[j]) for row in m) for j in range(len(m[0]))] for m in transitions]
    sizes = [len(prior), *(len(m) for m in transitions)]
    joint = {}
    for path in itertools.product(*(range(s) for s in sizes)):
        p = Fraction(prior[path[0]]) / total
        for m, sums, old, new in zip(transitions, columns, path, path[1:]):
            p *= Fraction(m[new][old]) / sums[old]
        key = (path[-1], path[level])
        joint[key] = joint.get(key, 0) + p
    out = []
    for x in range(sizes[-1]):
        row = [joint.get((x, y), 0) for y in range(sizes[level])]
        out.append([p / sum(row) for p in row] if sum(row) else None)
    return out


def classes(rows):
    """Label of each row, equal rows alike, in order of appearance; -1 for None."""
    known: dict = {}
    return [-1 if row is None else known.setdefault(tuple(row), len(known)) for row in rows]


def information(prior_of_x, rows, labels):
    """I(y; T) in bits from P(x), P(y | x) and labels of x."""
    from math import log2

    joint: dict = {}
    for p, row, t in zip(prior_of_x, rows, labels):
        if row is not None:
            for y, q in enumerate(row):
                joint[t, y] = joint.get((t, y), 0.0) + float(p) * float(q)
    p_t, p_y = {}, {}
    for (t, y), p in joint.items():
        p_t[t] = p_t.get(t, 0.0) + p
        p_y[y] = p_y.get(y, 0.0) + p
    return sum(p * log2(p / (p_t[t] * p_y[y])) for (t, y), p in joint.items() if p > 0)


def best_merging(joint, states):
    """Least bits lost by any partition of the rows of a joint table into so many classes, by trying all of them."""
    from math import log2

    def bits(table):
        p_y = [sum(row[y] for row in table) for y in range(len(table[0]))]
        return sum(p * log2(p / (sum(row) * p_y[y])) for row in table for y, p in enumerate(row) if p > 0)

    before, best = bits(joint), None
    for labels in itertools.product(range(states), repeat=len(joint)):
        if len(set(labels)) == states:
            table = [
                [sum(r[y] for r, c in zip(joint, labels) if c == k) for y in range(len(joint[0]))]
                for k in range(states)
            ]
            lost = before - bits(table)
            best = lost if best is None else min(best, lost)
    return best
