"""The parts of the study that a run needs, by the names under which it asks for them."""

from deeptheory.studies.hinton_2018.claims import CLAIMS
from deeptheory.studies.hinton_2018.figures import page
from deeptheory.studies.hinton_2018.steps import STEPS, check, members

__all__ = ["CLAIMS", "STEPS", "check", "members", "page"]
