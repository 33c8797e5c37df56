"""Where seeds come from: every number generator's seed is derived from the run's seed and a path of names.

Pitfall: seed + 1 for the next purpose makes run 0's second stream equal run 1's first. Here purposes are hashed
(derive), and the members of a family (one seed a network) are numbered apart by a step that no family fills (members).
"""

import hashlib
import json

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole

_FAMILY = 10_000  # the largest family; member k of run s has seed s * _FAMILY + k
_MOST = 2**63 // _FAMILY - 1  # beyond it a member's seed is no int64, which generators and stored results need


def derive(seed: int, *names: str | int) -> int:
    """A seed in [0, 2^63) from the run's seed and a path of names; the same on every machine and version.

    sha256 of their JSON. InputError: the seed is no integer of 0 or more, or a name no text or integer.
    """
    check_whole(seed=(seed, 0))
    if wrong := [name for name in names if not isinstance(name, str | int)]:
        raise InputError(f"names hold {wrong[0]!r}; needed: texts and integers")
    text = json.dumps([int(seed), *names], ensure_ascii=True)  # JSON keeps "1" and 1, and ["a", "b"] and ["ab"], apart
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *names: str | int) -> np.random.Generator:
    """A numpy generator of its own for one purpose, from the run's seed and the purpose's path of names.

    numpy's default_rng of derive(seed, *names): the same on every machine; two paths have streams of their own, but for
    a chance of 2^-63. InputError: as derive.
    """
    return np.random.default_rng(derive(seed, *names))


def members(seed: int, n: int) -> list[int]:
    """One readable seed for each of `n` networks: seed * 10000 + k, k from 0. Families of two runs never meet.

    InputError: the seed is no integer from 0 to 922337203685476, or n none from 1 to 10000.
    """
    check_whole(seed=(seed, 0), n=(n, 1))
    if seed > _MOST:
        raise InputError(f"seed is {seed}; needed: an integer from 0 to {_MOST}")
    if n > _FAMILY:
        raise InputError(f"n is {n}; a family has 1 to {_FAMILY} members")
    return [int(seed) * _FAMILY + k for k in range(n)]


def chunks(items, size: int) -> list[list]:
    """The items in pieces of `size`, the last perhaps shorter: the units of a step, fixed by the settings alone.

    InputError: size is no integer of 1 or more.
    """
    check_whole(size=(size, 1))
    items = list(items)
    return [items[k : k + size] for k in range(0, len(items), size)]
