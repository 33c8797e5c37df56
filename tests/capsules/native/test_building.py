"""Kernels in C: built once and found again; without a compiler all still runs, and says why it is slower."""

import ctypes
import os
import re
import subprocess
import sys

import pytest

from deeptheory.capsules.native import building

NATIVE = building.missing() is None


BROKEN = """
import os, torch, deeptheory as dt
from deeptheory.core.errors import MissingDependency
print(dt.capsules.backends()["native"])
u, w = torch.randn(2, 4, 3), torch.randn(4, 3, 2, 3)
a, b = (dt.capsules.dynamic_routing(u, w, backend=k) for k in ("auto", "eager"))
assert torch.allclose(a, b, atol=1e-6)
pose, act = torch.randn(2, 4, 4, 2, 4, 4), torch.rand(2, 4, 4, 2)
dt.capsules.ConvMatrixCapsules(2, 2)(pose, act)
try:
    dt.capsules.dynamic_routing(u, w, backend="native")
except MissingDependency as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"CC": "", "PATH": "/nowhere"}, "no C compiler was found"),
        ({"CC": "false"}, "false did not build dynamic.c"),
        ({"CC": "no-such-compiler -m64"}, "CC names the compiler 'no-such-compiler', which was not found"),
        ({"CC": "gcc 'unfinished"}, "CC is .*, which is no command"),
    ],
)
def test_without_a_compiler_all_still_runs(change, said, tmp_path):
    env = {**os.environ, "DEEPTHEORY_CACHE": str(tmp_path), "PATH": "/usr/bin:/bin", **change}
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    assert re.match(said, done.stdout.splitlines()[0])
    assert done.stderr.count("RuntimeWarning: routing takes its slower form") == 1  # said, and said once
    assert 'backend="native" cannot be had' in done.stdout


@pytest.mark.skipif(not NATIVE, reason="no C compiler here")
def test_kernels_are_built_once_and_kept(tmp_path, monkeypatch):
    monkeypatch.setenv("DEEPTHEORY_CACHE", str(tmp_path))
    building.library.cache_clear()
    try:
        assert isinstance(building.library("dynamic"), ctypes.CDLL)
        (built,) = (tmp_path / "native").glob("*.so")
        at = built.stat().st_mtime_ns
        building.library.cache_clear()
        assert isinstance(building.library("dynamic"), ctypes.CDLL)
        assert [f.stat().st_mtime_ns for f in (tmp_path / "native").glob("*.so")] == [at]
    finally:
        building.library.cache_clear()
