"""Capsules' losses, objectives and error rates, and the pictures they are trained on: chance, formulas,
and what must not matter."""

import numpy as np
import torch
from torch.nn import functional as F

import deeptheory as dt
from trials.frame import Found, Row, all_of, near, quick, refused, same
from trials.rooms import Scores, chance, numbered, pictures, same_in_any_room, small

c, N = dt.capsules, dt.networks


def error_at_chance(n, classes, present):
    def check(rng, draws):
        from math import comb

        errors = []
        for _ in range(draws):
            several = np.stack([rng.permutation(classes)[:present] for _ in range(n)])
            labels = several[:, 0] if present == 1 else several
            errors.append(c.error_rate(Scores(rng.normal(size=(n, classes))), numbered(n), labels))
        return chance(1 / comb(classes, present), errors, draws, n)

    return check


def labels_of_every_form(rng, draws):
    out = []
    for classes in (2, 3, 7):
        y = rng.integers(0, classes, 50)
        scores = rng.random((50, classes))
        truth = 100 * (scores.argmax(1) != y).mean()
        for form in (y, y.astype(np.int32), y.astype(float), np.eye(classes)[y], np.eye(classes, dtype=int)[y]):
            out.append(near(c.error_rate(Scores(scores), numbered(50), form), truth, 1e-12))
    return all_of(*out)


def margin_formula(rng, draws):
    out = []
    for k in (2, 5, 10):
        v, y = rng.random((30, k)), rng.integers(0, k, 30)
        t = np.eye(k)[y]
        each = t * np.maximum(0, 0.9 - v) ** 2 + 0.5 * (1 - t) * np.maximum(0, v - 0.1) ** 2
        given = torch.as_tensor(v)
        for labels in (torch.as_tensor(y), torch.as_tensor(t), torch.as_tensor(t).long()):
            out.append(near(c.margin_loss(given, labels), each.sum(1).mean(), 1e-12))
            out.append(near(c.margin_loss(given, labels, convention="reference_code"), 0.5 * each.mean(), 1e-12))
    return all_of(*out)


def spread_formula(rng, draws):
    out = []
    for k, m in ((2, 0.2), (5, 0.5), (10, 0.9)):
        a, y = rng.random((30, k)), rng.integers(0, k, 30)
        right = a[np.arange(30), y][:, None]
        each = np.maximum(0, m - (right - a)) ** 2 * (1 - np.eye(k)[y])
        out.append(near(c.spread_loss(torch.as_tensor(a), torch.as_tensor(y), m), each.sum(1).mean(), 1e-12))
    return all_of(*out)


def bars(widths, size=40):
    """[n, size, size]: an upright bar of ink of each width, in whole pixels."""
    return np.stack(
        [np.tile((np.abs(np.arange(size) - size / 2 + 0.5) < w / 2).astype(float), (size, 1)) for w in widths]
    )


def bar_width(rng, draws):
    w = np.array([2, 6, 10, 20])
    return near(c.ink_width(bars(w)), 4 * np.sqrt((w**2 - 1) / 12), 1e-9)


def perturbed(drawings):
    k = drawings.shape[2]
    return c.Perturbation(drawings=drawings, offsets=np.linspace(-0.25, 0.25, k), winners=np.zeros(len(drawings), int))


def width_by_one_number(rng, draws):
    """The first number sets the width of a bar, the second does nothing."""
    first = np.stack([bars(2 * np.arange(3, 14) + 2 * b) for b in range(3)])
    both = np.stack([first, np.broadcast_to(first[:, :1], first.shape)], 1)
    found = perturbed(both).explained()[0]
    return all_of(near(found[0], 1, 0.001), near(found[1], 0, 0))


def width_by_nothing(rng, draws):
    """Widths drawn again for each picture: R2 has the mean 1 / (m (k - 1)) of one slope among m (k - 1) free
    numbers."""
    found = [
        perturbed(bars(2 * rng.integers(2, 15, 22)).reshape(2, 1, 11, 40, 40)).explained()[0, 0] for _ in range(draws)
    ]
    return near(np.mean(found), 1 / 20, 4 * np.std(found) / np.sqrt(draws) + 1e-3)


def overlap_of_boxes(rng, draws):
    a = np.zeros((3, 2, 20, 20), np.uint8)
    a[:, 0, 2:10, 2:10] = 255
    for k, (row, column) in enumerate(((2, 2), (2, 6), (12, 12))):
        a[k, 1, row : row + 8, column : column + 8] = 255
    drawn = dt.datasets.MultiDigit(images=a.max(1), sources=a, labels=np.zeros((3, 2)))
    return near(drawn.overlap, [1, 0.5, 0], 1e-12)


def network_error(rng):
    net, (x, y) = small(3), pictures(rng)
    return lambda: c.error_rate(net, x, y)


def objective_value(make):
    def number(rng):
        net, (x, y) = small(3), pictures(rng)
        return lambda: float(make()(net, (x, y, 3)[: 2 if make is c.capsule_objective else 3]).detach())

    return number


