"""Matlab files before scipy reads them: what it cannot survive is refused, all else passes."""

import struct
import zlib

import numpy as np
import pytest
import scipy.sparse as sp
from scipy.io import loadmat, savemat

from deeptheory.cli.arrays import read_array
from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.mat_files import check_mat
from deeptheory.datasets.images.matlab import read_mat

CONTENT = {
    "a": np.arange(12.0).reshape(3, 4),
    "bytes": np.arange(5, dtype=np.uint8),
    "cells": np.array(["x", "longer text"], dtype=object),
    "fields": {"f": 1, "g": np.eye(2), "deep": {"k": np.zeros((0, 3))}},
    "z": np.array([1 + 2j, 3j]),
    "sparse": sp.random(10, 10, 0.1, format="csc", rng=0),
    "text": "hello",
    "long": np.array([2**62]),
}


@pytest.mark.parametrize("how", [{}, {"do_compression": True}, {"format": "4"}])
def test_good_files_pass(tmp_path, how):
    path = tmp_path / "good.mat"
    savemat(path, {"a": CONTENT["a"]} if "format" in how else CONTENT, **how)
    check_mat(path)
    np.testing.assert_array_equal(read_array(f"{path}:a"), CONTENT["a"])


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    ("kind", "said"), [(128, "128 is no data type"), (8, "8 is no data type"), (2**16 * 9 + 9, "small element of 9")]
)
def test_a_type_that_is_none_is_refused_and_ends_no_process(tmp_path, kind, said, compressed):
    path = tmp_path / "bad.mat"
    savemat(path, {"a": np.arange(3.0)})
    raw = bytearray(path.read_bytes())
    at = raw.index(struct.pack("<II", 9, 24))  # the tag of the three doubles
    raw[at : at + 4] = struct.pack("<I", kind)
    if compressed:
        packed = zlib.compress(bytes(raw[128:]))
        raw[128:] = struct.pack("<II", 15, len(packed)) + packed
    path.write_bytes(bytes(raw))
    with pytest.raises(InputError, match=said):
        read_array(str(path))
    with pytest.raises(StoreError, match=said):
        read_mat(path, ["a"])


def test_elements_end_with_what_holds_them(tmp_path):
    path = tmp_path / "long.mat"
    savemat(path, {"a": np.arange(3.0)})
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<II", 9, 24), struct.pack("<II", 9, 2**31)))
    with pytest.raises(ValueError, match="2147483648 bytes where"):
        check_mat(path)
    path.write_bytes(raw)
    assert loadmat(path)["a"].shape == (1, 3)
