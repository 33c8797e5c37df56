"""Dynamic routing: a capsule sends its output to the parents whose output agrees with its vote.

Source: Sabour, Frosst & Hinton 2017, procedure 1 and eqs. 1-3.
Traps: the softmax is over parents, so that a child divides itself; over children, as in many ports, MNIST is learnt just as
well. r counts squashes. Logits are of each example, from zero. Gradients flow through all iterations.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import einsum

from deeptheory.arrays import as_tensor, is_torch, like
from deeptheory.capsules.native.dynamic import NativePasses
from deeptheory.capsules.on_gpu.dynamic import TritonPasses
from deeptheory.capsules.routing import recomputed
from deeptheory.capsules.routing.backends import choose
from deeptheory.capsules.routing.checks import autocast_dtype, check_outcome, full_precision, result_dtype
from deeptheory.capsules.squashing import at_least_float32, squash
from deeptheory.errors import InputError
from deeptheory.shapes import check_shapes


def dynamic_routing(
    u,
    weight,
    iterations: int = 3,
    bias=None,
    leaky: bool = False,
    prior=None,
    detach: bool = False,
    *,
    backend: str = "auto",
) -> Any:
    """Routing by agreement (procedure 1). u: [B, I, p], weight: [I, J, q, p] -> v: [B, J, q], kind, device and dtype of u.

    iterations: number of squashes; 1 is uniform coupling. bias: [J, q], added before each squash (the released code has one).
    leaky: a zero logit beside the parents', for children that belong to none of them (released code, CIFAR-10). prior: [I, J],
    logits to start from, else 0. detach: no gradient through the coupling, as in several ports; off in the paper's code.
    backend: "auto", "eager", "recompute", "native" or "triton", see `backends`. Votes are computed in the dtype of u or of autocast
    (by the last two in float32), all else in float32 or better; float32 comes back under autocast.
    InputError: iterations < 1, shapes that do not fit, NaN or infinity (on the CPU). MissingDependency: no such backend here.
    """
    check_iterations(iterations)
    if not is_torch(u):
        weight, bias, prior = (None if x is None else as_tensor(x) for x in (weight, bias, prior))
        return like(dynamic_routing(as_tensor(u), weight, iterations, bias, leaky, prior, detach, backend=backend), u)
    check_shapes(u=(u, "B I p"), weight=(weight, "I J q p"), bias=(bias, "J q"), prior=(prior, "I J"))
    votes = 4 * u.shape[0] * weight[..., 0].numel()
    chosen = choose(backend, "dynamic", u, votes=votes, to=(weight.shape[1], weight.shape[2]))
    if chosen == "eager":
        votes = einsum("BIp,IJqp->BIJq", u, weight)
        with full_precision(u.device):
            v = route(at_least_float32(votes), iterations, bias, leaky_softmax if leaky else softmax, prior, detach)
    else:
        narrow = autocast_dtype(u.device) if chosen == "recompute" else torch.float32
        with full_precision(u.device):
            cast = (u, weight) if narrow is None else (u.to(narrow), weight.to(narrow))
            v = recomputed.route(_PASSES[chosen], *cast, iterations, bias, leaky, prior, detach)
    check_outcome(v, u=u, weight=weight, bias=bias, prior=prior)
    return v.to(result_dtype(u))


_PASSES: dict[str, type[recomputed.Passes]] = {
    "recompute": recomputed.TorchPasses,
    "native": NativePasses,
    "triton": TritonPasses,
}


def check_iterations(iterations: int) -> None:
    """InputError: iterations < 1."""
    if iterations < 1:
        raise InputError(f"iterations is {iterations}; routing needs at least 1")


def softmax(logits: torch.Tensor) -> torch.Tensor:
    """[..., I, J] -> couplings; over J: a child divides itself among its parents."""
    return logits.softmax(-1)


def leaky_softmax(logits: torch.Tensor) -> torch.Tensor:
    """The same with one logit of zero beside the parents'; its column is dropped, so that couplings sum to less than one."""
    orphan = torch.zeros_like(logits[..., :1])
    return torch.cat([orphan, logits], -1).softmax(-1)[..., 1:]


def route(
    votes: torch.Tensor,
    iterations: int,
    bias: torch.Tensor | None = None,
    over: Callable[[torch.Tensor], torch.Tensor] = softmax,
    prior: torch.Tensor | None = None,
    detach: bool = False,
    watch: Callable | None = None,
) -> torch.Tensor:
    """votes: [..., I, J, q] -> v: [..., J, q]. over: logits [..., I, J] -> coupling. watch(coupling, logits, v, votes): each iteration."""
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
