"""The passes of dynamic routing in windows (convolutional capsules) by the compiled kernel: 16 examples at once, no
votes in memory.

See `windowed.c`. A parent is a type at a position: what `routing.recomputed` calls J parents are P * J here, positions
first.
"""

import ctypes
from dataclasses import dataclass

import torch

from deeptheory.capsules.native.building import library
from deeptheory.capsules.native.dynamic import LANES, PLAIN, addresses, longs, pointers, shared_out
from deeptheory.capsules.windows import Windows, uniform_over_parents

AMONG = {"all": 1, "position": 2}  # the names of ConvCapsules, the numbers of assign.h


class _Layer(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_void_p) for name in ("u", "at", "w", "first")),
        *((name, ctypes.c_long) for name in ("P", "KK", "T", "J", "Q", "D")),
    ]


@dataclass(frozen=True, eq=False)
class WindowedPasses:
    """Makes passes over windows: see `routing.recomputed.Maker`. u: [B, HW, T, p], weight: [KK * T, J, q, p]."""

    at: Windows
    normalize: str

    def examples(self, weight, iterations):
        """How many examples at a time."""
        return LANES

    def __call__(self, u, weight, leaky, prior):
        """The passes of some examples."""
        return _Passes(u, weight, self.at, self.normalize)


class _Passes:
    """See `routing.recomputed.Passes`. Inside, a sum is [P, J, q, 16], a coupling [P, N, J, 16]."""

    def __init__(self, u, weight, at: Windows, normalize: str):
        kernel = library("windowed")
        assert isinstance(kernel, ctypes.CDLL)  # backends.py asked before
        self.kernel, self.among = kernel, AMONG[normalize]
        self.batch, self.positions, self.types, self.p = u.shape
        self.children, self.parents, self.q = weight.shape[:3]
        self.windows, kk = at.children.shape
        self.ut = torch.zeros(*u.shape[1:], LANES, **PLAIN)
        self.ut[..., : self.batch] = u.movedim(0, -1)
        first = uniform_over_parents(at, 1, 1, normalize, torch.float32)[..., 0].contiguous() / self.parents
        self.way_back = torch.where(at.heard, at.windows, -1)
        self.inputs = (self.ut, at.children, weight.float().contiguous(), first)
        sizes = (self.windows, kk, self.types, self.parents, self.q, self.p)
        self.layer = ctypes.byref(_Layer(*pointers(*self.inputs), *sizes))
        self.threads = max(1, min(torch.get_num_threads(), self.windows // 8))

    def uniform(self):
        return self._back(self._sums(None))

    def routed(self, a):
        return self._back(self._sums(self._coupling(self._there(a))))

    def coupled(self, a, g):
        coupling = self._coupling(self._there(a))
        gb = self._assign(coupling, self._products(self._there(g)))
        return coupling, gb, self._back(self._sums(gb))

    def of_prior(self, gb):
        raise NotImplementedError("convolutional capsules have no prior")

    def finish(self, terms, even, gw):
        sides = [self._there(side) for _, side in terms]
        even = None if even is None else self._there(even)
        table = ctypes.c_void_p * max(1, len(terms))
        tables = (table(*addresses(f for f, _ in terms)), table(*addresses(sides)))

        def some(first, last):
            gu, g, work = (
                torch.zeros_like(self.ut),
                torch.zeros_like(gw),
                torch.empty(self.parents * self.q * LANES, **PLAIN),
            )
            rest = (*longs(first, last, len(terms)), *tables, *pointers(even, gu, g, work))
            self.kernel.windowed_finish(self.layer, *rest)
            return gu, g

        done = shared_out(self.windows, self.threads, some)
        for _, g in done:
            gw += g
        gu = done[0][0] if len(done) == 1 else torch.stack([d[0] for d in done]).sum(0)
        return gu.movedim(-1, 0)[: self.batch]

    def _coupling(self, a):
        return self._assign(None, self._products(a))

    def _products(self, a):
        x = torch.empty(self.windows, self.children, self.parents, LANES, **PLAIN)
        self._share(self.kernel.windowed_products, a, x)
        return x

    def _sums(self, c):
        s = torch.empty(self.windows, self.parents, self.q, LANES, **PLAIN)
        self._share(self.kernel.windowed_sums, c, s)
        return s

    def _assign(self, r, x):
        sizes = longs(*self.way_back.shape)
        self.kernel.windowed_assign(self.layer, *sizes, *pointers(self.way_back), *longs(self.among), *pointers(r, x))
        return x

    def _share(self, kernel, *arrays):
        shared_out(
            self.windows, self.threads, lambda first, last: kernel(self.layer, *longs(first, last), *pointers(*arrays))
        )

    def _there(self, x):
        """[b, P * J, q] -> [P, J, q, 16], zeros behind the last example."""
        out = torch.zeros(*x.shape[1:], LANES, **PLAIN)
        out[..., : self.batch] = x.movedim(0, -1)
        return out.unflatten(0, (self.windows, self.parents))

    def _back(self, x):
        return x[..., : self.batch].movedim(-1, 0).flatten(1, 2).contiguous()
