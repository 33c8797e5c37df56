"""The most memory that a command takes, with all the processes that it starts.
`python -m benchmarks.peak [--under GB] COMMAND ...`

Every tenth of a second the proportional sizes (PSS) of the whole tree are added up: pages that processes share are
counted once, as a limit of the system on the tree would count them. A short peak between two looks is missed, so the
resident peak that the kernel keeps for each process (VmHWM) is listed too: their sum is an upper limit, as not all peak
at once and what they share counts twice.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

EVERY = 0.1  # seconds


def tree(pid: int) -> list[int]:
    """The process and all its descendants."""
    found = [pid]
    for parent in found:
        try:
            for children in Path(f"/proc/{parent}/task").glob("*/children"):
                found += [int(child) for child in children.read_text().split()]
        except OSError:  # it ended meanwhile
            continue
    return found


def sizes(pid: int) -> tuple[int, int]:
    """Bytes of a process: proportional size now, and its resident peak; 0 where it has ended."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        pss = next(int(r.split()[1]) for r in rows if r.startswith("Pss:"))
        rows = Path(f"/proc/{pid}/status").read_text().splitlines()
        return 1024 * pss, 1024 * next(int(r.split()[1]) for r in rows if r.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return 0, 0


def measure(command: list[str]) -> dict[str, float | int]:
    """Run it; its exit code, seconds, and peaks in GB (10^9 bytes)."""
    started, process = time.monotonic(), subprocess.Popen(command)
    largest, looks, peaks = 0, 0, {}
    while process.poll() is None:
        now = 0
        for pid in tree(process.pid):
            pss, peak = sizes(pid)
            now += pss
            peaks[pid] = max(peak, peaks.get(pid, 0))
        largest, looks = max(largest, now), looks + 1
        time.sleep(EVERY)
    return {
        "code": process.returncode, "seconds": round(time.monotonic() - started, 1), "looks": looks,
        "processes": len(peaks),
        "peak_gb": round(largest / 1e9, 3), "sum_of_resident_peaks_gb": round(sum(peaks.values()) / 1e9, 3),
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.peak")
    parser.add_argument("--under", type=float, help="GB; exit code 1 where the peak is above")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    chosen = parser.parse_args()
    found = measure(chosen.command)
    print(json.dumps(found))
    return int(found["code"] != 0 or (chosen.under is not None and found["peak_gb"] > chosen.under))


if __name__ == "__main__":
    sys.exit(main())
