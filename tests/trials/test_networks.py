"""Trainings, attacks, losses and error rates: nothing learnt from nothing, known networks, and what must not matter."""

import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import deeptheory as dt
from trials.frame import Found, Row, all_of, near, quick, refused, same, uniform

c, N = dt.capsules, dt.networks
DTYPES = (torch.float32, torch.float64, torch.bfloat16)


@contextmanager
def ambient(dtype=torch.float32, inference=False, threads=1):
    """torch's default dtype, inference mode and threads, as a stranger may have set them."""
    before = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(dtype)
    torch.set_num_threads(threads)
    try:
        with torch.inference_mode(inference):
            yield
    finally:
        torch.set_default_dtype(before[0])
        torch.set_num_threads(before[1])


AMBIENTS = [*({"dtype": d} for d in DTYPES), {"inference": True}, {"threads": 2}]


class Scores(nn.Module):
    """The scores that were given, by the first pixel, which numbers the picture."""

    def __init__(self, scores):
        super().__init__()
        self.scores = nn.Parameter(torch.as_tensor(scores, dtype=torch.float32), requires_grad=False)

    def forward(self, images):
        return self.scores[images[:, 0, 0, 0].round().long()]


def numbered(n):
    return torch.arange(n, dtype=torch.float32)[:, None, None, None]


class Linear(nn.Module):
    """Scores (w . (x - 1/2), 0): within epsilon the worst moves the first by epsilon |w|_1."""

    def __init__(self, w):
        super().__init__()
        self.w = nn.Parameter(torch.as_tensor(w, dtype=torch.float32))

    def forward(self, x):
        s = (x.flatten(1) - 0.5) @ self.w
        return torch.stack([s, torch.zeros_like(s)], 1)


def linear(rng, n=200, d=9):
    """A network, pictures clear of the pixels' bounds, labels as it says, and its scores."""
    w = rng.normal(size=d)
    x = rng.uniform(0.35, 0.65, (n, 1, 1, d)).astype(np.float32)
    s = (x.reshape(n, d) - 0.5) @ w
    return Linear(w), x, (s < 0).astype(int), s, np.abs(w).sum()


def small(seed, **how):
    kernels = {"channels": 6, "kernel_size": 3, "primary_types": 2, "primary_dim": 4, "primary_kernel": 3, "dim": 5}
    # in plain torch: the trials of routing hold the kernels to it
    return N.build(lambda: c.CapsuleNetwork((1, 10, 10), 4, decoder=(8, 9), backend="eager", **kernels, **how), seed)


def pictures(rng, n=24, classes=4):
    return torch.as_tensor(rng.random((n, 1, 10, 10)), dtype=torch.float32), torch.as_tensor(
        rng.integers(0, classes, n)
    )


# --- chance


def chance(p_right, errors, draws, n):
    from scipy.stats import binomtest

    return uniform([binomtest(round(n * (100 - e) / 100), n, p_right).pvalue for e in errors])


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


def attacked_at_chance(n):
    def check(rng, draws):
        errors = []
        for _ in range(draws):
            net, x, *_ = linear(rng, n)
            errors.append(100 - 100 * N.robustness(net, x, rng.integers(0, 2, n), [0.0]).accuracy[0])
        return chance(0.5, errors, draws, n)

    return check


def held_out_at_chance(learn):
    """Labels that are coins: what is held out is right as often as a coin."""

    def check(rng, draws):
        errors = [learn(rng) for _ in range(draws)]
        return chance(0.5, errors, draws, 40)

    return check


def fitted(rng):
    x, y = rng.normal(size=(100, 5)).astype(np.float32), rng.integers(0, 2, 100)
    nets = N.Population.mlp([5, 4, 2], seeds=[int(rng.integers(2**31))])
    done = N.fit(nets, x, y, epochs=30, lr=0.02, batch=20, train_fraction=0.6, record_at=[30])
    return 100 * (1 - done.test_accuracy[0, 0])


def trained(rng):
    x, y = torch.as_tensor(rng.normal(size=(100, 5)), dtype=torch.float32), torch.as_tensor(rng.integers(0, 2, 100))
    net = N.build(lambda: nn.Linear(5, 2), int(rng.integers(2**31)))
    N.train(
        net, N.minibatches(x[:60], y[:60], batch=20), lambda m, b: F.cross_entropy(m(b[0]), b[1]), steps=30, lr=0.05
    )
    return 100 * float((net(x[60:]).argmax(1) != y[60:]).double().mean())


# --- known networks


