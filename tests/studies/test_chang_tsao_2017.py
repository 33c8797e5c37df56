"""The study at a size that a test can wait for: same steps, same claims, small networks and few faces."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.errors import InputError
from deeptheory.networks import FaceNet
from deeptheory.studies import find
from deeptheory.studies.chang_tsao_2017.cells import choose, spikes
from deeptheory.studies.chang_tsao_2017.claims import CLAIMS
from deeptheory.studies.chang_tsao_2017.layers import LAYERS
from deeptheory.studies.chang_tsao_2017.population import axes_geometry
from deeptheory.studies.chang_tsao_2017.simulated import SIZES, cells_needed
from deeptheory.studies.chang_tsao_2017.steps import flat, loaded
from deeptheory.studies.chang_tsao_2017.stimuli import crowd, world

NAME = "chang-tsao-2017"
SMALL = {
    "networks": 2, "people": 4, "pictures": 20, "size": 32, "steps": 12, "batch": 16, "stimuli": 120, "cells": 12, "modelled": 4,
    "shuffles": 60, "folds": 3, "shape": 5, "appearance": 5, "space_faces": 30, "candidates": 20, "photographs": 0, "views": True,
}  # fmt: skip

REQUIRED = {
    "ramp", "near-ceiling", "tuned-dimensions", "late-layers-appearance", "early-layers-shape", "decode-combined-best",
    "decode-falls-with-component", "identify-at-40", "population-not-grandmother", "200-suffice", "axes-not-mutually-orthogonal",
    "eigenface-worse", "metamers", "reconstruction", "view-transfer", "axis-metric-efficient",
    *(f"flat-orthogonal/{k}" for k in LAYERS), *(f"axis-beats-exemplar/{k}" for k in LAYERS),
    *(f"untrained-control/flat-orthogonal/{k}" for k in LAYERS), *(f"untrained-control/axis-beats-exemplar/{k}" for k in LAYERS),
    "untrained-control/late-layers-appearance", "untrained-control/early-layers-shape",
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DEEPTHEORY_DATA", raising=False)
        yield dt.reproduce(NAME, out=tmp_path_factory.mktemp("study") / "r", progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim(result):
    assert {c.id for c in result.claims} >= REQUIRED
    assert all(e.verdict == "not run" for e in result.claims)  # published settings were turned
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
        assert not entry.published or entry.published_trust.startswith("unverified")


def test_the_page_says_what_it_is_and_is_not(result):
    figures = {p.stem for p in (result.folder / "figures").glob("*.json")}
    assert figures == {"components", "preference", "flatness", "verdicts", "decoding", "identification", "reconstructions", "metamers"}  # fmt: skip
    page = (result.folder / "report.html").read_text()
    assert "The faces are procedural (58 landmarks" in page
    assert "not the paper&#39;s 58" in page or "not the paper's 58" in page
    assert all("58 procedural landmarks" in c.protocol for c in result.claims if c.id in REQUIRED)


def test_layers_and_controls_are_beside_each_other(result):
    data = result.results["layers"]
    assert data["preference"].dims == ("seed", "condition", "layer", "cell")
    assert data["condition"].values.tolist() == ["trained", "untrained"]
    assert data["layer"].values.tolist() == LAYERS
    assert data["counts"].sum("verdict").max() <= SMALL["modelled"]
    assert {"pixels_preference", "pixels_flat", "pixels_explained"} <= set(data.data_vars)
    trained, untrained = (data["preference"].sel(condition=c).values for c in ("trained", "untrained"))
    assert not np.array_equal(trained, untrained)


def test_networks_and_people_are_independent(result):
    settings = {**find(NAME).settings("quick", None, SMALL)[0], "seed": 0}
    a, b = (world(settings, m) for m in (0, 1))
    assert not np.allclose(a.coordinates, b.coordinates)
    assert np.array_equal(a.images, world(settings, 0).images)
    images, people, held = crowd(settings, 0)
    assert len(images) == SMALL["people"] * SMALL["pictures"]
    assert held.reshape(SMALL["people"], -1).sum(1).tolist() == [SMALL["pictures"] // 10] * SMALL["people"]
    assert sorted(set(people)) == list(range(SMALL["people"]))


def test_weights_come_back(result):
    settings = {**find(NAME).settings("quick", None, SMALL)[0], "seed": 0}
    kept = result.results["network"]["weights"].values[1]
    assert np.array_equal(flat(loaded(settings, 1, kept)), kept)
    assert not np.array_equal(flat(loaded(settings, 1)), kept)


def test_a_second_call_reads_what_is_there(result):
    again = dt.reproduce(NAME, out=result.folder, progress=lambda *a: pytest.fail("worked again"), resume=True, **SMALL)
    assert again.claims.rows() == result.claims.rows()


@pytest.mark.slow
def test_engines_agree(result, tmp_path):
    only = dt.reproduce(NAME, out=tmp_path / "p", engine="processes", jobs=2, progress=False, only="network", **SMALL)
    assert only.results["network"].identical(result.results["network"])
    assert only.claims["ramp"].verdict == "not run"
    assert "layers" in only.claims["ramp"].note


def test_spikes_have_the_rate_and_count_as_poisson_does():
    settings = {"rate": 10.0, "window": 0.25, "trials": 4}
    answers = np.random.default_rng(0).random((2000, 3)) + np.array([0, 5, 0])
    got = spikes(answers, settings, 1, "x")
    assert got.shape == (2000, 4, 3)
    assert got.mean((0, 1)) == pytest.approx([10] * 3, rel=0.05)
    counts = got * 0.25
    assert np.array_equal(counts, counts.round())
    flat_cell = counts[:, :, 1]  # hardly modulated: variance equals mean
    assert flat_cell.var() == pytest.approx(flat_cell.mean(), rel=0.1)
    assert np.corrcoef(got.mean(1)[:, 0], answers[:, 0])[0, 1] > 0.5


def test_cells_answer_now_and_then():
    values = np.random.default_rng(0).random((100, 5))
    values[:, 0], values[:, 1] = 0, 1
    values[1:, 2] = 0
    assert choose(values, 10, 0, "a").tolist() == [3, 4]
    assert len(choose(values, 1, 0, "a")) == 1


def test_cells_needed():
    assert cells_needed(np.linspace(0, 1, len(SIZES))) == pytest.approx(120)
    assert cells_needed(np.array([0.9, 1.0]), (5, 10)) == 5
    assert cells_needed(np.array([0.0, 0.4]), (5, 10)) == float("inf")
    assert cells_needed(np.array([0.7, 0.9]), (10, 20)) == pytest.approx(15)


def test_geometry_of_known_axes():
    got = axes_geometry(np.vstack([np.eye(4), -np.eye(4)]), 0)
    assert got["axes_rank"] == 4
    assert got["axes_participation"] == pytest.approx(4)
    assert got["axes_cosine"] == 0
    alone = axes_geometry(np.ones((6, 4)), 0)
    assert alone["axes_rank"] == 1
    assert alone["axes_cosine"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"size": 40}, "size is 40"),
        ({"people": 1}, "people is 1; needed: 2"),
        ({"stimuli": 100}, "stimuli is 100; 50 coordinates need 165"),
        ({"rate": 0}, "rate, window, candidates are 0.0"),
        ({"normalize": "all"}, "normalize is 'all'; known: block"),
        ({"trials": "many"}, "trials is 'many'; needed: noisy trials"),
        ({"views": "perhaps"}, "views is 'perhaps'; needed: true or false"),
        ({"cells": 4.5}, "cells is 4.5"),
    ],
)
def test_wrong_use(tmp_path, kwargs, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out=tmp_path / "r", progress=False, **kwargs)


def test_every_layer_of_the_network_is_looked_at():
    assert list(FaceNet.layers) == LAYERS
    assert len({c.id for c in CLAIMS}) == len(CLAIMS)
