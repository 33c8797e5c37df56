"""Packing: what comes out is what went in to half a step, and what does not fit is refused."""

import copy
import gzip
import json

import numpy as np
import pytest

from deeptheory.core.errors import StoreError
from deeptheory.playground.grid import PROTOCOL, READOUTS, Setting
from deeptheory.playground.measuring import SCHEMA, read_setting
from deeptheory.playground.packing import STEPS, pack, pack_folder, unpack, unpack_folder

NETWORKS, EPOCHS = 3, [0, 5, 9, 20]


def made(setting, seed=0, change=None):
    """A measured setting of random numbers, extremes among them."""
    rng, layers = np.random.default_rng(seed), setting.depth + 1
    shape = (NETWORKS, len(EPOCHS), layers)

    def plane():
        i_x, i_y = rng.uniform(0, 12, shape), rng.uniform(-0.01, 1, shape)
        i_x[0, 0], i_x[0, 1] = 0, 12
        return {"i_x": i_x.tolist(), "i_y": i_y.tolist(), "floor": rng.uniform(0, 1, shape[1:]).tolist()}

    out = {
        "schema": SCHEMA,
        "setting": vars(setting).copy(),
        "protocol": PROTOCOL | {"networks": NETWORKS},
        "epochs": EPOCHS,
        "layers": [f"layer{k}" for k in range(layers)],
        "range": [-1.0, 1.0],
        "train_accuracy": rng.uniform(0, 1, shape[:2]).tolist(),
        "test_accuracy": rng.uniform(0, 1, shape[:2]).tolist(),
        "planes": {name: plane() for name in READOUTS},
    }
    return out | (change or {})


def test_numbers_come_back_within_half_a_step():
    settings = [Setting(), Setting("relu", depth=1)]
    given = {s.key: made(s, k) for k, s in enumerate(settings)}
    header, found = unpack(pack(given.values()))
    assert list(found) == list(given)
    assert header["epochs"] == EPOCHS
    for key, measured in given.items():
        for readout in READOUTS:
            for name, values in measured["planes"][readout].items():
                back = np.moveaxis(found[key][readout][name], -1, -2)
                assert back.shape == np.shape(values)
                assert np.abs(back - values).max() <= 0.5 / STEPS[name] + 1e-9
        assert np.abs(found[key]["test_accuracy"] - measured["test_accuracy"]).max() <= 0.5 / 1000 + 1e-9


def test_files_made_of_packed_settings_are_packed_into_the_same_bytes(tmp_path):
    """So that what a plan lacks can be measured after the folder is gone, and what is there stays as it is."""
    settings = [Setting(), Setting("relu", depth=1)]
    packed = pack(made(s, k) for k, s in enumerate(settings))
    paths = unpack_folder(packed, tmp_path)
    assert [p.stem for p in paths] == [s.key for s in settings]
    assert pack_folder(tmp_path) == packed
    assert read_setting(paths[0], PROTOCOL | {"networks": NETWORKS})["layers"][-1] == "layer6"
    paths[0].write_text(json.dumps(made(settings[0], 9)))
    unpack_folder(packed, tmp_path)
    assert json.loads(paths[0].read_text()) == made(settings[0], 9)


def test_the_same_numbers_give_the_same_bytes():
    assert pack([made(Setting())]) == pack([made(Setting())])


@pytest.mark.parametrize("changed", [{"protocol": PROTOCOL}, {"epochs": [0, 5, 9, 21]}])
def test_runs_of_two_kinds_are_not_put_together(changed):
    with pytest.raises(StoreError, match=f"has another {next(iter(changed))} than tanh-mini-85-true-5"):
        pack([made(Setting()), made(Setting("relu"), change=changed)])


