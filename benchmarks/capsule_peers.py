"""The public capsule layers that ours are measured against, unchanged, and what each computes otherwise.

They are looked for in benchmarks/peers/ (or the folder that DEEPTHEORY_PEERS names), one checkout each:
    git clone https://github.com/adambielski/CapsNet-pytorch           benchmarks/peers/adambielski
    git clone https://github.com/XifengGuo/CapsNet-Pytorch             benchmarks/peers/XifengGuo
    git clone https://github.com/yl-1993/Matrix-Capsules-EM-PyTorch    benchmarks/peers/yl-1993
One that is absent is skipped with a sentence. Nothing of them is part of this repository. Two of them ask for CUDA by
name; on a machine without it, torch.cuda.FloatTensor is answered by torch.FloatTensor and Tensor.cuda by the tensor
itself.
"""

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
class Peer:
    """A checkout: where it is, the file that holds the layer, and what that computes otherwise than the paper."""

    folder: str
    file: str
    wrong: str

    def path(self) -> Path:
        return Path(os.environ.get("DEEPTHEORY_PEERS") or Path(__file__).parent / "peers") / self.folder

    def module(self) -> Any | None:
        """The peer's module, or None, with a sentence on stderr."""
        file = self.path() / self.file
        if not file.exists():
            print(f"{self.folder} is skipped: {file} is not there (see benchmarks/capsule_peers.py)", file=sys.stderr)
            return None
        spec = spec_from_file_location(f"peer_{self.folder.replace('-', '_')}", file)
        assert spec is not None
        assert spec.loader is not None
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def named(self) -> str:
        """Name and commit."""
        done = subprocess.run(
            ["git", "-C", str(self.path()), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
        )
        return f"{self.folder} {done.stdout.strip()[:7] or 'of unknown commit'}"


PEERS = {
    "adambielski": Peer("adambielski", "net.py",
    "n iterations are n + 1 squashes (2 asked for here, so that it does 3), NaN where a capsule is 0"),
    "XifengGuo": Peer("XifengGuo", "capsulelayers.py",
    "no gradient through the couplings: less work, another gradient"),
    "yl-1993": Peer("yl-1993", "model/capsules.py",
    "child activations cancel, each window competes on its own: another function"),
}  # fmt: skip


@contextmanager
def without_cuda():
    """What the peers' calls for CUDA get on a machine that has none."""
    if torch.cuda.is_available():
        yield
        return
    kept = torch.cuda.FloatTensor, torch.Tensor.cuda
    torch.cuda.FloatTensor, torch.Tensor.cuda = torch.FloatTensor, lambda self, *a, **k: self
    try:
        yield
    finally:
        torch.cuda.FloatTensor, torch.Tensor.cuda = kept
