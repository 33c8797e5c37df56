"""The study of EM routing at a size that a test can wait for: same steps, same claims, few updates."""

import numpy as np
import pytest
import xarray as xr

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.runs.intervals import interval
from deeptheory.studies import find
from deeptheory.studies.hinton_2018 import claims, figures, steps

NAME = "hinton-2018"
SMALL = {"networks": 1, "ablations": 1, "updates": [2, 2], "batch": 4, "views": 150, "judged": 12, "attacked": 3}
ROWS = (
    *("capsules", "multi-crop", "small", "cnn", "ciresan", "mixing-proportions", "r1", "r2", "r5", "vector"),
    *("vector-no-coordinates", "no-coordinates", "margin", "cross-entropy"),
)
REQUIRED = {
    *(f"parameters/{n}" for n in ("capsules", "small-capsules", "cnn")),
    *("novel-azimuth", "novel-elevation", "iterations", "activation-ablation", "pose-form", "coordinates", "loss"),
    *("votes-tighten", "white-box-fgsm", "white-box-bim", "strong-attack", "transfer-no-advantage",
        "gradient-magnitude"),
    *(f"smallnorb/{n}" for n in ROWS),
    *("norb-cluttered", "mnist", "cifar10", "azimuth/cnn", "azimuth/capsules", "elevation/cnn", "elevation/capsules"),
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return dt.reproduce(NAME, out=tmp_path_factory.mktemp("hinton") / "r", progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim_and_every_published_row(result):
    assert {c.id for c in result.claims} >= REQUIRED
    assert {e.verdict for e in result.claims} <= {"not run", "measured, not judged"}
    assert result.claims["parameters/capsules"].measured == 317_194
    assert result.claims["parameters/small-capsules"].measured == 68_754
    for name in ("novel-azimuth", "votes-tighten", "strong-attack", "gradient-magnitude", "iterations"):
        assert np.isfinite(result.claims[name].measured)
    assert "1.6 s a step" in result.claims["smallnorb/capsules"].note
    assert "Michels" in result.claims["strong-attack"].quantity


def test_the_page_shows_every_figure_and_says_what_it_is_not(result):
    figures = {p.stem for p in (result.folder / "figures").glob("*.json")}
    assert figures == {"views", "azimuth", "elevation", "ablations", "votes", "attacks", "gradients"}
    page = (result.folder / "report.html").read_text()
    assert "no number here is one of smallNORB" in page
    assert "1906.03612" in page


def test_ablations_change_what_they_say(result):
    r = result.results
    assert r["vector"].sizes["parameter"] > r["whole"].sizes["parameter"] == r["r1"].sizes["parameter"]
    same = ("r1", "r2", "r5", "mass", "no-coordinates", "margin", "cross-entropy")
    assert r["vector"].sizes["parameter"] == r["vector-no-coordinates"].sizes["parameter"]
    assert not np.array_equal(r["vector"]["weights"], r["vector-no-coordinates"]["weights"])
    assert len({r[name]["weights"].values.tobytes() for name in (*same, "whole")}) == len(same) + 1
    assert "novel" in r["azimuth-cnn"]
    assert "novel" not in r["whole"]
    accuracy = r["attacks"]["accuracy"]
    still = accuracy.sel(epsilon=0.0)
    assert np.array_equal(still.sel(attack="fgsm"), still.sel(attack="bim"))
    assert set(accuracy["attack"].values) == {"fgsm", "bim", "strong", "bim, targeted: success", "transferred"}


def test_a_second_call_reads_what_is_there(result):
    again = dt.reproduce(NAME, out=result.folder, progress=lambda *a: pytest.fail("worked again"), resume=True, **SMALL)
    assert again.claims.rows() == result.claims.rows()


def test_familiar_views_and_new_ones_are_of_other_objects(result):
    views = result.results["views"]
    for condition in ("azimuth", "elevation", "all"):
        rows = steps.parts(views, condition)
        instances = [set(views["instance"].values[rows[k]].tolist()) for k in ("train", "familiar")]
        assert not instances[0] & instances[1]
        assert not set(rows["familiar"]) & set(rows["novel"])
    azimuth = steps.parts(views, "azimuth")
    assert set(views["azimuth"].values[azimuth["train"]]) <= {300, 320, 340, 0, 20, 40}
    assert set(views["azimuth"].values[azimuth["novel"]]) <= set(range(60, 300, 20))
    assert views["elevation"].values[steps.parts(views, "elevation")["novel"]].min() == 45
    assert not len(steps.parts(views, "all")["novel"])


def test_on_a_turntable_every_other_view_is_held_out():
    turn = xr.Dataset(
        {
            "azimuth": ("view", np.arange(0, 360, 5)),
            "elevation": ("view", np.zeros(72, int)),
            "train": ("view", np.ones(72, bool)),
        }
    )
    rows = steps.parts(turn, "azimuth")
    assert (turn["azimuth"].values[rows["train"]] % 10 == 0).all()
    assert (turn["azimuth"].values[rows["familiar"]] % 10 == 5).all()
    assert not len(steps.parts(turn, "elevation")["novel"])


def test_other_sources_are_read_and_cut(monkeypatch):
    g = np.random.default_rng(0)
    n = 6
    found = dt.datasets.Views(
        name="smallnorb",
        images=g.integers(0, 256, (n, 2, 96, 96), dtype=np.uint8),
        labels=np.arange(n) % 5,
        train=np.arange(n) < 3,
        source="test",
        license="none",
        instance=np.arange(n),
        azimuth=np.arange(n) * 20,
        elevation=np.full(n, 30),
        light=np.zeros(n, int),
    )
    monkeypatch.setattr(dt.datasets, "small_norb", lambda: found)
    settings, _ = find(NAME).values("paper", None, {})
    views = steps.views({**settings, "seed": 0}, None, None, None, None)
    assert views["image"].shape == (6, 2, 48, 48)
    assert views["image"].values[1, 0, 3, 5] == round(found.images[1, 0, 6:8, 10:12].mean())
    middle = steps.prepared(views, np.arange(3), settings)
    assert middle.shape == (3, 2, 32, 32)
    assert float(middle[0, 0, 0, 0]) == pytest.approx(views["image"].values[0, 0, 8, 8] / 255)
    drawn = steps.prepared(views, np.arange(3), settings, g)
    assert drawn.shape == middle.shape
    assert not np.allclose(drawn, middle)
    coil = dt.datasets.Views(**{**vars(found), "name": "coil20", "images": found.images[:, :1, :32, :32]})
    monkeypatch.setattr(dt.datasets, "coil20", lambda: coil)
    assert steps.load({"source": "coil20", "size": 32}).name == "coil20"


def test_a_row_is_measured_where_the_papers_network_was_trained():
    trained = xr.Dataset({"familiar": (("seed", "look"), [[20.0, 98.0], [20.0, 98.5]])}, attrs={"full": 1})
    assert np.array_equal(claims.of_the_papers_network({"whole": trained}, "whole"), [2.0, 1.5])
    curves = {"capsules": ([90.0, 96.0], [60.0, 70.0]), "cnn": ([95.0, 96.0], [50.0, 55.0])}
    both = {
        f"azimuth-{kind}": xr.Dataset(
            {"familiar": (("seed", "look"), [a]), "novel": (("seed", "look"), [b])},
            coords={"seed": [0]},
            attrs={"full": 1},
        )
        for kind, (a, b) in curves.items()
    }
    assert claims.error_on_new_views(both, "azimuth-capsules").tolist() == [30.0]
    assert claims.error_on_new_views(both, "azimuth-cnn").tolist() == [45.0]
    one = interval(
        claims.fewer_errors(both, "azimuth")
    )  # 30 % and 45 % errors: a third fewer; the sign is capsules' favor
    assert one.value == pytest.approx(1 / 3)
    swapped = {"azimuth-capsules": both["azimuth-cnn"], "azimuth-cnn": both["azimuth-capsules"]}
    assert interval(claims.fewer_errors(swapped, "azimuth")).value == pytest.approx(-1 / 2)
    small = {k: v.assign_attrs(full=0) for k, v in both.items()}
    assert "rendered solids" in claims.of_the_papers_network(small, "azimuth-cnn").reason
    flat = {f"azimuth-{k}": trained for k in ("capsules", "cnn")}
    assert "no second azimuth" in claims.fewer_errors(flat, "azimuth").reason


@pytest.mark.parametrize("scale", ["standard", "paper"])
def test_other_scales_name_their_cost_and_their_networks_fit(scale):
    study = find(NAME)
    settings, changed = study.values(scale, None, {})
    assert not changed
    assert "core" in study.scales[scale].cost
    steps.check(settings)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"networks": 0}, "networks is 0"),
        ({"updates": [1]}, r"updates is \[1\]; needed: steps on new viewpoints, in ablations: 800,400 \(2 values"),
        ({"lr": -1}, "lr is -1"),
        ({"source": "norb"}, "unknown source 'norb'; did you mean smallnorb. Known: multiview, smallnorb, coil20"),
        ({"size": 10}, "no position is left"),
        ({"types": "16,4"}, None),
    ],
)
def test_wrong_use(changes, match, tmp_path):
    if match is None:  # no convolutional capsule layer at all is a network, too
        steps.check(find(NAME).values("quick", None, changes)[0])
        return
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out=tmp_path / "never", **changes)


