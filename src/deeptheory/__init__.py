"""What deep-learning theory says about a network, measured.

Papers run as software, each with a ledger of its claims; and their instruments, for any torch.nn.Module.

Start with what a layer knows about the input and about the label, in bits, while a network learns:

    import deeptheory as dt

    data = dt.datasets.icosahedron()
    nets = dt.networks.Population.mlp([12, 10, 7, 5, 4, 3, 2], activation="tanh", seeds=range(3))
    recorder = dt.Recorder(nets, data.x, data.y, readouts=dt.Binning(30, (-1, 1)))
    dt.networks.fit(nets, data.x, data.y, epochs=10, recorder=recorder, record_at=[0, 5, 10])
    plane = dt.information_plane(recorder.recording, dt.Binning(30, (-1, 1)))

Every result shows itself: print it, or call .table() (pandas), .dataset() (xarray) or .figure() (plotly). Each number
travels with how it was made, and with its doubts in .notes.

Where to go, by question:

    what goes on in my model?                dt.inspect, dt.Recorder, dt.layers
    what does a layer know?                  dt.information_plane, dt.mutual_information, dt.entropy
    how well could any representation do?    dt.bottleneck, dt.bottleneck_curve, dt.layer_bound
    does a population code axes?             dt.axis_code, dt.axis_code_of; stimuli: dt.faces
    how many neurons does a formula need?    dt.cheap.neuron_count, dt.cheap.compile_polynomial
    how do parts agree on a whole?           dt.capsules.dynamic_routing, dt.capsules.em_routing
    did a paper's claims hold?               dt.reproduce, dt.studies.STUDIES
    what to train, and on what?              dt.networks.Population, dt.networks.train, dt.datasets

dir(dt.cheap) lists a package, help(dt.Recorder) tells of one name. From a shell: `deeptheory --help`.

Names are imported when first used: `import deeptheory` loads no torch. `__init__.pyi` tells an editor their types.
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
