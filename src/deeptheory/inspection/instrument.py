"""What an instrument is: a question put to every layer of a model, or to the model itself, always beside its controls.

Two kinds. A stream sees the probe pass by, batch by batch, for all layers in one pass (`start`). A probe of the model
runs passes of its own (`run`). The engine calls either on the model and on its untrained twins, hands permuted labels
along as further columns of the targets, and joins what comes back; an instrument never makes a control itself.
"""

import math
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from deeptheory.core.errors import InputError

if TYPE_CHECKING:
    import torch

Needs = Literal["nothing", "classes", "targets"]
NEEDS: tuple[Needs, ...] = get_args(Needs)


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One number per layer that an instrument reads.

    name: its key. title: for the figure's row. unit: "1" for a plain number. about: one line below the title (what it
    is, and what its ends mean). log: drawn on a log axis. ends: the axis's range where it is known beforehand, such as
    (0, 1). chance: the value without any relation, where there is one, as a function of the Context. shown: whether it
    has a row in the figure by depth; the others stand in the section's table.
    """

    name: str
    title: str
    unit: str = "1"
    about: str = ""
    log: bool = False
    ends: tuple[float, float] | None = None
    chance: Callable[["Context"], float] | None = None
    shown: bool = False


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One quantity of one layer as measured.

    quantity: a Quantity's name; value in its unit. low, high: a 95 % interval over samples (this network only), NaN
    where none. permuted: the same number for each permuted column of the targets, () where labels play no part.
    note: a caveat; a value that cannot be had is NaN with the reason as its note.
    InputError: NaN without a note, low above high.
    """

    quantity: str
    value: float
    low: float = math.nan
    high: float = math.nan
    permuted: tuple[float, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if math.isnan(self.value) and not self.note:
            raise InputError(f"{self.quantity} is NaN without a note; say why it cannot be measured")
        if self.low > self.high:
            raise InputError(f"{self.quantity}: the interval [{self.low}, {self.high}] is reversed; low comes first")


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A place in the network.

    name; index: 0, 1, ... in the order of the forward pass; kind: the class or function that made it. role: "input",
    "activation", "block", "head input" or "output". shape: of one sample, as the model makes it. units: columns of the
    activations that a stream gets; positions: of the whole, 1 where there are none. pooling: in words, how the one
    became the other. nonlinearity: "relu", "tanh", ... where known, else "". module: its path in the model, "" for
    functions. label: the name for people, with what made it where the name alone says little ("conv1 relu" for "relu").
    """

    name: str
    index: int
    kind: str
    role: str
    shape: tuple[int, ...]
    units: int
    positions: int = 1
    pooling: str = "none"
    nonlinearity: str = ""
    module: str = ""
    label: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Head:
    """The linear map that ends the model, detached, on its device.

    weight [classes, d], bias [classes] or None; layer: the name of the Layer that is its input.
    """

    weight: "torch.Tensor"
    bias: "torch.Tensor | None"
    layer: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """What an instrument may know.

    model: the network being measured (the model itself or one twin), in eval mode; leave it so. n: samples of the
    probe. classes: how many, None for regression or no targets. permutations: of the labels, 0 for a twin. targets:
    [n, 1 + permutations] on the CPU, the true ones in column 0 (int64 from 0 for classes, else float64), None without.
    held_out: [n] bool, a half of the samples (of each class) that no reader may be fitted to. inputs: all of them as
    the model takes them. layers: in order. head: the linear head, or why there is none (text). seed: draw everything
    from it. device, dtype: of the model, in words. twin: the twin's number from 0, None for the model itself.
    label_values: the integer that each class is called by in the targets, () where they are no integers.
    """

    model: Any
    n: int
    classes: int | None
    permutations: int
    targets: "torch.Tensor | None"
    held_out: "torch.Tensor"
    inputs: Any
    layers: tuple[Layer, ...]
    head: Head | str
    seed: int
    device: str = "cpu"
    dtype: str = "float32"
    twin: int | None = None
    label_values: tuple[int, ...] = ()

    @property
    def labels(self) -> "torch.Tensor":
        """The targets of a probe with classes, [n, 1 + permutations] int64. InputError: it has none."""
        if self.targets is None or self.classes is None:
            raise InputError("this probe has no classes; an instrument that needs them states needs='classes'")
        return self.targets


@dataclass(frozen=True, eq=False)
class Batch:
    """Some samples at one layer, on the model's device.

    activations: [b, units], pooled, in the dtype that the layer gives. whole: [b, units, positions], not pooled
    (a view: copy before you change it; units beyond the pooled ones where those were subsampled). targets:
    [b, 1 + permutations] or None. rows: [b] int64 on the CPU, which samples of the probe these are.
    """

    activations: "torch.Tensor"
    whole: "torch.Tensor"
    targets: "torch.Tensor | None"
    _: KW_ONLY
    rows: "torch.Tensor"


class Accumulator(Protocol):
    """A stream over one layer. One that must know something first says passes = 2 and has look(batch), which sees every
    batch of a first pass over the probe."""

    def update(self, batch: Batch) -> None:
        """Take a batch in; keep no reference to it."""
        ...

    def result(self) -> list[Reading]:
        """The layer's numbers when all is seen."""
        ...


@dataclass(frozen=True, kw_only=True)
class Passes:
    """Cost of an instrument on one network, for the promise of time and memory.

    forward, backward: in passes of the whole probe (64 of 2,000 inputs are 0.032). held: bytes.
    """

    forward: float = 0.0
    backward: float = 0.0
    held: int = 0


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What was found, in one sentence written from numbers: each number with its interval and its control.

    quantity, layer: what the sentence links to. weight: which are shown where there are more than five: the larger
    ones (1 is plain, 0 is left out first); from 2 on it comes first on the page.
    """

    text: str
    quantity: str = ""
    layer: str = ""
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Instrument:
    """One instrument: its question, its quantities, what makes them, what they cost and what they cannot say.

    name: its key; title, question, source, formula, limits: text for its section of the page. quantities: all that a
    Reading may name. needs: "nothing", "classes" (labels) or "targets" (labels or numbers); without them it is skipped,
    with the reason. Exactly one of start(layer, context) -> Accumulator, or None where the layer is not for this
    instrument; and run(context) -> {layer name, "" for the model as a whole: [Reading]}. gradients: run differentiates.
    passes: 2 where an Accumulator looks first. cost(context) -> Passes of one network (streams: only `held`, the pass
    itself is shared). finding(result) -> Finding, several, or None: see result.InstrumentResult. twins: whether
    untrained twins are a control. default: whether it runs without being asked for by name. InputError: other needs,
    both or neither of start and run, no quantities or no limits.
    """

    name: str
    title: str
    question: str
    source: str
    formula: str = ""
    quantities: tuple[Quantity, ...]
    limits: tuple[str, ...]
    needs: Needs = "nothing"
    start: Callable[[Layer, Context], Accumulator | None] | None = None
    run: Callable[[Context], dict[str, list[Reading]]] | None = None
    gradients: bool = False
    passes: int = 1
    cost: Callable[[Context], Passes] = lambda context: Passes()
    finding: Callable[[Any], Finding | tuple[Finding, ...] | None] | None = None
    twins: bool = True
    default: bool = True

    def __post_init__(self) -> None:
        if self.needs not in NEEDS:
            raise InputError(f"needs is {self.needs!r}; known: {', '.join(NEEDS)}")
        if (self.start is None) == (self.run is None):
            raise InputError(
                f"instrument {self.name} needs start= (a stream) or run= (a probe of the model), one of them"
            )
        if not self.quantities or not self.limits:
            raise InputError(f"instrument {self.name} has no quantities or no limits; the page shows both")

    def quantity(self, name: str) -> Quantity:
        """The quantity of this name. InputError: it is none of this instrument's."""
        from deeptheory.core.names import pick

        return pick({q.name: q for q in self.quantities}, name, what=f"quantity of {self.name}")
