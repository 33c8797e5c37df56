"""The passes of dynamic routing by Triton on CUDA: votes in registers, never in memory.

Checked so far by Triton's interpreter on a CPU (TRITON_INTERPRET=1) against the same oracles as every backend, and
compiled for NVIDIA GPUs without running there: nothing is known of its speed on one.
"""

import os
from importlib.util import find_spec

import torch

_TILE = (
    4096  # numbers of a program's block of sums: 16 examples of 10 parents of 16 numbers, rounded up to powers of two
)
_WIDEST = 8192
_WORK = 256 << 20  # bytes of couplings and their gradients at a time
_PROGRAMS = 512  # a few for each multiprocessor of a large GPU


def missing(x: torch.Tensor, parents: int = 1, q: int = 1) -> str | None:
    """Why the Triton kernels cannot route to so many parents of q numbers, or None."""
    if find_spec("triton") is None:
        return "triton is not installed (it comes with torch for CUDA)"
    if x.device.type != "cuda" and not interpreted():
        return f"Triton's kernels run on CUDA, and the tensors are on {x.device}"
    if x.dtype == torch.float64:
        return "Triton's kernels compute in float32, and the tensors are float64"
    if _power(parents) * _power(q) > _WIDEST:
        return f"{parents} parents of {q} numbers are more than the {_WIDEST} that a program of Triton's kernels holds"
    return None


def interpreted() -> bool:
    """Triton runs its programs in Python, on any device: its own switch, to be set before its first import."""
    return os.environ.get("TRITON_INTERPRET") == "1"


def _power(n: int) -> int:
    return 1 << (n - 1).bit_length()


class TritonPasses:
    """See `routing.recomputed.Passes`."""

    @staticmethod
    def examples(weight, iterations):
        """How many examples at a time."""
        return max(1, _WORK // (8 * weight.shape[0] * weight.shape[1] * max(1, iterations - 1)))

    def __init__(self, u, weight, leaky, prior):
        from deeptheory.capsules.on_gpu import dynamic_kernels

        self.kernels = dynamic_kernels
        self.batch, self.children = u.shape[:2]
        self.parents, self.q, self.p = weight.shape[1:]
        self.shares, self.plain = self.parents + leaky, {"dtype": torch.float32, "device": u.device}
        self.u, self.ut = u.float().contiguous(), u.float().permute(1, 2, 0).contiguous()
        self.wt = weight.float().permute(0, 3, 1, 2).contiguous()
        self.prior = None if prior is None else prior.float().contiguous()
        self.sizes = (self.children, self.batch, self.parents, self.q, self.p)
        self.how = {"HAS_PRIOR": prior is not None, "LEAKY": bool(leaky)}
        columns = _power(self.parents) * _power(self.q)
        examples = max(1, min(_power(self.batch), _TILE // columns))
        self.blocks = {"BB": examples, "JB": _power(self.parents), "QB": _power(self.q)}
        self.warps = max(1, min(16, examples * columns // 512))
        self.rows = -(-self.batch // examples)
        self.chunk = max(8, -(-self.children * self.rows // _PROGRAMS))  # children of a part

    def uniform(self):
        """See `routing.recomputed.Passes`."""
        return self._forward(None) / self.shares

    def routed(self, a):
        """See `routing.recomputed.Passes`."""
        return self._forward(self._zeros() if a is None else a.contiguous())

    def coupled(self, a, g):
        """See `routing.recomputed.Passes`."""
        coupling = torch.empty(self.children, self.batch, self.parents, **self.plain)
        gb, total = torch.empty_like(coupling), self._parts()
        a = self._zeros() if a is None else a.contiguous()
        arrays = (self.ut, self.wt, self._or(self.prior), a, g.contiguous(), coupling, gb, total)
        self._run(
            self.kernels.route_backward, self._grid(), *arrays, *self.sizes, self.chunk, **self.how, **self.blocks
        )
        return coupling, gb, total.sum(0)

    def of_prior(self, gb):
        """See `routing.recomputed.Passes`."""
        return gb.sum(1)

    def finish(self, terms, even, gw):
        """See `routing.recomputed.Passes`."""
        factors, sides = (torch.stack([t[k] for t in terms]) if terms else self.u for k in (0, 1))
        even_ = self._or(None if even is None else (even / self.shares).contiguous())
        gut = torch.empty_like(self.ut)
        rest = (*self.sizes, len(terms), even is not None)
        self._run(
            self.kernels.finish_u, (self.rows, self.children), self.wt, factors, sides, even_, gut, *rest, **self.blocks
        )
        p, q = _power(self.p), self.blocks["QB"]
        j = max(1, min(self.blocks["JB"], _TILE // (p * q)))
        grid = (self.children, -(-self.parents // j))
        self._run(self.kernels.finish_weight, grid, self.u, factors, sides, even_, gw, *rest, JB=j, QB=q, PB=p)
        return gut.permute(2, 0, 1)

    def _forward(self, a):
        total = self._parts()
        arrays = (self.ut, self.wt, self._or(self.prior), self._or(a), total)
        self._run(
            self.kernels.route_forward,
            self._grid(),
            *arrays,
            *self.sizes,
            self.chunk,
            UNIFORM=a is None,
            **self.how,
            **self.blocks,
        )
        return total.sum(0)

    def _run(self, kernel, grid, *arguments, **blocks):
        with torch.cuda.device_of(self.u):
            kernel[grid](*arguments, num_warps=self.warps, **blocks)

    def _grid(self):
        return (self.rows, -(-self.children // self.chunk))

    def _parts(self):
        return torch.empty(self._grid()[1], self.batch, self.parents, self.q, **self.plain)

    def _zeros(self):
        return torch.zeros(self.batch, self.parents, self.q, **self.plain)

    def _or(self, x):
        """A kernel wants an array even where it reads none."""
        return self.u if x is None else x
