"""The command line: parses, calls, prints. Everything else is elsewhere, and imported when a command needs it.

--json: stdout is one JSON document; all else goes to stderr. Exit: 0 ran, 1 failed, 2 wrong use.
"""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deeptheory import __version__
from deeptheory.errors import DeeptheoryError, InputError

app = typer.Typer(
    name="deeptheory",
    help="What deep-learning theory says about a network, measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(help="Where data comes from: list it, get it.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(data_app, name="data")

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
_debug = False


def main(arguments: list[str] | None = None) -> None:
    """Entry point: runs a command, turns errors into one line and an exit code."""
    try:
        code = app(args=arguments, standalone_mode=False)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        if _debug:
            raise
        explain = getattr(error, "format_message", None)
        if explain is not None:  # click's own: a wrong option, a missing argument
            _say(f"error: {explain()}")
            sys.exit(2)
        if isinstance(error, typer.Abort):
            sys.exit(130)
        if isinstance(error, DeeptheoryError):
            _say(f"error: {error}")
            sys.exit(2 if isinstance(error, InputError) else 1)
        _say(f"error: {type(error).__name__}: {error} (--debug shows where)")
        sys.exit(1)
    sys.exit(code or 0)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _print(value: Any) -> None:
    print(json.dumps(value, indent=1, ensure_ascii=False, default=str))


def _version(wanted: bool) -> None:
    if wanted:
        print(f"deeptheory {__version__}")
        raise typer.Exit()


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """What deep-learning theory says about a network, measured."""
    global _debug
    _debug = debug


@app.command("list")
def list_studies(as_json: Json = False) -> None:
    """The studies, their scales, what those cost, and the knobs."""
    from deeptheory.studies import STUDIES, find

    known = [find(name) for name in STUDIES]
    if as_json:
        _print([
            {
                "name": s.name,
                "title": s.title,
                "paper": s.paper,
                "scales": {k: v.cost for k, v in s.scales.items()},
                "protocols": list(s.protocols),
                "knobs": {k: v.about for k, v in s.knobs.items()},
            }
            for s in known
        ])  # fmt: skip
        return
    for s in known:
        print(f"{s.name}\n  {s.title}\n  {s.paper}")
        for name, scale in s.scales.items():
            print(f"  --scale {name}: {scale.cost}")
        print(f"  --protocol {', '.join(s.protocols)}\n  --set {', '.join(s.knobs)}")


@app.command()
def reproduce(
    study: Annotated[str, typer.Argument(help="A name that `deeptheory list` shows.")],
    scale: Annotated[str, typer.Option(help="quick, standard or paper, as far as the study has them.")] = "quick",
    out: Annotated[Path | None, typer.Option(help="Run folder; default runs/STUDY-SCALE.")] = None,
    seed: Annotated[int, typer.Option(help="All randomness is drawn from it.")] = 0,
    protocol: Annotated[str | None, typer.Option(help="A published set of settings, by name.")] = None,
    engine: Annotated[str, typer.Option(help="serial or processes.")] = "processes",
    jobs: Annotated[int | None, typer.Option(help="Workers; default one a core.")] = None,
    only: Annotated[str | None, typer.Option(help="One step alone.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder; error if none.")] = False,
    knobs: Annotated[list[str] | None, typer.Option("--set", help="KNOB=VALUE, may be repeated.")] = None,
    more: Annotated[
        list[str] | None, typer.Argument(help="More KNOB=VALUE after --set.", metavar="[KNOB=VALUE]...")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="Folder to look for data in first (DEEPTHEORY_DATA).")] = None,
    fail_on: Annotated[str | None, typer.Option(help="Exit 1 if a claim has this verdict, e.g. contradicted.")] = None,
    as_json: Json = False,
) -> None:
    """Run a paper again: steps, claims ledger, report. A killed run goes on where it stopped."""
    from deeptheory.runs.region import VERDICTS
    from deeptheory.studies import find
    from deeptheory.studies import reproduce as run

    if fail_on is not None and fail_on not in VERDICTS:
        raise InputError(f"--fail-on is {fail_on!r}; known: {', '.join(VERDICTS)}")
    _use_data(data)
    turned = dict(_knob(text) for text in [*(knobs or []), *(more or [])])
    known = find(study)
    if scale in known.scales and not as_json:
        _say(f"{study}, scale {scale}: {known.scales[scale].cost}")
    result = run(
        study,
        scale,
        out,
        seed,
        protocol=protocol,
        engine=engine,
        jobs=jobs,
        only=only,
        resume=True if resume else None,
        **turned,
    )
    if as_json:
        _print({"study": study, "scale": scale, "folder": str(result.folder), "claims": result.claims.rows()})
    else:
        _ledger(result.claims.rows())
        counts = ", ".join(f"{n} {v}" for v, n in result.claims.counts().items() if n)
        print(f"\n{counts}\nreport: {result.folder / 'report.html'}")
    if fail_on is not None and result.claims.counts()[fail_on]:
        raise typer.Exit(1)


