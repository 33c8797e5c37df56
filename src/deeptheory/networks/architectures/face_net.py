"""FaceNet: a small convolutional network that tells people apart, the stand-in for the paper's face network.

Chang & Tsao 2017 (supplement) look into VGG-Face (Parkhi et al. 2015), which was trained on photographs that nobody may
pass on. This one has five convolutions and learns in a minute on one core from procedural faces; nothing in it knows of
shape or appearance.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_finite, check_whole
from deeptheory.networks.evaluation.scores import as_labels, check_classes, check_scores
from deeptheory.networks.single.modules import check_seed

WIDTHS, EMBEDDING = (16, 24, 32, 48, 64), 256


class FaceNet(nn.Module):
    """A stand-in for the face network of Chang & Tsao 2017: gray images [n, size, size] -> logits [n, classes].

    Gray is 0 to 1. size: pixels of a side, a multiple of 16 from 32 up. classes: identities, 2 or more. embedding:
    width of the last hidden layer. widths: channels of the five convolutions (5 x 5, then 3 x 3); a ReLU follows each
    (relu1 to relu5) and the embedding (relu6); a 2 x 2 maximum follows the first four. Layers to record:
    `FaceNet.layers`. seed: of the initial weights, torch's default (uniform within 1 / sqrt(fan in)), biases 0;
    float32, on the CPU. InputError: another size, fewer than 2 classes, not five widths, a width or embedding below 1.
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
        check_whole(classes=(classes, None), size=(size, None), embedding=(embedding, 1))
        check_seed(seed)
        check_whole(**{f"widths[{k}]": (w, 1) for k, w in enumerate(widths)})
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
        """images: [n, size, size], 0 to 1, in the weights' dtype -> logits [n, classes].

        InputError: another shape, integers (0 to 255, say).
        """
        if images.ndim != 3 or images.shape[1:] != (self.size, self.size):
            raise InputError(f"images are {list(images.shape)}; this network takes [n, {self.size}, {self.size}]")
        if not images.is_floating_point():
            raise InputError(f"images are {images.dtype}; this network takes gray as floats, 0 to 1: divide by 255")
        x = (images[:, None] - 1 / 3) * 3  # the paper's gray background at 0
        for k in range(1, 6):
            x = self.get_submodule(f"relu{k}")(self.get_submodule(f"conv{k}")(x))
            if k < 5:
                x = F.max_pool2d(x, 2)
        return self.name(self.relu6(self.embed(x.flatten(1))))


def classification_loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean cross-entropy in nats of a batch (images, labels), a scalar tensor; a `loss` for `dt.networks.train`.

    images: [B, ...] as the model takes them; labels: [B] int64, classes from 0. The model gives logits [B, classes].
    """
    images, labels = batch
    return F.cross_entropy(model(images), labels)


@torch.no_grad()
def accuracy(model: nn.Module, images: Tensor, labels: Tensor, *, batch: int = 512) -> float:
    """Fraction, 0 to 1, of images whose largest logit is the label's; of equal logits the first counts.

    images: tensor [n, ...] as the model takes it ([n, size, size] for `FaceNet`); labels: [n], classes from 0; the
    model gives logits [n, classes]. batch: images at a time. The model stays in its mode (call model.eval() first where
    it matters), and all three must be on one device. No gradient is kept. InputError: no image, labels of another shape
    or length or that are no class numbers, logits of another shape or that are not finite, batch below 1.
    """
    check_whole(batch=(batch, 1))
    images = as_tensor(images)
    if not images.ndim or not len(images):
        raise InputError("images has no rows; give at least one")
    labels = as_labels(labels, len(images))
    right = 0
    for k in range(0, len(labels), batch):
        these = labels[k : k + batch]
        logits = check_scores(model(images[k : k + batch]), len(these))
        check_classes(these, logits.shape[1])
        check_finite(logits=logits)
        right += int((logits.argmax(1) == these).sum())
    return right / len(labels)
