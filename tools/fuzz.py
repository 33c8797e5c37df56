"""What does a damaged file do to each reader? python tools/fuzz.py [READER ...] [--seconds 600] [--seed 0]

Each reader gets a good file with bytes flipped, cut, doubled, or set to the ends of their range. It must give a value
or one of deeptheory's own errors, within 5 seconds and 2 GB beyond what the process had, start no program, unpickle no
object, and write nothing outside of its folder. What does otherwise is a fault: printed once per place, its input kept
in build/fuzz/, exit code 1. Faults that were found are tests in tests/test_hostile_files.py.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from deeptheory.core.errors import DeeptheoryError

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "fuzz"
LIMIT, ROOM = 5.0, 2 << 30  # seconds an input, bytes beyond those at the start
RNG = np.random.default_rng(0)
SPECIAL = [b"\x00", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xff" * 8, b"-", b"e999"]
SPECIAL += [b"nan", b"inf", b'"', b"{", b"[" * 200, b"(" * 200, b"../", b"\r\n", b",", b"9" * 400, b"**", b"\xf0\x9f"]


def _array(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from scipy.io import savemat

        path, a = folder / f"a{suffix}", RNG.normal(size=(6, 3))
        if suffix == ".npy":
            np.save(path, a)
        elif suffix == ".npz":
            np.savez_compressed(path, a=a)
        elif suffix == ".mat":
            savemat(path, {"a": a})
        else:
            np.savetxt(path, a, delimiter=",", header="a,b,c", comments="")
        return path

    return make


def _read_array(path: Path) -> Any:
    from deeptheory.cli.arrays import read_array

    return read_array(path)


def _idx(folder: Path) -> Path:
    path = folder / "train-images-idx3-ubyte"
    path.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4]) + bytes(range(32)))
    return path


def _read_idx(path: Path) -> Any:
    from deeptheory.datasets.images.mnist import read_idx

    return read_idx(path)


def _matrix(folder: Path) -> Path:
    path = folder / "norb.mat"
    path.write_bytes(np.array([0x1E3D4C55, 3, 2, 4, 4], "<i4").tobytes() + bytes(range(32)))
    return path


def _read_matrix(path: Path) -> Any:
    from deeptheory.datasets.images.small_norb import read_matrix

    return read_matrix(path)


def _image(suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        from PIL import Image

        path = folder / f"i{suffix}"
        Image.fromarray(RNG.integers(0, 255, (8, 9, 3), dtype=np.uint8)).save(path)
        return path

    return make


def _read_image(path: Path) -> Any:
    from deeptheory.datasets.images.image_files import read_image

    return read_image(path)


def _text(name: str, text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name

    return make


def _read_landmarks(path: Path) -> Any:
    from deeptheory.datasets import read_landmarks

    return read_landmarks(path)


def _read_formula(path: Path) -> Any:
    from deeptheory.cheap.text import parse

    return parse(path.read_bytes().decode("utf-8", "replace"))


def _stored(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        for file in (ROOT / "docs" / "ledgers" / "runs" / "saxe-2018").iterdir():
            text = file.read_text()
            text = json.dumps(json.loads(text)[:2]) if file.name == "claims.json" else text
            (folder / file.name).write_text(text)
        return folder / name

    return make


def _read_ledger(path: Path) -> Any:
    from deeptheory.runs import Ledger

    return Ledger.load(path.parent)


def _read_record(path: Path) -> Any:
    from deeptheory.runs.record import read_record

    return read_record(path.parent)


def _weights(folder: Path) -> Path:
    from safetensors.numpy import save_file

    save_file({"0.weight": np.ones((2, 3), np.float32), "0.bias": np.ones(2, np.float32)}, folder / "w.safetensors")
    return folder / "w.safetensors"


def _read_weights(path: Path) -> Any:
    from deeptheory.inspection.weights import read_weights

    return read_weights(path)


def _zarr(folder: Path) -> Path:
    import xarray as xr

    from deeptheory.core.storage import write_dataset

    write_dataset(xr.Dataset({"v": ("seed", np.arange(5.0))}, coords={"seed": range(5)}), folder / "d")
    files = sorted(p for p in (folder / "d").rglob("*") if p.is_file())
    return files[random.randrange(len(files))]


def _read_zarr(path: Path) -> Any:
    from deeptheory.core.storage import read_dataset

    home = path
    while home.name != "d":
        home = home.parent
    return read_dataset(home)


POINTS = "x,y\n1.5,2\n3,4\n5,6.25\n"
READERS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], Any]]] = {
    "npy": (_array(".npy"), _read_array),
    "npz": (_array(".npz"), _read_array),
    "mat": (_array(".mat"), _read_array),
    "csv": (_array(".csv"), _read_array),
    "idx": (_idx, _read_idx),
    "norb": (_matrix, _read_matrix),
    "png": (_image(".png"), _read_image),
    "jpg": (_image(".jpg"), _read_image),
    "landmarks-csv": (_text("l.csv", POINTS), _read_landmarks),
    "landmarks-pts": (_text("l.pts", "version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n"), _read_landmarks),
    "landmarks-tem": (_text("l.tem", "2\n1 2\n3 4\n"), _read_landmarks),
    "formula": (_text("f.txt", "x*y**2 + sin(3*x) - 0.5*(x - 2)*y"), _read_formula),
    "claims": (_stored("claims.json"), _read_ledger),
    "run": (_stored("run.json"), _read_record),
    "safetensors": (_weights, _read_weights),
    "zarr": (_zarr, _read_zarr),
}


def damaged(good: bytes, dice: random.Random) -> bytes:
    """The bytes with one to four changes."""
    out = bytearray(good)
    for _ in range(dice.choice((1, 1, 2, 4))):
        at, n = dice.randrange(len(out) + 1), dice.randrange(1, 9)
        kind = dice.randrange(6)
        if kind == 0:
            out[at : at + 1] = bytes([dice.randrange(256)])
        elif kind == 1:
            del out[at:]
        elif kind == 2:
            del out[at : at + n]
        elif kind == 3:
            out[at : at + n] = dice.choice(SPECIAL)
        elif kind == 4:
            out[at:at] = dice.choice(SPECIAL)
        else:
            out[at:at] = out[max(0, at - 32) : at] * dice.choice((1, 3))
    return bytes(out)


class Forbidden(BaseException):
    """What no reader may do."""


def watch(folder: Path) -> None:
    """Raise Forbidden where a program is started, an object unpickled, or a file opened for writing elsewhere."""

    def hook(event: str, given: tuple) -> None:
        if event in ("os.system", "subprocess.Popen", "os.exec", "pickle.find_class", "socket.connect"):
            raise Forbidden(f"{event}: {given!r:.100}")
        if event == "open" and isinstance(given[0], str) and given[1] and set(str(given[1])) & set("wax+"):
            path = Path(given[0]).resolve()
            if not path.is_relative_to(folder) and not path.is_relative_to(KEPT) and path.parts[:2] != ("/", "dev"):
                raise Forbidden(f"open for writing: {path.name}")

    sys.addaudithook(hook)


def late(*_: object) -> None:
    raise Forbidden(f"no end within {LIMIT:g} s")


def tried(read: Callable[[Path], Any], path: Path) -> str:
    """ "" or what was wrong, with the place in the package."""
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        read(path)
    except DeeptheoryError:
        return ""
    except (Forbidden, Exception) as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "deeptheory" in f.filename]
        at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        return f"{type(error).__name__} at {at}: {str(error)[:100]}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return ""


def fuzz(name: str, seconds: float, seed: int) -> int:
    """Print the faults of one reader; their number."""
    make, read = READERS[name]
    dice, tries, faults, folder = random.Random(f"{name}{seed}"), 0, set(), Path(tempfile.mkdtemp(prefix="fuzz"))
    random.seed(seed)
    good = make(folder)
    read(good)  # imports what the reader needs, in its own time
    if wrong := tried(read, good):
        print(f"{name}: the good file is refused: {wrong}")
        return 1
    soft = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + ROOM
    resource.setrlimit(resource.RLIMIT_AS, (soft, resource.RLIM_INFINITY))
    KEPT.mkdir(parents=True, exist_ok=True)
    watch(folder)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        path = make(folder)
        path.write_bytes(damaged(path.read_bytes(), dice))
        (KEPT / f"{name}-last").write_bytes(path.read_bytes())  # what is left of an end by a signal
        tries += 1
        wrong = tried(read, path)
        place = wrong.partition(": ")[0]
        if wrong and place not in faults:
            faults.add(place)
            (KEPT / f"{name}-{len(faults)}").write_bytes(path.read_bytes())
            print(f"{name}: {wrong}  (build/fuzz/{name}-{len(faults)})", flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    (KEPT / f"{name}-last").unlink(missing_ok=True)
    print(f"{name}: {tries} files, {len(faults)} faults", flush=True)
    return len(faults)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("readers", nargs="*", default=list(READERS))
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, late)
    failed = 0
    for name in given.readers:
        child = os.fork()  # each with limits of its own
        if child == 0:
            os._exit(min(fuzz(name, given.seconds, given.seed), 100))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status < 0:
            print(f"{name}: ended by signal {-status}  (build/fuzz/{name}-last)")
        failed += status != 0
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
