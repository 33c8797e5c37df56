"""The checklist before a release says what does not hold, and holds what does."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def release(tmp_path, monkeypatch):
    """tools/release.py on a tree of its own."""
    spec = spec_from_file_location("release", ROOT / "tools" / "release.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("pyproject.toml", "CITATION.cff", "CHANGELOG.md", "src/deeptheory/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def test_the_version_is_one_in_this_tree(release):
    assert release.version() == release.project()["version"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("CITATION.cff", "\nversion: ", "\nversion: 9"),
        ("src/deeptheory/__init__.py", '__version__ = "', '__version__ = "9'),
        ("pyproject.toml", '\nversion = "', '\nversion = "9'),
    ],
)
def test_two_versions_are_named(release, tmp_path, file, old, new):
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new, 1))
    with pytest.raises(release.Wrong, match="versions differ"):
        release.version()


def test_a_changelog_without_a_date_or_a_version_is_named(release, tmp_path):
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## Unreleased (0.1.0)\n")
    with pytest.raises(release.Wrong, match="YYYY-MM-DD"):
        release.dated()
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n\n## 0.1.0 (2026-12-01)\n")
    assert release.dated() == "## 0.1.0 (2026-12-01)"
    (tmp_path / "CHANGELOG.md").write_text("# Changelog\n")
    with pytest.raises(release.Wrong, match="has no line"):
        release.version()


def test_a_wheel_that_is_not_there_or_too_large_is_named(release, tmp_path):
    with pytest.raises(release.Wrong, match="dist/ has 0 of"):
        release.small()
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "deeptheory-0.1.0-py3-none-any.whl").write_bytes(bytes(release.LARGEST))
    with pytest.raises(release.Wrong, match="it has 1.000 MB"):
        release.small()
    (tmp_path / "dist" / "deeptheory-0.1.0-py3-none-any.whl").write_bytes(bytes(10))
    assert release.small() == "0.000 MB"


def test_what_fails_is_counted_and_the_rest_is_still_looked_at(release, monkeypatch, capsys):
    def wrong() -> str:
        raise release.Wrong("it rains")

    monkeypatch.setattr(release, "CHECKS", [("a", wrong), ("b", lambda: "sun")])
    monkeypatch.setattr("sys.argv", ["release.py"])
    assert release.main() == 1
    assert capsys.readouterr().out.splitlines()[:2] == ["NOT    a: it rains", "holds  b: sun"]
    monkeypatch.setattr(release, "CHECKS", [("b", lambda: "sun")])
    assert release.main() == 0
