"""The model, its inputs and the world are exactly as they were, whatever the model does;
and what is recorded stays as it is."""

import random
from collections import deque

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from architectures.models import ZOO
from deeptheory.core.errors import InputError

X = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
Y = np.array([0, 1] * 4)


class Tied(nn.Module):
    """Shows a parameter, a buffer, its input and views of them as if they were activations."""

    def __init__(self):
        super().__init__()
        self.emb, self.id, self.h = nn.Embedding(8, 4), nn.Identity(), nn.Linear(4, 3)
        self.flat, self.part = nn.Flatten(), nn.Identity()
        self.register_buffer("out", torch.zeros(8, 3))
        self.scratch = torch.zeros(8, 4)  # no buffer: nobody puts it back

    def forward(self, x):
        z = self.id(self.emb.weight)
        torch.add(self.h(x), 1, out=self.out)
        self.scratch.copy_(x * z)
        return {"z": z, "view": self.part(z[:, :2]), "x": self.flat(x), "buffer": self.out, "scratch": self.scratch}


@pytest.mark.parametrize("factor", [2.0, -1.0, 0.0])
def test_what_was_recorded_shares_memory_with_nothing(factor):
    model, x = Tied(), X.clone()
    recorder = dt.Recorder(model, x)
    recorder.snapshot(0)
    first = {k: recorder.recording.activations(k, 0).clone() for k in recorder.recording.layers}
    assert set(first) == {f"output.{k}" for k in ("z", "view", "x", "buffer", "scratch")}
    with torch.no_grad():
        assert torch.equal(first["output.buffer"][0], model.h(x) + 1)
        model.emb.weight *= factor
        x *= factor
        model.scratch += 1
    recorder.snapshot(1)
    for name, kept in first.items():
        assert torch.equal(recorder.recording.activations(name, 0), kept), name
    assert torch.equal(recorder.recording.activations("output.z", 1), first["output.z"] * factor)
    assert torch.equal(
        recorder.recording.activations("output.x", 1), first["output.x"]
    )  # the probe is the recorder's own


@pytest.mark.parametrize("kind", [np.array, torch.tensor])
def test_a_recording_changes_neither_with_the_targets_nor_with_what_it_gave(kind):
    y = kind([0, 1] * 4)
    recorder = dt.Recorder(nn.Linear(4, 3), X, y)
    recorder.snapshot(0)
    first = recorder.recording.activations("output", 0)
    kept, targets = first.clone(), recorder.recording.targets.copy()
    first.zero_()
    y[:] = 1
    assert torch.equal(recorder.recording.activations("output", 0), kept)
    assert (recorder.recording.targets == targets).all()


class Careless(nn.Module):
    """Everything that a forward pass may do to what is not its own."""

    def __init__(self):
        super().__init__()
        self.lin, self.bn, self.drop = nn.Linear(4, 4), nn.BatchNorm1d(4, momentum=0.5), nn.Dropout(0.5)
        self.register_buffer("calls", torch.zeros(1))
        self.count, self.history, self.cache, self.seen = 0, [], {}, set()
        self.grad_on = []
        self.table = nn.Embedding(5, 4, max_norm=0.1)  # rewrites its weights
        self.average = nn.Parameter(torch.zeros(4), requires_grad=False)
        self.moved = nn.Parameter(torch.zeros(4), requires_grad=False)
        self.scratch, self.array, self.queue = torch.zeros(4), np.zeros(2), deque(maxlen=2)
        self.nested = {"keys": [torch.zeros(4)]}

    def forward(self, x):
        x -= x.mean(0)
        x /= x.std(0) + 1
        with torch.no_grad():
            self.lin.weight.clamp_(-0.01, 0.01)
            self.average.mul_(0.5).add_(x.mean(0))
            self.moved.data = self.moved.data + 1
            x = x + self.table(torch.zeros(len(x), dtype=torch.long)) + self.scratch + self.nested["keys"][0]
        self.scratch += 1
        self.array += 1
        self.queue.append(x)
        self.nested["keys"][0] += 1
        self.calls += 1
        self.calls = self.calls.clone()
        self.count += 1
        self.history.append(x)
        self.cache[self.count] = x
        self.seen.add(self.count)
        self.latest = x
        self.bn.train()
        np.random.rand(), random.random(), torch.rand(1)  # noqa: NPY002
        return self.drop(torch.relu(self.bn(self.lin(x))))


def state(model, x):
    torch_state, numpy_state = torch.get_rng_state().clone(), np.random.get_state()[1].copy()  # noqa: NPY002
    return {
        "flags": [m.training for m in model.modules()],
        "buffers": {k: v.clone() for k, v in model.named_buffers()},
        "parameters": {k: v.detach().clone() for k, v in model.named_parameters()},
        "gradients": {k: None if p.grad is None else p.grad.clone() for k, p in model.named_parameters()},
        "hooks": [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()],
        "attributes": [sorted(vars(m)) for m in model.modules()],
        "mine": [list(getattr(model, k, ())) for k in ("history", "cache", "seen", "queue")]
        + [getattr(model, "count", 0)],
        "memory": [
            (v.data_ptr(), v.clone()) for v in [*model.parameters(), *model.buffers(), getattr(model, "scratch", X)]
        ],
        "arrays": (getattr(model, "array", Y).copy(), getattr(model, "nested", {"keys": [X]})["keys"][0].clone()),
        "x": (x.clone(), x._version, x.requires_grad),
        "random": (torch_state, numpy_state, random.getstate()),
        "modes": (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()),
        "devices": [p.device for p in model.parameters()],
    }


