"""Rolnick & Tegmark 2018 at a size that a test can wait for: same steps, same claims, few networks."""

import math

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.studies.rolnick_tegmark_2018.claims import CLAIMS, deep_bound, frontier, separation
from deeptheory.studies.rolnick_tegmark_2018.steps import MONOMIALS, TABLE, named, shapes

NAME = "rolnick-tegmark-2018"
SMALL = {"networks": 4, "steps": 300, "depths": "1,2", "widths": "2,8", "wide": 16}
REQUIRED = {
    *(f"shallow-count/{named(m)}" for m in MONOMIALS),
    *(f"deep-count/{named(m)}" for m in MONOMIALS),
    *(f"depth-k-table/{n}, {k}" for n, depths in TABLE.items() for k in depths),
    *(f"fig2-frontier/{n}" for n in (4, 8, 20)),
    "sum-of-monomials", "univariate-count", "optimal-groups", "taylor-versus-uniform-gap", "bounded-degree-no-gap",
    "two-thin-beat-one-wide",
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return dt.reproduce(NAME, out=tmp_path_factory.mktemp("study") / "r", progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim(result):
    assert {c.id for c in result.claims} == {c.id for c in CLAIMS}
    assert {c.id for c in CLAIMS} >= REQUIRED
    for entry in result.claims:
        valued = entry.measured is not None
        assert entry.verdict in (("measured, not judged",) if valued else ("not run", "inconclusive"))  # other steps
        assert "not the published settings" in entry.note or entry.measured is None


def test_counts_are_the_theorems(result):
    for m in MONOMIALS:
        expected = math.prod(r + 1 for r in m)
        assert result.claims[f"shallow-count/{named(m)}"].measured == expected
        assert result.claims[f"deep-count/{named(m)}"].measured <= deep_bound(m)
    assert result.claims["depth-k-table/32, 4"].measured == 124
    assert result.claims["univariate-count"].measured == 0
    assert result.claims["bounded-degree-no-gap"].measured <= 1  # arithmetic: a test, no verdict
    assert result.claims["finite-limit"].measured == 1
    assert result.claims["finite-limit-not-for-relu"].measured > 1
    assert "cannot hold for one variable" in result.claims["only-top-coefficient"].note


def test_certificates_hold(result):
    built = result.results["built"]
    assert (built["error"] <= built["certificate"]).all()
    assert (built["certificate"] <= 1e-2).all()


def test_trained_shapes(result):
    data = result.results["trained"]
    assert data["shape"].values.tolist() == ["1x2", "1x8", "2x2", "2x8", "1x16"]
    assert data["in_grid"].values.tolist() == [True, True, True, True, False]
    assert data["error"].shape == (4, 5)
    assert (data["error"] < 1.3).all()
    assert float(data["error"].sel(shape="1x8").mean()) < float(data["error"].sel(shape="1x2").mean())
    assert result.claims["fig2-frontier/8"].note.startswith("this scale multiplies another number")
    assert result.claims["two-thin-beat-one-wide"].note == "this run has no network of one layer of 512"


def test_separation_is_an_area_under_a_curve():
    depth, width = np.array([1, 1, 2, 2]), np.array([4, 64, 4, 32])
    assert separation(4, depth, width, np.array([0.9, 0.1, 0.8, 0.1])) == 1
    assert separation(4, depth, width, np.array([0.1, 0.9, 0.1, 0.9])) == 0
    assert separation(4, np.array([1, 1]), np.array([8, 8]), np.array([0.1, 0.9])) == 0.5
    assert math.isnan(separation(4, depth, width, np.full(4, 0.5)))
    assert frontier(4, 1) == 16
    assert frontier(4, 2) == 8


def test_the_page_and_its_figures(result):
    figures = {p.stem for p in (result.folder / "figures").glob("*.json")}
    assert figures == {"neurons", "groups", "monomials", "learned", "against-neurons"}
    page = (result.folder / "report.html").read_text()
    assert "Not the published settings" in page
    assert result.figure("learned").data[0].z is not None


@pytest.mark.slow
def test_engines_agree(result, tmp_path):
    other = dt.reproduce(NAME, out=tmp_path / "p", engine="processes", jobs=2, only="trained", progress=False, **SMALL)
    assert other.results["trained"].identical(result.results["trained"])


def test_the_papers_optimizer_runs(tmp_path):
    few = {**SMALL, "networks": 2, "steps": 60, "depths": [1], "widths": [4]}
    result = dt.reproduce(NAME, out=tmp_path / "r", protocol="paper", only="trained", progress=False, **few)
    assert np.isfinite(result.results["trained"]["error"]).all()


def test_shapes():
    assert shapes({"depths": [1], "widths": [8], "wide": 512, "n": 4}) == [[1, 8], [1, 512], [2, 8]]
    assert shapes({"depths": [1, 2], "widths": [8], "wide": 512, "n": 8}) == [[1, 8], [2, 8]]


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"n": 0}, "n is 0"),
        ({"steps": 1.5}, "steps is 1.5"),
        ({"widths": "0,2"}, r"widths is \[0, 2\]"),
        ({"depths": ""}, "depths is ''"),
        ({"optimizer": "rmsprop"}, "unknown optimizer 'rmsprop'"),
        ({"activation": "gelu"}, "unknown activation 'gelu'"),
    ],
)
def test_wrong_use(tmp_path, kwargs, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out=tmp_path / "r", progress=False, **kwargs)
