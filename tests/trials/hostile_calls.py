"""One valid call of every public function that takes numbers: statistics, runs, information, datasets, faces."""

from functools import cache

import numpy as np
import torch

import deeptheory as dt
from deeptheory import datasets as ds
from deeptheory import faces as fa
from deeptheory import information as inf
from deeptheory import runs
from deeptheory import statistics as st
from trials.hostile_values import Call

RNG = np.random.default_rng(0)
N = 40
X, Y, Z = RNG.normal(size=(N, 2)), RNG.normal(size=(N, 1)), RNG.normal(size=N)
WORDS = RNG.integers(0, 3, N)
GROUPS = np.repeat(np.arange(10), 4)
ONE, TWO = RNG.normal(size=9) + 3, RNG.normal(size=9) + 4
P = np.array([[0.3, 0.1, 0.1], [0.05, 0.2, 0.25]])
CHANNEL = P / P.sum(1, keepdims=True)
COV = np.array([[2.0, 0.3], [0.3, 1.0]])
ACTIVE = np.tanh(RNG.normal(size=(2, 24, 3)))  # seed, input, unit
TARGETS = RNG.integers(0, 2, 24)
PLANE = np.abs(np.cumsum(RNG.normal(size=(2, 5, 3)), 1))  # seed, step, layer

HELD = {"inputs": 24, "units": 3, "seeds": 2, "classes": 2, "itemsize": 4}
NOISY = dt.PropagatedNoise(0.3, 6, blocks=2, chosen=3, repeats=4, draws=2, seed=0)


@cache
def kept():
    """A Recording of three inputs whose layer joins the last two."""
    made = dt.Recording([0], np.zeros(3, dtype=int), inputs=3)
    made.add(0, {"a": torch.as_tensor([[[0.0], [1.0], [1.0]]])})
    return made


@cache
def curve():
    return dt.bottleneck_curve(P, np.geomspace(1, 20, 8))


@cache
def estimate():
    return dt.mutual_information(X, Y, "ksg")


def _with(call, name, *args, **kwargs):
    return lambda: Call(getattr(call(), name), args, kwargs)


def _of(function, *args, **kwargs):
    labels = kwargs.pop("labels_", ())
    return lambda: Call(function, args, kwargs, labels=labels)


def _summaries(readout):
    return _of(readout.summarize, ACTIVE, TARGETS, labels_=("1",))


STATISTICS = {
    "statistics.autocorrelation_time": _of(st.autocorrelation_time, Z, GROUPS, labels_=("1",)),
    "statistics.batch_interval": _of(st.batch_interval, 0.1, lambda rows: float(Z[rows].mean()), N, seed=0,
        groups=GROUPS,
        labels_=("groups",)),
    "statistics.bootstrap_interval": _of(st.bootstrap_interval, np.mean, ONE, resamples=99, seed=0, level=0.9),
    "statistics.codes_of": _of(st.codes_of, WORDS, labels_=("0",)),
    "statistics.false_discovery": _of(st.false_discovery, np.array([0.01, 0.2, 0.03, 0.5]), 0),
    "statistics.geometric_mean_interval": _of(st.geometric_mean_interval, ONE, 0.9),
    "statistics.holm": _of(st.holm, np.array([0.01, 0.2, 0.03, 0.5])),
    "statistics.mean_interval": _of(st.mean_interval, ONE, 0.9),
    "statistics.median_interval": _of(st.median_interval, ONE, 0.9),
    "statistics.permutation_p": _of(st.permutation_p, ONE[:3], RNG.normal(size=(19, 3))),
    "statistics.permutations": _of(st.permutations, 12, 5, seed=0, groups=np.repeat(np.arange(4), 3), labels_=(
        "groups",)),
    "statistics.permutations within": _of(st.permutations, 12, 5, seed=0, within=np.repeat(np.arange(4), 3),
        labels_=("within",)),
    "statistics.permutations block": _of(st.permutations, 12, 5, seed=0, block=3),
    "statistics.proportion_interval": _of(st.proportion_interval, 3, 10, 0.9),
    "statistics.rank_correlation": _of(st.rank_correlation, ONE, TWO, level=0.9, seed=0),
    "statistics.ratio_interval": _of(st.ratio_interval, ONE, TWO, 0.9),
    "statistics.spearman": _of(st.spearman, ONE, TWO),
    "runs.chunks": _of(runs.chunks, range(7), 3),
    "runs.derive": _of(runs.derive, 3, "a"),
    "runs.generator": lambda: Call(lambda seed, *names: runs.generator(seed, *names).random(2), (3, "a")),
    "runs.members": _of(runs.members, 3, 4),
    "runs.share_of": _of(runs.share_of, WORDS > 0, ),
    "runs.Sample": _of(runs.Sample, ONE),
    "runs.Region": _of(runs.Region, 0.1, 0.5),
    "runs.Region.verdict": _of(runs.Region(0.1, 0.5).verdict, 0.2, 0.3),
}  # fmt: skip

