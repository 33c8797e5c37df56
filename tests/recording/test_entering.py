"""What is added to a Recording by hand fits it, and is its own from then on."""

import numpy as np
import pytest
import torch

from deeptheory.core.errors import InputError
from deeptheory.recording import Recording

A = np.arange(15.0).reshape(1, 5, 3)


def test_what_was_added_does_not_change_with_the_caller_s_array(tmp_path):
    for store in (None, tmp_path / "s"):
        held, given = Recording([0], store=store), A.copy()
        tensor = torch.ones(1, 5, 2, requires_grad=True)
        held.add(0, {"a": given, "b": tensor})
        given[:] = 0
        np.testing.assert_array_equal(held.activations("a", 0), A)
        assert not held.activations("b", 0).requires_grad


@pytest.mark.parametrize("seeds", [[0.5], [True], ["a"], [0, 0]])
def test_seeds_are_different_integers(seeds):
    with pytest.raises(InputError, match="seeds (hold|are) "):
        Recording(seeds)


@pytest.mark.parametrize(
    ("targets", "inputs", "given"),
    [
        (np.zeros(7), 0, {"a": A}),
        (None, 7, {"a": A}),
        (None, 0, {"a": A, "b": np.zeros((1, 6, 3))}),
        (None, 0, {"a": np.zeros((2, 5, 3))}),
        (None, 0, {"a": np.zeros((5, 3))}),
    ],
)
def test_samples_are_those_of_inputs_targets_and_other_layers(targets, inputs, given):
    with pytest.raises(InputError, match=r"layer '[ab]' has shape \[.*\] at step 0; needed:, \[1, "):
        Recording([0], targets, inputs=inputs).add(0, given)


def test_a_step_has_a_layer():
    with pytest.raises(InputError, match="step 0 has no layer"):
        Recording([0]).add(0, {})


@pytest.mark.parametrize("other", [(1, 5, 4), (1, 7, 3)])
def test_recordings_of_other_shapes_do_not_join(other):
    parts = []
    for seed, shape in ((0, (1, 5, 3)), (1, other)):
        parts.append(Recording([seed]))
        parts[-1].add(0, {"a": np.zeros(shape)})
    with pytest.raises(InputError, match=r"recordings differ in layer 'a': \[sample, unit\] is \(5, 3\), "):
        Recording.concatenate(parts)
