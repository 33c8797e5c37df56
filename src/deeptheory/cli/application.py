"""The application itself: errors become one line and an exit code, --json means one document on stdout."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from deeptheory import __version__
from deeptheory.core.errors import DeeptheoryError, InputError

app = typer.Typer(
    name="deeptheory",
    help="What deep-learning theory says about a network, measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)
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
            say(f"error: {explain()}")
            sys.exit(2)
        if isinstance(error, typer.Abort):
            sys.exit(130)
        if isinstance(error, DeeptheoryError):
            say(f"error: {error}")
            sys.exit(2 if isinstance(error, InputError) else 1)
        say(f"error: {type(error).__name__}: {error} (--debug shows where)")
        sys.exit(1)
    sys.exit(code or 0)


def say(text: str) -> None:
    print(text, file=sys.stderr)


def print_json(value: Any) -> None:
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


def use_data(folder: Path | None) -> None:
    if folder is None:
        return
    if not folder.is_dir():
        raise InputError(f"--data is {folder}, which is no folder; name an existing one")
    os.environ["DEEPTHEORY_DATA"] = str(folder)
