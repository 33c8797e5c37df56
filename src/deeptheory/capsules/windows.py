"""Who hears whom in a convolutional capsule layer: children of each parent position, parent positions of each child.

Source: Hinton, Sabour & Frosst 2018, section 4: a child feeds up to ceil(K / stride)^2 parent positions, one at a
corner, and all of them, of all types, compete for it.
Pitfall: most ports cut the image into patches and let each patch compete on its own (im2col, then a softmax over
types).
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import torch

from deeptheory.capsules.tracing import traced
from deeptheory.core.errors import InputError

Normalize = Literal["all", "position"]
NORMALIZE: tuple[Normalize, ...] = get_args(Normalize)
Padding = Literal["valid", "same"]


@dataclass(frozen=True, eq=False)
class Windows:
    """P parent positions (rows first), K*K children each; HW child positions, M slots for the windows that hold them.

    children: [P, KK], the child's position. slots: [P, KK], where this window stands among the child's: child * M +
    slot.
    windows: [HW, M], the way back: p * KK + k. heard: [HW, M], False where the slot is empty (its window index is then
    0).
    """

    out_height: int
    out_width: int
    children: torch.Tensor
    slots: torch.Tensor
    windows: torch.Tensor
    heard: torch.Tensor


def pair(name: str, value: int | Sequence[int], least: int) -> tuple[int, int]:
    """(rows, columns) from one number or two. InputError: no integers, or below the least."""
    two = (
        (value, value) if isinstance(value, (int, np.integer)) else tuple(value) if isinstance(value, Sequence) else ()
    )
    if len(two) != 2 or not all(
        isinstance(x, (int, np.integer)) and not isinstance(x, bool) and x >= least for x in two
    ):
        raise InputError(f"{name} is {value!r}; it needs an integer of at least {least}, or two: rows, columns")
    return int(two[0]), int(two[1])


def padding_of(
    padding: int | str | Sequence[int], kernel: tuple[int, int], stride: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Cells added left, right, above, below (as torch's pad reads them): a number, rows and columns, "valid" or
    "same".
    """
    if padding == "same":
        if stride != (1, 1):
            raise InputError(
                f'padding="same" needs stride 1, and it is {stride}; give the number of cells on each side'
            )
        (kh, kw) = kernel
        return (kw - 1) // 2, kw // 2, (kh - 1) // 2, kh // 2
    if isinstance(padding, str) and padding != "valid":
        raise InputError(f"padding is {padding!r}; known: valid, same, or a number of cells on each side")
    rows, columns = (0, 0) if padding == "valid" else pair("padding", padding, 0)
    return columns, columns, rows, rows


def padded(x: torch.Tensor, pads: tuple[int, int, int, int]) -> torch.Tensor:
    """x: [B, H, W, ...], zeros around: a child without a vote (u = 0) or without an activation takes no part."""
    return torch.nn.functional.pad(x, (0,) * (2 * (x.ndim - 3)) + pads) if any(pads) else x


def windows(
    height: int, width: int, kernel_size: int | Sequence[int], stride: int | Sequence[int], device: torch.device
) -> Windows:
    """Windows of a grid, saved for the next call. InputError: the grid is smaller than the kernel."""
    kernel, stride = pair("kernel_size", kernel_size, 1), pair("stride", stride, 1)
    if height < kernel[0] or width < kernel[1]:
        raise InputError(
            f"the grid of capsules is {height}x{width} and the kernel {kernel[0]}x{kernel[1]}: no parent sees "
            "a whole window; "
            "use a larger image, padding, a smaller kernel or smaller strides below"
        )
    build = _build if traced() else _saved
    return build(height, width, kernel, stride, device)


def _build(height: int, width: int, kernel: tuple[int, int], stride: tuple[int, int], device: torch.device) -> Windows:
    """Made outside inference_mode, whose tensors could not be used for training in a later call."""
    with nullcontext() if torch.compiler.is_compiling() else torch.inference_mode(False):
        axes = zip((height, width), kernel, stride)
        (oh, ch, mh, ph, qh, hh), (ow, cw, mw, pw, qw, hw) = (_one_axis(n, k, s, device) for n, k, s in axes)
        (kh, kw), m_h, m_w = kernel, hh.shape[1], hw.shape[1]
        kk, m = kh * kw, m_h * m_w
        children = (ch[:, None, :, None] * width + cw[None, :, None, :]).reshape(oh * ow, kk)
        slot = (mh[None, None, :, None] * m_w + mw[None, None, None, :]).expand(oh, ow, kh, kw).reshape(oh * ow, kk)
        p = ph[:, None, :, None] * ow + pw[None, :, None, :]
        q = qh[:, None, :, None] * kw + qw[None, :, None, :]
        heard = (hh[:, None, :, None] & hw[None, :, None, :]).reshape(height * width, m)
        way_back = (p * kk + q).reshape(height * width, m)
        return Windows(oh, ow, children, children * m + slot, way_back.masked_fill(~heard, 0), heard)


def _one_axis(n: int, k: int, s: int, device):
    """Outputs o; child of (p, q) [o, k]; slot of offset q [k]; and for child c, slot m: window p, offset q, whether
    it is there.
    """
    o = (n - k) // s + 1
    q = torch.arange(k, device=device)
    child = torch.arange(o, device=device)[:, None] * s + q
    c = torch.arange(n, device=device)[:, None]
    p = c // s - torch.arange(-(-k // s), device=device)
    offset = c - s * p
    return o, child, q // s, p, offset, (p >= 0) & (p < o) & (offset < k)


_saved = lru_cache(maxsize=64)(_build)


def patches(x: torch.Tensor, at: Windows) -> torch.Tensor:
    """x: [B, HW, ...] -> [B, P, KK, ...]: what each window sees."""
    return x.index_select(1, at.children.reshape(-1)).unflatten(1, at.children.shape)


def over_parents(logits: torch.Tensor, at: Windows, normalize: str) -> torch.Tensor:
    """softmax for each child over its parents. logits: [B, P, KK * T, J] -> the same shape.

    normalize: "all": over the parents of all types at all positions that see the child (the paper); a child's couplings
    sum to one. "position": over the positions of each parent type on its own (the released code); they sum to the
    number of types.
    """
    b, p, n, j = logits.shape
    kk = at.children.shape[1]
    by_child = logits.reshape(b, p * kk, n // kk, j)[:, at.windows]  # [B, HW, M, T, J]
    empty = ~at.heard[None, :, :, None, None]
    by_child = by_child.masked_fill(
        empty, torch.finfo(logits.dtype).min
    )  # not -inf: a child without parents would be NaN
    if normalize == "all":
        together = by_child.transpose(2, 3).flatten(3).softmax(-1)  # [B, HW, T, M * J]
        by_child = together.unflatten(3, (-1, j)).transpose(2, 3)
    else:
        by_child = by_child.softmax(2)
    return by_child.flatten(1, 2)[:, at.slots.reshape(-1)].reshape(b, p, n, j)


def uniform_over_parents(
    at: Windows, types_in: int, types_out: int, normalize: str, dtype: torch.dtype
) -> torch.Tensor:
    """First assignment [P, KK * T, J]: "all": 1 / (positions that see the child * types); "position": 1 / types, as
    released.
    """
    seen_by = at.heard.sum(1)[at.children] if normalize == "all" else torch.ones_like(at.children)
    first = 1 / (seen_by * types_out).to(dtype)  # [P, KK]
    return first[:, :, None, None].expand(-1, -1, types_in, types_out).flatten(1, 2)
