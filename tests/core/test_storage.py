"""Arrays in folders: what comes back is what was written, in its order, wherever the folder has been."""

import shutil

import numpy as np
import xarray as xr

from deeptheory.core.storage import read_dataset, write_dataset


def test_variables_keep_their_order_in_a_folder_listed_otherwise(tmp_path):
    names = [*"zqwertyuiopasdfghjklcvbnm"]
    data = xr.Dataset(
        {n: ("x", np.arange(3.0) + k) for k, n in enumerate(names)},
        coords={"x": [2, 1, 0], "label": ("x", ["b", "a", "c"]), "alone": ("unused", [1, 2])},
        attrs={"said": "so"},
    )
    write_dataset(data, tmp_path / "first")
    moved = tmp_path / "moved"
    moved.mkdir()
    for path in sorted((tmp_path / "first").iterdir()):  # made anew in another order
        (shutil.copytree if path.is_dir() else shutil.copy)(path, moved / path.name)
    for folder in (tmp_path / "first", moved):
        found = read_dataset(folder)
        assert list(found.data_vars) == names
        assert list(found.coords) == [n for n in data.variables if n in data.coords]
        xr.testing.assert_identical(found, data)
