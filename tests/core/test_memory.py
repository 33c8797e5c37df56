"""Free memory is handed back to the system, so that a long training with snapshots does not grow."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads its memory as Linux tells it")
def test_training_with_looks_does_not_grow():
    """glibc does not reuse the gaps between torch's blocks; without handing them back this grew by 3.9 MB a look."""
    code = """
import deeptheory as dt
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
data = dt.datasets.icosahedron()
nets = dt.networks.Population.mlp([12, 10, 7, 5, 4, 3, 2], seeds=range(13))
for k in range(2):
    recorder = dt.Recorder(nets, data.x, data.y, layers="layer*", readouts=dt.Binning(30, (-1, 1)))
    dt.networks.fit(nets, data.x, data.y, epochs=120, record_at=range(120), recorder=recorder)
    first = resident() if k == 0 else first
print(resident() - first)
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 200  # MB; 470 without
