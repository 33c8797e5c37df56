"""What an editor, `dir`, `help` and a notebook see: the same names everywhere, typed, and nothing else."""

import ast
import importlib
import inspect
import pkgutil
import re
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Literal, get_args, get_origin

import numpy as np
import pytest
import torch

import deeptheory as dt
from deeptheory.axis.bench.validation import NORMALIZATIONS
from deeptheory.axis.layers.depth import _FIGURES as FIGURES
from deeptheory.axis.simulate.metric_efficiency import READERS
from deeptheory.axis.simulate.simulation import VARIANCES
from deeptheory.capsules.initialization import INITS
from deeptheory.capsules.losses import CONVENTIONS
from deeptheory.capsules.matrix_layers import FORMS
from deeptheory.capsules.routing.em import PRESENCE
from deeptheory.capsules.routing.variants import VARIANTS
from deeptheory.capsules.windows import NORMALIZE
from deeptheory.cheap.hamiltonians.samples import KINDS
from deeptheory.core.notebook import ROWS, block
from deeptheory.core.results import Result
from deeptheory.faces import alignment as faces
from deeptheory.information.bottleneck.solve import METHODS
from deeptheory.information.estimate import PER_UNIT
from deeptheory.information.estimators import CONDITIONAL, ENTROPY, MUTUAL_INFORMATION
from deeptheory.information.one_neuron import _FUNCTIONS, _INVERSES
from deeptheory.information.readouts.binning import _BOUNDED, _BOUNDS, _SPACINGS
from deeptheory.inspection.labels import TASKS
from deeptheory.networks.population.initializers import INITIALIZERS
from deeptheory.networks.population.optimizers import OPTIMIZERS as POPULATION_OPTIMIZERS
from deeptheory.networks.population.population import HEADS
from deeptheory.networks.single.train import OPTIMIZERS
from deeptheory.recording.callbacks import CALLBACKS
from deeptheory.runs.intervals import STATISTICS, Sample

SOURCE = Path(dt.__file__).parent
PACKAGES = [n for n in dt._MODULES if isinstance(getattr(dt, n), ModuleType)]


def typed() -> dict[str, object]:
    """Name -> what the stub says that it is."""
    found: dict[str, object] = {}
    for node in ast.parse((SOURCE / "__init__.pyi").read_text()).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found[node.target.id] = getattr(dt, node.target.id)
        elif isinstance(node, ast.ImportFrom):
            assert node.module is not None
            for alias in node.names:
                assert alias.asname == alias.name  # `import x as x` is how a stub hands a name on
                try:
                    found[alias.name] = importlib.import_module(f"{node.module}.{alias.name}")
                except ModuleNotFoundError:
                    found[alias.name] = getattr(importlib.import_module(node.module), alias.name)
    return found


def test_typed_and_lazy_names_are_the_same_objects():
    stub = typed()
    assert sorted(stub) == sorted(dt.__all__)
    assert [n for n in stub if stub[n] is not getattr(dt, n)] == []


def test_type_checkers_are_told_that_there_are_types():
    assert (SOURCE / "py.typed").is_file()


@pytest.mark.parametrize("name", PACKAGES)
def test_dir_lists_public_names_only(name):
    package = getattr(dt, name)
    shown = dir(package)
    assert shown == sorted(set(shown))
    assert [n for n in shown if n.startswith("_") or isinstance(getattr(package, n), ModuleType)] == []
    imported = {
        alias.asname or alias.name
        for node in ast.parse(Path(package.__file__).read_text()).body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("deeptheory.")
        for alias in node.names
    }
    assert set(shown) == imported


def test_the_lines_that_help_begins_with_run():
    lines = dt.__doc__.split("while a network learns:\n")[1].split("\nEvery result")[0]
    names: dict = {}
    exec(textwrap.dedent(lines), names)
    assert names["plane"].i_x.shape == (3, 3, 6)


def test_help_names_what_there_is():
    named = re.findall(r"\bdt((?:\.[A-Za-z_]+)+)", dt.__doc__)
    assert len(named) > 20
    for name in named:
        home = dt
        for part in name.strip(".").split("."):
            assert part in dir(home), name
            home = getattr(home, part)


