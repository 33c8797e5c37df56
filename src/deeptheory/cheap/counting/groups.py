"""How best to multiply in k hidden layers: the exact integer optimum over groups.

Source: Rolnick & Tegmark 2018, theorem 5.1: layer i multiplies groups of b_i numbers with 2^b_i neurons each. Its
real optimum is their eq. 5, b_(i+1) = b_i + log2(b_i - 1/ln 2). Here groups are whole: m numbers in g groups of sizes
as equal as can be, all g tried. That no way is better in order of magnitude, m_k = 2^Theta(n^(1/k)), is their
conjecture 5.2. A group of one is carried on: 2^1 neurons in the theorem's count, one with an output bias. The order of
theorem 5.1 as a width, w = n^((k-1)/k) 2^(n^(1/k)), which figure 2 lays over trained errors, is `frontier` in
`studies/rolnick_tegmark_2018/claims.py`."""

from collections.abc import Callable
from functools import cache
from math import ceil, exp, log, log1p, log2, prod

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_whole

Gate = Callable[[tuple[int, ...]], int]  # neurons of a gate with these exponents
MOST_DEPTH = 500  # layers
_MOST_NUMBERS, _MOST_WORK = 10**6, 2 * 10**8  # of a product; numbers squared times layers: a minute
_FIXED = 1 + 1 / log(2)  # b of groups that do not grow
_OFF = 1e-6  # of a product of groups, relative


def even_groups(n: int, g: int) -> tuple[int, ...]:
    """n things in g groups of sizes as equal as can be, larger ones first."""
    small, more = divmod(n, g)
    return (small + 1,) * more + (small,) * (g - more)


def product_optimum(n: int, depth: int, *, carry: int = 2, idle: bool = False) -> tuple[int, tuple[int, ...]]:
    """Least neurons to multiply n numbers in that many hidden layers, and the largest group of each layer [depth].

    Rolnick & Tegmark 2018, theorem 5.1, with whole groups as equal as can be, a group of b taking 2^b neurons: the
    exact optimum of that construction. carry: neurons that a group of one takes. idle: a layer may multiply nothing
    (theorem 5.1 has groups of 2 or more). InputError: n or depth no integer of 1 or more, carry none of 0 or
    more, more layers than there are products, over 500 layers, or numbers and layers that take minutes (n^2 depth over
    2e8).
    """
    check_whole(n=(n, 1), depth=(depth, 1), carry=(carry, 0))
    n, depth, carry = int(n), int(depth), int(carry)  # powers of numpy's integers wrap around
    if depth > MOST_DEPTH or n > _MOST_NUMBERS or n * n * (depth - 1) > _MOST_WORK:
        raise InputError(f"n is {n} and depth {depth}; searched are up to {MOST_DEPTH} layers, of fewer numbers")
    return _optimum(n, depth, carry, bool(idle))


@cache
def _optimum(n: int, depth: int, carry: int, idle: bool) -> tuple[int, tuple[int, ...]]:
    if not idle and depth > max(n - 1, 1):
        raise InputError(f"{n} numbers take {n - 1} products at most, fewer than {depth} layers; use idle=True")
    if depth == 1:
        return (2**n if n > 1 else carry), (n,)
    best: tuple[int, tuple[int, ...]] | None = None
    for g in range(n if idle else n - 1, 0 if idle else depth - 1, -1):
        small, more = divmod(n, g)  # even_groups(n, g), counted
        here = more * 2 ** (small + 1) + (g - more) * (2**small if small > 1 else carry)
        if best is not None and here >= best[0]:
            continue
        rest, groups = _optimum(g, depth - 1, carry, idle)
        if best is None or here + rest < best[0]:
            best = here + rest, (small + (more > 0), *groups)
    assert best is not None
    return best


