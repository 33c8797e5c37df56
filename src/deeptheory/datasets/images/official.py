"""Files as a data set's authors publish them: where they may lie, whether they are the published bytes, where to get
them.

Trap: the same content goes round gzipped, gzipped anew and unpacked, each with another checksum; every form that is
known has its own, and a form without a known one is checked by its structure alone, which the data then say.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deeptheory.core.errors import StoreError
from deeptheory.datasets.paths import cache_folder, data_folder


@dataclass(frozen=True)
class Official:
    """The files of one data set. name: also of the sub-folder that is looked in. page: where to get them.

    parts: what each file holds -> the forms in which it goes round, as (file name, "md5:..." or "sha256:..." or ""
    where no checksum is known). urls: file name -> address, where a checked download is offered.
    """

    name: str
    page: str
    parts: Mapping[str, tuple[tuple[str, str], ...]]
    urls: Mapping[str, str] = field(default_factory=dict)

    def find(self, folder: str | Path | None = None, verify: bool = True) -> tuple[dict[str, Path], str]:
        """Each part's file, and in words how far the bytes are known to be the published ones.

        folder: looked in alone, where given; else the data folder, its sub-folder of this name, the cache of downloads.
        verify: False takes any file of the right name. StoreError: a part is missing, or not the published bytes.
        """
        found, unknown = {}, []
        for part, forms in self.parts.items():
            path, expected = self._first(part, forms, folder)
            if verify and expected:
                check_file(path, expected)
            elif not expected:
                unknown.append(path.name)
            found[part] = path
        if not verify:
            return found, "checksums not asked for"
        known = len(found) > len(unknown)
        said = ["checksums of the published files"] if known else []
        said += (
            [f"structure only for {', '.join(unknown)}"]
            if unknown and known
            else ["structure only, no checksum is known"]
            if unknown
            else []
        )
        return found, "; ".join(said)

    def fetch(self) -> None:
        """Download what has an address into the cache, checked.

        StoreError: no network, another checksum, no address.
        """
        import pooch

        for forms in self.parts.values():
            offered = [(name, checksum) for name, checksum in forms if name in self.urls]
            if not offered:
                raise StoreError(f"{self.name} is not downloaded by this library; get it from {self.page}")
            name, checksum = offered[0]
            try:
                pooch.retrieve(self.urls[name], checksum, fname=name, path=cache_folder() / self.name)
            except (OSError, ValueError) as error:  # no network, or another checksum
                raise StoreError(
                    f"{name} could not be had ({error}); check the network, or get it from {self.page}"
                ) from error

    def where(self) -> str:
        """In words: where the files would come from now."""
        for folder in _folders(self.name):
            if all(any((folder / name).is_file() for name, _ in forms) for forms in self.parts.values()):
                return "the cache of downloads" if folder == cache_folder() / self.name else "the data folder"
        return f"nowhere yet: get it from {self.page} and set DEEPTHEORY_DATA"

    def _first(self, part: str, forms, folder) -> tuple[Path, str]:
        places = _folders(self.name) if folder is None else [Path(folder)]
        for place in places:
            for name, checksum in forms:
                if (place / name).is_file():
                    return place / name, checksum
        names = " or ".join(name for name, _ in forms)
        looked = "the folder given" if folder is not None else "the data folder (DEEPTHEORY_DATA) and the cache"
        raise StoreError(f"{self.name}: {names} ({part}) is not in {looked}; get it from {self.page}")


def check_file(path: Path, expected: str) -> None:
    """StoreError where the file's bytes are not those of the checksum "md5:..." or "sha256:..."."""
    kind, _, value = expected.partition(":")
    digest = hashlib.new(kind)
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise StoreError(f"{path.name} cannot be read ({error})") from error
    if digest.hexdigest() != value:
        raise StoreError(
            f"{path.name}: {kind} is {digest.hexdigest()}, published {value}; the file changed or is corrupt, "
            "get it again"
        )


def _folders(name: str) -> list[Path]:
    folder = data_folder()
    return [*([] if folder is None else [folder, folder / name]), cache_folder() / name]
