"""The page: self-contained, strict, readable without scripts; in a browser every setting, the keyboard, a phone."""

import base64
import hashlib
import re
from importlib.resources import files

import numpy as np
import pytest

from deeptheory.core.errors import InputError, StoreError
from deeptheory.information import fall
from deeptheory.playground import write_playground
from deeptheory.playground.grid import Setting
from deeptheory.playground.packing import unpack
from deeptheory.playground.page import PLANES, packed_planes, render

OWN = files("deeptheory.playground").joinpath(PLANES).read_bytes()
HEADER, ALL = unpack(OWN)
LIGHT, DARK = (255, 255, 255), (20, 23, 27)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    (folder / PLANES).write_bytes(OWN)
    return write_playground(folder / "playground.html", folder / PLANES)


def test_the_same_planes_give_the_same_bytes(path, tmp_path):
    assert write_playground(tmp_path / "x.html", path.parent / PLANES).read_bytes() == path.read_bytes()
    assert path.stat().st_size < 6_000_000


def test_the_policy_allows_nothing_but_its_own_script(path):
    page = path.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    script = re.search(r"<script>(.*?)</script>", page, re.S)[1]
    own = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith("default-src 'none';")
    assert re.search(r"script-src ([^;]*)", policy)[1] == f"'sha256-{own}'"
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert not re.search(r"\son\w+=|javascript:|eval\(", page)


def test_without_scripts_there_is_a_message_a_drawing_and_the_answers(path):
    body = re.sub(r"<script.*?</script>", "", path.read_text(), flags=re.S)
    assert "This page needs scripts to move" in body
    drawn = re.search(r'<div class="static"><svg.*?</svg>', body, re.S)[0]
    assert len(drawn) < 20_000
    plane = ALL[Setting().key]["bins-30-run"]
    for k, name in enumerate(["layer 1", "layer 2", "layer 3", "layer 4", "layer 5", "output"]):
        x, y = (plane[n][:, k, -1].mean() for n in ("i_x", "i_y"))
        assert f"<title>{name}: {x:.2f} and {y:.3f} bits</title>" in drawn
    assert "decreases by" in body
    assert 'class="verdict contradicted"' in body


def test_it_says_how_much_was_measured(path):
    assert f"{len(ALL)} of 72 planned settings, 4 networks each" in path.read_text()
    assert "deeptheory playground --measure FOLDER measures what is planned" in path.read_text()


def test_wrong_paths_are_told(tmp_path):
    with pytest.raises(InputError, match="which is a folder; name a file"):
        write_playground(tmp_path)
    with pytest.raises(InputError, match="there is no folder"):
        write_playground(tmp_path / "no" / "x.html")
    with pytest.raises(InputError, match="name a folder that --measure filled"):
        write_playground(tmp_path / "x.html", tmp_path / "no.gz")
    with pytest.raises(StoreError, match="holds no measured setting"):
        write_playground(tmp_path / "x.html", tmp_path)
    (tmp_path / "bad.gz").write_bytes(b"no")
    with pytest.raises(StoreError, match="cannot be read"):
        write_playground(tmp_path / "x.html", tmp_path / "bad.gz")


def _luminance(color):
    parts = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color]
    return np.dot(parts, (0.2126, 0.7152, 0.0722))


@pytest.mark.parametrize(("place", "paper"), [(0, LIGHT), (1, DARK)])
def test_layers_are_ordered_by_lightness_and_stand_out(place, paper):
    """So that the order is seen without hue; 3 : 1 against the page is WCAG's least for drawings."""
    style = files("deeptheory.playground").joinpath("page.css").read_text()
    colors = [re.findall(rf"--l{k}: #([0-9a-f]{{6}})", style)[place] for k in range(1, 7)]
    light = [_luminance([int(c[i : i + 2], 16) for i in (0, 2, 4)]) for c in colors]
    assert (np.diff(light) > 0).all()
    contrast = [(max(v, _luminance(paper)) + 0.05) / (min(v, _luminance(paper)) + 0.05) for v in light]
    assert min(contrast) >= 3, contrast


def opened(browser, path, address="", **kwargs):
    page, said = browser.new_page(**kwargs), []
    page.on("console", lambda m: said.append(m.text))
    page.on("pageerror", lambda e: said.append(str(e)))
    page.on("request", lambda r: said.append(r.url) if not r.url.startswith("file:") else None)
    page.goto(path.as_uri() + address)
    page.wait_for_function("() => ['ready', 'failed'].includes(document.body.dataset.state)", timeout=60_000)
    return page, said


