"""Neural collapse of one layer's features, and decoders of its classes:
the numbers behind the instrument class_geometry.

Source: Papyan, Han & Donoho 2020 (NC1 to NC4); tr S_W / tr S_B, which needs no pseudo-inverse, after Tirer, Huang &
Niles-Weed 2023. S_W is the covariance of samples about their class's mean,
S_B that of the C class means about their mean.
Pitfall: pure noise with more units than samples per class reads as collapse, NC1 about (C - 1) n_c / d: NC1 is given
only where every class has more samples than the layer has units, and everything next to the same number for permuted
labels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from deeptheory.axis.bench.left_out import left_out
from deeptheory.core.arrays import as_floats, as_numpy, check_paired, is_torch
from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one, power_of, times_power
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, labels_array

if TYPE_CHECKING:
    import pandas

_TARGETS = 2048  # columns that a linear decoder is fitted to at once
_RANK = 1e-10  # of the largest singular value of the class means
_FAR = 1024  # times its range: from there on a column is moved to 0
_EQUAL = 1e-13  # of a column's size: what class means differ by is rounding
SAME_MEAN = "all classes have the same mean"
_Z = 1.959964


@dataclass(frozen=True, kw_only=True, eq=False)
class NeuralCollapse(Result):
    """Collapse of n samples of C classes in d units; plain numbers, none depends on the unit of measurement.

    S_W: mean over samples of the outer product about their class's mean; S_B: that of the C class means about their
    mean. nc1: tr(S_W S_B^+) / C, 0 when collapsed; NaN unless every class has more than d samples. scatter_ratio: tr
    S_W / tr S_B, 0 when collapsed, about n / (C - 1) for noise, infinite where all class means are equal. equinorm:
    standard deviation over mean of the class means' distances to their center. equiangle: standard deviation of the
    cosines between centered class means. maximal_angle: mean of |cosine + 1 / (C - 1)|; the last three are 0 for a
    simplex equiangular tight frame (NC2). nc3: Frobenius distance of the head's weights to the centered class means,
    each of norm 1: 0 when aligned, sqrt 2 for a random head. nc4: fraction of samples that the head and the nearest
    class mean call otherwise. Both are NaN without a head, all but scatter_ratio and nc4 where all class means are
    equal, equiangle and maximal_angle where a class mean lies at the center. notes: why a number is NaN, and row labels
    that disagree.
    """

    nc1: float
    scatter_ratio: float
    equinorm: float
    equiangle: float
    maximal_angle: float
    nc3: float
    nc4: float
    n: int
    units: int
    classes: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return (
            f"NeuralCollapse(NC1 {self.nc1:.3g}, tr S_W / tr S_B {self.scatter_ratio:.3g}; {self.n} samples, "
            f"{self.units} units, {self.classes} classes)"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per number: quantity, value; n, units and classes among them."""
        import pandas as pd

        return pd.DataFrame(list(self.scalars().items()), columns=["quantity", "value"])


def neural_collapse(features: Any, labels: Any, *, weight: Any = None, bias: Any = None) -> NeuralCollapse:
    """Neural collapse of one layer (Papyan, Han & Donoho 2020, NC1 to NC4); each number is said in NeuralCollapse.

    features: [n, d], numpy or torch, computed in float64. labels: [n], numbers or names. weight: [C, d] of a linear
    head on these features whose rows are the classes in sorted order, or None; bias: [C], None for zeros.
    Samples count alike in S_W, classes in S_B. No intervals; dt.inspect gives them.
    InputError: other shapes, NaN or infinite features or weights, missing labels, one class only, a class for each
    sample, nothing varies, the same row labels (pandas) in another order.
    """
    paired = check_paired(features=features, labels=labels)
    x, power, codes, names = _checked(features, labels)
    geometry = Geometry(x, codes, len(names))
    notes = [why for why in (geometry.refusal, "" if geometry.apart else SAME_MEAN, geometry.middle) if why]
    nc3 = nc4 = math.nan
    if weight is None:
        notes.append("no head was given, so neither NC3 nor NC4")
    else:
        w, b = _head(weight, bias, len(names), x.shape[1])
        nc3, nc4 = geometry.nc3(w).value, geometry.nc4(w, b, power)
        if not bool(w.any()):
            notes.append("the head's weights are all 0, so no NC3")
    return NeuralCollapse(
        nc1=geometry.nc1().value,
        scatter_ratio=geometry.scatter_ratio().value,
        equinorm=geometry.equinorm().value,
        equiangle=geometry.equiangle().value,
        maximal_angle=geometry.maximal_angle().value,
        nc3=nc3,
        nc4=nc4,
        n=len(x),
        units=x.shape[1],
        classes=len(names),
        notes=(*dict.fromkeys(notes), *paired),
    )


