"""Objectives in the form that `train` takes, judging, and perturbing one number of a pose."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import deeptheory as dt
from deeptheory import capsules
from deeptheory.core.errors import InputError

G = np.random.default_rng(0)
X = torch.as_tensor(G.random((6, 1, 12, 12)), dtype=torch.float32)
Y = torch.tensor([0, 1, 2, 0, 1, 2])
PAIRS = torch.tensor([[0, 1], [1, 2], [2, 0], [0, 2], [1, 0], [2, 1]])
SOURCES = torch.as_tensor(G.random((6, 2, 12, 12)), dtype=torch.float32)


def small(reconstruction=True):
    kernels = {"channels": 6, "kernel_size": 3, "primary": capsules.Primary(2, 4, 3), "dim": 5}
    return dt.networks.seeded(lambda: capsules.CapsuleNetwork((1, 12, 12), 3, reconstruction and (8, 9), **kernels), 0)


def by_hand(lengths, present):
    total = 0.0
    for row, there in zip(lengths.tolist(), present):
        for k, length in enumerate(row):
            total += max(0.0, 0.9 - length) ** 2 if k in there else 0.5 * max(0.0, length - 0.1) ** 2
    return total / len(present)


@torch.no_grad()
def test_one_digit():
    net = small()
    out = net(X, Y)
    expected = by_hand(out.lengths, [{int(y)} for y in Y]) + 0.002 * float((out.reconstruction - X).square().sum() / 6)
    assert float(capsules.capsule_objective(reconstruction=0.002)(net, (X, Y))) == pytest.approx(expected, rel=1e-5)
    bare = small(False)
    assert float(capsules.capsule_objective()(bare, (X, Y))) == pytest.approx(
        by_hand(bare(X).lengths, [{int(y)} for y in Y]), rel=1e-5
    )


@torch.no_grad()
def test_two_digits_are_each_drawn_from_their_own_capsule():
    net = small()
    out = net(X, PAIRS[:, 0])
    second = net.decoder(out.capsules, PAIRS[:, 1])
    drawn = (out.reconstruction[:, 0] - SOURCES[:, 0]).square().sum() + (second[:, 0] - SOURCES[:, 1]).square().sum()
    expected = by_hand(out.lengths, [set(p.tolist()) for p in PAIRS]) + 0.0005 * float(drawn) / 6
    assert float(capsules.capsule_objective()(net, (X, PAIRS, SOURCES))) == pytest.approx(expected, rel=1e-5)
    bare = small(False)
    assert float(capsules.capsule_objective()(bare, (X, PAIRS, SOURCES))) == pytest.approx(
        by_hand(bare(X).lengths, [set(p.tolist()) for p in PAIRS]), rel=1e-5
    )


@pytest.mark.parametrize("batch", [(X, Y), (X, PAIRS, SOURCES)])
def test_bfloat16_is_the_same_loss_to_its_precision(batch):
    net = small()
    exact = capsules.capsule_objective()(net, batch)
    near = capsules.capsule_objective(precision="bfloat16")(net, batch)
    assert near.dtype == torch.float32
    assert near.item() == pytest.approx(exact.item(), rel=0.01)
    assert near.item() != exact.item()
    near.backward()
    assert {p.grad.dtype for p in net.parameters()} == {torch.float32}
    with pytest.raises(InputError, match="precision is 'half'"):
        capsules.capsule_objective(precision="half")


class Fixed(nn.Module):
    """Activations that are given."""

    def __init__(self, activations):
        super().__init__()
        self.activations = nn.Parameter(activations)

    def forward(self, images):
        return self.activations, None


@torch.no_grad()
def test_spread_and_the_two_other_losses():
    a = torch.tensor([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]])
    y = torch.tensor([0, 2])
    objective = capsules.spread_objective(100)
    m = capsules.spread_margin(40, 100)
    expected = sum(
        max(0.0, m - float(row[t] - row[i])) ** 2 for row, t in zip(a, y.tolist()) for i in range(3) if i != t
    )
    assert float(objective(Fixed(a), (X[:2], y, 40))) == pytest.approx(expected / 2, rel=1e-5)
    cross = capsules.probability_objective("cross-entropy")(Fixed(3 * a), (X[:2], y, 40))
    assert float(cross) == pytest.approx(-(np.log(0.6) + np.log(0.3)) / 2, rel=1e-5)
    margin = capsules.probability_objective("margin")(Fixed(a), (X[:2], y))
    assert float(margin) == pytest.approx(by_hand(a, [{0}, {2}]), rel=1e-5)
    with pytest.raises(InputError, match="kind is 'hinge'; known: margin, cross-entropy"):
        capsules.probability_objective("hinge")


@torch.no_grad()
def test_a_classifier_has_one_softmax_or_a_logistic_each():
    net = nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    logits = net(X)
    assert torch.allclose(capsules.classifier_objective(net, (X, Y)), F.cross_entropy(logits, Y))
    p = logits.sigmoid()
    total = sum(-float(torch.log(p[b, k] if k in PAIRS[b] else 1 - p[b, k])) for b in range(6) for k in range(3))
    assert float(capsules.classifier_objective(net, (X, PAIRS, SOURCES))) == pytest.approx(total / 6, rel=1e-5)


@pytest.mark.parametrize("classes", [2, 3, 5, 10])
@pytest.mark.parametrize("form", ["numbers", "one-hot", "one-hot floats", "several"])
def test_a_perfect_network_has_no_error_however_labels_are_written(classes, form):
    y = torch.arange(30) % classes
    one_hot = torch.eye(classes, dtype=torch.int64)[y]
    labels = {"numbers": y, "one-hot": one_hot, "one-hot floats": one_hot.float(), "several": one_hot}[form]
    scores = one_hot.float() * 0.8 + 0.01 * torch.rand(30, classes)
    if form == "several":  # the first class is there, too, in every other image
        labels = one_hot.clone()
        labels[::2, 0] = 1
        scores = labels.float() * 0.8 + 0.01 * torch.rand(30, classes)
    images = torch.rand(30, 1, 2, 2)
    assert capsules.error_rate(Fixed(scores), images, labels) == 0
    assert capsules.error_rate(Fixed(scores), images.double().numpy(), labels.numpy()) == 0
    poses = torch.stack([scores, scores], -1)
    assert capsules.error_rate(Fixed(poses), images, labels) == 0  # [n, K, q]: by lengths
    wrong = scores.roll(1, 1) if form != "several" else 1 - scores
    assert capsules.error_rate(Fixed(wrong), images, labels) == 100


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        (torch.zeros(1), r"labels has shape \[1\]"),
        (torch.tensor(0), "labels has shape"),
        (torch.full((30,), 3), "labels run from 3 to 3; with 3 classes they run from 0 to 2"),
        (torch.full((30,), -1), "labels run from -1"),
        (torch.full((30,), 1.5), "labels hold 1.5"),
        (torch.full((30, 3), 2), "one column for each class; it needs zeros and ones"),
        (torch.zeros(30, 3), "with a one in every row"),
        (torch.ones(30, 2), r"labels name a class twice in row 0: \[1, 1\]"),
        (torch.zeros(30, 4), r"labels has shape \[30, 4\]; there are 3 classes"),
        (torch.zeros(30, 2, 2), "labels has shape"),
    ],
)
def test_labels_that_do_not_say_what_is_there_are_refused(labels, match):
    with pytest.raises(InputError, match=match):
        capsules.error_rate(Fixed(torch.rand(30, 3)), torch.rand(30, 1, 2, 2), labels)


def test_an_error_rate_of_no_scores_is_refused():
    images, y = torch.rand(4, 1, 2, 2), torch.arange(4) % 2
    with pytest.raises(InputError, match="images are torch.uint8; networks take floats"):
        capsules.error_rate(Fixed(torch.rand(4, 2)), (255 * images).byte(), y)
    with pytest.raises(InputError, match=r"the scores have shape \[4, 2, 4, 4\]"):
        capsules.error_rate(Fixed(torch.rand(4, 2, 4, 4)), images, y)
    assert (
        capsules.error_rate(
            Fixed(torch.stack([y == 0, y == 1], 1).float()[:, :, None, None]),
            images,
            y,
            scores=lambda o: o[0][:, :, 0, 0],
        )
        == 0
    )
    with pytest.raises(InputError, match="scores holds 8 values that are NaN"):
        capsules.error_rate(Fixed(torch.full((4, 2), torch.nan)), images, y)


def test_errors_of_one_and_of_two_digits():
    scores = torch.tensor([[0.9, 0.5, 0.1], [0.9, 0.5, 0.1]])
    assert capsules.error_rate(Fixed(scores), X[:2], torch.tensor([0, 1])) == 50
    assert capsules.error_rate(Fixed(scores), X[:2], torch.tensor([[1, 0], [0, 2]])) == 50


def test_perturbing_moves_one_number_of_the_longest_capsule():
    net = small()
    found = capsules.perturb(net, X, offsets=(-0.2, 0.0, 0.1))
    assert found.drawings.shape == (6, 5, 3, 12, 12)
    out = net(X)
    assert found.winners.tolist() == out.lengths.argmax(1).tolist()
    v = out.capsules.detach().clone()
    v[2, found.winners[2], 4] += 0.1
    expected = net.decoder(v, torch.as_tensor(found.winners))[2, 0]
    assert np.allclose(found.drawings[2, 4, 2], expected.detach(), atol=1e-6)
    assert np.allclose(found.drawings[:, :, 1], out.reconstruction.detach()[:, None, 0].numpy(), atol=1e-6)
    assert "6 pictures, 5 dimensions, 3 offsets from -0.2 to 0.1" in repr(found)
    assert len(found.table()) == 5 * len(set(found.winners.tolist()))
    assert found.figure().data
    with pytest.raises(InputError, match="no decoder"):
        capsules.perturb(small(False), X)
    with pytest.raises(InputError, match=r"offsets have shape \[0\]"):
        capsules.perturb(net, X, offsets=())


def test_width_is_found_where_it_is():
    offsets = np.linspace(-0.25, 0.25, 11)
    drawings = np.zeros((4, 3, 11, 9, 60))
    for n in range(4):
        for k in range(11):
            half = 10 + 2 * n + k  # dimension 0 widens every bar by two pixels an offset
            drawings[n, 0, k, 2:5, 30 - half : 30 + half] = 1
            drawings[n, 1, k, 2:5, 20:40] = 0.3 + 0.05 * k  # dimension 1 only darkens
            drawings[n, 2, k, 2:5, 20 : 40 + [0, 9, 3, 7, 1, 8, 2, 6, 4, 5, 0][k]] = 1
    found = capsules.Perturbation(drawings=drawings, offsets=offsets, winners=np.array([0, 0, 1, 1]))
    r2 = found.explained()
    assert r2.shape == (2, 3)
    assert (r2[:, 0] > 0.999).all()
    assert (r2[:, 1] < 1e-9).all()
    assert (r2[:, 2] < 0.2).all()
    bar = np.zeros((5, 50))
    bar[:, 10:30] = 0.7
    assert capsules.ink_width(bar) == pytest.approx(20 * 4 / np.sqrt(12), rel=0.01)
    assert capsules.ink_width(np.zeros((5, 5))) == 0


def test_downsample():
    images = G.integers(0, 256, (3, 4, 6), dtype=np.uint8)
    out = dt.datasets.downsample(images, 2)
    assert out.shape == (3, 1, 2, 3)
    assert out.dtype == np.float32
    assert out[1, 0, 1, 2] == pytest.approx(images[1, 2:4, 4:6].mean() / 255)
    assert dt.datasets.downsample(images[:, None]).shape == (3, 1, 4, 6)
    with pytest.raises(InputError, match=r"images have shape \[3, 4, 6\], factor is 4"):
        dt.datasets.downsample(images, 4)


def test_decoded_asks_for_a_decoder():
    network = capsules.CapsuleNetwork(image_shape=(1, 28, 28), classes=3, reconstruction=False)
    for without in (network, nn.Linear(2, 2)):
        with pytest.raises(InputError, match="no decoder.*reconstruction=True"):
            capsules.decoded(without, torch.rand(2, 3, 16), torch.tensor([1, 2]))


@pytest.mark.parametrize("size", [1.0, 1e-10, 1e-14, 1e-30, 1e30])
def test_parts_of_a_sum_know_no_unit_of_the_activations(size):
    """Below 1e-12 activations were not divided by their sum (5.46 nats for .75), and then nothing was learned."""
    net = Fixed(size * torch.tensor([[0.2, 0.6], [0.1, 0.9]]))
    loss = capsules.probability_objective()(net, (X[:2], torch.tensor([0, 1])))
    assert loss.item() == pytest.approx(-(np.log(0.25) + np.log(0.9)) / 2, rel=1e-5)
    loss.backward()
    expected = np.array([[1 / 0.8 - 1 / 0.2, 1 / 0.8], [1.0, 1 - 1 / 0.9]]) / 2
    np.testing.assert_allclose(size * net.activations.grad.double().numpy(), expected, rtol=1e-4)


def test_a_small_part_of_the_sum_still_learns():
    net = Fixed(torch.tensor([[1e-20, 0.5], [0.0, 0.0]]))
    loss = capsules.probability_objective()(net, (X[:2], torch.tensor([0, 1])))
    smallest = np.log(np.finfo(np.float32).tiny)
    assert loss.item() == pytest.approx(-(np.log(2e-20) + smallest) / 2, rel=1e-5)
    loss.backward()
    assert net.activations.grad[0, 0].item() == pytest.approx(-0.5e20, rel=1e-3)
    assert net.activations.grad[1].tolist() == [0, 0]
    with pytest.raises(InputError, match="activations run from -1; their parts of the sum.*classifier_objective"):
        capsules.probability_objective()(Fixed(torch.tensor([[2.0, -1.0]])), (X[:1], torch.tensor([0])))


def test_labels_in_lists_and_a_digit_too_many():
    net, plain = small(), nn.Sequential(nn.Flatten(), nn.Linear(144, 3))
    for labels in (Y, PAIRS):
        found = [capsules.classifier_objective(plain, (X, form)).item() for form in (labels, labels.tolist())]
        assert found[0] == found[1]
    found = [capsules.capsule_objective()(net, (X, form, SOURCES)).item() for form in (PAIRS, PAIRS.tolist())]
    assert found[0] == found[1]
    with pytest.raises(InputError, match=r"labels has shape \[6, 3\]"):
        capsules.capsule_objective()(net, (X, torch.tensor([[0, 1, 2]] * 6), SOURCES))
    with pytest.raises(InputError, match="labels holds 1 values that are NaN"):
        capsules.decoded(net, torch.rand(1, 3, 5), [[np.nan, 0, 1]])
