"""Plug-in: counts as probabilities, for discrete samples.

Pitfall: biased. To first order, by (K - 1) / 2n nats downwards for the entropy of K symbols seen, and by
(Kxy - Kx - Ky + 1) / 2n upwards for information (Miller & Madow 1955), which is (Kx - 1)(Ky - 1) / 2n where every pair
of symbols is seen. The notes say its size, the interval runs over it, and `correct` takes it off, or puts in what
corrections.py knows of unseen symbols.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate
from deeptheory.information.estimators import corrections
from deeptheory.information.estimators.nsb import nsb
from deeptheory.information.estimators.samples import as_samples

_Z = 1.959963984540054
_WORTH_A_NOTE = 0.01  # bits
_PERMUTED = 5


def plugin(x: Any, y: Any, *, correct: bool | str = False, alphabet: tuple[int, int] | None = None) -> Estimate:
    """I(X;Y) in bits of discrete rows, x [n, dx] and y [n, dy] (or [n]), a whole row being one symbol.

    correct: True or "miller-madow": less the first-order bias (Kxy - Kx - Ky + 1) / 2n nats, K counting what was seen;
    "grassberger", "chao-shen", "shrink", "nsb": see corrections.py. alphabet: how many symbols x and y can take, for
    "shrink" and "nsb"; None: those seen, for "nsb" with Chao's lower bound of those not seen. The interval is of the
    mean of the pointwise information, with the spread that counts have at independence, and runs from the corrected to
    the uncorrected value; in a table of few samples per cell its lower end takes off what y permuted has. InputError:
    values that are not discrete, an alphabet of fewer symbols than were seen.
    """
    name = corrections.named(correct)
    a, b = as_samples(x=x, y=y)
    i, j = symbols(a, "x"), symbols(b, "y")
    n, shape = len(i), (int(i.max()) + 1, int(j.max()) + 1)
    sides = np.bincount(i), np.bincount(j)
    of_x, of_y = corrections.check_alphabet(alphabet, name, *sides)
    counts, local = _pointwise(i, j, shape)
    cells, p = len(counts), counts / n
    value = float(p @ local)
    freedom = cells - shape[0] - shape[1] + 1
    bias = freedom / (2 * n * np.log(2))
    notes = bias_note(bias, name is not None, "upwards", f"{shape[0]} x {shape[1]} symbols, {n} samples")
    most = bias
    if cells > n / 5:
        notes += (
            "more than a fifth of the samples have a cell of their own: the estimate says little; "
            "compare with y permuted",
        )
        rng = np.random.default_rng([n, cells])
        one, two = counted_alike(i, j)
        sizes = int(one[-1]) + 1, int(two[-1]) + 1
        permuted = [_pointwise(one, rng.permutation(two), sizes) for _ in range(_PERMUTED)]
        most = max(most, float(np.mean([c @ v / n for c, v in permuted])))
    got = with_interval(
        value, bias, most, float(p @ (local - value) ** 2), max(freedom, 0), n, name == "miller-madow", notes
    )
    if name in (None, "miller-madow"):
        return got
    return _corrected(got, corrections.information(counts, *sides, name, (of_x, of_y)), name)


def _corrected(got: Estimate, value: float, name: str) -> Estimate:
    """The corrected value in an interval that holds the plain one's and its own spread."""
    up, down = got.high - got.value, got.value - got.low
    low, high = min(got.low, value - min(up, down)), max(got.high, value + min(up, down))
    notes = tuple(t for t in got.notes if not t.startswith("first-order"))
    return replace(got, value=value, low=low, high=high, method=f"plug-in, {corrections.NAMES[name]}", notes=notes)


def with_interval(value, bias, most, variance, freedom, n, correct, notes) -> Estimate:
    """variance: of the pointwise information, bits^2; that of chi-squared / 2n at independence is added to it. most:
    the bias that may be in the value."""
    half = _Z * float(np.sqrt(variance / n + freedom / (2 * (n * np.log(2)) ** 2)))
    low = value - max(most, 0.0) - half
    high = value - min(bias, 0.0) + half
    if correct:
        value = value - bias
        high = max(value, high - max(bias, 0.0))
    name = "plug-in, Miller-Madow" if correct else "plug-in"
    return Estimate(value=value, low=min(low, value), high=high, method=name, notes=notes)


