"""The parts of the study that a run needs, by the names under which it asks for them."""

from deeptheory.studies.sabour_2017.claims import CLAIMS
from deeptheory.studies.sabour_2017.figures import page
from deeptheory.studies.sabour_2017.steps import STEPS, check, members

__all__ = ["CLAIMS", "STEPS", "check", "members", "page"]
