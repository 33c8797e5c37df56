"""Training one module by anybody's loss: the loop that studies call, and that a killed run goes on with exactly.

Nothing of the randomness is carried from step to step: minibatch k is drawn by a generator seeded by (seed, k), and
torch's own generator (dropout) is set again for every step. So the number of the step is the position, and going on
needs no more than weights, buffers and the optimizer's state.
"""

import inspect
import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import nn

from deeptheory.core.errors import DeeptheoryError, InputError
from deeptheory.core.names import pick
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_number, check_whole
from deeptheory.networks.checkpoint_folder import Checkpoint, as_checkpoint
from deeptheory.networks.fingerprints import name_of, of_optimizer, of_schedule
from deeptheory.networks.single.minibatches import Minibatches
from deeptheory.networks.single.module_checkpoint import ModuleCheckpoint
from deeptheory.networks.single.modules import evaluating

if TYPE_CHECKING:
    import plotly.graph_objects
    import xarray

_UNSEEN = 20  # steps between looks at the loss where looking means waiting for a device


def adam(parameters, lr: float) -> torch.optim.Optimizer:
    """Kingma & Ba 2015, torch's defaults; the fused step, which for small networks is the fast one."""
    return torch.optim.Adam(parameters, lr=lr, fused=_fusable(parameters))


def adamw(parameters, lr: float) -> torch.optim.Optimizer:
    """Loshchilov & Hutter 2019: weight decay 0.01."""
    return torch.optim.AdamW(parameters, lr=lr, fused=_fusable(parameters))


def sgd(parameters, lr: float) -> torch.optim.Optimizer:
    """Plain stochastic gradient descent."""
    return torch.optim.SGD(parameters, lr=lr)


Optimizer = Literal["adam", "adamw", "sgd"]
OPTIMIZERS: dict[str, Callable[[list[nn.Parameter], float], torch.optim.Optimizer]] = {
    "adam": adam,
    "adamw": adamw,
    "sgd": sgd,
}


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainingLog(Result):
    """How a training went.

    losses: [steps done] float64, the loss of every step before its update, in the loss's unit. steps: the numbers of
    steps done at which evaluate was asked. measured: what it gave there, name -> [len(steps)]. stopped: whether stop
    ended it before its last step.
    """

    seed: int
    losses: np.ndarray
    steps: tuple[int, ...]
    measured: Mapping[str, np.ndarray]
    stopped: bool = False

    def __repr__(self) -> str:
        end = "".join(f", {name} {values[-1]:.4g}" for name, values in self.measured.items() if len(values))
        stopped = ", stopped early" if self.stopped else ""
        return f"TrainingLog({len(self.losses)} steps, loss {self._since()[-1]:.4g}{end}{stopped})"

    def _since(self) -> np.ndarray:
        """[looks]: mean loss of the steps since the look before; NaN where there was none."""
        edges = (0, *self.steps) if self.steps else (0, len(self.losses))
        parts = [self.losses[a:b] for a, b in itertools.pairwise(edges)]
        return np.array([p.mean() if len(p) else math.nan for p in parts])

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset over step, the steps done at each evaluation: loss and what evaluate gave.

        loss is the mean over the steps since the evaluation before, NaN before the first step. Without evaluate there
        is one point, at the end.
        """
        import xarray as xr

        names = {"loss": self._since(), **self.measured}
        steps = list(self.steps) or [len(self.losses)]
        return xr.Dataset({k: ("step", np.asarray(v)) for k, v in names.items()}, coords={"step": steps})

    def scalars(self) -> dict[str, float]:
        """The last point of .dataset(), by name (loss is a mean, see there), and the steps done."""
        last = {str(k): float(v[-1]) for k, v in self.dataset().data_vars.items()}
        return last | {"steps": float(len(self.losses))}

    def figure(self) -> "plotly.graph_objects.Figure":
        """Every variable of .dataset() against the step, on one axis."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure

        figure = new_figure(xaxis_title="step")
        data = self.dataset()
        for name in data.data_vars:
            mode = "lines+markers" if len(self.steps) < 30 else "lines"
            figure.add_trace(go.Scatter(x=data["step"].values, y=data[name].values, name=str(name), mode=mode))
        return figure