def linear_worst_case(attack, **how):
    """Closed form: right within epsilon where |s| > epsilon |w|_1."""

    def check(rng, draws):
        net, x, y, s, reach = linear(rng)
        epsilons = np.array([0.0, 0.02, 0.05, 0.1])
        found = N.robustness(net, x, y, epsilons, attack, **how)
        truth = [(np.abs(s) > e * reach).mean() for e in epsilons]
        return all_of(near(found.accuracy, truth, 0.011), near(found.accuracy + found.success, 1, 1e-12))

    return check


def linear_targets(rng, draws):
    net, x, y, s, reach = linear(rng)
    found = N.robustness(net, x, y, [0.05], N.strong, targets=1 - y, restarts=1)
    return near(found.success, (np.abs(s) < 0.05 * reach).mean(), 0.011)


def perfect_by_scores(rng, draws):
    """Nearest prototypes: the smallest distance answers; every picture is right by those scores."""
    at = nn.Parameter(torch.as_tensor(rng.random((5, 16)), dtype=torch.float32))
    net = nn.Sequential(nn.Flatten())
    net.register_parameter("at", at)
    x = torch.as_tensor(rng.random((60, 1, 4, 4)), dtype=torch.float32)
    by = lambda o: -torch.cdist(o, at)  # noqa: E731
    y = by(x.flatten(1)).argmax(1)
    return all_of(
        *(near(N.robustness(net, x, y, [0.0], a, scores=by).accuracy, 1, 0) for a in (N.fgsm, N.bim, N.strong))
    )


def known_gradient(rng, draws):
    """Cross-entropy of (s, 0): the gradient by pixels is (p - t) w."""
    net, x, y, s, _ = linear(rng)
    p = 1 / (1 + np.exp(-s))
    truth = np.abs(p - (y == 0)) * np.abs(net.w.detach().numpy()).mean()
    found = N.gradient_profile(net, x, y)
    return all_of(near(found.size, truth, 1e-6), near(found.zeros, 0, 0))


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


def quadratic(rng, draws):
    """(w - a)^2 by plain gradient descent: w_k - a = (1 - 2 lr)^k (w_0 - a)."""
    net = N.build(lambda: nn.Linear(1, 1, bias=False), int(rng.integers(1000)))
    start, a = float(net.weight.detach()), float(rng.normal())
    log = N.train(
        net, lambda k, g: None, lambda m, b: (m.weight - a).square().sum(), steps=20, optimizer="sgd", lr=0.05
    )
    truth = (start - a) * 0.9 ** np.arange(21)
    return all_of(near(float(net.weight.detach()) - a, truth[-1], 1e-6), near(log.losses, truth[:-1] ** 2, 1e-5))


def least_squares(rng, draws):
    """One linear layer, half the squared error, full batch: gradient descent's closed form by numpy in float64."""
    x, y = rng.normal(size=(40, 3)), rng.normal(size=40)
    nets = N.Population.mlp([3, 1], seeds=[0, 5], head="linear", init="xavier")
    start = nets.theta.detach().double().numpy()
    done = N.fit(nets, x, y, epochs=25, lr=0.1, optimizer="sgd", batch=None, train_fraction=1.0, record_at=[25])
    wide, out = np.hstack([x, np.ones((40, 1))]), []
    for s, theta in enumerate(start):
        for _ in range(25):
            theta = theta - 0.1 * wide.T @ (wide @ theta - y) / 40
        out += [near(nets.theta[s].detach(), theta, 1e-5), near(done.train_loss[s, 0], 0.5 * ((wide @ theta - y) ** 2).mean(), 1e-5)]  # fmt: skip
    return all_of(*out)


def matched_by_hand(rng, draws):
    at = np.sort(rng.random(6))
    found = N.matched((at, 2 * at), (at**2, at))  # straight lines: the target is where the second ended
    return all_of(near(found.target, at[-1] ** 2, 1e-12), near(found.first, 2 * at[-1] ** 2, 1e-9), near(found.second, at[-1], 1e-12))  # fmt: skip


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
    """Widths drawn anew for each picture: R2 has the mean 1 / (m (k - 1)) of one slope among m (k - 1) free numbers."""
    found = [
        perturbed(bars(2 * rng.integers(2, 15, 22)).reshape(2, 1, 11, 40, 40)).explained()[0, 0] for _ in range(draws)
    ]
    return near(np.mean(found), 1 / 20, 4 * np.std(found) / np.sqrt(draws) + 1e-3)


