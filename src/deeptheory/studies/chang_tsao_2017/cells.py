"""Units as cells: how the study records every layer.

A cell is one unit at one place of a layer, drawn at random among those that answer at least a twentieth of the faces, not
always alike. Its response is scaled to a mean rate and counted as Poisson spikes in a window, several trials a face: so
numbers that depend on noise (how many dimensions a cell is tuned to, how far a population goes) can stand beside cells'.
"""

from typing import Any

import deeptheory as dt

ANSWERED = 0.05


def firing(settings: dict) -> dt.axis.Poisson:
    """The noise of every cell."""
    return dt.axis.Poisson(rate=settings["rate"], window=settings["window"], trials=settings["trials"])


def recorded(settings: dict, member: int, cells: int | None = None) -> dict[str, Any]:
    """What dt.axis.record_units and axis_code_by_layer are told: so many cells a layer (settings["cells"]), drawn by the member."""
    return {
        "pool": "all",
        "units": cells or settings["cells"],
        "min_active_fraction": ANSWERED,
        "noise": firing(settings),
        "batch": 200,
        "seed": member,
    }
