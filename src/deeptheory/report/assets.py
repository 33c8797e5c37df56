"""What every page is made with: the files beside this one, their hashes for its policy, and durations in words."""

import base64
import hashlib
from importlib.resources import files

NAME = "report.html"


def asset(name: str) -> str:
    """The text of a file of this package."""
    return files("deeptheory.report").joinpath(name).read_text(encoding="utf-8")


def hash_of(text: str) -> str:
    """As a Content-Security-Policy names a script or style."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def seconds(value: float) -> str:
    """A duration for people."""
    return f"{value:.1f} s" if value < 100 else f"{value / 60:.1f} min"
