"""The independent units of a study: networks or draws, numbered from the run's seed."""

from collections.abc import Iterable
from typing import Any, TypeVar

from torch import nn
from torch.nn.utils import vector_to_parameters

from deeptheory.core.arrays import as_tensor
from deeptheory.runs import chunks, members

Module = TypeVar("Module", bound=nn.Module)


def seeds(settings: dict, count: str = "networks") -> list[int]:
    """The networks of the run, the same in every step, so that steps pair them. count:
    the setting that says how many."""
    return members(settings["seed"], settings[count])


def in_chunks(settings: dict, count: str = "networks") -> list[list[int]]:
    """The same in chunks that are worked on together: of as many as the setting `chunk` says,
    or of one where the study has none."""
    return chunks(seeds(settings, count), settings.get("chunk", 1))


def widened(counts: Iterable[int], settings: dict) -> list[int]:
    """Channels, types or units of a network, times the setting `width`; at least one of each."""
    return [max(1, round(n * settings["width"])) for n in counts]


def filled(network: Module, values: Any) -> Module:
    """The network with the weights [parameters] that a training step kept of it, in place."""
    vector_to_parameters(as_tensor(values).clone(), network.parameters())
    return network
