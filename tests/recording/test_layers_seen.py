"""Which tensors are activations, and which axis is the samples': the kinds that are easily taken for one another."""

from dataclasses import dataclass

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import deeptheory as dt
from deeptheory.core.errors import InputError


def linear(seed=0):
    torch.manual_seed(seed)
    return nn.Linear(4, 6)


class Applied(nn.Module):
    """f after a linear layer, then another one, so that f's value is not the output."""

    def __init__(self, f, inside=False):
        super().__init__()
        self.lin, self.last = linear(), nn.Linear(6, 2)
        self.f = f if not inside else Module(f)

    def forward(self, x):
        return self.last(self.f(self.lin(x)))


class Module(nn.Module):
    def __init__(self, f):
        super().__init__()
        self.f = f

    def forward(self, x):
        return self.f(x)


class Clip(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, g):
        return g


BETA = nn.Parameter(torch.tensor(1.3))
WHOLE = {  # one row and no factor of it, by default
    "gelu by tanh": lambda x: 0.5 * x * (1 + torch.tanh(0.7978845608 * (x + 0.044715 * x**3))),
    "gelu by tanh, half last": lambda x: (x * (1 + torch.tanh(0.79788 * (x + 0.044715 * x * x * x)))) * 0.5,
    "gelu by erf": lambda x: x * 0.5 * (1.0 + torch.erf(x / 2**0.5)),
    "quick gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "swish": lambda x: x * x.sigmoid(),
    "swish, learned": lambda x: x * torch.sigmoid(BETA * x),
    "swish by exp": lambda x: x / (1 + torch.exp(-x)),
    "mish": lambda x: x * torch.tanh(F.softplus(x)),
    "in place": lambda x: torch.sigmoid(x).mul_(x),
    "relu by mask": lambda x: x * (x > 0),
    "relu by abs": lambda x: (x + x.abs()) / 2,
    "elu by where": lambda x: torch.where(x > 0, x, torch.exp(x) - 1),
    "leaky by maximum": lambda x: torch.maximum(x, 0.1 * x),
    "snake": lambda x: x + torch.sin(x) ** 2,
}
SINGLE = {
    "sin": torch.sin, "expit": torch.special.expit, "clamp": lambda x: x.clamp(min=0),
    "clamp_": lambda x: x.clone().clamp_(0, 6),
    "maximum": lambda x: torch.maximum(x, torch.zeros(())), "autograd.Function": Clip.apply, "F.relu": F.relu,
    "gaussian": lambda x: torch.exp(-x * x),
    "sign": torch.sign, "hardtanh": F.hardtanh, "Tensor.tanh": torch.Tensor.tanh, "relu_": lambda x: x.clone().relu_(),
}  # fmt: skip


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("name", [*WHOLE, *SINGLE])
def test_an_activation_is_one_row(name, inside):
    f = (WHOLE | SINGLE)[name]
    model = Applied(f, inside)
    x = torch.randn(7, 4)
    recorder = dt.Recorder(model, x)
    recorder.snapshot(0)
    layers = recorder.recording.layers
    assert len(layers) == 2
    if inside:
        assert layers[0] == "f"
    with torch.no_grad():
        assert torch.equal(recorder.recording.activations(layers[0], 0)[0], f(model.lin(x)))
    if name in WHOLE and name not in ("relu by mask", "leaky by maximum"):  # whose parts are a mask, and a linear map
        assert dt.layers(model, x).table().why.str.startswith("a factor of").any()


def test_two_activations_in_a_row_are_two():
    assert dt.layers(Applied(lambda x: torch.tanh(torch.relu(x))), torch.randn(5, 4)).table().kept.sum() == 3


@pytest.mark.parametrize(
    "guard",
    [
        lambda x: x / x.norm(dim=1, keepdim=True).clamp(min=1e-8),
        lambda x: x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6),
    ],
)
def test_a_normalization_by_hand_is_no_activation(guard):
    table = dt.layers(Applied(guard), torch.randn(5, 4)).table()
    assert table[table.kept].name.tolist() == ["output"]


