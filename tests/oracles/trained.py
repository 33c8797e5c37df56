"""Bounds of a critic's scores as the papers write them: loops over pairs, float64, nothing of the package."""

import math

import numpy as np


def infonce(scores, piece):
    """mean_i f_ii - log mean_j e^f_ij over j that do not belong with i, and i itself."""
    n, total = len(scores), 0.0
    for i in range(n):
        seen = [math.exp(scores[i, j]) for j in range(n) if j == i or piece[i] != piece[j]]
        total += scores[i, i] - math.log(sum(seen) / len(seen))
    return total / n


def nwj(scores, piece):
    """1 + mean f_ii - mean e^f_ij."""
    return 1 + np.mean([scores[i, i] for i in range(len(scores))]) - np.mean(apart(scores, piece))


def dv(scores, piece):
    """mean f_ii - log mean e^f_ij."""
    return np.mean([scores[i, i] for i in range(len(scores))]) - math.log(np.mean(apart(scores, piece)))


def smile(scores, piece, clip):
    """As dv, the second f cut."""
    own = np.mean([scores[i, i] for i in range(len(scores))])
    return own - math.log(np.mean(apart(np.clip(scores, -clip, clip), piece)))


def apart(scores, piece):
    """e^f of all pairs of rows that do not belong together."""
    n = len(scores)
    return [math.exp(scores[i, j]) for i in range(n) for j in range(n) if piece[i] != piece[j]]
