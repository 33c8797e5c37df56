"""The compiled kernels: built by the C compiler at hand when first needed, saved in the cache folder, loaded by ctypes.

No compiler, or a failed build, is no error: `missing()` says why, and routing takes its other forms (see `backends`).
Measured: about two seconds per kernel, once per machine. DEEPTHEORY_CACHE moves the cache; CC names another compiler,
with arguments if need be ("ccache gcc", "gcc -m64").
Pitfalls: -march=native code must not travel: the name of the file holds processor, compiler and source. A library that
was cut short takes the process down when it is loaded: its checksum stands beside it, and what does not match is built
again. Under -ffast-math NaN is lost: it is switched off last, and vectors.h refuses it.
"""

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from deeptheory.datasets.paths import cache_folder

_HERE = Path(__file__).parent
_FLAGS = (
    *("-O3", "-march=native", "-fno-fast-math", "-fno-math-errno", "-ffp-contract=fast", "-std=gnu11"),
    *("-fPIC", "-shared"),
)
_PATIENCE = 120  # seconds for a build


@cache
def library(name: str) -> ctypes.CDLL | str:
    """The shared library of name.c, or a sentence that says why there is none."""
    compiler = os.environ.get("CC", "").strip()
    try:
        command = shlex.split(compiler) or [next(c for c in ("cc", "gcc", "clang") if shutil.which(c))]
    except StopIteration:
        return "no C compiler was found (cc, gcc or clang; CC names another)"
    except ValueError as error:
        return f"CC is {compiler!r}, which is no command: {error}"
    if shutil.which(command[0]) is None:
        return f"CC names the compiler {command[0]!r}, which was not found"
    source = _HERE / f"{name}.c"
    mark = hashlib.sha256()
    try:
        read = [p.read_bytes() for p in (source, *sorted(_HERE.glob("*.h")))]
        for part in (*read, " ".join([*command, *_FLAGS]).encode(), _version(command), _processor()):
            mark.update(part)
        return _loaded(command, source, f"{name}-{mark.hexdigest()[:20]}.so")
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", b"") or b""
        return f"{shlex.join(command)} did not build {name}.c: {error} {said.decode(errors='replace')[:500]}".strip()


def missing(name: str = "dynamic") -> str | None:
    """Why there is no compiled kernel, or None if there is one."""
    built = library(name)
    return built if isinstance(built, str) else None


def _loaded(command: list[str], source: Path, name: str) -> ctypes.CDLL:
    """From the cache; built there if it is absent or damaged; from a folder of this process alone if nothing can be
    saved there.
    """
    try:
        path = cache_folder() / "native" / name
        if not _whole(path):
            _build(command, source, path)
        return ctypes.CDLL(str(path))
    except OSError:
        with tempfile.TemporaryDirectory() as own:  # what is loaded may be deleted
            _build(command, source, Path(own) / name)
            return ctypes.CDLL(str(Path(own) / name))


def _whole(path: Path) -> bool:
    checksum = _checksum_of(path)
    return path.exists() and checksum.exists() and checksum.read_bytes() == _digest(path)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).hexdigest().encode()


def _checksum_of(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _build(command: list[str], source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        draft, checksum = Path(folder) / "draft.so", Path(folder) / "checksum"
        arguments = [*command, *_FLAGS, str(source), "-o", str(draft), "-lm"]
        quiet = {"capture_output": True, "timeout": _PATIENCE, "stdin": subprocess.DEVNULL}
        subprocess.run(arguments, check=True, **quiet)  # noqa: S603  # the user's own compiler on our own sources
        checksum.write_bytes(_digest(draft))
        os.replace(draft, path)  # whole or not at all, whoever builds at the same time
        os.replace(checksum, _checksum_of(path))


def _version(command: list[str]) -> bytes:
    asked = [*command, "--version"]
    quiet = {"capture_output": True, "timeout": _PATIENCE, "stdin": subprocess.DEVNULL}
    return subprocess.run(asked, check=False, **quiet).stdout  # noqa: S603  # the user's own compiler, no shell


def _processor() -> bytes:
    """What -march=native depends on: the processor's name and abilities."""
    known = Path("/proc/cpuinfo")
    if known.exists():
        lines = {
            x
            for x in known.read_bytes().splitlines()
            if x.startswith((b"model name", b"flags", b"Features", b"CPU part"))
        }
        return b"\n".join(sorted(lines))
    return f"{platform.machine()} {platform.processor()}".encode()
