"""The value against n: parts that are disjoint, ends, figures, and what is said of a value that still moves."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError


def pair(n=400, rho=0.8):
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)


def test_its_end_is_the_estimate_and_its_points_are_means_over_parts():
    seen = []

    def counting(x, y):
        seen.append(np.asarray(x).ravel())
        return dt.Estimate(value=float(len(x)), method="n")

    x, y = pair()
    got = dt.mutual_information(x, y, counting).convergence((0.25, 0.5), parts=3)
    assert got.n.tolist() == [100, 200, 400]
    assert got.value.tolist() == [100, 200, 400]
    assert got.parts.tolist() == [3, 2, 1]
    quarters = np.concatenate(seen[1:4])
    assert len(np.unique(quarters)) == 300  # disjoint
    assert got.change == 200


@pytest.mark.parametrize("unit", ["bits", "nats"])
def test_table_figure_and_unit(unit):
    estimate = dt.mutual_information(*pair(), "ksg", unit=unit)
    got = estimate.convergence()
    assert got.table()["n"].tolist() == [25, 50, 100, 200, 400]
    assert got.value[-1] == estimate.value
    assert (got.low[-1], got.high[-1]) == (estimate.low, estimate.high)
    assert got.unit == unit
    assert list(got.figure().data[0].x) == got.n.tolist()
    assert "Convergence(" in repr(got)
    bits = dt.mutual_information(*pair(), "ksg").convergence().value
    assert got.value == pytest.approx(bits * (np.log(2) if unit == "nats" else 1))


def test_a_value_that_still_moves_is_noted():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 40, (2, 400))
    moving = dt.mutual_information(x, y, lambda x, y: dt.Estimate(value=1 / len(x), low=0, high=1e-9, method="m"))
    assert "the bias is not settled" in " ".join(moving.convergence().notes)
    assert dt.mutual_information(*pair(), "gaussian").convergence().notes == ()


def test_groups_stay_whole_and_series_stay_stretches():
    rows = []

    def watching(x, y):
        rows.append(np.asarray(x).ravel().astype(int))
        return dt.Estimate(value=0.0, method="m")

    x = np.arange(400)
    y = np.random.default_rng(0).normal(size=400)
    dt.mutual_information(x, y, watching, groups=x // 10).convergence((0.25,))
    part = rows[-1]
    assert len(part) == 100
    assert all(np.bincount(part // 10)[g] == 10 for g in np.unique(part // 10))
    dt.mutual_information(x, y, watching, block=20).convergence((0.25,))
    assert (np.diff(rows[-1]) == 1).all()


def test_fractions_too_small_for_the_estimator_are_left_out():
    got = dt.mutual_information(*pair(60), "ksg").convergence((0.02, 0.5))
    assert got.n.tolist() == [30, 60]
    assert "left out" in got.notes[0]
    with pytest.raises(InputError, match="no fraction of 60 rows leaves as many"):
        dt.mutual_information(*pair(60), "ksg").convergence((0.02,))


@pytest.mark.parametrize("fractions", [0.5, (), (0,), (1,), (2,), (True,), ("a",), None])
def test_wrong_fractions(fractions):
    with pytest.raises(InputError, match="needed: numbers between 0 and 1"):
        dt.mutual_information(*pair(60), "ksg").convergence(fractions)


def test_pandas_rows():
    import pandas as pd

    x, y = pair(200)
    frame = pd.DataFrame({"x": x, "y": y}, index=np.arange(200) + 7)
    got = dt.mutual_information(frame["x"], frame["y"], "ksg").convergence()
    assert got.value == pytest.approx(dt.mutual_information(x, y, "ksg").convergence().value)