def objectives_by_hand(rng, draws):
    """Each objective's value from the network's own lengths and drawings, in numpy."""
    net, (x, y) = small(3), pictures(rng)
    given = net(x, y)
    v, t = N.first_output(given).detach().double().numpy(), np.eye(4)[y.numpy()]
    margin = (t * np.maximum(0, 0.9 - v) ** 2 + 0.5 * (1 - t) * np.maximum(0, v - 0.1) ** 2).sum(1).mean()
    drawn = (
        (given.reconstruction.detach().double().numpy().reshape(24, -1) - x.numpy().reshape(24, -1)) ** 2
    ).sum() / 24
    right = (v * t).sum(1, keepdims=True)
    m = c.spread_margin(3, 10)
    spread = (np.maximum(0, m - (right - v)) ** 2 * (1 - t)).sum(1).mean()
    cross = -np.log(right[:, 0] / v.sum(1)).mean()
    known = {
        c.capsule_objective(): margin + 0.0005 * drawn,
        c.capsule_objective(reconstruction=0.1): margin + 0.1 * drawn,
        c.spread_objective(10): spread,
        c.probability_objective("cross-entropy"): cross,
        c.probability_objective("margin"): margin,
    }
    found = []
    for k, (objective, value) in enumerate(known.items()):
        batch = (x, y) if k < 2 else (x, y, 3)
        found.append(near(float(objective(net, batch).detach()) / value, 1, 1e-5))
    return all_of(*found)


def batches_and_order(rng, draws):
    net, (x, y) = small(3), pictures(rng)
    turn = torch.as_tensor(rng.permutation(len(x)))
    errors = [c.error_rate(net, x, y, batch=b) for b in (256, 1, 7)] + [c.error_rate(net, x[turn], y[turn])]
    other = [c.error_rate(net, x.double().numpy(), y.int().numpy()), c.error_rate(net, x.bfloat16().float(), y)]
    how = {"attack": N.bim, "steps": 2, "scores": N.logit_of_probability}
    attacked = [N.robustness(net, x, y, epsilons=[0.05], batch=b, **how).accuracy for b in (128, 1, 7)]
    attacked.append(N.robustness(net, x[turn], y[turn], epsilons=[0.05], **how).accuracy)
    sizes = [N.gradient_profile(net, x, y, batch=b).size for b in (128, 5)]
    sizes.append(N.gradient_profile(net, x[turn], y[turn]).size[np.argsort(turn.numpy())])
    return all_of(
        same(errors, 1e-9), same(other, 100 / len(x) + 1e-9), same(attacked, 1 / len(x) + 1e-9), same(sizes, 1e-8)
    )


def losses_by_order_and_scale_of_type(rng, draws):
    v, y = torch.as_tensor(rng.random((20, 6)), dtype=torch.float32), torch.as_tensor(rng.integers(0, 6, 20))
    turn = torch.as_tensor(rng.permutation(20))
    out = []
    for loss in (c.margin_loss, lambda a, b: c.spread_loss(a, b, 0.5)):
        values = [loss(v, y), loss(v[turn], y[turn]), loss(v.double(), y.int()), loss(v.double(), y.double())]
        out.append(same([float(x) for x in values], 1e-6))
    return all_of(*out)


def pixels_of_either_kind(rng, draws):
    """Bytes and floats in [0, 1] of the same digits: the same pictures to half a gray level."""
    images, y = rng.integers(0, 256, (12, 8, 8)).astype(np.uint8), np.arange(12) % 3
    D = dt.datasets
    out = []
    for kind in (np.float32, np.float64):
        floats = (images / 255).astype(kind)
        a, b = D.multi_digit(images, y, 9, seed=5), D.multi_digit(floats, y, 9, seed=5)
        out += [
            near(b.images, a.images / 255, 1e-6),
            near(b.sources, a.sources / 255, 1e-6),
            near(b.overlap, a.overlap, 0),
        ]
        out.append(
            near(D.random_affine(floats, seed=5, size=12), D.random_affine(images, seed=5, size=12) / 255, 0.51 / 255)
        )
        out.append(near(D.downsample(floats, 2), D.downsample(images, 2), 1e-6))
    return all_of(*out)


def labels_refused(rng, draws):
    """What does not say of each picture which class it has gives no number."""
    net, (x, _) = small(3), pictures(rng)
    bad = {
        "shape": np.zeros(1),
        "run from": np.full(24, 4),
        "hold": np.full(24, 0.5),
        "start at 0|run from": np.full(24, -1),
    }
    found = [refused(lambda v=v: c.error_rate(net, x, v), match) for match, v in bad.items()]
    found += [refused(lambda v=v: N.robustness(net, x, v, epsilons=[0.0]), match) for match, v in bad.items()]
    found += [refused(lambda v=v: c.margin_loss(net(x).lengths, torch.as_tensor(v)), match) for match, v in bad.items()]
    return all_of(*found)


def schedules(rng, draws):
    told = [c.spread_margin(200_000), c.spread_margin(5, 10), c.spread_margin(5, 10, schedule="paper")]
    return all_of(near(told, [0.595, 0.595, 0.55], 1e-12), near(len(N.log_epochs(8000, 400)), 274, 0))


