"""Every test runs with one torch thread: tiny work is faster so, and the same bits come out on every machine. One
browser per process, since Playwright runs once in each.
"""

import os
import shutil

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MKL_NUM_THREADS", "1")

import pytest


@pytest.fixture(autouse=True)
def _no_width(monkeypatch):
    """Text is wrapped to the terminal, and tests read it whole."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    import torch

    torch.set_num_threads(1)


CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser():
    """Chromium, without what it does by itself."""
    if CHROMIUM is None and "CI" in os.environ:
        pytest.fail("no Chromium, and CI skips no browser test: .ci/run installs it")
    if CHROMIUM is None:
        pytest.skip("no Chromium here; Debian's package is chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield opened
        opened.close()
