"""Looking at the inside of any nn.Module while it trains, and leaving it as found.

`Recorder` takes snapshots, `Recording` holds them over [seed, step, layer, sample, unit], `layers` previews what would
be recorded, `GradientRecorder` keeps the moments of minibatch gradients.
"""

from deeptheory.recording.gradients import GradientRecorder
from deeptheory.recording.preview import LayerPreview, layers
from deeptheory.recording.recorder import Recorder
from deeptheory.recording.recording import Recording

__all__ = ["GradientRecorder", "LayerPreview", "Recorder", "Recording", "layers"]


def __dir__() -> list[str]:
    return sorted(__all__)
