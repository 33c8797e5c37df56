"""Ising, Potts and any other factor graph as a network: energies by table look-up, what is hidden summed out exactly.

Source: Lin, Tegmark & Rolnick 2017, sections II.B to II.D. H(x) = -sum_a ln f_a(x_a): each factor sees few variables
(locality), so that the network's size grows with the number of factors, not with the number of states. ln Z and sums
over hidden variables by variable elimination, in an order of least growth.
Pitfall: elimination costs levels^(treewidth + 1): 2^17 entries for 16 x 16 spins. What would not fit is refused.
"""

import heapq
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from deeptheory.core.arrays import as_tensor, real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_number, check_whole, finite_floats, whole_numbers

_LARGEST = 2**24  # entries of a table, sites of a grid


class FactorGraph(nn.Module):
    """p(x) = prod_a f_a(x_a) / Z over discrete variables (Lin, Tegmark & Rolnick 2017, section II.D).

    levels: number of levels, one for all variables or a list of one each. n: number of variables where levels is one
    number; by default as many as the factors name. factors: (variables, log table) pairs; the table [levels of each
    variable] holds ln f_a in nats, -inf where f_a is 0, and is copied into a parameter. forward: x [..., n] integers ->
    H(x) = -ln p(x) [...] in nats, ln Z included. InputError: a variable out of range or twice in a factor, numbers that
    are no integers, n against a list of levels, a table of another shape, complex, NaN or inf, no factor, a factor that
    is no pair.
    """

    def __init__(self, levels: int | Sequence[int], factors: Iterable[tuple[Sequence[int], Any]], n: int | None = None):
        super().__init__()
        factors = _listed("factors", factors, "(variables, log table) pairs")  # zip can be read once only
        if not factors:
            raise InputError("factors is empty; a factor graph has at least one")
        wrong = next((f for f in factors if not isinstance(f, tuple | list) or len(f) != 2), None)
        if wrong is not None:
            raise InputError(f"a factor is {wrong!r:.60}; needed: a pair, its variables and its log table")
        scopes = [tuple(whole_numbers("variables", _listed("variables", scope)).tolist()) for scope, _ in factors]
        if isinstance(levels, Sequence):
            self.levels = tuple(whole_numbers("levels", levels, least=1).tolist())
            if n is not None and n != len(levels):
                raise InputError(f"n is {n} and levels names {len(levels)} variables; give one of them")
        else:
            check_whole(levels=(levels, 1), n=(0 if n is None else n, 0))
            self.levels = (int(levels),) * (n if n is not None else 1 + max(max(s, default=-1) for s in scopes))
        self.scopes = tuple(scopes)
        tables = []
        for scope, (_, table) in zip(scopes, factors):
            if len(set(scope)) < len(scope) or not all(0 <= v < len(self.levels) for v in scope):
                raise InputError(
                    f"a factor has variables {list(scope)}; needed: different ones from 0 to {len(self.levels) - 1}"
                )
            table = real_tensor("table", table, torch.float64)
            if tuple(table.shape) != tuple(self.levels[v] for v in scope):
                expected = [self.levels[v] for v in scope]
                raise InputError(
                    f"the table of variables {list(scope)} has shape {list(table.shape)}; needed: {expected}"
                )
            wrong = int((table.isnan() | (table == math.inf)).sum())
            if wrong:
                raise InputError(
                    f"table holds {wrong} values that are NaN or inf; needed: logarithms, -inf where a factor is 0"
                )
            tables.append(nn.Parameter(table.clone()))
        self.tables = nn.ParameterList(tables)

    @property
    def n(self) -> int:
        """Number of variables."""
        return len(self.levels)

    def energy(self, x: torch.Tensor) -> torch.Tensor:
        """-sum_a ln f_a(x_a) in nats, x [..., n] -> [...]: H without ln Z, differentiable in the tables.

        InputError: another number of variables, or values that are no levels.
        """
        x = self._check(x)
        terms = [t[tuple(x[..., v] for v in s)] for s, t in zip(self.scopes, self.tables)]
        return -torch.stack(torch.broadcast_tensors(*terms)).sum(0)

    def log_z(self) -> torch.Tensor:
        """ln Z in nats, a scalar tensor, exact by variable elimination and differentiable in the tables.

        InputError: a table on the way would have over 2^24 entries, every state has probability 0, or sums of the
        tables leave their dtype.
        """
        order = _order(self.scopes, set(range(self.n)), self.levels, 1)
        made = _in_range(_eliminate(self._factors(), order, self.levels))
        if bool(made == -math.inf):
            raise InputError("every state has probability 0: the factors' -inf leave none; ln Z is -inf")
        return made

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """-ln p(x) in nats: x [..., n] -> [...]. InputError: as energy and log_z."""
        return self.energy(x) + self.log_z()

    def posterior(self, query: int, observed: Sequence[int]) -> "GraphPosterior":
        """p(x_query | x_observed) as a network that shares these tables; all else is summed out exactly.

        query: a variable; observed: others. It maps x_observed [..., observed], integers, to probabilities [..., levels
        of query], NaN where what is observed has probability 0; its logits(x) are ln p(x_query, x_observed) + ln Z.
        InputError: variables that are out of range or named twice; at the call, values that are no levels, a table that
        would not fit, or sums of the tables that leave their dtype.
        """
        return GraphPosterior(self, query, observed)

    def _factors(self, given: Mapping[int, torch.Tensor] | None = None) -> list[tuple[tuple[int, ...], torch.Tensor]]:
        """(free variables, table [batch, ...]) of each factor, with what is given put in; batch 1 where nothing is."""
        out = []
        for scope, table in zip(self.scopes, self.tables):
            known = [v for v in scope if given and v in given]
            free = tuple(v for v in scope if v not in known)
            order = [scope.index(v) for v in (*known, *free)]
            table = table.permute(order) if order else table
            out.append((free, table[tuple(given[v] for v in known)] if known and given else table.unsqueeze(0)))
        return out

    def _check(self, x: torch.Tensor, variables: Sequence[int] | None = None) -> torch.Tensor:
        x = as_tensor(x)
        levels = self.levels if variables is None else tuple(self.levels[v] for v in variables)
        if x.shape[-1:] != (len(levels),):
            raise InputError(f"x has shape {list(x.shape)}; needed: [..., {len(levels)}]")
        whole = x.long()
        top = torch.tensor(levels, device=x.device)
        if bool((whole != x).any() or (whole < 0).any() or (whole >= top).any()):
            raise InputError(f"x holds values outside the levels 0 to {max(levels) - 1}; spins are 0 and 1 here")
        return whole

    def extra_repr(self) -> str:
        """Numbers of variables and factors, for torch's repr."""
        return f"{self.n} variables, {len(self.scopes)} factors"


