"""The specification in full, measured by the script that writes the tables of the docs; the slow tests ask for every
target of theirs.

Targets are those of the specification. What falls short of one is not eased here: it is in MISSED, with the reason in
the docs.
"""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

_AT = Path(__file__).parents[3] / "docs" / "make_axis_tables.py"
_SPEC = spec_from_file_location("make_axis_tables", _AT)
tables = module_from_spec(_SPEC)
_SPEC.loader.exec_module(tables)
MISSED = {"norm x direction, reliability 0.5"}  # docs/what_axis_tests_tell.md says why


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("part", "units"),
    [
        ("told_apart", 100),
        ("few_stimuli", 100),
        ("norm_by_direction", 60),
        ("mixture", 100),
        ("false_alarms", 1000),
        ("restarts", 4),
    ],
)
def test_targets_are_met(part, units):
    rows = list(getattr(tables, part)(units))
    assert [r.markdown() for r in rows if not r.met and r.cells not in MISSED] == []


def test_a_row_is_met_on_the_side_that_was_asked_for():
    row = tables.Row("axis", "2,000", "called axis", 99, 100, 0.99)
    assert row.met
    assert row.markdown() == "| axis | 2,000 | called axis | 99.0% [94.6%, 100.0%] | 100 | at least 99.0% | yes |"
    assert not tables.Row("none", "1,000", "p < .05", 8, 100, 0.07, at_most=True).met
    assert tables.Row("axis", "400", "called axis", 1, 100, None).met


def test_separation_is_the_area_on_the_larger_side():
    a, b = np.array([3.0, 4.0]), np.array([1.0, 2.0])
    assert tables.separation(a, b) == tables.separation(b, a) == 1
    assert tables.separation(a, a) == 0.5
    assert tables.separation(np.array([1.0, 3.0]), np.array([2.0])) == 0.5


def test_a_table_is_put_between_its_marks_and_nothing_else_changes():
    page = "a\n<!-- fit: made by docs/make_axis_tables.py -->\nold\n<!-- /fit -->\nb\n"
    new = tables.placed(page, "fit", "| t |\n")
    assert new == page.replace("old\n", "\n| t |\n\n")
    assert tables.placed(new, "fit", "| t |\n") == new
    with pytest.raises(ValueError, match="the page has no marks for power"):
        tables.placed(page, "power", "")


def test_a_mixtures_share_may_be_five_points_off(monkeypatch):
    from deeptheory.axis import Power

    counts = {"axis": {"axis": 35}, "exemplar": {"exemplar": 31}, "energy": {"energy": 20}, "none": {"none": 14}}
    options = {"n": 1, "d": 1, "reliability": 0.9, "variances": "isotropic", "controversial": 0, "seed": 0}
    full = {c: {v: k.get(v, 0) for v in tables.MIXTURE} for c, k in counts.items()}
    monkeypatch.setattr(tables, "asked", lambda *a, **k: Power(counts=full, **options))
    rows = {r.cells: r.met for r in tables.mixture(100)}
    assert rows == {
        "mixture, 40% axis": True,
        "mixture, 25% exemplar": False,
        "mixture, 20% energy": True,
        "mixture, 15% none": True,
    }


def test_what_was_counted_is_kept_and_not_measured_again(monkeypatch, tmp_path):
    monkeypatch.setattr(tables, "KEEP", [tmp_path / "kept.json"])
    options = {"d": 3, "units": 3, "reliability": 0.8, "seed": 1, "folds": 2, "permutations": 10}
    first = tables.asked("axis", 60, **options)
    monkeypatch.setattr(tables, "verdict_power", None)
    again = tables.asked("axis", 60, **{k: options[k] for k in options})
    assert again.counts == first.counts
    assert (again.n, again.d, again.reliability) == (60, 3, 0.8)
