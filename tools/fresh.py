"""Does it work where it was not made? Install into a fresh environment and run tests there: python tools/fresh.py KIND

wheel    the wheel of dist/, its dependencies lent by the environment that runs this (nothing is downloaded)
lowest   the lowest versions that pyproject.toml allows (uv, --resolution lowest-direct), by Python 3.11
newest   the newest versions that it allows

Environments go to build/fresh/KIND. The tests run in a copy of the tree without src/, so that they meet the installed
package alone. TESTS: paths to run in place of the sample below; --all: every fast test that needs no source tree.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "build" / "fresh"
SAMPLE = [  # of every floor of the house, and what tells of the structure
    *("tests/core", "--ignore=tests/core/test_memory.py", "tests/runs/test_ledger.py"),
    *("tests/datasets/tasks", "tests/recording/test_recording.py"),
    *("tests/information/test_estimators.py", "tests/information/test_readouts.py"),
    *("tests/capsules/routing/test_dynamic.py", "tests/cheap/compile/test_gates.py"),
    *("tests/report/test_page.py", "tests/report/test_static.py", "tests/studies/test_settings.py"),
    *("tests/test_floors.py", "tests/cli/test_cli.py"),
]
IN_A_CLONE = [  # what these test is in a clone alone
    *("test_benchmarks.py", "test_benchmark_scripts.py", "test_equations.py", "test_words.py", "test_release.py"),
    *("test_docs.py", "test_docs_blocks.py", "test_which_number.py"),
    *("capsules/test_benchmark.py", "cheap/test_benchmark.py", "cli/test_installation.py", "faces/test_numbers.py"),
    *("runs/test_kills.py", "test_accuracy.py", "test_truths.py"),
]
COPIED = ("tests", "docs", "examples", "pyproject.toml", "README.md", "CONTRIBUTING.md", "CITATION.cff", "Makefile")
TOOLS = ("pytest>=8.2", "pytest-timeout>=2.3", "pytest-xdist>=3.6", "hypothesis>=6.100", "jsonschema>=4.21")
TOOLS += ("playwright>=1.48", "setuptools")  # Triton's interpreter asks for the second


def call(*command: object, **more) -> None:
    """Run it; what fails ends this program with its exit code."""
    print("+", *command, flush=True)
    done = subprocess.run([str(c) for c in command], check=False, **more)
    if done.returncode:
        sys.exit(done.returncode)


def wheel() -> Path:
    """The one wheel of dist/."""
    found = sorted((ROOT / "dist").glob("deeptheory-*.whl"))
    if len(found) != 1:
        sys.exit(f"dist/ has {len(found)} wheels of deeptheory; needed is one: make dist")
    return found[0]


def lent(python: Path) -> None:
    """Add the packages of the environment that runs this, except what it says of deeptheory: its path comes last, and
    a plain line in a .pth file reads no other .pth file there, so that no editable install is followed."""
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (Path(site) / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")


def environment(kind: str, python: str) -> Path:
    """A new environment with the package in it; its python."""
    folder = HOME / kind
    shutil.rmtree(folder, ignore_errors=True)
    made = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    uv = [sys.executable, "-m", "uv"]
    call(*uv, "venv", "-q", "-p", sys.executable if kind == "wheel" else python, folder)
    if kind == "wheel":
        call(*uv, "pip", "install", "-q", "--no-deps", "-p", made, wheel())
        lent(made)
        return made
    how = ["--resolution", "lowest-direct" if kind == "lowest" else "highest"]
    listed = HOME / f"{kind}.txt"
    call(*uv, "pip", "compile", "-q", *how, "-p", made, ROOT / "pyproject.toml", "-o", listed)
    call(*uv, "pip", "install", "-q", "-p", made, "-r", listed)
    call(*uv, "pip", "install", "-q", "-p", made, *TOOLS, "mlxtend>=0.23", "-c", listed)
    call(*uv, "pip", "install", "-q", "--no-deps", "-p", made, wheel())
    return made


def copied() -> Path:
    """The tests and what they read, without src/."""
    place = HOME / "tree"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "_build", "gallery")
            )
        else:
            shutil.copy(ROOT / name, place / name)
    return place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("wheel", "lowest", "newest"))
    parser.add_argument("tests", nargs="*", default=SAMPLE)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--python", default="3.11")
    given = parser.parse_args()
    made, place = environment(given.kind, given.python), copied()
    inside = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    inside["PYTHONPATH"] = str(place / "tests")
    where = (
        "import deeptheory, sys; print(deeptheory.__file__); sys.exit(not deeptheory.__file__.startswith(sys.prefix))"
    )
    call(made, "-c", where, cwd=place, env=inside)  # the installed one, or this ends here
    tests = ["tests", *(f"--ignore=tests/{t}" for t in IN_A_CLONE)] if given.all else given.tests
    quiet = "ignore:Conversion of an array with ndim:DeprecationWarning"  # of Triton's interpreter up to 3.4
    call(
        made,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        "timeout=900",
        "-W",
        quiet,
        *tests,
        cwd=place,
        env=inside,
    )


if __name__ == "__main__":
    main()
