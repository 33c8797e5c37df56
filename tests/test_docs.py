"""Pages and README name what exists."""

import inspect
import json
import re
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import deeptheory as dt
from deeptheory.core.errors import InputError
from deeptheory.studies import STUDIES, find

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    *sorted(p for p in (ROOT / "docs").rglob("*.md") if not {"_build", "gallery", "_examples"} & {*p.parts}),
]


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_every_name_in_a_page_exists(page):
    for path in re.findall(r"\bdt((?:\.[A-Za-z_]\w*)+)", page.read_text()):
        value = dt
        for name in path.strip(".").split("."):
            value = getattr(value, name)


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_every_argument_that_a_sentence_names_is_taken(page):
    """`dt.name(..., argument=)` in prose; code blocks run by themselves."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.S | re.M)
    for path, given in re.findall(r"`dt((?:\.\w+)+)\(([^`]*)\)`", text):
        value = dt
        for name in path.strip(".").split("."):
            value = getattr(value, name)
        taken = inspect.signature(value).parameters
        if all(p.kind is not p.VAR_KEYWORD for p in taken.values()):
            given = re.sub(r"\([^()]*\)", "", given)  # arguments of calls within
            assert set(re.findall(r"(\w+)=(?!=)", given)) <= set(taken), path


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_every_file_that_a_page_shows_is_there(page):
    for name in re.findall(r"(?:\]\(|\{image\} )([\w./-]+)", page.read_text()):
        if not name.startswith(("http", "gallery/")):  # the gallery is made by the build, which checks links to it
            assert (page.parent / name).exists(), name


@pytest.mark.parametrize("name", STUDIES)
def test_the_ledger_in_the_docs_holds_every_claim(name):
    claims = find(name).part("claims").CLAIMS
    text = (ROOT / "docs" / "ledgers" / f"{name}.md").read_text()
    assert [c.id for c in claims if f"`{c.id}`" not in text] == []


def test_a_benchmark_replaces_its_section_of_the_page_and_no_other():
    make_speed = script("make_speed")
    row = {"name": "a", "ours_ms": 1.0, "theirs": "b", "theirs_ms": 2.0, "ratio": 2.0, "least": 1.5, "largest": 2.5}
    row |= {"error": None, "error_of": "", "note": ""}
    machine = {"processor": "P", "cores": 2}
    both = {"machine": machine, "rows": [{"benchmark": n, **row} for n in ("plane", "growth")]}
    old = make_speed.page(both)
    new = make_speed.page({"machine": machine, "rows": [{"benchmark": "plane", **row, "ratio": 7.0}]}, old)
    assert old.count("| 2 [1.5, 2.5] |") == 2
    assert new == old.replace("| 2 [1.5, 2.5] |", "| 7 [1.5, 2.5] |", 1)


def test_figures_of_speed_that_moved_are_told_from_those_that_did_not():
    make_speed = script("make_speed")
    row = {
        "name": "c, 1 | 1",
        "ours_ms": 1.0,
        "theirs": "b",
        "theirs_ms": 2.0,
        "error": 1e-9,
        "error_of": "bits",
        "note": "",
    }
    machine = {"processor": "P", "cores": 2}

    def figures(*ratios):
        rows = [
            {"benchmark": "plane", **row, "name": f"{row['name']} {k}", "ratio": r, "least": low, "largest": high}
            for k, (r, low, high) in enumerate(ratios)
        ]
        return make_speed.figures(make_speed.page({"machine": machine, "rows": rows}))

    old, new = (
        figures((2, 1.5, 2.5), (2, 1.5, 2.5), (9, 9, 9)),
        figures((2.4, 1.9, 2.6), (4, 3.5, 4.5), (8.5, 8.5, 8.5), (1, 1, 1)),
    )
    assert old["plane", "c, 1 | 1 1", "b"] == (2, 1.5, 2.5)
    text = make_speed.moved(old, new, "v0")
    assert "| plane | c, 1 | 1 1 | b | 2 [1.5, 2.5] | 4 [3.5, 4.5] |" in text
    assert text.count("\n| plane |") == 1
    assert "2 figures did not move, 1 are new, 0 are gone" in text


def test_the_reference_names_what_exists():
    pages = sorted((ROOT / "docs" / "reference").glob("*.md"))
    assert len(pages) > 15
    for page in pages:
        text = page.read_text()
        blocks = re.findall(r"automodule:: ([\w.]+)\n((?:   :.*\n)*)", text)
        assert len(blocks) == text.count("automodule::")
        for module, options in blocks:
            assert options.count(":members:") == 1, module
            for name in filter(None, re.split(r"[,\s]+", options.split(":members:")[1])):
                assert hasattr(import_module(module), name), f"{module}.{name}"
        for module, block in re.findall(
            r"currentmodule:: ([\w.]+)\n((?:.. auto(?:class|function)::.*\n|   :.*\n)+)", text
        ):
            for name in re.findall(r":: (\w+)", block):
                assert hasattr(import_module(module), name), f"{module}.{name}"


def test_the_reference_has_every_public_name_of_the_sciences():
    """A page lists a package by its __all__ (":members:" alone), or every name of it is on some page."""
    text = "\n".join(p.read_text() for p in (ROOT / "docs" / "reference").glob("*.md"))
    listed = set(re.findall(r"\b\w+\b", text))
    for name in ("information", "capsules", "faces", "recording", "networks", "datasets", "inspection"):
        if not re.search(rf"automodule:: deeptheory\.{name}\n   :members:\n", text):
            assert set(import_module(f"deeptheory.{name}").__all__) - listed == set()


def test_what_was_measured_stands_in_the_pages_of_the_papers():
    """Nothing in them was typed: the script gives the same again."""
    make_theory = script("make_theory")
    for name in STUDIES:
        page = ROOT / "docs" / "theory" / f"{name}.md"
        assert page.read_text() == make_theory.filled(page), "run docs/make_theory.py"
    assert (ROOT / "docs" / "reading_list.md").read_text() == make_theory.reading_list()
    assert all(f"({a[0]})" in make_theory.reading_list() for a in make_theory.PAPERS.values())
    assert set(make_theory.PAPERS) == set(STUDIES)


def test_what_a_sentence_cites_is_what_the_ledger_says(tmp_path):
    make_cited = script("make_cited")
    assert len(make_cited.pages()) > 4
    for page in make_cited.pages():
        assert page.read_text() == make_cited.filled(page), "run docs/make_cited.py"
    run, ends = "rolnick-tegmark-2018", " --> 7 <!-- /ledger -->"
    for text, why in (
        (f"a <!-- ledger {run}: no-such-claim{ends}", "has no claim 'no-such-claim'"),
        (f"a <!-- ledger no-such-run: verdicts{ends}", "has no no-such-run"),
        (f"- <!-- ledger {run}: verdicts{ends}", "a comment opens a line"),
        (f"a <!-- ledger {run}: verdicts --> 7", "not closed"),
    ):
        (tmp_path / "page.md").write_text(text)
        with pytest.raises(SystemExit, match=why):
            make_cited.filled(tmp_path / "page.md")
    (tmp_path / "page.md").write_text(f"in <!-- ledger {run}: setting networks{ends}")
    assert make_cited.filled(tmp_path / "page.md") == f"in <!-- ledger {run}: setting networks -->8<!-- /ledger -->"


def test_a_page_without_a_place_for_what_was_measured_is_refused(tmp_path):
    (tmp_path / "saxe-2018.md").write_text("# no marks\n")
    with pytest.raises(SystemExit, match="has 0 places"):
        script("make_theory").filled(tmp_path / "saxe-2018.md")


def script(name: str):
    """A script of docs/ as a module."""
    spec = spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tours_for_contributors_name_files_that_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    named = [
        name
        for name in re.findall(r"(?<![\w/.])(?:src|tests|docs|\.github)/[\w./-]*\w", text)
        if "." in name.rpartition("/")[2]
    ]
    assert len(named) > 20
    assert [name for name in named if not (ROOT / name).exists()] == []
    for word in ("_BATCHED", "_LEAST", "_RANKED"):
        assert word in (ROOT / "src/deeptheory/information/measures.py").read_text()
        assert word in text


def test_the_workflow_runs_the_two_commands_on_every_python_from_the_oldest():
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    asked = re.search(r"python: \[(.*)\]", text)[1].replace('"', "").split(", ")
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())[1]
    assert asked == [oldest, "3.12", "3.13", "3.14"]
    assert "run: .ci/run" in text
    commands = (ROOT / ".ci" / "run").read_text().splitlines()
    assert {"make test", "make demo"} <= set(commands)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_the_code_of_inspect_your_model_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "inspect.md").read_text(), re.S)
    told: dict = {}
    for block in blocks:
        exec(block, told)
    assert len(blocks) == 6
    assert (tmp_path / "runs" / "inspect-digits" / "report.html").exists()
    assert (tmp_path / "somewhere" / "inspection.csv").exists()
    assert len(told["found"].findings()) > 0


def _claim(name: str, measured: float, half: float | None = 0.5) -> dict:
    low, high = (None, None) if half is None else (measured - half, measured + half)
    return {
        "id": name,
        "measured": measured,
        "low": low,
        "high": high,
        "region": "< 9",
        "unit": "bits",
        "quantity": "q",
    }


def test_the_page_of_sizes_says_which_way_values_move(tmp_path):
    make_sizes = script("make_sizes")
    folders = []
    for width, rises, falls, stays in ((2.0, 3, 0, 1.2), (None, 2, 1.5, 1.4), (0.5, 1, 2, 1.0)):
        folder = tmp_path / str(width)
        folder.mkdir()
        settings = {"n": 4} if width is None else {"n": 4, "width": width}  # a run from before the setting was there
        (folder / "run.json").write_text(json.dumps({"study": "s", "settings": settings, "command": f"at {width}"}))
        lone = {**_claim("lone", 1.0), "measured": None if width == 2.0 else 1.0}
        claims = [_claim("rises", rises), _claim("falls", falls), _claim("stays", stays), _claim("same", 1.0), lone]
        (folder / "claims.json").write_text(json.dumps([*claims, _claim("bare", float(rises), None)]))
        folders.append(folder)
    page = make_sizes.page(folders)
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert set(rows) == {"rises", "falls", "stays", "bare"}
    assert "| 1 [0.5, 1.5] | 2 [1.5, 2.5] | 3 [2.5, 3.5] |" in rows["rises"]  # smallest first
    for name, said in (("rises", "up"), ("falls", "down"), ("stays", "not apart"), ("bare", "no interval")):
        assert f"| {said} |" in rows[name]
    assert "4 values: 1 up, 1 down, 1 not apart, 1 without an interval; 3 move in one direction" in page
    with pytest.raises(InputError, match="the runs differ in nothing"):
        make_sizes.page([folders[0], folders[0]])
