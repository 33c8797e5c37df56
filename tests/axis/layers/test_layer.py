"""axis_code on layers: the pooling that was asked for, streamed, and the model left as found."""

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.axis import activations_of, axis_code, record_units
from deeptheory.core.errors import InputError


class Small(nn.Module):
    """A map, tokens, a vector; an in-place step after the map."""

    def __init__(self):
        super().__init__()
        self.conv, self.act = nn.Conv2d(1, 5, 3, padding=1), nn.ReLU(inplace=True)
        self.token, self.head = nn.Linear(5, 4), nn.Linear(4, 3)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        h = self.act(self.conv(x))  # [n, 5, 4, 4]
        t = self.token(h.flatten(2).mT)  # [n, 16, 4]
        return self.head(self.drop(t.mean(1)))


@pytest.fixture(scope="module")
def setting():
    torch.manual_seed(0)
    model, x = Small(), torch.randn(90, 1, 4, 4)
    return model, x, np.random.default_rng(0).standard_normal((90, 5))


def conv(model, x):
    return nn.functional.conv2d(x, model.conv.weight, model.conv.bias, padding=1).detach()


@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ("mean", lambda a: a.mean((2, 3))),
        ("max", lambda a: a.amax((2, 3))),
        ("all", lambda a: a.flatten(1)),
        ("center", lambda a: a[:, :, 2, 2]),
        (5, lambda a: a[:, :, 1, 1]),
        (lambda a: a.square().mean((2, 3)), lambda a: a.square().mean((2, 3))),
    ],
)
@pytest.mark.parametrize("batch", [90, 7])
def test_maps_are_pooled_as_asked(setting, pool, expected, batch):
    model, x, _ = setting
    got = activations_of(model, ["conv"], x, pool=pool, batch=batch)["conv"]
    torch.testing.assert_close(got, expected(conv(model, x)))  # before the in-place step, not after


def test_tokens_keep_their_last_axis_unless_told_otherwise(setting):
    model, x, _ = setting
    tokens = model.token(conv(model, x).relu().flatten(2).mT).detach()
    got = activations_of(model, ["token", "head"], x, batch=16)
    torch.testing.assert_close(got["token"], tokens.mean(1))
    assert got["head"].shape == (90, 3)
    torch.testing.assert_close(activations_of(model, ["token"], x, channels="first")["token"], tokens.mean(2))
    torch.testing.assert_close(activations_of(model, ["token"], x, pool=0)["token"], tokens[:, 0])


def test_a_layer_is_the_bench_on_its_responses_and_the_model_is_left(setting):
    model, x, features = setting
    model.train()
    code = dt.axis_code_of(model, "conv", x, features, folds=3, permutations=20, models=False)
    direct = axis_code(conv(model, x).mean((2, 3)), features, folds=3, permutations=20, models=False)
    np.testing.assert_allclose(code.axes.sta, direct.axes.sta, rtol=1e-5, atol=1e-7)
    assert code.notes[0] == "layer conv: shape [5, 4, 4] per stimulus, channels first; positions: mean"
    assert model.training
    assert model.drop.training
    some = dt.axis_code_of(model, "conv", x, features, pool="all", units=6, seed=2, permutations=5, models=False)
    every = activations_of(model, ["conv"], x, pool="all")["conv"]
    one = axis_code(every[:, some.units], features, permutations=5, models=False, seed=2)
    np.testing.assert_allclose(some.axes.sta, one.axes.sta, rtol=1e-9)
    assert (some.axes.units == some.units).all()
    assert "6 of 80 units, drawn by seed 2" in some.notes


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layer": "conf"}, "unknown layer 'conf'; did you mean conv"),
        ({"pool": "sum"}, "unknown pooling 'sum'"),
        ({"pool": 16}, "position 16 of layer 'conv', which has 16"),
        ({"pool": lambda a: a}, "the pooling function gave"),
        ({"channels": "middle"}, "unknown order of channels"),
        ({"batch": 0}, "batch is 0"),
        ({"units": 6}, "units is 6; layer 'conv' has 5 units"),
    ],
)
def test_wrong_use_is_refused(setting, wrong, message):
    model, x, features = setting
    with pytest.raises(InputError, match=message):
        dt.axis_code_of(model, wrong.pop("layer", "conv"), x, features, **wrong)


def test_a_layer_without_samples_is_refused(setting):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Identity()

        def forward(self, x):
            self.inner(x.sum())
            return x.flatten(1)

    with pytest.raises(InputError, match=r"layer 'inner' gives shape \[\] for 64 stimuli"):
        activations_of(Odd(), ["inner"], setting[1])


class Tokens(nn.Module):
    """lead special tokens, then a grid; the value of a token is its number."""

    def __init__(self, tokens):
        super().__init__()
        self.tokens, self.out = tokens, nn.Identity()

    def forward(self, x):
        number = torch.arange(self.tokens, dtype=x.dtype)
        return self.out(x[:, :1, None] + number[None, :, None].expand(len(x), -1, 3))


