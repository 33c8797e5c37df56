"""The bottleneck as written: loops over x, t, y in float64, closed forms, and every partition of a small alphabet."""

import math


def informations(p_xy, encoder):
    """I(X;T), I(T;Y), H(T) in bits of p(t|x) [nx][k] by the definition of each sum."""
    nx, ny, k = len(p_xy), len(p_xy[0]), len(encoder[0])
    p_x = [math.fsum(row) for row in p_xy]
    p_y = [math.fsum(p_xy[x][y] for x in range(nx)) for y in range(ny)]
    p_t = [math.fsum(p_x[x] * encoder[x][t] for x in range(nx)) for t in range(k)]
    i_x = i_y = h_t = 0.0
    for t in range(k):
        if p_t[t] <= 0:
            continue
        h_t -= p_t[t] * math.log2(p_t[t])
        for x in range(nx):
            if p_x[x] * encoder[x][t] > 0:
                i_x += p_x[x] * encoder[x][t] * math.log2(encoder[x][t] / p_t[t])
        for y in range(ny):
            p_ty = math.fsum(p_xy[x][y] * encoder[x][t] for x in range(nx))
            if p_ty > 0:
                i_y += p_ty * math.log2(p_ty / (p_t[t] * p_y[y]))
    return i_x, i_y, h_t


def iterate(p_xy, encoder, beta, steps):
    """The self-consistent equations in the order of Tishby, Pereira & Bialek 1999, `steps` times."""
    nx, ny, k = len(p_xy), len(p_xy[0]), len(encoder[0])
    p_x = [sum(row) for row in p_xy]
    for _ in range(steps):
        p_t = [sum(p_x[x] * encoder[x][t] for x in range(nx)) for t in range(k)]
        p_y_t = [[sum(p_xy[x][y] * encoder[x][t] for x in range(nx)) / p_t[t] for y in range(ny)] for t in range(k)]
        new = []
        for x in range(nx):
            row = []
            for t in range(k):
                kl = 0.0
                for y in range(ny):
                    q = p_xy[x][y] / p_x[x]
                    if q > 0:
                        kl += q * math.log(q / p_y_t[t][y]) if p_y_t[t][y] > 0 else math.inf
                row.append(p_t[t] * math.exp(-beta * kl))
            total = sum(row)
            new.append([v / total for v in row])
        encoder = new
    return encoder


def partitions(n):
    """Every partition of n things, as labels that number clusters in order of appearance."""
    if n == 0:
        yield []
        return
    for rest in partitions(n - 1):
        for label in range(max(rest, default=-1) + 2):
            yield [*rest, label]


def best_partition(p_xy, beta, clusters=None):
    """Least H(T) - beta I(T;Y) over all partitions (with exactly `clusters` parts, where given), bits."""
    least = math.inf
    for labels in partitions(len(p_xy)):
        k = max(labels) + 1
        if clusters is not None and k != clusters:
            continue
        encoder = [[1.0 if labels[x] == t else 0.0 for t in range(k)] for x in range(len(p_xy))]
        _, i_y, h_t = informations(p_xy, encoder)
        least = min(least, h_t - beta * i_y)
    return least


def symmetric_channel(p, beta):
    """(I(X;T), I(T;Y)) bits of the optimum for a binary symmetric channel: T is X through another one of error e, with
    log((1-e)/e) = beta (1-2p) log((1-q)/q), q = e(1-p) + (1-e)p."""

    def h(v):
        return 0.0 if v in (0.0, 1.0) else -v * math.log2(v) - (1 - v) * math.log2(1 - v)

    def excess(e):
        q = e * (1 - p) + (1 - e) * p
        return math.log((1 - e) / e) - beta * (1 - 2 * p) * math.log((1 - q) / q)

    if beta <= 1 / (1 - 2 * p) ** 2:
        return 0.0, 0.0
    low, high = 1e-300, 0.5 - 1e-9  # excess falls from infinity to below 0, and ends at 0 at 1/2
    for _ in range(2000):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    e = (low + high) / 2
    q = e * (1 - p) + (1 - e) * p
    return 1 - h(e), 1 - h(q)


def gaussian(rho, beta, steps=200_000):
    """(I(X;T), I(T;Y)) bits for two standard normals of correlation rho: T = a X + unit noise, the best a by direct
    scan.
    """
    best = (0.0, 0.0, 0.0)
    for k in range(1, steps):
        gain = 1e-3 * k**2 / steps  # a^2
        i_x = 0.5 * math.log2(1 + gain)
        i_y = -0.5 * math.log2(1 - rho**2 * gain / (1 + gain))
        if i_x - beta * i_y < best[0]:
            best = (i_x - beta * i_y, i_x, i_y)
    return best[1:]


def plain(p_xy, beta, seed, steps=5000, tolerance=1e-9, clusters=None):
    """Least I(X;T) - beta I(T;Y), bits, of one plain Blahut-Arimoto run: |T| = |X| unless said, random encoder, until
    the Lagrangian moves by less than `tolerance` or `steps` steps. Matrix products in place of loops; nothing is
    leapt."""
    import numpy as np

    p_xy = np.asarray(p_xy, dtype=float)
    p_xy = p_xy[p_xy.sum(1) > 0] / p_xy.sum()
    p = p_xy.sum(1)
    q = p_xy / p[:, None]
    own = (q * np.log(np.where(q > 0, q, 1))).sum(1)
    k = clusters or len(p)
    encoder = np.random.default_rng(seed).dirichlet(np.ones(k), len(p))
    last = np.inf
    for _ in range(steps):
        w = p @ encoder
        encoder, w = encoder[:, w > 1e-300], w[w > 1e-300]
        r = (encoder * p[:, None]).T @ q / w[:, None]
        score = np.log(w) + beta * (q @ np.log(np.where(r > 0, r, 1e-300)).T - own[:, None])
        top = score.max(1, keepdims=True)
        e = np.exp(score - top)
        z = e.sum(1, keepdims=True)
        value = -float(p @ (top + np.log(z))[:, 0]) / math.log(2)  # but for a constant
        encoder = e / z
        if abs(last - value) < tolerance:
            break
        last = value
    i_x, i_y, _ = _informations(p, q, encoder)
    return i_x - beta * i_y


def _informations(p, q, encoder):
    import numpy as np

    def h(v):
        return -(v * np.log2(np.where(v > 0, v, 1))).sum()

    w = p @ encoder
    p_ty = (encoder * p[:, None]).T @ q
    return h(w) + h(p) - h(encoder * p[:, None]), h(w) + h(p @ q) - h(p_ty), h(w)
