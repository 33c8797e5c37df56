"""Which layers are measured, and how each becomes columns: maps averaged over positions, tokens over tokens,
the class token apart.

Which axis holds a map's channels is told by the last operation with weights before it
(a convolution's out_channels stand on axis 1, a linear map's out_features last), not by the shape alone:
[n, 49, 49] says nothing.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.inspection.instrument import Head, Layer
from deeptheory.inspection.rows import generator_of
from deeptheory.recording.found import as_found
from deeptheory.recording.inputs import call, cut, first_tensor, sample_count
from deeptheory.recording.operations import ACTIVATIONS
from deeptheory.recording.sites import OUTPUT, Seen, looking, tensors_in, unused
from deeptheory.recording.tracing import Site

_NONLINEARITIES = frozenset(name.replace("_", "") for name in ACTIVATIONS)
MOST = 2048  # columns of a layer that streams get
_CHANNELS_FIRST = frozenset({
    "conv1d", "conv2d", "conv3d", "conv_transpose2d", "convolution", "batch_norm", "group_norm", "instance_norm",
})  # fmt: skip
_CHANNELS_LAST = frozenset({"linear", "layer_norm", "embedding", "addmm", "scaled_dot_product_attention", "rms_norm"})
_CLASS_TOKENS = frozenset({"cls_token", "class_token", "class_embedding", "cls", "cls_tokens"})
_CLS_MODELS = frozenset({
    "bert", "roberta", "distilbert", "electra", "albert", "deberta", "deberta-v2", "camembert", "xlm-roberta", "vit",
    "deit", "beit", "mpnet",
})  # fmt: skip


@dataclass(frozen=True, eq=False)
class Place:
    """A layer with the way from a site's tensor to its columns. site: the name under which the recorder shows it
    ("" for the input).

    axis: of the channels within a sample, None for flat. take: "mean", "first" or "last" of the positions. kept:
    columns that are measured, None for all. masked: whether padding given as attention_mask is left out.
    """

    layer: Layer
    site: str
    axis: int | None
    take: str = "mean"
    kept: torch.Tensor | None = None
    skip_first: bool = False
    masked: bool = False

    def columns(self, flat: torch.Tensor, mask: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """(activations [b, units], whole [b, units, positions]) of a batch [b, units * positions]."""
        x = flat.reshape(len(flat), *self.layer.shape)
        if not x.is_floating_point() or x.dtype in (torch.float16, torch.bfloat16):
            x = x.float()
        if self.axis is None:
            whole = x.reshape(len(x), -1, 1)
            pooled = whole[:, :, 0]
        else:
            whole = x.movedim(self.axis + 1, 1).flatten(2)
            if self.take == "first":
                whole = whole[:, :, :1]
            elif self.take == "last":
                whole = whole[:, :, -1:]
            elif self.skip_first:
                whole, mask = whole[:, :, 1:], None if mask is None else mask[:, 1:]
            if self.masked and mask is not None and self.take == "mean":
                weight = mask.to(whole)
                pooled = (whole * weight[:, None]).sum(dim=2) / weight.sum(dim=1).clamp_min(1)[:, None]
            else:
                pooled = whole[:, :, 0] if whole.shape[2] == 1 else whole.mean(dim=2)
        return (pooled if self.kept is None else pooled[:, self.kept.to(pooled.device)]), whole


@dataclass
class _Met:
    """What one pass of a few samples tells: per site the channels of the last weights before it,
    and the linear maps' ends."""

    channels: dict[str, tuple[int, int]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    ops: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)
    linear: list[tuple[str, nn.Linear, torch.Tensor, torch.Tensor]] = field(default_factory=list)
    output: list[torch.Tensor] = field(default_factory=list)


