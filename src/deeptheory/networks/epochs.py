"""When to look at a network that learns fast first and slowly later."""

import numpy as np

from deeptheory.core.errors import InputError


def log_epochs(epochs: int, n: int) -> list[int]:
    """Distinct whole epochs from 0 to epochs - 1, even on a log2 scale (as the released code of Shwartz-Ziv & Tishby).

    `n` exponents evenly from 0 to log2(epochs), cut to integers, less one; log_epochs(8000, 400) gives 274.
    InputError: epochs or n below 1.
    """
    if epochs < 1 or n < 1:
        raise InputError(f"epochs is {epochs}, n is {n}; both must be at least 1")
    exact = 2.0 ** np.linspace(0, np.log2(epochs), n)
    return sorted({int(np.floor(e + 1e-9)) - 1 for e in exact})
