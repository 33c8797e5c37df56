"""The study at a size that a test can wait for: same steps, same claims, small networks and few faces."""

import numpy as np
import pytest
from torch.nn.utils import parameters_to_vector

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.networks import FaceNet
from deeptheory.studies import find
from deeptheory.studies.chang_tsao_2017.claims import CLAIMS
from deeptheory.studies.chang_tsao_2017.layers import LAYERS, crowd, loaded, world

NAME = "chang-tsao-2017"
SMALL = {
    "networks": 2, "people": 4, "pictures": 20, "size": 32, "steps": 12, "batch": 16, "stimuli": 120, "cells": 12,
    "modelled": 4, "permutations": 60, "folds": 2, "shape": 5, "appearance": 5, "space_faces": 30, "candidates": 20,
    "photographs": 0, "views": True,
}  # fmt: skip

REQUIRED = {
    "ramp", "near-ceiling", "tuned-dimensions", "late-layers-appearance", "early-layers-shape", "decode-combined-best",
    "decode-falls-with-component", "identify-at-40", "population-not-grandmother", "200-suffice",
    "axes-not-mutually-orthogonal", "eigenface-worse", "metamers", "reconstruction", "view-transfer",
    "axis-metric-efficient",
    *(f"flat-orthogonal/{k}" for k in LAYERS), *(f"axis-beats-exemplar/{k}" for k in LAYERS),
    *(f"untrained-control/flat-orthogonal/{k}" for k in LAYERS),
    *(f"untrained-control/axis-beats-exemplar/{k}" for k in LAYERS),
    "untrained-control/late-layers-appearance", "untrained-control/early-layers-shape",
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DEEPTHEORY_DATA", raising=False)
        yield dt.reproduce(NAME, out=tmp_path_factory.mktemp("study") / "r", progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim(result):
    assert {c.id for c in result.claims} >= REQUIRED
    measured = {e.verdict for e in result.claims if "no value in" not in e.note}
    assert measured <= {"not run", "measured, not judged"}  # published settings were changed
    for name in REQUIRED - {"200-suffice"}:
        entry = result.claims[name]  # so small a network may leave a layer without a tuned cell
        assert entry.measured is not None or "no value in" in entry.note, name
    measured = {name for name in REQUIRED if result.claims[name].measured is not None}
    assert len(measured) > 0.7 * len(REQUIRED)
    assert result.claims["200-suffice"].note == "fewer than 200 cells were recorded"
    for entry in result.claims:
        if entry.id.startswith("neural/"):
            assert "needs the recordings" in entry.note
        if entry.id.startswith(("published-network/", "it/")):
            assert "was not found" in entry.note
            assert "about ten seconds per member" in entry.note
        assert not entry.published or entry.published_trust.startswith("unverified")


def test_the_page_says_what_it_is_and_is_not(result):
    figures = {p.stem for p in (result.folder / "figures").glob("*.json")}
    assert figures == {
        "faces", "components", "ramps", "axes", "preference-histogram", "preference", "decoding", "identification",
        "cells-needed", "reconstructions", "flat-curves", "flatness", "models", "verdicts", "eigenface", "metamers",
        "null-changes", "views", "ladder", "readers",
    }  # fmt: skip
    page = (result.folder / "report.html").read_text()
    assert "The faces are procedural (58 landmarks" in page
    assert "not the paper&#39;s 58" in page or "not the paper's 58" in page
    assert all("58 procedural landmarks" in c.protocol for c in result.claims if c.id in REQUIRED)


def test_layers_and_controls_are_next_to_each_other(result):
    data = result.results["layers"]
    assert data["preference"].dims == ("seed", "condition", "layer", "cell")
    assert data["condition"].values.tolist() == ["trained", "untrained"]
    assert data["layer"].values.tolist() == LAYERS
    assert data["counts"].sum("verdict").max() <= SMALL["modelled"]
    assert {"pixels_preference", "pixels_flat", "pixels_explained"} <= set(data.data_vars)
    trained, untrained = (data["preference"].sel(condition=c).values for c in ("trained", "untrained"))
    assert not np.array_equal(trained, untrained)


def test_networks_and_people_are_independent(result):
    settings = {**find(NAME).values("quick", None, SMALL)[0], "seed": 0}
    a, b = (world(settings, m) for m in (0, 1))
    assert not np.allclose(a.coordinates, b.coordinates)
    assert np.array_equal(a.images, world(settings, 0).images)
    images, people, held = crowd(settings, 0)
    assert len(images) == SMALL["people"] * SMALL["pictures"]
    assert held.reshape(SMALL["people"], -1).sum(1).tolist() == [SMALL["pictures"] // 10] * SMALL["people"]
    assert sorted(set(people)) == list(range(SMALL["people"]))


def test_weights_come_back(result):
    settings = {**find(NAME).values("quick", None, SMALL)[0], "seed": 0}
    kept = result.results["network"]["weights"].values[1]
    assert np.array_equal(parameters_to_vector(loaded(settings, 1, kept).parameters()).detach(), kept)
    assert not np.array_equal(parameters_to_vector(loaded(settings, 1).parameters()).detach(), kept)


def test_a_second_call_reads_what_is_there(result):
    again = dt.reproduce(NAME, out=result.folder, progress=lambda *a: pytest.fail("worked again"), resume=True, **SMALL)
    assert again.claims.rows() == result.claims.rows()


@pytest.mark.slow
def test_engines_agree(result, tmp_path):
    only = dt.reproduce(NAME, out=tmp_path / "p", engine="processes", jobs=2, progress=False, only="network", **SMALL)
    assert only.results["network"].identical(result.results["network"])
    assert only.claims["ramp"].verdict == "not run"
    assert "layers" in only.claims["ramp"].note


def test_controls_are_next_to_the_population(result):
    data = result.results["population"]
    assert data["control"].values.tolist() == ["untrained", "pixels"]
    assert data["control_explained"].shape == (2, 2, 10)
    assert data["reconstructed"].shape == (2, 4, 8, 32, 32)
    shown = world({**find(NAME).values("quick", None, SMALL)[0], "seed": 0}, 0).images[:8]
    assert np.array_equal(data["reconstructed"].values[0, 0], shown.astype(np.float32))
    for name in ("null_change", "axis_change", "control_null_change", "control_axis_change"):
        assert (data[name].values >= 0).all()
    assert (data["axis_change"].values > 0).all()
    assert result.results["views"]["condition"].values.tolist() == ["trained", "untrained"]


def test_few_cells_are_measured_as_far_as_there_are_any(tmp_path):
    """Fewer cells than metamers are made for; pixels are twice as many."""
    few = {**SMALL, "networks": 1, "cells": 4, "modelled": 2, "stimuli": 60, "views": False}
    for step in ("network", "population"):
        run = dt.reproduce(NAME, out=tmp_path / "r", progress=False, only=step, **few)
    data = run.results["population"]
    assert np.isfinite(data["null_change"].values).sum() <= 4
    assert np.isfinite(data["control_null_change"].sel(control="pixels").values).sum() == 8


def test_a_pixel_does_not_answer_its_null_plane_as_its_axis(result):
    """The rendered faces of a pixel's null plane: what is left is warps and an axis learnt from noisy trials."""
    data = result.results["population"].sel(control="pixels")
    assert np.median(data["control_null_change"] / data["control_axis_change"]) < 1


def test_simulated_codes_are_read_by_four_readers(result):
    data = result.results["simulated"]
    assert data["reader"].values.tolist() == ["identity", "two", "attribute", "nuisance"]
    assert data["accuracy"].dims == ("seed", "code", "size", "reader")
    assert (data["accuracy"].sel(size=205, reader="two") > 0.6).all()


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"size": 40}, "size is 40"),
        ({"candidates": 1001}, "stimuli is 1000; needed: 1001 or more, for 50 coordinates, 1001 candidates"),
        ({"folds": 501}, "stimuli is 1000; needed: 1002 or more"),
        ({"space_faces": 25}, "shape is 25; 25 faces hold 1 to 24 components"),
        ({"people": 1}, "people is 1; needed: people that"),
        ({"stimuli": 100}, "stimuli is 100; needed: 165 or more, for 50 coordinates"),
        (
            {"stimuli": 60, "folds": 2, "shape": 3, "appearance": 8, "candidates": 5},
            "stimuli is 60; needed: 64 or more, for 11 coordinates, 5 candidates and 2 folds",
        ),
        ({"rate": 0}, "rate is 0.0; needed: mean spikes"),
        ({"normalize": "all"}, "unknown normalize 'all'. Known: block, dim, none"),
        ({"trials": "many"}, "trials is 'many'; needed: noisy trials"),
        ({"views": "perhaps"}, "views is 'perhaps'; needed: faces from the side, too .true or false"),
        ({"cells": 4.5}, "cells is 4.5"),
    ],
)
def test_wrong_use(tmp_path, kwargs, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out=tmp_path / "r", progress=False, **kwargs)


def test_every_layer_of_the_network_is_looked_at():
    assert list(FaceNet.layers) == LAYERS
    assert len({c.id for c in CLAIMS}) == len(CLAIMS)
