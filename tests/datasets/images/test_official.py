"""Loaders of published files, on small files in the published formats and on corrupt ones."""

import gzip
import io
import struct
import tarfile

import numpy as np
import pytest
from scipy.io import savemat

from deeptheory.core.errors import InputError, StoreError
from deeptheory.datasets import affnist, cifar10, coil20, fashion_mnist, small_norb, svhn
from deeptheory.datasets.images import official
from deeptheory.datasets.images.official import Official

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, tmp_path):
    monkeypatch.setenv("DEEPTHEORY_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DEEPTHEORY_DATA", raising=False)


def idx(array):
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def norb(array):
    magic = {"uint8": 0x1E3D4C55, "int32": 0x1E3D4C54}[str(array.dtype)]
    sizes = [*array.shape, *[1] * (3 - array.ndim)]
    return struct.pack(f"<iI{len(sizes)}i", magic, array.ndim, *sizes) + array.tobytes()


def bytes_of(*shape):
    return RNG.integers(0, 256, shape, dtype=np.uint8)


# --- Fashion-MNIST


def put_fashion(folder, n=6, m=4):
    folder.mkdir(exist_ok=True)
    parts = {
        "train-images-idx3-ubyte": bytes_of(n, 28, 28),
        "train-labels-idx1-ubyte": np.arange(n, dtype=np.uint8),
        "t10k-images-idx3-ubyte": bytes_of(m, 28, 28),
        "t10k-labels-idx1-ubyte": np.arange(m, dtype=np.uint8),
    }
    for k, (name, array) in enumerate(parts.items()):
        packed = k % 2 == 0  # gzipped and plain ones, mixed
        (folder / (name + ".gz" * packed)).write_bytes(gzip.compress(idx(array)) if packed else idx(array))
    return parts


def test_fashion_mnist(tmp_path, monkeypatch):
    parts = put_fashion(tmp_path / "fashion-mnist")
    data = fashion_mnist(tmp_path / "fashion-mnist", verify=False)
    assert np.array_equal(data.images[:6], parts["train-images-idx3-ubyte"])
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]
    assert data.train.sum() == 6
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path))
    assert len(fashion_mnist(verify=False).images) == 10
    with pytest.raises(StoreError, match="Fashion-MNIST: sha256 is .* expected"):
        fashion_mnist()


def test_fashion_mnist_mixed_up(tmp_path):
    put_fashion(tmp_path)
    labels = tmp_path / "train-labels-idx1-ubyte"
    labels.write_bytes(idx(np.zeros(3, np.uint8)))
    with pytest.raises(StoreError, match="10 pictures and 7 labels"):
        fashion_mnist(tmp_path, verify=False)
    labels.write_bytes(idx(bytes_of(6, 2, 2)))
    with pytest.raises(StoreError, match="train-labels-idx1-ubyte has 3 axes, 1 belong there"):
        fashion_mnist(tmp_path, verify=False)


# --- smallNORB


def put_norb(folder, n=5, packed=True):
    out = {}
    for stem in ("smallnorb-5x46789x9x18x6x2x96x96-training-", "smallnorb-5x01235x9x18x6x2x96x96-testing-"):
        parts = {
            "dat": bytes_of(n, 2, 96, 96),
            "cat": np.arange(n, dtype=np.int32) % 5,
            "info": np.stack([[4] * n, np.arange(n) % 9, 2 * (np.arange(n) % 18), np.arange(n) % 6], 1).astype(
                np.int32
            ),
        }
        for kind, array in parts.items():
            raw = norb(array)
            (folder / (f"{stem}{kind}.mat" + ".gz" * packed)).write_bytes(gzip.compress(raw) if packed else raw)
            out[stem + kind] = array
    return out


@pytest.mark.parametrize("packed", [True, False])
def test_small_norb(tmp_path, packed):
    parts = put_norb(tmp_path, packed=packed)
    data = small_norb(tmp_path, verify=False)
    assert data.images.shape == (10, 2, 96, 96)
    assert np.array_equal(data.images[:5], parts["smallnorb-5x46789x9x18x6x2x96x96-training-dat"])
    assert data.labels.tolist() == [0, 1, 2, 3, 4] * 2
    assert data.azimuth[:5].tolist() == [0, 20, 40, 60, 80]
    assert data.elevation[:5].tolist() == [30, 35, 40, 45, 50]
    assert data.light[:5].tolist() == [0, 1, 2, 3, 4]
    assert data.train.tolist() == [True] * 5 + [False] * 5
    assert not small_norb(tmp_path, part="test", verify=False).train.any()
    with pytest.raises(StoreError, match=r"training-dat\.mat.*md5 is .*published"):
        small_norb(tmp_path)


