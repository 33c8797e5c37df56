"""CIFAR-10 from the published binary version; the Python version is a pickle, which this library does not open."""

import tarfile
import zlib
from pathlib import Path

import numpy as np

from deeptheory.core.errors import StoreError
from deeptheory.datasets.images.digits import Images
from deeptheory.datasets.images.official import Official

_ARCHIVE = "cifar-10-binary.tar.gz"
_FOLDER = "cifar-10-batches-bin"
_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
_SHA256 = {  # of the files in the archive
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
_ROW = 1 + 3 * 32 * 32  # a label, then red, green and blue, each row by row
_PAGE = "www.cs.toronto.edu/~kriz/cifar.html (binary version)"

OFFICIAL = Official(
    name="cifar-10",
    page=_PAGE,
    parts={"archive": ((_ARCHIVE, f"md5:{_MD5}"),)},
    urls={_ARCHIVE: f"https://www.cs.toronto.edu/~kriz/{_ARCHIVE}"},
)
UNPACKED = Official(
    name="cifar-10",
    page=_PAGE,
    parts={name: ((f"{_FOLDER}/{name}", f"sha256:{sha}"), (name, f"sha256:{sha}")) for name, sha in _SHA256.items()},
)


def cifar10(folder: str | Path | None = None, *, download: bool = False, verify: bool = True) -> Images:
    """50,000 + 10,000 images of ten kinds, [n, 3, 32, 32] uint8 0 to 255, labels 0 to 9 (Krizhevsky 2009).

    The first 50,000 are for training (`.train`).
    folder: where cifar-10-binary.tar.gz or its unpacked files lie; by default the data folder, then the cache.
    download: get the archive into the cache first (160 MB). verify: False takes files that are not the published ones.
    StoreError: a file is missing, corrupt, not the published bytes, or could not be had. InputError: DEEPTHEORY_DATA is
    not a folder.
    """
    if download:
        OFFICIAL.fetch()
    try:
        files, said = UNPACKED.find(folder, verify)
        pieces = [_batch(path.read_bytes(), path.name) for path in files.values()]
    except StoreError as missing:
        if " is not in " not in str(missing):
            raise
        files, said = OFFICIAL.find(folder, verify)
        pieces = _from_archive(files["archive"])
    images, labels = (np.concatenate(column) for column in zip(*pieces))
    return Images(
        name="cifar-10",
        images=images,
        labels=labels,
        train=np.arange(len(images)) < len(images) - len(pieces[-1][0]),
        source=f"the published files ({said})",
        license="none stated by the authors; research use is customary",
    )


def where() -> str:
    """In words: where the files would come from now."""
    return next((w for w in (UNPACKED.where(), OFFICIAL.where()) if not w.startswith("nowhere")), OFFICIAL.where())


def _from_archive(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:  # read, never unpacked: a name in an archive may point anywhere
                name = member.name.rpartition("/")[2]
                file = archive.extractfile(member) if name in _SHA256 and member.isfile() else None
                if file is not None:
                    found[name] = file.read()
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise StoreError(f"{path.name} cannot be read ({error}); get it again") from error
    missing = [n for n in _SHA256 if n not in found]
    if missing:
        raise StoreError(f"{path.name} holds no {', '.join(missing)}; it is not the binary version")
    return [_batch(found[name], name) for name in _SHA256]


def _batch(raw: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    if not raw or len(raw) % _ROW:
        raise StoreError(f"{name} has {len(raw)} bytes; an integer number of rows of {_ROW} belongs there")
    rows = np.frombuffer(raw, dtype=np.uint8).reshape(-1, _ROW)
    if rows[:, 0].max() > 9:
        raise StoreError(f"{name} has a label {rows[:, 0].max()}; they run from 0 to 9")
    return rows[:, 1:].reshape(-1, 3, 32, 32).copy(), rows[:, 0].astype(np.int64)
