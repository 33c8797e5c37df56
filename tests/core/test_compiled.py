"""Stored machine code: thrown away where a file changes that it calls."""

import os
import subprocess
import sys

import pytest

from deeptheory.core import compiled

CALLS = """
from {source} import njit

from callee import inner

@njit(cache=True)
def outer(x):
    return inner(x) + 1
"""
CALLEE = """
from {source} import njit

@njit(cache=True)
def inner(x):
    return {body}
"""
RUN = """
import sys
from pathlib import Path

from deeptheory.core import compiled

compiled.ROOT, compiled.FILES = Path(sys.argv[1]), ("caller.py", "callee.py")
sys.path.insert(0, sys.argv[1])
import caller

print(caller.outer(3.0), sum(caller.outer.stats.cache_hits.values()))
"""


def test_every_compiled_file_is_watched():
    found = {str(f.relative_to(compiled.ROOT)) for f in compiled.ROOT.rglob("*.py") if "njit" in f.read_text()}
    assert found == {*compiled.FILES, "core/compiled.py"}
    others = [
        f for f in compiled.ROOT.rglob("*.py") if "import numba" in f.read_text() or "numba import" in f.read_text()
    ]
    assert [f.name for f in others] == ["compiled.py"]


@pytest.mark.parametrize("source", ["deeptheory.core.compiled", "numba"])
def test_a_change_in_a_called_file_changes_the_answer(tmp_path, source):
    """numba alone, shown for comparison, goes on giving the old number."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA")}

    def answer(body):
        (tmp_path / "caller.py").write_text(CALLS.format(source=source))
        (tmp_path / "callee.py").write_text(CALLEE.format(source=source, body=body))
        os.utime(tmp_path / "caller.py", (1e9, 1e9))  # this file is as it was
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(tmp_path)], env=environment, capture_output=True, text=True, check=True
        )
        value, hits = done.stdout.split()
        return float(value), int(hits)

    assert answer("x * 2") == (7.0, 0)
    assert answer("x * 2") == (7.0, 1)  # stored
    assert answer("x * 5") == ((16.0, 0) if source != "numba" else (7.0, 1))


def test_without_a_compiler_functions_are_python():
    code = "from deeptheory.core.compiled import njit; print(njit(lambda x: x + 1, cache=True)(1))"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True
    )
    assert done.stdout.strip() == "2", done.stderr
