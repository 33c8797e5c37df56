"""Layers of vector capsules: a convolution cut into capsules, and capsules that route to capsules by agreement.

Source: Sabour, Frosst & Hinton 2017, section 4; initial values: the authors' released code (Sarasra/models, research/capsules).
A grid of capsules is [B, H, W, types, d]: what stands at one cell lies together.
Trap: a capsule's d numbers are d channels at one cell. `view(B, -1, 8)` on [B, C, H, W] makes capsules of eight neighbouring pixels.
"""

import torch
from torch import einsum, nn

from deeptheory.capsules.initialization import check_init, primary_, routed_
from deeptheory.capsules.routing.checks import check_outcome, full_precision, result_dtype
from deeptheory.capsules.routing.dynamic import check_iterations, dynamic_routing, leaky_softmax, route, softmax
from deeptheory.capsules.routing.em import check_choice
from deeptheory.capsules.squashing import at_least_float32, squash
from deeptheory.capsules.windows import NORMALIZE, over_parents, patches, windows
from deeptheory.errors import InputError
from deeptheory.shapes import check_shapes


class PrimaryCapsules(nn.Module):
    """Convolution, cut into capsules, squashed: images or features [B, C, H, W] -> [B, H', W', types, dim].

    padding: "valid" or "same" (stride 1 only, as torch) or pixels. released: divide the convolution by the number of types before
    the bias, as the authors' program does (it routes once, with uniform coupling over types); its weights begin `types` times larger,
    so that both begin with the same function. init: "scaled" or "paper", see `initialization`.
    """

    def __init__(self, in_channels: int, types: int, dim: int, kernel_size: int = 9, stride: int = 2, padding: str | int = 0, *, released: bool = False, init: str = "scaled"):  # fmt: skip
        super().__init__()
        check_init(init)
        self.types, self.dim, self.released, self.init = types, dim, released, init
        self.convolution = nn.Conv2d(in_channels, types * dim, kernel_size, stride, padding)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As `init` says."""
        primary_(self.convolution, self.types, self.dim, self.init, self.released)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        check_shapes(x=(x, f"B {self.convolution.in_channels} H W"))
        s = self.convolution(x)
        if self.released:
            bias = self.convolution.bias[:, None, None]  # type: ignore[index]
            s = (s - bias) / self.types + bias
        return squash(s.unflatten(1, (self.types, self.dim)).permute(0, 3, 4, 1, 2))

    def extra_repr(self) -> str:
        return f"types={self.types}, dim={self.dim}"


class Capsules(nn.Module):
    """Every capsule votes for every parent: [B, I, p] -> [B, J, q]. A grid [B, H, W, T, p] is flattened first.

    in_capsules, in_dim: I, p. out_capsules, out_dim: J, q. bias: a trainable bias added before each squash (released code). prior:
    logits to start from are learnt. iterations, leaky, detach, backend: see `dynamic_routing`. init: "scaled" (lengths and gradients
    pass through any depth) or "paper" (truncated normal, std 0.1, biases 0.1), see `initialization`.
    """

    def __init__(
        self,
        in_capsules: int,
        in_dim: int,
        out_capsules: int,
        out_dim: int,
        iterations: int = 3,
        *,
        bias: bool = True,
        leaky: bool = False,
        prior: bool = False,
        detach: bool = False,
        backend: str = "auto",
        init: str = "scaled",
    ):
        super().__init__()
        check_iterations(iterations)
        check_init(init)
        self.init = init
        self.iterations, self.leaky, self.detach, self.backend = iterations, leaky, detach, backend
        self.weight = nn.Parameter(torch.empty(in_capsules, out_capsules, out_dim, in_dim))
        self.bias = nn.Parameter(torch.empty(out_capsules, out_dim)) if bias else None
        self.prior = nn.Parameter(torch.empty(in_capsules, out_capsules)) if prior else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As `init` says; prior 0."""
        routed_(self.weight, self.bias, self.weight.shape[1] + self.leaky, self.init)
        if self.prior is not None:
            nn.init.zeros_(self.prior)

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        settings = (self.iterations, self.bias, self.leaky, self.prior, self.detach)
        return dynamic_routing(self.lined_up(u), self.weight, *settings, backend=self.backend)

    def _route(self, u: torch.Tensor, watch) -> None:
        votes = einsum("BIp,IJqp->BIJq", self.lined_up(u), self.weight)
        over = leaky_softmax if self.leaky else softmax
        route(at_least_float32(votes), self.iterations, self.bias, over, self.prior, self.detach, watch)

    def lined_up(self, u: torch.Tensor) -> torch.Tensor:
        """u as [B, I, p]. InputError: another number of capsules or dimensions than the layer was made for."""
        flat = u.flatten(1, -2)
        i, _, _, p = self.weight.shape
        if tuple(flat.shape[1:]) != (i, p):
            raise InputError(
                f"u has shape {list(u.shape)}, {flat.shape[1]} capsules of {flat.shape[-1]} dimensions; this layer was made for {i} of {p}"
            )
        return flat

    def extra_repr(self) -> str:
        i, j, q, p = self.weight.shape
        return f"{i} of {p} -> {j} of {q}, iterations={self.iterations}"


