"""Self-routing: each child decides by itself which parent it belongs to, without iterations and without agreement.

Source: Hahn, Pyeon & Kim 2019, "Self-Routing Capsule Networks" (NeurIPS), section 3: a baseline that asks what
agreement is for.
Pitfall: what a child gives is its activation times its coupling; without it, absent children would vote like present
ones.
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
from deeptheory.capsules.routing.em import check_activation
from deeptheory.capsules.squashing import at_least_float32
from deeptheory.capsules.vector_layers import check_sizes
from deeptheory.core.shapes import check_shapes


class SelfRouting(nn.Module):
    """Capsules routed by a network of each child, without iterations (Hahn et al. 2019, section 3).

    pose [B, I, p], activation [B, I] in [0, 1] -> pose [B, J, q], activation [B, J], which adds up to 1 over J.
    c_ij = softmax_j(R_i u_i + b_i), a_j = sum_i c_ij a_i / sum_i a_i, u_j = sum_i c_ij a_i W_ij u_i / sum_i c_ij a_i.
    Where no child is active, both are 0. in_capsules, in_dim: I, p; out_capsules, out_dim: J, q. Weights begin normal
    with std 1 / sqrt(p), b with 0. InputError: sizes below 1.
    """

    def __init__(self, in_capsules: int, in_dim: int, out_capsules: int, out_dim: int):
        super().__init__()
        check_sizes(in_capsules=in_capsules, in_dim=in_dim, out_capsules=out_capsules, out_dim=out_dim)
        self.weight = nn.Parameter(torch.empty(in_capsules, out_capsules, out_dim, in_dim))
        self.routing = nn.Parameter(torch.empty(in_capsules, out_capsules, in_dim))
        self.bias = nn.Parameter(torch.empty(in_capsules, out_capsules))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw normal weights with std 1 / sqrt(p); biases 0."""
        for weight in (self.weight, self.routing):
            nn.init.normal_(weight, std=weight.shape[-1] ** -0.5)
        nn.init.zeros_(self.bias)

    def forward(self, pose: torch.Tensor, activation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """pose: [B, I, p], activation: [B, I] -> [B, J, q], [B, J], dtype of pose; float32 or better inside.

        InputError: no tensors of these shapes, activations outside [0, 1], NaN or infinity (on the CPU).
        """
        i, _, _, p = self.weight.shape
        pose = check_layer_input("pose", pose, f"B {i} {p}")
        activation = check_layer_input("activation", activation, f"B {i}")
        check_shapes(pose=(pose, f"B {i} {p}"), activation=(activation, f"B {i}"))
        check_activation(activation)
        asked, (pose, activation, weight, routing, bias) = (
            pose,
            in_one_dtype(pose, activation, self.weight, self.routing, self.bias),
        )
        votes, logits = einsum("BIp,IJqp->BIJq", pose, weight), einsum("BIp,IJp->BIJ", pose, routing) + bias
        with full_precision(pose.device):
            given = at_least_float32(logits).softmax(-1) * at_least_float32(activation)[..., None]  # [B, I, J]
            mass, whole = given.sum(1), at_least_float32(activation).sum(1, keepdim=True)
            out = mass / torch.where(whole > 0, whole, 1)
            share = given / torch.where(mass > 0, mass, 1)[:, None]
            v = einsum("BIJ,BIJq->BJq", share, at_least_float32(votes))
        check_outcome(v, pose=pose, activation=activation, weight=weight, routing=routing, bias=bias)
        return v.to(result_dtype(asked)), out.to(result_dtype(asked))

    def extra_repr(self) -> str:
        """Sizes, for torch's repr."""
        i, j, q, p = self.weight.shape
        return f"{i} of {p} -> {j} of {q}"
