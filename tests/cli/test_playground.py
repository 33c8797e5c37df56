"""playground: what the command writes and prints, and what it refuses."""

import json

import pytest

from deeptheory.cli import main
from deeptheory.playground import measuring
from deeptheory.playground.grid import PROTOCOL, Setting


def run(capsys, *arguments):
    code = 0
    try:
        main(["playground", *map(str, arguments)])
    except SystemExit as stop:
        code = stop.code or 0
    out = capsys.readouterr()
    return code, out.out, out.err


def test_the_page_is_written_and_counted(capsys, tmp_path):
    out = tmp_path / "p.html"
    code, said, _ = run(capsys, "--out", out, "--json")
    assert code == 0
    found = json.loads(said)
    assert found == {"page": str(out), "settings": found["settings"], "planned": 72}
    assert f"{found['settings']} of 72 planned settings" in out.read_text()


@pytest.mark.slow
def test_measuring_makes_what_is_missing_and_the_page_of_it(capsys, tmp_path, monkeypatch):
    small = PROTOCOL | {"epochs": 2, "points": 2, "networks": 2, "noise_inputs": 16}
    monkeypatch.setattr(measuring, "PROTOCOL", small)
    monkeypatch.setattr(measuring, "grid", lambda: [Setting()])
    out, folder = tmp_path / "p.html", tmp_path / "planes"
    code, said, err = run(capsys, "--out", out, "--measure", folder)
    assert (code, said) == (0, f"{out}\n")
    assert "1 of 1: tanh-mini-85-true-5" in err
    assert "1 of 72 settings" in err
    assert "1 of 72 planned settings, 2 networks each" in out.read_text()
    code, _, err = run(capsys, "--out", out, "--measure", folder)
    assert code == 0
    assert "1 of 1" not in err
    assert run(capsys, "--out", out, "--planes", folder)[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "match"),
    [
        (["--planes", "a", "--measure", "b"], 2, "give one"),
        (["--out", "no/such/p.html"], 2, "there is no folder"),
        (["--planes", "no.gz"], 2, "name a folder that --measure filled"),
        (["--planes", "."], 1, "holds no measured setting"),
    ],
)
def test_wrong_use(capsys, tmp_path, monkeypatch, arguments, code, match):
    monkeypatch.chdir(tmp_path)
    found, _, err = run(capsys, *arguments)
    assert found == code
    assert match in err
