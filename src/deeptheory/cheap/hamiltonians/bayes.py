"""Bayes' rule as the last layer of a network: p(y | x) = softmax(-H(x) - mu).

Source: Lin, Tegmark & Rolnick 2017, section II, with H_y(x) = -ln p(x | y), the surprisal of x, and mu_y = -ln p(y).
A network that computes the vector H(x), followed by a softmax whose bias is the log prior, is the exact posterior.
Pitfall: H carries its normalization. Energies without their ln Z_y give another prior than the one that was stated.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import nn

from deeptheory.core.arrays import real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_finite, check_shapes


class BayesSoftmax(nn.Module):
    """The exact posterior p(y | x), [..., classes], as a network.

    p(y | x) = softmax(-H(x) - mu), H_y(x) = -ln p(x | y), mu_y = -ln p(y) (Lin, Tegmark & Rolnick 2017, section II).
    hamiltonians: a module or function x [..., d] -> [..., classes] in nats, or a list of them, one per class, each x ->
    [...] or [..., 1]; ln Z_y is part of it, or the priors are others. priors: p(y), [classes], in the dtype of the
    softmax; None: all alike (a single function then needs `.classes`). `log_prior` is a parameter, so that what is
    known can be the start of training.
    Where all H are so large that rounding hides their differences, or infinite, a Hamiltonian with `relative`
    (GaussianHamiltonian) gives the differences.

    InputError: no Hamiltonian, priors that are no distribution, hold a 0 or are of another number than the
    Hamiltonians; H(x) that is infinite for all classes, or NaN, and known no better.
    """

    def __init__(self, hamiltonians: Callable | Sequence[Callable], priors=None):
        super().__init__()
        several = isinstance(hamiltonians, Sequence | nn.ModuleList)
        self.count = len(hamiltonians) if several else None  # type: ignore[arg-type]
        if self.count == 0:
            raise InputError("hamiltonians is empty; a posterior needs at least one class")
        if priors is None:
            classes = self.count or getattr(hamiltonians, "classes", None)
            if classes is None:
                raise InputError("priors is None and the Hamiltonian does not say its `classes`; give the priors")
            priors = torch.full((classes,), 1 / classes, dtype=_dtype(hamiltonians))
        priors = real_tensor("priors", priors, torch.get_default_dtype())
        _check_distribution(priors)
        if self.count is not None and len(priors) != self.count:
            raise InputError(f"priors has {len(priors)} entries for {self.count} Hamiltonians; give one each")
        self.log_prior = nn.Parameter(priors.log())
        parts = list(hamiltonians) if several else [hamiltonians]  # type: ignore[arg-type]
        self.hamiltonians = nn.ModuleList([h if isinstance(h, nn.Module) else _Function(h) for h in parts])

    def energies(self, x: torch.Tensor) -> torch.Tensor:
        """H_y(x) in nats: x [..., d] -> [..., classes].

        Of rows so large that rounding hides the differences between classes, and of a Hamiltonian with `relative`: H of
        each class minus H of one of them (about the least), so that only differences within a row have a meaning.
        InputError: H of another number of classes, NaN, or infinite for every class.
        """
        x = real_tensor("x", x, self.log_prior.dtype)
        if self.count is None:
            h = self.hamiltonians[0](x)
        else:
            columns = [part(x) for part in self.hamiltonians]
            h = torch.stack([c.squeeze(-1) if c.ndim == x.ndim else c for c in columns], dim=-1)
        if h.shape[-1] != len(self.log_prior):
            raise InputError(
                f"the Hamiltonian gives {h.shape[-1]} classes, priors {len(self.log_prior)}; give one each"
            )
        if not torch.compiler.is_compiling() and not torch.onnx.is_in_onnx_export():
            h = self._told_apart(h, x)
        return h

    def _told_apart(self, h: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """The energies; of rows so large throughout that rounding hides their differences, less that of one class."""
        relative = getattr(self.hamiltonians[0], "relative", None) if self.count is None else None
        largest = 1e-6 / torch.finfo(h.dtype).eps if relative is not None else math.inf
        lost = (h.isnan() | (h >= largest)).all(-1) | h.isnan().any(-1)
        if not bool(lost.any()):
            return h
        if relative is None or not bool(torch.isfinite(x[lost]).all()):
            row = tuple(int(v) for v in lost.nonzero()[0])
            raise InputError(
                f"the Hamiltonian is NaN, or infinite for every class, at row {row} of x; "
                "narrow x or give H relative to one class"
            )
        return torch.where(lost.unsqueeze(-1), relative(x), h)

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """-H(x) - mu in nats: x [..., d] -> [..., classes].

        InputError: H of another number of classes, NaN, or infinite for every class.
        """
        return self.log_prior - self.energies(x)

    def log_posterior(self, x: torch.Tensor) -> torch.Tensor:
        """ln p(y | x), x [..., d] -> [..., classes]. InputError: see logits."""
        return self.logits(x).log_softmax(-1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """p(y | x): x [..., d] -> [..., classes]. InputError: see logits."""
        return self.logits(x).softmax(-1)

    def extra_repr(self) -> str:
        """Number of classes, for torch's repr."""
        return f"{len(self.log_prior)} classes"


