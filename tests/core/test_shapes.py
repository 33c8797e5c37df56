"""Numbers, counts, seeds, axes, ends and labels: what is taken, and by which words the rest is refused."""

import math

import numpy as np
import pandas as pd
import pytest
import torch

from deeptheory.core.arrays import as_numbers, as_tensor, real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import (
    axis_of,
    check_finite,
    check_number,
    check_real,
    check_whole,
    check_within,
    codes_of,
    ends_of,
    finite_floats,
    generator_of,
    labels_array,
    labels_of,
    whole_numbers,
)

REFUSED = [
    (lambda: check_whole(n=(np.uint8(5), 1)), "n is .*5.* of uint8; needed: Python's own integer"),
    (lambda: check_whole(n=(np.uint64(5), 1)), "of uint64; needed: Python's own integer"),
    (lambda: check_whole(n=(torch.tensor(5), 1)), "of torch.int64; needed: Python's own integer"),
    (lambda: check_whole(n=(True, 1)), "n is True; needed: an integer, at least 1"),
    (lambda: check_real(x=(10**400, 0)), "x is 1000.*; needed: a finite number above 0"),
    (lambda: check_real(x=(np.True_, 0)), "x is np.True_; needed: a finite number"),
    (lambda: check_real(x=(np.complex128(1), 0)), "needed: a finite number"),
    (lambda: check_real(x=(torch.tensor(1.0), 0)), r"x is tensor\(1.\); needed: Python's own number, float\(x\)"),
    (lambda: check_number(x="1"), "x is '1'; needed: one real number"),
    (lambda: check_number(x=[1.0]), r"x is \[1.0\]; needed: one real number"),
    (lambda: check_number(x=torch.tensor(1.0)), "needed: Python's own number"),
    (lambda: check_within(x=(2.0, 0, 1)), "x is 2.0; needed: a number from 0 to 1"),
    (lambda: check_within(x=(-1, 0, math.inf)), "x is -1; needed: a number of at least 0"),
    (lambda: check_within(x=(math.nan, -math.inf, math.inf)), "x is nan; needed: a number$"),
    (lambda: check_within(x=(torch.tensor(1.0), 0, 1)), "needed: Python's own number"),
    (lambda: axis_of(2, 2), "axis is 2; the array has 2 axes, numbered from 0"),
    (lambda: axis_of(1.0, 2), "axis is 1.0; needed: an integer"),
    (lambda: ends_of("scale", 3), "scale is 3; needed: two numbers, the lower first"),
    (lambda: ends_of("scale", (2, 1)), r"scale is \(2, 1\); needed: two numbers, the lower first"),
    (lambda: ends_of("scale", (-1, 1), least=0), "needed: two numbers from 0 on, the lower first"),
    (lambda: ends_of("scale", ("1", 2)), "scale's first number is '1'; needed: a finite number"),
    (lambda: finite_floats("x", ["a"]), "x: needed are numbers; list holds <U1"),
    (lambda: finite_floats("x", np.ones(2) + 1j), "x: needed are real numbers; these are complex"),
    (lambda: finite_floats("x", np.ma.array([1.0, 2.0], mask=[True, False])), "x holds 1 values that are NaN"),
    (lambda: check_finite(x=np.ma.array([1, 2], mask=[True, False])), "x masks 1 values; remove or replace them"),
    (lambda: check_finite(x=pd.Series([1.0, None], dtype=object)), "x holds 1 values that are NaN or infinite"),
    (lambda: generator_of(None), "seed is None; needed: an integer, at least 0"),
    (lambda: generator_of([1, -1]), "seed is -1; needed: an integer, at least 0"),
    (lambda: generator_of(2.0, "start"), "start is 2.0; needed: an integer"),
    (lambda: labels_of("groups", np.ma.array([1, 2], mask=[True, False]), 2), "groups holds 1 masked values; leave"),
    (lambda: codes_of(3), "labels are 3; needed: .n., one per row"),
    (lambda: whole_numbers("rows", [True, 2]), "rows is .True, 2.; needed: integers, at least 0"),
    (lambda: whole_numbers("rows", np.array([2**63], dtype=np.uint64)), "needed: integers, at least 0"),
    (lambda: real_tensor("x", torch.ones(2) * 1j), "x holds torch.complex64; needed: real numbers"),
    (lambda: as_numbers(np.array(["2020"], dtype="datetime64[D]")), "needed are numbers; ndarray holds datetime64"),
]


@pytest.mark.parametrize(("call", "said"), REFUSED)
def test_what_is_refused_and_how(call, said):
    with pytest.raises(InputError, match=said):
        call()


def test_what_is_taken():
    check_whole(n=(np.int64(5), 1), m=(np.int32(5), 1), k=(-3, None))
    check_real(x=(np.float32(0.5), 0), n=(3, 0))
    check_number(x=math.nan, y=math.inf, z=np.float16(1))
    check_within(x=(0, 0, 1), y=(1, 0, 1), z=(math.inf, -math.inf, math.inf))
    assert (axis_of(-1, 3), axis_of(0, 3)) == (2, 0)
    assert ends_of("scale", np.array([1, 2])) == (1.0, 2.0)
    assert finite_floats("x", [[1, 2]]).dtype == np.float64
    drawn = np.random.default_rng(3)
    assert generator_of(drawn) is drawn
    assert generator_of([3, 1]).random() == np.random.default_rng([3, 1]).random()
    assert whole_numbers("rows", np.array([1, 2], dtype=np.uint64)).dtype == np.int64


def test_integers_without_sign_do_not_wrap_around_in_torch():
    assert as_tensor(np.array([1, 2], dtype=np.uint16)).dtype == torch.int64
    assert as_tensor(torch.tensor([3], dtype=torch.uint32)).dtype == torch.int64
    assert as_tensor(np.array([2**63 + 2048], dtype=np.uint64)).tolist() == [2.0**63 + 2048]
    assert real_tensor("x", np.array([1, 0], dtype=np.uint8)).diff().tolist() == [-1.0]


def test_numbers_keep_their_dtype_and_what_is_masked_does_not():
    assert as_numbers(np.ones(2, dtype=np.uint8)).dtype == np.uint8
    assert np.isnan(as_numbers(np.ma.array([1, 2], mask=[True, False]))).tolist() == [True, False]
    assert as_numbers(np.array([1, 2], dtype=object)).dtype == np.float64


def test_labels_of_half_precision_are_labels():
    assert labels_array("y", torch.tensor([1.0, 2.0], dtype=torch.bfloat16)).tolist() == [1.0, 2.0]
