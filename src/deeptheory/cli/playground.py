"""playground: the page on which the information plane is played with, and the measuring of its planes."""

from pathlib import Path
from typing import Annotated

import typer

from deeptheory.cli.application import Json, app, check_folder, check_writable, print_json, say
from deeptheory.core.errors import InputError


@app.command()
def playground(
    out: Annotated[Path, typer.Option(help="The page, an HTML file, is written here.")] = Path("playground.html"),
    planes: Annotated[
        Path | None, typer.Option(help="Planes to show: a folder that --measure filled, or a packed file.")
    ] = None,
    measure: Annotated[
        Path | None,
        typer.Option(
            help="Measure the settings that this folder lacks (all: a quarter of an hour of one core), then show it."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a page to play with the information plane, one neuron and the product gate."""
    from deeptheory.playground.page import CLONE, packed_planes, write_playground

    if planes is not None and measure is not None:
        raise InputError("--planes and --measure both name the planes; give one")
    check_writable("--out", out)
    if measure is not None:
        from deeptheory.playground.measuring import measure as measure_settings

        check_folder("--measure", measure)
        measure_settings(measure, say=say)
    shown = planes if measure is None else measure
    path = write_playground(out, shown)
    from deeptheory.playground.grid import grid
    from deeptheory.playground.packing import unpack

    there, planned = len(unpack(packed_planes(shown))[0]["settings"]), len(grid())
    if as_json:
        print_json({"page": str(path), "settings": there, "planned": planned})
        return
    print(path)
    if there < planned:
        more = "" if CLONE.is_file() else " (--planes docs/playground/planes.gz of a clone has more)"
        say(f"{there} of {planned} settings, the others are gray on the page; --measure FOLDER measures them{more}")
