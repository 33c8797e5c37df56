"""A static drawing shows the numbers of the interactive figure and of its table, in few bytes, whatever they are."""

import json
import math
import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from deeptheory.core.errors import StoreError
from deeptheory.core.theme import new_figure
from deeptheory.report import charts
from deeptheory.report.axes import values_of
from deeptheory.report.panels import MOST
from deeptheory.report.static import draw

RNG = np.random.default_rng(0)
STEPS = np.unique(np.geomspace(1, 8000, 60).astype(int))
CURVES = pd.DataFrame(
    [
        {
            "panel": p, "name": f"layer{k}", "x": int(s), "y": 12 / k + math.sin(s / 900 + k), "low": 11 / k,
            "high": 14 / k,
        }
        for p in ("one", "two") for k in (1, 2, 3) for s in STEPS
    ]
)  # fmt: skip
PLACES = pd.DataFrame(
    {"at": ["a", "b", "c"] * 2, "mean": [1.0, 2, 3, 0.5, 4, -1], "condition": ["u"] * 3 + ["v"] * 3}
).assign(low=lambda t: t["mean"] - 0.5, high=lambda t: t["mean"] + 0.25)
CLOUD = pd.DataFrame({"x": RNG.normal(size=150), "y": RNG.normal(size=150)})
CELLS = pd.DataFrame({"w": [1, 2, 4, 1, 2], "d": [1, 1, 1, 2, 2], "e": [0.1, 0.5, 1.0, 0.01, 0.2]})
PLANE = pd.DataFrame(
    [
        {"step": s, "layer": f"layer{k}", "i_x": 12 - 2 * k * math.log10(s + 1) / 4, "i_y": 1 - k / 20}
        for s in (0, 10, 100, 1000)
        for k in (1, 2, 3)
    ]
)
FIGURES = {
    "panels": charts.lines(CURVES, panel="panel", log="x", x_title="epoch", y_title="bits"),
    "log both": charts.lines(CURVES[CURVES["panel"] == "one"], log="xy", markers=True, interval="bars"),
    "names": charts.points(PLACES, "at", "mean", "condition"),
    "lying": charts.points(PLACES, "at", "mean", "condition", horizontal=True),
    "cloud": charts.points(CLOUD, "x", "y"),
    "path": charts.paths(PLANE, "i_x", "i_y", "step", "layer", bound=([0, 1, 12], [0, 1, 1])),
}


def as_json(figure):
    return json.loads(figure.to_json())


def scale(said):
    """From page units back to numbers."""
    kind, *ends = said.split()
    low, high, start, end = map(float, ends)
    return lambda at: (
        10 ** (low + (at - start) / (end - start) * (high - low))
        if kind == "log"
        else low + (at - start) / (end - start) * (high - low)
    )


def forward(said):
    kind, *ends = said.split()
    low, high, start, end = map(float, ends)
    return lambda v: start + ((math.log10(v) if kind == "log" else v) - low) / (high - low) * (end - start)


def vertices(path):
    """Stretches of points of a path of lines or of dots; relative ones added up."""
    out = []
    for part in re.findall(r"M[^M]*", path):
        numbers = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", re.split("h0|h.01", part)[0])]
        pairs = list(zip(numbers[::2], numbers[1::2]))
        run = [pairs[0]]
        for dx, dy in pairs[1:]:
            run.append((run[-1][0] + dx, run[-1][1] + dy))
        out.append(run)
    return out


def read_back(svg):
    """Per trace: the scales of its panel, and its points on the page by path."""
    found = {}
    panel = r'<g class="panel" data-axes="[^"]*" data-x="([^"]*)" data-y="([^"]*)">(.*?)</g></g>'
    for x, y, body in re.findall(panel, svg, re.S):
        for k, marks in re.findall(r'<g data-trace="(\d+)">(.*?)(?=<g data-trace|$)', body, re.S):
            paths = re.findall(r'<path d="([^"]*)"', marks)
            found[int(k)] = (x, y, [run for p in paths for run in vertices(p)])
    return found


def away(point, run):
    """How far a point on the page lies from a line through points."""
    p = np.asarray(point)
    if len(run) == 1:
        return float(np.hypot(*(p - run[0])))
    best = math.inf
    for a, b in zip(np.asarray(run[:-1]), np.asarray(run[1:])):
        d = b - a
        t = np.clip(((p - a) @ d) / max(d @ d, 1e-12), 0, 1)
        best = min(best, float(np.hypot(*(p - a - t * d))))
    return best


