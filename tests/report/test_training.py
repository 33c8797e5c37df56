"""Over training on the page: what is drawn, what is tabulated, and no number without its control."""

import base64
import csv
import gzip
import io
import json
import re

import pytest

from deeptheory.report.inspection import write_inspection_page
from deeptheory.report.training import drawn, training_section
from deeptheory.report.training_chart import over_steps, plane, steps_axis

NAN = None


def series(layer, depth, value, **more):
    n = len(value)
    given = {"instrument": "health", "quantity": "rank", "layer": layer, "label": layer, "depth": depth, "value": value}
    given |= {"twin_mean": 2.0, "twin_least": 1.5, "twin_most": 2.5, "twins": 3, "control": "untrained"}
    given |= {f: [] for f in ("low", "high", "permuted_mean", "permuted_low", "permuted_high")}
    given["names"] = [str(k) for k in range(n)]
    return given | more


QUANTITY = {"name": "rank", "title": "Rank <1>", "unit": "1", "about": ""}
QUANTITY |= {"log": False, "ends": None, "shown": True, "chance": None}


def found(many, names, steps=None):
    instrument = {"name": "health", "title": "Health", "quantities": [QUANTITY], "rows": []}
    training = {"names": names, "steps": steps, "series": many, "planes": [], "phases": None}
    return {"training": training, "measured": [], "instruments": [instrument]}


def xs(svg, kind="model"):
    return [float(x) for x in re.findall(rf'<circle class="dot {kind}" cx="([\d.]+)"', svg)]


def test_points_stand_at_their_steps_linear_or_logarithmic():
    even = steps_axis(list("abcd"), (0, 10, 20, 30))
    assert not even.log
    assert even.at == pytest.approx((0, 1 / 3, 2 / 3, 1))
    assert [t for _, t in even.ticks] == ["0", "10", "20", "30"]
    uneven = steps_axis(list("abcd"), (0, 9, 99, 999))
    assert uneven.log
    assert uneven.at == pytest.approx((0, 1 / 3, 2 / 3, 1))
    assert steps_axis(list("ab"), (3, 1)).order == (1, 0)
    assert steps_axis(["early", "late"], None).at == (0, 1)
    assert steps_axis(["one"], (7,)).at == (0.5,)
    assert not steps_axis(list("abc"), (-5, 0, 500)).log  # log of a step below 0 is none
    dots = xs(over_steps([series("a", 0, [1.0, 2.0, 3.0, 4.0])], QUANTITY, even))
    assert dots[1] - dots[0] == pytest.approx(dots[3] - dots[2], abs=0.2)


def test_a_line_breaks_where_a_number_is_lost_and_many_steps_have_no_dots():
    svg = over_steps([series("a", 0, [1.0, NAN, 3.0])], QUANTITY, steps_axis(list("abc"), (0, 1, 2)))
    assert '<polyline class="line model"' not in svg
    assert len(xs(svg)) == 2
    n = 2000
    svg = over_steps(
        [series("a", 0, [float(k) for k in range(n)])],
        QUANTITY,
        steps_axis([str(k) for k in range(n)], tuple(range(n))),
    )
    assert len(xs(svg)) == 2
    assert len(re.search(r'<polyline class="line model" points="([^"]*)"', svg)[1].split()) == 300
    assert (
        over_steps(
            [series("a", 0, [NAN, NAN], twin_mean=NAN, twin_least=NAN, twin_most=NAN)],
            QUANTITY,
            steps_axis(list("ab"), None),
        )
        == ""
    )


def test_controls_are_drawn_for_every_line():
    lines = [
        series("a", 1, [1.0, 2.0], permuted_mean=[0.1, 0.2], permuted_low=[0.0, 0.1], permuted_high=[0.2, 0.3]),
        series("b", 0, [2.0, 2.0]),
    ]
    svg = over_steps(lines, QUANTITY, steps_axis(list("ab"), (0, 1)))
    assert svg.count("untrained: 1.5 to 2.5") == 2
    assert 'class="band twin"' in svg
    assert '<polyline class="line permuted"' in svg
    assert "untrained 1.5 to 2.5; permuted labels 0.1 to 0.3" in svg
    alone = over_steps(
        [series("a", 0, [1.0, 2.0], twin_mean=NAN, twin_least=NAN, twin_most=NAN)],
        QUANTITY,
        steps_axis(list("ab"), (0, 1)),
    )
    assert "untrained" not in alone