def train(
    model: nn.Module,
    batches: Callable[[int, np.random.Generator], Any],
    loss: Callable[[nn.Module, Any], torch.Tensor],
    *,
    steps: int,
    optimizer: Optimizer | Callable[[list[nn.Parameter], float], torch.optim.Optimizer] = "adam",
    lr: float = 1e-3,
    lr_schedule: Callable[[int], float] | None = None,
    evaluate: Callable[[nn.Module], Mapping[str, float]] | None = None,
    every: int | None = None,
    stop: Callable[[Mapping[str, float]], bool] | None = None,
    checkpoint: str | Path | Checkpoint | None = None,
    progress: Callable[[int, int], Any] | None = None,
    seed: int = 0,
) -> TrainingLog:
    """Train the model in place for `steps` steps of one minibatch each.

    The model is in train mode and on the device where it was; batches have to be there too. batches(step, generator):
    the minibatch of that step (from 0), in whatever form loss takes it; generator is a numpy Generator of (seed, step),
    and nothing else may be drawn from. `minibatches` makes such a function from arrays. loss(model, batch): a scalar
    tensor. optimizer: "adam", "adamw" (weight decay 0.01), "sgd", each with torch's defaults, or f(parameters, lr) ->
    torch Optimizer; it gets the parameters that require a gradient. lr_schedule(step): factor on lr. evaluate(model):
    numbers by name, asked every `every` steps, before the first and after the last (every=None: these two alone), with
    the model in eval mode and no gradients; stop(those numbers): True ends the training there. checkpoint: a folder, or
    `Checkpoint(folder, seconds)`; the state is saved there every so many seconds, 30 by default, and at the end, and a
    second call with the same arguments goes on from it to the same bits (safetensors, never pickle). Arguments are
    compared by value: the weights that the model begins with, every setting in the optimizer's groups, lr_schedule's
    factors, what `minibatches` was made of; and the model, the loss and the batches by the loss that they give at step
    0. Left out: evaluate, stop and progress (they change no weights) and the seconds. progress(done, steps) after every
    step. torch's own generators are set from (seed, step) while this runs, and are as before afterwards, as are the
    train flags of every module in it; Python's and numpy's global generators are not touched and are no source of
    repeatable batches.

    Returns the log of losses and measures. InputError: steps or every no integer of 1 or more, lr not above 0, an
    unknown optimizer or one that needs a closure, no parameter to train, a loss that is no scalar or has no gradient, a
    measure that is no number. DeeptheoryError: a loss or weights that are NaN or infinite. StoreError: the checkpoint
    is corrupt or of other settings.
    """
    _check(steps, lr, every, seed)
    steps, seed, every = int(steps), int(seed), None if every is None else int(every)
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise InputError(f"{type(model).__name__} has no parameter that requires a gradient; there is nothing to train")
    if any(p.is_inference() for p in parameters):
        raise InputError("the module was made in inference mode, which bars training; make it outside of it")
    make = optimizer if callable(optimizer) else pick(OPTIMIZERS, optimizer, what="optimizer")
    stepper = make(parameters, lr)
    _check_optimizer(stepper)
    rates = [group["lr"] for group in stepper.param_groups]
    state = _State(np.zeros(steps))
    kept = None
    if checkpoint is not None:
        settings = {
            "seed": seed,
            "steps": steps,
            "every": every,
            "optimizer": of_optimizer(stepper),
            "lr": [float(rate) for rate in rates],
            "lr_schedule": of_schedule(lr_schedule, steps),
            "batches": batches.fingerprint() if isinstance(batches, Minibatches) else name_of(batches),
        }
        kept = ModuleCheckpoint(as_checkpoint(checkpoint), model, stepper, settings)
        kept.restore(state, lambda: _first_loss(model, batches, loss, seed, parameters[0].device))
    look = _Look(evaluate, every, stop, steps)
    device = parameters[0].device
    unseen: list[torch.Tensor] = []
    with _own_randomness(device), _training(model), torch.inference_mode(False), torch.enable_grad():
        while not state.stopped:
            if look.due(state):
                _seed_torch(device, seed, state.done, 1)
                look.take(model, state)
            if state.stopped or state.done == steps:
                break
            step = state.done
            batch = batches(step, np.random.default_rng([seed, step]))
            _seed_torch(device, seed, step, 0)
            value = loss(model, batch)
            _check_loss(value, step)
            stepper.zero_grad(set_to_none=True)
            value.backward()
            for group, rate in zip(stepper.param_groups, rates):
                group["lr"] = rate * (1.0 if lr_schedule is None else float(lr_schedule(step)))
            unseen.append(value.detach())
            state.done += 1
            if not _waits(device) or len(unseen) == _UNSEEN or state.done == steps or look.due(state):
                _read_losses(unseen, state)
            stepper.step()
            if state.done == steps or look.due(state):
                _check_weights(parameters, state.done)
            if progress is not None:
                progress(state.done, steps)
            if kept and not unseen:
                kept.keep(state)
    if kept:
        kept.keep(state, now=True)
    measured = {k: np.array([row[k] for row in state.rows]) for k in (state.rows[0] if state.rows else ())}
    return TrainingLog(
        seed=seed,
        losses=state.losses[: state.done],
        steps=tuple(state.looks),
        measured=measured,
        stopped=state.stopped and state.done < steps,
    )


class _State:
    """Where a training stands: what a checkpoint keeps beside weights and optimizer."""

    def __init__(self, losses: np.ndarray):
        self.losses = losses  # [steps] float64
        self.done = 0
        self.looks: list[int] = []
        self.rows: list[dict[str, float]] = []
        self.stopped = False


