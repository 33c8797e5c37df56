"""What compile_polynomial returns: a trainable network of neurons alone, with its formula and its certificate."""

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from deeptheory.cheap.compile.certificates import Certificate
from deeptheory.cheap.compile.gates import Activate, check_input, linear
from deeptheory.cheap.compile.rounding import representable
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError, MissingDependency
from deeptheory.core.shapes import check_shapes

if TYPE_CHECKING:
    import sympy

    from deeptheory.cheap.compile.activations import Activation
    from deeptheory.cheap.compile.assembling import Block


class CompiledNetwork(nn.Module):
    """[..., variables] -> [..., outputs]: per hidden layer a Linear, the activation, and a Linear that adds up.

    Made by compile_polynomial. Inputs have the network's dtype (InputError else). Outside the domain the output is
    whatever the neurons make of it, without a warning, and the certificate says nothing: .inside(x) tells which rows
    lie in it. Weights are parameters and can be trained.

    .expression: sympy, or a list of them for several outputs. .variables: names, in the order of the inputs. .depth:
    hidden layers. .neurons: units with an activation. .synapses: weights that are not 0. .certificate: of the weights
    as compiled; InputError once they have changed. .expansions: functions that became polynomials, with their degrees.
    """

    def __init__(
        self,
        blocks: Sequence["Block"],
        affine: tuple[np.ndarray, np.ndarray] | None,
        *,
        activation: "Activation",
        dtype: torch.dtype,
        **said: Any,
    ):
        super().__init__()
        parts: list[nn.Module] = []
        for b in blocks:
            parts += [
                linear(b.inner, b.bias, dtype),
                Activate(activation.function, activation.name),
                linear(b.outer, b.constant, dtype),
            ]
        if affine is not None:
            parts.append(linear(*affine, dtype))
        self.layers = nn.Sequential(*parts)
        self.widths = tuple(len(b.bias) for b in blocks)
        self.variables: tuple[str, ...] = said["variables"]
        self.expressions: tuple[sympy.Expr, ...] = said["expressions"]
        self.several: bool = said["several"]
        self.expansions: tuple[tuple[str, int], ...] = said["expansions"]
        self._certificate: Certificate = said["certificate"]
        self._mark = self._fingerprint()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: [..., variables] in the network's dtype -> [..., outputs]; NaN where x is NaN or infinite.

        InputError: another shape or dtype.
        """
        check_input(x, self.layers, len(self.variables))
        return self.layers(x)

    def inside(self, x: torch.Tensor) -> torch.Tensor:
        """Which rows of x [..., variables] lie in the domain of the certificate: bool [...] on x's device.

        x may have any dtype. Ends belong to it, as the network's dtype has them; NaN does not. InputError: another
        shape, complex numbers.
        """
        x = as_tensor(x)
        check_shapes(x=(x, f"... {len(self.variables)}"))
        if x.is_complex():
            raise InputError(f"x is {x.dtype}; needed: real numbers")
        bits = {"float64": 53, "float32": 24}[self._certificate.dtype]  # ends as the dtype has them are inside
        sides = [representable(low, high, bits) for low, high in self._certificate.domain.values()]
        low, high = (torch.tensor(ends, dtype=torch.float64) for ends in zip(*sides))
        wide = x.double().cpu()
        return ((wide >= low) & (wide <= high)).all(-1).to(x.device)

    @property
    def expression(self) -> "sympy.Expr | list[sympy.Expr]":
        """The formula (sympy), or a list of them where there are several outputs."""
        return list(self.expressions) if self.several else self.expressions[0]

    @property
    def depth(self) -> int:
        """Number of hidden layers; 0 where the formula is linear."""
        return len(self.widths)

    @property
    def neurons(self) -> int:
        """Number of hidden units, of all layers."""
        return sum(self.widths)

    @property
    def synapses(self) -> int:
        """Number of weights that are not 0 now, inner and outer ones; biases do not count."""
        return sum(int((m.weight != 0).sum()) for m in self.layers if isinstance(m, nn.Linear))

    @property
    def as_compiled(self) -> bool:
        """Whether weights, biases and dtype are, bit for bit, those that were compiled."""
        return self._fingerprint() == self._mark

    @property
    def certificate(self) -> Certificate:
        """Bounds of the error over the domain, see Certificate. InputError: the weights have changed since."""
        if not self.as_compiled:
            raise InputError(
                "the weights have changed since they were compiled, and the certificate spoke of those; "
                "to_polynomial(network, degree, domain) reads what they say now"
            )
        return self._certificate

    def _fingerprint(self) -> str:
        seen = hashlib.sha256()
        for p in self.parameters():
            seen.update(str(p.dtype).encode())
            seen.update(p.detach().cpu().contiguous().numpy().tobytes())
        return seen.hexdigest()

    def extra_repr(self) -> str:
        """What was compiled, for torch's repr."""
        shown = ", ".join(map(str, self.expressions))
        shown = shown if len(shown) < 60 else shown[:57] + "..."
        return f"{shown}; {self.neurons} neurons in {self.depth} layers, within {self._certificate.total:.3g}"

    def example(self) -> torch.Tensor:
        """Two points of the domain, its lowest and its highest corner, in the network's dtype: [2, variables]."""
        box = list(self._certificate.domain.values())
        first = next(self.parameters())
        return torch.tensor(
            [[low for low, _ in box], [high for _, high in box]], dtype=first.dtype, device=first.device
        )

    def export(self) -> Any:
        """A torch.export.ExportedProgram of the network, x [rows, variables] -> [rows, outputs], any number of rows.

        InputError: no variable, so that it has no input.
        """
        if not self.variables:
            raise InputError(
                f"{self.expressions[0]} has no variable, so that there is no network to export; name one: "
                f"domain={{'x': (-1, 1)}}, or --where x=-1,1"
            )
        rows = torch.export.Dim("rows")
        return torch.export.export(self, (self.example(),), dynamic_shapes={"x": {0: rows}})

    def to_onnx(self, path: Any) -> None:
        """Write the network as an ONNX file at path, x [rows, variables] -> [rows, outputs], any number of rows.

        MissingDependency: onnxscript, torch's exporter, is not installed. InputError: gelu or softplus in float64,
        which onnxruntime cannot run.
        """
        names = {m.name for m in self.layers if isinstance(m, Activate)} & {"gelu", "softplus"}
        if names and self.example().dtype == torch.float64:
            raise InputError(
                f"onnxruntime runs no {names.pop()} in float64; compile with dtype=torch.float32, "
                "or with activation='silu'"
            )
        try:
            import onnxscript as _  # noqa: F401  # type: ignore[import-not-found]
        except ImportError as error:
            raise MissingDependency("ONNX needs torch's exporter: pip install onnxscript") from error
        rows = torch.export.Dim("rows")
        torch.onnx.export(
            self, (self.example(),), str(path), dynamo=True, dynamic_shapes={"x": {0: rows}}, verbose=False
        )
