"""Which form of a routing runs: four that compute the same, differing in speed, memory and what they ask for.

"native": compiled C on the CPU, in float32, votes never kept; needs a C compiler once (see `native.building`).
"triton": kernels for CUDA, in float32, where triton can be imported; votes never kept (see `on_gpu`).
"recompute": torch alone, any device and dtype, a few examples at a time, votes made again in the backward pass.
"eager": plain torch, every operation seen by autograd; for torch.compile, torch.export, second derivatives and torch.func.
"auto" takes eager while torch traces, native or triton where it can, and recompute for the rest; eager where votes are few, for EM
and for dynamic routing of one or two examples on the CPU: the compiled kernel has 16 lanes to fill, and was half as fast.
"""

import torch

from deeptheory.capsules.native.building import missing
from deeptheory.capsules.on_gpu import dynamic as on_gpu
from deeptheory.errors import MissingDependency
from deeptheory.names import pick

BACKENDS = ("auto", "eager", "recompute", "native", "triton")
_SMALL = 64 << 20  # bytes of votes up to which eager is as good
_FEW = 2  # examples that are not worth the compiled kernel's lanes (measured with 1152 children and 10 parents)


def backends() -> dict[str, str]:
    """Each backend with "yes", or the reason why it cannot be had here."""
    reasons = [why for why in (missing("dynamic"), missing("em")) if why]
    gpu = on_gpu.missing(torch.empty(0, device="cuda" if torch.cuda.is_available() else "cpu"))
    return {"eager": "yes", "recompute": "yes", "native": reasons[0] if reasons else "yes", "triton": gpu or "yes"}


def choose(
    backend: str,
    kernel: str,
    x: torch.Tensor,
    *,
    votes: int,
    unable: str | None = None,
    to: tuple[int, int] | None = None,
) -> str:
    """The backend to take. kernel: of the compiled form; votes: bytes of them; unable: why the compiled form cannot do it; to: parents
    and numbers of each, for dynamic routing.

    InputError: an unknown name. MissingDependency: "native" or "triton" was asked for and cannot be had.
    """
    pick(dict.fromkeys(BACKENDS), backend, what="backend")
    if backend in ("eager", "recompute"):
        return backend
    if backend == "auto" and torch.compiler.is_compiling():
        return "eager"
    name = backend if backend != "auto" else "triton" if x.device.type == "cuda" else "native"
    few = kernel == "dynamic" and x.device.type == "cpu" and len(x) <= _FEW
    why = unable or (_not_native(kernel, x) if name == "native" else on_gpu.missing(x, *(to or (1, 1))))
    if why is not None and name == backend:
        raise MissingDependency(f'backend="{backend}" cannot be had: {why}; backend="auto" takes another')
    if why is None and not (few and backend == "auto"):
        return name
    return "eager" if votes <= _SMALL and (few or kernel == "em") else "recompute"


def _not_native(kernel: str, x: torch.Tensor) -> str | None:
    if x.device.type != "cpu":
        return f"the compiled kernel runs on the CPU, and the tensors are on {x.device}"
    if x.dtype == torch.float64:
        return "the compiled kernel computes in float32, and the tensors are float64"
    return missing(kernel)
