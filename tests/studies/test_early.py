"""The first figure is on disk while the rest is at work, and says of how many networks it is."""

import re
from types import SimpleNamespace

import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.runs import NotDone, Results, Run, Step
from deeptheory.studies import STUDIES, find
from deeptheory.studies.early import NAME, early_figure
from oracles.stored_runs import load

STUDY = "shwartz-ziv-tishby-2017"


@pytest.fixture(scope="module")
def stored():
    results, settings, _ = load(STUDY)
    return results["minibatch"], settings


def of(data):
    """What a run hands over: the units of a step that are done."""
    return SimpleNamespace(so_far=lambda step: data)


def test_it_is_drawn_of_the_first_networks_and_again_of_all(stored, tmp_path):
    data, settings = stored
    draw = early_figure(tmp_path, find(STUDY), settings)
    assert draw(of(data), "relu", 1, 2) is None
    assert not (tmp_path / NAME).exists()
    said = draw(of(data.isel(seed=slice(2))), "minibatch", 1, 2)
    assert said == f"first figure, 2 of 4 networks: open {tmp_path / NAME}"
    first = (tmp_path / NAME).read_text()
    assert "2 of 4 networks" in first
    assert draw(of(data), "minibatch", 2, 2) is None
    last = (tmp_path / NAME).read_text()
    assert "All 4 networks" in last
    outside_scripts = re.sub(r"<script.*?</script>", "", last, flags=re.S)
    assert "http" not in outside_scripts  # no network request
    assert "Plotly.newPlot" in last
    assert "addFrames" in last  # the slider over epochs
    assert ".then(function(){\n            Plotly.animate" not in last  # shows the last epoch, plays by the slider


def test_a_figure_that_the_settings_do_not_define_is_left_out(stored, tmp_path):
    def refuse(results, settings):
        raise InputError("no")

    figures = SimpleNamespace(FIRST=("minibatch", refuse))
    study = SimpleNamespace(part=lambda name: figures, count="networks")
    draw = early_figure(tmp_path, study, stored[1])
    assert draw(of(stored[0]), "minibatch", 2, 2) is None
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("name", [n for n in STUDIES if n in (STUDY, "rolnick-tegmark-2018")])
def test_its_step_is_one_of_the_study(name, tmp_path):
    study = find(name)
    first = getattr(study.part("figures"), "FIRST", None)
    assert (early_figure(tmp_path, study, {}) is None) == (first is None)
    if first is not None:
        steps = [step.name for step in study.part("steps").STEPS]
        assert first[0] == steps[0]  # else it would not be early


def unit(settings, unit, inputs, workspace, progress):
    import xarray as xr

    return xr.Dataset({"a": ("seed", [unit])})


def test_a_run_tells_after_each_unit_and_gives_what_is_done(tmp_path, capsys):
    told = []

    def after(results, step, done, units):
        told.append((step, done, units, results.so_far(step)["a"].values.tolist()))
        return f"{done} seen"

    run = Run(tmp_path / "r", study="s", scale="quick", seed=0, settings={})
    results = run.execute([Step(name="one", function=unit, units=lambda s: [1, 2])], after=after)
    assert told == [("one", 1, 2, [1]), ("one", 2, 2, [1, 2])]
    assert "1 seen" in capsys.readouterr().err
    assert results["one"]["a"].values.tolist() == [1, 2]
    run.execute([Step(name="one", function=unit, units=lambda s: [1, 2])], after=after)
    assert len(told) == 2  # nothing was left to do
    nothing = Results(tmp_path, {"one": Step(name="one", function=unit)}, {})
    with pytest.raises(NotDone, match="has done no unit yet"):
        nothing.so_far("one")


def test_the_quick_scale_trains_what_it_says():
    values, _ = find(STUDY).values("quick")
    assert (values["networks"], values["epochs"]) == (18, 8000)
    assert max(dt.networks.log_epochs(8000, values["points"])) == 7999  # counted from 0