class ConvCapsules(nn.Module):
    """Capsules vote for the parents whose window sees them: [B, H, W, in_types, p] -> [B, H', W', out_types, q], no padding.

    Weights are shared over positions. normalize: "all": a child divides itself among its parents of all types and positions (the
    couplings of a child sum to one); "position": each window on its own, over types (as most convolutional ports do).
    """

    def __init__(
        self,
        in_types: int,
        in_dim: int,
        out_types: int,
        out_dim: int,
        kernel_size: int = 3,
        stride: int = 1,
        iterations: int = 3,
        *,
        normalize: str = "all",
        bias: bool = True,
        init: str = "scaled",
    ):
        super().__init__()
        check_iterations(iterations)
        check_init(init)
        self.init = init
        check_choice(normalize, NORMALIZE, what="normalize")
        self.kernel_size, self.stride, self.iterations, self.normalize = kernel_size, stride, iterations, normalize
        self.weight = nn.Parameter(torch.empty(kernel_size**2 * in_types, out_types, out_dim, in_dim))
        self.bias = nn.Parameter(torch.empty(out_types, out_dim)) if bias else None
        self.in_types = in_types
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """As `init` says; a child has parents at as many positions as windows overlap, away from the edges."""
        stride = self.stride if isinstance(self.stride, tuple) else (self.stride, self.stride)
        cells = self.weight.shape[0] / self.in_types
        overlap = max(1.0, cells / (stride[0] * stride[1])) if self.normalize == "all" else 1.0
        routed_(self.weight, self.bias, overlap * self.weight.shape[1], self.init)

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        v, at = self._route(u)
        return v.unflatten(1, (at.out_height, at.out_width))

    def _route(self, u: torch.Tensor, watch=None):
        check_shapes(u=(u, f"B H W {self.in_types} {self.weight.shape[-1]}"))
        at = windows(u.shape[1], u.shape[2], self.kernel_size, self.stride, u.device)
        seen = patches(u.flatten(1, 2), at).flatten(2, 3)  # [B, P, N, p], N = K * K * in_types
        votes = einsum("BPNp,NJqp->BPNJq", seen, self.weight)

        def over(logits):
            return over_parents(logits, at, "all") if self.normalize == "all" else logits.softmax(-1)

        with full_precision(u.device):
            v = route(at_least_float32(votes), self.iterations, self.bias, over, watch=watch)
        check_outcome(v, u=u, weight=self.weight, bias=self.bias)
        return v.to(result_dtype(u)), at

    def extra_repr(self) -> str:
        _, j, q, p = self.weight.shape
        return f"{self.in_types} types of {p} -> {j} types of {q}, kernel_size={self.kernel_size}, stride={self.stride}, iterations={self.iterations}, normalize={self.normalize!r}"
