"""The few error types. Each message names the value seen and the fix."""


class DeeptheoryError(Exception):
    """Base of every error that deeptheory raises on purpose; catch it for all of them.

    Raised itself where a computation fails, such as a loss that is NaN. On the command line: exit code 1, no traceback.
    """


class InputError(DeeptheoryError, ValueError):
    """Wrong use: a wrong shape, an unknown name, a value out of range. On the command line: exit code 2.

    A ValueError too. The message names the value seen and the fix.
    """


class StoreError(DeeptheoryError, OSError):
    """A folder or file that cannot be trusted or written: missing, corrupt, of another schema or study, disk full.

    An OSError too. On the command line: exit code 1.
    """

    def __str__(self) -> str:  # OSError with one argument keeps it, with two it would print an errno
        return " ".join(str(a) for a in self.args)


class PluginWarning(UserWarning):
    """A part that another package adds and that could not be taken; the rest goes on without it."""


class MissingDependency(DeeptheoryError, ImportError):
    """An optional package is not installed; the message names what brings it. An ImportError too; exit code 1."""
