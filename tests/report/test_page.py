"""The page: self-contained, readable without scripts, strict, and alive in a browser."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

from deeptheory.core.errors import StoreError
from deeptheory.core.theme import new_figure
from deeptheory.report import write_page
from deeptheory.report.page import interval, number
from deeptheory.runs import Claim, NotRun, Page, Plate, Section, decide
from deeptheory.runs.record import Record

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)


def claim(id, measured, statement="Something <b>holds</b> & stays."):
    return Claim(
        id=id, figure="1", source="paper, figure 1", statement=statement, quantity="q", unit="bits", region="[0, 2]",
        criterion="c", protocol="p", measure=lambda results: measured, published=1.5, published_trust="unverified",
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run folder as a study leaves it: a ledger, a figure with frames and one without."""
    path = tmp_path_factory.mktemp("run")
    Record(
        study="s",
        scale="quick",
        seed=0,
        seeds=[0, 1],
        settings={"lr": 0.1},
        changed={},
        threads=1,
        command="deeptheory reproduce s",
    ).write(path)
    claims = [claim("a/1", 1.0), claim("a/2", 3.0), claim("b", NotRun("a later figure"), "Later.")]
    decide(claims, {}, scale="quick").write(path)
    moving = new_figure(xaxis_title="x")
    moving.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="markers", name="dots"))
    moving.frames = [go.Frame(name=str(10 * k), data=[go.Scatter(x=[k, k + 1], y=[0, 1])]) for k in range(5)]
    still = new_figure()
    still.add_trace(go.Scatter(x=[1, 10, 100], y=[1, 2, 3]))
    still.update_xaxes(type="log")
    words = {"table": pd.DataFrame({"x": [1]}), "see": "a thing", "trust": "somewhat"}
    plates = (
        Plate(name="moving", title="Moving", figure=moving, alt="dots that move", **words),
        Plate(name="still", title="Still", figure=still, alt="a line", **words),
    )
    section = Section(title="Figures", text="Look.", plates=plates)
    Page(title="A <study>", lead="What & why.", sections=(section,), notices=("Mind the gap.",)).write(path)
    write_page(path)
    return path


def test_the_same_files_give_the_same_bytes(folder):
    before = (folder / "report.html").read_bytes()
    write_page(folder)
    assert (folder / "report.html").read_bytes() == before
    assert len(before) < 3_000_000


def test_the_ledger_is_plain_html_and_escaped(folder):
    page = (folder / "report.html").read_text()
    body = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    assert body.index('id="verdicts"') < body.index("<h2>Figures") < body.index('<h2 id="ledger-title">')
    assert "Something &lt;b&gt;holds&lt;/b&gt; &amp; stays." in body
    assert "A &lt;study&gt;" in body
    assert "contradicted" in body
    assert "a later figure" in body
    assert "Mind the gap." in body
    assert 'aria-label="dots that move"' in body


def test_the_policy_allows_nothing_but_its_own_hashes(folder):
    page = (folder / "report.html").read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none';")
    scripts = re.search(r"script-src ([^;]*)", policy)[1].split()
    assert len(scripts) == 2
    assert all(s.startswith("'sha256-") for s in scripts)
    assert "unsafe-eval" not in policy
    inline = re.search(r"<script>(.*?)</script>", page, re.S)[1]
    import base64

    assert f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'" in scripts
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert not re.search(r"\son\w+=|javascript:", page)


