"""Where files are looked for: the user's data folder first, then the cache of checked downloads."""

import os
from pathlib import Path

from deeptheory.core.errors import InputError


def data_folder() -> Path | None:
    """The folder that the environment variable DEEPTHEORY_DATA names (~ is read), or None where it is not set.

    Loaders of files look there first. InputError: it names something that is not a folder.
    """
    named = os.environ.get("DEEPTHEORY_DATA")
    if not named:
        return None
    folder = _expanded("DEEPTHEORY_DATA", named)
    try:
        there = folder.is_dir()
    except OSError:  # too long a name, or no right to look
        there = False
    if not there:
        raise InputError(f"DEEPTHEORY_DATA is {named[:200]!r}, which is not a folder; correct it or unset it")
    return folder


def in_data_folder(name: str) -> Path | None:
    """The file of that name in the user's data folder, or None."""
    folder = data_folder()
    path = None if folder is None else folder / name
    return path if path is not None and path.is_file() else None


def cache_folder() -> Path:
    """Where downloads are kept; DEEPTHEORY_CACHE (~ is read) overrides the operating system's own place."""
    import pooch

    named = os.environ.get("DEEPTHEORY_CACHE")
    return _expanded("DEEPTHEORY_CACHE", named) if named else Path(pooch.os_cache("deeptheory"))


def _expanded(variable: str, named: str) -> Path:
    try:
        return Path(named).expanduser()
    except RuntimeError as error:  # no such user
        raise InputError(f"{variable} is {named[:200]!r}, whose home folder is not known; correct it") from error
