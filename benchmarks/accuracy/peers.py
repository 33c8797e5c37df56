"""Other packages on the same samples, each in an environment of its own, in a process that stays up.

DEEPTHEORY_PEERS names a folder; FOLDER/PACKAGE/bin/python must have the package (python -m venv FOLDER/ennemi, then its
pip install ennemi). Beside them: jax 0.4.33 for benchmark-mi 0.1.3, scikit-learn below 1.6 for gmm-mi 0.8.2, numpy
below 2 for latentmi 0.1.3, pandas for torch-mist 0.2.17; the wheel of mist-statinf 0.1.1 has no weights. What is not
there is said and left out. Settings are the packages' defaults where there are any; else benchmark-mi: 5 neighbors;
infomeasure's kernel: a box of .5 on standardized columns; torch-mist: two hidden layers of 64, at most 200 epochs of
batches of 128, a quarter held out to stop, its own value on all samples. A package that takes one column a side is not
asked about more; one that gives no interval has none in the table; notes are ours alone. Nats become bits here.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from benchmarks.accuracy.rows import Found, PeerError
from deeptheory.core.errors import InputError

PEERS = {  # name in the table -> folder of its environment
    "ennemi": "ennemi",
    "infomeasure KSG": "infomeasure",
    "infomeasure discrete": "infomeasure",
    "infomeasure kernel": "infomeasure",
    "benchmark-mi KSG": "benchmark-mi",
    "benchmark-mi CCA": "benchmark-mi",
    "benchmark-mi histogram": "benchmark-mi",
    "gmm-mi": "gmm-mi",
    "mist-statinf": "mist-statinf",
    "latentmi": "latentmi",
    "torch-mist MINE": "torch-mist",
    "torch-mist NWJ": "torch-mist",
    "torch-mist InfoNCE": "torch-mist",
    "torch-mist SMILE": "torch-mist",
}

_WORKER = Path(__file__).with_name("peer_worker.py")


def peer(name: str) -> tuple[Callable, str]:
    """What measures a peer, and why it cannot be measured here, or ""."""
    root = os.environ.get("DEEPTHEORY_PEERS", "")
    python = Path(root) / PEERS[name] / "bin" / "python"
    if not root:
        return Peer(name, python), f"left out: DEEPTHEORY_PEERS names no folder with {PEERS[name]}/bin/python"
    if not python.exists():
        return Peer(name, python), f"left out: there is no {PEERS[name]}/bin/python in DEEPTHEORY_PEERS"
    return Peer(name, python), ""


class Peer:
    """A worker process of one estimator; begun at the first call, and again after one that was stopped."""

    def __init__(self, name: str, python: Path):
        self.name, self.python = name, python
        self.process: subprocess.Popen | None = None
        self.folder = tempfile.TemporaryDirectory()

    def __call__(self, x: np.ndarray, y: np.ndarray, seconds: float) -> Found:
        """InputError: it refuses such data. PeerError: it failed, with the end of what it said."""
        path = Path(self.folder.name) / "data.npz"
        np.savez(path, x=x, y=y)
        process = self._begun()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(f"{path}\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BaseException:  # the row's time is up, or the worker is gone: the next call starts another
            self._stop()
            raise
        if not line:
            process.wait()
            self._stop()
            said = (Path(self.folder.name) / "said.txt").read_text(errors="replace").strip().splitlines()
            raise PeerError(said[-1] if said else f"ended with exit code {process.returncode}")
        told = json.loads(line)
        if "refused" in told:
            raise InputError(told["refused"])
        if "failed" in told:
            raise PeerError(told["failed"])
        low, high = (float("nan") if told[k] is None else told[k] for k in ("low", "high"))
        return Found(told["value"], low, high, 0, told["seconds"], told["method"])

    def _begun(self) -> subprocess.Popen:
        if self.process is None:
            threads = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
            environment = {**os.environ, **dict.fromkeys(threads, "1")}
            environment.pop("PYTHONPATH", None)
            with (Path(self.folder.name) / "said.txt").open("w") as said:
                self.process = subprocess.Popen(
                    [str(self.python), str(_WORKER), self.name],
                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said, text=True, env=environment,
                )  # fmt: skip
        return self.process

    def _stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    with suppress(BrokenPipeError):  # a line that it did not read
                        pipe.close()
            self.process = None

    def close(self) -> None:
        """End the worker."""
        self._stop()
        self.folder.cleanup()
