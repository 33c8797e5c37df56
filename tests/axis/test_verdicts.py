"""Cells of a known code are the specification: what the bench says of them, and how often it is wrong."""

import numpy as np
import pytest

from deeptheory.axis import axis_code, simulate


def said(code, n=2000, reliability=0.9, variances="isotropic", units=10, seed=11, **options):
    sim = simulate(code, n=n, units=units, reliability=reliability, variances=variances, seed=seed, **options)
    return axis_code(sim.responses, sim.features, normalize="none", shuffles=100, folds=3)


@pytest.mark.parametrize("variances", ["isotropic", "paper"])
@pytest.mark.parametrize(("code", "expected"), [("axis", "axis"), ("exemplar", "exemplar"), ("norm x direction", "cannot tell"), ("energy", "energy")])  # fmt: skip
def test_each_code_is_named(code, expected, variances):
    found = said(code, variances=variances)
    assert (found.verdict == expected).mean() >= 0.9


def test_cells_without_a_code_are_none_and_false_alarms_are_nominal():
    found = said("none", n=600, units=40)
    assert (found.verdict == "none").mean() >= 0.85  # 5 % nominal, 2 points, and 2 standard errors of 40 cells
    assert (found.ramp.p < 0.05).mean() <= 0.15
    assert found.ramp.tuned.mean() <= 0.05
    assert (found.flatness.p < 0.05).mean() <= 0.15
    assert (found.preference.tuned_dimensions == 0).mean() >= 0.85


def test_few_noisy_stimuli_make_it_unsure_and_not_wrong():
    axis, exemplar = (said(code, n=400, reliability=0.5, units=24) for code in ("axis", "exemplar"))
    assert np.isin(axis.verdict, ["axis", "cannot tell"]).mean() >= 0.95
    assert np.isin(exemplar.verdict, ["exemplar", "cannot tell"]).mean() >= 0.95


def test_the_fitted_exemplar_and_axis_are_the_true_ones():
    sim = simulate({"axis": 0.5, "exemplar": 0.5}, n=1500, d=12, units=12, seed=4)
    found = axis_code(sim.responses, sim.features, normalize="none", shuffles=20, folds=4).models
    centre = sim.features.mean(0)
    for k, kind in enumerate(sim.codes):
        true = sim.targets[k] - (centre if kind == "exemplar" else 0)
        got = found.target[k] if kind == "exemplar" else found.axis[k]
        assert abs(np.dot(true, got)) / np.linalg.norm(true) / np.linalg.norm(got) > 0.97
        if kind == "exemplar":
            assert np.linalg.norm(got) == pytest.approx(np.linalg.norm(true), rel=0.15)
