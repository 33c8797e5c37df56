"""Training one module: against a plain loop, gone on with after a kill to the same bits, and every error."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import deeptheory as dt
from deeptheory.core.errors import DeeptheoryError, InputError, StoreError
from deeptheory.networks import Checkpoint, minibatches, seeded, train

RNG = np.random.default_rng(0)
X = torch.as_tensor(RNG.standard_normal((90, 6)), dtype=torch.float32)
Y = (X.sum(1) > 0).long()


class Net(nn.Module):
    """Everything that a resumed run could lose: dropout, running statistics, a buffer that state_dict leaves out."""

    def __init__(self, seed=0):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.first, self.last = nn.Linear(6, 12), nn.Linear(12, 2)
        self.norm, self.drop = nn.BatchNorm1d(12), nn.Dropout(0.3)
        self.register_buffer("calls", torch.zeros(()), persistent=False)
        with torch.no_grad():
            for p in (*self.first.parameters(), *self.last.parameters()):
                p.copy_(torch.randn(p.shape, generator=generator) * 0.3)

    def forward(self, x):
        if self.training:
            self.calls += 1
        return self.last(self.drop(self.norm(self.first(x)).relu())) * (1 + 0.01 * self.calls)


def loss(module, batch):
    x, y = batch
    return F.cross_entropy(module(x), y)


def accuracy(module):
    return {"accuracy": (module(X).argmax(1) == Y).double().mean()}


def noisy(x, generator):
    return x + torch.as_tensor(generator.standard_normal(x.shape) * 0.1, dtype=x.dtype)


def go(module, **kwargs):
    how = {"steps": 60, "lr": 0.01, "evaluate": accuracy, "every": 25, **kwargs}
    return dt.networks.train(
        module, how.pop("batches", dt.networks.minibatches(X, Y, batch=20, augment=noisy)), how.pop("loss", loss), **how
    )


@pytest.mark.parametrize(
    ("optimizer", "plain"),
    [
        ("adam", lambda p: torch.optim.Adam(p, lr=0.01)),
        ("adamw", lambda p: torch.optim.AdamW(p, lr=0.01)),
        ("sgd", lambda p: torch.optim.SGD(p, lr=0.01)),
        (lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9)),
    ],
)
def test_it_is_a_plain_loop(optimizer, plain):
    ours, theirs = (nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 2)) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    log = go(
        ours, optimizer=optimizer, batches=dt.networks.minibatches(X, Y, batch=40, seed=3), lr_schedule=lambda s: 0.9**s
    )
    step = plain(theirs.parameters())
    seen = []
    for k in range(60):
        order = np.random.default_rng([3, k // 2]).permutation(90)
        rows = order[40 * (k % 2) : 40 * (k % 2) + 40]
        step.zero_grad()
        value = F.cross_entropy(theirs(X[rows]), Y[rows])
        value.backward()
        for group in step.param_groups:
            group["lr"] = 0.01 * 0.9**k
        step.step()
        seen.append(value.item())
    for a, b in zip(ours.parameters(), theirs.parameters()):
        assert torch.allclose(a, b, atol=1e-6)
    assert np.allclose(log.losses, seen, atol=1e-6)


def test_same_seed_same_bits_and_another_seed_others():
    nets = [Net(), Net(), Net()]
    logs = [go(net, seed=seed) for net, seed in zip(nets, (1, 1, 2))]
    assert torch.equal(nets[0].first.weight, nets[1].first.weight)
    assert np.array_equal(logs[0].losses, logs[1].losses)
    assert not np.array_equal(logs[0].losses, logs[2].losses)


class Killed(Exception):
    pass


@pytest.mark.parametrize("at", [1, 24, 25, 26, 59, 60])
def test_a_stopped_training_goes_on_to_the_same_bits(tmp_path, at):
    whole, broken, resumed = Net(), Net(), Net()
    plain = go(whole, seed=4)

    def stop(done, steps):
        if done == at:
            raise Killed

    kept = {"checkpoint": Checkpoint(tmp_path / "c", 0), "seed": 4}
    with pytest.raises(Killed):
        go(broken, progress=stop, **kept)
    again = go(resumed, **kept)
    for (name, a), b in zip(whole.state_dict().items(), resumed.state_dict().values()):
        assert torch.equal(a, b), name
    assert torch.equal(whole.calls, resumed.calls)
    assert np.array_equal(plain.losses, again.losses)
    assert plain.steps == again.steps == (0, 25, 50, 60)
    assert plain.table().equals(again.table())


SCRIPT = """
import sys, time
sys.path.insert(0, {here!r})
from test_train import Checkpoint, Net, go
net = Net()
slow = float(sys.argv[2])
def progress(done, steps):
    print(done, flush=True)
    time.sleep(slow)
