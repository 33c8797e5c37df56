"""The study at a size that a test can wait for: same steps, same claims, few epochs."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.studies.tishby_zaslavsky_2015.claims import CLAIMS, distance_after

NAME = "tishby-zaslavsky-2015"
SMALL = {"networks": 4, "epochs": 20, "chunk": 2, "branches": 5}
REQUIRED = {
    "neuron-is-posterior", *(f"dpi-chain/layer{k}" for k in range(1, 6)), "critical-beta", "bound-above-layers",
    "slope-is-inverse-beta", "layers-after-bifurcations", "finite-sample-minimum-exists", "gaps",
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return dt.reproduce(NAME, out=tmp_path_factory.mktemp("study") / "r", progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim(result):
    assert {c.id for c in CLAIMS} >= REQUIRED
    assert {c.id for c in result.claims} == {c.id for c in CLAIMS}


def test_identities_hold_at_any_size(result):
    for name in ("neuron-is-posterior", "critical-beta", "slope-is-inverse-beta"):
        assert result.claims[name].verdict in ("reproduced", "holds here"), result.claims[name]
    for k in range(1, 6):
        assert result.claims[f"dpi-chain/layer{k}"].measured >= 0  # data processing inequality
    assert result.claims["bound-above-layers"].measured <= 1e-6
    for name in ("dpi-chain/layer1", "bound-above-layers"):  # theorems: no verdict
        assert result.claims[name].verdict == "measured, not judged"
    assert result.results["neuron"]["kept"].values == pytest.approx(np.ones(4), abs=1e-9)
    assert "jump" in result.claims["critical-beta"].note
    assert "R* = " in result.claims["finite-sample-minimum-exists"].note


def test_gaps_are_the_worse_of_two(result):
    end = result.results["layers"].isel(step=-1)
    worse = np.minimum(end["d_gap"], end["c_gap"]).mean()
    assert result.claims["gaps"].measured == pytest.approx(float(worse))
    assert result.claims["gaps/generalisation"].measured == pytest.approx(float(end["d_gap"].mean()))


def fake(betas, critical):
    import xarray as xr

    layers = xr.Dataset({"beta": (("seed", "step", "layer"), np.asarray(betas, dtype=float)[:, None])})
    bound = xr.Dataset({"critical": ("c", critical)}, attrs={"seed": 0})
    return {"layers": layers, "bound": bound}


def test_a_layer_after_a_bifurcation_counts_with_its_sign():
    found = distance_after(fake([[1.1, 11.0, 0.0], [0.9, 9.0, np.inf], [np.inf, 0.0, 0.0]], [1.0, 10.0]), -1)
    assert found[:2] == pytest.approx([np.log(1.1), np.log(0.9)])
    assert np.isnan(found[2])  # no layer with a finite beta


def test_the_page_is_whole(result):
    names = {p.stem for p in (result.folder / "figures").glob("*.json")}
    assert names == {"figure-2", "figure-2-near", "bifurcations", "chain", "criterion", "neuron", "slopes"}
    page = (result.folder / "report.html").read_text()
    assert "A figure is missing" not in page
    assert {t.name for t in result.figure("figure-2").data} >= {"bound", "(R*, D*)", "layers, mean of the networks"}


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"widths": "12,5"}, "needed: 12 inputs, one hidden layer"),
        ({"constant": -1}, "constant is -1"),
        ({"networks": 0}, "networks is 0"),
        ({"epochs": 1.5}, "epochs is 1.5"),
        ({"gamma": -2}, "gamma is -2"),
        ({"bits": 0}, "bits"),
    ],
)
def test_wrong_use(tmp_path, changes, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out=tmp_path / "r", progress=False, **changes)
