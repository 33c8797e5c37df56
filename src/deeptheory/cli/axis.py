"""axis: which code do these units use? Arrays in, a page out."""

from pathlib import Path
from typing import Annotated, Any

import typer

from deeptheory.cli.application import Json, app, print_json, say
from deeptheory.errors import InputError


@app.command()
def axis(
    responses: Annotated[Path, typer.Argument(help=".npy, [n, units] or [n, trials, units].")],
    features: Annotated[Path, typer.Argument(help=".npy, [n, d]: the stimuli's coordinates.")],
    blocks: Annotated[str | None, typer.Option(help="NAME:NUMBER,... in order, e.g. shape:25,appearance:25.")] = None,
    out: Annotated[Path, typer.Option(help="Run folder with the page.")] = Path("runs/axis"),
    folds: Annotated[int, typer.Option(help="Folds of the model comparison.")] = 10,
    permutations: Annotated[int, typer.Option(help="Draws of the null.")] = 500,
    seed: Annotated[int, typer.Option(help="All randomness is drawn from it.")] = 0,
    normalize: Annotated[str, typer.Option(help="block, dim or none.")] = "block",
    radius: Annotated[float, typer.Option(help="Bound of the exemplar, in median stimulus norms.")] = 1.5,
    as_json: Json = False,
) -> None:
    """Ask recorded units, or a layer's, how they code: axes, exemplars, norms, energy, or none of these."""
    from deeptheory.axis import axis_code
    from deeptheory.inspection import write_axis_page

    named = None if blocks is None else _blocks(blocks)
    code = axis_code(
        _array(responses), _array(features), named, folds, permutations, seed, normalize=normalize, radius=radius
    )
    options = f" --blocks {blocks}" if blocks else ""
    command = f"deeptheory axis {responses.name} {features.name}{options} --folds {folds} --permutations {permutations} --seed {seed}"
    page = write_axis_page(code, out, f"{command} --normalize {normalize} --radius {radius:g}")
    if as_json:
        print_json({"units": len(code.units), "left out": code.dead, "verdicts": code.models.counts if code.models else {}, **code.scalars(), "notes": list(code.notes), "page": str(page)})  # fmt: skip
        return
    print(code)
    for note in code.notes:
        say(f"note: {note}")
    print(f"page: {page}\nunits: {out / 'units.csv'}")


def _array(path: Path) -> Any:
    import numpy as np

    try:
        return np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as .npy ({error}); write it with numpy.save") from error


def _blocks(text: str) -> dict[str, slice]:
    out, at = {}, 0
    for part in text.split(","):
        name, _, number = part.rpartition(":")
        if not name or not number.isdigit() or int(number) < 1:
            raise InputError(f"--blocks is {text!r}; needed: NAME:NUMBER,... such as shape:25,appearance:25")
        out[name] = slice(at, at + int(number))
        at += int(number)
    return out
