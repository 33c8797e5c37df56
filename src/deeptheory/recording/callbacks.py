"""Callbacks for training frameworks: real subclasses, made when asked for, so that no framework is imported before."""

from collections.abc import Callable
from typing import Any

from deeptheory.errors import InputError, MissingDependency


class _When:
    """Which epochs to look at: every `every`-th from 0, and the last; never the same one twice (a resumed training)."""

    def __init__(self, recorder: Any, every: int):
        if every < 1:
            raise InputError(f"every is {every}; needed: at least 1 epoch")
        self.recorder, self.every = recorder, every

    def look(self, epoch: int, last: bool = False) -> None:
        if (last or epoch % self.every == 0) and epoch not in self.recorder.recording.steps:
            self.recorder.snapshot(epoch)


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
            when.look(trainer.current_epoch)

        def on_fit_end(self, trainer, pl_module) -> None:
            when.look(trainer.current_epoch, last=True)

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
            when.look(round(state.epoch or 0))

        def on_train_end(self, args, state, control, **kwargs) -> None:
            when.look(round(state.epoch or 0), last=True)

    return RecorderCallback()


CALLBACKS: dict[str, Callable[[Any, int], Any]] = {"lightning": lightning, "transformers": transformers}
