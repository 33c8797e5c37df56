"""Lin, Tegmark & Rolnick 2017 at a size that a test can wait for: same steps, same claims, few chains and samples."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.studies.lin_tegmark_rolnick_2017.claims import CLAIMS
from deeptheory.studies.lin_tegmark_rolnick_2017.steps import (
    BIASES,
    DATA,
    PARAMETERS,
    SHALLOW,
    TREES,
    _butterflies,
    _samples,
    _strassen,
)
from deeptheory.studies.units import seeds

NAME = "lin-tegmark-rolnick-2017"
SMALL = {"seeds": 4, "chains": 40, "samples": 2000, "field": 256}
REQUIRED = {
    *(f"gate-slope/{a}" for a in BIASES),
    *(f"gate-needs-4/{c}" for c in ("bias_free", "output_bias", "biases", "parity")),
    *(f"product-shallow/{n}" for n in SHALLOW),
    *(f"product-tree/{n}" for n in TREES),
    *(f"parameter-counts/{row}" for row in PARAMETERS),
    *(f"hamiltonian-low-degree/{d}" for d in DATA),
    *(f"softmax-is-bayes/{m}" for m in ("Gaussian", "Ising", "factor graph")),
    *(f"rg-exponent/{i}" for i in range(3)),
    *(f"no-flattening/{m}" for m in ("fft", "strassen", "low rank", "sparse")),
    "gate-rounding-floor", "text-4n-160", "depth-wins-precision", "bit-gate", "beta-rule", "beta-rule-corrected",
    "theorem-2", "partition-function-counterexample",
}  # fmt: skip


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    return dt.reproduce(NAME, out=tmp_path_factory.mktemp("study") / "r", progress=False, **SMALL)


def test_the_ledger_holds_every_required_claim(result):
    assert {c.id for c in result.claims} == {c.id for c in CLAIMS}
    assert {c.id for c in CLAIMS} >= REQUIRED
    left = [c.id for c in result.claims if c.verdict == "not run"]
    assert left == ["cosmology-costs"]  # sizes are no settings that anybody published: the rest is decided


def test_what_must_hold_holds(result):
    for entry in result.claims:
        if entry.id.startswith(("softmax", "gate-slope", "product", "parameter", "theorem", "corollary", "partition")):
            assert entry.verdict == "reproduced", entry
    assert result.claims["text-4n-160"].measured == 124
    assert result.claims["text-4n-160"].verdict == "contradicted"
    assert result.claims["gate-needs-4/bias_free"].verdict == "reproduced"
    assert result.claims["gate-needs-4/parity"].measured == 2
    assert result.claims["beta-rule"].measured == pytest.approx(999.0009990)
    assert result.claims["beta-rule"].verdict == "contradicted"
    assert result.claims["hamiltonian-low-degree/cubic"].verdict not in (
        "reproduced",
        "holds here",
    )  # the control fails, as it must
    assert result.claims["hamiltonian-low-degree/ising"].measured < 0.1


def test_the_factors_are_what_they_say():
    """Butterflies are the Fourier transform, Strassen's maps multiply by the fixed matrix."""
    n, product = 16, np.eye(16)
    for factor in _butterflies(n):
        product = factor @ product
    reversed_bits = [int(f"{i:04b}"[::-1], 2) for i in range(n)]
    np.testing.assert_allclose(product, np.fft.fft(np.eye(n))[:, reversed_bits], atol=1e-12)
    k, x = 2, np.random.default_rng(0).standard_normal((4, 4))
    place = np.array([[0, 1], [2, 3]])
    place = np.block([[place, place + 4], [place + 8, place + 12]])  # entry (r, c) of a matrix kept block by block
    fixed = np.random.default_rng(5).standard_normal(16)
    y = np.empty(16)
    y[place.ravel()] = x.ravel()
    for factor in _strassen(k, np.random.default_rng(5)):
        y = factor @ y
    np.testing.assert_allclose(y[place], x @ fixed[place], atol=1e-12)


def test_parts_of_real_data_do_not_meet():
    settings = {"seed": 0, "seeds": 4, "samples": 1000}
    parts = [_samples("digits", s, settings) for s in seeds(settings, "seeds")]
    assert sum(map(len, parts)) == 1797 * 36
    assert set(np.unique(parts[0])) == {0, 1}


def test_the_page_and_its_figures(result):
    figures = {p.stem for p in (result.folder / "figures").glob("*.json")}
    assert figures == {"gates", "precision", "parameters", "degree", "classes", "flow", "flattening"}
    assert "Not the published settings" not in (result.folder / "report.html").read_text()
    assert len(result.figure("gates").data) == 6
    assert result.results["fields"]["exponent"].shape == (4, 3)


def test_changed_settings_decide_nothing(tmp_path):
    changed = dt.reproduce(NAME, out=tmp_path / "r", only="counts", couplings="0.1,1,4", progress=False, **SMALL)
    assert {c.verdict for c in changed.claims} <= {"not run", "measured, not judged"}
    assert "Not the published settings" in (changed.folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"seeds": 1}, "seeds is 1"),
        ({"chains": 0}, "chains is 0"),
        ({"chains": 1.5}, "chains is 1.5"),
        ({"samples": 10}, "samples is 10"),
        ({"field": 63}, "field is 63"),
        ({"couplings": "1,1"}, r"couplings is \[1.0, 1.0\]"),
        ({"k_max": 0}, "k_max is 0.0"),
    ],
)
def test_wrong_use(tmp_path, kwargs, match):
    with pytest.raises(InputError, match=match):
        dt.reproduce(NAME, out=tmp_path / "r", progress=False, **kwargs)