def decoder_accuracy(
    features: Any, labels: Any, held_out: Any, *, decoder: Literal["linear", "nearest mean"] = "linear"
) -> float:
    """Fraction, 0 to 1, of held-out samples whose class a decoder of the others gets right.

    features: [n, d], computed in float64; labels: [n], numbers or names; held_out: [n] bool, best with each class in
    its share: of labels permuted over both halves a class that is frequent in one is rare in the other, and decoders of
    noise are right less often than by chance. decoder: "linear" (ridge on one-hot targets, the penalty of each class
    chosen by leaving out the fitted samples in turn; least squares from 8 samples per unit) or "nearest mean"
    (Euclidean). InputError: other shapes, NaN, missing labels, one class only, a class for each sample, an unknown
    decoder, no sample or one class on the side that is fitted, the same row labels (pandas) in another order.
    """
    check_paired(features=features, labels=labels, held_out=held_out)
    x, _, codes, names = _checked(features, labels)
    test = np.array(labels_array("held_out", held_out))  # torch takes no negative strides and nothing read-only
    if test.dtype != bool:
        raise InputError(f"held_out is of {test.dtype}; needed: [n] of bool, True for the samples that are held out")
    if test.shape != (len(x),) or test.all() or not test.any():
        raise InputError(
            f"held_out has shape {list(test.shape)} and marks {int(test.sum())} of {len(x)} samples; needed: [n], "
            "some and not all"
        )
    if len(np.unique(codes[~torch.as_tensor(test)])) < 2:
        raise InputError("the samples that are not held out are of one class; a decoder needs two")
    from deeptheory.core.names import pick

    decode = pick({"linear": linear_right, "nearest mean": nearest_right}, decoder, what="decoder")
    right = decode(x, codes[:, None], len(names), torch.as_tensor(test))
    return float(right[0] / test.sum())


@dataclass(frozen=True)
class Value:
    """A number and the ends of its 95 % interval; NaN where there is none."""

    value: float
    low: float = math.nan
    high: float = math.nan