@pytest.fixture(scope="module")
def tab(browser, path):
    """One page for many tests, since each costs as much as a browser; `at` takes it to an address."""
    page, said = opened(browser, path)
    yield page, said
    page.close()


def at(tab, address="#tab=plane"):
    page, said = tab
    page.evaluate("address => { history.replaceState(null, '', address); readAddress(); show(); }", address)
    return page, said


def rows(page):
    return page.eval_on_selector_all("#plane-rows tr", "rows => rows.map(r => [...r.cells].map(c => c.textContent))")


def number_of(text):
    return float(text.split()[0].replace("−", "-"))


@pytest.mark.browser
def test_every_setting_shows_its_own_plane(tab):
    """Each choice that was measured, one after the other: its address, and the numbers of its plane in the table."""
    page, said = at(tab)
    tried = [
        ("activation", "relu"), ("activation", "softplus"), ("activation", "linear"), ("activation", "tanh"),
        ("batch", "full"), ("share", "5"), ("share", "85"), ("batch", "mini"), ("labels", "permuted"),
        ("labels", "true"), ("depth", "1"), ("depth", "5"), *(("readout", r) for r in HEADER["readouts"]),
    ]  # fmt: skip
    now = {k: str(v) for k, v in vars(Setting()).items()} | {"readout": "bins-30-run"}
    for name, value in tried:
        page.check(f"#panel-plane input[name={name}][value='{value}']", force=True)
        now[name] = value
        assert f"{name}={value}" in page.evaluate("location.hash")
        plane = ALL["-".join(list(now.values())[:5])][now["readout"]]
        shown = rows(page)
        assert len(shown) == plane["i_x"].shape[1] == page.locator("#plane g[data-layer]").count()
        assert page.locator("#plane .one").count() == plane["i_x"].shape[0] * len(shown)
        for k, row in enumerate(shown):
            wanted = [plane["i_x"][:, k, -1], fall(plane["i_x"][:, k], axis=1), plane["i_y"][:, k, -1]]
            wanted = [*(w.mean() for w in wanted), plane["floor"][k, -1]]
            assert np.allclose([number_of(t) for t in row[1:]], wanted, atol=0.0051), (name, value, row)
    assert said == []


@pytest.mark.browser
def test_what_was_not_measured_is_gray_and_drawn_as_nothing(tab, path):
    page, said = at(tab, "#tab=plane&activation=tanh")
    choices = {
        n: page.locator(f"input[name={n}][value='{v}']") for n, v in (("share", 5), ("depth", 3), ("batch", "full"))
    }
    assert choices["share"].is_disabled()
    assert choices["depth"].is_disabled() == (Setting(depth=3).key not in ALL)
    assert not choices["batch"].is_disabled()
    page.goto(path.as_uri() + "#tab=plane&activation=linear&batch=mini&share=5&labels=permuted&depth=1")
    page.wait_for_function("() => document.body.dataset.shown.startsWith('linear')")
    assert page.locator("#plane g").count() == 0
    assert "not measured, nor planned" in page.inner_text("#plane-said")
    page.click("text=Start again")
    page.wait_for_function("() => document.body.dataset.shown.startsWith('tanh')")
    assert page.locator("#plane g").count() == 6
    assert said == []


@pytest.mark.browser
def test_an_address_is_a_state_and_nonsense_is_the_first_one(tab, path):
    page, said = at(tab, "#tab=plane&activation=relu&readout=exact&epoch=75")
    assert page.evaluate("document.body.dataset.shown") == "relu mini 85 true 5 exact 75 "
    assert page.inner_text("#epoch-now") == "75"
    for address in (
        "#tab=none&activation=cos&epoch=76&readout=<b>",
        "#hold=a/b&epoch=-1&share=",
        "#%%%&=&tab=plane",
        "#tab=toString&hold=__proto__/planes",
    ):
        page.goto(path.as_uri() + address)
        page.wait_for_function("() => document.body.dataset.shown === 'tanh mini 85 true 5 bins-30-run 7999 '")
    assert said == []


