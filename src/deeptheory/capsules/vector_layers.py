"""Layers of vector capsules: a convolution cut into capsules, and capsules that route to capsules by agreement.

Source: Sabour, Frosst & Hinton 2017, section 4; initial values: the authors' released code (Sarasra/models,
research/capsules). A grid of capsules is [B, H, W, types, d]: what stands at one cell lies together.
Pitfall: a capsule's d numbers are d channels at one cell. `view(B, -1, 8)` on [B, C, H, W] makes capsules of eight
neighboring pixels.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import einsum, nn

from deeptheory.capsules.initialization import check_init, primary_, routed_
from deeptheory.capsules.native.windowed import WindowedPasses
from deeptheory.capsules.routing import recomputed
from deeptheory.capsules.routing.backends import BACKENDS, Backend, choose
from deeptheory.capsules.routing.checks import (
    check_layer_input,
    check_outcome,
    floating,
    full_precision,
    in_dtype_of,
    in_one_dtype,
    result_dtype,
    tensor_on,
)
from deeptheory.capsules.routing.dynamic import dynamic_routing, leaky_softmax, masked, route, softmax
from deeptheory.capsules.routing.em import check_choice, in_parts
from deeptheory.capsules.routing.variants import Init, check_iterations
from deeptheory.capsules.squashing import at_least_float32, squash
from deeptheory.capsules.windows import (
    NORMALIZE,
    Normalize,
    Padding,
    Windows,
    over_parents,
    padded,
    padding_of,
    pair,
    patches,
    windows,
)
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole

# examples for which the compiled kernel's 16 lanes are not worth it (measured on 12x12 and 28x28 cells of 8 types)
_FEW = 1


class PrimaryCapsules(nn.Module):
    """Convolution, cut into capsules, squashed: images or features [B, C, H, W] -> [B, H', W', types, dim].

    Source: Sabour et al. 2017, section 4. in_channels: C. A capsule is `dim` channels at one cell. kernel_size, stride,
    padding: numbers or pairs (rows, columns), (1, k) for a signal [B, C, 1, n]; padding: also "valid" or "same" (stride
    1 only, as torch). reference_code: divide the convolution by the number of types before the bias, as the authors'
    program does (it routes once, with uniform coupling over types); its weights begin `types` times larger, so that
    both begin with the same function. init: "scaled" (normal; inputs of mean square 1/4 give length 1 before the
    squash, biases 0) or "paper" (truncated normal, std .1 / types, biases .1). InputError: sizes below 1, another init
    or padding.
    """

    def __init__(
        self,
        in_channels: int,
        types: int,
        dim: int,
        *,
        kernel_size: int | Sequence[int] = 9,
        stride: int | Sequence[int] = 2,
        padding: Padding | int | Sequence[int] = 0,
        reference_code: bool = False,
        init: Init = "scaled",
    ):
        super().__init__()
        check_init(init)
        check_sizes(in_channels=in_channels, types=types, dim=dim)
        kernel_size, stride = pair("kernel_size", kernel_size, 1), pair("stride", stride, 1)
        padding_of(padding, kernel_size, stride)
        padding = padding if isinstance(padding, str) else pair("padding", padding, 0)
        self.types, self.dim, self.reference_code, self.init = types, dim, reference_code, init
        self.convolution = nn.Conv2d(in_channels, types * dim, kernel_size, stride, padding)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights again, as `init` says."""
        primary_(self.convolution, self.types, self.dim, self.init, self.reference_code)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [B, C, H, W] -> [B, H', W', types, dim], lengths below 1, in the dtype of the weights.

        InputError: no tensor of that shape, complex numbers, an image smaller than the kernel.
        """
        self._check_size(x)
        x = check_layer_input("x", x, f"B {self.convolution.in_channels} H W")
        s = self.convolution(in_dtype_of(self.convolution.weight, x))
        if self.reference_code:
            bias = self.convolution.bias[:, None, None]  # type: ignore[index]
            s = (s - bias) / self.types + bias
        return squash(s.unflatten(1, (self.types, self.dim)).permute(0, 3, 4, 1, 2))

    def _check_size(self, x: Any) -> None:
        made = self.convolution
        if not isinstance(x, torch.Tensor) or x.ndim != 4 or made.padding == "same":
            return  # another check names it
        pads = (0, 0) if isinstance(made.padding, str) else made.padding
        if any(n + 2 * p < k for n, p, k in zip(x.shape[2:], pads, made.kernel_size)):
            raise InputError(
                f"x is {x.shape[2]}x{x.shape[3]} and the kernel {made.kernel_size[0]}x{made.kernel_size[1]}: no "
                "position is left; use a larger image, padding or a smaller kernel"
            )

    def extra_repr(self) -> str:
        """Sizes, for torch's repr."""
        return f"types={self.types}, dim={self.dim}"


