"""Callbacks of other libraries' training loops: real subclasses, called at the epochs that were asked for."""

import sys
import types

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import deeptheory as dt

X = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))


class Functional(nn.Module):
    """torch.relu twice, no module for it."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Linear(4, 5), nn.Linear(5, 6), nn.Linear(6, 2)

    def forward(self, x):
        h = torch.relu(self.a(x))
        return self.c(F.relu(self.b(h)))


def stand_in(monkeypatch, name, kind):
    """A package that has this class and nothing else, for machines without the real one."""
    parts = name.split(".")
    for k in range(len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[: k + 1]), types.ModuleType(parts[k]))
    setattr(sys.modules[name], kind.__name__, kind)


class Callback:
    """Of Lightning: hooks by name, each with the trainer and the module."""


class TrainerCallback:
    """Of transformers: hooks by name, each with arguments, state and control."""


def test_the_hooks_of_lightning_keep_weights(monkeypatch, tmp_path):
    stand_in(monkeypatch, "lightning.pytorch.callbacks", Callback)
    model = Functional()
    recorder = dt.Recorder(model, X, weights=tmp_path)
    callback, trainer = recorder.callback("lightning", every=2), types.SimpleNamespace(current_epoch=0, global_step=0)
    assert isinstance(callback, Callback)
    for epoch in range(5):
        trainer.current_epoch = epoch
        callback.on_train_epoch_start(trainer, model)
        with torch.no_grad():
            model.a.weight.fill_(epoch + 1)
        trainer.global_step += 10
    trainer.current_epoch = 5
    callback.on_fit_end(trainer, model)
    assert recorder.steps == recorder.weights.steps == (0, 2, 4, 5)
    found = dt.inspect(model, X, None, "health", recorder, twins=1, progress=False)
    assert found.steps == (0, 2, 4, 5)
    assert found.scalars("2") != found.scalars("0")
    assert found.scalars("5") == dt.inspect(model, X, None, "health", twins=0, progress=False).scalars()


def test_the_hooks_of_transformers_keep_weights(monkeypatch, tmp_path):
    stand_in(monkeypatch, "transformers", TrainerCallback)
    recorder = dt.Recorder(Functional(), X, weights=tmp_path)
    callback, state = recorder.callback("transformers"), types.SimpleNamespace(epoch=0.0, global_step=0)
    assert isinstance(callback, TrainerCallback)
    for epoch in (0.0, 1.0):
        state.epoch = epoch
        callback.on_epoch_begin(None, state, None)
        state.global_step += 3
    state.epoch = 1.5  # max_steps ended it within an epoch that was looked at when it began
    callback.on_train_end(None, state, None)
    assert recorder.steps == recorder.weights.steps == (0, 1, 2)


@pytest.mark.slow
def test_lightning_calls_back():
    pl = pytest.importorskip("lightning.pytorch")
    import warnings

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net = Functional()

        def forward(self, x):
            return self.net(x)

        def training_step(self, batch, _):
            return self.net(batch[0]).square().mean()

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    module = Module()
    recorder = dt.Recorder(module, X)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(X), batch_size=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trainer = pl.Trainer(
            max_epochs=3, callbacks=[recorder.callback("lightning")], accelerator="cpu", logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        )  # fmt: skip
        trainer.fit(module, loader)
    assert recorder.recording.steps == (0, 1, 2, 3)


@pytest.mark.slow
def test_transformers_calls_back():
    transformers = pytest.importorskip("transformers")
    recorder = dt.Recorder(Functional(), X)
    callback = recorder.callback("transformers", every=2)
    assert isinstance(callback, transformers.TrainerCallback)
    state = transformers.TrainerState()
    for epoch in (0.0, 1.0, 2.0, 3.0):
        state.epoch = epoch
        callback.on_epoch_begin(None, state, None)
    callback.on_train_end(None, state, None)
    assert recorder.recording.steps == (0, 2, 3)
