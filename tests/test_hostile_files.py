"""Files that tools/fuzz.py found to end in an error of somebody else's: each is refused by name now."""

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.cli.arrays import read_array
from deeptheory.core.errors import DeeptheoryError, InputError, StoreError
from deeptheory.datasets.images.face_folder import _landmarks
from deeptheory.datasets.images.mnist import read_idx
from deeptheory.datasets.macaque import it_neurons
from deeptheory.inspection.model_sources import Source
from deeptheory.inspection.probe_sources import READERS
from deeptheory.recording.steps import read_layer


def npy() -> bytes:
    out = io.BytesIO()
    np.save(out, np.arange(6.0))
    return out.getvalue()


def archive(member: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as made:
        made.writestr("a.npy", member)
    return out.getvalue()


def changed(whole: bytes, at: int, to: bytes) -> bytes:
    return whole[:at] + to + whole[at + len(to) :]


BROKEN_NPY = {
    "a header without its end": npy().replace(b"}", b"(", 1),
    "a shape of 2^62": npy().replace(b"(6,)", b"(4611686018427387904,)").replace(b" " * 18 + b"\n", b"\n"),
    "no bytes after its header": npy()[:-48],
    "nothing": b"",
}
GOOD = archive(npy())
BROKEN_NPZ = {
    "no magic in a member": changed(GOOD, 0, b"XX"),
    "no magic in the directory": changed(GOOD, GOOD.rindex(b"PK\1\2"), b"XX"),
    "a compression that nobody has": changed(changed(GOOD, 8, b"\x63"), GOOD.rindex(b"PK\1\2") + 10, b"\x63"),
    "damaged packing": changed(GOOD, 40, b"\xff" * 8),
    "an .npy without its end": archive(BROKEN_NPY["a header without its end"]),
    "an array of objects": archive(b"\x80\x04N."),
}


@pytest.mark.parametrize("raw", BROKEN_NPY.values(), ids=BROKEN_NPY)
def test_a_broken_npy_is_refused_by_every_reader(tmp_path, raw):
    path = tmp_path / "x.npy"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=r"x\.npy"):
        read_array(path)
    source = Source(model=torch.nn.Linear(2, 2), title="", said="")
    with pytest.raises(InputError, match=r"x\.npy"):
        READERS[".npy"](path, None, source)
    np.save(tmp_path / "good.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"x\.npy"):
        READERS[".npy"](tmp_path / "good.npy", str(path), source)


@pytest.mark.parametrize("raw", BROKEN_NPZ.values(), ids=BROKEN_NPZ)
def test_a_broken_npz_is_refused_by_every_reader(tmp_path, raw):
    path = tmp_path / "landmarks.npz"
    path.write_bytes(raw)
    source = Source(model=torch.nn.Linear(2, 2), title="", said="")
    readers = [read_array, lambda p: READERS[".npz"](p, None, source), it_neurons, lambda p: _landmarks(p.parent)]
    for read in readers:
        with pytest.raises(DeeptheoryError, match=r"landmarks\.npz"):
            read(path)


def test_a_mat_file_that_ends_early_or_promises_too_much_is_refused(tmp_path):
    from scipy.io import savemat

    path = tmp_path / "x.mat"
    savemat(path, {"a": np.arange(6.0)})
    whole = path.read_bytes()
    huge = changed(whole, 160, b"\xff\xff\xff\x7f" * 2)
    for raw in (whole[:135], whole[:150], huge, changed(whole, 124, b"\xff" * 4)):
        path.write_bytes(raw)
        with pytest.raises(InputError, match=r"x\.mat"):
            read_array(path)


def test_no_more_of_a_packed_idx_is_unpacked_than_its_header_promises(tmp_path, monkeypatch):
    path = tmp_path / "x-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 5]) + bytes(1 << 26)))
    unpacked = 0
    read = gzip.GzipFile.read

    def counted(self, size=-1):
        nonlocal unpacked
        got = read(self, size)
        unpacked += len(got)
        return got

    monkeypatch.setattr(gzip.GzipFile, "read", counted)
    with pytest.raises(StoreError, match=r"holds more bytes, its header promises \[5\]"):
        read_idx(path)
    assert 0 < unpacked < 100


def test_an_idx_whose_sizes_have_no_end_is_refused(tmp_path):
    path = tmp_path / "x-idx3-ubyte"
    path.write_bytes(bytes([0, 0, 8, 255]) + b"\xff" * 1020 + bytes(10))
    with pytest.raises(StoreError, match="says it has 255 axes; it is damaged"):
        read_idx(path)


STEPS = [{}, {"f": 3}, {"f": {}}, {"f": {"start": "0"}}, {"f": {"start": 0, "stop": 8, "dtype": "no"}}]


@pytest.mark.parametrize("said", STEPS)
def test_a_stored_step_whose_words_are_damaged_is_refused(tmp_path, said):
    (tmp_path / "0.json").write_text(json.dumps({"layers": said or {"g": {}}}))
    np.save(tmp_path / "0.npy", np.zeros(8))
    with pytest.raises(StoreError, match="cannot be read|has layers"):
        read_layer(tmp_path, 0, "f", tuple(said) or ("f",))


@pytest.mark.parametrize("said", [[], {"schema": 2}, {"schema": 2, "seeds": 3, "layers": ["a"]}])
def test_a_recording_whose_words_are_damaged_is_refused(tmp_path, said):
    (tmp_path / "recording.json").write_text(json.dumps(said))
    with pytest.raises(StoreError, match="has schema|is damaged in"):
        dt.Recording.load(tmp_path)


def test_a_recording_without_one_of_its_words_is_refused(tmp_path):
    kept = dt.Recording([0], np.arange(2), inputs=2)
    kept.add(0, {"a": torch.zeros(1, 2, 1)})
    kept.save(tmp_path / "r")
    path = tmp_path / "r" / "recording.json"
    whole = json.loads(path.read_text())
    for name in whole.keys() - {"targets"}:
        path.write_text(json.dumps({k: v for k, v in whole.items() if k != name}))
        with pytest.raises(StoreError, match=f"is damaged in {name}|has schema None"):
            dt.Recording.load(tmp_path / "r")


def test_a_checkpoint_whose_mark_is_no_table_is_refused(tmp_path):
    from deeptheory.networks.checkpoint_folder import MARK, _read_mark

    (tmp_path / MARK).write_text("[1]")
    with pytest.raises(ValueError, match="holds a list"):
        _read_mark(tmp_path, {"lr": 1})


def test_a_face_space_whose_words_are_damaged_is_refused(tmp_path):
    images, landmarks, _ = dt.faces.ProceduralFaces(size=16).sample(4, 0)
    dt.faces.FaceSpace.fit(images, landmarks, shape=1, appearance=1).save(tmp_path / "s")
    path = tmp_path / "s" / "space.json"
    whole = json.loads(path.read_text())
    for name, other in (("frame", [16, 16]), ("frame", "16"), ("flat", 1), ("normalize", "no"), ("noise", "a")):
        path.write_text(json.dumps(whole | {name: other}))
        with pytest.raises(StoreError, match=f"space.json is damaged in .*{name}"):
            dt.faces.FaceSpace.load(tmp_path / "s")


def test_a_checkpoint_whose_losses_are_damaged_is_refused(tmp_path):
    def pair(step, generator):
        return torch.ones(3, 2), torch.ones(3, 1)

    def square(module, batch):
        return (module(batch[0]) - batch[1]).square().mean()

    def go():
        net = dt.networks.seeded(lambda: torch.nn.Linear(2, 1), 0)
        return dt.networks.train(net, pair, square, steps=2, checkpoint=tmp_path / "kept")

    go()
    path = tmp_path / "kept" / "losses.npy"
    path.write_bytes(path.read_bytes().replace(b"}", b"(", 1))
    with pytest.raises(StoreError, match=r"checkpoint kept is corrupt \(losses.npy"):
        go()


def test_every_file_of_a_run_can_be_cut_anywhere(tmp_path):
    from deeptheory.runs import Ledger
    from deeptheory.runs.record import read_record

    kept = Path(__file__).parents[1] / "docs" / "ledgers" / "runs" / "saxe-2018"
    text = (kept / "run.json").read_text()
    for at in range(0, len(text) - 1, 37):
        (tmp_path / "run.json").write_text(text[:at])
        with pytest.raises(StoreError):
            read_record(tmp_path)
    (tmp_path / "run.json").write_text(text)
    rows = json.loads((kept / "claims.json").read_text())[:1]
    text = json.dumps(rows)
    for at in range(0, len(text) - 1, 37):
        (tmp_path / "claims.json").write_text(text[:at])
        with pytest.raises(StoreError):
            Ledger.load(tmp_path)


@pytest.mark.parametrize("data", ['[{"type../": "scatter", "x": [1]}]', '[{"type": "sca"}]', "[1]", '{"x": 1}'])
def test_a_figure_that_plotly_stumbles_over_is_refused(tmp_path, data):
    from deeptheory.runs import read_figure

    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "f.json").write_text(f'{{"figure": {{"data": {data}, "layout": {{}}}}}}')
    with pytest.raises(StoreError, match=r"figures/f\.json is damaged"):
        read_figure(tmp_path, "f")


@pytest.mark.parametrize("digits", [400, 5000])
def test_an_integer_beyond_every_number_is_refused(tmp_path, digits):
    path = tmp_path / "x.csv"
    for cell in ("9" * digits, "-" + "9" * digits, "0." + "3" * digits):
        path.write_text(f"1.5,{cell}\n2.5,3\n")
        if cell[0] == "0" and digits < 1000:
            assert read_array(path).shape == (2, 2)
            continue
        with pytest.raises(InputError, match="beyond float64|characters, "):
            read_array(path)
