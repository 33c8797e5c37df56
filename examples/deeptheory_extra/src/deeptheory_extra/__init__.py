"""Seven parts for deeptheory from outside: one file each, one line each in pyproject.toml."""