def test_damage_is_told(tmp_path):
    with pytest.raises(StoreError, match="no measured setting was given"):
        pack([])
    with pytest.raises(StoreError, match="holds no measured setting"):
        pack_folder(tmp_path)
    lacking = copy.deepcopy(made(Setting()))
    del lacking["planes"]["exact"]
    with pytest.raises(StoreError, match="damaged"):
        pack([lacking])
    for bad, match in ((float("nan"), "not finite"), (400.0, "does not fit")):
        wrong = copy.deepcopy(made(Setting()))
        wrong["planes"]["exact"]["i_x"][1][2][0] = bad
        with pytest.raises(StoreError, match=match):
            pack([wrong])
    for part in (slice(2), slice(0, None, 2)):
        short = copy.deepcopy(made(Setting()))
        short["planes"]["exact"]["i_x"] = short["planes"]["exact"]["i_x"][part]
        with pytest.raises(StoreError, match=r"shape \[2, 4, 6\] in place of \[3, 4, 6\]"):
            pack([short])
    with pytest.raises(StoreError, match="do not ascend"):
        pack([made(Setting(), change={"epochs": EPOCHS[::-1]})])
    packed = pack([made(Setting())])
    raw = gzip.decompress(packed)
    other = raw.replace(b'"form":1', b'"form":7')
    strange = raw.replace(b'"settings":[{', b'"settings":["x",{')
    strange = (int.from_bytes(raw[:4], "little") + 4).to_bytes(4, "little") + strange[4:]
    for bad in (
        gzip.compress(strange),
        b"",
        b"text",
        packed[:-40],
        gzip.compress(raw[:3]),
        gzip.compress(raw[:-1]),
        gzip.compress(other),
    ):
        with pytest.raises(StoreError, match="cannot be read"):
            unpack(bad)


def test_numbers_that_are_missing_at_the_end_are_told():
    raw = gzip.decompress(pack([made(Setting())]))
    with pytest.raises(StoreError, match=r"hold \d+ numbers, not \d+"):
        unpack(gzip.compress(raw[:-2000]))


def test_a_folder_is_packed_in_the_grids_order(tmp_path):
    for k, setting in enumerate((Setting("relu"), Setting())):
        (tmp_path / f"{setting.key}.json").write_text(json.dumps(made(setting, k)))
    header, _ = unpack(pack_folder(tmp_path))
    assert [s["key"] for s in header["settings"]] == [Setting().key, Setting("relu").key]


def repacked(change):
    """Packed planes whose header was changed."""
    raw = gzip.decompress(pack([made(Setting()), made(Setting("relu"))]))
    size = int.from_bytes(raw[:4], "little")
    header = json.loads(raw[4 : 4 + size])
    change(header)
    head = json.dumps(header).encode()
    return gzip.compress(len(head).to_bytes(4, "little") + head + raw[4 + size :])


def swap(header):
    a, b = header["settings"]
    a["key"], b["key"] = b["key"], a["key"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (swap, "settings have the names of others"),  # the page would show relu as tanh
        (lambda h: h["settings"][0].pop("key"), "'key'"),
        (lambda h: h["steps"].update(i_x=10), "readouts or steps are not those"),
        (lambda h: h.update(readouts=h["readouts"][::-1]), "readouts or steps are not those"),
        (lambda h: h.update(epochs=h["epochs"][::-1]), "the epochs do not ascend"),
        (lambda h: h["protocol"].update(networks=3.0), "networks and layers are not counted"),
        (lambda h: h["protocol"].pop("lr"), "the protocol or the version is not whole"),
        (lambda h: h.pop("version"), "'version'"),
        (lambda h: h["settings"].append(h["settings"][0]), "a setting is there twice"),
    ],
)
def test_a_header_that_contradicts_itself_is_refused(change, match):
    with pytest.raises(StoreError, match=match):
        unpack(repacked(change))


def test_flipped_bits_are_refused():
    packed = pack([made(Setting())])
    for at in range(10, len(packed), max(1, len(packed) // 150)):
        with pytest.raises(StoreError):
            unpack(packed[:at] + bytes([packed[at] ^ 8]) + packed[at + 1 :])
