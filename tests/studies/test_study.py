"""The study at a size that a test can wait for: same steps, same claims, few epochs."""

import json

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.statistics import spearman
from deeptheory.studies import STUDIES, find
from deeptheory.studies.shwartz_ziv_tishby_2017.claims import CLAIMS, alikeness

NAME = "shwartz-ziv-tishby-2017"
SMALL = {
    "networks": 4, "controls": 4, "chunk": 2, "epochs": 30, "points": 20, "lr": 0.004, "few_points": 5,
    "depth_networks": 2, "share_networks": 2, "shares": [0.05, 0.85], "picture_networks": 2, "picture_epochs": 2,
    "picture_samples": 300,
}  # fmt: skip
FIGURES = (
    "paths", "moments", "plane", "curves", "gradients", "falls", "relu", "bound", "shares", "sizes",
        "sizes-over-training",
    "depth", "committee", "pictures",
)  # fmt: skip

REQUIRED = {  # ids that a ledger of this study must hold
    *(f"fit-then-compress/layer{k}" for k in range(1, 7)),
    *(f"snr-transition/layer{k}" for k in range(1, 7)),
    *(f"on-the-bound/layer{k}" for k in range(1, 7)),
    *(f"small-data-loses/{s}" for s in (5, 45, 85)),
    "first-layer-flat", "full-information", "snr-alike-across-layers", "noise-drives-compression",
    "depth-speeds-learning", "one-layer-too-slow", "more-data-more-label", "beta-falls-with-depth", "networks-differ",
    "committee-same-phases", "mnist-gradient-phases",
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "r"
    return dt.reproduce(NAME, out=folder, progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim(result):
    assert {c.id for c in result.claims} >= REQUIRED
    assert {c.id for c in CLAIMS} >= REQUIRED
    for entry in result.claims:
        valued = entry.measured is not None
        assert entry.verdict in (("measured, not judged",) if valued else ("not run", "inconclusive"))  # another lr
        assert "not the published settings" in entry.note or entry.measured is None
    assert result.claims["full-information"].measured > 0


def test_the_folder_holds_all_that_was_promised(result):
    names = {p.name for p in result.folder.iterdir()}
    assert {"run.json", "claims.json", "claims.csv", "report.html", "page.json", "figures", "steps"} <= names
    figures = {p.name for p in (result.folder / "figures").iterdir()}
    assert figures == {f"{n}.{e}" for n in FIGURES for e in ("json", "csv")}
    run = json.loads((result.folder / "run.json").read_text())
    assert run["changed"] == {"epochs": 30, "lr": 0.004}
    assert run["seeds"] == [0, 1, 2, 3]
    assert "--set epochs=30" in run["command"]
    assert str(result.folder) not in json.dumps(run)  # an absolute path would say whose machine it was
    page = (result.folder / "report.html").read_text()
    assert "Not the published settings" in page
    assert "first-layer-flat" in page


def test_it_shows_itself(result):
    assert result.figure("falls").data
    assert result.figure().data
    assert result.figure("plane").frames
    assert len(result.table()) == len(result.claims)
    assert "StudyResult(shwartz-ziv-tishby-2017" in repr(result)
    assert result.scalars()["full-information"] == result.claims["full-information"].measured
    with pytest.raises(InputError, match=r"use \.results\[NAME\]"):
        result.dataset()


def test_figures_and_steps_agree(result):
    import pandas as pd

    table = pd.read_csv(result.folder / "figures" / "plane.csv")
    data = result.results["minibatch"]
    row = table[(table.seed == 2) & (table.layer == "layer3") & (table.step == data.step.values[-1])].iloc[0]
    assert row.i_x == pytest.approx(data["i_x"].sel(seed=2, layer="layer3").values[-1], rel=1e-14)  # read from text
    dots = [t for t in result.figure("plane").data if t.name == "layer3"]
    assert dots[0].x[2] == pytest.approx(row.i_x, abs=1e-3)


def test_controls_are_what_they_say(result):
    main, full = result.results["minibatch"], result.results["full-batch"]
    assert np.array_equal(main["weights_before"], full["weights_before"])  # steps pair the same networks
    assert not np.array_equal(main["weights_after"], full["weights_after"])
    assert np.isfinite(full["std_norm"]).all()
    shuffled = result.results["shuffled-labels"]
    assert float(shuffled["test_accuracy"][:, -1].mean()) < 0.6 < float(main["test_accuracy"][:, -1].mean())
    assert result.results["relu"].attrs["readout"] == "Binning(30, 'layer')"


def test_a_second_call_reads_what_is_there_and_engines_agree(result, tmp_path):
    again = dt.reproduce(NAME, out=result.folder, progress=lambda *a: pytest.fail("worked again"), resume=True, **SMALL)
    assert again.claims.rows() == result.claims.rows()
    other = dt.reproduce(NAME, out=tmp_path / "p", engine="processes", jobs=2, progress=False, **SMALL)
    for step in result.results:
        assert other.results[step].identical(result.results[step])
    with pytest.raises(StoreError, match="with setting epochs = 30, not 31"):
        dt.reproduce(NAME, out=result.folder, **{**SMALL, "epochs": 31})


def test_published_settings_decide(tmp_path):
    """Unchanged settings decide claims; sizes are not settings that anybody published."""
    study = find(NAME)
    settings, changed = study.values("quick", None, {"networks": "4", "activation": "tanh"})
    assert settings["networks"] == 4
    assert changed == {}
    assert study.values("quick", "paper", {})[0]["optimizer"] == "sgd"
    assert study.values("quick", None, {"widths": "12,8,2", "batch": "full", "gamma": "50", "reshuffle": "yes"})[1] == {
        "widths": [12, 8, 2], "batch": None, "gamma": 50.0, "reshuffle": True,
    }  # fmt: skip


@pytest.mark.slow
def test_other_depths_activations_and_soft_labels_run(tmp_path):
    few = {**SMALL, "epochs": 3, "networks": 2, "controls": 1}
    result = dt.reproduce(
        NAME, out=tmp_path / "a", progress=False, activation="relu", widths="12,8,2", gamma=50, batch="full", **few
    )
    assert result.claims["fit-then-compress/layer6"].note == "these networks have no layer6"
    assert result.results["minibatch"].attrs["information"] == pytest.approx(0.98749, abs=1e-5)
    only = dt.reproduce(NAME, out=tmp_path / "b", progress=False, only="minibatch", **few)
    assert only.claims["noise-drives-compression"].verdict == "not run"
    assert "full-batch" in only.claims["noise-drives-compression"].note
    record = json.loads((only.folder / "run.json").read_text())
    assert "--only minibatch" in record["command"]
    assert record["times"]["finished"] is None
    assert "--only" not in json.loads((result.folder / "run.json").read_text())["command"]


def test_further_figures_measure_what_their_claims_say(result):
    depth, share = result.results["depth"], result.results["training-size"]
    assert depth["depth"].values.tolist() == [1, 2, 3, 4, 5, 6]
    end = depth["output_i_y"].sel(depth=1).transpose("seed", "step").values[:, -1]
    assert result.claims["one-layer-too-slow"].measured == pytest.approx((end / depth.attrs["information"]).mean())
    i_y = share["i_y"].sel(share=0.05).isel(layer=-2).transpose("seed", "step").values
    assert result.claims["small-data-loses/5"].measured == pytest.approx((i_y.max(1) - i_y[:, -1]).mean())
    assert result.claims["small-data-loses/45"].note == "45 % is not among the shares of this run"
    main = result.results["minibatch"]
    assert (main["bound_distance"].values >= -1e-6).all()  # no layer beyond the bound
    before = main["i_x"].isel(step=0).transpose("seed", "layer").values  # the same networks, before training
    assert main["step"].values[0] == main["when"].values[0] == 0
    assert main["bound_i_x"].isel(when=0).transpose("seed", "layer").values == pytest.approx(before)
    assert "pictures" in result.claims["mnist-gradient-phases"].note
    assert result.results["pictures"].attrs["pictures"] in result.claims["mnist-gradient-phases"].note


def test_ranks_with_infinities_and_ties():
    assert spearman([1, 2, 3, 4], [np.inf, 30, 20, 10]) == pytest.approx(-1)
    assert spearman([1, 2, 3], [np.inf, np.inf, 5]) == pytest.approx(-0.866, abs=1e-3)
    assert np.isnan(spearman([1, 2, 3], [7, 7, 7]))  # no correlation is no correlation of 0


@pytest.mark.parametrize(
    "changes", [{"networks": "inf"}, {"networks": "nan"}, {"networks": 2.5}, {"widths": [12, 2.5, 2]}]
)
def test_numbers_that_are_not_whole(tmp_path, changes):
    with pytest.raises(InputError, match=r"(networks|widths) is .*; needed"):
        dt.reproduce(NAME, out=tmp_path / "r", progress=False, **changes)


@pytest.mark.parametrize(
    ("shares", "match"),
    [
        ("0,0.5", r"shares is \[0.0, 0.5\]"),
        ("", "shares is ''"),
        ("1.5", "shares is"),
        ("0.0001", "a pattern or more"),
        ("0.5,0.5", "each another"),
    ],
)
def test_shares_that_cannot_train(tmp_path, shares, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out=tmp_path / "r", progress=False, shares=shares)


def test_digits_stand_in_where_there_is_no_mnist(monkeypatch):
    from deeptheory.core.errors import MissingDependency
    from deeptheory.studies import digits

    def absent():
        raise MissingDependency("none here")

    monkeypatch.setattr(digits.dt.datasets, "mnist", absent)
    assert digits.digits_found().name == "digits"


def test_alikeness_pairs_units_and_ignores_signs():
    a = np.random.default_rng(0).standard_normal((5, 8))
    assert alikeness(a, -3 * a[::-1]) == pytest.approx(1)
    b = np.random.default_rng(1).standard_normal((5, 8))
    assert alikeness(a, b) < 0.8


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"study": "shwartz-ziv"}, "unknown study 'shwartz-ziv'"),
        ({"scale": "huge"}, "unknown scale 'huge'. Known: quick, standard, paper"),
        ({"protocol": "codes"}, "unknown protocol 'codes'; did you mean code"),
        ({"activaton": "relu"}, "unknown setting 'activaton'; did you mean activation"),
        ({"epochs": "many"}, "epochs is 'many'; needed: number of epochs"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"epochs": 0}, "epochs is 0"),
        ({"activation": "gelu"}, "unknown activation 'gelu'"),
        ({"widths": "12,5"}, "needed: 12 inputs, one hidden layer or more"),
        ({"widths": "10,5,2"}, "needed: 12 inputs"),
        ({"lr": -1}, "lr is -1"),
        ({"reshuffle": "perhaps"}, "reshuffle is 'perhaps'"),
        ({"networks": 0}, "networks is 0"),
        ({"engine": "gpu"}, "unknown engine 'gpu'"),
        ({"only": "mini"}, "unknown step 'mini'; did you mean minibatch"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_wrong_use(tmp_path, kwargs, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(kwargs.pop("study", NAME), out=tmp_path / "r", progress=False, **kwargs)
    assert not (tmp_path / "r" / "steps").exists()


def test_every_study_can_be_listed():
    for name in STUDIES:
        study = find(name)
        assert study.name == name
        assert study.scales["quick"].cost


def test_a_study_runs_into_an_object_store():
    """Ledger, figures and page; what is written down names neither the store nor a cluster."""
    from deeptheory.report import write_page
    from deeptheory.runs import Ledger, read_record
    from deeptheory.studies.study import _command

    found = dt.reproduce("saxe-2018", out="memory://study/a", only="one-neuron", engine="serial", progress=False)
    page = (found.folder / "report.html").read_text()
    assert found.claims["one-neuron-tanh-returns-to-1-bit"].verdict == "reproduced"
    assert Ledger.load("memory://study/a").rows() == found.claims.rows()
    assert found.figure().data
    assert str(found.folder) not in page
    assert write_page("memory://study/a").read_text() == page
    assert "memory" not in read_record(found.folder).command
    said = _command("saxe-2018", "quick", 0, None, "dask:tcp://10.0.0.1:8786", None, {}, found.folder)
    assert said == "deeptheory reproduce saxe-2018 --scale quick --seed 0 --engine dask"
