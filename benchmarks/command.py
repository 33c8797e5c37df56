"""How the benchmarks' commands end: an error of ours is one line on stderr, 2 where the input was wrong, else 1."""

import sys
from collections.abc import Callable

from deeptheory.core.errors import DeeptheoryError, InputError


def command(main: Callable[[], None]) -> None:
    """Call main; exit with 2 for an InputError and 1 for any other error of ours."""
    try:
        main()
    except DeeptheoryError as wrong:
        print(f"error: {wrong}", file=sys.stderr)
        sys.exit(2 if isinstance(wrong, InputError) else 1)
