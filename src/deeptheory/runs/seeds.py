"""Where seeds come from: every number generator's seed is derived from the run's seed and a path of names.

Pitfall: seed + 1 for the next purpose makes run 0's second stream equal run 1's first. Here purposes are hashed
(derive), and the members of a family (one seed a network) are numbered apart by a step that no family fills (members).
"""

import hashlib
import json

import numpy as np

from deeptheory.core.errors import InputError

_FAMILY = 10_000  # the largest family; member k of run s has seed s * _FAMILY + k


def derive(seed: int, *names: str | int) -> int:
    """A seed in [0, 2^63) from the run's seed and a path of names; the same on every machine and version.

    InputError: the seed is negative.
    """
    _check_seed(seed)
    text = json.dumps([int(seed), *names], ensure_ascii=True)  # JSON keeps "1" and 1, and ["a", "b"] and ["ab"], apart
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy generator of its own for one purpose, from the run's seed and the purpose's path of names.

    The same on every machine; two paths never share a stream. InputError: the seed is negative.
    """
    return np.random.default_rng(derive(seed, *names))


def members(seed: int, n: int) -> list[int]:
    """One readable seed for each of `n` networks: seed * 10000 + k. Families of two runs never meet.

    InputError: the seed is negative, or n is not within 1 to 10000.
    """
    _check_seed(seed)
    if not 1 <= n <= _FAMILY:
        raise InputError(f"n is {n}; a family has 1 to {_FAMILY} members")
    return [int(seed) * _FAMILY + k for k in range(n)]


def chunks(items, size: int) -> list[list]:
    """The items in pieces of `size`, the last perhaps shorter: the units of a step, fixed by the settings alone.

    InputError: size is below 1.
    """
    if size < 1:
        raise InputError(f"size is {size}; a chunk holds at least 1")
    items = list(items)
    return [items[k : k + size] for k in range(0, len(items), size)]


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise InputError(f"seed is {seed}; seeds are 0 or above")