go(net, checkpoint=Checkpoint(sys.argv[1], 0), progress=progress)
"""


def test_a_process_that_was_killed_is_gone_on_with(tmp_path):
    script = SCRIPT.format(here=str(Path(__file__).parent))
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "c"), "0.02"], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 30:
            pass
        time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
    whole, resumed = Net(), Net()
    go(whole)
    steps = []
    go(resumed, checkpoint=tmp_path / "c", progress=lambda done, total: steps.append(done))
    assert 28 <= steps[0] <= 34
    assert steps[-1] == 60
    assert torch.equal(whole.first.weight, resumed.first.weight)
    assert torch.equal(whole.norm.running_var, resumed.norm.running_var)


def test_a_finished_training_is_read_and_not_done_again(tmp_path):
    first, second = Net(), Net()
    log = go(first, checkpoint=tmp_path / "c")
    again = go(second, checkpoint=tmp_path / "c", progress=lambda *a: pytest.fail("worked again"))
    assert torch.equal(first.last.bias, second.last.bias)
    assert np.array_equal(log.losses, again.losses)
    assert not any(p.suffix in (".pt", ".pkl", ".pickle") for p in (tmp_path / "c").iterdir())


def test_stop_ends_it_and_a_resumed_one_stays_ended(tmp_path):
    for checkpoint in (None, tmp_path / "c", tmp_path / "c"):
        log = go(Net(), every=5, stop=lambda row: row["accuracy"] > 0.8, checkpoint=checkpoint)
        assert log.stopped
        assert log.measured["accuracy"][-1] > 0.8 >= log.measured["accuracy"][:-1].max()
        assert len(log.losses) == log.steps[-1] < 60
        assert "stopped early" in repr(log)


def test_the_surroundings_are_left_as_found():
    net = Net()
    net.norm.eval()
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    go(net)
    assert torch.equal(torch.rand(1), expected)
    assert net.training
    assert net.drop.training
    assert not net.norm.training
    seen = []
    go(net, steps=1, evaluate=lambda m: seen.append((m.training, m.drop.training, torch.is_grad_enabled())) or {})
    assert seen == [(False, False, False)] * 2


def test_losses_that_must_wait_for_a_device_are_read_in_pieces(monkeypatch):
    """The path of a GPU, where reading a loss means waiting."""
    import importlib

    source = importlib.import_module("deeptheory.networks.single.train")
    net, other = Net(), Net()
    log = go(net)
    monkeypatch.setattr(source, "_UNSEEN", 7)
    monkeypatch.setattr(source, "_waits", lambda device: True)
    elsewhere = go(other)
    assert np.array_equal(log.losses, elsewhere.losses)
    with pytest.raises(DeeptheoryError, match="loss is inf at step 3"):
        go(Net(), loss=diverging)


def test_the_log_shows_itself():
    log = go(Net())
    table = log.table()
    assert list(table["step"]) == [0, 25, 50, 60]
    assert np.isnan(table["loss"][0])
    assert table["loss"][1] == pytest.approx(log.losses[:25].mean())
    assert log.figure().data[1].name == "accuracy"
    assert log.scalars()["steps"] == 60
    assert "TrainingLog(60 steps, loss" in repr(log)
    bare = go(Net(), evaluate=None)
    assert bare.steps == ()
    assert bare.table()["loss"][0] == pytest.approx(bare.losses.mean())


def test_minibatches_take_every_sample_once_an_epoch():
    take = dt.networks.minibatches(np.arange(10), batch=4, drop_last=False, seed=1)
    generator = np.random.default_rng(0)
    assert take.per_epoch == 3
    epochs = [torch.cat([take(3 * e + k, generator)[0] for k in range(3)]) for e in range(2)]
    assert [sorted(e.tolist()) for e in epochs] == [list(range(10))] * 2
    assert not torch.equal(*epochs)
    assert torch.equal(
        take(1, generator)[0], dt.networks.minibatches(np.arange(10), batch=4, drop_last=False, seed=1)(1, generator)[0]
    )
    assert "10 samples, 4 a step, 3 steps an epoch" in repr(take)
    assert dt.networks.minibatches(np.arange(10), batch=4).per_epoch == 2


def diverging(module, batch):
    value = loss(module, batch)
    return value * float("inf") if module.calls > 3 else value


def no_number(module):
    return {"accuracy": "high"}


def changing(module):
    return {f"at {int(module.calls)}": 1.0}


@pytest.mark.parametrize(
    ("call", "kind", "match"),
    [
        (lambda: go(Net(), steps=0), InputError, "steps is 0"),
        (lambda: go(Net(), steps=1.5), InputError, "steps is 1.5"),
        (lambda: go(Net(), lr=0), InputError, "lr is 0; needed"),
        (lambda: go(Net(), lr=float("nan")), InputError, "lr is nan"),
        (lambda: go(Net(), every=0), InputError, "every is 0"),
        (lambda: go(Net(), optimizer="adamm"), InputError, "unknown optimizer 'adamm'; did you mean adam"),
        (lambda: go(nn.ReLU()), InputError, "ReLU has no parameter that requires a gradient"),
        (lambda: go(Net(), loss=lambda m, b: m(b[0])), InputError, r"a tensor of shape \[20, 2\] at step 0"),
        (lambda: go(Net(), loss=lambda m, b: 1.0), InputError, "loss gave float at step 0"),
        (lambda: go(Net(), loss=lambda m, b: loss(m, b).detach()), InputError, "has no gradient; was it detached"),
        (
            lambda: go(Net(), loss=diverging),
            DeeptheoryError,
            "loss is inf at step 3, after .* the step before; lower lr",
        ),
        (lambda: go(Net(), evaluate=no_number), InputError, "evaluate gave accuracy = 'high'"),
        (lambda: go(Net(), evaluate=changing), InputError, r"evaluate gave \['at 25'\], at first \['at 0'\]"),
        (lambda: dt.networks.minibatches(batch=2), InputError, r"arrays have \[\] rows"),
        (lambda: dt.networks.minibatches(X, Y[:5], batch=2), InputError, r"arrays have \[90, 5\] rows"),
        (lambda: dt.networks.minibatches(X, batch=0), InputError, "batch is 0; needed"),
        (lambda: dt.networks.minibatches(X, batch=91), InputError, "batch is 91 of 90"),
    ],
)
def test_wrong_use(call, kind, match):
    with pytest.raises(kind, match=match):
        call()


def test_a_checkpoint_that_cannot_be_trusted_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "c"
    go(Net(), checkpoint=folder)
    with pytest.raises(StoreError, match="made with another steps"):
        go(Net(), checkpoint=folder, steps=61)
    with pytest.raises(StoreError, match="made with another seed, lr"):
        go(Net(), checkpoint=folder, seed=1, lr=0.02)
    with pytest.raises(StoreError, match="made with another module"):
        go(nn.Linear(6, 2), checkpoint=folder)
    state = folder / "state.safetensors"
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    with pytest.raises(StoreError, match=r"corrupt .*delete it to start again"):
        go(Net(), checkpoint=folder)

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    from deeptheory.networks.single import module_checkpoint

    monkeypatch.setattr(module_checkpoint, "save_file", full)
    with pytest.raises(StoreError, match=r"No space left.*free space"):
        go(Net(), checkpoint=tmp_path / "d")


class Odd(torch.optim.SGD):
    def state_dict(self):
        return {**super().state_dict(), "state": {0: {"odd": object()}}}


class Extra(Net):
    def get_extra_state(self):
        return {"a": 1}

    def set_extra_state(self, state):
        pass


def test_a_state_that_is_no_tensors_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"state of Odd cannot be kept .*train without checkpoint"):
        go(Net(), checkpoint=tmp_path / "c", optimizer=lambda p, lr: Odd(p, lr=lr))
    with pytest.raises(InputError, match=r"Extra keeps a state that is no tensor \(_extra_state\)"):
        go(Extra(), checkpoint=tmp_path / "c")


def test_weights_that_the_last_step_ruins_are_an_error():
    """The loss is taken before the update, so that of the last update nothing else is seen."""
    root = lambda net, batch: (net(batch[0]).square().mean() * 0).sqrt() + net(batch[0]).square().mean()  # noqa: E731
    give = minibatches(torch.ones(4, 3), batch=4)
    for steps, how in ((1, {}), (3, {"evaluate": lambda net: {"w": 0}, "every": 1})):
        with pytest.raises(DeeptheoryError, match="weights became infinite or NaN by step 1; lower lr"):
            train(nn.Linear(3, 2), give, root, steps=steps, **how)


def test_numpy_s_integers_go_into_a_checkpoint(tmp_path):
    how: Any = {"batch": np.int64(2), "seed": np.int64(1)}
    give = minibatches(torch.ones(4, 3), **how)
    square = lambda net, batch: net(batch[0]).square().mean()  # noqa: E731
    for number in (np.int64, int):
        how = {"steps": number(4), "seed": number(1), "every": number(2), "evaluate": lambda net: {"a": 0.0}}
        net = seeded(lambda: nn.Linear(3, 2), 0)
        assert len(train(net, give, square, checkpoint=tmp_path / "c", **how).losses) == 4


@pytest.mark.parametrize(
    ("how", "match"),
    [
        ({"optimizer": torch.optim.LBFGS}, "LBFGS asks for the loss several times a step"),
        ({"optimizer": lambda parameters, lr: 3}, "optimizer gave a int; needed"),
        ({"evaluate": lambda net: 3}, "evaluate gave a int; it gives numbers by name"),
    ],
)
def test_what_the_loop_cannot_call_is_told(how, match):
    with pytest.raises(InputError, match=match):
        train(nn.Linear(3, 2), minibatches(torch.ones(4, 3), batch=2), lambda n, b: n(b[0]).mean(), steps=2, **how)
