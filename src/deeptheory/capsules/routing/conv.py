"""Convolutional routing: parents at many places hear windows of children, and compete for them.

A window table says which children each place hears; it turns the convolution into dense routing on a sparse graph.
Source: Hinton, Sabour & Frosst 2018, section on convolutional capsules; `tests` compare with dense routing and a mask.
Trap: a child at the rim is heard by one place, one inside by many; some are heard by none and must send nothing.
"""

from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from deeptheory.errors import InputError


class Windows(NamedTuple):
    """Which children are heard where.

    height, width: places of parents. child: [L, K] position of the k-th child heard at place l. heard: [C, P] for each
    child that is heard at all, the flat indices l*K + k at which it is (padded with L*K). row: [L*K] the row of `heard`.
    """

    height: int
    width: int
    child: Tensor
    heard: Tensor
    row: Tensor
    count: Tensor  # [L, K]: at how many places the child of that slot is heard


def windows(grid: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], device) -> Windows:
    """The table for a grid of children (height, width), without padding. InputError: the kernel is larger."""
    h, w = grid
    if h < kernel[0] or w < kernel[1]:
        raise InputError(
            f"the grid of children is {h} x {w}, too few positions for a kernel of {kernel[0]} x {kernel[1]}; "
            "give a larger image, a smaller kernel or a smaller stride below"
        )
    with torch.no_grad():
        return _windows(h, w, *kernel, *stride, torch.device(device))


@lru_cache(maxsize=64)
def _windows(h: int, w: int, kh: int, kw: int, sh: int, sw: int, device: torch.device) -> Windows:
    height, width = (h - kh) // sh + 1, (w - kw) // sw + 1
    rows = [[(y * sh + a) * w + x * sw + b for a in range(kh) for b in range(kw)] for y in range(height) for x in range(width)]
    at: dict[int, list[int]] = {}
    for slot, c in enumerate(c for row in rows for c in row):
        at.setdefault(c, []).append(slot)
    order = {c: k for k, c in enumerate(sorted(at))}
    slots, most = height * width * kh * kw, max(len(v) for v in at.values())
    heard = [at[c] + [slots] * (most - len(at[c])) for c in order]
    tensors = (
        torch.tensor(rows),
        torch.tensor(heard),
        torch.tensor([order[c] for row in rows for c in row]),
        torch.tensor([[len(at[c]) for c in row] for row in rows]),
    )
    return Windows(height, width, *(t.to(device) for t in tensors))


def gather(x: Tensor, table: Windows) -> Tensor:
    """Children as places hear them: x [n, H, W, B, ...] -> [n, L, K*B, ...]."""
    flat = x.flatten(1, 2)
    heard = flat.index_select(1, table.child.flatten())
    return heard.unflatten(1, tuple(table.child.shape)).flatten(2, 3)


class ConvCompetition:
    """Assignments R [n, L, K*B, J] from ln a + ln p of the same shape; see `em`.

    across: a child's softmax runs over all types at all places that hear it. Otherwise it runs over the places, for each
    type by itself, so that every child sends mass 1 to every type (the released code).
    """

    def __init__(self, table: Windows, children: int, parents: int, across: bool, like: Tensor):
        self.table, self.children, self.parents, self.across, self.like = table, children, parents, across, like

    def __call__(self, joint: Tensor | None) -> Tensor:
        places, kernel = self.table.child.shape
        if joint is None:
            count = self.table.count if self.across else torch.ones_like(self.table.count)
            start = (1 / (count.to(self.like.dtype) * self.parents)).repeat_interleave(self.children, 1)
            return start.unsqueeze(-1).expand(places, -1, self.parents)
        per_slot = joint.unflatten(2, (kernel, self.children)).flatten(1, 2)  # [n, L*K, B, J]
        if self.across:
            return (per_slot - over_places(per_slot.logsumexp(-1, keepdim=True), self.table)).exp().view(joint.shape)
        return (per_slot - over_places(per_slot, self.table)).exp().view(joint.shape)


def over_places(x: Tensor, table: Windows) -> Tensor:
    """log-sum-exp of x [n, L*K, ...] over the slots that hear the same child, handed back to every slot."""
    padded = torch.cat([x, torch.full_like(x[:, :1], -torch.inf)], 1)
    per_child = padded.index_select(1, table.heard.flatten()).unflatten(1, tuple(table.heard.shape))
    return per_child.logsumexp(2).index_select(1, table.row)
