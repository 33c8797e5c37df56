"""Arrays come as numpy or torch and are returned in kind; this file knows the crossing.

Trap: bfloat16 has no numpy form; it crosses as float32, exactly.
"""

from typing import Any

import numpy as np

Array = Any  # numpy.ndarray or torch.Tensor; torch is imported late, so the type is not spelled out


def is_torch(x: Any) -> bool:
    """Whether x is a torch tensor, asked without importing torch."""
    return type(x).__module__.partition(".")[0] == "torch" or hasattr(x, "__torch_function__")


def as_tensor(x: Any):
    """x as a torch tensor on its own device and dtype; shares memory where it can. Lists become float64 or int64."""
    import torch

    return x if isinstance(x, torch.Tensor) else torch.as_tensor(np.asarray(x))


def as_numpy(x: Any) -> np.ndarray:
    """x as a numpy array on the host, detached; bfloat16 becomes float32."""
    if not is_torch(x):
        return np.asarray(x)
    import torch

    x = x.detach().cpu()
    return (x.float() if x.dtype == torch.bfloat16 else x).numpy()


def like(result: Any, reference: Any):
    """result in the kind of reference: numpy in, numpy out; a tensor comes back on the reference's device."""
    if is_torch(reference):
        return as_tensor(result).to(reference.device)
    return as_numpy(result)