@pytest.mark.parametrize(
    ("measured", "verdict", "other"), [(1.0, "reproduced", "contradicted"), (3.0, "contradicted", "reproduced")]
)
def test_the_outcome_next_to_a_figure_is_that_of_its_claims(folder, tmp_path, measured, verdict, other):
    """The same figure and caption on runs with opposite outcomes: the sentence is written by verdict and number."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    decide([claim("a/1", measured), claim("b", 1.0)], {}, scale="quick").write(copy)
    plate = json.loads((copy / "figures" / "still.json").read_text()) | {"claims": ["a"]}
    (copy / "figures" / "still.json").write_text(json.dumps(plate))
    write_page(copy)
    found = re.search(r"What was found\..*?</p>", (copy / "report.html").read_text(), re.S)
    assert found is not None
    assert f">{verdict}</span>: {measured:g}" in found[0]
    assert other not in found[0]
    assert "stated [0, 2]" in found[0]
    assert "<code>b</code>" not in found[0]


def test_numbers_for_people():
    assert [number(v) for v in (None, 3, 3.0, -2.0, 0.12345, "inf", float("inf"), 12345.6, "text")] == [
        "–", "3", "3", "−2", "0.123", "∞", "∞", "12346", "text",
    ]  # fmt: skip
    assert interval({"measured": 1.0, "low": 1.0, "high": 1.0}) == "1"
    assert interval({"measured": 1.0, "low": 0.5, "high": 2.0}) == "1 [0.5, 2]"
    assert interval({"measured": None, "low": None, "high": None}) == "–"


def test_damaged_folders_are_told(folder, tmp_path):
    with pytest.raises(StoreError, match="is missing; this is not a complete run"):
        write_page(tmp_path)
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken)
    (broken / "page.json").write_text("{}")
    with pytest.raises(StoreError, match="files of another form"):
        write_page(broken)
    (broken / "claims.json").write_text("[{")
    with pytest.raises(StoreError, match="cannot be read"):
        write_page(broken)
    (broken / "claims.json").unlink()
    with pytest.raises(StoreError, match="this is not a complete finished run"):
        write_page(broken)


@pytest.mark.parametrize("name", ["../../secret", "/etc/passwd", "a/b", "..", "", 3, None, ".hidden"])
def test_a_page_reads_no_file_outside_its_figures(folder, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (tmp_path / "secret.json").write_text((folder / "figures" / "still.json").read_text())
    page = json.loads((copy / "page.json").read_text())
    page["sections"][0]["plates"] = [name]
    (copy / "page.json").write_text(json.dumps(page))
    with pytest.raises(StoreError, match=r"page\.json names a figure"):
        write_page(copy)


@pytest.mark.parametrize(
    ("file", "change", "match"),
    [
        ("run.json", {"schema": 9}, "has schema 9, this version reads 1"),
        ("run.json", {"versions": {"deeptheory": "7.0"}}, "made by deeptheory 7.0"),
        ("claims.json", {"schema": 1}, "claims.json has schema 1, this version reads 2"),
    ],
)
def test_a_run_of_another_form_is_not_rendered(folder, tmp_path, file, change, match):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    kept = json.loads((copy / file).read_text())
    (copy / file).write_text(json.dumps([row | change for row in kept] if isinstance(kept, list) else kept | change))
    with pytest.raises(StoreError, match=match):
        write_page(copy)


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium here")
    from playwright.sync_api import sync_playwright

    flags = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield opened
        opened.close()


def opened(browser, path: Path, **kwargs):
    """A page with all its figures drawn, and what it said and asked for on the way."""
    page, said = browser.new_page(**kwargs), []
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("request", lambda r: said.append(r.url) if not r.url.startswith("file:") else None)
    page.goto(path.as_uri())
    for plot in page.query_selector_all(".plot"):
        plot.scroll_into_view_if_needed()
        page.wait_for_function("e => ['drawn', 'failed'].includes(e.dataset.state)", arg=plot, timeout=60_000)
    return page, said


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_draws_under_its_policy_without_a_word_or_a_request(browser, folder, scheme):
    page, said = opened(browser, folder / "report.html", color_scheme=scheme)
    assert said == []
    assert [p.get_attribute("data-state") for p in page.query_selector_all(".plot")] == ["drawn", "drawn"]
    assert page.query_selector_all(".plot svg .scatterlayer .trace")
    buttons = [b.get_attribute("data-title") or "" for b in page.query_selector_all(".modebar-btn")]
    assert buttons
    assert not [b for b in buttons if "share" in b.lower() or "cloud" in b.lower()]  # nothing offers an upload
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 27)")
    page.close()


@pytest.mark.browser
def test_figures_nobody_scrolled_to_are_drawn_in_time_for_a_print(browser, folder):
    page = browser.new_page()
    page.goto((folder / "report.html").as_uri())
    page.wait_for_function(
        "() => [...document.querySelectorAll('.plot')].every(e => e.dataset.state === 'drawn')", timeout=60_000
    )
    page.close()


@pytest.mark.browser
def test_the_slider_moves_by_keyboard(browser, folder):
    page, said = opened(browser, folder / "report.html")
    plot, slider = page.locator("[data-plate=moving]"), page.locator(".slider input")
    assert plot.get_attribute("data-frame") == "40"
    slider.focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('[data-plate=moving]').dataset.frame === '20'")
    assert page.locator(".slider output").text_content() == "20"
    assert slider.get_attribute("aria-valuetext") == "epoch 20"
    assert page.evaluate("document.querySelector('[data-plate=moving]').data[0].x[0]") == 2
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('[data-plate=moving]').dataset.frame === '0'")
    page.locator(".slider button").click()
    page.wait_for_function("() => document.querySelector('[data-plate=moving]').dataset.frame === '40'")
    assert said == []
    page.close()


@pytest.mark.browser
def test_a_phone_needs_no_sideways_scrolling(browser, folder):
    page, _ = opened(browser, folder / "report.html", viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


@pytest.mark.browser
def test_without_scripts_the_ledger_is_read(browser, folder):
    page = browser.new_page(java_script_enabled=False)
    page.goto((folder / "report.html").as_uri())
    assert "contradicted" in page.inner_text("#ledger")
    assert "figures/moving.csv" in page.inner_text("#moving")
    page.close()


@pytest.mark.browser
def test_it_prints_all_figures(browser, folder):
    page = browser.new_page(viewport={"width": 900, "height": 300})
    page.goto((folder / "report.html").as_uri())
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.plot')].every(p => p.dataset.state === 'drawn')", timeout=60_000
    )
    page.emulate_media(media="print")
    assert not page.locator(".slider").is_visible()
    assert page.pdf()[:4] == b"%PDF"
    page.close()


def test_the_browser_is_there_in_ci(monkeypatch):
    import os

    if os.environ.get("CI") and CHROMIUM is None:
        pytest.fail("CI has no Chromium: browser tests would be skipped in silence")


def test_a_figure_of_a_plate_is_what_was_drawn(folder):
    kept = json.loads((folder / "figures" / "moving.json").read_text())
    assert [f["name"] for f in kept["figure"]["frames"]] == ["0", "10", "20", "30", "40"]
