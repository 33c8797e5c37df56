"""Data with known numbers: what they promise about information, overlap and error."""

import tempfile
from pathlib import Path

import numpy as np
import torch

import deeptheory as dt
from deeptheory.core.errors import StoreError
from trials.frame import Found, Row, all_of, near, quick, refused, same


def entropy(p):
    p = np.asarray(p, dtype=float)
    p = p[p > 0]
    return float(-(p * np.log2(p)).sum())


def by_hand(task):
    """I(X;Y) from the joint table, entry by entry."""
    p = task.p_xy
    return entropy(p.sum(0)) + entropy(p.sum(1)) - entropy(p.ravel())


def task_information(make):
    def check(rng, draws):
        gammas = (None, 0.5, 50.0, 1e6)
        return all_of(*(near(make(g).mutual_information, by_hand(make(g)), 1e-9) for g in gammas))

    return check


def soft_labels_follow(rng, draws):
    """Labels drawn from p(y|x): their mean is p, within 4 standard errors of 4,096 draws."""
    out = []
    for seed in rng.integers(0, 2**31, draws):
        task = dt.datasets.icosahedron(gamma=5.0, seed=int(seed))
        p = task.p_y_given_x
        out.append(near((task.y - p).sum() / np.sqrt((p * (1 - p)).sum()), 0, 4, "z "))
    return all_of(*out)


# columns that are jointly normal; the others are known through maps, tails or mixtures
GAUSSIAN = ("normal-1x1", "dense-50x50", *(f"{kind}-{d}x{d}" for kind in ("dense", "two-pairs") for d in (2, 3, 5, 25)))


def truth_of(name):
    """The stated bits of a Gaussian pair against the sample covariance of 200,000 draws."""

    def check(rng, draws):
        found = dt.datasets.ground_truth(name)
        x, y = found.sample(200_000, int(rng.integers(2**31)))
        cov = np.cov(np.c_[x, y].T)
        d = x.shape[1]
        sign = [np.linalg.slogdet(c)[1] for c in (cov[:d, :d], cov[d:, d:], cov)]
        return near((sign[0] + sign[1] - sign[2]) / 2 / np.log(2), found.mutual_information, 0.02)

    return check


def sampled_in_parts(rng, draws):
    found = dt.datasets.ground_truth(dt.datasets.ground_truths()[0])
    seed = int(rng.integers(2**31))
    before = torch.get_default_dtype()
    out = [found.sample(50, seed)[0]]
    try:
        torch.set_default_dtype(torch.float64)
        np.random.seed(int(rng.integers(1000)))  # noqa: NPY002  # a stranger's global seed must not matter
        out.append(found.sample(50, seed)[0])
    finally:
        torch.set_default_dtype(before)
    return same(out)


def student_error(rng, draws):
    """The closed form against 200,000 new samples."""
    out = []
    for seed in range(3):
        made = dt.datasets.student_teacher(50, 20, 2, snr=2.0, relevant=7, seed=seed)
        w = rng.normal(size=made.teacher.shape)
        x = rng.normal(size=(200_000, 20)) / np.sqrt(20)
        y = x @ made.teacher.T + made.label_noise * rng.normal(size=(200_000, 2))
        out.append(near(made.error(w) / ((y - x @ w.T) ** 2).sum(1).mean(), 1, 0.02))
    return all_of(*out)


def boxes(rng, draws):
    """Two digits in known boxes: the overlap is the shared area over the smaller one."""
    a = np.zeros((3, 20, 20), dtype=np.uint8)
    b = a.copy()
    a[:, 2:10, 2:10] = 255
    for k, (top, left) in enumerate(((2, 2), (6, 6), (10, 10))):
        b[k, top : top + 8, left : left + 8] = 255
    made = dt.datasets.MultiDigit(
        images=np.maximum(a, b), sources=np.stack([a, b], 1), labels=np.zeros((3, 2), dtype=int)
    )
    return near(made.overlap, [1, 16 / 64, 0], 1e-12)


def pixel_scales(rng, draws):
    """Shifting keeps every pixel's value, whatever the dtype and scale; the shifts are those of the seed."""
    x = rng.uniform(size=(4, 8, 8))
    out, corners = [], []
    for form in (x, x.astype(np.float32), (255 * x).astype(np.uint8)):
        got = dt.datasets.random_shift(form, seed=0, pad=3)
        out.append(near(np.sort(got.reshape(4, -1), 1)[:, -64:], np.sort(form.reshape(4, -1), 1), 0))
        out.append(Found(str(got.dtype), str(form.dtype), got.dtype == form.dtype))
        corners.append([np.argwhere(a).min(0) for a in got])
    moved = np.abs(np.diff(corners[0], axis=0)).max()
    return all_of(*out, same(corners, 1), Found(f"places {moved} apart", "not one place for all", moved > 0))


