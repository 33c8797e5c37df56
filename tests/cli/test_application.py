"""The application: -h everywhere, completion by the shell, lines as wide as the terminal."""

import inspect
import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import typer

from cli.running import run
from deeptheory.cli import app
from deeptheory.cli.application import check_folder, check_writable, print_json, put
from deeptheory.core.errors import InputError, StoreError


def _commands() -> list[list[str]]:
    found: list[list[str]] = [[]]
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        found += [[name], *([name, deeper] for deeper in getattr(command, "commands", ()))]
    return found


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
def test_short_help_everywhere(capsys, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "60")
    code, out, _ = run(capsys, *command, "-h")
    assert code == 0
    assert out.startswith("Usage: deeptheory " + " ".join(command))
    assert max(map(len, out.splitlines())) <= 60


def _completed(words: str, shell: str = "bash") -> list[str]:
    """What the shell is offered after these words, by the script that --show-completion prints."""
    environment = {**os.environ, "_DEEPTHEORY_COMPLETE": f"complete_{shell}", "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1), "_TYPER_COMPLETE_ARGS": words}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "deeptheory"], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    return done.stdout.split("\n")


def test_completion_offers_commands_and_studies():
    assert _completed("deeptheory rep") == ["reproduce", "report", ""]
    assert _completed("deeptheory reproduce saxe") == ["saxe-2018", ""]
    assert _completed("deeptheory cite sab", "zsh") != [""]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(capsys, monkeypatch, shell):
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    code, out, _ = run(capsys, "--show-completion", shell)
    assert code == 0
    assert "_DEEPTHEORY_COMPLETE" in out
    assert "python -m" not in out


def test_lines_are_wrapped_to_the_terminal_and_whole_in_a_pipe(capsys, monkeypatch):
    text = "  name: " + "word " * 30 + "/a/path/that-is-long-and-has-to-stay-in-one-piece" * 2
    monkeypatch.delenv("COLUMNS", raising=False)
    put(text)
    assert capsys.readouterr().out == text + "\n"
    monkeypatch.setenv("COLUMNS", "60")
    put(text)
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 60 for line in lines[:-1])
    assert " ".join(line.strip() for line in lines) == text.strip()  # nothing is lost


def test_defaults_are_those_of_python():
    from deeptheory.axis import axis_code
    from deeptheory.cheap import compile_polynomial
    from deeptheory.cli.axis import axis
    from deeptheory.cli.cheap import compile_
    from deeptheory.cli.information import mi
    from deeptheory.cli.inspection import inspect_model
    from deeptheory.cli.studies import reproduce
    from deeptheory.information import mutual_information
    from deeptheory.inspection.inspecting import inspect as inspect_network
    from deeptheory.studies import reproduce as run_again

    pairs = (
        (axis, axis_code),
        (compile_, compile_polynomial),
        (mi, mutual_information),
        (inspect_model, inspect_network),
        (reproduce, run_again),
    )
    meant = {"dtype": {("float64", "torch.float64")}, "resume": {("False", "None")}}
    # (skip: names in one text, a tuple in Python; dtype and resume: a word or a flag for the same value)
    for command, function in pairs:
        python = {n: p.default for n, p in inspect.signature(function).parameters.items()}
        shell = {n: p.default for n, p in inspect.signature(command).parameters.items()}
        shared = python.keys() & shell.keys() - {"skip", "probe"}
        assert len(shared) > 3
        for name in shared:
            if python[name] is inspect.Parameter.empty:
                continue
            same = shell[name] == python[name] or (str(shell[name]), str(python[name])) in meant.get(name, ())
            assert same, (command.__name__, name, shell[name], python[name])


def test_json_holds_numbers_and_no_nan(capsys):
    print_json({"n": np.int64(3), "x": np.float32(0.5), "a": np.array([1.0, np.nan]), "b": (float("inf"), True)})
    said = json.loads(capsys.readouterr().out, parse_constant=lambda name: pytest.fail(name))
    assert said == {"n": 3, "x": 0.5, "a": [1.0, None], "b": [None, True]}


def test_a_terminal_of_few_letters_gets_all_of_it(monkeypatch):
    for say, expected in ((lambda: print_json(["µ"]), '[\n "\\u00b5"\n]\n'), (lambda: put("µ"), "\\xb5\n")):
        raw = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", newline="\n"))
        say()
        sys.stdout.flush()
        assert raw.getvalue().decode() == expected


def test_who_reads_no_further_gets_no_complaint():
    command = f"{sys.executable} -m deeptheory list | true"
    found = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    assert (found.stdout, found.stderr) == ("", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full disk here")
def test_a_full_disk_is_an_error_with_a_code():
    with open("/dev/full", "w") as full:
        found = subprocess.run(
            [sys.executable, "-m", "deeptheory", "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert found.returncode == 1
    assert found.stderr.startswith("error: OSError")
    assert "Exception ignored" not in found.stderr


def test_places_to_write_to_are_checked_and_left_as_they_are(tmp_path):
    check_writable("--out", tmp_path / "new.txt")
    check_folder("--out", tmp_path / "a" / "b")
    assert not list(tmp_path.iterdir())
    (tmp_path / "old.txt").write_text("old")
    check_writable("--out", tmp_path / "old.txt")
    assert (tmp_path / "old.txt").read_text() == "old"
    with pytest.raises(InputError, match="there is no folder"):
        check_writable("--out", tmp_path / "none" / "x")
    with pytest.raises(InputError, match="is a folder; name a file"):
        check_writable("--out", tmp_path)
    with pytest.raises(InputError, match=r"old.txt is a file; name a folder"):
        check_folder("--out", tmp_path / "old.txt" / "below")
    if os.path.isdir("/proc"):  # where nobody can write, root neither
        with pytest.raises(StoreError, match="cannot be written"):
            check_writable("--out", tmp_path.__class__("/proc/x"))
        with pytest.raises(StoreError, match="cannot be written"):
            check_folder("--out", tmp_path.__class__("/proc/x/y"))
