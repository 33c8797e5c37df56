"""dt.inspect: the model as found, the same numbers after a kill, checkpoints, budgets, and what is refused."""

import json
import math
import random

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError, StoreError
from deeptheory.inspection import Instrument, Quantity, Reading
from deeptheory.inspection.cost import seconds_of
from deeptheory.inspection.progress import Progress


def net(seed=0, norm=True):
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(6, 12), nn.BatchNorm1d(12) if norm else nn.Identity(), nn.ReLU(), nn.Dropout(0.5), nn.Linear(12, 3)
    )


def probe(n=60, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 6)).astype(np.float32), rng.integers(0, 3, n)


def seen_by(context):
    """The share of samples of the commonest class, a number that labels make."""
    y = context.targets
    counts = [float(torch.bincount(y[:, k]).max()) / context.n for k in range(y.shape[1])]
    return {"": [Reading(quantity="share", value=counts[0], permuted=tuple(counts[1:]))]}


SHARE = Instrument(
    name="share",
    title="Share",
    question="Which class is commonest?",
    source="counting",
    limits=("Nothing about the model.",),
    quantities=(Quantity(name="share", title="Share of the commonest class"),),
    needs="classes",
    run=seen_by,
)


def test_the_model_and_every_random_state_are_as_before():
    model, (x, y) = net().train(), probe()
    model[1].running_mean.fill_(0.3)
    model[4].weight.requires_grad_(False)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    flags = [m.training for m in model.modules()]
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    dt.inspect(model, x, y, instruments=["health", SHARE], twins=2, permutations=3, progress=False)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert [m.training for m in model.modules()] == flags
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert [p.requires_grad for p in model.parameters()] == [True, True, True, True, False, True]
    assert all(p.grad is None for p in model.parameters())
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert (states[2] == np.random.get_state()[1]).all()  # noqa: NPY002


def test_a_forward_pass_that_fails_leaves_no_hook():
    class Bad(nn.Module):
        calls = 0

        def __init__(self):
            super().__init__()
            self.inner = net()

        def forward(self, x):
            Bad.calls += 1
            if Bad.calls > 12:
                raise RuntimeError("no second batch")
            return self.inner(x)

    model = Bad().train()
    with pytest.raises(RuntimeError, match="no second batch"):
        dt.inspect(model, probe()[0], batch=10, progress=False)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert all(m.training for m in model.modules())


def test_a_killed_run_goes_on_and_gives_the_same(tmp_path):
    model, (x, y) = net(), probe()
    whole = dt.inspect(model, x, y, instruments=["health", SHARE], out=tmp_path / "whole", twins=3, progress=False)

    def kill(fraction, left):
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dt.inspect(model, x, y, instruments=["health", SHARE], out=tmp_path / "killed", twins=3, progress=kill)
    done = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "killed" / "steps").iterdir()}
    assert 0 < len(done) < 8
    assert not (tmp_path / "killed" / "report.html").exists()
    again = dt.inspect(model, x, y, instruments=["health", SHARE], out=tmp_path / "killed", twins=3, progress=False)
    for name, at in done.items():
        assert (tmp_path / "killed" / "steps" / name).stat().st_mtime_ns == at
    assert again.table().equals(whole.table())


def test_a_folder_of_another_model_is_not_taken_up(tmp_path):
    x, y = probe()
    dt.inspect(net(0), x, y, instruments="health", out=tmp_path / "run", twins=1, progress=False)
    with pytest.raises(StoreError, match="holds a run with setting weights"):
        dt.inspect(net(1), x, y, instruments="health", out=tmp_path / "run", twins=1, progress=False)
    with pytest.raises(StoreError, match="holds a run with setting probe"):
        dt.inspect(net(0), x + 1, y, instruments="health", out=tmp_path / "run", twins=1, progress=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="is a file; name a folder"):
        dt.inspect(net(0), x, y, instruments="health", out=tmp_path / "file", twins=1, progress=False)


def test_the_same_seed_gives_the_same_and_another_seed_other_twins():
    model, (x, y) = net(), probe()
    a, b, c = (
        dt.inspect(model, x, y, instruments="health", twins=2, seed=s, progress=False).table() for s in (0, 0, 1)
    )
    assert a.equals(b)
    assert a["value"].equals(c["value"])
    assert not a["twin_mean"].equals(c["twin_mean"])


