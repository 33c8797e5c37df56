"""Slow forms of face models: scipy's thin plate, its inverse pixel by pixel, an active appearance model in loops.

Also `made_faces`: pictures of a linear face model whose every number is known, drawn by these slow forms.
"""

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.ndimage import map_coordinates


def warp(source, target):
    """The thin-plate-spline map from source [L, 2] to target [L, 2], as a function of points [m, 2]."""
    return RBFInterpolator(source, target, kernel="thin_plate_spline", degree=1)


def unwarp(source, target, points, rounds=60):
    """Where the warp has each of points [m, 2]: Newton's iteration with slopes by differences, far beyond need."""
    f = warp(source, target)
    x, h = points + (source.mean(0) - target.mean(0)), 1e-5
    right, down = np.array([h, 0]), np.array([0, h])
    for _ in range(rounds):
        r = f(x) - points
        a = (f(x + right) - f(x - right)) / (2 * h)
        b = (f(x + down) - f(x - down)) / (2 * h)
        det = a[:, 0] * b[:, 1] - b[:, 0] * a[:, 1]
        step = (
            np.stack([b[:, 1] * r[:, 0] - b[:, 0] * r[:, 1], a[:, 0] * r[:, 1] - a[:, 1] * r[:, 0]], 1) / det[:, None]
        )
        x = x - np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-10:
            break
    return x


def procrustes_mean(landmarks, rounds=50):
    """The mean shape of generalized Procrustes analysis, by singular value decompositions."""
    shapes = []
    for points in landmarks:
        centered = points - points.mean(0)
        shapes.append(centered / np.sqrt((centered**2).sum() / len(centered)))
    mean = np.mean(shapes, axis=0)
    mean /= np.sqrt((mean**2).sum() / len(mean))
    for _ in range(rounds):
        turned = []
        for shape in shapes:
            u, _, vt = np.linalg.svd(shape.T @ mean)
            turned.append(shape @ u @ np.diag([1, np.linalg.det(u @ vt)]) @ vt)
        mean = np.mean(turned, axis=0)
        mean /= np.sqrt((mean**2).sum() / len(mean))
    return mean, np.array(turned)


def shape_free(picture, source, target, points):
    """The picture [H, W] (landmarks at target) at the places where the warp from source carries points [m, 2]."""
    at = warp(source, target)(points)
    return map_coordinates(picture.astype(np.float64), at[:, ::-1].T, order=1, mode="nearest")


def draw(texture, source, target, size, background):
    """The face: texture [H, W] of the mean frame, warped so that source lies on target; background beyond."""
    y, x = np.mgrid[:size, :size]
    pixels = np.stack([x.ravel(), y.ravel()], 1).astype(np.float64)
    at = unwarp(source, target, pixels)
    seen = map_coordinates(texture - background, at[:, ::-1].T, order=1, mode="constant")
    return (seen + background).reshape(size, size)


def made_faces(n, size=24, seed=0, shapes=3, textures=3):
    """n pictures [n, size, size], landmarks [n, 16, 2], and the latents [n, shapes + textures] behind them."""
    rng = np.random.default_rng(seed)
    side = np.linspace(0.2, 0.8, 4) * size
    mean = np.stack(np.meshgrid(side, side), -1).reshape(-1, 2) + rng.normal(0, 0.01 * size, (16, 2))
    moves = rng.normal(0, 0.012 * size, (shapes, 16, 2))
    y, x = np.mgrid[:size, :size] / size
    base = 100 + 60 * np.sin(7 * x) * np.cos(5 * y)
    looks = np.stack([12 * np.sin((3 + k) * x + k) * np.cos((4 + k) * y) for k in range(textures)])
    latents = rng.standard_normal((n, shapes + textures))
    landmarks = mean + np.einsum("ns,slx->nlx", latents[:, :shapes], moves)
    pictures = np.stack(
        [draw(base + np.tensordot(c[shapes:], looks, 1), mean, p, size, 0) for c, p in zip(latents, landmarks)]
    )
    return pictures.astype(np.float32), landmarks, latents


def ray_traced_head(size, angles, light, background, frame=3.15, middle=-0.10):
    """The mean head [size, size] by marching along the ray of each pixel's center, and where that is sure.

    The surface is asked for whether a point lies inside it (its height over the axis at that angle and level), colors
    come from the atlas functions at the point found, the normal from differences. Sure: where the four neighbors hit,
    too, at nearly the same depth and brightness (the fast form averages over the pixel).
    """
    from deeptheory.faces.head import surface_at  # the definition of the head itself
    from deeptheory.faces.skin import LUMINANCE, atlas

    yaw, pitch, roll = np.radians(angles)
    turn_yaw = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    turn_pitch = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    turn_roll = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    turn = turn_roll @ turn_pitch @ turn_yaw
    scale = size / frame
    azimuth, elevation = np.radians(light[:2])
    beam = np.array([np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
    theta, level = np.meshgrid(np.linspace(-1.35, 1.35, 1501), np.linspace(-1.44, 1.24, 1601))
    cloud = surface_at(theta, level) @ turn.T
    e = 1e-4
    along = (surface_at(theta + e, level) - surface_at(theta - e, level)) @ turn.T
    down = (surface_at(theta, level + e) - surface_at(theta, level - e)) @ turn.T
    normal = np.cross(along, down)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12
    mean = atlas(theta, level)[0] @ LUMINANCE
    shade = light[3] * (light[2] + (1 - light[2]) * np.clip(normal @ beam, 0, None)) * mean
    columns = (size - 1) / 2 + scale * cloud[..., 0]
    rows = (size - 1) / 2 - middle * scale + scale * cloud[..., 1]
    fine = 4
    wide = size * fine
    column = np.floor((columns + 0.5) * fine).astype(int).ravel()
    row = np.floor((rows + 0.5) * fine).astype(int).ravel()
    z, value = cloud[..., 2].ravel(), np.clip(shade, 0, 1).ravel()
    ok = (column >= 0) & (column < wide) & (row >= 0) & (row < wide) & (normal[..., 2].ravel() > 0)
    order = np.argsort(z[ok])  # the nearest is written last
    picture, depth = np.full((wide, wide), np.nan), np.full((wide, wide), np.nan)
    picture[row[ok][order], column[ok][order]] = value[ok][order]
    depth[row[ok][order], column[ok][order]] = z[ok][order]
    blocks, depths = (
        a.reshape(size, fine, size, fine).swapaxes(1, 2).reshape(size, size, -1) for a in (picture, depth)
    )
    sure = np.isfinite(blocks).all(2) & (np.ptp(depths, axis=2) < 0.12)
    return np.where(sure, np.nanmean(np.where(np.isfinite(blocks), blocks, background), axis=2), background), sure
