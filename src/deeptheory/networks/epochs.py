"""When to look at a network that learns fast first and slowly later."""

import numpy as np

from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_whole


def log_epochs(epochs: int, n: int) -> list[int]:
    """Distinct whole epochs from 0 to epochs - 1, even on a log2 scale (as the released code of Shwartz-Ziv & Tishby).

    floor(2^e) - 1 for `n` exponents e evenly from 0 to log2(epochs), each once and sorted, so that fewer than n come
    back: log_epochs(8000, 400) gives 274. n = 1 gives [0]. For `fit(record_at=)`, whose last epoch is `epochs` itself.
    InputError: epochs or n is no integer of 1 or more, epochs above 2^53.
    """
    check_whole(epochs=(epochs, 1), n=(n, 1))
    if epochs > 2**53:
        raise InputError(f"epochs is {str(epochs)[:40]}; at most 2^53, beyond which float64 skips integers")
    exact = 2.0 ** np.linspace(0, np.log2(epochs), n)
    if n > 1:
        exact[-1] = epochs  # which 2^log2 misses by more than rounding of small numbers
    return sorted({min(int(np.floor(e + max(1e-9, 1e-14 * e))), int(epochs)) - 1 for e in exact})
