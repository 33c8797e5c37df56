"""deeptheory compile, deeptheory cost: what they print, what they write."""

import contextlib
import io
import json
import zipfile
from pathlib import Path

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
    module = tmp_path / "net.pt2"  # a folder that is not there is wrong use (tests/cli/test_cli.py)
    code, out, err = run(
        capsys, "compile", "x*y*z + sin(x)", "--domain", "-1", "1", "--tolerance", "1e-4", "--out", str(module)
    )
    assert (code, err) == (0, "")
    assert "within 7." in out  # expansions take more of the tolerance, gates less
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
    said = json.loads(
        run(
            capsys,
            "compile",
            "x*y",
            "x + z",
            "--where",
            "x=0,2",
            "--dtype",
            "float32",
            "--tolerance",
            "1e-2",
            "--depth",
            "1",
            "--json",
            "--out",
            out,
        )[1]
    )
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
        (["compile", "3"], "3 has no variable, so that there is no network to export; name one"),
        (["compile", "x - x"], "0 has no variable"),
        (["compile", "abs(x)*y"], "|x| is not smooth"),
        (["compile", "max(x, y)"], "Max is not smooth"),
        (
            ["compile", "x**0.5", "--domain", "0", "1"],
            "the best reachable is 0.000",  # at its corner a polynomial is close to sqrt(x), but not so close
        ),
        (["compile", "x*y", "--where", "x=0,inf"], "domain of x is (0.0, inf); a certificate needs finite ends"),
        (["compile", "x*y", "--domain", "1", "-1"], "reversed; low comes first"),
        (["compile", "x*y", "--tolerance", "inf"], "tolerance is inf; needed: a finite number, 0 or more"),
        (["compile", "x*y", "--tolerance", "0"], "tolerance 0 is out of reach in float64; the best reachable is"),
        (
            ["compile", "x*y", "--domain", "-1e200", "1e200", "--tolerance", "1e300"],
            "values of x*y, or numbers on the way to them, overflow on this domain",
        ),
        (["compile", "1e38*x*y*z", "--dtype", "float32", "--tolerance", "1e37"], "above what float32 holds"),
        (["compile", "exp(1000*x)"], "exp over [-1000, 1000] overflows; narrow the domain"),
        (["compile", "gamma(x)"], "gamma is no function that is expanded"),
        (["compile", "x*y", "--tolerance", "1e-20"], "the best reachable is"),
        (["cost", "sin(x)"], "is no polynomial"),
        (["cost", "nowhere.pt2"], "there is no such file"),
    ],
)
def test_wrong_use(capsys, arguments, match):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert match in err
    assert out == ""


@pytest.mark.parametrize(("formula", "at_half"), [("0", 0), ("3", 3), ("x - x", 0), ("2*x - 1", 0), ("x/4", 0.125)])
def test_constants_and_lines_need_no_neuron(capsys, tmp_path, formula, at_half):
    out = str(tmp_path / "net.pt2")
    code, said, _ = run(capsys, "compile", formula, "--where", "x=-1,1", "--out", out)
    assert code == 0
    assert "a linear map, no neuron" in said
    value = torch.export.load(out).module()(torch.tensor([[0.5]], dtype=torch.float64))
    assert value.tolist() == [[at_half]]


def test_small_networks_are_drawn_weight_by_weight_and_large_ones_by_layer():
    small = draw_network(compile_polynomial("x*y*z"))
    assert len([t for t in small.data if t.mode == "lines"]) > 4
    assert any("output" in (t.text or ()) for t in small.data)
    assert "x*y*z<br><sup>10 neurons in 2 layers, within" in small.layout.title.text
    assert any("output 1" in (t.text or ()) for t in draw_network(compile_polynomial(["x*y", "x"])).data)
    large = draw_network(compile_polynomial("sin(5*x)*y"))
    assert large.data[0].type == "bar"
    assert draw_network(compile_polynomial("x + 1")) is not None


class _Evil:
    def __reduce__(self):
        return Path.touch, (Path("was_run"),)


def test_cost_runs_no_code_of_a_file(tmp_path, monkeypatch, capsys):
    """torch.export.load unpickles what an archive holds besides weights; a file from elsewhere must not run code."""
    monkeypatch.chdir(tmp_path)
    torch.export.save(torch.export.export(torch.nn.Linear(4, 2), (torch.randn(3, 4),)), "good.pt2")
    evil = io.BytesIO()
    torch.save(_Evil(), evil)
    with zipfile.ZipFile("good.pt2") as good, zipfile.ZipFile("evil.pt2", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, evil.getvalue() if "sample_inputs" in name else good.read(name))
    with pytest.raises(SystemExit) as stop:
        main(["cost", "evil.pt2"])
    assert stop.value.code == 2
    assert "cannot be read as an exported program" in capsys.readouterr().err
    assert not Path("was_run").exists()
    with contextlib.suppress(Exception):
        torch.export.load("evil.pt2")
    assert Path("was_run").exists()  # so the file was one that torch runs


def test_a_formula_is_no_file_however_long_or_like_a_folder(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x*y").mkdir()
    for formula in ("x*y", "+".join(f"{k}*x*y" for k in range(1, 60))):  # longer than the name of a file can be
        assert len(json.loads(run(capsys, "cost", formula, "--depth", "1", "--json")[1])) == 4
    code, _, said = run(capsys, "cost", "x" * 300 + ".pt2")
    assert (code, said.split(": ", 2)[2]) == (
        2,
        "there is no such file; give a polynomial, or a module (.pt2) that exists\n",
    )


def test_what_cannot_be_done_is_refused_before_compiling(capsys, tmp_path):
    assert "--where names x twice" in run(capsys, "compile", "x*y", "--where", "x=0,1", "--where", "x=5,6")[2]
    code, _, said = run(capsys, "compile", "x*y", "--out", tmp_path / "a.pt2", "--onnx", tmp_path / "no" / "a.onnx")
    assert (code, "there is no folder" in said) == (2, True)
    assert not list(tmp_path.iterdir())