class GraphPosterior(nn.Module):
    """See FactorGraph.posterior."""

    def __init__(self, graph: FactorGraph, query: int, seen: Sequence[int]):
        super().__init__()
        check_whole(query=(query, 0))
        seen = _listed("observed", seen)
        self.graph, self.query, self.seen = graph, int(query), tuple(whole_numbers("observed", seen).tolist())
        wrong = [v for v in (self.query, *self.seen) if not 0 <= v < graph.n]
        if wrong or self.query in self.seen or len(set(self.seen)) < len(self.seen):
            raise InputError(f"query {query} and observed {seen} must be different variables from 0 to {graph.n - 1}")

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """ln p(x_query, x_observed) + ln Z, nats: x [..., observed] -> [..., levels of query]. InputError: as above."""
        x = self.graph._check(x, self.seen)
        flat = x.reshape(math.prod(x.shape[:-1]), len(self.seen))
        hidden, levels = set(range(self.graph.n)) - set(self.seen) - {self.query}, self.graph.levels
        free = [[v for v in scope if v not in self.seen] for scope in self.graph.scopes]
        order = _order(free, hidden, levels, len(flat))  # before tables of that many rows are made
        factors = self.graph._factors(dict(zip(self.seen, flat.T)))
        out = _in_range(_eliminate(factors, order, levels, self.query, len(flat)))
        return out.reshape(*x.shape[:-1], levels[self.query])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """p(query | observed): x [..., observed] -> [..., levels of query]. InputError: see FactorGraph.posterior."""
        return self.logits(x).softmax(-1)


