"""Surroundings that must not matter do not: every science's numbers, computed in processes started in other ways."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
WITHIN = 1e-6  # relative; the same thread count gives the same bits, another may sum in another order

CONDITIONS = {
    "default float64": {},
    "default bfloat16": {},
    "inference mode": {},
    "after inference mode": {},
    "two threads": {"OMP_NUM_THREADS": "2"},
    "one core": {},
    "CC unset": {"CC": None},
    "CC missing": {"CC": "no-such-compiler"},
    "CC with arguments": {"CC": "gcc -m64"},
    "fork": {},
    "spawn": {},
    "read-only cache": {"HOME": "/proc/none", "XDG_CACHE_HOME": "/proc/none"},
}

# 8 to 19 s each; others of their kind stay
REST = ("after inference mode", "CC unset", "CC with arguments", "fork", "two threads", "read-only cache")


@cache
def found(condition: str) -> dict:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT / 'tests'}", "OMP_NUM_THREADS": "1"}
    for name, value in CONDITIONS.get(condition, {}).items():
        environment.pop(name, None) if value is None else environment.__setitem__(name, value)
    pin = ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if condition == "one core" else []
    command = [*pin, sys.executable, "-W", "ignore", "-m", "trials.ambient", condition]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=170)
    lines = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    assert lines, f"{condition}: the process ended with {done.returncode}\n{done.stderr[-3000:]}"
    return json.loads(lines[0].removeprefix("FOUND "))


@pytest.mark.parametrize("condition", [pytest.param(c, marks=pytest.mark.slow) if c in REST else c for c in CONDITIONS])
def test_surroundings_do_not_matter(condition):
    usual, here = found("usual"), found(condition)
    assert not any(isinstance(v, str) for v in usual.values()), usual
    for name, values in usual.items():
        if condition == "inference mode" and name == "training":
            continue  # nothing can be trained there; torch says so
        assert not isinstance(here[name], str), f"{condition}, {name}: {here[name]}"
        np.testing.assert_allclose(here[name], values, rtol=WITHIN, atol=1e-9, err_msg=f"{condition}, {name}")
