"""Weights from files: read, refused, and never unpickled unless trusted."""

import os
import pickle

import pytest
import torch

from deeptheory.core.errors import InputError
from deeptheory.inspection.model_sources import read_model
from deeptheory.inspection.weights import read_weights


class Evil:
    def __reduce__(self):
        return (os.mkdir, ("was_run",))


def test_weights_are_read_and_pickles_refused(folder):
    from safetensors.torch import save_file

    net = read_model("mine.py:make").model
    with torch.no_grad():
        net[0].weight.fill_(0.25)
    save_file(net.state_dict(), "w.safetensors")
    torch.save(net.state_dict(), "w.pt")
    torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in net.state_dict().items()}}, "w.ckpt")
    torch.save(net, "whole.pt")
    for name in ("w.safetensors", "w.pt", "w.ckpt"):
        found = read_model("mine.py:make", folder / name)
        assert (found.model[0].weight == 0.25).all()
        assert found.said == f"weights of {name}"
    with pytest.raises(InputError, match="holds more than weights; unpickling it can run any code"):
        read_weights(folder / "whole.pt")
    with pytest.raises(InputError, match=r"holds no program: weights alone, or a pickled module"):
        read_model("whole.pt")
    with pytest.raises(InputError, match="holds no program"):
        read_model("w.safetensors")
    with pytest.raises(InputError, match=r"there is no such file"):
        read_weights(folder / "no.pt")
    with pytest.raises(InputError, match=r"ends in '.py'"):
        read_weights(folder / "mine.py")
    with pytest.raises(InputError, match="does not fit the model"):
        read_model("mine.py:with_probe", _saved(folder, {"0.weight": torch.ones(2, 2)}))
    with pytest.raises(InputError, match="holds no state dict"):
        read_weights(_saved(folder, {"epoch": 3, "loss": 0.5}))
    with pytest.raises(InputError, match="holds a list"):
        read_weights(_saved(folder, [1, 2]))
    (folder / "bad.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="cannot be read as safetensors"):
        read_weights(folder / "bad.safetensors")
    (folder / "bad.pt").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="bad.pt"):
        read_weights(folder / "bad.pt")


def _saved(folder, thing):
    torch.save(thing, folder / "other.pt")
    return folder / "other.pt"


def test_a_pickle_runs_only_when_trusted(folder):
    with (folder / "evil.pt").open("wb") as f:
        pickle.dump(Evil(), f)
    torch.save({"a": Evil()}, "evil2.pt")
    for name in ("evil.pt", "evil2.pt"):
        with pytest.raises(InputError):
            read_model("mine.py:make", folder / name)
        with pytest.raises(InputError):
            read_model(name)
    assert not (folder / "was_run").exists()


def test_a_state_dict_next_to_other_tensors_is_found(tmp_path):
    """A step or a random state is a tensor, too, and made the whole file pass for a state dict."""
    state = torch.nn.Linear(2, 3).state_dict()
    torch.save({"step": torch.tensor(5), "model": state, "rng": torch.get_rng_state()}, tmp_path / "w.pt")
    assert list(read_weights(tmp_path / "w.pt")) == ["weight", "bias"]


def test_a_file_that_holds_itself_ends(tmp_path):
    inside: dict = {}
    inside["state_dict"] = inside
    torch.save(inside, tmp_path / "w.pt")
    with pytest.raises(InputError, match="needed: a state dict"):
        read_weights(tmp_path / "w.pt")
