"""EM routing's passes over votes as Triton programs; importing this needs Triton. Callers: `on_gpu.em`.

A parent stands at one of P positions and is one of J types; it hears N = KK * T children, window offset times child
type. A program has a block of examples and of types of one position at hand; votes are made again from poses and
weights, in float32, and never leave the registers: tiles [BB, JB, 4, 4]. No atomic additions;
each number is summed by one program.

pose [B, HW, T, 16]. w [N, J, 4, 4], or [N, J, 16, 16] where FULL. where [N, 16]: added to votes. at [P, KK]: child
position; windows [HW, M]: p * KK + k, or -1. weigh, out [B, P, N, J]. mean, square, line [B, P, J, 16],
constant [B, P, J].
"""

# pyright: reportMissingImports=false, reportIndexIssue=false, reportArgumentType=false, reportGeneralTypeIssues=false

import triton
import triton.language as tl


@triton.jit
def _vote(
    pose,
    w,
    where,
    i,
    child,
    b,
    j,
    B,
    J,
    stride,
    HAS_WHERE: tl.constexpr,
    FULL: tl.constexpr,
    BB: tl.constexpr,
    JB: tl.constexpr,
):
    """[BB, JB, 4, 4]: pose times weights of child i at `child` (position * T + type); stride:
    numbers of one example's poses."""
    x, y = tl.arange(0, 4), tl.arange(0, 4)
    h = x[:, None] * 4 + y[None, :]
    v = tl.zeros([BB, JB, 4, 4], tl.float32)
    at = pose + b.to(tl.int64) * stride + child * 16
    if FULL:
        for z in range(16):
            m = tl.load(at + z, mask=b < B, other=0.0)
            n = tl.load(
                w + ((i * J + j) * 256)[:, None, None] + z * 16 + h[None, :, :], mask=(j < J)[:, None, None], other=0.0
            )
            v += m[:, None, None, None] * n[None, :, :, :]
    else:
        for z in range(4):
            m = tl.load(at[:, None] + x[None, :] * 4 + z, mask=(b < B)[:, None], other=0.0)
            n = tl.load(w + ((i * J + j) * 16)[:, None] + z * 4 + y[None, :], mask=(j < J)[:, None], other=0.0)
            v += m[:, None, :, None] * n[None, :, None, :]
    if HAS_WHERE:
        v += tl.load(where + i * 16 + h)[None, None, :, :]
    return v


@triton.jit
def sums(
    pose,
    w,
    where,
    at,
    weigh,
    mean,
    first,
    second,
    B,
    P,
    KK,
    T,
    J,
    stride,
    HAS_WHERE: tl.constexpr,
    FULL: tl.constexpr,
    BB: tl.constexpr,
    JB: tl.constexpr,
):
    """first, second [B, P, J, 16]: sums over children of weigh times (vote - mean), and times its square.
    Grid: (p, b, j) blocks."""
    p, b, j = (
        tl.program_id(0).to(tl.int64),
        tl.program_id(1) * BB + tl.arange(0, BB),
        tl.program_id(2) * JB + tl.arange(0, JB),
    )
    x, y = tl.arange(0, 4), tl.arange(0, 4)
    both, N = (b < B)[:, None] & (j < J)[None, :], KK * T
    bpj = (b[:, None] * P + p) * J + j[None, :]
    place = bpj[:, :, None, None] * 16 + x[None, None, :, None] * 4 + y[None, None, None, :]
    mask = both[:, :, None, None]
    m = tl.load(mean + place, mask=mask, other=0.0)
    s1, s2 = tl.zeros([BB, JB, 4, 4], tl.float32), tl.zeros([BB, JB, 4, 4], tl.float32)
    for k in range(KK):
        child = tl.load(at + p * KK + k) * T
        for t in range(T):
            i = k * T + t
            d = _vote(pose, w, where, i, child + t, b, j, B, J, stride, HAS_WHERE, FULL, BB, JB) - m
            u = tl.load(weigh + ((b[:, None] * P + p) * N + i) * J + j[None, :], mask=both, other=0.0)[:, :, None, None]
            s1 += u * d
            s2 += u * d * d
    tl.store(first + place, s1, mask=mask)
    tl.store(second + place, s2, mask=mask)


