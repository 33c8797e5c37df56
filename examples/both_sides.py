"""
Both sides of the debate in one afternoon
=========================================

Do layers compress? Shwartz-Ziv & Tishby said yes, Saxe et al. that it depends on the unit and on how one looks,
Goldfeld et al. that noise must belong to the network before the question means anything, Lorenzen et al. that quantized
networks answer it exactly. Here all of them look at *your* network: replace the model and the data below by your own.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

import deeptheory as dt
from deeptheory.information import Clusters, Cosines, fall, noisy_network_information, one_neuron_information

digits = dt.datasets.digits()
x = torch.as_tensor(digits.images).float().flatten(1) / 16
y = torch.as_tensor(digits.labels)


def trained(
    activation: type[nn.Module], recorder_of: Callable[[nn.Module], dt.Recorder], steps: int = 600
) -> tuple[nn.Sequential, dt.Recording]:
    """Your training loop; one line records."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 12), activation(), nn.Linear(12, 4), activation(), nn.Linear(4, 10))
    recorder = recorder_of(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for step in range(steps + 1):
        if step in LOOKS:
            recorder.snapshot(step)
        rows = torch.randint(0, len(x), (128,), generator=torch.Generator().manual_seed(step))
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
    return model, recorder.recording


LOOKS = (0, 5, 10, 20, 40, 80, 150, 300, 600)

# %%
# The first side: tanh units, thirty even bins (Shwartz-Ziv & Tishby 2017, figure 2). Keep the activations, so that
# every other readout can look at the same run.
tanh, run = trained(nn.Tanh, lambda m: dt.Recorder(m, x, y, layers=["1", "3"]))
even = dt.information_plane(run, dt.Binning(30, (-1, 1)))
print(even, fall(even.i_x)[0].round(2), "bits fallen, by layer")
even.figure("curves")

# %%
# The other side looks again (Saxe et al. 2018): bins even in net input, noise at two scales, every bit.
looks = {
    "30 even bins": dt.Binning(30, (-1, 1)),
    "bins even in net input": dt.Binning.net_input(300),
    "noise of variance 0.1": dt.GaussianNoise(0.1**0.5),
    "noise of variance 0.001": dt.GaussianNoise(0.001**0.5),
    "every bit": dt.Exact(),
}
falls = {name: fall(dt.information_plane(run, look).i_x)[0] for name, look in looks.items()}
for name, bits in falls.items():
    print(f"{name:24} {bits.round(2)}")

# %%
# One argument changed: ReLU units, cells over the range of all units and steps.
_, rectified = trained(nn.ReLU, lambda m: dt.Recorder(m, x, y, layers=["1", "3"]))
relu = dt.information_plane(rectified, dt.Binning(100, "global"))
print("ReLU:", fall(relu.i_x)[0].round(2))
relu.figure("curves")

# %%
# Why: one neuron, exactly (figure 2 of Saxe et al.). tanh returns to one bit, ReLU does not.
w = np.array([0.1, 1.0, 10.0, 1000.0])
print("tanh", one_neuron_information(w, np.linspace(-1, 1, 31)).round(2))
print("ReLU", [round(float(one_neuron_information(v, np.arange(-1, 9 * v, 1 / 15), "relu")), 2) for v in w])

# %%
# Noise that belongs to the network (Goldfeld et al. 2019): the pieces of your model from layer to layer, an interval
# each.
pieces = [tanh[:2], tanh[2:4]]
noisy = noisy_network_information(pieces, x, sigma=0.1, chosen=128, repeats=48)
for estimate in noisy:
    print(estimate)

# %%
# What compresses there is the clustering of samples, which distances alone can see.
after = run.activations("3", LOOKS[-1])
before = run.activations("3", 0)
clusters = [Clusters(0.4).summarize(a[:, ::3], y[::3]) for a in (before, after)]
print("clustering before and after (bits apart):", [c["apart"].round(2) for c in clusters])

# %%
# Levels that belong to the network (Lorenzen et al. 2022): train it quantized, and nothing has to be estimated.
nets = dt.networks.Population.mlp([64, 12, 4, 10], "tanh", seeds=range(3), bits=8)
recorder = dt.Recorder(nets, x, y, layers="layer*", readouts=dt.Exact())
dt.networks.fit(nets, x, y, epochs=150, lr=5e-3, batch=128, recorder=recorder, record_at=[0, 5, 20, 60, 150])
exact = dt.information_plane(recorder.recording, dt.Exact())
print(
    "quantised:",
    fall(exact.i_x).mean(0).round(2),
    "accuracy of the label information:",
    exact.i_y[:, -1].mean(0).round(2),
)
exact.figure("curves")

# %%
# Wide layers, as in most people's networks: with hundreds of units every input has a cell of its own, every readout
# says
# log2 n before, during and after training, and the plane says so in its notes. What is left are distances between
# samples, and
# estimates through codes of few numbers.


class Block(nn.Module):
    """Convolutions with batch norm, in-place ReLU and a shortcut, as in torchvision's residual networks."""

    def __init__(self, width: int, to: int):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(width, to, 3, 2, 1, bias=False), nn.BatchNorm2d(to)
        self.conv2, self.bn2 = nn.Conv2d(to, to, 3, 1, 1, bias=False), nn.BatchNorm2d(to)
        self.shortcut, self.relu = nn.Conv2d(width, to, 1, 2, bias=False), nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


torch.manual_seed(0)
wide = nn.Sequential(Block(1, 8), Block(8, 16), nn.Flatten(), nn.Linear(64, 10))
pictures = x.reshape(-1, 1, 8, 8)
print(dt.layers(wide, pictures[:4]).table()[["name", "kept", "why"]])
looking = dt.Recorder(wide, pictures, y)
optimizer = torch.optim.Adam(wide.parameters(), lr=3e-3)
for step in range(121):
    if step in (0, 20, 120):
        looking.snapshot(step)
    rows = torch.randint(0, len(x), (128,), generator=torch.Generator().manual_seed(step))
    optimizer.zero_grad()
    nn.functional.cross_entropy(wide(pictures[rows]), y[rows]).backward()
    optimizer.step()
seen = looking.recording
print(
    fall(dt.information_plane(seen, dt.Binning(100, "global")).i_x)[0],
    "bits fallen:",
    *dt.information_plane(seen, dt.Exact()).notes,
)
apart = {}
for layer in seen.layers:
    cosines = [Cosines().summarize(seen.activations(layer, s), y) for s in (0, 120)]
    apart[layer] = [float(c["within"][0] - c["between"][0]) for c in cosines]
    code = dt.mutual_information(pictures, seen.activations(layer, 120)[0], "compressed", dims=4)
    print(f"{layer:12} same class closer by {apart[layer][0]:.2f}, then {apart[layer][1]:.2f}; {code}")
logits = seen.activations("output", 120)[0]
print("the logits about the label:", dt.mutual_information(logits, y))

# %%
# Any figure of the papers on other widths is one argument away; `deeptheory reproduce saxe-2018 --set widths=12,8,4,2`
# runs all
# of them, and `deeptheory report` sets the claims of both sides beside each other.
study = dt.reproduce("saxe-2018", out="runs/both-sides", only="one-neuron", progress=False)
claim = study.claims["one-neuron-tanh-returns-to-1-bit"]
print(claim.verdict, claim.measured, claim.region)

assert falls["every bit"][0] < 0.1, "a layer of twelve tanh units merges no digits, whatever the bins say"
assert noisy[0].low <= noisy[0].value <= noisy[0].high
assert claim.verdict == "reproduced"
assert apart["output"][1] > apart["output"][0], (
    "samples of a class draw together in the logits while the network learns"
)
