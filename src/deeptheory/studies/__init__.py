"""Papers run again, each with its ledger of claims. A new study: one folder, one line in STUDIES.

Packages add theirs by entry points "deeptheory.studies"."""

from deeptheory.studies.settings import Setting
from deeptheory.studies.study import STUDIES, Scale, Study, StudyResult, find, reproduce

__all__ = ["STUDIES", "Scale", "Setting", "Study", "StudyResult", "find", "reproduce"]


def __dir__() -> list[str]:
    return sorted(__all__)
