"""A checkpoint is gone on with by the same arguments and by no others: every one of them, changed alone, is refused
by name.
"""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import deeptheory as dt
from deeptheory.core.errors import StoreError
from deeptheory.networks import SGD, Adam, Checkpoint
from deeptheory.networks.fingerprints import digest
from deeptheory.networks.population.fit import fit
from deeptheory.networks.population.population import Population

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((60, 4)).astype(np.float32), RNG.integers(0, 2, 60)


def module(seed=0, activation=nn.Tanh):
    return dt.networks.seeded(lambda: nn.Sequential(nn.Linear(4, 6), activation(), nn.Linear(6, 2)), seed)


def loss(net, batch):
    return F.cross_entropy(net(batch[0]), batch[1])


def smoothed(net, batch):
    return F.cross_entropy(net(batch[0]), batch[1], label_smoothing=0.1)


def adamw(decay=0.0, betas=(0.9, 0.999)):
    return lambda p, lr: torch.optim.AdamW(p, lr=lr, weight_decay=decay, betas=betas)


def batches(x=X, batch=20, **how):
    return dt.networks.minibatches(x, Y, batch=batch, **how)


def train(folder, net=None, give=None, value=loss, **how):
    return dt.networks.train(
        net or module(), give or batches(), value, **{"steps": 12, "optimizer": adamw(), "checkpoint": folder, **how}
    )


OTHER_TRAININGS = {
    "weight decay": (lambda: {"optimizer": adamw(10.0)}, r"optimizer \(groups\)"),
    "weight decay, a little": (lambda: {"optimizer": adamw(1e-9)}, r"optimizer \(groups\)"),
    "betas": (lambda: {"optimizer": adamw(betas=(0.8, 0.999))}, r"optimizer \(groups\)"),
    "optimizer": (lambda: {"optimizer": "sgd"}, r"optimizer \(class, groups\)"),
    "rate": (lambda: {"lr": 1e-3 + 1e-9}, "lr"),
    "schedule": (lambda: {"lr_schedule": lambda step: 1.0 if step < 11 else 0.5}, "lr_schedule"),
    "batch size": (lambda: {"give": batches(batch=10)}, r"batches \(batch\)"),
    "order": (lambda: {"give": batches(seed=1)}, r"batches \(seed\)"),
    "last minibatch": (lambda: {"give": batches(drop_last=False)}, r"batches \(drop_last\)"),
    "augmentation": (lambda: {"give": batches(augment=lambda x, g: x + 1)}, r"batches \(augment\)"),
    "one number of the data": (lambda: {"give": batches(X + np.eye(60, 4, dtype=np.float32))}, r"batches \(arrays\)"),
    "batches of one's own": (lambda: {"give": lambda k, g: (torch.as_tensor(X[:20]), torch.as_tensor(Y[:20]))},
    "batches"),
    "initial weights": (lambda: {"net": module(1)}, "initial weights.*as it was before the first call"),
    "what the module computes": (lambda: {"net": module(0, nn.ReLU)}, "module, loss or batches: the loss of step 0 is"),
    "loss": (lambda: {"value": smoothed}, "module, loss or batches: the loss of step 0 is"),
    "seed": (lambda: {"seed": 1}, "seed"),
    "steps": (lambda: {"steps": 13}, "steps"),
    "every": (lambda: {"every": 3}, "every"),
}  # fmt: skip


@pytest.mark.parametrize("other", OTHER_TRAININGS)
def test_another_argument_of_train_is_refused_by_name(other, tmp_path):
    more, match = OTHER_TRAININGS[other]
    train(tmp_path / "c")
    with pytest.raises(StoreError, match=f"made with another {match}"):
        train(tmp_path / "c", **more())


def test_the_same_arguments_go_on_whatever_changes_no_weights(tmp_path):
    whole, net = module(), module()
    plain = train(None, whole)
    first = train(tmp_path / "c", evaluate=lambda m: {"a": 1.0})
    again = train(Checkpoint(tmp_path / "c", 1.0), net, progress=lambda *a: pytest.fail("worked again"))
    assert np.array_equal(plain.losses, first.losses)
    assert np.array_equal(plain.losses, again.losses)
    assert torch.equal(net[0].weight, whole[0].weight)


def nets(**how):
    return Population.mlp([4, 5, 2], **{"seeds": [0, 3], "activation": "tanh", **how})


def go(folder, population=None, **how):
    return fit(
        population or nets(),
        how.pop("x", X),
        how.pop("y", Y),
        **{"epochs": 6, "batch": 16, "checkpoint": Checkpoint(folder, 0), **how},
    )


