"""Few numbers instead of many: what is done to high-dimensional variables before their information is estimated.

A compressor is a function of (samples [n, d], dims, seed) -> codes [n, dims]. It sees one variable alone, never the
pair, so that it cannot make dependence. A new one: one function, one line in COMPRESSORS.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.powers import near_one
from deeptheory.core.shapes import check_whole, finite_floats

_STEPS = 800


def pca(samples: np.ndarray, dims: int, seed: int) -> np.ndarray:
    """Principal components; linear, so that curved sets of images lose what the other components hold."""
    centered = samples - samples.mean(0)
    u, s, _ = np.linalg.svd(centered, full_matrices=False)
    return u[:, :dims] * s[:dims]


def autoencoder(samples: np.ndarray, dims: int, seed: int) -> np.ndarray:
    """The code of a small autoencoder d-64-32-dims-32-64-d (softplus), trained for 800 steps to give its input back."""
    import torch
    from torch import nn

    from deeptheory.networks import minibatches, train

    scale = samples.std() or 1.0
    x = torch.as_tensor((samples - samples.mean(0)) / scale, dtype=torch.float32)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = _stack(x.shape[1], 64, 32, dims)
        decoder = _stack(dims, 32, 64, x.shape[1])
    both = nn.Sequential(encoder, decoder)

    def loss(module, batch):
        return (module(batch[0]) - batch[0]).square().mean()

    size = min(128, len(x))
    train(both, minibatches(x, batch=size, seed=seed), loss, steps=_STEPS, lr=3e-3, lr_schedule=_falling, seed=seed)
    with torch.no_grad():
        return encoder(x).double().numpy()


def _falling(step: int) -> float:
    return 0.5 * (1 + np.cos(np.pi * min(step / _STEPS, 1.0))) + 1e-3


def _stack(*widths: int):
    from torch import nn

    parts: list[nn.Module] = []
    for k, (i, o) in enumerate(pairwise(widths)):
        parts += [nn.Linear(i, o)] + ([nn.Softplus()] if k < len(widths) - 2 else [])
    return nn.Sequential(*parts)


COMPRESSORS: dict[str, Callable[[np.ndarray, int, int], np.ndarray]] = {"pca": pca, "autoencoder": autoencoder}


def compressed_to(samples: np.ndarray, dims: int, how: str | Callable[..., np.ndarray], seed: int) -> np.ndarray:
    """Codes [n, dims] of samples [n, ...]; at most dims columns come back as they are. InputError: dims below
    1, n below dims, an unknown compressor."""
    from deeptheory.core.names import pick

    check_whole(dims=(dims, None))
    if not isinstance(how, str) and not callable(how):
        raise InputError(f"how is {how!r:.60}; needed: a name or a function (samples [n, d], dims, seed) -> [n, dims]")
    flat = np.asarray(samples, dtype=np.float64).reshape(len(samples), -1)
    if dims < 1 or len(flat) <= dims:
        raise InputError(f"dims is {dims} for {len(flat)} samples; needed: at least 1 and fewer than there are samples")
    if flat.shape[1] <= dims:
        return flat
    flat = near_one(flat)
    if isinstance(how, str):
        return pick(COMPRESSORS, how, what="compressor")(flat, dims, seed)
    code = how(flat, dims, seed)
    if np.ndim(code) != 2 or len(code) != len(flat) or not np.shape(code)[1]:
        raise InputError(f"how gave codes of shape {list(np.shape(code))}; needed: [{len(flat)}, {dims}]")
    return finite_floats("the code that how gave", code)
