"""Miller 1955, "Note on the bias of information estimates": entropy from counts is too low, and by how much.

The claim: in n samples of m equally likely symbols the plug-in entropy is (m - 1) / (2 n ln 2) bits too low on average.
The region was written before the first run: the next term of the expansion, (m^2 - 1) / (12 n^2 ln 2), is 0.0002 bits
at the settings of both scales.
"""

import math
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.runs import Claim, PageFigure, Step, generator
from deeptheory.studies import Scale, Setting, Study

NAME = "miller-1955"
STUDY = Study(
    name=NAME,
    title="The bias of entropy from counts, and what Miller's correction leaves of it",
    paper="Miller 1955, Information Theory in Psychology: Problems and Methods, pages 95-100",
    scales={
        "quick": Scale(settings={"draws": 200}, cost="seconds: 200 draws of 400 samples"),
        "standard": Scale(settings={"draws": 2000}, cost="seconds: 2,000 draws of 400 samples"),
    },
    protocols={"own": {"symbols": 16, "samples": 400}},
    settings={
        "symbols": Setting("integer", "equally likely symbols", least=2, most=1000),
        "samples": Setting("integer", "samples in a draw", least=10, most=100_000),
        "draws": Setting("integer", "independent draws", least=6, most=100_000, published=False),
    },
    claim_setting=lambda scale, protocol: "other data",
    count="draws",
)


def chunks(settings: dict) -> list[list[int]]:
    """Units of 50 draws."""
    return [list(range(k, min(k + 50, settings["draws"]))) for k in range(0, settings["draws"], 50)]


def bias(settings, unit, inputs, workspace, progress):
    """Plug-in entropy less the true one, in bits, for each draw of the unit."""
    import xarray as xr

    found = []
    for draw in unit:
        rng = generator(settings["seed"], "draw", draw)
        samples = rng.integers(0, settings["symbols"], settings["samples"])
        found.append(dt.entropy(samples, "plugin", correct=False).value - math.log2(settings["symbols"]))
    return xr.Dataset({"error": ("seed", np.array(found))}, coords={"seed": unit}, attrs=_sizes(settings))


def _sizes(settings: dict) -> dict[str, int]:
    return {"symbols": settings["symbols"], "samples": settings["samples"]}


def miller(symbols: int, samples: int) -> float:
    """The bias that Miller derives, in bits."""
    return -(symbols - 1) / (2 * samples * math.log(2))


def left(results: Any) -> np.ndarray:
    """What the correction leaves of each draw's error, [draws]."""
    data = results["bias"]
    return data["error"].values - miller(data.attrs["symbols"], data.attrs["samples"])


STEPS = (Step(name="bias", function=bias, units=chunks, about="entropy from counts, draw by draw"),)
_CLAIM = {"figure": "the text's formula", "source": "Miller 1955, the text's formula", "n_of": "draws of data"}
_OWN = {"protocol": "own: 16 symbols, 400 samples", "criterion": "95 % interval of the mean over draws in the region"}
CLAIMS = (
    Claim(
        id="too-low",
        statement="Entropy from counts is too low.",
        quantity="plug-in entropy less the true entropy, mean over draws",
        unit="bits",
        region="< 0",
        measure=lambda results: results["bias"]["error"].values,
        **_CLAIM,
        **_OWN,
    ),
    Claim(
        id="corrected",
        statement="Half the number of symbols less one, over n, makes up for it.",
        quantity="plug-in entropy plus (m - 1) / (2 n ln 2), less the true entropy, mean over draws",
        unit="bits",
        region="[-0.003, 0.003]",
        measure=left,
        **_CLAIM,
        **_OWN,
    ),
)

TITLE = "The bias of entropy from counts"
MAIN = "errors"


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    return (
        f"{settings['draws']} draws of {settings['samples']} samples of {settings['symbols']} equally likely symbols."
    )


def _errors(results: Any, settings: dict) -> PageFigure:
    import pandas as pd
    import plotly.graph_objects as go

    errors = {"plug-in": np.sort(results["bias"]["error"].values), "corrected": np.sort(left(results))}
    table = pd.DataFrame({"share": (np.arange(settings["draws"]) + 0.5) / settings["draws"], **errors})
    figure = go.Figure([go.Scatter(x=table[name], y=table["share"], name=name, mode="lines") for name in errors])
    figure.update_xaxes(title="estimate less truth (bits)").update_yaxes(title="share of draws below")
    return PageFigure(
        name="errors",
        title="Errors of all draws",
        figure=figure,
        table=table,
        shows="The share of draws whose error is below a value, and the same of what Miller's correction leaves.",
        claims=("too-low", "corrected"),
        limitations="Equally likely symbols; where some are rare the next term of the expansion is larger.",
        alt="Two rising curves: the share of draws with an error below a number of bits.",
    )


SECTIONS = (("The bias", "Entropy from counts, before and after the correction.", (_errors,)),)