INFORMATION = {
    **{f"information.mutual_information {m}": _of(dt.mutual_information, X, Y, m, **how) for m, how in (
        ("auto", {"permutations": 5, "groups": np.arange(N), "seed": 1, "labels_": ("groups",)}),
        ("ksg", {"k": 3}), ("gaussian", {}), (
        "copula", {}),
        ("lnc", {"k": 5}), ("wkl", {}), ("kl", {}), ("mixed", {}), ("kde-bounds", {"bandwidth": 0.5}))},
    "information.mutual_information plugin": lambda: Call(dt.mutual_information, (WORDS, GROUPS % 3, "plugin"), labels=(
        "0", "1")),
    "information.mutual_information labels": lambda: Call(dt.mutual_information, (X, WORDS, "labels"), labels=("1",)),
    "information.mutual_information compressed": _of(dt.mutual_information, X, Y, "compressed"),
    **{f"information.entropy {m}": _of(dt.entropy, X, m) for m in ("auto", "gaussian", "kl")},
    "information.entropy plugin": lambda: Call(dt.entropy, (WORDS, "plugin"), labels=("0",)),
    **{f"information.conditional_mutual_information {m}": _of(dt.conditional_mutual_information, X, Y, Z, method=m)
        for m in ("auto", "ksg", "mixed", "gaussian")},
    "information.conditional_mutual_information plugin": lambda: Call(dt.conditional_mutual_information,
        (WORDS, GROUPS % 3, GROUPS % 2), {"method": "plugin"}, labels=("0", "1", "2")),
    **{f"information.conditional_entropy {m}": _of(dt.information.conditional_entropy, X, Y, method=m)
        for m in ("auto", "kl", "gaussian")},
    "information.conditional_entropy labels": lambda: Call(dt.information.conditional_entropy, (WORDS, X),
        {"method": "labels"},
        labels=("0", "1")),
    "information.transfer_entropy": _of(inf.transfer_entropy, Z, Y[:, 0], lag=1, history=1, shifts=3, seed=0, block=4,
        labels_=("0", "1")),
    "information.lagged_information": _of(inf.lagged_information, Z, Y[:, 0], [0, 1], block=4, method="gaussian",
        labels_=("0", "1")),
    "information.InformationEstimate.convergence": lambda: Call(estimate().convergence, ((0.25, 0.5),), {"parts": 2,
        "seed": 0}),
    "information.one_neuron_information": _of(inf.one_neuron_information, np.array([0.5, 2.0]), np.linspace(-1, 1, 6)),
    "information.noisy_neuron_information": _of(inf.noisy_neuron_information, np.array([0.5, 2.0]), Z[:5], 0.2,
        bias=0.1),
    "information.noisy_network_information": _of(inf.noisy_network_information, [np.tanh], X[:12], 0.3, chosen=6,
        repeats=4,
        draws=2, seed=0),
    "information.linear_information": _of(inf.linear_information, RNG.normal(size=(3, 2)), 0.5, COV),
    "information.linear_label_information": _of(inf.linear_label_information, RNG.normal(size=(3, 2)), 0.5,
        RNG.normal(size=(1, 2)), label_sigma=0.3, cov_x=COV),
    "information.fall": _of(inf.fall, PLANE, 1),
    "information.fits_before_compressing": _of(inf.fits_before_compressing, PLANE, PLANE[:, ::-1].copy(), axis=1,
        min_decrease=0.5),
    "information.fraction_of_information": _of(inf.fraction_of_information, PLANE, 3.5, 1),
    "information.information_plane": lambda: Call(dt.information_plane, (ACTIVE, dt.Binning(4)), {"targets": TARGETS,
        "permutations": 3, "seed": 0}, labels=("targets",)),
    "information.Binning": _of(dt.Binning, 4, (-1.0, 1.0)),
    "information.Binning edges": lambda: Call(lambda edges: dt.Binning(edges=edges).symbols(ACTIVE), (np.linspace(-1, 1,
        5),)),
    "information.Binning.on_range": _of(dt.Binning(4).on_range, -1.0, 1.0),
    "information.Binning.net_input": _of(dt.Binning.net_input, 4, "tanh", 2.0),
    "information.Binning.released": _of(dt.Binning.released, 4),
    "information.GaussianNoise": _of(dt.GaussianNoise, 0.3),
    "information.Quantized": _of(dt.Quantized, 3, (-1.0, 1.0)),
    "information.PropagatedNoise": _of(dt.PropagatedNoise, 0.3, 24, chosen=6, repeats=4, draws=2, seed=0),
    "information.Binning.summarize": _summaries(dt.Binning(4, (-1, 1))),
    "information.Binning.summarize layer": _summaries(dt.Binning(4, "layer")),
    "information.Exact.summarize": _summaries(dt.Exact()),
    "information.Quantized.summarize": _summaries(dt.Quantized(3)),
    "information.GaussianNoise.summarize": _summaries(dt.GaussianNoise(0.3)),
    "information.PropagatedNoise.summarize": lambda: Call(NOISY.summarize,
        (np.tanh(np.random.default_rng(2).normal(size=(1, len(NOISY.rows()), 2))),
         (NOISY.rows() % 2)), labels=("1",)),
    "information.Clusters.summarize": _summaries(inf.Clusters(0.5)),
    "information.Cosines.summarize": _summaries(inf.Cosines()),
    "information.ClassStatistics.summarize": _summaries(inf.ClassStatistics()),
    "information.Binning.symbols": _of(dt.Binning(4, (-1, 1)).symbols, ACTIVE),
    "information.Exact.symbols": _of(dt.Exact().symbols, ACTIVE),
    "information.Quantized.symbols": _of(dt.Quantized(3, (-1, 1)).symbols, ACTIVE),
    "information.LinearGaussian.probe": _of(inf.LinearGaussian().probe, 3),
    "information.LinearGaussian.maps": lambda: Call(inf.LinearGaussian().maps, (
        inf.LinearGaussian().probe(3)[None] @ np.arange(6.0).reshape(3, 2),)),
    "information.LinearGaussian.summarize": lambda: Call(inf.LinearGaussian().summarize, (np.asarray(inf.LinearGaussian(
        ).probe(3))[None] @ RNG.normal(size=(3, 2)),)),
    "information.bottleneck": _of(dt.bottleneck, P, 4.0),
    **{f"information.bottleneck {m}": _of(dt.bottleneck, P, 4.0, m) for m in ("dib", "agglomerative", "sequential",
        "squared")},
    "information.bottleneck_branches": _of(inf.bottleneck_branches, P, np.array([2.0, 8.0]), (1, 2), restarts=2,
        seed=0),
    "information.bottleneck_curve": _of(dt.bottleneck_curve, P.T.copy(), np.geomspace(1, 20, 4), clusters=2,
        seconds=5.0),
    "information.BottleneckCurve.beta_at": _with(curve, "beta_at", np.array([0.1, 0.2])),
    "information.BottleneckCurve.bound": _with(curve, "bound", np.array([0.1, 0.2])),
    "information.BottleneckCurve.envelope": _with(curve, "envelope", np.array([0.1, 0.2])),
    "information.finite_sample_bound": lambda: Call(inf.finite_sample_bound, (curve(), 200), {"constant": 1.0,
        "classes": 2}),
    "information.first_critical_beta": _of(inf.first_critical_beta, P),
    "information.gaussian_bottleneck": _of(dt.gaussian_bottleneck, COV, np.array([[1.0]]), np.array([[0.4], [0.2]]),
        np.array([2.0, 5.0])),
    "information.capacity": _of(dt.capacity, CHANNEL, 1e-9),
    "information.rate_distortion": _of(dt.rate_distortion, np.array([0.2, 0.3, 0.5]), 1 - np.eye(3), 2.0),
    "information.layer_bound": lambda: Call(
        lambda p, **how: dt.layer_bound(kept(), p, readout=dt.Exact(), **how), (P.T.copy(),), {"permutations": 2,
        "seed": 0, "constant": 1.0, "n": 100}),
    "information.Binning.held": _of(dt.Binning(4).held, **HELD),
    "information.ClassStatistics.held": _of(inf.ClassStatistics().held, **HELD),
    "information.ClassStatistics.pool": _of(inf.ClassStatistics().pool, 5, 3),
    "information.Exact.held": _of(dt.Exact().held, **HELD),
    "information.Quantized.held": _of(dt.Quantized(3).held, **HELD),
}  # fmt: skip

