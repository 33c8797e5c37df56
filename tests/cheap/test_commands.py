"""deeptheory compile, deeptheory cost: what they print, what they write."""

import json

import pytest
import torch

from deeptheory.cheap import compile_polynomial
from deeptheory.cheap.drawing import draw_network
from deeptheory.cli import main


def run(capsys, *arguments):
    code = 0
    try:
        main(list(arguments))
    except SystemExit as stop:
        code = stop.code or 0
    out = capsys.readouterr()
    return code, out.out, out.err


def test_compile_prints_certificate_and_counts_and_writes(capsys, tmp_path):
    module = tmp_path / "f" / "net.pt2"
    code, out, err = run(capsys, "compile", "x*y*z + sin(x)", "--domain", "-1", "1", "--tolerance", "1e-4", "--out", str(module))  # fmt: skip
    assert (code, err) == (0, "")
    assert "within 6." in out
    assert "truncation" in out
    assert "28 neurons in 3 hidden layers (10, 12, 6)" in out
    assert "sin to degree 5" in out
    loaded = torch.export.load(module).module()
    x = torch.rand(7, 3, dtype=torch.float64)
    assert (loaded(x)[:, 0] - (x.prod(1) + x[:, 0].sin())).abs().max() < 1e-4
    page = module.with_suffix(".html").read_text()
    assert "plotly" in page
    code, out, _ = run(capsys, "cost", str(module))
    assert code == 0
    assert "28 neurons, 80 synapses" in out
    assert json.loads(run(capsys, "cost", str(module), "--json")[1])["neurons"] == 28


def test_compile_as_json(capsys, tmp_path):
    out = str(tmp_path / "net.pt2")
    said = json.loads(run(capsys, "compile", "x*y", "x + z", "--where", "x=0,2", "--dtype", "float32", "--tolerance", "1e-2", "--depth", "1", "--json", "--out", out)[1])  # fmt: skip
    assert said["inputs"] == ["x", "y", "z"]
    assert said["domain"]["x"] == [0, 2]
    assert said["total"] <= 1e-2
    assert said["depth"] == 1
    assert said["counts"][0]["depth"] == 1


def test_cost_of_a_formula(capsys):
    code, out, _ = run(capsys, "cost", "x*y*z")
    assert code == 0
    assert "bias_free    1 hidden layer             8 to 8" in out
    rows = json.loads(run(capsys, "cost", "x*y*z", "--depth", "2", "--json")[1])
    assert {r["depth"] for r in rows} == {2}


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["compile", "x*y", "--dtype", "float16"], "--dtype is 'float16'"),
        (["compile", "x*y", "--where", "x"], "write NAME=LOW,HIGH"),
        (["compile", "x*y", "--out", "a.pt"], "name a file that ends in .pt2"),
        (["compile", "1/x"], "must stay away from 0"),
        (["compile", "x*y", "--tolerance", "1e-20"], "the best reachable is"),
        (["cost", "sin(x)"], "is no polynomial"),
        (["cost", "nowhere.pt2"], "is no file"),
    ],
)
def test_wrong_use(capsys, arguments, match):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert match in err
    assert out == ""


def test_small_networks_are_drawn_weight_by_weight_and_large_ones_by_layer():
    small = draw_network(compile_polynomial("x*y*z"))
    assert len([t for t in small.data if t.mode == "lines"]) > 4
    assert any("output 0" in (t.text or ()) for t in small.data)
    large = draw_network(compile_polynomial("sin(5*x)*y"))
    assert large.data[0].type == "bar"
    assert draw_network(compile_polynomial("x + 1")) is not None
