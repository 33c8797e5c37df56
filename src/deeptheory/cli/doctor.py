"""What this installation can do, said before anybody waits for a run to find out."""

import shutil
from typing import Any

from deeptheory.cli.plugins import added
from deeptheory.datasets import CATALOGUE, DataSource
from deeptheory.runs.machine import machine, versions

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "microsoft-edge")


def where(source: DataSource) -> str:
    """Where a set would come from; a plug-in's own fault, which does not stop the others."""
    try:
        return str(source.where())
    except Exception as error:
        return f"it does not say: {type(error).__name__}: {error}"


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
        "data": {name: where(source) for name, source in CATALOGUE.items()},
        "plug-ins": {str(p): p.problem or "can be used" for p in added()} or {"found": "none"},
        "browser": {"found": browser},
    }
