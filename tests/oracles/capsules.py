"""Both routings as the papers write them: loops over capsules, one example at a time, numpy float64."""

import math

import numpy as np


def squash(s):
    n = math.sqrt(sum(float(x) ** 2 for x in s))
    return np.zeros_like(s) if n == 0 else n**2 / (1 + n**2) * s / n


def softmax(xs):
    top = max(xs)
    e = [math.exp(x - top) for x in xs]
    return [x / sum(e) for x in e]


def routing_by_agreement(votes, parents, iterations, bias=None, leaky=False, prior=None):
    """One example. votes: {(i, j): vector}; parents: {i: list of its j} -> {j: v}, {(i, j): last coupling}."""
    b = {(i, j): 0.0 if prior is None else float(prior[i, j]) for i in parents for j in parents[i]}
    everyone = sorted({j for js in parents.values() for j in js})
    for r in range(iterations):
        c = {}
        for i, js in parents.items():
            xs = [b[i, j] for j in js] + ([0.0] if leaky else [])
            c.update({(i, j): p for j, p in zip(js, softmax(xs))})
        v = {}
        for j in everyone:
            s = sum(c[i, j] * votes[i, j] for i in parents if j in parents[i])
            v[j] = squash(s + (0 if bias is None else bias[j]))
        if r < iterations - 1:
            for i, j in b:
                b[i, j] += float(votes[i, j] @ v[j])
    return v, c


def dynamic_routing(u, weight, iterations, bias=None, leaky=False, prior=None):
    """u: [B, I, p], weight: [I, J, q, p] -> [B, J, q]."""
    out = []
    for example in u:
        i_all, j_all = range(weight.shape[0]), range(weight.shape[1])
        votes = {(i, j): weight[i, j] @ example[i] for i in i_all for j in j_all}
        v, _ = routing_by_agreement(votes, {i: list(j_all) for i in i_all}, iterations, bias, leaky, prior)
        out.append([v[j] for j in j_all])
    return np.array(out)


def em(
    votes,
    activation,
    parents,
    beta_u,
    beta_a,
    iterations,
    final=0.01,
    *,
    first=None,
    group=None,
    damping=0.0,
    scale=1.0,
    variance_floor=5e-4,
    mass_floor=1e-7,
):
    """Procedure 1, one example. votes: {(i, j): 16 numbers}; activation: {i: a}; parents: {i: its j}; betas: {j:
    number}.

    group: {j: kind}: the E-step is over the parents of one kind; first: {(i, j): R}, else 1 / number of parents.
    -> {j: mean}, {j: activation}, {(i, j): last R, without the activation}.
    """
    r = {(i, j): 1 / len(js) if first is None else first[i, j] for i, js in parents.items() for j in js}
    children: dict = {}
    for i, js in parents.items():
        for j in js:
            children.setdefault(j, []).append(i)
    mean = dict.fromkeys(children, 0.0)
    for t in range(iterations):
        variance, a = {}, {}
        for j, below in children.items():
            mass = sum(r[i, j] * activation[i] for i in below) + mass_floor
            weighted = sum(r[i, j] * activation[i] * votes[i, j] for i in below) / mass
            mean[j] = (1 - damping) * weighted + damping * mean[j]
            variance[j] = (
                sum(r[i, j] * activation[i] * (votes[i, j] - mean[j]) ** 2 for i in below) / mass + variance_floor
            )
            cost = sum((beta_u[j] + 0.5 * math.log(s2)) * mass for s2 in variance[j])
            lam = final * (1 - 0.95 ** (t + 1))
            a[j] = 1 / (1 + math.exp(-scale * lam * (beta_a[j] - cost)))
        if t == iterations - 1:
            return mean, a, r
        for i, js in parents.items():
            ln = {}
            for j in js:
                ln_p = sum(
                    -((x - m) ** 2) / (2 * s2) - 0.5 * math.log(s2) - 0.5 * math.log(2 * math.pi)
                    for x, m, s2 in zip(votes[i, j], mean[j], variance[j])
                )
                ln[j] = math.log(a[j]) + ln_p
            kinds = {j: 0 if group is None else group[j] for j in js}
            for kind in set(kinds.values()):
                together = [j for j in js if kinds[j] == kind]
                for j, p in zip(together, softmax([ln[j] for j in together])):
                    r[i, j] = p
    raise AssertionError("iterations is at least 1")


def em_routing(votes, activation, beta_u, beta_a, iterations, mask=None, **options):
    """votes: [B, I, J, 16], activation: [B, I] -> pose [B, J, 16], activation [B, J]."""
    poses, activations = [], []
    b, i_all, j_all = votes.shape[0], range(votes.shape[1]), range(votes.shape[2])
    parents = {i: [j for j in j_all if mask is None or mask[i, j]] for i in i_all}
    for n in range(b):
        mean, a, _ = em(
            {(i, j): votes[n, i, j] for i in i_all for j in j_all},
            dict(enumerate(activation[n])),
            parents,
            dict(enumerate(beta_u)),
            dict(enumerate(beta_a)),
            iterations,
            **options,
        )
        poses.append([mean[j] for j in j_all])
        activations.append([a[j] for j in j_all])
    return np.array(poses), np.array(activations)


def window_parents(height, width, kernel, stride):
    """{(row, column): list of (parent row, parent column, kernel row, kernel column)} of every child position."""
    out = {(y, x): [] for y in range(height) for x in range(width)}
    for py in range((height - kernel) // stride + 1):
        for px in range((width - kernel) // stride + 1):
            for ky in range(kernel):
                for kx in range(kernel):
                    out[stride * py + ky, stride * px + kx].append((py, px, ky, kx))
    return out


def conv_em(pose, activation, weight, beta_u, beta_a, kernel, stride, iterations, normalize, form="matrix", **options):
    """One example on an explicit parent list. pose: [H, W, T, 4, 4], activation: [H, W, T], weight: [K*K*T, J, s, s]
    -> pose [H', W', J, 16], activation [H', W', J]."""
    h, w, types = activation.shape
    j_all = range(weight.shape[1])
    seen = window_parents(h, w, kernel, stride)
    votes, parents, a, first = {}, {}, {}, {}
    for (y, x), places in seen.items():
        for t in range(types):
            i = (y, x, t)
            a[i] = activation[y, x, t]
            parents[i] = [(py, px, j) for py, px, _, _ in places for j in j_all]
            for py, px, ky, kx in places:
                for j in j_all:
                    matrix = weight[(ky * kernel + kx) * types + t, j]
                    m = pose[y, x, t]
                    votes[i, (py, px, j)] = (m @ matrix if form == "matrix" else m.ravel() @ matrix).ravel()
                    first[i, (py, px, j)] = 1 / len(parents[i]) if normalize == "all" else 1 / len(j_all)
    everyone = {p for js in parents.values() for p in js}
    parents = {i: js for i, js in parents.items() if js}
    mean, out, r = em(
        votes,
        a,
        parents,
        {p: beta_u[p[2]] for p in everyone},
        {p: beta_a[p[2]] for p in everyone},
        iterations,
        first=first,
        group=None if normalize == "all" else {p: p[2] for p in everyone},
        **options,
    )
    oh, ow = (h - kernel) // stride + 1, (w - kernel) // stride + 1
    grid = [[[(py, px, j) for j in j_all] for px in range(ow)] for py in range(oh)]
    return (
        np.array([[[mean[p] for p in row] for row in rows] for rows in grid]),
        np.array([[[out[p] for p in row] for row in rows] for rows in grid]),
        r,
    )
