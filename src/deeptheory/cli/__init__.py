"""The command line: parses, calls, prints. Everything else is elsewhere, and imported when a command needs it.

--json: stdout is one JSON document; all else goes to stderr. Exit: 0 ran, 1 failed, 2 wrong use.
A new command is one file here and one line below; commands are listed in that order.
"""

from deeptheory.cli import studies, runs, inspection, playground  # noqa: I001
from deeptheory.cli import information, cheap, axis, data, installation
from deeptheory.cli.application import app, main

__all__ = [
    "app",
    "axis",
    "cheap",
    "data",
    "information",
    "inspection",
    "installation",
    "main",
    "playground",
    "runs",
    "studies",
]
