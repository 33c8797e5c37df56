"""Runs: a study's steps done in a folder that survives a kill, and the ledger of what they decide.

`Run` executes `Step`s; `Claim`s are decided into a `Ledger`; `PageFigure`s and a `Page` are what a run shows.
"""

from deeptheory.core.region import Region
from deeptheory.runs.decision import Claim, NotRun, decide
from deeptheory.runs.engines import ENGINES
from deeptheory.runs.figures import Link, Page, PageFigure, Section, read_figure
from deeptheory.runs.intervals import Sample, share_of
from deeptheory.runs.ledger import Entry, Ledger
from deeptheory.runs.record import Record, read_record
from deeptheory.runs.results import NotDone, Results
from deeptheory.runs.run import Run
from deeptheory.runs.seeds import chunks, derive, generator, members
from deeptheory.runs.steps import Step

__all__ = [
    "ENGINES",
    "Claim",
    "Entry",
    "Ledger",
    "Link",
    "NotDone",
    "NotRun",
    "Page",
    "PageFigure",
    "Record",
    "Region",
    "Results",
    "Run",
    "Sample",
    "Section",
    "Step",
    "chunks",
    "decide",
    "derive",
    "generator",
    "members",
    "read_figure",
    "read_record",
    "share_of",
]


def __dir__() -> list[str]:
    return sorted(__all__)
