"""Degenerate input: dropped and counted, or refused with the value seen and the mend."""

import numpy as np
import pytest

from deeptheory.axis import axis_code, simulate
from deeptheory.core.errors import InputError

RNG = np.random.default_rng(0)
Y, S = RNG.standard_normal((80, 4)), RNG.standard_normal((80, 5))


def call(y=Y, s=S, **options):
    return axis_code(y, s, **{"folds": 4, "permutations": 5, **options})


INFINITE = np.where(np.arange(80)[:, None] == 3, np.inf, Y)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"y": Y[:, 0]}, r"responses have shape \[80\]; needed: \[n, units\] or"),
        ({"s": S[:70]}, r"features have shape \[70, 5\], responses 80 stimuli"),
        ({"y": INFINITE}, "responses hold infinities"),
        (
            {"s": np.where(np.arange(80)[:, None] == 3, np.nan, S)},
            "features hold NaN or infinities in 1 of 80 rows, the first 3",
        ),
        ({"y": np.ones((80, 3))}, "none of the 3 units varies"),
        ({"s": np.ones((80, 5))}, "none of the 5 features varies"),
        ({"y": np.full((80, 3), np.nan)}, "all 240 responses are NaN"),
        (
            {"y": np.where(np.arange(80)[:, None] % 3, np.nan, Y)},
            "every unit lacks more than half of the 80 stimuli",
        ),
        ({"y": Y * 1e160}, "whose square is no float64"),
        ({"s": S * 1e-170}, "features reach .*whose square is no float64"),
        ({"groups": np.zeros(80)}, "one label for all 80 rows"),
        ({"groups": np.zeros(79)}, r"groups have shape \[79\]; needed: \[80\]"),
        ({"groups": np.full(80, np.nan)}, "groups hold NaN in 80 of 80 rows"),
        (
            {"y": np.tile(Y[:40], (2, 1)), "s": np.tile(S[:40], (2, 1))},
            "80 of 80 rows repeat the features of another row.*groups=",
        ),
        ({"reliability": [0.5, 0.5]}, r"reliability has shape \[2\]"),
        ({"normalize": "blok"}, "unknown normalisation 'blok'; did you mean block"),
        ({"blocks": {"a": slice(0, 3), "b": [2, 3]}}, "blocks a, b overlap"),
        ({"blocks": {"a": [5]}}, r"block 'a' holds \[.*5.*\] of 5 features"),
        ({"blocks": {"a": slice(2, 2)}}, "block 'a' holds"),
        ({"blocks": {}}, r"blocks \(none\) overlap or are empty"),
        ({"folds": 1}, "folds is 1; needed: a whole number, at least 2"),
        ({"folds": 60}, "80 stimuli in 60 folds"),
        ({"y": Y[:20], "s": S[:20]}, r"20 stimuli for 5 features: the models have 9 parameters and need 27"),
        ({"y": Y[:2], "s": S[:2], "folds": 2}, "2 stimuli are left of 2"),
    ],
)
def test_wrong_use_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        call(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"code": "axes"}, "unknown code 'axes'; did you mean axis"),
        ({"code": {"axis": 0.5}}, "shares are"),
        ({"reliability": 1.0}, "reliability is 1.0"),
        ({"noise": "white"}, "unknown noise"),
        ({"sign": "up"}, "unknown sign"),
        ({"units": 0}, "units is 0; needed: a whole number, at least 1"),
        ({"variances": [1.0, 2.0]}, r"variances have shape \[2\], d is 50"),
        ({"variances": "wide"}, "unknown variances"),
    ],
)
def test_a_simulation_of_nothing_is_refused(wrong, message):
    with pytest.raises(InputError, match=message):
        simulate(**wrong)


def test_what_is_not_there_is_said():
    code = call(models=False)
    assert code.models is None
    with pytest.raises(InputError, match="models were not compared"):
        code.verdict
    with pytest.raises(InputError, match="unknown figure 'fig'"):
        code.figure("fig")
    with pytest.raises(InputError, match="n is 1; needed: whole numbers, at least 2"):
        code.identification(1)
    with pytest.raises(InputError, match="numbers of units run from 4 to 9"):
        code.identification(5, units=[9])
    with pytest.raises(InputError, match="unknown model 'axes'"):
        call().models.of("axes")


