"""Gradients of whatever layers people train: the right ones, under the right names,
with the right reason where there are none."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune
from torch.nn.utils.parametrizations import weight_norm

import deeptheory as dt
from deeptheory.core.errors import InputError

X = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))


def epoch(model, recorder, parts=3, loss=None):
    seen = []
    for part in X.chunk(parts):
        model.zero_grad()
        out = model(part)
        (out[0] if isinstance(out, tuple) else out).square().sum().backward()
        recorder.collect()
        seen.append({k: None if p.grad is None else p.grad.clone() for k, p in model.named_parameters()})
    recorder.snapshot(len(recorder.steps))
    return seen


def moments(gradients):
    g = torch.stack(gradients).flatten(1).double()
    return float(g.mean(0).norm()), float(g.var(0).sum().sqrt())


def agrees(recorder, layer, gradients):
    at = recorder.dataset().sel(layer=layer).isel(seed=0, step=-1)
    assert (float(at.mean_norm), float(at.std_norm)) == pytest.approx(moments(gradients), rel=1e-9)


def test_a_frozen_layer_is_left_out_by_name_and_refused_when_asked_for():
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
    model[0].requires_grad_(False)
    recorder = dt.GradientRecorder(model)
    assert recorder.layers == ("2",)
    assert recorder.skipped == {"0": "frozen: requires_grad is False"}
    agrees(recorder, "2", [g["2.weight"] for g in epoch(model, recorder)])
    with pytest.raises(InputError, match="'0' is frozen"):
        dt.GradientRecorder(model, ["0"])
    model.requires_grad_(False)
    with pytest.raises(InputError, match="all 2 weight matrices are frozen"):
        dt.GradientRecorder(model)
    with pytest.raises(InputError, match="has no weight matrix"):
        dt.GradientRecorder(nn.ReLU())


class SometimesUsed(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.never = nn.Linear(4, 3), nn.Linear(4, 3), nn.Linear(4, 3)
        self.turn = 0

    def forward(self, x):
        self.turn += 1
        return self.a(x) if self.turn % 2 else self.a(x) + self.b(x)


def test_a_layer_out_of_the_loss_has_gradient_zero_there():
    model = SometimesUsed()
    recorder = dt.GradientRecorder(model)
    seen = epoch(model, recorder, parts=4)
    zero = torch.zeros(3, 4)
    agrees(recorder, "b", [zero if g["b.weight"] is None else g["b.weight"] for g in seen])
    agrees(recorder, "never", [zero] * 4)
    model.zero_grad()
    with pytest.raises(InputError, match=r"has no gradient; call collect\(\) after backward\(\)"):
        recorder.collect()


def test_parametrized_and_pruned_layers():
    model = nn.Sequential(weight_norm(nn.Linear(4, 5)), nn.Tanh(), nn.Linear(5, 2))
    prune.l1_unstructured(model[2], "weight", amount=0.5)
    recorder = dt.GradientRecorder(model)
    assert set(recorder.layers) == {"0.weight.original0", "0.weight.original1", "2"}
    seen = epoch(model, recorder)
    agrees(recorder, "0.weight.original1", [g["0.parametrizations.weight.original1"] for g in seen])
    agrees(recorder, "2", [g["2.weight_orig"] for g in seen])


@pytest.mark.parametrize(
    ("module", "names"),
    [
        (lambda: nn.GRU(4, 3, batch_first=True), {"weight_ih_l0", "weight_hh_l0"}),
        (lambda: nn.LSTM(4, 3, 2, bidirectional=True),
            {f"weight_{k}_l{n}{r}" for k in ("ih", "hh") for n in (0, 1) for r in ("", "_reverse")}),
        (lambda: nn.MultiheadAttention(4, 2), {"in_proj_weight", "out_proj"}),
        (lambda: nn.Bilinear(4, 4, 2), {"weight"}),
    ],
)  # fmt: skip
def test_every_weight_matrix_has_a_name(module, names):
    assert set(dt.GradientRecorder(module()).layers) == names


def test_sparse_gradients_and_shared_weights():
    model = nn.Sequential(nn.Embedding(10, 4, sparse=True), nn.Linear(4, 10, bias=False))
    recorder = dt.GradientRecorder(model)
    grads = []
    for k in range(3):
        model.zero_grad()
        model(torch.tensor([[k, 1, 2]])).square().sum().backward()
        recorder.collect()
        grads.append(model[0].weight.grad.to_dense().clone())
    recorder.snapshot(0)
    agrees(recorder, "0", grads)
    tied = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    tied[1].weight = tied[0].weight
    assert dt.GradientRecorder(tied).layers == ("0",)


def test_names_are_those_of_the_module_within():
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
    for wrapped in (
        torch.compile(model, backend="eager"),
        nn.DataParallel(model),
        torch.compile(nn.DataParallel(model), backend="eager"),
    ):
        assert dt.GradientRecorder(wrapped).layers == ("0", "2")
    inner = nn.Sequential(torch.compile(nn.Linear(4, 3), backend="eager"), nn.Tanh())
    assert dt.GradientRecorder(inner).layers == ("0",)


@pytest.mark.parametrize(
    ("steps_per_epoch", "max_steps", "every", "expected"),
    [(4, 5, 1, (0, 1, 2)), (4, 8, 1, (0, 1, 2)), (4, 7, 2, (0, 2)), (3, 10, 2, (0, 2, 4)), (10, 3, 1, (0, 1))],
)
def test_the_final_model_is_recorded(steps_per_epoch, max_steps, every, expected):
    """What transformers' Trainer tells its callbacks: the epoch as a fraction, the steps done."""
    from deeptheory.recording.callbacks import _When

    model = nn.Linear(4, 2)
    recorder = dt.Recorder(model, X)
    when = _When(recorder, every)
    for step in range(max_steps):
        if step % steps_per_epoch == 0:
            when.begin(round(step / steps_per_epoch), step)
        with torch.no_grad():
            model.weight += 1
    when.end(max_steps / steps_per_epoch, max_steps)
    when.end(max_steps / steps_per_epoch, max_steps)  # told twice: recorded once
    assert recorder.recording.steps == expected
    with torch.no_grad():
        assert torch.equal(recorder.recording.activations("output", expected[-1])[0], model(X))


