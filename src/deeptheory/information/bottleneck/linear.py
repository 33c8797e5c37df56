"""A small linear system inside compiled loops, where a singular matrix is an answer and not an exception."""

import numpy as np

from deeptheory.core.compiled import njit


@njit(cache=True, error_model="numpy")
def solve_in_place(a, b, n):
    """b[:n] = solution of a[:n, :n] x = b[:n] by Gauss elimination with row exchange; a is used up.

    False (and b spoilt) where a pivot is 0 or not finite.
    """
    for i in range(n):
        at = i
        for j in range(i + 1, n):
            if abs(a[j, i]) > abs(a[at, i]):
                at = j
        pivot = a[at, i]
        if pivot == 0.0 or not np.isfinite(pivot):
            return False
        if at != i:
            for j in range(i, n):
                a[i, j], a[at, j] = a[at, j], a[i, j]
            b[i], b[at] = b[at], b[i]
        for j in range(i + 1, n):
            factor = a[j, i] / pivot
            if factor != 0.0:
                for l in range(i + 1, n):
                    a[j, l] -= factor * a[i, l]
                b[j] -= factor * b[i]
    for i in range(n - 1, -1, -1):
        s = b[i]
        for j in range(i + 1, n):
            s -= a[i, j] * b[j]
        b[i] = s / a[i, i]
    return True
