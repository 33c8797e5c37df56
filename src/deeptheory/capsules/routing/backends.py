"""Which form of a kernel runs: eager, lean (recompute, little memory) or compiled (torch.compile)?

The forms give the same numbers within rounding. A compiled form costs tens of seconds once a shape, so "auto" never
starts a compiler behind the caller's back for work that is small.
"""

import shutil
from collections.abc import Callable, Mapping
from functools import cache

import torch

from deeptheory.errors import MissingDependency
from deeptheory.names import pick

SMALL = 2**18  # numbers in the votes, below which the eager form is the quickest (1 MiB in float32)


def choose(kernels: Mapping[str, Callable], backend: str, *, numbers: int, device, favourite: str) -> Callable:
    """The kernel named, or for "auto" the favourite; eager under torch.compile or export, and for few votes.

    InputError: an unknown name. MissingDependency: "compiled" on a CPU without a C++ compiler.
    """
    if backend not in ("auto", "eager"):
        chosen = pick({"auto": None, **kernels}, backend, what="routing backend")
        if backend.endswith("compiled") and not can_compile(device.type):
            raise MissingDependency(f"backend={backend!r} needs a C++ compiler (g++ or clang++) on PATH; use 'auto'")
        if not torch.compiler.is_compiling():
            return chosen  # type: ignore[return-value]
    if backend == "eager" or torch.compiler.is_compiling() or numbers < SMALL:
        return kernels["eager"]
    return kernels[favourite]


@cache
def can_compile(device_type: str) -> bool:
    """Whether torch.compile can make machine code here: a C++ compiler for the CPU, Triton for CUDA."""
    if device_type == "cpu":
        return any(shutil.which(name) for name in ("g++", "c++", "clang++"))
    return torch.cuda.is_available()


@cache
def compiled_form(function: Callable) -> Callable:
    """torch.compile of a kernel, one for the process; each new shape is compiled once."""
    return torch.compile(function, dynamic=False)