def ising(shape: Sequence[int], *, coupling=1.0, field=0.0, periodic: bool = False) -> FactorGraph:
    """The Ising model on a grid: H = -J sum_<ij> s_i s_j - h sum_i s_i, with s = 2 x - 1 of levels x = 0, 1.

    shape: sites along each axis. coupling: J, one or one per bond [bonds] in the order of `bonds(shape, periodic)`;
    field: h, one or [n]; both over kT. periodic: see bonds. Tables are float64, on the CPU.
    InputError: another number of couplings or fields, a side that is no integer of 1 or more.
    """
    s = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    return _on_grid(shape, coupling, field, s[:, None] * s, s, periodic)


def potts(shape: Sequence[int], q: int, *, coupling=1.0, field=0.0, periodic: bool = False) -> FactorGraph:
    """The Potts model on a grid: H = -J sum_<ij> [x_i = x_j] - h sum_i [x_i = 0], q levels.

    coupling: J, one or [bonds]; field: h, one or [n]; as in `ising`, and so are shape and periodic.

    InputError: q no integer of 2 or more, another number of couplings or fields, a side below 1.
    """
    check_whole(q=(q, 2))
    eye = torch.eye(q, dtype=torch.float64)
    return _on_grid(shape, coupling, field, eye, eye[0], periodic)


def bonds(shape: Sequence[int], periodic: bool = False) -> list[tuple[int, int]]:
    """Nearest neighbors of a grid of any dimension: pairs (i, j) of sites, i < j, each bond once.

    shape: sites along each axis; they are numbered in C order, the last axis fastest. periodic: the last site of an
    axis is also a neighbor of the first; an axis of 2 sites keeps its one bond.
    InputError: no side, or one that is no integer of 1 or more, over 2^24 sites.
    """
    shape = whole_numbers("shape", _listed("shape", shape), least=1).tolist()
    if not shape:
        raise InputError("shape is []; a grid has one side or more")
    if math.prod(shape) > _LARGEST:
        raise InputError(f"shape {shape} has {math.prod(shape)} sites, the limit is {_LARGEST}; take a smaller grid")
    stride = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
    found = []
    for site in range(math.prod(shape)):
        for side, step in zip(shape, stride):
            at = site // step % side
            if at + 1 < side:
                found.append((site, site + step))
            elif periodic and side > 2:  # a side of 2 has its one bond already
                found.append((site - at * step, site))
    return found


def _on_grid(shape, coupling, field, pair: torch.Tensor, single: torch.Tensor, periodic: bool) -> FactorGraph:
    shape = _listed("shape", shape)
    edges, n = bonds(shape, periodic), math.prod(int(s) for s in shape)
    for name, value in (("coupling", coupling), ("field", field)):
        if np.ndim(value) == 0:
            check_number(**{name: value})
    given = [torch.as_tensor(finite_floats(name, v)) for name, v in (("coupling", coupling), ("field", field))]
    j, h = (v.expand(m) if v.shape in ((), (m,)) else None for v, m in zip(given, (len(edges), n)))
    if j is None or h is None:
        raise InputError(f"this grid has {len(edges)} bonds and {n} sites; give one coupling and field, or one each")
    factors = [((v,), h[v] * single) for v in range(n)] + [(edge, j[k] * pair) for k, edge in enumerate(edges)]
    return FactorGraph([len(single)] * n, factors)


