"""Dynamic routing that keeps no votes: the batch in chunks, votes made again in backward.

Three identities carry it. Iteration 1 without a prior is uniform, so its sum is one matrix product of u and W. The
logits of iteration t are the votes against A_t, the sum of the earlier v. The gradient of the votes is a sum of 2r-1
outer products, c_t (x) gs_t and gb_t (x) A_t, and goes straight into those of W and u.
Layout: votes as [I, n, J, q], as the batched product over children gives them.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

CHUNK_BYTES = 6 << 20  # of votes; a few samples of the paper's layer, so that a chunk stays in the cache


class LeanDynamic(torch.autograd.Function):
    """v = dynamic routing of u and weight; saves its inputs, and 2r arrays of the size of v."""

    @staticmethod
    def forward(ctx, u, weight, bias, prior, iterations, leaky, detach):
        s, v = [], []
        for part in _chunks(u, weight):
            s_part, v_part = _forward(u[part], weight, bias, prior, iterations, leaky)
            s.append(s_part)
            v.append(v_part)
        s, v = torch.cat(s, 1), torch.cat(v, 1)  # [r, B, J, q]
        ctx.save_for_backward(u, weight, bias, prior, s, v)
        ctx.settings = leaky, detach
        return v[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(ctx, *gradients):
        (gv,) = gradients
        u, weight, bias, prior, s, v = ctx.saved_tensors
        gu, gw = torch.empty_like(u), torch.zeros(_product_shape(weight), dtype=u.dtype, device=u.device)
        gbias = None if bias is None else torch.zeros_like(bias)
        gprior = None if prior is None else torch.zeros_like(prior)
        for part in _chunks(u, weight):
            _backward(
                u[part], weight, prior, s[:, part], v[:, part], gv[part], *ctx.settings, gu[part], gw, gbias, gprior
            )
        i, j, q, p = weight.shape
        return gu, gw.view(i, j, q, p), gbias, gprior, None, None, None


def _product_shape(weight: Tensor) -> tuple[int, int, int]:
    i, j, q, p = weight.shape
    return i, j * q, p


def _chunks(u: Tensor, weight: Tensor) -> list[slice]:
    n = max(1, CHUNK_BYTES // (weight.shape[:3].numel() * u.element_size()))
    return [slice(k, k + n) for k in range(0, u.shape[0], n)] or [slice(0, 0)]


def _votes(u: Tensor, weight: Tensor) -> Tensor:
    """[I, n, J, q]."""
    i, j, q, p = weight.shape
    return torch.bmm(u.transpose(0, 1), weight.view(i, j * q, p).transpose(1, 2)).view(i, u.shape[0], j, q)


def _couplings(votes: Tensor, total: Tensor, prior: Tensor | None, leaky: bool) -> Tensor:
    """c: [n*J, I] (a view that keeps I last), softmax over J of votes . A, with A the sum of the earlier v."""
    i, n, j, q = votes.shape
    logits = torch.bmm(votes.view(i, n * j, q).transpose(0, 1), total.reshape(n * j, q, 1)).view(n, j, i)
    if prior is not None:
        logits = logits + prior.T
    if not leaky:
        return logits.softmax(1)
    return torch.cat([torch.zeros_like(logits[:, :1]), logits], 1).softmax(1)[:, 1:]


def _sum(coupling: Tensor, votes: Tensor) -> Tensor:
    """[n, J, q]: sum over the children of coupling [n, J, I] times votes."""
    i, n, j, q = votes.shape
    return torch.bmm(coupling.reshape(n * j, 1, i), votes.view(i, n * j, q).transpose(0, 1)).view(n, j, q)


def _first_sum(u: Tensor, weight: Tensor, votes: Tensor, prior: Tensor | None, leaky: bool) -> Tensor:
    n, i, j = u.shape[0], *weight.shape[:2]
    if prior is None:
        return votes.sum(0) / (j + leaky)
    return _sum(_couplings(votes, votes.new_zeros(n, j, votes.shape[3]), prior, leaky), votes)


def _squash(s: Tensor) -> Tensor:
    n2 = s.square().sum(-1, keepdim=True)
    return s * ((n2 + (1e-20 if s.dtype == torch.float32 else 1e-40)).sqrt() / (1 + n2))


def _squash_backward(s: Tensor, gv: Tensor) -> Tensor:
    """gs of v = s f(|s|), f = |s| / (1 + |s|^2): f gv + s (s . gv) f'(|s|) / |s|."""
    n2 = s.square().sum(-1, keepdim=True)
    norm = (n2 + (1e-20 if s.dtype == torch.float32 else 1e-40)).sqrt()
    radial = (1 - n2) / ((1 + n2).square() * norm)  # f' / |s|
    return gv * (norm / (1 + n2)) + s * ((s * gv).sum(-1, keepdim=True) * radial)


