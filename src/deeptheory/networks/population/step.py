"""One training step of many small MLPs, written by hand: the batch innermost, one network after another in cache.

The reference implementation is autograd (`engines.py`); tests hold the two together. Why own code: one step of a
12-10-7-5-4-3-2 network is 0.8 million multiplications, and any framework spends most of its time between operations.
Every network is computed by the same instructions on the same shapes, alone or among fifty, so its bits do not depend
on the others. A batch is walked in tiles of TILE samples, so that activations stay in the first-level cache.
Pitfalls: the order of a sum is part of the result, so TILE and the loops' order are fixed; `fastmath` here allows
reordering inside one compiled loop only, and neither drops NaN nor infinities. Callees are inlined by force: else a
process that compiles and one that finds the compiled code in the cache run different copies of them, and bits differ.
"""

import numpy as np

from deeptheory.core.compiled import njit
from deeptheory.networks.population.disturbances import KEPT, TILE, place
from deeptheory.networks.population.elementary import FAST, exp32, log1p32, tanh32
from deeptheory.networks.population.optimizers import adadelta, adam, sgd
from deeptheory.networks.population.step_inputs import Architecture, Data, Scratch, Settings, State

ACTIVATIONS = {"linear": 0, "relu": 1, "tanh": 2, "sigmoid": 3, "softsign": 4, "softplus": 5}
HEADS = {"softmax": 0, "sigmoid": 1, "linear": 2, "median": 3}
_ONE, _HALF, _KEPT = np.float32(1), np.float32(0.5), np.float32(KEPT)


@njit(**FAST)
def _activate(code, h, nt):
    """h: [unit, TILE] in place."""
    for o in range(h.shape[0]):
        row = h[o]
        if code == 1:
            for j in range(nt):
                row[j] = np.float32(0) if row[j] < 0 else row[j]
        elif code == 2:
            for j in range(nt):
                row[j] = tanh32(row[j])
        elif code == 3:
            for j in range(nt):
                row[j] = _HALF + _HALF * tanh32(_HALF * row[j])
        elif code == 4:
            for j in range(nt):
                row[j] = row[j] / (_ONE + abs(row[j]))
        elif code == 5:
            for j in range(nt):
                row[j] = (np.float32(0) if row[j] < 0 else row[j]) + log1p32(exp32(-abs(row[j])))


@njit(**FAST)
def _times_slope(code, h, delta, nt):
    """delta *= f'(z), from the output h = f(z)."""
    for o in range(h.shape[0]):
        row, d = h[o], delta[o]
        if code == 1:
            for j in range(nt):
                d[j] = d[j] if row[j] > 0 else np.float32(0)
        elif code == 2:
            for j in range(nt):
                d[j] *= _ONE - row[j] * row[j]
        elif code == 3:
            for j in range(nt):
                d[j] *= row[j] * (_ONE - row[j])
        elif code == 4:
            for j in range(nt):
                d[j] *= (_ONE - abs(row[j])) * (_ONE - abs(row[j]))
        elif code == 5:
            for j in range(nt):
                d[j] *= _ONE - exp32(-row[j])


@njit(**FAST)
def _disturb(h, fed, nt, noise, pool, seed, step, sample, unit, levels, low, high):
    """fed = what the next layer sees of h [unit, TILE]: h plus noise, or h rounded; not called where it is h itself."""
    for o in range(h.shape[0]):
        row, out = h[o], fed[o]
        if levels == 0:
            part = pool[place(seed, step, sample, unit + o) :]
            for j in range(nt):
                out[j] = row[j] + noise * part[j]
        else:
            width = (high - low) / np.float32(levels)
            width = width if width > 0 else _ONE
            for j in range(nt):
                v = low if row[j] < low else row[j]
                v = high if v > high else v
                out[j] = low + width * np.floor((v - low) / width + _HALF)


