"""Training: against a plain loop, against autograd, and gone on with after a kill."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.core.errors import DeeptheoryError, StoreError
from deeptheory.networks import SGD, Checkpoint, Population, fit
from deeptheory.recording import GradientRecorder
from oracles.training import moments, plain_network, train


@pytest.fixture(scope="module")
def task():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (230, 6)).astype(np.float32)
    return x, (x.sum(1) + x[:, 0] > 3.2).astype(np.int64)


def small(seeds=(0, 1), activation="tanh", **kwargs):
    return Population.mlp([6, 5, 4, 2], activation=activation, seeds=seeds, **kwargs)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "softsign", "softplus", "linear"])
def test_the_hand_written_step_is_that_of_a_plain_torch_loop(task, activation, optimizer):
    x, y = task
    nets = small(activation=activation)
    plain = [plain_network(nets, k) for k in range(2)]
    how = {"lr": 0.01, "batch": 50, "drop_last": True}
    history = fit(nets, x, y, epochs=6, reshuffle=False, optimizer=SGD(0.5) if optimizer == "sgd" else optimizer, **how)
    assert history.method == "HandWritten"
    for k, net in enumerate(plain):
        train(net, x, y, history.order[k, : history.counts[k]], epochs=6, optimizer=optimizer, momentum=0.5, **how)
        ours = plain_network(nets, k)
        for a, b in zip(ours.parameters(), net.parameters()):
            assert torch.allclose(a, b, atol=2e-6)


def test_adadelta_and_the_absolute_error_are_those_of_a_plain_torch_loop(task):
    x, y = task
    nets = Population.mlp([6, 5, 4, 1], seeds=[0, 3], head="median")
    plain = [plain_network(nets, k) for k in range(2)]
    how = {"lr": 1.0, "batch": 50, "optimizer": "adadelta"}
    y = (y + 0.3 * x[:, 1]).astype(np.float64)
    history = fit(nets, x, y, epochs=6, record_at=[6], reshuffle=False, **how)
    for k, net in enumerate(plain):
        rows = history.order[k, : history.counts[k]]
        train(net, x, y[:, None], rows, epochs=6, loss=torch.nn.functional.l1_loss, **how)
        for a, b in zip(plain_network(nets, k).parameters(), net.parameters()):
            assert torch.allclose(a, b, atol=5e-6)
        with torch.no_grad():
            error = (net(torch.as_tensor(x[rows]).double())[:, 0] - torch.as_tensor(y[rows])).abs().mean()
        assert history.train_loss[k, -1] == pytest.approx(float(error), abs=1e-5)
    auto = Population.mlp([6, 5, 4, 1], seeds=[0, 3], head="median")
    fit(auto, x, y, epochs=6, reshuffle=False, engine="autograd", **how)
    assert torch.allclose(nets.theta, auto.theta, atol=5e-6)


@pytest.mark.parametrize("head", ["softmax", "sigmoid", "linear"])
@pytest.mark.parametrize(
    ("batch", "reshuffle", "drop_last"), [(64, True, False), (64, True, True), (None, False, False)]
)
def test_the_hand_written_step_agrees_with_autograd(task, head, batch, reshuffle, drop_last):
    x, y = task
    y = y.astype(np.float32) if head == "linear" else y
    widths = [6, 5, 4, 2 if head == "softmax" else 1]
    how = {"epochs": 8, "batch": batch, "reshuffle": reshuffle, "drop_last": drop_last, "record_at": [0, 3, 8]}
    hand, auto = (Population.mlp(widths, seeds=[0, 5], head=head) for _ in range(2))
    a = fit(hand, x, y, engine="handwritten", lr=[1e-2, 3e-3], **how)
    b = fit(auto, x, y, engine="autograd", lr=[1e-2, 3e-3], **how)
    assert torch.allclose(hand.theta, auto.theta, atol=2e-6)
    assert np.allclose(a.train_loss, b.train_loss, atol=1e-6)
    assert np.array_equal(a.order, b.order)


def test_gradient_moments_are_those_of_a_plain_loop(task):
    x, y = task
    nets = small([3])
    net = plain_network(nets, 0)
    gradients = GradientRecorder(nets)
    history = fit(nets, x, y, epochs=3, batch=40, reshuffle=False, lr=0.01, record_at=[0, 1, 2], gradients=gradients)
    seen = train(net, x, y, history.order[0, : history.counts[0]], optimizer="adam", lr=0.01, batch=40, epochs=3)
    data = gradients.dataset()
    for epoch in range(3):
        for k, grads in enumerate(seen[epoch].values()):
            mean, std = moments(grads)
            at = data.isel(seed=0, step=epoch, layer=k)
            assert float(at["mean_norm"]) == pytest.approx(mean, rel=1e-4)
            assert float(at["std_norm"]) == pytest.approx(std, rel=1e-4)
            assert int(at["batches"]) == len(grads)


def test_looking_at_gradients_changes_nothing(task):
    x, y = task
    a, b, c = small(), small(), small()
    fit(a, x, y, epochs=5, batch=64)
    fit(b, x, y, epochs=5, batch=64, record_at=[0, 2, 5], gradients=GradientRecorder(b))
    fit(c, x, y, epochs=5, batch=64, record_at=[1, 3], recorder=dt.Recorder(c, x, y))
    assert torch.equal(a.theta, b.theta)
    assert torch.equal(a.theta, c.theta)


def test_full_batch_measures_its_gradients_over_minibatches_without_stepping(task):
    x, y = task
    a, b = small(), small()
    gradients = GradientRecorder(a)
    fit(a, x, y, epochs=4, batch=None, record_at=[0, 4], gradients=gradients, gradient_batch=46)
    fit(b, x, y, epochs=4, batch=None)
    assert torch.equal(a.theta, b.theta)
    assert (gradients.dataset()["batches"] == 4).all()
    assert np.isfinite(gradients.dataset()["std_norm"]).all()


def test_networks_may_have_their_own_rates_splits_and_sizes(task):
    x, y = task
    nets = small([0, 1, 2])
    history = fit(nets, x, y, epochs=3, lr=[1e-3, 1e-2, 1e-3], train_fraction=[0.1, 0.5, list(range(100))], batch=16)
    assert history.counts.tolist() == [23, 115, 100]
    assert sorted(history.order[2, :100]) == list(range(100))
    one = small([1])
    fit(one, x, y, epochs=3, lr=1e-2, train_fraction=0.5, batch=16)
    assert torch.equal(nets.theta[1], one.theta[0])


def test_labels_may_differ_between_networks_and_may_be_soft(task):
    x, y = task
    nets = small()
    fit(nets, x, np.stack([y, 1 - y]), epochs=40, batch=32, lr=0.02)
    p = nets(torch.as_tensor(x))[:, :, 1].detach().numpy() > 0.5
    assert (p[0] == y).mean() > 0.9
    assert (p[1] == 1 - y).mean() > 0.9
    soft = np.stack([1 - 0.9 * y, 0.9 * y], 1)
    fit(small(), x, soft, epochs=1)


class Killed(Exception):
    pass


@pytest.mark.parametrize("engine", ["handwritten", "autograd"])
def test_a_killed_training_goes_on_to_the_same_bits(task, tmp_path, engine):
    x, y = task
    looks = [0, 1, 250, 430, 500]

    def parts(name):
        nets = small()
        readout = dt.Binning(10, (-1, 1))
        recorder, gradients = dt.Recorder(nets, x, y, layers="layer*", readouts=readout), GradientRecorder(nets)
        return nets, {
            "recorder": recorder,
            "gradients": gradients,
            "checkpoint": Checkpoint(tmp_path / name, 0),
        }

    def stop(done, total):
        if done > 430:
            raise Killed

    how = {"epochs": 500, "batch": 115, "record_at": looks, "engine": engine, "lr": 0.01}
    whole, kept = parts("whole")
    history = fit(whole, x, y, **how, **kept)
    broken, first = parts("broken")
    with pytest.raises(Killed):
        fit(broken, x, y, progress=stop, **how, **first)
    resumed, second = parts("broken")
    again = fit(resumed, x, y, **how, **second)
    assert torch.equal(whole.theta, resumed.theta)
    assert np.array_equal(history.train_loss, again.train_loss)
    assert (
        second["recorder"]
        .recording.summary("Binning(10, (-1.0, 1.0))")
        .identical(kept["recorder"].recording.summary("Binning(10, (-1.0, 1.0))"))
    )
    assert second["gradients"].dataset().identical(kept["gradients"].dataset())


def test_a_checkpoint_with_a_store_records_each_step_once(task, tmp_path):
    x, y = task
    how = {
        "epochs": 500,
        "batch": 115,
        "record_at": [0, 250, 450, 500],
        "checkpoint": Checkpoint(tmp_path / "c", 0),
    }

    def stop(done, total):
        if done >= 450:
            raise Killed

    nets = small()
    with pytest.raises(Killed):
        fit(nets, x, y, progress=stop, recorder=dt.Recorder(nets, x, y, store=tmp_path / "s"), **how)
    nets = small()
    recorder = dt.Recorder(nets, x, y, store=tmp_path / "s")
    fit(nets, x, y, recorder=recorder, **how)
    whole = small()
    plain = dt.Recorder(whole, x, y)
    fit(whole, x, y, recorder=plain, **{**how, "checkpoint": None})
    assert recorder.recording.steps == (0, 250, 450, 500)
    assert torch.equal(recorder.recording.activations("layer1"), plain.recording.activations("layer1"))


def test_a_checkpoint_of_other_settings_or_a_damaged_one_is_refused(task, tmp_path):
    x, y = task
    folder = tmp_path / "c"
    fit(small(), x, y, epochs=300, batch=115, checkpoint=Checkpoint(folder, 0))
    with pytest.raises(StoreError, match="made with another epochs"):
        fit(small(), x, y, epochs=400, batch=115, checkpoint=folder)
    with pytest.raises(StoreError, match="made with another plan"):
        fit(small(), x, y, epochs=300, batch=115, lr=1.0, checkpoint=folder)
    state = folder / "state.safetensors"
    state.write_bytes(state.read_bytes()[: state.stat().st_size // 2])
    with pytest.raises(StoreError, match="corrupt.*delete it to start again"):
        fit(small(), x, y, epochs=300, batch=115, checkpoint=folder)


def test_a_full_disk_is_told_and_the_last_checkpoint_stays(task, tmp_path, monkeypatch):
    x, y = task
    from deeptheory.networks.population import checkpoint

    folder = tmp_path / "c"
    fit(small(), x, y, epochs=300, batch=115, checkpoint=Checkpoint(folder, 0))
    before = (folder / "checkpoint.json").read_text()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    other = tmp_path / "d"
    with pytest.raises(StoreError, match="No space left.*free space"):
        fit(small(), x, y, epochs=300, batch=115, checkpoint=Checkpoint(other, 0))
    assert (folder / "checkpoint.json").read_text() == before


def test_divergence_is_an_error_that_names_the_networks(task):
    x, y = task
    nets = Population.mlp([6, 5, 1], activation="linear", seeds=[0, 1], head="linear")
    recorder = dt.Recorder(nets, x, y)
    with pytest.raises(DeeptheoryError, match=r"infinite or NaN .* seeds \[1\]; lower lr; what was recorded"):
        fit(
            nets,
            x,
            y.astype(np.float32),
            epochs=400,
            optimizer="sgd",
            lr=[1e-3, 50.0],
            recorder=recorder,
            record_at=[0],
        )
    assert recorder.recording.steps == (0,)


def test_the_history_shows_itself(task):
    x, y = task
    history = fit(small(), x, y, epochs=4, record_at=[0, 2, 4], train_fraction=1.0)
    assert history.dataset()["train_loss"].shape == (2, 3)
    assert np.isnan(history.test_loss).all()
    assert "no rows are held out" in history.notes[0]
    assert len(history.table()) == 6
    assert history.figure().data
    assert "epochs 0 to 4" in repr(history)


@pytest.mark.slow
def test_freshly_compiled_and_cached_code_give_the_same_bits(tmp_path):
    """A process that compiles and one that finds the code in the cache must not run different copies of a kernel."""
    script = (
        "import hashlib, numpy as np\n"
        "from deeptheory.networks import Population, fit\n"
        "rng = np.random.default_rng(0)\n"
        "x, y = rng.standard_normal((300, 6)), rng.integers(0, 2, 300)\n"
        "nets = Population.mlp([6, 5, 4, 2], activation='tanh', seeds=range(3))\n"
        "fit(nets, x, y, epochs=20, lr=0.01, batch=100)\n"
        "print(hashlib.sha256(nets.theta.detach().numpy().tobytes()).hexdigest())\n"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    bits = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        bits.append(done.stdout)
    assert list(tmp_path.rglob("*.nbc")), "nothing was cached, so the second process compiled too"
    assert bits[0] == bits[1]


@pytest.mark.parametrize("networks", [1, 3])
def test_read_only_arrays_and_any_number_of_networks_run_one_compiled_step(networks):
    """Each further signature would cost half a minute of compiling."""
    from deeptheory.networks.population.step import train as step

    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((60, 6)).astype(np.float32), np.full((60, 2), 0.5, dtype=np.float32)
    fit(Population.mlp([6, 4, 2], "tanh", seeds=range(2)), x, y, epochs=1, batch=20)
    before = len(step.signatures)
    x.flags.writeable = y.flags.writeable = False
    fit(Population.mlp([6, 4, 2], "tanh", seeds=range(networks)), x, y, epochs=1, batch=20)
    fit(Population.mlp([6, 4, 2], "tanh", seeds=range(networks)), x, y, epochs=1, batch=20, lr=[0.01] * networks)
    assert len(step.signatures) == before


@pytest.mark.parametrize(("head", "unit"), [("sigmoid", "nats"), ("linear", "half squared error")])
def test_a_history_names_the_unit_of_its_loss(task, head, unit):
    x, y = task
    nets = Population.mlp([6, 4, 1], seeds=[0], head=head)
    history = fit(nets, x, y, epochs=1, record_at=[0], train_fraction=1.0)
    z = nets_before(head)(torch.as_tensor(x))[0, :, 0].detach().double().numpy()
    loss = -np.where(y, np.log(z), np.log1p(-z)) if head == "sigmoid" else 0.5 * (z - y) ** 2
    assert history.train_loss[0, 0] == pytest.approx(loss.mean(), rel=1e-5)
    assert history.dataset().attrs["loss_unit"] == unit


def nets_before(head):
    return Population.mlp([6, 4, 1], seeds=[0], head=head)