class Gated(nn.Module):
    """A gate of another layer: the product is no function of one tensor, so the activation is the gate's."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = linear(1), linear(2), nn.Linear(6, 2)

    def forward(self, x):
        return self.c(F.silu(self.a(x)) * self.b(x))


def test_a_gate_keeps_its_activation():
    table = dt.layers(Gated(), torch.randn(5, 4)).table()
    assert table[table.kept].name.tolist() == ["silu", "output"]


class Turned(nn.Module):
    def __init__(self, what):
        super().__init__()
        self.what, self.rnn, self.lin, self.act = what, nn.GRU(4, 4), nn.Linear(4, 4), nn.Tanh()

    def forward(self, x):
        if self.what == "time first":
            return self.rnn(x.transpose(0, 1))[0].transpose(0, 1)
        if self.what == "transposed":
            return self.lin(x).sum(1) + self.act(self.lin(x.transpose(0, 1))).transpose(0, 1).sum(1)
        raise AssertionError


@pytest.mark.parametrize("n", [3, 4, 5, 9])
@pytest.mark.parametrize(("what", "layer"), [("time first", "rnn.0"), ("transposed", "act")])
def test_time_is_not_taken_for_samples_where_both_are_as_long(what, layer, n):
    model, x = Turned(what), torch.randn(n, n, 4)
    table = dt.layers(model, x).table().set_index("name")
    assert not table.kept[layer]
    assert "the samples are its axis 1: select= can move them" in table.why[layer]
    with pytest.raises(InputError, match=f"layer '{layer}' cannot be recorded: .*axis 1"):
        dt.Recorder(model, x, layers=layer).snapshot(0)
    name = layer.removesuffix(".0")
    moved = dt.Recorder(model, x, layers=name, select=lambda at, out: first(out).transpose(0, 1) if at == name else out)
    assert moved.activations()[name].shape == (1, n, n * 4)


def first(out):
    return out[0] if isinstance(out, tuple) else out


class Pairwise(nn.Module):
    def forward(self, x):
        return {"pairs": torch.tanh(x @ x.T), "own": torch.relu(x)}


@pytest.mark.parametrize(("n", "batch"), [(8, 4), (9, 3), (7, 4), (6, 1)])
def test_pairs_of_samples_are_whole_or_refused(n, batch):
    x = torch.randn(n, 5)
    whole = dt.Recorder(Pairwise(), x)
    assert torch.allclose(whole.activations()["output.pairs"][0], torch.tanh(x @ x.T))
    with pytest.raises(InputError, match=r"'output.pairs' has two axes that grow with the batch .*use batch="):
        dt.Recorder(Pairwise(), x, batch=batch).snapshot(0)
    assert dt.Recorder(Pairwise(), x, layers="output.own", batch=batch).activations()["output.own"].shape == (1, n, 5)


class Exits(nn.Module):
    """An extra layer for batches that begin with a large value."""

    def __init__(self, when):
        super().__init__()
        self.when, self.a, self.extra, self.last = when, nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)

    def forward(self, x):
        h = torch.tanh(self.a(x))
        return self.last(self.extra(h - 1) if self.when(x) else h)


@pytest.mark.parametrize("batch", [2, 3, 5])
@pytest.mark.parametrize("late", [0, 6, 9])
def test_a_layer_that_runs_in_some_batches_only_is_named(batch, late):
    x = torch.zeros(10, 3)
    x[late] = 9
    model = Exits(lambda x: (x > 5).any())
    recorder = dt.Recorder(model, x, batch=batch)
    with pytest.raises(InputError, match="'extra'.*runs in some batches only"):
        recorder.snapshot(0)
    assert recorder.recording.steps == ()
    named = dt.Recorder(model, x, batch=batch, layers=["a"])
    named.snapshot(0)
    assert dt.Recorder(model, x).activations()["output"].shape == (1, 10, 2)  # all at once: it ran for all


def test_a_layer_for_some_samples_is_skipped_with_its_reason():
    class Some(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.expert = nn.Linear(3, 3), nn.Sequential(nn.Linear(3, 3), nn.ReLU())

        def forward(self, x):
            h = torch.tanh(self.stem(x))
            mine = x[:, 0] > 0
            out = torch.zeros_like(h)
            out[mine] = self.expert(h[mine])
            return out

    x = torch.randn(20, 3)
    x[:6, 0] = 1  # the few samples that make the plan all go to the expert
    table = dt.layers(Some(), x).table().set_index("name")
    assert "does not begin with the samples" in table.why["expert.1"]
    recorder = dt.Recorder(Some(), x)
    recorder.snapshot(0)
    assert recorder.recording.layers == ("tanh", "output")
    with pytest.raises(InputError, match="'expert.1'"):
        dt.Recorder(Some(), x, layers="expert.1").snapshot(0)


@dataclass
class Answer:
    logits: torch.Tensor
    hidden: tuple


class Odd(nn.Module):
    def __init__(self, what):
        super().__init__()
        self.what, self.a = what, nn.Linear(4, 3)
        self.scripted = torch.jit.script(nn.Sequential(nn.Linear(3, 3), nn.ReLU())) if what == "script" else None
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        h = torch.tanh(self.a(x))
        if self.what == "dataclass":
            return Answer(h, (h + 1, h + 2))
        if self.what == "sparse":
            return h, h.to_sparse()
        if self.what == "complex":
            return h, torch.fft.fft(h)
        if self.what == "func":
            return torch.func.grad(lambda v: torch.tanh(self.a(v)).sum())(x)
        if self.what == "autograd":
            x = x.detach().requires_grad_()
            return torch.autograd.grad(torch.tanh(self.a(x)).sum(), x)[0]
        return self.scripted(h)


@pytest.mark.parametrize(
    ("what", "layer", "why"),
    [
        ("dataclass", "output.hidden.1", "the model's output"),
        ("sparse", "output.1", "not a dense tensor"),
        ("complex", "output.1", "not real numbers .complex64.; select= can take .abs"),
        ("func", "tanh#2", "torch.func"),
        ("autograd", "output", "the model's output"),
        ("script", "scripted", "TorchScript"),
        ("dataclass", "unused", "does not call it"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_odd_forward_passes_have_rows_with_reasons(what, layer, why):
    model, x = Odd(what), torch.randn(6, 4)
    table = dt.layers(model, x).table().set_index("name")
    assert table.why.str.contains(why)[layer]
    dt.Recorder(model, x).snapshot(0)


def test_exported_programs_are_models():
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    x = torch.randn(6, 4)
    program = torch.export.export(model, (x,))
    for given in (program, program.module()):
        recorder = dt.Recorder(given, x)
        recorder.snapshot(0)
        assert recorder.recording.layers == ("relu", "output")
        assert torch.equal(recorder.recording.activations("relu", 0)[0], model[:2](x).detach())
    with pytest.raises(InputError, match="model is a function; needed: a torch.nn.Module"):
        dt.Recorder(lambda x: x, x)


class Company(nn.Module):
    """Attention over the first axis: what people get who hand samples first to a module that takes time first."""

    def __init__(self, kind):
        super().__init__()
        self.kind, self.layer = kind, nn.TransformerEncoderLayer(8, 2, 16)

    def forward(self, x):
        if self.kind == "attention":
            return self.layer(x)
        if self.kind == "mean":
            return torch.relu(x - x.mean(0))
        if self.kind == "nearest":  # three samples hardly see each other
            return torch.softmax(-3 * torch.cdist(x.flatten(1), x.flatten(1)), -1) @ x.flatten(1)
        return torch.relu(x) + torch.randn(len(x), 1, 1)  # random, and each sample for itself


@pytest.mark.parametrize("n", [5, 9, 30])
@pytest.mark.parametrize("kind", ["attention", "mean", "nearest", "random"])
def test_samples_that_influence_each_other_are_not_cut_into_batches(kind, n):
    x = torch.randn(n, 5, 8)
    if kind == "nearest":
        x[3:] = x[: n - 3][:1] + 0.1 * x[3:]
    dt.Recorder(Company(kind), x).snapshot(0)
    recorder = dt.Recorder(Company(kind), x, batch=4)
    if kind == "random":
        recorder.snapshot(0)
        return
    with pytest.raises(InputError, match=f"other values in the company of other samples.*use batch={n}"):
        recorder.snapshot(0)


class CallsItself(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin, self.depth = nn.Linear(4, 4), 0

    def forward(self, x):
        self.depth += 1
        h = torch.tanh(self.lin(x))
        return self(h) if self.depth % 3 else h


def test_a_model_that_calls_itself_has_one_output():
    model, x = CallsItself(), torch.randn(6, 4)
    assert dt.layers(model, x).table().name.is_unique
    got = dt.Recorder(model, x).activations()
    h = x
    with torch.no_grad():
        for name in ("tanh", "tanh#2", "output"):
            h = torch.tanh(model.lin(h))
            assert torch.allclose(got[name][0], h, atol=1e-6)


def test_lazy_modules_and_maxima_of_two():
    with pytest.raises(InputError, match="0.weight is not initialized yet .a lazy module"):
        dt.Recorder(nn.Sequential(nn.LazyLinear(3), nn.ReLU()), torch.zeros(3, 2))
    assert dt.Recorder(Applied(lambda x: torch.max(x, torch.zeros(()))), torch.randn(5, 4)).activations().keys() == {
        "maximum",
        "output",
    }
