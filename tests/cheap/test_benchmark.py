"""The benchmark runs without its peers and says so; both sides compute the same thing. Times are not tested."""

import json
import os
import subprocess
import sys


def test_it_runs_without_peers():
    environment = {k: v for k, v in os.environ.items() if k != "DEEPTHEORY_PEERS"}
    command = [sys.executable, "-m", "deeptheory", "bench", "--only", "cheap", "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert "pykan and sympytorch are left out" in done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert all(row["error"] <= 1e-4 for row in rows if row["error"] is not None)
    assert [row["ratio"] > 1e4 for row in rows if "bound the error" in row["name"]] == [True] * 3
