"""The blocks of README and docs paste and run, in the order of the page."""

import re
import shlex
from pathlib import Path

import pytest
from typer._click.exceptions import ClickException
from typer.main import get_group

from deeptheory.cli import app
from deeptheory.studies import find

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
FOLDERS = ("", "instruments", "lectures", "reference", "theory")
PAGES = [ROOT / "README.md", *(p for f in FOLDERS for p in sorted((DOCS / f).glob("*.md")))]
# 10 to 40 s of one core each; the others 1 to 10
SLOW = {"docs/bottleneck.md", "docs/critics.md", "docs/faces.md", "docs/theory/hinton-2018.md", "docs/axis_code.md"}
SLOW |= {f"docs/lectures/{page}.md" for page in ("donoho", "ma", "pennington", "soatto")}  # 1 to 2 s each, seven in all
MARK = "# Not run: "  # how a block begins that downloads or takes hours; the reason follows
LEFT_OUT: dict[str, list[str]] = {}  # page -> the reasons that stand in it, in page order
LANGUAGES = {"python", "sh", "text", "toml", "{eval-rst}", "{image}", "{include}", "{toctree}", "{math}"}
BLOCK = re.compile(r"^(`{3,})(\S*)[^\n]*\n(.*?)^\1\s*$", re.M | re.S)


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """First row and text of every block in a language, in page order."""
    text = page.read_text()
    found = [(text[: m.start(3)].count("\n") + 1, m[2], m[3]) for m in BLOCK.finditer(text)]
    return [(row, body) for row, of, body in found if of == language]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def run(page: Path) -> None:
    """Every Python block of a page in one namespace; an error names page and row."""
    space: dict = {"__name__": "__main__"}
    for row, body in blocks(page, "python"):
        if not body.startswith(MARK):
            exec(compile("\n" * (row - 1) + body, str(page), "exec"), space)


def marks(page: Path) -> list:
    return [pytest.mark.slow, pytest.mark.timeout(900)] if name(page) in SLOW else []


RUNS = [pytest.param(p, id=name(p), marks=marks(p)) for p in PAGES if blocks(p, "python")]


@pytest.mark.parametrize("page", RUNS)
def test_a_page_pastes_and_runs_in_its_order(page, tmp_path, monkeypatch):
    from plotly.basedatatypes import BaseFigure

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(BaseFigure, "show", lambda figure, *_, **__: figure.to_json())  # opens no browser
    run(page)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_block_is_left_out_unseen(page):
    text = page.read_text()
    assert {m[2] for m in BLOCK.finditer(text)} <= LANGUAGES
    assert len(re.findall(r"^\s*(?:```|~~~)", text, re.M)) == 2 * len(BLOCK.findall(text))
    reasons = [body.split("\n", 1)[0] for _, body in blocks(page, "python") if body.startswith(MARK)]
    assert [r.removeprefix(MARK) for r in reasons] == LEFT_OUT.get(name(page), [])
    assert (MARK in text) == bool(reasons)


def test_blocks_share_a_namespace_and_an_error_names_its_row(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\na = 1\n```\n\ntext\n\n```python\na += 1\nassert a == 2\n```\n")
    run(page)
    page.write_text(page.read_text() + "\n```python\n\nb\n```\n")
    with pytest.raises(NameError) as error:
        run(page)
    assert (error.traceback[-1].path, error.traceback[-1].lineno) == (page, 13)


COMMANDS = [
    pytest.param(shlex.split(line, comments=True)[1:], id=f"{name(p)}:{row + i}")
    for p in PAGES
    for row, body in blocks(p, "sh")
    for i, line in enumerate(body.splitlines())
    if line.startswith("deeptheory ")
]


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_command_in_a_page_is_one(arguments):
    root = get_group(app)
    context = root.make_context("deeptheory", list(arguments))
    name, command, rest = root.resolve_command(context, [*context._protected_args, *context.args])
    assert command is not None
    given = command.make_context(name, rest, parent=context).params
    if name == "reproduce":
        study = find(given["study"])
        assert given["scale"] in study.scales
        changed = [*given["changes"], *given["more"]]
        assert {c.split("=")[0] for c in changed} <= set(study.settings)


def test_a_command_that_is_none_is_found():
    with pytest.raises(ClickException):
        test_a_command_in_a_page_is_one(["reproduce", "saxe-2018", "--no-such-option"])
    with pytest.raises(ClickException):
        test_a_command_in_a_page_is_one(["no-such-command"])
    with pytest.raises(AssertionError):
        test_a_command_in_a_page_is_one(["reproduce", "saxe-2018", "--scale", "no-such-scale"])
