"""The parts of the study that a run needs, by the names under which it asks for them."""

from deeptheory.studies.goldfeld_2019.claims import CLAIMS
from deeptheory.studies.goldfeld_2019.page import page
from deeptheory.studies.goldfeld_2019.steps import STEPS, check, members

__all__ = ["CLAIMS", "STEPS", "check", "members", "page"]
