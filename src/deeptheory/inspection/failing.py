"""An instrument that raises does not take the others with it: the page names it, with what it raised."""

from deeptheory.core.errors import DeeptheoryError


class InstrumentFailed(DeeptheoryError):
    """instrument: its name. What it raised is the cause, and in the message."""

    def __init__(self, instrument: str, error: Exception):
        super().__init__(f"instrument {instrument} failed: {type(error).__name__}: {error}")
        self.instrument, self.said = instrument, f"it failed ({type(error).__name__}: {error})"
