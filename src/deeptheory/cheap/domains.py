"""The box on which a network is compared with its formula: an interval for every variable."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deeptheory.core.errors import InputError


def read_domain(domain: Any, names: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Intervals by name, in the order of names. domain: one pair for all, one pair a name, or a mapping from names.

    InputError: a name without an interval, a wrong number of pairs, ends that are infinite, NaN or reversed.
    """
    if isinstance(domain, Mapping):
        given = {str(k): v for k, v in domain.items()}
        missing = [n for n in names if n not in given]
        if missing:
            raise InputError(
                f"domain has no interval for {', '.join(missing)}; it names {', '.join(given) or 'nothing'}"
            )
        return {n: _pair(given[n], n) for n in names}
    pairs = list(domain) if isinstance(domain, Sequence) and not isinstance(domain, str) else None
    if pairs is not None and len(pairs) == len(names) and all(isinstance(p, Sequence) and len(p) == 2 for p in pairs):
        return {n: _pair(p, n) for n, p in zip(names, pairs)}
    if pairs is not None and pairs and isinstance(pairs[0], Sequence):
        raise InputError(f"domain has {len(pairs)} intervals for {len(names)} inputs ({', '.join(names)})")
    return {n: _pair(domain, n) for n in names} if names else {}


def _pair(pair: Any, name: str) -> tuple[float, float]:
    try:
        if any(isinstance(v, str | bool) for v in pair):
            raise TypeError("no numbers")
        low, high = (float(v) for v in pair)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"domain of {name} is {pair!r}; needed: (low, high)") from error
    if not (math.isfinite(low) and math.isfinite(high)):
        raise InputError(f"domain of {name} is ({low}, {high}); a certificate needs finite ends")
    if low > high:
        raise InputError(f"domain of {name} is ({low}, {high}), reversed; low comes first")
    return low, high