class _Look:
    """When to evaluate, and doing so."""

    def __init__(self, evaluate, every: int | None, stop, steps: int):
        self.evaluate, self.every, self.stop, self.steps = evaluate, every, stop, steps

    def due(self, state: _State) -> bool:
        if self.evaluate is None or state.done in state.looks[-1:]:
            return False
        return state.done in (0, self.steps) or (self.every is not None and state.done % self.every == 0)

    def take(self, module: nn.Module, state: _State) -> None:
        assert self.evaluate is not None
        with evaluating(module), torch.no_grad():
            found = self.evaluate(module)
        if not isinstance(found, Mapping):
            raise InputError(f"evaluate gave a {type(found).__name__}; it gives numbers by name, a dict")
        row = {}
        for name, value in found.items():
            try:
                row[str(name)] = float(value)
            except (TypeError, ValueError) as error:
                raise InputError(f"evaluate gave {name} = {value!r}; it gives numbers by name") from error
        if state.rows and row.keys() != state.rows[0].keys():
            raise InputError(f"evaluate gave {sorted(row)}, at first {sorted(state.rows[0])}; the names stay the same")
        state.looks.append(state.done)
        state.rows.append(row)
        state.stopped = self.stop is not None and bool(self.stop(row))


def _first_loss(module: nn.Module, batches, loss, seed: int, device: torch.device) -> float:
    """The loss of step 0, as the training computes it; changes buffers, not weights."""
    with _own_randomness(device), _training(module), torch.inference_mode(False), torch.enable_grad():
        batch = batches(0, np.random.default_rng([seed, 0]))
        _seed_torch(device, seed, 0, 0)
        return float(loss(module, batch).detach())


def _check(steps: int, lr: float, every: int | None, seed: int) -> None:
    check_whole(steps=(steps, 1), seed=(seed, 0))
    check_number(lr=lr)
    if not (math.isfinite(lr) and lr > 0):
        raise InputError(f"lr is {lr}; needed: a number above 0")
    if every is not None:
        check_whole(every=(every, 1))


def _check_loss(value: Any, step: int) -> None:
    if not isinstance(value, torch.Tensor) or value.ndim != 0:
        seen = f"a tensor of shape {list(value.shape)}" if isinstance(value, torch.Tensor) else type(value).__name__
        raise InputError(f"loss gave {seen} at step {step}; it gives one scalar tensor, such as a mean over the batch")
    if not value.requires_grad:
        raise InputError(f"the loss at step {step} has no gradient; was it detached, or made from other parameters?")


def _check_optimizer(stepper: Any) -> None:
    if not isinstance(stepper, torch.optim.Optimizer):
        raise InputError(f"optimizer gave a {type(stepper).__name__}; needed: f(parameters, lr) -> a torch Optimizer")
    closure = inspect.signature(stepper.step).parameters.get("closure")
    if closure is not None and closure.default is closure.empty:
        raise InputError(
            f"{type(stepper).__name__} asks for the loss several times a step, which this loop does not do"
        )


def _check_weights(parameters: list[nn.Parameter], done: int) -> None:
    """What the last step did, which no later loss would show."""
    if not all(bool(p.isfinite().all()) for p in parameters):
        raise DeeptheoryError(f"weights became infinite or NaN by step {done}; lower lr, or look at the batch")


def _read_losses(unseen: list[torch.Tensor], state: _State) -> None:
    """Copy the losses of the last steps; an infinite one ends the training before anything is kept of it."""
    first = state.done - len(unseen)
    values = np.array(torch.stack(unseen).tolist() if len(unseen) > 1 else [unseen[0].item()])
    unseen.clear()
    state.losses[first : state.done] = values
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        at = first + int(bad[0])
        before = f", after {state.losses[at - 1]:.4g} the step before" if at else ""
        raise DeeptheoryError(f"the loss is {values[bad[0]]} at step {at}{before}; lower lr, or look at the batch")


def _waits(device: torch.device) -> bool:
    """Whether reading one number means waiting until the device has done all that it was given."""
    return device.type != "cpu"


def _seed_torch(device: torch.device, seed: int, step: int, purpose: int) -> None:
    drawn = int(np.random.SeedSequence([seed, step, purpose]).generate_state(1, np.uint64)[0] >> 1)
    torch.default_generator.manual_seed(drawn)
    if device.type == "cuda":
        torch.cuda.manual_seed(drawn)


def _fusable(parameters: list[nn.Parameter]) -> bool:
    return all(p.is_floating_point() and p.device.type in ("cpu", "cuda") for p in parameters)


@contextmanager
def _own_randomness(device: torch.device) -> Iterator[None]:
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        yield


@contextmanager
def _training(module: nn.Module) -> Iterator[None]:
    """Train mode, and every part's own flag afterwards."""
    with evaluating(module):
        module.train()
        yield
