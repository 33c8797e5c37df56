"""The published task, rebuilt from geometry: checksum, mean, classes, symmetries, soft labels."""

import hashlib

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.datasets import icosahedron
from deeptheory.datasets.tasks.icosahedron import LABELS_SHA256, vertices
from oracles.icosahedron import ANTIPODES, NEIGHBORS, automorphisms


@pytest.fixture(scope="module")
def task():
    return icosahedron()


def test_labels_are_the_published_ones(task):
    assert hashlib.sha256(np.packbits(task.y.astype(np.uint8)).tobytes()).hexdigest() == LABELS_SHA256
    assert task.y.sum() == 2118


def test_rows_count_in_binary_most_significant_bit_first(task):
    assert task.x.dtype == np.float32
    assert [int("".join(str(int(b)) for b in row), 2) for row in task.x] == list(range(4096))


def test_geometry_is_the_graph_read_off_the_labels():
    cosine = vertices() @ vertices().T
    adjacent = {i: tuple(np.flatnonzero(np.isclose(cosine[i], 1 / np.sqrt(5)))) for i in range(12)}
    assert adjacent == NEIGHBORS
    assert np.allclose(np.diag(cosine), 1)
    assert all(np.isclose(cosine[i, j], -1) for i, j in ANTIPODES)


def test_label_is_invariant_under_all_120_automorphisms(task):
    symmetries = automorphisms()
    assert len(symmetries) == 120
    powers = 2 ** np.arange(12)[::-1]
    for permutation in symmetries:
        moved = task.x[:, list(permutation)].astype(np.int64) @ powers
        assert (task.y[moved] == task.y).all()


def test_64_signatures_decide_the_label(task):
    inverse = np.unique(task.signatures, axis=0, return_inverse=True)[1].ravel()  # a column in numpy 2.0.0
    assert inverse.max() + 1 == 64
    for s in range(64):
        assert len(np.unique(task.y[inverse == s])) == 1
    assert len(task.table()) == 64


def test_signatures_match_a_count_by_hand(task):
    row = 0b110100000001  # vertices 0, 1, 3, 11
    on = [0, 1, 3, 11]
    adjacent = sum(j in NEIGHBORS[i] for i in on for j in on) // 2
    antipodal = sum((i, j) in ANTIPODES for i in on for j in on)
    assert task.signatures[row].tolist() == [4, adjacent, 6 - adjacent - antipodal, antipodal]


@pytest.mark.parametrize(
    ("gamma", "information"), [(10.5, 0.9013), (20, 0.9459), (30, 0.9667), (50, 0.98749), (100, 0.9985)]
)
def test_soft_rule_has_the_tabled_information(gamma, information):
    assert icosahedron(gamma=gamma).mutual_information == pytest.approx(
        information, abs=1e-4
    )  # the table cuts, not rounds


def test_soft_rule_at_50():
    task = icosahedron(gamma=50, seed=3)
    assert task.p_y_given_x.mean() == pytest.approx(0.51622, abs=5e-6)
    assert task.p_xy.shape == (4096, 2)
    assert task.p_xy.sum() == pytest.approx(1)
    assert (task.y == icosahedron(gamma=50, seed=3).y).all()
    assert (task.y != icosahedron(gamma=50, seed=4).y).any()
    assert 0 < (task.y != icosahedron().y).sum() < 100


def test_deterministic_rule_carries_the_label_entropy(task):
    assert task.mutual_information == pytest.approx(0.999157, abs=5e-7)
    assert repr(task) == "BinaryTask(icosahedron, 4096 patterns of 12 bits, deterministic, I(X;Y)=0.9992 bits)"


def test_committee_is_a_balanced_majority():
    task = dt.datasets.committee(seed=1)
    assert task.signatures.shape == (4096, 3)
    assert (task.y == (task.signatures.sum(1) > 0)).all()
    assert (np.abs(task.signatures.mean(0)) < 1e-12).all()  # each member says yes to half of the patterns
    assert 0.4 < task.y.mean() < 0.6
    assert (task.y == dt.datasets.committee(seed=1).y).all()
    assert (task.y != dt.datasets.committee(seed=2).y).any()
    soft = dt.datasets.committee(gamma=5.0, seed=1)
    assert soft.mutual_information < task.mutual_information
