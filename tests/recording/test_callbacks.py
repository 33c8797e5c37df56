"""Callbacks of other libraries' training loops: real subclasses, called at the epochs that were asked for."""

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
