"""Linear maps of Gaussian inputs: closed forms against determinants, sampling, and each other;
bins even in net input."""

import numpy as np
import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.information import (
    LinearGaussian,
    linear_information,
    linear_label_information,
    noisy_neuron_information,
)


def draw(seed=0, units=3, inputs=6):
    rng = np.random.default_rng(seed)
    root = rng.standard_normal((inputs, inputs))
    return rng.standard_normal((units, inputs)), root @ root.T / inputs


def test_one_unit_is_half_log_one_plus_signal_to_noise():
    assert linear_information([[3.0]], 2.0, [[1.0]]) == pytest.approx(0.5 * np.log2(1 + 9 / 4))
    assert linear_information([[3.0, 4.0]], 1.0) == pytest.approx(0.5 * np.log2(1 + 25 / 2))  # inputs of variance 1/2


def test_against_determinants_and_over_leading_axes():
    w, cov = draw()
    t = w @ cov @ w.T + 0.25 * np.eye(3)
    exact = 0.5 * np.log2(np.linalg.det(t) / 0.25**3)
    assert linear_information(w, 0.5, cov) == pytest.approx(exact)
    assert linear_information(np.stack([w, 2 * w])[None], 0.5, cov).shape == (1, 2)


def test_parts_of_the_input():
    w, _ = draw()
    whole, first, rest = (linear_information(w, 0.5, rows=r) for r in (range(6), range(2), range(2, 6)))
    assert whole == pytest.approx(linear_information(w, 0.5))
    assert first + rest < whole  # chain rule: I(X1;T) + I(X2;T|X1) = I(X;T), and I(X2;T|X1) > I(X2;T) here
    given = w[:, 2:] @ w[:, 2:].T / 6 + 0.25 * np.eye(3)
    total = w @ w.T / 6 + 0.25 * np.eye(3)
    assert first == pytest.approx(0.5 * np.log2(np.linalg.det(total) / np.linalg.det(given)))
    blocks = np.kron(np.eye(2), draw()[1][:3, :3])
    assert linear_information(w, 0.5, blocks, rows=[0, 1, 2]) > 0


def test_label_information_against_the_joint_covariance():
    w, cov = draw()
    v = np.random.default_rng(1).standard_normal((2, 6))
    t, y = w @ cov @ w.T + 0.25 * np.eye(3), v @ cov @ v.T + 0.09 * np.eye(2)
    cross = w @ cov @ v.T
    joint = np.block([[t, cross], [cross.T, y]])
    exact = 0.5 * np.log2(np.linalg.det(t) * np.linalg.det(y) / np.linalg.det(joint))
    got = linear_label_information(w, 0.5, v, label_sigma=0.3, cov_x=cov)
    assert got == pytest.approx(exact)
    assert got <= linear_information(v, 0.3, cov)  # data processing: T and Y meet in X alone
    assert linear_label_information(np.stack([w, w]), 0.5, v, label_sigma=0.3, cov_x=cov) == pytest.approx(
        [exact, exact]
    )


def test_estimators_find_the_closed_form():
    rng = np.random.default_rng(0)
    w = rng.standard_normal((1, 20))
    x = rng.standard_normal((3000, 20)) / np.sqrt(20)
    signal = x @ w.T
    t = signal + 0.5 * rng.standard_normal(signal.shape)
    exact = float(linear_information(w, 0.5))
    for method in ("ksg", "gaussian"):
        got = dt.mutual_information(signal, t, method)  # W X is all that T knows of X
        assert got.low <= exact <= got.high


