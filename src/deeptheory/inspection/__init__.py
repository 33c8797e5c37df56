"""Instruments on somebody's own model or data, and the page that each writes."""

from deeptheory.inspection.axis_page import write_axis_page

__all__ = ["write_axis_page"]
