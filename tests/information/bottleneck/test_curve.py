"""A curve whose time ran out is a bound all the same."""

import numpy as np

import deeptheory as dt


def test_a_bound_is_a_number_where_time_ran_out():
    rows = np.random.default_rng(0).dirichlet(np.ones(30), 200) / 200
    curve = dt.bottleneck_curve(rows, seconds=0.02)
    assert any("stopped" in note for note in curve.notes)
    x = np.array([0.0, 0.1, 1.0, 20.0])
    bound = curve.bound(x)
    assert (bound >= np.minimum(curve.envelope(x), x) - 1e-9).all()
    assert (bound <= np.minimum(x, curve.i_xy) + 1e-9).all()
