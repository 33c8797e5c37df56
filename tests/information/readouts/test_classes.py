"""Sums of squares within and between classes: far classes, networks and batches of other sizes, odd labels."""

import numpy as np
import pytest

from deeptheory.core.errors import InputError
from deeptheory.information import ClassStatistics

ROWS = np.random.default_rng(0).normal(size=(1, 40, 3))
LABELS = np.arange(40) % 2
NAMES = ("within", "between", "separation")


def within(rows, labels):
    """By the definition, class by class."""
    parts = [rows[labels == c] - rows[labels == c].mean(0) for c in np.unique(labels)]
    return sum((p**2).sum() for p in parts) / len(rows)


@pytest.mark.parametrize("far", [0.0, 1e3, 1e6, 1e9, 1e12])
def test_within_has_its_digits_however_far_the_classes_are(far):
    rows = ROWS + far * LABELS[None, :, None]
    got = ClassStatistics().summarize(rows, LABELS)["within"][0]
    assert got == pytest.approx(within(rows[0], LABELS), rel=max(1e-11, 1e-15 * far))  # the rounding of a difference


def test_a_first_sample_far_from_all_others_costs_no_digits():
    rows, labels = ROWS.copy(), np.r_[0, np.ones(39, dtype=int)]
    rows[0, 0] = 1e9
    assert ClassStatistics().summarize(rows, labels)["within"][0] == pytest.approx(within(rows[0], labels), rel=1e-6)


@pytest.mark.parametrize("scale", [1e-250, 1e-150, 1e150, 1e250])
def test_a_network_is_measured_in_its_own_unit(scale):
    both = ClassStatistics().summarize(np.concatenate([ROWS, scale * ROWS]), LABELS)
    alone = ClassStatistics().summarize(scale * ROWS, LABELS)
    for name in NAMES:
        assert both[name][1] == alone[name][0], name
    assert both["separation"][0] == pytest.approx(both["separation"][1], rel=1e-11)


@pytest.mark.parametrize(("first", "then"), [(0.0, 1e-200), (1.0, 1e160), (1e160, 1.0), (1e-200, 1e200)])
def test_batches_may_be_of_another_size_than_the_first(first, then):
    """A first batch of zeros, or one far smaller than the second, does not fix the unit for good."""
    rows = np.concatenate([first * ROWS[:, :10], then * ROWS[:, 10:]], axis=1)
    stream = ClassStatistics().start("layer")
    stream.update(rows[:, :10], LABELS[:10])
    stream.update(rows[:, 10:], LABELS[10:])
    unit = rows / np.abs(rows).max()
    assert stream.result()["separation"] == pytest.approx(ClassStatistics().summarize(unit, LABELS)["separation"])


def test_labels_of_several_kinds_and_of_no_label():
    mixed = np.array(["a", 1] * 20, dtype=object)
    got, want = (ClassStatistics().summarize(ROWS, y) for y in (mixed, LABELS))
    assert got == want
    missing = np.array(["a", None] * 20, dtype=object)
    for labels, said in ((missing, "20 of 40"), (np.where(LABELS, -100, 3), "-100")):
        with pytest.raises(InputError, match=said):
            ClassStatistics().summarize(ROWS, labels)


def test_memory_need_not_be_an_integer_and_a_pool_is_no_larger_than_the_layer():
    assert ClassStatistics(memory=24.5).summarize(ROWS, LABELS)["pool"][0] == 2
    assert ClassStatistics(memory=1).summarize(ROWS, LABELS)["pool"][0] == 3
