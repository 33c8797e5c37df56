"""The thin-plate-spline warp: the map through given point pairs that bends least.

Source: Bookstein 1989; the released generator of Chang & Tsao 2017 solves [[K, P], [P^T, 0]] with the kernel r^2 log
r^2. All warps of a face space start at the mean landmarks, so the system is the same for all faces: it is solved once,
and the warp of any face is a fixed matrix times its landmarks (`ThinPlate.basis`), which is linear and cheap.
Trap: drawing a face needs the way back, from its pixels to the mean frame, which has no closed form: inverse.py. Trap:
batched torch.linalg.solve of systems of this size hangs with two threads (torch 2.13, CPU); scipy solves the one here.
"""

import numpy as np
from scipy.linalg import lu_factor, lu_solve
from scipy.sparse.csgraph import connected_components

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_finite, check_shapes


class ThinPlate:
    """Warps that carry the points `source` [L, 2] (float64) anywhere.

    merge: points nearer to each other than this share of the larger side of their box move the warp as one, by their
    mean: the lips of closed mouths lie on each other, and forcing them apart would tear the warp.
    groups: [L], which points move as one; source: [g, 2], their means. solution: [g + 3, L], landmarks to coefficients.
    InputError: fewer than 3 points apart, or points on one line.
    """

    def __init__(self, source, merge: float = 0.005):
        source = np.asarray(source, dtype=np.float64)
        check_shapes(source=(source, "L 2"))
        check_finite(source=source)
        self._middle, self._unit = source.mean(0), max(float(np.ptp(source, axis=0).max()), 1e-300)
        self.groups = _groups(self._scaled(source), merge)
        together = (self.groups[None] == np.arange(self.groups.max() + 1)[:, None]).astype(np.float64)
        together /= together.sum(1, keepdims=True)  # [groups, L]
        self.source = source = together @ source
        n = len(source)
        if n < 3:
            raise InputError(f"source holds {n} points apart from each other; a warp of the plane needs 3 or more")
        scaled = self._scaled(source)
        system = np.zeros((n + 3, n + 3))
        system[:n, :n] = _kernel(_squared(scaled, scaled))
        system[:n, n:] = _affine(scaled)
        system[n:, :n] = system[:n, n:].T
        if np.linalg.matrix_rank(scaled - scaled.mean(0), tol=1e-8) < 2:
            raise InputError("the points of source lie on one line; a warp of the plane needs points off it")
        self.solution = lu_solve(lu_factor(system), np.eye(n + 3))[:, :n] @ together

    def basis(self, points) -> np.ndarray:
        """[m, L] float64: the warp of the points [m, 2] is basis @ target, for any target [L, 2]."""
        scaled = self._scaled(np.asarray(points, dtype=np.float64))
        return np.hstack([_kernel(_squared(scaled, self._scaled(self.source))), _affine(scaled)]) @ self.solution

    def coefficients(self, target) -> np.ndarray:
        """[n, g + 3, 2] for targets [n, L, 2]: weights of r^2 log r^2 around `source` in pixels, then 1, x, y."""
        u = self._unit
        c = self.solution @ np.asarray(target, dtype=np.float64)
        g, m = c.shape[-2] - 3, self._middle
        weights = c[..., :g, :] / u**2
        slope = c[..., g + 1 :, :] / u
        # (r/u)^2 log (r/u)^2 = (r^2 log r^2 - r^2 log u^2) / u^2, and sum_k w_k |p - s_k|^2 is affine in p
        log = np.log(u**2) * weights
        slope = slope + 2 * np.einsum("...kc,kx->...xc", log, self.source)
        constant = c[..., g, :] - np.einsum("x,...xc->...c", m, c[..., g + 1 :, :] / u)
        constant = constant - np.einsum("...kc,k->...c", log, (self.source**2).sum(1))
        return np.concatenate([weights, constant[..., None, :], slope], axis=-2)

    def _scaled(self, points: np.ndarray) -> np.ndarray:  # unit size: the system is then well conditioned
        return (points - self._middle) / self._unit


def grid(height: int, width: int, origin: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Pixel centres (x, y) row by row, [height * width, 2], the first of them at origin (x, y)."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x.ravel() + origin[0], y.ravel() + origin[1]], axis=1).astype(np.float64)


def _groups(points: np.ndarray, merge: float) -> np.ndarray:
    _, of = connected_components(_squared(points, points) < max(merge, 1e-8) ** 2, directed=False)
    return of


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return ((a[:, None] - b[None]) ** 2).sum(-1)


def _kernel(squared: np.ndarray) -> np.ndarray:
    return squared * np.log(np.where(squared > 0, squared, 1))  # r^2 log r^2, 0 at r = 0


def _affine(points: np.ndarray) -> np.ndarray:
    return np.hstack([np.ones((len(points), 1)), points])
