"""Cells of a known code are the specification: what the bench says of them, and how often it is wrong."""

import numpy as np
import pytest

from deeptheory.axis import axis_code, simulate, verdict_power
from deeptheory.core.errors import InputError


def said(code, n=2000, reliability=0.9, variances="isotropic", units=8, seed=11, **options):
    sim = simulate(code, n=n, units=units, reliability=reliability, variances=variances, seed=seed, **options)
    return axis_code(sim.responses, sim.features, normalize="none", permutations=100, folds=3)


@pytest.mark.parametrize("variances", [pytest.param("isotropic", marks=pytest.mark.slow), "paper"])
@pytest.mark.parametrize(
    ("code", "expected"),
    [("axis", "axis"), ("exemplar", "exemplar"), ("norm x direction", "undetermined"), ("energy", "energy")],
)
def test_each_code_is_named(code, expected, variances):
    found = said(code, variances=variances)
    assert (found.verdict == expected).mean() >= 0.87  # 7 of 8


def test_cells_without_a_code_are_none_and_false_alarms_are_nominal():
    found = said("none", n=600, units=60)
    assert (found.verdict == "none").mean() >= 0.88  # 5 % nominal, and 2 standard errors of 60 cells
    assert (found.ramp.p < 0.05).mean() <= 0.15
    assert found.ramp.tuned.mean() <= 0.05
    assert (found.flatness.p < 0.05).mean() <= 0.15
    assert (found.preference.tuned_dimensions == 0).mean() >= 0.85


def test_few_noisy_stimuli_make_it_unsure_and_not_wrong():
    axis, exemplar = (said(code, n=400, reliability=0.5, units=24) for code in ("axis", "exemplar"))
    assert np.isin(axis.verdict, ["axis", "undetermined"]).mean() >= 0.95
    assert np.isin(exemplar.verdict, ["exemplar", "undetermined"]).mean() >= 0.95


def test_the_fitted_exemplar_and_axis_are_the_true_ones():
    sim = simulate({"axis": 0.5, "exemplar": 0.5}, n=1500, d=12, units=12, seed=4)
    found = axis_code(sim.responses, sim.features, normalize="none", permutations=20, folds=4).models
    center = sim.features.mean(0)
    for k, kind in enumerate(sim.codes):
        true = sim.targets[k] - (center if kind == "exemplar" else 0)
        got = found.target[k] if kind == "exemplar" else found.axis[k]
        assert abs(np.dot(true, got)) / np.linalg.norm(true) / np.linalg.norm(got) > 0.97
        if kind == "exemplar":
            assert np.linalg.norm(got) == pytest.approx(np.linalg.norm(true), rel=0.15)


def test_power_counts_verdicts_and_says_how_sure_the_share_is():
    from scipy.stats import binomtest

    found = verdict_power({"axis": 0.5, "energy": 0.5}, n=600, d=6, units=8, folds=3, permutations=40)
    assert (found.cells("axis"), found.cells("energy")) == (4, 4)
    assert found.share("axis", "axis", "undetermined")[0] + found.wrong("axis")[0] == 1
    assert found.share("energy")[0] == 1
    assert found.table().set_index("code").loc["energy", "energy"] == 4
    assert "energy 1.000" in repr(found)
    exact = binomtest(4, 4).proportion_ci(method="exact")
    np.testing.assert_allclose(found.share("energy")[1:], [exact.low, exact.high], atol=1e-9)


def test_power_shows_the_cells_stimuli_of_the_benchs_own_making():
    found = verdict_power("norm x direction", n=600, d=8, units=5, folds=3, permutations=40, controversial=60)
    assert found.share("norm x direction")[0] == 1
    with pytest.raises(InputError, match="controversial is -1; needed"):
        verdict_power(controversial=-1)


def test_the_number_of_threads_changes_no_bit():
    import torch

    sim = simulate({"axis": 0.5, "exemplar": 0.5}, n=200, d=5, units=6, seed=1)
    one, two = [], []
    for threads, out in ((1, one), (2, two)):
        torch.set_num_threads(threads)
        try:
            code = axis_code(sim.responses, sim.features, folds=4, permutations=10)
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(1)
        out += [code.models.r2, code.models.axis, code.flatness.share, code.decoding.predicted]
    for a, b in zip(one, two):
        np.testing.assert_array_equal(a, b)