class Geometry:
    """Class means [C, d] and samples about them, and what follows; intervals by the delta method on samples."""

    def __init__(self, x: Tensor, codes: Tensor, classes: int):
        # a part of the samples may lack a class
        self.present = torch.bincount(codes, minlength=classes).nonzero()[:, 0]
        self.given, self.x, self.classes = x, moved(x), len(self.present)
        self.codes = codes = torch.searchsorted(self.present, codes.contiguous())
        classes = self.classes
        self.counts = torch.bincount(codes, minlength=classes).to(x)
        self.means = _means(self.x, codes, classes)
        self.rest = self.x - self.means[codes]
        centered = self.means - self.means.mean(0)
        rounding = _EQUAL * self.x.abs().amax(0)  # of each column: one may be in other units than the rest
        self.apart = bool((centered.abs() > rounding).any())
        central = (centered.abs() <= rounding).all(1)
        self.middle = ""
        if self.apart and bool(central.any()):
            self.middle = "the mean of a class is that of all class means: it has no angle"
        least, units = int(self.counts.min()), x.shape[1]
        self.refusal = ""
        if least <= units:
            self.refusal = (
                f"NC1 needs more samples per class than units: the rarest class has {least}, the layer "
                f"{units}; noise would read as collapse"
            )
        elif not self.apart:
            self.refusal = SAME_MEAN

    def nc1(self, interval: bool = False) -> Value:
        """tr(S_W S_B^+) / C: variability within classes; 0 is collapse."""
        if self.refusal:
            return Value(math.nan)
        with torch.no_grad():
            each = (self.rest @ _inverse(self.means)).square().sum(1)
        return self._log(lambda m: (self.rest @ _inverse(m)).square().sum() / len(self.rest), each, interval)

    def scatter_ratio(self, interval: bool = False) -> Value:
        """tr S_W / tr S_B; 0 is collapse."""
        each = self.rest.square().sum(1)
        if not self.apart:
            return Value(math.inf if float(each.max()) > 0 else math.nan)
        within = each.mean()
        return self._log(lambda m: within * self.classes / (m - m.mean(0)).square().sum(), each, interval)

    def equinorm(self, interval: bool = False) -> Value:
        """Standard deviation over mean of the norms of centered class means; 0 is collapse."""

        def spread(m: Tensor) -> Tensor:
            norms = (m - m.mean(0)).norm(dim=1)
            return norms.std(correction=0) / norms.mean()

        return self._plain(spread, interval)

    def equiangle(self, interval: bool = False) -> Value:
        """Standard deviation of the cosines between centered class means; 0 is collapse."""
        if self.middle:
            return Value(math.nan)
        return self._plain(lambda m: _cosines(m).std(correction=0), interval)

    def maximal_angle(self, interval: bool = False) -> Value:
        """Mean distance of those cosines from -1 / (C - 1); 0 is collapse."""
        if self.middle:
            return Value(math.nan)
        return self._plain(lambda m: (_cosines(m) + 1 / (self.classes - 1)).abs().mean(), interval)

    def nc3(self, weight: Tensor, interval: bool = False) -> Value:
        """Distance of a head's weights [C, d] from the class means, both of norm 1; 0 is collapse."""
        weight = weight[self.present]
        if not bool(weight.any()):
            return Value(math.nan)
        weight = near_one(weight)
        w = weight / weight.norm()

        def distance(m: Tensor) -> Tensor:
            centered = m - m.mean(0)
            return (w - centered / centered.norm()).norm()

        return self._plain(distance, interval)

    def nc4(self, weight: Tensor, bias: Tensor, power: int) -> float:
        """Share of samples for which the head, weight [C, d] and bias [C], disagrees with the nearest class mean."""
        said = said_by_head(self.given, power, weight, bias)
        return float((said != nearest_of(self.x, self.means)).double().mean())

    def _log(self, f: Callable[[Tensor], Tensor], each: Tensor, interval: bool) -> Value:
        """f(means), a mean of `each` times what the means say; the interval of its logarithm."""
        value = float(f(self.means))
        if not interval or not value > 0:
            return Value(value)
        error = self._error(lambda m: f(m).log(), each / each.mean() - 1)
        return Value(value, value * math.exp(-_Z * error), value * math.exp(_Z * error))

    def _plain(self, f: Callable[[Tensor], Tensor], interval: bool) -> Value:
        if not self.apart:
            return Value(math.nan)
        value = float(f(self.means))
        error = self._error(f, 0.0) if interval else math.nan
        return Value(value) if math.isnan(error) else Value(value, max(0.0, value - _Z * error), value + _Z * error)

    def _error(self, f: Callable[[Tensor], Tensor], direct: Tensor | float) -> float:
        """Standard error of f: a sample moves its class's mean by (x - mean) / n_c, and what it enters directly."""
        with torch.enable_grad():
            leaf = self.means.clone().requires_grad_()
            (slope,) = torch.autograd.grad(f(leaf), leaf)
        n = len(self.x)
        influence = (slope[self.codes] * self.rest).sum(1) * (n / self.counts[self.codes]) + direct
        return float(influence.std()) / math.sqrt(n)


def _inverse(means: Tensor) -> Tensor:
    """[d, C], whose rows' squares sum to S_B^+ / C: |x' M^+|^2 sums x' (M' M)^+ x."""
    return torch.linalg.pinv(means - means.mean(0), rtol=_RANK)


def _cosines(means: Tensor) -> Tensor:
    unit = means - means.mean(0)
    unit = unit / unit.norm(dim=1, keepdim=True).clamp_min(1e-300)
    i, j = torch.triu_indices(len(means), len(means), 1)
    return (unit @ unit.T)[i, j]


def _means(x: Tensor, codes: Tensor, classes: int) -> Tensor:
    shown = one_hot(codes, classes).to(x)
    return shown.T @ x / shown.sum(0).clamp_min(1)[:, None]


def moved(x: Tensor) -> Tensor:
    """x with the columns that lie far from 0, next to how much they vary, moved to it: their means would be rounded,
    and 1e7 next to a spread of 1 read as a further direction of the class means. The others keep every digit."""
    far = x.abs().amax(0) > _FAR * (x.amax(0) - x.amin(0))
    return x - torch.where(far, x[0], 0.0) if bool(far.any()) else x


def said_by_head(x: Tensor, power: int, weight: Tensor, bias: Tensor) -> Tensor:
    """Number of the largest of the logits 2^power x weight' + bias, for each of x [n, d]: sums of one size, so that
    none is infinite or 0 for its unit alone."""
    p, q = power_of(weight), power_of(bias)
    logits = x @ times_power(weight, -p).T
    if bool(bias.any()):
        more = q - p - power  # exponent of the biases over that of the products
        logits = times_power(logits, min(0, -more)) + times_power(bias, min(0, more) - q)
    return logits.argmax(1)