def _forward(u, weight, bias, prior, iterations, leaky) -> tuple[Tensor, Tensor]:
    """s and v of every iteration: [r, n, J, q] each."""
    if iterations == 1 and prior is None:
        i, j, q, p = weight.shape
        sums = [torch.einsum("nip,ijqp->njq", u, weight) / (j + leaky)]
        sums = [sums[0] if bias is None else sums[0] + bias]
        return torch.stack(sums), torch.stack([_squash(sums[0])])
    votes = _votes(u, weight)
    total, s, v = None, [], []
    for _ in range(iterations):
        if total is None:
            summed = _first_sum(u, weight, votes, prior, leaky)
        else:
            summed = _sum(_couplings(votes, total, prior, leaky), votes)
        s.append(summed if bias is None else summed + bias)
        v.append(_squash(s[-1]))
        total = v[-1] if total is None else total + v[-1]
    return torch.stack(s), torch.stack(v)


def _backward(u, weight, prior, s, v, gv, leaky, detach, gu, gw, gbias, gprior) -> None:
    """Fills gu and adds to gw [I, J*q, p], gbias, gprior; t runs from the last iteration to the first."""
    n, (i, j, q, p), r = u.shape[0], weight.shape, s.shape[0]
    votes = _votes(u, weight)
    flat = votes.view(i, n * j, q).transpose(0, 1)  # [n*J, I, q]
    gv = [*torch.zeros_like(v[:-1]).unbind(0), gv]
    left, right = [], []  # the outer products that make the votes' gradient
    for t in reversed(range(r)):
        total = v[:t].sum(0)  # A_t
        gs = _squash_backward(s[t], gv[t])
        uniform = t == 0 and prior is None
        if uniform:
            c = votes.new_full((1, 1, 1), 1 / (j + leaky)).expand(n, j, i)
        else:
            c = _couplings(votes, total, prior, leaky)  # [n, J, I]
        left.append(c)
        right.append(gs)
        if gbias is not None:
            gbias += gs.sum(0)
        if not uniform and (not detach or prior is not None):
            gc = torch.bmm(flat, gs.reshape(n * j, q, 1)).view(n, j, i)
            gb = c * (gc - (c * gc).sum(1, keepdim=True))
            if gprior is not None:
                gprior += gb.sum(0).T
            if t and not detach:
                left.append(gb)
                right.append(total)
                gtotal = torch.bmm(gb.reshape(n * j, 1, i), flat).view(n, j, q)
                for k in range(t):
                    gv[k] = gv[k] + gtotal
        if detach:
            break
    lefts = torch.stack(left, -1).view(n * j, i, len(left))
    rights = torch.stack(right, 2).view(n * j, len(right), q)
    gvotes = torch.bmm(lefts, rights).view(n, j, i, q).permute(2, 0, 1, 3).reshape(i, n, j * q)
    gw.baddbmm_(gvotes.transpose(1, 2), u.transpose(0, 1))
    gu.copy_(torch.bmm(gvotes, weight.view(i, j * q, p)).transpose(0, 1))
