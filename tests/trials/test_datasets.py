"""Data with known numbers: what they promise about information, overlap and error."""

import numpy as np
import torch

import deeptheory as dt
from trials.frame import Row, all_of, near, quick, refused, same


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
    """Shifting keeps every pixel's value, whatever the dtype and scale."""
    x = rng.uniform(size=(4, 8, 8))
    out = []
    for form in (x, x.astype(np.float32), (255 * x).astype(np.uint8)):
        got = dt.datasets.random_shift(form, seed=0, pad=3)
        out.append(near(np.sort(got.reshape(4, -1), 1)[:, -64:], np.sort(form.reshape(4, -1), 1), 0))
    return all_of(*out)


ROWS = [
    Row("datasets.BinaryTask.mutual_information", "truth", "icosahedron, hard and soft labels, from the joint table",
        task_information(lambda g: dt.datasets.icosahedron(gamma=g))),
    Row("datasets.BinaryTask.mutual_information", "truth", "committee, hard and soft labels, from the joint table",
        task_information(lambda g: dt.datasets.committee(gamma=g))),
    Row("datasets.BinaryTask.p_xy", "truth", "labels drawn from it have its mean", soft_labels_follow, 3, 30),
    *(Row("datasets.GroundTruth.sample", "truth", f"{name}: stated bits against the covariance of 200,000 draws",
        truth_of(name)) for name in dt.datasets.ground_truths()
            if name.startswith(("multinormal", "normal-dense", "1v1-normal"))),
    Row("datasets.GroundTruth.sample", "invariance", "global seeds, default dtype", sampled_in_parts),
    Row("datasets.StudentTeacher.error", "truth", "closed form against 200,000 new samples", student_error),
    Row("datasets.MultiDigit.overlap", "truth", "boxes of known overlap: 1, 1/4, 0", boxes),
    Row("datasets.random_shift", "invariance", "float64, float32 and uint8 pictures keep their pixels", pixel_scales),
    Row("datasets.read_landmarks", "truth", "a mark for missing is refused",
        lambda rng, draws: refused(lambda: dt.datasets.read_landmarks("/nowhere/a.pts"), "cannot be read")),
]  # fmt: skip
_LOADER = "loads published files, whose checksums it compares; no number of ours"
EXEMPT = {
    **{f"datasets.{n}": _LOADER for n in ("affnist", "cifar10", "coil20", "data_folder", "digits", "face_folder",
        "faces", "fashion_mnist", "it_neurons", "it_rdms", "mnist", "small_norb", "svhn")},
    "datasets.ground_truths": "lists names, no number",
    "datasets.ground_truth": "tried by its .sample and stated bits",
    "datasets.icosahedron": "tried by BinaryTask; labels equal the published ones in tests/datasets",
    "datasets.committee": "tried by BinaryTask",
    "datasets.student_teacher": "tried by its .error",
    "datasets.paired_images": "truth by construction, compared in tests/datasets",
    "datasets.multiview": "renders pictures; compared with the ray oracle in tests/datasets",
    "datasets.Neurons.pseudo_trials": "draws recorded trials without replacement; tests/datasets compares them",
    **{f"datasets.{n}": "moves or relights pictures; tests/datasets compares pixel by pixel"
        for n in ("random_affine", "random_crop", "center_crop", "multi_digit", "color_jitter", "downsample")},
}  # fmt: skip


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
