"""report, compare: of run folders that are there."""

from pathlib import Path
from typing import Annotated

import typer

from deeptheory.cli.application import Json, app, print_json, put
from deeptheory.cli.tables import print_table
from deeptheory.core.errors import InputError


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: Json = False,
) -> None:
    """Build the page of a run again from the files in its folder."""
    from deeptheory.report import write_page

    path = write_page(_folder(run))
    print_json({"report": str(path)}) if as_json else print(path)


@app.command()
def compare(
    before: Annotated[Path, typer.Argument(help="A run folder.")],
    after: Annotated[Path, typer.Argument(help="Another, of the same study.")],
    every: Annotated[bool, typer.Option("--all", help="List the claims that did not move, too.")] = False,
    as_json: Json = False,
) -> None:
    """Claims of two runs whose verdict or number differs."""
    from deeptheory.report.page import interval
    from deeptheory.runs.comparison import compare_runs

    found = compare_runs(_folder(before), _folder(after))
    if as_json:
        print_json(found.document())
        return
    for line in found.differences:
        put(line)
    rows = []
    for moved in found.rows:
        if not every and not moved.how:
            continue
        a, b = moved.before, moved.after
        rows.append(
            (
                moved.how or "same",
                moved.id,
                "absent" if a is None else f"{a['verdict']}, {interval(a)}",
                "absent" if b is None else f"{b['verdict']}, {interval(b)}",
            )
        )
    print_table(("moved", "claim", "before", "after"), rows)
    put(found.summary())


def _folder(run: Path) -> Path:
    if not run.is_dir():
        raise InputError(f"{run} is no folder; give that of a run")
    return run
