"""The first figure of a run, on disk while the rest is still at work: a page of its own, without a network request.

It is drawn when the first unit of its step is done, of those networks alone, and again of all when the step is done.
"""

from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from deeptheory.core.errors import InputError
from deeptheory.core.places import Folder
from deeptheory.core.storage import write_text

if TYPE_CHECKING:
    from deeptheory.runs import PageFigure, Results

NAME = "first_figure.html"
_TOOLS = {"responsive": True, "displaylogo": False, "showSendToCloud": False}  # plotly would offer an upload
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }}</style>
<h1>{title}</h1>
<p>{of}. When the run is finished, report.html beside this file has every figure and claim.</p>
{figure}
<p>{shows}</p>
<p>{limitations}</p>
</html>
"""


def early_figure(
    folder: Folder, study: Any, settings: Mapping[str, Any]
) -> Callable[["Results", str, int, int], str | None] | None:
    """What a run calls whenever a unit is done: it draws the Study's FIRST and says where. None: the study has no
    FIRST.

    A figure that the settings do not define is left out. StoreError: it cannot be written.
    """
    first = getattr(study.part("figures"), "FIRST", None)
    if first is None:
        return None
    wanted, make = first
    drawn = False

    def draw(results: "Results", step: str, done: int, units: int) -> str | None:
        nonlocal drawn
        if step != wanted or (drawn and done < units):
            return None
        data = results.so_far(step)
        try:
            made = make({step: data}, dict(settings))
        except InputError:  # not defined with these settings
            return None
        number, all_of_them = data.sizes["seed"], settings[study.count]
        of = f"{number} of {all_of_them} networks" if done < units else f"All {all_of_them} networks"
        write_text(folder / NAME, _page(made, of))
        told, drawn = drawn, True
        return None if told else f"first figure, {of}: open {folder / NAME}"

    return draw


def _page(made: "PageFigure", of: str) -> str:
    figure = made.figure.to_html(full_html=False, include_plotlyjs=True, config=_TOOLS, auto_play=False)
    said = {k: escape(getattr(made, k)) for k in ("title", "shows", "limitations")}
    return _PAGE.format(figure=figure, of=escape(of), **said)
