"""Labels of files: whole, in range and those of their pictures; what numpy would round or wrap is refused."""

import gzip
import struct

import numpy as np
import pytest
from scipy.io import savemat

from deeptheory.core.errors import StoreError
from deeptheory.datasets import affnist, coil20, fashion_mnist, svhn
from deeptheory.datasets.images import mnist
from deeptheory.datasets.images.digits import whole_column
from deeptheory.datasets.images.mnist import read_idx

PIXELS = np.zeros((4, 8, 8), np.uint8)


def _idx(array):
    return b"\0\0\x08" + struct.pack(f">B{array.ndim}I", array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.mark.parametrize(
    "values",
    [
        np.array([[0], [1], [2]]),
        np.array([0, 1]),
        np.array([0, 0.5, 1]),
        np.array([0, np.nan, 1]),
        np.array([0, 1, 10]),
        np.array([-1, 0, 1], np.int8),
        np.array(["0", "1", "2"]),
        np.array(3),
    ],
)
def test_what_is_no_column_of_labels(values):
    with pytest.raises(StoreError, match=r"the labels are .*; integers 0 to 9 \[3\] belong there"):
        whole_column(values, 3, 0, 9, "the labels")


def test_labels_of_any_dtype_are_int64():
    for dtype in (np.uint8, np.int8, np.float32, np.uint64):
        assert whole_column(np.array([3, 0, 9], dtype), 3, 0, 9, "labels").tolist() == [3, 0, 9]
    assert whole_column(np.zeros(0), 0, 0, 9, "labels").dtype == np.int64


def _mnist(monkeypatch, **changed):
    """MNIST's form, with checksums of its own."""
    parts = {
        "x_train": np.zeros((60000, 28, 28), np.uint8),
        "y_train": np.arange(60000).astype(np.uint8) % 10,
        "x_test": np.zeros((10000, 28, 28), np.uint8),
        "y_test": np.zeros(10000, np.uint8),
    }
    monkeypatch.setattr(mnist, "_ALL_SHA256", _sha(np.zeros((70000, 28, 28), np.uint8)))
    monkeypatch.setattr(mnist, "_LABELS_SHA256", _sha(np.concatenate([parts["y_train"], parts["y_test"]])))
    return mnist._whole(**{k: f(v) if (f := changed.get(k)) else v for k, v in parts.items()}, source="here")


def _sha(array):
    import hashlib

    return hashlib.sha256(array.tobytes()).hexdigest()


def test_mnist_has_the_published_labels_and_division(monkeypatch):
    """Only its pictures were compared: labels in another order, one-hot or cut short were handed on."""
    assert _mnist(monkeypatch).labels[:3].tolist() == [0, 1, 2]
    for change, match in (
        ({"y_train": lambda y: y[::-1]}, "the labels of MNIST: sha256 is"),
        ({"y_train": lambda y: y[:10]}, r"labels \[10\] and \[10000\]"),
        ({"y_train": lambda y: np.eye(10)[y], "y_test": lambda y: np.eye(10)[y]}, r"labels \[60000, 10\]"),
        ({"x_train": lambda x: x[:50000], "x_test": lambda x: np.repeat(x, 2, 0)}, r"\[50000, 28, 28\] and \[20000"),
        ({"x_train": lambda x: np.array(3)}, r"pictures \[\] and"),
    ):
        with pytest.raises(StoreError, match=match):
            _mnist(monkeypatch, **change)


@pytest.mark.parametrize(
    ("arrays", "match"),
    [
        ((np.zeros((5, 28, 28)), np.arange(4), np.zeros((1, 28, 28)), np.arange(2)), "5 with 4 and 1 with 2"),
        (
            (np.zeros((5, 28, 28)), np.arange(5), np.zeros((1, 32, 32)), np.arange(1)),
            r"\[28, 28\] and \[32, 32\] pixels",
        ),
        ((np.zeros((5, 28, 28)), np.arange(5) + 200, np.zeros((1, 28, 28)), np.arange(1)), "from 0 to 204; integers"),
    ],
)
def test_fashion_mnist_whose_parts_do_not_fit(tmp_path, arrays, match):
    """A label too few for training and one too many for test moved all labels by one."""
    names = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    for name, array in zip(names, arrays):
        (tmp_path / name).write_bytes(_idx(array))
    with pytest.raises(StoreError, match=match):
        fashion_mnist(tmp_path, verify=False)


def test_idx_of_a_hundred_axes(tmp_path):
    (tmp_path / "x.gz").write_bytes(gzip.compress(b"\0\0\x08\x64" + struct.pack(">I", 1) * 100 + b"a"))
    with pytest.raises(StoreError, match="says it has 100 axes"):
        read_idx(tmp_path / "x.gz")


@pytest.mark.parametrize(
    ("x", "y", "match"),
    [
        (np.full((32, 32, 3, 2), 0.5), [[1], [10]], r"holds X \[32, 32, 3, 2\] float64"),
        (np.zeros((32, 32, 3, 2), np.uint8), [[2.5], [10]], "from 2.5 to 10; integers 1 to 10"),
        (np.zeros((16, 16, 3, 2), np.uint8), [[1], [10]], r"holds X \[16, 16, 3, 2\]"),
    ],
)
def test_svhn_of_another_form(tmp_path, x, y, match):
    for part in ("train", "test"):
        savemat(tmp_path / f"{part}_32x32.mat", {"X": x, "y": np.array(y)})
    with pytest.raises(StoreError, match=match):
        svhn(tmp_path, verify=False)


@pytest.mark.parametrize(
    ("pixel", "labels", "match"),
    [
        (0.5, [1, 2], "the pixels in test.mat are float64 .*from 0.5 to 0.5"),
        (300.0, [1, 2], "the pixels in test.mat are .*from 300"),
        (7.0, [np.nan, 2], "the labels in test.mat are"),
        (7.0, [-3, 2.5], "the labels in test.mat are float64 .*from -3 to 2.5"),
    ],
)
def test_affnist_whose_numbers_are_no_bytes(tmp_path, pixel, labels, match):
    """0.5 became 0, 300 became 44, NaN a label of -9223372036854775808."""
    content = {"image": np.full((1600, 2), pixel), "label_int": np.array([labels])}
    savemat(tmp_path / "test.mat", {"affNISTdata": content})
    with pytest.raises(StoreError, match=match):
        affnist(tmp_path)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"object": np.array([[0], [0], [1], [1]])}, r"object \[4, 1\]"),
        ({"object": np.array([0, 0.5, np.nan, 1])}, "the objects in coil20.npz are float64"),
        ({"object": np.array(list("abcd"))}, "the objects in coil20.npz are <U1"),
        ({"object": np.array(3)}, r"object \[\]"),
        ({"object": np.array([1, 1, 20, 20])}, "from 1 to 20; integers 0 to 19"),
        ({"azimuth_degrees": np.array([0, 0.5, 400, -7])}, "the azimuths in coil20.npz are float64"),
    ],
)
def test_coil20_whose_labels_are_none(tmp_path, changed, match):
    whole = {"images": PIXELS, "object": np.array([0, 0, 1, 1]), "azimuth_degrees": np.array([0, 5, 0, 5])}
    np.savez(tmp_path / "coil20.npz", **{**whole, **changed})
    with pytest.raises(StoreError, match=match):
        coil20(tmp_path)