def flat_beyond_margins(rng, draws):
    """Nothing left to learn: loss and gradient are 0 where every margin is kept, however far."""
    found = []
    for k in (2, 5, 10):
        y = torch.as_tensor(rng.integers(0, k, 20))
        a, b = torch.as_tensor(rng.random((2, 20, k)), dtype=torch.float32)
        v = torch.where(F.one_hot(y, k).bool(), 0.9 + 0.1 * a, 0.1 * b).requires_grad_()
        for loss in (c.margin_loss(v, y), c.spread_loss(v, y, 0.8)):
            found.append(near([float(loss.detach()), float(torch.autograd.grad(loss, v)[0].abs().max())], 0, 0))
    return all_of(*found)


def drawn_information(rng, draws):
    """The normal scores of the numbers behind the pictures: I = -1/2 log2(1 - r^2) for each of two pairs."""
    from scipy.special import ndtri

    found = []
    for bits in (0.0, 1.0, 4.0):
        data = dt.datasets.paired_images("rectangles", bits, 4000, size=4, seed=int(rng.integers(1000)))
        r = [np.corrcoef(ndtri(data.numbers_x[:, k]), ndtri(data.numbers_y[:, k]))[0, 1] for k in (0, 1)]
        found.append(near(-0.5 * np.log2(1 - np.square(r)).sum(), data.mutual_information, 0.15))
    return all_of(*found)


def lengths_formula(rng, draws):
    u = rng.normal(size=(5, 7, 3))
    found = c.Lengths()(torch.as_tensor(u))
    zero = torch.zeros(1, 2, 3, requires_grad=True)
    c.Lengths()(zero).sum().backward()
    return all_of(
        near(found, np.sqrt((u**2).sum(-1)), 1e-12),
        Found(str(zero.grad.abs().max()), "0", bool((zero.grad == 0).all())),
    )


ROWS = [
    *(Row("capsules.error_rate", "null", f"labels by chance, {n} pictures, {k} classes, {m} present",
        error_at_chance(n, k, m), 100, 1000) for n, k, m in ((20, 2, 1), (60, 3, 1), (200, 10, 1), (60, 4, 2))),
    Row("capsules.margin_loss", "null", "nothing left to learn: 0, and so is the gradient; spread_loss too",
        flat_beyond_margins),
    Row("capsules.Perturbation.explained", "null", "widths that do not depend on the offset", width_by_nothing, 200,
        2000),
    Row("capsules.error_rate", "truth", "labels as numbers, floats, one-hot, of 2, 3, 7 classes", labels_of_every_form),
    Row("capsules.error_rate", "truth", "labels that say nothing are refused; robustness and margin_loss too",
        labels_refused),
    Row("capsules.spread_margin", "truth", "both schedules, half way; log_epochs of the released code", schedules),
    Row("capsules.margin_loss", "truth", "eq. 4 in numpy, labels in three forms, both conventions", margin_formula),
    Row("capsules.spread_loss", "truth", "eq. 3 in numpy", spread_formula),
    Row("capsules.Lengths", "truth", "root of the sum of squares; gradient 0 at 0", lengths_formula),
    Row("capsules.ink_width", "truth", "bars: four standard deviations of a uniform", bar_width),
    Row("capsules.Perturbation.explained", "truth", "one number is the width, another does nothing",
        width_by_one_number),
    Row("datasets.MultiDigit.overlap", "truth", "boxes that coincide, half overlap, are apart", overlap_of_boxes),
    Row("datasets.paired_images", "truth", "correlation of the normal scores of the numbers drawn", drawn_information),
    Row("capsules.error_rate", "invariance", "size of batches, order, dtype; robustness and gradient_profile too",
        batches_and_order),
    Row("capsules.error_rate", "invariance", "default dtype, inference mode, threads", same_in_any_room(network_error)),
    *(Row(f"capsules.{name}", "invariance", "default dtype, inference mode, threads",
        same_in_any_room(objective_value(make)))
            for name, make in (("capsule_objective", c.capsule_objective),
                ("spread_objective", lambda: c.spread_objective(10)),
                ("probability_objective", lambda: c.probability_objective("cross-entropy")))),
    *(Row(f"capsules.{name}", "truth", "lengths and drawings of a network, in numpy; of all three", objectives_by_hand)
        for name in ("capsule_objective", "spread_objective", "probability_objective")),
    Row("capsules.margin_loss", "invariance", "order of examples, dtype of lengths and labels; spread_loss too",
        losses_by_order_and_scale_of_type),
    Row("datasets.multi_digit", "invariance", "bytes or floats in [0, 1]; random_affine and downsample too",
        pixels_of_either_kind),
]  # fmt: skip

EXEMPT = {
    "capsules.decoded": "gives drawings; tests/capsules/test_objectives.py",
    "capsules.perturb": "gives drawings; its numbers are Perturbation.explained and ink_width",
    "capsules.hinton_cnn": "makes a network",
    "capsules.multimnist_cnn": "makes a network",
    "capsules.sabour_cnn": "makes a network",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