@pytest.mark.parametrize(
    ("raw", "match"),
    [
        (b"short", "no binary matrix"),
        (struct.pack("<iI4i", 0x1E3D4C51, 4, 1, 2, 96, 96), "begins with 514c3d1e"),
        (struct.pack("<iI3i", 0x1E3D4C55, 8, 1, 2, 96), "ends within its header"),
        (norb(np.zeros((2, 2, 96, 96), np.uint8))[:-1], r"its header promises \[2, 2, 96, 96\]"),
        (norb(np.zeros((3, 1, 96, 96), np.uint8)), r"do not belong together: pictures \[3, 1, 96, 96\]"),
        (norb(np.zeros((3, 2, 96, 96), np.uint8)), "do not belong together"),
    ],
)
def test_small_norb_corrupt(tmp_path, raw, match):
    put_norb(tmp_path, packed=False)
    (tmp_path / "smallnorb-5x46789x9x18x6x2x96x96-training-dat.mat").write_bytes(raw)
    with pytest.raises(StoreError, match=match):
        small_norb(tmp_path, verify=False)


def test_small_norb_cut_inside_the_gzip(tmp_path):
    put_norb(tmp_path)
    path = tmp_path / "smallnorb-5x46789x9x18x6x2x96x96-training-dat.mat.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StoreError, match="cannot be read"):
        small_norb(tmp_path, verify=False)
    with pytest.raises(InputError, match="part is 'validation'; known: train, test, both"):
        small_norb(tmp_path, part="validation")


# --- CIFAR-10

CIFAR = [
    "data_batch_1.bin",
    "data_batch_2.bin",
    "data_batch_3.bin",
    "data_batch_4.bin",
    "data_batch_5.bin",
    "test_batch.bin",
]


def cifar_rows(n=3):
    rows = bytes_of(n, 3073)
    rows[:, 0] = np.arange(n)
    return rows


def put_archive(path, files):
    with tarfile.open(path, "w:gz") as archive:
        for name, raw in files.items():
            info = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))


def test_cifar_unpacked_and_packed_are_the_same(tmp_path):
    rows = {name: cifar_rows() for name in CIFAR}
    plain = tmp_path / "plain" / "cifar-10-batches-bin"
    plain.mkdir(parents=True)
    for name, array in rows.items():
        (plain / name).write_bytes(array.tobytes())
    put_archive(tmp_path / "cifar-10-binary.tar.gz", {n: a.tobytes() for n, a in rows.items()})
    a, b = cifar10(tmp_path / "plain", verify=False), cifar10(tmp_path, verify=False)
    assert np.array_equal(a.images, b.images)
    assert a.images.shape == (18, 3, 32, 32)
    assert a.images[0, 1, 0, 0] == rows[CIFAR[0]][0, 1 + 1024]  # green comes after all of red
    assert a.labels.tolist() == [0, 1, 2] * 6
    assert a.train.sum() == 15
    with pytest.raises(StoreError, match=r"cifar-10-binary\.tar\.gz: md5 is"):
        cifar10(tmp_path)
    with pytest.raises(StoreError, match=r"data_batch_1\.bin: sha256 is"):
        cifar10(tmp_path / "plain")


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"data_batch_1.bin": b"\0" * 3073}, r"holds no data_batch_2\.bin.*not the binary version"),
        (dict.fromkeys(CIFAR, b"\x00" * 3072), r"data_batch_1\.bin has 3072 bytes"),
        (dict.fromkeys(CIFAR, b"\n" + b"\x00" * 3072), "has a label 10; they run from 0 to 9"),
    ],
)
def test_cifar_corrupt(tmp_path, files, match):
    put_archive(tmp_path / "cifar-10-binary.tar.gz", files)
    with pytest.raises(StoreError, match=match):
        cifar10(tmp_path, verify=False)


