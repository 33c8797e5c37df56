"""Compressed estimates where the truth is known, and a network with noise in proportion to its activations."""

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import InputError


def test_compressing_what_has_few_numbers_keeps_the_information():
    data = dt.datasets.paired_images("rectangles", 2.0, 1500, seed=1)
    for how in ("autoencoder", ("pca", "pca")):
        got = dt.mutual_information(data.x, data.y, "compressed", how=how, dims=2)
        assert got.value == pytest.approx(2, abs=0.35)
        assert got.direction == "lower"
    assert "by pca;" in got.method


def test_losing_a_number_loses_its_share():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 2)) * [3, 1]
    y = x / [3, 1] + 0.3 * rng.standard_normal((2000, 2))
    both = dt.mutual_information(x, y, "compressed", dims=2)
    one = dt.mutual_information(x, y, "compressed", how=lambda s, dims, seed: s[:, :dims], dims=1, inner="ksg", k=3)
    assert one.value == pytest.approx(both.value / 2, abs=0.2)


def test_codes_are_repeatable_and_leave_torch_alone(monkeypatch):
    monkeypatch.setattr("deeptheory.information.estimators.compressors._STEPS", 30)
    data = dt.datasets.paired_images("gaussians", 1.0, 300)
    state = torch.get_rng_state()
    first, second = (
        dt.mutual_information(data.x, data.y, "compressed", how="autoencoder", dims=2).value for _ in range(2)
    )
    assert first == second
    assert torch.equal(state, torch.get_rng_state())


def test_relative_noise_is_in_proportion_and_always_on():
    layer = dt.networks.MultiplicativeNoise(0.1).eval()
    h = torch.tensor([0.0, 1.0, -100.0]).expand(4000, 3)
    out = layer(h) - h
    assert (out[:, 0] == 0).all()
    assert out[:, 1].std() == pytest.approx(0.1, rel=0.1)
    assert out[:, 2].std() == pytest.approx(10, rel=0.1)
    assert torch.equal(dt.networks.MultiplicativeNoise(0.0)(h), h)
    assert repr(dt.networks.MultiplicativeNoise(0.1)) == "MultiplicativeNoise(0.1)"


@pytest.mark.parametrize("size", [8, 28])
def test_the_noisy_network_gives_log_probabilities_by_named_layers(size):
    net = dt.networks.noisy_cnn((1, size, size), classes=7, std=0.0)
    shown = dt.Recorder(
        net, torch.rand(5, 1, size, size), layers=["conv1", "conv2", "conv3", "dense1", "output"]
    ).activations()
    assert shown["conv3"].shape[-1] == 32 * (size // 8) ** 2
    assert shown["output"].exp().sum(-1).flatten().numpy() == pytest.approx(np.ones(5), abs=1e-5)
    again = dt.networks.noisy_cnn((1, size, size), classes=7, std=0.0)
    assert torch.equal(next(net.parameters()), next(again.parameters()))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda x: dt.mutual_information(x, x[:5], "compressed"), "y has 5 rows, x has 50"),
        (lambda x: dt.mutual_information(x, x, "compressed", dims=0), "dims is 0 for 50 samples"),
        (lambda x: dt.mutual_information(x, x, "compressed", how="pcc"), "unknown compressor 'pcc'"),
        (lambda x: dt.mutual_information(x, x, "compressed", how=("pca",)), "how names 1 compressors"),
        (lambda x: dt.mutual_information(x, x, "compressed", inner="kgs"), "unknown inner estimator 'kgs'"),
        (lambda x: dt.mutual_information(0 * x, x, "compressed"), "x is constant"),
        (lambda x: dt.mutual_information(np.nan * x, x, "compressed"), "x holds"),
        (lambda x: dt.networks.MultiplicativeNoise(-1), "std is -1"),
        (lambda x: dt.networks.noisy_cnn((1, 4, 28)), r"image_shape is \(1, 4, 28\)"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call(np.random.default_rng(0).standard_normal((50, 6)))


@pytest.mark.parametrize(
    "units", [[1, 1e-10], [1e-13, 1], [1, 1e150], [1e-250, 1e-200], [1e250, 1e200], [1e-250, 1e250]]
)
def test_a_column_in_small_units_is_none_that_compressing_left(units):
    """2.28 bits became 1.03 where one of two columns, left as they were, was in other units."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 2))
    y = x + 0.5 * rng.standard_normal((500, 2))
    near, far = (dt.mutual_information(x * np.array(u), y, "compressed") for u in ([1, 1], units))
    assert far.value == pytest.approx(near.value, abs=1e-9)
    assert "2 and 2 numbers" in far.method


@pytest.mark.parametrize("dims", [2.5, "2", None, True, 0, -1])
def test_dims_is_an_integer(dims):
    x = np.random.default_rng(0).normal(size=(100, 4))
    with pytest.raises(InputError, match="dims is"):
        dt.mutual_information(x, x[:, 0], "compressed", dims=dims)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (lambda s, d, seed: s[:, 0], "codes of shape"),
        (lambda s, d, seed: s[:10, :1], "codes of shape"),
        (lambda s, d, seed: s[:, :0], "codes of shape"),
        (lambda s, d, seed: None, "codes of shape"),
        (lambda s, d, seed: s[:, :1] * np.nan, "NaN or infinite"),
        (3, "needed: a name or a function"),
    ],
)
def test_a_compressor_of_ones_own_is_asked_for_its_code(how, said):
    x = np.random.default_rng(0).normal(size=(100, 4))
    with pytest.raises(InputError, match=said):
        dt.mutual_information(x, x[:, 0], "compressed", dims=1, how=how)


def test_a_compressor_may_give_a_tensor_with_gradients():
    torch = pytest.importorskip("torch")
    x = np.random.default_rng(0).normal(size=(100, 4))
    one, two = (
        dt.mutual_information(x, x[:, 0] + x[:, 1], "compressed", dims=1, how=how).value
        for how in (lambda s, d, seed: s[:, :1], lambda s, d, seed: torch.tensor(s[:, :1], requires_grad=True))
    )
    assert one == two