def overlap_of_boxes(rng, draws):
    a = np.zeros((3, 2, 20, 20), np.uint8)
    a[:, 0, 2:10, 2:10] = 255
    for k, (row, column) in enumerate(((2, 2), (2, 6), (12, 12))):
        a[k, 1, row : row + 8, column : column + 8] = 255
    drawn = dt.datasets.Overlaid(images=a.max(1), sources=a, labels=np.zeros((3, 2)))
    return near(drawn.overlap, [1, 0.5, 0], 1e-12)


# --- what must not matter


def same_in_any_room(number, within=1e-5, rooms=AMBIENTS):
    """number(rng) under torch's other default dtypes, in inference mode, with two threads; networks are made before."""

    def check(rng, draws):
        measure = number(rng)
        values = [np.asarray(measure(), float)]
        for room in rooms:
            with ambient(**room):
                values.append(np.asarray(measure(), float))
        return same(values, within)

    return check


def network_error(rng):
    net, (x, y) = small(3), pictures(rng)
    return lambda: c.error_rate(net, x, y)


def network_robustness(rng):
    net, (x, y) = small(3), pictures(rng)
    return lambda: N.robustness(net, x, y, [0.0, 0.05], N.bim, steps=2, scores=N.logit_of_probability).accuracy


def network_profile(rng):
    net, (x, y) = small(3), pictures(rng)
    return lambda: N.gradient_profile(net, x, y).size


def objective_value(make):
    def number(rng):
        net, (x, y) = small(3), pictures(rng)
        return lambda: float(make()(net, (x, y, 3)[: 2 if make is c.capsule_objective else 3]).detach())

    return number


def training_numbers(rng):
    x, y = torch.as_tensor(rng.normal(size=(60, 4)), dtype=torch.float32), torch.as_tensor(rng.integers(0, 2, 60))
    give, start = N.minibatches(x, y, batch=20), rng.normal(size=37)

    def measure():
        with torch.inference_mode(False):
            layers = (nn.Linear(4, 5, dtype=torch.float32), nn.Tanh(), nn.Linear(5, 2, dtype=torch.float32))
            net = N.set_weights(nn.Sequential(*layers), start)
        return N.train(net, give, lambda m, b: F.cross_entropy(m(b[0]), b[1]), steps=12, lr=0.02).losses

    return measure


def fit_numbers(engine):
    def number(rng):
        x, y = rng.normal(size=(60, 4)).astype(np.float32), rng.integers(0, 2, 60)

        def measure():
            with torch.inference_mode(False):
                nets = N.Population.mlp([4, 3, 2], seeds=[0, 4])
            return N.fit(nets, x, y, epochs=5, lr=0.02, batch=16, engine=engine, record_at=[5]).train_loss

        return measure

    return number


def batches_and_order(rng, draws):
    net, (x, y) = small(3), pictures(rng)
    turn = torch.as_tensor(rng.permutation(len(x)))
    errors = [c.error_rate(net, x, y, batch=b) for b in (256, 1, 7)] + [c.error_rate(net, x[turn], y[turn])]
    other = [c.error_rate(net, x.double().numpy(), y.int().numpy()), c.error_rate(net, x.bfloat16().float(), y)]
    how = {"attack": N.bim, "steps": 2, "scores": N.logit_of_probability}
    attacked = [N.robustness(net, x, y, [0.05], batch=b, **how).accuracy for b in (128, 1, 7)]
    attacked.append(N.robustness(net, x[turn], y[turn], [0.05], **how).accuracy)
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


def resumed(engine):
    """A training that was stopped and gone on with has the bits of an unbroken one."""

    def check(rng, draws):
        x, y = rng.normal(size=(60, 4)).astype(np.float32), rng.integers(0, 2, 60)

        def run(folder=None, stop=None):
            def progress(done, total):
                if done == stop:
                    raise KeyboardInterrupt

            if engine == "train":
                net = N.build(lambda: nn.Linear(4, 2), 1)
                give = N.minibatches(x, y, batch=20)
                loss = lambda m, b: F.cross_entropy(m(b[0]), b[1])  # noqa: E731
                log = N.train(net, give, loss, steps=30, checkpoint=folder, checkpoint_seconds=0, progress=progress)
                return np.concatenate([N.weights(net), log.losses])
            nets = N.Population.mlp([4, 3, 2], seeds=[0, 4])
            how = {"epochs": 20, "batch": 16, "record_at": range(21), "engine": engine, "progress": progress}
            done = N.fit(nets, x, y, checkpoint=folder, checkpoint_seconds=0, **how)
            return np.concatenate([N.weights(nets), done.train_loss.ravel()])

        values = [run()]
        for stop in (1, 7, 19):
            with tempfile.TemporaryDirectory() as folder:
                with suppress(KeyboardInterrupt):
                    run(Path(folder) / "c", stop)
                values.append(run(Path(folder) / "c"))
        return same(values)

    return check