@triton.jit
def quadratic(
    pose,
    w,
    where,
    at,
    constant,
    square,
    line,
    mean,
    out,
    B,
    P,
    KK,
    T,
    J,
    stride,
    HAS_WHERE: tl.constexpr,
    FULL: tl.constexpr,
    BB: tl.constexpr,
    JB: tl.constexpr,
):
    """out: constant + sum over the 16 numbers of square * d^2 + line * d, d = vote - mean. Grid: as sums."""
    p, b, j = (
        tl.program_id(0).to(tl.int64),
        tl.program_id(1) * BB + tl.arange(0, BB),
        tl.program_id(2) * JB + tl.arange(0, JB),
    )
    x, y = tl.arange(0, 4), tl.arange(0, 4)
    both, N = (b < B)[:, None] & (j < J)[None, :], KK * T
    bpj = (b[:, None] * P + p) * J + j[None, :]
    place = bpj[:, :, None, None] * 16 + x[None, None, :, None] * 4 + y[None, None, None, :]
    mask = both[:, :, None, None]
    m, two = tl.load(mean + place, mask=mask, other=0.0), tl.load(square + place, mask=mask, other=0.0)
    one, none = tl.load(line + place, mask=mask, other=0.0), tl.load(constant + bpj, mask=both, other=0.0)
    for k in range(KK):
        child = tl.load(at + p * KK + k) * T
        for t in range(T):
            i = k * T + t
            d = _vote(pose, w, where, i, child + t, b, j, B, J, stride, HAS_WHERE, FULL, BB, JB) - m
            q = none + tl.sum(tl.sum((two * d + one) * d, axis=3), axis=2)
            tl.store(out + ((b[:, None] * P + p) * N + i) * J + j[None, :], q, mask=both)


@triton.jit
def _slope(
    pose,
    w,
    where,
    weigh,
    square,
    line,
    mean,
    i,
    child,
    p,
    b,
    j,
    B,
    P,
    N,
    J,
    stride,
    HAS_WHERE: tl.constexpr,
    FULL: tl.constexpr,
    BB: tl.constexpr,
    JB: tl.constexpr,
):
    """[BB, JB, 4, 4]: gradient of a vote, weigh * (2 square d + line)."""
    x, y = tl.arange(0, 4), tl.arange(0, 4)
    both = (b < B)[:, None] & (j < J)[None, :]
    place = (
        ((b[:, None] * P + p) * J + j[None, :])[:, :, None, None] * 16
        + x[None, None, :, None] * 4
        + y[None, None, None, :]
    )
    mask = both[:, :, None, None]
    d = _vote(pose, w, where, i, child, b, j, B, J, stride, HAS_WHERE, FULL, BB, JB) - tl.load(
        mean + place, mask=mask, other=0.0
    )
    u = tl.load(weigh + ((b[:, None] * P + p) * N + i) * J + j[None, :], mask=both, other=0.0)[:, :, None, None]
    return u * (2 * tl.load(square + place, mask=mask, other=0.0) * d + tl.load(line + place, mask=mask, other=0.0))


