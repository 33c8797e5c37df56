"""The questions that lead through both sides of the debate; each answer is worked out from the measured planes or
tables.

A layer is said to compress where the 95 % interval of its decrease of I(X;T) after the maximum (`information.fall`)
lies above half a bit, and not to where it lies below; that was fixed before anything was measured. The unit of
resampling is the network."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any
from urllib.parse import urlencode

import numpy as np

from deeptheory.core.names import count_of
from deeptheory.core.statistics import mean_interval
from deeptheory.playground.grid import PROTOCOL, Setting
from deeptheory.report.page import number

LEAST = 0.5  # bits
HIDDEN = -2  # the last hidden layer
_S, _X, _G, _L = "shwartz-ziv-tishby-2017", "saxe-2018", "goldfeld-2019", "lin-tegmark-rolnick-2017"
Planes = dict[str, dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Question:
    """text: as it is asked. tab, state: what the page then shows. answer: from (planes, tables), in one or two
    sentences, or why there is none. claims: (study, id) whose verdicts are put beside it."""

    text: str
    tab: str
    state: dict[str, Any]
    answer: Callable[[Planes, dict[str, Any]], str]
    claims: tuple[tuple[str, str], ...] = ()

    @property
    def address(self) -> str:
        """The part of the address after `#`."""
        return urlencode({"tab": self.tab, **self.state})


class NotMeasured(Exception):
    """A plane that a question asks for is not in the file."""


def _i(planes: Planes, setting: Setting, readout: str, name: str, layer: int = HIDDEN) -> np.ndarray:
    """I of a layer, [network, epoch] in bits. NotMeasured: the setting is not among the planes."""
    if setting.key not in planes:
        raise NotMeasured(setting.key)
    return planes[setting.key][readout][name][:, layer]


def _fall(planes: Planes, setting: Setting, readout: str, name: str = "i_x", layer: int = HIDDEN) -> np.ndarray:
    from deeptheory.information import fall

    return fall(_i(planes, setting, readout, name, layer), axis=1)


def _said(values: np.ndarray, unit: str = " bits") -> str:
    got = mean_interval(values)
    return f"{number(_shown(values.mean()))}{unit} [{number(_shown(got.low))}, {number(_shown(got.high))}]"


def _shown(value: float) -> float:
    return 0.0 if abs(value) < 5e-4 else float(value)


def _decided(values: np.ndarray, least: float = LEAST) -> str:
    """Whether the mean lies above: "Yes" where its whole interval does, "No" where none of it does, else
    "Undecided"."""
    got = mean_interval(values)
    return "Yes" if got.low > least else "No" if got.high < least else "Undecided"


def compresses(setting: Setting, readout: str) -> Callable:
    """Whether the last hidden layer compresses under this setting and readout."""

    def answer(planes: Planes, tables: dict[str, Any]) -> str:
        values = _fall(planes, setting, readout)
        lost = _said(values)
        return f"{_decided(values)}. I(X;T) of the last hidden layer decreases by {lost} after its maximum."

    return answer


def _against(one: Setting, other: Setting, readout: str, names: tuple[str, str]) -> Callable:
    """Whether the last hidden layer decreases by less in the first; the networks have the same seeds, so differences
    are paired."""

    def answer(planes: Planes, tables: dict[str, Any]) -> str:
        a, b = (_fall(planes, setting, readout) for setting in (one, other))
        got = mean_interval(a - b)
        what = "less" if got.high < 0 else "more" if got.low > 0 else "about as much (the interval holds 0)"
        return (
            f"{_decided(a)}. The layer loses {_said(a)} {names[0]} and {_said(b)} {names[1]}: {what}, by "
            f"{_said(a - b)} "
            f"in the same networks."
        )

    return answer


def _finer(planes: Planes, tables: dict[str, Any]) -> str:
    values = {n: _fall(planes, Setting(), f"bins-{n}-run") for n in (10, 30, 100)}
    said = ", ".join(f"{_said(v)} under {n} bins" for n, v in values.items())
    spread = np.ptp(list(values.values()), axis=0)
    return (
        f"Under 100 bins: {_decided(values[100])}. The decrease is {said}; between these readouts of the same "
        f"activations it differs by {_said(spread)}."
    )


def _label_floor(planes: Planes, tables: dict[str, Any]) -> str:
    i_x, i_y = (_i(planes, Setting(), "bins-30-run", name, 0)[:, -1] for name in ("i_x", "i_y"))
    floor = planes[Setting().key]["bins-30-run"]["floor"][0, -1]
    gap = i_y - floor
    verdict = "No" if mean_interval(gap).high < 0.05 else "Yes" if mean_interval(gap).low > 0.05 else "Undecided"
    return (
        f"{verdict}. Its I(T;Y) ends at {_said(i_y)}, and with labels permuted after training it would be "
        f"{number(_shown(floor))} "
        f"bits (a gap over 0.05 would count). Its I(X;T) is {_said(i_x)}: at 12 every input has a cell of its own, "
        f"and any labels can be read off."
    )


def _permuted(planes: Planes, tables: dict[str, Any]) -> str:
    setting = Setting(labels="permuted")
    values = _fall(planes, setting, "bins-30-run")
    right = 100 * planes[setting.key]["test_accuracy"][:, -1]
    return (
        f"{_decided(values)}. I(X;T) of the last hidden layer decreases by {_said(values)} while there is nothing to "
        f"learn but the "
        f"table: {_said(right, ' %')} of the held-out labels are right at the end."
    )


def _small_data(planes: Planes, tables: dict[str, Any]) -> str:
    few, most = (_fall(planes, Setting(batch="full", share=s), "bins-30-run", "i_y") for s in (5, 85))
    return (
        f"{_decided(few, 0.02)}. With 5 % of the patterns I(T;Y) of the last hidden layer loses {_said(few)} after "
        f"its maximum, with "
        f"85 % {_said(most)} (a loss over 0.02 bit would count)."
    )


def _depth(planes: Planes, tables: dict[str, Any]) -> str:
    shallow, deep = (_i(planes, Setting(depth=d), "bins-30-run", "i_y", -1)[:, -1] for d in (1, 5))
    got = mean_interval(deep - shallow)
    verdict = "Yes" if got.low > 0 else "No" if got.high < 0 else "Undecided"
    return (
        f"{verdict}. The output ends at I(T;Y) = {_said(deep)} behind five hidden layers and {_said(shallow)} behind "
        f"one, a difference of "
        f"{_said(deep - shallow)} between networks of the same seeds."
    )


def _one_bit(planes: Planes, tables: dict[str, Any]) -> str:
    last, best = tables["neuron"]["bits"]["tanh"]["bins-30"][-1], max(tables["neuron"]["bits"]["tanh"]["bins-30"])
    verdict = "Yes, nearly" if abs(last - 1) < 0.05 else "No"
    return (
        f"{verdict}: {last:.2f} bits are left at w = 1000 of the {best:.2f} at the best weight (30 bins, exact; "
        "within 0.05 of 1 would count)."
    )


def _relu_grows(planes: Planes, tables: dict[str, Any]) -> str:
    rises = np.diff(tables["neuron"]["bits"]["relu"]["bins-30"])
    return (
        f"{'No' if (rises > 0).all() else 'Yes'}. From each weight to the next larger one I(X;T) changes by "
        f"{rises.min():.3f} to {rises.max():.3f} bits; the cells stay as wide as they are."
    )


def _merges(planes: Planes, tables: dict[str, Any]) -> str:
    row = tables["neuron"]["bits"]["tanh"]["noise-0.05"]
    return (
        f"At the best weight {max(row):.2f} bits are left, at w = 1000 {row[-1]:.2f} (standard deviation 0.05). "
        "2 bits distinguish all four, 1 bit two groups."
    )


def _vanishes(planes: Planes, tables: dict[str, Any]) -> str:
    scale, gate = np.array(tables["gate"]["scale"]), tables["gate"]["gates"]["softplus"]["float32"]
    found, cut = np.array(gate["found"]), np.array(gate["truncation"])
    least, small = found.argmin(), scale < 0.05
    slope = np.diff(np.log(cut[small])) / np.diff(np.log(scale[small]))
    verdict = "Not in floating point" if least > 0 else "Yes"
    return (
        f"{verdict}. What truncation leaves falls as scale to the power {slope.mean():.2f}, but in float32 the error "
        f"found is least, "
        f"{number(float(found[least]))}, at scale {number(float(scale[least]))}; at the smallest scale it is "
        f"{number(float(found[0]))}."
    )


_BASE = asdict(Setting())


def _plane(text: str, setting: Setting, readout: str, answer: Callable | None = None, claims: str = "") -> Question:
    """answer: default whether the last hidden layer compresses. claims: "study/claim" by its letter, separated by "
    "spaces."""
    return Question(
        text=text,
        tab="plane",
        state={**asdict(setting), "readout": readout},
        answer=answer or compresses(setting, readout),
        claims=_named(claims),
    )


