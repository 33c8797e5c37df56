"""Inputs and targets as people's loops have them."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.recording.inputs import as_targets

X = np.random.default_rng(0).normal(size=(12, 4))
Y = np.array([0, 1, 2] * 4)


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))


class Items(Dataset):
    def __len__(self):
        return 12

    def __getitem__(self, k):
        return X[k].astype(np.float32), Y[k]


class Dicts(Items):
    def __getitem__(self, k):
        return {"x": torch.tensor(X[k], dtype=torch.float32), "labels": int(Y[k])}


class Named(nn.Module):
    def __init__(self):
        super().__init__()
        self.m = model()

    def forward(self, x, mask=None):
        return self.m(x)


WITHOUT = {
    "float64 array": X,
    "float32 array": X.astype(np.float32),
    "tensor": torch.tensor(X, dtype=torch.float32),
    "DataFrame": pd.DataFrame(X, columns=list("abcd")),
    "list of arrays": list(X),
    "list of tensors": [torch.tensor(v, dtype=torch.float32) for v in X],
    "nested lists": X.tolist(),
    "not contiguous": np.asfortranarray(X),
}
WITH = {
    "DataLoader": lambda: DataLoader(
        TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(Y)), batch_size=5
    ),
    "TensorDataset": lambda: TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(Y)),
    "Dataset": Items,
    "DataLoader of a Dataset": lambda: DataLoader(Items(), batch_size=7),
}


def recorded(inputs, targets=None, of=None, **how):
    recorder = dt.Recorder(of or model(), inputs, targets, **how)
    recorder.snapshot(0)
    return recorder.recording


EXPECTED = recorded(torch.tensor(X, dtype=torch.float32)).activations("1", 0)


@pytest.mark.parametrize("name", WITHOUT)
def test_inputs_of_any_form_are_the_same_probe(name):
    r = recorded(WITHOUT[name], Y)
    assert torch.allclose(r.activations("1", 0), EXPECTED, atol=1e-6)
    assert r.inputs == r.distinct == 12


@pytest.mark.parametrize("name", WITH)
def test_loaders_and_datasets_bring_their_targets(name):
    r = recorded(WITH[name](), readouts=dt.Exact())
    assert np.array_equal(r.targets, Y)
    given = recorded(WITH[name](), targets=Y[::-1].copy(), readouts=dt.Exact())
    assert np.array_equal(given.targets, Y[::-1])
    assert torch.allclose(recorded(WITH[name]()).activations("1", 0), EXPECTED, atol=1e-6)


def test_a_dataset_of_dicts_is_keyword_arguments():
    r = recorded(DataLoader(Dicts(), batch_size=5), of=Named())
    assert np.array_equal(r.targets, Y)
    assert torch.allclose(r.activations("m.1", 0), EXPECTED, atol=1e-6)


def test_a_shuffling_loader_is_read_once_and_draws_from_nobody():
    state = torch.get_rng_state()
    recorder = dt.Recorder(model(), DataLoader(Items(), batch_size=5, shuffle=True))
    assert torch.equal(torch.get_rng_state(), state)
    recorder.snapshot(0), recorder.snapshot(1)
    assert torch.equal(recorder.recording.activations("1", 0), recorder.recording.activations("1", 1))


class Nested(nn.Module):
    def __init__(self):
        super().__init__()
        self.m = model()

    def forward(self, x, pair):
        (a, b), scale = pair
        return self.m(x + a + b) * scale["s"]


@pytest.mark.parametrize("batch", [None, 5])
def test_tuples_in_tuples_are_cut_and_cast_together(batch):
    x = torch.tensor(X, dtype=torch.float32)
    r = recorded((x, ((np.zeros((12, 4)), x * 0), {"s": torch.ones(12, 1)})), of=Nested(), batch=batch)
    assert torch.allclose(r.activations("m.1", 0), EXPECTED, atol=1e-6)


@pytest.mark.parametrize(
    "names",
    [
        np.array(["cat", "dog", "eel"]),
        np.array([7, 100_000, 3]),
        np.array([0.0, 1e6, 2.0]),
        np.array(["b", "a", "c"], dtype=object),
    ],
)
def test_what_labels_are_called_does_not_matter(names, tmp_path):
    readouts = [dt.Exact(), dt.Binning(3), dt.GaussianNoise(0.3), dt.Quantized(2), dt.information.ClassStatistics()]
    plain, other = (recorded(X, t, readouts=readouts) for t in (Y, names[Y]))
    for r in readouts:
        a, b = plain.summary(r), other.summary(r)
        assert all(np.allclose(a[k], b[k], atol=1e-12) for k in a.data_vars), r
    assert dt.information_plane(other, readouts[1]).h_y == pytest.approx(np.log2(3))
    other.save(tmp_path / "r")
    assert [str(v) for v in dt.Recording.load(tmp_path / "r").targets] == [str(v) for v in other.targets]
    series = recorded(X, pd.Series(names[Y]), readouts=dt.Exact())
    assert series.summary(dt.Exact()).identical(other.summary(dt.Exact()))
    column = recorded(X, names[Y][:, None], readouts=dt.Exact())
    assert column.summary(dt.Exact()).identical(other.summary(dt.Exact()))


@pytest.mark.parametrize(
    ("inputs", "targets", "match"),
    [
        (["a sentence", "another"], None, "needed: numbers .turn text into tokens first"),
        ([torch.zeros(3), torch.zeros(4)], None, "tensors of 2 shapes, .*pad or resize"),
        ([np.zeros(3), np.zeros(4)], None, "do not stack into one array"),
        (pd.DataFrame({"a": ["x", "y"]}), None, "inputs hold str; needed: numbers"),
        (DataLoader(TensorDataset(torch.zeros(0, 4))), None, "the loader or dataset is empty"),
        (X, ["a", None, *"bcdefghijk"], r"targets hold None \(1 of 12\)"),
        (X, 3, "targets have no rows, inputs 12"),
        (None, None, "inputs hold NoneType|inputs hold no sample"),
    ],
)
def test_what_cannot_be_a_probe_is_told(inputs, targets, match):
    with pytest.raises(InputError, match=match):
        dt.Recorder(model(), inputs, targets)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: dt.Recorder(model(), X, Y, readouts=dt.Exact), "Exact is a class; hand over a readout made from it"),
        (lambda: dt.Recorder(model(), X, batch=2.5), "batch is 2.5; needed: an integer"),
        (lambda: dt.Recorder(model(), X, batch="8"), "batch is '8'; needed: an integer"),
        (lambda: dt.Recorder(model(), X, seed="a"), "seed is 'a'; needed: an integer"),
        (lambda: dt.Recorder(model(), X).snapshot(1.5), "step is 1.5; needed: an integer"),
        (lambda: dt.Recorder(model(), X).snapshot("3"), "step is '3'; needed: an integer"),
        (lambda: dt.Recorder(model(), X).snapshot(float("nan")), "step is nan; needed: an integer"),
        (
            lambda: recorded(torch.tensor(X)),
            "model .float32. does not take these inputs .float64.: .*Double and Float; convert one of them",
        ),
        (lambda: dt.Recorder(model(), X, np.ma.array(Y, mask=Y == 1)), "targets mask 4 values"),
        (lambda: dt.Recorder(model(), X, pd.Series(Y.astype(str), dtype="string").mask(Y == 1)), "targets hold <NA>"),
        (lambda: recorded(X, np.where(Y == 1, np.nan, Y), readouts=dt.Exact()), "4 of 12 are missing"),
    ],
)
def test_wrong_use_is_told(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_a_model_without_memory_can_be_previewed():
    meta = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).to("meta")
    table = dt.layers(meta, torch.zeros(7, 4, device="meta")).table()
    assert table["shape"].tolist() == [(7, 5), (7, 5), (7, 3), (7, 3)]
    assert table.kept.tolist() == [False, True, False, True]


def test_the_recorder_shows_itself():
    recorder = dt.Recorder(model(), X, Y, readouts=[dt.Exact(), dt.Binning(3)])
    assert (
        repr(recorder) == "Recorder(Sequential, 12 inputs, default layers, summaries of Exact(), Binning(3, 'layer'); "
        "0 steps recorded)"
    )


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ([np.int64(3), 1.5], "f"),
        ([Decimal("1.5"), 2], "f"),
        ([True, False], "f"),
        (["a", 1], "U"),
        ([b"3", 1], "U"),
        ([date(2020, 1, 2), date(2020, 1, 3)], "U"),
    ],
)
def test_targets_of_any_objects_are_numbers_or_names(given, kind):
    """Numbers of whatever type stay numbers, for a Recorder and for inspect alike; what else there is, is named."""
    got = as_targets(np.array(given, dtype=object))
    assert got.dtype.kind == kind
    assert len(set(got.tolist())) == 2


@pytest.mark.parametrize(
    "missing",
    [
        np.where(np.arange(6) > 3, np.nan, 0.0),
        torch.tensor([0.0, 1.0, 0.0, 1.0, 0.0, torch.nan]),
        pd.Series([0.0, 1.0, 0.0, 1.0, 0.0, None]),
        np.full((6, 2), np.nan),
        np.array(["2020-01-01"] * 5 + ["NaT"], dtype="M8[D]"),
    ],
)
def test_missing_numbers_are_no_class(missing):
    with pytest.raises(InputError, match=r"targets hold (nan|NaT) \(\d+ of \d+ are missing\); leave out"):
        dt.Recorder(nn.Linear(3, 2), np.zeros((6, 3)), missing)


def test_integers_beyond_float64_stay_apart():
    big = [2**60 + k for k in range(3)]
    assert len(np.unique(as_targets(np.array(big, dtype=object)))) == 3
    assert len(np.unique(as_targets([2**70 + k for k in range(3)]))) == 3
    assert as_targets(np.array([1, 2.5, True], dtype=object)).dtype == np.float64


def test_inputs_beyond_the_model_s_dtype_are_refused():
    with pytest.raises(InputError, match=r"inputs reach 1e\+39, and the model's float32 ends at 3.4e\+38"):
        dt.Recorder(nn.Linear(3, 2), np.full((6, 3), 1e39))
    assert dt.Recorder(nn.Linear(3, 2), np.full((6, 3), np.inf)).inputs.isinf().all()


class Pairs(Dataset):
    """Items ((x, x), y), ({"input": x}, y), or x of several lengths."""

    def __init__(self, kind):
        self.kind = kind

    def __len__(self):
        return 6

    def __getitem__(self, i):
        x = torch.arange(3.0) + i
        return {"pair": ((x, 2 * x), i % 2), "dict": ({"input": x}, i % 2), "ragged": (torch.zeros(i // 3 + 1), 0)}[
            self.kind
        ]


@pytest.mark.parametrize("batch", [1, 2, 6])
def test_nested_items_of_a_loader_are_arguments(batch):
    x = torch.arange(3.0) + torch.arange(6)[:, None]
    pair, named = (dt.Recorder(nn.ReLU(), DataLoader(Pairs(k), batch_size=batch)).inputs for k in ("pair", "dict"))
    assert torch.equal(pair[0], x)
    assert torch.equal(pair[1], 2 * x)
    assert torch.equal(named["input"], x)


def test_batches_of_several_lengths_are_told():
    with pytest.raises(InputError, match="the loader's batches do not join into one"):
        dt.Recorder(nn.ReLU(), DataLoader(Pairs("ragged"), batch_size=3))


def test_targets_of_their_own_need_a_loader_in_order():
    x, y = torch.arange(8.0)[:, None], torch.arange(8)
    model = nn.Linear(1, 2)
    with pytest.raises(InputError, match="the loader shuffles"):
        dt.Recorder(model, DataLoader(TensorDataset(x), batch_size=4, shuffle=True), y)
    dt.Recorder(model, DataLoader(TensorDataset(x), batch_size=4), y)
    dt.Recorder(model, DataLoader(TensorDataset(x, y), batch_size=4, shuffle=True))