def test_a_trainer_that_stops_within_an_epoch_it_began_records_its_final_model():
    """Lightning keeps the epoch's number when max_steps ends it."""
    from deeptheory.recording.callbacks import _When

    recorder = dt.Recorder(nn.Linear(4, 2), X)
    when = _When(recorder, 1)
    when.begin(0, 0), when.begin(1, 4)
    when.end(1, 5)
    assert recorder.recording.steps == (0, 1, 2)
    assert np.all(np.diff(recorder.recording.steps) == 1)


@pytest.mark.parametrize("noise", [1e-2, 1e-6, 1e-9, 1e-12])
@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e150])
def test_a_fluctuation_far_below_the_mean_and_extreme_gradients_keep_their_digits(noise, scale):
    given = scale * (1 + noise * np.random.default_rng(0).normal(size=(50, 3, 4)))
    model = nn.Linear(4, 3, bias=False).double()
    recorder = dt.recording.GradientRecorder(model)
    for g in given:
        model.weight.grad = torch.from_numpy(g.copy())
        recorder.collect()
    recorder.snapshot(0)
    at = recorder.dataset().isel(seed=0, step=0, layer=0)
    deviation = (given - given.mean(0)) / scale
    assert float(at.std_norm) / scale == pytest.approx(np.sqrt((deviation**2).sum() / 49), rel=1e-3)
    assert float(at.mean_norm) / scale == pytest.approx(np.linalg.norm(given.mean(0) / scale), rel=1e-12)


def test_a_complex_weight_counts_with_its_imaginary_part():
    model = nn.Linear(4, 3, bias=False, dtype=torch.cfloat)
    recorder = dt.recording.GradientRecorder(model)
    given = [torch.randn(3, 4, dtype=torch.cfloat) for _ in range(4)]
    for g in given:
        model.weight.grad = g
        recorder.collect()
    recorder.snapshot(0)
    agrees(recorder, "weight", [torch.view_as_real(g) for g in given])


def test_moments_that_do_not_fit_leave_nothing_behind():
    recorder = dt.GradientRecorder()

    def add(layer="a", step=0, value=(1.0,)):
        recorder.add(layer, mean_norm=value, std_norm=value, weight_norm=value, batches=2, step=step)

    with pytest.raises(InputError, match=r"mean_norm of 'a' has shape \[\]; needed: \[seed\]"):
        add(value=1.0)
    with pytest.raises(InputError, match="step is 0.5; needed: an integer"):
        add(step=0.5)
    add()
    with pytest.raises(InputError, match=r"moments of 'a' have \[2\] networks, expected 1"):
        add(step=1, value=(1.0, 2.0))
    assert recorder.steps == (0,)
    assert recorder.dataset().sizes == {"seed": 1, "step": 1, "layer": 1}
    add("b", step=1)
    with pytest.raises(InputError, match=r"step 1 has moments of \['b'\], step 0 of \['a'\]"):
        recorder.dataset()


@pytest.mark.parametrize("replace", ["module", "parameter", "parametrization"])
def test_a_weight_that_is_replaced_later_is_told(replace):
    """Its old one has no gradient, which would count as 0."""
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    recorder = dt.GradientRecorder(model)
    epoch(model, recorder)
    if replace == "module":
        model[0] = nn.Linear(4, 3)
    elif replace == "parameter":
        model[0].weight = nn.Parameter(torch.ones(3, 4))
    else:
        weight_norm(model[0])
    with pytest.raises(InputError, match="layer '0' has another weight than when this recorder was made"):
        epoch(model, recorder)
    assert recorder.steps == (0,)
    epoch(model, dt.GradientRecorder(model))


def test_moves_and_pruning_keep_the_weight():
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    recorder = dt.GradientRecorder(model)
    model.double().float()
    prune.l1_unstructured(model[0], "weight", amount=2)
    epoch(model, recorder)
    assert (recorder.dataset().mean_norm.values > 0).all()


def test_no_layer_at_all_is_not_a_frozen_one():
    with pytest.raises(InputError, match="nothing to collect: layers names none"):
        dt.GradientRecorder(nn.Linear(4, 3), layers=[])
