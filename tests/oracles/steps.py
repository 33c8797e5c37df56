"""Steps for runs in tests: at the top of a module, so that workers can import them."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import xarray as xr


def draw(settings, unit, inputs, workspace, progress):
    """Numbers that depend on settings and unit alone; counts its calls beside the run folder."""
    with (workspace.parents[3] / "calls").open("a") as calls:
        calls.write(f"{unit}\n")
    if settings.get("wait"):
        for k in range(100):
            progress(k, 100)
            time.sleep(settings["wait"] / 100)
    values = np.stack([np.random.default_rng([settings["seed"], s]).standard_normal(4) for s in unit])
    return xr.Dataset({"value": (("seed", "time"), values)}, coords={"seed": list(unit)}, attrs={"names": ["a", "b"]})


def scaled(settings, unit, inputs, workspace, progress):
    """Uses another step's result."""
    return xr.Dataset({"total": inputs["draw"]["value"].sum() * settings["factor"]})


def shifted(settings, unit, inputs, workspace, progress, *, by, also=()):
    """The same numbers moved; a step that changes its options changes nobody else's."""
    out = draw(settings, unit, inputs, workspace, progress)
    out["value"] = out["value"] + by + sum(also)
    return out


def fragile(settings, unit, inputs, workspace, progress):
    """Fails as long as the file `broken` lies in the folder above the run."""
    if (workspace.parents[3] / "broken").exists() and unit[0] >= 2:
        raise (settings["error"] and OSError(28, "No space left on device")) or KeyboardInterrupt()
    return draw(settings, unit, inputs, workspace, progress)


def threads(settings, unit, inputs, workspace, progress):
    """What a unit sees of its process."""
    import torch

    return xr.Dataset({"threads": ("seed", [torch.get_num_threads()] * len(unit))}, coords={"seed": list(unit)})


def scratch(settings, unit, inputs, workspace: Path, progress):
    """Leaves something in its workspace, and is killed the first time."""
    kept = workspace / "half"
    if not kept.exists():
        kept.write_text("done before the kill")
        os._exit(9)
    return xr.Dataset({"text": ("seed", [kept.read_text()])}, coords={"seed": list(unit)})


def killed(settings, unit, inputs, workspace, progress):
    """The worker of every unit but the first is killed from outside, as the system does for want of memory."""
    if unit[0] >= 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(settings, unit, inputs, workspace, progress)


def silent(settings, unit, inputs, workspace, progress):
    """A long step that tells nothing of its progress; leaves the number of its process beside the run folder."""
    (workspace.parents[3] / f"pid-{os.getpid()}").touch()
    time.sleep(60)
    return draw(settings, unit, inputs, workspace, progress)


def poisoned(settings, unit, inputs, workspace, progress):
    """Kills its worker as long as there is a file to take away first."""
    poison = Path(settings["poison"])
    if poison.exists() and unit[0] >= 2:
        poison.unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(settings, unit, inputs, workspace, progress)


def dividing(settings, unit, inputs, workspace, progress):
    """Fails."""
    return 1 / 0


def taken_over(settings, unit, inputs, workspace, progress):
    """Another run takes the folder while it works."""
    Path(settings["lock"]).write_text("1")
    progress(1, 2)
    return draw(settings, unit, inputs, workspace, progress)


def drawn(settings, unit, inputs, workspace: Path, progress):
    """Numbers as draw gives them, with nothing left anywhere; tries its workspace."""
    (workspace / "half").write_text("a checkpoint")
    progress(1, 2)
    values = np.stack([np.random.default_rng([settings["seed"], s]).standard_normal(4) for s in unit])
    return xr.Dataset({"value": (("seed", "time"), values)}, coords={"seed": list(unit)}, attrs={"names": ["a", "b"]})


def failing_late(settings, unit, inputs, workspace, progress):
    """Fails from the second unit on."""
    return drawn(settings, unit, inputs, workspace, progress) if unit[0] < 2 else 1 / 0


def slow_after_two(settings, unit, inputs, workspace, progress):
    """Takes a minute from the second unit on."""
    if unit[0] >= 2:
        time.sleep(60)
    return drawn(settings, unit, inputs, workspace, progress)


def pairs(settings):
    """Six networks in three units."""
    return [[0, 1], [2, 3], [4, 5]]
