"""axis: which code do these units use? Arrays in, a page out."""

import hashlib
import re
import shlex
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
import typer

from deeptheory.cli.application import Json, app, check_folder, print_json, put, say
from deeptheory.cli.arrays import file_of, read_array, read_labels
from deeptheory.core.errors import InputError


@app.command()
def axis(
    responses: Annotated[
        str,
        typer.Argument(
            help="[n, units] or [n, trials, units]: .npy, .npz, .csv, .tsv, .txt or .mat; FILE:NAME where one "
            "holds several."
        ),
    ],
    features: Annotated[str, typer.Argument(help="[n, d], the stimuli's coordinates; files as for responses.")],
    blocks: Annotated[
        str | None,
        typer.Option(help="Blocks of columns of features, NAME:NUMBER,... in order, e.g. shape:25,appearance:25."),
    ] = None,
    groups: Annotated[
        str | None, typer.Option(help="File of one label per row: repeats of a stimulus, or runs.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Run folder with the page; default runs/axis-RESPONSES-FEATURES-CODE, the code made from what the "
            "files hold and the options."
        ),
    ] = None,
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
    rows = None if groups is None else read_labels(groups)
    y, s = read_array(responses), read_array(features)
    if out is None:  # other data or options, another folder; the same again, the same one
        stems = "-".join(re.sub(r"[^\w.]+", "_", file_of(name).stem) for name in (responses, features))
        out = Path("runs") / f"axis-{stems}-{_code(y, s, blocks, rows, folds, permutations, seed, normalize, radius)}"
    check_folder("--out", out)
    code = axis_code(
        y,
        s,
        named,
        folds=folds,
        permutations=permutations,
        groups=rows,
        seed=seed,
        normalize=cast(Any, normalize),  # the word is checked there
        radius=radius,
    )
    options = ["--blocks", blocks] if blocks else []
    options += ["--groups", Path(groups).name] if groups else []
    options += ["--folds", f"{folds}", "--permutations", f"{permutations}", "--seed", f"{seed}"]
    options += ["--normalize", normalize, "--radius", f"{radius:g}" if float(f"{radius:g}") == radius else repr(radius)]
    files = [Path(name).name for name in (responses, features)]
    files = [f"./{name}" if name.startswith("-") else name for name in files]  # or it would be an option
    page = write_axis_page(code, out, command=shlex.join(["deeptheory", "axis", *files, *options]))
    if as_json:
        found = {
            "units": len(code.units),
            "left out": code.dead,
            "verdicts": code.models.counts if code.models else {},
            **code.scalars(),
            "notes": list(code.notes),
            "page": str(page),
        }
        print_json(found)
        return
    put(str(code))
    for note in code.notes:
        say(f"note: {note}")
    print(f"page: {page}\nunits: {out / 'units.csv'}")


def _code(*parts: Any) -> str:
    """Six hexadecimal digits of arrays and options."""
    seen = hashlib.sha256()
    for part in parts:
        array = np.ascontiguousarray(part) if isinstance(part, np.ndarray) else None
        seen.update(
            repr(part).encode() if array is None else f"{array.dtype.str}{array.shape}".encode() + array.tobytes()
        )
    return seen.hexdigest()[:6]


def _blocks(text: str) -> dict[str, slice]:
    out, at = {}, 0
    for part in text.split(","):
        name, _, number = part.rpartition(":")
        if not name or not (number.isascii() and number.isdigit()) or int(number) < 1:
            raise InputError(f"--blocks is {text!r}; needed: NAME:NUMBER,... such as shape:25,appearance:25")
        if name in out:
            raise InputError(f"--blocks is {text!r}, which names {name} twice; give each block a name of its own")
        out[name] = slice(at, at + int(number))
        at += int(number)
    return out
