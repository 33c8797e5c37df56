"""
An existing model at several checkpoints
========================================

The model was written without any thought of this library: it calls ``torch.relu`` as a function, uses one dropout twice
and returns a dictionary. Weights were saved while it trained; now they are looked at, and activations are streamed to a
folder, so that any readout can be tried later.
"""

import tempfile
from pathlib import Path

import torch
from torch import nn

import deeptheory as dt


class Classifier(nn.Module):
    """Somebody else's."""

    def __init__(self) -> None:
        super().__init__()
        self.features, self.middle, self.head = nn.Linear(64, 16), nn.Linear(16, 8), nn.Linear(8, 10)
        self.drop = nn.Dropout(0.1)

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        h = self.drop(torch.relu(self.features(images)))
        h = self.drop(torch.relu(self.middle(h)))
        return {"logits": self.head(h), "features": h}


# %%
# Somewhere, some time ago: a training that saved its weights.
torch.manual_seed(0)
data = dt.datasets.digits()
x, y = torch.as_tensor(data.images).float().flatten(1) / 16, torch.as_tensor(data.labels)
folder = Path(tempfile.mkdtemp())
model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(31):
    if epoch in (0, 1, 3, 10, 30):
        torch.save(model.state_dict(), folder / f"epoch{epoch}.pt")
    for rows in torch.randperm(len(x)).split(128):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows])["logits"], y[rows]).backward()
        optimizer.step()

# %%
# Today: a fresh model, one recorder, one snapshot a checkpoint.
model = Classifier()
print(dt.layers(model, x).table())
recorder = dt.Recorder(model, x, y, layers=["relu", "relu#2", "output.logits"], store=folder / "activations")
for epoch in (0, 1, 3, 10, 30):
    model.load_state_dict(torch.load(folder / f"epoch{epoch}.pt", weights_only=True))
    recorder.snapshot(epoch)

# %%
# The folder is the recording: load it in another session, and try readouts. They do not agree, and should not.
recording = dt.Recording.load(folder / "activations")
print(recording)
for readout in (dt.Binning(8, "layer"), dt.Binning(30, "layer"), dt.GaussianNoise(0.3, relative=True), dt.Exact()):
    plane = dt.information_plane(recording, readout=readout)
    print(f"{readout!r:45} I(X;T) of the last layer: {plane.i_x[0, :, -1].round(2)} bits")

plane = dt.information_plane(recording, readout=dt.Binning(8, "layer"))
plane.figure("curves")

# %%
# Every input is distinct and the network merges none of them: the exact I(X;T) is log2 of their number, at all epochs.
exact = dt.information_plane(recording, readout=dt.Exact())
assert exact.i_x[0, 0, -1] > 10.8
assert plane.i_x[0, -1, -1] < exact.i_x[0, -1, -1]
