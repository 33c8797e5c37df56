"""Which information planes the playground has: its settings, its readouts and the protocol that all of them share.

Source: the networks and the task of Shwartz-Ziv & Tishby 2017 (12-10-7-5-4-3-2 on the 12-bit task, Adam at 4e-4,
minibatches of 512, as their released program has them; training fractions of figure 3), the other nonlinearities and
readouts of Saxe et al. 2018. The grid is a plan: a setting that is not on it, or that was not measured yet, is shown
as such and never interpolated."""

from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole

WIDTHS = (12, 10, 7, 5, 4, 3, 2)
PROTOCOL: dict[str, Any] = {
    "init": "truncated_normal",
    "optimizer": "adam",
    "lr": 4e-4,
    "batch": 512,
    "reshuffle": False,
    "drop_last": False,  # small training sets have no whole minibatch
    "epochs": 8000,
    "points": 30,  # logged epochs on a logarithmic scale, before duplicates go
    "networks": 4,
    "noise_inputs": 1024,  # noise takes all pairs of inputs
    "seed": 0,
}
BINS = (10, 30, 100)
VARIANCES = (0.1, 0.01, 0.001)  # of the noise; Saxe et al. have 0.1 in the text and 0.001 in the program
READOUTS = (
    *(f"bins-{n}-{bounds}" for bounds in ("run", "layer") for n in BINS),
    *(f"noise-{v}" for v in VARIANCES),
    "exact",
)


@dataclass(frozen=True, order=True)
class Setting:
    """What the networks of one information plane are trained under; with PROTOCOL it is all.

    activation: of the hidden layers, as Population.mlp has it ("tanh", "relu", "softplus", "linear", ...). batch:
    "mini" (512 patterns) or "full". share: percent of the 4,096 patterns that train. labels: "true" or "permuted" among
    the patterns. depth: hidden layers, 1 to 5, the first ones of the paper's 12-10-7-5-4-3-2.
    InputError: another batch, share, labels or depth.
    """

    activation: str = "tanh"
    batch: str = "mini"
    share: int = 85
    labels: str = "true"
    depth: int = 5

    def __post_init__(self) -> None:
        known = {"batch": ("mini", "full"), "labels": ("true", "permuted"), "depth": range(1, len(WIDTHS) - 1)}
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise InputError(f"{name} is {getattr(self, name)!r}; known: {', '.join(map(str, values))}")
        check_whole(share=(self.share, 1))
        if self.share > 100:
            raise InputError(f"share is {self.share}; it is in per cent, 1 to 100")

    @property
    def key(self) -> str:
        """The name of its file without ending, and its name in packed planes: "tanh-mini-85-true-5"."""
        return "-".join(str(v) for v in asdict(self).values())

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per layer, input first, the two outputs last: (12, 10, 2) for a depth of 1."""
        return (*WIDTHS[: self.depth + 1], WIDTHS[-1])


CHOICES: dict[str, tuple] = {
    "activation": ("tanh", "relu", "softplus", "linear"),
    "batch": ("mini", "full"),
    "share": (85, 45, 5),
    "labels": ("true", "permuted"),
    "depth": (5, 3, 1),
}


def grid() -> list[Setting]:
    """The settings that are planned to be measured, those that most questions need first.

    All choices of activation, batch, share, labels and depth, but fewer hidden layers with 85 % of the patterns only,
    and 5 % with full batches only: those 204 patterns are less than one minibatch.
    """
    everything = [Setting(*values) for values in product(*CHOICES.values())]
    planned = [s for s in everything if _planned(s)]
    return sorted(planned, key=lambda s: sum(values.index(getattr(s, name)) > 0 for name, values in CHOICES.items()))


def _planned(setting: Setting) -> bool:
    if setting.share != CHOICES["share"][0] and setting.depth != CHOICES["depth"][0]:
        return False
    return setting.batch == "full" or setting.share != 5