def numbers(trace, letter, layout):
    names = {v: k for k, v in enumerate(values_of(layout.get(f"{letter}axis", {}).get("ticktext")) or [])}
    return [names.get(v, v) for v in values_of(trace.get(letter))]


@pytest.mark.parametrize("name", FIGURES)
def test_every_number_of_the_interactive_figure_is_where_it_is_drawn(name):
    """Points lie within the page units that the drawing says it is off, and nothing is drawn where no point is."""
    figure = as_json(FIGURES[name])
    drawing = draw(figure, "a figure")
    assert len(drawing.svg.encode()) <= MOST
    found = read_back(drawing.svg)
    checked = 0
    for k, trace in enumerate(figure["data"]):
        points = list(zip(numbers(trace, "x", figure["layout"]), numbers(trace, "y", figure["layout"])))
        points = [p for p in points if None not in p]
        if not points:
            continue
        x, y, runs = found[k]
        places = [(forward(x)(a), forward(y)(b)) for a, b in points]
        for place in places:
            assert min(away(place, run) for run in runs) <= drawing.off + 0.2, (name, k)
            checked += 1
        for vertex in (v for run in runs for v in run):
            assert min(math.dist(vertex, place) for place in places) <= drawing.off + 0.2, (name, k)
    assert checked >= 6


def test_the_drawing_holds_the_numbers_of_the_table():
    """Read back from page units, the lines of a table are its rows, to the width of a line."""
    found = read_back(draw(as_json(FIGURES["names"]), "").svg)
    for k, condition in enumerate("uv"):
        x, y, runs = found[k]
        values = [scale(y)(run[0][1]) for run in runs if len(run) == 1]
        assert np.allclose(values, PLACES[PLACES["condition"] == condition]["mean"], atol=0.02)
        assert [round(scale(x)(run[0][0])) for run in runs if len(run) == 1] == [0, 1, 2]
    figure = charts.lines(CURVES[CURVES["panel"] == "one"].drop(columns=["low", "high"]), log="x")
    for k, name in enumerate(("layer1", "layer2", "layer3")):
        x, y, (run,) = read_back(draw(as_json(figure), "").svg)[k]
        rows = CURVES[(CURVES["panel"] == "one") & (CURVES["name"] == name)]
        seen = np.interp(np.log(rows["x"]), [math.log(scale(x)(a)) for a, _ in run], [scale(y)(b) for _, b in run])
        assert np.abs(seen - rows["y"]).max() < 0.02 * np.ptp(CURVES["y"])


def test_a_changed_number_moves_the_drawing():
    other = CURVES.copy()
    other.loc[other.index[5], "y"] += 3
    same = {"panel": "panel", "log": "x"}
    assert draw(as_json(charts.lines(other, **same)), "").svg != draw(as_json(charts.lines(CURVES, **same)), "").svg


def test_cells_have_the_color_of_their_value():
    heat = charts.heat_map(CELLS, "w", "d", "e", log="xz", z_title="error")
    svg = draw(as_json(heat), "").svg
    panel = svg[svg.index("data-trace") : svg.index('class="bar') if 'class="bar' in svg else None]
    shades = re.findall(r'<path d="(M[^"]*)" fill="(#\w+)"', panel)
    assert sum(path.count("M") for path, _ in shades) == 5  # the sixth cell is not in the table
    assert len({shade for _, shade in shades}) == 5
    assert all(f">{v:.2g}<" in svg for v in CELLS["e"])