def test_five_layers_are_drawn_the_one_before_the_output_in_blue():
    many = [series(f"l{k}", k, [1.0, 2.0]) for k in range(9)] + [series("output", 9, [1.0, 2.0])]
    lines = [s["layer"] for s in drawn(many, None)]
    assert lines[0] == "l8"
    assert len(lines) == len(set(lines)) == 5
    assert {"l0", "output"} < set(lines)
    assert drawn(many, "l4")[0]["layer"] == "l4"
    assert [s["layer"] for s in drawn(many[-1:], None)] == ["output"]
    section = training_section(found(many, ["0", "1"], [0, 1]))
    assert section["rows"][0]["left_out"] == 5
    assert len(section["rows"][0]["table"]) == 10


def test_tables_show_six_steps_and_the_download_all():
    names = [str(k) for k in range(20)]
    section = training_section(found([series("a", 0, [k + 0.123456 for k in range(20)])], names, list(range(20))))
    row = section["rows"][0]
    assert row["names"] == ["0", "4", "8", "11", "15", "19"]
    assert row["table"][0]["values"] == ["0.123", "4.12", "8.12", "11.1", "15.1", "19.1"]
    assert row["first_last"]["first"] == "0.123"
    assert row["first_last"]["twins"] == "1.5 to 2.5"
    rows = list(csv.reader(io.StringIO(section["csv"])))
    assert rows[0][7:] == names
    assert rows[1][3:9] == ["untrained", "2", "1.5", "2.5", "0.1235", "1.123"]
    assert training_section({"training": None}) is None


def test_the_plane_draws_paths_twins_and_what_labels_give_by_chance():
    path = {
        "label": "a",
        "layer": "a",
        "depth": 0,
        "x": [1.0, 2.0, NAN],
        "y": [1.0, 0.5, NAN],
        "twins": [[1.5, 0.7]],
        "permuted": [0.1, 0.1, NAN],
    }
    svg = plane([path], "plane")
    assert 'class="dot hollow model"' in svg
    assert svg.count('class="dot twin"') == 1
    assert plane([{**path, "x": [NAN], "y": [NAN], "twins": [], "permuted": [NAN]}], "plane").count("<circle") == 0


def test_a_page_of_many_checkpoints(tmp_path):
    from inspection.made_up import made_up

    inspection = made_up(layers=6, steps=30)
    page = inspection.write(tmp_path).read_text()
    assert page.count('id="training-') == 12
    links = dict(re.findall(r'download="([\w.]+)" href="data:[\w/]+;base64,([\w+/=]*)"', page))
    assert set(links) == {"inspection.json", "inspection.csv", "training.csv"}
    rows = list(csv.reader(io.StringIO(base64.b64decode(links["training.csv"]).decode())))
    assert len(rows) == 1 + 12 * 5  # layers without the input
    assert "training" not in json.loads(base64.b64decode(links["inspection.json"]))
    assert len((tmp_path / "inspection.csv").read_text().splitlines()) == 1 + len(inspection.table())
    before = (tmp_path / "report.html").read_bytes()
    write_inspection_page(tmp_path)
    assert (tmp_path / "report.html").read_bytes() == before


@pytest.mark.slow
def test_a_page_of_50_layers_and_300_steps_is_small(tmp_path):
    from inspection.made_up import made_up

    page = made_up(layers=50, steps=300).write(tmp_path)
    assert page.stat().st_size < 3_000_000
    links = dict(re.findall(r'download="([\w.]+)" href="data:[\w/]+;base64,([\w+/=]*)"', page.read_text()))
    rows = list(csv.reader(io.StringIO(gzip.decompress(base64.b64decode(links["training.csv.gz"])).decode())))
    assert (len(rows), len(rows[0])) == (1 + 12 * 49, 7 + 300)
