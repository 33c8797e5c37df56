"""Training a population: who trains on what, when to look, and how to go on after a kill.

Epoch e means: e passes over the training set are done. What is recorded at e comes before the updates of pass e + 1.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from deeptheory.core.arrays import as_floats, as_numpy, as_tensor, check_paired
from deeptheory.core.errors import DeeptheoryError, InputError
from deeptheory.core.names import pick
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_number, check_whole, whole_numbers
from deeptheory.networks.checkpoint_folder import Checkpoint, as_checkpoint
from deeptheory.networks.population.checkpoint import PopulationCheckpoint
from deeptheory.networks.population.engines import Autograd, HandWritten, Plan, losses, weights
from deeptheory.networks.population.optimizers import Optimizer, optimizer_of
from deeptheory.networks.population.population import Population
from deeptheory.networks.population.precision import check_precision
from deeptheory.networks.population.splits import Split, split
from deeptheory.networks.population.targets import as_targets
from deeptheory.networks.single.modules import evaluating

if TYPE_CHECKING:
    import plotly.graph_objects
    import xarray

LOSS_UNITS = {"softmax": "nats", "sigmoid": "nats", "linear": "half squared error", "median": "absolute error"}
_SPAN = 200  # epochs between looks at progress, checkpoint and finiteness; results do not depend on it


@dataclass(frozen=True, kw_only=True, eq=False)
class History(Result):
    """Loss and accuracy while training, of the rows that train and of those held out.

    The losses and accuracies are [seed, step] float64, test ones NaN where no row is held out. steps: the logged
    epochs. Loss: mean per sample, in nats (head "softmax", "sigmoid"), half the squared error ("linear") or the
    absolute error ("median"), summed over outputs; without the orthonormal penalty. Accuracy: fraction of rows whose
    largest output is the target's largest; of one output, whether both lie on one side of probability 1/2 (of 0.5 for
    numbers). order: [seed, n] row numbers, of which the first counts[seed] trained that network. method: the engine
    that ran.
    """

    seeds: tuple[int, ...]
    steps: tuple[int, ...]
    train_loss: np.ndarray
    test_loss: np.ndarray
    train_accuracy: np.ndarray
    test_accuracy: np.ndarray
    order: np.ndarray
    counts: np.ndarray
    method: str
    loss_unit: str = "nats"
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        if not self.steps:
            return f"History({len(self.seeds)} networks, nothing logged)"
        end = f"train loss {self.train_loss[:, -1].mean():.4f}, test accuracy {self.test_accuracy[:, -1].mean():.4f}"
        return f"History({len(self.seeds)} networks, epochs {self.steps[0]} to {self.steps[-1]}, {end})"

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset over [seed, step]: train_loss, test_loss, train_accuracy, test_accuracy; see the class."""
        import xarray as xr

        names = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")
        return xr.Dataset(
            {name: (("seed", "step"), getattr(self, name)) for name in names},
            coords={"seed": list(self.seeds), "step": list(self.steps)},
            attrs={"loss_unit": self.loss_unit},
        )

    def figure(self) -> "plotly.graph_objects.Figure":
        """Loss of training and held-out samples against epoch + 1, mean over networks, both axes logarithmic."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure

        figure = new_figure(xaxis_title="epoch + 1", yaxis_title=f"loss ({self.loss_unit})")
        figure.update_xaxes(type="log")
        figure.update_yaxes(type="log")
        mean = self.dataset().mean("seed")
        for name, label in (("train_loss", "training"), ("test_loss", "held out")):
            figure.add_trace(go.Scatter(x=np.array(self.steps) + 1, y=mean[name].values, name=label, mode="lines"))
        return figure


@torch.inference_mode(False)
@torch.enable_grad()
def fit(
    nets: Population,
    x,
    y,
    *,
    epochs: int,
    train_fraction: float | Sequence = 0.8,
    optimizer: Literal["adam", "sgd", "adadelta"] | Optimizer = "adam",
    lr: float | Sequence[float] = 4e-4,
    batch: int | None = 512,
    recorder=None,
    record_at: Sequence[int] = (),
    gradients=None,
    gradient_batch: int | None = None,
    seed: int = 0,
    split: Split = "random",
    reshuffle: bool = True,
    drop_last: bool = False,
    orthonormal: float = 0.0,
    checkpoint: str | Path | Checkpoint | None = None,
    progress: Callable[[int, int], None] | None = None,
    engine: Literal["auto", "handwritten", "autograd"] = "auto",
) -> History:
    """Train every network of the population, in place; record the epochs in `record_at`.

    x: [n, ...] float, computed in the networks' dtype; y: labels [n] (or [S, n], one row per network), probabilities
    [n, out], or for a "linear" or "median" head numbers [n] or [n, out]. train_fraction: fraction of rows that train,
    above 0 to 1 (the rest is held out), for all or a list of one per network, or of row numbers [m] per network; split:
    how rows are divided, "random" (another for each network, by `seed` and its own), "common" (one, by `seed`) or
    "first" (as they come). optimizer: a name, or its settings: `Adam(betas, eps)`, `SGD(momentum)`, `Adadelta(rho,
    eps)`; lr: one for all or one per network. batch: rows of a minibatch, None: full batch. reshuffle: another order in
    every epoch, by each network's own seed; drop_last: leave out an epoch's last, incomplete minibatch. record_at:
    epochs to log, 0 (before training) to `epochs`. recorder: has .snapshot(epoch). gradients: has .add(layer,
    mean_norm=, std_norm=, weight_norm=, batches=, step=), called with the moments over the minibatches of the epoch
    that follows each logged epoch, each gradient taken before its update; gradient_batch: over minibatches of that size
    instead, without stepping (full batch has no minibatches of its own: NaN). orthonormal: weight of the penalty sum of
    |G - I|^2 / 2 over the hidden layers' weights, G the smaller of W W' and W' W (Cisse et al. 2017). checkpoint: a
    folder, or `Checkpoint(folder, seconds)`; the state is saved there every so many seconds, 30 by default, and a
    second call with the same arguments goes on exactly; they are compared by value, the weights and functions of the
    networks among them, and what is left out (progress, the seconds) changes no result. progress: called as
    progress(epochs done, epochs). engine: "auto" takes "handwritten", a compiled step, for float32 MLPs on the CPU with
    a named activation, else "autograd". Each network is the same, bit for bit, whatever its companions (handwritten
    engine, one machine and thread count).

    Returns losses and accuracies at record_at. InputError: epochs, batch or gradient_batch no integer of 1 or more,
    frozen networks, logged epochs that are no integers in 0..epochs, shapes that do not fit, NaN, labels out of range
    or of one class, a fraction outside (0, 1], lr not above 0, unknown names, an engine that cannot train these
    networks, numbers that are infinite in the networks' dtype. StoreError: the checkpoint is corrupt or of other
    settings. DeeptheoryError: weights became infinite or NaN, or squared gradients infinite; what was recorded so far
    stays in the recorder.
    """
    looks, epochs = _check_looks(epochs, record_at), int(epochs)
    if gradient_batch is not None:
        check_whole(gradient_batch=(gradient_batch, 1))
        gradient_batch = int(gradient_batch)
    plan = _plan(
        nets,
        x,
        y,
        train=train_fraction,
        optimizer=optimizer,
        lr=lr,
        batch=batch,
        seed=seed,
        how=split,
        reshuffle=reshuffle,
        drop_last=drop_last,
        orthonormal=orthonormal,
    )
    log = _Log(nets, plan, looks)
    dtype = next(nets.parameters()).dtype
    numbers = {"x": plan.x} | ({"y": as_numpy(y)} if nets.head in ("linear", "median") else {})
    log.notes = tuple(note for name, values in numbers.items() for note in check_precision(name, values, dtype))
    more = {
        "engine": _engine_of(nets, plan, engine).__name__,
        "recorder": recorder is not None,
        "gradients": gradients is not None,
        "gradient_batch": gradient_batch,
    }
    kept = None
    if checkpoint is not None:
        kept = PopulationCheckpoint(as_checkpoint(checkpoint), nets, plan, epochs, looks, more)
    run = _engine_of(nets, plan, engine)(nets, plan)  # after the checkpoint has seen the networks as they came
    now = kept.restore(run, log, recorder, gradients) if kept else 0
    if progress is not None:
        progress(now, epochs)
    done_looks = set(log.done)
    while True:
        if now in looks and now not in done_looks:
            if recorder is not None:
                recorder.snapshot(now)
            log.look(now)
            done_looks.add(now)
            if gradients is not None:
                now += _look_at_gradients(run, nets, gradients, gradient_batch, now, epochs)
                _check_weights(nets, run, now, "recorder" if recorder is not None else None)
                continue
        if now >= epochs:
            break
        upto = min([e for e in looks if e > now] + [epochs, now + _SPAN])
        run.run(now, upto)
        now = upto
        _check_weights(nets, run, now, "recorder" if recorder is not None else None)
        if progress is not None:
            progress(now, epochs)
        if kept:
            kept.keep(now, run, log, recorder, gradients)
    return log.history(type(run).__name__)


def _check_looks(epochs: int, at: Sequence[int]) -> list[int]:
    check_whole(epochs=(epochs, 1))
    if not isinstance(at, Iterable):
        raise InputError(f"record_at is {at!r}; needed: a list of epochs, such as [{epochs}]")
    looks = sorted(set(whole_numbers("record_at", at if isinstance(at, np.ndarray) else list(at)).tolist()))
    if looks and looks[-1] > epochs:
        raise InputError(f"record_at holds epochs from {looks[0]} to {looks[-1]}; they must lie in 0..{epochs}")
    return looks


def _plan(nets, x, y, *, train, optimizer, lr, batch, seed, how, reshuffle, drop_last, orthonormal) -> Plan:
    check_finite(x=x)
    check_paired(x=x, y=y)
    x = as_numpy(as_tensor(x))  # in a form that torch takes: pandas' own and memory maps cannot be written
    if x.ndim == 0 or x.dtype.kind == "c":
        raise InputError(f"x holds {x.dtype} of shape {list(x.shape)}; needed: real numbers [n, ...]")
    if any(p.is_inference() for p in nets.parameters()):
        raise InputError("the networks were made in inference mode, which bars training; make them outside of it")
    if not any(p.requires_grad for p in nets.parameters()):
        raise InputError("all parameters are frozen (requires_grad is False); there is nothing to train")
    n, networks, dtype = len(x), len(nets.seeds), next(nets.parameters()).dtype
    if n < 2:
        raise InputError(f"x has {n} rows; training needs at least 2")
    if np.ndim(lr) == 0:
        check_number(lr=lr)
    rates = as_floats(lr)
    rates = np.broadcast_to(rates, (networks,)) if rates.ndim == 0 else rates
    if rates.shape != (networks,) or not (np.isfinite(rates) & (rates > 0)).all():
        raise InputError(f"lr is {lr}; needed: one number above 0, or one for each of the {networks} networks")
    check_number(orthonormal=orthonormal)
    if not (orthonormal >= 0 and np.isfinite(orthonormal)):
        raise InputError(f"orthonormal is {orthonormal}; the weight of the penalty is a finite number, 0 for none")
    check_whole(seed=(seed, 0))
    order, counts = split(n, train, nets.seeds, how, seed)
    if batch is not None:
        check_whole(batch=(batch, 1))
    if batch is not None and drop_last and batch > counts.min():
        raise InputError(f"batch is {batch} and the training set {counts.min()}: drop_last leaves no step; lower batch")
    outputs = _outputs_of(nets, x)
    return Plan(
        x=x,
        target=np.require(as_targets(y, n, networks, outputs, nets.head, dtype), requirements=("C", "W")),
        order=order,
        counts=counts,
        batch=int(counts.max()) if batch is None else int(batch),
        drop_last=drop_last,
        reshuffle=reshuffle and batch is not None,
        optimizer=optimizer_of(optimizer),
        lr=np.array(rates),  # a read-only array is another type to the compiler, which would compile again
        orthonormal=float(orthonormal),
    )


def _outputs_of(nets, x: np.ndarray) -> int:
    """Numbers that each network gives for a row. InputError: x does not fit the networks."""
    widths = getattr(nets, "widths", None)
    if widths is not None and x.shape[1:] != (widths[0],):
        raise InputError(f"x has shape {list(x.shape)}; these networks take [n, {widths[0]}]")
    row = torch.as_tensor(x[:1]).to(next(nets.parameters()))
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            logits = nets.logits(row.expand(len(nets.seeds), *row.shape), True)
    except RuntimeError as error:
        first = str(error).partition("\n")[0]
        raise InputError(
            f"x has shape {list(x.shape)}, and the networks cannot take rows of {list(x.shape[1:])}: {first}"
        ) from error
    if logits.ndim != 3:
        raise InputError(f"each network gives shape {list(logits.shape[1:])} for one row of x; needed: logits [n, out]")
    return logits.shape[-1]


def _engine_of(nets: Any, plan: Plan, engine: str) -> Any:
    pick({"auto": 0, "handwritten": 0, "autograd": 0}, engine, what="engine")
    if engine == "handwritten" and not HandWritten.fits(nets):
        raise InputError(
            "the handwritten step takes float32 MLPs on the CPU with a named activation; use engine='auto'"
        )
    if engine != "autograd" and HandWritten.fits(nets):
        return HandWritten
    if len(set(plan.counts.tolist())) > 1:
        sizes = sorted(set(plan.counts.tolist()))
        raise InputError(f"training sets of {sizes} rows: only the handwritten step trains networks on different sizes")
    return Autograd


def _look_at_gradients(run, nets, gradients, size: int | None, now: int, epochs: int) -> int:
    """Moments over the epoch that begins at `now`; returns the epochs that this trained, 0 or 1."""
    trains = size is None and now < epochs
    norms_of_weights = [w.detach().flatten(1).double().norm(dim=1).cpu().numpy() for w in weights(nets)]
    moments = run.run(now, now + 1, update=trains, batch=size, moments=True)
    for k, ((mean, std), weight) in enumerate(zip(moments.norms(), norms_of_weights), start=1):
        batches = int(moments.batches.min())
        gradients.add(f"layer{k}", mean_norm=mean, std_norm=std, weight_norm=weight, batches=batches, step=now)
    return int(trains)


def _check_weights(nets, run, now: int, recorder: str | None) -> None:
    bad = {s for p in nets.parameters() for s, ok in zip(nets.seeds, p.detach().flatten(1).isfinite().all(1)) if not ok}
    if bad:
        kept = "; what was recorded so far stays in the recorder" if recorder else ""
        raise DeeptheoryError(
            f"weights became infinite or NaN before epoch {now} in the networks of seeds {sorted(bad)}; lower lr{kept}"
        )
    if not all(np.isfinite(as_numpy(v)).all() for v in run.v):
        raise DeeptheoryError(
            f"squared gradients became infinite before epoch {now}: these weights would stay where they are; scale x "
            f"and y{'; what was recorded so far stays in the recorder' if recorder else ''}"
        )


class _Log:
    """Loss and accuracy at each look."""

    def __init__(self, nets, plan: Plan, looks: list[int]):
        self.nets, self.plan, self.looks = nets, plan, looks
        self.done: list[int] = []
        self.rows: list[np.ndarray] = []  # each [4, S]
        self.notes: tuple[str, ...] = ()
        like = next(nets.parameters())
        self.x = torch.as_tensor(plan.x).to(like)
        self.target = torch.as_tensor(plan.target).to(like)
        train = np.zeros(plan.order.shape, dtype=bool)
        for s, count in enumerate(plan.counts):
            train[s, plan.order[s, :count]] = True
        self.train = torch.as_tensor(train, device=like.device)

    @torch.no_grad()
    def look(self, now: int) -> None:
        with evaluating(self.nets):
            logits = self.nets.logits(self.x)
        loss = losses(logits, self.target, self.nets.head).double()
        if self.nets.head == "linear":  # squares leave float32 where the errors are in it
            exact = losses(logits.double(), self.target.double(), self.nets.head)
            loss = torch.where(loss.isfinite() & (loss >= torch.finfo(logits.dtype).tiny), loss, exact)
        right = (_decided(logits, self.nets.head) == _decided_targets(self.target, self.nets.head)).double()
        out = []
        for value in (loss, right):
            for rows in (self.train, ~self.train):
                count = rows.sum(1)
                mean = torch.where(rows, value, 0).sum(1) / count  # no row held out: 0/0 is NaN
                out.append(mean.cpu().numpy())
        self.done.append(now)
        self.rows.append(np.stack(out))

    def history(self, method: str) -> History:
        values = np.stack(self.rows, axis=-1) if self.rows else np.zeros((4, len(self.nets.seeds), 0))
        notes = (*self.notes, *(["no rows are held out: test values are NaN"] if bool(self.train.all()) else []))
        return History(
            seeds=self.nets.seeds,
            steps=tuple(self.done),
            train_loss=values[0],
            test_loss=values[1],
            train_accuracy=values[2],
            test_accuracy=values[3],
            order=self.plan.order,
            counts=self.plan.counts,
            method=method,
            loss_unit=LOSS_UNITS[self.nets.head],
            notes=notes,
        )


def _decided(logits: torch.Tensor, head: str) -> torch.Tensor:
    return (
        logits.argmax(-1)
        if logits.shape[-1] > 1
        else (logits[..., 0] > (0.5 if head in ("linear", "median") else 0.0)).long()
    )


def _decided_targets(target: torch.Tensor, head: str) -> torch.Tensor:
    return target.argmax(-1) if target.shape[-1] > 1 else (target[..., 0] > 0.5).long()