@njit(**FAST)
def _stop_outside(h, delta, nt, low, high):
    """No gradient where rounding cut off."""
    for o in range(h.shape[0]):
        row, d = h[o], delta[o]
        for j in range(nt):
            d[j] = np.float32(0) if row[j] > high or row[j] < low else d[j]


@njit(**FAST)
def _largest(h, nt):
    top = np.float32(0)
    for o in range(h.shape[0]):
        for j in range(nt):
            top = max(top, abs(h[o, j]))
    return top


@njit(**FAST)
def _add_orthonormal(theta, grad, widths, share):
    """grad += gradient of share / 2 |G - I|^2 for every hidden layer's W [out, in]; G is the smaller of W W' and W' W
    (Cisse et al. 2017, 4.1; used by Goldfeld et al. 2019, section 5).
    """
    at = 0
    for k in range(len(widths) - 2):
        i, o = widths[k], widths[k + 1]
        w, g = theta[at : at + o * i].reshape(o, i), grad[at : at + o * i].reshape(o, i)
        w = w if o <= i else w.T
        g = g if o <= i else g.T
        for a in range(w.shape[0]):
            for b in range(w.shape[0]):
                gram = np.float32(0) if a != b else -_ONE
                for c in range(w.shape[1]):
                    gram += w[a, c] * w[b, c]
                for c in range(w.shape[1]):
                    g[a, c] += np.float32(2) * share * gram * w[b, c]
        at += o * i + o


@njit(**FAST)
def _affine(weight, bias, h, out, nt):
    """out[o, j] = bias[o] + sum_i weight[o, i] h[i, j]; four inputs at a time, so that out is written less often."""
    n_in = h.shape[0]
    for o in range(out.shape[0]):
        row, w = out[o], weight[o]
        for j in range(nt):
            row[j] = bias[o]
        i = 0
        while i + 4 <= n_in:
            a, b, c, d = h[i], h[i + 1], h[i + 2], h[i + 3]
            wa, wb, wc, wd = w[i], w[i + 1], w[i + 2], w[i + 3]
            for j in range(nt):
                row[j] += wa * a[j] + wb * b[j] + wc * c[j] + wd * d[j]
            i += 4
        while i < n_in:
            a, wa = h[i], w[i]
            for j in range(nt):
                row[j] += wa * a[j]
            i += 1


@njit(**FAST)
def _add_weight_gradient(delta, h, grad_weight, grad_bias, nt):
    """grad_weight[o, i] += sum_j delta[o, j] h[i, j]; grad_bias[o] += sum_j delta[o, j]."""
    n_in = h.shape[0]
    for o in range(delta.shape[0]):
        d, g = delta[o], grad_weight[o]
        i = 0
        while i + 2 <= n_in:
            a, b = h[i], h[i + 1]
            sa, sb = np.float32(0), np.float32(0)
            for j in range(nt):
                sa += d[j] * a[j]
                sb += d[j] * b[j]
            g[i] += sa
            g[i + 1] += sb
            i += 2
        while i < n_in:
            a, sa = h[i], np.float32(0)
            for j in range(nt):
                sa += d[j] * a[j]
            g[i] += sa
            i += 1
        sa = np.float32(0)
        for j in range(nt):
            sa += d[j]
        grad_bias[o] += sa


@njit(**FAST)
def _pull_back(weight, delta, out, nt):
    """out[i, j] = sum_o weight[o, i] delta[o, j]."""
    n_out = delta.shape[0]
    for i in range(out.shape[0]):
        row = out[i]
        for j in range(nt):
            row[j] = np.float32(0)
        o = 0
        while o + 4 <= n_out:
            a, b, c, d = delta[o], delta[o + 1], delta[o + 2], delta[o + 3]
            wa, wb, wc, wd = weight[o, i], weight[o + 1, i], weight[o + 2, i], weight[o + 3, i]
            for j in range(nt):
                row[j] += wa * a[j] + wb * b[j] + wc * c[j] + wd * d[j]
            o += 4
        while o < n_out:
            a, wa = delta[o], weight[o, i]
            for j in range(nt):
                row[j] += wa * a[j]
            o += 1


