"""A command run in this process."""

from deeptheory.cli import main


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    code = 0
    try:
        main([str(a) for a in arguments])
    except SystemExit as stop:
        code = int(stop.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err