def results() -> list[type[Result]]:
    """Every kind of result of the package."""
    for module in pkgutil.walk_packages(dt.__path__, "deeptheory."):
        if not module.name.endswith("__main__") and ".on_gpu" not in module.name:
            importlib.import_module(module.name)
    found, waiting = [], [Result]
    while waiting:
        more = waiting.pop().__subclasses__()
        found += more
        waiting += more
    return [c for c in found if c.__module__.startswith("deeptheory.")]


def test_every_result_says_in_its_own_words_what_it_is_and_has_a_table():
    found = results()
    assert len(found) > 60
    for kind in found:
        written = kind.__repr__.__code__.co_filename
        assert written.startswith(str(SOURCE)), f"{kind.__name__} shows all its arrays: give it a __repr__"
        assert kind.table is not Result.table or kind.dataset is not Result.dataset, kind


def test_a_block_says_how_many_rows_it_shows_and_cuts_no_text():
    import pandas as pd

    long = "a sentence of more than fifty characters, which pandas would cut short at its default width & <b>"
    shown = block("Thing(<x>)", pd.DataFrame({"a": range(60), "b": long}), ["a < b"])
    assert f"{ROWS} of 60 rows; .table() has all" in shown
    assert "Thing(&lt;x&gt;)" in shown
    assert "default width &amp; &lt;b&gt;" in shown
    assert "<li>a &lt; b</li>" in shown
    assert "<b>" not in shown
    assert " of " not in block("Thing", pd.DataFrame({"a": range(ROWS)}))
    assert "<ul>" not in block("Thing")
    assert block("Thing", None, "one note").endswith("<ul><li>one note</li></ul>")


def test_an_estimate_shows_its_notes_in_full():
    note = "samples lie on a curve of lower dimension than the space that they are given in; see the table"
    shown = dt.Estimate(value=1.0, method="ksg", notes=(note,))._repr_html_()
    assert f"<li>{note}</li>" in shown


def test_a_recorder_and_its_recording_show_layers_and_steps():
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    recorder = dt.Recorder(model, np.random.default_rng(0).normal(size=(7, 3)))
    assert "nothing was recorded yet" in recorder._repr_html_()
    recorder.snapshot(0)
    recorder.snapshot(10)
    for shown in (recorder._repr_html_(), recorder.recording._repr_html_()):
        assert "<td>output</td>" in shown
        assert "<td>5</td>" in shown
        assert "steps 0, 10" in shown
    assert len(repr(recorder)) < 200


def test_a_recording_of_summaries_or_of_a_folder_shows_its_layers(tmp_path):
    model, x = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh()), torch.randn(7, 3)
    kept = dt.Recorder(model, x, [0, 1, 0, 1, 0, 1, 0], readouts=dt.Binning(4))
    stored = dt.Recorder(model, x, store=tmp_path / "run")
    for recorder in (kept, stored):
        recorder.snapshot(0)
        shown = recorder._repr_html_()
        assert all(f"<td>{name}</td>" in shown for name in recorder.recording.layers)
        assert "units" not in shown


def test_a_gradient_recorder_names_what_it_skips():
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2))
    model[0].weight.requires_grad_(False)
    shown = dt.GradientRecorder(model)._repr_html_()
    assert "is skipped: frozen" in shown


def test_an_axis_code_shows_its_verdicts():
    rng = np.random.default_rng(0)
    code = dt.axis_code(rng.normal(size=(120, 2)), rng.normal(size=(120, 3)), permutations=20, folds=5)
    shown = code._repr_html_()
    assert sum(code.models.counts.values()) == 2
    assert all(f"{n} {verdict}" in shown for verdict, n in code.models.counts.items() if n)
    assert shown.count("<li>") == len(code.notes)


def test_every_public_name_is_used_with_its_types():
    """tests/typed/uses.py is what pyright checks (`make lint`)."""
    text = (Path(__file__).parent / "typed" / "uses.py").read_text()
    used = {
        node.attr
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "dt"
    }
    assert used == set(dt.__all__)
    assert "type: ignore" not in text
    root = Path(__file__).parents[1]
    checked = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["pyright"]["include"]
    assert {"src", "examples", "tests/typed"} <= set(checked)


def choices(function: Callable, parameter: str) -> set:
    """The texts that the annotation of a parameter names."""
    annotation = inspect.signature(function).parameters[parameter].annotation
    parts = [annotation] if get_origin(annotation) is Literal else get_args(annotation)
    return {text for part in parts if get_origin(part) is Literal for text in get_args(part)}


