"""What misleads in estimates of information, one rule a test; docs/which_number.md lists them all with their tests."""

import re
from pathlib import Path

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information import conditional_entropy

ROOT = Path(__file__).parents[2]
MI = dt.mutual_information


def walk(n=1000, seed=0):
    a = np.random.default_rng(seed).normal(size=n)
    for t in range(1, n):
        a[t] += 0.9 * a[t - 1]
    return a


@pytest.mark.parametrize("correct", [False, True, "nsb"])
def test_cells_of_one_sample_are_said(correct):
    rng = np.random.default_rng(0)
    many = MI(*rng.integers(0, 30, (2, 200)), "plugin", correct=correct)
    few = MI(*rng.integers(0, 3, (2, 200)), "plugin", correct=correct)
    assert any("a cell of their own" in note for note in many.notes)
    assert not any("a cell of their own" in note for note in few.notes)


@pytest.mark.parametrize(
    ("relative", "said"), [(False, "rescaled weights"), (True, "own deviation"), ("distance", "own distance")]
)
def test_noise_says_where_it_is_and_in_which_units(relative, said):
    rng = np.random.default_rng(0)
    plane = dt.information_plane(
        rng.normal(size=(1, 60, 3)), dt.GaussianNoise(0.5, relative=relative), targets=np.arange(60) % 2
    )
    (note,) = (note for note in plane.notes if "deterministic" in note)
    assert "added by the analysis, not in training" in note
    assert said in note


def test_a_difference_of_bounds_is_no_bound():
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    plane = dt.information_plane(rng.normal(size=(1, 80, 2)) + y[:, None], dt.GaussianNoise(0.3), targets=y)
    assert any("no bound itself" in note for note in plane.notes)
    assert plane.extra["i_y_lower"].item() <= plane.i_y.item() + 1e-12


def test_series_are_said_of_every_quantity():
    a, b, c = (walk(seed=k) for k in range(3))
    white = np.random.default_rng(9).normal(size=1000)
    cases = {
        "MI": (MI(a, b, "gaussian"), MI(white, b, "gaussian")),
        "CMI": (
            dt.conditional_mutual_information(a, b, c, method="gaussian"),
            dt.conditional_mutual_information(a[1:], b[1:], b[:-1], method="gaussian"),
        ),
        "H": (dt.entropy(a), dt.entropy(white)),
        "H given": (conditional_entropy(a, b, method="gaussian"), conditional_entropy(white, b, method="gaussian")),
    }
    for name, (series, rows) in cases.items():
        assert any("look like" in note and "block=" in note for note in series.notes), name
        assert not any("look like" in note for note in rows.notes), name
    assert not any("look like" in note for note in dt.entropy(a, block=40).notes)
    sorted_labels = np.sort(np.random.default_rng(0).integers(0, 4, 500))
    assert not any("look like" in note for note in dt.entropy(sorted_labels).notes)


@pytest.mark.parametrize("method", ["kde-bounds", "plugin", "gaussian", "auto"])
def test_pieces_keep_the_bracket_of_bounds(method):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 400))
    x, y = (np.int64(x > 0), np.int64(y > 0)) if method == "plugin" else (x, y)
    rows = MI(x, y, method)
    for pieces in ({"groups": np.arange(400) // 10}, {"block": 2}):
        got = MI(x, y, method, **pieces)
        assert got.low <= rows.low
        assert got.high >= rows.high
        assert got.value == rows.value
        assert "interval by" in got.method


@pytest.mark.parametrize(
    ("pieces", "said"),
    [
        ({"groups": np.arange(400) // 40}, "two groups; there are 10 groups"),
        ({"block": 5}, r"20 blocks \(1000 rows\)"),
    ],
)
def test_why_there_is_no_interval_is_said_and_p_remains(pieces, said):
    x, y = np.random.default_rng(0).normal(size=(2, 400))
    got = MI(x, y, "gaussian", permutations=9, **pieces)
    assert np.isnan(got.low)
    assert any(re.search(said, note) for note in got.notes)
    assert 0 < got.p <= 1


def test_an_infinite_batch_has_no_interval_and_says_so():
    x, y = np.random.default_rng(0).normal(size=(2, 400))

    def broken(a, b):
        return dt.Estimate(value=np.inf if len(a) < 400 else 1.0, method="m")

    by = MI(x, y, broken, groups=np.arange(400) // 4)
    assert np.isnan(by.low)
    assert any("one is inf" in note for note in by.notes)
    copy = MI(x, x, "gaussian", groups=np.arange(400) // 4)
    assert copy.value == copy.high == np.inf


@pytest.mark.parametrize("method", ["auto", "ksg", "mixed", "gaussian", "copula", "lnc", "kl", "wkl", "kde-bounds"])
def test_nats_are_bits_by_log_2(method):
    x, y = np.random.default_rng(0).normal(size=(2, 60))
    bits, nats = (MI(x, x + y, method, unit=u, permutations=3) for u in ("bits", "nats"))
    assert nats.value == pytest.approx(bits.value * np.log(2))
    assert nats.null_mean == pytest.approx(bits.null_mean * np.log(2))
    assert nats.p == bits.p


@pytest.mark.parametrize("name", ["hsic", "cka", "renyi", "sliced", "dcor", "mic", "dsmi"])
def test_other_quantities_are_named_as_such(name):
    with pytest.raises(InputError, match="another quantity"):
        MI([0.0, 1.0, 2.0], [0.0, 1.0, 2.0], name)


def test_nothing_says_that_compression_is_generalization():
    claim = re.compile(r"compression\s+(causes|means|implies|explains|is)\s+(better\s+)?generali[sz]", re.I)
    files = [*(ROOT / "src").rglob("*.py"), *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    assert len(files) > 100
    said = {f.name: m[0] for f in files if (m := claim.search(f.read_text(encoding="utf-8")))}
    assert not said
    assert claim.search("so compression explains generalization")


def test_signs_and_places_of_columns_beside_labels_do_not_matter():
    """Halves on which discriminants are learned went by the order of values: 1.88 to 1.93 bits of the same samples."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 6))
    label = np.digitize(x[:, 0] + x[:, 4], [-1, 0, 1])
    one = dt.mutual_information(x, label)
    assert "learned on the other half" in one.method
    signs = x * [1, -1, 1, 1, -1, 1]
    rows = rng.permutation(600)
    for a, b in ((-x, label), (signs, label), (x[:, ::-1], label), (signs[rows][:, rng.permutation(6)], label[rows])):
        got = dt.mutual_information(a, b)
        assert (got.value, got.low, got.high) == pytest.approx((one.value, one.low, one.high), abs=1e-9)
