"""The parts of the study that a run needs, by the names under which it asks for them."""

from deeptheory.studies.rolnick_tegmark_2018.claims import CLAIMS
from deeptheory.studies.rolnick_tegmark_2018.figures import page
from deeptheory.studies.rolnick_tegmark_2018.steps import STEPS, check, members

__all__ = ["CLAIMS", "STEPS", "check", "members", "page"]
