"""Run folders as pages. Knows what lies in the folder, not how it was computed; loads no torch, pandas or plotly."""

from deeptheory.report.page import write_page

__all__ = ["write_page"]


def __dir__() -> list[str]:
    return sorted(__all__)
