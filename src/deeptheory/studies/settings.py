"""What a user may change about a study, and the values that are accepted: refused before any step is run."""

import math
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from deeptheory.core.errors import InputError
from deeptheory.core.names import pick, unknown

# As in networks, which would load torch; tests compare them
ACTIVATIONS = ("tanh", "relu", "sigmoid", "softsign", "softplus", "linear")
OPTIMIZERS = ("adam", "sgd", "adadelta")
INITIALIZERS = ("truncated_normal", "truncated_normal_fan_out", "xavier", "torch_default")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _number(value: Any) -> float:
    number = math.nan if isinstance(value, bool) else float(value)
    if not math.isfinite(number):
        raise ValueError(value)
    return number


def _integer(value: Any) -> int:
    number = _number(value)  # 1e3 is an integer, too
    if not number.is_integer():
        raise ValueError(value)
    return int(number)


def _truth(value: Any) -> bool:
    known = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(value).lower() not in known:
        raise ValueError(value)
    return known[str(value).lower()]


def _list(read: Callable[[Any], Any]) -> Callable[[Any], list]:
    return lambda value: [read(v) for v in (value.split(",") if isinstance(value, str) else value)]


KINDS: dict[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "text": _text,
    "true or false": _truth,
    "integers": _list(_integer),
    "numbers": _list(_number),
}


@dataclass(frozen=True)
class Setting:
    """A setting that a user may change, with --set NAME=VALUE.

    kind: "integer", "number", "text", "true or false", "integers" or "numbers"; a list is also read from text with
    commas, a number from text. about: one line, with the unit. least, most: ends of the range that belong to it; above,
    below: ends that do not. choices: the values there are. Of a list, all of these hold for each entry, and length is
    the least and largest number of entries. rule: what must hold besides, said by about. words: text or None that
    stands for a value of no kind, {"full": None}. published: False for sizes that no publication states, a scale where
    it is stated at that one alone; changing others leaves verdicts. InputError: an unknown kind.
    """

    kind: str
    about: str
    _: KW_ONLY
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    choices: tuple = ()
    length: tuple[int, int] | None = None
    rule: Callable[[Any], bool] | None = None
    words: Mapping[Any, Any] = field(default_factory=dict)
    published: bool | str = True

    def __post_init__(self) -> None:
        pick(KINDS, self.kind, what="kind of setting")

    @property
    def range(self) -> str:
        """The accepted values in words, such as "integer 1 or more" or "number above 0"."""
        entry = self.kind.removesuffix("s") if self._many else self.kind
        said = [
            *([f"{self.least:g} to {self.most:g}"] if None not in (self.least, self.most) else
              [f"{v:g} or {w}" for v, w in ((self.least, "more"), (self.most, "less")) if v is not None]),
            *(f"{w} {v:g}" for w, v in (("above", self.above), ("below", self.below)) if v is not None),
        ]  # fmt: skip
        text = (
            f"one of {', '.join(map(str, self.choices))}" if self.choices else f"{entry} {' and '.join(said)}".strip()
        )
        if self._many:
            least, most = self.length or (1, 0)
            number = f"{least}" if least == most else f"{least} or more" if most < least else f"{least} to {most}"
            text = f"{number} values separated by commas, each {text}"
        return " or ".join([text, *(str(w) for w in self.words if w is not None)])

    def read(self, name: str, value: Any) -> Any:
        """The value as its kind, from a value or from text as a user writes it; name: for the message.

        A word of `words` gives what it stands for. InputError: of another kind, out of range, or refused by the rule.
        """
        key = value.lower() if isinstance(value, str) else value
        if (key is None or isinstance(key, str)) and key in self.words:
            return self.words[key]
        if isinstance(value, str) and self.choices and not self._many and value not in self.choices:
            raise InputError(unknown(value, self.choices, what=name))
        try:
            found = KINDS[self.kind](value)
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(self._refusal(name, value)) from error
        if not self._accepts(found):
            raise InputError(self._refusal(name, found))
        return found

    @property
    def _many(self) -> bool:
        return self.kind in ("integers", "numbers")

    def _accepts(self, value: Any) -> bool:
        if self._many:
            least, most = self.length or (1, 0)
            if len(value) < least or least <= most < len(value):
                return False
        entries = value if self._many else [value]
        return all(map(self._in_range, entries)) and (self.rule is None or self.rule(value))

    def _in_range(self, v: Any) -> bool:
        return (
            (not self.choices or v in self.choices)
            and (self.least is None or v >= self.least)
            and (self.most is None or v <= self.most)
            and (self.above is None or v > self.above)
            and (self.below is None or v < self.below)
        )

    def _refusal(self, name: str, value: Any) -> str:
        return f"{name} is {value!r}; needed: {self.about} ({self.range})"


def size(about: str, *, least: float = 1, most: float | None = None, published: bool = False) -> Setting:
    """A number of things that no publication states: networks, points, steps."""
    return Setting("integer", about, least=least, most=most, published=published)


def fraction(about: str) -> Setting:
    """A part of a whole, in (0, 1)."""
    return Setting("number", about, above=0, below=1)


def each_another(values: list) -> bool:
    """No value twice: each is a unit of work of its own."""
    return len({*values}) == len(values)


def _twelve_bits(widths: list[int]) -> bool:
    return widths[0] == 12 and widths[-1] == 2


WIDTHS = Setting(
    "integers", "12 inputs, one hidden layer or more, 2 outputs: 12,8,4,2", least=1, length=(3, 0), rule=_twelve_bits
)
ACTIVATION = Setting("text", "activation of the hidden layers", choices=ACTIVATIONS)
LEARNING_RATE = Setting("number", "learning rate", above=0)
WIDTH = Setting(
    "number",
    "channels, capsule types and hidden units of every network, times this",
    above=0,
    most=16,
    published="paper",
)
BATCH = Setting("integer", "samples per minibatch", least=1)
