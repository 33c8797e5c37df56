"""A result is saved by the ending of its file, or says what is missing."""

import json
import sys
import types

import pandas as pd
import pytest

from deeptheory.core import saving
from deeptheory.core.errors import InputError, MissingDependency, StoreError
from deeptheory.core.results import Estimate, Result
from deeptheory.core.theme import new_figure


class Drawn(Result):
    def table(self):
        return pd.DataFrame({"x": [1, 2], "y": [0.5, 0.25]})

    def figure(self):
        figure = new_figure(xaxis_title="x")
        return figure.add_scatter(x=[1, 2], y=[0.5, 0.25])


@pytest.mark.parametrize("ending", ["html", "json", "csv", "CSV"])
def test_what_needs_no_browser(tmp_path, ending):
    path = tmp_path / f"a.{ending}"
    Drawn().save(path)
    text = path.read_text()
    if ending == "html":
        assert "0.25" in text
        assert '"showSendToCloud": false' in text
        assert "Plotly.animate(" not in text.split("<script")[-1]  # nothing moves by itself
    elif ending == "json":
        assert json.loads(text)["data"][0]["y"] == [0.5, 0.25]
    else:
        assert text == "x,y\n1,0.5\n2,0.25\n"


@pytest.mark.parametrize("ending", ["pdf", "svg", "png"])
def test_an_image_says_what_it_needs(tmp_path, monkeypatch, ending):
    monkeypatch.setattr(saving, "find_spec", lambda name: None)
    with pytest.raises(
        MissingDependency, match=rf"figure\.{ending} needs the package kaleido .*\.html, .* need neither"
    ):
        Drawn().save(tmp_path / f"figure.{ending}")
    assert not list(tmp_path.iterdir())


def test_an_image_is_black_on_white_and_has_nothing_to_move(tmp_path, monkeypatch):
    class Moving(Drawn):
        def figure(self):
            figure = super().figure()
            figure.update_layout(sliders=[{"steps": [{"label": "0", "method": "animate"}]}])
            figure.frames = [{"name": "0", "data": [{"y": [0, 0]}]}]
            return figure

    written = []
    monkeypatch.setattr(saving, "find_spec", lambda name: types.SimpleNamespace())
    monkeypatch.setattr("plotly.graph_objects.Figure.write_image", lambda self, path: written.append(self))
    Moving().save(tmp_path / "figure.pdf")
    (paper,) = written
    assert len(paper.layout.sliders) == 0
    assert len(paper.frames) == 0
    assert list(paper.data[0].y) == [0.5, 0.25]
    assert (paper.layout.paper_bgcolor, paper.layout.font.color) == ("white", saving.INK)
    assert paper.layout.xaxis.automargin
    assert paper.layout.margin.b >= 80  # a PDF of kaleido 1.5 lacks the lowest pixels
    assert paper.layout.xaxis.title.text == "x"


def test_a_browser_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(saving, "find_spec", lambda name: types.SimpleNamespace())

    def absent(self, path):
        raise RuntimeError("Chrome not found\nmore")

    monkeypatch.setattr("plotly.graph_objects.Figure.write_image", absent)
    with pytest.raises(MissingDependency, match=r"kaleido_get_chrome.*it said: Chrome not found$"):
        Drawn().save(tmp_path / "figure.pdf")


@pytest.mark.parametrize(
    ("name", "match"),
    [("figure.jpg", "unknown ending of a file '.jpg'.*Known: .html"), ("figure", "unknown ending of a file 'figure'")],
)
def test_another_ending_is_refused(tmp_path, name, match):
    with pytest.raises(InputError, match=match):
        Drawn().save(tmp_path / name)


def test_nothing_to_draw_and_nowhere_to_write(tmp_path):
    estimate = Estimate(value=1.0, method="exact")
    estimate.save(tmp_path / "e.csv")
    assert (tmp_path / "e.csv").read_text().startswith("value,low,high")
    with pytest.raises(InputError, match="Estimate draws no figure; use .table"):
        estimate.save(tmp_path / "e.html")
    with pytest.raises(StoreError, match=r"a\.csv cannot be written"):
        Drawn().save(tmp_path / "absent" / "a.csv")
    assert "kaleido" not in sys.modules
