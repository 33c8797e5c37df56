"""Two runs on one page: what moved is said by the ledgers, every figure is drawn from its own run."""

import json
import re
import shutil

import pytest

from cli.running import run as command
from deeptheory.core.errors import InputError, StoreError
from deeptheory.report.static import draw
from deeptheory.report.two_runs import write_two_runs
from deeptheory.runs import decide
from deeptheory.runs.comparison import compare_runs
from oracles.small_page import claim


def write(runs, out):
    return write_two_runs(runs, out, compare_runs(*runs))


@pytest.fixture
def other(folder, tmp_path):
    """A copy in which one claim has another verdict, one figure other numbers, and one is gone."""
    copy = tmp_path / "other"
    shutil.copytree(folder, copy)
    decide([claim("a/1", 3.0), claim("a/2", 3.0)], {}, scale="quick").write(copy)
    path = copy / "figures" / "still.json"
    kept = json.loads(path.read_text())
    kept["figure"]["data"][0]["y"] = [3, 2, 50]
    path.write_text(json.dumps(kept))
    return copy


def test_what_moved_and_both_drawings_are_there(folder, other, tmp_path):
    page = write((folder, other), tmp_path / "out").read_text()
    rows = re.findall(r'<tr id="claim-([^"]+)"><td data-label="Moved">([^<]*)', page)
    assert rows == [("a-1", "verdict"), ("b", "removed")]
    assert "Later." in page
    drawings = [draw(json.loads((f / "figures" / "still.json").read_text())["figure"], "") for f in (folder, other)]
    bodies = [re.search(r"<g data-trace.*?</g>", d.svg, re.S)[0] for d in drawings]
    assert bodies[0] != bodies[1]
    assert all(body in page for body in bodies)
    assert "<script" not in page
    assert "default-src 'none'" in page.replace("&#39;", "'")


def test_a_run_beside_itself_has_moved_nothing(folder, tmp_path):
    page = write((folder, folder), tmp_path / "out").read_text()
    assert "None: every verdict, region and number is the same" in page
    assert "Same scale, seed, settings, versions and machine." in page


def test_a_figure_of_one_run_alone_is_told(folder, other, tmp_path):
    path = other / "page.json"
    page = json.loads(path.read_text())
    page["sections"][0]["figures"] = ["still"]
    path.write_text(json.dumps(page))
    text = write((folder, other), tmp_path / "out").read_text()
    assert text.count("This run has no such figure.") == 1
    assert text.count('<svg class="fig"') == 3


def test_the_command_names_the_page(folder, other, tmp_path, capsys):
    code, out, _ = command(capsys, "compare", folder, other, "--out", tmp_path / "there")
    assert code == 0
    assert out.splitlines()[-1] == str(tmp_path / "there" / "report.html")
    document = json.loads(command(capsys, "compare", folder, other, "--out", tmp_path / "there", "--json")[1])
    assert document["report"].endswith("report.html")
    assert "report" not in json.loads(command(capsys, "compare", folder, other, "--json")[1])


def test_what_cannot_be_compared_is_told(folder, other, tmp_path):
    record = json.loads((other / "run.json").read_text())
    (other / "run.json").write_text(json.dumps(record | {"study": "t"}))
    with pytest.raises(InputError, match="give two of one study"):
        write((folder, other), tmp_path / "out")
    (other / "run.json").write_text(json.dumps(record))
    (other / "page.json").write_text('{"title": "x"}')
    with pytest.raises(StoreError, match="page.json is of another form"):
        write((folder, other), tmp_path / "out")
    (other / "page.json").write_text('{"title": "x", "sections": [{"figures": ["../secret"]}]}')
    with pytest.raises(StoreError, match="names a figure"):
        write((folder, other), tmp_path / "out")