@njit(**FAST)
def _output_delta(head, z, target, delta, scale, nt):
    """Gradient of the mean loss by the last pre-activation z: [class, TILE]; target: [class, TILE]."""
    n_out = z.shape[0]
    if head == 0 and n_out == 2:
        for j in range(nt):
            p = _HALF + _HALF * tanh32(_HALF * (z[1, j] - z[0, j]))
            delta[0, j] = (_ONE - p - target[0, j]) * scale
            delta[1, j] = (p - target[1, j]) * scale
    elif head == 0:
        for j in range(nt):
            top = z[0, j]
            for c in range(1, n_out):
                top = max(top, z[c, j])
            total = np.float32(0)
            for c in range(n_out):
                delta[c, j] = exp32(z[c, j] - top)
                total += delta[c, j]
            for c in range(n_out):
                delta[c, j] = (delta[c, j] / total - target[c, j]) * scale
    elif head == 3:  # the absolute error's slope is the sign, 0 where it is exactly met
        for c in range(n_out):
            for j in range(nt):
                off = z[c, j] - target[c, j]
                delta[c, j] = scale if off > 0 else (-scale if off < 0 else np.float32(0))
    else:
        for c in range(n_out):
            for j in range(nt):
                p = z[c, j] if head == 2 else _HALF + _HALF * tanh32(_HALF * z[c, j])
                delta[c, j] = (p - target[c, j]) * scale


@njit(**FAST)
def _gradient(theta, grad, network, x, target, rows, scratch, pool, seed, step, sample, low, high):
    """grad: [P] of the mean loss over `rows`, for one network of weights theta [P]; raises scratch.tops.

    step, sample: steps done, and the number of the first row within the epoch: where its noise is found in the pool.
    """
    widths, activation, levels = network.widths, network.activation, network.levels
    act, fed, delta, tgt, tops = scratch.act, scratch.fed, scratch.delta, scratch.target, scratch.tops
    disturbed = network.noise > 0 or levels > 0
    n_layers = len(widths) - 1
    n_out = widths[-1]
    grad[:] = np.float32(0)
    scale = np.float32(1.0 / len(rows))
    for start in range(0, len(rows), TILE):
        nt = min(TILE, len(rows) - start)
        for j in range(nt):
            r = rows[start + j]
            for i in range(widths[0]):
                fed[i, j] = x[r, i]
            for c in range(n_out):
                tgt[c, j] = target[r, c]
        at, unit = 0, 0
        for k in range(n_layers):
            i, o = widths[k], widths[k + 1]
            h, out = fed[unit : unit + i], act[unit + i : unit + i + o]
            _affine(theta[at : at + o * i].reshape(o, i), theta[at + o * i : at + o * i + o], h, out, nt)
            if k < n_layers - 1:
                _activate(activation, out, nt)
                if disturbed:
                    tops[k] = max(tops[k], _largest(out, nt))
                    _disturb(
                        out, fed[unit + i : unit + i + o], nt, network.noise, pool, seed, step, sample + start,
                        unit + i, levels, low[k], high[k],
                    )  # fmt: skip
            at += o * i + o
            unit += i
        now = 0
        _output_delta(network.head, act[unit : unit + n_out], tgt, delta[now], scale, nt)
        for k in range(n_layers - 1, -1, -1):
            i, o = widths[k], widths[k + 1]
            at -= o * i + o
            unit -= i
            h, d = fed[unit : unit + i], delta[now, :o]
            _add_weight_gradient(d, h, grad[at : at + o * i].reshape(o, i), grad[at + o * i : at + o * i + o], nt)
            if k > 0:
                _pull_back(theta[at : at + o * i].reshape(o, i), d, delta[1 - now, :i], nt)
                if levels > 0:
                    _stop_outside(act[unit : unit + i], delta[1 - now, :i], nt, low[k - 1], high[k - 1])
                _times_slope(activation, act[unit : unit + i], delta[1 - now, :i], nt)
                now = 1 - now


