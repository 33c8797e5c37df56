"""The planes that come with the package: null, truth and invariance of what was measured."""

import gzip
import json

import numpy as np
import pytest

from deeptheory.playground.grid import PROTOCOL, READOUTS, Setting, grid
from deeptheory.playground.packing import unpack
from deeptheory.playground.page import CLONE, PLANES, packed_planes
from deeptheory.playground.questions import asked_for

HEADER, ALL = unpack(packed_planes())
H_Y = 0.9992  # of the 12-bit task's labels, bits
ROUNDED = 0.011


@pytest.fixture(params=sorted(ALL))
def plane(request):
    return ALL[request.param]


def test_the_package_has_what_the_questions_ask_for_and_a_clone_the_whole_plan():
    from importlib.resources import files

    few, own = unpack(files("deeptheory.playground").joinpath(PLANES).read_bytes())
    assert set(own) == {s.key for s in asked_for()}
    assert few["protocol"] == PROTOCOL == HEADER["protocol"]
    if CLONE.is_file():
        assert set(ALL) == {s.key for s in grid()}
        for key, planes in own.items():
            assert all((planes[r][n] == ALL[key][r][n]).all() for r in READOUTS for n in ("i_x", "i_y", "floor"))


def test_no_information_is_above_its_limit(plane):
    for name in READOUTS:
        most = np.log2(PROTOCOL["noise_inputs"] if name.startswith("noise") else 4096)
        assert (plane[name]["i_x"] >= -ROUNDED).all()
        assert (plane[name]["i_x"] <= most + ROUNDED).all()
        if not name.startswith("noise"):  # a difference of two bounds has no such limit
            assert (plane[name]["i_y"] <= H_Y + 1e-3).all()
            assert (plane[name]["i_y"] <= plane[name]["i_x"] + ROUNDED).all()


def test_finer_readouts_keep_more(plane):
    """10 cells are unions of 30 or of 100 of the same range, all cells of single precision; less noise keeps more."""
    for bounds in ("run", "layer"):
        ten, thirty, hundred = (plane[f"bins-{n}-{bounds}"] for n in (10, 30, 100))
        for name in ("i_x", "i_y"):
            assert (ten[name] <= thirty[name] + ROUNDED).all()
            assert (ten[name] <= hundred[name] + ROUNDED).all()
            assert (hundred[name] <= plane["exact"][name] + ROUNDED).all()
    for more, less in (("noise-0.1", "noise-0.01"), ("noise-0.01", "noise-0.001")):
        assert (plane[more]["i_x"] <= plane[less]["i_x"] + ROUNDED).all()


def test_before_training_no_label_is_known_beyond_the_floor():
    """Null: under permuted labels an untrained network is at the floor; in the end, with the table learned, above."""
    plane = ALL[Setting(labels="permuted").key]["bins-30-run"]
    gap = plane["i_y"].mean(0) - plane["floor"]
    assert np.abs(gap[:, 0]).max() < 0.02
    assert gap[4, -1] > 0.05


def test_before_training_every_bit_tells_all_inputs_apart_in_the_first_layer():
    exact = ALL[Setting().key]["exact"]
    assert (exact["i_x"][:, 0, 0] == 12).all()
    assert np.allclose(exact["i_y"][:, 0, 0], H_Y, atol=1e-3)


def test_what_is_trained_alike_begins_alike():
    """The same seeds: before training minibatch, full batch and share of the patterns make no difference."""
    same = [k for k in ALL if k.startswith("tanh") and k.endswith("true-5")]
    assert len(same) >= 3
    for key in same:
        assert (ALL[key]["bins-30-layer"]["i_x"][..., 0] == ALL[same[0]]["bins-30-layer"]["i_x"][..., 0]).all()


def test_permuted_labels_cannot_be_predicted():
    for key in [k for k in ALL if "permuted" in k]:
        assert 0.4 < ALL[key]["test_accuracy"].mean(0)[-1] < 0.6, key
    assert ALL[Setting().key]["test_accuracy"].mean(0)[-1] > 0.9


def test_sizes():
    from importlib.resources import files

    room = files("deeptheory.playground")
    small = sum(len(p.read_bytes()) for p in room.iterdir() if p.name.endswith(".gz"))
    assert small < 100_000
    assert len(packed_planes()) < 700_000
    assert json.loads(gzip.decompress(room.joinpath("tables.json.gz").read_bytes())).keys() == {
        "neuron",
        "gate",
        "verdicts",
    }