def real_groups(n: float, depth: int) -> tuple[float, ...]:
    """The real optimum b_1 .. b_depth of the groups, with product n (Rolnick & Tegmark 2018, eq. 5).

    b_(i+1) = b_i + log2(b_i - 1/ln 2), b_1 by bisection. Groups grow from layer to layer where b_1 is above 1 + 1/ln 2
    = 2.44; where n is too small for so many layers they shrink, below 1 at the end, and mean nothing. InputError: n
    below 2 or infinite, depth no integer of 1 to 500, or so many layers that the last group is 0 to rounding.
    """
    check_whole(depth=(depth, 1))
    check_number(n=n)
    if not 2 <= n < float("inf"):
        raise InputError(f"n is {n}; needed: a finite number of 2 or more")
    if depth > MOST_DEPTH:
        raise InputError(f"depth is {depth}; the groups of up to {MOST_DEPTH} layers are found")

    def chain(first: float) -> list[float]:
        out = [first]
        while len(out) < depth:
            out.append(out[-1] + log2(max(out[-1] - 1 / log(2), 1e-300)))
        return out

    def product_of(b: list[float]) -> float:
        return prod(b) if min(b) > 0 else 0.0

    low, high = 1 / log(2) + 1e-9, float(n) + 1
    for _ in range(1200):  # from the largest float to neighbors of 2; 200 do for n up to 1e40
        middle = low / 2 + high / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if product_of(chain(middle)) < n else (low, middle)
    found = chain(low / 2 + high / 2)
    if abs(product_of(found) / n - 1) > _OFF:  # the map leads away from its fixed point: b_1 has too few digits
        found = _near_the_fixed_point(float(n), depth)
    if not abs(product_of(found) / n - 1) <= _OFF:
        raise InputError(f"n = {n} is too small for {depth} layers: the last group is nearly 0; take fewer layers")
    return tuple(found)


def _near_the_fixed_point(n: float, depth: int) -> list[float]:
    """The groups b_i = 1 + 1/ln 2 + e_i by e_(i+1) = e_i + log2(1 + e_i): e_1 of any smallness has all its digits."""

    def groups(exponent: float) -> list[float]:
        out = [sign * exp(exponent)]
        while len(out) < depth:
            out.append(out[-1] + log1p(max(out[-1], 1e-15 - 1)) / log(2))
        return [_FIXED + e for e in out]

    sign = 1.0 if depth * log(_FIXED) < log(n) else -1.0
    low, high = -700.0, 0.0 if sign < 0 else log(n)
    for _ in range(200):
        middle = (low + high) / 2
        b = groups(middle)
        above = min(b) > 0 and sum(map(log, b)) > log(n)
        low, high = (low, middle) if above == (sign > 0) else (middle, high)
    return groups((low + high) / 2)


def monomial_optimum(exponents: tuple[int, ...], depth: int, gate: Gate, known: dict | None = None) -> tuple[int, int]:
    """Neurons to make one monomial in that many layers, the best of the groupings tried, and its largest gate's degree.

    Equal groups are made once: x^8 takes a square gate a layer. known: results for that gate, to be shared by calls.
    """
    return _monomial(
        tuple(sorted((r for r in exponents if r), reverse=True)), depth, gate, {} if known is None else known
    )


def _monomial(state: tuple[int, ...], depth: int, gate: Gate, known: dict) -> tuple[int, int]:
    """state: how often each distinct thing is a factor."""
    key = (state, depth)
    if key in known:
        return known[key]
    if depth == 1:
        known[key] = gate(state), sum(state)
        return known[key]
    best: tuple[int, int] | None = None
    for size in range(1, min(sum(state), 24) + 1):
        for groups in _partitions(state, size):
            here = sum(gate(tuple(v for _, v in g)) for g, _ in groups)
            if best is not None and here >= best[0]:
                continue
            again = tuple(sorted((count for _, count in groups), reverse=True))
            rest, most = _monomial(again, depth - 1, gate, known)
            if best is None or here + rest < best[0]:
                best = here + rest, max(most, *(sum(v for _, v in g) for g, _ in groups))
    assert best is not None
    known[key] = best
    return best


def _partitions(state: tuple[int, ...], size: int):
    """Ways to bundle: powers of one thing up to size, what remains in bundles of that size, as even as can be.

    Each is a list of (bundle, how often), a bundle being pairs (thing, exponent).
    """
    whole, left = [], []
    for k, r in enumerate(state):
        s = min(r, size)
        if s > 1:
            whole.append((((k, s),), r // s))
        rest = r % s if s > 1 else r
        left += [k] * rest
    if not left:
        yield whole
        return
    fewest = ceil(len(left) / size)
    counts = range(fewest, len(left) + 1) if len(left) <= 24 and not whole else [fewest]
    for g in counts:
        bundles, at = [], 0
        for n in even_groups(len(left), g):
            part = left[at : at + n]
            at += n
            bundles.append(tuple((k, part.count(k)) for k in sorted(set(part))))
        yield whole + [(b, bundles.count(b)) for b in sorted(set(bundles))]
