"""The information plane: one snapshot against the recipe of 2017, a competent numpy one, and the fastest numpy one.

A row of cells becomes one 64-bit key, keys are counted in a hash table, equal keys are compared in full, and labels are
counted in the same pass: no sorting, no temporary of the size of the input. H(T|X) = 0 is known and not computed. What
is left is arithmetic for the cell of each value and unpredictable memory access. The fastest numpy form writes a row of
cells as one int64 (30 cells to the 10 units fit below 2^63) and sorts these numbers. Times are processor times.
"""

import time

import numpy as np
import torch

import deeptheory as dt
from benchmarks.timing import Row, compare


def snapshot(networks: int):
    """Activations by layer of the paper's networks after some training, [seed, 4096, unit], and the labels."""
    data = dt.datasets.icosahedron()
    nets = dt.networks.Population.mlp([12, 10, 7, 5, 4, 3, 2], seeds=range(networks))
    dt.networks.fit(nets, data.x, data.y, epochs=300)
    recorder = dt.Recorder(nets, data.x, data.y, layers="layer*")
    return [a.detach() for a in recorder.activations().values()], data


def ours(layers, y):
    """i_x, i_y by layer, [layer, seed]."""
    readout = dt.Binning(30, (-1, 1))
    got = [readout.summarize(a, y) for a in layers]
    return np.array([[g["i_x"], g["i_y"]] for g in got])


def competent(layers, y):
    """numpy: cells by one multiplication, unique rows, counts; H(T|X) = 0 is known and not computed."""
    out = []
    for layer in layers:
        rows = []
        for a in layer.numpy():
            cells = np.clip(np.ceil((a + 1) * 15).astype(np.int8) - 1, 0, 29)
            _, which, counts = np.unique(cells, axis=0, return_inverse=True, return_counts=True)
            rows.append(_information(which.ravel(), counts, y))
        out.append(np.array(rows).T)
    return np.array(out)


def one_key(layers, y):
    """numpy: a row's cells as the digits of one int64, one sort of numbers; only where 30^units < 2^63."""
    out = []
    for layer in layers:
        weights = 30 ** np.arange(layer.shape[2], dtype=np.int64)
        rows = []
        for a in layer.numpy():
            cells = np.clip(np.ceil((a + 1) * 15).astype(np.int64) - 1, 0, 29)
            _, which, counts = np.unique(cells @ weights, return_inverse=True, return_counts=True)
            rows.append(_information(which, counts, y))
        out.append(np.array(rows).T)
    return np.array(out)


def _information(which, counts, y):
    p = counts / counts.sum()
    h = -(p * np.log2(p)).sum()
    conditional = 0.0
    for c in (0, 1):
        part = np.bincount(which[y == c])
        q = part[part > 0] / part.sum()
        conditional += (y == c).mean() * -(q * np.log2(q)).sum()
    return h, h - conditional


def recipe_of_2017(layers, x, y):
    """As the released program goes about it, for one network: digitise, bytes of a row as its symbol, and H(T|X) summed
    over every single input, each with its own search through all rows."""
    edges = np.linspace(-1, 1, 31)
    _, of_x = np.unique(x, axis=0, return_inverse=True)
    of_x = of_x.ravel()
    out = []
    for layer in layers:
        a = layer[0].numpy()
        cells = np.ascontiguousarray(edges[np.digitize(a, edges, right=True)])
        symbols = cells.view(np.dtype((np.void, cells.dtype.itemsize * cells.shape[1]))).ravel()
        _, which, counts = np.unique(symbols, return_inverse=True, return_counts=True)
        p = counts / counts.sum()
        h = -(p * np.log2(p)).sum()
        given_x = 0.0
        for i in range(of_x.max() + 1):
            own = symbols[of_x == i]
            _, part = np.unique(own, return_counts=True)
            q = part / part.sum()
            given_x -= len(own) / len(x) * (q * np.log2(q)).sum()
        out.append([h - given_x, _information(which, counts, y)[1]])
    return np.array(out)[..., None]


def run(rounds: int, quick: bool) -> list[Row]:
    """Headline: (b), for one network and for fifty."""
    torch.set_num_threads(1)
    rows = []
    one, data = snapshot(1)
    error = np.abs(ours(one, data.y) - recipe_of_2017(one, data.x, data.y)).max()
    rows.append(
        compare(
            "plane of one snapshot, 1 network",
            lambda: ours(one, data.y),
            "the recipe of 2017",
            lambda: recipe_of_2017(one, data.x, data.y),
            max(3, rounds // 3),
            error=float(error),
            error_of="bits",
            clock=time.process_time,
        )
    )
    for networks in (1, 50):
        layers, data = (one, data) if networks == 1 else snapshot(networks)
        part = [a[:5] for a in layers] if networks == 50 else layers
        for name, theirs in (("numpy unique(axis=0)", competent), ("numpy, one int64 per row", one_key)):
            error = np.abs(ours(part, data.y) - theirs(part, data.y)).max()
            rows.append(
                compare(
                    f"plane of one snapshot, {networks} network{'s' * (networks > 1)}",
                    lambda layers=layers, y=data.y: ours(layers, y),
                    name,
                    lambda part=part, y=data.y, theirs=theirs: theirs(part, y),
                    rounds,
                    theirs_scale=networks / len(part[0]),
                    error=float(error),
                    error_of="bits",
                    note="theirs measured on 5 networks, times 10" if networks == 50 else "",
                    clock=time.process_time,
                )
            )
    return rows
