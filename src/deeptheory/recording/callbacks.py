"""Callbacks for training frameworks: real subclasses, made when asked for, so that no framework is imported before."""

import math
from collections.abc import Callable
from typing import Any

from deeptheory.core.errors import InputError, MissingDependency


class _When:
    """Which epochs to look at: every `every`-th from 0, and the final model;
    never the same one twice (a resumed training).

    The final model is known by the count of optimizer steps: where training ended within an epoch that was looked at
    when it began, the model is another by now and gets the number of the next.
    """

    def __init__(self, recorder: Any, every: int):
        if every < 1:
            raise InputError(f"every is {every}; needed: at least 1 epoch")
        self.recorder, self.every = recorder, every
        self.looked_at: int | None = None  # optimizer steps done at the last look

    def begin(self, epoch: int, steps: int) -> None:
        if epoch % self.every == 0 and epoch not in self.recorder.steps:
            self.recorder.snapshot(epoch)
            self.looked_at = steps

    def end(self, epoch: float, steps: int) -> None:
        done = self.recorder.steps
        number = math.ceil(epoch - 1e-6)
        if number in done:
            if self.looked_at is None or self.looked_at == steps:
                return
            number = max(number, *done) + 1
        self.recorder.snapshot(number)
        self.looked_at = steps


def lightning(recorder: Any, every: int) -> Any:
    """A lightning.pytorch (or pytorch_lightning) Callback."""
    when = _When(recorder, every)
    try:
        from lightning.pytorch.callbacks import Callback  # type: ignore[import-not-found]
    except ImportError:
        try:
            from pytorch_lightning.callbacks import Callback  # type: ignore[import-not-found]
        except ImportError as error:
            raise MissingDependency("lightning is not installed; pip install lightning") from error
    base: Any = Callback

    class RecorderCallback(base):
        """Snapshot at the start of epochs and at the end of fit."""

        def on_train_epoch_start(self, trainer, pl_module) -> None:
            when.begin(trainer.current_epoch, trainer.global_step)

        def on_fit_end(self, trainer, pl_module) -> None:
            when.end(trainer.current_epoch, trainer.global_step)

    return RecorderCallback()


def transformers(recorder: Any, every: int) -> Any:
    """A transformers.TrainerCallback."""
    when = _When(recorder, every)
    try:
        from transformers import TrainerCallback  # type: ignore[import-not-found]
    except ImportError as error:
        raise MissingDependency("transformers is not installed; pip install transformers") from error

    class RecorderCallback(TrainerCallback):
        """Snapshot at the start of epochs and at the end of training."""

        def on_epoch_begin(self, args, state, control, **kwargs) -> None:
            when.begin(round(state.epoch or 0), state.global_step)

        def on_train_end(self, args, state, control, **kwargs) -> None:
            when.end(state.epoch or 0, state.global_step)

    return RecorderCallback()


CALLBACKS: dict[str, Callable[[Any, int], Any]] = {"lightning": lightning, "transformers": transformers}
