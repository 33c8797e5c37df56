"""EM routing: which parent explains each capsule's vote, and how tightly do its votes agree?

Source: Hinton, Sabour & Frosst 2018, procedure 1, and the authors' released code (variant "released"). Letters: n batch,
L places of parents, E children heard at a place, J parents at a place, H entries of a pose (16).
Trap: the E-step's softmax runs over all parents of a child, at every place that hears it; soften each place by itself
and the children's activations cancel. All in logarithms: with 16 entries the Gaussian's peak reaches 1e20.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, einsum
from torch.nn.functional import logsigmoid

from deeptheory.arrays import as_tensor, like
from deeptheory.capsules.routing.checks import check_iterations, check_result, routing_precision
from deeptheory.errors import InputError
from deeptheory.names import pick
from deeptheory.shapes import check_shapes


class Matrices(NamedTuple):
    """Matrix capsules: pose [..., 4, 4] and activation [...] in (0, 1)."""

    pose: Tensor
    activation: Tensor


def inverse_temperature(iterations: int, final: float = 0.01) -> tuple[float, ...]:
    """lambda_i = final (1 - 0.95^(i+1)), i = 0..iterations-1 (the authors on OpenReview and in the released code)."""
    return tuple(final * (1 - 0.95 ** (i + 1)) for i in range(iterations))


@dataclass(frozen=True)
class Rule:
    """How a variant takes the M-step.

    damping: share of the previous mean that is kept. The logit of a parent is lambda times
    mass (entropy . sum_h ln variance + 16-fold b_u term) + b_a term, written out in `m_step`.
    """

    released: bool = False
    variance_floor: float = 5e-4  # added to the variance; in the released code, and needed where one child votes
    mass_floor: float = 1e-7

    @property
    def damping(self) -> float:
        return 0.1 if self.released else 0.0


VARIANTS = {"paper": Rule(), "released": Rule(released=True)}
NORMALIZE = {"all": True, "position": False}  # whether parents of different types compete for a child


class State(NamedTuple):
    """After an M-step. mean, variance: [n, L, J, H]; logit, mass: [n, L, J]."""

    mean: Tensor
    variance: Tensor
    logit: Tensor
    mass: Tensor


def em_routing(
    votes,
    activation,
    beta_u,
    beta_a,
    iterations: int = 3,
    *,
    schedule: Callable[[int], Sequence[float]] | Sequence[float] = inverse_temperature,
    normalize: str = "all",
    variant: str = "paper",
    mask=None,
    types=None,
) -> Matrices:
    """Parents' poses and activations by EM routing (Hinton, Sabour & Frosst 2018, procedure 1).

    votes: [B, I, J, 4, 4] (any two last axes). activation: [B, I] in [0, 1]. beta_u, beta_a: [J] or [].
    -> (pose [B, J, 4, 4], activation [B, J]), in the kind of votes, computed in float32 (float64 stays).
    iterations: number of M-steps. schedule: lambda of each iteration, or a function of their number that gives them.
    normalize: "all": a child divides itself among all of its parents. "position": parents compete within their type
    only, and start from 1/types (what the released code does in its convolutional layers; needs types).
    variant: "paper": logit = lambda (beta_a - mass sum_h (beta_u + ln sigma_h)). "released": logit = lambda (mass (-sum_h
    ln sigma_h^2 - 16 beta_u (ln 2 pi + 1)) - 5000 beta_a), and the mean keeps a tenth of the previous one (0 at first).
    Both add 5e-4 to the variance and hold the mass at 1e-7 or more.
    mask: [I, J], true where child i votes for parent j; None: everywhere. types: [J], the type of each parent.
    InputError: iterations < 1, shapes that do not fit, a schedule of another length, non-finite input, unknown names.
    """
    reference = votes
    votes, activation, beta_u, beta_a = (as_tensor(x) for x in (votes, activation, beta_u, beta_a))
    check_iterations(iterations)
    lambdas = lambdas_of(schedule, iterations)
    across, rule = pick(NORMALIZE, normalize, what="normalize"), pick(VARIANTS, variant, what="variant")
    mask, types = None if mask is None else as_tensor(mask), None if types is None else as_tensor(types)
    if not torch.compiler.is_compiling():
        check_shapes(votes=(votes, "B I J P Q"), activation=(activation, "B I"), mask=(mask, "I J"), types=(types, "J"))
        check_betas(beta_u, beta_a, votes.shape[2])
        if not across and types is None:
            raise InputError("normalize='position' lets parents compete within their type; give types, one label a parent")
    dtype = torch.promote_types(votes.dtype, beta_u.dtype)
    with routing_precision(votes, activation, beta_u, beta_a) as (v, a, bu, ba):
        compete = _dense_competition(v.shape[1], v.shape[2], mask, None if across else types, v)
        state = em(v.flatten(3).unsqueeze(1), a.unsqueeze(1), bu, ba, lambdas, rule, compete)
        pose, out = state.mean.squeeze(1).unflatten(-1, votes.shape[3:]), state.logit.squeeze(1).sigmoid()
    check_result(pose, votes=votes, activation=activation, beta_u=beta_u, beta_a=beta_a)
    return Matrices(like(pose.to(dtype), reference), like(out.to(dtype), reference))


def lambdas_of(schedule, iterations: int) -> tuple[float, ...]:
    """The inverse temperatures, one an iteration. InputError: another number of them."""
    lambdas = tuple(schedule(iterations) if callable(schedule) else schedule)
    if len(lambdas) != iterations:
        raise InputError(f"schedule gives {len(lambdas)} values for {iterations} iterations; give one an iteration")
    return lambdas


def check_betas(beta_u: Tensor, beta_a: Tensor, parents: int) -> None:
    """InputError: neither one number nor one a parent type."""
    for name, beta in (("beta_u", beta_u), ("beta_a", beta_a)):
        if beta.numel() != 1 and tuple(beta.shape) != (parents,):
            raise InputError(f"{name} has shape {list(beta.shape)}; it is one number or one a parent, [{parents}]")


Competition = Callable[[Tensor | None], Tensor]  # ln a + ln p [n, L, E, J] (None: the start) -> assignments R


def em(votes, activation, beta_u, beta_a, lambdas: Sequence[float], rule: Rule, compete: Competition) -> State:
    """The iterations. votes: [n, L, E, J, H]; activation: [n, L, E]."""
    state = None
    for k, inverse in enumerate(lambdas):
        assignment = compete(None) if state is None else compete(log_joint(votes, state))
        state = m_step(votes, assignment * activation.unsqueeze(-1), beta_u, beta_a, inverse, rule, state)
    assert state is not None
    return state


def m_step(votes, weight, beta_u, beta_a, inverse: float, rule: Rule, before: State | None) -> State:
    """Mean, variance and activation of every parent. weight: R a, [n, L, E, J], or without n at the start."""
    weight = weight.expand(votes.shape[:4])
    mass = weight.sum(2)
    share = weight / mass.clamp_min(rule.mass_floor).unsqueeze(2)
    mean = (share.unsqueeze(-1) * votes).sum(2)
    if rule.released:
        mean = (1 - rule.damping) * mean + (0 if before is None else rule.damping * before.mean)
    variance = (share.unsqueeze(-1) * (votes - mean.unsqueeze(2)).square()).sum(2) + rule.variance_floor
    log_variance = variance.log().sum(-1)
    entries = votes.shape[-1]
    if rule.released:
        logit = inverse * (mass * (-log_variance - beta_u * (entries * (math.log(2 * math.pi) + 1))) - 5000 * beta_a)
    else:
        logit = inverse * (beta_a - mass * (entries * beta_u + log_variance / 2))
    return State(mean, variance, logit, mass)


def log_joint(votes: Tensor, state: State) -> Tensor:
    """ln a_j + ln p_ij: [n, L, E, J]; the constant 2 pi cancels between parents and is left out."""
    distance = ((votes - state.mean.unsqueeze(2)).square() / state.variance.unsqueeze(2)).sum(-1)
    return (logsigmoid(state.logit) - state.variance.log().sum(-1) / 2).unsqueeze(2) - distance / 2


def _dense_competition(children: int, parents: int, mask, types, votes: Tensor) -> Competition:
    """Every child against all parents, or against those that the mask leaves it, or against those of its type."""
    groups = [torch.arange(parents, device=votes.device)]
    if types is not None:
        groups = [(types == t).nonzero().squeeze(-1) for t in types.unique()]
    if mask is None and len(groups) == 1:
        start = votes.new_full((1, 1, children, parents), 1 / parents)
        return lambda joint: start if joint is None else joint.softmax(-1)
    heard = torch.ones(children, parents, dtype=torch.bool, device=votes.device) if mask is None else mask.bool()
    if types is None:
        start = heard / heard.sum(1, keepdim=True).clamp_min(1)
    else:
        start = heard / float(len(groups))  # a softmax over types, as the released code starts
    start = start.to(votes.dtype)[None, None]

    def compete(joint: Tensor | None) -> Tensor:
        if joint is None:
            return start
        out = torch.zeros_like(joint)
        for columns in groups:
            open_ = heard[:, columns]
            low = torch.finfo(joint.dtype).min
            inner = joint[..., columns].masked_fill(~open_, low).softmax(-1)
            out = out.index_copy(-1, columns, inner.masked_fill(~open_, 0.0))  # a child without parents sends nothing
        return out

    return compete


def matrix_votes(pose: Tensor, weight: Tensor) -> Tensor:
    """Votes M_i W_ij: pose [..., E, 4, 4], weight [E, J, 4, 4] -> [..., E, J, 4, 4]."""
    return einsum("...Exy,EJyz->...EJxz", pose, weight)
