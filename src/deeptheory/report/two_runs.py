"""Two runs of one study on one page: the claims that moved, and every figure of both next to each other.

Every drawing is made from its own run's files, with axes of its own: read the numbers at the ticks, not the heights.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deeptheory import __version__
from deeptheory.core.errors import StoreError
from deeptheory.core.places import Folder, RemotePath, place
from deeptheory.core.storage import read_json, write_text
from deeptheory.report.assets import NAME, asset, hash_of
from deeptheory.report.page import anchor, drawn_figure, interval
from deeptheory.report.static import draw
from deeptheory.report.strips import swatch


def write_two_runs(runs: Sequence[str | Path | RemotePath], out: str | Path | RemotePath, found: Any) -> Folder:
    """report.html in the folder `out`, from the figures of two run folders; its path.

    found: what `runs.comparison.compare_runs` says of the two. StoreError: a folder is no finished run, or the disk is
    full.
    """
    from jinja2 import Environment, StrictUndefined

    folders = [place(run) for run in runs]
    pages = [read_json(folder / "page.json", "finished run") for folder in folders]
    try:
        names = dict.fromkeys(name for page in pages for part in page["sections"] for name in part["figures"])
        figures = [_pair(name, folders, pages) for name in names]
    except (KeyError, TypeError) as error:
        raise StoreError(f"page.json is of another form ({error}); run the study again into its folder") from error
    style = asset("page.css")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"anchor": anchor, "interval": interval, "swatch": swatch}
    text = environment.from_string(asset("two_runs.html.j2")).render(
        found=found,
        title=pages[0]["title"],
        names=_names(folders),
        figures=figures,
        style=style,
        policy=f"default-src 'none'; style-src {hash_of(style)}; style-src-attr 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'",
        version=__version__,
    )
    write_text(place(out) / NAME, text)
    return place(out) / NAME


def _names(folders: list[Folder]) -> list[str]:
    """Names of the folders; with their parents where both have the same."""
    names = [folder.resolve().name for folder in folders]
    return (
        names if len(set(names)) == len(names) else [f"{f.resolve().parent.name}/{f.resolve().name}" for f in folders]
    )


def _pair(name: str, folders: list[Folder], pages: list[dict[str, Any]]) -> dict[str, Any]:
    """Title and drawings of a figure, None where a run does not have it."""
    sides, title = [], name
    for folder, page in zip(folders, pages, strict=True):
        if any(name in part["figures"] for part in page["sections"]):
            kept = drawn_figure(folder, name)
            sides.append(draw(kept["figure"], f"{kept['alt']} ({folder.resolve().name})"))
            title = kept["title"]
        else:
            sides.append(None)
    return {"name": name, "title": title, "sides": sides}
