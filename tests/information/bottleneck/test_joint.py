"""Which rows of a table count as the same."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.information.bottleneck.joint import as_joint


def two_labels(q):
    return np.stack([q, 1 - q], axis=1) / len(q)


def information(p):
    """I(X;Y) in bits by the definition, in numpy's longest numbers."""
    p = p.astype(np.longdouble) / p.sum(dtype=np.longdouble)
    return float((p * np.log2(p / p.sum(1, keepdims=True) / p.sum(0))).sum())


@pytest.mark.parametrize(
    ("low", "high", "n"), [(0.008, 0.0156, 200_000), (0.001, 0.0011, 20_000), (1e-6, 1.0005e-6, 1000)], ids=str
)
def test_rows_that_differ_by_little_each_are_not_all_one(low, high, n):
    """A float32 table whose sorted rows are nearer to the next than its rounding: I(X;Y) was 0, all rows merged."""
    p = two_labels(np.linspace(low, high, n)).astype(np.float32)
    assert dt.bottleneck_curve(p, [1.0], locate=False).i_xy == pytest.approx(information(p), rel=1e-3)


def test_a_chain_of_rows_reaches_no_further_than_a_row_does():
    joint = as_joint(two_labels(0.01 + np.arange(3000) * 1e-12))
    first = {g: joint.q[g] for g in range(len(joint.p))}
    table = two_labels(0.01 + np.arange(3000) * 1e-12) * 3000
    for row, g in zip(table, joint.group):
        assert np.abs(row / first[g] - 1).max() < 5e-10
    assert len(joint.p) > 5


def test_rounding_still_parts_no_rows():
    rng = np.random.default_rng(0)
    rows, p = rng.dirichlet(np.ones(4), 20), rng.dirichlet(np.ones(400))
    p_xy = p[:, None] * rows[np.arange(400) % 20] * (1 + 1e-15 * rng.normal(size=(400, 4)))
    assert len(as_joint(p_xy / p_xy.sum()).p) == 20
    assert len(as_joint((p_xy / p_xy.sum()).astype(np.float32)).p) == 20
