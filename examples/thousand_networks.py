"""
A thousand networks on a cluster
================================

How far do networks differ that differ in nothing but their seed? One network says nothing about that, ten say little.
Here a population is cut into units of 25 networks, which the workers of a Dask cluster train and measure; what each
finds lies in the run folder, from which everything is read. ``python thousand_networks.py`` takes 50 networks,
``python thousand_networks.py 1000`` a thousand.

The cluster is one of this machine, with 4 processes. In its place, ``engine="dask:tcp://HOST:8786"`` names one that
runs already, ``engine="ray"`` a Ray, and ``Run("s3://bucket/run")`` a folder that all machines see.
"""

import sys
import tempfile
from pathlib import Path

import deeptheory as dt
from deeptheory import statistics
from deeptheory.runs import Run, Step, chunks, members

WIDTHS = [12, 10, 7, 5, 4, 3, 2]  # Shwartz-Ziv & Tishby 2017
EPOCHS = [0, 10, 40]
LARGEST = 25  # networks of one unit


# %%
# One unit of work: some networks, by their seeds. It knows nothing of the others; the same networks come out in any
# company, bit for bit. A worker that dies, or a run that is killed, loses the unit at work and no other.
def measured(settings, unit, inputs, workspace, progress):
    """I(X;T) and I(T;Y) [seed, step, layer] of the networks with these seeds, bits."""
    data = dt.datasets.icosahedron()
    nets = dt.networks.Population.mlp(WIDTHS, "tanh", seeds=unit)
    readout = dt.Binning(30, (-1, 1))
    recorder = dt.Recorder(nets, data.x, data.y, layers="layer*", readouts=readout)
    dt.networks.fit(
        nets, data.x, data.y, epochs=EPOCHS[-1], lr=2e-3, batch=512, recorder=recorder, record_at=EPOCHS,
        seed=settings["seed"], progress=progress,
    )  # fmt: skip
    return dt.information_plane(recorder.recording, readout).dataset()[["i_x", "i_y"]]


def units(settings):
    """Seeds of all networks, in pieces; they depend on the settings alone, never on the engine."""
    return chunks(members(settings["seed"], settings["networks"]), LARGEST)


def main(networks: int) -> None:
    # %%
    # The run: a folder, settings, and the engine by name. The same call goes on where a killed one stopped.
    folder = Path(tempfile.gettempdir()) / f"networks-{networks}"
    run = Run(folder, study="spread", scale="own", seed=0, settings={"networks": networks}, command="the same call")
    results = run.execute([Step(name="plane", function=measured, units=units)], engine="dask", jobs=4)
    plane = results["plane"]

    # %%
    # What a thousand say that ten do not: how wide the spread between networks is, and how it narrows the mean.
    last = plane["i_y"].isel(step=-1, layer=-2)
    print("I(T;Y) of the last hidden layer")
    for n in sorted({10, 50, networks}):
        if n <= networks:
            e = statistics.mean_interval(last[:n].values)
            print(f"mean of {n:4} networks: {e.value:.3f} [{e.low:.3f}, {e.high:.3f}] bits")
    low, high = last.quantile([0.05, 0.95]).values
    print(f"nine of ten networks lie in [{low:.3f}, {high:.3f}] bits")

    # %%
    # A network alone, in this process: the bits that it had among 24 others on a worker.
    alone = measured({"seed": 0}, [int(plane.seed[-1])], {}, None, None)
    assert alone.i_x.equals(plane.i_x[-1:])
    assert alone.i_y.equals(plane.i_y[-1:])
    assert plane.sizes["seed"] == networks


if __name__ == "__main__":  # a worker imports this file
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
