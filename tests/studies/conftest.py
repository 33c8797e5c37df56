"""Studies run in the test's own process unless a test asks for workers (jobs=2):
small ones are over before workers start."""

import pytest


@pytest.fixture(autouse=True, scope="package")
def _one_core():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOKY_MAX_CPU_COUNT", "1")
        yield
