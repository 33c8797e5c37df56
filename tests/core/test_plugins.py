"""Parts of other packages: found when asked for, named when they cannot be taken, and no more than that."""

import subprocess
import sys
import threading
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import deeptheory as dt
from deeptheory.capsules.routing.variants import VARIANTS
from deeptheory.cli.plugins import REGISTRIES, registry
from deeptheory.core import plugins
from deeptheory.core.errors import InputError, PluginWarning
from deeptheory.core.names import pick
from deeptheory.core.plugins import Registry
from deeptheory.datasets import CATALOGUE
from deeptheory.information import READOUTS
from deeptheory.information.bottleneck import METHODS
from deeptheory.information.estimators import MUTUAL_INFORMATION
from deeptheory.inspection import INSTRUMENTS
from deeptheory.inspection.instruments import chosen, load
from deeptheory.studies import STUDIES, find

EXTRA = Path(__file__).parents[2] / "examples" / "deeptheory_extra"
GOOD = "def part(x, y):\n    return x\n"


@pytest.fixture
def install(tmp_path, monkeypatch):
    """install(package, files, points) as pip would leave it: modules, and metadata with entry points by group."""
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)

    def one(package: str, files: dict[str, str], points: dict[str, dict[str, str]]) -> None:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        info = tmp_path / f"{package.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        lines = [f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in named.items()) for group, named in points.items()]
        (info / "entry_points.txt").write_text("\n".join(lines))
        plugins.packages.cache_clear()

    yield one
    plugins.packages.cache_clear()
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith((str(tmp_path), str(EXTRA))):
            del sys.modules[name]


@pytest.fixture
def extra(install, monkeypatch):
    """The example package, as if it were installed."""
    monkeypatch.syspath_prepend(str(EXTRA / "src"))
    install("deeptheory-extra", {}, tomllib.loads((EXTRA / "pyproject.toml").read_text())["project"]["entry-points"])


def parts(own: dict | None = None) -> Registry:
    """A registry of estimators that nobody else holds."""
    return Registry("estimators", own or {"own": len}, accept=MUTUAL_INFORMATION._accept)


