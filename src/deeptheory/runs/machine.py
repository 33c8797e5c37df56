"""What a run was run on and with: versions, processor, memory. No user, host or path is ever written down."""

import os
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from deeptheory.core import plugins

PACKAGES = ("deeptheory", "torch", "numpy", "scipy", "scikit-learn", "numba", "xarray", "zarr", "plotly", "joblib")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that numbers depend on, read from their metadata: nothing is imported.

    Packages that add parts to deeptheory are among them.
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found | {name: version for name, version, _ in plugins.packages(tuple(sys.path))}


def machine() -> dict[str, Any]:
    """System, processor, cores that this process may use, memory in GB."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": _memory(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def _memory() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (AttributeError, ValueError, OSError):
        return None
