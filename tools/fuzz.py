"""What does a damaged file do to each reader? python tools/fuzz.py [READER ...] [--seconds 600] [--seed 0]

Each reader gets a good file with bytes flipped, cut, doubled, or set to the ends of their range. It must give a value
or one of deeptheory's own errors, within 5 seconds of the processor and 2 GB beyond what the process had, start no
program, unpickle no object, and write nothing outside of its folder. What does otherwise is a fault: printed once per
place, its input kept in build/fuzz/, exit code 1. Faults that were found are tests in
tests/test_hostile_files.py. The readers are listed in fuzz_readers.py.
"""

import argparse
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

from fuzz_readers import READERS, ROOT

from deeptheory.core.errors import DeeptheoryError

KEPT = ROOT / "build" / "fuzz"
LIMIT, ROOM = 5.0, 2 << 30  # seconds an input, bytes beyond those at the start
SPECIAL = [b"\x00", b"\xff", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xff" * 8, b"-", b"e999"]
SPECIAL += [b"nan", b"inf", b'"', b"{", b"[" * 200, b"(" * 200, b"../", b"\r\n", b",", b"9" * 400, b"**", b"\xf0\x9f"]


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
    signal.setitimer(signal.ITIMER_PROF, LIMIT)
    signal.setitimer(signal.ITIMER_REAL, 30 * LIMIT)  # what waits, and for a busy machine
    try:
        read(path)
    except DeeptheoryError:
        return ""
    except (Forbidden, Exception) as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "deeptheory" in f.filename]
        at = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
        return f"{type(error).__name__} at {at}: {str(error)[:100]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
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
    for alarm in (signal.SIGALRM, signal.SIGPROF):
        signal.signal(alarm, late)
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
