"""Which form of a routing runs: three that compute the same, differing in speed, memory and what they ask for.

"native": compiled C on the CPU, in float32, votes never kept; needs a C compiler once (see `native.building`).
"recompute": torch alone, any device and dtype, a few examples at a time, votes made again in the backward pass.
"eager": plain torch, every operation seen by autograd; for torch.compile, torch.export, second derivatives and torch.func.
"auto" takes eager while torch traces, native where it can, and recompute for the rest (for EM: once votes are large).
"""

import torch

from deeptheory.capsules.native.building import missing
from deeptheory.errors import MissingDependency
from deeptheory.names import pick

BACKENDS = ("auto", "eager", "recompute", "native")
_SMALL = 64 << 20  # bytes of votes of EM up to which eager is as good


def backends() -> dict[str, str]:
    """Each backend with "yes", or the reason why it cannot be had here."""
    reasons = [why for why in (missing("dynamic"), missing("em")) if why]
    return {"eager": "yes", "recompute": "yes", "native": reasons[0] if reasons else "yes"}


def choose(backend: str, kernel: str, x: torch.Tensor, *, unable: str | None = None, votes: int | None = None) -> str:
    """The backend to take. kernel: of the compiled form; unable: why that cannot do it; votes: bytes of them, for EM.

    InputError: an unknown name. MissingDependency: "native" was asked for and cannot be had.
    """
    pick(dict.fromkeys(BACKENDS), backend, what="backend")
    if backend not in ("auto", "native"):
        return backend
    if backend == "auto" and torch.compiler.is_compiling():
        return "eager"
    why = unable
    if why is None and x.device.type != "cpu":
        why = f"the compiled kernel runs on the CPU, and the tensors are on {x.device}"
    if why is None and x.dtype == torch.float64:
        why = "the compiled kernel computes in float32, and the tensors are float64"
    why = missing(kernel) if why is None else why
    if why is None:
        return "native"
    if backend == "native":
        raise MissingDependency(f'backend="native" cannot be had: {why}; backend="auto" takes another')
    return "eager" if votes is not None and votes <= _SMALL else "recompute"
