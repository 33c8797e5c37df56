"""Pictures of heads: triangles, a depth buffer, colors from an atlas, light by Lambert's law, averaged over 2 x 2."""

import numpy as np

from deeptheory.core.compiled import njit

FINE = 2  # pixels are drawn so much finer in each direction, and averaged


@njit(cache=True, nogil=True)
def draw(points, colors, which, turn, place, light, background, out):
    """Heads into out [n, size, size, channels].

    points: [n, rows, columns, 3], surface. colors: [k, R, C, channels], atlases over the mesh from corner to corner;
    which: [n], the atlas of each head. turn: [n, 3, 3], rotations. place: [n, 3], scale and x, y of the origin in
    pixels. light: [n, 5], direction towards it (x, y, z), share of ambient light, strength.
    """
    n, rows, columns, _ = points.shape
    size, channels = out.shape[1], out.shape[3]
    wide = size * FINE
    depth = np.empty((wide, wide))
    seen = np.empty((wide, wide), dtype=np.int32)
    share = np.empty((wide, wide, 2), dtype=np.float32)
    p = np.empty((rows, columns, 3))
    normal = np.empty((rows, columns, 3))
    for i in range(n):
        depth[:] = -1e30
        seen[:] = -1
        _place(points[i], turn[i], place[i], p)
        _normals(p, normal)
        for r in range(rows - 1):
            for c in range(columns - 1):
                number = 2 * (r * (columns - 1) + c)
                _triangle(p[r, c], p[r, c + 1], p[r + 1, c], number, depth, seen, share)
                _triangle(p[r + 1, c + 1], p[r + 1, c], p[r, c + 1], number + 1, depth, seen, share)
        _shade(normal, colors[which[i]], light[i], seen, share, background, columns, rows, channels, out[i])


@njit(cache=True, nogil=True)
def _place(points, turn, place, p):
    """Turned; x and y in fine pixels, z as long as x and y are."""
    rows, columns, _ = points.shape
    for r in range(rows):
        for c in range(columns):
            for k in range(3):
                p[r, c, k] = (
                    (turn[k, 0] * points[r, c, 0] + turn[k, 1] * points[r, c, 1] + turn[k, 2] * points[r, c, 2])
                    * place[0]
                    * FINE
                )
            p[r, c, 0] += (place[1] + 0.5) * FINE - 0.5
            p[r, c, 1] += (place[2] + 0.5) * FINE - 0.5


@njit(cache=True, nogil=True)
def _normals(p, normal):
    rows, columns, _ = p.shape
    for r in range(rows):
        up, down = max(r - 1, 0), min(r + 1, rows - 1)
        for c in range(columns):
            left, right = c - 1, c + 1
            if left < 0:
                left = columns - 2
            if right > columns - 1:
                right = 1
            ax, bx = p[r, right, 0] - p[r, left, 0], p[down, c, 0] - p[up, c, 0]
            ay, by = p[r, right, 1] - p[r, left, 1], p[down, c, 1] - p[up, c, 1]
            az, bz = p[r, right, 2] - p[r, left, 2], p[down, c, 2] - p[up, c, 2]
            x, y, z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
            length = np.sqrt(x * x + y * y + z * z) + 1e-12
            normal[r, c, 0], normal[r, c, 1], normal[r, c, 2] = x / length, y / length, z / length


@njit(cache=True, nogil=True)
def _triangle(a, b, c, number, depth, seen, share):
    """Enter a triangle that faces the viewer where it is nearest; share: how much of b and of c lies in each pixel."""
    area = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
    if area <= 1e-9:
        return
    wide = len(depth)
    x0, x1 = max(int(np.ceil(min(a[0], b[0], c[0]))), 0), min(int(np.floor(max(a[0], b[0], c[0]))), wide - 1)
    y0, y1 = max(int(np.ceil(min(a[1], b[1], c[1]))), 0), min(int(np.floor(max(a[1], b[1], c[1]))), wide - 1)
    for y in range(y0, y1 + 1):
        for x in range(x0, x1 + 1):
            of_b = ((x - a[0]) * (c[1] - a[1]) - (y - a[1]) * (c[0] - a[0])) / area
            of_c = ((b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0])) / area
            if of_b >= -1e-9 and of_c >= -1e-9 and of_b + of_c <= 1 + 1e-9:
                z = a[2] + of_b * (b[2] - a[2]) + of_c * (c[2] - a[2])
                if z > depth[y, x]:
                    depth[y, x] = z
                    seen[y, x] = number
                    share[y, x, 0], share[y, x, 1] = of_b, of_c


@njit(cache=True, nogil=True)
def _shade(normal, colors, light, seen, share, background, columns, rows, channels, out):
    size = len(out)
    high, wide = colors.shape[:2]
    out[:] = 0
    part = np.float32(1 / FINE**2)
    for y in range(size * FINE):
        for x in range(size * FINE):
            number = seen[y, x]
            row, column = y // FINE, x // FINE
            if number < 0:
                for k in range(channels):
                    out[row, column, k] += part * background
                continue
            r, c = (number // 2) // (columns - 1), (number // 2) % (columns - 1)
            s, t = share[y, x, 0], share[y, x, 1]  # along columns, along rows
            if number % 2:
                s, t = 1 - s, 1 - t
            brightness = np.float32(0)
            for k in range(3):
                n = (
                    normal[r, c, k] * (1 - s) * (1 - t)
                    + normal[r, c + 1, k] * s * (1 - t)
                    + normal[r + 1, c, k] * (1 - s) * t
                    + normal[r + 1, c + 1, k] * s * t
                )
                brightness += n * light[k]
            brightness = light[4] * (light[3] + (1 - light[3]) * max(brightness, np.float32(0)))
            v, u = (r + t) / (rows - 1) * (high - 1), (c + s) / (columns - 1) * (wide - 1)
            iv, iu = min(int(v), high - 2), min(int(u), wide - 2)
            v, u = v - iv, u - iu
            for k in range(channels):
                color = (colors[iv, iu, k] * (1 - u) + colors[iv, iu + 1, k] * u) * (1 - v) + (
                    colors[iv + 1, iu, k] * (1 - u) + colors[iv + 1, iu + 1, k] * u
                ) * v
                out[row, column, k] += part * min(max(color * brightness, np.float32(0)), np.float32(1))
