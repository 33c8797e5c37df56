"""Linear prediction of rows that were left out, with every choice made without them.

With room (8 independent rows per predictor) it is least squares, e_i / (1 - h_ii) as published. With less it is ridge,
and the penalty of each left-out row and target is chosen by leaving out the others in turn: e_j without i and j is
(M_ii e_j - M_ij e_i) / (M_ii M_jj - M_ij^2) with M = I - H, so that n (n - 1) regressions per penalty are three matrix
products.
Pitfall: 1 - h_ii of a small penalty is far below any floor that guards a division; M is therefore summed from its own
eigenvalues penalty / (value + penalty), and nothing is subtracted from 1. A penalty chosen with the scored rows in it
decodes noise. With about as many predictors as rows a small penalty leaves residuals in a few directions only: all rows
are then predicted well or badly together, by luck, so that a penalty counts where its residuals fill .6 n directions
(participation ratio of M). Dependent rows (repeats, runs, series) are left out by whole folds, inside as outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

Tensor = torch.Tensor
Folds = Sequence[tuple[Tensor, Tensor]]  # (rows learned from, rows left out)
ALPHAS = tuple(10.0**k for k in range(-6, 5))  # times the mean eigenvalue of the predictors' Gram matrix
ROOM = 8  # independent rows per predictor from which least squares is used
_SPREAD = 0.6  # of the rows: directions that the residuals of a penalty must fill
_SINGLE = 2000  # rows up to which each is left out alone where a penalty is chosen; beyond, by folds


@dataclass(frozen=True)
class LeftOut:
    """predicted [n, d]: each row from others. middle [n, d]: mean of the rows learned from. steady [n, d]: the
    prediction about the mean of all rows in place of that mean, which lies a little away from the row left out: for
    readers who know the candidates. ridge: whether penalties were used."""

    predicted: Tensor
    steady: Tensor
    middle: Tensor
    ridge: bool

    def explained(self, target: Tensor, dependent: bool) -> Tensor:
        """[d]: 1 - squared error / squares about the mean; NaN for a constant target.

        dependent: about the mean of the rows learned from (Campbell & Thompson 2008). A stretch of a slow series lies
        away from the mean of the rest, which no reader can know: about the mean of all, noise would explain far less
        than nothing.
        """
        total = (target - (self.middle if dependent else target.mean(0))).square().sum(0)
        varies = (target != target[:1]).any(0)  # the mean of equal numbers may be off by a rounding
        return torch.where(varies, 1 - (target - self.predicted).square().sum(0) / total, torch.nan)


def left_out(
    x: Tensor,
    target: Tensor,
    folds: Folds | None = None,
    inner: int = 5,
    joint: bool = False,
    rows: float | None = None,
) -> LeftOut:
    """target [n, d] from x [n, u]. folds: None, each row alone. inner: folds within the rows learned from, where rows
    come by folds; 0: each row alone. joint: one penalty for all targets. rows: how many independent ones they weigh;
    None: n."""
    varies = (x != x[:1]).any(0)
    x = (x - x.mean(0)) * varies
    x = x / x.std(0, correction=0).clamp_min(1e-300)
    n, u = x.shape
    ridge = (n if rows is None else rows) < ROOM * (u + 1)
    if folds is None and not ridge:
        return _singles(x, target)
    if folds is None and n <= _SINGLE:
        return _nested(x, target, joint)
    if folds is None:  # 2,000 rows or more
        order = torch.randperm(n, generator=torch.Generator().manual_seed(n)).to(x.device)
        folds, inner = (
            [(torch.cat([*p[:k], *p[k + 1 :]]), p[k]) for p in [order.tensor_split(10)] for k in range(10)],
            0,
        )
    return _by_folds(x, target, folds, inner, joint, ALPHAS if ridge else (0.0,))


def _singles(x: Tensor, target: Tensor) -> LeftOut:
    n, middle = len(x), target.mean(0)
    q = _orthonormal(x)[0]
    room = 1 - 1 / n - q.square().sum(1)
    error = target - middle - q @ (q.mT @ target)
    lost = room < 1e-6  # a row that alone holds up a direction: without it there is none, and the formula is 0 / 0
    out = error / torch.where(lost, torch.ones_like(room), room)[:, None]
    predicted = target - out
    for i in lost.nonzero()[:, 0].tolist():
        rest = torch.arange(n, device=x.device) != i
        predicted[i] = _Learned(x[rest], target[rest]).predict(x[i : i + 1], 0.0)[0]
    return _alone(predicted, target, False)


def _nested(x: Tensor, target: Tensor, joint: bool) -> LeftOut:
    n, middle = len(x), target.mean(0)
    q, values, whole = _orthonormal(x)
    centered = target - middle
    rest = None  # what no direction of x reaches; nothing where x spans all rows
    if not whole:
        rest = torch.eye(n, dtype=x.dtype, device=x.device) - 1 / n - q @ q.mT
    best = out = None
    for alpha in ALPHAS:
        kept = alpha * values.mean() / (values + alpha * values.mean())
        m = (q * kept) @ q.mT  # I - H
        error = q @ (kept[:, None] * (q.mT @ centered))
        if rest is not None:
            m, error = m + rest, error + rest @ centered
        own = m.diagonal().clone()
        if float(own.sum().square() / m.square().sum()) < _SPREAD * n and alpha < ALPHAS[-1]:
            continue
        weight = (own[:, None] * own - m.square()).clamp_min(1e-300)
        weight = weight.reciprocal_().square_()
        weight.fill_diagonal_(0)
        first = own.square()[:, None] * (weight @ error.square())
        weight *= m
        second = 2 * own[:, None] * error * (weight @ error)
        weight *= m
        loss = first - second + error.square() * weight.sum(1, keepdim=True)  # [n, d], over the rows other than each
        if joint:
            loss = loss.sum(1, keepdim=True).expand_as(loss)
        found = error / own[:, None]
        if best is None or out is None:
            best, out = loss, found
        else:
            better = loss < best
            best, out = torch.where(better, loss, best), torch.where(better, found, out)
    assert out is not None
    return _alone(target - out, target, True)


def _alone(predicted: Tensor, target: Tensor, ridge: bool) -> LeftOut:
    away = (target - target.mean(0)) / (len(target) - 1)  # of the mean of all from the mean of the others
    return LeftOut(predicted, predicted + away, target.mean(0) - away, ridge)


def _by_folds(x: Tensor, target: Tensor, folds: Folds, inner: int, joint: bool, alphas: tuple[float, ...]) -> LeftOut:
    predicted, middles = torch.full_like(target, torch.nan), torch.full_like(target, torch.nan)
    middle = target.mean(0)
    for train, test in folds:
        learned = _Learned(x[train], target[train])
        if len(alphas) > 1:
            loss = learned.loss(alphas) if inner == 0 else _inner_loss(x, target, train, folds, inner, alphas)
            if joint:
                loss = loss.sum(1, keepdim=True).expand_as(loss)
            pick = loss.argmin(0)  # [d]
        else:
            pick = torch.zeros(target.shape[1], dtype=torch.int64, device=x.device)
        for k, alpha in enumerate(alphas):
            which = pick == k
            if bool(which.any()):
                predicted[test[:, None], which] = learned.predict(x[test], alpha)[:, which]
        middles[test] = learned.middle
    return LeftOut(predicted, predicted + middle - middles, middles, len(alphas) > 1)


def _inner_loss(
    x: Tensor, target: Tensor, train: Tensor, folds: Folds, inner: int, alphas: tuple[float, ...]
) -> Tensor:
    """[alpha, d]: squared error of the outer folds that lie within `train`, joined into `inner` sets, each left out."""
    inside = torch.zeros(len(x), dtype=torch.bool, device=x.device)
    inside[train] = True
    parts = [test for _, test in folds if bool(inside[test].any())]
    sets = [torch.cat(parts[k::inner]) for k in range(min(inner, len(parts)))]
    loss = x.new_zeros(len(alphas), target.shape[1])
    for test in sets:
        test = test[inside[test]]
        rest = inside.clone()
        rest[test] = False
        if not bool(rest.any()):
            continue
        learned = _Learned(x[rest], target[rest])
        for k, alpha in enumerate(alphas):
            loss[k] += (target[test] - learned.predict(x[test], alpha)).square().sum(0)
    return loss


def fold_errors(x: Tensor, target: Tensor, folds: Folds, alphas: tuple[float, ...]) -> Tensor:
    """[alpha, d]: squared error of the rows left out by folds, penalties in units of the mean eigenvalue."""
    out = x.new_zeros(len(alphas), target.shape[1])
    for train, test in folds:
        learned = _Learned(x[train], target[train])
        for k, alpha in enumerate(alphas):
            out[k] += (target[test] - learned.predict(x[test], alpha)).square().sum(0)
    return out


class _Learned:
    """The eigenvectors of some rows' Gram matrix, on whichever side is smaller; from them every penalty's
    prediction.
    """

    def __init__(self, x: Tensor, target: Tensor):
        self.center, self.middle = x.mean(0), target.mean(0)
        x, target = x - self.center, target - self.middle
        self.tall = x.shape[1] <= x.shape[0]
        values, vectors = torch.linalg.eigh(x.mT @ x if self.tall else x @ x.mT)
        keep = values > 1e-10 * values[-1].clamp_min(1e-300)
        self.values, vectors = values[keep], vectors[:, keep]
        self.onto = vectors if self.tall else x.mT @ vectors  # [u, r]
        self.rows, self.target = x, target
        self.scores = x @ vectors if self.tall else vectors * self.values  # [n, r], x onto
        self.moments = (x @ vectors if self.tall else vectors).mT @ target  # [r, d]
        self.size = self.values.mean() if len(self.values) else x.new_ones(())

    def predict(self, x: Tensor, alpha: float) -> Tensor:
        shrunk = self.moments / (self.values + alpha * self.size)[:, None]
        return self.middle + ((x - self.center) @ self.onto) @ shrunk

    def loss(self, alphas: tuple[float, ...]) -> Tensor:
        """[alpha, d]: squared error of the rows learned from, each left out in turn."""
        q = self.scores / (self.values.sqrt() if self.tall else self.values)
        n, out = len(q), []
        square, inside = q.square(), q.mT @ self.target
        full = q.shape[1] >= n - 1
        rest = torch.zeros_like(self.target) if full else self.target - q @ inside
        room = torch.zeros_like(square[:, 0]) if full else 1 - 1 / n - square.sum(1)
        for alpha in alphas:
            kept = alpha * self.size / (self.values + alpha * self.size)
            error = rest + q @ (kept[:, None] * inside)
            out.append((error / (room + square @ kept).clamp_min(1e-300)[:, None]).square().sum(0))
        return torch.stack(out)


def _orthonormal(x: Tensor) -> tuple[Tensor, Tensor, bool]:
    """Left singular vectors [n, k], squared singular values [k], those of no size left out; whether they span all
    rows.
    """
    tall = x.shape[1] <= x.shape[0]
    values, vectors = torch.linalg.eigh(x.mT @ x if tall else x @ x.mT)
    keep = values > 1e-10 * values[-1]
    values, vectors = values[keep], vectors[:, keep]
    q = (x @ vectors) * values.rsqrt() if tall else vectors
    return q, values, q.shape[1] >= len(x) - 1
