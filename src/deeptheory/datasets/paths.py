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
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise InputError(f"DEEPTHEORY_DATA is {named!r}, which is not a folder; correct it or unset it")
    return folder


def in_data_folder(name: str) -> Path | None:
    """The file of that name in the user's data folder, or None."""
    folder = data_folder()
    path = None if folder is None else folder / name
    return path if path is not None and path.is_file() else None


def cache_folder() -> Path:
    """Where downloads are kept; DEEPTHEORY_CACHE overrides the operating system's own place."""
    import pooch

    return Path(os.environ.get("DEEPTHEORY_CACHE") or pooch.os_cache("deeptheory"))
