"""Two inspections on one page: numbers next to their own controls, one axis of values, what differs about the runs."""

import json
import re
import shutil

import pytest
import torch
from torch import nn

import deeptheory as dt
from deeptheory.cli import main
from deeptheory.core.errors import InputError, StoreError
from deeptheory.report.side_by_side import write_side_by_side

X, Y = torch.randn(40, 4, generator=torch.Generator().manual_seed(0)), torch.arange(40) % 2


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    torch.manual_seed(0)
    small = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2))
    deep = nn.Sequential(nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 7), nn.Tanh(), nn.Linear(7, 2))
    for name, model in (("small", small), ("deep", deep)):
        dt.inspect(
            model,
            X,
            Y,
            instruments="health",
            out=folder / name,
            twins=2,
            title=f"<{name}>",
            split="test",
            progress=False,
        )
    return folder


def changed(runs, to, **facts):
    shutil.copytree(runs / "deep", to)
    kept = json.loads((to / "inspection.json").read_text())
    kept["facts"] |= facts
    (to / "inspection.json").write_text(json.dumps(kept))
    return to


def test_each_number_stands_with_its_own_controls(runs, tmp_path):
    page = write_side_by_side([runs / "small", runs / "deep"], tmp_path / "page").read_text()
    assert "&lt;small&gt;" in page
    assert "<small>&" not in page
    assert "<script" not in page
    assert "Same probe, split" in page
    for name in ("small", "deep"):
        kept = json.loads((runs / name / "inspection.json").read_text())
        inner = [m["name"] for m in kept["measured"] if m["role"] == "activation"][-1]
        rank = next(r for r in kept["instruments"][0]["rows"] if r["quantity"] == "rank" and r["layer"] == inner)
        assert f"<b>{rank['value']:.3g} [{rank['low']:.3g}, {rank['high']:.3g}]</b>" in page
        assert f"untrained {rank['twin_least']:.3g} to {rank['twin_most']:.3g}" in page


def test_a_row_has_one_axis_of_values(runs, tmp_path):
    page = write_side_by_side([runs / "small", runs / "deep"], tmp_path).read_text()
    row = page[page.index('id="health-rank"') :]
    row = row[: row.index("</div>")]
    ticks = [re.findall(r'class="tick"[^>]*>([^<]*)<', svg) for svg in row.split("<svg")[1:]]
    assert len(ticks) == 2
    assert ticks[0] == ticks[1]


def test_intervals_apart_or_not(runs, tmp_path):
    page = write_side_by_side([runs / "small", runs / "small"], tmp_path / "same").read_text()
    assert "<td>overlap</td>" in page
    assert "<td>apart</td>" not in page
    kept = json.loads((runs / "small" / "inspection.json").read_text())
    for r in kept["instruments"][0]["rows"]:
        if r["low"] is not None:
            r["low"], r["high"] = r["high"] + 10, r["high"] + 11
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "inspection.json").write_text(json.dumps(kept))
    page = write_side_by_side([runs / "small", tmp_path / "moved"], tmp_path / "page").read_text()
    assert "<td>apart</td>" in page
    assert "<td>overlap</td>" not in page
    assert "&lt;small&gt; (moved)" in page


def test_what_differs_about_the_runs_is_said(runs, tmp_path):
    other = changed(runs, tmp_path / "other", checksum="f" * 12, split="train")
    page = write_side_by_side([runs / "small", other], tmp_path / "page").read_text()
    assert "The probe differs" in page
    assert "The split differs: test" in page
    assert "Numbers on other inputs are not comparable" in page
    assert "Same probe" not in page


def test_the_command_compares_inspections(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments in ([], ["--out", "there"]):
        with pytest.raises(SystemExit) as stop:
            main(["compare", str(runs / "small"), str(runs / "deep"), *arguments])
        assert not stop.value.code
    assert capsys.readouterr().out.split() == ["runs/compare-small-deep/report.html", "there/report.html"]
    assert (tmp_path / "there" / "report.html").exists()


def test_wrong_use_is_told(runs, tmp_path, capsys):
    with pytest.raises(InputError, match="1 inspection was given; needed: 2 to 4"):
        write_side_by_side([runs / "small"], tmp_path)
    with pytest.raises(StoreError, match="is missing"):
        write_side_by_side([runs / "small", tmp_path], tmp_path)
    (tmp_path / "a").mkdir()
    with pytest.raises(SystemExit) as stop:
        main(["compare", str(tmp_path / "a"), str(tmp_path / "a"), "--out", "x"])
    assert stop.value.code == 1
    assert "run.json is missing" in capsys.readouterr().err
