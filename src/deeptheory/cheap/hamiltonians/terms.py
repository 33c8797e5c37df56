"""Which terms may a Hamiltonian have, and which of them share a parameter? Degree,
locality and symmetry as lists of terms.

Source: Lin, Tegmark & Rolnick 2017, section II.D. A term is a product over variables, written ((variable, power), ...):
the power of a real variable, 1 for a spin, the level p = 1..q-1 for a Potts variable, whose factor is [x = p] - 1/q:
zero-sum over levels, as a spin is, so that terms of different sets of variables do not mix,
and symmetry does not depend on a gauge.
Locality: every two variables of a term are neighbors. Symmetry: terms that it carries into each other
share a parameter.
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from deeptheory.core.arrays import as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown
from deeptheory.core.shapes import check_whole, whole_numbers

Term = tuple[tuple[int, int], ...]
_MOST_TERMS = 2_000_000
_MOST_IN_TERM = 21  # variables: all parts of a term are terms, and those of 22 variables are too many
_MOST_PAIRS = 20_000_000  # of neighbors
_MOST_COUNTED = 100_000  # variables and degree of a count of millions of digits
SYMMETRIES = ("translation", "permutation")


@dataclass(frozen=True, kw_only=True, eq=False)
class Assumptions:
    """What is assumed of H over n variables (Lin, Tegmark & Rolnick 2017, section II.D); terms() and orbits() list it.

    A term is ((variable, power), ...), a product over different variables; of a Potts variable the "power" is its level
    1..levels-1, and the factor [x = level] - 1/levels. degree: largest total degree (for discrete variables: most
    variables in a term). levels: of a discrete variable, 2 or more, None for real ones. locality: every two variables
    of a term are neighbors: None (all are), a distance along the grid, summed over axes (1: nearest neighbors), or
    pairs of neighbors. symmetry: None, "translation" along the grid, "permutation" of all variables, or a list of
    permutations [n]. shape: of the grid, (n,) where None; periodic: it closes on itself. InputError: values out of
    range, a shape of another size, an unknown name.
    """

    n: int
    degree: int
    levels: int | None = 2
    locality: int | Sequence[tuple[int, int]] | None = None
    symmetry: str | Sequence[Sequence[int]] | None = None
    shape: tuple[int, ...] | None = None
    periodic: bool = False

    def __post_init__(self) -> None:
        check_whole(n=(self.n, 1), degree=(self.degree, 1), levels=(2 if self.levels is None else self.levels, 2))
        for name in ("n", "degree", "levels"):  # powers of numpy's integers wrap around
            if getattr(self, name) is not None:
                object.__setattr__(self, name, int(getattr(self, name)))
        if self.shape is not None:
            object.__setattr__(self, "shape", tuple(whole_numbers("shape", self.shape, least=1).tolist()))
        if math.prod(self.grid) != self.n:
            raise InputError(f"shape {list(self.grid)} has {math.prod(self.grid)} sites for {self.n} variables")
        if self.locality is not None:
            object.__setattr__(self, "locality", _locality(self.locality))
        if isinstance(self.symmetry, str):
            if self.symmetry not in SYMMETRIES:
                raise InputError(unknown(self.symmetry, SYMMETRIES, what="symmetry"))
        elif self.symmetry is not None:
            object.__setattr__(self, "symmetry", _permutations(self.symmetry))

    @property
    def grid(self) -> tuple[int, ...]:
        """Sides of the grid: shape, or (n,)."""
        return (self.n,) if self.shape is None else self.shape

    def neighbors(self) -> list[set[int]] | None:
        """The set of neighbors of each variable [n], None where all are.

        InputError: a pair out of range, a distance that leaves over 20,000,000 pairs.
        """
        if self.locality is None:
            return None
        around: list[set[int]] = [set() for _ in range(self.n)]
        if not isinstance(self.locality, int):
            for a, b in self.locality:
                if not (0 <= a < self.n and 0 <= b < self.n) or a == b:
                    raise InputError(
                        f"locality holds the pair ({a}, {b}); needed: two different variables below {self.n}"
                    )
                around[a].add(b)
                around[b].add(a)
            return around
        grid, reach = np.array(self.grid), self.locality
        at = np.stack(np.unravel_index(np.arange(self.n), self.grid), axis=1)
        stride, pairs = np.array([math.prod(self.grid[k + 1 :]) for k in range(len(grid))]), 0
        spans = [range(-min(reach, side - 1), min(reach, side - 1) + 1) for side in self.grid]
        for offset in itertools.product(*spans):
            if not 0 < sum(map(abs, offset)) <= reach:
                continue
            to = at + np.array(offset)
            inside = np.ones(self.n, dtype=bool) if self.periodic else ((to >= 0) & (to < grid)).all(axis=1)
            sites: list[int] = (to[inside] % grid @ stride).tolist()
            pairs += len(sites)
            if pairs > _MOST_PAIRS:
                raise InputError(f"locality {reach} leaves more than {_MOST_PAIRS} pairs of neighbors; lower it")
            for i, j in zip(np.flatnonzero(inside).tolist(), sites):
                if i != j:
                    around[i].add(j)
        return around

    def terms(self) -> list[Term]:
        """All terms but the constant, each ((variable, power), ...), variables rising. InputError: over 2,000,000."""
        if self.locality is None and (count := self.count_without_symmetry() - 1) > _MOST_TERMS:
            many = str(count) if count < 10**18 else "over 10^18"
            raise InputError(f"degree {self.degree} over {self.n} variables has {many} terms; assume locality")
        found = []
        for term in _grow((), self, self.neighbors()):
            found.append(term)
            if len(found) > _MOST_TERMS or len(term) > _MOST_IN_TERM:
                raise InputError(
                    f"these assumptions leave more than {_MOST_TERMS} terms; lower the degree or the distance"
                )
        return found

    def orbits(self) -> list[list[Term]]:
        """Lists of terms that share a parameter, in order of appearance; each is one parameter of H.

        InputError: as terms; what is no permutation of the variables, or a symmetry that leads out of the terms.
        """
        terms = self.terms()
        if self.symmetry is None:
            return [[t] for t in terms]
        if self.symmetry == "permutation":
            around = self.neighbors()
            if around is not None and self.degree > 1 and {len(a) for a in around} not in ({0}, {self.n - 1}):
                raise InputError(
                    "symmetry 'permutation' carries neighbors to variables that locality keeps apart; make them agree"
                )
            return _by_key(terms, lambda t: tuple(sorted(p for _, p in t)))
        if self.symmetry == "translation" and not self.periodic:
            return _by_key(terms, self._shape_of)
        return _by_generators(terms, self._generators())

    def count_without_symmetry(self) -> int:
        """How many terms locality None and symmetry None leave, the constant included, in closed form.

        Real variables: C(n + degree, degree); discrete ones: sum over j <= degree of C(n, j) (levels - 1)^j.
        InputError: n and degree both over 100,000.
        """
        if min(self.n, self.degree) > _MOST_COUNTED:
            raise InputError(
                f"n is {self.n} and degree {self.degree}; terms are counted where one of them is up to {_MOST_COUNTED}"
            )
        if self.levels is None:
            return math.comb(self.n + self.degree, self.degree)
        if self.degree >= self.n:
            return self.levels**self.n
        total = term = 1
        for j in range(self.degree):
            term = term * (self.n - j) * (self.levels - 1) // (j + 1)
            total += term
        return total

    def _shape_of(self, term: Term) -> tuple:
        at = np.array(np.unravel_index([v for v, _ in term], self.grid)).T
        at = at - at.min(axis=0)
        return tuple(sorted((*place, p) for place, (_, p) in zip(at.tolist(), term)))

    def _generators(self) -> list[np.ndarray]:
        sites = np.arange(self.n).reshape(self.grid)
        if self.symmetry == "translation":
            return [np.roll(sites, 1, axis=k).ravel() for k in range(len(self.grid))]
        out = [np.asarray(g) for g in self.symmetry or ()]
        for g in out:
            if g.shape != (self.n,) or not np.array_equal(np.sort(g), np.arange(self.n)):
                raise InputError(f"symmetry holds {g.tolist()}, which is no permutation of 0 to {self.n - 1}")
        return out


def _grow(term: Term, assumed: Assumptions, around: list[set[int]] | None) -> Iterator[Term]:
    """Every term that goes on from this one by variables after its last."""
    degree = len(term) if assumed.levels is not None else sum(p for _, p in term)
    left = assumed.degree - degree
    if left < 1:
        return
    start = term[-1][0] + 1 if term else 0
    if around is None or not term:
        following: Sequence[int] = range(start, assumed.n)
    else:
        following = sorted(v for v in set.intersection(*(around[u] for u, _ in term)) if v >= start)
    powers = range(1, left + 1) if assumed.levels is None else range(1, assumed.levels)
    for v in following:
        for p in powers:
            grown = (*term, (v, p))
            yield grown
            yield from _grow(grown, assumed, around)


def _locality(given) -> int | tuple[tuple[int, int], ...]:
    """A distance, or pairs of integers; whether the variables are there is asked by neighbors()."""
    try:
        single = np.ndim(given) == 0
        pairs = [] if single else [tuple(whole_numbers("locality", p, least=-(2**62)).tolist()) for p in given]
    except (TypeError, ValueError) as error:
        raise InputError(f"locality is {given!r:.60}; needed: a distance, or pairs of variables") from error
    if single:
        check_whole(locality=(given, 1))
        return int(given)
    if any(len(p) != 2 for p in pairs):
        raise InputError(f"locality is {given!r:.60}; needed: a distance, or pairs of variables")
    return tuple((int(a), int(b)) for a, b in pairs)


def _permutations(given) -> tuple[np.ndarray, ...]:
    """Read once: an iterator would be empty at the next call. What is no permutation is said by orbits()."""
    try:
        return tuple(np.asarray(as_numpy(g)) for g in given)
    except (TypeError, ValueError) as error:
        raise InputError(f"symmetry is {given!r:.60}; needed: a name, or a list of permutations") from error


def _by_key(terms: list[Term], key) -> list[list[Term]]:
    groups: dict[tuple, list[Term]] = {}
    for t in terms:
        groups.setdefault(key(t), []).append(t)
    return list(groups.values())


def _by_generators(terms: list[Term], generators: list[np.ndarray]) -> list[list[Term]]:
    number = {t: k for k, t in enumerate(terms)}
    parent = list(range(len(terms)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    for g in generators:
        for k, t in enumerate(terms):
            image = tuple(sorted((int(g[v]), p) for v, p in t))
            if image not in number:
                raise InputError(
                    f"the symmetry carries the term {t} to {image}, which locality forbids; make them agree"
                )
            a, b = root(k), root(number[image])
            parent[max(a, b)] = min(a, b)
    groups: dict[int, list[Term]] = {}
    for k, t in enumerate(terms):
        groups.setdefault(root(k), []).append(t)
    return list(groups.values())
