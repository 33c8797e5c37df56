"""
Matrix capsules on your own folder of pictures
==============================================

A folder with one sub-folder a class, as most people have it. The pictures may have any size, be rectangular, gray or
colored; the network is told the shape. ``dt.networks.train`` keeps a checkpoint, so that a killed training goes on to
the same bits.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import deeptheory as dt

# %%
# Stands for your folder: rendered solids of three kinds, 20x28 pixels.
folder = Path(tempfile.mkdtemp()) / "pictures"
views = dt.datasets.multiview(750, size=28, stereo=False, seed=1)
kinds = ["animal", "human", "airplane", "truck", "car"]
for k, (picture, label) in enumerate(zip(views.images[:, 0, 4:24], views.labels)):
    if label in (1, 2, 3):
        (folder / kinds[label]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(folder / kinds[label] / f"{k}.png")

# %%
# Read it: pictures [n, channel, H, W] in [0, 1], labels from the names of the sub-folders.
classes = sorted(p.name for p in folder.iterdir() if p.is_dir())
paths = [(p, k) for k, name in enumerate(classes) for p in sorted((folder / name).glob("*.png"))]
x = torch.as_tensor(np.stack([np.asarray(Image.open(p).convert("L")) for p, _ in paths]))[:, None].float() / 255
y = torch.as_tensor([k for _, k in paths])
order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
train, test = order[: int(0.8 * len(x))], order[int(0.8 * len(x)) :]
print(classes, tuple(x.shape))

# %%
# A network for that shape; pictures are standardized inside it. The margin of the spread loss widens over the training.
shape = (x.shape[1], x.shape[2], x.shape[3])
net = dt.networks.seeded(
    lambda: dt.networks.PerImageStandardization(
        dt.capsules.MatrixCapsuleNetwork(shape, len(classes), types=(16, 4, 8, 8), variant="reference_code")
    ),
    seed=0,
)
steps = 240
batches = dt.networks.minibatches(x[train], y[train], batch=32)
log = dt.networks.train(
    net,
    lambda step, generator: (*batches(step, generator), step),
    dt.capsules.spread_objective(steps),
    steps=steps,
    lr=5e-3,
    evaluate=lambda m: {"error": dt.capsules.error_rate(m, x[test], y[test])},
    every=60,
    checkpoint=folder.parent / "checkpoint",
)
print(log)
print(log.table())
log.figure()

# %%
# How robust is it? One step along the gradient, and many steps on logits from many starts.
weak = dt.networks.robustness(net, x[test][:60], y[test][:60], epsilons=[0, 0.02, 0.05])
hard = dt.networks.robustness(
    net,
    x[test][:60],
    y[test][:60],
    epsilons=[0, 0.02, 0.05],
    attack=dt.networks.pgd,
    scores=dt.networks.logit_of_probability,
    restarts=1,
    steps=8,
)
print(weak, hard, sep="\n")

assert log.measured["error"][-1] < log.measured["error"][0] - 15
assert hard.accuracy[-1] <= weak.accuracy[-1] + 0.05
