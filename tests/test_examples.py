"""The tutorials run, with the asserts that they hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=[p.stem for p in EXAMPLES])
def test_an_example_runs(path, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_three_lines_of_the_readme_run():
    """The first python block of the README brings its own model and data."""
    text = (Path(__file__).parents[1] / "README.md").read_text()
    block = text.split("```python")[1].split("```")[0].replace(".figure().show()", ".figure()")
    names = {}
    exec(block, names)
    assert names["recorder"].recording.steps == tuple(range(10))
