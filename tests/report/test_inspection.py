"""The page of an inspection: one file without scripts, whose downloads work, and no number without its control."""

import base64
import csv
import io
import json
import re
import shutil

import numpy as np
import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.core.errors import StoreError
from deeptheory.report import write_page
from deeptheory.report.depth_chart import chart
from deeptheory.report.inspection import write_inspection_page
from deeptheory.report.svg import short, tick_texts

HOSTILE = '<script>alert(1)</script> & "x" .[0]'


def nets():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Linear(6, 9), nn.Tanh(), nn.ModuleDict({"a]b": nn.Linear(9, 5)})["a]b"], nn.ReLU(), nn.Linear(5, 3)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("inspection")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 6)).astype(np.float32), rng.integers(0, 3, 80)
    late = nets()
    with torch.no_grad():
        late[0].weight.mul_(3)
    dt.inspect(
        nets(),
        x,
        y,
        instruments="health",
        checkpoints={"early": nets().state_dict(), "late": late},
        out=path,
        twins=3,
        title=HOSTILE,
        probe="<b>80 draws</b>",
        progress=False,
    )
    return path


def text(folder):
    return (folder / "report.html").read_text()


def test_the_same_file_gives_the_same_bytes_whoever_builds_it(folder):
    before = (folder / "report.html").read_bytes()
    write_inspection_page(folder)
    assert (folder / "report.html").read_bytes() == before
    assert write_page(folder).read_bytes() == before  # `deeptheory report RUN`
    assert len(before) < 3_000_000


def test_what_comes_from_the_user_is_escaped(folder):
    page = text(folder)
    assert "<script" not in page
    assert "<b>80 draws" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_policy_allows_its_own_style_and_nothing_else(folder):
    page = text(folder)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert not re.search(r'(src|href)="(https?:)?//|\son\w+=|javascript:|<style[^>]*>[^<]*@import|\sstyle="', page)


def test_downloads_are_the_numbers(folder):
    page = text(folder)
    links = dict(re.findall(r'download="(inspection\.\w+)" href="data:[\w/]+;base64,([\w+/=]*)"', page))
    kept = json.loads(base64.b64decode(links["inspection.json"]))
    whole = json.loads((folder / "inspection.json").read_text())
    assert whole.pop("training")["names"] == ["early", "late"]  # which has a download of its own
    assert kept == whole
    rows = list(csv.DictReader(io.StringIO(base64.b64decode(links["inspection.csv"]).decode())))
    assert rows == list(csv.DictReader(io.StringIO((folder / "inspection.csv").read_text())))
    assert {r["checkpoint"] for r in rows} == {"early", "late"}


def test_every_row_stands_with_its_control(folder):
    page = text(folder)
    body = page[page.index('id="health"') : page.index('id="layers"')]
    assert body.count("Untrained: mean") == body.count("<table")
    kept = json.loads((folder / "inspection.json").read_text())
    for r in kept["instruments"][0]["rows"]:
        assert r["twins"] == 3
        assert f'<td class="num">{short(r["twin_least"])} to {short(r["twin_most"])}</td>' in body
    assert "a network that was never trained lies outside their range in 2 of 4 cases" in page
    assert page.index('id="by-depth"') < page.index('id="health"') < page.index('id="cannot"') < page.index('id="run"')


def test_what_was_not_run_says_why(tmp_path, folder):
    shutil.copytree(folder, tmp_path / "copy")
    kept = json.loads((folder / "inspection.json").read_text())
    kept["refused"] = {"cheapness": "about 9 s did not fit <the> budget"}
    (tmp_path / "copy" / "inspection.json").write_text(json.dumps(kept))
    write_inspection_page(tmp_path / "copy")
    assert "<b>cheapness</b>: about 9 s did not fit &lt;the&gt; budget." in text(tmp_path / "copy")


def test_damaged_folders_are_told(folder, tmp_path):
    with pytest.raises(StoreError, match="is missing; this is not a complete inspection"):
        write_inspection_page(tmp_path)
    for content, match in (
        ("[", "cannot be read"),
        ("[]", "has schema list"),
        ('{"schema": 7}', "has schema 7"),
        ('{"schema": 2}', "of another form"),
    ):
        (tmp_path / "inspection.json").write_text(content)
        with pytest.raises(StoreError, match=match):
            write_inspection_page(tmp_path)


def row(layer, depth, value, **more):
    given = {"layer": layer, "base": layer, "part": "", "label": layer, "depth": depth, "value": value, "low": None,
    "high": None, "twins": 0, "twin_mean": None,
             "twin_least": None, "twin_most": None, "permutations": 0, "permuted_mean": None, "permuted_low": None,
             "permuted_high": None, "note": "", "checkpoint": "",
             "control": "untrained"}  # fmt: skip
    return given | more


def quantity(**more):
    return {"name": "q", "title": "Q", "log": False, "ends": None, "chance": None} | more


def heights(svg, kind="model"):
    return [float(y) for y in re.findall(rf'<circle class="dot {kind}" cx="[\d.]+" cy="([\d.]+)"', svg)]


