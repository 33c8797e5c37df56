"""The entry points to estimators from samples: mutual_information, conditional_mutual_information, entropy.

An estimator sees arrays and gives an Estimate; what holds for all of them stands here: units, ranks, p-values by
permutation, intervals of dependent rows, doubts that lie in the order of rows.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Literal

import numpy as np

from deeptheory.core import statistics
from deeptheory.core.arrays import as_numpy, check_paired
from deeptheory.core.errors import InputError
from deeptheory.core.nulls import permuted
from deeptheory.core.results import Estimate
from deeptheory.core.shapes import check_finite, labels_of
from deeptheory.information.agreement import compared_with_auto
from deeptheory.information.automatic import automatic
from deeptheory.information.doubts import SERIES, below_nothing, one_series_note, series_note, tails_note
from deeptheory.information.estimate import PER_UNIT, InformationEstimate, Samples, held_by, holding
from deeptheory.information.estimators import CONDITIONAL, CONDITIONAL_ENTROPY, ENTROPY, MUTUAL_INFORMATION
from deeptheory.information.estimators.columns import COPIED
from deeptheory.information.estimators.limits import BIAS_WITHIN, LEAST_COUNTS, LEAST_GAUSSIAN, LEAST_TRAINED, too_few
from deeptheory.information.estimators.samples import SAMPLING_ERROR, SAMPLING_NOTE, check_options, check_whole
from deeptheory.information.options import check_known, check_switch, method_named
from deeptheory.information.ranks import normal_scores
from deeptheory.information.reading import read, shape_notes
from deeptheory.information.spread import counts_of, counts_of_labels, null_half
from deeptheory.information.trained.settings import kept_together

Method = Literal[
    "auto", "ksg", "plugin", "mixed", "labels", "gaussian", "copula", "lnc", "kl", "wkl", "compressed", "kde-bounds",
    "infonce", "nwj", "dv", "smile", "doe", "lmi", "flow",
]  # fmt: skip
_TRAINED = ("infonce", "nwj", "dv", "smile", "doe", "lmi", "flow")  # they split rows, and rank columns, by themselves
# "wkl" takes entropies, which a grid of ranks has not
_RANKED = ("ksg", "mixed", "labels", "gaussian", "lnc", *_TRAINED)
_BIASED = 4  # columns from which on the bias of neighbor counts, of order n^(-2 / columns), outgrows sampling error
_BATCHED = {
    *(MUTUAL_INFORMATION[name] for name in ("ksg", "mixed", "labels", "lnc", "kl", "wkl", "compressed")),
    *(CONDITIONAL[name] for name in ("ksg", "mixed")),
    ENTROPY["kl"],
}
_LEAST = {  # samples from which on an interval is given; neighbor counts alone have batches, from 200 on
    **dict.fromkeys((MUTUAL_INFORMATION["plugin"], CONDITIONAL["plugin"], ENTROPY["plugin"]), LEAST_COUNTS),
    CONDITIONAL_ENTROPY["plugin"]: LEAST_COUNTS,
    **dict.fromkeys(
        (MUTUAL_INFORMATION["gaussian"], MUTUAL_INFORMATION["copula"], CONDITIONAL["gaussian"]), LEAST_GAUSSIAN
    ),
    MUTUAL_INFORMATION["kde-bounds"]: LEAST_COUNTS,
    **dict.fromkeys((MUTUAL_INFORMATION[name] for name in _TRAINED), LEAST_TRAINED),
}
_LEARNED = tuple(MUTUAL_INFORMATION[name] for name in _TRAINED)
_SCALED = tuple(MUTUAL_INFORMATION[name] for name in ("ksg", "mixed", "gaussian", "lnc", "kl", "wkl"))
_NULL_ROWS, _NULL_DRAWS = 200, 12
_ENTRY = ("unit", "permutations", "groups", "block", "ranks")


def mutual_information(
    x: Any,
    y: Any,
    method: Method | Callable[..., Estimate] = "auto",
    *,
    ranks: bool | None = None,
    permutations: int = 0,
    groups: Any = None,
    block: int | None = None,
    unit: Literal["bits", "nats"] = "bits",
    **options: Any,
) -> InformationEstimate:
    """I(X;Y) from paired samples, with an interval and its doubts as notes.

    x: [n, dx]; y: [n, dy] or [n]; numbers (numpy, torch, pandas; any float or integer dtype; more axes, as of images,
    are read as columns, with a note), or one word or category per row as its label. Rows are paired by position; row
    labels (pandas, xarray) that say otherwise are an error or a note. method: a name in
    information.estimators.MUTUAL_INFORMATION, or a function of (x, y, **options); "auto": chosen by the rules of
    information/automatic.py, never a trained one ("infonce", "nwj", "dv", "smile", "doe", "lmi", "flow"), which cost
    seconds to minutes. unit: "bits" or "nats".
    ranks: True: normal scores of each column first (information stays, tails go); None: where "auto" finds that tails
    ask. permutations: draws of y permuted, for .p and .null_mean. groups [n]: rows that belong together; block: rows
    of a series that belong together: both make interval and permutations move whole groups or blocks.
    options: the estimator's own, by keyword (k, seed, standardize, correct, ...).
    The estimate holds its samples: .convergence() (the value at fewer of them), .local (by sample), .normalized(by=).
    Intervals: of counts and of counts beside a label from 20 samples on, of neighbor counts with "auto" from 30, of
    "gaussian" from 10, of trained methods from 100, of "ksg", "mixed", "kl" and "wkl" by name from 200 (batches;
    40 k where that is more); with fewer they are unbounded, with a note, or NaN.
    InputError: unpaired samples, the same row labels in another order, NaN, mixed columns, an unknown method or option,
    what the estimator itself refuses.
    """
    function: Callable[..., Estimate]
    check_switch("ranks", ranks, bool | None)
    if method == "auto":
        function = automatic
        options = options | ({} if ranks is None else {"ranks": ranks})
    elif isinstance(method, str) or not callable(method):
        function = method_named(MUTUAL_INFORMATION, method, "estimator")
        name = next(k for k, v in MUTUAL_INFORMATION.items() if v is function)
        if ranks:
            if name not in _RANKED:
                raise InputError(f"ranks= is for {', '.join(_RANKED)} and auto, not for {name!r}")
            if name not in _TRAINED:
                x, y = _scores(x, "x"), y if name == "labels" else _scores(y, "y")
    else:
        function = method
        if ranks:
            x, y = _scores(x, "x"), _scores(y, "y")
    got = _estimate(function, {"x": x, "y": y}, options, unit, permutations, groups, block)
    told = tails_note(x, y) if ranks is None and function in _SCALED else ()
    return holding(replace(got, notes=(*got.notes, *told)), held_by(got)) if told else got


def conditional_mutual_information(
    x: Any,
    y: Any,
    z: Any,
    *,
    method: Literal["auto", "ksg", "mixed", "plugin", "gaussian"] | Callable[..., Estimate] = "auto",
    ranks: bool | None = None,
    permutations: int = 0,
    groups: Any = None,
    block: int | None = None,
    unit: Literal["bits", "nats"] = "bits",
    **options: Any,
) -> InformationEstimate:
    """I(X;Y|Z) from samples of all three together: what x and y tell of each other beyond what z tells of both.

    x: [n, dx]; y: [n, dy]; z: [n, dz]; or [n]. method: a name in information.estimators.CONDITIONAL, or a function of
    (x, y, z, **options); "auto": plug-in where all hold integers or words, Mesner & Shalizi's counts where some do,
    KSG's counts with a condition otherwise. permutations: y permuted within the labels of z, which must be labels.
    groups [n], the rest, and InputError as for `mutual_information`.
    """
    check_switch("ranks", ranks, bool | None)
    if method == "auto":
        whole = [_whole(a, name) for a, name in ((x, "x"), (y, "y"), (z, "z"))]
        method = "plugin" if all(whole) else "mixed" if any(whole) else "ksg"
    function = method_named(CONDITIONAL, method, "conditional estimator") if not callable(method) else method
    if ranks:
        if function is CONDITIONAL["plugin"]:
            raise InputError("ranks= is for methods that measure distances or covariances; here all is counted")
        x, y, z = (a if _few(a, name) else _scores(a, name) for a, name in ((x, "x"), (y, "y"), (z, "z")))
    return _estimate(function, {"x": x, "y": y, "z": z}, options, unit, permutations, groups, block)


def entropy(
    x: Any,
    method: Literal["auto", "plugin", "gaussian", "kl"] | Callable[..., Estimate] = "auto",
    *,
    groups: Any = None,
    block: int | None = None,
    unit: Literal["bits", "nats"] = "bits",
    **options: Any,
) -> InformationEstimate:
    """H(X) of discrete samples, or the differential entropy of continuous ones; x: [n, d] or [n].

    method: a name in information.estimators.ENTROPY, or a function of (x, **options); "auto": plug-in for integers and
    words, Kozachenko-Leonenko otherwise. groups, block, unit: as for `mutual_information`. InputError: likewise.
    """
    if method == "auto":
        method = "plugin" if _whole(x, "x") else "kl"
    function = method_named(ENTROPY, method, "estimator") if not callable(method) else method
    return _estimate(function, {"x": x}, options, unit, 0, groups, block)


def conditional_entropy(
    x: Any,
    y: Any,
    *,
    method: Literal["auto", "plugin", "labels", "kl", "gaussian"] | Callable[..., Estimate] = "auto",
    groups: Any = None,
    block: int | None = None,
    unit: Literal["bits", "nats"] = "bits",
    **options: Any,
) -> InformationEstimate:
    """H(X|Y): what is left to learn of x once y is known; of numbers x, their differential entropy given y.

    x: [n, dx]; y: [n, dy]; or [n]. method: a name in information.estimators.CONDITIONAL_ENTROPY, or a function of
    (x, y, **options); "auto": counts where both hold integers or words, "labels" where x alone does, and
    Kozachenko-Leonenko for numbers x. groups, block, unit: as for `mutual_information`. InputError: likewise.
    """
    if method == "auto":
        method = ("plugin" if _whole(y, "y") else "labels") if _whole(x, "x") else "kl"
    function = method_named(CONDITIONAL_ENTROPY, method, "estimator") if not callable(method) else method
    return _estimate(function, {"x": x, "y": y}, options, unit, 0, groups, block, shared=False)


def _estimate(
    function: Callable[..., Estimate],
    sides: dict[str, Any],
    options: Mapping[str, Any],
    unit: str,
    permutations: int,
    groups: Any,
    block: int | None,
    shared: bool = True,
) -> InformationEstimate:
    """shared: an information, not an entropy: it has a null, and is not below 0."""
    shared = shared and len(sides) > 1
    if not isinstance(unit, str) or unit not in PER_UNIT:
        raise InputError(f"unit is {unit!r}; known: bits, nats")
    ours = _is_ours(function)
    if ours:
        check_known(function, options, _ENTRY if shared else ("unit", "groups", "block"))
    check_options(options)
    check_whole(permutations, "permutations", 0)
    n = _check_rows(groups, block, sides)
    apart = check_paired(**sides, groups=groups)
    got = function(*sides.values(), **options, **kept_together(function, groups, block))
    if not isinstance(got, Estimate):
        raise InputError(f"method gave a {type(got).__name__}; needed: an Estimate")
    got = too_few(got, n, LEAST_COUNTS if ours and got.low == got.high else _LEAST.get(function, 0))
    notes = got.notes + apart + (shape_notes(**sides) if ours else ())
    if (groups is not None or block is not None) and not kept_together(function, groups, block):
        got, more = _by_pieces(got, function, sides, options, n, groups, block)
        notes += more
    else:
        if function in _BATCHED and got.low < got.high:
            got = _wide_enough(got, function, sides, options)
            if "allowance for bias" not in got.method and math.isfinite(got.high):
                got = replace(got, method=f"{got.method}; {SAMPLING_ERROR}")
                doubted = sum(map(_columns, sides.values())) >= _BIASED and BIAS_WITHIN not in got.method
                notes += (SAMPLING_NOTE,) if doubted else ()
        if ours and groups is None and block is None:
            notes += (series_note if shared else one_series_note)(*sides.values())
    if function in _LEARNED and not any(COPIED in t or SERIES in t for t in notes):
        notes += _compared_with_auto(got, sides, groups, block)
    if shared:
        notes += below_nothing(got)
    p, null_mean = math.nan, math.nan
    if permutations:
        p, null_mean = _null(function, sides, options, n, permutations, groups, block)
    per = PER_UNIT[unit] / PER_UNIT[got.unit] if got.unit in PER_UNIT else 1.0  # a user's own may be in nats
    said: dict[str, Any] = {f.name: getattr(got, f.name) for f in fields(Estimate)} | {"notes": notes}
    if got.unit in PER_UNIT:
        said |= {"value": got.value * per, "low": got.low * per, "high": got.high * per, "unit": unit}
    held = Samples(function, sides, options, per, groups, block)
    return holding(InformationEstimate(**said, p=p, null_mean=null_mean * per), held)


def _compared_with_auto(got: Estimate, sides: dict[str, Any], groups: Any, block: int | None) -> tuple[str, ...]:
    def auto(rows: np.ndarray) -> Estimate:
        whole = len(rows) == len(next(iter(sides.values())))
        some = sides if whole else {name: _rows(side, rows) for name, side in sides.items()}
        return _estimate(automatic, some, {}, "bits", 0, groups, block)

    kept = groups is not None or block is not None
    return compared_with_auto(got, sides, auto, sum(map(_columns, sides.values())), kept)


def _is_ours(function: Callable) -> bool:
    """Not a user's own, whose module may have no name (in exec) or be no text."""
    return str(getattr(function, "__module__", None)).startswith("deeptheory.")


