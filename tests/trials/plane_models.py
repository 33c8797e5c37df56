"""Rows of test_planes.py on models as people have them: is it said where a readout sees nothing,
and does the advice help?"""

import numpy as np
import torch
from torch import nn

import deeptheory as dt
from trials.frame import Found, Row, all_of


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.one, self.two = (nn.Conv2d(k, 8, 3, padding=1) for k in (1, 8, 8))
        self.norm, self.act, self.head = nn.BatchNorm2d(8), nn.ReLU(), nn.Linear(8, 10)

    def forward(self, x):
        h = torch.relu(self.stem(x[:, None]))
        return self.head(self.act(h + self.norm(self.two(torch.relu(self.one(h))))).mean((2, 3)))


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.GRU(8, 32, batch_first=True), nn.Linear(32, 10)

    def forward(self, x):
        return self.head(torch.tanh(self.cell(x)[0][:, -1]))


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.block = nn.Linear(8, 16), nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.0)
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        return self.head(self.block(self.embed(x)).mean(1))


MODELS = {
    "MLP": lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.Tanh(),
        nn.Linear(32, 10)),
    "LeNet": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 8)), nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 3, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(256, 84), nn.ReLU(), nn.Linear(84, 10),
    ),
    "residual block": Residual,
    "GRU": Recurrent,
    "transformer block": Attention,
}  # fmt: skip
READOUTS = (
    dt.Binning(30),
    dt.Binning(30, "unit"),
    dt.Exact(),
    dt.Quantized(4),
    dt.GaussianNoise(0.1),
    dt.GaussianNoise(0.1, relative=True),
)


def said(make):
    """200 digits, before and after training: where a layer's point is (log2 n, H(Y)) to .05 bit the figure names
    it, in both of its kinds; the readout that the figure proposes puts the labels .5 bit or more above permuted
    ones in some layer."""

    def check(rng, draws):
        from sklearn.datasets import load_digits

        digits = load_digits()
        rows = rng.permutation(len(digits.target))[:200]
        x, y = torch.tensor(digits.images[rows] / 16, dtype=torch.float32), digits.target[rows]
        torch.manual_seed(int(rng.integers(2**31)))
        model = make()
        recorder = dt.Recorder(model, x, y)
        recorder.snapshot(0)
        optimizer = torch.optim.Adam(model.parameters(), 3e-3)
        for _ in range(30):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), torch.as_tensor(y)).backward()
            optimizer.step()
        recorder.snapshot(30)
        out = []
        for readout in READOUTS:
            plane = dt.information_plane(recorder.recording, readout)
            texts = [
                " ".join(a.text or "" for a in plane.figure(kind).layout.annotations) for kind in ("plane", "curves")
            ]
            for k, layer in enumerate(plane.layers):
                ends = plane.i_x[0, :, k].max() > np.log2(200) - 0.05 and plane.i_y[0, :, k].max() > plane.h_y - 0.05
                named = all(f" {layer}" in t or "nothing:" in t for t in texts)
                out.append(Found(f"{readout}, {layer}: ends there {ends}, named {named}", "named", named or not ends))
        advice = dt.information_plane(recorder.recording, dt.GaussianNoise(0.5, relative="distance"), permutations=9)
        above = float((advice.i_y - advice.null_mean).max())
        return all_of(
            *out, Found(f"the proposed readout: {above:.2f} bits above permuted labels", "at least .5", above >= 0.5)
        )

    return check


PLANES_OF_MODELS = [
    Row(
        "information_plane",
        "truth",
        f"{name}: a readout that sees nothing is named in the figure, the proposed one sees labels",
        said(make),
        1 if name in ("MLP", "GRU") else 0,
    )
    for name, make in MODELS.items()
]
