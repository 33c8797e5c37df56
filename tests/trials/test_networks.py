"""Trainings and attacks: nothing learnt from nothing, known networks, and what must not matter."""

import tempfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector, vector_to_parameters

import deeptheory as dt
from trials.frame import Row, all_of, near, quick, same
from trials.rooms import chance, linear, pictures, same_in_any_room, small

c, N = dt.capsules, dt.networks


def attacked_at_chance(n):
    def check(rng, draws):
        errors = []
        for _ in range(draws):
            net, x, *_ = linear(rng, n)
            errors.append(100 - 100 * N.robustness(net, x, rng.integers(0, 2, n), epsilons=[0.0]).accuracy[0])
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
    net = N.seeded(lambda: nn.Linear(5, 2), int(rng.integers(2**31)))
    N.train(
        net, N.minibatches(x[:60], y[:60], batch=20), lambda m, b: F.cross_entropy(m(b[0]), b[1]), steps=30, lr=0.05
    )
    return 100 * float((net(x[60:]).argmax(1) != y[60:]).double().mean())


def linear_worst_case(attack, **how):
    """Closed form: right within epsilon where |s| > epsilon |w|_1."""

    def check(rng, draws):
        net, x, y, s, reach = linear(rng)
        epsilons = np.array([0.0, 0.02, 0.05, 0.1])
        found = N.robustness(net, x, y, epsilons=epsilons, attack=attack, **how)
        truth = [(np.abs(s) > e * reach).mean() for e in epsilons]
        return all_of(near(found.accuracy, truth, 0.011), near(found.accuracy + found.success, 1, 1e-12))

    return check


def linear_targets(rng, draws):
    net, x, y, s, reach = linear(rng)
    found = N.robustness(net, x, y, epsilons=[0.05], attack=N.pgd, targets=1 - y, restarts=1)
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
        *(
            near(N.robustness(net, x, y, epsilons=[0.0], attack=a, scores=by).accuracy, 1, 0)
            for a in (N.fgsm, N.bim, N.pgd)
        )
    )


def known_gradient(rng, draws):
    """Cross-entropy of (s, 0): the gradient by pixels is (p - t) w."""
    net, x, y, s, _ = linear(rng)
    p = 1 / (1 + np.exp(-s))
    truth = np.abs(p - (y == 0)) * np.abs(net.w.detach().numpy()).mean()
    found = N.gradient_profile(net, x, y)
    return all_of(near(found.size, truth, 1e-6), near(found.zeros, 0, 0))


def quadratic(rng, draws):
    """(w - a)^2 by plain gradient descent: w_k - a = (1 - 2 lr)^k (w_0 - a)."""
    net = N.seeded(lambda: nn.Linear(1, 1, bias=False), int(rng.integers(1000)))
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
        out += [
            near(nets.theta[s].detach(), theta, 1e-5),
            near(done.train_loss[s, 0], 0.5 * ((wide @ theta - y) ** 2).mean(), 1e-5),
        ]
    return all_of(*out)


def matched_by_hand(rng, draws):
    at = np.sort(rng.random(6))
    found = N.compare_at_equal_accuracy(
        (at, 2 * at), (at**2, at)
    )  # straight lines: the target is where the second ended
    return all_of(
        near(found.target, at[-1] ** 2, 1e-12),
        near(found.first, 2 * at[-1] ** 2, 1e-9),
        near(found.second, at[-1], 1e-12),
    )


def network_robustness(rng):
    net, (x, y) = small(3), pictures(rng)
    return lambda: (
        N.robustness(net, x, y, epsilons=[0.0, 0.05], attack=N.bim, steps=2, scores=N.logit_of_probability).accuracy
    )


def network_profile(rng):
    net, (x, y) = small(3), pictures(rng)
    return lambda: N.gradient_profile(net, x, y).size


def training_numbers(rng):
    x, y = torch.as_tensor(rng.normal(size=(60, 4)), dtype=torch.float32), torch.as_tensor(rng.integers(0, 2, 60))
    give, start = N.minibatches(x, y, batch=20), rng.normal(size=37)

    def measure():
        with torch.inference_mode(False):
            layers = (nn.Linear(4, 5, dtype=torch.float32), nn.Tanh(), nn.Linear(5, 2, dtype=torch.float32))
            net = nn.Sequential(*layers)
            vector_to_parameters(torch.as_tensor(start, dtype=torch.float32), net.parameters())
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