def _check_rows(groups: Any, block: int | None, sides: Mapping[str, Any]) -> int:
    first = next(iter(sides.values()))
    shape = getattr(first, "shape", None)
    shape = ((len(first),) if hasattr(first, "__len__") else ()) if shape is None else shape
    n = shape[0] if shape else 0  # whatever else it is, the estimator's entry says
    if block is not None:
        check_whole(block, "block", 1)
    if groups is not None and np.shape(as_numpy(groups)) != (n,):
        raise InputError(
            f"groups has shape {list(np.shape(as_numpy(groups)))} for {n} rows; needed: [{n}], one per row"
        )
    if groups is not None:
        labels_of("groups", groups, n)
    return n


def _wide_enough(got: Estimate, function: Callable, sides: Mapping[str, Any], options: Mapping[str, Any]) -> Estimate:
    """Neighbor counts of two sides with an interval at least as wide as y permuted spreads (spread.py)."""
    counted = {name: function is MUTUAL_INFORMATION[name] for name in ("ksg", "mixed", "labels")}
    if not any(counted.values()):
        return got
    n, seed = len(next(iter(sides.values()))), options.get("seed", 0)
    rows = np.random.default_rng([seed, n, 6]).permutation(n)[:_NULL_ROWS]
    (a, first), (b, second) = (read(_rows(s, rows), name) for name, s in sides.items())
    if first and (second or counted["labels"]):
        return got  # counts of words
    a, b = (b, a) if first else (a, b)
    if (a == a[0]).all() or (b == b[0]).all():
        return got
    how = options.get("k", 3), options.get("standardize", True), seed
    label = counted["labels"] or first or second
    of = counts_of_labels(a, statistics.codes_of(b[:, 0]), *how) if label else counts_of(a, b, *how)
    half = null_half(of, len(rows), seed, len(rows), _NULL_DRAWS) * math.sqrt(len(rows) / n)
    return replace(got, low=min(got.low, got.value - half), high=max(got.high, got.value + half))


