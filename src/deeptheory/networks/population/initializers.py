"""How a layer's weights begin: functions of (fan_in, fan_out, generator) -> (weight [out, in], bias [out]), float64."""

from collections.abc import Callable
from typing import Literal

import torch


def truncated_normal(fan_in: int, fan_out: int, generator: torch.Generator):
    """Normal of std 1/sqrt(fan in), drawn again beyond two std; biases 0 (released code of Shwartz-Ziv & Tishby)."""
    return _truncated(fan_in, fan_out, fan_in**-0.5, generator), torch.zeros(fan_out, dtype=torch.float64)


def truncated_normal_fan_out(fan_in: int, fan_out: int, generator: torch.Generator):
    """The same with std 1/sqrt(fan out) (released code of Saxe et al. 2018)."""
    return _truncated(fan_in, fan_out, fan_out**-0.5, generator), torch.zeros(fan_out, dtype=torch.float64)


def xavier(fan_in: int, fan_out: int, generator: torch.Generator):
    """Uniform within sqrt(6 / (fan in + fan out)); biases 0 (Glorot & Bengio 2010)."""
    return _uniform((fan_out, fan_in), (6 / (fan_in + fan_out)) ** 0.5, generator), torch.zeros(
        fan_out, dtype=torch.float64
    )


def torch_default(fan_in: int, fan_out: int, generator: torch.Generator):
    """Weights and biases uniform within 1/sqrt(fan in), as torch.nn.Linear's."""
    bound = fan_in**-0.5
    return _uniform((fan_out, fan_in), bound, generator), _uniform((fan_out,), bound, generator)


def _truncated(fan_in: int, fan_out: int, std: float, generator: torch.Generator) -> torch.Tensor:
    weight = torch.empty(fan_out, fan_in, dtype=torch.float64)
    return torch.nn.init.trunc_normal_(weight, std=std, a=-2 * std, b=2 * std, generator=generator)


def _uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator) -> torch.Tensor:
    return torch.empty(shape, dtype=torch.float64).uniform_(-bound, bound, generator=generator)


Initializer = Literal["truncated_normal", "truncated_normal_fan_out", "xavier", "torch_default"]
INITIALIZERS: dict[str, Callable] = {
    "truncated_normal": truncated_normal,
    "truncated_normal_fan_out": truncated_normal_fan_out,
    "xavier": xavier,
    "torch_default": torch_default,
}
