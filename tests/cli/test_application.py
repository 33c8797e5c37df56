"""The application: -h everywhere, completion by the shell, lines as wide as the terminal."""

import inspect
import os
import subprocess
import sys

import pytest
import typer

from cli.running import run
from deeptheory.cli import app
from deeptheory.cli.application import put


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
