"""Dynamic routing without keeping votes: forward and backward as passes over all children, written by hand.

Source: Sabour, Frosst & Hinton 2017, procedure 1, and three identities. The first iteration is uniform. Logits are
votes . A, with A the sum of the earlier outputs, so that nothing of their size is carried along. The gradient of the
votes is a sum of 2 r - 1 outer products (coupling by gradient of s, gradient of logits by A), which goes straight into
those of u and the weights.
A pass is what a backend brings: `TorchPasses` here, compiled ones in `native`. Saved: u, the weights, sums [r, B, J,
q].
Pitfall: a backward pass written by hand is not differentiable itself. Where autograd asks for a graph of it
(create_graph), the
eager form is differentiated instead: once_differentiable gave Hessians of zeros and an outer gradient of MAML off by
half.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import einsum

from deeptheory.capsules.routing.checks import full_precision
from deeptheory.capsules.squashing import at_least_float32, squash, squash_backward
from deeptheory.capsules.tracing import traced

Terms = list[tuple[Any, torch.Tensor]]  # (a factor that only its passes can read, side [B, J, q])


class Passes(Protocol):
    """Passes over the children of some examples. a, g, the results: [B, J, q]."""

    def uniform(self) -> torch.Tensor:
        """Sum over children of first coupling times vote."""
        ...

    def routed(self, a: torch.Tensor | None) -> torch.Tensor:
        """Sum over children of coupling times vote; logits are votes . a (none: 0), plus the prior."""
        ...

    def coupled(self, a: torch.Tensor | None, g: torch.Tensor) -> tuple[Any, Any, torch.Tensor]:
        """coupling, gradient of logits where g is that of the sum; and the gradient of a."""
        ...

    def of_prior(self, gb: Any) -> torch.Tensor:
        """A gradient of logits, summed over examples: [I, J]."""
        ...

    def finish(self, terms: Terms, even: torch.Tensor | None, gw: torch.Tensor) -> torch.Tensor:
        """Gradient of u from that of the votes, sum of factor by side, plus first coupling by `even`; that of
        weights is added to gw.
        """
        ...


class WholePasses(Passes, Protocol):
    """Passes that may be able to do all iterations in one call; sums are then what they like."""

    alone: bool

    def forward(self, iterations: int, bias: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """v [B, J, q] after all iterations, and the sums that backward asks for."""
        ...

    def backward(
        self, sums: torch.Tensor, gradient: torch.Tensor, with_bias: bool, detach: bool, gw: torch.Tensor
    ) -> tuple:
        """Gradients of u, bias and prior; that of weights is added to gw."""
        ...


class Maker(Protocol):
    """Makes the passes: a backend's class, or an object that knows a layer's windows."""

    def __call__(self, u: torch.Tensor, weight: torch.Tensor, leaky: bool, prior: torch.Tensor | None) -> Passes:
        """The passes of some examples."""
        ...

    def examples(self, weight: torch.Tensor, iterations: int) -> int:
        """How many examples at a time."""
        ...


def route(
    passes: Maker, eager: Callable, u, weight, iterations, bias=None, leaky=False, prior=None, detach=False
) -> torch.Tensor:
    """From u: [B, I, p] (or what the passes read) and weight: [I, J, q, p] -> v: [B, J, q], float32 or better.

    eager(u, weight, bias, prior): the same by operations that autograd sees.
    """
    return _Routing.apply(u, weight, bias, prior, (passes, iterations, leaky, detach, eager))


class _Routing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, u, weight, bias, prior, settings):
        maker, iterations, leaky, *_ = settings
        every = [maker(part, weight, leaky, prior) for part in u.split(maker.examples(weight, iterations))]
        done = [
            p.forward(iterations, bias) if getattr(p, "alone", False) else _forward(p, iterations, bias, prior)
            for p in every
        ]
        ctx.settings, ctx.sizes = settings, [len(v) for v, _ in done]
        ctx.alone = [getattr(p, "alone", False) for p in every]
        ctx.save_for_backward(u, weight, bias, prior, *(sums for _, sums in done))
        return done[0][0] if len(done) == 1 else torch.cat([v for v, _ in done])

    @staticmethod
    def backward(ctx, *gradients):  # type: ignore[override]  # pyright knows it with one name for each
        u, weight, bias, prior, *sums = ctx.saved_tensors
        maker, _, leaky, detach, eager = ctx.settings
        if asks_for_more(gradients):
            return *differentiable(eager, (u, weight, bias, prior), ctx.needs_input_grad[:4], gradients), None
        gw = torch.zeros(weight.shape, dtype=sums[0].dtype, device=u.device)
        done = []
        for part, g, s, alone in zip(u.split(ctx.sizes), gradients[0].split(ctx.sizes), sums, ctx.alone):
            passes = maker(part, weight, leaky, prior)
            if alone:
                done.append(passes.backward(s, g.to(s), bias is not None, detach, gw))  # type: ignore[attr-defined]
            else:
                done.append(_backward(passes, s, g.to(s), prior is not None, detach, gw))
        gu, g_bias, g_prior = (list(x) for x in zip(*done))
        gu = gu[0] if len(gu) == 1 else torch.cat(gu)
        g_bias = None if bias is None else torch.stack(g_bias).sum(0).to(bias.dtype)
        g_prior = None if prior is None else torch.stack(g_prior).sum(0).to(prior.dtype)
        return gu.to(u.dtype), gw.to(weight.dtype), g_bias, g_prior, None


def asks_for_more(gradients: Sequence) -> bool:
    """Whether a graph of the gradients is asked for, or many at once (is_grads_batched): what is written by hand
    gives neither.
    """
    return torch.is_grad_enabled() or traced(*gradients)


def differentiable(form: Callable, inputs: Sequence, wanted: Sequence[bool], gradients: Sequence) -> list:
    """Gradients of form(*inputs), with a graph of their own; None where none is wanted.

    Of views: where one input was computed from another (weights from u), autograd.grad would go on through it and count
    that twice.
    """
    with torch.enable_grad(), full_precision(inputs[0].device):
        views: list[Any] = [None if x is None else x.view_as(x) for x in inputs]
        out = form(*views)
    out = out if isinstance(out, tuple) else (out,)
    asked = [x for x, w in zip(views, wanted) if w]
    given = [g.to(o.dtype) for g, o in zip(gradients, out)]
    found = iter(torch.autograd.grad(out, asked, given, create_graph=True, allow_unused=True))
    return [next(found) if w else None for w in wanted]


def _forward(passes: Passes, iterations, bias, prior):
    """v: [B, J, q], and the sums before each squash: [r, B, J, q]."""
    sums: list[torch.Tensor] = []
    v, a = torch.empty(0), None
    for _ in range(iterations):
        s = passes.uniform() if a is None and prior is None else passes.routed(a)
        sums.append(s if bias is None else s + bias)
        v = squash(sums[-1])
        a = v if a is None else a + v
    return v, torch.stack(sums)


def _backward(passes: Passes, sums, gradient, with_prior, detach, gw):
    """Gradients of u, bias [J, q] and prior [I, J] (0 if there is none)."""
    v = squash(sums)
    before = v.cumsum(0) - v  # A of each iteration
    terms: Terms = []
    g_bias: Any = 0
    g_prior: Any = 0
    even, flowing = None, torch.zeros_like(gradient)
    for t in reversed(range(len(sums))):
        g_s = squash_backward(sums[t], gradient if t == len(sums) - 1 else flowing)
        g_bias = g_bias + g_s.sum(0)
        if t == 0 and not with_prior:
            even = g_s
            break
        coupling, gb, g_a = passes.coupled(before[t] if t else None, g_s)
        terms.append((coupling, g_s))
        if with_prior:
            g_prior = g_prior + passes.of_prior(gb)
        if detach:
            break
        if t:
            terms.append((gb, before[t]))
            flowing = flowing + g_a
    return passes.finish(terms, even, gw), g_bias, g_prior


class TorchPasses:
    """Passes by torch, with the votes of a few examples at hand: as many as fit the cache of a CPU, or 256 MB of a
    GPU.
    """

    @staticmethod
    def examples(weight, iterations):
        """How many examples at a time."""
        one = weight[..., 0].numel() * max(4, weight.element_size())
        return max(1, ((4 << 20) if weight.device.type == "cpu" else (256 << 20)) // one)

    def __init__(self, u, weight, leaky, prior):
        i, j, q, p = weight.shape
        self.u, self.weight, self.leaky, self.shares = u, weight, leaky, j + leaky
        self.prior = 0 if prior is None else at_least_float32(prior)
        votes = torch.bmm(u.transpose(0, 1), weight.reshape(i, j * q, p).transpose(1, 2))  # [I, B, J q]
        self.v = at_least_float32(votes).transpose(0, 1).unflatten(2, (j, q))

    def uniform(self):
        """See Passes."""
        return self.v.sum(1) / self.shares

    def routed(self, a):
        """See Passes."""
        return einsum("BIJ,BIJq->BJq", self._coupling(a), self.v)

    def coupled(self, a, g):
        """See Passes."""
        coupling = self._coupling(a)
        gc = einsum("BIJq,BJq->BIJ", self.v, g)
        gb = coupling * (gc - (coupling * gc).sum(-1, keepdim=True))
        return coupling, gb, einsum("BIJ,BIJq->BJq", gb, self.v)

    def of_prior(self, gb):
        """See Passes."""
        return gb.sum(0)

    def finish(self, terms, even, gw):
        """See Passes."""
        gv = (
            torch.zeros_like(self.v) if even is None else (even / self.shares)[:, None].repeat(1, self.v.shape[1], 1, 1)
        )
        for factor, side in terms:
            gv.addcmul_(factor[..., None], side[:, None])
        gv = gv.flatten(2).transpose(0, 1)  # [I, B, J q]
        wide, w = at_least_float32(self.u).transpose(0, 1), at_least_float32(self.weight).flatten(1, 2)
        gw += torch.bmm(gv.transpose(1, 2), wide).unflatten(1, gw.shape[1:3])
        return torch.bmm(gv, w).transpose(0, 1)

    def _coupling(self, a):
        if a is None:
            logits = self.v.new_zeros(self.v.shape[:3]) + self.prior
        else:
            logits = einsum("BIJq,BJq->BIJ", self.v, a) + self.prior
        if not self.leaky:
            return logits.softmax(-1)
        return torch.nn.functional.pad(logits, (1, 0)).softmax(-1)[..., 1:]
