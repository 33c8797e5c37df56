"""Which information planes the playground has: its settings, its readouts and the protocol that all of them share.

Source: the networks and the task of Shwartz-Ziv & Tishby 2017 (12-10-7-5-4-3-2 on the 12-bit task, Adam at 4e-4,
minibatches of 512, as their released program has them; training fractions of figure 3), the other nonlinearities and
readouts of Saxe et al. 2018. The grid is a plan: a setting that is not on it, or that was not measured yet, is shown
as such and never interpolated."""

from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

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
    """What one plane was trained under. batch: "mini" or "full". share: percent of the patterns that train. labels:
    "true" or "permuted" among the patterns. depth: hidden layers, the first ones of the paper's network."""

    activation: str = "tanh"
    batch: str = "mini"
    share: int = 85
    labels: str = "true"
    depth: int = 5

    @property
    def key(self) -> str:
        """The name of its file."""
        return "-".join(str(v) for v in asdict(self).values())

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per layer, input first."""
        return (*WIDTHS[: self.depth + 1], WIDTHS[-1])


CHOICES: dict[str, tuple] = {
    "activation": ("tanh", "relu", "softplus", "linear"),
    "batch": ("mini", "full"),
    "share": (85, 45, 5),
    "labels": ("true", "permuted"),
    "depth": (5, 3, 1),
}


def grid() -> list[Setting]:
    """The settings that are measured, those that most questions need first.

    Fewer hidden layers are measured with most of the data only; 5 % of the patterns, 204, are one batch, so that
    there is no minibatch to tell from it."""
    everything = [Setting(*values) for values in product(*CHOICES.values())]
    planned = [s for s in everything if _planned(s)]
    return sorted(planned, key=lambda s: sum(values.index(getattr(s, name)) > 0 for name, values in CHOICES.items()))


def _planned(setting: Setting) -> bool:
    if setting.share != CHOICES["share"][0] and setting.depth != CHOICES["depth"][0]:
        return False
    return setting.batch == "full" or setting.share != 5
