"""mi: the mutual information of two files of paired rows."""

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from deeptheory.cli.application import Json, app, print_json, put, say
from deeptheory.cli.arrays import names_rows, null_for_nan, read_array, read_labels
from deeptheory.core.errors import InputError

_TABLES = (".csv", ".tsv", ".txt")


@app.command()
def mi(
    x: Annotated[
        str,
        typer.Argument(
            help="[n, columns]: .npy, .npz, .csv, .tsv, .txt, .mat or .parquet; FILE:NAME where a .npz or .mat holds "
            "several."
        ),
    ],
    y: Annotated[
        str,
        typer.Argument(
            help="[n, columns], files as for x, or a text of one label per line; rows are paired by position."
        ),
    ],
    method: Annotated[
        str,
        typer.Option(
            help="auto, ksg, plugin, mixed, labels, gaussian, copula, lnc, kl, wkl, compressed, kde-bounds; trained: "
            "infonce, nwj, dv, smile, doe, lmi, flow."
        ),
    ] = "auto",
    unit: Annotated[str, typer.Option(help="bits or nats.")] = "bits",
    permutations: Annotated[int, typer.Option(help="Draws of y permuted, for a p-value; 0 for none.")] = 0,
    groups: Annotated[str | None, typer.Option(help="File of one label per row: rows that belong together.")] = None,
    block: Annotated[
        int | None, typer.Option(help="Length of the blocks of a series that interval and null keep together.")
    ] = None,
    row_names: Annotated[
        bool,
        typer.Option("--row-names", help="The first column of a table names the rows (as it does without a heading)."),
    ] = False,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help="The estimator's own: k=5; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """I(X;Y) from paired samples, with its interval and its doubts."""
    options = dict(_option(text) for text in changes or [])
    left, right = _read(x, row_names), _read(y, row_names)
    labels = None if groups is None else read_labels(groups)
    from deeptheory.information import mutual_information

    found = mutual_information(
        left,
        right,
        cast(Any, method),
        permutations=permutations,
        groups=labels,
        block=block,
        unit=cast(Any, unit),
        **options,  # words that are not known are refused there, with near names
    )
    said: dict[str, Any] = {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "unit": found.unit,
        "method": found.method,
        "direction": found.direction,
        "p": found.p,
        "null_mean": found.null_mean,
        "n": len(left),
        "notes": list(found.notes),
    }
    if as_json:
        print_json(null_for_nan(said))
        return
    put(f"I(X;Y) = {found.value:.4g} {found.unit} {_interval(found.low, found.high)}")
    put(f"{found.method}, {found.direction}, n = {len(left)}")
    if permutations:
        put(f"p = {found.p:.3g} by {permutations} permutations of y, whose mean is {found.null_mean:.3g} {found.unit}")
    for note in found.notes:
        say(f"note: {note}")


def _interval(low: float, high: float) -> str:
    return "(no interval)" if low != low or high != high else f"[{low:.4g}, {high:.4g}]"


def _read(given: str, row_names: bool) -> Any:
    """An array, or a table with its row labels."""
    path = Path(given)
    suffix = path.suffix.lower()
    row_names = row_names or (suffix in _TABLES and names_rows(path))
    if suffix == ".parquet" or (row_names and suffix in _TABLES):
        return _table(path, row_names)
    if row_names:
        raise InputError(f"--row-names is for {', '.join(_TABLES)} and .parquet; {path} has no column of names")
    try:
        return read_array(given)
    except InputError:
        words = _words(path) if suffix in _TABLES else None
        if words is None:
            raise
        return words


def _words(path: Path) -> Any:
    """One word per row (a label), or None where the file is no such thing."""
    if not path.is_file():
        return None
    labels = read_labels(path)
    return None if any(mark in word for word in labels for mark in ",;\t") or not len(labels) else labels


def _table(path: Path, row_names: bool) -> Any:
    import pandas as pd

    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, sep=None, engine="python", encoding="utf-8-sig")
    except ImportError as error:
        raise InputError(
            f"{path.name} needs pyarrow, which is not installed (pip install pyarrow); a .csv needs nothing"
        ) from error
    except Exception as error:  # parsers and codecs raise of many kinds
        raise InputError(f"{path} cannot be read as a table ({error})") from error
    if row_names:
        if len(table.columns) < 2:
            raise InputError(f"{path} has {len(table.columns)} column; needed: the rows' names and one or more others")
        table = table.set_index(table.columns[0])
        if not table.index.is_unique:
            twice = table.index[table.index.duplicated()][0]
            raise InputError(f"{path} names a row {twice!r} more than once; row names have to differ")
    if not len(table):
        raise InputError(f"{path} holds a heading and no rows")
    return table


def _option(text: str) -> tuple[str, Any]:
    """NAME=VALUE, read as the number, truth value or word that it looks like."""
    name, sign, value = text.partition("=")
    if not sign or not name or not value:
        raise InputError(f"--set got {text!r}; write NAME=VALUE, e.g. k=5")
    if name in ("unit", "permutations", "groups", "block", "method"):
        raise InputError(f"--set got {text!r}; {name} is an option of its own: --{name} {value}")
    for read in (int, float):
        try:
            return name, read(value)
        except ValueError:
            continue
    return name, {"true": True, "false": False, "none": None}.get(value.lower(), value)
