"""What is no class number, no score or no gradient is refused, and never taken for a robust network."""

import numpy as np
import pytest
import torch
from torch import nn

from deeptheory.core.errors import InputError
from deeptheory.networks import accuracy, bim, fgsm, gradient_profile, pgd, robustness
from deeptheory.networks.evaluation.scores import as_labels, first_output

RNG = np.random.default_rng(0)
X, Y = RNG.random((40, 1, 3, 3)).astype(np.float32), RNG.integers(0, 3, 40)


class Line(nn.Module):
    """Scores that are linear in the pixels, through a function of one's own."""

    def __init__(self, classes=3, through=lambda z: z):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.through = nn.Linear(9, classes), through

    def forward(self, x):
        return self.through(self.inner(x.flatten(1)))


@pytest.mark.parametrize("bad", [np.inf, -np.inf, 1e30, -1e30, np.nan])
def test_labels_that_no_integer_can_be_are_refused(bad):
    for call in (lambda y: as_labels(y, 40), lambda y: accuracy(Line(), torch.as_tensor(X), y)):
        with pytest.raises(InputError, match=r"labels hold -?(inf|nan|1e\+30); needed: whole class numbers"):
            call(np.where(Y > 1, bad, 0.0))


@pytest.mark.parametrize("attack", [fgsm, bim, pgd])
def test_a_network_that_gives_nan_is_not_robust(attack):
    net = Line(through=lambda z: torch.where(z > 0.4, z * torch.nan, z))
    with pytest.raises(InputError, match=r"the scores of \d+ of 40 images hold NaN"):
        robustness(net, X, Y, epsilons=[0.1], attack=attack)


@pytest.mark.parametrize("attack", [fgsm, bim, pgd])
def test_a_gradient_of_nan_is_not_robust(attack):
    """The root of 0 has scores that are numbers and a gradient that is none (0 times infinity)."""
    net = Line(through=lambda z: z + (z - z).sqrt())
    assert robustness(Line(), X, Y, epsilons=[0.0]).accuracy[0] == pytest.approx(
        accuracy(net, torch.as_tensor(X), torch.as_tensor(Y))
    )
    for call in (
        lambda: robustness(net, X, Y, epsilons=[0.1], attack=attack),
        lambda: gradient_profile(net, X, Y),
    ):
        with pytest.raises(InputError, match="the loss's gradient is NaN in 40 of 40 images"):
            call()


def test_one_class_is_no_answer():
    with pytest.raises(InputError, match="the scores are of one class"):
        robustness(Line(1), X, np.zeros(40, dtype=int), epsilons=[0.0])


def test_what_an_attack_gives_lies_within_its_bounds():
    """0.1 is above itself where pixels are float32 and bounds float64."""
    bounds = (0.0, 0.1)
    made = bim(Line(), np.clip(X.astype(np.float64), *bounds), Y, epsilon=0.05, bounds=bounds)
    again = robustness(Line(), made, Y, epsilons=[0.0, 0.01], bounds=bounds)
    assert 0 <= again.accuracy[1] <= again.accuracy[0] <= 1
    with pytest.raises(InputError, match="outside the bounds"):
        bim(Line(), made + 1e-6, Y, epsilon=0.05, bounds=bounds)


def test_a_judge_may_have_another_dtype():
    judged = robustness(Line(), X, Y, epsilons=[0.0, 0.1], judge=Line().double())
    np.testing.assert_allclose(judged.accuracy, robustness(Line(), X, Y, epsilons=[0.0, 0.1]).accuracy, atol=0.03)


@pytest.mark.parametrize("unit", [1e-25, 1.0, 1e25])
def test_capsules_of_any_unit_are_told_apart(unit):
    capsules = torch.zeros(4, 2, 3)
    capsules[[0, 1], 0] = unit
    capsules[[2, 3], 1] = unit
    assert first_output(capsules).argmax(1).tolist() == [0, 0, 1, 1]
    torch.testing.assert_close(first_output(capsules).amax(1) / unit, torch.full((4,), 3.0).sqrt())
