"""The bounds that a critic f gives, each as a formula of the scores of all pairs in a batch. Nats.

scores [S, B, B]: f(x_i, y_j); the pairs i = j come from p(x, y), the others from p(x) p(y). others [S, B, B] (or
[B, B]): which are the others, so that rows that belong together can be left out.

infonce (van den Oord, Li & Vinyals 2018; Poole et al. 2019)
  trained and measured: mean_i f_ii - log mean_j e^f_ij, the mean with j = i. Lower bound, at most log B.
nwj (Nguyen, Wainwright & Jordan 2010; f here is theirs less 1)
  trained and measured: 1 + mean f_ii - mean e^f_ij. Lower bound. For it and dv, what is measured is f less a constant
  found on other rows, and cut at the log of their number: any function is a critic, and this one has no few pairs
  that decide the mean of e^f.
dv (Donsker & Varadhan 1983; Belghazi et al. 2018, "MINE")
  trained: the gradient of mean f_ii - log mean e^f_ij with a running mean in its denominator. Measured: that
  expression; a lower bound in the limit of many rows, since the logarithm of a mean is biased upwards.
smile (Song & Ermon 2020)
  trained: -mean softplus(-f_ii) - mean softplus(f_ij), Jensen-Shannon (Nowozin, Cseke & Tomioka 2016). Measured: as
  dv, with f cut to [-clip, clip] in the second term. No bound.

influence [S, B]: what each row adds to the value at first order, through its own pair and through those it makes with
others; its mean square over B is the value's variance.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

_MEMORY = 0.99  # of the running mean of dv, per step


@dataclass(frozen=True)
class Held:
    """value [S] in nats and influence [S, B] of rows never trained on; jensen [S]: by how much the logarithm of a mean
    is biased upwards at second order, in nats."""

    value: Tensor
    influence: Tensor
    jensen: Tensor


Objective = Callable[[Tensor, Tensor, dict[str, Any]], Tensor]  # scores, others, memory -> [S]


@dataclass(frozen=True)
class Bound:
    """One entry of the list: what is maximized, what is measured (scores, others, clip), whether f is first centered
    by a constant found on other rows, and cut where they bear no more out."""

    objective: Objective
    held: Callable[[Tensor, Tensor, float], Held]
    centered: bool
    lower: bool


def _own(scores: Tensor) -> Tensor:
    return scores.diagonal(dim1=1, dim2=2)


def log_mean_exp(scores: Tensor, others: Tensor) -> Tensor:
    """log of the mean of e^f over the others, [S]."""
    shown = scores.masked_fill(~others, -torch.inf).flatten(1)
    return shown.logsumexp(1) - others.expand_as(scores).flatten(1).sum(1).to(scores).log()


def _with_own(others: Tensor) -> Tensor:
    return others | torch.eye(others.shape[-1], dtype=torch.bool, device=others.device)


def _infonce_rows(scores: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """f_ii - log mean_j e^f_ij by row, [S, B], and each pair's part of that mean, [S, B, B]."""
    seen = _with_own(others)
    shown = scores.masked_fill(~seen, -torch.inf)
    total = shown.logsumexp(2)
    number = seen.expand_as(scores).sum(2).to(scores)
    return _own(scores) - total + number.log(), (shown - total.unsqueeze(2)).exp()


def _infonce(scores: Tensor, others: Tensor, memory: dict[str, Any]) -> Tensor:
    return _infonce_rows(scores, others)[0].mean(1)


def _infonce_held(scores: Tensor, others: Tensor, clip: float) -> Held:
    row, part = _infonce_rows(scores, others)
    value = row.mean(1)
    influence = row - value.unsqueeze(1) - (part.sum(1) - 1)
    return Held(value, influence, torch.zeros_like(value))


def _nwj(scores: Tensor, others: Tensor, memory: dict[str, Any]) -> Tensor:
    return 1 + _own(scores).mean(1) - log_mean_exp(scores, others).exp()


def _nwj_held(scores: Tensor, others: Tensor, clip: float) -> Held:
    mean, around = _mean_exp(scores, others)
    own = _own(scores)
    value = 1 + own.mean(1) - mean
    return Held(value, own - own.mean(1, keepdim=True) - mean.unsqueeze(1) * around, torch.zeros_like(value))


def _dv(scores: Tensor, others: Tensor, memory: dict[str, Any]) -> Tensor:
    """Its value is not that of the bound; its gradient is MINE's."""
    here = log_mean_exp(scores, others)
    now = here.detach()
    old = memory.get("log_mean", now)
    new = torch.logaddexp(old + _log(_MEMORY), now + _log(1 - _MEMORY)) if "log_mean" in memory else now
    memory["log_mean"] = new
    return _own(scores).mean(1) - (here - new).exp()


def _dv_held(scores: Tensor, others: Tensor, clip: float) -> Held:
    return _log_ratio(scores, scores, others)


def _js(scores: Tensor, others: Tensor, memory: dict[str, Any]) -> Tensor:
    far = F.softplus(scores).masked_fill(~others, 0.0).flatten(1).sum(1)
    return -F.softplus(-_own(scores)).mean(1) - far / others.expand_as(scores).flatten(1).sum(1)


def _smile_held(scores: Tensor, others: Tensor, clip: float) -> Held:
    return _log_ratio(scores, scores.clamp(-clip, clip), others)


def _log_ratio(scores: Tensor, shown: Tensor, others: Tensor) -> Held:
    """mean f_ii - log mean e^f_ij, the second f as it is shown."""
    own = _own(scores)
    _, around = _mean_exp(shown, others)
    value = own.mean(1) - log_mean_exp(shown, others)
    jensen = around.square().mean(1) / (2 * around.shape[1])
    return Held(value, own - own.mean(1, keepdim=True) - around, jensen)


def _mean_exp(scores: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
    """M, the mean of e^f over the others [S], and by row (r_k + c_k) / M - 2 [S, B]: r, c its means as x and as y."""
    log_mean = log_mean_exp(scores, others)
    part = (scores - log_mean[:, None, None]).exp().masked_fill(~others, 0.0)
    seen = others.expand_as(scores).to(scores)
    share = seen.flatten(1).sum(1) / seen.shape[1]  # others per row
    as_x, as_y = part.sum(2) / share.unsqueeze(1), part.sum(1) / share.unsqueeze(1)
    return log_mean.exp(), as_x + as_y - 2


def _log(a: float) -> float:
    return float(torch.tensor(a, dtype=torch.float64).log())


BOUNDS: dict[str, Bound] = {
    "infonce": Bound(_infonce, _infonce_held, centered=False, lower=True),
    "nwj": Bound(_nwj, _nwj_held, centered=True, lower=True),
    "dv": Bound(_dv, _dv_held, centered=True, lower=True),
    "smile": Bound(_js, _smile_held, centered=False, lower=False),
}
