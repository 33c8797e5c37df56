"""EM routing by Triton on CUDA: two differentiable sums over votes that are never in memory,
and plain torch around them.

Source: Hinton, Sabour & Frosst 2018, Procedure 1; the formulas are those of `routing.em.route`. Kept for the backward
pass: numbers of the size of the assignments (a sixteenth of the votes), and means and variances of parents.
Checked like `on_gpu.dynamic`: in Triton's interpreter and by its compiler, never on a GPU.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch.nn.functional import logsigmoid

from deeptheory.capsules.routing.recomputed import asks_for_more, differentiable
from deeptheory.capsules.routing.variants import Variant

_TILE = 64  # examples times types of a program; a vote is 16 numbers of each


@dataclass(frozen=True, eq=False)
class Hearing:
    """Who hears whom. at: [P, KK] child position; windows: [HW, M] p * KK + k or -1; where: [KK * T, 16] or None."""

    at: torch.Tensor
    windows: torch.Tensor
    where: torch.Tensor | None


def route(
    pose: torch.Tensor,
    activation: torch.Tensor,
    weight: torch.Tensor,
    beta_u: torch.Tensor,
    beta_a: torch.Tensor,
    hearing: Hearing,
    first: torch.Tensor,
    over: Callable[[torch.Tensor], torch.Tensor],
    lambdas: tuple[float, ...],
    constants: Variant,
    presence: str = "cost",
) -> tuple[torch.Tensor, torch.Tensor]:
    """pose: [B, HW, T, 16], activation: [B, HW, T], weight: [KK * T, J, 4, 4] or [.., 16, 16] -> mean [B, P, J, 16],
    activation [B, P, J].

    first: assignments [P, N, J]; over: logits [B, P, N, J] -> assignments. float32. `where` has no gradient.
    """
    pose, weight = pose.float().contiguous(), weight.float().contiguous()
    heard = activation.float()[:, hearing.at].flatten(2).unsqueeze(-1)  # [B, P, N, 1]
    r, mean = first.float()[None], pose.new_zeros(())
    a = mean
    for t, inverse_temperature in enumerate(lambdas):
        u = (r * heard).contiguous()
        mass = u.sum(2) + constants.mass_floor  # [B, P, J]
        zero = pose.new_zeros(*mass.shape, 16)
        weighted = _Sums.apply(pose, weight, u, zero, hearing)[0] / mass[..., None]
        mean = (1 - constants.damping) * weighted + constants.damping * mean
        squares = _Sums.apply(pose, weight, u, mean, hearing)[1]
        variance = squares / mass[..., None] + constants.variance_floor
        log_sigmas = 0.5 * variance.log().sum(-1)
        logit = constants.logit_scale * inverse_temperature * (beta_a - (16 * beta_u + log_sigmas) * mass)
        if presence == "mass":
            a = mass / mass.sum(-1, keepdim=True)
            log_a = a.log()
        else:
            a, log_a = logit.sigmoid(), logsigmoid(logit)
        if t < len(lambdas) - 1:
            r = over(_Quadratic.apply(pose, weight, log_a - log_sigmas, -0.5 / variance, mean, hearing))
    return mean, a


class _Passes:
    """The kernels with one layer's arrays at hand."""

    def __init__(self, pose, weight, hearing):
        from deeptheory.capsules.on_gpu import em_kernels

        self.kernels, self.pose, self.weight, self.hearing = em_kernels, pose, weight, hearing
        self.batch, self.positions, self.types = pose.shape[:3]
        self.windows, self.kk = hearing.at.shape
        self.parents = weight.shape[1]
        self.rows = weight.shape[2]
        j = 1 << (min(self.parents, 16) - 1).bit_length()
        b = max(1, min(1 << (self.batch - 1).bit_length(), _TILE // j))
        self.blocks = {"HAS_WHERE": hearing.where is not None, "FULL": self.rows == 16, "BB": b, "JB": j}
        self.b, self.j = -(-self.batch // b), -(-self.parents // j)
        self.where = pose if hearing.where is None else hearing.where.float().contiguous()
        self.stride = pose[0].numel()

    def sums(self, weigh, mean):
        first, second = torch.empty_like(mean), torch.empty_like(mean)
        self._run(self.kernels.sums, (self.windows, self.b, self.j), self.hearing.at, weigh, mean, first, second)
        return first, second

    def quadratic(self, constant, square, line, mean):
        n = self.kk * self.types
        out = self.pose.new_empty(self.batch, self.windows, n, self.parents)
        arrays = (constant.contiguous(), square.contiguous(), line.contiguous(), mean, out)
        self._run(self.kernels.quadratic, (self.windows, self.b, self.j), self.hearing.at, *arrays)
        return out

    def finish(self, weigh, square, line, mean):
        """Gradients of pose and weight where that of a vote is weigh (2 square d + line)."""
        arrays = (weigh.contiguous(), square.contiguous(), line.contiguous(), mean)
        gpose, gw = torch.empty_like(self.pose), torch.empty_like(self.weight)
        grid = (self.positions * self.types, self.b, self.rows)
        self._run(
            self.kernels.finish_pose, grid, self.hearing.windows, *arrays, gpose, more=(self.hearing.windows.shape[1],)
        )
        grid = (self.kk * self.types, self.j, self.rows)
        self._run(self.kernels.finish_weight, grid, self.hearing.at, *arrays, gw)
        return gpose, gw

    def _run(self, kernel, grid, *arrays, more=()):
        sizes = (self.batch, self.windows, self.kk, self.types, self.parents, *more, self.stride)
        with torch.cuda.device_of(self.pose):
            kernel[grid](self.pose, self.weight, self.where, *arrays, *sizes, num_warps=4, **self.blocks)


class _Sums(torch.autograd.Function):
    """Sums over children of weigh (V - mean) and weigh (V - mean)^2: [B, P, J, 16] both."""

    @staticmethod
    def forward(ctx, pose, weight, weigh, mean, hearing):
        mean = mean.contiguous()
        first, second = _Passes(pose, weight, hearing).sums(weigh, mean)
        ctx.save_for_backward(pose, weight, weigh, mean, first)
        ctx.hearing = hearing
        return first, second

    @staticmethod
    def backward(ctx, *gradients):  # type: ignore[override]  # pyright knows it with one name for each
        pose, weight, weigh, mean, first = ctx.saved_tensors
        if asks_for_more(gradients):
            eager = partial(_eager_sums, hearing=ctx.hearing)
            return *differentiable(eager, (pose, weight, weigh, mean), ctx.needs_input_grad[:4], gradients), None
        g1, g2 = gradients
        passes = _Passes(pose, weight, ctx.hearing)
        g_weigh = passes.quadratic(g1.new_zeros(g1.shape[:-1]), g2, g1, mean)
        g_mean = -g1 * weigh.sum(2)[..., None] - 2 * g2 * first
        return *passes.finish(weigh, g2, g1, mean), g_weigh, g_mean, None


class _Quadratic(torch.autograd.Function):
    """constant + sum over the 16 numbers of square (V - mean)^2: [B, P, N, J]."""

    @staticmethod
    def forward(ctx, pose, weight, constant, square, mean, hearing):
        mean, square = mean.contiguous(), square.contiguous()
        ctx.save_for_backward(pose, weight, square, mean)
        ctx.hearing, ctx.constant = hearing, torch.zeros_like(constant).requires_grad_()  # its value is in no gradient
        return _Passes(pose, weight, hearing).quadratic(constant, square, torch.zeros_like(square), mean)

    @staticmethod
    def backward(ctx, *gradients):  # type: ignore[override]  # as above
        pose, weight, square, mean = ctx.saved_tensors
        if asks_for_more(gradients):
            eager, inputs = partial(_eager_quadratic, hearing=ctx.hearing), (pose, weight, ctx.constant, square, mean)
            return *differentiable(eager, inputs, ctx.needs_input_grad[:5], gradients), None
        g = gradients[0].contiguous()
        passes = _Passes(pose, weight, ctx.hearing)
        first, second = passes.sums(g, mean)
        g_pose, g_weight = passes.finish(g, square, torch.zeros_like(square), mean)
        return g_pose, g_weight, g.sum(2), second, -2 * square * first, None


def _differences(pose, weight, mean, hearing: Hearing) -> torch.Tensor:
    """V - mean: [B, P, N, J, 16], all votes in memory: only where a backward pass is differentiated."""
    seen = pose[:, hearing.at].flatten(2, 3)  # [B, P, N, 16]
    if weight.shape[2] == 4:
        votes = torch.einsum("bpnxz,njzy->bpnjxy", seen.unflatten(-1, (4, 4)), weight).flatten(-2)
    else:
        votes = torch.einsum("bpnz,njzy->bpnjy", seen, weight)
    votes = votes if hearing.where is None else votes + hearing.where[:, None]
    return votes - mean[:, :, None]


def _eager_sums(pose, weight, weigh, mean, hearing: Hearing):
    d = _differences(pose, weight, mean, hearing)
    return (weigh[..., None] * d).sum(2), (weigh[..., None] * d * d).sum(2)


def _eager_quadratic(pose, weight, constant, square, mean, hearing: Hearing):
    d = _differences(pose, weight, mean, hearing)
    return constant[:, :, None] + (square[:, :, None] * d * d).sum(-1)