class Capsules(nn.Module):
    """Every capsule votes for every parent: [B, I, p] -> [B, J, q]. A grid [B, H, W, T, p] is flattened first.

    Source: Sabour et al. 2017, section 4. in_capsules, in_dim: I, p. out_capsules, out_dim: J, q. weight: [I, J, q, p].
    bias: a trainable bias [J, q] added before each squash (released code). prior: logits [I, J] to start from are
    learnt. iterations, leaky, detach, backend: see `dynamic_routing`. init: "scaled" (normal, such that lengths and
    gradients pass through any depth; biases unit vectors) or "paper" (truncated normal, std 0.1, biases 0.1).
    shared: weights repeat: child i takes those of i modulo in_capsules, so that any multiple of in_capsules children
    may come: 1 for a set of any size, the number of types for a grid of any size. forward(u, mask): mask [B, I] (or the
    grid's [B, H, W, T]) truth values, True where there is a child, for batches of sets of different sizes.
    InputError: sizes or iterations below 1, another init or backend.
    """

    def __init__(
        self,
        in_capsules: int,
        in_dim: int,
        out_capsules: int,
        out_dim: int,
        *,
        iterations: int = 3,
        bias: bool = True,
        leaky: bool = False,
        prior: bool = False,
        detach: bool = False,
        shared: bool = False,
        backend: Backend = "auto",
        init: Init = "scaled",
    ):
        super().__init__()
        iterations = check_iterations(iterations)
        check_init(init)
        self.init = init
        check_sizes(in_capsules=in_capsules, in_dim=in_dim, out_capsules=out_capsules, out_dim=out_dim)
        check_choice(backend, BACKENDS, what="backend")
        self.iterations, self.leaky, self.detach, self.shared = iterations, leaky, detach, shared
        self.backend: Backend = backend
        self.weight = nn.Parameter(torch.empty(in_capsules, out_capsules, out_dim, in_dim))
        self.bias = nn.Parameter(torch.empty(out_capsules, out_dim)) if bias else None
        self.prior = nn.Parameter(torch.empty(in_capsules, out_capsules)) if prior else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weights and biases again, as `init` says; prior 0."""
        routed_(self.weight, self.bias, self.weight.shape[1] + self.leaky, self.init)
        if self.prior is not None:
            nn.init.zeros_(self.prior)

    def forward(self, u: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """u: [B, I, p] or [B, H, W, T, p]; mask: [I], [B, I] or [B, H, W, T] bool -> [B, J, q], dtype of u.

        InputError: another shape or number of children, no tensor, a mask of another shape or dtype, NaN or infinity
        (on the CPU). MissingDependency: no such backend here.
        """
        u, weight, prior, mask = self._lined_up(u, mask)
        settings = {"bias": self.bias, "leaky": self.leaky, "prior": prior, "detach": self.detach}
        return dynamic_routing(u, weight, self.iterations, **settings, mask=mask, backend=self.backend)

    def _route(self, u: torch.Tensor, mask: torch.Tensor | None = None, watch: Any = None) -> None:
        u, weight, prior, mask = self._lined_up(u, mask)
        u, weight = in_one_dtype(masked(u, mask), weight)
        votes = einsum("BIp,IJqp->BIJq", u, weight)
        over = leaky_softmax if self.leaky else softmax
        watch = watch if mask is None else partial(watch, there=mask)
        with full_precision(u.device):
            route(at_least_float32(votes), self.iterations, self.bias, over, prior, self.detach, watch)

    def _lined_up(self, u: Any, mask: torch.Tensor | None):
        """u [B, I, p], the weights and the prior for each child, the mask [B, I].

        InputError: another number of capsules or dimensions than the layer was made for.
        """
        i, _, _, p = self.weight.shape
        if not isinstance(u, torch.Tensor) or u.ndim < 3:
            check_layer_input("u", u, f"B I {p}")
        flat = floating(u).flatten(1, -2)
        n = flat.shape[1]
        if flat.shape[2] != p or (n % i if self.shared else n != i):
            made = f"multiples of {i}" if self.shared else i
            raise InputError(
                f"u has shape {list(u.shape)}, {n} capsules of {flat.shape[-1]} dimensions; this layer was made "
                f"for {made} of {p}"
            )
        weight, prior = (None if x is None else repeated(x, n // i) for x in (self.weight, self.prior))
        mask = None if mask is None else tensor_on(mask, u.device)
        return flat, weight, prior, mask if mask is None or mask.ndim < 3 else mask.flatten(1)

    def extra_repr(self) -> str:
        """Sizes, for torch's repr."""
        i, j, q, p = self.weight.shape
        return f"{i} of {p} -> {j} of {q}, iterations={self.iterations}" + (", shared=True" if self.shared else "")


