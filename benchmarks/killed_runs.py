"""The runs that `benchmarks.kills` kills, and how: what a worker imports to do a step of them.

Pitfall: a step's function must be found by workers under the name of its module, so that it may not stand in a file
that is run.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deeptheory.core.storage import read_dataset, write_dataset
from deeptheory.runs import Claim, Run, Step, decide

SAID = "DEEPTHEORY_KILL"  # the environment variable in which a worker finds what to do
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.link", "os.symlink", "os.truncate")
STUDY = {"networks": 2, "steps": 60, "depths": [1], "widths": [4], "only": "trained"}


def draw(settings, unit, inputs, workspace, progress):
    """Numbers and words that depend on settings and unit alone."""
    import xarray as xr

    progress(1, 2)
    values = np.stack([np.random.default_rng([settings["seed"], s]).standard_normal(3) for s in unit])
    words = [f"network {s}" for s in unit]
    return xr.Dataset({"value": (("seed", "time"), values), "word": ("seed", words)}, coords={"seed": list(unit)})


def train(settings, unit, inputs, workspace, progress):
    """A training that keeps a checkpoint at every step, so that a kill finds one half written."""
    import torch
    import xarray as xr

    from deeptheory import networks

    torch.manual_seed(settings["seed"])
    net = torch.nn.Linear(3, 1)
    batches = networks.minibatches(inputs["draw"]["value"].values.astype(np.float32), batch=2, seed=settings["seed"])
    folder = workspace / "training"
    made = networks.train(
        net,
        batches,
        _loss,
        steps=3,
        lr=0.1,
        seed=settings["seed"],
        checkpoint=networks.Checkpoint(folder, 0.0),
        progress=progress,
    )
    return xr.Dataset({"loss": ("step", made.losses), "weight": ("in", net.weight.detach()[0].numpy())})


def _loss(net: Any, batch: Any) -> Any:
    return (net(batch[0]) - 1).square().mean()


def walk(settings, unit, inputs, workspace, progress):
    """Without torch, which takes a new worker seconds to load: a sum of draws whose terms are kept one by one."""
    import xarray as xr

    kept, values = workspace / "kept", inputs["draw"]["value"].values
    data = read_dataset(kept) if kept.exists() else xr.Dataset({"sum": ((), 0.0), "done": ((), 0)})
    for k in range(int(data["done"]), 2):
        data = xr.Dataset({"sum": data["sum"] + values[k].sum(), "done": ((), k + 1)})
        write_dataset(data, kept)
        progress(k + 1, 2)
    return data


def total(settings, unit, inputs, workspace, progress):
    """Uses what there is."""
    import xarray as xr

    return xr.Dataset({"total": inputs["draw"]["value"].sum() + inputs["walk"]["sum"]})


STEPS = [
    Step(name="draw", function=draw, units=lambda s: [[0, 1], [2, 3]]),
    Step(name="train", function=train, needs=("draw",)),
    Step(name="walk", function=walk, needs=("draw",)),
    Step(name="total", function=total, needs=("draw", "walk")),
]
CLAIMS = [
    Claim(id="total", figure="-", source="-", statement="-", quantity="total", unit="1", region="> 0", criterion="-",
    protocol="-", measure=lambda results: float(results["total"]["total"])),
]  # fmt: skip


def small(folder: Path, engine: str) -> None:
    """The run of four steps, without the training where workers do it, and its ledger."""
    steps = [s for s in STEPS if engine == "serial" or s.function is not train]
    run = Run(folder, study="kills", scale="quick", seed=0, settings={}, command="again")
    results = run.execute(steps, engine=engine, jobs=2, progress=False)
    decide(CLAIMS, results, scale="quick").write(folder)


def study(folder: Path, engine: str) -> None:
    """One step of a study, with its ledger, figures and page."""
    from deeptheory.studies import reproduce

    reproduce("rolnick-tegmark-2018", out=folder, engine=engine, jobs=2, progress=False, **STUDY)


RUNS: dict[str, Callable[[Path, str], None]] = {"small": small, "study": study}


def arm(folder: str, at: int, empty: bool, victim: str, count: str, owner: int) -> None:
    """From now on, kill the victim at the write number `at` of all processes that count in the file `count`."""
    counter, inside = os.open(count, os.O_WRONLY | os.O_APPEND | os.O_CREAT), threading.local()

    def hook(event: str, args: tuple) -> None:
        if (event != "open" and event not in _CHANGES) or getattr(inside, "busy", False):
            return
        path = _changed(event, args)
        if path is None or not path.startswith(folder):
            return
        os.write(counter, b"o" if event == "open" else b"x")
        if os.lseek(counter, 0, os.SEEK_CUR) != at:
            return
        inside.busy = True
        if empty and event == "open" and not os.path.isdir(path):
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
        os.kill(owner if victim == "run" else os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def _changed(event: str, args: tuple) -> str | None:
    """The path that is about to change; None: nothing is written."""
    if event == "open":
        path, _, flags = args
        return os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) and flags & _WRITING else None
    path, at = os.fsdecode(args[0]), [a for a in args[1:] if isinstance(a, int) and a > 2]
    if os.path.isabs(path) or event not in ("os.remove", "os.rmdir") or not at:
        return path
    return os.path.join(os.readlink(f"/proc/self/fd/{at[-1]}"), path)


if SAID in os.environ:  # a worker
    arm(**json.loads(os.environ[SAID]))