def resumed(engine):
    """A training that was stopped and gone on with has the bits of an unbroken one, and does no step twice."""

    def check(rng, draws):
        x, y = rng.normal(size=(60, 4)).astype(np.float32), rng.integers(0, 2, 60)
        told = []

        def run(folder=None, stop=None):
            told.clear()

            def progress(done, total):
                told.append(done)
                if done == stop:
                    raise KeyboardInterrupt

            if engine == "train":
                net = N.seeded(lambda: nn.Linear(4, 2), 1)
                give = N.minibatches(x, y, batch=20)
                loss = lambda m, b: F.cross_entropy(m(b[0]), b[1])  # noqa: E731
                log = N.train(
                    net, give, loss, steps=30, checkpoint=folder and N.Checkpoint(folder, 0), progress=progress
                )
                return np.concatenate([parameters_to_vector(net.parameters()).numpy(force=True), log.losses])
            nets = N.Population.mlp([4, 3, 2], seeds=[0, 4])
            how = {"epochs": 20, "batch": 16, "record_at": range(21), "engine": engine, "progress": progress}
            done = N.fit(nets, x, y, checkpoint=folder and N.Checkpoint(folder, 0), **how)
            return np.concatenate([parameters_to_vector(nets.parameters()).numpy(force=True), done.train_loss.ravel()])

        values, steps = [run()], []
        for stop in (1, 7, 19):
            with tempfile.TemporaryDirectory() as folder:
                with suppress(KeyboardInterrupt):
                    run(Path(folder) / "c", stop)
                steps.append(near(told[-1], stop, 0, "stopped: "))
                values.append(run(Path(folder) / "c"))
                steps.append(near(told[0], stop - (engine != "train"), 0, "goes on at: "))
        return all_of(same(values), *steps)

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


def counted(rng, draws):
    """Sabour et al. 2017: 8.2 and 6.8 million; Hinton et al. 2018: 310 and 68 thousand;
    specs/capsules.md has the sums."""
    given = [
        N.parameter_count(lambda: c.CapsuleNetwork()),
        N.parameter_count(lambda: c.CapsuleNetwork(reconstruction=False)),
        N.parameter_count(lambda: c.MatrixCapsuleNetwork()),
        N.parameter_count(lambda: c.MatrixCapsuleNetwork(types=(64, 8, 16, 16))),
    ]
    return near(given, [8_215_568 + 160, 6_804_224 + 160, 317_194, 68_754], 0)


ROWS = [
    Row("networks.robustness", "null", "labels by chance, 60 pictures", attacked_at_chance(60), 100, 1000),
    Row("networks.fit", "null", "coins for labels: held out, as often right as a coin", held_out_at_chance(fitted), 100,
        1000),
    Row("networks.train", "null", "coins for labels: held out, as often right as a coin", held_out_at_chance(trained),
        100, 1000),
    *(Row("networks.robustness", "truth", f"{name} on a linear network: closed form", linear_worst_case(a, **how))
        for name, a, how in (("fgsm", N.fgsm, {}), ("bim", N.bim, {"steps": 8}),
            ("strong", N.pgd, {"restarts": 1, "steps": 8}))),
    Row("networks.robustness", "truth", "strong, targeted, on a linear network", linear_targets),
    Row("networks.robustness", "truth", "nearest prototypes, judged by the scores that are attacked",
        perfect_by_scores),
    Row("networks.gradient_profile", "truth", "a linear network: (p - t) w", known_gradient),
    Row("networks.train", "truth", "a parabola by gradient descent: closed form", quadratic),
    Row("networks.fit", "truth", "least squares by gradient descent, numpy in float64", least_squares),
    Row("networks.compare_at_equal_accuracy", "truth", "straight lines", matched_by_hand),
    Row("networks.parameter_count", "truth", "the papers' networks, arithmetic", counted),
    Row("networks.robustness", "invariance", "default dtype, inference mode, threads",
        same_in_any_room(network_robustness)),
    Row("networks.gradient_profile", "invariance", "default dtype, inference mode, threads",
        same_in_any_room(network_profile)),
    Row("networks.train", "invariance", "default dtype, inference mode, threads", same_in_any_room(training_numbers)),
    *(Row("networks.fit", "invariance", f"default dtype, inference mode, threads; {e}",
        same_in_any_room(fit_numbers(e))) for e in ("handwritten", "autograd")),
    *(Row("networks.train" if e == "train" else "networks.fit", "invariance",
        f"stopped and gone on with: the bits of an unbroken one; {e}", resumed(e))
            for e in ("train", "handwritten", "autograd")),
    Row("networks.fit", "invariance", "companions: the same bits alone and among others", companions),
]  # fmt: skip

EXEMPT = {
    "networks.Population": "makes networks",
    "networks.seeded": "makes a network",
    "networks.minibatches": "gives rows back",
    "networks.predict": "gives the module's own numbers back; its laws are in tests/networks/single/test_modules.py",
    "networks.fgsm": "gives pictures; judged through robustness",
    "networks.bim": "gives pictures; judged through robustness",
    "networks.pgd": "gives pictures; judged through robustness",
    "networks.first_output": "picks an output",
    "networks.log_epochs": "in the row of capsules.spread_margin",
    "networks.face_resnet": "loads a network",
    "networks.noisy_cnn": "makes a network",
}


@quick(ROWS)
def test_trial(row):
    found = row.run()
    assert found.held, f"{row.name}: {found.measured}; needed {found.needed}"