def repeated(x: torch.Tensor, times: int) -> torch.Tensor:
    """x: [n, ...] -> [times * n, ...], again and again."""
    return x if times == 1 else x.expand(times, *x.shape).flatten(0, 1)


def check_sizes(**sizes: int) -> None:
    """InputError: a size that is not an integer of at least 1."""
    for name, size in sizes.items():
        if isinstance(size, bool) or not hasattr(size, "__index__") or size < 1:
            raise InputError(f"{name} is {size!r}; it needs an integer of at least 1")
    check_whole(**{name: (size, 1) for name, size in sizes.items()})


def sizes_of(name: str, sizes: Any) -> tuple[int, ...]:
    """A sequence of sizes as Python's own integers. InputError: no sequence, or a size below 1."""
    try:
        given = tuple(sizes)
    except TypeError as error:
        raise InputError(f"{name} is {sizes!r}; needed: several integers, as in (32, 64)") from error
    check_sizes(**{f"{name}[{k}]": n for k, n in enumerate(given)})
    return tuple(int(n) for n in given)


class ConvCapsules(nn.Module):
    """Capsules vote for the parents whose window sees them: [B, H, W, in_types, p] -> [B, H', W', out_types, q].

    Windows as in Hinton et al. 2018, section 4. in_dim, out_dim: p, q. Weights (one matrix for each place of the
    window, child type and parent type) and biases [out_types, q], added before each squash unless bias=False, are
    shared over positions. kernel_size, stride, padding: numbers or pairs (rows, columns), (1, k) for a sequence [B, 1,
    n, types, p]; padding: cells without capsules on each side, or "valid" (none) or "same" (as many positions as came
    in; stride 1). normalize: "all": a child divides itself among its parents of all types and positions (the couplings
    of a child sum to one); "position": each window on its own, over types (as most convolutional ports do). iterations:
    see `dynamic_routing`; init: as in `Capsules`; backend: see `backends`. InputError: sizes or iterations below 1,
    another normalize, padding, init or backend.
    """

    def __init__(
        self,
        in_types: int,
        in_dim: int,
        out_types: int,
        out_dim: int,
        *,
        kernel_size: int | Sequence[int] = 3,
        stride: int | Sequence[int] = 1,
        iterations: int = 3,
        normalize: Normalize = "all",
        bias: bool = True,
        padding: int | Padding | Sequence[int] = 0,
        backend: Backend = "auto",
        init: Init = "scaled",
    ):
        super().__init__()
        iterations = check_iterations(iterations)
        check_init(init)
        self.init = init
        check_choice(normalize, NORMALIZE, what="normalize")
        check_choice(backend, BACKENDS, what="backend")
        check_sizes(in_types=in_types, in_dim=in_dim, out_types=out_types, out_dim=out_dim)
        self.kernel_size, self.stride = pair("kernel_size", kernel_size, 1), pair("stride", stride, 1)
        self.padding, self.pads = padding, padding_of(padding, self.kernel_size, self.stride)
        self.iterations, self.normalize, self.backend = iterations, normalize, backend
        seen = self.kernel_size[0] * self.kernel_size[1] * in_types
        self.weight = nn.Parameter(torch.empty(seen, out_types, out_dim, in_dim))
        self.bias = nn.Parameter(torch.empty(out_types, out_dim)) if bias else None
        self.in_types = in_types
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights again, as `init` says, for as many parents of a child as its windows have inside a grid."""
        cells = self.kernel_size[0] * self.kernel_size[1] / (self.stride[0] * self.stride[1])
        overlap = max(1.0, cells) if self.normalize == "all" else 1.0
        routed_(self.weight, self.bias, overlap * self.weight.shape[1], self.init)

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        """u: [B, H, W, in_types, p] -> [B, H', W', out_types, q], lengths below 1, dtype of u.

        InputError: another shape, no whole window, NaN or infinity (on the CPU). MissingDependency: no such backend
        here.
        """
        v, at = self._route(u)
        return v.unflatten(1, (at.out_height, at.out_width))

    def _route(self, u: torch.Tensor, watch=None):
        """v: [B, P, J, q] and the windows."""
        u = check_layer_input("u", u, f"B H W {self.in_types} {self.weight.shape[-1]}")
        asked_grid, u = u.shape[1:3], padded(u, self.pads)
        at = windows(u.shape[1], u.shape[2], self.kernel_size, self.stride, u.device)
        asked, (grid, weight, bias) = u, in_one_dtype(u.flatten(1, 2), self.weight, self.bias)
        j, q = weight.shape[1:3]
        one = 4 * at.children.numel() * self.in_types * j * q
        chosen = choose(
            self.backend, "windowed", grid, weight, bias, votes=one * u.shape[0], slower=lambda: u.shape[0] <= _FEW
        )
        eager = partial(self._eager, at=at)
        if watch is not None:
            cells = padded(u.new_ones(1, *asked_grid, self.in_types), self.pads).flatten(1, 2)
            watch = partial(watch, there=patches(cells, at).flatten(2, 3)) if any(self.pads) else watch
            v = eager(grid, weight, bias, None, watch=watch)
        elif chosen == "eager":
            v = eager(grid, weight, bias, None)
        elif chosen == "recompute":
            (v,) = in_parts(lambda grid: (eager(grid, weight, bias, None),), (grid,), one)
        else:
            with full_precision(u.device):
                passes, each = (
                    WindowedPasses(at, self.normalize),
                    None if bias is None else bias.float().repeat(len(at.children), 1),
                )
                v = recomputed.route(passes, eager, grid.float(), weight.float(), self.iterations, each)
        check_outcome(v, u=u, weight=self.weight, bias=self.bias)
        return v.unflatten(1, (-1, j)).to(result_dtype(asked)), at

    def _eager(self, grid, weight, bias, prior, at: Windows, watch=None) -> torch.Tensor:
        """[B, P * J, q]; bias: [J, q] or [P * J, q]."""
        seen = patches(grid, at).flatten(2, 3)  # [B, P, N, p], N = K * K * in_types
        votes = einsum("BPNp,NJqp->BPNJq", seen, weight)
        bias = None if bias is None else bias.unflatten(0, (-1, weight.shape[1]))

        def over(logits):
            return over_parents(logits, at, "all") if self.normalize == "all" else logits.softmax(-1)

        with full_precision(grid.device):
            return route(at_least_float32(votes), self.iterations, bias, over, watch=watch).flatten(1, 2)

    def extra_repr(self) -> str:
        """Sizes, for torch's repr."""
        _, j, q, p = self.weight.shape
        return (
            f"{self.in_types} types of {p} -> {j} types of {q}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, padding={self.padding!r}, iterations={self.iterations}, "
            f"normalize={self.normalize!r}"
        )
