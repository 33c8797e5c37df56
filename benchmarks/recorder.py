"""The recorder: a snapshot against one forward pass of the same probe inputs; looking should cost no more than looking.

Tensors are kept, not copied, unless something rewrites them later; the fixed cost is about 0.3 ms a snapshot (hooks,
random states, train flags).
"""

import torch
from torch import nn

import deeptheory as dt
from benchmarks.timing import Row, compare


def models():
    """Name, model, probe inputs: a perceptron as large as a digit classifier's, and a small convolutional network."""
    torch.manual_seed(0)
    mlp = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))
    conv = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(512, 10),
    )  # fmt: skip
    yield "perceptron 784-512-256-10, 4096 inputs", mlp, torch.randn(4096, 784)
    yield "convolutional network, 256 inputs of 28x28", conv, torch.randn(256, 1, 28, 28)


def run(rounds: int, quick: bool) -> list[Row]:
    """ratio: forward pass / snapshot; 1 / 1.1 = 0.91 or more is within ten percent."""
    torch.set_num_threads(1)
    rows = []
    for name, model, x in models():
        recorder = dt.Recorder(model, x)

        def plain(model=model, x=x):
            with torch.no_grad():
                model.eval()
                return model(x)

        error = float((recorder.activations()["output"][0] - plain()).abs().max())
        rows.append(
            compare(
                f"snapshot of a {name}",
                lambda recorder=recorder: recorder.activations(),
                "one forward pass",
                plain,
                4 * rounds,
                error=error,
                error_of="output",
            )
        )
    return rows
