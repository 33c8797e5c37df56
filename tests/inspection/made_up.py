"""An inspection of many layers and steps whose numbers are drawn: for the size of its page alone."""

import numpy as np

from deeptheory.inspection import INSTRUMENTS, Inspection, Layer, Reading
from deeptheory.inspection.instruments import load
from deeptheory.inspection.result import joined


def made_up(layers, steps, twins=5, seed=0):
    rng = np.random.default_rng(seed)
    names = [f"stage{k // 8}.block{k % 8}.relu" for k in range(layers)]
    places = [
        Layer(name=name, index=k, kind="ReLU", role="activation" if k else "input", shape=(64, 14, 14), units=64,
            positions=196, label=name)
        for k, name in enumerate(names)
    ]  # fmt: skip
    checkpoints = [f"step-{100 * k}" for k in range(steps)]
    results = {}
    for i in (load(name) for name in INSTRUMENTS):
        if i.default:

            def read(i=i):
                return {p.name: [_reading(q.name, i.needs != "nothing", rng) for q in i.quantities] for p in places}

            results[i.name] = joined(
                i, places, {c: read() for c in checkpoints}, [read() for _ in range(twins)], "untrained"
            )
    skipped = tuple(
        {"name": f"t{k}", "kind": "Conv2d", "bytes": 1000, "kept": False, "why": "not a nonlinearity"}
        for k in range(120)
    )
    return Inspection(
        title="made up", results=results, layers=skipped, measured=tuple(vars(p) for p in places), facts=_FACTS,
            refused={},
        checkpoints=tuple(checkpoints),
    )  # fmt: skip


def _reading(quantity, labels, rng):
    value = float(rng.lognormal())
    permuted = tuple(rng.lognormal(size=20).tolist()) if labels else ()
    return Reading(
        quantity=quantity,
        value=value,
        low=value * 0.9,
        high=value * 1.1,
        permuted=permuted,
        note="30 bins on 1000 inputs",
    )


_FACTS = {
    "n": 2000, "twins": 5, "permutations": 20, "control": "untrained", "spent_seconds": 100.0,
        "promised_seconds": 99.0, "planning_seconds": 3.0,
    "parameters": 11_000_000, "met": 120, "probe": "made up", "drawn": "all 2,000", "targets": "10 classes",
        "split": "test", "device": "cpu",
    "dtype": "float32", "seed": 0, "head": "fc", "command": "none", "promised": [], "spent": {}, "model": "M",
        "weights": "0" * 12,
    "checksum": "0" * 12, "twins_said": "made up", "batch": 100, "threads": 1, "versions": {}, "started": "2026-11-30",
        "chances": {},
    "classes": 10, "machine": {"processor": "x", "cores": 1, "memory_gb": 1},
}  # fmt: skip
