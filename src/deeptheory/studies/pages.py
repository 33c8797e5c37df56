"""How every study's page is put together: what to say of turned settings, and figures under their titles."""

from collections.abc import Callable, Sequence
from typing import Any

from deeptheory.core.errors import InputError
from deeptheory.runs import Plate, Section

Maker = Callable[[Any, dict], Plate | None]  # (results, settings); None: nothing of it at this scale
Part = tuple[str, str, Sequence[Maker]]  # title, text, figures


def turned(changed: dict, beside: str = "published settings", claim: str = "published claim") -> list[str]:
    """The notice of a run whose settings were changed: not those that were published, so that no claim is decided."""
    if not changed:
        return []
    return [f"Not the {beside}: {', '.join(f'{k} = {v}' for k, v in changed.items())}. No {claim} is decided."]


def sections(parts: Sequence[Part], results: Any, settings: dict) -> tuple[tuple[Section, ...], list[str]]:
    """The figures of each part, and a notice of each whose step was not done: it is left out."""
    out, missing = [], {}
    for title, text, makers in parts:
        plates = []
        for make in makers:
            try:
                plates.append(make(results, settings))
            except InputError as reason:  # not done, or not defined with these settings
                missing[f"A figure is missing: {reason}."] = None
        out.append(Section(title=title, text=text, plates=tuple(p for p in plates if p is not None)))
    return tuple(out), list(missing)