def plugin_entropy(x: Any, *, correct: bool | str = False, alphabet: int | None = None) -> Estimate:
    """H(X) in bits of discrete rows [n, d] or [n].

    correct: True or "miller-madow": plus (K - 1) / 2n nats; "grassberger", "chao-shen", "shrink", "nsb": see
    corrections.py. alphabet: how many symbols x can take, for "shrink" and "nsb"; None: those seen, for "nsb" with
    Chao's lower bound of those not seen. The interval runs from the plain value to the corrected one, with the spread
    of the counts (and of NSB's posterior); of one symbol alone, up to the entropy of the most that another one, unseen
    in n samples, may have (Clopper-Pearson). Direction: plain counts are a lower bound in expectation (Jensen).
    InputError: values that are not discrete, an alphabet of fewer symbols than were seen.
    """
    name = corrections.named(correct)
    (a,) = as_samples(x=x)
    counts = np.bincount(symbols(a, "x"))
    (kinds,) = corrections.check_alphabet(alphabet, name, counts)
    n, p = len(a), counts / len(a)
    local = -np.log2(p)
    bias = (len(counts) - 1) / (2 * n * np.log(2))
    plain = float(p @ local)
    half = _Z * float(np.sqrt(p @ (local - plain) ** 2 / n + (len(counts) - 1) / (2 * (n * np.log(2)) ** 2)))
    notes = bias_note(
        bias if name in (None, "miller-madow") else 0.0,
        name is not None,
        "downwards",
        f"{len(counts)} symbols, {n} samples",
    )
    once = int((counts == 1).sum())
    if once > n / 20:
        notes += (
            f"{once} of {n} samples are of symbols seen once, so about {once / n:.0%} of the probability is of symbols "
            "not seen (Good & Turing), and the interval may not reach what they add",
        )
    method = "plug-in" if name is None else f"plug-in, {corrections.NAMES[name]}"
    value = plain if name is None else corrections.entropy(counts, name, kinds)
    if name == "nsb":
        half = max(half, _Z * nsb(counts, kinds)[1])
    unseen = 1 - 0.025 ** (1 / n) if len(counts) == 1 else 0.0
    more = -unseen * np.log2(unseen) - (1 - unseen) * np.log2(1 - unseen) if 0 < unseen <= 0.5 else float(unseen > 0)
    high = max(plain + bias, value) + half + more
    low, direction = min(plain, value) - half, "lower" if name is None else "consistent"
    return Estimate(value=value, low=low, high=high, method=method, direction=direction, notes=notes)


def bias_note(bias: float, correct: bool, way: str, of: str) -> tuple[str, ...]:
    """The note that says how large the first-order bias is; none where it is below .01 bit."""
    if abs(bias) < _WORTH_A_NOTE:
        return ()
    if bias < 0:
        way = {"upwards": "downwards", "downwards": "upwards"}[way]
    return (f"first-order bias {'taken off' if correct else way} {abs(bias):.3g} bits ({of})",)


def counted_alike(i: np.ndarray, j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes [n] as often as those of i and of j, the fewer first: what y permuted has depends on these counts alone,
    and so on no order of rows, name or side."""
    counts = sorted((np.sort(np.bincount(v))[::-1] for v in (i, j)), key=lambda c: (len(c), c.tolist()))
    one, two = (np.repeat(np.arange(len(c)), c) for c in counts)
    return one, two


def _pointwise(i: np.ndarray, j: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Of each pair of symbols that is seen: how often, and log2 p(x, y) / p(x) p(y)."""
    n = len(i)
    key = i * shape[1] + j
    if shape[0] * shape[1] <= 4 * n + 1000:
        counts = np.bincount(key)
        seen = np.flatnonzero(counts)
        counts = counts[seen]
    else:
        seen, counts = np.unique(key, return_counts=True)
    of_x, of_y = np.bincount(i), np.bincount(j)
    # logarithms of whole counts: one of a product would leave int64
    return counts, np.log2(counts) + np.log2(n) - np.log2(of_x[seen // shape[1]]) - np.log2(of_y[seen % shape[1]])


def symbols(a: np.ndarray, name: str) -> np.ndarray:
    """A number a different row, [n] int64, from 0. InputError: values that are not discrete."""
    if not discrete(a):
        value = a.flat[int((a != np.floor(a)).argmax())]
        raise InputError(f"{name} holds values like {value:g}; plug-in needs discrete symbols, bin them first")
    out = _numbered(a[:, 0])
    for column in a.T[1:]:
        key = _numbered(column)
        out = _numbered(out * (int(key.max()) + 1) + key)  # under n^2 different keys
    return out


def discrete(a: np.ndarray) -> bool:
    """Whether numbers [n, d] are integers; floats from 2^53 on, which all are, only where most of them repeat."""
    if a.dtype.kind != "f":
        return True
    large = np.abs(a).max(initial=0) >= 2**53
    return bool((a == np.floor(a)).all()) and not (large and len(np.unique(a)) > a.size / 2)


def _numbered(values: np.ndarray) -> np.ndarray:
    """The place of each value [n] among those that are seen, by counting where they lie close together,
    else by sorting."""
    if values.dtype.kind != "f" or np.abs(values).max() < 2**52:
        least, most = int(values.min()), int(values.max())
        if most - least <= 4 * len(values) + 1000:
            values = values.astype(np.uint8) if values.dtype.kind == "b" else values
            shifted = (values - values.min()).astype(np.int64)
            place = np.bincount(shifted) > 0
            if place.all():
                return shifted
            return (np.cumsum(place) - 1)[shifted]
    return np.unique(values, return_inverse=True)[1].ravel().astype(np.int64)