def test_importing_the_package_looks_for_nothing():
    code = (
        "import sys, deeptheory as dt\n"
        "assert not [m for m in sys.modules if m.startswith('deeptheory.')], 'imported'\n"
        "assert 'importlib.metadata' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_our_own_names_are_found_without_a_look(monkeypatch):
    monkeypatch.setattr(plugins, "named", lambda *_: pytest.fail("looked"))
    found = parts({"own": len})
    assert found["own"] is len
    assert "own" in found
    assert pick(found, "own", what="part") is len
    with pytest.raises(pytest.fail.Exception, match="looked"):
        found["other"]


def test_the_example_adds_one_part_of_each_kind(extra):
    own = {
        "estimators": MUTUAL_INFORMATION, "readouts": READOUTS, "routings": VARIANTS, "solvers": METHODS,
        "instruments": INSTRUMENTS, "studies": STUDIES, "datasets": CATALOGUE,
    }  # fmt: skip
    assert {kind: registry(kind) for kind in REGISTRIES} == own
    for kind, held in own.items():
        (added,) = held.added()
        assert (added.kind, added.package, added.version, added.problem) == (kind, "deeptheory-extra", "1.0", "")
        assert added.name in held
        assert list(held) == [*held.own, added.name]
        assert len(held) == len(held.own) + 1
    assert dt.mutual_information(range(30), range(30), "rank-correlation").value > 5
    assert dt.bottleneck([[0.4, 0.1], [0.1, 0.4]], 3.0, "quantizer").i_y == pytest.approx(0.2781, abs=1e-4)
    assert load("sparseness").name == "sparseness"
    assert "sparseness" not in chosen()  # a package that is there does not change everybody's page
    assert list(chosen(["sparseness"])) == ["sparseness"]
    assert find("miller-1955").part("claims").CLAIMS[0].id == "too-low"
    assert find("1703.00810").name == "shwartz-ziv-tishby-2017"  # all studies are asked for their number
    assert CATALOGUE["parity"].get(bits=3).x.shape == (8, 3)


BAD = {
    "raises": ("raise RuntimeError('no\\nlicense')", "RuntimeError: no license"),
    "ends the program": ("raise SystemExit(3)", "SystemExit: 3"),
    "is no Python": ("def (", "SyntaxError"),
    "lacks the part": ("other = 1", "AttributeError"),
    "lacks a module": ("import a_module_that_nobody_has", "ModuleNotFoundError"),
    "is no function": ("part = 3", "TypeError: it is a int; needed: a function"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_a_bad_part_is_named_and_does_not_stop_the_rest(install, text, said):
    install("bad", {"bad_module.py": text}, {"deeptheory.estimators": {"broken": "bad_module:part"}})
    install("good", {"good_module.py": GOOD}, {"deeptheory.estimators": {"fine": "good_module:part"}})
    found = parts()
    with pytest.warns(PluginWarning, match="estimators: 'broken' of bad 1.0") as warned:
        assert list(found) == ["own", "fine"]
    assert len(warned) == 1
    assert said in str(warned[0].message)
    assert "\n" not in str(warned[0].message)
    assert found["fine"](1, 2) == 1
    assert [(p.name, bool(p.problem)) for p in found.added()] == [("fine", False), ("broken", True)]
    assert list(found) == ["own", "fine"]  # said once


WRONG = [
    ("readouts", "class part: ...", "needed: a class with summarize"),
    ("routings", "part = dict(damping=1)", "needed: a deeptheory.capsules.Variant"),
    ("solvers", "part = 'ib'", "needed: a function"),
    ("instruments", "part = print", "needed: a deeptheory.inspection.Instrument"),
    ("instruments", "from deeptheory.inspection.health import HEALTH as part", "calls itself 'health'"),
    ("datasets", "part = 'mnist.npz'", "needed: a deeptheory.datasets.DataSource"),
    ("datasets", "from deeptheory.datasets import CATALOGUE; part = CATALOGUE['mnist']", "calls itself 'mnist'"),
    ("studies", "part = 1", "needed: a module whose STUDY"),
]


@pytest.mark.parametrize(("kind", "text", "said"), WRONG, ids=[f"{w[0]}-{k}" for k, w in enumerate(WRONG)])
def test_every_kind_refuses_what_it_cannot_use(install, kind, text, said):
    install("wrong", {"wrong_module.py": text}, {f"deeptheory.{kind}": {"mine": "wrong_module:part"}})
    with pytest.warns(PluginWarning, match=said):
        assert "mine" not in registry(kind)
    assert list(registry(kind)) == list(registry(kind).own)


STUDY = """
from deeptheory.studies import Scale, Study
STUDY = Study(name={name!r}, title="t", paper="A 2000, B", scales={scales}, protocols={{"own": {{}}}})
"""


@pytest.mark.parametrize(
    ("name", "scales", "said"),
    [
        ("other", "{'quick': Scale(settings={}, cost='none')}", "calls itself 'other'"),
        ("mine", "{}", "no scale or no protocol"),
        ("mine", "{'quick': 3}", "AttributeError"),
        ("mine", "{'quick': Scale(settings={}, cost='none')}", "lacks STEPS"),
    ],
)
def test_a_study_that_cannot_run_is_refused_before_it_is_listed(install, name, scales, said):
    text = STUDY.format(name=name, scales=scales)
    install("paper", {"paper_module.py": text}, {"deeptheory.studies": {"mine": "paper_module"}})
    with pytest.warns(PluginWarning, match=said), pytest.raises(InputError, match="unknown study 'mine'"):
        find("mine")


def test_a_study_in_a_folder_needs_its_three_files(install):
    text = STUDY.format(name="mine", scales="{'quick': Scale(settings={}, cost='none')}")
    files = {"paper_folder/__init__.py": text, "paper_folder/steps.py": "STEPS = ()", "paper_folder/claims.py": ""}
    install("paper", files, {"deeptheory.studies": {"mine": "paper_folder"}})
    with pytest.warns(PluginWarning, match="lacks figures"):
        assert "mine" not in STUDIES


def test_names_that_are_taken_stay_with_whom_they_are(install):
    install("b-second", {"second.py": GOOD}, {"deeptheory.estimators": {"new": "second:part"}})
    install("A-first", {"first.py": GOOD}, {"deeptheory.estimators": {"new": "first:part", "own": "first:part"}})
    found = parts()
    with pytest.warns(PluginWarning) as warned:
        assert list(found) == ["own", "new"]
    assert sorted(str(w.message).split(" is left out: ")[1] for w in warned) == [
        "A-first has one of that name, which stays",
        "deeptheory has one of that name, which stays",
    ]
    assert found["own"] is len
    assert found["new"].__module__ == "first"


@pytest.mark.parametrize("name", ["two words", "../up", "-x", "\x1b[31mred"])
def test_a_name_is_a_plain_word(install, name):
    install("odd", {"odd.py": GOOD}, {"deeptheory.estimators": {name: "odd:part"}})
    with pytest.warns(PluginWarning, match="a name is letters") as warned:
        assert list(parts()) == ["own"]
    assert str(warned[0].message).isprintable()


def test_damaged_metadata_is_named_and_skipped(install, tmp_path):
    install("good", {"good_module.py": GOOD}, {"deeptheory.estimators": {"fine": "good_module:part"}})
    broken = tmp_path / "broken-1.0.dist-info"
    broken.mkdir()
    (broken / "entry_points.txt").write_bytes(b"[deeptheory.estimators]\nx = \xff\xfe\n")
    with pytest.warns(PluginWarning, match=r"entry points of broken-1\.0\.dist-info cannot be read"):
        assert list(parts()) == ["own", "fine"]


def test_a_part_may_look_into_the_registry_that_loads_it(install, monkeypatch):
    text = "import holder\nseen = list(holder.found)\nknown = 'mine' in holder.found\n" + GOOD
    install("inward", {"inward.py": text, "holder.py": ""}, {"deeptheory.estimators": {"mine": "inward:part"}})
    holder: Any = import_module("holder")
    holder.found = parts()
    assert list(holder.found) == ["own", "mine"]
    assert sys.modules["inward"].seen == ["own"]
    assert sys.modules["inward"].known is False


def test_only_the_part_that_is_asked_for_is_imported(install):
    install(
        "lazy", {"one_m.py": GOOD, "two_m.py": GOOD}, {"deeptheory.estimators": {"a": "one_m:part", "b": "two_m:part"}}
    )
    assert parts()["a"](1, 2) == 1
    assert "two_m" not in sys.modules


def test_a_user_may_set_and_take_away_and_packages_come_and_go(install, tmp_path, monkeypatch):
    install("good", {"good_module.py": GOOD}, {"deeptheory.estimators": {"fine": "good_module:part"}})
    found = parts()
    assert "fine" in found
    found["fine"] = max
    assert found["fine"] is max
    del found["fine"]
    assert found["fine"](3, 4) == 3
    with pytest.raises(KeyError):
        del found["fine"]  # a package's part goes with the package
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(tmp_path)])
    assert list(found) == ["own"]
    with pytest.raises(KeyError):
        found["fine"]
    assert found.added() == ()
    assert repr(found) == "Registry(estimators: own)"


def test_threads_that_ask_at_once_get_the_same_part(install):
    text = "import time\ntime.sleep(0.1)\n" + GOOD
    install("slow", {"slow_module.py": text}, {"deeptheory.estimators": {"mine": "slow_module:part"}})
    found, got = parts(), []
    threads = [threading.Thread(target=lambda: got.append(found["mine"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 8
    assert len(set(got)) == 1