def test_views_too_few_or_of_another_size_are_refused_before_training():
    settings = {**find(NAME).values("quick")[0], "seed": 0, "size": 8}
    with pytest.raises(InputError, match=r"views is 2; none of them trains"):
        steps.views({**settings, "views": 2}, None, None, None, None)
    assert steps.views({**settings, "views": 60}, None, None, None, None).sizes["view"] == 60


def test_published_files_are_brought_to_the_size_asked_for(monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (4, 2, 96, 96), dtype=np.uint8)
    kinds = {name: np.arange(4) for name in ("labels", "instance", "azimuth", "elevation", "light")}
    found = dt.datasets.Views(
        name="smallnorb", images=images, train=np.arange(4) < 2, source="test", license="none", **kinds
    )
    monkeypatch.setattr(dt.datasets, "small_norb", lambda: found)
    settings = {**find(NAME).values("quick", None, {"source": "smallnorb"})[0], "seed": 0}
    views = steps.views(settings, None, None, None, None)  # size 24: the page says 24x24
    assert views["image"].shape == (4, 2, 24, 24)
    assert views["image"].values[0, 1, 2, 3] == round(images[0, 1, 8:12, 12:16].mean())
    with pytest.raises(InputError, match="size is 25; images of test are 96 pixels wide: 96, 48"):
        steps.views({**settings, "size": 25}, None, None, None, None)


