"""Five ways in which a cell can code a feature vector, as noise-free rates; the truth that every test is tried on.

Source: specs of Chang & Tsao 2017 (axis, exemplar, energy); the norm-based code is that of Giese & Leopold 2005,
the length of the vector from the mean times a tuning of its direction. A new code: one function, one line in CODES.
Pitfall: an exemplar code of growing radius becomes an axis code, and norm x direction with a linear tuning of the
cosine is one; only the curvature of what lies in between tells them apart.
"""

from collections.abc import Callable

import numpy as np


def softplus(x: np.ndarray) -> np.ndarray:
    """log(1 + exp x), without overflow."""
    return np.logaddexp(0.0, x)


def axis(s: np.ndarray, target: np.ndarray) -> np.ndarray:
    """w.s; s [n, d], target [u, d] -> [n, u]."""
    return s @ target.T


def exemplar(s: np.ndarray, target: np.ndarray) -> np.ndarray:
    """-|s - e|: the nearer, the more."""
    from scipy.spatial.distance import cdist

    return -cdist(s, target)  # of differences: products of large coordinates would cancel


def norm_direction(s: np.ndarray, target: np.ndarray) -> np.ndarray:
    """|s| max(0, cos(s, w))^2: grows with the distance from the mean, within a cone about w."""
    norm = np.linalg.norm(s, axis=1)[:, None]
    along = s @ (target / np.linalg.norm(target, axis=1, keepdims=True)).T
    return np.maximum(along, 0.0) ** 2 / np.where(norm > 0, norm, 1.0)


def energy(s: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(w.s)^2: both ends of an axis alike."""
    return (s @ target.T) ** 2


def nothing(s: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The same for every stimulus."""
    return np.zeros((len(s), len(target)))


CODES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "axis": axis,
    "exemplar": exemplar,
    "norm x direction": norm_direction,
    "energy": energy,
    "none": nothing,
}
SOFT = ("axis", "exemplar")  # passed, standardized, through a softplus; the others are rates as they are
