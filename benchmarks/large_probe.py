"""python -m benchmarks.large_probe [--images N] [--batch B]: a ResNet-50 at 224x224 read out by bins, exactly, and by
class.

All activations of one image take 38 MB, of 2,000 images 77 GB. Prints what the Recorder says before, and what it took:
seconds an image, and the most memory that the process held above what it held when model and images were there.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn

import deeptheory as dt
from deeptheory.information import ClassStatistics
from deeptheory.recording.telling import size


class Bottleneck(nn.Module):
    """He et al. 2016, figure 5 right; the stride is the 3x3 convolution's, as in torchvision."""

    def __init__(self, inside: int, width: int, stride: int):
        super().__init__()
        out = 4 * width
        self.conv1, self.bn1 = nn.Conv2d(inside, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, out, 1, bias=False), nn.BatchNorm2d(out)
        self.relu = nn.ReLU(inplace=True)
        shortcut = [nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out)]
        self.downsample = nn.Sequential(*shortcut) if stride > 1 or inside != out else None

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(out)))))
        return self.relu(out + (x if self.downsample is None else self.downsample(x)))


def resnet50(classes: int = 1000) -> nn.Module:
    """ResNet-50, untrained: 25.6 million parameters."""
    layers: list[nn.Module] = [
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
    ]
    inside = 64
    for width, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        stage = [Bottleneck(inside, width, stride), *(Bottleneck(4 * width, width, 1) for _ in range(blocks - 1))]
        layers.append(nn.Sequential(*stage))
        inside = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inside, classes))


def memory(what: str) -> int:
    """Bytes of this process: "VmHWM" the most so far, "VmRSS" now."""
    return int(Path("/proc/self/status").read_text().split(f"{what}:")[1].split()[0]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.large_probe")
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--size", type=int, default=224)
    chosen = parser.parse_args()
    torch.manual_seed(0)
    model = resnet50()
    model.train()
    with torch.no_grad():  # so that batch norm has statistics and layers have a scale
        model(torch.randn(8, 3, chosen.size, chosen.size))
    x, y = torch.randn(chosen.images, 3, chosen.size, chosen.size), np.arange(chosen.images) % 10
    recorder = dt.Recorder(
        model, x, y, readouts=[dt.Binning(30, "layer"), dt.Exact(), ClassStatistics()], batch=chosen.batch
    )
    del x  # the recorder has its own
    before = memory("VmRSS")
    print(recorder.cost(), flush=True)
    began = time.monotonic()
    recorder.snapshot(0)
    took = time.monotonic() - began
    most = memory("VmHWM")
    print(
        f"{len(recorder.recording.layers)} layers, {chosen.images} images: {took:.0f} s, "
        f"{took / chosen.images:.2f} s an image; {size(most)} at most, {size(most - before)} above model and images"
    )


if __name__ == "__main__":
    main()