class GaussianHamiltonian(nn.Module):
    """H_y(x) = (x - m_y)' P_y (x - m_y) / 2 + ln det(2 pi S_y) / 2 of Gaussian classes: quadratic in x.

    Of covariance S_y = P_y^-1 (Lin, Tegmark & Rolnick 2017, section II). means: [classes, d]. covariances: [classes, d,
    d], or [d, d] for all (then H differs between classes by a linear function only), brought to the means' dtype.
    forward: x [..., d] -> [..., classes] in nats, x in that dtype; NaN where x is. `polynomials(names)`: the same
    as sympy expressions, for compile_polynomial. `means`, `whiten` (P = whiten' whiten) and `offset` are parameters of
    their own.

    InputError: shapes that do not fit, NaN, a covariance that is not symmetric and positive definite.
    """

    def __init__(self, means, covariances):
        super().__init__()
        means, covariances = real_tensor("means", means, torch.float64), real_tensor("covariances", covariances)
        covariances = covariances.to(means)
        if covariances.ndim == 2:
            covariances = covariances.expand(len(means), *covariances.shape)
        check_shapes(means=(means, "classes d"), covariances=(covariances, "classes d d"))
        check_finite(means=means, covariances=covariances)
        spread = covariances.diagonal(dim1=-2, dim2=-1).abs().sqrt()
        near = 1e-5 * torch.maximum(covariances.abs(), spread[..., None] * spread[..., None, :])  # 0 is rounded, too
        if bool(((covariances - covariances.mT).abs() > near).any()):
            raise InputError("covariances are not symmetric; give (S + S') / 2")
        factor, failed = torch.linalg.cholesky_ex(covariances.double())
        if bool((failed > 0).any()):
            raise InputError(f"the covariance of class {int(failed.argmax())} is not positive definite")
        eye = torch.eye(means.shape[1], dtype=torch.float64, device=means.device)
        whiten = torch.linalg.solve_triangular(factor, eye.expand_as(factor), upper=False)  # L^-1: P = L^-T L^-1
        log_det = 2 * factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        self.classes = len(means)
        self.means = nn.Parameter(means.clone())
        self.whiten = nn.Parameter(whiten.to(means))
        self.offset = nn.Parameter((0.5 * (log_det + means.shape[1] * math.log(2 * math.pi))).to(means))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """H_y(x) in nats: x [..., d] -> [..., classes]. InputError: another d."""
        x = real_tensor("x", x, self.means.dtype)
        check_shapes(x=(x, f"... {self.means.shape[1]}"))
        z = torch.einsum("cij,...cj->...ci", self.whiten, x.unsqueeze(-2) - self.means)
        return 0.5 * z.square().sum(-1) + self.offset

    def relative(self, x: torch.Tensor) -> torch.Tensor:
        """H_y(x) - H_k(x), k the class of least H but for its constants: x [..., d] -> [..., classes], nats.

        Accurate where H itself is so large that rounding hides the differences; inf where they are beyond the floats,
        NaN where x is. InputError: another d, complex numbers.
        """
        x = real_tensor("x", x, self.means.dtype)
        check_shapes(x=(x, f"... {self.means.shape[1]}"))
        middle = self.means.mean(0)
        x = x - middle
        size = x.abs().amax(-1, keepdim=True).clamp_min(1.0)  # [..., 1]
        u = torch.einsum("cij,...j->...ci", self.whiten, x / size)
        m = torch.einsum("cij,cj->ci", self.whiten, self.means - middle)
        squares, lines = 0.5 * u.square().sum(-1), -(u * m).sum(-1)  # H = size^2 squares + size lines + rest
        rest = 0.5 * m.square().sum(-1) + self.offset
        best = (squares * size + lines).argmin(-1, keepdim=True)
        apart = [v - v.gather(-1, best) for v in (squares, lines, rest.expand_as(lines))]
        return size * (size * apart[0] + apart[1]) + apart[2]

    def polynomials(self, names: Sequence[str]) -> list:
        """H_y, in nats, as sympy expressions of degree 2 in the named variables, one per class; detached.

        InputError: another number of names.
        """
        import sympy

        d = self.means.shape[1]
        if len(names) != d:
            raise InputError(f"names has {len(names)} entries; these Gaussians have {d} variables")
        x = sympy.Matrix(sympy.symbols(list(names)))
        out = []
        for mean, whiten, offset in zip(self.means.detach(), self.whiten.detach(), self.offset.detach()):
            z = sympy.Matrix(whiten.double().tolist()) * (x - sympy.Matrix(mean.double().tolist()))
            out.append(sympy.expand((z.T * z)[0] / 2 + float(offset)))
        return out


class _Function(nn.Module):
    """A plain function as a module."""

    def __init__(self, function: Callable):
        super().__init__()
        if not callable(function):
            raise InputError(f"a Hamiltonian is {function!r}; needed: a module or a function of x")
        self.function = function

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.function(x)


def _check_distribution(p: torch.Tensor) -> None:
    if p.ndim != 1 or not len(p) or not bool((p > 0).all()) or abs(float(p.double().sum()) - 1) > 1e-5:
        raise InputError(f"priors is {p.tolist()}; needed: probabilities above 0 that sum to 1, one per class")


def _dtype(hamiltonians) -> torch.dtype:
    parts = hamiltonians if isinstance(hamiltonians, Sequence | nn.ModuleList) else [hamiltonians]
    for part in parts:
        for p in part.parameters() if isinstance(part, nn.Module) else ():
            return p.dtype
    return torch.get_default_dtype()
