"""mi: the mutual information of two files of paired rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from deeptheory.cli.application import Json, app, print_json, put, say
from deeptheory.cli.arrays import check_gaps, mark_of, names_rows, number, read_array, read_labels
from deeptheory.core.errors import InputError
from deeptheory.core.names import unknown

_TABLES = (".csv", ".tsv", ".txt")


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
def mi(
    context: typer.Context,
    x: Annotated[
        str,
        typer.Argument(
            help="[n, columns]: .npy, .npz, .csv, .tsv, .txt, .mat or .parquet; FILE:NAME where a .npz or .mat holds "
            "several arrays, FILE:COLUMN or FILE:COLUMN,COLUMN of a table with a heading."
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
            help="auto, or an estimator by name: ksg, plugin, mixed, labels, gaussian, copula, lnc, kl, wkl, "
            "compressed, kde-bounds, infonce, nwj, dv, smile, doe, lmi, flow. A name that is not known is answered "
            "with all that are; the last seven train networks."
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
    """I(X;Y) from paired samples, with its interval and its doubts. Which number to trust: docs/which_number.md."""
    _refuse_others([x, y, *context.args])
    options = dict(_option(text) for text in changes or [])
    left, right = _read(x, row_names), _read(y, row_names)
    labels = None if groups is None else _read_groups(groups)
    sides = [(x, left), (y, right), *([] if groups is None else [(groups, labels)])]
    for given, side in sides:
        _ask_for_heading(given, side, min(len(v) for _, v in sides))
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
        print_json(said)
        return
    put(f"I(X;Y) = {found.value:.4g} {found.unit} {_interval(found.low, found.high)}")
    put(f"{found.method}, {found.direction}, n = {len(left)}")
    if permutations:
        put(f"p = {found.p:.3g} by {permutations} permutations of y, whose mean is {found.null_mean:.3g} {found.unit}")
    for note in found.notes:
        say(f"note: {note}")


def _interval(low: float, high: float) -> str:
    if low != low or high != high:
        return "(no interval)"
    ends = (f"{v:.4g}" if abs(v) < float("inf") else "unbounded" for v in (low, high))
    return f"[{', '.join(ends)}]"


def _refuse_others(words: Sequence[str]) -> None:
    """InputError: options that mi does not have, with their names here, and words beyond x and y."""
    from deeptheory.information.options import ALIASES

    for word in words:
        if word.startswith("-") and not Path(word).exists():
            name, _, value = word.lstrip("-").partition("=")
            plain = name.replace("-", "_")
            if not value:
                rest = list(words)[list(words).index(word) + 1 :]
                value = rest[0] if rest and number(rest[0]) else "VALUE"
            own = {"k=": f"use --set k={value}", "seed=": f"use --set seed={value}"}
            said = own.get(f"{plain}=") or own.get(ALIASES.get(plain, "")) or _AS_OPTIONS.get(plain)
            if said is None and plain in ALIASES:
                said = f"use {ALIASES[plain]}"
            if said is None:
                said = f"{unknown('--' + name, _OPTIONS, what='option')}; the estimator's own by --set k=5"
                raise InputError(said)
            raise InputError(f"--{name} is not an option here; {said}")
    if len(words) > 2:
        raise InputError(f"{len(words)} files or words are given ({', '.join(words)}); needed: x and y")


_OPTIONS = ("--method", "--unit", "--permutations", "--groups", "--block", "--row-names", "--set", "--json")
_AS_OPTIONS = {
    **dict.fromkeys(("estimator", "approach", "measure"), "use --method NAME"),
    **dict.fromkeys(("n_permutations", "n_perm", "n_perms", "n_shuffles", "shuffles"), "use --permutations N"),
    **dict.fromkeys(("base", "units", "nats", "log_base"), "use --unit nats"),
    **dict.fromkeys(("ranks", "rank"), "use --set ranks=true"),
    **dict.fromkeys(("standardize", "normalize", "scale"), "use --set standardize=true or =false"),
    **dict.fromkeys(("correct", "correction", "bias_correction"), "use --method plugin --set correct=true"),
    **dict.fromkeys(("index", "index_col", "header"), "use --row-names where the first column names the rows"),
    **dict.fromkeys(("columns", "usecols"), "name columns at the file: table.csv:a,b"),
}


def _ask_for_heading(given: str, side: Any, rows: int) -> None:
    """InputError: lines of words one longer than the rest, whose first is probably a heading."""
    if getattr(getattr(side, "dtype", None), "kind", "") == "U" and len(side) == rows + 1:
        raise InputError(
            f"{given} has {len(side)} lines and there are {rows} rows; if its first line, {str(side[0])!r}, is a "
            f"heading, give {given}:{side[0]}"
        )


def _read(given: str, row_names: bool) -> Any:
    """An array, or a table with its row labels."""
    path, wanted = _columns(given)
    suffix = path.suffix.lower()
    row_names = row_names or (suffix in _TABLES and names_rows(path))
    if wanted or suffix == ".parquet" or (row_names and suffix in _TABLES):
        return _table(path, row_names, wanted)
    if row_names:
        raise InputError(f"--row-names is for {', '.join(_TABLES)} and .parquet; {path} has no column of names")
    try:
        return read_array(given)
    except InputError as error:
        words = _words(path) if suffix in _TABLES else None
        if words is None:
            if "a column of names has to go" in str(error):
                raise InputError(f"{error}; or name the columns wanted: {given}:A,B") from error
            raise
        return words


def _columns(given: str) -> tuple[Path, list[str]]:
    """The file and the columns of FILE or FILE:COLUMN,COLUMN, where the file is a table."""
    head, _, names = given.rpartition(":")
    if head and names and Path(head).suffix.lower() in (*_TABLES, ".parquet") and not Path(given).exists():
        return Path(head), names.split(",")
    return Path(given), []


def _read_groups(given: str) -> Any:
    """One label per row: a file of them, or a column of a table."""
    path, wanted = _columns(given)
    if len(wanted) > 1:
        raise InputError(f"--groups names {len(wanted)} columns; needed: one label per row")
    return _table(path, False, wanted).iloc[:, 0].to_numpy() if wanted else read_labels(given)


def _words(path: Path) -> Any:
    """One word per row (a label), or None where the file is no such thing."""
    if not path.is_file():
        return None
    labels = read_labels(path)
    return None if any(mark in word for word in labels for mark in ",;\t") or not len(labels) else labels


def _table(path: Path, row_names: bool, wanted: Sequence[str] = ()) -> Any:
    import pandas as pd

    if not path.is_file():
        raise InputError(f"{path}: there is no such file")
    try:
        if path.suffix.lower() == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, sep=mark_of(path) or ",", encoding="utf-8-sig", skipinitialspace=True)
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
    if len(table.columns) == 1 and path.suffix.lower() in _TABLES:
        check_gaps(path, len(table), one_column=True)
    table.columns = [str(c).strip() for c in table.columns]
    if wanted:
        missing = [name for name in wanted if name not in table.columns]
        if missing:
            named = ", ".join(map(str, table.columns[:20]))
            said = "its first line is numbers, no heading" if all(map(number, table.columns)) else f"it holds {named}"
            raise InputError(f"{path} holds no column {missing[0]!r}; {said}")
        table = table[list(wanted)]
    for name in table.columns:
        _check_words(path, name, table[name])
    return table


def _check_words(path: Path, name: str, column: Any) -> None:
    """InputError: numbers that were read as words, for a decimal comma or a few cells that are none."""
    if getattr(column.dtype, "kind", "O") != "O":
        return
    cells = [v for v in column if isinstance(v, str)]
    commas = [v for v in cells if "," in v and number(v.replace(",", "."))]
    if commas and len(commas) > len(cells) / 2:
        raise InputError(f"column {name!r} of {path} has decimal commas ({commas[0]!r}); write numbers with points")
    numbers = sum(map(number, cells))
    if cells and len(cells) / 2 < numbers < len(cells):
        bad = next(v for v in cells if not number(v))
        raise InputError(
            f"column {name!r} of {path} holds {bad!r} in row {list(column).index(bad) + 1} among numbers; "
            "leave such rows out"
        )


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
