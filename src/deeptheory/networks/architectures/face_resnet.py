"""FaceResNet: a published face-identity network of 29 convolutions, as a module whose every layer can be looked at.

Source: dlib's face recognition network (King; weights CC0) in the form of face-api (MIT). The weights are the user's
own file, face_resnet.safetensors in the data folder; without it the network is made with random weights.
Pitfall: its residual blocks add channels by padding with zeros, and its strided convolutions are one row shorter than
the pooled shortcut, so that they are padded at the right and the bottom.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deeptheory.core.errors import InputError, StoreError
from deeptheory.datasets.paths import in_data_folder
from deeptheory.networks.single.modules import check_seed

SIZE = 150
_MEAN = (122.782, 117.001, 104.298)  # red, green, blue
_BLOCKS = (  # name, channels in, channels out, whether it halves the picture
    ("conv32_1", 32, 32, False),
    ("conv32_2", 32, 32, False),
    ("conv32_3", 32, 32, False),
    ("conv64_down", 32, 64, True),
    ("conv64_1", 64, 64, False),
    ("conv64_2", 64, 64, False),
    ("conv64_3", 64, 64, False),
    ("conv128_down", 64, 128, True),
    ("conv128_1", 128, 128, False),
    ("conv128_2", 128, 128, False),
    ("conv256_down", 128, 256, True),
    ("conv256_1", 256, 256, False),
    ("conv256_2", 256, 256, False),
    ("conv256_down_out", 256, 256, True),
)


class _Affine(nn.Module):
    """Convolution, then a factor and a shift a channel."""

    def __init__(self, inside: int, outside: int, size: int, stride: int, padding: int):
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, size, stride, padding)
        self.factor, self.shift = nn.Parameter(torch.ones(outside)), nn.Parameter(torch.zeros(outside))

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * self.factor[:, None, None] + self.shift[:, None, None]


class _Block(nn.Module):
    def __init__(self, inside: int, outside: int, halves: bool):
        super().__init__()
        self.halves, self.more = halves, outside - inside
        self.conv1 = _Affine(inside, outside, 3, 2 if halves else 1, 0 if halves else 1)
        self.relu1 = nn.ReLU()
        self.conv2 = _Affine(outside, outside, 3, 1, 1)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.relu1(self.conv1(x)))
        short = F.avg_pool2d(x, 2) if self.halves else x
        y = F.pad(y, (0, short.shape[3] - y.shape[3], 0, short.shape[2] - y.shape[2]))
        return self.relu2(y + F.pad(short, (0, 0, 0, 0, 0, self.more)))


class FaceResNet(nn.Module):
    """dlib's face network of 29 convolutions: color images [n, H, W, 3], 0 to 255 -> identity vectors [n, 128].

    The whole face fills the image; images of another size are brought to 150 x 150 (bilinear, antialiased). With the
    published weights (`face_resnet`) Euclidean distances within a person are small; vectors are not normalized. seed:
    of the random weights that it begins with, torch's default; float32, train mode (no part of it has another eval
    mode). Layers to record: `FaceResNet.layers`. InputError: a seed that is no integer of 0 or more.
    """

    layers = ("relu", *(f"{name}.relu2" for name, *_ in _BLOCKS))

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        check_seed(seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.conv32_down = _Affine(3, 32, 7, 2, 0)
            self.relu = nn.ReLU()
            for name, inside, outside, halves in _BLOCKS:
                self.add_module(name, _Block(inside, outside, halves))
            self.fc = nn.Linear(256, 128, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """images: tensor [n, H, W, 3] of any dtype, red, green, blue from 0 to 255 -> [n, 128] in the weights' dtype.

        InputError: another shape.
        """
        if images.ndim != 4 or images.shape[3] != 3:
            raise InputError(f"images are {list(images.shape)}; needed: [n, H, W, 3] from 0 to 255")
        x = images.to(self.fc.weight.dtype).permute(0, 3, 1, 2)
        if x.shape[2:] != (SIZE, SIZE):
            x = F.interpolate(x, (SIZE, SIZE), mode="bilinear", antialias=True)
        x = (x - x.new_tensor(_MEAN)[:, None, None]) / 256
        x = F.max_pool2d(self.relu(self.conv32_down(x)), 3, 2)
        for name, *_ in _BLOCKS:
            x = self.get_submodule(name)(x)
        return self.fc(x.mean((2, 3)))


def face_resnet(path: str | Path | None = None) -> FaceResNet:
    """`FaceResNet` with published weights: float32, in eval mode, on the CPU.

    path: a safetensors file with face-api's names of the parameters; by default face_resnet.safetensors in the data
    folder (`dt.datasets.data_folder`). Nothing is downloaded. Source: dlib's face recognition network, by face-api.
    StoreError: no such file, or one of other names and shapes. InputError: DEEPTHEORY_DATA is not a folder.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    found = in_data_folder("face_resnet.safetensors") if path is None else Path(path)
    if found is None or not found.is_file():
        raise StoreError("face_resnet.safetensors was not found: set DEEPTHEORY_DATA to a folder that holds it")
    try:
        kept = load_file(found)
    except (OSError, SafetensorError) as error:
        raise StoreError(f"{found.name} cannot be read ({error}); get it again") from error
    net = FaceResNet()
    wanted = dict(net.named_parameters())
    state: dict[str, Tensor] = {}
    for name, parameter in wanted.items():
        value = kept.get(_published(name))
        if value is not None:
            tensor = torch.from_numpy(np.asarray(value, dtype=np.float32))
            state[name] = tensor.T.contiguous() if name == "fc.weight" else tensor
        if value is None or state[name].shape != parameter.shape:
            seen = "nothing" if value is None else f"shape {list(value.shape)}"
            raise StoreError(f"{found.name} holds {seen} under {_published(name)!r}; it is no file of this network")
    net.load_state_dict(state)
    return net.eval()


def _published(name: str) -> str:
    """Our name of a parameter in the words of the file: conv32_1.conv2.conv.bias -> conv32_1/conv2/conv/bias."""
    if name == "fc.weight":
        return "fc"
    path, _, last = name.rpartition(".")
    if last in ("factor", "shift"):
        return f"{path.replace('.', '/')}/scale/{'weights' if last == 'factor' else 'biases'}"
    return f"{path.replace('.', '/')}/{'filters' if last == 'weight' else 'bias'}"