def test_cifar_archive_cut_short(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    put_archive(path, {n: cifar_rows().tobytes() for n in CIFAR})
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(StoreError, match="cannot be read"):
        cifar10(tmp_path, verify=False)
    path.write_bytes(b"no archive")
    with pytest.raises(StoreError, match="cannot be read"):
        cifar10(tmp_path, verify=False)


# --- SVHN and affNIST


def test_svhn(tmp_path):
    x = bytes_of(32, 32, 3, 4)
    for part in ("train", "test"):
        savemat(tmp_path / f"{part}_32x32.mat", {"X": x, "y": np.array([[1], [10], [9], [10]], np.uint8)})
    data = svhn(tmp_path, verify=False)
    assert data.images.shape == (8, 3, 32, 32)
    assert data.images[1, 2, 5, 7] == x[5, 7, 2, 1]
    assert data.labels.tolist() == [1, 0, 9, 0] * 2
    assert data.train.tolist() == [True] * 4 + [False] * 4
    with pytest.raises(StoreError, match=r"train_32x32\.mat: md5 is"):
        svhn(tmp_path)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ({"X": bytes_of(32, 32, 3, 2), "y": np.array([[1], [0]])}, r"labels 1 to 10 belong there"),
        ({"X": bytes_of(2, 3, 32, 32), "y": np.array([[1], [2]])}, r"holds X \[2, 3, 32, 32\]"),
        ({"X": bytes_of(32, 32, 3, 2)}, "holds no y; it is another file"),
    ],
)
def test_svhn_corrupt(tmp_path, content, match):
    for part in ("train", "test"):
        savemat(tmp_path / f"{part}_32x32.mat", content)
    with pytest.raises(StoreError, match=match):
        svhn(tmp_path, verify=False)
    (tmp_path / "train_32x32.mat").write_bytes(b"MATLAB 5.0, not really")
    with pytest.raises(StoreError, match=r"train_32x32\.mat cannot be read"):
        svhn(tmp_path, verify=False)


def put_affnist(path, pictures, labels):
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, {"affNISTdata": {"image": pictures.reshape(len(pictures), -1).T, "label_int": labels[None]}})


def test_affnist(tmp_path, monkeypatch):
    pictures, labels = bytes_of(4, 40, 40), np.array([3, 0, 9, 3], np.uint8)
    put_affnist(tmp_path / "affnist" / "test_batches" / "7.mat", pictures, labels)
    monkeypatch.setenv("DEEPTHEORY_DATA", str(tmp_path))
    data = affnist(batch=7)
    assert np.array_equal(data.images, pictures)
    assert data.labels.tolist() == [3, 0, 9, 3]
    assert not data.train.any()
    assert "structure only, no checksum is known" in data.source
    put_affnist(tmp_path / "training_and_validation_batches" / "1.mat", pictures, labels)
    assert affnist(part="train").train.all()
    put_affnist(tmp_path / "test.mat", pictures[:, :30], labels)
    with pytest.raises(StoreError, match=r"test\.mat holds pictures \[1200, 4\]"):
        affnist(tmp_path)
    with pytest.raises(InputError, match="batch is 33"):
        affnist(batch=33)
    with pytest.raises(InputError, match="part is 'all'"):
        affnist(part="all")
    savemat(tmp_path / "test.mat", {"other": 1})
    with pytest.raises(StoreError, match=r"test\.mat cannot be read"):
        affnist(tmp_path)
    savemat(tmp_path / "test.mat", {"affNISTdata": {"image": pictures}})
    with pytest.raises(StoreError, match="holds no label_int"):
        affnist(tmp_path)


# --- where files are looked for


@pytest.mark.parametrize(
    ("load", "match"),
    [
        (fashion_mnist, r"fashion-mnist: train-images-idx3-ubyte\.gz or train-images-idx3-ubyte .* get it from github"),
        (small_norb, r"smallnorb: .*training-dat\.mat\.gz or .* is not in the data folder"),
        (cifar10, r"cifar-10: cifar-10-binary\.tar\.gz \(archive\) is not in"),
        (svhn, r"svhn: train_32x32\.mat \(train\) is not in .* get it from ufldl"),
        (affnist, r"affnist: test_batches/1\.mat or test\.mat .* get it from www\.cs\.toronto"),
        (coil20, r"coil20\.npz or coil-20-proc is not in the data folder"),
    ],
)
def test_what_is_not_there_is_told_with_where_to_get_it(load, match, monkeypatch, tmp_path):

    import sys

    monkeypatch.setattr(sys.modules["deeptheory.datasets.images.fashion_mnist"], "_DEBIAN", tmp_path / "none")
    with pytest.raises(StoreError, match=match):
        load()
    if load is not coil20:
        with pytest.raises(StoreError, match="is not in the folder given"):
            load(tmp_path)


