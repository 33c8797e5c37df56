"""Adversarial pictures: one step, many steps, many steps from many starts; and what the gradients are like.

Sources: Goodfellow et al. 2015 (FGSM), Kurakin et al. 2017 (BIM), Madry et al. 2018 (random starts), Carlini & Wagner
2017 (why on logits). Pitfall: a length or a probability near 0 or 1 has hardly a gradient, so that an attack on it
fails without the network being any safer; a network is called robust only after an attack on logits with restarts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from deeptheory.core.arrays import as_floats, as_tensor, real_tensor
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_number, check_shapes, check_whole, check_within, ends_of
from deeptheory.networks.evaluation.scores import Scores, as_labels, check_classes, check_scores, first_output
from deeptheory.networks.single.modules import as_of, evaluating

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects
    import xarray

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def logit_of_probability(output: Any) -> torch.Tensor:
    """ln(a / (1 - a)) of the first output: a sigmoid or a squash undone; for capsules' lengths and activations.

    output: as `first_output` takes it, values in [0, 1] -> float64 [n, K]. a is held in [1e-12, 1 - 1e-12], which gives
    -27.6 to 27.6 and a gradient of 0 beyond. InputError: a value outside [0, 1] (it is a logit already), NaN, or a
    first output that is no array (of rows as plain lists it would be the first row alone).
    """
    first = first_output(output)
    if isinstance(first, list | tuple | int | float):
        raise InputError(f"the first output is of type {type(first).__name__}; needed: a tensor [n, K]")
    a = real_tensor("the first output", first).double()
    if a.numel() and not bool(((a >= 0) & (a <= 1)).all()):
        raise InputError(
            f"the first output runs from {float(a.min()):.3g} to {float(a.max()):.3g}; logit_of_probability "
            "undoes probabilities and "
            "lengths, in [0, 1]; for logits use scores=first_output"
        )
    return a.logit(1e-12)


@dataclass(frozen=True, kw_only=True, eq=False)
class Robustness(Result):
    """Accuracy under attack, for k values of epsilon.

    epsilon: [k], in the unit of the pixels. accuracy: [k], fraction of attacked images that are classified right.
    success: [k], of the images that were right before the attack the fraction that now is wrong (0 where none was
    right); with targets, of all images the fraction that now is taken for the target. method: which attack, in words.
    """

    epsilon: np.ndarray
    accuracy: np.ndarray
    success: np.ndarray
    method: str

    def __repr__(self) -> str:
        pairs = ", ".join(f"{a:.2f} at {e:g}" for a, e in zip(self.accuracy, self.epsilon))
        return f"Robustness({self.method}: accuracy {pairs})"

    def dataset(self) -> "xarray.Dataset":
        """xarray.Dataset over epsilon: accuracy, success, both fractions; attribute method."""
        import xarray as xr

        data = {"accuracy": ("epsilon", self.accuracy), "success": ("epsilon", self.success)}
        return xr.Dataset(data, coords={"epsilon": self.epsilon}, attrs={"method": self.method})

    def figure(self) -> "plotly.graph_objects.Figure":
        """Accuracy against epsilon, one line, from 0 to 1."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure

        figure = new_figure(xaxis_title="epsilon", yaxis_title="accuracy", yaxis_range=[0, 1])
        figure.add_trace(go.Scatter(x=self.epsilon, y=self.accuracy, mode="lines+markers", name=self.method))
        return figure


def fgsm(model: nn.Module, images, labels, *, epsilon: float, **how: Any) -> torch.Tensor:
    """x + epsilon sign(gradient of the loss), clipped: one step of `bim`, of length epsilon.

    Source: Goodfellow et al. 2015. images: [n, C, H, W] floats within bounds, 0 to 1 by default; labels: [n] integers.
    Returns images as bim does. epsilon: in the images' unit. how: bim's other keywords (targets, random_start, scores,
    loss, bounds, seed), but not steps and step_size, which are 1 and epsilon here. InputError: as bim, and those two.
    """
    if fixed := {"steps", "step_size"} & how.keys():
        raise InputError(f"{min(fixed)} is given; fgsm takes one step of length epsilon: use bim for others")
    return bim(model, images, labels, epsilon=epsilon, steps=1, step_size=epsilon, **how)