def _knob(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise InputError(f"--set got {text!r}; write KNOB=VALUE, e.g. activation=relu")
    return name, value


def _ledger(rows: list[dict]) -> None:
    """The claims table on stdout: coloured on a terminal, plain columns elsewhere."""
    from rich.console import Console
    from rich.table import Table

    from deeptheory.report.page import interval

    colours = {"reproduced": "green", "contradicted": "red", "inconclusive": "yellow"}
    table = Table(box=None, pad_edge=False)
    for name in ("verdict", "claim", "measured [95 %]", "region", "unit"):
        table.add_column(name, no_wrap=name != "unit", overflow="fold")
    shown = [r for r in rows if r["measured"] is not None]
    for row in shown:
        colour = colours.get(row["verdict"], "dim")
        unit = "" if row["unit"] == "1" else row["unit"]
        table.add_row(f"[{colour}]{row['verdict']}[/]", row["id"], interval(row).replace("[", r"\["), row["region"].replace("[", r"\["), unit)  # fmt: skip
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    waiting = [r["id"] for r in rows if r["measured"] is None]
    if waiting:
        print(f"not run ({len(waiting)}): {', '.join(waiting)}")


@app.command()
def report(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    as_json: Json = False,
) -> None:
    """Build the page of a run again from the files in its folder."""
    from deeptheory.report import write_page

    path = write_page(run)
    _print({"report": str(path)}) if as_json else print(path)


@data_app.command("list")
def data_list(
    data: Annotated[Path | None, typer.Option(help="Folder to look in first (DEEPTHEORY_DATA).")] = None,
    as_json: Json = False,
) -> None:
    """What data there is, and where it would come from on this machine."""
    from deeptheory.datasets import CATALOGUE

    _use_data(data)
    rows = [{"name": s.name, "about": s.about, "licence": s.licence, "where": s.where()} for s in CATALOGUE.values()]
    if as_json:
        _print(rows)
        return
    for row in rows:
        print(f"{row['name']}: {row['about']}\n  {row['licence']}; {row['where']}")


@data_app.command("get")
def data_get(
    name: Annotated[str, typer.Argument(help="A name that `deeptheory data list` shows.")],
    data: Annotated[Path | None, typer.Option(help="Folder to look in first (DEEPTHEORY_DATA).")] = None,
    as_json: Json = False,
) -> None:
    """Fetch data into the cache now, or say where it is already."""
    from deeptheory.datasets import CATALOGUE
    from deeptheory.names import pick

    _use_data(data)
    source = pick(CATALOGUE, name, what="data set")
    source.get()
    _print({"name": name, "where": source.where()}) if as_json else print(f"{name}: {source.where()}")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Versions, device, data, browser: what this installation can do."""
    from deeptheory.doctor import examine

    found = examine()
    if as_json:
        _print(found)
        return
    for part, rows in found.items():
        print(part)
        for name, value in rows.items():
            print(f"  {name}: {value}")


@app.command()
def bench(
    only: Annotated[str | None, typer.Option(help="One benchmark by name.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds and smaller sizes.")] = False,
    as_json: Json = False,
) -> None:
    """Speed and memory, side by side with the usual ways (from a source checkout)."""
    import runpy

    script = Path(__file__).resolve().parents[2] / "benchmarks" / "__main__.py"
    if not script.exists():
        raise InputError("benchmarks/ is not part of the installed package; run this from a source checkout")
    sys.argv = ["benchmarks", *(["--only", only] if only else []), *(["--quick"] if quick else []), *(["--json"] if as_json else [])]  # fmt: skip
    sys.path.insert(0, str(script.parent.parent))
    runpy.run_path(str(script), run_name="__main__")


def _use_data(folder: Path | None) -> None:
    if folder is None:
        return
    if not folder.is_dir():
        raise InputError(f"--data is {folder}, which is no folder; name an existing one")
    os.environ["DEEPTHEORY_DATA"] = str(folder)
