"""Dynamic routing: a capsule sends its output to the parents whose output agrees with its vote.

Source: Sabour, Frosst & Hinton 2017, procedure 1 and eqs. 1-3.
Pitfalls: the softmax is over parents, so that a child divides itself; over children, as in many ports, MNIST is learnt
just as well. r counts squashes. Logits are of each example, from zero. Gradients flow through all iterations.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import einsum

from deeptheory.capsules.native.dynamic import NativePasses
from deeptheory.capsules.on_gpu.dynamic import TritonPasses
from deeptheory.capsules.routing import recomputed
from deeptheory.capsules.routing.backends import Backend, choose, prefer
from deeptheory.capsules.routing.checks import (
    autocast_dtype,
    check_layer_input,
    check_outcome,
    floating,
    full_precision,
    in_one_dtype,
    result_dtype,
    tensor_on,
    truth_values,
)
from deeptheory.capsules.routing.variants import check_iterations
from deeptheory.capsules.squashing import at_least_float32, squash
from deeptheory.core.arrays import is_torch, like
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_shapes


def dynamic_routing(
    u,
    weight,
    iterations: int = 3,
    *,
    bias=None,
    leaky: bool = False,
    prior=None,
    detach: bool = False,
    mask=None,
    backend: Backend = "auto",
) -> Any:
    """Routing by agreement (Sabour et al. 2017, procedure 1, eqs. 1 to 3).

    u: [B, I, p], weight: [I, J, q, p] -> v: [B, J, q], |v| < 1, kind, device and dtype of u.
    Votes u_ij = W_ij u_i; logits b_ij from 0; repeat: c_ij = softmax_j b_ij, s_j = sum_i c_ij u_ij + bias_j, v_j =
    squash(s_j), b_ij += u_ij . v_j. Gradients flow through all iterations.

    iterations: number of squashes; 1 is uniform coupling. bias: [J, q], added before each squash (the released code has
    one).
    leaky: a zero logit beside the parents', for children that belong to none of them (released code, CIFAR-10). prior:
    [I, J], logits to start from, else 0. detach: no gradient through the coupling, as in several ports; off in the
    paper's code.
    mask: [B, I] or [I] truth values, True where there is a child: the others have no vote, whatever u holds there.
    backend: "auto", "eager", "recompute", "native" or "triton", see `backends`. Votes are computed in the dtype of u or
    of autocast (by the last two in float32), all else in float32 or better; float32 comes back under autocast. Integers
    are read as float32; of two dtypes, votes take the wider.
    InputError: iterations < 1, shapes that do not fit, complex numbers, a mask of floats, NaN or infinity (on the CPU).
    MissingDependency: no such backend here.
    """
    iterations, leaky, detach = check_iterations(iterations), bool(leaky), bool(detach)
    if not is_torch(u):
        out = dynamic_routing(
            tensor_on(u, "cpu"),
            weight,
            iterations,
            bias=bias,
            leaky=leaky,
            prior=prior,
            detach=detach,
            mask=mask,
            backend=backend,
        )
        return like(out, u)
    if u.ndim != 3:
        check_layer_input("u", u, "B I p")
    if weight is None:
        raise InputError("weight is None; needed: [I, J, q, p]")
    u = floating(u)
    weight, bias, prior = (None if x is None else floating(tensor_on(x, u.device)) for x in (weight, bias, prior))
    check_shapes(u=(u, "B I p"), weight=(weight, "I J q p"), bias=(bias, "J q"), prior=(prior, "I J"))
    asked = u
    u, weight, bias, prior = in_one_dtype(masked(u, mask), weight, bias, prior)
    b, (i, j, q, p) = u.shape[0], weight.shape
    size = 4 * b * i * j * q
    chosen = choose(
        backend, "dynamic", u, weight, bias, prior, votes=size, to=(j, q), slower=lambda: prefer(b, i, j, q, p)
    )
    eager = partial(_eager, iterations=iterations, leaky=leaky, detach=detach)
    if chosen == "eager":
        v = eager(u, weight, bias, prior)
    else:
        narrow = torch.float32
        if chosen == "recompute":  # autocast leaves float64 alone
            narrow = None if u.dtype == torch.float64 else autocast_dtype(u.device)
        with full_precision(u.device):
            u, weight = (u, weight) if narrow is None else (u.to(narrow), weight.to(narrow))
            v = recomputed.route(_PASSES[chosen], eager, u, weight, iterations, bias, leaky, prior, detach)
    check_outcome(v, u=u, weight=weight, bias=bias, prior=prior)
    return v.to(result_dtype(asked))


_PASSES: dict[str, recomputed.Maker] = {
    "recompute": recomputed.TorchPasses,
    "native": NativePasses,
    "triton": TritonPasses,
}


def masked(u: torch.Tensor, mask: Any) -> torch.Tensor:
    """u: [B, I, p] with 0 where mask, [B, I] or [I], is False: no vote, so that the child takes no part.

    InputError: no truth values.
    """
    if mask is None:
        return u
    mask = truth_values("mask", tensor_on(mask, u.device))
    check_shapes(u=(u, "B I p"), mask=(mask, "I" if mask.ndim == 1 else "B I"))
    return torch.where(mask[..., None], u, 0)  # not u * mask: what stands there may be NaN


def _eager(u, weight, bias, prior, iterations: int, leaky: bool, detach: bool) -> torch.Tensor:
    """[B, J, q] by operations that autograd sees; votes lie as [B J, I, q], where each sum is a product of matrices
    without a copy.
    """
    votes = einsum("BIp,IJqp->BJIq", u, weight)
    b, j, i, _ = votes.shape
    with full_precision(u.device):
        votes = at_least_float32(votes).flatten(0, 1)
        inner = votes.detach() if detach else votes
        logits, v = None if prior is None else at_least_float32(prior).t().expand(b, j, i), votes
        bias = None if bias is None else at_least_float32(bias)
        for r in range(iterations):
            last = r == iterations - 1
            over = votes if last else inner
            if logits is None:  # the first coupling is uniform
                s = over.sum(1) / (j + int(leaky))
            else:
                coupling = leaky_softmax(logits, 1) if leaky else logits.softmax(1)  # [B, J, I]
                s = torch.bmm(coupling.flatten(0, 1).unsqueeze(1), over).squeeze(1)
            s = s.unflatten(0, (b, j))
            v = squash(s if bias is None else s + bias)
            if not last:
                agreement = torch.bmm(inner, (v.detach() if detach else v).flatten(0, 1).unsqueeze(2)).view(b, j, i)
                logits = agreement if logits is None else logits + agreement
    return v


def softmax(logits: torch.Tensor) -> torch.Tensor:
    """[..., I, J] -> couplings; over J: a child divides itself among its parents."""
    return logits.softmax(-1)


def leaky_softmax(logits: torch.Tensor, over: int = -1) -> torch.Tensor:
    """The same with one logit of zero beside the parents'; it is dropped, so that couplings sum to less than one.

    over: parents' axis.
    """
    orphan = torch.zeros_like(logits.narrow(over, 0, 1))
    return torch.cat([orphan, logits], over).softmax(over).narrow(over, 1, logits.shape[over])


def route(
    votes: torch.Tensor,
    iterations: int,
    bias: torch.Tensor | None = None,
    over: Callable[[torch.Tensor], torch.Tensor] = softmax,
    prior: torch.Tensor | None = None,
    detach: bool = False,
    watch: Callable | None = None,
) -> torch.Tensor:
    """votes: [..., I, J, q] -> v: [..., J, q].

    over: logits [..., I, J] -> coupling. watch(coupling, logits, v, votes): each iteration.
    """
    inner = votes.detach() if detach else votes
    start = votes.new_zeros(votes.shape[:-1])
    logits = start if prior is None else start + prior
    v = votes.new_zeros(())
    for r in range(iterations):
        last = r == iterations - 1
        coupling = over(logits)  # [..., I, J]
        s = einsum("...IJ,...IJq->...Jq", coupling, votes if last else inner)
        v = squash(s if bias is None else s + bias)
        if watch is not None:
            watch(coupling, logits, v, votes)
        if not last:  # agreement after the last squash would change nothing
            logits = logits + einsum("...IJq,...Jq->...IJ", inner, v.detach() if detach else v)
    return v