def _columns(side: Any) -> int:
    shape = getattr(side, "shape", np.shape(side))
    return int(np.prod(shape[1:]))


def _rows(side: Any, rows: np.ndarray) -> Any:
    return side.iloc[rows] if hasattr(side, "iloc") else as_numpy(side)[rows]


def _by_pieces(got, function, sides, options, n, groups, block) -> tuple[Estimate, tuple[str, ...]]:
    """The Estimate with an interval from ten batches of whole groups or stretches of the series, and as wide as that of
    independent rows at least, which may hold a bias or bounds that batches do not see; what else to say."""
    if not math.isfinite(got.value):
        return got, ()
    broken = []

    def of(rows: np.ndarray) -> float:
        try:
            value = function(*(_rows(s, rows) for s in sides.values()), **options).value
        except InputError as error:  # too few rows or labels in a batch
            broken.append(f"refused ({error})")
            return math.nan
        broken.extend([] if math.isfinite(value) else [f"{value:g}"])
        return value if math.isfinite(value) else math.nan

    groups = None if groups is None else as_numpy(groups)
    low, high = statistics.batch_interval(
        got.value, of, n, seed=int(options.get("seed", 0)), groups=groups, block=block
    )
    pieces = "groups" if groups is not None else f"blocks of {block}"
    if math.isnan(low):
        several = 0 if groups is None else len(np.unique(groups))
        need = "20 rows and two groups" if groups is not None else "20 blocks"
        why = f"no interval: ten batches of whole {pieces} are too small, each needs at least {need}"
        why += "" if groups is not None else f" ({statistics.BATCHES * 20 * (block or 1)} rows)"
        why += f"; there are {several} groups" if 0 < several < 2 * statistics.BATCHES else ""
        why = f"no interval: of ten batches of whole {pieces}, one is {broken[0]}" if broken else why
        return replace(got, low=math.nan, high=math.nan), (why,)
    ends = float(np.fmin(low, got.low)), float(np.fmax(high, got.high))
    return replace(got, low=ends[0], high=ends[1], method=f"{got.method}; interval by {pieces}"), ()


