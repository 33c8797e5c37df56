"""The run folder that tests of pages share."""

import pytest

from oracles.small_page import write_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run folder as a study leaves it, with its page."""
    path = tmp_path_factory.mktemp("run")
    write_run(path)
    return path