def test_twins_and_permutations_are_as_many_as_asked_for():
    model, (x, y) = net(), probe()
    found = dt.inspect(model, x, y, instruments=["health", SHARE], twins=3, permutations=7, progress=False)
    share = found.results["share"].at("", "share")
    assert len(share.permuted) == 7
    assert set(share.permuted) == {share.value}  # permuting labels moves none between classes
    assert {len(r.twins) for r in found.results["health"].rows} == {3}
    data = found.dataset()
    assert data.health_rank_twins.sizes == {"checkpoint": 1, "layer": 3, "twin": 3}
    assert found.scalars()["health/rank/output"] == found.results["health"].at("output", "rank").value
    assert len(found.figure().data) > 0
    assert "Inspection(Sequential: health, share" in repr(found)
    assert "<ol>" in found._repr_html_()


def test_checkpoints_are_measured_side_by_side(tmp_path):
    model, (x, y) = net(), probe()
    torch.save({"model": net(5).state_dict()}, tmp_path / "early.pt")
    found = dt.inspect(
        model,
        x,
        y,
        instruments="health",
        checkpoints={"early": tmp_path / "early.pt", "late": net(6)},
        twins=1,
        progress=False,
    )
    alone = [
        dt.inspect(net(k), x, y, instruments="health", twins=0, progress=False).results["health"].at("2", "rank").value
        for k in (5, 6)
    ]
    rank = found.results["health"]
    assert [rank.at("2", "rank", c).value for c in ("early", "late")] == alone
    assert rank.at("2", "rank").value == alone[1]
    assert list(found.dataset().checkpoint.values) == ["early", "late"]
    with pytest.raises(InputError, match="unknown checkpoint 'x'"):
        rank.at("2", "rank", "x")
    with pytest.raises(InputError, match=r"checkpoint 'a' does not fit the model.*"):
        dt.inspect(
            model, x, y, instruments="health", checkpoints={"a": {"nothing": torch.ones(1)}}, twins=0, progress=False
        )
    with pytest.raises(InputError, match="checkpoints hold none"):
        dt.inspect(model, x, y, instruments="health", checkpoints=[], progress=False)


def test_what_feeds_the_head_is_named_for_people():
    x, y = probe()
    found = dt.inspect(net(), x, y, instruments="health", layers="output", twins=0, progress=False)
    layer = next(m for m in found.measured if m["role"] == "head input")
    assert layer["name"] == "input of 4"
    assert layer["label"] == "input of the head (4 Linear)"
    assert found.facts["head"] == "4 (Linear), whose input is a layer of its own"
    found = dt.inspect(net(), x, y, instruments="health", twins=0, progress=False)
    assert found.facts["head"] == "4 (Linear), whose input is 2 ReLU"


