"""Arrays in folders: what comes back is what was written, in its order, wherever the folder has been."""

import shutil

import numpy as np
import pytest
import xarray as xr

from deeptheory.core.errors import StoreError
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


def test_a_folder_of_other_things_is_not_replaced(tmp_path, monkeypatch):
    data = xr.Dataset({"v": ("x", np.arange(3.0))})
    other, file = tmp_path / "results", tmp_path / "file"
    other.mkdir()
    (other / "thesis.txt").write_text("a year of work")
    file.write_text("a day of work")
    for place in (other, file):
        with pytest.raises(StoreError, match=f"{place.name} holds other things than a folder of arrays"):
            write_dataset(data, place)
    assert (other / "thesis.txt").read_text() == "a year of work"
    assert file.read_text() == "a day of work"
    monkeypatch.chdir(tmp_path)
    for nameless in (".", "..", "/"):
        with pytest.raises(StoreError, match="names no folder of its own"):
            write_dataset(data, nameless)
    assert {p.name for p in tmp_path.iterdir()} == {"results", "file"}
    (tmp_path / "empty").mkdir()
    for _ in range(2):  # an empty folder, and one of its own
        write_dataset(data, tmp_path / "empty")
    xr.testing.assert_identical(read_dataset(tmp_path / "empty"), data)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_of_one_value_come_back_as_they_were(tmp_path, dtype):
    """zarr leaves out blocks of fill values: NaN of another sign or payload came back as other bytes."""
    with np.errstate(invalid="ignore"):
        undefined = np.zeros(5, dtype) / np.zeros(5, dtype)
    data = xr.Dataset({"nan": ("x", undefined), "minus": ("x", -np.zeros(5, dtype)), "zero": ("x", np.zeros(5, dtype))})
    write_dataset(data, tmp_path / "a")
    found = read_dataset(tmp_path / "a")
    assert all(found[v].values.tobytes() == data[v].values.tobytes() for v in data.data_vars)
