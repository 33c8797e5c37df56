"""Which form of a routing runs: four that compute the same, differing in speed, memory and what they ask for.

"native": compiled C on the CPU, in float32, votes never saved; needs a C compiler once (see `native.building`).
"triton": kernels for CUDA, in float32, where triton can be imported; votes never saved (see `on_gpu`).
"recompute": torch alone, any device and dtype, a few examples at a time, votes made again in the backward pass.
"eager": plain torch, every operation seen by autograd.
"auto" chooses by shape: eager where votes are few or the compiled kernel's arithmetic would be mostly idle lanes
(`prefer`), native or triton where they can be had, recompute for the rest. Whatever is asked for, the eager form runs
while torch traces or transforms (compile, export, vmap, jvp) and where a backward pass is itself differentiated: there
is nothing else that they could see.
"""

import warnings
from collections.abc import Callable
from typing import Literal, get_args

import torch

from deeptheory.capsules.native.building import missing
from deeptheory.capsules.on_gpu import dynamic as on_gpu
from deeptheory.capsules.tracing import traced
from deeptheory.core.errors import MissingDependency
from deeptheory.core.names import pick

Backend = Literal["auto", "eager", "recompute", "native", "triton"]
BACKENDS: tuple[Backend, ...] = get_args(Backend)
SMALL = 64 << 20  # bytes of votes up to which they may be kept
_CACHED = 16 << 20  # and up to which that is faster than making them again
_LANES = 16
_WARNED: list[str] = []


def backends() -> dict[str, str]:
    """{backend: "yes", or the reason why it cannot be had here}; all compute the same routing.

    "eager": plain torch, every operation seen by autograd. "recompute": torch alone, any device and dtype, a few
    examples at a time, votes made again in the backward pass. "native": C on the CPU, float32, built on first call by a
    compiler at hand. "triton": CUDA, float32. backend="auto" of the layers chooses among them by shape and device;
    under torch.compile, export, vmap or double backward the eager form runs whatever is asked for.
    """
    reasons = [why for why in (missing(k) for k in ("dynamic", "windowed", "em")) if why]
    gpu = on_gpu.missing(torch.empty(0, device="cuda" if torch.cuda.is_available() else "cpu", dtype=torch.float32))
    return {"eager": "yes", "recompute": "yes", "native": reasons[0] if reasons else "yes", "triton": gpu or "yes"}


def choose(
    backend: str,
    kernel: str,
    x: torch.Tensor,
    *others: torch.Tensor | None,
    votes: int,
    unable: str | None = None,
    to: tuple[int, int] | None = None,
    slower: Callable[[], bool] = lambda: False,
) -> str:
    """The backend to take. kernel: of the compiled form; votes: bytes of them; unable: why the compiled form cannot do
    it; to: parents and numbers of each, for dynamic routing; slower(): whether on a CPU the compiled form is slower
    than the eager one (asked late: a traced size is a symbol).

    InputError: an unknown name. MissingDependency: "native" or "triton" was asked for and cannot be had.
    """
    pick(dict.fromkeys(BACKENDS), backend, what="backend")
    if backend == "eager" or traced(x, *(y for y in others if y is not None)):
        return "eager"
    if votes == 0 or not x.numel():  # an empty batch, or capsules of no numbers: kernels would read beyond the end
        return "eager"
    if backend == "recompute":
        return backend
    name = backend if backend != "auto" else "triton" if x.device.type == "cuda" else "native"
    if backend == "auto" and x.device.type == "cpu" and votes <= SMALL and slower():
        return "eager"
    why = unable or (_not_native(kernel, x) if name == "native" else on_gpu.missing(x, *(to or (1, 1))))
    if why is not None and name == backend:
        raise MissingDependency(f'backend="{backend}" cannot be had: {why}; backend="auto" takes another')
    if why is None:
        return name
    if name == "native":
        _warn(kernel, x, unable)
    return "eager" if votes <= (_CACHED if kernel == "dynamic" else SMALL) else "recompute"


def prefer(batch: int, children: int, parents: int, q: int, p: int) -> bool:
    """Whether dynamic routing of this shape is faster in the eager form than in the compiled one.

    The compiled kernel makes votes again in every pass, p products for each of their numbers, for 16 examples whether
    there are so many or not; the eager form makes them once, by a library's matrix product, and then moves them about.
    Measured on one core, forward and backward (`deeptheory bench --only capsules`): equal at a batch that fills (p + 8)
    / 64 of the lanes. Below two million products per pass what counts is the number of calls, of which the compiled
    form has one each way.
    """
    lanes = _LANES * -(-batch // _LANES)
    return lanes * children * parents * q * p > 2_000_000 and 64 * batch / lanes < p + 8


def _not_native(kernel: str, x: torch.Tensor) -> str | None:
    if x.device.type != "cpu":
        return f"the compiled kernel runs on the CPU, and the tensors are on {x.device}"
    if x.dtype == torch.float64:
        return "the compiled kernel computes in float32, and the tensors are float64"
    return missing(kernel)


def _warn(kernel: str, x: torch.Tensor, unable: str | None) -> None:
    """Once in a process: there could be a compiled kernel and is none."""
    if unable or x.device.type != "cpu" or x.dtype == torch.float64:
        return
    why = missing(kernel)
    if why and not _WARNED:
        _WARNED.append(why)
        warnings.warn(f"routing takes its slower form, in torch alone: {why}", RuntimeWarning, stacklevel=4)
