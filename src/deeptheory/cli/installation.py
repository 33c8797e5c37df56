"""doctor, bench: what this installation can do, and how fast."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from deeptheory.cli.application import Json, app, print_json, put

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


def bench(
    only: Annotated[str | None, typer.Option(help="One benchmark by name.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer rounds and smaller sizes.")] = False,
    as_json: Json = False,
) -> None:
    """Speed and memory, side by side with the usual ways (from a source checkout)."""
    import runpy

    sys.argv = [
        "benchmarks",
        *(["--only", only] if only else []),
        *(["--quick"] if quick else []),
        *(["--json"] if as_json else []),
    ]
    sys.path.insert(0, str(_SCRIPT.parent.parent))
    runpy.run_path(str(_SCRIPT), run_name="__main__")


if _SCRIPT.exists():
    app.command()(bench)
