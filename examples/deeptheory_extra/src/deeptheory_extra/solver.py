"""Which k clusters of X keep most of a binary Y?

For a Y of two values the best clusters are intervals of p(y|x), so that dynamic programming finds them all (Kurkoski &
Yagi 2014, "Quantization of binary-input discrete memoryless channels").
Pitfall: with more values of Y it is no optimum, and is refused.
"""

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.information.bottleneck.joint import Joint
from deeptheory.information.bottleneck.solution import BottleneckSolution, discrete_solution


def quantizer(joint: Joint, beta: float, *, clusters: int = 2) -> BottleneckSolution:
    """At most `clusters` clusters that keep the most of I(X;Y); beta only weighs the Lagrangian H(T) - beta I(T;Y).

    InputError: Y has not two values, or clusters is below 1.
    """
    n, m = joint.q.shape
    if m != 2:
        raise InputError(f"Y has {m} values; quantizer needs 2")
    if clusters < 1:
        raise InputError(f"clusters is {clusters}; needed: 1 or more")
    order = np.argsort(joint.q[:, 1], kind="stable")
    mass = np.vstack([np.zeros(2), np.cumsum((joint.p[:, None] * joint.q)[order], axis=0)])
    k = min(clusters, n)
    best, cut = np.full((k + 1, n + 1), -np.inf), np.zeros((k + 1, n + 1), dtype=int)
    best[0, 0] = 0.0
    for c in range(1, k + 1):
        for end in range(c, n + 1):
            kept = best[c - 1, :end] + _log_mass(mass[end] - mass[:end])
            cut[c, end] = int(np.argmax(kept))
            best[c, end] = kept[cut[c, end]]
    labels, end = np.zeros(n, dtype=int), n
    for c in range(k, 0, -1):
        labels[order[cut[c, end] : end]] = c - 1
        end = cut[c, end]
    encoder = np.eye(k)[labels]
    return discrete_solution(joint, encoder, beta, "quantizer", lagrangian=lambda i_x, i_y, h_t: h_t - beta * i_y)


def _log_mass(part: np.ndarray) -> np.ndarray:
    """[..., 2] masses of a cluster -> sum p(t, y) log p(y|t), what the cluster adds to -H(Y|T)."""
    whole = part.sum(-1, keepdims=True)
    ratio = np.where(part > 0, part / np.where(whole > 0, whole, 1), 1)
    return (part * np.log(ratio)).sum(-1)
