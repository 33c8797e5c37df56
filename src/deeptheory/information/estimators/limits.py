"""What an estimate cannot be: above an entropy, finite where one variable is a function of the other, beyond what n samples
show. Values stay as they are estimated; these become notes, or the answer where it is known exactly."""

import numpy as np

from deeptheory.information.estimators.columns import dependent
from deeptheory.results import Estimate

WIDE = 6  # columns in all; above, neighbours are far and estimates lean towards 0


def nothing(method: str, notes: tuple[str, ...]) -> Estimate:
    """A constant tells nothing: 0 bits, exactly."""
    return Estimate(value=0.0, low=0.0, high=0.0, method=method, direction="exact", notes=notes)


def infinite(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether a column of continuous x or y [d, n] is a linear function of the other variable's (and its own) columns."""
    if dependent(x).any() or dependent(y).any():
        x, y = x[~dependent(x)], y[~dependent(y)]
    shared = dependent(np.concatenate([x, y]))[len(x) :]
    return any(len(np.unique(column)) > len(column) / 2 for column in y[shared])


def impossible(value: float, **variables: np.ndarray) -> tuple[str, ...]:
    """Notes where information exceeds the entropy of a variable [n, d] whose rows repeat (its first-order bias added)."""
    out = []
    for name, a in variables.items():
        n = len(a)
        if a.shape[1] == 1:
            counts = np.unique(a[:, 0], return_counts=True)[1]
        elif value < np.log2(n) / 4:  # rows of several columns: few of them hold so little
            continue
        else:
            counts = np.unique(a, axis=0, return_counts=True)[1]
        if len(counts) > n / 2:
            continue
        p = counts / n
        most = float(-(p * np.log2(p)).sum() + (len(p) - 1) / (2 * n * np.log(2)))
        if value > most + 1e-9:
            out.append(
                f"above the entropy of {name}, {most:.3g} bits, which information cannot exceed: too few samples"
            )
    return tuple(out)


def near_the_largest(value: float, n: int, k: int) -> tuple[str, ...]:
    """Neighbour counts end at log2(n / k)."""
    if value <= np.log2(n / k) - 2:
        return ()
    return (
        f"near the largest value that {n} samples can show, log2(n / k) = {np.log2(n / k):.1f} bits; likely too small",
    )


INFINITE = "one variable is a linear function of the other: the information of continuous variables is infinite then"
