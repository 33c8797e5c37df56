"""What a study says of its paper: authors, year, where it is found, and its BibTeX entry.

Authors, year and place are those of `Study.paper`, the title that of the study's docstring; given names are stated by
neither."""

import re
from typing import Any

from deeptheory import __version__
from deeptheory.core.errors import InputError

PACKAGE = {  # as in CITATION.cff, which an installed package lacks
    "title": "{deeptheory: what deep-learning theory says about a network, measured}",
    "author": "{The deeptheory developers}",
    "version": __version__,
    "note": "License: Apache-2.0",
}
_PAPER = re.compile(r"(?P<authors>.+?) (?P<year>\d{4}), (?P<where>[^;]+)")


def by_line(study: Any) -> dict[str, Any]:
    """Of a Study: authors, year, links to its paper as [text, address], and what it has many of (`Study.count`).

    InputError: its paper does not state authors and year."""
    said = _PAPER.match(study.paper)
    if said is None:
        raise InputError(f"{study.name} does not state authors and year; see `deeptheory list {study.name}`")
    links = [[f"arXiv {study.arxiv}", f"https://arxiv.org/abs/{study.arxiv}"]] if study.arxiv else []
    authors = re.sub(r"(, [^,&]+){3,} & [^,&]+$", " et al.", said["authors"])
    return {
        "authors": authors,
        "year": int(said["year"]),
        "links": [*links, *map(list, study.links)],
        "count": study.count,
    }


def paper_entry(study: Any, docstring: str) -> str:
    """The BibTeX entry of a Study's paper. InputError: authors, year, place or title are not stated."""
    said, title = _PAPER.match(study.paper), re.search(r'"([^"]+)"', docstring)
    if said is None or title is None:
        raise InputError(
            f"{study.name} does not state authors, year, place and title; see `deeptheory list {study.name}`"
        )
    fields = {"title": f"{{{' '.join(title[1].split())}}}", "author": _authors(said["authors"]), "year": said["year"]}
    place = said["where"].strip()
    journal = re.fullmatch(r"(?P<journal>[A-Z]\w+) (?P<volume>\d+):(?P<pages>\d+)", place)
    if study.arxiv and f"arXiv {study.arxiv}" == place:
        fields |= {"eprint": study.arxiv, "archiveprefix": "arXiv", "url": f"https://arxiv.org/abs/{study.arxiv}"}
    elif journal is not None:
        fields |= journal.groupdict()
    else:
        fields["howpublished"] = place
    return _entry("misc" if journal is None else "article", study.name, fields)


def package_entry() -> str:
    """The BibTeX entry of this package."""
    return _entry("software", "deeptheory", PACKAGE)


def _authors(text: str) -> str:
    """Names as BibTeX joins them, of "A, B & C" or "A et al."."""
    text = re.sub(r" et al\.$", ", others", text)
    return " and ".join(part.strip() for part in re.split(r",| & ", text) if part.strip())


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    width = max(map(len, fields))
    return f"@{kind}{{{key},\n" + "".join(f"  {k:{width}} = {{{v}}},\n" for k, v in fields.items()) + "}"
