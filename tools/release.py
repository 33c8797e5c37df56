"""Is this tree fit to be released? python tools/release.py [--tests]

Each line is a check; it prints all of them with what was seen, and exits 1 if one does not hold. --tests runs the
tests too (`make test-all`, `make test-wheel`, `make test-lowest`), which takes long. Nothing is published or tagged.
"""

import argparse
import email
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 1_000_000  # bytes of the wheel
CHECKS: list[tuple[str, Callable[[], str]]] = []


class Wrong(Exception):
    """What does not hold, with the fix."""


def check(title: str) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """A function that says what it saw, or raises Wrong."""

    def keep(function: Callable[[], str]) -> Callable[[], str]:
        CHECKS.append((title, function))
        return function

    return keep


def run(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Wrong(f"{' '.join(command)} exited {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}")
    return done.stdout


def need(holds: bool, wrong: str) -> None:
    if not holds:
        raise Wrong(wrong)


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def one(pattern: str) -> Path:
    found = sorted((ROOT / "dist").glob(pattern))
    need(len(found) == 1, f"dist/ has {len(found)} of {pattern}; needed is one: make dist")
    return found[0]


def found(file: str, pattern: str) -> str:
    said = re.search(pattern, (ROOT / file).read_text(), re.M)
    need(said is not None, f"{file} has no line {pattern}")
    assert said is not None
    return said[1]


@check("the tree is clean")
def clean() -> str:
    changed = run("git", "status", "--porcelain", "--untracked-files=no").splitlines()
    need(
        not changed, f"{len(changed)} files differ from the last commit, first {changed[0] if changed else ''}; commit"
    )
    return run("git", "rev-parse", "--short", "HEAD").strip()


@check("one version everywhere, and the changelog opens with it")
def version() -> str:
    said = {
        "pyproject.toml": project()["version"],
        "src/deeptheory/__init__.py": found("src/deeptheory/__init__.py", r'^__version__ = "([^"]+)"'),
        "CITATION.cff": found("CITATION.cff", r"^version: (\S+)"),
        "CHANGELOG.md": found("CHANGELOG.md", r"^## (?:Unreleased \()?(\d+\.\d+\.\d+)"),
    }
    need(len(set(said.values())) == 1, f"versions differ: {said}")
    return said["pyproject.toml"]


@check("the changelog has a date for this version")
def dated() -> str:
    first = found("CHANGELOG.md", r"^(## .*)$")
    need("Unreleased" not in first, f"it opens with {first!r}; write '## {project()['version']} (YYYY-MM-DD)'")
    return first


@check("metadata of the wheel")
def metadata() -> str:
    with zipfile.ZipFile(one("deeptheory-*.whl")) as archive:
        text = archive.read(next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))).decode()
    said = email.message_from_string(text)
    for key in (
        "Name",
        "Version",
        "Summary",
        "Author",
        "License-Expression",
        "License-File",
        "Requires-Python",
        "Keywords",
    ):
        need(bool(said[key]), f"the wheel states no {key}")
    need(said["Version"] == project()["version"], f"dist/ holds {said['Version']}; make dist")
    least = re.search(r"3\.(\d+)", said["Requires-Python"])
    versions = [c for c in said.get_all("Classifier", []) if re.search(r":: 3\.\d+$", c)]
    need(
        least is not None and f"Programming Language :: Python :: 3.{least[1]}" in versions, f"classifiers: {versions}"
    )
    return f"{len(said.get_all('Classifier', []))} classifiers, {len(said.get_all('Requires-Dist', []))} requirements"


@check("the project has an address")
def address() -> str:
    urls = project().get("urls")
    need(bool(urls), "pyproject.toml has no [project.urls]; state it, and make the README's links absolute")
    return ", ".join(urls)


@check("the wheel holds the package, its types and its license, and no more")
def wheel() -> str:
    with zipfile.ZipFile(one("deeptheory-*.whl")) as archive:
        names = archive.namelist()
    tracked = run("git", "ls-files", "src/deeptheory").split()
    lacks = {t.removeprefix("src/") for t in tracked} - set(names)
    more = {n for n in names if n.startswith("deeptheory/")} - {t.removeprefix("src/") for t in tracked}
    need(
        not lacks and not more, f"lacks {sorted(lacks)[:3]}, holds beside {sorted(more)[:3]}; make dist in a clean tree"
    )
    need("deeptheory/py.typed" in names, "py.typed is not in it")
    need(any(n.endswith("licenses/LICENSE") for n in names), "LICENSE is not in it")
    return f"{len(names)} files"


@check("the sdist holds what the tests need, and its license")
def sdist() -> str:
    with tarfile.open(one("deeptheory-*.tar.gz")) as archive:
        names = {n.partition("/")[2] for n in archive.getnames()}
    for name in (
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "pyproject.toml",
        "src/deeptheory/py.typed",
        "tests/conftest.py",
    ):
        need(name in names, f"{name} is not in it")
    return f"{len(names)} files"


@check(f"the wheel is below {LARGEST / 1e6:g} MB")
def small() -> str:
    size = one("deeptheory-*.whl").stat().st_size
    need(size < LARGEST, f"it has {size / 1e6:.3f} MB")
    return f"{size / 1e6:.3f} MB"


@check("the README renders outside of the repository")
def readme() -> str:
    run(
        sys.executable,
        "-m",
        "twine",
        "check",
        "--strict",
        *map(str, (one("deeptheory-*.whl"), one("deeptheory-*.tar.gz"))),
    )
    return "twine check"


@check("style and types")
def lint() -> str:
    run("make", "lint")
    return "make lint"


TESTS = ("test-all", "test-wheel", "test-lowest")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", action="store_true", help="run the tests, too")
    given = parser.parse_args()
    checks = CHECKS + ([(f"make {t}", lambda t=t: run("make", t)[-60:].strip()) for t in TESTS] if given.tests else [])
    failed = 0
    for title, function in checks:
        try:
            print(f"holds  {title}: {function()}", flush=True)
        except Wrong as wrong:
            failed += 1
            print(f"NOT    {title}: {wrong}", flush=True)
    if not given.tests:
        print(f"not run: make {', '.join(TESTS)} (--tests runs them)")
    print(f"{len(checks) - failed} of {len(checks)} hold")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
