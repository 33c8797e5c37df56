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


PLANE = pd.DataFrame(
    [
        {"step": s, "layer": f"layer{k}", "i_x": 12.0 - k - s / 1000, "i_y": 0.5 + s / 2000, "data": d}
        for d in ("few", "many")
        for s in (0, 10, 1000)
        for k in (1, 5)
    ]
)


def test_paths_join_the_layers_at_each_step_in_the_color_of_the_step():
    figure = charts.paths(PLANE, "i_x", "i_y", "step", "layer", panel="data", bound=([0, 1], [0, 1]))
    lines = [t for t in figure.data if t.mode == "lines+markers"]
    assert [list(t.x) for t in lines[:3]] == [[11, 7], [10.99, 6.99], [10, 6]]
    assert [t.name for t in lines] == ["epoch 0", "epoch 10", "epoch 1000"] * 2
    assert len({t.line.color for t in lines[:3]}) == 3
    assert [t.line.color for t in lines[:3]] == [t.line.color for t in lines[3:]]
    assert sum(t.name == "bound" for t in figure.data) == 2
    assert [a.text for a in figure.layout.annotations if a.name == "label"] == ["layer1", "layer5"] * 2
    (bar,) = [t.marker for t in figure.data if t.marker.showscale]
    assert np.allclose([bar.cmin, bar.cmax], [0, np.log10(1001)])
    assert list(bar.colorbar.ticktext) == ["0", "10", "100", "1000"]


def test_of_many_steps_some_are_drawn_with_both_ends():
    long = pd.DataFrame([{"s": s, "l": f"layer{k}", "x": 1.0 * k, "y": 1.0 * s} for s in range(900) for k in (1, 2)])
    drawn = [t.name for t in charts.paths(long, "x", "y", "s", "l").data if t.mode == "lines+markers"]
    assert len(drawn) == 48
    assert (drawn[0], drawn[-1]) == ("epoch 0", "epoch 899")


def test_layers_that_lie_together_share_a_name():
    near = PLANE[PLANE["data"] == "few"].assign(i_x=lambda t: t["i_x"] / 100 + 11)
    texts = [a.text for a in charts.paths(near, "i_x", "i_y", "step", "layer").layout.annotations]
    assert texts == ["layer1 to 5"]


@pytest.mark.parametrize(
    ("low", "high", "ends"), [(0.5, np.inf, (0.5, 4.74)), (-np.inf, 1.0, (0.68, 1.0)), (0.95, 1.05, (0.95, 1.05))]
)
def test_a_region_ends_where_it_was_stated_or_at_the_edge(low, high, ends):
    figure = charts.region(charts.points(PLACES, "at", "mean", "condition"), low, high)
    (box,) = figure.layout.shapes
    assert np.allclose((box.y0, box.y1), ends, atol=0.01)
    assert box.name == "region"
    assert figure.layout.yaxis.range[0] < 0.9  # every interval stays in sight
    assert figure.layout.yaxis.range[1] > 4.5


def test_a_region_of_one_layer_is_drawn_there_alone():
    figure = charts.region(charts.points(PLACES, "at", "mean", "condition"), 0.5, np.inf, across=(-0.4, 0.4))
    (box,) = figure.layout.shapes
    assert (box.x0, box.x1, box.y0) == (-0.4, 0.4, 0.5)
    assert (box.name, box.xref, box.yref) == ("region", "x", "y")
    lying = charts.points(PLACES, "at", "mean", "condition", horizontal=True)
    (box,) = charts.region(lying, 1, 2, along="x", across=(0.6, 1.4)).layout.shapes
    assert (box.x0, box.x1, box.y0, box.y1) == (1, 2, 0.6, 1.4)


def test_a_region_on_a_logarithmic_axis_stays_positive():
    figure = charts.region(charts.lines(CURVES[CURVES["panel"] == "a"], log="y"), -np.inf, 2.0)
    assert figure.layout.shapes[0].y0 > 0
    across = charts.region(charts.points(PLACES, "at", "mean", "condition", horizontal=True), 1, 2, along="x")
    assert (across.layout.shapes[0].x0, across.layout.shapes[0].x1) == (1, 2)