def companions(rng, draws):
    """A network alone, first, or last among others: the same bits."""
    x, y = rng.normal(size=(60, 4)).astype(np.float32), rng.integers(0, 2, 60)
    out = []
    for seeds in ([7], [7, 1], [2, 3, 7]):
        nets = N.Population.mlp([4, 3, 2], seeds=seeds)
        N.fit(nets, x, y, epochs=5, lr=0.02, batch=16)
        out.append(nets.theta[seeds.index(7)].detach())
    return same(out)


def pixels_of_either_kind(rng, draws):
    """Bytes and floats in [0, 1] of the same digits: the same pictures to half a grey level."""
    images, y = rng.integers(0, 256, (12, 8, 8)).astype(np.uint8), np.arange(12) % 3
    seeds = lambda: np.random.default_rng(5)  # noqa: E731
    D = dt.datasets
    out = []
    for kind in (np.float32, np.float64):
        floats = (images / 255).astype(kind)
        a, b = D.overlaid(images, y, 9, seeds()), D.overlaid(floats, y, 9, seeds())
        out += [
            near(b.images, a.images / 255, 1e-6),
            near(b.sources, a.sources / 255, 1e-6),
            near(b.overlap, a.overlap, 0),
        ]
        out.append(near(D.affine(floats, seeds(), size=12), D.affine(images, seeds(), size=12) / 255, 0.51 / 255))
        out.append(near(D.scaled(floats, 2), D.scaled(images, 2), 1e-6))
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
    found += [refused(lambda v=v: N.robustness(net, x, v, [0.0]), match) for match, v in bad.items()]
    found += [refused(lambda v=v: c.margin_loss(net(x).lengths, torch.as_tensor(v)), match) for match, v in bad.items()]
    return all_of(*found)


def counted(rng, draws):
    """Sabour et al. 2017: 8.2 and 6.8 million; Hinton et al. 2018: 310 and 68 thousand; specs/capsules.md has the sums."""
    given = [N.count(lambda: c.CapsuleNetwork()), N.count(lambda: c.CapsuleNetwork(reconstruction=False)), N.count(lambda: c.MatrixCapsuleNetwork()), N.count(lambda: c.MatrixCapsuleNetwork(types=(64, 8, 16, 16)))]  # fmt: skip
    return near(given, [8_215_568 + 160, 6_804_224 + 160, 317_194, 68_754], 0)


def schedules(rng, draws):
    told = [c.spread_margin(200_000), c.spread_margin(5, 10), c.spread_margin(5, 10, schedule="paper")]
    return all_of(near(told, [0.595, 0.595, 0.55], 1e-12), near(len(N.log_epochs(8000, 400)), 274, 0))


def flat_beyond_margins(rng, draws):
    """Nothing left to learn: loss and gradient are 0 where every margin is kept, however far."""
    found = []
    for k in (2, 5, 10):
        y = torch.as_tensor(rng.integers(0, k, 20))
        v = torch.where(F.one_hot(y, k).bool(), 0.9 + 0.1 * torch.rand(20, k), 0.1 * torch.rand(20, k)).requires_grad_()
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
    return all_of(near(found, np.sqrt((u**2).sum(-1)), 1e-12), Found(str(zero.grad.abs().max()), "0", bool((zero.grad == 0).all())))  # fmt: skip


