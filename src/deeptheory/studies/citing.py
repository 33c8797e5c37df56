"""How to cite a study: BibTeX of its paper and of this package.

Authors, year and place are those of `Study.paper`, the title that of the study's docstring;
given names are stated by neither.
"""

import re
from importlib import import_module

from deeptheory import __version__
from deeptheory.core.errors import InputError
from deeptheory.studies.study import STUDIES, find

PACKAGE = {  # as in CITATION.cff, which an installed package lacks
    "title": "{deeptheory: what deep-learning theory says about a network, measured}",
    "author": "{The deeptheory developers}",
    "version": __version__,
    "note": "License: Apache-2.0",
}


def bibtex(study: str | None = None) -> dict[str, str]:
    """BibTeX entries by key: the paper's, where a study is named (by its name or arXiv number), and the package's.

    InputError: an unknown study.
    """
    entries = {}
    if study is not None:
        name = find(study).name
        entries[name] = _paper(name)
    entries["deeptheory"] = _entry("software", "deeptheory", PACKAGE)
    return entries


def _paper(name: str) -> str:
    study = find(name)
    said = re.match(r"(?P<authors>.+?) (?P<year>\d{4}), (?P<where>[^;]+)", study.paper)
    title = re.search(r'"([^"]+)"', import_module(STUDIES[name]).__doc__ or "")
    if said is None or title is None:
        raise InputError(f"{name} does not state authors, year, place and title; see `deeptheory list {name}`")
    fields = {"title": f"{{{' '.join(title[1].split())}}}", "author": _authors(said["authors"]), "year": said["year"]}
    place = said["where"].strip()
    journal = re.fullmatch(r"(?P<journal>[A-Z]\w+) (?P<volume>\d+):(?P<pages>\d+)", place)
    if study.arxiv and f"arXiv {study.arxiv}" == place:
        fields |= {"eprint": study.arxiv, "archiveprefix": "arXiv", "url": f"https://arxiv.org/abs/{study.arxiv}"}
    elif journal is not None:
        fields |= journal.groupdict()
    else:
        fields["howpublished"] = place
    return _entry("misc" if journal is None else "article", name, fields)


def _authors(text: str) -> str:
    """Names as BibTeX joins them, from "A, B & C" or "A et al." here."""
    text = re.sub(r" et al\.$", ", others", text)
    return " and ".join(part.strip() for part in re.split(r",| & ", text) if part.strip())


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    width = max(map(len, fields))
    return f"@{kind}{{{key},\n" + "".join(f"  {k:{width}} = {{{v}}},\n" for k, v in fields.items()) + "}"