def test_stacked_bars_stand_on_each_other():
    table = pd.DataFrame({"when": ["a", "b"] * 2, "kind": ["k", "k", "l", "l"], "cells": [1, 2, 3, 4]})
    svg = draw(as_json(charts.bars(table, "when", "cells", "kind")), "").svg
    _, y = re.search(r'data-x="([^"]*)" data-y="([^"]*)"', svg).groups()
    box = r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"'
    boxes = [tuple(map(float, b)) for b in re.findall(box, svg)]
    tops = [scale(y)(b[1]) for b in boxes]
    assert np.allclose(tops, [1, 2, 4, 6], atol=0.02)
    assert np.isclose(boxes[0][1], boxes[2][1] + boxes[2][3], atol=0.11)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [5.0, 5.0],
        [0.0, 0.0, 0.0],
        [None, None],
        [float("nan"), 1.0],
        [float("inf"), 1.0, -1e-300],
        [1e300, -1e300],
        [1.0, 1 + 1e-15],
        [-3, 2, 0],
        list(RNG.normal(size=4500)),
    ],
)
@pytest.mark.parametrize("log", [None, "log"])
def test_no_number_is_too_strange_to_be_drawn(values, log):
    figure = new_figure()
    figure.add_trace(go.Scatter(x=list(range(len(values))), y=values, mode="lines+markers", name="<b>&\"'"))
    figure.update_yaxes(type=log)
    svg = draw(as_json(figure), 'alt <script> & "x"').svg
    assert len(svg.encode()) <= MOST
    assert not re.search(r"nan|inf\b|None|<script|e[+-]\d\d", re.sub(r'data-[xy]="[^"]*"', "", svg))


def test_names_at_the_ends_of_lines_do_not_cover_each_other():
    table = pd.DataFrame([{"x": x, "y": 1 + 1e-3 * k + x, "name": f"method {k}"} for k in range(6) for x in (0, 1)])
    drawing = draw(as_json(charts.lines(table)), "")
    places = [float(y) for y in re.findall(r'<text class="lab end" x="[\d.]+" y="([\d.]+)"', drawing.svg)]
    assert drawing.labeled
    assert len(places) == 6
    assert min(np.diff(sorted(places))) >= 11
    assert [name for name, _, _ in drawing.key] == [f"method {k}" for k in range(6)]  # where there is no room


def test_long_remarks_stand_below_the_drawing():
    figure = new_figure()
    figure.add_trace(go.Scatter(x=[1], y=[2]))
    figure.add_annotation(x=0, y=0, xref="paper", yref="paper", showarrow=False, text="so it is.<br>" * 12)
    drawing = draw(as_json(figure), "")
    assert "so it is" not in drawing.svg
    assert drawing.remarks == ["so it is. " * 12]


def test_squares_have_a_length_since_paper_leaves_out_what_has_none():
    """A square cap on a path of no length is not painted by PDF; the mark would be missing on paper alone."""
    svg = draw(as_json(charts.points(PLACES, "at", "mean", "condition")), "").svg
    squares = re.findall(r'd="([^"]*)"[^>]*stroke-linecap="square"', svg)
    assert squares
    assert all("h0" not in d and "h.01" in d for d in squares)


def test_a_region_of_one_layer_is_shaded_between_its_sides():
    figure = charts.region(charts.points(PLACES, "at", "mean", "condition"), 0.5, math.inf, across=(-0.4, 0.4))
    whole = charts.region(charts.points(PLACES, "at", "mean", "condition"), 0.5, math.inf)
    widths = [
        float(re.search(r'class="region" [^>]*width="([\d.]+)"', draw(as_json(f), "").svg)[1]) for f in (figure, whole)
    ]
    assert 0 < widths[0] < 0.6 * widths[1]


def test_a_region_is_shaded_to_its_ends():
    figure = charts.region(charts.points(PLACES, "at", "mean", "condition"), 0.5, math.inf)
    svg = draw(as_json(figure), "").svg
    (y,) = re.findall(r'data-y="([^"]*)"', svg)
    box = r'<rect class="region" x="[\d.]+" y="([\d.]+)" width="[\d.]+" height="([\d.]+)"'
    top, height = map(float, re.search(box, svg).groups())
    assert np.isclose(scale(y)(top + height), 0.5, atol=0.02)
    assert scale(y)(top) >= 4.25  # up to the edge, beyond every interval


@pytest.mark.parametrize(
    ("figure", "match"),
    [
        ({"data": [{"type": "surface"}]}, "a trace of type 'surface' has no static drawing; known: scatter, bar"),
        ({"data": [{"type": "heatmap", "z": 3}]}, "a figure is of another form"),
        ({"data": [{"type": "image"}]}, "a figure is of another form"),
    ],
)
def test_what_cannot_be_drawn_is_told(figure, match):
    with pytest.raises(StoreError, match=match):
        draw(figure, "")
