"""The ground floor: shapes at the door, names looked up, results that show themselves."""

import dataclasses
import math

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.arrays import as_floats, as_numpy, as_tensor, is_torch, like
from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.names import count_of, pick, unknown
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_shapes
from deeptheory.core.theme import layer_colors, new_figure


def test_letters_bind_to_one_size():
    sizes = check_shapes(u=(np.zeros((2, 3)), "B I"), w=(torch.zeros(3, 5), "I J"), bias=(None, "J"))
    assert sizes == {"B": 2, "I": 3, "J": 5}
    assert check_shapes(x=(np.zeros((7, 8, 4, 4)), "... 4 4")) == {}
    assert check_shapes(x=(np.zeros(3), "... n")) == {"n": 3}


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: check_shapes(u=(np.zeros(3), "B I")), r"u has shape \[3\]; it needs 2 axes, \[B, I\]"),
        (
            lambda: check_shapes(u=(np.zeros((2, 3)), "B I"), w=(np.zeros((4, 5)), "I J")),
            r"w has shape \[4, 5\], read as \[I, J\]; I is 4 here and 3 from u",
        ),
        (lambda: check_shapes(m=(np.zeros((2, 3)), "... 4 4")), "4 is 2 here and 4"),
        (lambda: check_shapes(m=(np.zeros(4), "... 4 4")), "it needs 2 axes"),
        (lambda: check_finite(x=np.array([1.0, np.nan, np.inf])), r"x holds 2 values .* the first at \[1\]"),
        (lambda: check_finite(a=None, x=torch.tensor([[1.0, math.inf]])), r"x holds 1 values .* at \[0, 1\]"),
        (lambda: pick({"adam": 1, "sgd": 2}, "adm", what="optimizer"), "unknown optimizer 'adm'; did you mean adam"),
        (lambda: pick({}, "x", what="thing"), "Known: none"),
        (lambda: dt.Estimate(value=1.0, method="m", direction="up"), "direction is 'up'; known: exact"),
        (lambda: dt.Estimate(value=1.0, low=2.0, high=1.0, method="m"), "reversed"),
        (lambda: Result().dataset(), "Result has no axes; use .table()"),
        (lambda: Result().figure(), "Result draws no figure; use .table()"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_finite_passes_integers_and_numbers():
    check_finite(x=np.arange(3), y=torch.arange(3), z=np.ones(2))


def test_estimate_shows_itself():
    e = dt.Estimate(value=1.25, low=1.0, high=1.5, method="ksg", direction="consistent", notes=("ties",))
    assert repr(e) == "Estimate(1.25 [1, 1.5] bits, ksg, consistent, 1 note)"
    assert float(e) == 1.25
    assert e.scalars() == {"value": 1.25, "low": 1.0, "high": 1.5}
    assert e.table().loc[0, "notes"] == "ties"
    assert "ksg" in e._repr_html_()
    with pytest.raises(dataclasses.FrozenInstanceError):
        e.value = 2.0


def test_arrays_cross_in_kind():
    x = torch.ones(2, dtype=torch.bfloat16, requires_grad=True)
    assert as_numpy(x).dtype == np.float32
    assert as_tensor(np.zeros(2, np.float32)).dtype == torch.float32
    assert is_torch(like(np.zeros(2), x))
    assert isinstance(like(torch.zeros(2), np.zeros(1)), np.ndarray)


@pytest.mark.parametrize("values", [[0.0, 1, 2, 3], [0, 1, 2, 3]])
def test_masked_and_missing_values_are_nan(values):
    import pandas as pd

    seen = np.array([0, np.nan, 2, 3])
    masked = np.ma.masked_array(values, mask=[0, 1, 0, 0])  # numpy's own conversion gives 1 where it is masked
    missing = pd.DataFrame({"a": [0, None, 2, 3]}).astype("Int64")
    for given in (
        as_numpy(masked),
        as_tensor(masked),
        as_floats(masked),
        as_tensor([0, None, 2, 3]),
        as_floats(missing)[:, 0],
    ):
        np.testing.assert_array_equal(np.asarray(given), seen)
    assert as_tensor(np.ma.masked_array([1, 2])).dtype == torch.int64


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[::-1][::-1, ::-1],
        lambda x: x.astype(">f8"),
        lambda x: x.astype(object),
        lambda x: x.astype(np.longdouble),
    ],
)
def test_layouts_and_dtypes_of_numpy_that_torch_lacks(change):
    x = change(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(as_tensor(x).numpy(), np.asarray(x, np.float64))


@pytest.mark.parametrize("x", [["a"], None, [[1], [2, 3]], np.array(["2020"], "M8[D]"), np.array([{}])])
def test_what_is_no_array_of_numbers_is_an_input_error(x):
    with pytest.raises(InputError, match="needed are numbers"):
        as_tensor(x)


def test_unknown_public_name():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        dt.nonsense
    assert "Estimate" in dir(dt)


def test_theme():
    assert len(set(layer_colors(6))) == 6
    assert len(set(layer_colors(12))) == 12
    assert new_figure(title="t").layout.title.text == "t"


def test_store_error_is_a_sentence():
    assert str(StoreError("the folder is of another study")) == "the folder is of another study"


def test_many_names_are_not_all_listed():
    known = [f"name{k}" for k in range(59)]
    assert unknown("zzz", known, what="step").endswith("There are 59, among them " + ", ".join(known[:8]))
    near = unknown("nane7", known, what="step")
    assert near.startswith("unknown step 'nane7'; did you mean name7")
    assert len(near) < 100
    assert unknown("b", ["a"], what="step") == "unknown step 'b'. Known: a"


def test_counts_in_words():
    assert [count_of(n, "unit") for n in (0, 1, 2)] == ["0 units", "1 unit", "2 units"]


@pytest.mark.parametrize("name", [["a"], {}, None, 3])
def test_what_is_no_name_is_an_unknown_one(name):
    with pytest.raises(InputError, match="unknown thing"):
        pick({"a": 1}, name, what="thing")
