"""
Three lines in a plain training loop
====================================

A ReLU network learns handwritten digits, and we watch its layers in the information plane.
The readout has to be stated: for a deterministic network every finite I(X;T) is a property of the network *and* of how
its activations are looked at. ReLU units have no bounds, so that cells span the range of each layer.
"""

import torch
from torch import nn

import deeptheory as dt

torch.manual_seed(0)
data = dt.datasets.digits()
x = torch.as_tensor(data.images).float().flatten(1) / 16
y = torch.as_tensor(data.labels)
model = nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)

# %%
# What would be recorded, and why?
print(dt.layers(model, x).table())

# %%
# Line 1 makes the recorder, line 2 takes a snapshot every epoch.
readout = dt.Binning(8, "layer")
recorder = dt.Recorder(model, inputs=x, targets=y, readouts=readout)
gradients = dt.GradientRecorder(model)
for epoch in range(40):
    recorder.snapshot(epoch)
    for rows in torch.randperm(len(x)).split(128):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        gradients.collect()
        optimizer.step()
    gradients.snapshot(epoch)

# %%
# Line 3 gives the plane.
plane = dt.information_plane(recorder.recording, readout=readout)
print(plane)
print(plane.scalars())
for note in plane.notes:
    print("note:", note)
plane.figure()

# %%
# Gradient phases of the same run. The ratio falls through one; Saxe et al. (2018) saw the same in networks that do not
# compress, so by itself it says nothing about compression.
phases = dt.gradient_phases(gradients.dataset())
print(phases.table())
phases.figure()

# %%
# How much of I(T;Y) would labels without any meaning show? Keep activations, and permute.
check = dt.Recorder(model, inputs=x, targets=y, layers=["1", "3"])
check.snapshot(40)
permuted = dt.information_plane(check.recording, readout=readout, permutations=20)
print(permuted.table()[["layer", "i_y", "null_mean", "p_value"]])

assert plane.i_y[0, -1, -1] > plane.i_y[0, 0, -1] + 0.5, "the output learnt something about the labels"
assert (permuted.i_y > permuted.null_mean).all(), "and more than permuted labels would show"
