"""Routing by agreement: which parent does each capsule's vote go to?

Source: Sabour, Frosst & Hinton 2017, procedure 1; the bias, the leaky option and the full gradient as in the authors'
released code. Letters: B batch, I children, J parents, p child's size, q parent's size.
Trap: the softmax runs over the parents J, not over the children, and `iterations` counts squashes: 1 is uniform.
"""

import torch
from torch import Tensor, einsum

from deeptheory.arrays import as_tensor, like
from deeptheory.capsules.routing.backends import choose
from deeptheory.capsules.routing.checks import check_iterations, check_result, routing_precision
from deeptheory.shapes import check_shapes


def squash(s: Tensor) -> Tensor:
    """v = |s|^2 / (1 + |s|^2) * s / |s| along the last axis (eq. 1); 0 with gradient 0 at s = 0.

    Written as s |s| / (1 + |s|^2). The constant under the root keeps the gradient finite at 0; it changes v by less than
    rounding wherever |s| exceeds 1e-6 (float32) or 1e-13 (float64).
    """
    n2 = s.square().sum(-1, keepdim=True)
    return s * ((n2 + (1e-20 if s.dtype == torch.float32 else 1e-40)).sqrt() / (1 + n2))


def dynamic_routing(u, weight, iterations=3, bias=None, leaky=False, prior=None, detach=False, *, backend="auto"):
    """Parents' poses by routing-by-agreement (Sabour, Frosst & Hinton 2017, procedure 1).

    u: [B, I, p] lower capsules. weight: [I, J, q, p]. -> v: [B, J, q], computed in float32 (float64 stays), on the
    device and in the kind of u, in the wider dtype of u and weight.
    iterations: the number of squashes; the coupling of the first is uniform (or the prior's).
    bias: [J, q], added to every parent's input before each squash; None: none.
    leaky: one more parent whose logit stays 0 takes a share of every child and is dropped ("none of the above").
    prior: [I, J] initial logits (the paper's log priors, trainable); None: zeros.
    detach: no gradient through the couplings, as many ports have it; the authors' code and the default let it flow.
    backend: "eager", "lean" (votes recomputed in backward), "compiled", or "auto".
    InputError: iterations < 1, shapes that do not fit, non-finite input, an unknown backend.
    """
    reference, u, weight = u, as_tensor(u), as_tensor(weight)
    bias, prior = None if bias is None else as_tensor(bias), None if prior is None else as_tensor(prior)
    check_iterations(iterations)
    if not torch.compiler.is_compiling():
        check_shapes(u=(u, "B I p"), weight=(weight, "I J q p"), bias=(bias, "J q"), prior=(prior, "I J"))
    dtype = torch.promote_types(u.dtype, weight.dtype)
    with routing_precision(u, weight, bias, prior) as (u32, weight32, bias32, prior32):
        numbers = u.shape[0] * weight.shape[:3].numel()
        kernel = choose(KERNELS, backend, numbers=numbers, device=u.device, favourite="lean")
        v = kernel(u32, weight32, bias32, prior32, iterations, leaky, detach)
    check_result(v, u=u, weight=weight, bias=bias, prior=prior)
    return like(v.to(dtype), reference)


def couplings(logits: Tensor, leaky: bool) -> Tensor:
    """c: [B, I, J], softmax of the logits over the parents; leaky: beside a parent of logit 0, which is dropped."""
    if not leaky:
        return logits.softmax(-1)
    return torch.cat([torch.zeros_like(logits[..., :1]), logits], -1).softmax(-1)[..., 1:]


def votes_of(u: Tensor, weight: Tensor) -> Tensor:
    """Votes [B, I, J, q] = W_ij u_i."""
    return einsum("BIp,IJqp->BIJq", u, weight)


def eager(u, weight, bias, prior, iterations: int, leaky: bool, detach: bool) -> Tensor:
    """Procedure 1 as it is written; autograd keeps the votes and every iteration's couplings."""
    votes = votes_of(u, weight)
    inner = votes.detach() if detach else votes
    logits = votes.new_zeros(votes.shape[:3]) if prior is None else prior.expand(votes.shape[:3])
    for r in range(iterations - 1):
        v = parents(couplings(logits, leaky), inner, bias)
        logits = logits + einsum("BIJq,BJq->BIJ", inner, v.detach() if detach else v)
    return parents(couplings(logits, leaky), votes, bias)  # agreement after the last squash would change nothing


def parents(coupling: Tensor, votes: Tensor, bias: Tensor | None) -> Tensor:
    """v: [B, J, q], the squashed, coupling-weighted sum of the votes."""
    s = einsum("BIJ,BIJq->BJq", coupling, votes)
    return squash(s if bias is None else s + bias)


def lean(u, weight, bias, prior, iterations: int, leaky: bool, detach: bool) -> Tensor:
    """The same numbers from a kernel that keeps no votes; see lean_dynamic.py."""
    from deeptheory.capsules.routing.lean_dynamic import LeanDynamic

    return LeanDynamic.apply(u, weight.contiguous(), bias, prior, iterations, leaky, detach)  # type: ignore[return-value]


def compiled(u, weight, bias, prior, iterations: int, leaky: bool, detach: bool) -> Tensor:
    """The eager kernel through torch.compile: the fastest where a C++ compiler or a GPU is at hand."""
    from deeptheory.capsules.routing.backends import compiled_form

    return compiled_form(eager)(u, weight, bias, prior, iterations, leaky, detach)


KERNELS = {"eager": eager, "lean": lean, "compiled": compiled}
