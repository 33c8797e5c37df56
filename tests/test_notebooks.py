"""Every tutorial becomes a notebook for download that compiles, and one is run cell by cell as a reader would."""

import json
from pathlib import Path

import pytest

gallery = pytest.importorskip("sphinx_gallery.py_source_parser", reason="the extra `docs` is not installed")

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
RUN = "plain_loop"


def cells(path: Path) -> list[str]:
    """The code of the notebook that the site offers."""
    from sphinx_gallery.gen_gallery import DEFAULT_GALLERY_CONF
    from sphinx_gallery.notebook import jupyter_notebook

    _, blocks = gallery.split_code_and_text_blocks(str(path))
    made = json.loads(json.dumps(jupyter_notebook(blocks, DEFAULT_GALLERY_CONF, str(path.parent))))
    assert made["nbformat"] == 4
    return ["".join(c["source"]) for c in made["cells"] if c["cell_type"] == "code"]


@pytest.mark.parametrize("path", EXAMPLES, ids=[p.stem for p in EXAMPLES])
def test_a_tutorial_becomes_a_notebook_that_compiles(path):
    code = cells(path)
    assert len(code) >= 2
    for text in code:
        compile(text, path.name, "exec")


def test_a_notebook_runs_cell_by_cell(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space: dict = {"__name__": "__main__"}
    for text in cells(next(p for p in EXAMPLES if p.stem == RUN)):
        exec(compile(text, RUN, "exec"), space)
    assert space["plane"].i_x.size > 0
