"""Neural collapse and decoders of features in any unit, far from 0 or with constant columns, and of labels as people
have them."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from deeptheory.core.errors import InputError
from deeptheory.inspection import decoder_accuracy, neural_collapse

RNG = np.random.default_rng(0)
Y = np.arange(300) % 3
X = RNG.normal(size=(300, 7)) + Y[:, None] * np.array([1, 0, 0, 2, 0, 0, 0])
W, B = RNG.normal(size=(3, 7)), RNG.normal(size=3)
HELD = np.arange(300) % 4 < 2
PLAIN = neural_collapse(X, Y, weight=W, bias=B)


def numbers(found):
    return [v for k, v in found.scalars().items() if k not in ("n", "units", "classes")]


@pytest.mark.parametrize("offset", [1e5, 1e7, 1e9])
def test_numbers_of_features_far_from_zero(offset):
    """The rounding of the center would be a direction of its own, in which the class means do not differ."""
    found = neural_collapse(X + offset, Y, weight=W, bias=B - W.sum(1) * offset)
    assert numbers(found) == pytest.approx(numbers(PLAIN), rel=1e-6)


@pytest.mark.parametrize("value", [0.1, 1e6 + 0.1, 1e14])
def test_a_constant_column_changes_no_number(value):
    found = neural_collapse(np.c_[X, np.full(300, value)], Y)
    assert numbers(found)[:5] == pytest.approx(numbers(PLAIN)[:5], rel=1e-9)
    few = [neural_collapse(x, np.arange(300) % 5).nc1 for x in (X[:, :1], np.c_[X[:, :1], np.full(300, value)])]
    assert few[1] == pytest.approx(few[0], rel=1e-9)
    accuracy = decoder_accuracy(np.c_[X, np.full(300, value)], Y, HELD)
    assert accuracy == decoder_accuracy(X, Y, HELD)


@pytest.mark.parametrize("power", [-1000, -600, 600, 1000])
def test_a_head_in_any_unit(power):
    scale = 2.0**power
    found = neural_collapse(X, Y, weight=W * scale, bias=B * scale)
    assert (found.nc3, found.nc4) == (PLAIN.nc3, PLAIN.nc4)


def test_features_and_biases_of_any_size():
    bare = neural_collapse(X, Y, weight=W).nc4
    assert neural_collapse(X * 2.0**1020, Y, weight=W).nc4 == bare  # 2 to the power of 1024 is no float
    assert neural_collapse(X * 2.0**-1000, Y, weight=W).nc4 == bare
    small = neural_collapse(X * 2.0**-1000, Y, weight=W * 2.0**500, bias=B * 2.0**-500)
    assert small.nc4 == PLAIN.nc4
    last = neural_collapse(X * 1e-300, Y, weight=W, bias=[1e10, 2e10, 0])  # the second class for every sample
    assert last.nc4 == neural_collapse(X, Y, weight=W * 0, bias=[0, 1, 0]).nc4


@pytest.mark.parametrize("offset", [0, 50.3, 0.7])
def test_a_class_mean_at_the_center_has_no_angle(offset):
    """Means of 0.1, 0.2, 0.3: rounding alone would say where the second one points."""
    spread = 0.01 * np.repeat([[-1.0, 1], [1, -1]], 150, axis=0)
    found = neural_collapse(np.array([[0.1, 0.1], [0.2, 0.3], [0.3, 0.5]])[Y] + spread + offset, Y)
    assert math.isnan(found.equiangle)
    assert math.isnan(found.maximal_angle)
    assert found.equinorm == pytest.approx(math.sqrt(0.5))
    assert any("it has no angle" in note for note in found.notes)


def test_what_is_nan_says_why():
    zero = neural_collapse(X, Y, weight=W * 0)
    assert math.isnan(zero.nc3)
    assert any("no NC3" in note for note in zero.notes)
    equal = neural_collapse(np.r_[X[:5], X[:5]], np.arange(10) // 5)
    assert equal.scatter_ratio == math.inf
    assert "all classes have the same mean" in equal.notes


def test_classes_of_objects_are_in_the_order_of_numbers():
    """As text 10 comes before 2, and the head's rows would be those of other classes."""
    y = np.arange(360) % 12
    means = np.random.default_rng(1).normal(size=(12, 4))
    x, w = means[y] + 0.01 * np.random.default_rng(2).normal(size=(360, 4)), means - means.mean(0)
    several = [y, y.astype(object), pd.Series(y).astype("Int64"), pd.Series(y).astype("category")]
    several += [torch.as_tensor(y).bfloat16(), y.astype(np.uint8)]
    found = [neural_collapse(x, v, weight=w) for v in several]
    assert len({(f.nc3, f.nc4) for f in found}) == 1


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (np.array(["a", "b", None] * 100, dtype=object), r"labels hold None \(100 of 300\)"),
        (np.array(["a", "b", np.nan] * 100, dtype=object), "labels hold nan"),
        (pd.Series(["a", "b", None] * 100, dtype="string"), "labels hold <NA>"),
        (pd.Series([1, 2, None] * 100, dtype="Int64"), "NaN"),
        (np.array(["2020-01-01", "2020-01-02", "NaT"] * 100, dtype="datetime64[D]"), "labels hold NaT"),
        (np.arange(300) + 0.5, "a label of its own"),
    ],
)
def test_missing_labels_and_numbers_are_no_classes(labels, match):
    for measure in (neural_collapse, lambda x, y: decoder_accuracy(x, y, HELD)):
        with pytest.raises(InputError, match=match):
            measure(X, labels)


def test_rows_of_pandas_in_another_order_are_refused():
    frame, y = pd.DataFrame(X), pd.Series(Y)
    with pytest.raises(InputError, match="another order"):
        neural_collapse(frame, y.iloc[::-1])
    with pytest.raises(InputError, match="another order"):
        decoder_accuracy(frame, y, pd.Series(HELD).iloc[::-1])
    assert decoder_accuracy(frame, y, pd.Series(HELD)) == decoder_accuracy(X, Y, HELD)


@pytest.mark.parametrize("unit", [2.0**-900, 2.0**500, 2.0**900])
def test_a_linear_decoder_of_columns_in_several_units(unit):
    noise = np.random.default_rng(3).normal(size=300)
    assert decoder_accuracy(np.c_[X, unit * noise], Y, HELD) == decoder_accuracy(np.c_[X, noise], Y, HELD)
