"""The page in Chromium: interactive once it is pointed at, whole without scripts and on paper, and silent."""

import io
import os
import re
import shutil

import pytest

pytestmark = pytest.mark.browser


def opened(browser, folder, draw=True, **kwargs):
    """A page with all its figures drawn, and what it said and asked for on the way."""
    page, said = browser.new_page(**kwargs), []
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("request", lambda r: said.append(r.url) if not r.url.startswith(("file:", "blob:", "data:")) else None)
    page.goto((folder / "report.html").as_uri())
    for button in page.query_selector_all(".explore") if draw else ():
        button.click()
    if draw:
        page.wait_for_function(DRAWN, timeout=60_000)
    return page, said


DRAWN = """() => [...document.querySelectorAll('.plot')].every(
    (e) => e.dataset.state === 'drawn' && e.querySelector('.trace'))"""


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.slow)])
def test_it_draws_under_its_policy_without_a_word_or_a_request(browser, folder, scheme):
    page, said = opened(browser, folder, color_scheme=scheme)
    assert said == []
    assert page.locator(".plot .live svg .scatterlayer .trace").count() >= 2
    assert not page.locator(".plot .still").first.is_visible()
    buttons = [b.get_attribute("data-title") or "" for b in page.query_selector_all(".modebar-btn")]
    assert buttons
    assert not [b for b in buttons if "share" in b.lower() or "cloud" in b.lower()]  # nothing offers an upload
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 23, 27)")
    page.close()


def test_a_figure_is_there_at_once_and_comes_alive_under_the_pointer(browser, folder):
    page, said = opened(browser, folder, draw=False)
    plot = page.locator(".plot").first
    before = plot.bounding_box()
    assert page.locator(".plot .still svg").first.is_visible()
    assert plot.get_attribute("data-state") is None
    plot.hover()
    page.wait_for_function("() => document.querySelector('.plot').dataset.state === 'drawn'", timeout=60_000)
    assert abs(plot.bounding_box()["height"] - before["height"]) < 2  # nothing below it moves
    assert said == []
    page.close()


def test_the_slider_moves_by_keyboard(browser, folder):
    page, said = opened(browser, folder)
    plot, slider = page.locator("[data-figure=moving]"), page.locator(".slider input")
    page.wait_for_function("() => document.querySelector('[data-figure=moving]').dataset.frame === '40'")
    slider.focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('[data-figure=moving]').dataset.frame === '20'")
    assert page.locator(".slider output").text_content() == "20"
    assert slider.get_attribute("aria-valuetext") == "epoch 20"
    assert plot.locator(".live").evaluate("e => e.data[0].x[0]") == 2
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('[data-figure=moving]').dataset.frame === '0'")
    page.locator(".slider button").click()
    page.wait_for_function("() => document.querySelector('[data-figure=moving]').dataset.frame === '40'")
    assert said == []
    page.close()


def test_the_table_is_sorted_and_filtered(browser, folder):
    page, said = opened(browser, folder, draw=False)
    rows = page.locator("#claims tbody tr")
    ids = lambda: [r.get_attribute("id") for r in rows.all() if r.is_visible()]  # noqa: E731
    assert ids() == ["claim-a-1", "claim-a-2"]
    button = page.get_by_role("button", name="Measured")
    button.click()
    button.click()
    assert ids() == ["claim-a-2", "claim-a-1"]
    assert page.locator("#claims th[aria-sort=descending]").count() == 1
    page.get_by_label("Verdict", exact=True).select_option("contradicted")
    assert ids() == ["claim-a-2"]
    assert page.locator(".filter output").text_content() == "1 of 2"
    page.get_by_label("Text").fill("nothing of the kind")
    assert ids() == []
    page.emulate_media(media="print")
    assert len(ids()) == 2  # paper has all of them
    assert said == []
    page.close()


def test_downloads_work_from_a_page_that_was_mailed_alone(browser, folder, tmp_path):
    shutil.copy(folder / "report.html", tmp_path / "report.html")
    page, said = opened(browser, tmp_path, draw=False)
    for link, name, whole in (
        ("numbers (CSV)", "moving.csv", (folder / "figures" / "moving.csv").read_text()),
        ("figure (JSON)", "moving.json", None),
    ):
        with page.expect_download() as held:
            page.get_by_role("link", name=link).first.click()
        assert held.value.suggested_filename == name
        text = held.value.path().read_text()
        assert text == whole if whole else text.startswith('{"data":')
    assert said == []
    page.close()


@pytest.mark.parametrize("draw", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_phone_needs_no_sideways_scrolling(browser, folder, draw):
    page, _ = opened(browser, folder, draw=draw, viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.locator(".plot").first.bounding_box()["y"] < 844  # the figure begins on the first screen
    page.close()


def test_without_scripts_figures_and_ledger_are_there(browser, folder):
    page = browser.new_page(java_script_enabled=False)
    page.goto((folder / "report.html").as_uri())
    assert "contradicted" in page.inner_text("#ledger")
    for name in ("moving", "still"):
        assert page.locator(f"#figure-{name} .still svg").is_visible()
        assert page.locator(f"#figure-{name} svg [data-trace] path").count() >= 1
    assert not page.locator(".slider").is_visible()
    page.close()


@pytest.mark.parametrize("paper", ["A4", pytest.param("Letter", marks=pytest.mark.slow)])
@pytest.mark.parametrize("drawn", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_print_has_every_figure_and_every_column(browser, folder, paper, drawn):
    page, _ = opened(browser, folder, draw=drawn, viewport={"width": 900, "height": 300})
    page.emulate_media(media="print")
    for plot in page.query_selector_all(".plot"):
        assert plot.query_selector(".still svg").is_visible()
        assert not plot.query_selector(".live").is_visible()
    assert not page.locator(".slider").is_visible()
    assert (
        page.locator("#claims thead button:visible").count() == 0
    )  # a head with one is not repeated on the next sheet
    assert page.locator("#claims thead th").first.inner_text() == "Verdict"
    inches = {"A4": 210 / 25.4, "Letter": 8.5}[paper] - 2 * 14 / 25.4
    page.set_viewport_size({"width": int(96 * inches), "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= int(96 * inches)
    pdf = page.pdf(format=paper)
    assert pdf[:4] == b"%PDF"
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 1
    assert io.BytesIO(pdf).getbuffer().nbytes > 20_000
    page.close()


def test_the_browser_is_there_in_ci():
    from shutil import which

    if os.environ.get("CI") and not any(map(which, ("chromium", "chromium-browser", "google-chrome"))):
        pytest.fail("CI has no Chromium: browser tests would be skipped in silence")