@pytest.mark.parametrize(
    ("function", "parameter", "known"),
    [
        (dt.mutual_information, "method", {"auto", *MUTUAL_INFORMATION}),
        (dt.conditional_mutual_information, "method", {"auto", *CONDITIONAL}),
        (dt.entropy, "method", {"auto", *ENTROPY}),
        (dt.mutual_information, "unit", {*PER_UNIT}),
        (dt.entropy, "unit", {*PER_UNIT}),
        (dt.bottleneck, "method", {*METHODS}),
        (dt.Binning, "bounds", {*_BOUNDS}),
        (dt.Binning, "spacing", {*_SPACINGS}),
        (dt.capsules.dynamic_routing, "backend", {"auto", *dt.capsules.backends()}),
        (dt.capsules.em_routing, "backend", {"auto", *dt.capsules.backends()}),
        (dt.reproduce, "engine", {*dt.runs.ENGINES}),
        (dt.reproduce, "scale", {scale for name in dt.studies.STUDIES for scale in dt.studies.find(name).scales}),
        (dt.Recorder.callback, "framework", {*CALLBACKS}),
        (dt.capsules.Capsules, "init", {*INITS}),
        (dt.capsules.MatrixPrimary, "init", {*INITS}),
        (dt.capsules.ConvCapsules, "normalize", {*NORMALIZE}),
        (dt.capsules.em_routing, "normalize", {*NORMALIZE}),
        (dt.capsules.em_routing, "presence", {*PRESENCE}),
        (dt.capsules.em_routing, "variant", {*VARIANTS}),
        (dt.capsules.ClassCapsules, "form", {*FORMS}),
        (dt.capsules.margin_loss, "convention", {*CONVENTIONS}),
        (dt.networks.Population.mlp, "init", {*INITIALIZERS}),
        (dt.networks.Population.mlp, "head", {*HEADS}),
        (dt.networks.fit, "optimizer", {*POPULATION_OPTIMIZERS}),
        (dt.networks.train, "optimizer", {*OPTIMIZERS}),
        (dt.axis_code, "normalize", {*NORMALIZATIONS}),
        (dt.axis.verdict_power, "variances", {*VARIANCES}),
        (dt.axis.Efficiency.ratio, "reader", {*READERS}),
        (dt.axis.LayerwiseAxisCode.figure, "name", {*FIGURES}),
        (dt.faces.FaceSpace.fit, "normalize", {*faces.NORMALIZATIONS}),
        (dt.cheap.hamiltonian_fit, "kind", {*KINDS}),
        (dt.cheap.neuron_count, "convention", {*dt.cheap.CONVENTIONS}),
        (dt.information.one_neuron_information, "activation", {*_INVERSES}),
        (dt.information.noisy_neuron_information, "activation", {*_FUNCTIONS}),
        (dt.Binning.net_input, "activation", {*_BOUNDED}),
        (dt.inspect, "task", {*TASKS}),
        (dt.runs.Run.execute, "engine", {*dt.runs.ENGINES}),
        (Sample, "statistic", {*STATISTICS}),
    ],
)
def test_an_editor_offers_every_choice_that_there_is(function, parameter, known):
    assert choices(function, parameter) == known


@pytest.mark.parametrize(
    ("function", "parameter", "call"),
    [
        (dt.axis.simulate, "noise", lambda text: dt.axis.simulate(n=60, d=4, units=3, noise=text)),
        (dt.axis.simulate, "sign", lambda text: dt.axis.simulate(n=60, d=4, units=3, sign=text)),
        (dt.Estimate, "direction", lambda text: dt.Estimate(value=1.0, method="x", direction=text)),
        (dt.networks.fit, "split", lambda text: trained(split=text)),
        (dt.networks.fit, "engine", lambda text: trained(engine=text)),
    ],
)
def test_every_choice_offered_is_taken_and_no_other(function, parameter, call):
    offered = choices(function, parameter)
    assert len(offered) > 1
    for text in offered:
        call(text)
    with pytest.raises(dt.errors.InputError) as refused:
        call("nonsense")
    assert all(text in str(refused.value) for text in offered)


def trained(**how) -> None:
    """A population of one small network, one epoch."""
    nets = dt.networks.Population.mlp([3, 2, 2], seeds=[0])
    x = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    dt.networks.fit(nets, x, (x[:, 0] > 0).astype(np.int64), train_fraction=0.5, epochs=1, batch=20, **how)
