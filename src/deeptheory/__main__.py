"""python -m deeptheory."""

from deeptheory.cli import main

main()
