"""
Does my layer code by axes?
===========================

A unit that codes by an axis answers to one direction of a feature space and to nothing else. A unit that stores an
exemplar answers the more, the nearer a stimulus is to it. Both ramp, both can be read out; what tells them apart is how
well each predicts responses to stimuli that it was not fitted to. First cells whose code is known, then a network's
layer.
"""

import numpy as np
import torch
from torch import nn

import deeptheory as dt

# %%
# Known truth first: 20 simulated cells of each of two codes, noisy (reliability .7), 1,000 stimuli in 12 dimensions.
cells = dt.axis.simulate({"axis": 0.5, "exemplar": 0.5}, n=1000, d=12, units=40, reliability=0.7, seed=1)
code = dt.axis_code(cells.responses, cells.features, cells.blocks, folds=5, permutations=100)
print(code)
right = (code.verdict == np.array(cells.codes)).mean()
print(f"{right:.0%} of the verdicts name the true code")
assert right > 0.8
code.figure("models")

# %%
# Decoding is no evidence for axes: nearly all 40 cells' stimuli are identified, exemplar cells or not.
exemplars = dt.axis_code(cells.responses[:, 20:], cells.features, models=False, permutations=0)
print(f"from the exemplar cells alone: {float(exemplars.identification(40)):.0%} identified among 40")
assert float(exemplars.identification(40)) > 0.2

# %%
# Somebody's network: digits, two hidden layers. As nobody made the digits from known causes, their features are the
# leading
# principal components of the pixels; all that is said below is about that space.
torch.manual_seed(0)
data = dt.datasets.digits()
x, y = torch.as_tensor(data.images).float().flatten(1) / 16, torch.as_tensor(data.labels)
model = nn.Sequential(nn.Linear(64, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for _ in range(20):
    for rows in torch.randperm(len(x)).split(128):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()
print(f"{(model(x).argmax(1) == y).float().mean():.1%} of the digits are right")
space = dt.axis.object_space(x.numpy(), 15)

# %%
# One layer: which units ramp, which are flat orthogonal to their axis, and what the rivals say.
layer = dt.axis_code_of(model, "1", x, space.coordinates, folds=4, permutations=100, normalize="none")
print(layer)
for note in layer.notes:
    print("note:", note)
print(layer.table()[["unit", "verdict", "r2 axis", "r2 exemplar", "r2 quadratic", "orthogonal_q"]].head(8))
layer.figure("flatness")

# %%
# The second question of any reader: and without training? The same network with weights drawn again, and the pixels.
depth = dt.axis.axis_codes_of(
    model, ["1", "3"], x, space.coordinates, folds=4, permutations=100, normalize="none", units=16
)
print(depth.table().set_index(["condition", "layer"])[["tuned", "flat", "axis_beats_exemplar"]].round(2))
assert depth.table()["tuned"].to_numpy().min() > 0.5  # untrained units and pixels ramp along their axes, too
