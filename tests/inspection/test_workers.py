"""Networks of an inspection on an engine: the numbers of serial, bit for bit, whatever the model was defined in."""

import importlib.util
import json
import sys

import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.inspection.workers import _found, _only_here, _packed


def model_of():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))


def inspected(model, out, **options):
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(40, 6, generator=generator), torch.randint(0, 3, (40,), generator=generator)
    common = {"instruments": ["health", "class_geometry"], "twins": 2, "permutations": 3, "progress": False}
    return dt.inspect(model, x, y, out=out, **(common | options))


def numbers(folder):
    """What was found by every network, without the seconds."""
    found = {p.name: json.loads(p.read_text())["found"] for p in (folder / "steps").glob("*.json")}
    return {name: found[name] for name in sorted(found)}


def states(model):
    other = {name: 2 * v for name, v in model.state_dict().items()}
    return {"first": other, "last": model.state_dict()}


@pytest.mark.parametrize("engine", ["processes", pytest.param("dask", marks=pytest.mark.slow)])
def test_an_engine_gives_the_numbers_of_serial(tmp_path, engine):
    """Checkpoints and twins; a second call has nothing left to do; the model is left as it was."""
    if engine == "dask":
        pytest.importorskip("distributed")
    model = model_of()
    before = {name: v.clone() for name, v in model.state_dict().items()}
    one = inspected(model, tmp_path / "serial", checkpoints=states(model))
    two = inspected(model, tmp_path / "away", checkpoints=states(model), engine=engine, jobs=2)
    assert len(numbers(tmp_path / "away")) == 4
    assert numbers(tmp_path / "serial") == numbers(tmp_path / "away")
    assert one.table().equals(two.table())
    assert all(torch.equal(v, before[name]) for name, v in model.state_dict().items())
    times = {p: p.stat().st_mtime_ns for p in (tmp_path / "away" / "steps").iterdir()}
    inspected(model, tmp_path / "away", checkpoints=states(model), engine=engine, jobs=2)
    assert times == {p: p.stat().st_mtime_ns for p in (tmp_path / "away" / "steps").iterdir()}


def test_an_inspection_lies_in_an_object_store(tmp_path):
    from deeptheory.core.places import place

    model = model_of()
    inspected(model, tmp_path / "here")
    inspected(model, "memory://inspected/a")
    there = place("memory://inspected/a")
    assert (there / "report.html").exists()
    found = {p.name: json.loads(p.read_text())["found"] for p in (there / "steps").iterdir()}
    assert found == numbers(tmp_path / "here")
    with pytest.raises(InputError, match="seen by this process alone"):
        inspected(model, "memory://inspected/b", engine="processes")


@pytest.mark.slow
def test_a_model_from_a_file_goes_to_workers_that_cannot_import_it(tmp_path):
    (tmp_path / "stranger.py").write_text(
        "from torch import nn\nclass Net(nn.Sequential):\n    pass\ndef made():\n"
        "    return Net(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))\n"
    )
    spec = importlib.util.spec_from_file_location("stranger", tmp_path / "stranger.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["stranger"] = module
    try:
        spec.loader.exec_module(module)
        assert not _found("stranger")
        assert _found("torch.nn.modules.linear")
        assert _only_here([module.Net, nn.Linear, None]) == [module]
        assert len(_packed(module.made, [module])) > len(_packed(module.made, []))
        found = inspected(module.made(), tmp_path / "a", engine="processes", jobs=2, twins=1)
    finally:
        del sys.modules["stranger"]
    assert len(numbers(tmp_path / "a")) == 2
    assert not found.refused


def test_an_instrument_that_fails_in_a_worker_is_named(tmp_path):
    """Also by a later call, which finds its units done."""
    from dataclasses import replace

    from deeptheory.inspection.health import HEALTH

    broken = replace(HEALTH, name="broken", start=failing)
    for engine in ("processes", "serial"):  # with one worker the units are packed, too
        found = inspected(model_of(), tmp_path / "a", instruments=["class_geometry", broken], engine=engine, jobs=1)
        assert "ZeroDivisionError" in found.refused["broken"]
        assert set(found.results) == {"class_geometry"}


def failing(layer, context):
    return 1 / 0


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"engine": "procesess"}, "did you mean processes"),
        ({"engine": "processes", "jobs": 0}, "jobs is 0"),
        ({"engine": "dask:tcp://127.0.0.1:9", "out": None}, "name a folder that the workers see"),
    ],
)
def test_wrong_use(tmp_path, options, match):
    with pytest.raises(InputError, match=match):
        inspected(model_of(), **({"out": tmp_path / "a"} | options))
