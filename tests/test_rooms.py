"""The rooms stand: no import circle, no long file, and tests that are found from the file that they test.

A circle through an import inside a function counts, and so does one that only a type checker follows: whoever reads one
of its files has to read them all.
"""

import ast
import tokenize
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import deeptheory as dt

SOURCE = Path(dt.__file__).parent
TESTS = Path(__file__).parent
MOST_LINES = 400
LONG: set[str] = set()  # still to be split; none may join them
TOPICS = {  # tests that ask one question of several files
    "axis/population/test_area_comparisons.py",
    "axis/population/test_scales.py",
    "axis/test_errors.py",
    "axis/test_wrong_arguments.py",
    "capsules/test_benchmark.py",
    "capsules/test_bugs_of_peers.py",
    "capsules/test_errors.py",
    "capsules/test_layers.py",
    "capsules/test_learning.py",
    "capsules/test_stability.py",
    "cheap/test_benchmark.py",
    "cheap/test_statements.py",
    "datasets/test_errors.py",
    "faces/test_numbers.py",
    "faces/test_warp.py",
    "faces/test_wrong_arguments.py",
    "information/bottleneck/test_curves.py",
    "information/bottleneck/test_solvers.py",
    "information/test_rules.py",
    "information/test_streams.py",
    "information/test_ties.py",
    "inspection/test_strangers.py",
    "networks/architectures/test_face_networks.py",
    "networks/test_errors.py",
    "recording/test_architectures.py",
    "recording/test_as_found.py",
    "recording/test_layers_seen.py",
    "recording/test_tables.py",
    "report/test_in_a_browser.py",
    "playground/test_shipped_planes.py",
    "report/test_links.py",
    "runs/test_faults.py",
    "runs/test_kills.py",
    "runs/test_remote.py",
    "studies/test_captions.py",
    "studies/test_stored_runs.py",
}
NO_PACKAGE = {"architectures", "oracles", "trials"}  # what tests share, and the trials of public numbers


def modules(source: Path = SOURCE) -> dict[str, Path]:
    """Module name -> file."""
    found = {}
    for path in source.rglob("*.py"):
        parts = path.relative_to(source.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of the package that a file imports, at its top, inside a function or for the type checker."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module in known:
            inner = {f"{node.module}.{a.name}" for a in node.names}
            found |= (inner & known.keys()) or {node.module}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names} & known.keys()
    return found


def circle(known: dict[str, Path]) -> list[str]:
    """The modules of one circle of imports, or none."""
    try:
        TopologicalSorter({m: imported(p, known) - {m} for m, p in known.items()}).prepare()
    except CycleError as error:
        return error.args[1]
    return []


def test_no_circle_of_imports():
    assert circle(modules()) == []


@pytest.mark.parametrize("late", ["from package.one import f", "import package.one", "from package import one"])
def test_a_circle_through_a_late_import_is_found(tmp_path, late):
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text("from package.two import g\n\n\ndef f(): ...\n")
    (folder / "two.py").write_text(f"def g():\n    {late}\n")
    assert set(circle(modules(folder))) == {"package.one", "package.two"}
    (folder / "two.py").write_text("def g(): ...\n")
    assert circle(modules(folder)) == []


def test_a_file_can_be_read_in_a_sitting():
    files = [*SOURCE.rglob("*.py"), *TESTS.rglob("*.py")]
    long = {f.relative_to(SOURCE.parents[1]).as_posix() for f in files if len(f.read_text().splitlines()) > MOST_LINES}
    assert long == LONG


def test_every_package_has_a_folder_of_tests():
    packages = {p.parent.name for p in SOURCE.glob("*/__init__.py")}
    folders = {p.name for p in TESTS.iterdir() if p.is_dir() and any(p.rglob("test_*.py"))}
    assert folders - NO_PACKAGE == packages


def answers(test: Path) -> bool:
    """Whether a file, a folder or the room that the test is named after is there."""
    room, name = test.parent, test.stem.removeprefix("test_")
    if room == Path("studies/claims"):
        room = Path("studies")
    at = SOURCE / room
    return at.is_dir() and ((at / f"{name}.py").exists() or (at / name).is_dir() or name == room.name)


def test_every_test_is_named_after_what_it_tests():
    tests = {p.relative_to(TESTS) for p in TESTS.rglob("test_*.py")}
    tests = {p for p in tests if len(p.parts) > 1 and p.parts[0] not in NO_PACKAGE}
    unnamed = {p.as_posix() for p in tests if not answers(p)}
    assert unnamed == TOPICS


def hand_laid(path: Path) -> list[tuple[int, int]]:
    """First and last row of each statement that `fmt: skip` keeps as it is laid out."""
    found, first = [], 0
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT and "fmt: skip" in token.string:
                found.append((first or token.start[0], token.start[0]))
            if token.type == tokenize.NEWLINE:
                first = 0
            elif not first and token.type not in (
                tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING,
            ):  # fmt: skip
                first = token.start[0]
    return found


def test_only_tables_are_laid_out_by_hand():
    files = [p for folder in (SOURCE, TESTS) for p in folder.rglob("*.py")]
    assert len(files) > 200
    lone = [f"{p}:{last}" for p in files for first, last in hand_laid(p) if first == last]
    assert lone == []