@pytest.mark.parametrize(
    ("tokens", "lead", "center"),
    [(197, 1, 1 + 7 * 14 + 7), (50, 1, 1 + 3 * 7 + 3), (261, 5, 5 + 8 * 16 + 8), (196, 0, 7 * 14 + 7), (12, 0, 6)],
)
def test_a_class_token_is_no_position(tokens, lead, center):
    x = torch.randn(6, 2)
    net = Tokens(tokens)
    for pool, number in (
        ("mean", (lead + tokens - 1) / 2),
        ("max", tokens - 1),
        ("center", center),
        (0, 0),
        (-1, tokens - 1),
    ):
        got = activations_of(net, ["out"], x, pool=pool)["out"][:, 0] - x[:, 0]
        assert torch.allclose(got, torch.full_like(got, number), atol=1e-3), pool
    kept = activations_of(net, ["out"], x, pool="mean", special=0)["out"][:, 0] - x[:, 0]
    assert torch.allclose(kept, torch.full_like(kept, (tokens - 1) / 2), atol=1e-3)
    said = dt.axis_code_of(net, "out", torch.randn(40, 2), torch.randn(40, 2), models=False, permutations=0).notes[0]
    assert ("taken for class token and registers (special=0 keeps them)" in said) == bool(lead)
    with pytest.raises(InputError, match=f"special is {tokens}; layer 'out' has {tokens} tokens"):
        activations_of(net, ["out"], x, special=tokens)
    with pytest.raises(InputError, match="special is -1"):
        activations_of(net, ["out"], x, special=-1)


@pytest.mark.parametrize(("height", "width"), [(8, 18), (5, 5), (2, 8)])
def test_the_center_of_a_map_is_that_of_its_own_grid(height, width):
    x = torch.randn(4, 2, height, width)
    got = activations_of(nn.Sequential(nn.Identity()), ["0"], x, pool="center")["0"]
    assert torch.equal(got, x[:, :, height // 2, width // 2])
    line = x.flatten(2)
    got = activations_of(nn.Sequential(nn.Identity()), ["0"], line, pool="center", channels="first")["0"]
    assert torch.equal(got, line[:, :, height * width // 2])


class Sized(nn.Module):
    """Eight linear units, each in a unit of its own."""

    def __init__(self, *size):
        super().__init__()
        self.line, self.out, self.size = nn.Linear(3, 8), nn.Identity(), torch.tensor(size)

    def forward(self, x):
        return self.out(self.line(x) * self.size)


@pytest.mark.parametrize("size", [(1e8, *[1.0] * 7), (1e-25,) * 8, (1e-3, 1e25, *[1.0] * 6)])
def test_units_that_vary_do_so_in_any_unit(size):
    found = record_units(Sized(*size), ["out"], torch.randn(90, 3), min_active_fraction=0.01)["out"]
    assert found.positions.tolist() == list(range(8))


def test_a_position_is_given_once(setting):
    model, x, features = setting
    with pytest.raises(InputError, match=r"units are \[3, 3\], some of them twice"):
        dt.axis_code_of(model, "conv", x, features, units=[3, 3])


@pytest.mark.parametrize("first", [1.0, -1.0])
def test_a_layer_that_some_batches_pass_by_is_refused(first):
    """Its rows would be fewer than the stimuli, or be told to others."""

    class Skips(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 4)

        def forward(self, x):
            return self.b(self.a(x)) if float(x[0, 0]) > 0 else self.a(x)

    x = torch.randn(40, 3)
    x[:, 0] = first
    x[20:, 0] = -first
    with pytest.raises(InputError, match="layer 'b' is passed by some batches|unknown layer 'b'"):
        activations_of(Skips(), ["b"], x, batch=10)


def test_a_number_of_units_is_one_in_whatever_kind_it_comes(setting):
    """np.array(2) was taken for position 2."""
    model, x, _ = setting
    plain = record_units(model, ["head"], x, units=2)["head"]
    for kind in (np.array(2), np.int64(2)):
        found = record_units(model, ["head"], x, units=kind)["head"]
        assert found.positions.tolist() == plain.positions.tolist()
        assert found.notes == plain.notes
    masked = np.ma.array([True, True, True], mask=[True, False, False])
    with pytest.raises(InputError, match="units holds 1 masked values"):
        record_units(model, ["head"], x, units=masked)


def test_an_index_of_a_position_may_be_numpys_and_true_is_none(setting):
    model, x, _ = setting
    found = activations_of(model, ["act"], x, pool=np.int64(3))["act"]
    assert torch.equal(found, activations_of(model, ["act"], x, pool=3)["act"])
    for pool in (True, np.array([1, 2]), None):
        with pytest.raises(InputError, match="unknown pooling"):
            activations_of(model, ["act"], x, pool=pool)


@pytest.mark.parametrize(
    ("pool", "seen"),
    [
        (lambda a: None, "NoneType"),
        (lambda a: a.mean((2, 3)).numpy(), "ndarray"),
        (lambda a: a.max(2), "max"),
        (lambda a: torch.fft.fft(a.flatten(1)), r"\[64, 80\] torch.complex64"),
    ],
)
def test_a_pooling_function_gives_a_tensor_of_real_numbers(setting, pool, seen):
    """Of complex numbers the imaginary part was lost; the others ended in AttributeError."""
    model, x, _ = setting
    with pytest.raises(InputError, match=f"the pooling function gave {seen} for .*a tensor of real numbers"):
        record_units(model, ["act"], x, pool=pool)


def test_units_that_differ_in_number_by_batch_are_refused(setting):
    model, x, _ = setting
    with pytest.raises(InputError, match="layer 'act' gives 64 units for some batches of stimuli and 26 for others"):
        record_units(model, ["act"], x, pool=lambda a: a.flatten(1)[:, : len(a)])


def test_noise_is_a_function_that_changes_no_response(setting):
    model, x, _ = setting
    plain = record_units(model, ["head"], x)["head"].responses
    found = record_units(model, ["head"], x, noise=lambda r, seed: np.multiply(r, 0, out=r)[:, None])["head"]
    assert np.array_equal(found.responses, plain)
    assert not found.trials.any()
    with pytest.raises(InputError, match="noise is 3; needed: a function"):
        record_units(model, ["head"], x, noise=3)
    with pytest.raises(InputError, match=r"noise gave shape \[90, 0, 3\]"):
        record_units(model, ["head"], x, noise=lambda r, seed: np.zeros((90, 0, 3)))
