"""The passes of dynamic routing by the compiled kernel: child by child, 16 examples at once, no votes in memory at all.

Trap: children are shared out among threads and their sums added: another number of threads, other last bits.
"""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch

from deeptheory.capsules.native.building import library

LANES = 16
_WORK = 64 << 20  # bytes of couplings and their gradients at a time


class NativePasses:
    """See `routing.recomputed.Passes`. Inside, a sum is [C, J, q, 16]: C vectors of 16 examples; a coupling [I, J, C, 16]."""

    @staticmethod
    def examples(weight, iterations):
        a_vector = 8 * LANES * weight.shape[0] * weight.shape[1] * max(1, iterations - 1)
        return LANES * max(1, _WORK // a_vector)

    def __init__(self, u, weight, leaky, prior):
        kernel = library("dynamic")
        assert isinstance(kernel, ctypes.CDLL)  # backends.py asked before
        self.kernel, self.leaky = kernel, leaky
        self.weight = weight.float().contiguous()
        self.prior = None if prior is None else prior.float().contiguous()
        self.batch, self.children = u.shape[:2]
        self.parents, self.q, self.p = weight.shape[1:]
        self.vectors = -(-self.batch // LANES)
        out = torch.zeros(self.children, self.p, self.vectors * LANES)
        out[:, :, : self.batch] = u.permute(1, 2, 0)
        self.ut = out.unflatten(2, (self.vectors, LANES))
        self.threads = max(1, min(torch.get_num_threads(), self.children // 16))

    def votes(self):
        return self._sum(None)

    def routed(self, a):
        return self._sum(self._zeros() if a is None else self._there(a))

    def coupled(self, a, g):
        a, g = self._zeros() if a is None else self._there(a), self._there(g)
        coupling = torch.empty(self.children, self.parents, self.vectors, LANES)
        gb = torch.empty_like(coupling)

        def some(first, last):
            total, work = self._zeros(), self._work(2)
            self.kernel.route_backward(*self._head(), *_longs(first, last), *_pointers(a, g, coupling, gb, total, work))
            return total

        return coupling, gb, self._back(sum(self._share(some)))

    def of_prior(self, gb):
        return gb.flatten(2).sum(2)

    def finish(self, terms, even, gw):
        gu = torch.empty_like(self.ut)
        sides = [self._there(side) for _, side in terms]
        even = None if even is None else self._there(even)
        table = ctypes.c_void_p * max(1, len(terms))
        tables = (table(*(f.data_ptr() for f, _ in terms)), table(*(s.data_ptr() for s in sides)))

        def some(first, last):
            work = torch.empty(self.vectors * self.parents * self.q * LANES)
            head = (*_pointers(self.ut, self.weight), *self._sizes())
            self.kernel.route_finish(*head, *_longs(first, last, len(terms)), *tables, *_pointers(even, gu, gw, work))

        self._share(some)
        return gu.flatten(2).permute(2, 0, 1)[: self.batch]

    def _sum(self, a):
        def some(first, last):
            total, work = self._zeros(), self._work(1)
            self.kernel.route_forward(*self._head(), *_longs(first, last), *_pointers(a, total, work))
            return total

        return self._back(sum(self._share(some)))

    def _there(self, x):
        """[B, J, q] -> [C, J, q, 16], zeros behind the last example."""
        padded = torch.nn.functional.pad(x, (0, 0, 0, 0, 0, self.vectors * LANES - len(x)))
        return padded.unflatten(0, (self.vectors, LANES)).permute(0, 2, 3, 1).contiguous()

    def _back(self, x):
        return x.permute(0, 3, 1, 2).reshape(-1, self.parents, self.q)[: self.batch]

    def _zeros(self):
        return torch.zeros(self.vectors, self.parents, self.q, LANES)

    def _work(self, couplings):
        return torch.empty(self.parents * (self.q + couplings) * LANES)

    def _head(self):
        return (*_pointers(self.ut, self.weight, self.prior), *self._sizes(), ctypes.c_long(self.leaky))

    def _sizes(self):
        return _longs(self.parents, self.q, self.p, self.vectors)

    def _share(self, some):
        """The children shared out among threads; the kernel lets go of Python meanwhile."""
        pieces = list(pairwise(self.children * k // self.threads for k in range(self.threads + 1)))
        if self.threads == 1:
            return [some(*pieces[0])]
        with ThreadPoolExecutor(self.threads) as pool:
            return list(pool.map(lambda piece: some(*piece), pieces))


def _pointers(*tensors):
    return tuple(None if t is None else ctypes.c_void_p(t.data_ptr()) for t in tensors)


def _longs(*numbers):
    return tuple(ctypes.c_long(n) for n in numbers)
