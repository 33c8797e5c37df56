"""Papers run again, each with its ledger of claims. A new study: one folder, one line in STUDIES."""

from deeptheory.studies.study import STUDIES, Knob, Scale, Study, StudyResult, find, reproduce

__all__ = ["STUDIES", "Knob", "Scale", "Study", "StudyResult", "find", "reproduce"]
