"""Growth: how the plane's and the training's time grow, and how far each is from what the machine can do.

The plane grows a little faster than its work once the hash table leaves the fastest cache, and training grows in
proportion to the number of networks.
"""

import time

import numpy as np
import torch

import deeptheory as dt
from benchmarks.timing import Row, interleaved


def _median(function, rounds: int) -> float:
    return float(np.median(interleaved({"f": function}, rounds)["f"]))


def _row(name: str, seconds: float, base: float, times: float, note: str = "") -> Row:
    ratio = seconds / base
    return Row(name, 1000 * seconds, f"{times:g} times the work", 1000 * base, ratio, ratio, ratio, None, "", note)


def _limits() -> tuple[float, float]:
    """This core's float32 multiply-adds (as flop/s, by a large matrix product) and bytes/s (by a copy)."""
    a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
    flops = 2 * 1024**3 / _median(lambda: a @ b, 7)
    big, other = np.ones(2**26, dtype=np.float32), np.empty(2**26, dtype=np.float32)
    return flops, 2 * big.nbytes / _median(lambda: np.copyto(other, big), 5)


def run(rounds: int, quick: bool) -> list[Row]:
    """ratio: time / time of the base case, beside how many times the work it is."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    readout, rows = dt.Binning(30, (-1, 1)), []

    def plane(networks: int, inputs: int, units: int) -> float:
        a = np.tanh(2 * rng.standard_normal((networks, inputs, units))).astype(np.float32)
        y = rng.integers(0, 2, inputs)
        return _median(lambda: readout.summarise(a, y), rounds)

    base = plane(1, 4096, 10)
    cases = (
        ("10 networks", 10, 4096, 10),
        ("100 networks", 100, 4096, 10),
        ("65536 inputs", 1, 65536, 10),
        ("100 units", 1, 4096, 100),
    )
    for name, networks, inputs, units in cases:
        work = networks * inputs * units / (4096 * 10)
        rows.append(
            _row(f"plane, {name} (base: 1 network, 4096 inputs, 10 units)", plane(networks, inputs, units), base, work)
        )
    flops, bytes_ = _limits()
    moved = 4096 * 10 * 4
    rows.append(
        _row(
            "plane, base case against reading its activations once from memory",
            base,
            moved / bytes_,
            1,
            f"{bytes_ / 1e9:.1f} GB/s; the rest is hashing and counting, with unpredictable access",
        )
    )

    data = dt.datasets.icosahedron()

    def training(networks: int, epochs: int = 10) -> float:
        nets = dt.networks.Population.mlp([12, 10, 7, 5, 4, 3, 2], seeds=range(networks))
        dt.networks.fit(nets, data.x, data.y, epochs=1)
        start = time.perf_counter()
        dt.networks.fit(nets, data.x, data.y, epochs=epochs, reshuffle=False)
        return (time.perf_counter() - start) / epochs

    times = {n: min(training(n) for _ in range(3)) for n in (1, 10, 50)}
    rows += [_row(f"training an epoch, {n} networks (base: 1)", times[n], times[1], n) for n in (10, 50)]
    weights = sum(i * o for i, o in zip([12, 10, 7, 5, 4, 3], [10, 7, 5, 4, 3, 2]))
    work = 50 * 3277 * 6 * weights  # forward, and twice that backward
    rows.append(
        _row(
            "training an epoch, 50 networks, against its multiply-adds at full speed",
            times[50],
            work / flops,
            1,
            f"{flops / 1e9:.0f} Gflop/s for a 1024 matrix product; layers of 2 to 12 units leave most of the "
            "time to tanh and exp",
        )
    )
    return rows
