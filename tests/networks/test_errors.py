"""Bad input to populations and training: the value seen and the fix."""

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.networks import SGD, Adadelta, Adam, Population, fit, log_epochs

X = np.random.default_rng(0).random((20, 3)).astype(np.float32)
Y = (X.sum(1) > 1.5).astype(np.int64)


def nets(**kwargs):
    return Population.mlp([3, 4, 2], seeds=[0, 1], **kwargs)


def go(x=X, y=Y, population=None, **kwargs):
    return fit(population or nets(), x, y, **{"epochs": 1, **kwargs})


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: Population.mlp([3]), r"widths is \[3\]; needed"),
        (lambda: Population.mlp([3, 0, 2]), r"widths is \[3, 0, 2\]; needed: integers, at least 1"),
        (lambda: Population.mlp([3, 2], seeds=[]), "seeds is empty"),
        (lambda: Population.mlp([3, 2], seeds=[1, 1]), r"distinct; seen more than once: \[1\]"),
        (lambda: Population.mlp([3, 2], seeds=[-1]), r"seeds is \[-1\]; needed: integers"),
        (lambda: Population.mlp([3, 2], seeds=3), r"seeds is 3; .*seeds=\[3\] for one, seeds=range\(3\) for that many"),
        (lambda: Population.of(lambda: nn.Linear(3, 2), seeds=2), r"seeds is 2; give each network its seed"),
        (lambda: Population.mlp([3, 2], seeds=[0.5]), r"seeds is \[0.5\]; needed: integers"),
        (lambda: Population.mlp([3, 2], seeds=["a"]), "needed: integers"),
        (lambda: go(x=X[:, :2]), r"x has shape \[20, 2\]; these networks take \[n, 3\]"),
        (lambda: go(x=X[:, 0]), r"x has shape \[20\]; these networks take \[n, 3\]"),
        (lambda: go(x=X[:, :, None]), r"x has shape \[20, 3, 1\]; these networks take \[n, 3\]"),
        (
            lambda: go(x=X[:, :2], population=Population.of(lambda: nn.Linear(3, 2), seeds=[0])),
            r"x has shape \[20, 2\], and the networks cannot take rows of \[2\]",
        ),
        (
            lambda: go(
                population=Population.of(lambda: nn.Sequential(nn.Linear(3, 4), nn.Unflatten(-1, (2, 2))), seeds=[0])
            ),
            r"gives shape \[1, 2, 2\] for one row",
        ),
        (lambda: Population.mlp([3, 4, 2], activation="tanhh"), "unknown activation 'tanhh'; did you mean tanh"),
        (lambda: Population.mlp([3, 4, 2], init="xavir"), "did you mean xavier"),
        (lambda: Population.mlp([3, 4, 1], head="softmax"), "a softmax over 1 output is always 1"),
        (lambda: Population.mlp([3, 4, 2], head="hinge"), "unknown head"),
        (lambda: Population.of(lambda: nn.BatchNorm1d(3), seeds=[0]), "keeps buffers .*use GroupNorm"),
        (lambda: nets()(torch.zeros(2, 5)), r"x has shape \[2, 5\]; these networks take \[n, 3\]"),
        (lambda: go(epochs=0), "epochs is 0"),
        (lambda: go(epochs=1.5), "epochs is 1.5"),
        (lambda: go(record_at=[0, 2]), r"record_at holds epochs from 0 to 2; they must lie in 0\.\.1"),
        (lambda: go(record_at=[0.5]), r"record_at is \[0.5\]; needed: integers"),
        (lambda: go(batch=2.5), "batch is 2.5; needed: an integer"),
        (lambda: go(seed=-1), "seed is -1"),
        (lambda: Population.mlp([3, 2.5, 2]), r"widths is \[3, 2.5, 2\]; needed: integers"),
        (lambda: nets().network(2), "k is 2; there are networks 0 to 1"),
        (lambda: nets().network(-1), "k is -1"),
        (lambda: nets().seen_in("double precision"), "dtype is 'double precision'"),
        (lambda: nets().seen_in("int64"), "dtype is 'int64'"),
        (lambda: log_epochs(10.5, 3), "epochs is 10.5"),
        (lambda: dt.networks.minibatches(X, batch=2.5), "batch is 2.5"),
        (lambda: dt.networks.noisy_cnn(classes=0), "classes is 0"),
        (lambda: dt.networks.MultiplicativeNoise(float("inf")), "std is inf"),
        (lambda: go(x=np.full_like(X, np.nan)), "x holds 60 values"),
        (lambda: go(x=X[:1], y=Y[:1]), "x has 1 rows"),
        (lambda: go(y=np.array(["a", "b"] * 10)), r"y has dtype <U1; needed: numbers, such as np.unique"),
        (lambda: go(y=Y[:5]), r"y has shape \[5\]; needed: \[20\]"),
        (lambda: go(y=Y + 1), "labels run from 1 to 2; needed: integers from 0 to 1"),
        (lambda: go(y=np.zeros(20)), r"y holds one class only \(0"),
        (lambda: go(y=np.full((20, 2), 0.7)), "do not sum to 1"),
        (lambda: go(optimizer="adamw"), "unknown optimizer 'adamw'; did you mean adam"),
        (lambda: go(lr=0), "lr is 0; needed: one number above 0"),
        (lambda: go(lr=[1.0]), "one for each of the 2 networks"),
        (lambda: SGD(1), r"momentum is 1; it lies in \[0, 1\)"),
        (lambda: Adam(betas=(0.9, 1.0)), r"betas is \(0.9, 1.0\); needed: two numbers"),
        (lambda: Adam(betas=(0.9,)), r"betas is \(0.9,\)"),
        (lambda: Adam(eps=0), "eps is 0; needed: a finite number above 0"),
        (lambda: Adadelta(rho=-0.1), r"rho is -0.1; it lies in \[0, 1\)"),
        (lambda: Adadelta(eps=float("nan")), "eps is nan"),
        (lambda: go(optimizer=torch.optim.Adam), r"needed: adam, sgd, adadelta, or dt.networks.Adam\(...\)"),
        (lambda: go(batch=0), "batch is 0"),
        (lambda: go(batch=17, drop_last=True), "drop_last leaves no step; lower batch"),
        (lambda: go(train_fraction=0), "train_fraction is 0.0"),
        (lambda: go(train_fraction=0.01), "which is none"),
        (lambda: go(train_fraction=[0.5]), "train_fraction has 1 entries for 2 networks"),
        (lambda: go(train_fraction=[[0, 99], 0.5]), r"integers in \[0, 20\)"),
        (lambda: go(train_fraction=[[1, 1], 0.5]), "hold a row twice"),
        (lambda: go(split="stratified"), "unknown split"),
        (lambda: go(engine="cuda"), "unknown engine"),
        (lambda: go(population=nets(activation=torch.sin), engine="handwritten"), "use engine='auto'"),
        (lambda: go(population=nets(activation=torch.sin), train_fraction=[0.5, 0.9]), "only the hand"),
        (lambda: log_epochs(0, 5), "epochs is 0"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()