@njit(**FAST)
def _drop_biases(grad, widths):
    at = 0
    for k in range(len(widths) - 1):
        at += widths[k] * widths[k + 1]
        for o in range(widths[k + 1]):
            grad[at + o] = np.float32(0)
        at += widths[k + 1]


@njit(forceinline=True)
def _shuffle(order, seed, epoch):
    """Fisher-Yates by SplitMix64, a pure function of the network's seed and the epoch, so a resume needs no state."""
    state = np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(epoch) * np.uint64(0xD1B54A32D192ED03)
    for i in range(len(order) - 1, 0, -1):
        state += np.uint64(0x9E3779B97F4A7C15)
        z = state
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        k = np.int64(z % np.uint64(i + 1))
        order[i], order[k] = order[k], order[i]


@njit(forceinline=True)
def _add_moments(grad, widths, total, square):
    for p in range(len(grad)):
        g = np.float64(grad[p])
        total[p] += g
        square[p] += g * g


@njit(cache=True, error_model="numpy")
def train(
    state: State, network: Architecture, data: Data, settings: Settings, first: int, last: int, update: bool,
    moments: np.ndarray,
) -> None:  # fmt: skip
    """Epochs `first` to `last` - 1 of every network, in place.

    update = False only measures. moments: [S, 2, P] float64, sums over this call's batches of the gradient and of its
    square, or [0, 2, P]: not kept.
    """
    widths, step, low, high = network.widths, state.step, state.low, state.high
    n_units, widest = 0, 0
    for w in widths:
        n_units += w
        widest = max(widest, w)
    act = np.zeros((n_units, TILE), dtype=np.float32)
    fed = np.zeros((n_units, TILE), dtype=np.float32) if network.noise > 0 or network.levels > 0 else act
    delta = np.zeros((2, widest, TILE), dtype=np.float32)
    tops = np.zeros(low.shape[1], dtype=np.float32)
    scratch = Scratch(act, fed, delta, np.zeros((widths[-1], TILE), dtype=np.float32), tops)
    grad = np.zeros(state.theta.shape[1], dtype=np.float32)
    for s in range(state.theta.shape[0]):
        theta, m, v = state.theta[s], state.m[s], state.v[s]
        target = data.target[s if data.target.shape[0] > 1 else 0]
        pool = data.pool[s if data.pool.shape[0] > 1 else 0]
        count, seed, lr = data.counts[s], data.seeds[s], settings.lr[s]
        rows = data.order[s, :count].copy()
        size = min(settings.batch, count)
        for epoch in range(first, last):
            if settings.reshuffle:
                rows[:] = data.order[s, :count]
                _shuffle(rows, seed, epoch)
            for start in range(0, count, size):
                chosen = rows[start : start + size]
                if settings.drop_last and len(chosen) < size:
                    break
                tops[:] = np.float32(0)
                _gradient(
                    theta, grad, network, data.x, target, chosen, scratch, pool, seed, step[s], start, low[s], high[s]
                )
                if not network.biased:
                    _drop_biases(grad, widths)
                if settings.orthonormal > 0:
                    _add_orthonormal(theta, grad, widths, settings.orthonormal)
                if update and network.follows != 0:
                    for k in range(len(tops)):
                        high[s, k] = _KEPT * high[s, k] + (_ONE - _KEPT) * tops[k]
                        low[s, k] = -high[s, k] if network.follows < 0 else low[s, k]
                if moments.shape[0] > 0:
                    _add_moments(grad, widths, moments[s, 0], moments[s, 1])
                if update:
                    step[s] += 1
                    if settings.optimizer == 0:
                        adam(theta, grad, m, v, lr, settings.beta1, settings.beta2, settings.eps, step[s])
                    elif settings.optimizer == 1:
                        sgd(theta, grad, m, lr, settings.momentum)
                    else:
                        adadelta(theta, grad, m, v, lr, settings.beta1, settings.eps)
