"""What one forward pass shows, and which of it is an activation, a block of a residual stream, or refused and why.

Which axis is the samples' is told by a second pass with fewer of them: [time, n] and [n, n] can look like [n, unit].
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from deeptheory.core.transforms import wrapped
from deeptheory.recording.dataflow import Key, Row, Trace
from deeptheory.recording.inputs import call, cut, sample_count
from deeptheory.recording.operations import ACTIVATIONS, CLIPS
from deeptheory.recording.sites import OUTPUT, clean, is_nonlinear, looking

_WHY = {
    "output": "the model's output",
    "activation": "a nonlinearity",
    "block": "a block of a residual stream",
}
_COMPANY = 1e-4  # of the largest value: rounding of batched sums is 1e-6 in float32
_COARSE = 1e-2  # the same where any tensor on the way has half precision
_SOFTMAX = frozenset({"softmax", "log_softmax", "softmin", "gumbel_softmax"})


@dataclass(frozen=True)
class Site:
    """One tensor that the forward pass shows. role: "activation", "block", "output" or ""
    (not recorded unless asked for). refusal: why it cannot be recorded, or None. why: the same, or its role, in words.
    pairs: two axes grow with the samples. mixed: samples have other values in the company of others. first: numbers of
    the first samples, to compare (few_of), with `far` the share of the largest that tells."""

    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    bytes: int
    role: str
    refusal: str | None
    why: str
    pairs: bool = False
    mixed: bool = False
    first: Any = None
    far: float = _COMPANY


def sites(model: nn.Module, inputs: Any, select: Any = None, seeds: int | None = None) -> tuple[list[Site], set[str]]:
    """Every tensor that the forward pass shows, in its order, then the modules that it does not call; and all names
    met, those too of functions that are all their module does.

    inputs: as from as_inputs; all of them go through at once. Call within as_found. seeds: networks on a leading axis.
    """
    n = sample_count(inputs)
    trace = Trace()
    with looking(model, trace.see, select, trace):
        call(model, inputs)
    far = _far(few for _, few in trace.values.values())
    told = _with_fewer(model, inputs, n, select, trace.values, far)
    axes = {name: f.axes for name, f in told.items()}
    rows = _with_a_name_of_their_own(trace)
    refusals = {r.seen.name: refusal(r, (n,) if seeds is None else (seeds, n), axes.get(r.seen.name)) for r in rows}
    roles = _roles(trace, rows)
    first: dict[Key, str] = {}  # one tensor under several names is the output, else an activation, else a block
    for role in _WHY:
        for r in rows:
            if roles[r.seen.name] == role and refusals[r.seen.name] is None:
                first.setdefault(r.key, r.seen.name)
    called = {r.key: r.seen.name for r in rows}
    out = []
    for r in rows:
        name, role = r.seen.name, roles[r.seen.name]
        other = first.get(r.key, name)
        if refusals[name] is not None:
            why = str(refusals[name])
        elif other != name:
            role, why = (
                "",
                "the same tensor as the model's output" if other == OUTPUT else f"the same tensor as {other}",
            )
        elif r.key in trace.factors:
            why = f"a factor of {called.get(trace.factors[r.key], 'a larger activation')}"
        elif r.seen.op in _SOFTMAX or isinstance(r.seen.module, nn.Softmax | nn.LogSoftmax):
            why = _WHY.get(role, "a softmax; ask for it by name")
        else:
            why = _WHY.get(role, "not a nonlinearity")
        dtype = str(r.seen.tensor.dtype).removeprefix("torch.")
        size = torch.Size(r.shape).numel() * r.seen.tensor.element_size()
        out.append(
            Site(
                name,
                r.seen.kind,
                r.shape,
                dtype,
                size,
                role,
                refusals[name],
                why,
                len(axes.get(name, ())) > 1,
                name in told and told[name].mixed,
                told[name].first if name in told else None,
                far,
            )
        )
    out += _never_called(model, {r.seen.where for r in trace.rows if r.seen.module is not None}, n)
    return out, {r.seen.name for r in trace.rows}


def refusal(row: Row, lead: tuple[int, ...], axes: tuple[int, ...] | None) -> str | None:
    """Why a tensor cannot be an activation [sample, unit...], or None. axes: those that vary with the samples,
    if known."""
    t, shape = row.seen.tensor, list(row.shape)
    if wrapped(t):
        return (
            "inside a transform of torch.func, where its values are not to be had; "
            "call the function outside of it as well"
        )
    if t.layout != torch.strided or t.is_nested:
        return (
            f"not a dense tensor ({'nested' if t.is_nested else str(t.layout).removeprefix('torch.')}); "
            "select= can make it one"
        )
    if not t.is_floating_point():
        more = "; select= can take .abs()" if t.is_complex() else ""
        return f"not real numbers ({str(t.dtype).removeprefix('torch.')}){more}"
    what = "samples" if len(lead) == 1 else "seeds and samples"
    at = len(lead) - 1
    moved = f"; the samples are its axis {axes[0]}: select= can move them" if axes and axes[0] != at else ""
    if row.shape[: len(lead)] != lead:
        return f"shape {shape} does not begin with the {what} {list(lead)}{moved}"
    if axes is not None and at not in axes:
        return (
            f"shape {shape} does not begin with the samples, whatever its length: "
            f"axis {at} is as long with fewer of them{moved}"
        )
    if 0 in shape:
        return f"empty: shape {shape}"
    return None


@dataclass
class _Fewer:
    """What a pass of fewer samples tells of a tensor: the axes that vary with their number, and whether the same
    samples have other values in other company, as far as is known."""

    axes: tuple[int, ...]
    mixed: bool
    first: Any  # numbers of the first samples, where they are known not to vary with what is drawn at random


def _with_fewer(
    model: nn.Module, inputs: Any, n: int, select: Any, values: dict[str, Any], far: float
) -> dict[str, _Fewer]:
    """By name; nothing for a model that takes no other number of samples. values: those of a Trace of all n."""
    if n < 2:
        return {}
    m = 3 if n > 3 else n - 1
    drew = torch.get_rng_state()
    try:
        other = Trace()
        with looking(model, other.see, select):
            call(model, cut(inputs, n, 0, m))
        fewer = other.values
    except Exception:  # whatever is raised by a model made for one number of samples
        return {}
    random = not torch.equal(drew, torch.get_rng_state())  # other numbers are drawn for fewer samples
    out = {}
    for name, (more, first) in values.items():
        less, same = fewer.get(name, ((), None))
        if len(less) != len(more):
            continue
        axes = tuple(k for k, (a, b) in enumerate(zip(more, less)) if a != b)
        still = first is not None and same is not None and not random and torch.equal(first, same)
        if still and axes == () and more[:1] == (n,):
            axes = (
                0,
            )  # a table with a row per sample that no input changes, such as an embedding: what is shown is shown
        told = axes == (0,) and not random and (more[0], less[0]) == (n, m) and first is not None and same is not None
        out[name] = _Fewer(axes, bool(told) and differ(first, same, far), first if told else None)
    return out


def _far(tensors: Any) -> float:
    coarse = any(t is not None and t.dtype in (torch.float16, torch.bfloat16) for t in tensors)
    return _COARSE if coarse else _COMPANY


def differ(a: Any, b: Any, far: float) -> bool:
    """Whether samples in both have other values."""
    n = min(len(a), len(b))
    if a.shape[1:] != b.shape[1:] or not a.is_floating_point():
        return False
    size = float(a.abs().max()) if a.numel() else 0.0
    return bool(((a[:n] - b[:n]).abs() > far * size).any())


def _with_a_name_of_their_own(trace: Trace) -> list[Row]:
    """Without functions that are all their module does: `fc.linear` is `fc`, and `act.mul` of a module GELU `act`."""
    given = {(r.seen.where, r.key): r.seen.module for r in trace.rows if r.seen.module is not None and r.seen.where}
    out = []
    for r in trace.rows:
        module = given.get((r.seen.where, r.key)) if r.seen.module is None else None
        if module is None or not (
            _is_bare(module) or (_is_leaf(module) and (_is_library(module) or not _named(r, trace)))
        ):
            out.append(r)
    return out


def _named(r: Row, trace: Trace) -> bool:
    return r.seen.op in ACTIVATIONS and r.key not in trace.wholes


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None


def _is_bare(module: nn.Module) -> bool:
    return next(module.parameters(), None) is None


def _is_library(module: nn.Module) -> bool:
    return type(module).__module__.startswith("torch.nn.modules")


def _roles(trace: Trace, rows: list[Row]) -> dict[str, str]:
    active = {
        r.key
        for r in trace.rows
        if r.seen.op in ACTIVATIONS and (r.seen.op not in CLIPS or r.key in trace.bounded) and trace.from_inputs(r.key)
    }
    active = (active | trace.wholes) - set(trace.factors)
    adding = {id(m) for path, m, _ in trace.streams.values() if path}
    kinds = {type(m) for path, m, _ in trace.streams.values() if path and m is not None and not _is_library(m)}
    outermost = {
        r.key: r.seen.name for r in rows if r.seen.module is not None and r.seen.where and not _is_leaf(r.seen.module)
    }
    written = {next((outermost[k] for k in branch if k in outermost), "") for _, _, branch in trace.streams.values()}
    out: dict[str, str] = {}
    blocks: set[str] = set()
    for r in rows:
        s, module, role = r.seen, r.seen.module, ""
        if module is not None and not s.where:
            role = "output"
        elif r.key in trace.factors:
            pass
        elif module is None:
            unrolled = r.key in trace.streams and not trace.streams[r.key][0]  # the model adds, in its own forward
            role = "activation" if r.key in active else "block" if unrolled else ""
        elif is_nonlinear(module) or (
            r.key in active and (_is_bare(module) or (r.key in trace.wholes and _is_leaf(module)))
        ):
            role = "activation"
        elif (id(module) in adding or type(module) in kinds or s.name in written) and s.call not in blocks:
            role = "block"
            blocks.add(s.call)  # of a tuple, its first tensor
        out[s.name] = role
    return out


def _never_called(model: nn.Module, called: set[str], n: int) -> list[Site]:
    """Modules without a row: TorchScript, or not called, though their parents may use their weights."""
    out: list[Site] = []
    for name, module in model.named_modules():
        path = clean(name)
        inside = any(path.startswith(f"{s.name}.") for s in out)
        if not path or path in called or inside or any(c.startswith(f"{path}.") for c in called):
            continue
        if isinstance(module, torch.jit.ScriptModule):
            why = "a TorchScript module shows nothing to hooks; use the module it was made from"
        elif isinstance(module, nn.ModuleList | nn.ModuleDict | nn.ParameterList | nn.ParameterDict):
            continue
        else:
            why = (
                f"the forward pass of {n} sample{'s' * (n != 1)} does not call it (whoever holds it may use its "
                f"weights)"
            )
        out.append(Site(path, type(module).__name__, (), "", 0, "", why, why))
    return out
