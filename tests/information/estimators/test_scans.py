"""The scan over all pairs decides in double precision what single precision cannot: against sorted lists, by bits."""

import numpy as np
import pytest

from deeptheory.information.estimators.scans import counts_by_scan, nearest_by_scan, scan

NOBODY = np.zeros(0, np.int64)


def dense(rng, n, d):
    return rng.standard_normal((d, n))


FAMILIES = {
    "dense": dense,
    "zeros and tenths": lambda rng, n, d: np.maximum(np.round(rng.standard_normal((d, n)), 1), 0),
    "integers": lambda rng, n, d: rng.integers(0, 3, (d, n)).astype(float),
    "integers, ties broken": lambda rng, n, d: rng.integers(0, 3, (d, n)) + 1e-10 * rng.standard_normal((d, n)),
    "rows twice": lambda rng, n, d: np.repeat(rng.standard_normal((d, n // 2 + 1)), 2, axis=1)[:, :n],
    "all the same": lambda rng, n, d: np.full((d, n), 0.3),
    "Cauchy": lambda rng, n, d: rng.standard_cauchy((d, n)),
    "one outlier": lambda rng, n, d: np.concatenate([np.full((d, 1), 1e12), rng.standard_normal((d, n - 1))], axis=1),
    "far from 0": lambda rng, n, d: 1e8 + 1e-6 * rng.standard_normal((d, n)),
    "clusters far apart": lambda rng, n, d: 1e9 * rng.integers(0, 2, n) + rng.standard_normal((d, n)),
    "columns of all scales": lambda rng, n, d: 10.0 ** np.linspace(-12, 3, d)[:, None] * rng.standard_normal((d, n)),
    "a float32 grid": lambda rng, n, d: rng.standard_normal((d, n)).astype(np.float32).astype(float),
    "between two of float32": lambda rng, n, d: 1 + 2.0**-26 * rng.integers(0, 64, (d, n)),
    "tiny": lambda rng, n, d: 1e-300 * rng.standard_normal((d, n)),
    "subnormal": lambda rng, n, d: 5e-324 * rng.integers(0, 9, (d, n)),
    "huge": lambda rng, n, d: 1e307 * rng.uniform(-1, 1, (d, n)),
}


def distances(*columns):
    """[n, n]: the largest difference; infinite of a sample to itself."""
    n = columns[0].shape[1]
    out = np.zeros((n, n))
    for v in np.concatenate(columns):
        out = np.maximum(out, np.abs(v[:, None] - v[None]))
    return out


def literal(x, y, z, k, label_x, label_y, inclusive, slack):
    n = x.shape[1]
    in_x, in_y, in_z = distances(x, z), distances(y, z), distances(z, z)
    for apart, label in ((in_x, label_x), (in_y, label_y)):
        if len(label):
            apart[label[:, None] != label[None]] = np.inf
    both, out = np.maximum(in_x, in_y), np.empty((4, n), np.int64)
    for i in range(n):
        others = np.sort(np.delete(both[i], i))[:k]
        others = others[others < np.inf]
        reach = others[-1]
        limit = np.nextafter(reach + slack, np.inf) if inclusive else max(reach, 5e-324)
        out[:, i] = [len(others)] + [(a[i] < limit).sum() - 1 for a in (in_x, in_y, in_z)]
        if inclusive or reach == 0:
            out[0, i] = (both[i] < limit).sum() - (1 if inclusive else 0)
    return out


@pytest.mark.parametrize(("dx", "dy", "dz", "n"), [(5, 4, 0, 301), (3, 9, 2, 40), (1, 1, 13, 40)])
@pytest.mark.parametrize("family", FAMILIES)
def test_counts_are_those_of_sorted_lists(family, dx, dy, dz, n):
    rng = np.random.default_rng([n, dx])
    x, y, z = (np.ascontiguousarray(FAMILIES[family](rng, n, d)) for d in (dx, dy, dz))
    label = np.arange(n) % 3
    for k, one, two, inclusive, slack in (
        (1, NOBODY, NOBODY, False, 0.0),
        (4, NOBODY, NOBODY, False, 0.0),
        (4, label, NOBODY, False, 0.0),
        (4, NOBODY, label, False, 0.0),
        (4, NOBODY, NOBODY, True, 0.0),
        (1, NOBODY, NOBODY, True, 1e-3),
    ):
        got = scan(x, y, z, k, one, two, inclusive, slack)
        assert np.array_equal(got, literal(x, y, z, k, one, two, inclusive, slack)), (k, inclusive, slack)


@pytest.mark.parametrize("euclidean", [False, True])
@pytest.mark.parametrize("family", FAMILIES)
def test_nearest_are_the_first_of_sorted_lists(family, euclidean):
    columns = np.ascontiguousarray(FAMILIES[family](np.random.default_rng(1), 203, 9))
    columns = columns / 2.0**600 if euclidean and family == "huge" else columns
    apart = distances(columns)
    if euclidean:
        apart = np.sqrt(sum((v[:, None] - v[None]) ** 2 for v in columns))
    for i in range(203):
        apart[i, i] = np.inf
    got, rows = nearest_by_scan(columns, 5, euclidean)
    assert np.allclose(got, np.sort(apart, axis=1)[:, :5], rtol=1e-14, atol=0)
    assert np.allclose(np.take_along_axis(apart, rows, axis=1), got, rtol=1e-14, atol=0)
    if not euclidean:
        limit = np.nextafter(got[:, -1], np.inf)
        assert np.array_equal(counts_by_scan(columns, limit), (apart < limit[:, None]).sum(1))


def test_fewer_samples_than_a_piece_and_more_neighbors_than_pieces():
    columns = dense(np.random.default_rng(0), 9, 10)
    apart = distances(columns)
    for i in range(9):
        apart[i, i] = np.inf
    assert np.array_equal(nearest_by_scan(columns, 8)[0], np.sort(apart, axis=1)[:, :8])