def bim(
    model: nn.Module,
    images,
    labels,
    *,
    epsilon: float,
    steps: int = 10,
    step_size: float | None = None,
    targets=None,
    random_start: bool = False,
    scores: Scores = first_output,
    loss: Loss = F.cross_entropy,
    bounds: tuple[float, float] = (0.0, 1.0),
    seed: int = 0,
) -> torch.Tensor:
    """Images within epsilon of the given ones that raise the loss: `steps` steps of sign(gradient), each clipped.

    Source: Kurakin et al. 2017. images: [n, C, H, W] floats within bounds (low, high); labels: [n] integers. Returns
    [n, C, H, W], detached, on the model's device and in its dtype. epsilon: the largest change of a pixel, in the
    images' unit. step_size: epsilon / 4 by default (epsilon, where steps is 1). targets: [n] classes that they should
    be taken for instead: lowers their loss. random_start: begin at a uniformly random point of the box, by seed;
    nothing else is random. scores(output of the model) -> [n, K], handed to loss with the labels; by default its first
    output, capsules [n, K, q] by their lengths. loss(scores, labels) -> a scalar. The model is in eval mode meanwhile;
    its gradients and flags are as before.
    InputError: shapes that do not fit, no image, integers for images, NaN (in images, scores or the loss's gradient),
    images outside the bounds, labels or targets that are no classes, scores of one class, epsilon or step_size below 0
    or infinite, steps no integer of 1 or more.
    """
    x, y = _check(model, images, labels, bounds)
    check_whole(steps=(steps, 1), seed=(seed, 0))
    for name, value in (("epsilon", epsilon), ("step_size", step_size)):
        if value is not None:
            check_number(**{name: value})
        if value is not None and not 0 <= value < float("inf"):
            raise InputError(f"{name} is {value}; needed: a finite number of 0 or more")
    goal = y if targets is None else as_labels(targets, len(x), "targets").to(y.device)
    towards = 1.0 if targets is None else -1.0
    size = (epsilon if steps == 1 else epsilon / 4) if step_size is None else step_size
    low, high = (x - epsilon).clamp(*bounds), (x + epsilon).clamp(*bounds)
    moved = x.clone()
    if random_start:
        corner = torch.as_tensor(
            np.random.default_rng(seed).uniform(-1, 1, tuple(x.shape)), dtype=x.dtype, device=x.device
        )
        moved = torch.minimum(torch.maximum(x + epsilon * corner, low), high)
    for _ in range(steps):
        slope = _gradient(model, moved, goal, scores, loss)
        moved = torch.minimum(torch.maximum(moved + towards * size * slope.sign(), low), high)
    return moved


def pgd(
    model: nn.Module,
    images,
    labels,
    *,
    epsilon: float,
    restarts: int = 5,
    steps: int = 20,
    targets=None,
    scores: Scores = first_output,
    bounds: tuple[float, float] = (0.0, 1.0),
    seed: int = 0,
) -> torch.Tensor:
    """For each image the worst of several attacks: `bim` on the margin between logits, from it and from random starts.

    The margin is the right logit minus the largest other; the worst is where it is smallest, the image as given
    included. targets: [n] classes that they should be taken for instead; the worst is then where the target leads the
    others most. scores must give logits; for a network that ends in lengths or activations pass
    scores=logit_of_probability. images: [n, C, H, W] floats within bounds; labels: [n]; epsilon: largest change of a
    pixel, in the images' unit. Returns [n, C, H, W], as bim does. restarts: random starts beside the image itself, by
    seed, seed + 1, ...; steps: of each, of length max(epsilon / 8, 2.5 epsilon / steps).
    Source: iterated steps of Kurakin et al. 2017 from the random starts of Madry et al. 2018, on a margin of logits as
    in Carlini & Wagner 2017. InputError: as bim; restarts below 0.
    """
    check_whole(restarts=(restarts, 0), steps=(steps, 1), seed=(seed, 0))
    check_within(epsilon=(epsilon, 0, 1e300))
    x, y = _check(model, images, labels, bounds)
    goal = y if targets is None else as_labels(targets, len(x), "targets").to(y.device)
    away = 1.0 if targets is None else -1.0
    worst = x.clone()
    least = away * _margin(model, worst, goal, scores)
    how: dict[str, Any] = {"steps": steps, "step_size": max(epsilon / 8, 2.5 * epsilon / steps), "targets": targets}
    for k in range(restarts + 1):
        tried = bim(
            model,
            x,
            y,
            epsilon=epsilon,
            random_start=k > 0,
            scores=scores,
            loss=_lead,
            bounds=bounds,
            seed=seed + k,
            **how,
        )
        margin = away * _margin(model, tried, goal, scores)
        better = margin < least
        worst[better], least[better] = tried[better], margin[better]
    return worst


