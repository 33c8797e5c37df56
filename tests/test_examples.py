"""The tutorials run, with the asserts that they hold."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


LONG = (  # 8 to 39 s each
    "image_folder", "axis_of_a_layer", "both_sides", "capsule_network", "thousand_networks", "spikes_and_maps",
    "compile_and_finetune", "checkpoints",
)  # fmt: skip


@pytest.mark.parametrize(
    "path", [pytest.param(p, id=p.stem, marks=[pytest.mark.slow] if p.stem in LONG else []) for p in EXAMPLES]
)
def test_an_example_runs(path, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_three_lines_of_the_readme_run_and_print_what_it_says(capsys, monkeypatch):
    """The first python block of the README brings its own model and data."""
    from plotly.basedatatypes import BaseFigure

    monkeypatch.setattr(BaseFigure, "show", lambda figure: None)
    text = (Path(__file__).parents[1] / "README.md").read_text()
    names = {}
    exec(text.split("```python")[1].split("```")[0], names)
    assert names["recorder"].recording.steps == tuple(range(10))
    assert capsys.readouterr().out.strip() == text.split("It prints\n\n```text\n")[1].split("\n```")[0]
    moved = names["plane"].i_y[0, -1] - names["plane"].i_y[0, 0]
    assert (moved > 0.3).all()  # the figure shows the layers learn
