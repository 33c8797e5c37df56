"""The compiled kernels: built by the C compiler at hand when first needed, kept in the cache folder, loaded by ctypes.

No compiler, or a failed build, is no error: `missing()` says why, and routing takes its other forms (see `backends`). Measured:
about two seconds a kernel, once a machine. DEEPTHEORY_CACHE moves the cache; CC names another compiler.
Trap: -march=native code must not travel: the name of the file holds processor, compiler and source.
"""

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from deeptheory.datasets.places import cache_folder

_HERE = Path(__file__).parent
_FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-ffp-contract=fast", "-std=gnu11", "-fPIC", "-shared")


@cache
def library(name: str) -> ctypes.CDLL | str:
    """The shared library of name.c, or a sentence that says why there is none."""
    compiler = os.environ.get("CC") or next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
    if compiler is None:
        return "no C compiler was found (cc, gcc or clang; CC names another)"
    source, header = _HERE / f"{name}.c", _HERE / "vectors.h"
    mark = hashlib.sha256()
    for part in (source.read_bytes(), header.read_bytes(), " ".join(_FLAGS).encode(), _version(compiler), _processor()):
        mark.update(part)
    path = cache_folder() / "native" / f"{name}-{mark.hexdigest()[:20]}.so"
    try:
        if not path.exists():
            _build(compiler, source, path)
        return ctypes.CDLL(str(path))
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or b""
        return f"{compiler} did not build {name}.c: {error} {said.decode(errors='replace')[:500]}".strip()


def missing(name: str = "dynamic") -> str | None:
    """Why there is no compiled kernel, or None if there is one."""
    built = library(name)
    return built if isinstance(built, str) else None


def _build(compiler: str, source: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(suffix=".so", dir=path.parent)
    os.close(handle)
    try:
        subprocess.run([compiler, *_FLAGS, str(source), "-o", draft, "-lm"], check=True, capture_output=True)
        os.replace(draft, path)  # whole or not at all, whoever builds at the same time
    finally:
        Path(draft).unlink(missing_ok=True)


def _version(compiler: str) -> bytes:
    return subprocess.run([compiler, "--version"], capture_output=True, check=False).stdout


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
