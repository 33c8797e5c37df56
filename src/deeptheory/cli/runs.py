"""report, compare: of run folders that are there."""

from pathlib import Path
from typing import Annotated

import typer

from deeptheory.cli.application import Json, app, print_json, put
from deeptheory.cli.tables import print_table
from deeptheory.core.errors import InputError
from deeptheory.core.places import Folder, place


@app.command()
def report(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="A run folder, or several; also s3://BUCKET/RUN.")
    ],
    as_json: Json = False,
) -> None:
    """Build the page of a run again from the files in its folder; of several next to each other, with links between."""
    from deeptheory.report import write_page

    paths = [write_page(folder) for folder in [_folder(run) for run in runs]]
    if as_json:
        print_json({"report": str(paths[0])} if len(paths) == 1 else {"reports": [str(path) for path in paths]})
    else:
        print(*paths, sep="\n")


@app.command()
def compare(
    before: Annotated[str, typer.Argument(help="A run folder.")],
    after: Annotated[str, typer.Argument(help="Another, of the same study; or both of inspect, of any two models.")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for a page with figures side by side; of two inspections there is always one, by default in "
            "runs/compare-A-B."
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List the claims that did not move, too.")] = False,
    as_json: Json = False,
) -> None:
    """Claims of two runs whose verdict or number differs, and with --out a page of both; of two inspections, a page."""
    folders = _folder(before), _folder(after)
    if all((r / "inspection.json").is_file() for r in folders):
        from deeptheory.report.side_by_side import write_side_by_side

        names = (r.resolve().name.removeprefix("inspect-") for r in folders)
        path = write_side_by_side(folders, out or Path("runs") / f"compare-{'-'.join(names)}")
        print_json({"report": str(path)}) if as_json else print(path)
        return
    from deeptheory.report.page import interval
    from deeptheory.report.two_runs import write_two_runs
    from deeptheory.runs.comparison import compare_runs

    found = compare_runs(*folders)
    page = None if out is None else write_two_runs(folders, out, found)
    if as_json:
        print_json(found.document() | ({} if page is None else {"report": str(page)}))
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
    if page is not None:
        print(page)


def _folder(run: str) -> Folder:
    folder = place(run)
    if not folder.is_dir():
        raise InputError(f"{run} is no folder; give that of a run")
    return folder