def test_dead_units_and_lost_trials_are_left_out_and_counted():
    y = np.repeat(Y[:, None], 3, 1) + RNG.standard_normal((80, 3, 4))
    y[:, :, 2] = 5.0
    y[4, 1, 0] = y[7, :, 1] = np.nan
    code = call(y)
    assert code.units.tolist() == [0, 1, 3]
    assert (code.dead, code.stimuli) == (1, 79)
    said = "; ".join(code.notes)
    assert "4 of 960 trials hold NaN" in said
    assert "1 of 80 stimuli have no trial" in said
    assert "1 of 4 units never vary" in said
    assert np.isfinite(code.reliability).all()


def test_constant_and_collinear_features_are_counted_and_nothing_else_changes():
    plain = call(models=False)
    wide = np.column_stack([S, np.full(80, 3.0), S[:, 0] + S[:, 1]])
    code = call(s=wide, normalize="none")
    said = "; ".join(code.notes)
    assert "1 of 7 features are constant" in said
    assert "collinear: they span 5 of the 7" in said
    assert np.isnan(code.decoding.explained[5])
    assert (code.axes.sta[:, 5] == 0).all()
    s = wide - wide.mean(0)
    np.testing.assert_allclose(
        s @ code.axes.whitened.T,
        (S - S.mean(0)) @ call(normalize="none", models=False).axes.whitened.T,
        atol=1e-9,
    )
    assert plain.notes == ()


def test_more_units_than_stimuli_are_decoded_by_ridge():
    sim = simulate("axis", n=120, d=4, units=200, seed=0)
    code = axis_code(sim.responses, sim.features, folds=4, permutations=0)
    assert code.decoding.ridge
    assert "200 units for 120 stimuli" in code.decoding.notes[0]
    assert code.decoding.explained.mean() > 0.5
    assert np.isnan(code.ramp.p).all()


def test_fewer_stimuli_than_features_test_no_flatness_and_say_so():
    rng = np.random.default_rng(1)
    code = axis_code(
        rng.standard_normal((40, 5)), rng.standard_normal((40, 60)), folds=4, permutations=20, models=False
    )
    said = "; ".join(code.notes)
    assert "flatness cannot be tested: 40 independent stimuli, 60 features of rank 39" in said
    assert "far from Gaussian" not in said  # 40 Gaussian stimuli look heavy along some of 39 directions
    assert not code.flatness.flat.any()
    assert np.isnan(code.flatness.along).all()
    assert (code.axes.explained < 0.1).all()
    assert (code.decoding.explained < 0.3).all()


def test_a_unit_is_measured_on_its_own_stimuli_as_if_it_were_alone():
    sim = simulate("axis", n=160, d=3, units=5, seed=2)
    y = np.repeat(sim.responses[:, None], 2, 1) + RNG.standard_normal((160, 2, 5))
    y[:30, :, 1] = np.nan
    y[100:, :, 3] = np.nan
    y[:, 1, 4] = y[:120, 0, 2] = np.nan
    y[:120, 1, 2] = np.nan  # more than half
    code = call(y, sim.features, normalize="none")
    said = "; ".join(code.notes)
    assert code.units.tolist() == [0, 1, 3, 4]
    assert code.stimuli == 160
    assert "1 unit of 5 lack more than half" in said
    assert "units saw different stimuli (70 of 160 were shown to all)" in said
    for k, rows in ((1, slice(30, None)), (3, slice(0, 100))):
        alone = call(y[rows][:, :, [k]], sim.features[rows], normalize="none")
        at = code.units.tolist().index(k)
        np.testing.assert_allclose(code.axes.whitened[at], alone.axes.whitened[0], rtol=1e-9)
        np.testing.assert_allclose(code.models.r2[:, at], alone.models.r2[:, 0], atol=1e-5)
        np.testing.assert_allclose(code.flatness.p[at], alone.flatness.p[0], rtol=1e-6)
        assert code.verdict[at] == alone.verdict[0]
        assert code.ramp.p[at] == alone.ramp.p[0]
    assert code.decoding.explained.shape == (3,)
    assert len(code.table()) == 4


def test_many_units_that_each_lack_a_few_stimuli_lose_none():
    y = RNG.standard_normal((200, 28))
    for k in range(28):
        y[RNG.choice(200, 18, replace=False), k] = np.nan
    code = axis_code(y, RNG.standard_normal((200, 3)), models=False, permutations=5)
    assert (len(code.units), code.stimuli) == (28, 200)
