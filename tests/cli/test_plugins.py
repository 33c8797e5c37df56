"""What other packages add, as a user sees it."""

import json
import sys

import pytest

from cli.running import run
from deeptheory.cli.plugins import told
from deeptheory.core import plugins
from deeptheory.core.plugins import Plugin

POINTS = "[deeptheory.datasets]\nmoons = made_up_sets:MOONS\nbroken = made_up_sets:NOTHING\n"
MODULE = """
from deeptheory.datasets import DataSource
MOONS = DataSource("moons", "two moons", license="none", citation="nobody", loader="a:b", finder="nowhere_at_all:where")
"""


@pytest.fixture
def installed(tmp_path, monkeypatch):
    info = tmp_path / "made_up-2.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: made-up\nVersion: 2.5\n")
    (info / "entry_points.txt").write_text(POINTS)
    (tmp_path / "made_up_sets.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins.packages.cache_clear()
    yield
    sys.modules.pop("made_up_sets", None)
    plugins.packages.cache_clear()


@pytest.mark.filterwarnings("always::deeptheory.core.errors.PluginWarning")
def test_list_names_what_packages_add_and_what_could_not_be_taken(capsys, installed):
    code, out, err = run(capsys, "list", "--plugins")
    assert code == 0
    assert "  datasets: 'moons' of made-up 2.5\n" in out
    assert "  datasets: 'broken' of made-up 2.5 is left out: AttributeError" in out
    assert err.startswith("warning: datasets: 'broken' of made-up 2.5 (made_up_sets:NOTHING) is left out: AttributeErr")
    assert err.count("\n") == 1
    assert "'moons' of made-up 2.5" in run(capsys, "list")[1]
    rows = json.loads(run(capsys, "list", "--plugins", "--json")[1])
    assert [(r["name"], r["package"], r["version"], bool(r["problem"])) for r in rows] == [
        ("moons", "made-up", "2.5", False), ("broken", "made-up", "2.5", True),
    ]  # fmt: skip
    code, _, err = run(capsys, "list", "saxe-2018", "--plugins")
    assert code == 2
    assert "give one of them" in err


@pytest.mark.filterwarnings("ignore::deeptheory.core.errors.PluginWarning")
def test_doctor_and_data_list_say_what_a_source_cannot(capsys, installed):
    found = json.loads(run(capsys, "doctor", "--json")[1])
    assert found["plug-ins"]["datasets: 'moons' of made-up 2.5"] == "can be used"
    assert "NOTHING" in found["plug-ins"]["datasets: 'broken' of made-up 2.5"]
    assert found["data"]["moons"].startswith("it does not say: ModuleNotFoundError")
    assert found["data"]["icosahedron"] == "generated; no file needed"
    listed = {row["name"]: row["where"] for row in json.loads(run(capsys, "data", "list", "--json")[1])}
    assert listed["moons"].startswith("it does not say")


def test_without_plug_ins_nothing_is_said(capsys, monkeypatch):
    monkeypatch.setattr(plugins, "packages", lambda path: ())
    monkeypatch.setattr(sys, "path", [*sys.path, "elsewhere"])
    assert "added by" not in run(capsys, "list")[1]
    assert "no package adds anything" in run(capsys, "list", "--plugins")[1]
    assert json.loads(run(capsys, "list", "--plugins", "--json")[1]) == []


def test_a_line_a_part():
    one = Plugin(kind="solvers", name="x", package="p", version="1", target="m:f")
    assert told([one]).splitlines() == ["added by other packages", "  solvers: 'x' of p 1"]
