"""The compiled network: linear layers and one activation, nothing else.

Each hidden layer of neurons is gather -> spread -> activation -> collect. gather forms the factors of each gate,
scaled to [-1, 1]; spread holds the gates' small input weights; collect their large output weights.
Why the three linear maps between two activations are not multiplied out: the rounding of a factor is then common to
all neurons of its gate, and the gate does not amplify it by scale^-d.
"""

import hashlib

import torch
from torch import nn

from deeptheory.cheap.certificate import Certificate
from deeptheory.errors import InputError


class Stage(nn.Module):
    """One hidden layer: [..., values] -> [..., values]."""

    def __init__(self, gather: nn.Linear, spread: nn.Linear, collect: nn.Linear, activation):
        super().__init__()
        self.gather, self.spread, self.collect = gather, spread, collect
        self.activation = activation

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.collect(self.activation(self.spread(self.gather(values))))


class CompiledNetwork(nn.Module):
    """A formula as neurons, with its weights set and free to be trained: x [..., variables] -> [..., outputs].

    variables: their order in x. expression: what was compiled (a sympy expression, or a tuple of them).
    certificate: of the weights as compiled; `certified` turns False once they change. neurons: hidden units;
    synapses: non-zero weights, biases not counted; depth: hidden layers.
    """

    def __init__(self, stages, output: nn.Linear, *, variables, expression, certificate: Certificate):
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.output = output
        self.variables: tuple[str, ...] = tuple(variables)
        self.expression = expression
        self.certificate = certificate
        self._print = self._fingerprint()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[-1] != len(self.variables):
            raise InputError(
                f"x has shape {list(x.shape)}; its last axis holds {', '.join(self.variables) or 'no variable'}"
            )
        for stage in self.stages:
            x = stage(x)
        return self.output(x)

    @property
    def depth(self) -> int:
        return len(self.stages)

    @property
    def neurons(self) -> int:
        return sum(stage.spread.out_features for stage in self.stages)  # type: ignore[union-attr]

    @property
    def synapses(self) -> int:
        return int(sum(torch.count_nonzero(m.weight) for m in self.modules() if isinstance(m, nn.Linear)))

    @property
    def certified(self) -> bool:
        """Whether the weights are still those that the certificate is about."""
        return self._fingerprint() == self._print

    def _fingerprint(self) -> bytes:
        digest = hashlib.blake2b()
        for p in self.parameters():
            digest.update(p.detach().cpu().numpy().tobytes())
        return digest.digest()

    def extra_repr(self) -> str:
        return f"{self.expression}: {self.neurons} neurons, {self.depth} hidden layers, within {self.certificate.total:.3g}"


def linear(weight, bias, dtype: torch.dtype) -> nn.Linear:
    """A Linear with these numbers (float64 arrays); a bias of zeros is left out."""
    weight = torch.as_tensor(weight, dtype=torch.float64).to(dtype)
    keep = bias is not None and bool((torch.as_tensor(bias) != 0).any())
    layer = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0], bias=keep, dtype=dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if keep:
            layer.bias.copy_(torch.as_tensor(bias, dtype=torch.float64))
    return layer