def places(
    model: nn.Module,
    inputs: Any,
    wanted: dict[str, Site],
    classes: int | None,
    seed: int,
    looked_at: int,
    grad: bool = False,
) -> tuple[tuple[Place, ...], Head | str, str]:
    """The layers of a model in order, its linear head (or why there is none), and the head's module path ("" without).

    wanted: the recorder's sites, by name. classes: of the targets. looked_at: samples that tell.
    """
    n = sample_count(inputs)
    few = cut(inputs, n, 0, looked_at) if looked_at < n else inputs
    met = _meet(model, few, set(wanted), grad)
    cls = _has_class_token(model)
    mask = _mask_of(inputs)
    found: list[Place] = []
    first = first_tensor(inputs)
    if first is not None and first.is_floating_point():
        name = "input" if "input" not in wanted else unused("model input", wanted)
        found.append(_place(_Shape(name, "input", "input", tuple(first.shape[1:])), None, "mean", seed))
    for name, site in wanted.items():
        shape = tuple(site.shape[1:])
        role = "output" if site.role == "output" or name.split(".")[0] == OUTPUT else site.role or "activation"
        said = _Shape(name, site.kind, role, shape, met.paths.get(name, ""), met.ops.get(name, ""))
        axis = _axis(shape, met.channels.get(name))
        if axis is None:
            found.append(_place(said, None, "mean", seed))
            continue
        tokens = axis == len(shape) - 1 and len(shape) == 2
        apart = (
            "first"
            if cls and tokens and shape[0] > 1 and role != "activation"
            else "last"
            if _recurrent(site.kind) and tokens and shape[0] > 1
            else ""
        )
        masked = tokens and mask is not None and mask.shape[1] == shape[0]
        found.append(_place(said, axis, "mean", seed, skip_first=apart == "first", masked=masked))
        if apart:
            found.append(_place(said, axis, apart, seed))
    names: set[str] = set()
    for k, p in enumerate(found):  # a module may itself be called "a[CLS]"
        own = unused(p.layer.name, names)
        names.add(own)
        found[k] = p if own == p.layer.name else replace(p, layer=replace(p.layer, name=own))
    head, module = _head(met, found, classes)
    if isinstance(head, Head) and head.layer not in {p.layer.name for p in found}:
        width = head.weight.shape[1]
        extra = Place(
            Layer(
                name=head.layer,
                index=0,
                kind="input of Linear",
                role="head input",
                shape=(width,),
                units=width,
                module=module,
            ),
            head.layer,
            None,
        )
        at = next((k for k, p in enumerate(found) if p.layer.role == "output"), len(found))
        found.insert(at, extra)
    labels: list[str] = []
    for p in found:
        label = _label(p.layer, met.after.get(p.site, ""))
        labels.append(label if label not in labels else f"{label} ({p.layer.name})")
    out = tuple(replace(p, layer=replace(p.layer, index=k, label=labels[k])) for k, p in enumerate(found))
    return out, head, module


@dataclass(frozen=True)
class _Shape:
    name: str
    kind: str
    role: str
    shape: tuple[int, ...]
    module: str = ""
    op: str = ""


def _place(s: _Shape, axis: int | None, take: str, seed: int, skip_first: bool = False, masked: bool = False) -> Place:
    size = torch.Size(s.shape).numel()
    units = size if axis is None else s.shape[axis]
    positions = 1 if axis is None or take != "mean" else size // max(units, 1) - skip_first
    kept, pooling = None, "none" if len(s.shape) <= 1 else "flattened"
    if axis is not None and axis == len(s.shape) - 1 and len(s.shape) == 2:
        pooling = {"first": "class token", "last": "last step"}.get(
            take, f"mean over {positions} {'steps' if _recurrent(s.kind) else 'tokens'}"
        )
        pooling += " (class token apart)" * skip_first + " without padding" * masked
    elif axis is not None and positions > 1:
        pooling = f"mean over {positions} positions"
    if units > MOST:
        generator = generator_of(seed)
        kept = torch.randperm(units, generator=generator)[:MOST].sort().values
        pooling += f", {MOST} of {units} columns drawn with the seed"
    name = s.name + {"first": "[CLS]", "last": "[last]"}.get(take, "")
    layer = Layer(
        name=name,
        index=0,
        kind=s.kind,
        role=s.role,
        shape=s.shape,
        units=min(units, MOST),
        positions=positions,
        pooling=pooling,
        nonlinearity=_nonlinearity(s.kind, s.op),
        module=s.module,
    )
    return Place(layer, "" if s.role == "input" else s.name, axis, take, kept, skip_first, masked)


def _label(layer: Layer, after: str) -> str:
    """A name for people: what made it, where the name is a number or a function's."""
    if layer.role == "head input":
        name = layer.name.removeprefix("input of ")
        return f"input of the head ({name} Linear)" if name.replace(".", "").isdigit() else f"input of {name}"
    if layer.role in ("input", "output"):
        return layer.name
    if layer.kind.startswith("torch.") and not layer.module and after:
        end = next((e for e in ("[CLS]", "[last]") if layer.name.endswith(e)), "")
        return f"{after} {layer.kind.removeprefix('torch.')}{end}"
    return f"{layer.name} {layer.kind}" if layer.name.replace(".", "").isdigit() else layer.name


def _axis(shape: tuple[int, ...], channels: tuple[int, int] | None) -> int | None:
    """The axis of the channels within a sample; None where it is flat or cannot be told."""
    if len(shape) < 2 or channels is None:
        return None
    axis, size = channels
    order = (0, len(shape) - 1) if axis == 1 else (len(shape) - 1, 0)
    return next((k for k in order if shape[k] == size), None)


def _recurrent(kind: str) -> bool:
    return kind in ("RNN", "LSTM", "GRU")


def _nonlinearity(kind: str, op: str) -> str:
    name = (op or kind).lower().replace("_", "")
    return name if name in _NONLINEARITIES else ""


