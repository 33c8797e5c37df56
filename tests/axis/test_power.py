"""The specification in full: how often each verdict is right, at the sizes and reliabilities that the docs state."""

import numpy as np
import pytest

from deeptheory.axis import axis_code, simulate

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
UNITS = 100


def verdicts(code, **options):
    sim = simulate(code, units=UNITS, **{"n": 2000, "seed": 21, **options})
    return axis_code(sim.responses, sim.features, normalize="none", shuffles=200).verdict


@pytest.mark.parametrize("variances", ["isotropic", "paper"])
@pytest.mark.parametrize(("reliability", "right"), [(0.9, 0.99), (0.5, 0.95)])
@pytest.mark.parametrize("code", ["axis", "exemplar"])
def test_axis_and_exemplar_are_told_apart(code, reliability, right, variances):
    said = verdicts(code, reliability=reliability, variances=variances)
    assert (said == code).mean() >= right


@pytest.mark.parametrize("variances", ["isotropic", "paper"])
@pytest.mark.parametrize("code", ["axis", "exemplar"])
def test_few_noisy_stimuli_are_seldom_read_wrongly(code, variances):
    said = verdicts(code, n=400, reliability=0.5, variances=variances)
    assert np.isin(said, [code, "cannot tell"]).mean() >= 0.95


@pytest.mark.parametrize("variances", ["isotropic", "paper"])
@pytest.mark.parametrize("reliability", [0.9, 0.5])
def test_norm_by_direction_needs_controversial_stimuli(variances, reliability):
    sim = simulate("norm x direction", units=UNITS, reliability=reliability, variances=variances, seed=22)
    before = axis_code(sim.responses, sim.features, normalize="none", shuffles=200)
    x = before.controversial(200)
    after = axis_code(np.r_[sim.responses, sim.respond(x, 1)], np.r_[sim.features, x], normalize="none", shuffles=200)
    assert (before.verdict == "cannot tell").mean() >= 0.9
    assert (after.verdict == "norm x direction").mean() >= 0.9


def test_shares_of_a_mixture_are_right_to_five_points():
    shares = {"axis": 0.5, "exemplar": 0.25, "energy": 0.15, "none": 0.1}
    said = verdicts(shares)
    for name, share in shares.items():
        assert abs((said == name).mean() - share) <= 0.05


def test_false_alarms_over_a_thousand_cells():
    sim = simulate("none", n=1000, units=1000, seed=23)
    code = axis_code(sim.responses, sim.features, sim.blocks, shuffles=500)
    assert (code.ramp.p < 0.05).mean() <= 0.07
    assert (code.flatness.p < 0.05).mean() <= 0.07
    assert (code.flatness.p_single < 0.05).mean() <= 0.07
    assert (code.flatness.p_norm < 0.05).mean() <= 0.07
    assert (code.preference.p[:, 0] < 0.05).mean() <= 0.07
    assert (code.preference.tuned_dimensions > 0).mean() <= 0.07
    assert (code.verdict != "none").mean() <= 0.07


def test_the_exemplar_fit_is_as_good_as_two_hundred_restarts():
    from oracles.axis import exemplar

    sim = simulate({"exemplar": 0.5, "axis": 0.5}, n=500, d=10, units=4, reliability=0.7, seed=24)
    models = axis_code(sim.responses, sim.features, normalize="none", shuffles=10, folds=4).models
    s = sim.features - sim.features.mean(0)
    at = models.names.index("exemplar")
    for k in range(4):
        ours = 1 - np.exp((models.aic[at, k] - 2 * (10 + 4 + 1)) / len(s))  # aic = n log(error) + 2 (parameters + 1)
        assert ours >= exemplar(sim.responses[:, k], s, models.bound, 200, seed=k) - 0.005
