"""EM routing by the compiled kernel: votes live in the processor's cache and are made again, what is kept is
assignments.

Source: Hinton, Sabour & Frosst 2018, Procedure 1, in the paper's variant and the released one. Saved for the backward
pass: assignments of the iterations after the first (a sixteenth of the votes), means, variances and masses of parents.
Two ablations of the paper run here too: poses as vectors of 16 numbers, and mixing proportions for activations.
Trap: examples go through 16 at a time, so that a batch of 1 costs as much as one of 16; threads share out these
sixteens.
"""

import ctypes
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch

from deeptheory.capsules.native.building import library
from deeptheory.capsules.native.dynamic import pointers
from deeptheory.capsules.routing.recomputed import asks_for_more, differentiable
from deeptheory.capsules.routing.variants import Variant

LANES = 16
_POINTER = ctypes.c_void_p


@dataclass(frozen=True, eq=False)
class Geometry:
    """Who hears whom. at: [P, KK] child position; windows: [HW, M] p * KK + k or -1; first: [P, KK] the first
    assignment;
    together: parents of all types compete for a child, or each type on its own."""

    at: torch.Tensor
    windows: torch.Tensor
    first: torch.Tensor
    together: bool


class _Layer(ctypes.Structure):
    _fields_ = [
        *((name, _POINTER) for name in ("pose", "a", "at", "w", "where", "first", "beta_u", "beta_a")),
        *((name, ctypes.c_long) for name in ("P", "KK", "T", "J", "full", "shares")),
        *((name, ctypes.c_float) for name in ("lam", "damping", "variance_floor", "mass_floor")),
    ]


class _Iteration(ctypes.Structure):
    _fields_ = [(name, _POINTER) for name in ("r", "gl", "mean", "var", "coef")]


def route(
    pose,
    activation,
    weight,
    beta_u,
    beta_a,
    where,
    geometry: Geometry,
    lambdas: tuple[float, ...],
    constants: Variant,
    presence: str,
    eager: Callable,
):
    """pose: [B, HW, T, 16], activation: [B, HW, T], weight: [KK * T, J, 4, 4] or [KK * T, J, 16, 16], where: [KK * T,
    16] or None, betas: [J].

    presence: "cost" or "mass", see `routing.em`. -> mean [B, P, J, 16], activation [B, P, J]; all float32 on the CPU.
    `where` has no gradient.
    eager: the same of the first five arguments, by operations that autograd sees.
    """
    where = None if where is None else where.float().contiguous()
    inputs = (pose, activation, weight, beta_u, beta_a)
    return _Routing.apply(*(x.float() for x in inputs), (where, geometry, lambdas, constants, presence), eager)


class _Routing(torch.autograd.Function):
    @staticmethod
    def forward(ctx, pose, activation, weight, beta_u, beta_a, rest, eager):
        inputs = (pose, activation, weight, beta_u, beta_a)
        pose, activation, *learnt = (x.detach() for x in inputs)  # threads of their own would record a graph
        learnt = (learnt[0].transpose(0, 1).contiguous(), *learnt[1:])

        def one(part):
            p, a = part
            some = _Some(p, a, learnt, rest)
            kept = some.forward()
            last = kept[-1]
            return (
                some.back(last["mean"]),
                some.back(some.activation(last["logit"])),
                kept if any(ctx.needs_input_grad) else [],
            )

        done = _each(one, list(zip(pose.split(LANES), activation.split(LANES))))
        ctx.rest, ctx.eager = rest, eager
        ctx.save_for_backward(*inputs, *(x for d in done for k in d[2] for x in k.values()))
        return torch.cat([d[0] for d in done]), torch.cat([d[1] for d in done])

    @staticmethod
    def backward(ctx, *gradients):  # type: ignore[override]  # pyright knows it with one name for each
        inputs, flat = ctx.saved_tensors[:5], ctx.saved_tensors[5:]
        if asks_for_more(gradients):
            return *differentiable(ctx.eager, inputs, ctx.needs_input_grad[:5], gradients), None, None
        pose, activation, *learnt = (x.detach() for x in inputs)
        learnt = (learnt[0].transpose(0, 1).contiguous(), *learnt[1:])
        kept = _unflatten(flat, len(ctx.rest[2]))

        def one(part):
            p, a, g_mean, g_activation, own = part
            return _Some(p, a, learnt, ctx.rest).backward(own, g_mean, g_activation)

        split = (x.split(LANES) for x in (pose, activation, *gradients))
        done = _each(one, list(zip(*split, kept)))
        g_weight, g_u, g_a = (torch.stack([d[k] for d in done]).sum(0) for k in (2, 3, 4))
        g_weight = g_weight.view_as(learnt[0]).transpose(0, 1)
        return torch.cat([d[0] for d in done]), torch.cat([d[1] for d in done]), g_weight, g_u, g_a, None, None


_NAMES = ("r", "mean", "var", "mass", "logit")


def _unflatten(flat, iterations):
    """The saved tensors of each sixteen, by iteration and name; the first iteration has no r."""
    each = len(_NAMES) * iterations - 1
    out = []
    for k in range(0, len(flat), each):
        own = [None, *flat[k : k + each]]
        out.append([dict(zip(_NAMES, own[t : t + len(_NAMES)])) for t in range(0, len(own), len(_NAMES))])
    return out