def test_the_read_out_sees_the_maps_of_a_linear_network():
    nets = dt.networks.Population.mlp([6, 4, 2], "linear", seeds=range(3), head="linear")
    probe = LinearGaussian.probe(6)
    readout = LinearGaussian(0.7, relevant=2)
    recorder = dt.Recorder(nets, probe, np.zeros(7), layers="layer*", readouts=readout)
    recorder.snapshot(0)
    got = recorder.recording.summary(readout)
    (first, _), (second, _) = nets.parts()
    through = (second @ first).detach().double().numpy()
    assert got["i_x"].sel(layer="layer2").values[:, 0] == pytest.approx(linear_information(through, 0.7), abs=1e-5)
    relevant = linear_information(first.detach().double().numpy(), 0.7, rows=[0, 1])
    assert got["i_x_relevant"].sel(layer="layer1").values[:, 0] == pytest.approx(relevant, abs=1e-5)
    assert set(LinearGaussian(1.0).summarize(np.zeros((1, 7, 2)))) == {"i_x"}


def test_bins_even_in_net_input_do_not_merge_what_saturates():
    z = np.linspace(-12, 12, 481)[None, :, None]
    h, y = np.tanh(z), np.arange(481) % 2
    even, inner = dt.Binning(30, (-1, 1)), dt.Binning.net_input(60, reach=15)
    assert inner.n == 60
    direct = dt.Binning(60, (-15, 15)).summarize(z, y)["i_x"]
    assert inner.summarize(h, y)["i_x"] == pytest.approx(direct, abs=0.01)
    assert even.summarize(h, y)["i_x"] < inner.summarize(h, y)["i_x"] - 1
    assert dt.Binning.net_input(30).n < 30  # edges that fall together in float64 are one
    for name, ends in (("softsign", (-1, 1)), ("sigmoid", (0, 1))):
        assert dt.Binning.net_input(8, name).bounds == ends


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: linear_information([1.0], 1), "weight has shape"),
        (lambda: linear_information([[np.nan]], 1), "weight holds 1 values"),
        (lambda: linear_information([[1.0]], 0), "without sigma"),
        (lambda: linear_information([[1.0, 2.0]], 1, [[1.0]]), "cov_x has shape"),
        (lambda: linear_information([[1.0, 2.0]], 1, [[1, 2], [2, 1]]), "at variance 1, has the eigenvalue -1"),
        (lambda: linear_information([[1.0, 2.0]], 1, [[1, 0.5], [0.5, 1]], rows=[0]), "correlated with the others"),
        (lambda: linear_label_information([[1.0]], 1, [[1.0, 2.0]], label_sigma=1), "teacher has shape"),
        (lambda: linear_information([[1.0, 2.0]], 1, rows=[2]), "rows hold 2; the 2 inputs"),
        (lambda: linear_information([[1.0, 2.0]], 1, rows=[-1]), "rows is .*needed: integers, at least 0"),
        (lambda: linear_information([[1.0, 2.0]], 1, rows=[0.5]), "rows is .*needed: integers"),
        (lambda: linear_label_information([[1.0]], 1, [[1.0]], label_sigma=0), "both must be above 0"),
        (lambda: linear_label_information([1.0], 1, [[1.0]], label_sigma=1), r"weight has shape \[1\]"),
        (lambda: linear_label_information([[np.nan]], 1, [[1.0]], label_sigma=1), "weight holds 1 values that are NaN"),
        (lambda: linear_label_information([[1.0]], 1, [[np.nan]], label_sigma=1), "teacher holds 1 values"),
        (lambda: noisy_neuron_information(np.nan, [-1.0, 1.0], 0.1), "weight holds 1 values"),
        (lambda: noisy_neuron_information(1.0, [-1.0, np.nan], 0.1), "points holds 1 values"),
        (lambda: LinearGaussian.maps(np.zeros((2, 3))), "activations have shape"),
        (lambda: dt.Binning.net_input(30, "relu"), "unknown bounded activation 'relu'"),
        (lambda: dt.Binning.net_input(30, reach=-1), "reach is -1"),
        (lambda: dt.Binning.net_input(0), "n is 0"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_no_rows_are_told_nothing_of():
    assert linear_information([[1.0, 2.0]], 1.0, rows=[]) == 0
    mask = linear_information([[1.0, 2.0]], 1.0, rows=[True, False])
    assert mask == linear_information([[1.0, 2.0]], 1.0, rows=[0]) > 0


UNITS = [[1, 1, 1], [1e7, 1, 1], [1e-12, 1, 1e9], [1, 1e-100, 1e100]]


@pytest.mark.parametrize("units", UNITS)
def test_units_of_the_inputs_do_not_matter(units):
    """Inputs in other units, weights in theirs: the same T."""
    u = np.array(units)
    w = np.random.default_rng(0).standard_normal((4, 3))
    cov = np.array([[2.0, 0, 0], [0, 1, 0.9], [0, 0.9, 1]])
    near, far = (cov, w), (cov * u * u[:, None], w / u)
    teacher = np.ones((1, 3))
    for rows in (None, [0], [1, 2]):
        a, b = (linear_information(v, 0.3, c, rows=rows) for c, v in (near, far))
        assert b == pytest.approx(a, rel=1e-9)
    a, b = (
        linear_label_information(v, 0.3, t, label_sigma=0.5, cov_x=c)
        for c, v, t in ((cov, w, teacher), (far[0], far[1], teacher / u))
    )
    assert b == pytest.approx(a, rel=1e-9)


@pytest.mark.parametrize("units", UNITS)
def test_what_is_wrong_with_a_covariance_is_seen_in_any_units(units):
    """Beside a variance of 1e14 a correlation of .9 and an eigenvalue of -1 were taken for rounding."""
    u = np.array(units)
    w = np.ones((2, 3)) / u
    cov = np.array([[2.0, 0, 0], [0, 1, 0.9], [0, 0.9, 1]])
    with pytest.raises(InputError, match="correlated with the others"):
        linear_information(w, 1, cov * u * u[:, None], rows=[1])
    cov[1, 2] = cov[2, 1] = 2
    with pytest.raises(InputError, match="has the eigenvalue -1"):
        linear_information(w, 1, cov * u * u[:, None])
    cov[2, 1] = 0.5
    with pytest.raises(InputError, match="not symmetric"):
        linear_information(w, 1, cov * u * u[:, None])
    cov[1, 1] = -1
    with pytest.raises(InputError, match="a covariance has none below 0"):
        linear_information(w, 1, cov * u * u[:, None])


@pytest.mark.parametrize("points", [np.arange(40) * 5.0, np.geomspace(1, 500, 60), np.repeat([0.0, 0.5, 90.0], 30)])
def test_a_noisy_neuron_against_the_density_in_full(points):
    """The density of every point is summed where it is more than 1e-18; here it is summed everywhere."""
    t = np.arange(points.min() - 12, points.max() + 12, 1 / 32)
    density = np.exp(-((t[:, None] - points) ** 2) / 2).mean(1) / np.sqrt(2 * np.pi)
    there = density > 0
    entropy = -(density[there] * np.log2(density[there])).sum() / 32
    expected = entropy - 0.5 * np.log2(2 * np.pi * np.e)
    assert noisy_neuron_information(1.0, points, 1.0, activation="linear") == pytest.approx(expected, abs=1e-9)


def test_maps_beyond_float64_are_refused():
    """A singular value of infinity gave NaN."""
    with pytest.raises(InputError, match="other units"):
        linear_information(np.eye(2) * 1e200, 1.0, np.eye(2) * 1e300)


def test_rows_that_tell_nearly_nothing_tell_no_less_than_nothing():
    for seed in range(50):
        weight = np.r_[1e-9, np.random.default_rng(seed).normal(size=3) * 1e8][None]
        assert linear_information(weight, 1.0, rows=[0]) >= 0


@pytest.mark.parametrize("relevant", [1.5, "2", True])
def test_relevant_is_an_integer(relevant):
    readout = LinearGaussian(1.0, relevant)
    with pytest.raises(InputError, match="relevant is"):
        readout.summarize(LinearGaussian.probe(4)[None])
