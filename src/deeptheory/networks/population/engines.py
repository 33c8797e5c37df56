"""Two ways to run epochs of a population: the hand-written step, and autograd as its slow reference and for all else.

Both hold the optimizer's state, take `run(first, last, update, moments)`, and change the population's parameters.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from deeptheory.networks.population.disturbances import KEPT, RANGES, pools, training_noise
from deeptheory.networks.population.optimizers import NUMBERS, SGD, Adadelta, Adam, Optimizer
from deeptheory.networks.population.population import MLPPopulation, ModulePopulation
from deeptheory.networks.population.step import ACTIVATIONS, HEADS
from deeptheory.networks.population.step_inputs import Architecture, Data, Settings, State

_SILENCE = 2.0  # seconds


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """What is trained on what: arrays of all networks, checked. See `fit` for the words."""

    x: np.ndarray  # [n, ...] float
    target: np.ndarray  # [1 or S, n, out] float32
    order: np.ndarray  # [S, n] int64
    counts: np.ndarray  # [S] int64
    batch: int
    drop_last: bool
    reshuffle: bool
    optimizer: Optimizer
    lr: np.ndarray  # [S] float64
    orthonormal: float = 0.0


@dataclass(kw_only=True, eq=False)
class Moments:
    """Sums over an epoch's minibatches of the gradient and of its square, for each weight matrix; float64."""

    total: list[np.ndarray]  # per layer [S, size]
    square: list[np.ndarray]
    batches: np.ndarray  # [S]

    def norms(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per layer: norm of the mean and root of the trace of the unbiased covariance over minibatches, [S] each.

        One minibatch has no fluctuation: NaN.
        """
        b, out = self.batches, []
        for total, square in zip(self.total, self.square):
            mean_square = ((total / b[:, None]) ** 2).sum(1)
            free = np.where(b > 1, b - 1, np.nan)
            out.append((np.sqrt(mean_square), np.sqrt(np.maximum((square.sum(1) - b * mean_square) / free, 0))))
        return out


class HandWritten:
    """Drives `step.train` for an MLP population in float32 on the CPU with one of its named activations."""

    @staticmethod
    def fits(nets) -> bool:
        """Whether this population can take the hand-written step."""
        return (
            isinstance(nets, MLPPopulation)
            and isinstance(nets.activation, str)
            and nets.activation in ACTIVATIONS
            and nets.theta.dtype == torch.float32
            and nets.theta.device.type == "cpu"
        )

    def __init__(self, nets: MLPPopulation, plan: Plan):
        self.nets, self.plan = nets, plan
        self.theta = nets.theta.detach().numpy()  # shares memory: trained in place
        self.m, self.v = np.zeros_like(self.theta), np.zeros_like(self.theta)
        self.step = np.zeros(len(nets.seeds), dtype=np.int64)
        self.x = np.require(plan.x, np.float32, ("C", "W"))  # writable, for one compiled step
        self.pool = pools(nets.seeds) if nets.noise else np.zeros((1, 1), dtype=np.float32)
        if _follows(nets):
            nets.calibrate(torch.from_numpy(self.x))

    def run(self, first: int, last: int, *, update: bool = True, batch: int | None = None, moments: bool = False):
        """Epochs first to last - 1; returns their Moments where asked for."""
        from deeptheory.networks.population.step import train

        plan, nets = self.plan, self.nets
        kept = np.zeros((len(nets.seeds) if moments else 0, 2, self.theta.shape[1]))
        size = batch or plan.batch
        low, high = self._ends()
        network = Architecture(
            widths=np.array(nets.widths),
            activation=ACTIVATIONS[str(nets.activation)],
            head=HEADS[nets.head],
            biased=nets.bias,
            noise=np.float32(nets.noise),
            levels=nets.levels,
            follows=_follows(nets),
        )
        data = Data(
            x=self.x,
            target=plan.target,
            order=plan.order,
            counts=plan.counts,
            seeds=np.array(nets.seeds, dtype=np.uint64),
            pool=self.pool,
        )
        settings = Settings(
            batch=size,
            drop_last=plan.drop_last,
            reshuffle=plan.reshuffle,
            lr=plan.lr,
            **_constants(plan.optimizer),
            orthonormal=np.float32(plan.orthonormal),
        )
        state = State(theta=self.theta, m=self.m, v=self.v, step=self.step, low=low, high=high)
        with _announced(train):
            train(state, network, data, settings, first, last, update, kept)
        if _follows(nets):
            nets.ranges.copy_(torch.from_numpy(high))
        if not moments:
            return None
        weights, at = [], 0
        for i, o in zip(nets.widths, nets.widths[1:]):
            weights.append(slice(at, at + o * i))
            at += o * i + o
        total, square = kept[:, 0], kept[:, 1]
        number = np.array([batch_count(int(c), size, plan.drop_last) for c in plan.counts]) * (last - first)
        return Moments(total=[total[:, w] for w in weights], square=[square[:, w] for w in weights], batches=number)

    def _ends(self) -> list[np.ndarray]:
        """Ends of rounding, [S, hidden] each."""
        pairs = [self.nets.ends(k) for k in range(1, len(self.nets.widths) - 1)]
        if not pairs:
            return [np.zeros((len(self.nets.seeds), 0), dtype=np.float32) for _ in range(2)]
        return [np.stack([p[end].numpy() for p in pairs], axis=1) for end in range(2)]

    def state(self) -> dict[str, torch.Tensor]:
        """All that an exact resume needs, by name."""
        arrays = {"theta": self.theta, "m": self.m, "v": self.v, "step": self.step}
        return {k: torch.from_numpy(v.copy()) for k, v in arrays.items()} | {"ranges": self.nets.ranges.clone()}

    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from such a state."""
        for name in ("theta", "m", "v", "step"):
            getattr(self, name)[...] = state[name].numpy()
        self.nets.ranges.copy_(state["ranges"])


def _constants(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer's part of the step's Settings; what it does not have is 0."""
    out = {"optimizer": NUMBERS[type(optimizer)], "momentum": 0.0, "beta1": 0.0, "beta2": 0.0, "eps": 0.0}
    if isinstance(optimizer, SGD):
        return out | {"momentum": float(optimizer.momentum)}
    betas = optimizer.betas if isinstance(optimizer, Adam) else (optimizer.rho, 0.0)
    return out | {"beta1": float(betas[0]), "beta2": float(betas[1]), "eps": float(optimizer.eps)}


@contextmanager
def _announced(kernel: Any) -> Iterator[None]:
    """Say on the log that the first call is compiling, if it still is after two seconds; a kernel found in the
    cache says nothing.
    """

    def say() -> None:
        if not kernel.signatures:
            logging.getLogger("deeptheory").warning(
                "compiling the training step for this machine, about half a minute; the next process finds it in "
                "the cache"
            )

    timer = threading.Timer(_SILENCE, say)
    timer.daemon = True
    if not kernel.signatures:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


@dataclass(eq=False)
class Autograd:
    """The same training by autograd: any activation, dtype, device and module."""

    nets: MLPPopulation | ModulePopulation
    plan: Plan
    m: list[torch.Tensor] = field(default_factory=list)
    v: list[torch.Tensor] = field(default_factory=list)

    def __post_init__(self):
        self.parameters = list(self.nets.parameters())
        self.m = [torch.zeros_like(p) for p in self.parameters]
        self.v = [torch.zeros_like(p) for p in self.parameters]
        self.step = torch.zeros(len(self.nets.seeds), dtype=torch.int64)
        like = self.parameters[0]
        self.x = torch.as_tensor(self.plan.x).to(like)
        self.target = torch.as_tensor(self.plan.target).to(like)
        self.pool = pools(self.nets.seeds) if getattr(self.nets, "noise", 0) else None
        if isinstance(self.nets, MLPPopulation) and _follows(self.nets):
            self.nets.calibrate(self.x)

    def run(self, first: int, last: int, *, update: bool = True, batch: int | None = None, moments: bool = False):
        """Epochs first to last - 1; returns their Moments where asked for."""
        kept = None
        for epoch in range(first, last):
            for start, rows in self._batches(epoch, batch or self.plan.batch):
                seen: list[torch.Tensor] = []
                grads = self._gradients(start, rows, seen)
                if moments:
                    kept = _add(kept, self._weights_of(grads))
                if update:
                    self._update(grads)
                    if isinstance(self.nets, MLPPopulation) and _follows(self.nets):
                        self.nets.ranges.mul_(KEPT).add_(torch.stack(seen, dim=1), alpha=1 - KEPT)
        return kept

    def _batches(self, epoch: int, size: int):
        """Where a batch starts in the epoch, and its row numbers [S, batch]; as many batches for every network."""
        from deeptheory.networks.population.step import _shuffle

        plan = self.plan
        rows = [plan.order[s, : plan.counts[s]].copy() for s in range(len(self.nets.seeds))]
        if plan.reshuffle:
            for s, seed in enumerate(self.nets.seeds):
                _shuffle(rows[s], np.uint64(seed), epoch)
        stacked = torch.as_tensor(np.stack(rows), device=self.x.device)  # one training-set size: checked by fit
        n = stacked.shape[1]
        size = min(size, n)
        for start in range(0, n, size):
            if not (plan.drop_last and start + size > n):
                yield start, stacked[:, start : start + size]

    def _gradients(self, start: int, rows: torch.Tensor, seen: list) -> list[torch.Tensor]:
        x = self.x[rows]
        s = torch.arange(len(rows), device=rows.device)[:, None] if len(self.target) > 1 else 0
        target = self.target[s, rows]
        more = (
            {"normals": self._normals(self.nets, start), "seen": seen} if isinstance(self.nets, MLPPopulation) else {}
        )
        with self._as_in_training(start):
            loss = losses(self.nets.logits(x, apart=True, **more), target, self.nets.head).mean(1).sum()
        if self.plan.orthonormal:
            loss = loss + self.plan.orthonormal * orthonormality(self.nets).sum()
        trained = [p for p in self.parameters if p.requires_grad]
        found = iter(torch.autograd.grad(loss, trained, allow_unused=True))
        given = [next(found) if p.requires_grad else None for p in self.parameters]
        grads = [torch.zeros_like(p) if g is None else g for p, g in zip(self.parameters, given)]
        if isinstance(self.nets, MLPPopulation) and not self.nets.bias:
            grads[0] = grads[0] * self.nets.is_weight().to(grads[0])
        return grads

    @contextmanager
    def _as_in_training(self, start: int) -> Iterator[None]:
        """Train mode; what a module draws (dropout) comes from the seeds, the step and where its batch begins."""
        nets, device = self.nets, self.x.device
        if not isinstance(nets, ModulePopulation):
            yield  # its noise has a place for each step
            return
        mode, devices = nets.training, [device] if device.type == "cuda" else []
        drawn = np.random.SeedSequence([*nets.seeds, int(self.step[0]), start]).generate_state(1, np.uint64)
        nets.training = True
        try:
            with torch.random.fork_rng(devices=devices):
                torch.manual_seed(int(drawn[0] >> 1))
                yield
        finally:
            nets.training = mode

    def _normals(self, nets: MLPPopulation, start: int):
        """Noise of a minibatch by layer, as the handwritten step draws it."""

        def draw(k: int, h: torch.Tensor) -> torch.Tensor:
            first = sum(nets.widths[:k])
            seeds, step = np.array(nets.seeds, dtype=np.uint64), int(self.step[0])
            return torch.from_numpy(training_noise(self.pool, seeds, step, start, h.shape[1], first, h.shape[2])).to(h)

        return draw

    def _weights_of(self, grads: list[torch.Tensor]) -> list[torch.Tensor]:
        if isinstance(self.nets, ModulePopulation):
            return [g.flatten(1) for g in grads if g.ndim > 2]
        out, at = [], 0
        for i, o in zip(self.nets.widths, self.nets.widths[1:]):
            out.append(grads[0][:, at : at + o * i])
            at += o * i + o
        return out

    @torch.no_grad()
    def _update(self, grads: list[torch.Tensor]) -> None:
        plan, how = self.plan, self.plan.optimizer
        self.step += 1
        t = int(self.step[0])
        for p, g, m, v in zip(self.parameters, grads, self.m, self.v):
            lr = torch.tensor(plan.lr, dtype=p.dtype, device=p.device).view(-1, *[1] * (p.ndim - 1))
            if isinstance(how, Adam):
                b1, b2 = how.betas
                m.mul_(b1).add_(g, alpha=1 - b1)
                v.mul_(b2).addcmul_(g, g, value=1 - b2)
                p -= lr / (1 - b1**t) * m / ((v / (1 - b2**t)).sqrt() + how.eps)
            elif isinstance(how, Adadelta):
                rho = how.rho
                v.mul_(rho).addcmul_(g, g, value=1 - rho)
                step = ((m + how.eps) / (v + how.eps)).sqrt() * g
                m.mul_(rho).addcmul_(step, step, value=1 - rho)
                p -= lr * step
            else:
                m.mul_(how.momentum).add_(g)
                p -= lr * m

    def state(self) -> dict[str, torch.Tensor]:
        """All that an exact resume needs, by name."""
        out = {"step": self.step.clone()}
        if isinstance(self.nets, MLPPopulation):
            out["ranges"] = self.nets.ranges.clone()
        for k, (p, m, v) in enumerate(zip(self.parameters, self.m, self.v)):
            out |= {f"p{k}": p.detach().clone(), f"m{k}": m.clone(), f"v{k}": v.clone()}
        return out

    @torch.no_grad()
    def load(self, state: dict[str, torch.Tensor]) -> None:
        """Go on from such a state."""
        self.step.copy_(state["step"])
        if isinstance(self.nets, MLPPopulation):
            self.nets.ranges.copy_(state["ranges"])
        for k, (p, m, v) in enumerate(zip(self.parameters, self.m, self.v)):
            p.copy_(state[f"p{k}"])
            m.copy_(state[f"m{k}"])
            v.copy_(state[f"v{k}"])


def orthonormality(nets) -> torch.Tensor:
    """[S]: sum over the hidden layers' weights of |G - I|^2 / 2, G the smaller of W W' and W' W (Cisse et al. 2017,
    4.1).
    """
    total = next(nets.parameters()).new_zeros(len(nets.seeds))  # not in torch's default dtype, nor on the CPU
    for w in weights(nets)[:-1]:
        w = w.flatten(2)
        w = w if w.shape[1] <= w.shape[2] else w.transpose(1, 2)
        gram = w @ w.transpose(1, 2) - torch.eye(w.shape[1], dtype=w.dtype, device=w.device)
        total = total + gram.square().sum((1, 2)) / 2
    return total


def weights(nets) -> list[torch.Tensor]:
    """Weight matrices [S, out, ...] of a population, layer by layer."""
    return [w for w, _ in nets.parts()] if hasattr(nets, "parts") else [p for p in nets.parameters() if p.ndim > 2]


def _follows(nets) -> int:
    """Which ends of rounding follow what a layer shows: 0 none, 1 the upper one, -1 both alike."""
    if not getattr(nets, "levels", 0) or nets.activation in RANGES:
        return 0
    return -1 if nets.activation == "linear" else 1


def losses(logits: torch.Tensor, target: torch.Tensor, head: str) -> torch.Tensor:
    """Loss of each sample in nats (half the squared error for a linear head, the absolute one for "median"): [S, n,
    out] twice -> [S, n].
    """
    if head == "softmax":
        return -(target * logits.log_softmax(-1)).sum(-1)
    if head == "sigmoid":
        return F.binary_cross_entropy_with_logits(logits, target.expand_as(logits), reduction="none").sum(-1)
    if head == "median":
        return (logits - target).abs().sum(-1)
    return 0.5 * (logits - target).square().sum(-1)


def batch_count(n: int, size: int, drop_last: bool) -> int:
    """Minibatches in one epoch of n samples."""
    size = min(size, n)
    return n // size if drop_last else -(-n // size)


def _add(kept: Moments | None, grads: list[torch.Tensor]) -> Moments:
    now = [g.detach().double().cpu().numpy() for g in grads]
    if kept is None:
        return Moments(total=now, square=[g**2 for g in now], batches=np.ones(len(now[0])))
    return Moments(
        total=[a + g for a, g in zip(kept.total, now)],
        square=[a + g**2 for a, g in zip(kept.square, now)],
        batches=kept.batches + 1,
    )