def _each(one, parts):
    threads = min(torch.get_num_threads(), len(parts))
    if threads <= 1:
        return [one(part) for part in parts]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, parts))


class _Some:
    """Up to 16 examples, all iterations. Arrays are those of em.c, the examples last."""

    def __init__(self, pose, activation, learnt, rest):
        kernel = library("em")
        assert isinstance(kernel, ctypes.CDLL)  # backends.py asked before
        turned, beta_u, beta_a = learnt
        where, geometry, lambdas, constants, presence = rest
        self.shares = presence == "mass"
        self.kernel, self.geometry = kernel, geometry
        self.batch, (self.positions, self.types) = len(pose), pose.shape[1:3]
        self.windows, self.kk = geometry.at.shape
        self.parents, self.children = turned.shape[:2]
        self.inputs = (
            _turned(pose),
            _turned(activation),
            geometry.at,
            turned,
            where,
            geometry.first,
            beta_u.contiguous(),
            beta_a.contiguous(),
        )
        self.weights = turned.shape[2:].numel()
        sizes = (self.windows, self.kk, self.types, self.parents, self.weights == 256, self.shares)
        floors = (constants.damping, constants.variance_floor, constants.mass_floor)
        self.layers = [_Layer(*pointers(*self.inputs), *sizes, constants.logit_scale * x, *floors) for x in lambdas]
        self.work = self._empty(self.children * 33)

    def forward(self):
        """What each iteration leaves: r (not the first), mean, var, mass, logit."""
        kept, r, before = [], None, None
        for t, layer in enumerate(self.layers):
            own = {
                "mean": self._parents(16),
                "var": self._parents(16),
                "mass": self._parents(),
                "logit": self._parents(),
            }
            out = self._assignments() if t < len(self.layers) - 1 else None
            self.kernel.em_iterate(
                ctypes.byref(layer),
                *map(_address, (r, before, own["mean"], own["var"], own["mass"], own["logit"], out, self.work)),
            )
            kept.append(own if r is None else {"r": r, **own})
            if out is not None:
                self._assign(None, out)
            r, before = out, own["mean"]
        return kept

    def backward(self, kept, g_mean, g_activation):
        """Gradients of pose, activation, weight [J, N, 16 or 256], beta_u, beta_a."""
        a = self.activation(kept[-1]["logit"])
        g_logit = self.there(g_activation) * (a if self.shares else a * (1 - a))
        g_m = self.there(g_mean)
        g_a, g_u, g_b = torch.zeros_like(self.inputs[1]), self._zeros(self.parents), self._zeros(self.parents)
        g_l, terms = None, []
        for t in reversed(range(len(kept))):
            own, before = kept[t], kept[t - 1]["mean"] if t else None
            coef = self._parents(2, 16)
            g_r = self._assignments() if t else None
            arrays = (
                own["r"],
                before,
                own["mean"],
                own["var"],
                own["mass"],
                own["logit"],
                g_l,
                g_m,
                g_logit,
                coef,
                g_r,
                g_a,
                g_u,
                g_b,
                self.work,
            )
            self.kernel.em_iterate_back(ctypes.byref(self.layers[t]), *map(_address, arrays))
            terms.append((own["r"], g_l, own["mean"], own["var"], coef))
            if g_r is not None:
                self._assign(own["r"], g_r)
            g_l, g_logit = g_r, None
        g_pose = torch.zeros_like(self.inputs[0])
        g_weight = self.inputs[3].new_zeros(self.parents, self.children, self.weights)
        table = (_Iteration * len(terms))(*(_Iteration(*pointers(*term)) for term in terms))
        self.kernel.em_finish(
            ctypes.byref(self.layers[0]),
            ctypes.c_long(len(terms)),
            table,
            *map(_address, (g_pose, g_weight, self.work)),
        )
        return self.back(g_pose), self.back(g_a), g_weight, g_u.sum(1), g_b.sum(1)

    def activation(self, logit):
        return logit.exp() if self.shares else logit.sigmoid()

    def _assign(self, r, x):
        m = self.geometry.windows.shape[1]
        sizes = (
            ctypes.c_long(self.positions),
            ctypes.c_long(m),
            _address(self.geometry.windows),
            ctypes.c_long(self.geometry.together),
        )
        self.kernel.em_assign(ctypes.byref(self.layers[0]), *sizes, *map(_address, (r, x)))

    def _empty(self, *sizes):
        return self.inputs[0].new_empty(*sizes, LANES)

    def _zeros(self, *sizes):
        return self.inputs[0].new_zeros(*sizes, LANES)

    def _parents(self, *more):
        return self._empty(self.windows, self.parents, *more)

    def _assignments(self):
        return self._empty(self.windows, self.children, self.parents)

    def there(self, x):
        return _turned(x.float())

    def back(self, x):
        return x[..., : self.batch].movedim(-1, 0).contiguous()


def _turned(x):
    """[b, ...] -> [..., 16], zeros behind the last example."""
    out = x.new_zeros(*x.shape[1:], LANES)
    out[..., : len(x)] = x.movedim(0, -1)
    return out


def _address(x):
    return pointers(x)[0]
