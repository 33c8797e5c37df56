"""The benchmark of capsules runs, and where both sides compute the same thing they agree; peers that are absent are
skipped.
"""

import json
import os
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_it_runs_without_peers(tmp_path):
    env = {**os.environ, "DEEPTHEORY_PEERS": str(tmp_path)}
    command = [sys.executable, "-m", "deeptheory", "bench", "--only", "capsules", "--quick", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    for peer in ("adambielski", "XifengGuo", "yl-1993"):
        assert f"{peer} is skipped: {tmp_path / peer}" in done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert {row["theirs"] for row in rows} >= {"eager einsum", "eager", "its two convolutions alone"}
    assert all(row["error"] is None or row["error"] < 1e-4 for row in rows)
    assert all(row["ours_ms"] > 0 for row in rows)