PICTURES = RNG.uniform(size=(4, 8, 8))

DATASETS = {
    "datasets.GroundTruth.sample": lambda: Call(ds.ground_truth(ds.ground_truths()[0]).sample, (20, 0)),
    "datasets.StudentTeacher.error": lambda: Call(ds.student_teacher(20, 5, 2).error, (np.ones((2, 5)), 0.1)),
    "datasets.center_crop": _of(ds.center_crop, PICTURES, 4),
    "datasets.color_jitter": _of(ds.color_jitter, RNG.uniform(size=(4, 3, 8, 8)), seed=0, brightness=0.2, contrast=(0.5,
        1.5)),
    "datasets.downsample": _of(ds.downsample, PICTURES, 2),
    "datasets.random_affine": _of(ds.random_affine, PICTURES, seed=0, size=10, rotation=20.0, shear=0.2, scale=(0.8,
        1.2), shift=1.0),
    "datasets.random_crop": _of(ds.random_crop, PICTURES, 4, seed=0),
    "datasets.random_shift": _of(ds.random_shift, PICTURES, seed=0, pad=1, max_shift=2),
    "datasets.multi_digit": lambda: Call(ds.multi_digit, (PICTURES, np.array([0, 1, 2, 3]), 3), {"seed": 0, "pad": 2,
        "max_shift": 1},
        labels=("0", "1")),
    "datasets.multiview": _of(ds.multiview, 2, size=8, instances=2, azimuths=(0, 20), elevations=(30, 35), lights=(0,
        1), seed=0),
    "datasets.paired_images": _of(ds.paired_images, "gaussians", 0.5, 5, size=8, seed=0),
    "datasets.student_teacher": _of(ds.student_teacher, 20, 5, 2, snr=1.0, relevant=3, seed=0),
    "datasets.committee": _of(ds.committee, 3, 2.0, 0),
    "datasets.icosahedron": _of(ds.icosahedron, 10.0, 0),
}  # fmt: skip


