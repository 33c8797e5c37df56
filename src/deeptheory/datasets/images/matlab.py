"""Named arrays from a Matlab file (version 5), as several data sets are published in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deeptheory.core.errors import StoreError
from deeptheory.core.mat_files import check_mat


def read_mat(path: Path, names: Sequence[str], struct: str | None = None) -> dict[str, np.ndarray]:
    """The arrays of those names; with struct, the fields of that structure.

    StoreError: corrupt, or one is not there.
    """
    from scipy.io import loadmat

    try:
        check_mat(path)
        content: Any = loadmat(path, variable_names=[struct] if struct else list(names))
        if struct is not None:
            content = content[struct][0, 0]
            known = content.dtype.names or ()
        else:
            known = tuple(content)
        missing = [n for n in names if n not in known]
        if missing:
            raise StoreError(f"{path.name} holds no {', '.join(missing)}; it is another file")
        return {n: np.asarray(content[n]) for n in names}
    except StoreError:
        raise
    except Exception as error:  # a damaged file surfaces as whatever its reader stumbles over
        raise StoreError(f"{path.name} cannot be read ({type(error).__name__}: {error}); get it again") from error
