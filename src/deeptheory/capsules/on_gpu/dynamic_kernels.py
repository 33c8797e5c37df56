"""Dynamic routing's passes as Triton programs; importing this needs Triton. Callers: `on_gpu.dynamic`.

A program has a block of examples and every parent at hand and walks through children, whose votes are made again from u
and weights as products and sums in float32 (no tensor cores: TF32 would lose ten bits of a logit). No atomic additions:
sums over children are left in parts, one a program, so that the same input gives the same bits.

ut [I, P, B]: children's outputs. wt [I, P, J, Q]: weights. prior [I, J]. a, g, even [B, J, Q]. total [parts, B, J, Q].
coupling, gb [I, B, J]. factors [T, I, B, J], sides [T, B, J, Q]: terms of the gradient of votes. Blocks:
BB examples, JB parents, QB numbers, PB.
"""

# pyright: reportMissingImports=false, reportIndexIssue=false, reportArgumentType=false, reportGeneralTypeIssues=false

import triton
import triton.language as tl


@triton.jit
def _vote(ut, wt, i, b, here, jq, there, B, J, Q, P, BB: tl.constexpr, JB: tl.constexpr, QB: tl.constexpr):
    """[BB, JB, QB]; numbers beyond the last example or parent are 0."""
    v = tl.zeros([BB, JB, QB], tl.float32)
    for p in range(P):
        x = tl.load(ut + (i * P + p) * B + b, mask=here, other=0.0)
        w = tl.load(wt + (i * P + p) * J * Q + jq, mask=there, other=0.0)
        v += x[:, None, None] * w[None, :, :]
    return v


@triton.jit
def _couple(v, a, prior, i, j, J, HAS_PRIOR: tl.constexpr, LEAKY: tl.constexpr):
    """[BB, JB]: softmax over parents of v . a + prior; a zero logit beside them if LEAKY."""
    logits = tl.sum(v * a, axis=2)
    if HAS_PRIOR:
        logits += tl.load(prior + i * J + j, mask=j < J, other=0.0)[None, :]
    logits = tl.where((j < J)[None, :], logits, float("-inf"))
    top = tl.max(logits, axis=1)
    if LEAKY:
        top = tl.maximum(top, 0.0)
    e = tl.exp(logits - top[:, None])
    whole = tl.sum(e, axis=1)
    if LEAKY:
        whole += tl.exp(-top)
    return e / whole[:, None]


@triton.jit
def route_forward(
    ut,
    wt,
    prior,
    a,
    total,
    I,
    B,
    J,
    Q,
    P,
    chunk,
    UNIFORM: tl.constexpr,
    HAS_PRIOR: tl.constexpr,
    LEAKY: tl.constexpr,
    BB: tl.constexpr,
    JB: tl.constexpr,
    QB: tl.constexpr,
):
    """total: sum over the part's children of coupling times vote; UNIFORM: of votes. Grid:
    blocks of examples, parts."""
    part = tl.program_id(1).to(tl.int64)
    b, j, q = tl.program_id(0) * BB + tl.arange(0, BB), tl.arange(0, JB), tl.arange(0, QB)
    here, there = b < B, (j[:, None] < J) & (q[None, :] < Q)
    jq = j[:, None] * Q + q[None, :]
    at, mask = b[:, None, None] * J * Q + jq[None, :, :], here[:, None, None] & there[None, :, :]
    out = tl.zeros([BB, JB, QB], tl.float32)
    above = out
    if not UNIFORM:
        above = tl.load(a + at, mask=mask, other=0.0)
    for i in range(part * chunk, tl.minimum((part + 1) * chunk, I)):
        v = _vote(ut, wt, i, b, here, jq, there, B, J, Q, P, BB, JB, QB)
        if UNIFORM:
            out += v
        else:
            out += _couple(v, above, prior, i, j, J, HAS_PRIOR, LEAKY)[:, :, None] * v
    tl.store(total + part * B * J * Q + at, out, mask=mask)