@cache
def drawn():
    images, landmarks, _ = fa.ProceduralFaces(size=16).sample(8, 0)
    return np.asarray(images, dtype=np.float64), np.asarray(landmarks)


@cache
def space():
    return fa.FaceSpace.fit(*drawn(), shape=2, appearance=2)


FACES = {
    "faces.ProceduralFaces": _of(fa.ProceduralFaces, 16, background=0.3),
    "faces.ProceduralFaces.sample": lambda: Call(fa.ProceduralFaces(size=16).sample, (2, 0), {"images_per_face": 1,
        "first": 0}),
    "faces.ProceduralFaces.render": lambda: Call(fa.ProceduralFaces(size=16).render, tuple(np.asarray(
        v[:2]) for v in list(fa.ProceduralFaces(size=16).sample(2, 0).latents.values())[:2]), {"seed": 0}),
    "faces.FaceSpace.fit": lambda: Call(fa.FaceSpace.fit, drawn(), {"shape": 2, "appearance": 2}),
    "faces.FaceSpace.encode": lambda: Call(space().encode, drawn()),
    "faces.FaceSpace.decode": lambda: Call(space().decode, (RNG.normal(size=(3, 4)),)),
    "faces.FaceSpace.landmarks": lambda: Call(space().landmarks, (RNG.normal(size=(3, 4)),)),
    "faces.FaceSpace.search": lambda: Call(space().search, (drawn()[0][:1],), {"iterations": 2}),
    "faces.FaceSpace.pose": lambda: Call(space().pose, (drawn()[1],)),
    "faces.FaceSpace.face_pixels": lambda: Call(space().face_pixels, (drawn()[1],)),
    "faces.FaceSpace.sample": lambda: Call(space().sample, (3, 0)),
    "faces.PixelSpace.fit": lambda: Call(fa.PixelSpace.fit, (drawn()[0], 2)),
    "faces.PixelSpace.encode": lambda: Call(fa.PixelSpace.fit(drawn()[0], 2).encode, (drawn()[0],)),
    "faces.PixelSpace.decode": lambda: Call(fa.PixelSpace.fit(drawn()[0], 2).decode, (RNG.normal(size=(3, 2)),)),
    "faces.held_out": lambda: Call(fa.held_out, drawn(), {"components": (1, 2), "folds": 2, "seed": 0}),
    "faces.montage": lambda: Call(fa.montage, (drawn()[0], 4), {"low": 0.0, "high": 1.0}),
    "faces.recognized": _of(fa.recognized, RNG.normal(size=(6, 3)), RNG.normal(size=(6, 3)), np.arange(6),
        spread=np.ones(3), labels_=("2",)),
}  # fmt: skip
