"""The colors of layers: ordered, told apart without color vision, and the same for a layer wherever it is drawn."""

import itertools

import numpy as np
import pytest

from deeptheory.core.theme import LAYER_COLORS, SERIES_COLORS, colors_of, layer_colors, series_colors

# Machado, Oliveira & Fernandes 2009, severity 1
SEEN = {
    "all colors": np.eye(3),
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


def linear(shade):
    c = np.array([int(shade[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear sRGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eyes", SEEN)
def test_any_two_layers_differ_for_everyone(eyes):
    seen = [lab(np.asarray(SEEN[eyes]) @ linear(c)) for c in LAYER_COLORS]
    assert min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2)) > 13


def test_layers_become_lighter_in_their_order():
    lightness = [lab(linear(c))[0] for c in LAYER_COLORS]
    assert min(np.diff(lightness)) > 3


def test_a_layer_has_one_color_at_any_depth():
    for n in range(1, len(LAYER_COLORS) + 1):
        assert layer_colors(n) == list(LAYER_COLORS[:n])
    assert len(set(layer_colors(20))) == 20


def test_names_of_layers_are_known_wherever_they_stand():
    whole = colors_of([f"layer{k}" for k in range(1, 7)])
    assert colors_of(["layer5", "layer2"]) == {"layer5": whole["layer5"], "layer2": whole["layer2"]}
    assert colors_of(["optimum", "fitted, layer3"]) == {
        "optimum": SERIES_COLORS[0],
        "fitted, layer3": whole["layer3"],
    }
    assert list(colors_of(["conv1", "conv2", "dense1", "loss"]).values()) == [*LAYER_COLORS[:3], SERIES_COLORS[0]]
    assert colors_of(["tanh", None]) == {"tanh": SERIES_COLORS[0], None: SERIES_COLORS[1]}
    assert colors_of([]) == {}
    assert list(colors_of(["layer0", "layer1", "layer2"]).values()) == list(LAYER_COLORS[:3])
    assert colors_of(["layer0"]) == {"layer0": LAYER_COLORS[0]}
    assert colors_of(["a", "a", "b"]) == {"a": SERIES_COLORS[0], "b": SERIES_COLORS[1]}
    assert len(set(series_colors(9))) == 9