def _other(tab: str, text: str, state: dict[str, Any], answer: Callable, claims: str) -> Question:
    return Question(text=text, tab=tab, state=state, answer=answer, claims=_named(claims))


def _named(claims: str) -> tuple[tuple[str, str], ...]:
    letters = {"S": _S, "X": _X, "G": _G, "L": _L}
    return tuple((letters[study], claim) for study, _, claim in (c.partition(":") for c in claims.split()))


_T = Setting()
_FULL, _FEW = replace(_T, batch="full"), replace(_T, batch="full", share=5)
_RELU, _SOFTPLUS, _LINEAR = (replace(_T, activation=name) for name in ("relu", "softplus", "linear"))
_BOTH_BATCHES = _against(_FULL, _T, "bins-30-run", ("on full batches", "on minibatches"))
QUESTIONS = (
    _plane("Does a tanh network compress under 30 bins?", _T, "bins-30-run",
           claims="S:fit-then-compress/layer5 X:tanh-compresses/layer5"),
    _plane("And under 10 or 100 bins?", _T, "bins-100-run", _finer, "G:binned-entropy-depends-on-bin"),
    _plane("With ReLU units and 100 bins?", _RELU, "bins-100-run",
           claims="X:relu-does-not/layer5 X:relu-output-does"),
    _plane("With softplus, which saturates on one side?", _SOFTPLUS, "bins-100-run", claims="X:softplus-none"),
    _plane("With linear units, which never saturate?", _LINEAR, "bins-100-run", claims="X:linear-none"),
    _plane("Without the noise of minibatches?", _FULL, "bins-30-run", _BOTH_BATCHES,
           "S:noise-drives-compression X:full-batch-compresses"),
    _plane("With added noise in place of bins?", _T, "noise-0.1", claims="X:noise-readout/tanh/0.1"),
    _plane("With every bit of the activations?", _T, "exact",
           claims="X:full-precision-flat G:deterministic-is-constant G:deterministic-is-constant/single-precision"),
    _plane("Does I(T;Y) tell what the first layer has learned?", _T, "bins-30-run", _label_floor),
    _plane("With permuted labels, where there is no rule to learn?", replace(_T, labels="permuted"), "bins-30-run",
           _permuted),
    _plane("With 5 % of the patterns, does the label get lost again?", _FEW, "bins-30-run", _small_data,
           "S:small-data-loses/5"),
    _plane("Do five hidden layers end with more of the label than one?", replace(_T, depth=1), "bins-30-run", _depth,
           "S:depth-speeds-learning S:one-layer-too-slow"),
    _other("neuron", "Does a saturated tanh unit keep one bit?", {"unit": "tanh", "look": "bins-30", "w": 1000},
           _one_bit, "X:one-neuron-tanh-returns-to-1-bit X:one-neuron-tanh-peak"),
    _other("neuron", "Does a ReLU unit ever lose bits as its weight grows?",
           {"unit": "relu", "look": "bins-30", "w": 1000}, _relu_grows, "X:one-neuron-relu-grows"),
    _other("neuron", "What becomes of four inputs behind noise?", {"unit": "tanh", "look": "noise-0.05", "w": 10},
           _merges, "G:one-neuron-merges"),
    _other("gate", "Does the product gate's error vanish with its scale?",
           {"gate": "softplus", "dtype": "float32", "scale": 0.0009766}, _vanishes,
           "L:gate-slope/softplus L:gate-rounding-floor L:gate-needs-4/bias_free L:gate-needs-4/parity"),
)  # fmt: skip