ROWS = [
    *(Row("capsules.error_rate", "null", f"labels by chance, {n} pictures, {k} classes, {m} present", error_at_chance(n, k, m), 100, 1000) for n, k, m in ((20, 2, 1), (60, 3, 1), (200, 10, 1), (60, 4, 2))),
    Row("networks.robustness", "null", "labels by chance, 60 pictures", attacked_at_chance(60), 100, 1000),
    Row("networks.fit", "null", "coins for labels: held out, as often right as a coin", held_out_at_chance(fitted), 100, 1000),
    Row("networks.train", "null", "coins for labels: held out, as often right as a coin", held_out_at_chance(trained), 100, 1000),
    Row("capsules.margin_loss", "null", "nothing left to learn: 0, and so is the gradient; spread_loss too", flat_beyond_margins),
    Row("capsules.Perturbation.explained", "null", "widths that do not depend on the offset", width_by_nothing, 200, 2000),
    Row("capsules.error_rate", "truth", "labels as numbers, floats, one-hot, of 2, 3, 7 classes", labels_of_every_form),
    Row("capsules.error_rate", "truth", "labels that say nothing are refused; robustness and margin_loss too", labels_refused),
    *(Row("networks.robustness", "truth", f"{name} on a linear network: closed form", linear_worst_case(a, **how)) for name, a, how in (("fgsm", N.fgsm, {}), ("bim", N.bim, {"steps": 8}), ("strong", N.strong, {"restarts": 1, "steps": 8}))),
    Row("networks.robustness", "truth", "strong, targeted, on a linear network", linear_targets),
    Row("networks.robustness", "truth", "nearest prototypes, judged by the scores that are attacked", perfect_by_scores),
    Row("networks.gradient_profile", "truth", "a linear network: (p - t) w", known_gradient),
    Row("networks.train", "truth", "a parabola by gradient descent: closed form", quadratic),
    Row("networks.fit", "truth", "least squares by gradient descent, numpy in float64", least_squares),
    Row("networks.matched", "truth", "straight lines", matched_by_hand),
    Row("networks.count", "truth", "the papers' networks, arithmetic", counted),
    Row("capsules.spread_margin", "truth", "both schedules, half way; log_epochs of the released code", schedules),
    Row("capsules.margin_loss", "truth", "eq. 4 in numpy, labels in three forms, both conventions", margin_formula),
    Row("capsules.spread_loss", "truth", "eq. 3 in numpy", spread_formula),
    Row("capsules.Lengths", "truth", "root of the sum of squares; gradient 0 at 0", lengths_formula),
    Row("capsules.ink_width", "truth", "bars: four standard deviations of a uniform", bar_width),
    Row("capsules.Perturbation.explained", "truth", "one number is the width, another does nothing", width_by_one_number),
    Row("datasets.Overlaid.overlap", "truth", "boxes that coincide, half overlap, are apart", overlap_of_boxes),
    Row("datasets.paired_images", "truth", "correlation of the normal scores of the numbers drawn", drawn_information),
    Row("capsules.error_rate", "invariance", "size of batches, order, dtype; robustness and gradient_profile too", batches_and_order),
    Row("capsules.error_rate", "invariance", "default dtype, inference mode, threads", same_in_any_room(network_error)),
    Row("networks.robustness", "invariance", "default dtype, inference mode, threads", same_in_any_room(network_robustness)),
    Row("networks.gradient_profile", "invariance", "default dtype, inference mode, threads", same_in_any_room(network_profile)),
    *(Row(f"capsules.{name}", "invariance", "default dtype, inference mode, threads", same_in_any_room(objective_value(make))) for name, make in (("capsule_objective", c.capsule_objective), ("spread_objective", lambda: c.spread_objective(10)), ("probability_objective", lambda: c.probability_objective("cross-entropy")))),
    Row("capsules.margin_loss", "invariance", "order of examples, dtype of lengths and labels; spread_loss too", losses_by_order_and_scale_of_type),
    Row("networks.train", "invariance", "default dtype, inference mode, threads", same_in_any_room(training_numbers)),
    *(Row("networks.fit", "invariance", f"default dtype, inference mode, threads; {e}", same_in_any_room(fit_numbers(e))) for e in ("handwritten", "autograd")),
    *(Row("networks.train" if e == "train" else "networks.fit", "invariance", f"stopped and gone on with: the bits of an unbroken one; {e}", resumed(e)) for e in ("train", "handwritten", "autograd")),
    Row("networks.fit", "invariance", "companions: the same bits alone and among others", companions),
    Row("datasets.overlaid", "invariance", "bytes or floats in [0, 1]; affine and scaled too", pixels_of_either_kind),
]  # fmt: skip

EXEMPT = {
    "networks.Population": "makes networks",
    "networks.build": "makes a network",
    "networks.minibatches": "gives rows back",
    "networks.outputs": "gives the module's own numbers back; its laws are in tests/networks/test_modules.py",
    "networks.weights": "copies numbers; tests/networks/test_modules.py",
    "networks.set_weights": "copies numbers; tests/networks/test_modules.py",
    "networks.fgsm": "gives pictures; judged through robustness",
    "networks.bim": "gives pictures; judged through robustness",
    "networks.strong": "gives pictures; judged through robustness",
    "networks.first_output": "picks an output",
    "networks.log_epochs": "in the row of capsules.spread_margin",
    "networks.face_resnet": "loads a network",
    "networks.noisy_cnn": "makes a network",
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
