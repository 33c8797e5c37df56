"""Folders that the environment names: homes, names that are too long, people who are not there."""

import pytest

from deeptheory.core.errors import InputError
from deeptheory.datasets import data_folder
from deeptheory.datasets.paths import cache_folder


@pytest.mark.parametrize("named", ["~nobody-of-this-name/x", "/" + "a" * 300, "/" + "a/" * 3000])
def test_data_folders_that_are_none(monkeypatch, named):
    """They were pathlib's RuntimeError and OSError."""
    monkeypatch.setenv("DEEPTHEORY_DATA", named)
    with pytest.raises(InputError, match="DEEPTHEORY_DATA is '"):
        data_folder()


def test_the_cache_may_lie_in_the_home_folder(monkeypatch, tmp_path):
    """A folder named "~" was made in the working one."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DEEPTHEORY_CACHE", "~/cache")
    assert cache_folder() == tmp_path / "cache"
    monkeypatch.setenv("DEEPTHEORY_CACHE", "~nobody-of-this-name/x")
    with pytest.raises(InputError, match="DEEPTHEORY_CACHE is '~nobody"):
        cache_folder()
