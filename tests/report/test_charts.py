"""Charts draw the rows of their table: every value, its interval, its panel, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from deeptheory.core.errors import InputError
from deeptheory.report import charts

CURVES = pd.DataFrame(
    {
        "panel": ["a", "a", "a", "a", "b", "b"],
        "name": ["u", "u", "v", "v", "v", "v"],
        "x": [1, 100, 1, 100, 1, 100],
        "y": [1.0, 2.0, 3.0, np.nan, 5.0, 6.0],
        "low": [0.5, 1.5, np.nan, np.nan, 4.0, 5.0],
        "high": [1.5, 2.5, np.nan, np.nan, 6.0, 7.0],
    }
)
PLACES = pd.DataFrame(
    {
        "at": ["first", "last", "first", "last"],
        "mean": [1.0, 2.0, 3.0, 4.0],
        "low": [0.9, 1.8, 2.9, 3.0],
        "high": [1.3, 2.2, 3.1, 4.5],
        "condition": ["u", "u", "v", "v"],
    }
)


def named(figure):
    return [t for t in figure.data if t.fill is None]


def test_lines_in_panels():
    figure = charts.lines(CURVES, panel="panel", x_title="epoch", y_title="bits", log="x")
    assert [list(t.y) for t in named(figure)] == [[1.0, 2.0], [3.0, None], [5.0, 6.0]]
    assert [list(t.x) for t in named(figure)] == [[1, 100]] * 3
    assert [t.name for t in named(figure) if t.showlegend] == ["u", "v"]  # once each
    assert named(figure)[1].line.color == named(figure)[2].line.color != named(figure)[0].line.color
    bands = [t for t in figure.data if t.fill]
    assert [list(t.y) for t in bands] == [[1.5, 2.5, 1.5, 0.5], [6.0, 7.0, 5.0, 4.0]]
    assert named(figure)[2].xaxis != named(figure)[0].xaxis
    assert figure.layout.xaxis.type == "log"
    assert figure.layout.xaxis.dtick == 1
    assert [a.text for a in figure.layout.annotations] == ["a", "b"]


def test_lines_with_bars_and_a_style():
    figure = charts.lines(
        CURVES[CURVES["panel"] == "a"], interval="bars", markers=True, style={"u": {"line": {"dash": "dash"}}}
    )
    first = figure.data[0]
    assert (first.line.dash, first.line.color is not None, first.mode) == ("dash", True, "lines+markers")
    assert list(first.error_y.array) == [0.5, 0.5]
    assert list(first.error_y.arrayminus) == [0.5, 0.5]
    assert len(figure.data) == 2


def test_each_network_has_a_line_of_its_own():
    table = pd.DataFrame(
        {"network": [0, 0, 1, 1], "layer": ["a", "b"] * 2, "share": [1, 0.5, 1, 0.25], "when": ["end"] * 4}
    )
    figure = charts.lines(table, "layer", "share", "when", each="network")
    assert [list(t.y) for t in figure.data] == [[1, 0.5], [1, 0.25]]
    assert [t.showlegend for t in figure.data] == [True, False]


@pytest.mark.parametrize("horizontal", [False, True])
def test_points_next_to_each_other(horizontal):
    figure = charts.points(PLACES, "at", "mean", "condition", horizontal=horizontal)
    values, places = [(t.x, t.y) if horizontal else (t.y, t.x) for t in figure.data][1]
    assert list(values) == [3.0, 4.0]
    assert np.allclose(places, [0.06, 1.06])
    error = figure.data[1].error_x if horizontal else figure.data[1].error_y
    assert np.allclose(error.array, [0.1, 0.5])
    assert np.allclose(error.arrayminus, [0.1, 1.0])
    axis = figure.layout.yaxis if horizontal else figure.layout.xaxis
    assert list(axis.ticktext) == ["first", "last"]
    assert figure.data[0].marker.symbol != figure.data[1].marker.symbol


def test_a_logarithmic_axis_is_that_of_the_values():
    across = charts.points(PLACES, "at", "mean", "condition", horizontal=True, log="x")
    upwards = charts.points(PLACES, "at", "mean", "condition", log="y")
    assert (across.layout.xaxis.type, across.layout.yaxis.type) == ("log", None)
    assert (upwards.layout.xaxis.type, upwards.layout.yaxis.type) == (None, "log")


def test_points_of_numbers_and_of_each_network():
    each = pd.DataFrame({"at": [1.0, 1.0, 2.0], "mean": [0.5, 1.5, 2.0]})
    mean = pd.DataFrame({"at": [1.0, 2.0], "mean": [1.0, 2.0]})
    figure = charts.points(mean, "at", "mean", each=each)
    assert [list(t.y) for t in figure.data] == [[0.5, 1.5, 2.0], [1.0, 2.0]]
    assert figure.data[0].marker.size < figure.data[1].marker.size
    assert not figure.layout.showlegend


def test_a_heat_map_with_an_empty_cell():
    table = pd.DataFrame({"width": [2, 8, 2], "depth": [1, 1, 3], "error": [0.1, 1.0, 10.0]})
    figure = charts.heat_map(table, "width", "depth", "error", log="xz")
    heat = figure.data[0]
    assert np.allclose(np.array(heat.z, dtype=float), [[-1, 0], [1, np.nan]], equal_nan=True)
    assert np.allclose(heat.x, [1, 3])
    assert list(heat.y) == [1, 3]
    assert heat.text[1][1] == ""
    assert list(figure.layout.xaxis.ticktext) == ["2", "8"]


def test_stacked_bars_in_groups():
    table = pd.DataFrame(
        {"when": ["a", "b"] * 2, "layer": ["x"] * 4, "kind": ["k", "k", "l", "l"], "cells": [1, 2, 3, 4]}
    )
    figure = charts.bars(table, ["when", "layer"], "cells", "kind")
    assert [list(t.y) for t in figure.data] == [[1, 2], [3, 4]]
    assert [list(x) for x in figure.data[0].x] == [["a", "b"], ["x", "x"]]
    assert figure.layout.barmode == "stack"
    assert list(charts.bars(table, "when", "cells", "kind").data[0].x) == ["a", "b"]


def test_pairs_are_connected_where_they_are_compared():
    figure = charts.pairs(
        charts.points(PLACES, "at", "mean"), [90.0, np.nan], [80.0, 70.0], [60.0, np.nan], "compared here"
    )
    assert [list(figure.data[-1].x), list(figure.data[-1].y)] == [
        [90, 90, None, None, None, None],
        [80, 60, None, 70, None, None],
    ]
    assert figure.data[-1].name == "compared here"


def test_lines_of_reference_are_no_data():
    figure = charts.points(PLACES, "at", "mean", "condition")
    before = len(figure.data)
    charts.reference(figure, level=0.5, upright=(1, 2), diagonal=(0, 3))
    assert len(figure.data) == before
    assert len(figure.layout.shapes) == 4
    charts.add_line(figure, [0, 1], [np.inf, 0.123456], "theory", color="red", line={"dash": "dot"})
    assert list(figure.data[-1].y) == [None, 0.1235]
    assert (figure.data[-1].line.color, figure.data[-1].line.dash) == ("red", "dot")


@pytest.mark.parametrize(
    ("draw", "match"),
    [
        (lambda: charts.lines(CURVES, "epoch"), "unknown column 'epoch'. Known: panel, name"),
        (lambda: charts.lines(CURVES, panel="panels"), "unknown column 'panels'; did you mean panel"),
        (lambda: charts.lines(CURVES, interval="box"), "unknown interval 'box'"),
        (lambda: charts.points(PLACES, "at", "median"), "unknown column 'median'"),
        (lambda: charts.heat_map(PLACES, "at", "mean", "z"), "unknown column 'z'"),
        (lambda: charts.bars(PLACES, ["at", "of"], "mean", "condition"), "unknown column 'of'"),
    ],
)
def test_a_column_that_is_not_there(draw, match):
    with pytest.raises(InputError, match=match):
        draw()