@pytest.mark.parametrize(("source", "size"), [("coil20", 24), ("coil20", 48), ("smallnorb", 25)])
def test_a_size_that_published_images_have_not_is_refused_before_the_run(source, size):
    settings = find(NAME).values("quick", None, {"source": source, "size": size})[0]
    with pytest.raises(InputError, match=f"size is {size}; images of {source} are .* wide: .*32"):
        steps.check(settings)
    steps.check({**settings, "size": 32})


@pytest.mark.parametrize(
    ("scale", "changes", "said"),
    [
        ("paper", {}, ""),
        ("paper", {"width": 0.1}, "a network of 0.1 times the paper's width"),
        ("paper", {"source": "multiview"}, "a network on multiview"),
        ("quick", {}, ""),
        ("quick", {"source": "coil20"}, "a network on coil20"),
        ("quick", {"width": 2}, ""),
    ],
)
def test_no_other_network_decides_a_row_of_the_papers(scale, changes, said):
    settings, _ = find(NAME).values(scale, None, changes)
    assert steps._unlike(settings) == said
    attrs = {"full": int(settings["full"]), "unlike": said}
    trained = xr.Dataset({"familiar": (("seed", "look"), [[20.0, 98.0]])}, attrs=attrs)
    found = claims.of_the_papers_network({"whole": trained}, "whole")
    if scale == "paper" and not said:
        assert np.array_equal(found, [2.0])
    else:
        assert (said or "a small network on rendered solids") + " cannot decide" in found.reason


def test_captions_say_what_was_attacked_and_by_how_many(result):
    settings = {**find(NAME).values("quick", None, SMALL)[0], "attacked": 9999}
    tested = min(SMALL["judged"], len(steps.parts(result.results["views"], "all")["familiar"]))
    one = figures._attacks(result.results, {**settings, "networks": 8})
    assert one.limitations.startswith(f"{tested} test images, one network.")
    assert all(t.error_y.array is None or {*t.error_y.array} == {None} for t in one.figure.data if t.name)
    two = {**result.results, "attacks": xr.concat([result.results["attacks"]] * 2, "seed")}
    assert "standard deviation over 2 networks" in figures._attacks(two, {**settings, "networks": 8}).limitations
    assert "r = 1, matrices" in figures._ablations(result.results, {**settings, "iterations": 1}).table.to_string()
    assert figures.notices({"source": "coil20"}) == [
        "The images are those of coil20: no number here is one of smallNORB."
    ]