def _order(scopes, hidden: set[int], levels: Sequence[int], batch: int) -> list[int]:
    """Hidden variables in the order of least table. InputError: some table would be too large;
    nothing is computed yet."""
    around: dict[int, set[int]] = {v: set() for v in range(len(levels))}
    for scope in scopes:
        for v in scope:
            around[v] |= set(scope) - {v}
    size = {v: math.prod(levels[w] for w in around[v]) * levels[v] for v in hidden}
    least = [(s, v) for v, s in size.items()]  # with entries of sizes that have changed since, which are passed over
    heapq.heapify(least)
    order = []
    while size:
        entries, v = heapq.heappop(least)
        if size.get(v) != entries:
            continue
        if entries * batch > _LARGEST:
            raise InputError(
                f"summing out variable {v} takes a table of {entries * batch} entries, the limit is {_LARGEST}; "
                "use a narrower graph, or fewer rows at once"
            )
        order.append(v)
        del size[v]
        for w in around[v]:
            around[w] |= around[v] - {w}
            around[w].discard(v)
            if w in size:
                size[w] = math.prod(levels[u] for u in around[w]) * levels[w]
                heapq.heappush(least, (size[w], w))
    return order


def _eliminate(factors, order: Sequence[int], levels: Sequence[int], keep: int | None = None, batch: int = 1):
    """ln sum over the variables of `order` of prod of exp(factors): [] without keep, else [batch, levels of keep]."""
    left = dict(enumerate(factors))
    holders: dict[int, set[int]] = {v: set() for v in range(len(levels))}
    for k, (scope, _) in left.items():
        for v in scope:
            holders[v].add(k)
    for made, v in enumerate(order, start=len(left)):
        held = sorted(holders[v])
        touching = [left.pop(k) for k in held]
        if touching:
            scope = (*sorted(set().union(*(s for s, _ in touching)) - {v}), v)
            left[made] = scope[:-1], _log_sum(_product(touching, scope))
            for w in scope[:-1]:
                holders[w] = holders[w].difference(held) | {made}
        else:  # a variable that no factor sees is uniform
            uniform = torch.full((1,), math.log(levels[v]), dtype=torch.float64, device=factors[0][1].device)
            left[made] = (), uniform
    if keep is None:
        return torch.stack([t[0] for _, t in left.values()]).sum()
    return _product(list(left.values()), (keep,)).expand(batch, levels[keep])


def _product(factors, scope: tuple[int, ...]) -> torch.Tensor:
    """Sum of log tables over a common scope, [batch, levels of scope]."""
    first = factors[0][1]
    total: Any = torch.zeros((1,) * (1 + len(scope)), dtype=first.dtype, device=first.device)
    for own, table in factors:
        order = sorted(range(len(own)), key=lambda k: scope.index(own[k]))
        table = table.permute(0, *[k + 1 for k in order])
        sides = iter(table.shape[1:])
        total = total + table.reshape(table.shape[0], *[next(sides) if v in own else 1 for v in scope])
    return total


def _log_sum(table: torch.Tensor) -> torch.Tensor:
    """ln of the sum of exponentials over the last axis; where all are -inf its gradient is 0, of torch's own NaN."""
    none = (table == -math.inf).all(-1, keepdim=True)
    return table.masked_fill(none, 0).logsumexp(-1).masked_fill(none[..., 0], -math.inf)


def _in_range(logs: torch.Tensor) -> torch.Tensor:
    """The same. InputError: inf, or the NaN that comes of it; -inf is the logarithm of 0."""
    if not bool((logs < math.inf).all()):
        raise InputError(f"sums of the log tables leave {logs.dtype}; take smaller ones, or a wider dtype")
    return logs


def _listed(name: str, values: Any, needed: str = "a list of integers") -> list:
    try:
        return list(values)
    except TypeError as error:
        raise InputError(f"{name} is {values!r:.60}; needed: {needed}") from error