@pytest.mark.browser
def test_the_keyboard_reaches_everything(tab):
    page, said = at(tab)
    page.focus("#epoch")
    page.keyboard.press("Home")
    assert "epoch=0" in page.evaluate("location.hash")
    page.keyboard.press("ArrowRight")
    assert page.get_attribute("#epoch", "aria-valuetext") == "epoch 1"
    page.focus("input[name=activation]:checked")
    page.keyboard.press("ArrowRight")
    assert "activation=relu" in page.evaluate("location.hash")
    page.focus("#tab-plane")
    for name in ("neuron", "gate"):
        page.keyboard.press("ArrowRight")
        assert page.locator(f"#panel-{name}").is_visible()
        assert page.evaluate("document.activeElement.id") == f"tab-{name}"
    page.focus("#scale")
    page.keyboard.press("End")
    assert page.inner_text("#scale-now") == "4"
    assert said == []


@pytest.mark.browser
def test_it_plays_to_the_end_holds_a_plane_and_follows_a_question(tab):
    page, said = at(tab, f"#tab=plane&epoch={HEADER['epochs'][-3]}")
    page.click("#play")
    page.wait_for_function("() => location.hash.includes('epoch=7999')")
    assert page.inner_text("#play") == "Play"
    page.click("#hold")
    assert "hold=tanh-mini-85-true-5%2Fbins-30-run" in page.evaluate("location.hash")
    page.check("#floors")
    page.click("text=With ReLU units and 100 bins?")
    page.wait_for_function("() => document.body.dataset.shown.startsWith('relu')")
    assert page.locator("#plane .floor").count() == page.locator("#plane .held circle").count() == 6
    page.click("#hold")
    assert page.locator("#plane .held").count() == 0
    page.uncheck("#floors")
    page.click(".questions summary >> nth=0")
    assert "decreases by" in page.inner_text(".questions li >> nth=0")
    assert said == []


@pytest.mark.browser
def test_one_neuron_and_the_gate_show_their_tables(tab, path):
    from deeptheory.playground.page import tables

    page, said = at(tab, "#tab=neuron&unit=tanh&look=bins-30&w=1000")
    for look in ("bins-10", "bins-100", "noise-0.05", "bins-30"):
        page.check(f"input[name=look][value='{look}']", force=True)
        bits = tables()["neuron"]["bits"]["tanh"][look][-1]
        assert f"keeps {bits:.2f} bits" in page.inner_text("#neuron-said")
    for unit in ("relu", "softplus", "linear"):
        page.check(f"input[name=unit][value={unit}]", force=True)
        assert f"unit={unit}" in page.evaluate("location.hash")
    page.goto(path.as_uri() + "#tab=gate&gate=tanh&dtype=float32&scale=0.0625")
    page.wait_for_function("() => document.body.dataset.shown.startsWith('tanh float32')")
    assert "4 tanh neurons (float32) errs by up to 2.0·10⁻⁴" in page.inner_text("#gate-said")
    page.check("input[name=dtype][value=float64]", force=True)
    assert page.locator("#gate .dot").count() > 40
    assert said == []


@pytest.mark.browser
def test_a_phone_in_the_dark_needs_no_sideways_scrolling(browser, path):
    page, said = opened(browser, path, viewport={"width": 390, "height": 844}, color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    for tab in ("plane", "neuron", "gate"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    page.click("#tab-plane")
    page.locator("input[name=readout][value=exact]").scroll_into_view_if_needed()
    box = page.locator("#plane").bounding_box()  # the plane stays in sight while its settings are changed
    assert box["y"] >= 0
    assert box["height"] > 200
    assert page.locator("#plane text").first.evaluate("e => e.getBoundingClientRect().height") >= 11
    assert said == []
    page.close()


@pytest.mark.browser
def test_without_scripts_it_is_read(browser, path):
    page = browser.new_page(java_script_enabled=False)
    page.goto(path.as_uri())
    assert page.locator(".static svg").is_visible()
    assert not page.locator(".settings").first.is_visible()
    assert "This page needs scripts to move" in page.inner_text("body")
    page.close()


def test_every_drawing_has_a_name():
    """A description alone leaves a screen reader with nothing to call it by."""
    drawings = [tag for tag in re.findall(r"<svg[^>]*>", render(packed_planes())) if 'role="img"' in tag]
    assert len(drawings) >= 5
    assert all(re.search(r'aria-label="[^"]+"', tag) for tag in drawings)
