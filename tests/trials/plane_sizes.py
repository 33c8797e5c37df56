"""Rows of test_planes.py on sizes: of values, from subnormals to the largest, and of memory."""

import numpy as np

import deeptheory as dt
from deeptheory.information import ClassStatistics, Clusters, Cosines
from trials.frame import Found, Row, all_of, near


def powers_of_two(rng, draws):
    """Layers times a power of two, exactly, from subnormals to the largest: every summary that has no unit
    stays, in one piece and by batches."""
    plain = [
        dt.Binning(5),
        dt.Binning(30, "unit"),
        dt.Binning(5, "unit", spacing="count"),
        dt.Quantized(3),
        dt.Quantized(2, "unit"),
    ]
    plain += [
        dt.Exact(),
        dt.GaussianNoise(0.3, relative=True),
        dt.GaussianNoise(0.3, relative="distance"),
        ClassStatistics(),
        Cosines(),
    ]
    bounded = [
        lambda c: dt.Binning(7, (-c, c)),
        lambda c: dt.Quantized(3, (-c, c)),
        lambda c: Clusters(0.375 * c),
        lambda c: dt.GaussianNoise(0.5 * c),
    ]
    out, y = [], rng.integers(0, 3, 60)
    for dtype, powers in ((np.float64, (-1066, -1040, -950, 950, 1023)), (np.float32, (-141, -130, 127))):
        a = (np.rint(np.tanh(rng.normal(size=(2, 60, 3))) * 127) / 128).astype(dtype)
        a[:, :, 0], a[:, :2, 1] = 1 / 128, [1, -1]  # a constant unit; ends as far apart as numbers go
        for p in powers:
            b = np.ldexp(a, p)
            for make in (*(lambda c, r=r: r for r in plain), *bounded):
                one, other = make(1.0), make(float(np.ldexp(1.0, p)))
                keys = (
                    ("i_x", "i_y", "occupied", "separation", "apart")
                    if not isinstance(one, Cosines)
                    else ("within", "between")
                )
                want = {k: v for k, v in one.summarize(a, y).items() if k in keys}
                for got in (other.summarize(b, y), batched(other, b, y)):
                    out.append(
                        near([got[k] for k in want], list(want.values()), 1e-5, f"{one}, 2^{p} {dtype.__name__}: ")
                    )
                if isinstance(one, Clusters):
                    out.append(
                        near(
                            np.ldexp(other.summarize(b, y)["nearest"], -p),
                            one.summarize(a, y)["nearest"],
                            0.01,
                            "nearest: ",
                        )
                    )
    return all_of(*out)


def batched(readout, a, y):
    """The summary by a stream of two batches, where there is one."""
    if not hasattr(readout, "start"):
        return readout.summarize(a, y)
    stream = readout.start("layer")
    if getattr(stream, "passes", 1) > 1:
        stream.look(a[:, :25])
        stream.look(a[:, 25:])
    stream.update(a[:, :25], y[:25])
    stream.update(a[:, 25:], y[25:])
    return stream.result()


_GROWS = """
import re, sys
from pathlib import Path
import numpy as np
from deeptheory.information.entering import discrete
n, classes, soft = map(int, sys.argv[1:])
rng = np.random.default_rng(0)
labels = lambda n: rng.dirichlet(np.ones(classes), n) if soft else rng.integers(0, classes, n)
discrete(np.arange(200)[None, :, None], labels(200))
rows, y = np.arange(n)[None, :, None], labels(n)
Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from what is held now
kb = lambda name: int(re.search(name + ":\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = kb("VmRSS")
discrete(rows, y)
print((kb("VmHWM") - before) * 1024 / n)
"""


def memory_of_classes(rng, draws):
    """Bytes of peak memory per sample while counting 400,000 samples that are all apart: the same for 2 to 5,000
    classes, and for p(y|x) of 2 and 30. A table of samples by 64 classes would take 512."""
    import subprocess
    import sys

    said = []
    for classes, soft in ((2, 0), (64, 0), (5000, 0), (2, 1), (30, 1)):
        command = [sys.executable, "-c", _GROWS, "400000", str(classes), str(soft)]
        said.append(float(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    return Found(f"{', '.join(f'{v:.0f}' for v in said)} bytes", "at most 150", max(said) <= 150)


SIZES = [
    Row(
        "information.Exact.summarize",
        "invariance",
        "peak memory per sample of the count of its symbols, 2 to 5,000 classes",
        memory_of_classes,
        quick=0,
    ),
    Row(
        "information.Binning.summarize",
        "invariance",
        "powers of two from subnormals to 2^1023, of every read-out",
        powers_of_two,
    ),
]
