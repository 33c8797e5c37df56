"""
A callback
==========

``recorder.callback("lightning")`` and ``recorder.callback("transformers")`` give a ready callback for those frameworks.
For any other, a callback is three lines, because a recorder needs nothing but to be told when. Here: a small trainer
with hooks of its own, many seeds at once, and an early stop.
"""

from collections.abc import Callable

import deeptheory as dt

data = dt.datasets.icosahedron()
nets = dt.networks.Population.mlp([12, 8, 4, 2], activation="tanh", seeds=range(6))
readout = dt.Binning(30, (-1, 1))
recorder = dt.Recorder(nets, data.x, data.y, layers="layer*", readouts=readout)


class Trainer:
    """Stands for whatever trains your models."""

    def __init__(self, callbacks: list[Callable[[int], None]]):
        self.callbacks = callbacks

    def fit(self, epochs: int) -> None:
        for epoch in range(0, epochs, 10):
            for callback in self.callbacks:
                callback(epoch)
            dt.networks.fit(nets, data.x, data.y, epochs=10, lr=5e-3, seed=epoch)


# %%
# The callback is the recorder's own method.
Trainer([recorder.snapshot]).fit(60)

plane = dt.information_plane(recorder.recording, readout=readout)
print(plane)
print(plane.dataset()[["i_x", "i_y"]].mean("seed").to_dataframe().round(3))
plane.figure()

# %%
# With a framework that is not installed, the error says which one to install.
try:
    print(recorder.callback("lightning"))
except dt.errors.MissingDependency as missing:
    print(missing)

assert plane.i_y[:, -1, -1].mean() > plane.i_y[:, 0, -1].mean() + 0.1