@triton.jit
def route_backward(
    ut,
    wt,
    prior,
    a,
    g,
    coupling,
    gb,
    total,
    I,
    B,
    J,
    Q,
    P,
    chunk,
    HAS_PRIOR: tl.constexpr,
    LEAKY: tl.constexpr,
    BB: tl.constexpr,
    JB: tl.constexpr,
    QB: tl.constexpr,
):
    """From g, the gradient of the sum: couplings, gb, the gradient of logits, and total, that of a. Grid:
    as forward."""
    part = tl.program_id(1).to(tl.int64)
    b, j, q = tl.program_id(0) * BB + tl.arange(0, BB), tl.arange(0, JB), tl.arange(0, QB)
    here, there = b < B, (j[:, None] < J) & (q[None, :] < Q)
    jq = j[:, None] * Q + q[None, :]
    at, mask = b[:, None, None] * J * Q + jq[None, :, :], here[:, None, None] & there[None, :, :]
    out = tl.zeros([BB, JB, QB], tl.float32)
    above, gradient = tl.load(a + at, mask=mask, other=0.0), tl.load(g + at, mask=mask, other=0.0)
    for i in range(part * chunk, tl.minimum((part + 1) * chunk, I)):
        v = _vote(ut, wt, i, b, here, jq, there, B, J, Q, P, BB, JB, QB)
        c = _couple(v, above, prior, i, j, J, HAS_PRIOR, LEAKY)
        gc = tl.sum(v * gradient, axis=2)
        x = c * (gc - tl.sum(c * gc, axis=1)[:, None])
        bj, both = (i * B + b[:, None]) * J + j[None, :], here[:, None] & (j < J)[None, :]
        tl.store(coupling + bj, c, mask=both)
        tl.store(gb + bj, x, mask=both)
        out += x[:, :, None] * v
    tl.store(total + part * B * J * Q + at, out, mask=mask)


@triton.jit
def finish_u(
    wt,
    factors,
    sides,
    even,
    gut,
    I,
    B,
    J,
    Q,
    P,
    T,
    HAS_EVEN: tl.constexpr,
    BB: tl.constexpr,
    JB: tl.constexpr,
    QB: tl.constexpr,
):
    """gut [I, P, B]: gradient of u. Grid: blocks of examples, children."""
    i = tl.program_id(1).to(tl.int64)
    b, j, q = tl.program_id(0) * BB + tl.arange(0, BB), tl.arange(0, JB), tl.arange(0, QB)
    here, there = b < B, (j[:, None] < J) & (q[None, :] < Q)
    jq = j[:, None] * Q + q[None, :]
    at, mask = b[:, None, None] * J * Q + jq[None, :, :], here[:, None, None] & there[None, :, :]
    gv = tl.zeros([BB, JB, QB], tl.float32)
    if HAS_EVEN:
        gv += tl.load(even + at, mask=mask, other=0.0)
    for t in range(T):
        bj, both = ((t * I + i) * B + b[:, None]) * J + j[None, :], here[:, None] & (j < J)[None, :]
        gv += tl.load(factors + bj, mask=both, other=0.0)[:, :, None] * tl.load(
            sides + t * B * J * Q + at, mask=mask, other=0.0
        )
    for p in range(P):
        w = tl.load(wt + (i * P + p) * J * Q + jq, mask=there, other=0.0)
        tl.store(gut + (i * P + p) * B + b, tl.sum(tl.sum(gv * w[None, :, :], axis=2), axis=1), mask=here)


@triton.jit
def finish_weight(
    u,
    factors,
    sides,
    even,
    gw,
    I,
    B,
    J,
    Q,
    P,
    T,
    HAS_EVEN: tl.constexpr,
    JB: tl.constexpr,
    QB: tl.constexpr,
    PB: tl.constexpr,
):
    """gw [I, J, Q, P], added to: gradient of the weights, example by example. u [B, I, P]. Grid: children,
    blocks of parents."""
    i = tl.program_id(0).to(tl.int64)
    j, q, p = tl.program_id(1) * JB + tl.arange(0, JB), tl.arange(0, QB), tl.arange(0, PB)
    there = (j[:, None] < J) & (q[None, :] < Q)
    jq = j[:, None] * Q + q[None, :]
    out = tl.zeros([PB, JB, QB], tl.float32)
    for b in range(B):
        gv = tl.zeros([JB, QB], tl.float32)
        if HAS_EVEN:
            gv += tl.load(even + b * J * Q + jq, mask=there, other=0.0)
        for t in range(T):
            f = tl.load(factors + ((t * I + i) * B + b) * J + j, mask=j < J, other=0.0)
            gv += f[:, None] * tl.load(sides + (t * B + b) * J * Q + jq, mask=there, other=0.0)
        x = tl.load(u + (b * I + i) * P + p, mask=p < P, other=0.0)
        out += x[:, None, None] * gv[None, :, :]
    at = gw + (i * J * Q + jq)[None, :, :] * P + p[:, None, None]
    mask = there[None, :, :] & (p < P)[:, None, None]
    tl.store(at, tl.load(at, mask=mask, other=0.0) + out, mask=mask)
