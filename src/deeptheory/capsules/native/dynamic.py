"""The passes of dynamic routing by the compiled kernel: child by child, 16 examples at once, no votes in memory at all.

Pitfall: children are shared out among threads and their sums added: another number of threads, other last bits.
"""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import torch

from deeptheory.capsules.native.building import library

LANES = 16
PLAIN = {"dtype": torch.float32, "device": "cpu"}  # whatever torch's defaults are: the kernel reads floats
_WORK = 64 << 20  # bytes of couplings and their gradients at a time
_WORTH = 1 << 21  # products of a pass below which threads cost more than they save


class NativePasses:
    """See `routing.recomputed.Passes`.

    Inside, a sum is [C, J, q, 16]: C vectors of 16 examples; a coupling [I, J, C, 16].
    """

    @staticmethod
    def examples(weight, iterations):
        """How many examples at a time."""
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
        self.shares = self.parents + leaky
        self.vectors = -(-self.batch // LANES)
        out = torch.zeros(self.children, self.p, self.vectors * LANES, **PLAIN)
        out[:, :, : self.batch] = u.permute(1, 2, 0)
        self.ut = out.unflatten(2, (self.vectors, LANES))
        work = self.children * self.parents * self.q * self.p * self.vectors
        self.threads = max(1, min(torch.get_num_threads(), self.children // 16)) if work > _WORTH else 1
        self.alone = self.threads == 1

    def forward(self, iterations, bias):
        """All iterations in one call, by one thread: v [B, J, q], and the sums as the kernel holds them."""
        shape = (self.vectors, self.parents, self.q, LANES)
        sums, rest = torch.empty(iterations, *shape, **PLAIN), torch.empty(2, *shape, **PLAIN)
        bias, work = (
            None if bias is None else bias.float().contiguous(),
            self._work(2),
        )  # held by name while the kernel runs
        arrays = pointers(bias, sums, rest[0], rest[1], work)
        self.kernel.route_whole(*self._head(), *longs(self.children, iterations), *arrays)
        return self._back(rest[0]), sums

    def backward(self, sums, gradient, with_bias, detach, gw):
        """The gradients of u, bias and prior; that of the weights is added to gw."""
        iterations, prior = len(sums), self.prior
        couplings = torch.empty(2 * iterations * self.children * self.parents * self.vectors * LANES, **PLAIN)
        sides, gu = torch.empty((2 * iterations + 3) * sums[0].numel(), **PLAIN), torch.empty_like(self.ut)
        g_bias = torch.zeros(self.parents, self.q, **PLAIN) if with_bias else None
        g_prior = None if prior is None else torch.zeros_like(prior)
        g, work = self._there(gradient), self._work(2, self.vectors)
        arrays = pointers(sums, g, couplings, sides, gu, gw, g_bias, g_prior, work)
        self.kernel.route_whole_back(*self._head(), *longs(self.children, iterations, detach), *arrays)
        return gu.flatten(2).permute(2, 0, 1)[: self.batch], g_bias, g_prior

    def uniform(self):
        """See `routing.recomputed.Passes`."""
        return self._sum(None) / self.shares

    def routed(self, a):
        """See `routing.recomputed.Passes`."""
        return self._sum(self._zeros() if a is None else self._there(a))

    def coupled(self, a, g):
        """See `routing.recomputed.Passes`."""
        a, g = self._zeros() if a is None else self._there(a), self._there(g)
        coupling = torch.empty(self.children, self.parents, self.vectors, LANES, **PLAIN)
        gb = torch.empty_like(coupling)

        def some(first, last):
            total, work = self._zeros(), self._work(2)
            self.kernel.route_backward(*self._head(), *longs(first, last), *pointers(a, g, coupling, gb, total, work))
            return total

        return coupling, gb, self._back(sum(self._share(some)))

    def of_prior(self, gb):
        """See `routing.recomputed.Passes`."""
        return gb.flatten(2).sum(2)

    def finish(self, terms, even, gw):
        """See `routing.recomputed.Passes`."""
        gu = torch.empty_like(self.ut)
        sides = [self._there(side) for _, side in terms]
        even = None if even is None else self._there(even / self.shares)
        table = ctypes.c_void_p * max(1, len(terms))
        tables = (table(*addresses(f for f, _ in terms)), table(*addresses(sides)))

        def some(first, last):
            work = torch.empty(self.vectors * self.parents * self.q * LANES, **PLAIN)
            head = (*pointers(self.ut, self.weight), *self._sizes())
            self.kernel.route_finish(*head, *longs(first, last, len(terms)), *tables, *pointers(even, gu, gw, work))

        self._share(some)
        return gu.flatten(2).permute(2, 0, 1)[: self.batch]

    def _sum(self, a):
        def some(first, last):
            total, work = self._zeros(), self._work(1)
            self.kernel.route_forward(*self._head(), *longs(first, last), *pointers(a, total, work))
            return total

        return self._back(sum(self._share(some)))

    def _there(self, x):
        """[B, J, q] -> [C, J, q, 16], zeros behind the last example."""
        padded = torch.nn.functional.pad(x, (0, 0, 0, 0, 0, self.vectors * LANES - len(x)))
        return padded.unflatten(0, (self.vectors, LANES)).permute(0, 2, 3, 1).contiguous()

    def _back(self, x):
        return x.permute(0, 3, 1, 2).reshape(-1, self.parents, self.q)[: self.batch]

    def _zeros(self):
        return torch.zeros(self.vectors, self.parents, self.q, LANES, **PLAIN)

    def _work(self, couplings, vectors=1):
        return torch.empty(self.parents * (self.q * vectors + couplings) * LANES, **PLAIN)

    def _head(self):
        return (*pointers(self.ut, self.weight, self.prior), *self._sizes(), ctypes.c_long(self.leaky))

    def _sizes(self):
        return longs(self.parents, self.q, self.p, self.vectors)

    def _share(self, some):
        return shared_out(self.children, self.threads, some)


def shared_out(n, threads, some):
    """some(first, last) for ranges of n, by threads; the kernel lets go of Python meanwhile."""
    pieces = list(pairwise(n * k // threads for k in range(threads + 1)))
    if threads == 1:
        return [some(*pieces[0])]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(lambda piece: some(*piece), pieces))


def addresses(tensors):
    """Of what the kernel reads and writes.

    In another dtype what it reads would be noise, and what it writes a corrupt heap.
    """
    tensors = list(tensors)
    for t in tensors:
        assert t is None or (t.dtype in (torch.float32, torch.int64) and t.is_contiguous() and t.device.type == "cpu")
    return [None if t is None else t.data_ptr() for t in tensors]


def pointers(*tensors):
    """The same as arguments."""
    return tuple(ctypes.c_void_p(x) for x in addresses(tensors))


def longs(*numbers):
    """Sizes for the kernel."""
    return tuple(ctypes.c_long(n) for n in numbers)
