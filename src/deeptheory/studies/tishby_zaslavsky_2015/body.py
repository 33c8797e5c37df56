"""The parts of the study that a run needs, by the names under which it asks for them."""

from deeptheory.studies.tishby_zaslavsky_2015.claims import CLAIMS
from deeptheory.studies.tishby_zaslavsky_2015.page import page
from deeptheory.studies.tishby_zaslavsky_2015.steps import STEPS, check, members

__all__ = ["CLAIMS", "STEPS", "check", "members", "page"]
