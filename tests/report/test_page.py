"""The page: self-contained, readable without scripts, strict, and with all its numbers inside."""

import base64
import gzip
import hashlib
import itertools
import json
import re
import shutil
from html.parser import HTMLParser

import pytest

from deeptheory.core.errors import StoreError
from deeptheory.report import write_page
from deeptheory.report.page import anchor, interval, number
from deeptheory.runs import NotRun, decide
from deeptheory.studies import STUDIES, find
from oracles.small_page import claim

LINK = '<a href="https://arxiv.org/abs/1234.56789" rel="noreferrer">'


def test_the_same_files_give_the_same_bytes(folder):
    before = (folder / "report.html").read_bytes()
    write_page(folder)
    assert (folder / "report.html").read_bytes() == before
    assert len(before) < 3_000_000


def test_the_ledger_is_plain_html_and_escaped(folder):
    page = (folder / "report.html").read_text()
    body = re.sub(r"<script.*?</script>", "", page, flags=re.S)
    order = (
        "<h1>",
        'class="by"',
        'class="lead"',
        'id="verdicts"',
        '<figure id="figure-moving">',
        "<h2>Figures",
        '<h2 id="ledger-title">',
    )
    assert [body.index(o) for o in order] == sorted(body.index(o) for o in order)
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
    assert f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'" in scripts
    assert not re.search(
        r"(src|href)=\"(https?:)?//", page.replace(LINK, "")
    )  # the paper's, which nothing follows by itself
    assert not re.search(r"\son\w+=|javascript:", page)


@pytest.mark.parametrize(
    ("measured", "verdict", "other"), [(1.0, "reproduced", "contradicted"), (3.0, "contradicted", "reproduced")]
)
def test_the_outcome_next_to_a_figure_is_that_of_its_claims(folder, tmp_path, measured, verdict, other):
    """The same figure and caption on runs with opposite outcomes: the sentence is written by verdict and number."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    decide([claim("a/1", measured), claim("b", 1.0)], {}, scale="quick").write(copy)
    drawn = json.loads((copy / "figures" / "still.json").read_text()) | {"claims": ["a"]}
    (copy / "figures" / "still.json").write_text(json.dumps(drawn))
    write_page(copy)
    page = (copy / "report.html").read_text()
    found = re.search(r'<figure id="figure-still">.*?<ul class="cards".*?</ul>', page, re.S)
    assert found is not None
    cards = found[0][found[0].index('<ul class="cards"') :]
    assert f">{verdict}</span>" in cards
    assert other not in cards
    assert f"{measured:g} [" in cards or f"{measured:g} bits" in cards
    assert "region [0, 2]" in cards
    assert "published 1.50 (unverified)" in cards or "published 1.5 (unverified)" in cards
    assert "<code>b</code>" not in cards
    assert f'class="{"good" if verdict == "reproduced" else "bad"}"' in cards


def test_what_was_published_stands_next_to_what_was_measured(folder, tmp_path):
    """The measured half is the claims' own: it follows the ledger, and says where there is nothing."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    path, sides = copy / "figures" / "still.json", []
    kept = json.loads(path.read_text())
    for claims, measured in ((["a", "b"], 1.0), (["a", "b"], 3.0), (["b"], 1.0), ([], 1.0)):
        path.write_text(json.dumps(kept | {"claims": claims, "published": "About 6 <bits>."}))
        rows = [claim("a/1", measured), claim("a/2", 1.25), claim("b", NotRun("a later figure"), "Later.")]
        decide(rows, {}, scale="quick").write(copy)
        sides.append(re.search(r'<div class="sides">.*?</div>\s*</div>', write_page(copy).read_text(), re.S)[0])
    assert all("<b>As published.</b> About 6 &lt;bits&gt;." in s for s in sides)
    assert [bool(re.search(r"<small>1</small> <a[^>]*>1 \[?", s)) for s in sides] == [True, False, False, False]
    assert re.search(r"<small>1</small> <a[^>]*>3\b.*?contradicted.*?<small>2</small> <a[^>]*>1.25\b", sides[1], re.S)
    assert "Not run: b." in sides[0]
    assert "Nothing yet: b not run." in sides[2]
    assert "no claim is decided by it" in sides[3]


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
    page["sections"][0]["figures"] = [name]
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


def test_the_first_lines_say_what_was_run_again(folder):
    page = (folder / "report.html").read_text()
    by = re.search(r'<p class="by">(.*?)</p>', page, re.S)[1]
    assert by.startswith("A &amp; B 2020 · " + LINK)
    assert "run again on 2 networks, scale quick" in by
    assert "javascript:" not in page.split("<script>")[0]
    assert "<pre" in page[page.index('id="cite"') :]
    assert re.search(r'class="counts">At the paper’s settings: .*?1 reproduced', page, re.S)


