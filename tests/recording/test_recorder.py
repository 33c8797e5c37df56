"""Every trap of looking into a model while it runs, each a test that fails without its mend."""

import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import deeptheory as dt
from deeptheory.core.errors import InputError

X = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))
Y = np.array([0, 1] * 4)


class Functional(nn.Module):
    """torch.relu twice, no module for it."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 2)

    def forward(self, x):
        h = torch.relu(self.a(x))
        return self.c(F.relu(self.b(h)))


class Reused(nn.Module):
    """One nn.ReLU, called twice."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.act = nn.Linear(4, 5), nn.Linear(5, 6), nn.ReLU()

    def forward(self, x):
        return self.act(self.b(self.act(self.a(x))))


def record(model, x=X, **kwargs):
    recorder = dt.Recorder(model, x, **kwargs)
    recorder.snapshot(0)
    return recorder.recording


def test_functional_activations_are_seen():
    model = Functional()
    recording = record(model)
    assert recording.layers == ("relu", "relu#2", "output")
    h = torch.relu(model.a(X))
    assert torch.equal(recording.activations("relu", 0)[0], h.detach())
    assert torch.equal(recording.activations("relu#2", 0)[0], torch.relu(model.b(h)).detach())


def test_a_reused_module_is_two_activations():
    model = Reused()
    recording = record(model)
    assert recording.layers == ("act", "output")  # the second call of act is the model's output
    both = record(model, layers=["act", "act#2"])
    h = torch.relu(model.a(X)).detach()
    assert torch.equal(both.activations("act", 0)[0], h)
    assert torch.equal(both.activations("act#2", 0)[0], torch.relu(model.b(h)).detach())


def test_an_in_place_activation_does_not_rewrite_what_was_recorded():
    model = nn.Sequential(nn.Linear(4, 5), nn.ReLU(inplace=True), nn.Linear(5, 2))
    recording = record(model, layers=["0", "1"])
    before = model[0](X).detach()
    assert (before < 0).any()
    assert torch.equal(recording.activations("0", 0)[0], before)
    assert torch.equal(recording.activations("1", 0)[0], before.relu())


def test_what_is_recorded_does_not_change_when_training_goes_on():
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh())
    recorder = dt.Recorder(model, X)
    recorder.snapshot(0)
    kept = recorder.recording.activations("output", 0).clone()
    with torch.no_grad():
        model[0].weight.add_(1)
    recorder.snapshot(1)
    assert torch.equal(recorder.recording.activations("output", 0), kept)
    assert not torch.equal(recorder.recording.activations("output", 1), kept)


def test_a_compiled_model_shows_its_layers_even_after_its_first_call():
    model = Functional()
    compiled = torch.compile(model, backend="eager")
    compiled(X)
    recorder = dt.Recorder(compiled, X)
    recorder.snapshot(0)
    compiled(X)
    recorder.snapshot(1)
    assert recorder.recording.layers == ("relu", "relu#2", "output")
    assert torch.equal(recorder.recording.activations("relu", 1)[0], torch.relu(model.a(X)).detach())


def test_a_compiled_part_of_a_model_shows_its_layers():
    model = nn.Sequential(nn.Linear(4, 4), torch.compile(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), backend="eager"))
    with torch.no_grad():
        want = model(X)
    recording = record(model, layers=["1.1"])
    assert torch.equal(recording.activations("1.1", 0)[0], want)


def test_data_parallel_is_unwrapped():
    assert record(nn.DataParallel(Functional())).layers == ("relu", "relu#2", "output")


def test_train_flags_buffers_and_random_states_are_left_as_found():
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.ReLU())
    model.train()
    model[1].eval()  # a frozen part
    flags = [m.training for m in model.modules()]
    state = {k: v.clone() for k, v in model.state_dict().items()}
    torch.manual_seed(5), random.seed(5), np.random.seed(5)  # noqa: NPY002
    expected = torch.rand(3), random.random(), np.random.rand()  # noqa: NPY002
    torch.manual_seed(5), random.seed(5), np.random.seed(5)  # noqa: NPY002
    first = record(model)
    second = record(model)
    assert [m.training for m in model.modules()] == flags
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert torch.equal(torch.rand(3), expected[0])
    assert (random.random(), np.random.rand()) == expected[1:]  # noqa: NPY002
    assert torch.equal(first.activations("output", 0), second.activations("output", 0))  # no dropout in eval mode


class DrawsAndCounts(nn.Module):
    """Draws random numbers and writes into a buffer even in eval mode."""

    def __init__(self):
        super().__init__()
        self.lin = nn.Linear(4, 2)
        self.register_buffer("calls", torch.zeros(1))

    def forward(self, x):
        self.calls += 1
        np.random.rand(), random.random()  # noqa: NPY002
        return torch.tanh(self.lin(x)) + 0 * torch.rand(1)