def written(points, ending):
    """The text of a file of landmarks, as annotation programs write it: .pts of 300-W, .tem of PsychoMorph."""
    if ending == ".pts":
        lines = "\n".join(f"{x!r} {y!r}" for x, y in points.tolist())
        return f"version: 1\nn_points:  {len(points)}\n{{\n{lines}\n}}\n"
    if ending == ".tem":
        lines = "\n".join(f"{x!r}\t{y!r}" for x, y in points.tolist())
        return f"{len(points)}\n{lines}\n1\n0\n2\n0 1\n"
    if ending == "named.csv":  # columns found by their heading, y first
        return "point,y,x\n" + "\n".join(f"{k},{y!r},{x!r}" for k, (x, y) in enumerate(points.tolist()))
    return "\n".join(f"{x!r},{y!r}" for x, y in points.tolist())


LANDMARK_FORMS = (".pts", ".tem", ".csv", "named.csv")
MARKS = ((0.0, 0.0), (-1.0, -1.0), (np.nan, np.nan), (np.inf, 3.0), (5.0, np.nan))


def landmarks_read(rng, draws):
    """What was written comes back, point by point, of 1 to 90 points; a 0 or a -1 that is one coordinate alone is no
    mark."""
    out = []
    with tempfile.TemporaryDirectory() as folder:
        for n, ending in ((n, ending) for n in (1, 2, 7, 90) for ending in LANDMARK_FORMS):
            points = rng.uniform(-3, 250, (n, 2))
            points[0] = [0, -1]
            path = Path(folder) / f"a{ending}"
            path.write_text(written(points, ending))
            got = dt.datasets.read_landmarks(path)
            out.append(Found(f"shape {got.shape}", str(points.shape), got.shape == points.shape))
            out.append(near(got, points, 0, f"{ending}, {n}: "))
    return all_of(*out)


def landmarks_missing(rng, draws):
    """One mark for missing among good points, at any place: refused, and the mark and its place are said."""
    out = []
    with tempfile.TemporaryDirectory() as folder:
        for mark, ending in ((mark, ending) for mark in MARKS for ending in LANDMARK_FORMS):
            points, at = rng.uniform(2, 200, (6, 2)), int(rng.integers(6))
            points[at] = mark
            path = Path(folder) / f"a{ending}"
            path.write_text(written(points, ending))
            said = rf"1 of 6 points are marked as missing, the first is \({mark[0]:g}, {mark[1]:g}\) at \[{at}\]"
            out.append(refused(lambda path=path: dt.datasets.read_landmarks(path), said, StoreError))
    return all_of(*out)


ROWS = [
    Row("datasets.BinaryTask.mutual_information", "truth", "icosahedron, hard and soft labels, from the joint table",
        task_information(lambda g: dt.datasets.icosahedron(gamma=g))),
    Row("datasets.BinaryTask.mutual_information", "truth", "committee, hard and soft labels, from the joint table",
        task_information(lambda g: dt.datasets.committee(gamma=g))),
    Row("datasets.BinaryTask.p_xy", "truth", "labels drawn from it have its mean", soft_labels_follow, 3, 30),
    *(Row("datasets.GroundTruth.sample", "truth", f"{name}: stated bits against the covariance of 200,000 draws",
        truth_of(name)) for name in GAUSSIAN),
    Row("datasets.GroundTruth.sample", "invariance", "global seeds, default dtype", sampled_in_parts),
    Row("datasets.StudentTeacher.error", "truth", "closed form against 200,000 new samples", student_error),
    Row("datasets.MultiDigit.overlap", "truth", "boxes of known overlap: 1, 1/4, 0", boxes),
    Row("datasets.random_shift", "invariance", "float64, float32 and uint8 pictures keep their pixels", pixel_scales),
    Row("datasets.read_landmarks", "truth", "points written as .pts, .tem, .csv with and without a heading come back",
        landmarks_read),
    Row("datasets.read_landmarks", "truth", "a mark for missing in each of these is refused: 0 0, -1 -1, nan, inf",
        landmarks_missing),
]  # fmt: skip
_LOADER = "loads published files, whose checksums it compares; no number of ours"
EXEMPT = {
    **{f"datasets.{n}": _LOADER for n in ("affnist", "cifar10", "coil20", "digits", "faces",
        "fashion_mnist", "it_neurons", "it_rdms", "mnist", "small_norb", "svhn")},
    "datasets.data_folder": "says which folder is set, no number",
    "datasets.face_folder": "reads a user's own pictures and landmarks; tests/datasets/images/test_face_folder.py",
    "datasets.ground_truths": "lists names, no number",
    "datasets.ground_truth": "tried by its .sample and stated bits",
    "datasets.icosahedron": "tried by BinaryTask; labels equal the published ones in tests/datasets",
    "datasets.committee": "tried by BinaryTask",
    "datasets.student_teacher": "tried by its .error",
    "datasets.multiview": "renders pictures; compared with the ray oracle in tests/datasets",
    "datasets.Neurons.pseudo_trials": "draws recorded trials without replacement; tests/datasets compares them",
    **{f"datasets.{n}": "moves or relights pictures; tests/datasets compares pixel by pixel"
        for n in ("random_affine", "random_crop", "center_crop", "multi_digit", "color_jitter", "downsample")},
}  # fmt: skip


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