@pytest.mark.parametrize("size", [1, 1e-8, 1e-20, 1e8])
def test_the_head_reads_the_last_layer_at_any_size_of_activations(size):
    """Of activations of 1e-8 any two layers were alike to 1e-6, and the first was named."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(6, 8, bias=False), nn.ReLU(), nn.Linear(8, 8, bias=False), nn.ReLU(), nn.Linear(8, 3)
    )
    with torch.no_grad():
        model[0].weight.mul_(size)
    x, y = torch.randn(60, 6), torch.arange(60) % 3
    found = dt.inspect(model, x, y, instruments="health", twins=0, progress=False)
    assert found.facts["head"] == "4 (Linear), whose input is 3 ReLU"


def test_what_needs_labels_says_so_and_the_rest_runs():
    model, (x, y) = net(), probe()
    for targets, why in (
        (None, "none were given"),
        (y * 0, "all samples are of one"),
        (y + 0.5 + np.arange(60), "the targets are numbers"),
    ):
        found = dt.inspect(model, x, targets, instruments=["health", SHARE], twins=0, progress=False)
        assert why in found.refused["share"]
        assert list(found.results) == ["health"]
    with pytest.raises(InputError, match="nothing can be run: share: it needs targets"):
        dt.inspect(model, x, None, instruments=SHARE, progress=False)


def test_a_budget_leaves_out_what_does_not_fit():
    slow = Instrument(
        **{
            **vars(SHARE),
            "name": "slow",
            "needs": "nothing",
            "cost": lambda c: dt.inspection.Passes(backward=1e6),
            "gradients": True,
        }
    )
    model, (x, y) = net(), probe()
    found = dt.inspect(model, x, y, instruments=["health", slow], budget="10min", twins=0, progress=False)
    assert "did not fit the budget of 600 s" in found.refused["slow"]
    assert list(found.results) == ["health"]
    with pytest.raises(InputError, match="no instrument fits a budget of 1e-05 s"):
        dt.inspect(model, x, y, instruments="health", budget=1e-5, progress=False)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2min", 120), ("30s", 30), ("1.5 h", 5400), (7, 7), ("90", 90), (None, None)]
)
def test_budgets_are_read(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["soon", "0", "-3s", "nan", "", True, "inf"])
def test_other_budgets_are_refused(text):
    with pytest.raises(InputError, match="budget is"):
        seconds_of(text)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"split": "validation"}, "split is 'validation'"),
        ({"twins": -1}, "twins is -1"),
        ({"first": 0}, "first is 0"),
        ({"first": "50"}, "first is '50'; needed: an integer"),
        ({"instruments": "healt"}, "did you mean health"),
        ({"instruments": [3]}, "instruments hold a int"),
        ({"instruments": ["health", "health"]}, "hold a name twice"),
        ({"skip": ["health", "nonsense"], "instruments": "health"}, "unknown instrument to skip 'nonsense'"),
        ({"skip": ["health"], "instruments": "health"}, "no instrument is left"),
        ({"task": "guess"}, "task is 'guess'"),
        ({"permutations": -1}, "permutations is -1"),
        ({"permutations": 1.5}, "permutations is 1.5; needed: an integer"),
        ({"twins": "2"}, "twins is '2'"),
        ({"batch": "all"}, "batch is 'all'"),
        ({"skip": "healt"}, "unknown instrument to skip 'healt'"),
        ({"dtype": "int8"}, "dtype is 'int8'"),
        ({"device": "nowhere"}, "device is 'nowhere'"),
        ({"layers": "nothing"}, "unknown layer 'nothing'"),
    ],
)
def test_wrong_use_is_told(options, match):
    x, y = probe()
    with pytest.raises(InputError, match=match):
        dt.inspect(net(), x, y, progress=False, **options)


@pytest.mark.parametrize("first", [50, None])
def test_labels_under_a_mask_are_not_read(first):
    x, y = probe()
    with pytest.raises(InputError, match="1 masked values|targets mask 1 values"):
        dt.inspect(net(), x, np.ma.array(y, mask=np.arange(len(y)) == 3), progress=False, first=first)


def test_a_population_is_many_networks():
    nets = dt.networks.Population.mlp([6, 5, 3], seeds=range(2))
    with pytest.raises(InputError, match=r"inspect one network of it: population\.network\(0\)"):
        dt.inspect(nets, probe()[0], progress=False)


def test_an_instrument_must_be_whole():
    with pytest.raises(InputError, match="needs start= .* or run="):
        Instrument(**{**vars(SHARE), "run": None})
    with pytest.raises(InputError, match="has no quantities or no limits"):
        Instrument(**{**vars(SHARE), "limits": ()})
    with pytest.raises(InputError, match="needs is 'labels'"):
        Instrument(**{**vars(SHARE), "needs": "labels"})
    with pytest.raises(InputError, match="NaN without a note"):
        Reading(quantity="q", value=math.nan)
    with pytest.raises(InputError, match="is reversed"):
        Reading(quantity="q", value=1.0, low=2.0, high=0.0)
    twice = Instrument(**{**vars(SHARE), "run": lambda c: {"": seen_by(c)[""] * 2}})
    with pytest.raises(InputError, match="twice, or at no layer"):
        dt.inspect(net(), *probe(), instruments=twice, twins=0, progress=False)
    other = Instrument(**{**vars(SHARE), "run": lambda c: {"": [Reading(quantity="other", value=1.0)]}})
    with pytest.raises(InputError, match="unknown quantity of share 'other'"):
        dt.inspect(net(), *probe(), instruments=other, twins=0, progress=False)


def test_an_instrument_that_raises_takes_no_other_with_it(tmp_path):
    class Sums:
        def __init__(self, layer, context):
            self.n = 0

        def update(self, batch):
            self.n += 1 / 0 if batch.activations.shape[1] == 12 else 1

        def result(self):
            return [Reading(quantity="share", value=1.0)]

    bad = Instrument(**{**vars(SHARE), "name": "bad", "run": None, "start": Sums})
    worse = Instrument(**{**vars(SHARE), "name": "worse", "run": lambda context: [][1]})
    found = dt.inspect(
        net(), *probe(), instruments=["health", bad, worse, SHARE], out=tmp_path, twins=1, progress=False
    )
    assert list(found.results) == ["health", "share"]
    assert found.refused["bad"] == "it failed (ZeroDivisionError: division by zero)"
    assert found.refused["worse"].startswith("it failed (IndexError")
    alone = dt.inspect(net(), *probe(), instruments="health", twins=1, progress=False)
    assert found.results["health"].table().equals(alone.results["health"].table())
    assert "it failed (ZeroDivisionError" in (tmp_path / "report.html").read_text()
    with pytest.raises(InputError, match="no instrument could be run: bad: it failed"):
        dt.inspect(net(), *probe(), instruments=bad, twins=0, progress=False)


def test_progress_ends_at_one_and_counts_down():
    told = []
    dt.inspect(
        net(), *probe(), instruments="health", twins=2, batch=20, progress=lambda f, left: told.append((f, left))
    )
    assert told[-1][0] == pytest.approx(1)
    assert [f for f, _ in told] == sorted(f for f, _ in told)
    assert told[-1][1] == pytest.approx(0, abs=1e-6)


def test_lines_say_what_is_left(capsys, monkeypatch):
    monkeypatch.setattr("deeptheory.inspection.progress._EVERY", 0.0)
    p = Progress(None, {"model.streams": 10.0, "twin-0.streams": 10.0})
    p.begin("model.streams", 2)
    p.batch()
    assert "inspect: 25% (model.streams), about" in capsys.readouterr().err


def test_the_document_is_json_and_says_the_cost(tmp_path):
    x, y = probe()
    found = dt.inspect(net(), x, y, instruments=["health", SHARE], out=tmp_path, twins=2, split="test", progress=False)
    kept = json.loads((tmp_path / "inspection.json").read_text())
    assert kept["facts"]["split"] == "test"
    assert kept["facts"]["spent_seconds"] > 0
    assert {p["name"] for p in kept["facts"]["promised"]} == {"shared pass", "health", "share"}
    assert kept["facts"]["checksum"] == found.facts["checksum"]
    assert len((tmp_path / "inspection.csv").read_text().splitlines()) == 1 + len(found.table())


def test_bfloat16_and_integers_and_dicts_are_taken():
    x, y = probe()
    half = dt.inspect(net(), x, y, instruments="health", dtype="bfloat16", twins=1, progress=False)
    assert half.facts["dtype"] == "bfloat16"
    assert half.results["health"].at("output", "rank").value == pytest.approx(
        dt.inspect(net(), x, y, instruments="health", twins=0, progress=False)
        .results["health"]
        .at("output", "rank")
        .value,
        rel=0.1,
    )

    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.act, self.head = nn.Embedding(9, 8), nn.GELU(), nn.Linear(8, 2)

        def forward(self, ids, attention_mask):
            h = self.act(self.table(ids))
            return self.head((h * attention_mask[..., None]).sum(1) / attention_mask.sum(1, keepdim=True))

    torch.manual_seed(0)
    mask = torch.ones(30, 5, dtype=torch.long)
    mask[:, 3:] = 0
    ids = torch.randint(0, 9, (30, 5))
    found = dt.inspect(Tokens(), {"ids": ids, "attention_mask": mask}, twins=1, progress=False, instruments="health")
    layer = next(m for m in found.measured if m["name"] == "act")
    assert layer["pooling"] == "mean over 5 tokens without padding"
    padded = ids.clone()
    padded[:, 3:] = 0  # what stands in the padding moves nothing
    torch.manual_seed(0)
    model = Tokens()
    a, b = (
        dt.inspect(model, {"ids": i, "attention_mask": mask}, twins=0, progress=False, instruments="health")
        .results["health"]
        .at("act", "rank")
        for i in (ids, padded)
    )
    assert a.value == b.value
