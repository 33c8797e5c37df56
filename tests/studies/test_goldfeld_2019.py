"""Goldfeld et al. 2019 at a size that a test can wait for: same steps, same claims, few epochs."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.runs import decide
from deeptheory.studies import find
from deeptheory.studies.comparisons import QUESTIONS, links
from deeptheory.studies.goldfeld_2019 import steps
from deeptheory.studies.goldfeld_2019.claims import CLAIMS, rank_correlation
from deeptheory.studies.goldfeld_2019.steps import ARCHITECTURES, STEPS
from deeptheory.studies.pages import page

NAME = "goldfeld-2019"
SMALL = {
    "networks": 2,
    "points": 4,
    "quantised": 1,
    "quantised_points": 4,
    "sets": 1,
    "pairs": 200,
    "cnn_steps": 4,
    "picture_networks": 1,
    "picture_steps": 20,
    "picture_epochs": 2,
    "epochs": 12,
}
REQUIRED = {
    *(f"noisy-compression-tracks-clusters/layer{k}" for k in range(1, 6)),
    "orthonormal-stops-compression", "orthonormal-no-harm", "binned-entropy-depends-on-bin",
    "deterministic-is-constant", "quantised-early-layers-stay", "quantised-last-layers-compress",
    "compressed-estimate-is-lower",
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("goldfeld") / "r"
    with pytest.MonkeyPatch.context() as patched:  # codes need not be good here
        patched.setattr("deeptheory.studies.digits.digits_found", dt.datasets.digits)  # small ones are enough
        patched.setattr("deeptheory.information.estimators.compressors._STEPS", 10)
        return dt.reproduce(NAME, out=folder, progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim(result):
    assert {c.id for c in result.claims} == {c.id for c in CLAIMS} >= REQUIRED
    assert {e.verdict for e in result.claims if e.measured is not None} == {"measured, not judged"}  # other epochs
    assert {e.verdict for e in result.claims if e.measured is None} <= {"not run", "inconclusive"}
    still = result.claims["noisy-compression-tracks-clusters/layer1"]
    assert still.measured is None
    assert "nothing to correlate" in still.note
    assert result.claims["one-neuron-merges"].measured == pytest.approx(1, abs=1e-6)
    assert result.claims["deterministic-is-constant"].measured == pytest.approx(0, abs=1e-9)


def test_steps_show_what_their_names_say(result):
    results = result.results
    assert set(results) == {s.name for s in STEPS}
    noisy = results["noisy"]
    assert (noisy["i_x_low"] <= noisy["i_x"]).all()
    assert (noisy["i_x"] <= noisy["i_x_high"]).all()
    assert (noisy["i_x_high"] <= 12 + 1e-9).all()
    assert noisy["i_x"].sel(step=0).values == pytest.approx(results["orthonormal"]["i_x"].sel(step=0).values)  # paired
    binned = results["deterministic"]["binned"]
    assert (binned.sel(size=1e-4) >= binned.sel(size=1e-1) - 1e-9).all()
    assert results["deterministic"]["exact_double"].values == pytest.approx(12)
    for name, (widths, _) in ARCHITECTURES.items():
        assert results["quantised"][f"{name}/i_x"].shape == (1, len(results["quantised"]["step"]), len(widths) - 1)
    synthetic = results["synthetic"]
    assert len(synthetic["set"]) == 8
    assert (synthetic["low"] <= synthetic["high"]).all()
    assert np.isfinite(results["convolutional"]["i_x"]).all()
    clusters, quantized = results["clusters"], results["quantised-pictures"]
    assert clusters["within"].shape == (1, len(clusters["step"]), 4)
    assert (abs(clusters["between"]) <= 1).all()
    assert quantized["i_x"].shape == (1, len(quantized["step"]), 5)
    assert float(quantized["i_x"].max()) <= np.log2(1797)
    for id in ("mnist-cnn-clusters", "quantised-last-layers-compress/mnist"):
        assert "pictures" in result.claims[id].note


def test_the_page_shows_every_figure_and_the_other_side(result):
    page = json.loads((result.folder / "page.json").read_text())
    shown = [p for s in page["sections"] for p in s["figures"]]
    assert shown == [
        "one-neuron",
        "noisy",
        "tracking",
        "orthonormal",
        "clusters",
        "constant",
        "binned",
        "quantised",
        "quantised-pictures",
        "synthetic",
        "convolutional",
    ]
    assert not any("figure is missing" in n for n in page["notices"])
    for name in shown:
        assert result.figure(name).data
    assert "Both sides of the debate" in (result.folder / "report.html").read_text()


def test_one_hidden_layer_is_enough(result):
    """What is said of other layers is then not run, and every figure is drawn."""
    cut = ("noisy", "orthonormal", "deterministic")
    shallow = {k: v.isel(layer=[-1]) if k in cut else v for k, v in result.results.items()}
    ledger = decide(CLAIMS, shallow, scale="quick")
    assert ledger["noisy-compresses/layer4"].note == "these networks have no hidden layer4"
    settings = find(NAME).values("quick", None, SMALL)[0]
    made = page(NAME, find(NAME).part("figures"), shallow, settings, "quick", {})
    assert sum(len(s.figures) for s in made.sections) == 11


def test_a_scale_without_quantised_pictures_says_so():
    from deeptheory.runs import NotRun
    from deeptheory.studies.goldfeld_2019 import claims, figures, steps

    nothing = steps.quantized_digits({"picture_epochs": 0}, 0, None, None, None)
    assert isinstance(claims.digit_fall({"quantised-pictures": nothing}, layers=[-1]), NotRun)
    assert figures._quantized_digits({"quantised-pictures": nothing}, {}) is None


def test_rank_correlation_and_what_does_not_move():
    a = np.array([[1.0, 2, 3, 4], [1, 1, 1, 1]])
    got = rank_correlation(a, np.array([[2.0, 4, 6, 9], [1, 2, 3, 4]]))
    assert got[0] == pytest.approx(1)
    assert np.isnan(got[1])


def test_every_claim_that_the_sides_name_exists():

    known = {
        name: {c.id for c in find(name).part("claims").CLAIMS} for name in {s for q in QUESTIONS for s, _ in q.answers}
    }
    for question in QUESTIONS:
        for study, claim in question.answers:
            assert claim in known[study], (study, claim)
    assert len(links(NAME)) >= 5
    assert [q.question for q in links("tishby-zaslavsky-2015")] == ["Do layers come to lie on the bottleneck bound?"]
    assert links("lin-tegmark-rolnick-2017") == ()


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"networks": 0}, "networks is 0"),
        ({"picture_epochs": -1}, "picture_epochs is -1; needed"),
        ({"pairs": 100}, "pairs is 100"),
        ({"widths": "12,2"}, "needed: 12 inputs"),
        ({"noise": 0.0}, "noise is 0.0; needed: standard deviation"),
        ({"orthonormal": -1.0}, "orthonormal is -1.0"),
        ({"bits": 40}, "bits is 40"),
        ({"epochs": 1.5}, "epochs is 1.5"),
    ],
)
def test_wrong_use(tmp_path, kwargs, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out=tmp_path / "r", progress=False, **kwargs)


def test_sets_of_image_pairs_share_no_samples(monkeypatch):
    """Their number is the n of an interval; those of another truth were the same samples."""
    seeds = []
    made = dt.datasets.paired_images

    def drawn(kind, truth, n, *, seed):
        seeds.append(seed)
        return made(kind, truth, n, seed=seed)

    monkeypatch.setattr(dt.datasets, "paired_images", drawn)
    monkeypatch.setattr(dt, "mutual_information", lambda *x, **more: SimpleNamespace(value=0.0, low=0.0, high=0.0))
    settings = {"seed": 0, "pairs": 20, "truths": [0.5, 1, 4.0], "sets": 3}
    for unit in steps._sets(settings):
        steps.synthetic(settings, unit, None, None, None)
    assert len(seeds) == len(set(seeds)) == 3 * 3 * len(steps.KINDS)
