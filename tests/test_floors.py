"""The house stands: who may import whom, and what is loaded when."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import deeptheory as dt

SOURCE = Path(dt.__file__).parent
GROUND = {"core", "datasets", "networks", "recording", "runs"}
SCIENCES = {"information", "capsules", "cheap", "faces", "axis"}
ROOF = {"cli", "__main__"}


def _imports(path: Path) -> set[str]:
    """Parts of the package that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{a.name}" for a in node.names] if node.module == "deeptheory" else [node.module]
        elif isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        found |= {n.split(".")[1] for n in names if n.startswith("deeptheory.")}
    return found - {"__version__"}


def _part(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def _allowed(part: str) -> set[str] | None:
    if part in GROUND:
        above = {"core": {"datasets", "networks", "recording", "runs"}, "datasets": {"networks", "recording", "runs"}}
        above |= {
            "recording": {"networks", "runs"},
            "networks": {"runs", "recording"},
            "runs": {"networks", "recording"},
        }
        return GROUND - above[part]
    if part in SCIENCES:
        return (GROUND | {part}) - {"runs"}
    if part == "report":
        return {"core", "report"}
    if part in {"inspection", "studies", "playground"}:
        return GROUND | SCIENCES | {part, "report"}
    return None


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[str(p.relative_to(SOURCE)) for p in FILES])
def test_each_file_keeps_to_its_floor(path):
    part = _part(path)
    allowed = _allowed(part)
    if part == "__init__":
        assert not _imports(path)
    elif allowed is None:
        assert part in ROOF
    else:
        assert _imports(path) <= allowed


def test_a_study_has_no_training_loop_and_no_estimator():
    for path in (SOURCE / "studies").rglob("*.py"):
        text = path.read_text()
        assert "backward(" not in text, path
        assert "import torch" not in text, path


SLOW = ("torch", "sklearn", "scipy.stats", "pandas", "xarray", "plotly", "numba", "zarr")


@pytest.mark.parametrize(
    "code",
    [
        "import deeptheory",
        "import deeptheory; dir(deeptheory)",
        "from deeptheory.cli import main; main(['--help'])",
        "from deeptheory.cli import main; main(['list'])",
        "from deeptheory.cli import main; main(['list', '--json'])",
        "from deeptheory.cli import main; main(['data', 'list'])",
        "from deeptheory.cli import main; main(['reproduce', '--help'])",
        "from deeptheory.cli import main; main(['playground', '--help'])",
    ],
)
def test_starting_up_loads_nothing_slow(code):
    check = (
        "import sys\n"
        "try:\n"
        f"    {code.replace('; ', chr(10) + '    ')}\n"
        "except SystemExit as stop:\n"
        "    assert not stop.code, stop.code\n"
        f"print('LOADED', [m for m in {SLOW!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "LOADED []", done.stdout + done.stderr


def test_every_public_name_is_there_and_says_what_it_is():
    for name in dt.__all__:
        value = getattr(dt, name)
        if callable(value):
            assert value.__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        dt.nonsense