def test_the_page_opens_with_the_figure_that_it_names(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    page = json.loads((copy / "page.json").read_text())
    for main, first in (("still", "still"), ("moving", "moving"), ("not-drawn", "moving"), (3, "moving")):
        (copy / "page.json").write_text(json.dumps(page | {"main": main}))
        html = write_page(copy).read_text()
        assert re.findall(r'<figure id="figure-(\w+)">', html) == [first, *({"still", "moving"} - {first})]


def test_a_run_of_an_earlier_page_is_still_shown(folder, tmp_path):
    """page.json without paper and main, figures without what was published."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    page = json.loads((copy / "page.json").read_text())
    (copy / "page.json").write_text(json.dumps({k: v for k, v in page.items() if k not in ("paper", "main")}))
    drawn = json.loads((copy / "figures" / "still.json").read_text())
    drawn.pop("published")
    (copy / "figures" / "still.json").write_text(json.dumps(drawn))
    html = write_page(copy).read_text()
    assert '<p class="by">s, quick, ' in html
    assert 'id="cite"' not in html


def test_every_figure_is_drawn_without_scripts_and_its_numbers_travel_inside(folder):
    page = (folder / "report.html").read_text()
    for name in ("moving", "still"):
        figure = page[page.index(f'<figure id="figure-{name}">') :]
        figure = figure[: figure.index("</figure>")]
        assert '<svg class="fig"' in figure
        links = dict(re.findall(r'download="([^"]*)" href="data:[\w/]+;base64,([^"]*)"', figure))
        assert base64.b64decode(links[f"{name}.csv"]).decode() == (folder / "figures" / f"{name}.csv").read_text()
        kept = json.loads(gzip.decompress(base64.b64decode(links[f"{name}.json.gz"])))
        assert kept == json.loads((folder / "figures" / f"{name}.json").read_text())["figure"]
    links = dict(re.findall(r'download="(claims\.\w+)" href="data:[\w/]+;base64,([^"]*)"', page))
    assert json.loads(base64.b64decode(links["claims.json"])) == json.loads((folder / "claims.json").read_text())
    assert base64.b64decode(links["claims.csv"]).decode() == (folder / "claims.csv").read_text()
    assert 'href="figures/' not in page


@pytest.mark.parametrize("name", STUDIES)
def test_every_claim_has_a_name_of_its_own_to_link_to(name):
    names = [anchor(c.id) for c in find(name).part("claims").CLAIMS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[\w.-]+", n) for n in names)


def test_a_figure_may_be_called_as_a_part_of_the_page_is(folder, tmp_path):
    """Names of figures are the studies' own: 'verdicts', 'run' and 'cite' must not meet those of the page."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    for name in ("verdicts", "run", "cite", "main", "ledger", "library"):
        shutil.copy(copy / "figures" / "moving.json", copy / "figures" / f"{name}.json")
        page = json.loads((folder / "page.json").read_text())
        page["sections"][0]["figures"] = ["still", name]
        (copy / "page.json").write_text(json.dumps(page))
        found = Structure()
        found.feed(re.sub(r"<(script|style)[^>]*>.*?</\1>", "", write_page(copy).read_text(), flags=re.S))
        assert [i for i in found.ids if found.ids.count(i) > 1] == []
        assert [t for t in found.targets if t not in found.ids] == []


class Structure(HTMLParser):
    """What a reader with a screen reader meets: headings in order, names of what is clicked, ids and links to them."""

    void = frozenset(("meta", "link", "br", "input", "img", "hr"))

    def __init__(self):
        super().__init__()
        self.headings, self.ids, self.targets, self.images, self.open, self.unnamed = [], [], [], [], [], []
        self.tables = 0
        self.said = ""

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
        if "id" in given:
            self.ids.append(given["id"])
        if given.get("href", "").startswith("#"):
            self.targets.append(given["href"][1:])
        if tag == "svg" and "cut" not in given.get("class", ""):
            self.images.append(given.get("aria-label") or given.get("aria-hidden"))
        if tag in ("a", "button"):
            self.said = given.get("aria-label", "")
        if tag == "input" and not given.get("aria-label") and "label" not in self.open:
            self.unnamed.append(given)
        if tag == "table":
            self.tables += 1
        if tag not in self.void:
            self.open.append(tag)

    def handle_data(self, data):
        self.said += data

    def handle_endtag(self, tag):
        if tag in ("a", "button") and not self.said.strip():
            self.unnamed.append(tag)
        assert self.open.pop() == tag


def test_the_structure_is_one_that_a_screen_reader_can_tell(folder):
    page = (folder / "report.html").read_text()
    found = Structure()
    found.feed(re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.S))
    assert found.open == []
    assert found.headings[0] == 1
    assert found.headings.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(found.headings))
    assert [i for i in found.ids if found.ids.count(i) > 1] == []
    assert [t for t in found.targets if t not in found.ids] == []
    assert all(found.images)
    assert found.unnamed == []
    assert page.count('scope="col"') >= 5
    assert '<html lang="en">' in page


def test_a_figure_of_a_plate_is_what_was_drawn(folder):
    kept = json.loads((folder / "figures" / "moving.json").read_text())
    assert [f["name"] for f in kept["figure"]["frames"]] == ["0", "10", "20", "30", "40"]


def test_a_number_just_below_a_thousand_is_no_power_of_ten():
    values = (999.4, 999.7, -999.6, 1e20, 1e150, 8215568.0)
    assert [number(v) for v in values] == ["999", "1000", "−1000", "1e+20", "1e+150", "8215568"]
