"""Saxe et al. 2018 at a size that a test can wait for: same steps, same claims, few epochs."""

import json

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.runs import decide
from deeptheory.studies import find
from deeptheory.studies.pages import page
from deeptheory.studies.saxe_2018.claims import CLAIMS, cells, falls
from deeptheory.studies.saxe_2018.steps import STEPS

NAME = "saxe-2018"
SMALL = {
    "networks": 2,
    "students": 2,
    "points": 8,
    "epochs": 15,
    "noise_looks": 2,
    "noise_inputs": 64,
    "linear_epochs": 12,
}
REQUIRED = {
    *(f"tanh-compresses/layer{k}" for k in range(1, 7)),
    *(f"relu-does-not/layer{k}" for k in range(1, 6)),
    "relu-output-does", "softsign-modest", "softplus-none", "linear-none", "rebin-removes", "full-batch-compresses",
    "one-neuron-tanh-returns-to-1-bit", "one-neuron-relu-grows", "linear-exact", "overtrained-no-compression",
    "irrelevant-compresses-while-total-rises", "reparametrisation-changes-information",
    "snr-transition-without-compression", "all-four-cells",
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return dt.reproduce(NAME, out=tmp_path_factory.mktemp("saxe") / "r", progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim(result):
    assert {c.id for c in result.claims} == {c.id for c in CLAIMS} >= REQUIRED
    assert {e.verdict for e in result.claims if e.measured is not None} == {"measured, not judged"}  # other epochs
    assert {e.verdict for e in result.claims if e.measured is None} <= {"not run", "inconclusive"}
    waiting = [e for e in result.claims if e.measured is None]
    assert {e.id for e in waiting} <= {
        "mnist-noise-readout",
        "mnist-noise-readout/relu",
        *(f"rebin-removes/layer{k}" for k in range(1, 6)),
        *(f"relu-does-not/layer{k}" for k in range(1, 6)),
        "rebin-removes",
        "rebin-removes/ten-times-finer",
        "softsign-modest",
        "softplus-none",
        "linear-none",
        "full-batch-compresses",
    }
    assert all(e.note for e in waiting)


def test_what_is_exact_is_exact_at_any_size(result):
    claims = result.claims
    assert claims["one-neuron-tanh-returns-to-1-bit"].measured == pytest.approx(1.0195, abs=1e-3)
    assert claims["one-neuron-tanh-peak"].measured == pytest.approx(4.8998, abs=1e-3)
    assert claims["one-neuron-relu-grows"].measured > 0
    assert claims["reparametrisation-changes-information"].measured > 0.5


def test_steps_show_what_their_names_say(result):
    results = result.results
    assert set(results) == {s.name for s in STEPS}
    tanh, relu = results["tanh"], results["relu"]
    assert set(tanh["readout"].values) == {"even", "global", "net-input", "net-input-fine", "exact"}
    assert set(relu["readout"].values) == {"global", "exact"}
    assert tanh["i_x"].sel(readout="exact", layer="layer1").values == pytest.approx(12)
    assert (tanh["noise_i_x"] >= tanh["noise_i_x_lower"] - 1e-6).all()
    assert (tanh["noise_i_x"].max() <= 6 + 1e-4).item()  # 64 patterns
    assert np.isfinite(results["full-batch"]["std_norm"]).all()  # moments over minibatches that do not train
    students = results["students"]
    assert (students["irrelevant"].sel(task="irrelevant") <= students["i_x"].sel(task="irrelevant") + 1e-9).all()
    assert (students["error"] >= 1 - 1e-6).all()  # the label noise has variance 1
    assert float(results["smallest"]["function_change"].max()) < 1e-6
    at = results["smallest"]["rescaled_i_x"]
    assert at.sel(factor=1.0).values == pytest.approx(
        results["smallest"]["i_x"].sel(layer="layer1").values[:, -1], abs=0.02
    )


def test_one_hidden_layer_is_enough(result):
    """What is said of earlier layers is then not run, and every figure is drawn."""
    shallow = {k: v.isel(layer=[-2, -1]) if "readout" in v.dims else v for k, v in result.results.items()}
    ledger = decide(CLAIMS, shallow, scale="quick")
    assert "no hidden layer before the last" in ledger["full-precision-flat"].note
    settings = find(NAME).values("quick", None, SMALL)[0]
    made = page(NAME, find(NAME).part("figures"), shallow, settings, "quick", {})
    assert sum(len(s.figures) for s in made.sections) == 13


def test_falls_and_cells(result):
    found = falls(result.results, "tanh", "even")
    assert found.shape == (2, 6)
    assert (found >= 0).all()
    assert sum(len(v) for v in cells(result.results).values()) == 8  # every network lies in one cell


def test_the_page_shows_every_figure_and_the_other_side(result):
    page = json.loads((result.folder / "page.json").read_text())
    shown = [p for s in page["sections"] for p in s["figures"]]
    assert shown == ["one-neuron", "planes", "plane-tanh", "plane-relu", "nonlinearities", "falls", "rebinning",
        "noise", "causes",
                      "four-cells", "snr", "students", "rescaled"]  # fmt: skip
    assert not any("figure is missing" in n for n in page["notices"])
    for name in shown:
        assert result.figure(name).data
    for name in ("plane-tanh", "plane-relu"):
        assert "bound" in [t.name for t in result.figure(name).data]
    report = (result.folder / "report.html").read_text()
    assert "Both sides of the debate" in report
    assert "deeptheory reproduce shwartz-ziv-tishby-2017" in report


def test_pictures_of_digits(tmp_path, monkeypatch):
    """The step, its claims and its figure on small digits; a scale without it says what it costs."""
    from deeptheory.core.errors import MissingDependency
    from deeptheory.runs import NotRun
    from deeptheory.studies import digits as found
    from deeptheory.studies.saxe_2018 import claims, figures
    from deeptheory.studies.saxe_2018.steps import digits

    def absent():
        raise MissingDependency("none here")

    monkeypatch.setattr(found.dt.datasets, "mnist", absent)
    settings = {**find(NAME).values("quick", None, {})[0], "seed": 0, "picture_steps": 30, "picture_looks": 3}
    results = {"pictures-tanh": digits(settings, 0, None, None, lambda done, steps: None, activation="tanh")}
    results["pictures-relu"] = digits(settings, 0, None, None, lambda done, steps: None, activation="relu")
    data = results["pictures-tanh"]
    assert data.attrs["pictures"] == "digits, 1797 of 1797 pictures"
    assert (data.attrs["shown"], data.attrs["steps"]) == (299, 36)  # a sixth is held out; whole epochs of 12 steps
    assert (data["i_x_lower"] <= data["i_x"] + 1e-6).all()
    assert float(data["i_x"].max()) <= np.log2(299) + 1e-6
    measured = claims.digit_fall(results, activation="tanh")
    assert measured.values.shape == (1,)
    assert "digits, 1797" in measured.notes[0]
    assert "first trained look" in measured.notes[1]
    whole, later = claims.digit_falls(data)
    assert (later <= whole + 1e-12).all()
    drawn = figures._digits(results, settings)
    assert len(drawn.figure.data) == 20  # five layers, line and band, twice
    assert "as much as 8 epochs of 60,000" in drawn.limitations
    nothing = digits({**settings, "picture_steps": 0}, 0, None, None, None, activation="tanh")
    empty = {"pictures-tanh": nothing, "pictures-relu": nothing}
    assert isinstance(claims.digit_fall(empty, activation="relu"), NotRun)
    assert figures._digits(empty, settings) is None


def test_figures_agree_with_the_steps(result):
    import pandas as pd

    table = pd.read_csv(result.folder / "figures" / "nonlinearities.csv")
    last = table[(table["panel"] == "relu") & (table["name"] == "layer3")].iloc[-1]
    want = (
        result.results["relu"]["i_x"]
        .sel(readout="global", layer="layer3")
        .transpose("seed", "step")
        .values[:, -1]
        .mean()
    )
    assert last["y"] == pytest.approx(want)


def test_scales_and_protocol():
    study = find(NAME)
    assert set(study.scales) == {"quick", "standard", "paper"}
    assert study.values("quick", None, {})[0]["batch"] == 256
    assert study.values("quick", None, {"networks": "9"})[1] == {}


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"networks": 0}, "networks is 0"),
        ({"picture_looks": 0}, "picture_looks is 0"),
        ({"picture_steps": -1}, "picture_steps is -1"),
        ({"noise_inputs": 1}, "noise_inputs is 1"),
        ({"widths": "12,2"}, "needed: 12 inputs"),
        ({"train": 1.5}, "train is 1.5; needed: fraction"),
        ({"small": 0.0}, "small is 0.0; needed: fraction"),
        ({"init": "nonsense"}, "unknown init .nonsense.. Known: truncated_normal"),
        ({"epochs": 1.5}, "epochs is 1.5"),
    ],
)
def test_wrong_use(tmp_path, kwargs, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out=tmp_path / "r", progress=False, **kwargs)
