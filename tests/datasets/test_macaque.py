"""Recordings from IT, in files of the published form made here."""

import warnings
from dataclasses import replace

import numpy as np
import pytest

from deeptheory.core.errors import InputError, StoreError
from deeptheory.datasets import it_neurons, it_rdms
from deeptheory.datasets.macaque import where_neurons, where_rdms


def _neurons(path, **changed):
    rng = np.random.default_rng(0)
    cell, thing, place = (a.ravel() for a in np.meshgrid([4, 7], ["car", "face"], ["lower", "upper"], indexing="ij"))
    cell, thing, place = (np.repeat(a, 5) for a in (cell, thing, place))
    rate = rng.random((len(cell), 3)).astype(np.float32) + (thing == "face")[:, None]
    arrays = {
        "rate": rate,
        "window_ms": np.array(["time.-150_0", "time.0_150", "time.50_200"]),
        "object": thing,
        "position": place,
        "cell": cell,
    }
    np.savez(path, **{**arrays, **changed})


def _rdms(path, **changed):
    half = np.random.default_rng(0).random((4, 4)).astype(np.float32)
    square = half + half.T - np.diag(2 * half.diagonal())
    category = np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.uint8)
    arrays = {
        "monkey_it": square,
        "human_it": square,
        "images": np.zeros((4, 5, 5, 3), np.uint8),
        "category": category,
        "category_labels": np.array(["face", "thing"]),
    }
    np.savez(path, **{**arrays, **changed})


def test_neurons_and_pseudo_trials(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path))
    assert "nowhere yet" in where_neurons()
    _neurons(tmp_path / "it_neurons.npz")
    assert where_neurons() == "the data folder"
    found = it_neurons()
    assert found.windows.tolist() == [[-150, 0], [0, 150], [50, 200]]
    assert "2 units, 2 objects, 40 trials, 3 windows" in repr(found)
    assert found.table()["trials"].tolist() == [20, 20]
    trials, names = found.pseudo_trials(10)
    assert trials.shape == (2, 10, 2, 3)
    assert names.tolist() == ["car", "face"]
    assert trials[1].min() >= 1 > trials[0].max()
    assert len(np.unique(trials[0, :, 0, 0])) == 10  # without replacement
    both, names = found.pseudo_trials(5, by="both")
    assert both.shape == (4, 5, 2, 3)
    assert names.tolist() == ["car/lower", "car/upper", "face/lower", "face/upper"]
    assert np.array_equal(found.pseudo_trials(3, 1)[0], found.pseudo_trials(3, 1)[0])
    with pytest.raises(InputError, match="unit 4 has 10 trials of car; trials is 11"):
        found.pseudo_trials(11)
    with pytest.raises(InputError, match="by is 'place'"):
        found.pseudo_trials(1, by="place")


def test_rdms(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path))
    assert "nowhere yet" in where_rdms()
    _rdms(tmp_path / "it_rdms.npz")
    found = it_rdms()
    assert "4 pictures" in repr(found)
    assert found.table()["monkey_it"].tolist() == pytest.approx([found.monkey_it[0, 1], found.monkey_it[2, 3]])


@pytest.mark.parametrize(
    ("make", "load", "name", "changed", "match"),
    [
        (_neurons, it_neurons, "it_neurons.npz", {"cell": np.zeros(3)}, "rate .40, 3. and 3 windows; they do not fit"),
        (_rdms, it_rdms, "it_rdms.npz", {"human_it": np.zeros((3, 3))}, "they do not fit"),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, make, load, name, changed, match):
    make(tmp_path / name, **changed)
    with pytest.raises(StoreError, match=match):
        load(tmp_path / name)


@pytest.mark.parametrize(("load", "name"), [(it_neurons, "it_neurons.npz"), (it_rdms, "it_rdms.npz")])
def test_files_that_are_not_there_or_broken(tmp_path, monkeypatch, load, name):
    monkeypatch.delenv("DEEPTHEORY_DATA", raising=False)
    with pytest.raises(StoreError, match=f"{name} was not found"):
        load()
    (tmp_path / name).write_bytes(b"no")
    with pytest.raises(StoreError, match=f"{name} cannot be read"):
        load(tmp_path / name)


@pytest.mark.parametrize(
    ("make", "load", "changed", "match"),
    [
        (_neurons, it_neurons, {"window_ms": np.array(list("abc"))}, "a window_ms that is not like"),
        (_neurons, it_neurons, {"window_ms": np.array(["time.5"] * 3)}, "not like .*, two numbers"),
        (_neurons, it_neurons, {"window_ms": np.array("time.1_2")}, "1 windows; they do not fit"),
        (_neurons, it_neurons, {"rate": np.array(1.0)}, r"rate \[\]"),
        (_neurons, it_neurons, {"rate": np.full((40, 3), "a")}, "or are no numbers"),
        (_rdms, it_rdms, {"category": np.full((4, 2), np.nan)}, "a category that is neither 0 nor 1"),
        (_rdms, it_rdms, {"images": np.array(1)}, "they do not fit"),
        (_rdms, it_rdms, {"monkey_it": np.full((4, 4), "a")}, "they do not fit"),
    ],
)
def test_numbers_that_are_none(tmp_path, make, load, changed, match):
    """A category of NaN counted as true; the others were errors of numpy."""
    make(tmp_path / "file.npz", **changed)
    with pytest.raises(StoreError, match=match):
        load(tmp_path / "file.npz")


def test_names_of_any_kind_and_trials_that_nobody_has(tmp_path):
    _neurons(tmp_path / "file.npz")
    found = it_neurons(tmp_path / "file.npz")
    names = found.pseudo_trials(2, by="both")[1].tolist()
    for thing in (found.object.astype("S"), found.object.astype(object)):
        assert replace(found, object=thing).pseudo_trials(2, by="both")[1].tolist() == names
    numbered = replace(found, object=(found.object == "face").astype(int))
    assert numbered.pseudo_trials(2, by="both")[1].tolist() == ["0/lower", "0/upper", "1/lower", "1/upper"]
    with pytest.raises(InputError, match="trials is 1000000000000; there are 40"):
        found.pseudo_trials(10**12)


def test_a_category_of_one_image_has_no_pair(tmp_path):
    category = np.array([[1, 0], [0, 1], [0, 1], [0, 1]])
    _rdms(tmp_path / "file.npz", category=category)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = it_rdms(tmp_path / "file.npz").table()
    assert np.isnan(table["monkey_it"][0])
    assert np.isfinite(table["monkey_it"][1])
