"""Measuring: one file per setting, resumed where it stopped, and numbers that a direct count gives, too."""

import json
from collections import Counter

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError, StoreError
from deeptheory.playground import measuring
from deeptheory.playground.grid import PROTOCOL, READOUTS, Setting
from deeptheory.playground.measuring import measure, read_setting

SMALL = {"epochs": 4, "points": 3, "networks": 2, "noise_inputs": 64}
TWO = (Setting(depth=1), Setting("relu", "full", 5, "permuted", 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("measured")
    measure(path, TWO, SMALL)
    return path


def counted(rows, y):
    """I(X;T) and I(T;Y) of discrete rows, by counting in dictionaries."""
    cells = [tuple(r) for r in rows]

    def entropy(values):
        p = np.array(list(Counter(values).values())) / len(cells)
        return -(p * np.log2(p)).sum()

    labels = list(y)
    return entropy(cells), entropy(cells) + entropy(labels) - entropy(list(zip(cells, labels)))


def test_before_training_it_is_a_count_of_cells(folder):
    """Epoch 0, 10 bins over the run's range and every bit: networks made again, cells cut by hand."""
    found = read_setting(folder / f"{TWO[0].key}.json")
    data = dt.datasets.icosahedron()
    nets = dt.networks.Population.mlp([12, 10, 2], "tanh", seeds=range(2))
    seen = dt.Recorder(nets, data.x, data.y, layers="layer*")
    seen.snapshot(0)
    low, high = found["range"]
    for k in range(2):
        hidden = np.asarray(seen.recording.activations("layer1", 0))[k]
        plane = {name: {a: v[a][k][0][0] for a in ("i_x", "i_y")} for name, v in found["planes"].items()}
        assert np.allclose(list(plane["exact"].values()), counted(hidden, data.y), atol=6e-5)
        cells = np.clip(np.ceil((hidden.astype(float) - low) / (high - low) * 10), 1, 10).astype(int)
        assert np.allclose(list(plane["bins-10-run"].values()), counted(cells, data.y), atol=6e-5)


def test_the_form_of_a_file(folder):
    found = read_setting(folder / f"{TWO[1].key}.json", PROTOCOL | SMALL)
    assert found["epochs"] == [0, 1, 3]
    assert list(found["planes"]) == list(READOUTS)
    for plane in found["planes"].values():
        assert np.shape(plane["i_x"]) == np.shape(plane["i_y"]) == (2, 3, 2)
        assert np.shape(plane["floor"]) == (3, 2)
    assert np.shape(found["test_accuracy"]) == (2, 3)
    assert found["setting"]["labels"] == "permuted"


def test_permuted_labels_are_at_the_floor_before_training(folder):
    """Null: labels permuted among the inputs say of an untrained network what any other permutation says."""
    found = read_setting(folder / f"{TWO[1].key}.json")
    for name, plane in found["planes"].items():
        i_y, floor = np.array(plane["i_y"])[:, 0], np.array(plane["floor"])[0]
        if name.startswith("noise"):
            i_y = i_y[:1]  # the floor of noise is the first network's
        assert np.abs(i_y.mean(0) - floor).max() < 0.15, name


def test_a_stopped_run_goes_on_and_gives_the_same_bytes(folder, tmp_path):
    told = []

    def stop(text):
        told.append(text)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        measure(tmp_path, TWO, SMALL, stop)
    assert [p.name for p in tmp_path.iterdir()] == [f"{TWO[0].key}.json"]
    assert told == [f"1 of 2: {TWO[0].key}"]
    before = (tmp_path / f"{TWO[0].key}.json").stat().st_mtime_ns
    paths = measure(tmp_path, TWO, SMALL)
    assert paths[0].stat().st_mtime_ns == before
    assert [p.read_bytes() for p in paths] == [(folder / p.name).read_bytes() for p in paths]


def test_files_of_another_protocol_or_form_are_refused(folder, tmp_path):
    with pytest.raises(StoreError, match=r"measured under another protocol \(epochs, points\)"):
        measure(folder, TWO, SMALL | {"epochs": 7, "points": 5})
    path = tmp_path / "x.json"
    with pytest.raises(InputError, match="is no folder"):
        measure(folder / f"{TWO[0].key}.json", TWO, SMALL)
    path.write_text('{"schema": 9}')
    with pytest.raises(StoreError, match="of another form"):
        read_setting(path)
    path.write_text("[1")
    with pytest.raises(StoreError, match="cannot be read"):
        read_setting(path)
    with pytest.raises(StoreError, match="is missing"):
        read_setting(tmp_path / "no.json")
    kept = json.loads((folder / f"{TWO[0].key}.json").read_text())
    path.write_text(json.dumps(kept))
    with pytest.raises(StoreError, match="holds the setting tanh-mini-85-true-1"):
        read_setting(path)
    del kept["protocol"]
    path.write_text(json.dumps(kept))
    with pytest.raises(StoreError, match="of another form"):
        read_setting(path, PROTOCOL | SMALL)


def test_a_protocol_has_no_other_keys(tmp_path):
    with pytest.raises(InputError, match="unknown key of the protocol 'epoch'; did you mean epochs"):
        measure(tmp_path, TWO, {"epoch": 4})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_refused_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "planes", lambda *a: pytest.fail("trained"))
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        measuring.measure(tmp_path / "file" / "below")


def test_values_that_are_not_finite_are_no_planes(tmp_path, monkeypatch):
    monkeypatch.setattr(measuring, "planes", lambda *a: {"range": [float("-inf"), 1.0]})
    with pytest.raises(InputError, match="tanh-mini-85-true-5 gave values that are not finite"):
        measuring.measure(tmp_path, [Setting()])
    assert not list(tmp_path.iterdir())