def test_debians_package_is_found(monkeypatch, tmp_path):
    import sys

    put_fashion(tmp_path / "debian")
    source = sys.modules["deeptheory.datasets.images.fashion_mnist"]
    monkeypatch.setattr(source, "_DEBIAN", tmp_path / "debian")
    assert source.where() == "the package dataset-fashion-mnist"
    assert len(fashion_mnist(verify=False).images) == 10


def test_downloads_are_checked_and_said(monkeypatch, tmp_path):
    import pooch

    asked = []
    monkeypatch.setattr(pooch, "retrieve", lambda url, checksum, **how: asked.append((url, checksum)))
    with pytest.raises(StoreError, match="is not in"):
        svhn(download=True)
    with pytest.raises(StoreError, match="is not in"):
        cifar10(download=True)
    with pytest.raises(StoreError, match="is not in"):
        small_norb(download=True)
    assert [c.partition(":")[0] for _, c in asked] == ["md5"] * 9
    assert all(u.startswith("http") for u, _ in asked)

    def fail(*args, **kwargs):
        raise OSError("no route")

    monkeypatch.setattr(pooch, "retrieve", fail)
    with pytest.raises(StoreError, match="could not be had .no route.; check the network, or get it from"):
        fashion_mnist(download=True)
    with pytest.raises(StoreError, match="thing is not downloaded by this library; get it from a page"):
        Official("thing", "a page", {"part": (("file", ""),)}).fetch()


def test_checksums_are_those_of_the_bytes(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    official.check_file(path, "md5:900150983cd24fb0d6963f7d28e17f72")
    with pytest.raises(StoreError, match="file: md5 is 9001.*, published 0000; the file changed"):
        official.check_file(path, "md5:0000")
    with pytest.raises(StoreError, match="gone cannot be read"):
        official.check_file(tmp_path / "gone", "md5:0000")
    both = Official("it", "page", {"a": (("file", "md5:900150983cd24fb0d6963f7d28e17f72"),), "b": (("file", ""),)})
    assert both.find(tmp_path)[1] == "checksums of the published files; structure only for file"
    assert both.find(tmp_path, verify=False)[1] == "checksums not asked for"
    assert both.where().startswith("nowhere yet: get it from page")
    (tmp_path / "cache" / "it").mkdir(parents=True)
    (tmp_path / "cache" / "it" / "file").write_bytes(b"abc")
    assert both.where() == "the cache of downloads"


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_headers_that_promise_too_much_are_named(tmp_path, seed):
    """Every prefix of a file, and sizes whose product overflows: an error by name, never a raw one."""
    import struct

    from deeptheory.datasets.images.mnist import read_idx
    from deeptheory.datasets.images.small_norb import read_matrix

    rng = np.random.default_rng(seed)
    idx = b"\0\0\x08\x02" + struct.pack(">II", 3, 4) + bytes(12)
    norb = struct.pack("<iIiiii", 0x1E3D4C55, 3, 1, 2, 3, 0)[:20] + bytes(6)
    for k in [0, 3, 5, int(rng.integers(6, 11)), 12, 20]:
        (tmp_path / "a").write_bytes(idx[:k])
        with pytest.raises(StoreError):
            read_idx(tmp_path / "a")
        (tmp_path / "a").write_bytes(norb[:k])
        with pytest.raises(StoreError):
            read_matrix(tmp_path / "a")
    (tmp_path / "a").write_bytes(b"\0\0\x08\x04" + struct.pack(">IIII", *([2**31] * 4)))
    with pytest.raises(StoreError, match="its header promises"):
        read_idx(tmp_path / "a")
    (tmp_path / "a.gz").write_bytes(b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + rng.bytes(40))
    with pytest.raises(StoreError, match="cannot be read"):
        read_idx(tmp_path / "a.gz")
