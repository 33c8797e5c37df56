"""A picture of a solid by walking along every ray in small steps, float64, the normal from differences."""

import math

import numpy as np


def _inside(kind, p):
    x, y, z = p
    if kind == 0:
        return x * x + y * y + z * z <= 1
    if kind == 1:
        return (abs(x) <= 1) & (abs(y) <= 1) & (abs(z) <= 1)
    return (x * x + y * y <= 1) & (abs(z) <= 1)


def _bound(kind, p):
    """Below 1 inside, above 1 outside."""
    x, y, z = p
    if kind == 0:
        return math.sqrt(x * x + y * y + z * z)
    if kind == 1:
        return max(abs(x), abs(y), abs(z))
    return max(math.hypot(x, y), abs(z))


def picture(solid, azimuth, elevation, lamp, size, paint, ground, reach, step=1e-3):
    """[size, size] gray values in 0..255, one ray a pixel; lamp: right, up, towards the camera, strength, sky."""
    a, e = math.radians(azimuth), math.radians(elevation)
    back = np.array([math.cos(e) * math.cos(a), math.cos(e) * math.sin(a), math.sin(e)])
    right = np.array([-math.sin(a), math.cos(a), 0])
    up = np.array([-math.sin(e) * math.cos(a), -math.sin(e) * math.sin(a), math.cos(e)])
    towards = np.asarray(lamp[:3]) / np.linalg.norm(lamp[:3])
    light = towards[0] * right + towards[1] * up + towards[2] * back
    t = np.arange(0, 4, step)
    out = np.zeros((size, size))
    for row in range(size):
        for column in range(size):
            x = ((column + 0.5) / size * 2 - 1) * reach
            y = -((row + 0.5) / size * 2 - 1) * reach
            points = x * right + y * up + 2 * back - t[:, None] * back
            first, which = len(t), None
            for k in range(len(solid.kind)):
                own = np.linalg.solve(solid.frame[k], (points - solid.center[k]).T)
                hits = np.flatnonzero(_inside(solid.kind[k], own))
                if len(hits) and hits[0] < first:
                    first, which = hits[0], k
            if which is None:
                value = ground * (0.5 + 0.5 * lamp[3] + lamp[4] - 0.2)
            else:
                at, normal = points[first], np.zeros(3)
                for axis in range(3):
                    move = np.zeros(3)
                    move[axis] = 1e-6
                    ends = [
                        _bound(
                            solid.kind[which], np.linalg.solve(solid.frame[which], at + s * move - solid.center[which])
                        )
                        for s in (1, -1)
                    ]
                    normal[axis] = ends[0] - ends[1]
                normal /= np.linalg.norm(normal)
                value = paint * (lamp[4] + lamp[3] * max(0.0, float(normal @ light)))
            out[row, column] = 255 * min(max(value, 0), 1)
    return out