def _null(function, sides, options, n, draws, groups, block) -> tuple[float, float]:
    """p and the mean of `draws` values with y permuted; within the labels of z where there is a condition."""
    if _is_ours(function) and "spread" in inspect.signature(function).parameters:
        # the interval's own permutations do not enter the value compared
        options = {**options, "spread": False}
    seed = [int(options.get("seed", 0)), n, 5]
    within = None
    if "z" in sides:
        if groups is not None or block is not None:
            raise InputError("permutations within labels of z cannot move whole groups or blocks")
        if not _few(sides["z"], "z"):
            raise InputError("z is continuous: y cannot be permuted within it; permutations= needs a z of labels")
        within = np.unique(read(sides["z"], "z")[0], axis=0, return_inverse=True)[1].ravel()
    groups = None if groups is None else as_numpy(groups)
    orders = permuted(n, draws, seed=seed, groups=groups, block=block, within=within)  # one by one
    rest = {name: s for name, s in sides.items() if name not in "xy"}
    options = {**options, **kept_together(function, groups, block)}
    seen = function(sides["x"], sides["y"], *rest.values(), **options).value
    null = np.array([function(sides["x"], _rows(sides["y"], o), *rest.values(), **options).value for o in orders])
    return float(statistics.permutation_p(seen - 1e-12, null)), float(null.mean())


def _scores(a: Any, name: str) -> Any:
    """Normal scores of numbers; words stay."""
    values, named = read(a, name)
    check_finite(**{name: values})
    return a if named else normal_scores(values)


def _whole(a: Any, name: str) -> bool:
    """Whether a side is words, or integers by dtype."""
    values, named = read(a, name)
    return named or values.dtype.kind in "biu"


def _few(a: Any, name: str) -> bool:
    """Whether a side is labels: words, or integers of at most n / 10 kinds of rows (two kinds at least)."""
    values, named = read(a, name)
    if named:
        return True
    if values.dtype.kind not in "biu":
        return False
    return len(np.unique(values, axis=0)) <= max(2, len(values) // 10)