def _meet(model: nn.Module, few: Any, wanted: set[str], grad: bool) -> _Met:
    met = _Met()
    last: list[tuple[int, int] | None] = [None]
    weighted = [""]
    handles = []

    def see(s: Seen) -> None:
        t = s.tensor
        known = _channels(s, t)
        if known is not None:
            last[0] = known
            weighted[0] = s.where if s.module is not None else ""
        if s.name in wanted:
            if last[0] is not None:
                met.channels[s.name] = last[0]
            met.paths[s.name] = s.where
            met.ops[s.name] = s.op
            met.after[s.name] = weighted[0] if s.op in ACTIVATIONS and weighted[0] != s.where else ""
            met.tensors[s.name] = t.detach().clone()

    def hook(name: str):
        def keep(module, args, output):
            if args and isinstance(args[0], torch.Tensor) and isinstance(output, torch.Tensor):
                met.linear.append((name, module, args[0].detach().clone(), output.detach().clone()))

        return keep

    try:
        for name, module in model.named_modules():
            if type(module) is nn.Linear:
                handles.append(module.register_forward_hook(hook(name)))
        with as_found(model, grad), looking(model, see):
            out = call(model, few)
            met.output = [t.detach() for _, t in tensors_in(out)]
    finally:
        for h in handles:
            h.remove()
    return met


def _channels(s: Seen, t: torch.Tensor) -> tuple[int, int] | None:
    m = s.module
    if m is None:
        if s.op in _CHANNELS_FIRST and t.ndim > 1:
            return 1, t.shape[1]
        return (-1, t.shape[-1]) if s.op in _CHANNELS_LAST and t.ndim > 1 else None
    for kinds, axis, name in (
        (
            (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
            1,
            "out_channels",
        ),
        ((nn.modules.batchnorm._NormBase,), 1, "num_features"),
        ((nn.GroupNorm,), 1, "num_channels"),
        ((nn.Linear,), -1, "out_features"),
        ((nn.Embedding,), -1, "embedding_dim"),
        ((nn.MultiheadAttention,), -1, "embed_dim"),
    ):
        if isinstance(m, kinds):
            return axis, int(getattr(m, name))
    if isinstance(m, nn.LayerNorm) and len(m.normalized_shape) == 1:
        return -1, int(m.normalized_shape[0])
    if isinstance(m, nn.GLU):
        return (1, t.shape[1]) if m.dim in (1, 1 - t.ndim) and t.ndim > 2 else (-1, t.shape[-1])
    if isinstance(m, nn.RNNBase) and t.ndim == 3:
        return -1, t.shape[-1]
    return None


def _has_class_token(model: nn.Module) -> bool:
    if any(name.rpartition(".")[2] in _CLASS_TOKENS for name, _ in model.named_parameters()):
        return True
    return getattr(getattr(model, "config", None), "model_type", None) in _CLS_MODELS


def _mask_of(inputs: Any) -> torch.Tensor | None:
    mask = inputs.get("attention_mask") if isinstance(inputs, dict) else None
    return mask if isinstance(mask, torch.Tensor) and mask.ndim == 2 else None


def _head(met: _Met, found: list[Place], classes: int | None) -> tuple[Head | str, str]:
    """The last linear map whose output is the model's, as it is or under a softmax."""
    for name, module, given, out in reversed(met.linear):
        if not met.output or not _is_output(out, met.output[0]):
            continue
        if given.ndim != 2:
            return (
                f"the last linear map, {name}, reads [{', '.join(map(str, given.shape))}], "
                "more than one row per sample",
                "",
            )
        if out.shape[1] < 2:
            return f"the last linear map, {name}, has one output", ""
        if classes is not None and out.shape[1] != classes:
            return f"the last linear map, {name}, has {out.shape[1]} outputs and the targets {classes} classes", ""
        bias = None if module.bias is None else module.bias.detach()
        same = next(
            (
                p.layer.name
                for p in found
                if p.site and p.kept is None and p.layer.role != "output" and _feeds(p, met, given)
            ),
            None,
        )
        return Head(weight=module.weight.detach(), bias=bias, layer=same or f"input of {name}"), name
    return (
        "no linear map gives the model's output (a module nn.Linear whose output, or its softmax, is the model's)",
        "",
    )


def _is_output(a: torch.Tensor, b: torch.Tensor) -> bool:
    if a.shape != b.shape or not b.is_floating_point():
        return False
    a, b = a.float(), b.float()
    return any(_alike(f, b) for f in (a, a.softmax(-1), a.log_softmax(-1)))


def _feeds(p: Place, met: _Met, given: torch.Tensor) -> bool:
    t = met.tensors.get(p.site)
    if t is None or p.layer.units != given.shape[1] or p.masked or len(t) != len(given):
        return False
    pooled, _ = p.columns(t.reshape(len(t), -1), None)
    return _alike(pooled, given.to(pooled))


def _alike(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Up to rounding, of numbers of any size: of activations of 1e-8 a fixed 1e-6 would hold for any two layers."""
    size = float(b.abs().nan_to_num(0.0, posinf=0.0).amax()) if b.numel() else 0.0
    return torch.allclose(a, b, rtol=1e-4, atol=1e-6 * size)


def check_single(model: nn.Module) -> None:
    """InputError: the model is many networks in one, or has no values."""
    meta = next((name for name, p in model.named_parameters() if p.is_meta), None)
    if meta is not None:
        raise InputError(
            f"{meta} is on the meta device and has no values; model.to_empty(device='cpu') and load weights"
        )
    if getattr(model, "seeds", None) is not None and hasattr(model, "network"):
        raise InputError("the model is a Population; inspect one network of it: population.network(0)")
