"""Does a layer order pictures as a brain area does? Dissimilarities, and how far two of them agree.

Source: Kriegeskorte et al. 2008: dissimilarity of two pictures is 1 - Pearson correlation of their patterns over units, and
two areas are compared by Spearman's correlation over pairs of pictures. A bound on what a model can reach is how far two
measurements of brains (two species, two animals) agree with each other. Trap: pairs share pictures, so that their number
says nothing of certainty; draw pictures anew, not pairs.
"""

from typing import Any

import numpy as np

from deeptheory.errors import InputError


def dissimilarity(responses: Any) -> np.ndarray:
    """[n, n]: 1 - correlation of the patterns of responses [n, units]; 0 on the diagonal. InputError: a pattern that does
    not vary over units (it has no correlation), or other shapes."""
    y = np.asarray(responses, dtype=np.float64)
    if y.ndim != 2 or min(y.shape) < 2:
        raise InputError(f"responses have shape {list(y.shape)}; needed: [2 or more stimuli, 2 or more units]")
    y = y - y.mean(1, keepdims=True)
    length = np.linalg.norm(y, axis=1, keepdims=True)
    if not (length > 0).all():
        raise InputError(f"{int((length == 0).sum())} of {len(y)} patterns do not vary over units; leave them out")
    y = y / length
    out = 1 - y @ y.T
    np.fill_diagonal(out, 0)
    return out


def agreement(a: Any, b: Any, rows: Any = None) -> float:
    """Spearman's correlation of two dissimilarity matrices [n, n] over the pairs above the diagonal, among `rows` only where
    given. InputError: shapes that differ, or fewer than 3 stimuli."""
    from scipy.stats import spearmanr

    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.ndim != 2 or a.shape != b.shape or a.shape[0] != a.shape[1]:
        raise InputError(f"dissimilarities are {list(a.shape)} and {list(b.shape)}; needed: the same [n, n]")
    at = np.arange(len(a)) if rows is None else np.asarray(rows)
    if len(at) < 3:
        raise InputError(f"{len(at)} stimuli have too few pairs; needed: 3 or more")
    pairs = tuple(at[np.stack(np.triu_indices(len(at), 1))])
    found: Any = spearmanr(a[pairs], b[pairs])
    return float(found.statistic)
