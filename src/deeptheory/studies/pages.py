"""How every study's page is put together: what to say of changed settings, and figures under their titles."""

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from deeptheory.core.errors import InputError
from deeptheory.runs import Page, PageFigure, Section
from deeptheory.studies.bibliography import by_line, package_entry, paper_entry
from deeptheory.studies.comparisons import links

Maker = Callable[[Any, dict], PageFigure | None]  # (results, settings); None: nothing of it at this scale
Part = tuple[str, str, Sequence[Maker]]  # title, text, figures


def page(name: str, figures: Any, results: Any, settings: dict, scale: str, changed: dict) -> Page:
    """The page of a run of the study `name`, by its module `figures`; figures whose step was not done are left out and
    named."""
    drawn, missing = sections(figures.SECTIONS, results, settings)
    said = getattr(figures, "notices", lambda settings: [])(settings)
    return Page(
        title=figures.TITLE,
        lead=figures.lead(settings, scale),
        notices=(*_changed(changed), *said, *missing),
        sections=drawn,
        links=links(name),
        paper=paper(figures),
        main=getattr(figures, "MAIN", ""),
    )


def paper(figures: Any) -> dict[str, Any]:
    """What the first line of the page says of the paper, and how to cite it; nothing where the study does not say."""
    package = figures if hasattr(figures, "STUDY") else import_module(figures.__package__)
    study = getattr(package, "STUDY", None)
    if study is None:
        return {}
    return {**by_line(study), "bibtex": f"{paper_entry(study, package.__doc__ or '')}\n\n{package_entry()}"}


def _changed(changed: dict) -> list[str]:
    """The notice of a run whose settings were changed: not those that were published, so that no claim is decided."""
    values = ", ".join(f"{k} = {v}" for k, v in changed.items())
    return [f"Not the published settings: {values}. No published claim is decided."] if changed else []


def sections(parts: Sequence[Part], results: Any, settings: dict) -> tuple[tuple[Section, ...], list[str]]:
    """The figures of each part, and a notice of each whose step was not done: it is left out."""
    out, missing = [], {}
    for title, text, makers in parts:
        shown = []
        for make in makers:
            try:
                shown.append(make(results, settings))
            except InputError as reason:  # not done, or not defined with these settings
                missing[f"A figure is missing: {reason}."] = None
        out.append(Section(title=title, text=text, figures=tuple(p for p in shown if p is not None)))
    return tuple(out), list(missing)
