"""COIL-20 from its two published forms, small ones, and from corrupt files."""

import numpy as np
import pytest
from PIL import Image

from deeptheory.core.errors import StoreError
from deeptheory.datasets import coil20


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPTHEORY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DEEPTHEORY_DATA", raising=False)


def test_coil20_from_an_npz(tmp_path, monkeypatch):
    x = np.random.default_rng(0).integers(0, 256, (6, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "coil20.npz", images=x, object=np.arange(6), azimuth_degrees=5 * np.arange(6))
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path))
    data = coil20()
    assert np.array_equal(data.images, x[:, None])
    assert data.azimuth.tolist() == [0, 5, 10, 15, 20, 25]
    assert data.labels.tolist() == list(range(6))
    np.savez(tmp_path / "coil20.npz", images=x, object=np.arange(5), azimuth_degrees=np.arange(6))
    with pytest.raises(StoreError, match=r"object \[5\], azimuth \[6\]"):
        coil20(tmp_path)
    (tmp_path / "coil20.npz").write_bytes(b"PK\3\4 no")
    with pytest.raises(StoreError, match=r"coil20\.npz cannot be read"):
        coil20(tmp_path)


def test_coil20_from_the_published_pictures(tmp_path):
    folder = tmp_path / "coil-20-proc"
    folder.mkdir()
    for item in range(20):
        for turn in range(72):
            Image.fromarray(np.full((4, 4), item * 10 + turn % 10, np.uint8)).save(
                folder / f"obj{item + 1}__{turn}.png"
            )
    data = coil20(tmp_path)
    assert data.images.shape == (1440, 1, 4, 4)
    assert data.images[72 * 3 + 11, 0, 0, 0] == 31
    assert data.azimuth[72 * 3 + 11] == 55
    Image.fromarray(np.zeros((5, 4), np.uint8)).save(folder / "obj20__71.png")
    with pytest.raises(StoreError, match=r"have sizes \[\(4, 4\), \(5, 4\)\]"):
        coil20(tmp_path)
    (folder / "obj2__5.png").write_bytes(b"no picture")
    with pytest.raises(StoreError, match=r"coil-20-proc/obj2__5\.png cannot be read"):
        coil20(tmp_path)
