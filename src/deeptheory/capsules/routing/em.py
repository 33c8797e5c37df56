"""EM routing: parents are Gaussians that children's votes are drawn from, active where a tight cluster is cheaper than
none.

Source: Hinton, Sabour & Frosst 2018, Procedure 1; schedules and constants: `variants`.
Pitfalls: child activations weigh the assignments and must not cancel in them; ln a + ln p, not a ln p; everything stays
in the log domain, for a Gaussian of 16 dimensions and variance 5e-4 peaks at 1e20; moments about the mean, never E[x^2]
- mean^2.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import torch
from torch import einsum
from torch.nn.functional import logsigmoid
from torch.utils.checkpoint import checkpoint

from deeptheory.capsules.routing.backends import Backend, choose
from deeptheory.capsules.routing.checks import (
    check_outcome,
    floating,
    full_precision,
    in_one_dtype,
    result_dtype,
    tensor_on,
    truth_values,
)
from deeptheory.capsules.routing.variants import Variant, VariantName, in_shares, inverse_temperatures, variant_of
from deeptheory.capsules.squashing import at_least_float32
from deeptheory.capsules.tracing import traced
from deeptheory.capsules.windows import NORMALIZE, Normalize
from deeptheory.core.arrays import is_torch, like
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.shapes import check_shapes

Presence = Literal["cost", "mass"]
PRESENCE: tuple[Presence, ...] = get_args(Presence)


def em_routing(
    votes,
    activation,
    beta_u,
    beta_a,
    *,
    iterations: int = 3,
    schedule: float | Sequence[float] = 0.01,
    normalize: Normalize = "all",
    variant: VariantName | Variant = "paper",
    mask=None,
    types=None,
    presence: Presence = "cost",
    backend: Backend = "auto",
) -> Any:
    """EM routing (Hinton et al. 2018, Procedure 1).

    votes: [B, I, J, ...], activation: [B, I] in [0, 1] -> pose [B, J, ...], activation [B, J] in [0, 1].
    R_ij from even parts; repeat, for the h numbers V_ij of a vote, M: R_ij *= a_i; mu_j and sigma_j^2: mean and
    variance of V_ij weighted by R_ij, with the variant's floors; cost_j = (h beta_u + sum_h ln sigma_j) sum_i R_ij; a_j
    = logistic(lambda (beta_a - cost_j)); E: R_ij = softmax_j(ln a_j + ln N(V_ij; mu_j, sigma_j^2)). All in nats; mu and
    a come out after the last M. beta_u, beta_a: [J] or one number, in the paper's letters for all variants. schedule:
    the final lambda, l, with lambda_i = l (1 - 0.95^(i+1)) at iteration i from 0, or one lambda an iteration.
    mask: [I, J] or [B, I, J] truth values, True where j is a parent of i; else all are. A child that is not there has
    activation 0.
    normalize: "all": the E-step is over all parents of a
    child; "position": over its parents of each type on their own, as released for convolutions; needs types: [J]
    integers.
    variant: "paper", "reference_code" or "balanced" (see `Variant`), or a Variant. presence: "cost": a =
    logistic(lambda (beta_a - cost)); "mass": the mixing proportion, mass over the mass of all parents (the paper's
    ablation).
    backend: "auto", "eager" or "recompute", see `backends`; the layers, which make votes themselves, know the others
    too. Routing is in float32 or better; float32 comes back under autocast, else the dtype of votes, in
    their kind and on their device.
    InputError: iterations < 1, shapes that do not fit, another choice, activations outside [0, 1], NaN or infinity (on
    the CPU). MissingDependency: "native" or "triton".
    """
    lambdas, constants = inverse_temperatures(iterations, schedule), variant_of(variant)
    check_choice(normalize, NORMALIZE, what="normalize")
    check_choice(presence, PRESENCE, what="presence")
    if not is_torch(votes):
        out = em_routing(
            tensor_on(votes, "cpu"),
            activation,
            beta_u,
            beta_a,
            iterations=iterations,
            schedule=schedule,
            normalize=normalize,
            variant=variant,
            mask=mask,
            types=types,
            presence=presence,
            backend=backend,
        )
        return like(out[0], votes), like(out[1], votes)
    shape, asked = votes.shape, floating(votes)
    if votes.ndim < 4:
        raise InputError(
            f"votes has shape {list(shape)}; it needs [B, I, J, ...] with the pose behind, [4, 4] in the paper"
        )
    mask, types = (None if x is None else tensor_on(x, votes.device) for x in (mask, types))
    flat, activation = in_one_dtype(asked.flatten(3), floating(tensor_on(activation, votes.device)))
    if activation.ndim == 1:
        raise InputError(
            f"activation has shape {list(activation.shape)}; it needs 2 axes, [B, I]: one example needs a "
            "batch axis as well, "
            "votes[None] and activation[None]"
        )
    check_shapes(votes=(flat, "B I J h"), activation=(activation, "B I"))
    check_activation(activation)
    b_u, b_a = (_beta(b, shape[2], flat, name) for b, name in ((beta_u, "beta_u"), (beta_a, "beta_a")))
    allowed = _allowed(flat, mask)
    lambdas, unit = in_shares(lambdas, constants, max(shape[1], 1) / max(shape[2], 1))
    b_a = unit * b_a
    check_types(flat, normalize, types)
    size, unable = 4 * flat.numel(), "the votes are there already; the layers make them"
    chosen = choose(backend, "em", flat, activation, b_u, b_a, unable=unable, votes=size)

    def some(votes, activation, allowed):
        over, first = _normalizer(votes, normalize, allowed, types)
        wide, a = at_least_float32(votes), at_least_float32(activation)
        return route(wide, a, b_u, b_a, first, over, lambdas, constants, presence)

    with full_precision(votes.device):
        inputs = (flat, activation, allowed)
        pose, a_out = some(*inputs) if chosen == "eager" else in_parts(some, inputs, flat[:1].numel() * 4)
    for out in (pose, a_out):
        check_outcome(out, votes=votes, activation=activation, beta_u=b_u, beta_a=b_a)
    dtype = result_dtype(asked)
    return pose.reshape(shape[0], shape[2], *shape[3:]).to(dtype), a_out.to(dtype)


def check_choice(name: str, known: tuple[str, ...], *, what: str) -> None:
    """InputError: an unknown name."""
    pick(dict.fromkeys(known), name, what=what)


def check_activation(activation: torch.Tensor) -> None:
    """InputError: activations outside [0, 1] (on the CPU, in eager mode)."""
    if activation.device.type != "cpu" or traced(activation) or not activation.numel():
        return
    low, high = (float(x) for x in activation.detach().aminmax())
    if low < 0 or high > 1:
        raise InputError(
            f"activation runs from {low:.3g} to {high:.3g}; it is a probability, within [0, 1]: pass it "
            "through a sigmoid"
        )


def check_types(votes: torch.Tensor, normalize: str, types) -> None:
    """InputError: types are needed and missing, not one for each parent, or no integers."""
    if normalize == "position" and types is None:
        raise InputError('normalize="position" needs types: the type of each of the parents, [J] integers')
    check_shapes(votes=(votes, "B I J h"), types=(types, "J"))
    if types is None or not (types.is_floating_point() or types.is_complex()):
        return
    if types.is_complex() or not bool((types == types.round()).all()):  # NaN is of no type: nobody would vote for it
        raise InputError(f"types are {str(types.tolist())[:60]}; needed: the type of each of the parents, [J] integers")


def in_parts(function: Callable, inputs: tuple, one: int) -> tuple:
    """function(*inputs) for a few examples at a time; nothing but the inputs is kept, all else is computed again
    backward.

    one: bytes of votes of one example. An input of None, or with a batch of 1 that stands for all, goes in whole.
    """
    batch = len(inputs[0])
    size = max(1, ((16 << 20) if inputs[0].device.type == "cpu" else (256 << 20)) // max(1, one))
    done = []
    for k in range(0, batch, size):
        part = (x if x is None or (len(x) == 1 and batch > 1) else x[k : k + size] for x in inputs)
        done.append(checkpoint(function, *part, use_reentrant=False, preserve_rng_state=False))
    return tuple(torch.cat(x) for x in zip(*done))


def _beta(value, parents: int, votes: torch.Tensor, name: str) -> torch.Tensor:
    dtype = torch.float64 if votes.dtype == torch.float64 else torch.float32
    beta = floating(tensor_on(value, votes.device)).to(dtype)
    if beta.ndim and tuple(beta.shape) != (parents,):
        raise InputError(
            f"{name} has shape {list(beta.shape)}; it needs one number or one for each of the {parents} parents"
        )
    return beta


def _allowed(votes: torch.Tensor, mask) -> torch.Tensor | None:
    """mask as [B or 1, I, J] of truth values, or None."""
    if mask is None:
        return None
    check_shapes(votes=(votes, "B I J h"), mask=(mask, "I J" if mask.ndim == 2 else "B I J"))
    allowed = truth_values("mask", mask)
    return allowed if mask.ndim == 3 else allowed[None]


def _normalizer(votes: torch.Tensor, normalize: str, allowed: torch.Tensor | None, types):
    """(logits [B, I, J] -> assignments, the first assignments [B or 1, I, J])."""
    _, i, j, _ = votes.shape
    dtype = torch.float64 if votes.dtype == torch.float64 else torch.float32
    floor = torch.finfo(dtype).min
    if normalize == "all" and allowed is None:
        return (lambda logits: logits.softmax(-1)), torch.full(
            (1, i, j), 1 / max(j, 1), device=votes.device, dtype=dtype
        )
    if allowed is None:
        allowed = torch.ones(1, i, j, dtype=torch.bool, device=votes.device)
    if normalize == "all":
        first = allowed / allowed.sum(-1, keepdim=True).clamp(min=1).to(dtype)
        return (lambda logits: logits.masked_fill(~allowed, floor).softmax(-1) * allowed), first
    kinds = torch.unique(types)
    of_kind = types[None, :] == kinds[:, None]  # [T, J]

    def over(logits):
        there = allowed[:, :, None, :] & of_kind  # [B or 1, I, T, J]
        return (logits[:, :, None, :].masked_fill(~there, floor).softmax(-1) * there).sum(2)

    return over, allowed.to(dtype) / len(kinds)


def route(
    votes: torch.Tensor,
    activation: torch.Tensor,
    beta_u: torch.Tensor,
    beta_a: torch.Tensor,
    first: torch.Tensor,
    over: Callable[[torch.Tensor], torch.Tensor],
    lambdas: Sequence[float],
    constants: Variant,
    presence: Presence = "cost",
    watch: Callable | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """votes: [..., I, J, h], activation: [..., I] -> mean [..., J, h], activation [..., J].

    first: assignments to begin with. over: logits [..., I, J] -> assignments. watch(r, mass, mean, variance, logit,
    votes): each iteration.
    """
    r, mean, logit = first, votes.new_zeros(()), votes.new_zeros(())
    a_out = logit
    for t, inverse_temperature in enumerate(lambdas):
        r = r * activation.unsqueeze(-1)  # M-step: R_ij a_i
        mass = r.sum(-2) + constants.mass_floor  # [..., J]
        share = r / mass.unsqueeze(-2)
        mean = (1 - constants.damping) * einsum("...IJ,...IJh->...Jh", share, votes) + constants.damping * mean
        squares = (votes - mean.unsqueeze(-3)).square()
        variance = einsum("...IJ,...IJh->...Jh", share, squares) + constants.variance_floor
        log_sigmas = 0.5 * variance.log().sum(-1)  # sum over h of ln sigma
        cost = (votes.shape[-1] * beta_u + log_sigmas) * mass
        logit = constants.logit_scale * inverse_temperature * (beta_a - cost)
        if presence == "mass":
            a_out = mass / mass.sum(-1, keepdim=True)
            log_a = a_out.log()
        else:
            a_out, log_a = logit.sigmoid(), logsigmoid(logit)
        if watch is not None:
            watch(r, mass, mean, variance, logit, votes)
        if t < len(lambdas) - 1:  # E-step; (h/2) ln 2 pi is the same for every parent
            log_p = -0.5 * einsum("...IJh,...Jh->...IJ", squares, 1 / variance) - log_sigmas.unsqueeze(-2)
            r = over(log_a.unsqueeze(-2) + log_p)
    return mean, a_out


def prefer(batch: int, children: int) -> bool:
    """Whether EM is faster in the eager form on a CPU. children: those of one window.

    The compiled kernel takes 16 examples in the time of one, and as long for a parent itself as for eight votes
    (measured on one core, forward and backward, windows of 1 to 576 children, batches of 1 to 16).
    """
    return (batch - 1) * children < 8
