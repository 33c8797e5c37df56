"""Readouts as streams: what batches give is what the whole layer gives, to the bit,
and it takes no more memory with more samples."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information import ClassStatistics, Clusters, Cosines
from deeptheory.recording.streams import start

READOUTS = [
    dt.Exact(), dt.Quantized(3), dt.Quantized(4, "unit"), dt.Quantized(2, (0, 1)), dt.Binning(5),
    dt.Binning(30, "unit"),
    dt.Binning(7, (-9, 9)), dt.Binning(3, (-0.5, 0.5), clamp=True), dt.Binning.released(30),
    dt.Binning(edges=[-9, -0.1, 0, 0.1, 9]),
    dt.Binning(4, spacing="count"), dt.Binning(4, "unit", spacing="entropy"), dt.GaussianNoise(0.4),
    dt.GaussianNoise(0.3, relative=True),
    dt.GaussianNoise(0.5, relative="distance"), Clusters(0.5), Cosines(),
]  # fmt: skip


def layer(units, zeros, rng, n=97, dtype=np.float32):
    a = rng.normal(size=(2, n, units)).astype(dtype)
    a = np.maximum(a, 0) if zeros else np.clip(a, -8, 8)
    a[:, n // 2 :] = a[:, : n - n // 2]  # repeats
    return a


def streamed(readout, a, y, size):
    stream = start(readout, "layer")
    pieces = [(a[:, k : k + size], y[k : k + size]) for k in range(0, a.shape[1], size)]
    if getattr(stream, "passes", 1) > 1:
        for part, _ in pieces:
            stream.look(part)
    for part, labels in pieces:
        stream.update(part, labels)
    return stream.result()


@pytest.mark.parametrize("readout", READOUTS, ids=repr)
@pytest.mark.parametrize(
    ("units", "zeros", "size", "dtype"),
    [(1, False, 10, np.float32), (3, True, 97, np.float64), (40, True, 1, np.float32), (700, False, 33, np.float32)],
)
def test_batches_give_what_the_layer_gives(readout, units, zeros, size, dtype):
    rng = np.random.default_rng([units, size])
    a, y = layer(units, zeros, rng, dtype=dtype), rng.integers(0, 3, 97)
    if readout.__class__ is dt.Binning and readout.wrap:
        a = np.clip(a, -1.5, 1.5)
    whole, parts = readout.summarize(a, y), streamed(readout, a, y, size)
    assert whole.keys() == parts.keys()
    for k in whole:
        assert np.array_equal(np.asarray(whole[k]), np.asarray(parts[k])), k


@pytest.mark.parametrize("classes", [2, 10, 300])
def test_class_statistics_agree_with_analysis_of_variance(classes):
    rng = np.random.default_rng(classes)
    n = 6 * classes
    y = np.repeat(np.arange(classes), 6)[rng.permutation(n)] * 7 - 3
    a = (rng.normal(size=(2, n, 5)) + 1e4 + (y[:, None] / classes)).astype(np.float64)
    got = streamed(ClassStatistics(), a, y, 11)
    for s in range(2):
        mean = a[s].mean(0)
        within = sum(((a[s][y == c] - a[s][y == c].mean(0)) ** 2).sum() for c in np.unique(y))
        between = sum((y == c).sum() * ((a[s][y == c].mean(0) - mean) ** 2).sum() for c in np.unique(y))
        assert got["within"][s] == pytest.approx(within / n, rel=1e-8)
        assert got["between"][s] == pytest.approx(between / n, rel=1e-8)
        assert got["separation"][s] == pytest.approx(
            1 - (within / (n - classes)) / ((within + between) / (n - 1)), rel=1e-8
        )
    whole = ClassStatistics().summarize(a, y)
    assert all(np.allclose(whole[k], got[k], rtol=1e-9) for k in whole)


def test_class_means_that_would_be_large_are_of_averaged_neighbors():
    rng = np.random.default_rng(0)
    a, y = rng.normal(size=(1, 60, 10)), np.arange(60) % 6
    small = ClassStatistics(memory=6 * 8 * 4)  # room for four groups
    assert small.pool(10, 6) == 3
    assert "3 neighboring units are averaged into one" in small.said(10, 6)
    groups = np.stack([a[0][:, k : k + 3].mean(1) for k in range(0, 10, 3)], 1)[None]
    got, want = small.summarize(a, y), ClassStatistics().summarize(groups, y)
    assert got["within"] == pytest.approx(want["within"])
    assert got["pool"] == 3
    recorder = dt.Recorder(nn.Flatten(), a[0], y, readouts=small, batch=9)
    assert "output: class means of 10 units and 6 classes exceed 192 bytes" in recorder.cost().notes[0]
    recorder.snapshot(0)
    assert recorder.recording.summary(small)["within"].item() == pytest.approx(want["within"][0])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: ClassStatistics().summarize(np.ones((1, 4, 2)), [0, 0, 1, 1]), "the same values for every sample"),
        (lambda: ClassStatistics().summarize(np.ones((1, 3, 2)), [0, 1, 2]), "3 samples of 3 classes"),
        (lambda: ClassStatistics().summarize(np.ones((1, 3, 2)), [1, 1, 1]), "3 samples of 1 classes"),
        (lambda: ClassStatistics().summarize(np.ones((1, 3, 2)), np.ones((3, 2)) / 2), r"need labels \[3\]"),
        (lambda: ClassStatistics(0), "memory is 0"),
        (lambda: dt.GaussianNoise(1, relative="layer"), "unknown relative noise 'layer'"),
        (lambda: start(dt.Binning(3, "global"), "a"), "needs every layer and step at once"),
        (lambda: streamed(dt.Exact(), np.full((1, 4, 2), np.nan), [0, 1, 0, 1], 3), r"hold nan \(seed 0, sample 0"),
        (lambda: streamed(dt.Exact(), np.concatenate([np.ones((1, 3, 2)), np.full((1, 1, 2), np.inf)], 1),
            np.arange(4) % 2, 3), r"hold inf \(seed 0, sample 3"),
        (lambda: streamed(dt.Binning(3, (0, 1)), np.full((1, 4, 2), 3.0), np.arange(4) % 2, 3),
            r"lie outside \[0, 1\]"),
    ],
)  # fmt: skip
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


X = torch.randn(40, 6, generator=torch.Generator().manual_seed(1))
Y = np.arange(40) % 4


def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 30), nn.ReLU(), nn.Linear(30, 4))


@pytest.mark.parametrize("batch", [None, 1, 7, 40])
def test_a_recorder_in_batches_records_the_same(batch):
    both = [dt.Exact(), dt.Quantized(4), dt.Binning(5, "unit"), dt.GaussianNoise(0.3), Cosines(), ClassStatistics()]
    lean = dt.Recorder(net(), X, Y, readouts=both, batch=batch)
    full = dt.Recorder(net(), X, Y, batch=batch)
    lean.snapshot(0), full.snapshot(0)
    for r in both:
        for name in full.recording.layers:
            want = r.summarize(full.recording.activations(name, 0), Y)
            got = lean.recording.summary(r).sel(layer=name, step=0)
            assert all(np.allclose(got[k].values, want[k], rtol=1e-9) for k in want), (r, name)
    cost = lean.cost()
    assert (cost.passes, cost.batches) == ((1, 1) if batch in (None, 40) else (2, -(-40 // batch)))
    assert cost.layers == 2
    assert "2 layers" in repr(cost)


@dataclass(frozen=True)
class Rounded:
    """Two of these that differ print alike."""

    power: float

    def summarize(self, activations, targets):
        return {"power": (torch.as_tensor(activations).abs() ** self.power).flatten(1).mean(1)}

    def __repr__(self):
        return f"Rounded({self.power:.1f})"


class Unnamed:
    """No repr, and an array among its settings."""

    def __init__(self, scale):
        self.scale = scale

    def summarize(self, activations, targets):
        return {"scaled": (np.asarray(activations) * np.asarray(self.scale)).mean((1, 2))}


@pytest.mark.parametrize(
    ("kept", "same", "other"),
    [
        (dt.GaussianNoise(0.1), dt.GaussianNoise(np.float64(0.1)), dt.GaussianNoise(0.1 + 1e-12)),
        (dt.GaussianNoise(1), dt.GaussianNoise(1.0, False), dt.GaussianNoise(1, True)),
        (dt.Binning(5), dt.Binning(np.int64(5), bounds="layer"), dt.Binning(5, "unit")),
        (dt.Binning(3, (0, 1), clamp=True), dt.Binning(3, (np.float32(0), 1.0), clamp=np.True_),
            dt.Binning(3, (0, 1.0000001), clamp=True)),
        (dt.Binning(edges=[0, 1, 2]), dt.Binning(edges=np.array([0.0, 1.0, 2.0])), dt.Binning(edges=[0, 1, 2.5])),
        (dt.Quantized(8), dt.Quantized(np.uint8(8)), dt.Quantized(7)),
        (Rounded(1.01), Rounded(np.float64(1.01)), Rounded(1.02)),
        (Unnamed(np.array([1.0, 2.0, 3.0, 4.0])), Unnamed(np.array([1.0, 2.0, 3.0, 4.0])),
            Unnamed(np.array([1.0, 2.0, 3.0, 5.0]))),
        (Unnamed(torch.ones(4)), Unnamed(torch.ones(4)), Unnamed(2.0)),
    ],
)  # fmt: skip
def test_a_readout_is_known_by_its_values(kept, same, other, tmp_path):
    model = nn.Sequential(nn.Linear(6, 4), nn.Sigmoid())
    recorder = dt.Recorder(model, X, Y, readouts=[kept, same])
    recorder.snapshot(0)
    recording = recorder.recording
    assert len(recording.readouts) == 1
    recording.save(tmp_path / "r")
    for r in (recording, dt.Recording.load(tmp_path / "r")):
        assert r.summary(same).identical(r.summary(kept))
        with pytest.raises(InputError, match="unknown readout kept"):
            r.summary(other)
    both = dt.Recorder(model, X, Y, readouts=[kept, other])
    both.snapshot(0)
    assert len(set(both.recording.readouts)) == 2
    assert not both.recording.summary(kept).identical(both.recording.summary(other))
    if isinstance(kept, dt.GaussianNoise | dt.Binning | dt.Quantized):
        assert dt.information_plane(recording, same).i_x.shape == (1, 1, 1)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads its memory as Linux tells it")
def test_memory_does_not_grow_with_the_probe():
    """A convolutional network whose layers take 1.6 MB an image; with 8 times the images the peak rises by their inputs
    alone."""
    code = """