def test_lines_are_drawn_where_the_numbers_are():
    rows = [row("a", 0, 0.0), row("b", 1, 5.0), row("c", 2, 10.0)]
    ys = heights(chart(rows, quantity(), ["a", "b", "c"], [""], None))
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)
    ys = heights(
        chart([row("a", 0, 0.1), row("b", 1, 1.0), row("c", 2, 10.0)], quantity(log=True), ["a", "b", "c"], [""], None)
    )
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)
    for values in (
        [7.0, 7.0],
        [-3.0, 2.0],
        [1e-9, 2e-9],
        [0.0, 0.0],
        [1e300, 1.0],
        [1.0, 1 + 1e-15],
        [3e12, 3e12 + 1],
        [-5.0, -5.0],
    ):
        svg = chart([row("a", 0, values[0]), row("b", 1, values[1])], quantity(), ["a", "b"], [""], None)
        assert len(heights(svg)) == 2
        assert "nan" not in svg
    lost = chart(
        [row("a", 0, 1.0), row("b", 1, None, note="too few <samples>"), row("c", 2, 3.0)],
        quantity(),
        ["a", "b", "c"],
        [""],
        None,
    )
    assert "not measured (too few &lt;samples&gt;)" in lost
    assert "<polyline" not in lost  # no line across what is not there
    assert chart([row("a", 0, None, note="n")], quantity(), ["a"], [""], None) == ""


def test_a_log_axis_with_zero_is_linear_and_values_beyond_the_ends_are_shown():
    svg = chart([row("a", 0, 0.0), row("b", 1, 5.0)], quantity(log=True), ["a", "b"], [""], None)
    assert len(heights(svg)) == 2
    assert heights(svg)[0] > heights(svg)[1]
    svg = chart([row("a", 0, 0.5), row("b", 1, 1.7)], quantity(ends=(0, 1)), ["a", "b"], [""], None)
    assert heights(svg)[0] > heights(svg)[1]


@pytest.mark.parametrize(
    ("ticks", "log", "texts"),
    [
        ([-1, 1, 3, 5], True, ["10⁻¹", "10¹", "10³", "10⁵"]),
        ([-1, 0, 1, 3], True, ["0.1", "1", "10", "1,000"]),
        ([0, 5e4, 1e5], False, ["0", "50,000", "100,000"]),
        ([0, 5e5, 1e6], False, ["0", "0.5×10⁶", "1.0×10⁶"]),
        ([0, 2.5, 5], False, ["0.0", "2.5", "5.0"]),
        ([-2, 0, 2], False, ["−2", "0", "2"]),
        ([0, 2.5e-5, 5e-5], False, ["0", "2.5×10⁻⁵", "5.0×10⁻⁵"]),
        ([3e12, 3e12 + 1], False, ["3000000000000", "3000000000001"]),
    ],
)
def test_an_axis_has_one_style_of_ticks(ticks, log, texts):
    assert tick_texts(ticks, log) == texts


def test_names_for_many_layers_stay_few_and_whole_in_their_titles():
    names = [f"encoder.layers.{k}.attention.output" for k in range(120)]
    rows = [row(name, k, float(k)) for k, name in enumerate(names)]
    svg = chart(rows, quantity(), names, [""], dict(zip(names, names)))
    assert svg.count('class="name"') <= 42
    assert f"<title>{names[0]}</title>" in svg
    assert len(heights(svg)) == 120


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 390)])
def test_it_opens_without_a_word_or_a_request_on_a_phone_too(browser, folder, scheme, width):
    page, said = browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 844}), []
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("request", lambda r: said.append(r.url) if not r.url.startswith("file:") else None)
    page.goto((folder / "report.html").as_uri())
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 27)"
    )
    line = page.locator("polyline.line.model").first
    assert page.evaluate("e => getComputedStyle(e).stroke", line.element_handle()) != "none"
    page.close()


@pytest.mark.browser
def test_the_downloads_can_be_saved(browser, folder, tmp_path):
    page = browser.new_page()
    page.goto((folder / "report.html").as_uri())
    with page.expect_download() as given:
        page.get_by_role("link", name="CSV", exact=True).click()
    given.value.save_as(tmp_path / "saved.csv")
    assert (tmp_path / "saved.csv").read_text() == (folder / "inspection.csv").read_text()
    page.close()


@pytest.mark.browser
def test_a_link_to_numbers_opens_them(browser, folder):
    page = browser.new_page()
    page.goto((folder / "report.html").as_uri())
    table = page.locator("#health-rank")
    assert not table.is_visible()
    page.locator("#depth-health-rank a").click()
    table.wait_for(state="visible", timeout=10_000)
    page.close()


@pytest.fixture(scope="module")
def one_model(tmp_path_factory):
    """An inspection without checkpoints, whose lines are told apart by their colors alone."""
    path = tmp_path_factory.mktemp("one-model")
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 6)).astype(np.float32), rng.integers(0, 3, 80)
    dt.inspect(nets(), x, y, instruments="health", out=path, twins=3, progress=False)
    return path


@pytest.mark.browser
def test_a_phone_can_read_the_numbers_of_the_axes(browser, one_model):
    """The names at the ends of lines leave, so that the rest of a drawing is large enough."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((one_model / "report.html").as_uri())
    assert page.locator(".bar").bounding_box()["height"] < 60  # one line, which scrolls
    ticks = page.locator("#by-depth svg.depth:not(:has(.other)) .tick")
    sizes = ticks.evaluate_all(
        "all => all.map((t) => t.getBoundingClientRect()).map((r) => [r.height, r.left, r.right])"
    )
    assert sizes
    assert min(height for height, *_ in sizes) > 10
    assert min(left for _, left, _ in sizes) >= 0
    assert max(right for *_, right in sizes) <= 390
    page.close()


@pytest.mark.browser
def test_a_print_has_the_numbers_of_closed_parts(browser, folder):
    page = browser.new_page(viewport={"width": 700, "height": 900})
    page.goto((folder / "report.html").as_uri())
    page.emulate_media(media="print")
    assert page.locator("details:not([open])").count() > 0
    assert page.locator("#health-rank").bounding_box()["height"] > 50
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    page.close()
