"""Checkpoints by name and step: folders as training leaves them, what does not fit, and a folder that grew."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.inspection.checkpoints import File, check_fits, states_of, steps_of


def net(seed=0, width=6):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 3))


X, Y = torch.randn(40, 4, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 3


@pytest.mark.parametrize(
    ("names", "steps"),
    [
        (["step-0", "step-10", "step-9"], (0, 10, 9)),
        (["epoch=1-step=300", "epoch=1-step=600"], (300, 600)),
        (["epoch_1_acc_0.5", "epoch_2_acc_0.5"], (1, 2)),
        (["checkpoint-500", "checkpoint-1000"], (500, 1000)),
        (["resnet18_v2_3", "resnet18_v2_20"], (3, 20)),
        (["0.5", "1.25"], (0.5, 1.25)),
        (["-1", "2"], (-1, 2)),
        (["early", "late"], None),
        (["early", "step 3"], None),
        (["a1", "b1"], None),
        (["nan", "1"], None),
        (["model 3 Step 07", "model 3 Step 8"], (7, 8)),
    ],
)
def test_a_name_tells_its_step_or_none_does(names, steps):
    assert steps_of(names) == steps


def test_folders_as_training_leaves_them(tmp_path):
    flat, trainer = tmp_path / "flat", tmp_path / "trainer"
    flat.mkdir()
    for step in (10, 9, 100):
        torch.save({"state_dict": net(step).state_dict()}, flat / f"epoch=1-step={step}.ckpt")
    (flat / "notes.txt").write_text("")
    (flat / ".hidden.pt").write_text("")
    assert list(states_of(flat)) == ["epoch=1-step=9", "epoch=1-step=10", "epoch=1-step=100"]
    for step in (500, 1000):
        (trainer / f"checkpoint-{step}").mkdir(parents=True)
        save_file(net(step).state_dict(), trainer / f"checkpoint-{step}" / "model.safetensors")
        torch.save({"optimizer": 1}, trainer / f"checkpoint-{step}" / "optimizer.pt")
    assert list(states_of([trainer])) == ["checkpoint-500", "checkpoint-1000"]
    found = states_of(
        [
            flat / "epoch=1-step=9.ckpt",
            trainer / "checkpoint-500" / "model.safetensors",
            trainer / "checkpoint-1000" / "model.safetensors",
        ]
    )
    assert list(found) == ["flat/epoch=1-step=9", "checkpoint-500/model", "checkpoint-1000/model"]
    assert torch.equal(found["checkpoint-500/model"].read()["0.weight"], net(500)[0].weight)
    assert states_of({3: net(), "b": flat / "x.pt"}, trust=True)["b"] == File(flat / "x.pt", trust=True)
    assert list(states_of(net().state_dict())) == ["checkpoint 1"]
    assert states_of(None) == {}


def test_what_is_no_checkpoint_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no weights"):
        states_of(tmp_path)
    (tmp_path / "checkpoint-5").mkdir()
    (tmp_path / "checkpoint-5" / "model.safetensors.index.json").write_text("{}")
    with pytest.raises(InputError, match="checkpoint-5 holds weights in several parts"):
        states_of(tmp_path)
    with pytest.raises(InputError, match="the name '1' twice"):
        states_of({1: net(), "1": net()})
    with pytest.raises(InputError, match="kept no weights; make it with weights=FOLDER"):
        states_of(dt.Recorder(net(), X))
    with pytest.raises(InputError, match="checkpoints hold none"):
        states_of([])


@pytest.mark.parametrize(
    ("state", "match"),
    [
        ({"0.weight": torch.ones(6, 4)}, "it lacks '0.bias'"),
        (net().state_dict() | {"extra": torch.ones(1)}, "'extra' is not in the model"),
        (net(width=7).state_dict(), r"'0.weight' is \[7, 4\] there and \[6, 4\] here"),
        (3, "checkpoint 'a' is a int"),
    ],
)
def test_what_does_not_fit_is_told_before_anything_is_measured(state, match):
    with pytest.raises(InputError, match=match):
        check_fits(net(), state, "a")
    with pytest.raises(InputError, match=match):
        dt.inspect(
            net(),
            X,
            Y,
            instruments="health",
            checkpoints={"good": net(1), "a": state},
            twins=0,
            progress=False,
            before=lambda *_: 1 / 0,
        )


def test_prefixes_of_compiled_and_parallel_training_fit():
    for prefix in ("module.", "_orig_mod.", "model."):
        check_fits(net(), {prefix + k: v for k, v in net().state_dict().items()}, "a")


def test_a_file_that_keeps_tied_weights_once_fits():
    model, other = net(width=4), net(1, width=4)
    for m in (model, other):
        m.append(nn.Linear(3, 3)).append(nn.Linear(3, 3))
        m[4].weight = m[3].weight
    state = {k: v for k, v in other.state_dict().items() if k != "4.weight"}
    check_fits(model, state, "a")
    found = dt.inspect(model, X, Y, instruments="health", checkpoints={"a": state, "b": other}, twins=0, progress=False)
    assert found.scalars("a") == found.scalars("b")
    with pytest.raises(InputError, match="it lacks '2.weight'"):  # which is tied to none
        check_fits(model, {k: v for k, v in state.items() if k != "2.weight"}, "a")


def test_a_folder_that_grew_is_measured_where_it_is_new(tmp_path):
    weights, model = tmp_path / "weights", net()
    recorder = dt.Recorder(model, X, Y, weights=weights)
    for step in range(3):
        recorder.snapshot(step)
        with torch.no_grad():
            model[0].weight.mul_(1.5)

    def kill(fraction, left):
        if fraction > 0.4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dt.inspect(model, X, Y, instruments="health", checkpoints=weights, out=tmp_path / "run", twins=2, progress=kill)
    done = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "run" / "steps").iterdir()}
    assert 0 < len(done) < 5
    recorder.snapshot(3)
    found = dt.inspect(
        model, X, Y, instruments="health", checkpoints=weights, out=tmp_path / "run", twins=2, progress=False
    )
    assert {p.name: p.stat().st_mtime_ns for p in (tmp_path / "run" / "steps").iterdir() if p.name in done} == done
    whole = dt.inspect(model, X, Y, instruments="health", checkpoints=weights, twins=2, progress=False)
    assert found.table().equals(whole.table())
    assert found.steps == (0, 1, 2, 3)
    assert len(list((tmp_path / "run" / "steps").iterdir())) == 6


def test_equal_checkpoints_are_measured_once(tmp_path):
    found = dt.inspect(
        net(),
        X,
        Y,
        instruments="health",
        checkpoints={"a": net(), "b": net().state_dict()},
        out=tmp_path,
        twins=0,
        progress=False,
    )
    assert len(list((tmp_path / "steps").iterdir())) == 1
    assert found.scalars("a") == found.scalars("b")
