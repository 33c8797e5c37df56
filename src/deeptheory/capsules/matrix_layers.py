"""Layers of matrix capsules: a pose of 4x4 numbers and an activation each, routed by EM.

Source: Hinton, Sabour & Frosst 2018, sections 3 and 4; initial values: the authors' released code
(google-research, capsule_em). A grid of matrix capsules is a pair: pose [B, H, W, types, 4, 4], activation
[B, H, W, types] in [0, 1]. A vote is pose @ weight, a 4x4 product; form="vector" takes the 16 numbers as a vector
and a 16x16 weight. Table 1 has that ablation, and the one of coordinates. The layers learn b_u and b_a, from which
beta_u = b_u (1 + ln 2 pi) / 2 and beta_a = -2500 b_a: lambda is about 0.001, and a beta_a learnt as it stands would
move a parent's logit by a millionth a step.
Pitfall: released, the E-step of a convolution divides over positions of one parent type, so that types never compete
there (normalize="position"); its arithmetic also takes children to be p + q for every stride,
ours are at stride * p + q.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal, get_args

import torch
from torch import nn

from deeptheory.capsules.initialization import truncated_normal_, votes_
from deeptheory.capsules.native import em as native_em
from deeptheory.capsules.native.em import Geometry
from deeptheory.capsules.on_gpu import em as triton_em
from deeptheory.capsules.routing.backends import BACKENDS, Backend, choose
from deeptheory.capsules.routing.checks import (
    check_layer_input,
    check_outcome,
    floating,
    full_precision,
    in_one_dtype,
    result_dtype,
)
from deeptheory.capsules.routing.em import PRESENCE, Presence, check_activation, check_choice, in_parts, prefer, route
from deeptheory.capsules.routing.variants import Variant, VariantName, in_shares, inverse_temperatures, variant_of
from deeptheory.capsules.squashing import at_least_float32
from deeptheory.capsules.vector_layers import check_sizes
from deeptheory.capsules.windows import (
    NORMALIZE,
    Normalize,
    Padding,
    over_parents,
    padded,
    padding_of,
    pair,
    uniform_over_parents,
    windows,
)
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_real, check_shapes

Form = Literal["matrix", "vector"]
FORMS: tuple[Form, ...] = get_args(Form)
_CONSTANT = (1 + math.log(2 * math.pi)) / 2
_SCALE = -2500.0
_Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


class _MatrixLayer(nn.Module):
    """What both EM layers share: weights, betas, votes, and the choice of a backend."""

    def __init__(self, children, in_types, parents, start, iterations, schedule, *how):
        normalize, variant, presence, form, pose_size, backend = how
        super().__init__()
        self.lambdas = inverse_temperatures(iterations, schedule)
        self.constants = variant_of(variant)
        check_choice(normalize, NORMALIZE, what="normalize")
        check_choice(presence, PRESENCE, what="presence")
        check_choice(form, FORMS, what="form")
        check_choice(backend, BACKENDS, what="backend")
        check_sizes(in_types=in_types, parents=parents, pose_size=pose_size)
        self.in_types, self.normalize, self.presence = in_types, normalize, presence
        self.form, self.pose_size = form, pose_size
        self.backend = backend
        side = pose_size if form == "matrix" else pose_size**2
        self._start, self._unit = start, 1.0  # of the weights' std, b_u and b_a
        self.weight = nn.Parameter(torch.empty(children, parents, side, side))
        self.b_u = nn.Parameter(torch.empty(parents))
        self.b_a = nn.Parameter(torch.empty(parents))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights again as the variant's `init` says; b_u and b_a constant.

        "paper": truncated normal, as released; "scaled": the identity and noise, with which votes keep their scale.
        """
        std, b_u, b_a = self._start
        if self.constants.init == "scaled":
            b_u, b_a = votes_(self.weight, isinstance(self, ClassCapsules))
        else:
            truncated_normal_(self.weight, std)
        nn.init.constant_(self.b_u, b_u)
        nn.init.constant_(self.b_a, b_a)

    def _relate(self, share: float) -> None:
        """Let the cost be relative to that many children per parent, if the variant wants that. InputError: none."""
        check_real(children_per_parent=(share, 0))
        every = self.weight.shape[1] if self.normalize == "position" else 1  # each type has all of a child
        self.lambdas, self._unit = in_shares(self.lambdas, self.constants, share * every)

    @property
    def beta_u(self) -> torch.Tensor:
        """[J]: b_u (1 + ln 2 pi) / 2, the cost per unit of mass and dimension in nats; em_routing's beta_u."""
        return _CONSTANT * self.b_u

    @property
    def beta_a(self) -> torch.Tensor:
        """[J]: -2500 b_a, minus the fixed cost of an active parent in nats; over the factor of costs of "balanced"."""
        return self._unit * _SCALE * self.b_a

    @property
    def iterations(self) -> int:
        """Number of EM iterations."""
        return len(self.lambdas)

    def _check(self, pose: torch.Tensor, activation: torch.Tensor):
        """Both, integers as float32, in one dtype."""
        p = self.pose_size
        pose = check_layer_input("pose", pose, f"B H W {self.in_types} {p} {p}")
        activation = check_layer_input("activation", activation, f"B H W {self.in_types}")
        check_shapes(pose=(pose, f"B H W {self.in_types} {p} {p}"), activation=(activation, f"B H W {self.in_types}"))
        check_activation(activation)
        return in_one_dtype(pose, activation)

    def _run(self, pose, activation, eager, native, triton, shape: tuple[int, int], watch, unable: str | None = None):
        """eager(pose, activation), native() or triton(), by the backend; shape: windows and children of each."""
        if self.pose_size != 4:
            unable = f"the compiled kernels know poses of 4x4 numbers, not pose_size={self.pose_size}"
        given = (pose, activation, self.weight, self.b_u, self.b_a)
        batch, votes = pose.shape[0], shape[0] * shape[1] * self.weight.shape[1] * 4 * self.pose_size**2
        chosen = choose(
            self.backend, "em", *given, unable=unable, votes=votes * batch, slower=lambda: prefer(batch, shape[1])
        )
        dtype = result_dtype(pose)
        if watch or chosen == "eager":
            mean, out = eager(pose, activation)
        elif chosen == "recompute":
            mean, out = in_parts(eager, (pose, activation), votes)
        else:
            with full_precision(pose.device):
                mean, out = native() if chosen == "native" else triton()
        for x in (mean, out):
            check_outcome(x, pose=pose, activation=activation, weight=self.weight, b_u=self.b_u, b_a=self.b_a)
        return mean.unflatten(-1, (self.pose_size, self.pose_size)).to(dtype), out.to(dtype)

    def _inputs(self, pose, activation, weight) -> _Inputs:
        """What every kernel takes: pose [B, HW, T, 16], activation [B, HW, T], weights and betas, in float32."""
        flat = pose.flatten(1, 2).flatten(3), activation.flatten(1, 2)
        p, a, w, u, b = (x.float() for x in (*flat, weight, self.beta_u, self.beta_a))
        return p, a, w, u, b

    def _in_windows(self, pose, activation, weight, beta_u, beta_a, children, where, first, over, watch=None):
        """Routing in plain torch, from pose [B, HW, T, h]; children: [P, KK] positions; first: [P, N, J]; where:
        [N, h] or None."""
        seen = pose.index_select(1, children.reshape(-1)).unflatten(1, children.shape).flatten(2, 3)  # [B, P, N, h]
        votes = self._votes(seen.unflatten(-1, (self.pose_size, self.pose_size)), weight)
        with full_precision(pose.device):
            votes = at_least_float32(votes)
            votes = votes if where is None else votes + where[:, None]
            a = at_least_float32(activation)
            a = a.index_select(1, children.reshape(-1)).unflatten(1, children.shape).flatten(2, 3)  # [B, P, N]
            how = self.lambdas, self.constants, self.presence, watch
            return route(votes, a, beta_u, beta_a, first.to(votes.dtype), over, *how)

    def _votes(self, seen: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """seen: [B, P, N, 4, 4] -> votes [B, P, N, J, 16], one matrix product for each child."""
        b, p, n = seen.shape[:3]
        rows = seen if self.form == "matrix" else seen.flatten(3)[:, :, :, None]  # [B, P, N, r, c]
        r, c = rows.shape[3:]
        j = weight.shape[1]
        rows, weight = in_one_dtype(rows, weight)
        left = rows.permute(2, 0, 1, 3, 4).reshape(n, b * p * r, c)
        right = weight.transpose(1, 2).reshape(n, c, j * c)
        votes = torch.bmm(left, right).view(n, b, p, r, j, c)
        return votes.permute(1, 2, 0, 4, 3, 5).flatten(4)

    def extra_repr(self) -> str:
        """Sizes, for torch's repr."""
        return (
            f"{self.in_types} types -> {self.weight.shape[1]}, iterations={self.iterations}, "
            f"normalize={self.normalize!r}, form={self.form!r}"
        )


class ConvMatrixCapsules(_MatrixLayer):
    """Convolutional matrix capsules, routed by EM.

    Source: Hinton et al. 2018, section 4. pose [B, H, W, in_types, 4, 4], activation [B, H, W, in_types] in [0, 1] ->
    pose [B, H', W', out_types, 4, 4], activation [B, H', W', out_types] in [0, 1]. Weights (one matrix for each place
    of the window, child type and parent type), b_u and b_a [out_types] are shared over positions.
    kernel_size, stride, padding: numbers or pairs (rows, columns), (1, k) for a sequence [B, 1, n, types]; padding:
    cells without capsules on each side, or "valid" (none) or "same" (as many positions as came in; stride 1).
    normalize: "all": a child divides itself among its parents of all types at all positions that see it (the paper);
    "position": over positions of each type on their own (released). children_per_parent: for the variant "balanced",
    whose cost is relative to it: H W in_types / (H' W' out_types); by default that inside a large grid. iterations,
    schedule, variant, presence: see `em_routing`; form: "matrix" (vote = pose @ weight) or "vector" (the 16 numbers
    times a 16x16 weight); pose_size: side of a pose, 4; backend: see `backends`.
    InputError: sizes or iterations below 1, another choice, children_per_parent not above 0.
    """

    def __init__(
        self,
        in_types: int,
        out_types: int,
        kernel_size: int | Sequence[int] = 3,
        *,
        stride: int | Sequence[int] = 1,
        iterations: int = 3,
        normalize: Normalize = "all",
        padding: int | Padding | Sequence[int] = 0,
        children_per_parent: float | None = None,
        schedule: float | Sequence[float] = 0.01,
        variant: VariantName | Variant = "paper",
        presence: Presence = "cost",
        form: Form = "matrix",
        pose_size: int = 4,
        backend: Backend = "auto",
    ):
        kernel, stride = pair("kernel_size", kernel_size, 1), pair("stride", stride, 1)
        check_sizes(in_types=in_types, out_types=out_types)
        seen = kernel[0] * kernel[1] * in_types
        layer = seen, in_types, out_types, (0.3, 0.5, 0.5), iterations, schedule
        super().__init__(*layer, normalize, variant, presence, form, pose_size, backend)
        self.kernel_size, self.stride, self.padding = kernel, stride, padding
        self.pads = padding_of(padding, kernel, stride)
        share = stride[0] * stride[1] * in_types / out_types
        self._relate(share if children_per_parent is None else children_per_parent)

    def forward(self, pose: torch.Tensor, activation: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """pose, activation -> pose, activation, see the class; dtype of pose, float32 or better inside.

        InputError: other shapes, activations outside [0, 1], NaN or infinity (on the CPU), no whole window.
        """
        return self._route(pose, activation)

    def _route(self, pose, activation, watch=None):
        pose, activation = (padded(x, self.pads) for x in self._check(pose, activation))
        at = windows(pose.shape[1], pose.shape[2], self.kernel_size, self.stride, pose.device)
        j = self.weight.shape[1]
        heard = torch.where(at.heard, at.windows, -1)
        over = partial(over_parents, at=at, normalize=self.normalize)

        def first(types, dtype=torch.float32):
            return uniform_over_parents(at, types, j, self.normalize, dtype)

        def in_windows(pose, activation, weight, beta_u, beta_a, watch=None):
            even = first(self.in_types, torch.float64 if pose.dtype == torch.float64 else torch.float32)
            return self._in_windows(pose, activation, weight, beta_u, beta_a, at.children, None, even, over, watch)

        def eager(pose, activation):
            flat = pose.flatten(1, 2).flatten(3), activation.flatten(1, 2)
            return in_windows(*flat, self.weight, self.beta_u, self.beta_a, watch)

        def native():
            who = Geometry(at.children, heard, first(1)[..., 0].contiguous(), self.normalize == "all")
            inputs = self._inputs(pose, activation, self.weight)
            return native_em.route(*inputs, None, who, self.lambdas, self.constants, self.presence, in_windows)

        def triton():
            who = triton_em.Hearing(at.children, heard, None)
            inputs = self._inputs(pose, activation, self.weight)
            return triton_em.route(
                *inputs, who, first(self.in_types), over, self.lambdas, self.constants, self.presence
            )

        shape = (len(at.children), len(self.weight))
        mean, out = self._run(pose, activation, eager, native, triton, shape, watch)
        grid = (at.out_height, at.out_width)
        return mean.unflatten(1, grid), out.unflatten(1, grid)


class ClassCapsules(_MatrixLayer):
    """All capsules of a grid vote for the classes.

    Source: Hinton et al. 2018, sections 3 and 4. pose [B, H, W, in_types, 4, 4], activation [B, H, W, in_types] in
    [0, 1] -> pose [B, classes, 4, 4], activation [B, classes] in [0, 1].
    Weights are shared over positions; so that positions can be distinguished, coordinates (row, column) are added to
    two entries of a vote (the right-hand column in the paper, the first two of 16 as released). forward takes them,
    [H, W, 2]; left out, they are the cells' centers from -0.5 to 0.5 of the grid; coordinates=False adds none.
    iterations, schedule, variant, presence: as in `em_routing`. form: "matrix" (vote = pose @ weight) or "vector" (the
    16 numbers as a vector, a 16x16 weight). pose_size: side of a pose, 4; of another the last column stays the last.
    children_per_parent: as in `ConvMatrixCapsules`, H W in_types / classes; by default of a grid of 4x4. backend: see
    `backends`.
    InputError: sizes below 1, iterations < 1, another choice, poses too small for coordinates; from forward: other
    shapes, activations outside [0, 1], coordinates where the layer adds none.
    """

    def __init__(
        self,
        in_types: int,
        classes: int,
        iterations: int = 3,
        *,
        coordinates: bool = True,
        children_per_parent: float | None = None,
        schedule: float | Sequence[float] = 0.01,
        variant: VariantName | Variant = "paper",
        presence: Presence = "cost",
        form: Form = "matrix",
        pose_size: int = 4,
        backend: Backend = "auto",
    ):
        constants = variant_of(variant)
        layer = in_types, in_types, classes, (0.01, 2.0, 1.0), iterations, schedule
        super().__init__(*layer, "all", constants, presence, form, pose_size, backend)
        self.lambdas = tuple(x * constants.class_temperature for x in self.lambdas)
        self._relate(16 * in_types / classes if children_per_parent is None else children_per_parent)
        self.constants = replace(constants, mass_floor=constants.class_mass_floor)
        self.coordinates = coordinates
        if coordinates:
            _entries(constants.coordinates, pose_size)  # refuses what has no place

    def forward(self, pose: torch.Tensor, activation: torch.Tensor, coordinates: torch.Tensor | None = None):
        """pose, activation -> pose, activation, see the class; coordinates: [H, W, 2], row and column, or None.

        dtype of pose, float32 or better inside. InputError: other shapes, and as the class says.
        """
        return self._route(pose, activation, coordinates)

    def _route(self, pose, activation, coordinates=None, watch=None):
        pose, activation = self._check(pose, activation)
        if coordinates is not None and not self.coordinates:
            raise InputError("this layer was made with coordinates=False; do not hand it any")
        _, h, w, t = pose.shape[:4]
        j = self.weight.shape[1]
        where = self._where(coordinates, h, w, self.weight) if self.coordinates else None

        def eager(pose, activation):
            votes = self._votes(pose.flatten(1, 2), self.weight)  # [B, HW, T, J, 16]
            with full_precision(pose.device):
                votes = at_least_float32(votes)
                votes = votes if where is None else votes + where[:, None, None]
                a = at_least_float32(activation).flatten(1)
                first = votes.new_full((1, j), 1 / j)
                how = self.lambdas, self.constants, self.presence, watch
                return route(votes.flatten(1, 2), a, self.beta_u, self.beta_a, first, _softmax, *how)

        def compiled(kernel):
            """One window of all positions, with weights and coordinates for each."""
            every = torch.arange(h * w, device=pose.device)[None]
            weight = self.weight.expand(h * w, *self.weight.shape).flatten(0, 1)
            added = None if where is None else where.detach().float().repeat_interleave(t, 0)
            first = torch.full((1, h * w * t, j), 1 / j, device=pose.device, dtype=torch.float32)
            mean, out = kernel(self._inputs(pose, activation, weight), every, added, first)
            return mean[:, 0], out[:, 0]

        def native(inputs: _Inputs, every, added, first):
            def in_windows(pose, activation, weight, u, a):
                return self._in_windows(pose, activation, weight, u, a, every, added, first, _softmax)

            who = Geometry(every, every.t().contiguous(), first[:, ::t, 0].contiguous(), True)
            return native_em.route(*inputs, added, who, self.lambdas, self.constants, self.presence, in_windows)

        def triton(inputs: _Inputs, every, added, first):
            who = triton_em.Hearing(every, every.t().contiguous(), added)
            return triton_em.route(*inputs, who, first, _softmax, self.lambdas, self.constants, self.presence)

        learnt = coordinates is not None and coordinates.requires_grad
        unable = "the compiled kernels give coordinates no gradient" if learnt else None
        forms = (eager, partial(compiled, native), partial(compiled, triton))
        return self._run(pose, activation, *forms, (1, h * w * t), watch, unable)

    def _where(self, coordinates, h: int, w: int, like: torch.Tensor) -> torch.Tensor:
        """[HW, 16], zero but for the two entries."""
        like = at_least_float32(like)  # bfloat16 counts to 256
        if coordinates is None:
            rows, columns = (
                torch.arange(n, device=like.device, dtype=like.dtype).add(0.5).div(n).sub(0.5) for n in (h, w)
            )
            coordinates = torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1)
        if not isinstance(coordinates, torch.Tensor):
            raise InputError(f"coordinates is a {type(coordinates).__name__}; it needs a tensor, [H, W, 2]")
        coordinates = floating(coordinates)
        check_shapes(coordinates=(coordinates, f"{h} {w} 2"))
        flat = coordinates.to(like).reshape(h * w, 2)
        out = like.new_zeros(h * w, self.pose_size**2)
        for axis, entry in enumerate(_entries(self.constants.coordinates, self.pose_size)):
            out[:, entry] = flat[:, axis]
        return out


def _entries(of_16: tuple[int, int], side: int) -> tuple[int, ...]:
    """Two entries of a pose of 4x4 numbers in one of side x side; the last column stays the last."""
    places = [(row, side - 1 if column == 3 else column) for row, column in (divmod(k, 4) for k in of_16)]
    if any(row >= side or column >= side for row, column in places):
        raise InputError(
            f"pose_size is {side}; entries {list(of_16)} of a 4x4 pose, to which coordinates are added, have no place "
            "there: a larger pose_size, or coordinates=False"
        )
    return tuple(row * side + column for row, column in places)


def _softmax(logits: torch.Tensor) -> torch.Tensor:
    return logits.softmax(-1)