def asked_for() -> set[Setting]:
    """Settings of the planes that the questions need."""
    shown = [q.state for q in QUESTIONS if q.tab == "plane"]
    return {Setting(**{k: s[k] for k in _BASE}) for s in shown} | {Setting(), Setting(batch="full")}


def answers(planes: Planes, tables: dict[str, Any]) -> list[dict[str, Any]]:
    """For the page: text, tab, address, answer, and claims with the verdicts of the stored ledgers
    (`tables["verdicts"]`)."""
    out = []
    for question in QUESTIONS:
        try:
            said = question.answer(planes, tables)
        except NotMeasured as missing:
            said = f"Not measured in this file ({missing})."
        rows = [tables["verdicts"][f"{study}/{claim}"] for study, claim in question.claims]
        out.append(
            {"text": question.text, "tab": question.tab, "address": question.address, "answer": said, "claims": rows}
        )
    return out


def told_of(networks: int = PROTOCOL["networks"]) -> str:
    """How to read the answers."""
    return (
        f"Answers are means of {count_of(networks, 'network')} with their 95 % intervals, worked out from the planes "
        f"in this file. A layer is said to "
        f"compress where the whole interval of its decrease lies above {LEAST:g} bit. Verdicts are those of the "
        f"stored ledgers, "
        "which were measured apart from these planes, each at the setting named beside it."
    )
