"""What an engine adds to a unit of work: python -m benchmarks.cluster [--units 24] [--seconds 5] [--workers 2] > x.json

Units that only wait are handed to each engine. Overhead a unit: how much later than `seconds` after a unit a worker
begins its next one, on the mean; opening the engine (a cluster that starts, workers that import) stands apart, as the
time until the first unit begins.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import xarray as xr

from deeptheory.runs import Run, Step


def wait(settings, unit, inputs, workspace, progress):
    """A unit that takes its time and nothing else, and says when it began."""
    began = time.time()
    time.sleep(settings["seconds"])
    return xr.Dataset({"began": ("seed", [began])}, coords={"seed": [unit]})


def units(settings):
    """Numbers."""
    return list(range(settings["units"]))


def measured(engine: str, count: int, seconds: float, workers: int) -> dict[str, Any]:
    """Seconds of one run: to the first unit, in all, and beyond the units' own, a unit."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder) / "r", study="waits", scale="quick", seed=0,
                  settings={"units": count, "seconds": seconds})  # fmt: skip
        started = time.time()
        results = run.execute(
            [Step(name="wait", function=wait, units=units)], engine=engine, jobs=workers, progress=False
        )
        took = time.time() - started
        began = results["wait"]["began"].values
    first, rounds = float(began.min()) - started, math.ceil(count / workers)
    each = float(began.max() - began.min()) / (rounds - 1) - seconds
    return {"engine": engine, "units": count, "seconds": seconds, "workers": workers, "first_unit_after_s": first,
            "took_s": took, "overhead_s_per_unit": each, "share": each / seconds}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    rows = [measured(e, given.units, given.seconds, given.workers) for e in ("processes", "dask")]
    json.dump(rows, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
