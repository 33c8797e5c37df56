"""Attacks, on networks whose worst case is known; gradients, standardizing, and comparing at equal accuracy."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from deeptheory.core.errors import InputError
from deeptheory.networks import compare_at_equal_accuracy
from deeptheory.networks.architectures.standardization import PerImageStandardization
from deeptheory.networks.evaluation.attacks import (
    bim,
    fgsm,
    first_output,
    gradient_profile,
    logit_of_probability,
    pgd,
    robustness,
)

X = torch.as_tensor(np.random.default_rng(0).uniform(0.3, 0.7, (40, 1, 3, 3)), dtype=torch.float32)


class Linear(nn.Module):
    """Scores (w.x - b, 0): the worst change within epsilon is known, -epsilon sign(w) for class 0."""

    def __init__(self):
        super().__init__()
        g = torch.Generator().manual_seed(1)
        self.w = nn.Parameter(torch.randn(9, generator=g))

    def forward(self, x):
        s = x.flatten(1) @ self.w - float(0.5 * self.w.detach().sum())
        return torch.stack([s, torch.zeros_like(s)], 1)


def labels_of(module):
    return module(X).argmax(1).detach()


def test_one_step_on_a_linear_network_is_its_worst_case():
    net = Linear()
    y = labels_of(net)
    moved = fgsm(net, X, y, epsilon=0.1)
    sign = torch.where(y == 0, -1.0, 1.0)[:, None, None, None]
    assert torch.allclose(moved, X + sign * 0.1 * net.w.detach().sign().view(1, 3, 3), atol=1e-6)
    assert net.w.grad is None
    assert torch.allclose(bim(net, X, y, epsilon=0.1, steps=8), moved, atol=1e-6)
    assert torch.allclose(pgd(net, X, y, epsilon=0.1, restarts=2), moved, atol=1e-6)
    towards = bim(net, X, y, epsilon=0.1, targets=1 - y, steps=8)
    assert torch.allclose(towards, moved, atol=1e-6)


@pytest.mark.parametrize("how", [{}, {"random_start": True, "seed": 3}, {"step_size": 0.5, "steps": 3}])
def test_attacks_stay_within_epsilon_and_within_the_pixels(how):
    net = Linear()
    x = X.clone()
    x[:, :, 0] = 0.02
    moved = bim(net, x, labels_of(net), epsilon=0.05, **how)
    assert float((moved - x).abs().max()) <= 0.05 + 1e-6
    assert float(moved.min()) >= 0
    assert torch.equal(moved, bim(net, x, labels_of(net), epsilon=0.05, **how))


def test_robustness_counts_what_flips():
    net = Linear()
    y = labels_of(net)
    flat = (X.flatten(1) - 0.5) @ net.w.detach()
    reach = net.w.detach().abs().sum()
    found = robustness(net, X, y, epsilons=[0.0, 0.02, 0.1, 0.3], attack=fgsm, batch=7)
    expected = [float((flat.abs() > e * reach).double().mean()) for e in (0, 0.02, 0.1, 0.3)]
    assert found.accuracy == pytest.approx(expected, abs=0.03)
    assert found.accuracy + found.success == pytest.approx(np.ones(4))
    assert len(found.table()) == 4
    assert found.figure().data
    assert "fgsm: accuracy 1.00 at 0" in repr(found)
    aimed = robustness(net, X, y, epsilons=[0.3], attack=bim, targets=1 - y, batch=9)
    assert aimed.success[0] == pytest.approx(1 - aimed.accuracy[0])
    other = Linear()
    with torch.no_grad():
        other.w.mul_(-1)
    away = robustness(net, X, y, epsilons=[0.3], attack=fgsm, judge=other)
    assert (away.accuracy[0], away.success[0]) == (1, 0)  # it was always wrong, and what fools the one sets it right
    assert "transferred" in away.method
    assert "targeted" in aimed.method


class Squashed(nn.Module):
    """Lengths in (0, 1) whose float32 gradient dies where they are nearly 1."""

    def __init__(self, network, gain):
        super().__init__()
        self.network, self.gain = network, gain

    def forward(self, x):
        return ((self.gain * self.network(x)).double().sigmoid(), None)


def test_a_saturated_output_hides_its_gradient_and_logits_show_it():
    net = Linear()
    y = labels_of(net)
    with torch.no_grad():
        flat = (X.flatten(1) - 0.5) @ net.w
    sure = flat.abs() > 0.4  # far from the boundary: saturated at gain 400
    hidden = Squashed(net, 400.0)

    def clipped(scores, labels):  # a loss that is flat once the length is 1, as a margin loss is
        return (0.9 - scores.gather(1, labels[:, None])).clamp(min=0).square().mean()

    weak = bim(hidden, X[sure], y[sure], epsilon=0.3, loss=clipped)
    assert torch.equal(weak, X[sure])
    moved = pgd(hidden, X[sure], y[sure], epsilon=0.3, scores=logit_of_probability, restarts=1)
    assert not torch.equal(moved, X[sure])
    profile = gradient_profile(hidden, X[sure], y[sure], loss=clipped)
    assert profile.zeros.min() == 1
    assert profile.size.max() == 0


class Distances(nn.Module):
    """A perfect nearest-prototype network: distances to as many prototypes as there are classes, the smallest being
    the answer.
    """

    def __init__(self, classes, capsules=False):
        super().__init__()
        self.at = nn.Parameter(torch.rand(classes, 9, generator=torch.Generator().manual_seed(2)))
        self.capsules = capsules

    def forward(self, x):
        d = torch.cdist(x.flatten(1), self.at)
        return torch.stack([(-d).exp(), 0 * d], -1) if self.capsules else d


class Pair(nn.Module):
    def forward(self, x):
        return torch.ones(len(x), 2, 4, 4), torch.stack([x.flatten(1).mean(1), torch.full((len(x),), 0.5)], 1)


@pytest.mark.parametrize("classes", [2, 3, 7])
@pytest.mark.parametrize("attack", [fgsm, bim, pgd])
def test_robustness_judges_by_the_scores_that_it_attacks(classes, attack):
    net = Distances(classes)
    y = net(X).argmin(1)
    found = robustness(net, X, y, epsilons=[0.0, 0.3], attack=attack, scores=lambda d: -d)
    assert found.accuracy[0] == 1
    assert found.accuracy[1] < 1
    assert (
        robustness(net, X, y, epsilons=[0.0], attack=attack).accuracy[0] == 0
    )  # by the distances themselves: always the farthest
    pair = Pair()
    right = pair(X)[1].argmax(1)
    assert robustness(pair, X, right, epsilons=[0.0], attack=attack, scores=lambda o: o[1]).accuracy[0] == 1
    with pytest.raises(InputError, match=r"the scores have shape \[40, 2, 4, 4\].*scores=lambda output: output\[1\]"):
        robustness(pair, X, right, epsilons=[0.0], attack=attack)
    caps = Distances(classes, capsules=True)
    assert robustness(caps, X, y, epsilons=[0.0], attack=attack).accuracy[0] == 1  # [n, K, q]: by lengths
    away = robustness(caps, X, y, epsilons=[0.0], attack=attack, judge=net, judge_scores=lambda d: -d)
    assert away.accuracy[0] == 1


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_a_strong_attack_can_be_aimed(classes):
    net = Distances(classes)
    y = net(X).argmin(1)
    wanted = (y + 1) % classes
    found = robustness(net, X, y, epsilons=[0.0, 0.7], attack=pgd, scores=lambda d: -d, targets=wanted, restarts=1)
    weak = robustness(net, X, y, epsilons=[0.0, 0.7], attack=fgsm, scores=lambda d: -d, targets=wanted)
    assert found.success[0] == 0
    assert found.success[1] >= weak.success[1]
    assert found.success[1] > 0.5


def test_numpy_and_other_dtypes_are_taken_as_the_network_needs_them():
    net = Linear()
    y = labels_of(net)
    plain = robustness(net, X, y, epsilons=[0.02, 0.1], attack=bim)
    other = robustness(net, X.double().numpy(), y.numpy().astype(np.int32), epsilons=np.array([0.02, 0.1]), attack=bim)
    assert np.array_equal(plain.accuracy, other.accuracy)
    with torch.inference_mode():
        assert np.array_equal(robustness(net, X, y, epsilons=[0.02, 0.1], attack=bim).accuracy, plain.accuracy)


def test_logits_undo_a_sigmoid_and_a_squash():
    z = torch.linspace(-5, 5, 11)
    assert torch.allclose(logit_of_probability(z.sigmoid()).float(), z, atol=1e-4)
    n2 = torch.tensor([0.1, 1.0, 30.0])
    assert torch.allclose(logit_of_probability((n2 / (1 + n2),)).exp().float(), n2, rtol=1e-3)
    assert torch.equal(first_output((z, None)), z)


def test_gradient_profile_is_that_of_each_picture_alone():
    net = Linear()
    y = labels_of(net)
    whole = gradient_profile(net, X, y, batch=13)
    for k in (0, 39):
        x = X[k : k + 1].clone().requires_grad_(True)
        F.cross_entropy(net(x), y[k : k + 1]).backward()
        assert whole.size[k] == pytest.approx(float(x.grad.abs().mean()), rel=1e-5)
    assert len(whole.table()) == 40
    assert "GradientProfile(40 pictures" in repr(whole)


def test_flags_are_kept():
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(9, 2))
    net[2].eval()
    fgsm(net, X, torch.zeros(40), epsilon=0.1)
    pgd(net, X, torch.zeros(40), epsilon=0.1, restarts=1, steps=2)
    robustness(net, X, torch.zeros(40), epsilons=[0.1])
    assert [m.training for m in net] == [True, True, False]
    assert net.training


def test_a_standardized_network_does_not_mind_light_and_contrast():
    net = PerImageStandardization(nn.Flatten())
    out = net(X)
    assert torch.allclose(out.mean(1), torch.zeros(40), atol=1e-6)
    assert torch.allclose(out.var(1, unbiased=False), torch.ones(40), atol=1e-4)
    wide = torch.rand(3, 2, 20, 20)
    assert torch.allclose(net(0.5 * wide + 0.2), net(wide), atol=1e-4)
    assert torch.equal(net(torch.full((2, 1, 4, 4), 0.7)).abs() < 1e-3, torch.ones(2, 16, dtype=torch.bool))
    assert torch.allclose(PerImageStandardization(Two())(X, torch.ones(40)), torch.ones(40), atol=1e-5)


class Two(nn.Module):
    def forward(self, x, more):
        return x.flatten(1).mean(1) + more


def test_matched_by_hand():
    found = compare_at_equal_accuracy(([0.1, 0.5, 0.9], [0.0, 0.2, 0.6]), ([0.1, 0.6, 0.7], [0.0, 0.3, 0.4]))
    assert found.target == 0.7
    assert found.first == pytest.approx(0.4)  # half way from 0.5 to 0.9
    assert found.second == pytest.approx(0.4)
    assert compare_at_equal_accuracy(([0.8], [0.3]), ([0.7], [0.2])).first == 0.3
    assert "EqualAccuracy(at 0.7: 0.4 and 0.4)" in repr(found)
    assert found.table()["first"][0] == found.first


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: fgsm(Linear(), X, torch.zeros(3), epsilon=0.1), r"labels has shape \[3\]"),
        (
            lambda: fgsm(Linear(), 2 * X, torch.zeros(40), epsilon=0.1),
            r"images run from .* outside the bounds \(0.0, 1.0\)",
        ),
        (lambda: fgsm(Linear(), X, torch.zeros(40), epsilon=-0.1), "epsilon is -0.1"),
        (lambda: bim(Linear(), X, torch.zeros(40), epsilon=0.1, steps=0), "steps is 0"),
        (lambda: bim(Linear(), X, torch.zeros(40), epsilon=0.1, steps=2.5), "steps is 2.5"),
        (lambda: bim(Linear(), X, torch.zeros(40), epsilon=0.1, step_size=-1), "step_size is -1"),
        (lambda: fgsm(Linear(), X, torch.zeros(40), epsilon=0.1, steps=3), "steps is given; fgsm takes one step"),
        (lambda: gradient_profile(Linear(), X, torch.zeros(40), batch=0), "batch is 0"),
        (lambda: fgsm(Linear(), X[0], torch.zeros(1), epsilon=0.1), "images has shape"),
        (lambda: fgsm(Linear(), X, torch.zeros(1), epsilon=0.1), r"labels has shape \[1\]"),
        (
            lambda: fgsm(Linear(), X, torch.eye(40)[:, :2], epsilon=0.1),
            r"labels has shape \[40, 2\]; needed: one class number each",
        ),
        (
            lambda: fgsm(Linear(), X, torch.full((40,), 2), epsilon=0.1),
            "labels run from 2 to 2; with 2 classes they run from 0 to 1",
        ),
        (
            lambda: fgsm(Linear(), X, torch.full((40,), -1), epsilon=0.1),
            "labels run from -1 to -1; class numbers start at 0",
        ),
        (
            lambda: fgsm(Linear(), X, torch.full((40,), 0.5), epsilon=0.1),
            "labels hold 0.5; needed: whole class numbers",
        ),
        (
            lambda: bim(Linear(), X, torch.zeros(40), epsilon=0.1, targets=torch.full((40,), 9)),
            "run from 9 to 9; with 2 classes",
        ),
        (lambda: pgd(Linear(), X, torch.zeros(40), epsilon=0.1, targets=[1]), r"targets has shape \[1\]"),
        (
            lambda: fgsm(Linear(), (255 * X).byte(), torch.zeros(40), epsilon=0.1),
            "images are torch.uint8; an attack moves floats",
        ),
        (lambda: robustness(Linear(), X[:0], torch.zeros(0), epsilons=[0.1]), "which holds no pixel"),
        (
            lambda: robustness(Linear(), X, torch.zeros(40), epsilons=[0.1], scores=logit_of_probability),
            r"undoes probabilities",
        ),
        (lambda: robustness(Linear(), X, torch.zeros(40), epsilons=[0.1], judge_scores=first_output), "judge is not"),
        (lambda: compare_at_equal_accuracy(([0.1], [0.2, 0.3]), ([0.1], [0.2])), "first_other has shape"),
        (lambda: compare_at_equal_accuracy(([], []), ([], [])), "the first curve has no evaluation"),
        (lambda: compare_at_equal_accuracy(([np.nan], [1]), ([1], [1])), "first_familiar holds 1 values"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


@pytest.mark.parametrize("wrong", [{"restarts": -1}, {"steps": 0}, {"steps": 2.5}])
def test_strong_takes_no_count_under_which_nothing_is_attacked(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        pgd(nn.Linear(4, 3), torch.rand(5, 4), torch.arange(5) % 3, epsilon=0.1, **wrong)