def test_a_model_that_draws_and_counts_is_put_back():
    model = DrawsAndCounts()
    torch.manual_seed(1), random.seed(1), np.random.seed(1)  # noqa: NPY002
    state = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    record(model)
    assert model.calls.item() == 0
    assert torch.equal(torch.get_rng_state(), state[0])
    assert random.getstate() == state[1]
    assert (np.random.get_state()[1] == state[2]).all()  # noqa: NPY002


class Fails(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 4)
        self.fail = True

    def forward(self, x):
        h = torch.relu(self.a(x))
        if self.fail:
            raise RuntimeError("in forward")
        return h


def test_an_exception_in_forward_leaves_no_hook_behind():
    model = Fails()
    recorder = dt.Recorder(model, X)
    with pytest.raises(RuntimeError, match="in forward"):
        recorder.snapshot(0)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    assert model.training
    model.fail = False
    recorder.snapshot(0)
    assert recorder.recording.steps == (0,)


def test_hooks_of_the_user_and_gradients_stay():
    model, calls = Functional(), []
    model.a.register_forward_hook(lambda m, i, o: calls.append(1))
    model(X).sum().backward()
    grads = [p.grad.clone() for p in model.parameters()]
    record(model)
    assert len(model.a._forward_hooks) == 1
    assert all(torch.equal(p.grad, g) for p, g in zip(model.parameters(), grads))
    assert torch.is_grad_enabled()


def test_bfloat16_is_recorded_and_has_a_numpy_form(tmp_path):
    model = Functional().bfloat16()
    recording = record(model, X.bfloat16())
    kept = recording.activations("relu", 0)
    assert kept.dtype == torch.bfloat16
    recording.save(tmp_path / "r")
    back = dt.Recording.load(tmp_path / "r").activations("relu", 0)
    assert back.dtype == torch.float32
    assert torch.equal(back, kept.float())


