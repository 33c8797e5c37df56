"""Reports of every study from the small runs stored for the tests: PYTHONPATH=tests python docs/make_reports.py FOLDER

A minute or less. Settings are tiny and numbers are stored to about four digits: the pages show the form of a report and
decide nothing.
"""

import sys
from pathlib import Path

from deeptheory.report import write_page
from deeptheory.runs import Record, decide
from deeptheory.studies import STUDIES, find
from deeptheory.studies.pages import page
from oracles.stored_runs import load

SAID = "a small run stored for the tests, numbers to about four digits: an example of a report"


def report(name: str, folder: Path) -> Path:
    """The run folder of a stored run with its page; the page's path."""
    results, settings, scale = load(name)
    study = find(name)
    given = {k: v for k, v in settings.items() if k in study.settings}
    changed = study.values(scale, settings["protocol"], given)[1]
    folder.mkdir(parents=True, exist_ok=True)
    seeds = list(range(settings[study.count]))
    values = {k: v for k, v in settings.items() if k != "seed"}
    command = f"deeptheory reproduce {name} --scale {scale}"
    record = Record(
        study=name, scale=scale, seed=settings["seed"], seeds=seeds, settings=values, changed=changed, threads=1,
        command=command, notes=[SAID],
    )  # fmt: skip
    record.finish(folder)
    setting = study.claim_setting(scale, settings["protocol"])
    claims = study.part("claims").CLAIMS
    ledger = decide(claims, results, scale=scale, command=command, changed=changed, setting=setting)
    ledger.write(folder)
    made = page(name, study.part("figures"), results, settings, scale, changed)
    made.write(folder)
    return write_page(folder)


def make(folder: Path) -> None:
    """All studies, twice where a page links to those beside it."""
    for name in STUDIES:
        report(name, folder / name)
    for name in STUDIES:
        write_page(folder / name)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
