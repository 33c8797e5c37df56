"""Which tests run which line: a plug-in of pytest and what reads it. `record` is for benchmarks/mutants.py.

pytest loads this file by `-p benchmarks.covering`; coverage.py keeps for every line the tests that ran it. What
compiled code runs (numba, C) is not seen, nor what other processes do: for a line that no test is seen to run, the
tests that run anything of its file are named.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).resolve().parents[1]
PYTEST = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--timeout=0"]  # the caller has a limit
_FILE, _SOURCE = "COVERING_FILE", "COVERING_SOURCE"  # of the environment
_watch: coverage.Coverage | None = None
_seconds: dict[str, float] = {}


@dataclass(frozen=True)
class Covering:
    """lines: file -> number of a line -> tests without their parameters. seconds: test -> all its parameters together.

    Shared fixtures count for the first test that asks for them.
    """

    lines: Mapping[str, Mapping[int, frozenset[str]]]
    seconds: Mapping[str, float]

    def tests(self, file: str, first: int, last: int) -> list[list[str]]:
        """Tests of the lines first..last of a file, the quickest first; then what else in their files runs the file."""
        lines = self.lines.get(file, {})
        whole = frozenset().union(*lines.values())
        near = frozenset().union(*(lines.get(k, frozenset()) for k in range(first, last + 1))) or whole
        folders = {name.partition("::")[0] for name in near}
        return [self._quickest(near), self._quickest(t for t in whole - near if t.partition("::")[0] in folders)]

    def _quickest(self, names) -> list[str]:
        return sorted(names, key=lambda name: (self.seconds.get(name, 0), name))


def record(arguments: Sequence[str], source: Path, kept: Path, environment: Mapping[str, str]) -> tuple[int, Covering]:
    """Run pytest's arguments on the package in `source`: pytest's exit code, and who ran what.

    kept: the file for coverage.py's records; an older one is replaced.
    """
    kept.unlink(missing_ok=True)
    where = {**environment, _FILE: str(kept), _SOURCE: str(source)}
    command = [*PYTEST, "-p", "benchmarks.covering"]
    code = subprocess.run([*command, *arguments], cwd=ROOT, env=where).returncode
    return code, read(kept, source) if kept.exists() else Covering({}, {})


def read(kept: Path, source: Path) -> Covering:
    """The records of a finished run; files are named as below `source`."""
    data = coverage.CoverageData(str(kept))
    data.read()
    lines = {
        str(Path(file).relative_to(source)): {
            line: frozenset(filter(None, names)) for line, names in data.contexts_by_lineno(file).items()
        }
        for file in data.measured_files()
    }
    table = kept.with_suffix(".seconds")
    rows = (line.rsplit("\t", 1) for line in table.read_text().splitlines()) if table.exists() else ()
    return Covering(lines, {name: float(took) for name, took in rows})


# --- the plug-in


def pytest_configure() -> None:
    """Watch from here on."""
    global _watch
    if _FILE in os.environ:
        _watch = coverage.Coverage(os.environ[_FILE], source=[os.environ[_SOURCE]], config_file=False, messages=False)
        _watch.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """One test with its fixtures."""
    if _watch is None:
        return (yield)
    name, begun = item.nodeid.partition("[")[0], time.perf_counter()
    _watch.switch_context(name)
    try:
        return (yield)
    finally:
        _watch.switch_context("")
        _seconds[name] = _seconds.get(name, 0) + time.perf_counter() - begun


def pytest_unconfigure() -> None:
    """Write it down."""
    if _watch is not None:
        _watch.stop()
        _watch.save()
        table = Path(os.environ[_FILE]).with_suffix(".seconds")
        table.write_text("".join(f"{name}\t{took:.4f}\n" for name, took in _seconds.items()))
