"""One hidden layer: what a polynomial needs at least (exact ranks) and at most (finite differences).

Source: Lin, Tegmark & Rolnick 2017, appendix A; Rolnick & Tegmark 2018, theorems 4.1, 4.3, 4.4. For a form of degree d
the moments sum_j c_j a_j^S of the weights fill a block-triangular matrix whose blocks are its derivatives of order
0 .. d, so that the neurons are at least the sum of their ranks, whatever stands in the unknown corner. A polynomial of
several degrees has no such triangle: there the bound is that of the best form got from it.
With an output bias (or sigma(0) = 0) forward differences, units at all divisors but the constant one, attain the bound
less one: 2^n - 1 for a product of n.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, product
from math import prod

from deeptheory.cheap.counting.ranks import TooLarge, derivative_rank
from deeptheory.cheap.counting.waring import binary_rank, power_units
from deeptheory.cheap.expressions import Exponents, Terms

MOST_FORMS = 60  # looked at in a polynomial of several degrees
_MOST_POINTS = 10**6


def is_form(outputs: Sequence[Terms]) -> bool:
    """Whether all terms of all outputs have one degree."""
    return len({sum(k) for t in outputs for k in t}) <= 1


def shallow_lower(outputs: Sequence[Terms], convention: str) -> tuple[int, str]:
    """Neurons that one hidden layer needs at least, and why."""
    if len(outputs) == 1 and len(outputs[0]) == 1:
        return _of_monomial(next(iter(outputs[0])), convention)
    if convention == "power" and len(outputs) == 1 and len(next(iter(outputs[0]))) == 2:
        least, _, why = binary_rank(outputs[0])
        return least, why
    try:
        return _by_rank(outputs, convention)
    except TooLarge:
        found = [_of_monomial(k, convention) for t in outputs for k in t if _alone(k, t)]
        low, why = max(found, default=(1, "it is no constant"))
        return low, f"{why} (of one monomial: the matrix of all is too large to rank)"


def _alone(powers: Exponents, terms: Terms) -> bool:
    """Whether setting the variables outside this monomial to 0 leaves it alone."""
    own = {i for i, p in enumerate(powers) if p}
    return all(k == powers or any(p and i not in own for i, p in enumerate(k)) for k in terms)


def _of_monomial(powers: Exponents, convention: str) -> tuple[int, str]:
    """Ranks of a monomial in closed form: as many derivatives of order k as divisors of degree k."""
    by_order = [1]
    for r in powers:  # a window of r + 1 moves over the counts
        sums = [0, *accumulate(by_order), *[sum(by_order)] * r]
        by_order = [sums[k + 1] - sums[max(k - r, 0)] for k in range(len(by_order) + r)]
    low, why = _from_ranks(dict(enumerate(by_order)), convention)
    if convention == "power" and sum(r > 0 for r in powers) == 2:
        return sum(
            powers
        ), "a monomial in two variables takes as many real powers as its degree (Boij, Carlini & Geramita 2011)"
    if convention == "power":
        waring = prod(r + 1 for r in powers) // (min((r for r in powers if r), default=0) + 1)
        if waring > low:
            return waring, "Waring rank of a monomial over the complex numbers (Carlini, Catalisano & Geramita 2012)"
    return low, why


def _from_ranks(ranks: dict[int, int], convention: str) -> tuple[int, str]:
    """The bound from the ranks of a form by order of derivative."""
    total = sum(ranks.values())
    if convention == "bias_free":
        return total, f"its partial derivatives span {total} dimensions"
    if convention == "output_bias":
        return total - 1, f"its partial derivatives span {total} dimensions, and the constant one is free"
    if convention == "parity":
        even, odd = (sum(v for k, v in ranks.items() if k % 2 == s) for s in (0, 1))
        free = max(ranks) % 2 == 0  # moments of the degree's parity are known, but that of degree 0: a bias makes it
        if odd >= even - free:
            return odd, f"its derivatives of odd order span {odd} dimensions"
        return (
            even - free,
            f"its derivatives of even order span {even} dimensions{', and the constant one is free' * free}",
        )
    order = max(ranks, key=lambda k: ranks[k])
    return ranks[order], f"its derivatives of order {order} span {ranks[order]} dimension{'s' * (ranks[order] > 1)}"


def _by_rank(outputs: Sequence[Terms], convention: str) -> tuple[int, str]:
    if is_form(outputs):
        degree = sum(next(k for t in outputs for k in t))
        return _from_ranks({k: derivative_rank(outputs, k) for k in range(degree + 1)}, convention)
    best = (1, "it is no constant")
    for e in sorted({sum(k) for t in outputs for k in t} - {0}):
        part = [{k: v for k, v in t.items() if sum(k) == e} for t in outputs]
        rank, why = _from_ranks({k: derivative_rank(part, k) for k in range(e + 1)}, "biases")
        best = max(best, (rank, f"of its part of degree {e}, {why.removeprefix('its ')}"))
    for form, how in forms_within(outputs):
        rank, why = _by_rank([form], convention)
        best = max(best, (rank, f"{how} is a form, and {why}"))
    return best


def forms_within(outputs: Sequence[Terms]) -> Iterator[tuple[Terms, str]]:
    """Forms got from an output by setting variables to 0 or by differentiating: they need no more neurons."""
    seen: set[frozenset] = set()
    for terms in outputs:
        for made, how in _made_from(terms):
            key = frozenset(made.items())
            if made and key not in seen and is_form([made]):
                seen.add(key)
                yield made, how
            if len(seen) >= MOST_FORMS:
                return


def _made_from(terms: Terms) -> Iterator[tuple[Terms, str]]:
    for powers in terms:
        own = {i for i, p in enumerate(powers) if p}
        left = {k: v for k, v in terms.items() if all(i in own for i, p in enumerate(k) if p)}
        yield left, "what is left with other variables at 0"
    tried = 0
    for powers in terms:
        for s in product(*(range(min(p, 2) + 1) for p in powers)):
            tried += 1
            if tried > 4 * MOST_FORMS:
                return
            if any(s):
                yield differentiated(terms, s), f"its derivative of orders {s}"


def differentiated(terms: Terms, s: Exponents) -> Terms:
    """The derivative of orders s."""
    out: Terms = {}
    for powers, c in terms.items():
        if all(p >= k for p, k in zip(powers, s)):
            left = tuple(p - k for p, k in zip(powers, s))
            falling = prod(prod(range(p - k + 1, p + 1)) for p, k in zip(powers, s))
            out[left] = out.get(left, 0 * c) + c * falling
    return out


def shallow_upper(outputs: Sequence[Terms], convention: str) -> tuple[int, str, int]:
    """Neurons of a construction with one hidden layer, how it is made, and the degree of its largest gate.

    outputs: in essential variables, whose first derivatives are linearly independent.
    """
    degree = max(sum(k) for t in outputs for k in t)
    monomials = sorted({k for t in outputs for k in t if any(k)})
    if convention == "power" and len(monomials[0]) == 1:  # of essential variables: all outputs along one line
        return 1, "it is the power of a linear form, which one unit computes", degree
    if len(outputs) == 1 and is_form(outputs) and degree == 2 and convention in ("parity", "power"):
        rank = len(monomials[0])  # the essential variables; a rank modulo a prime may be less, and is no upper bound
        return rank, "a quadratic form of rank rho as a sum of rho squares", 2
    if convention == "power":
        return _powers(outputs, monomials, degree)
    if convention == "parity":
        return _halved(monomials), "mixed central differences, units a and -a being one", degree
    high = _divisors(monomials)
    how = "mixed finite differences, a unit for every divisor of a monomial"
    if convention != "bias_free":
        high, how = high - 1, f"{how}, the constant one being a bias"
    if len(outputs) == 1 and is_form(outputs) and degree == 2:
        rank = len(monomials[0]) + 2 - (convention != "bias_free")
        if rank <= high:
            return (
                rank,
                "a quadratic form of rank rho from rho + 2 units: an orthogonal basis of the form and a hyperbolic "
                "plane" + (", one of them a bias" if convention != "bias_free" else ""),
                2,
            )
    return high, how, degree


def _powers(outputs: Sequence[Terms], monomials: Sequence[Exponents], degree: int) -> tuple[int, str, int]:
    points = sum(prod(r + 1 for r in powers) for powers in monomials)
    high = power_units(monomials) if points <= _MOST_POINTS else _halved(monomials)
    how = "mixed central differences, units of one direction being one"
    if len(outputs) == 1 and len(monomials[0]) == 2:
        _, most, why = binary_rank(outputs[0])
        if most < high:
            return most, why, degree
    return high, how, degree


def _divisors(monomials: Sequence[Exponents]) -> int:
    """Divisors of the monomials, each once; where they are too many to list, at most their sum."""
    sizes = [prod(r + 1 for r in powers) for powers in monomials]
    if len(monomials) == 1 or sum(sizes) > _MOST_POINTS:
        return sum(sizes) - (len(sizes) - 1)  # 1 divides all
    return len({s for powers in monomials for s in product(*(range(r + 1) for r in powers))})


def _halved(monomials: Sequence[Exponents]) -> int:
    """Points of the central differences, one of a and -a; the point 0 is a bias, or vanishes for a power."""
    sizes = [prod(r + 1 for r in powers) // 2 for powers in monomials]
    if len(monomials) == 1 or sum(sizes) > _MOST_POINTS:
        return sum(sizes)
    points = (a for powers in monomials for a in product(*(range(-r, r + 1, 2) for r in powers)))
    return len({a for a in points if next((v for v in a if v), 0) > 0})
