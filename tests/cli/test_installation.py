"""bench: a command of a clone; an installed package has no benchmarks and does not list it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import deeptheory


def test_an_installed_package_does_not_list_bench(capsys, tmp_path):
    package = Path(deeptheory.__file__).parent
    shutil.copytree(package, tmp_path / "site" / "deeptheory", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def said(*arguments):
        command = [sys.executable, "-m", "deeptheory", *arguments]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    listed = said("--help")
    assert listed.returncode == 0
    assert "doctor" in listed.stdout
    assert "bench" not in listed.stdout
    refused = said("bench")
    assert refused.returncode == 2
    assert "No such command" in refused.stderr
