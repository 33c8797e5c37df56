"""What this installation can do, said before anybody waits for a run to find out."""

import shutil
from typing import Any

from deeptheory.datasets import CATALOGUE
from deeptheory.runs.machine import machine, versions

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge")


def examine() -> dict[str, dict[str, Any]]:
    """Rows by part: versions, machine, device (torch's), data (where each set would come from), browser."""
    import torch

    cuda = torch.cuda.is_available()
    browser = next((b for b in _BROWSERS if shutil.which(b)), "none found: needed for figures as PDF or SVG only")
    return {
        "versions": versions(),
        "machine": machine(),
        "device": {
            "cuda": f"{torch.cuda.get_device_name()} ({torch.cuda.device_count()})" if cuda else "none: CPU is used",
            "torch threads": torch.get_num_threads(),
        },
        "data": {name: source.where() for name, source in CATALOGUE.items()},
        "browser": {"found": browser},
    }
