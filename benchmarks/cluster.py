"""What an engine adds to a unit of work: python -m benchmarks.cluster [--units 24] [--seconds 5] [--workers 2] > x.json

Units that only wait are handed to each engine. Overhead per unit: how much later than `seconds` after a unit a worker
begins its next one, on the mean; opening the engine (a cluster that starts, workers that import) is listed apart, as
the time until the first unit begins. On a machine that others use, that wall clock is too long; so the processor time
of the run's process and of its workers is listed too, spent from the first unit's beginning to the last one's, per
unit.
--engines: by name. --out: the run folder's parent, such as s3://bucket.
"""

import argparse
import json
import math
import os
import sys
import tempfile
import time
from typing import Any

import numpy as np
import xarray as xr

from deeptheory.runs import Run, Step


def wait(settings, unit, inputs, workspace, progress):
    """A unit that takes its time and nothing else, and says when it began."""
    began, spent = time.time(), time.process_time()
    time.sleep(settings["seconds"])
    said = {"began": ("seed", [began]), "spent": ("seed", [spent]), "worker": ("seed", [os.getpid()])}
    return xr.Dataset(said, coords={"seed": [unit]})


def units(settings):
    """Numbers."""
    return list(range(settings["units"]))


def measured(engine: str, count: int, seconds: float, workers: int, out: str = "") -> dict[str, Any]:
    """Seconds of one run: to the first unit, in all, and beyond the units' own, per unit."""
    with tempfile.TemporaryDirectory() as folder:
        run = Run(f"{out or folder}/{engine.partition(':')[0]}-{os.getpid()}", study="waits", scale="quick", seed=0,
                  settings={"units": count, "seconds": seconds})  # fmt: skip
        here: list[float] = []
        started = time.time()
        results = run.execute(
            [Step(name="wait", function=wait, units=units)], engine=engine, jobs=workers, progress=False,
            after=lambda *done: here.append(time.process_time()),
        )  # fmt: skip
        took = time.time() - started
        found = results["wait"].load()
        began = found["began"].values
    spent, counted = 0.0, 0
    for worker in set(found["worker"].values.tolist()):
        own = np.sort(found["spent"].values[found["worker"].values == worker])
        spent, counted = spent + float(own[-1] - own[0]), counted + len(own) - 1
    first, rounds = float(began.min()) - started, math.ceil(count / workers)
    each = float(began.max() - began.min()) / (rounds - 1) - seconds
    return {"engine": engine, "units": count, "seconds": seconds, "workers": workers, "first_unit_after_s": first,
            "took_s": took, "overhead_s_per_unit": each, "share": each / seconds,
            "worker_processor_s_per_unit": spent / max(counted, 1),
            "run_processor_s_per_unit": (here[-1] - here[0]) / max(len(here) - 1, 1),
            "load": os.getloadavg()[0]}  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engines", nargs="+", default=["processes", "dask"])
    parser.add_argument("--out", default="")
    given = parser.parse_args()
    rows = [measured(e, given.units, given.seconds, given.workers, given.out) for e in given.engines]
    json.dump(rows, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
