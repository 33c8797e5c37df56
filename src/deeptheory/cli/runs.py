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
    after: Annotated[Path, typer.Argument(help="Another, of the same study; or both of inspect, of any two models.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the page of two inspections; default runs/compare-A-B.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List the claims that did not move, too.")] = False,
    as_json: Json = False,
) -> None:
    """Claims of two runs whose verdict or number differs; of two inspections, a page with both side by side."""
    if all((r / "inspection.json").is_file() for r in (before, after)):
        from deeptheory.report.side_by_side import write_side_by_side

        names = (r.resolve().name.removeprefix("inspect-") for r in (before, after))
        path = write_side_by_side((before, after), out or Path("runs") / f"compare-{'-'.join(names)}")
        print_json({"report": str(path)}) if as_json else print(path)
        return
    if out is not None:
        raise InputError(f"--out is {out}, and only of two inspections a page is made; leave it out")
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
