"""Inverted dot-product attention: parents compete for each child by how well they agree with its vote; poses pass a
LayerNorm.

Source: Tsai, Srivastava, Goh & Salakhutdinov 2020, "Capsules with Inverted Dot-Product Attention Routing" (ICLR),
section 2; here each layer is routed by itself, in turn; the paper then updates all layers at the same time.
Pitfall: the softmax is over parents ("inverted"); over children it would be ordinary attention.
"""

import torch
from torch import einsum, nn

from deeptheory.capsules.routing.checks import (
    check_layer_input,
    check_outcome,
    full_precision,
    in_one_dtype,
    result_dtype,
)
from deeptheory.capsules.routing.variants import check_iterations
from deeptheory.capsules.squashing import at_least_float32
from deeptheory.capsules.vector_layers import check_sizes
from deeptheory.core.errors import InputError


class InvertedDotProduct(nn.Module):
    """Capsules [B, I, p] -> [B, J, q], routed by agreement with their normalized sum.

    in_capsules, in_dim: I, p. out_capsules, out_dim: J, q. v_ij = W_ij u_i, and iterations times: r_ij =
    softmax_j(v_ij . p_j), p_j = LayerNorm(sum_i r_ij v_ij), from p_j = 0, so that the first r is uniform; the p_j come
    out. Weights begin normal with std sqrt(J / (p I)). Length says nothing here: a classifier puts one nn.Linear(q, 1)
    on every class's capsule. Source: Tsai et al. 2020, section 2; each layer is routed by itself, in turn.
    InputError: sizes or iterations below 1, out_dim below 2.
    """

    def __init__(self, in_capsules: int, in_dim: int, out_capsules: int, out_dim: int, *, iterations: int = 2):
        super().__init__()
        iterations = check_iterations(iterations)
        check_sizes(in_capsules=in_capsules, in_dim=in_dim, out_capsules=out_capsules, out_dim=out_dim)
        if out_dim < 2:
            raise InputError(
                "out_dim is 1, and a LayerNorm of one number is its shift, whatever comes in; needed: 2 or more"
            )
        self.iterations = iterations
        self.weight = nn.Parameter(torch.empty(in_capsules, out_capsules, out_dim, in_dim))
        self.norm = nn.LayerNorm(out_dim)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw normal weights with std sqrt(J / (p I)); LayerNorm's scale is 1, its shift 0."""
        i, j, _, p = self.weight.shape
        nn.init.normal_(self.weight, std=(j / (p * i)) ** 0.5)
        self.norm.reset_parameters()

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        """u: [B, I, p] -> [B, J, q], dtype of u (integers: float32), float32 under autocast; float32 or better inside.

        InputError: no tensor of that shape, NaN or infinity (on the CPU).
        """
        i, j, _, p = self.weight.shape
        asked = check_layer_input("u", u, f"B {i} {p}")
        u, weight = in_one_dtype(asked, self.weight)
        votes = einsum("BIp,IJqp->BIJq", u, weight)
        with full_precision(u.device):
            votes = at_least_float32(votes)
            norm = [at_least_float32(x).to(votes.dtype) for x in (self.norm.weight, self.norm.bias)]
            s = votes.sum(1) / j
            for _ in range(self.iterations - 1):
                r = einsum("BIJq,BJq->BIJ", votes, self._normed(s, *norm)).softmax(-1)
                s = einsum("BIJ,BIJq->BJq", r, votes)
            v = self._normed(s, *norm)
        check_outcome(v, u=u, weight=weight)
        return v.to(result_dtype(asked))

    def _normed(self, s, weight, bias):
        return nn.functional.layer_norm(s, self.norm.normalized_shape, weight, bias, self.norm.eps)

    def extra_repr(self) -> str:
        """Sizes, for torch's repr."""
        i, j, q, p = self.weight.shape
        return f"{i} of {p} -> {j} of {q}, iterations={self.iterations}"