class Several(nn.Module):
    """Tuple and dict outputs, one of them not by sample."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(4, 3, batch_first=True)

    def forward(self, x):
        out, state = self.rnn(x[:, None])
        return {"last": torch.tanh(out[:, -1]), "state": state, "size": len(x)}


def test_every_tensor_of_tuples_and_dicts_is_seen():
    model = Several()
    preview = dt.layers(model, X).table().set_index("name")
    assert list(preview.index) == ["rnn.0", "rnn.1", "tanh", "output.last", "output.state"]
    assert "does not begin with the samples" in preview.why["output.state"]
    recording = record(model, layers=["rnn.0", "output.last"])
    assert recording.activations("rnn.0", 0).shape == (1, 8, 3)


def test_select_chooses_from_an_odd_output():
    recording = record(Several(), layers="rnn", select=lambda name, out: out[1][0] if name == "rnn" else out)
    assert recording.activations("rnn", 0).shape == (1, 8, 3)


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(4, 3)

    def forward(self, x, scale, *, shift=0.0):
        return torch.sigmoid(self.a(x)) * scale + shift


def test_inputs_may_be_a_tuple_or_a_dict():
    model = TwoInputs()
    scale = torch.full((8, 1), 2.0)
    a = record(model, (X, scale))
    b = record(model, {"x": X, "scale": scale, "shift": torch.zeros(8, 1)})
    c = record(model, (X.numpy(), scale), batch=3)
    assert torch.equal(a.activations("sigmoid", 0), b.activations("sigmoid", 0))
    assert torch.allclose(a.activations("sigmoid", 0), c.activations("sigmoid", 0))


def test_maps_become_units_and_batches_change_nothing():
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))
    x = torch.randn(10, 1, 4, 4)
    whole, parts = record(model, x), record(model, x, batch=4)
    assert whole.activations("1", 0).shape == (1, 10, 12)
    assert torch.allclose(whole.activations("1", 0), parts.activations("1", 0), atol=1e-6)


@pytest.mark.parametrize("batch", [None, 300])
def test_populations_have_a_leading_seed_axis(batch):
    data = dt.datasets.icosahedron()
    nets = dt.networks.Population.mlp([12, 4, 3, 2], seeds=[3, 8])
    recording = record(nets, data.x, batch=batch)
    assert recording.seeds == (3, 8)
    assert recording.layers == ("layer1", "layer2", "output")
    assert recording.activations("layer1", 0).shape == (2, 4096, 4)
    own = record(nets.network(1), data.x, layers="1")
    assert torch.allclose(recording.activations("layer1", 0)[1], own.activations("1", 0)[0], atol=1e-6)


def test_populations_of_any_module_are_recorded_network_by_network():
    nets = dt.networks.Population.of(lambda: nn.Sequential(nn.Linear(4, 3), nn.GELU(), nn.Linear(3, 2)), seeds=[0, 1])
    recording = record(nets, X)
    assert recording.seeds == (0, 1)
    assert recording.activations("0.1", 0).shape == (2, 8, 3)
    assert torch.allclose(recording.activations("output", 0), nets(X), atol=1e-6)


def test_readouts_keep_summaries_and_drop_activations():
    model = Functional()
    readouts = [dt.Binning(5, "layer"), dt.Exact()]
    recording = record(model, targets=Y, readouts=readouts)
    assert recording.readouts == ("Binning(5, 'layer')", "Exact()")
    assert not recording._activations
    want = dt.Exact().summarise(torch.relu(model.a(X))[None], Y)
    assert recording.summary(dt.Exact())["i_x"].sel(layer="relu").item() == pytest.approx(want["i_x"][0])
    with pytest.raises(InputError, match="only summaries were kept"):
        recording.activations("relu", 0)


def test_a_user_s_own_readout_is_an_object_with_summarise():
    class Norm:
        def summarise(self, activations, targets):
            return {"norm": activations.flatten(1).norm(dim=1)}

        def __repr__(self):
            return "Norm()"

    recording = record(Functional(), targets=Y, readouts=Norm())
    assert recording.summary("Norm()")["norm"].shape == (1, 1, 3)


def test_globs_choose_layers():
    assert record(Functional(), layers="relu*").layers == ("relu", "relu#2")
    assert record(Functional(), layers=["a", "b"]).layers == ("a", "b")


class NeverCalls(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(4, 2), nn.Linear(4, 2)

    def forward(self, x):
        return torch.tanh(self.used(x))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: record(Functional(), layers="rellu"), "unknown layer 'rellu'; did you mean relu"),
        (lambda: record(NeverCalls(), layers="unused"), "does not call shows nothing"),
        (lambda: record(Several(), layers="rnn.1"), "'rnn.1' cannot be recorded: shape"),
        (lambda: record(nn.Embedding(4, 2), X.abs().long() % 4, layers=[]), "nothing to record"),
        (lambda: dt.Recorder(Functional(), X[:0]), r"inputs hold no sample \(shape \[0, 4\]\)"),
        (lambda: dt.Recorder(Functional(), {}), "inputs hold no sample"),
        (lambda: dt.Recorder(Functional(), X, targets=Y[:3]), "targets have 3 rows, inputs 8"),
        (lambda: dt.Recorder(Functional(), X, readouts=dt.Exact()), "read-outs need targets="),
        (lambda: dt.Recorder(Functional(), X, Y, readouts=["binning"]), "'binning' is no read-out"),
        (lambda: dt.Recorder(Functional(), X, Y, readouts=dt.Exact(), store="s"), "give one of them"),
        (lambda: dt.Recorder(Functional(), X, batch=0), "batch is 0"),
        (lambda: dt.Recorder(torch.jit.trace(nn.Linear(4, 2), X), X), "TorchScript module shows no activations"),
        (lambda: dt.Recorder(Functional(), X).callback("keras"), "unknown framework"),
        (lambda: dt.Recorder(Functional(), X).callback("lightning", every=0), "every is 0"),
        (lambda: dt.GradientRecorder(Functional(), ["d"]), "unknown layer with a weight matrix 'd'"),
        (lambda: dt.GradientRecorder(Functional()).collect(), "has no gradient; call collect"),
        (lambda: dt.GradientRecorder(Functional()).snapshot(0), "no gradient was collected"),
        (lambda: dt.GradientRecorder(Functional()).dataset(), "no gradient moments yet"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_a_step_is_recorded_once():
    recorder = dt.Recorder(Functional(), X)
    recorder.snapshot(3)
    with pytest.raises(InputError, match="step 3 is recorded already"):
        recorder.snapshot(3)


def test_gradients_of_any_loop():
    torch.manual_seed(0)
    model = Functional()
    recorder = dt.GradientRecorder(model, layers=["a", "c"])
    seen = []
    for part in X.split(2):
        model.zero_grad()
        model(part).square().sum().backward()
        recorder.collect()
        seen.append(model.a.weight.grad.clone())
    recorder.snapshot(0)
    stacked = torch.stack(seen).flatten(1).double()
    at = recorder.dataset().sel(layer="a").isel(seed=0, step=0)
    assert float(at["mean_norm"]) == pytest.approx(float(stacked.mean(0).norm()))
    assert float(at["std_norm"]) == pytest.approx(float(stacked.var(0).sum().sqrt()))
    assert float(at["weight_norm"]) == pytest.approx(float(model.a.weight.detach().norm()), rel=1e-6)
    assert int(at["batches"]) == 4
    with pytest.raises(InputError, match="step 0 of 'a' is recorded already"):
        recorder.add("a", mean_norm=[1], std_norm=[1], weight_norm=[1], batches=1, step=0)


def test_what_was_looked_at_is_let_go_at_once():
    """Without waiting for the garbage collector, which seldom runs where few Python objects are made."""
    import gc

    recorder = dt.Recorder(Functional(), X, Y, readouts=dt.Exact())

    def tensors():
        return sum(type(o) is torch.Tensor for o in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = tensors()
        for _ in range(3):
            recorder.activations()
        assert tensors() == before
    finally:
        gc.enable()
