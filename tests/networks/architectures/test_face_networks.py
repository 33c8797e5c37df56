"""The small face network and the published one: shapes, seeds, agreement with the network written out once more."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from torch import nn

from deeptheory.core.errors import InputError, StoreError
from deeptheory.networks import FaceNet, FaceResNet, accuracy, classification_loss, face_resnet, minibatches, train
from oracles import face_resnet as oracle


@pytest.fixture(scope="module")
def weights():
    return oracle.made()


@pytest.fixture
def kept(weights, tmp_path):
    save_file(weights, tmp_path / "face_resnet.safetensors")
    return tmp_path / "face_resnet.safetensors"


def test_the_published_network_is_the_one_written_out(weights, kept):
    pictures = torch.as_tensor(np.random.default_rng(0).integers(0, 255, (2, 150, 150, 3)), dtype=torch.uint8)
    net = face_resnet(kept).double()
    assert not net.training
    got = net(pictures).detach()
    expected = oracle.forward(weights, pictures)
    assert got.shape == (2, 128)
    assert float((got - expected).abs().max()) < 1e-9 * float(expected.abs().max())
    assert float((got[0] - got[1]).abs().max()) > 1e-3  # it sees the pictures


def test_it_is_found_in_the_data_folder_and_resizes(kept, monkeypatch):
    monkeypatch.setenv("DEEPTHEORY_DATA", str(kept.parent))
    with torch.no_grad():
        assert face_resnet()(torch.rand(1, 64, 64, 3) * 255).shape == (1, 128)
    monkeypatch.delenv("DEEPTHEORY_DATA")
    with pytest.raises(StoreError, match=r"face_resnet\.safetensors was not found"):
        face_resnet()


def test_its_layers_can_be_looked_at():
    import deeptheory as dt

    recorder = dt.Recorder(FaceResNet(), torch.rand(2, 150, 150, 3) * 255, layers=list(FaceResNet.layers))
    assert list(recorder.activations()) == list(FaceResNet.layers)


def test_other_files_are_refused(weights, tmp_path):
    path = tmp_path / "w.safetensors"
    save_file({k: v for k, v in weights.items() if k != "conv64_1/conv2/scale/weights"}, path)
    with pytest.raises(StoreError, match="holds nothing under 'conv64_1/conv2/scale/weights'"):
        face_resnet(path)
    save_file({**weights, "fc": weights["fc"][:, :64].copy()}, path)
    with pytest.raises(StoreError, match=r"holds shape \[256, 64\] under 'fc'"):
        face_resnet(path)
    path.write_bytes(b"no")
    with pytest.raises(StoreError, match="w.safetensors cannot be read"):
        face_resnet(path)


def test_the_small_network_learns_and_its_seed_is_its_weights():
    rng = np.random.default_rng(0)
    y = torch.as_tensor(rng.integers(0, 3, 96))
    x = torch.as_tensor(rng.random((96, 32, 32)), dtype=torch.float32) * 0.3 + y[:, None, None] * 0.2
    net = FaceNet(3, size=32, embedding=16, widths=(4, 4, 8, 8, 8), seed=1)
    same, other = (FaceNet(3, size=32, embedding=16, widths=(4, 4, 8, 8, 8), seed=s) for s in (1, 2))
    assert torch.equal(net.conv1.weight, same.conv1.weight)
    assert not torch.equal(net.conv1.weight, other.conv1.weight)
    log = train(net, minibatches(x, y, batch=32), classification_loss, steps=40, lr=3e-3)
    assert log.losses[-5:].mean() < 0.5 * log.losses[0]
    assert accuracy(net, x, y, batch=50) > 0.8
    names = dict(net.named_modules())
    assert all(name in names for name in FaceNet.layers)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: FaceNet(10, size=40), "size is 40, classes 10"),
        (lambda: FaceNet(1), "classes 1"),
        (lambda: FaceNet(4, widths=(1, 2)), r"widths \(1, 2\)"),
        (
            lambda: FaceNet(4, size=32)(torch.zeros(2, 64, 64)),
            r"images are \[2, 64, 64\]; this network takes \[n, 32, 32\]",
        ),
        (lambda: FaceNet(4, size=32, embedding=0), "embedding is 0"),
        (lambda: FaceNet(4, size=32, widths=(1, 2, 0, 4, 5)), r"widths\[2\] is 0"),
        (lambda: accuracy(nn.Identity(), torch.eye(3), torch.zeros(2)), r"labels has shape \[2\]"),
        (lambda: accuracy(nn.Identity(), torch.eye(3), torch.zeros(3, 1)), "needed: one class number each"),
        (lambda: accuracy(nn.Identity(), torch.eye(3), torch.tensor([0, 1, 3])), "with 3 classes they run from 0 to 2"),
        (lambda: accuracy(nn.Identity(), torch.eye(0), torch.zeros(0)), "images has no rows"),
        (lambda: accuracy(nn.Flatten(0), torch.eye(3), torch.zeros(3)), r"the scores have shape \[9\]"),
        (lambda: FaceResNet()(torch.zeros(2, 64, 64)), r"images are \[2, 64, 64\]; needed: \[n, H, W, 3\]"),
    ],
)
def test_wrong_use(call, match):
    with pytest.raises(InputError, match=match):
        call()


def test_random_weights_are_the_seeds():
    a, again, other = FaceResNet(3), FaceResNet(3), FaceResNet(4)
    assert torch.equal(a.fc.weight, again.fc.weight)
    assert torch.equal(a.conv256_2.conv1.conv.weight, again.conv256_2.conv1.conv.weight)
    assert not torch.equal(a.fc.weight, other.fc.weight)
