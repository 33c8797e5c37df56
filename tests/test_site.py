"""What the site is made with: a check that finds what is broken, pictures of figures, formulas that need no network."""

import json
import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def script():
    """A script of docs/ as a module, found as the build finds it."""
    sys.path.insert(0, str(DOCS))
    yield import_module
    sys.path.remove(str(DOCS))


def test_a_broken_site_is_found(script, tmp_path):
    wrong = script("check_site").wrong
    (tmp_path / "a").mkdir()
    (tmp_path / "index.html").write_text(
        '<h1 id="top">x</h1><a href="a/b.html#there">.</a><a href="#top">.</a><a href="https://example.org">.</a>'
        '<img src="data:image/png;base64,xx"><script src="s.js"></script><link rel="canonical" href="https://x.y">'
    )
    (tmp_path / "a" / "b.html").write_text('<p id="there">.</p><a href="../index.html">.</a>')
    (tmp_path / "s.js").write_text("")
    assert wrong(tmp_path) == []
    faults = {
        '<a href="missing.html">.</a>': "links to missing.html, which is not there",
        '<a href="../index.html#nowhere">.</a>': "where that name is not",
        '<script src="https://cdn.example.org/x.js"></script>': "from elsewhere",
        '<img src="//example.org/x.png">': "from elsewhere",
        '<link rel="stylesheet" href="gone.css">': "which is not there",
    }
    for k, (text, said) in enumerate(faults.items()):
        (tmp_path / "a" / "c.html").write_text(text)
        found = wrong(tmp_path)
        assert len(found) == 1, k
        assert said in found[0]
    (tmp_path / "a" / "c.html").unlink()
    report = tmp_path / "reports" / "a" / "report.html"
    report.parent.mkdir(parents=True)
    for text, said in (
        ('<p id="claim-x">.</p><a href="#claim-x">.</a>', None),
        ('<a href="#claim-x">.</a>', "where that name is not"),
        ('<p id="verdicts">.</p><figure id="verdicts">.</figure>', "has the name verdicts twice"),
    ):
        report.write_text(text)
        assert [said in line for line in wrong(tmp_path)] == ([True] if said else [])
    report.unlink()
    cells = [{"cell_type": "code", "source": ["%matplotlib inline\n", "if:"]}]
    (tmp_path / "n.ipynb").write_text(json.dumps({"cells": cells}))
    assert "invalid syntax" in wrong(tmp_path)[0]


def test_figures_become_pictures_that_show_their_numbers(script, tmp_path):
    import plotly.graph_objects as go
    from PIL import Image

    draw = script("drawn").draw

    def ink(figure) -> int:
        draw(figure, tmp_path / "f.png")
        return int((np.asarray(Image.open(tmp_path / "f.png").convert("L")) < 250).sum())

    empty = ink(go.Figure(go.Scatter(x=[0, 1], y=[None, None])))
    for trace in (
        go.Scatter(x=[0, 1], y=[0, 1], mode="lines+markers", line={"color": "rgba(0,0,0,0.9)"}),
        go.Scatter(x=[0, 1, 1], y=[0, 1, 0], fill="toself", mode="lines"),
        go.Bar(x=["a", "b"], y=[1, 2]),
        go.Heatmap(z=[[1, 2], [3, 4]]),
        go.Image(z=np.zeros((4, 4, 3), dtype=np.uint8)),
    ):
        assert ink(go.Figure(trace)) > empty + 500, trace.type
    with pytest.raises(ValueError, match="'pie'"):
        draw(go.Figure(go.Pie(values=[1])), tmp_path / "f.png")


def test_every_formula_of_the_docs_is_drawn(script):
    pytest.importorskip("docutils")
    formula = script("offline").formula
    seen = set()
    for page in DOCS.rglob("*.md"):
        text = re.sub(r"^(`{3,}).*?^\1", "", page.read_text(), flags=re.M | re.S)
        text = re.sub(r"`[^`\n]*`", "", text)
        found = re.findall(r"\$\$(.+?)\$\$|(?<![\\$\w])\$(?!\s)([^$]+?)(?<!\s)\$(?!\d)", text, re.S)
        seen |= {a or b for a, b in found}
    assert len(seen) > 100
    for tex in sorted(seen)[::10]:  # all of them are drawn by `make docs`
        svg, depth = formula(tex)
        assert "<path" in svg
        assert "http://www.w3.org" in svg
        assert 0 <= depth < 40
    with pytest.raises(ValueError):
        formula(r"\nosuchword{x}")
