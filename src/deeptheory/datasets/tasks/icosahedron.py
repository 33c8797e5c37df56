"""The 12-bit task of Shwartz-Ziv & Tishby 2017, from geometry.

The twelve bits sit on the vertices of an icosahedron. The label asks whether the degree-0 and degree-1 norms of the
pattern's spherical power spectrum (Kazhdan et al. 2003) together pass a threshold: w + |sum_i x_i r_i| > 7.632, with w
the number of ones and r_i the unit vertices. The paper does not print this formula; it reproduces all 4096 published
labels (sha256 of their packed bits in LABELS_SHA256) and the paper's 64 invariant classes.
Pitfall: rows come in the order of the binary numbers, and the labels of the first 80 % have mean 0.437 against 0.836 in
the rest: shuffle before splitting.
"""

import numpy as np

from deeptheory.core.shapes import check_whole
from deeptheory.datasets.tasks.binary import BinaryTask, all_patterns, binary_task

THRESHOLD = 7.632  # the classes are apart between 7.5628 and 7.7013
LABELS_SHA256 = "371b2b46a5052b4f69f7991ca141fb5afa1ac364ef7beb81ec900eecac2f86d9"  # of numpy.packbits(y)

# one vertex a bit, in the published order: the coordinate that is zero, then the signs of the two that follow it
# cyclically, of lengths 1 and the golden ratio
_VERTICES = (
    (0, +1, +1),
    (0, -1, +1),
    (2, +1, -1),
    (1, +1, +1),
    (2, -1, -1),
    (2, -1, +1),
    (1, -1, -1),
    (0, +1, -1),
    (1, -1, +1),
    (0, -1, -1),
    (2, +1, +1),
    (1, +1, -1),
)


def vertices() -> np.ndarray:
    """The twelve unit vectors r_i, [12, 3] float64, in the order of the bits."""
    golden = (1 + np.sqrt(5)) / 2
    r = np.zeros((12, 3))
    for i, (zero, one, long) in enumerate(_VERTICES):
        r[i, (zero + 1) % 3] = one
        r[i, (zero + 2) % 3] = long * golden
    return r / np.sqrt(1 + golden**2)


def icosahedron(gamma: float | None = None, seed: int = 0) -> BinaryTask:
    """The task of Shwartz-Ziv & Tishby 2017 (section 3.1): 4096 patterns of 12 bits, a rotation-invariant rule.

    gamma: None for the published 0/1 labels; a number for soft labels, p(y=1|x) = 1/(1 + exp(-gamma (f - 7.632))) with
    y drawn by seed (gamma = 50 gives I(X;Y) = 0.98749 bits). signatures: [4096, 4]: ones, adjacent pairs, second
    neighbors, antipodal pairs; 64 distinct. f = w + |sum_i x_i r_i|, w ones, r_i the unit vertices: recovered from the
    published labels, not printed in the paper. Rows come in the order of the binary numbers: shuffle before splitting.
    InputError: gamma not above 0, seed below 0.
    """
    check_whole(seed=(seed, 0))
    x = all_patterns(12)
    r = vertices()
    ones = x.sum(1, dtype=np.float64)
    f = ones + np.linalg.norm(x.astype(np.float64) @ r, axis=1)
    rule = "number of ones + |sum of the vertices that are one| > 7.632"
    return binary_task("icosahedron", x, f - THRESHOLD, _signatures(x, r), rule, gamma, seed)


def _signatures(x: np.ndarray, r: np.ndarray) -> np.ndarray:
    cosine = r @ r.T
    ones = x.astype(np.int64)
    pairs = [np.isclose(cosine, c) for c in (1 / np.sqrt(5), -1 / np.sqrt(5), -1)]  # adjacent, second, antipodal
    counts = [np.einsum("ni,ij,nj->n", ones, pair.astype(np.int64), ones) // 2 for pair in pairs]
    return np.stack([ones.sum(1), *counts], axis=1)
