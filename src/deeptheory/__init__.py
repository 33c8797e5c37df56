"""deeptheory: what deep-learning theory says about a network, measured.

Public names are imported when first used, so that `import deeptheory` loads no torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_NAMES = {  # public name -> module that holds it; a module's own name means the module itself
    "Estimate": "deeptheory.core.results",
    "Recorder": "deeptheory.recording",
    "Recording": "deeptheory.recording",
    "GradientRecorder": "deeptheory.recording",
    "layers": "deeptheory.recording",
    "Binning": "deeptheory.information",
    "GaussianNoise": "deeptheory.information",
    "Quantized": "deeptheory.information",
    "Exact": "deeptheory.information",
    "information_plane": "deeptheory.information",
    "gradient_phases": "deeptheory.information",
    "PropagatedNoise": "deeptheory.information",
    "mutual_information": "deeptheory.information",
    "conditional_mutual_information": "deeptheory.information",
    "entropy": "deeptheory.information",
    "bottleneck": "deeptheory.information.bottleneck",
    "bottleneck_curve": "deeptheory.information.bottleneck",
    "gaussian_bottleneck": "deeptheory.information.bottleneck",
    "layer_bound": "deeptheory.information.layer_bound",
    "capacity": "deeptheory.information.channels",
    "rate_distortion": "deeptheory.information.channels",
    "axis_code": "deeptheory.axis",
    "axis_code_of": "deeptheory.axis",
    "inspect": "deeptheory.inspection",
    "reproduce": "deeptheory.studies",
}
_CORE = ("errors", "results", "statistics", "theme")  # core files that are public
_MODULES = (
    "datasets",
    "networks",
    "recording",
    "runs",
    "information",
    "cheap",
    "capsules",
    "faces",
    "axis",
    "inspection",
    "studies",
    "report",
)

__all__ = ["__version__", *_NAMES, *_CORE, *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _NAMES:
        value = getattr(import_module(_NAMES[name]), name)
    elif name in _CORE:
        value = import_module(f"deeptheory.core.{name}")
    elif name in _MODULES:
        value = import_module(f"deeptheory.{name}")
    else:
        raise AttributeError(f"module 'deeptheory' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