def same(a, b):
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return bool((a == b).all())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(p, q) for p, q in zip(a, b))
    return a == b


def test_a_large_model_that_rewrites_its_weights_is_named(monkeypatch):
    monkeypatch.setattr("deeptheory.recording.found._COPIED", 10)
    with pytest.raises(InputError, match="rewrote the parameter 'average'"):
        dt.layers(Careless(), X.clone())


class Caching(nn.Module):
    """A buffer or a plain tensor that each forward pass writes into."""

    def __init__(self, kind):
        super().__init__()
        self.lin, self.kind = nn.Linear(4, 1, bias=False), kind
        self.register_buffer("kept", torch.zeros(100))
        self.plain = torch.zeros(100)

    def forward(self, x):
        if self.kind:
            getattr(self, self.kind).add_(1)
        return torch.relu(self.lin(x))


@pytest.mark.parametrize(("kind", "match"), [("kept", "buffer 'kept'"), ("plain", "tensor 'plain'")])
def test_a_large_buffer_that_is_rewritten_is_named(monkeypatch, kind, match):
    x = torch.ones(3, 4)
    for model in (Caching(kind), Caching("")):
        dt.layers(model, x)  # small ones are put back
        assert not model.kept.any()
        assert not model.plain.any()
    monkeypatch.setattr("deeptheory.recording.found._COPIED", 200)
    dt.layers(Caching(""), x)
    with pytest.raises(InputError, match=f"rewrote the {match}"):
        dt.layers(Caching(kind), x)


def test_a_pending_backward_pass_goes_on():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
    loss = model(X).square().sum()
    dt.Recorder(model, X).snapshot(0)
    loss.backward()
    assert model[0].weight.grad is not None


@pytest.mark.parametrize(
    "how", ["snapshot", "batches", "readouts", "preview", "cost", "training", "inference", "no_grad"]
)
@pytest.mark.parametrize("name", ["careless", *ZOO])
def test_everything_is_left_as_found(name, how):
    torch.manual_seed(3)
    model, x = (Careless(), torch.randn(8, 4)) if name == "careless" else ZOO[name]()
    if name == ".pt2" and how in ("batches", "training"):
        pytest.skip("made for one number of samples; takes no train()")
    if how == "training":
        model.train()
    y = np.arange(len(x)) % 2
    for p in list(model.parameters())[:2]:
        p.grad = torch.ones_like(p)
    before = state(model, x)
    if how == "preview":
        dt.layers(model, x)
    else:
        readouts = [dt.Exact(), dt.Binning(4, "unit")] if how == "readouts" else None
        recorder = dt.Recorder(
            model, x, y, readouts=readouts, batch=4 if how in ("batches", "readouts") and name != ".pt2" else None
        )
        with (
            torch.inference_mode()
            if how == "inference"
            else torch.no_grad()
            if how == "no_grad"
            else torch.enable_grad()
        ):
            recorder.cost() if how == "cost" else recorder.snapshot(0)
    after = state(model, x)
    differ = [k for k in before if not same(before[k], after[k])]
    assert not differ
    assert not hasattr(model, "latest")


class FailsLater(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(4, 4)
        self.calls = 0
        self.fail_at = 10**9

    def forward(self, x):
        self.calls += 1
        if x[0, 0] == self.fail_at:
            raise RuntimeError("in the second batch")
        return torch.relu(self.lin(x))


@pytest.mark.parametrize("keep", ["memory", "store", "readouts"])
def test_an_error_in_the_second_batch_leaves_nothing_behind(keep, tmp_path):
    model = FailsLater()
    how = {"store": {"store": tmp_path / "s"}, "readouts": {"readouts": dt.Exact()}}.get(keep, {})
    recorder = dt.Recorder(model, X, Y, batch=2, **how)
    recorder.snapshot(0)
    model.fail_at = float(X[4, 0])
    before = state(model, X)
    with pytest.raises(RuntimeError, match="in the second batch"):
        recorder.snapshot(1)
    assert same(before, state(model, X))
    assert model.calls == 0
    assert recorder.recording.steps == (0,)
    if keep == "store":
        assert sorted(p.name for p in (tmp_path / "s" / "activations").iterdir()) == ["0.json", "0.npy"]
    model.fail_at = 10**9
    recorder.snapshot(1)
    assert recorder.recording.steps == (0, 1)


class Decorated(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(4, 3)

    @torch.inference_mode()
    def forward(self, x):
        return torch.relu_(self.lin(x))


def test_a_forward_pass_in_inference_mode():
    model = Decorated()
    recorder = dt.Recorder(model, X, layers=["lin", "relu"])
    recorder.snapshot(0)
    with torch.no_grad():
        z = model.lin(X)
    assert torch.equal(recorder.recording.activations("lin", 0)[0], z)
    assert torch.equal(recorder.recording.activations("relu", 0)[0], z.relu())
    with torch.inference_mode():
        x = X.clone()
        recorder = dt.Recorder(nn.Sequential(nn.Linear(4, 3), nn.ReLU(inplace=True)), x)
        recorder.snapshot(0)
    recorder.snapshot(1)
    assert torch.equal(recorder.recording.activations("output", 0), recorder.recording.activations("output", 1))


def test_a_large_probe_that_is_changed_in_place_is_told(monkeypatch):
    from deeptheory.recording import inputs

    monkeypatch.setattr(inputs, "_COPIED", 10)
    x = X.clone()
    recorder = dt.Recorder(nn.Linear(4, 2), x)
    recorder.snapshot(0)
    x += 1
    with pytest.raises(InputError, match="changed in place since the Recorder was made"):
        recorder.snapshot(1)
