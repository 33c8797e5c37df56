"""FaceNet: a small convolutional network that tells people apart, the stand-in for the paper's face network.

Chang & Tsao 2017 (supplement) look into VGG-Face (Parkhi et al. 2015), which was trained on photographs that nobody may
pass on. This one has five convolutions and learns in a minute on one core from procedural faces; nothing in it knows of
shape or appearance.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deeptheory.core.errors import InputError

WIDTHS, EMBEDDING = (16, 24, 32, 48, 64), 256


class FaceNet(nn.Module):
    """Pictures [n, size, size] (gray, 0 to 1) -> logits [n, classes].

    size: pixels of a side, a multiple of 16. classes: identities. embedding: width of the last hidden layer. widths:
    channels of the five convolutions; a ReLU follows each (relu1 to relu5) and the embedding (relu6); the first four
    halve the picture. seed: of the initial weights, torch's own (LeCun uniform), biases 0. Layers to look at:
    `FaceNet.layers`.
    InputError: a size that is no multiple of 16, or fewer than 2 classes.
    """

    layers = tuple(f"relu{k}" for k in range(1, 7))

    def __init__(
        self,
        classes: int,
        *,
        size: int = 64,
        embedding: int = EMBEDDING,
        widths: tuple[int, ...] = WIDTHS,
        seed: int = 0,
    ):
        super().__init__()
        if size < 32 or size % 16 or classes < 2 or len(widths) != 5:
            raise InputError(
                f"size is {size}, classes {classes}, widths {widths}; needed: a multiple of 16 from 32 up, 2 or "
                "more, five"
            )
        self.size = size
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            channels = (1, *widths)
            for k in range(5):
                self.add_module(
                    f"conv{k + 1}", nn.Conv2d(channels[k], channels[k + 1], 5 if k == 0 else 3, padding="same")
                )
                self.add_module(f"relu{k + 1}", nn.ReLU())
            self.embed = nn.Linear(widths[4] * (size // 16) ** 2, embedding)
            self.relu6 = nn.ReLU()
            self.name = nn.Linear(embedding, classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [n, classes]. InputError: images of another size."""
        if images.ndim != 3 or images.shape[1:] != (self.size, self.size):
            raise InputError(f"images are {list(images.shape)}; this network takes [n, {self.size}, {self.size}]")
        x = (images[:, None] - 1 / 3) * 3  # the paper's gray background at 0
        for k in range(1, 6):
            x = self.get_submodule(f"relu{k}")(self.get_submodule(f"conv{k}")(x))
            if k < 5:
                x = F.max_pool2d(x, 2)
        return self.name(self.relu6(self.embed(x.flatten(1))))


def classification_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean cross-entropy in nats of a batch (images [B, C, H, W], labels [B]), for `dt.networks.train`."""
    images, labels = batch
    return F.cross_entropy(model(images), labels)


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor, *, batch: int = 512) -> float:
    """Fraction, 0 to 1, of images whose largest logit is the label's.

    images: [n, ...] as the model takes them ([n, size, size] for `FaceNet`); labels: [n] integers from 0. batch: images
    at a time. The model stays in its mode (call model.eval() first where it matters), and all three must be on one
    device. No gradient is kept.
    """
    right = sum(
        int((model(images[k : k + batch]).argmax(1) == labels[k : k + batch]).sum())
        for k in range(0, len(labels), batch)
    )
    return right / len(labels)
