"""doctor, bench: what this installation can do, how fast, and how right its estimators are."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from deeptheory.cli.application import Json, app, print_json, put
from deeptheory.core.errors import InputError

_SCRIPT = Path(__file__).resolve().parents[3] / "benchmarks" / "__main__.py"  # of a clone; an installed wheel has none


@app.command()
def doctor(as_json: Json = False) -> None:
    """Versions, device, data, browser: what this installation can do."""
    from deeptheory.cli.doctor import examine

    found = examine()
    if as_json:
        print_json(found)
        return
    for part, rows in found.items():
        put(part)
        for name, value in rows.items():
            put(f"  {name}: {value}")


bench = typer.Typer(invoke_without_command=True, no_args_is_help=False, rich_markup_mode=None)


@bench.callback()
def speed(
    context: typer.Context,
    only: Annotated[str | None, typer.Option(help="One benchmark by name.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds and smaller sizes.")] = False,
    as_json: Json = False,
) -> None:
    """Speed and memory, side by side with the usual ways (from a source checkout); bench estimators: their errors."""
    if context.invoked_subcommand is not None:
        if only is not None or quick or as_json:
            raise InputError(f"options of bench {context.invoked_subcommand} come after its name")
        return
    import runpy

    sys.argv = [
        "benchmarks",
        *(["--only", only] if only else []),
        *(["--quick"] if quick else []),
        *(["--json"] if as_json else []),
    ]
    sys.path.insert(0, str(_SCRIPT.parent.parent))
    runpy.run_path(str(_SCRIPT), run_name="__main__")


@bench.command()
def estimators(
    only: Annotated[list[str] | None, typer.Option(help="An estimator by name; may be repeated.")] = None,
    tasks: Annotated[
        list[str] | None, typer.Option(help="A set (forty, further, held-out) or one task; may be repeated.")
    ] = None,
    n: Annotated[
        list[int] | None, typer.Option("--n", help="Samples; may be repeated. Default 1000 and 10000.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(help="At most so many draws per row.")] = None,
    peers: Annotated[
        bool, typer.Option("--peers", help="Other packages too, from the folder DEEPTHEORY_PEERS.")
    ] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Four tasks, 300 samples, one draw.")] = False,
    minutes: Annotated[float | None, typer.Option(help="Begin no row after so many minutes.")] = None,
    keep: Annotated[Path | None, typer.Option(help="File of finished draws, which a later call goes on with.")] = None,
    as_json: Json = False,
) -> None:
    """Estimators of mutual information on pairs of known information: error, coverage, time."""
    many = {"--only": only, "--tasks": tasks, "--n": n}
    one = {"--seeds": seeds, "--minutes": minutes, "--keep": keep}
    said = [word for name, values in many.items() for v in values or [] for word in (name, str(v))]
    said += [word for name, v in one.items() if v is not None for word in (name, str(v))]
    said += [name for name, on in (("--peers", peers), ("--quick", quick), ("--json", as_json)) if on]
    sys.path.insert(0, str(_SCRIPT.parent.parent))
    import_module("benchmarks.accuracy.__main__").main(said)


if _SCRIPT.exists():
    app.add_typer(bench, name="bench")