def robustness(
    model: nn.Module,
    images,
    labels,
    *,
    epsilons: Sequence[float] | float,
    attack: Callable[..., torch.Tensor] = fgsm,
    batch: int = 128,
    judge: nn.Module | None = None,
    scores: Scores = first_output,
    judge_scores: Scores | None = None,
    targets=None,
    **how: Any,
) -> Robustness:
    """Accuracy on attacked images for each epsilon, `batch` images at a time.

    images: [n, C, H, W] floats within bounds; labels: [n]; epsilons: one or more, in the images' unit, 0 for no attack.
    attack: `fgsm`, `bim`, `pgd` or a function that is called alike; how: its other keywords (bounds, seed, steps, ...).
    Every batch is attacked with the same seed. scores: what is attacked and, its largest being the answer, what is
    judged by. judge: another network that is shown the images made against this one (comparison by transfer: Hinton et
    al. 2018, section 5.2), by judge_scores, or the same scores where that is left out. targets: see `bim`.
    InputError: as the attack; no epsilon, batch below 1, judge_scores without judge.
    """
    x, y = _check(model, images, labels, how.get("bounds", (0.0, 1.0)))
    check_whole(batch=(batch, 1))
    judging, read = (model, scores) if judge is None else (judge, judge_scores or scores)
    if judge is None and judge_scores is not None:
        raise InputError("judge_scores is given and judge is not; a network is judged by the scores that are attacked")
    wanted = None if targets is None else as_labels(targets, len(x), "targets").to(y.device)
    right_before = _decided(judging, x, y, read, batch) == y
    tried = np.atleast_1d(as_floats(epsilons))
    if tried.ndim > 1:
        raise InputError(f"epsilons have shape {list(tried.shape)}; needed: one number, or [k]")
    if not tried.size:
        raise InputError("epsilons is empty; give one or more, 0 for no attack")
    accuracy, success = [], []
    for epsilon in tried:
        decided = []
        for k in range(0, len(x), batch):
            rows = slice(k, k + batch)
            more = how if wanted is None else {**how, "targets": wanted[rows]}
            made = attack(model, x[rows], y[rows], epsilon=float(epsilon), scores=scores, **more)
            decided.append(_decided(judging, made, y[rows], read, batch))
        found = torch.cat(decided)
        accuracy.append(float((found == y).double().mean()))
        hit = (found != y) & right_before if wanted is None else found == wanted
        success.append(float(hit.double().sum() / max(1, int(right_before.sum()) if wanted is None else len(y))))
    name = getattr(attack, "__name__", type(attack).__name__)
    method = f"{name}{', transferred' if judge is not None else ''}{', targeted' if wanted is not None else ''}"
    return Robustness(
        epsilon=tried, accuracy=np.array(accuracy), success=np.array(success), method=method
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class GradientProfile(Result):
    """The loss's gradient by pixels, for n images.

    size: [n], its mean absolute value in each image, in units of the loss per unit of a pixel; zeros: [n], the fraction
    of pixels where it is exactly 0.
    """

    size: np.ndarray
    zeros: np.ndarray

    def __repr__(self) -> str:
        return (
            f"GradientProfile({len(self.size)} pictures, median size {np.median(self.size):.3g}, zeros "
            f"{self.zeros.mean():.3f})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per image: size, zeros."""
        import pandas as pd

        return pd.DataFrame({"size": self.size, "zeros": self.zeros})


def gradient_profile(
    model: nn.Module, images, labels, *, scores: Scores = first_output, loss: Loss = F.cross_entropy, batch: int = 128,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> GradientProfile:  # fmt: skip
    """How large the gradient of the loss is by pixels, and how much of it is exactly zero.

    Source: Hinton et al. 2018, section 5.2. images: [n, C, H, W] floats within bounds; labels: [n]; scores: see bim.
    Gradients are of each image's own loss, loss(scores, labels) being a mean over images; the model is in eval mode
    meanwhile. A gradient that is exactly 0 hides a model from sign attacks without making it safer.
    Returns size and zeros, each [n]. InputError: as bim; batch below 1.
    """
    check_whole(batch=(batch, 1))
    x, y = _check(model, images, labels, bounds)
    each = lambda s, t: loss(s, t) * len(t)  # noqa: E731  # of one picture, not of the mean over a batch
    slopes = [_gradient(model, x[k : k + batch], y[k : k + batch], scores, each) for k in range(0, len(x), batch)]
    flat = torch.cat(slopes).flatten(1)
    return GradientProfile(
        size=flat.abs().double().mean(1).cpu().numpy(), zeros=(flat == 0).double().mean(1).cpu().numpy()
    )


def _check(module: Any, images, labels, bounds) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures and labels on the module's device, pictures in its dtype."""
    x = as_tensor(images)
    check_shapes(images=(x, "n C H W"))
    y = as_labels(labels, len(x))
    check_finite(images=x)
    if not x.numel():
        raise InputError(f"images has shape {list(x.shape)}, which holds no pixel; give at least one picture")
    if not x.is_floating_point():
        raise InputError(f"images are {x.dtype}; an attack moves floats: scale them, dt.datasets.downsample(images)")
    bounds = ends_of("bounds", bounds)
    low, high = x.new_tensor(bounds)  # rounded as the pixels are, which an attack brings within them
    if bool((x.min() < low) | (x.max() > high)):
        raise InputError(
            f"images run from {float(x.min()):.3g} to {float(x.max()):.3g}, outside the bounds {bounds}; scale them"
        )
    x = as_of(module, x).detach()
    return x, y.to(x.device)


def _gradient(module: nn.Module, x: torch.Tensor, y: torch.Tensor, scores: Scores, loss: Loss) -> torch.Tensor:
    """Of the loss by pixels; parameters get none."""
    with evaluating(module), torch.inference_mode(False), torch.enable_grad():
        x = x.clone().detach().requires_grad_(True)
        value = loss(_scored(module, x, y, scores), y)
        slope = torch.autograd.grad(value, x)[0].detach()
    lost = slope.flatten(1).isnan().any(1)
    if bool(lost.any()):
        raise InputError(
            f"the loss's gradient is NaN in {int(lost.sum())} of {len(x)} images, so that an attack along it finds "
            "nothing; choose scores= or a loss whose gradient is a number"
        )
    return slope


def _decided(module: nn.Module, x: torch.Tensor, y: torch.Tensor, scores: Scores, batch: int) -> torch.Tensor:
    with evaluating(module), torch.no_grad():
        rows = [slice(k, k + batch) for k in range(0, len(x), batch)]
        return torch.cat([_scored(module, as_of(module, x[r]), y[r], scores).argmax(1) for r in rows]).to(y.device)


def _scored(module: nn.Module, x: torch.Tensor, y: torch.Tensor, scores: Scores) -> torch.Tensor:
    """scores of the module's output, [n, K].

    InputError: another shape, one class, labels that are no classes, NaN.
    """
    found = check_scores(scores(module(x)), len(x))
    check_classes(y, found.shape[1])
    if found.shape[1] < 2:
        raise InputError("the scores are of one class, which is always the answer; needed: [n, classes], 2 or more")
    lost = found.isnan().any(1)
    if bool(lost.any()):
        raise InputError(f"the scores of {int(lost.sum())} of {len(x)} images hold NaN; none of the classes leads")
    return found


def _lead(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Sum over pictures of the best wrong score less the right one; each picture's part has a gradient of its own."""
    return -_margins(scores, labels).sum()


def _margins(scores: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    right = scores.gather(1, labels[:, None])[:, 0]
    wrong = scores.scatter(1, labels[:, None], -torch.inf).amax(1)
    return right - wrong


def _margin(module: nn.Module, x: torch.Tensor, y: torch.Tensor, scores: Scores) -> torch.Tensor:
    with evaluating(module), torch.no_grad():
        return _margins(_scored(module, x, y, scores), y)