import sys, numpy as np, torch, deeptheory as dt
from torch import nn
from deeptheory.information import ClassStatistics
torch.set_num_threads(1); torch.manual_seed(0)
first, second = nn.Conv2d(1, 32, 3, padding=1), nn.Conv2d(32, 64, 3, padding=1)
m = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
def peak():
    return int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) / 1e3
def go(n):
    x = torch.randn(n, 1, 64, 64)
    recorder = dt.Recorder(m, x, np.arange(n) % 10, readouts=[dt.Binning(30), dt.Exact(), ClassStatistics()], batch=8)
    recorder.snapshot(0)
    assert recorder.recording.layers == ("1", "3", "output")
go(16); first = peak(); go(128)
print(peak() - first)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 60  # MB; all layers of 128 images are 200


@pytest.mark.parametrize("power", [-1000, -600, -300, 300, 600, 1000])
def test_class_statistics_do_not_depend_on_the_unit(power):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 90)
    a = rng.standard_normal((1, 90, 4)) + y[None, :, None]
    plain = ClassStatistics().summarize(a, y)
    scaled = ClassStatistics().summarize(np.ldexp(a, power), y)
    assert scaled["separation"] == pytest.approx(plain["separation"], rel=1e-12)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e-30, 1.0])
@pytest.mark.parametrize("sigma", [1e-3, 0.1, 10.0])
def test_the_entropy_of_a_noisy_layer_is_that_of_the_noise_where_the_layer_is_small(scale, sigma):
    rng = np.random.default_rng(1)
    a = rng.standard_normal((1, 50, 3)) * scale * sigma * 1e-3
    got = dt.GaussianNoise(sigma).summarize(a, np.arange(50) % 2)
    assert got["h_t"] == pytest.approx(1.5 * np.log2(2 * np.pi * np.e * sigma**2), abs=1e-4)
    apart = rng.standard_normal((1, 50, 3)) * 1e6 / scale * sigma  # to 1e306
    far = dt.GaussianNoise(sigma).summarize(apart, np.arange(50) % 2)
    assert far["h_t"] == pytest.approx(np.log2(50) + 1.5 * np.log2(2 * np.pi * np.e * sigma**2))
