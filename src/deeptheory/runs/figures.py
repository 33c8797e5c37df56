"""What a run shows: figures (each with its numbers and its doubts) on a page in sections.

Written as plain files, so that the page can be built again without what drew the figures: `figures/NAME.json` and
`.csv`, and `page.json`.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deeptheory.core.errors import InputError, StoreError
from deeptheory.core.names import unknown
from deeptheory.core.places import Folder, RemotePath, place
from deeptheory.core.storage import read_json, write_text

if TYPE_CHECKING:
    import pandas

FIGURES = "figures"
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, kw_only=True, eq=False)
class PageFigure:
    """One figure of a page.

    name: of its files, letters, digits, "-", "_" and ".". figure: plotly. table: the numbers that it draws. shows: what
    it shows and which question it answers, never the answer: that is written by the verdicts of `claims`, ids or their
    beginnings ("a" for "a" and all "a/..."). limitations: what it cannot show. alt: what it shows, for those who do not
    see it. published: what the paper's figure shows, in words and in the paper's numbers, where it has one.
    InputError: a name that is no plain word, or an empty title, shows, limitations or alt.
    """

    name: str
    title: str
    figure: Any
    table: "pandas.DataFrame"
    shows: str
    limitations: str
    alt: str
    claims: tuple[str, ...] = ()
    published: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise InputError(f"figure name is {self.name!r}; use letters, digits, '-', '_' and '.'")
        for text in ("title", "shows", "limitations", "alt"):
            if not getattr(self, text).strip():
                raise InputError(
                    f"figure {self.name} has no {text}; every figure says what it shows and its limitations"
                )

    def __repr__(self) -> str:
        return f"PageFigure({self.name}: {self.title})"

    def write(self, folder: str | Path | RemotePath) -> None:
        """Write figures/NAME.json and figures/NAME.csv below the folder. StoreError: they cannot be written."""
        said: dict[str, Any] = {
            "title": self.title,
            "shows": self.shows,
            "limitations": self.limitations,
            "alt": self.alt,
        }
        said |= {"claims": list(self.claims), "published": self.published}
        said["figure"] = json.loads(self.figure.to_json())
        write_text(place(folder) / FIGURES / f"{self.name}.json", json.dumps(said, ensure_ascii=False))
        write_text(place(folder) / FIGURES / f"{self.name}.csv", self.table.to_csv(index=False, lineterminator="\n"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Section:
    """A part of the page: title, its heading; text, a paragraph; figures, in order."""

    title: str
    text: str = ""
    figures: tuple[PageFigure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Link:
    """A question that several studies answer, and the claims that do: (study, claim id).

    The page sets them side by side, with the verdicts of the runs that lie beside this one.
    """

    question: str
    claims: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class Page:
    """What the page of a run says: its title, and sections in order.

    main: the name of the figure that it opens with, the paper's own; by default, or where it could not be drawn, the
    first. lead: what was run, in a sentence. notices: what must stand at its top;
    links: where other studies answer the same. paper: what is run again, for its first line: authors, year, links
    (pairs of text and address), bibtex, and count, what its independent units are called, such as "networks".
    InputError: two figures of one name.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    notices: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    paper: Mapping[str, Any] = field(default_factory=dict)
    main: str = ""

    def __post_init__(self) -> None:
        names = [p.name for s in self.sections for p in s.figures]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise InputError(f"figure {twice[0]!r} is listed twice; each has files of its own name")

    def write(self, folder: str | Path | RemotePath) -> None:
        """Write page.json and the files of every figure into the folder. StoreError: they cannot be written."""
        for section in self.sections:
            for drawn in section.figures:
                drawn.write(folder)
        sections = [{"title": s.title, "text": s.text, "figures": [p.name for p in s.figures]} for s in self.sections]
        said = {"title": self.title, "lead": self.lead, "sections": sections, "notices": list(self.notices)}
        said["links"] = [{"question": n.question, "claims": [list(c) for c in n.claims]} for n in self.links]
        said |= {"paper": dict(self.paper), "main": self.main}
        write_text(place(folder) / "page.json", json.dumps(said, indent=1, ensure_ascii=False))


def read_figure(folder: str | Path | RemotePath, name: str) -> Any:
    """The plotly figure of that name from a run folder, as in figures/NAME.json.

    InputError: the run has none of that name. StoreError: its file is damaged.
    """
    import plotly.graph_objects as go

    names = _figures(place(folder) / FIGURES)
    if name not in names:
        raise InputError(unknown(name, names, what="figure"))
    kept = read_json(place(folder) / FIGURES / f"{name}.json", "figure")
    try:
        return go.Figure(kept["figure"])
    # no "figure" (KeyError), no document of names (TypeError); of damaged values plotly's validators raise ValueError,
    # and NotImplementedError for a trace that they cannot take apart
    except (KeyError, TypeError, ValueError, NotImplementedError) as error:
        raise StoreError(f"figures/{name}.json is damaged ({error}); run again to write it again") from error


def _figures(folder: Folder) -> list[str]:
    return sorted(p.stem for p in folder.iterdir() if p.suffix == ".json") if folder.is_dir() else []