def nearest_of(x: Tensor, means: Tensor) -> Tensor:
    """Number of the nearest of means [C, d], for each of x [n, d]."""
    middle = means.mean(0)  # products of what lies far from 0 would cancel
    means = means - middle
    return (means.square().sum(1) - 2 * (x - middle) @ means.T).argmin(1)


def nearest_class(x: Tensor, codes: Tensor, classes: int, test: Tensor) -> Tensor:
    """The class whose mean over the fitted samples is nearest, for each held-out one;
    a class that they lack is never it."""
    x, codes = x - x[~test].mean(0), codes[~test]
    means = _means(x[~test], codes, classes)
    there = torch.bincount(codes, minlength=classes).nonzero()[:, 0]
    return there[nearest_of(x[test], means[there])]


def nearest_right(x: Tensor, codes: Tensor, classes: int, test: Tensor) -> list[int]:
    """How many held-out samples are nearest to the mean of their class, for each column of codes [n, k]."""
    return [int((nearest_class(x, column, classes, test) == column[test]).sum()) for column in codes.T]


def linear_right(x: Tensor, codes: Tensor, classes: int, test: Tensor) -> list[int]:
    """The same for a linear decoder."""
    folds = [((~test).nonzero()[:, 0], test.nonzero()[:, 0])]
    step, out = max(1, _TARGETS // classes), []
    x = near_one(moved(x), 0)  # a column may be in other units
    for k in range(0, codes.shape[1], step):
        part = codes[:, k : k + step]
        shown = one_hot(part, classes).to(x).flatten(1)
        said = left_out(x, shown, folds, inner=0).predicted[test].unflatten(1, (-1, classes)).argmax(2)
        out += (said == part[test]).sum(0).tolist()
    return out


def _checked(features: Any, labels: Any) -> tuple[Tensor, int, Tensor, np.ndarray]:
    """features over 2^power, power, class codes in sorted order, class names."""
    x = torch.as_tensor(as_floats(features))
    if x.ndim != 2 or 0 in x.shape:
        raise InputError(f"features have shape {list(x.shape)}; needed: [n, d], neither of them 0")
    y = _label_values(labels)
    if y.shape != (len(x),):
        raise InputError(f"labels have shape {list(y.shape)}, features {len(x)} rows; needed: one label per row")
    check_finite(features=x, labels=y)
    names, codes = np.unique(y, return_inverse=True)
    if len(names) < 2:
        raise InputError("labels hold one class only; class geometry needs two")
    if len(names) == len(x):
        raise InputError(f"each of {len(x)} samples has a label of its own; classes need samples that share one")
    power = power_of(x)
    x = times_power(x, -power)
    if not bool((x != x[0]).any()):
        raise InputError("every sample has the same features; nothing varies")
    return x, power, torch.as_tensor(codes.ravel()), names


def _label_values(labels: Any) -> np.ndarray:
    """Labels as numbers or text: of objects (pandas' nullable integers) text would put 10 before 9."""
    y = labels_array("labels", as_numpy(labels) if is_torch(labels) else labels)
    if y.dtype == object:
        words = [v for v in y.ravel() if isinstance(v, str | bytes)]
        if words:
            missing = [v for v in y.ravel() if v is None or (not isinstance(v, str | bytes) and not _equals_itself(v))]
            if missing:
                raise InputError(f"labels hold {missing[0]} ({len(missing)} of {y.size}); leave out these samples")
            return y.astype(str)
        try:
            return as_floats(labels)
        except InputError:  # dates and the like
            return y.astype(str)
    if y.dtype.kind in "mM" and np.isnat(y).any():
        raise InputError(f"labels hold NaT ({int(np.isnat(y).sum())} of {y.size}); leave out these samples")
    return y


def _equals_itself(v: Any) -> bool:
    try:
        return bool(v == v)
    except TypeError:  # pandas.NA
        return False


def _head(weight: Any, bias: Any, classes: int, units: int) -> tuple[Tensor, Tensor]:
    w = torch.as_tensor(as_floats(weight))
    if w.shape != (classes, units):
        raise InputError(
            f"weight has shape {list(w.shape)}; needed: one row for each of {classes} classes, {units} columns"
        )
    b = torch.zeros(classes, dtype=w.dtype) if bias is None else torch.as_tensor(as_floats(bias))
    if b.shape != (classes,):
        raise InputError(f"bias has shape {list(b.shape)}; needed: [{classes}]")
    check_finite(weight=w, bias=b)
    return w, b
