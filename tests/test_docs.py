"""Pages and README name what exists."""

import re
from pathlib import Path

import pytest

import deeptheory as dt

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_every_name_in_a_page_exists(page):
    for path in re.findall(r"\bdt((?:\.[A-Za-z_]+)+)", page.read_text()):
        value = dt
        for name in path.strip(".").split("."):
            value = getattr(value, name)


@pytest.mark.parametrize("page", PAGES, ids=[p.name for p in PAGES])
def test_every_file_that_a_page_shows_is_there(page):
    for name in re.findall(r"(?:\]\(|\{image\} )([\w./-]+)", page.read_text()):
        if not name.startswith("http"):
            assert (page.parent / name).exists(), name


def test_the_ledger_in_the_docs_holds_every_claim():
    from deeptheory.studies.shwartz_ziv_tishby_2017.claims import CLAIMS

    text = (ROOT / "docs" / "ledgers" / "shwartz-ziv-tishby-2017.md").read_text()
    assert all(f"`{c.id}`" in text for c in CLAIMS)
