"""Linear maps whose flattening cost is known: butterflies of the FFT, and counting by loops."""

import numpy as np


def butterflies(n):
    """The factors of the discrete Fourier transform of n = 2^k numbers (bit reversal left out): k matrices, 2 n
    entries each.
    """
    factors, half = [], 1
    while half < n:
        m = np.zeros((n, n), dtype=complex)
        for start in range(0, n, 2 * half):
            for k in range(half):
                w = np.exp(-2j * np.pi * k / (2 * half))
                m[start + k, start + k] = 1
                m[start + k, start + k + half] = w
                m[start + k + half, start + k] = 1
                m[start + k + half, start + k + half] = -w
        factors.append(m)
        half *= 2
    return factors


def bit_reversal(n):
    bits = n.bit_length() - 1
    return [int(format(i, f"0{bits}b")[::-1], 2) for i in range(n)]


def nonzero(matrix):
    return sum(1 for row in matrix for v in row if v != 0)