def twice(z):
    return torch.tanh(2 * z)


def thrice(z):
    return torch.tanh(3 * z)


thrice.__name__ = "twice"  # another function of the same name

OTHER_FITS = {
    "eps": (lambda: {"optimizer": Adam(eps=1e-7)}, r"plan \(optimizer\)"),
    "betas": (lambda: {"optimizer": Adam(betas=(0.9, 0.99))}, r"plan \(optimizer\)"),
    "momentum": (lambda: {"optimizer": SGD(0.1)}, r"plan \(optimizer\)"),
    "rate": (lambda: {"lr": 5e-4}, r"plan \(lr\)"),
    "rate of one network": (lambda: {"lr": [4e-4, 5e-4]}, r"plan \(lr\)"),
    "optimizer": (lambda: {"optimizer": "sgd"}, r"plan \(optimizer\)"),
    "batch": (lambda: {"batch": 15}, r"plan \(batch\)"),
    "last minibatch": (lambda: {"drop_last": True}, r"plan \(drop_last\)"),
    "order": (lambda: {"reshuffle": False}, r"plan \(reshuffle\)"),
    "penalty": (lambda: {"orthonormal": 0.1}, r"plan \(orthonormal\)"),
    "rows": (lambda: {"seed": 1}, r"plan \(order\)"),
    "split": (lambda: {"split": "common"}, r"plan \(order\)"),
    "fraction": (lambda: {"train_fraction": 0.5}, r"plan \(.*counts"),
    "inputs": (lambda: {"x": X + 1e-6}, r"plan \(x\)"),
    "labels": (lambda: {"y": 1 - Y}, r"plan \(target\)"),
    "epochs": (lambda: {"epochs": 7}, "epochs"),
    "looks": (lambda: {"record_at": [0, 3]}, "looks"),
    "engine": (lambda: {"engine": "autograd"}, "engine"),
    "init": (lambda: {"population": nets(init="xavier")}, "initial weights"),
    "seeds": (lambda: {"population": nets(seeds=[0, 4])}, "seeds, initial weights"),
    "head": (lambda: {"population": nets(head="sigmoid"), "y": np.eye(2)[Y]}, "head"),
    "activation": (lambda: {"population": nets(activation="softsign")}, "network"),
    "noise": (lambda: {"population": nets(noise=0.1)}, "network"),
    "bits": (lambda: {"population": nets(bits=4)}, "network"),
    "biases": (lambda: {"population": nets(bias=False)}, "network"),
    "dtype": (lambda: {"population": nets(dtype=torch.float64)}, "dtype"),
    "trained before": (lambda: {"population": trained_before()}, "initial weights.*as it was before the first call"),
}


def trained_before():
    population = nets()
    fit(population, X, Y, epochs=1)
    return population


@pytest.mark.parametrize("other", OTHER_FITS)
def test_another_argument_of_fit_is_refused_by_name(other, tmp_path):
    more, match = OTHER_FITS[other]
    go(tmp_path / "c")
    go(tmp_path / "c")
    with pytest.raises(StoreError, match=f"made with another {match}"):
        go(tmp_path / "c", **more())


def test_a_function_of_the_same_name_is_another(tmp_path):
    go(tmp_path / "c", nets(activation=twice))
    go(tmp_path / "c", nets(activation=twice))
    with pytest.raises(StoreError, match="another network: its weights are the same, what it gives"):
        go(tmp_path / "c", nets(activation=thrice))


def test_a_recorder_that_comes_too_late_is_refused(tmp_path):
    go(tmp_path / "c", record_at=[0, 6])
    population = nets()
    with pytest.raises(StoreError, match="made with another recorder"):
        go(tmp_path / "c", population, record_at=[0, 6], recorder=dt.Recorder(population, X, Y))


def test_digests_are_by_value():
    a = np.arange(6.0)
    assert digest(a) == digest(a.copy()) == digest(a[::-1][::-1])
    apart = [
        a,
        a[:, None],
        a.astype(np.float32),
        a.tolist(),
        tuple(a.tolist()),
        {"a": a},
        a + 1e-12,
        torch.as_tensor(a),
        None,
        0,
        0.0,
        False,
        "",
        b"",
        [],
        {},
        [[]],
        ["ab", "c"],
        ["a", "bc"],
        1e-320,
        -0.0,
        {"a": 1, "b": 2},
        {"a": 2, "b": 1},
    ]
    assert len({digest(v) for v in apart}) == len(apart)
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest(torch.ones(3, dtype=torch.bfloat16)) != digest(torch.ones(3))
    assert digest(1, 2) != digest(12)
