"""Whether a built site holds together without a network: python docs/check_site.py FOLDER

Every relative link leads to a file of the site and to a name in it, nothing is loaded from elsewhere, and every
notebook for download holds code that compiles; in the example reports no two things have one name. Prints what does
not, one line each; exits 1 then.
"""

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src", "video": "src"}


class Page(HTMLParser):
    """Links, what is loaded, and the names that a link can end in."""

    def __init__(self, text: str):
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.names: set[str] = set()
        self.twice: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        of = {k: v or "" for k, v in attrs}
        self.twice += [of["id"]] if of.get("id") in self.names else []
        self.names |= {of[k] for k in ("id", "name") if k in of}
        if tag == "a" and "href" in of:
            self.links.append(of["href"])
        if (
            tag in LOADS
            and LOADS[tag] in of
            and of.get("rel") not in ("canonical", "author", "index", "search", "next", "prev")
        ):
            self.loaded.append(of[LOADS[tag]])


def wrong(site: Path) -> list[str]:
    """What is wrong with a site, one line each."""
    pages = {p: Page(p.read_text(encoding="utf-8")) for p in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        here = path.relative_to(site)
        if "reports" in here.parts:
            found += [f"{here}: has the name {name} twice" for name in page.twice]
        for address in page.loaded:
            if urlsplit(address).netloc or address.startswith("//"):
                found.append(f"{here}: loads {address[:80]} from elsewhere")
            elif not address.startswith("data:") and not _target(path, address).exists():
                found.append(f"{here}: loads {address[:80]}, which is not there")
        for address in page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            to = _target(path, address) if parts.path else path
            if not to.exists():
                found.append(f"{here}: links to {address[:80]}, which is not there")
            elif parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].names:
                found.append(f"{here}: links to {address[:80]}, where that name is not")
    for path in sorted(site.rglob("*.ipynb")):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            code = re.sub(r"^[%!].*$", "", "".join(cell["source"]), flags=re.M)
            if cell["cell_type"] == "code":
                try:
                    compile(code, path.name, "exec")
                except SyntaxError as error:
                    found.append(f"{path.relative_to(site)}: {error}")
    return list(dict.fromkeys(found))


def _target(page: Path, address: str) -> Path:
    to = page.parent / unquote(urlsplit(address).path)
    to = to.resolve()
    return to / "index.html" if to.is_dir() else to


def main() -> None:
    site = Path(sys.argv[1]).resolve()
    found = wrong(site)
    print("\n".join(found) or f"{len(list(site.rglob('*.html')))} pages, no broken link, nothing loaded from elsewhere")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
