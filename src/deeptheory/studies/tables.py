"""The tables that figures draw: means with intervals over networks, and curves over training."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from deeptheory.runs import Sample
from deeptheory.runs.intervals import Statistic, interval


def table_of(rows: Sequence[Mapping[str, Any]]) -> Any:
    """A pandas table, one row per point."""
    import pandas as pd

    return pd.DataFrame(list(rows))


def estimate(
    values: Any, statistic: Statistic = "mean", *, name: str = "mean", n: str = "networks", **said: Any
) -> dict[str, Any]:
    """One row: what is said of it, and the statistic over networks with its 95 % interval. name, n: of the columns."""
    got = interval(Sample(np.asarray(values), statistic))
    return {**said, name: got.value, "low": got.low, "high": got.high, n: got.n}


def measured(groups: Mapping[str, Mapping[str, Any]]) -> Any:
    """Means with 95 % intervals over networks: {condition: {place: values [seed]}} -> one row each."""
    return table_of(
        [
            estimate(np.asarray(v, dtype=np.float64), condition=c, at=p)
            for c, places in groups.items()
            for p, v in places.items()
        ]
    )


def over_training(panel: str, values: Any, steps: Sequence[int], names: Sequence[str]) -> list[dict[str, Any]]:
    """Rows from [seed, step, name]: means, and the middle 80 % of seeds as low and high; x is step + 1."""
    values = np.asarray(values, dtype=np.float64)
    low, high = np.quantile(values, [0.1, 0.9], axis=0)
    mean = values.mean(0)
    return [
        {"panel": panel, "name": str(n), "x": s + 1, "y": mean[i, k], "low": low[i, k], "high": high[i, k]}
        for k, n in enumerate(names)
        for i, s in enumerate(steps)
    ]


def by_layer(panel: str, data: Any, step: str = "step", over: str = "layer") -> list[dict[str, Any]]:
    """Rows of over_training from a DataArray over seed, step and layer, or what else has a line of its own."""
    values = data.transpose("seed", step, over)
    return over_training(panel, values.values, values[step].values.tolist(), values[over].values.tolist())


def curve(panel: str, name: str, x: Sequence[Any], y: Any, **more: Any) -> list[dict[str, Any]]:
    """Rows of one line; more: further columns, such as low and high."""
    rows = [{"panel": panel, "name": name, "x": a, "y": float(b)} for a, b in zip(x, y)]
    return [{**row, **{k: float(v[i]) for k, v in more.items()}} for i, row in enumerate(rows)]


def trainings(runs: Mapping[str, Any], *measures: str) -> Any:
    """What was measured in training, one row per network, seed and logged step; runs: {network:
    dataset [seed, look]}."""
    return table_of(
        [
            {"network": label, "seed": seed, "look": look, **{name: data[name].values[k, i] for name in measures}}
            for label, data in runs.items()
            for k, seed in enumerate(data["seed"].values.tolist())
            for i, look in enumerate(data["look"].values.tolist())
        ]
    )
