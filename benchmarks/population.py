"""Populations: fifty networks as one program, against fifty in turn and against fifty stacked, with torch.optim.Adam.

A hand-written forward and backward pass, networks one after the other over a minibatch small enough for the cache, the
batch innermost so that every loop is over contiguous numbers; one flat parameter vector and one fused update a network.
What is left is mostly tanh and exp. The strongest other form stacks the weights of all networks, multiplies by
torch.baddbmm and updates by the fused Adam: one Python loop, all fifty networks in each operation.
"""

import copy
import time

import torch
from torch import nn

import deeptheory as dt
from benchmarks.timing import Row, compare

WIDTHS, BATCH, RATE = [12, 10, 7, 5, 4, 3, 2], 512, 4e-4


def loop(net: nn.Module, x, y, order, epochs: int, **options):
    """The usual training loop; drops the last incomplete minibatch, takes rows in the order given."""
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE, **options)
    loss_of = nn.CrossEntropyLoss()
    batches = [order[k : k + BATCH] for k in range(0, len(order) - BATCH + 1, BATCH)]
    for _ in range(epochs):
        for rows in batches:
            optimizer.zero_grad()
            loss_of(net(x[rows]), y[rows]).backward()
            optimizer.step()


def stacked(weights, biases, x, y, orders, epochs: int):
    """All networks at once: weights [network, in, out], one baddbmm a layer, one fused Adam; each has its own rows."""
    weights = [w.detach().clone().requires_grad_() for w in weights]
    biases = [b.detach().clone().requires_grad_() for b in biases]
    optimizer = torch.optim.Adam([*weights, *biases], lr=RATE, fused=True)
    batches = [orders[:, k : k + BATCH] for k in range(0, orders.shape[1] - BATCH + 1, BATCH)]
    for _ in range(epochs):
        for rows in batches:
            optimizer.zero_grad()
            h = x[rows]
            for w, b in zip(weights, biases):
                h = torch.baddbmm(b[:, None], h, w)
                h = torch.tanh(h) if w is not weights[-1] else h
            loss = torch.nn.functional.cross_entropy(h.flatten(0, 1), y[rows].flatten(), reduction="sum")
            (loss / BATCH).backward()  # of each network its own mean
            optimizer.step()
    return weights


def run(rounds: int, quick: bool) -> list[Row]:
    """Time of the same 50 x epochs of training; the loop is measured on 2 networks, times 25."""
    torch.set_num_threads(1)
    data = dt.datasets.icosahedron()
    x, y = torch.as_tensor(data.x), torch.as_tensor(data.y)
    epochs, networks, singles = (5 if quick else 20), 50, 2
    rows = []
    for name, options in (("torch.optim.Adam loop", {}), ("fused torch.optim.Adam loop", {"fused": True})):

        def ours():
            nets = dt.networks.Population.mlp(WIDTHS, seeds=range(networks))
            history = dt.networks.fit(
                nets, data.x, data.y, lr=RATE, batch=BATCH, epochs=epochs, reshuffle=False, drop_last=True
            )
            return nets, history

        nets, history = ours()
        orders = [history.order[k, : history.counts[k]] for k in range(singles)]

        def theirs(options=options, orders=orders):
            nets = dt.networks.Population.mlp(WIDTHS, seeds=range(singles))
            out = []
            for k in range(singles):
                net = nn.Sequential(*list(copy.deepcopy(nets.network(k)))[:-1])
                loop(net, x, y, torch.as_tensor(orders[k]), epochs, **options)
                out.append(net)
            return out

        error = max(
            float((list(net)[2 * j].weight - nets.parts()[j][0][k]).detach().abs().max())
            for k, net in enumerate(theirs())
            for j in range(len(WIDTHS) - 1)
        )
        rows.append(
            compare(
                f"training, {networks} networks, {epochs} epochs",
                ours,
                name,
                theirs,
                max(3, rounds // 2),
                theirs_scale=networks / singles,
                error=error,
                error_of="largest difference of a weight, float32",
                note=f"theirs measured on {singles} networks in turn, times {networks // singles}",
                clock=time.process_time,
            )
        )
    nets, history = ours()
    orders = torch.as_tensor(history.order[:, : history.counts[0]])
    assert (history.counts == history.counts[0]).all(), "stacked batches need the same number of rows of each network"

    def theirs_stacked():
        start = dt.networks.Population.mlp(WIDTHS, seeds=range(networks))
        return stacked(
            [w.transpose(1, 2) for w, _ in start.parts()], [b for _, b in start.parts()], x, y, orders, epochs
        )

    error = max(
        float((w.transpose(1, 2) - mine).detach().abs().max()) for w, (mine, _) in zip(theirs_stacked(), nets.parts())
    )
    rows.append(
        compare(
            f"training, {networks} networks, {epochs} epochs",
            ours,
            "stacked weights, torch.baddbmm, fused torch.optim.Adam",
            theirs_stacked,
            max(3, rounds // 2),
            error=error,
            error_of="largest difference of a weight, float32",
            clock=time.process_time,
        )
    )
    return rows
