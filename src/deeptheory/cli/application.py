"""The application itself: errors become one line and an exit code, --json means one document on stdout."""

import json
import math
import os
import shutil
import sys
import tempfile
import textwrap
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from deeptheory import __version__
from deeptheory.core.errors import DeeptheoryError, InputError, PluginWarning, StoreError

STARTED = time.perf_counter()  # before torch and the like are imported: a command's cost is counted from here
app = typer.Typer(
    name="deeptheory",
    help="What deep-learning theory says about a network, measured.",
    epilog="Results go to stdout, all else to stderr. Exit code: 0 it ran, 1 it failed, 2 wrong use. "
    "deeptheory COMMAND -h tells of one command.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, nothing else.")]
_debug = False


def main(arguments: list[str] | None = None) -> None:
    """Entry point: runs a command, turns errors into one line and an exit code."""
    before, warnings.showwarning = warnings.showwarning, _show_warning
    try:
        code = app(args=arguments, prog_name="deeptheory", standalone_mode=False)
        sys.stdout.flush()  # here, where a full disk still has an exit code
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # who reads stdout has seen enough, as `head` does
        with suppress(OSError, ValueError):  # what is left is not flushed at the end, which would complain again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if _debug:
            raise
        explain = getattr(error, "format_message", None)
        if explain is not None:  # click's own: a wrong option, a missing argument
            say(f"error: {explain()}")
            sys.exit(2)
        if isinstance(error, typer.Abort):
            sys.exit(130)
        if isinstance(error, DeeptheoryError):
            say(f"error: {error}")
            sys.exit(2 if isinstance(error, InputError) else 1)
        say(f"error: {type(error).__name__}: {error} (--debug shows where)")
        sys.exit(1)
    finally:
        warnings.showwarning = before
    sys.exit(code or 0)


def _show_warning(message: Warning | str, category: type[Warning], filename: str, lineno: int, *_: Any) -> None:
    """A warning on stderr; of a plug-in one line, without the line of code that found it."""
    if issubclass(category, PluginWarning):
        say(f"warning: {message}")
    else:
        print(warnings.formatwarning(message, category, filename, lineno), end="", file=sys.stderr)


def say(text: str) -> None:
    """Text on stderr, as wide as the terminal."""
    print(_wrapped(text, sys.stderr), file=sys.stderr)


def put(text: str = "") -> None:
    """Text on stdout, as wide as the terminal; lines go on under their own beginning."""
    wide = _wrapped(text, sys.stdout)
    encoding = sys.stdout.encoding or "utf-8"
    print(wide if _fits(wide) else wide.encode(encoding, "backslashreplace").decode(encoding))


def columns(otherwise: int = 110) -> int:
    """The width to write to: COLUMNS, that of the terminal, or `otherwise` where stdout is none."""
    return shutil.get_terminal_size((otherwise, 24)).columns


def _wrapped(text: str, stream: Any) -> str:
    if not (stream.isatty() or os.environ.get("COLUMNS", "").isdigit()):
        return text  # a pipe gets whole lines
    lines = []
    for line in text.splitlines():
        indent = " " * (len(line) - len(line.lstrip()))
        lines += textwrap.wrap(
            line,
            max(columns(), 20),
            subsequent_indent=indent + "  ",
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return "\n".join(lines)


def print_json(value: Any) -> None:
    """To standard output, as it is indented in files; null for NaN and infinity, which JSON does not know."""
    known = _known(value)
    text = json.dumps(known, indent=1, ensure_ascii=False, default=str, allow_nan=False)
    print(text if _fits(text) else json.dumps(known, indent=1, default=str, allow_nan=False))


def _known(value: Any) -> Any:
    """The same of what JSON knows: numbers of numpy as Python's, null in place of NaN and infinity."""
    if isinstance(value, dict):
        return {k: _known(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_known(v) for v in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "dtype") and hasattr(value, "tolist"):  # of numpy, which is not imported here
        plain = value.tolist()
        return str(value) if hasattr(plain, "dtype") else _known(plain)  # longdouble has no number of Python's
    return value


def _fits(text: str) -> bool:
    """Whether stdout can say it: an old terminal, or a path that is no text, may refuse."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def check_writable(option: str, path: Path) -> None:
    """Whether a file can be written there, before any work. InputError: no such folder, or a folder itself. StoreError:
    it cannot be written."""
    try:
        if not path.parent.is_dir():
            raise InputError(f"{option} is {path}; there is no folder {path.parent}")
        if path.is_dir():
            raise InputError(f"{option} is {path}, which is a folder; name a file")
        there = path.exists()
        with path.open("ab"):
            pass
        if not there:
            path.unlink()
    except OSError as error:
        raise StoreError(f"{option} is {path}, which cannot be written ({error.strerror}); choose another") from error


def check_folder(option: str, folder: Path) -> None:
    """Whether a folder can be written to, or made, before any work. InputError: a file is there. StoreError: it cannot
    be."""
    try:
        there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
        if not there.is_dir():
            raise InputError(f"{option} is {folder}, and {there} is a file; name a folder")
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise StoreError(f"{option} is {folder}, which cannot be written ({error.strerror}); choose another") from error


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


def use_data(folder: Path | None) -> None:
    """Make it the data folder of this process. InputError: it is not a folder."""
    if folder is None:
        return
    if not folder.is_dir():
        raise InputError(f"--data is {folder}, which is no folder; name an existing one")
    os.environ["DEEPTHEORY_DATA"] = str(folder)