@triton.jit
def finish_pose(
    pose,
    w,
    where,
    windows,
    weigh,
    square,
    line,
    mean,
    gpose,
    B,
    P,
    KK,
    T,
    J,
    M,
    stride,
    HAS_WHERE: tl.constexpr,
    FULL: tl.constexpr,
    BB: tl.constexpr,
    JB: tl.constexpr,
):
    """gpose [B, HW, T, 16]. Grid: children (position * T + type), blocks of examples,
    rows of the weights (4, or 16 where FULL)."""
    child, z = tl.program_id(0).to(tl.int64), tl.program_id(2)
    b = tl.program_id(1) * BB + tl.arange(0, BB)
    c, t, N = child // T, child % T, KK * T
    x, y = tl.arange(0, 4), tl.arange(0, 4)
    h = x[:, None] * 4 + y[None, :]
    row, one = tl.zeros([BB, 4], tl.float32), tl.zeros([BB], tl.float32)
    for slot in range(M):
        pk = tl.load(windows + c * M + slot)
        if pk >= 0:
            p = pk // KK
            i = pk % KK * T + t
            for first in range(0, J, JB):
                j = first + tl.arange(0, JB)
                g = _slope(
                    pose,
                    w,
                    where,
                    weigh,
                    square,
                    line,
                    mean,
                    i,
                    child,
                    p,
                    b,
                    j,
                    B,
                    P,
                    N,
                    J,
                    stride,
                    HAS_WHERE,
                    FULL,
                    BB,
                    JB,
                )
                if FULL:
                    n = tl.load(
                        w + ((i * J + j) * 256)[:, None, None] + z * 16 + h[None, :, :],
                        mask=(j < J)[:, None, None],
                        other=0.0,
                    )
                    one += tl.sum(tl.sum(tl.sum(g * n[None, :, :, :], axis=3), axis=2), axis=1)
                else:
                    n = tl.load(w + ((i * J + j) * 16)[:, None] + z * 4 + y[None, :], mask=(j < J)[:, None], other=0.0)
                    row += tl.sum(tl.sum(g * n[None, :, None, :], axis=3), axis=1)
    at = gpose + b.to(tl.int64) * stride + child * 16
    if FULL:
        tl.store(at + z, one, mask=b < B)
    else:
        tl.store(at[:, None] + x[None, :] * 4 + z, row, mask=(b < B)[:, None])


@triton.jit
def finish_weight(
    pose,
    w,
    where,
    at,
    weigh,
    square,
    line,
    mean,
    gw,
    B,
    P,
    KK,
    T,
    J,
    stride,
    HAS_WHERE: tl.constexpr,
    FULL: tl.constexpr,
    BB: tl.constexpr,
    JB: tl.constexpr,
):
    """gw, as w. Grid: children of a window, blocks of types, rows of the weights."""
    i, z = tl.program_id(0).to(tl.int64), tl.program_id(2)
    j = tl.program_id(1) * JB + tl.arange(0, JB)
    k, t, N = i // T, i % T, KK * T
    x, y = tl.arange(0, 4), tl.arange(0, 4)
    h = x[:, None] * 4 + y[None, :]
    row, block = tl.zeros([JB, 4], tl.float32), tl.zeros([JB, 4, 4], tl.float32)
    for p in range(P):
        child = tl.load(at + p * KK + k) * T + t
        for first in range(0, B, BB):
            b = first + tl.arange(0, BB)
            g = _slope(
                pose,
                w,
                where,
                weigh,
                square,
                line,
                mean,
                i,
                child,
                p,
                b,
                j,
                B,
                P,
                N,
                J,
                stride,
                HAS_WHERE,
                FULL,
                BB,
                JB,
            )
            start = pose + b.to(tl.int64) * stride + child * 16
            if FULL:
                m = tl.load(start + z, mask=b < B, other=0.0)
                block += tl.sum(g * m[:, None, None, None], axis=0)
            else:
                m = tl.load(start[:, None] + x[None, :] * 4 + z, mask=(b < B)[:, None], other=0.0)
                row += tl.sum(tl.sum(g * m[:, None, :, None], axis=2), axis=0)
    if FULL:
        tl.store(gw + ((i * J + j) * 256)[:, None, None] + z * 16 + h[None, :, :], block, mask=(j < J)[:, None, None])
    else:
        tl.store(gw + ((i * J + j) * 16)[:, None] + z * 4 + y[None, :], row, mask=(j < J)[:, None])
