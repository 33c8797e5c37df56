"""Analysis by synthesis: the coordinates of a face from its picture alone.

Gauss-Newton on pose and shape (Matthews & Baker 2004, in the additive form), from a blurred picture to the sharp one;
pose, shape and appearance have the Gaussian priors of the fit, and the appearance is integrated out, which is linear
algebra; a step that does not help is shortened.
Pitfall: this is local. It starts at a pose (the mean one unless told) and finds faces some pixels away from it, not
faces anywhere in a picture; each face therefore comes with whether it converged and what its pixels leave over.
"""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from deeptheory.core.arrays import as_floats, as_numpy
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_real, check_whole
from deeptheory.faces.frames import check_units

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

_HEAVIEST = 1e12  # times the precision of the priors it stays within float32
_LEVELS = ((1 / 24, 0.2), (1 / 48, 0.6), (0.0, 1.0))  # blur as a share of the height, share of the shape components


class Space(Protocol):
    """What a search needs of a FaceSpace (space.py), which knows the shapes and units."""

    @property
    def frame(self) -> tuple[int, int, int]:
        """Height, width and channels of a picture."""
        ...

    @property
    def shape_mean(self) -> np.ndarray:
        """[L, 2]."""
        ...

    @property
    def shape_components(self) -> np.ndarray:
        """[shape, L, 2]."""
        ...

    @property
    def appearance_mean(self) -> np.ndarray:
        """Of the pixels under the mask."""
        ...

    @property
    def appearance_components(self) -> np.ndarray:
        """[appearance, ...], as the mean."""
        ...

    @property
    def variances(self) -> np.ndarray:
        """[shape + appearance]."""
        ...

    @property
    def mask(self) -> np.ndarray:
        """[H, W] bool."""
        ...

    @property
    def mean_pose(self) -> np.ndarray:
        """[4]: scale, angle, x, y."""
        ...

    @property
    def pose_spread(self) -> np.ndarray:
        """[4]: standard deviations of poses."""
        ...

    @property
    def noise(self) -> float:
        """Variance of a pixel about the space."""
        ...

    def landmarks(self, coordinates: Any, pose: Any = None) -> Any:
        """[n, L, 2] in pixels."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Search(Result):
    """Faces found by analysis by synthesis, n of them; numpy.

    coordinates: [n, shape + appearance], float32; landmarks: [n, L, 2], pixels (x, y); pose: [n, 4]: scale, angle
    (radians), x, y (pixels); residual: [n], root mean square of what the space leaves over on the mask, in the units of
    the images; iterations: [n], steps over all levels; converged: [n] bool, whether the last step moved the pixels of
    the mask by less than `tolerance` pixels on average.
    """

    coordinates: np.ndarray
    landmarks: np.ndarray
    pose: np.ndarray
    residual: np.ndarray
    iterations: np.ndarray
    converged: np.ndarray
    tolerance: float

    def __repr__(self) -> str:
        n, good = len(self.converged), int(self.converged.sum())
        return f"Search({good} of {n} faces converged, residual {np.median(self.residual):.3g} (median))"

    def table(self) -> "pandas.DataFrame":
        """One row per face: converged, iterations, residual, scale, angle, x, y."""
        import pandas as pd

        frame = pd.DataFrame({k: getattr(self, k) for k in ("converged", "iterations", "residual")})
        frame[["scale", "angle", "x", "y"]] = self.pose
        return frame.rename_axis("face").reset_index()

    def figure(self) -> "plotly.graph_objects.Figure":
        """Residual against iterations, a dot for each face, colored by whether it converged."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure

        figure = new_figure(xaxis_title="iterations", yaxis_title="residual (units of the pictures)")
        for name, chosen in (("converged", self.converged), ("not", ~self.converged)):
            figure.add_trace(go.Scatter(x=self.iterations[chosen], y=self.residual[chosen], mode="markers", name=name))
        return figure


def search(
    space: Space,
    inside: np.ndarray,
    pictures: Tensor,
    start: Any = None,
    *,
    iterations: int = 40,
    tolerance: float = 0.02,
    prior: float = 100.0,
) -> Search:
    """Search faces in pictures [n, channels, H, W], one in each.

    inside: [m, L], landmarks of a face to the places of its m pixels. start: poses [n, 4] or [4]. iterations: at most
    so many a level of blur. tolerance: pixels. prior: weight of the Gaussian prior, in pixels that carry one pixel's
    worth of independent evidence (neighbors say nearly the same).
    InputError: a start of another shape or off the picture, pictures in other units, or numbers out of range.
    """
    check_whole(iterations=(iterations, 1))
    check_real(tolerance=(tolerance, 0), prior=(prior, -np.inf))
    if prior < 0:
        raise InputError(f"prior is {prior}; needed: 0 or more")
    if prior > _HEAVIEST:
        raise InputError(f"prior is {prior}; needed: {_HEAVIEST:g} or less, beyond it nothing moves")
    first = as_floats(space.mean_pose if start is None else start)
    if first.shape not in ((4,), (len(pictures), 4)):
        raise InputError(f"start has shape {list(first.shape)}; needed: [4] or [{len(pictures)}, 4]")
    check_finite(start=first)
    check_units(pictures.numpy(), space.appearance_mean)
    _check_start(space, first.reshape(-1, 4), *pictures.shape[2:])
    model = _Model(space, inside, prior)
    rows = [
        _search_one(model, ((picture[None] - model.zero) / model.unit).float(), pose, iterations, tolerance)
        for picture, pose in zip(pictures, np.broadcast_to(first, (len(pictures), 4)))
    ]
    named = ("coordinates", "landmarks", "pose", "residual", "iterations", "converged")
    found: dict[str, Any] = {k: np.array([row[i] for row in rows]) for i, k in enumerate(named)}
    return Search(**found, tolerance=tolerance)


def _check_start(space: Space, poses: np.ndarray, height: int, width: int) -> None:
    """InputError: a pose [n, 4] at which the mean face has no landmark on the picture; it would not move from there."""
    points = np.asarray(space.landmarks(np.zeros((len(poses), len(space.variances))), poses))
    on = np.any(((points > -0.5) & (points < (width - 0.5, height - 0.5))).all(-1), axis=1)
    if not on.all():
        pose = ", ".join(f"{v:.3g}" for v in poses[int((~on).argmax())])
        raise InputError(
            f"start has a pose ({pose}) that puts the whole face outside of the {width}x{height} picture; needed: "
            "scale, angle, x, y of a face on it"
        )


def warn_of(found: Search) -> None:
    """A warning where a face did not converge, with its numbers."""
    lost = np.nonzero(~found.converged)[0]
    if len(lost):
        which = ", ".join(map(str, lost[:5])) + (", ..." if len(lost) > 5 else "")
        warnings.warn(
            f"{len(lost)} of {len(found.converged)} faces did not converge (numbers {which}); "
            "FaceSpace.search gives the report and takes start=",
            stacklevel=3,
        )


class _Model:
    """What all pictures share: the space seen from the pixels of its mask.

    Pixels are counted from `zero` in `unit`, a power of two near their spread over faces: in their own units float32
    and the least noise would mean something else.
    """

    def __init__(self, space: Space, inside: np.ndarray, prior: float):
        self.space = space
        s = len(space.shape_components)
        self.unit = 2.0 ** round(float(np.log2(space.variances[s:].sum() / space.appearance_mean.size)) / 2)
        middle = float(space.appearance_mean.mean(dtype=np.float64))
        self.zero = middle if abs(middle) > 1e3 * self.unit else 0.0
        self.texture = torch.as_tensor(space.appearance_components).float()
        self.appearance_mean = (space.appearance_mean - self.zero) / self.unit
        places = torch.as_tensor(inside, dtype=torch.float32)
        self.mean = places @ torch.as_tensor(space.shape_mean).float()  # [m, 2], normalized
        self.moves = torch.einsum("ml,slx->smx", places, torch.as_tensor(space.shape_components).float())
        self.variances = torch.as_tensor(np.append(space.variances[:s], space.variances[s:] / self.unit**2)).float()
        self.weight = prior * max(space.noise / self.unit**2, 1e-12)
        self.spread = torch.as_tensor(space.pose_spread).float()
        self.levels = [(blur * space.frame[0], max(1, round(share * s)), *self._look(blur)) for blur, share in _LEVELS]

    def _look(self, blur: float) -> tuple[Tensor, Tensor]:
        """Mean [m * channels] of the blurred appearance, and B [a, m * channels] with which I - B^T B weighs residuals:
        the appearance's Gaussian is integrated out."""
        space = self.space
        height, width, channels = space.frame
        stack = np.concatenate([self.appearance_mean[None], space.appearance_components])
        canvas = torch.zeros(len(stack), channels, height * width, dtype=torch.float32)
        inside = torch.as_tensor(space.mask.ravel().nonzero()[0])
        canvas[:, :, inside] = torch.as_tensor(stack).float().permute(0, 2, 1)
        mask = torch.as_tensor(space.mask).float().view(1, 1, height, width)
        sigma = blur * height
        soft = _blurred(canvas.view(-1, channels, height, width), sigma) / _blurred(mask, sigma).clamp_min(1e-6)
        flat = soft.flatten(2)[:, :, inside].permute(0, 2, 1).flatten(1)
        look = flat[1:]
        prior = torch.diag(self.weight / self.variances[len(self.moves) :])
        root, failed = torch.linalg.cholesky_ex(prior + look @ look.T)
        if bool(failed):
            raise InputError("prior is too small for this space, whose blurred components depend on each other")
        return flat[0], torch.linalg.solve_triangular(root, look, upper=False)

    def places(self, c: Tensor, pose: Tensor) -> tuple[Tensor, Tensor]:
        """Places [m, 2] of the pixels in the picture, and their derivatives [4 + k, m, 2] by pose and k coordinates."""
        k = len(c)
        shape = self.mean + torch.einsum("s,smx->mx", c, self.moves[:k])
        cos, sin = torch.cos(pose[1]), torch.sin(pose[1])
        turn = torch.stack([torch.stack([cos, -sin]), torch.stack([sin, cos])])
        turned = shape @ turn.T
        quarter = torch.stack([-turned[:, 1], turned[:, 0]], 1)
        x = torch.tensor([1.0, 0.0], dtype=turned.dtype).expand_as(turned)
        by_pose = torch.stack([turned, pose[0] * quarter, x, x.flip(1)])
        return pose[0] * turned + pose[2:], torch.cat([by_pose, pose[0] * self.moves[:k] @ turn.T])


def _search_one(model: _Model, picture: Tensor, pose: np.ndarray, iterations: int, tolerance: float) -> tuple:
    s = len(model.moves)
    state = torch.cat([torch.as_tensor(pose.copy()).float(), torch.zeros(s, dtype=torch.float32)])
    first = state.clone()
    used, moved = 0, np.inf
    for sigma, k, mean, look in model.levels:
        soft = _blurred(picture, sigma)
        slopes = torch.stack(_slopes(soft))
        prior = torch.cat([model.weight / model.spread.square(), model.weight / model.variances[:k]])
        damping = 1e-3
        for _ in range(iterations):
            used += 1
            places, by = model.places(state[4 : 4 + k], state[:4])
            off, away = _seen(soft, places) - mean, (state - first)[: 4 + k]
            j = torch.einsum("dmxc,pmx->pmc", _seen_slopes(slopes, places), by).flatten(1)
            weighted = j - (j @ look.T) @ look
            hessian = weighted @ j.T + torch.diag(prior)
            gradient = weighted @ off + prior * away

            def cost(new: Tensor, k=k, soft=soft, mean=mean, look=look, prior=prior) -> float:
                off = _seen(soft, model.places(new[4 : 4 + k], new[:4])[0]) - mean
                return float(off @ _left(off, look) + (prior * (new - first)[: 4 + k].square()).sum())

            step, damping = _step(cost, state, hessian, gradient, damping)
            if step is None:  # at the lowest place, or the pixels say nothing at all
                moved = 0.0 if bool(j.any()) and bool(gradient.isfinite().all()) else np.inf
                break
            moved = float((model.places((state + step)[4 : 4 + k], (state + step)[:4])[0] - places).norm(dim=1).mean())
            state = state + step
            if moved < tolerance:
                break
    _, _, mean, look = model.levels[-1]
    places, _ = model.places(state[4:], state[:4])
    off = _seen(picture, places) - mean
    texture = model.texture.flatten(1)
    look = texture @ off
    coordinates = torch.cat([state[4:], look * model.unit]).numpy()
    found = state[:4].double().numpy()
    points = as_numpy(model.space.landmarks(coordinates[None], found[None]))[0]
    rest = off - look @ texture
    return coordinates, points, found, float(rest.square().mean().sqrt()) * model.unit, used, bool(moved < tolerance)


def _step(cost, state: Tensor, hessian: Tensor, gradient: Tensor, damping: float) -> tuple[Tensor | None, float]:
    """The damped step [all parameters] that lowers the cost, or None, and the new damping."""
    now, diagonal, k = cost(state), torch.diag(torch.diag(hessian)), len(gradient)
    for _ in range(8):
        step = torch.zeros_like(state)
        found, failed = torch.linalg.solve_ex(hessian + damping * diagonal, gradient)
        step[:k] = -found
        if not bool(failed) and cost(state + step) < now:
            return step, max(damping / 4, 1e-6)
        damping = max(damping * 8, 1e-4)
    return None, damping


def _seen(picture: Tensor, places: Tensor) -> Tensor:
    """[m * channels]: the picture [1, channels, H, W] at places [m, 2]."""
    height, width = picture.shape[2:]
    at = 2 * places / torch.tensor([width - 1.0, height - 1.0], dtype=places.dtype) - 1
    return F.grid_sample(picture, at[None, :, None], padding_mode="border", align_corners=True)[0, :, :, 0].T.flatten()


def _seen_slopes(slopes: Tensor, places: Tensor) -> Tensor:
    """[1, m, 2, channels]: slopes [2, 1, channels, H, W] of the picture by x and y, at places."""
    m = len(places)
    return torch.stack([_seen(s, places).view(m, -1) for s in slopes], dim=1)[None]


def _left(off: Tensor, look: Tensor) -> Tensor:
    return off - look.T @ (look @ off)


def _slopes(picture: Tensor) -> tuple[Tensor, Tensor]:
    padded = F.pad(picture, (1, 1, 1, 1), mode="replicate")
    return (padded[..., 1:-1, 2:] - padded[..., 1:-1, :-2]) / 2, (padded[..., 2:, 1:-1] - padded[..., :-2, 1:-1]) / 2


def _blurred(pictures: Tensor, sigma: float) -> Tensor:
    if sigma <= 0:
        return pictures
    reach = int(np.ceil(3 * sigma))
    x = torch.arange(-reach, reach + 1, dtype=torch.float32)
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    n, c, h, w = pictures.shape
    out = F.conv2d(F.pad(pictures.reshape(n * c, 1, h, w), (reach, reach, 0, 0), mode="replicate"), kernel)
    out = F.conv2d(F.pad(out, (0, 0, reach, reach), mode="replicate"), kernel.transpose(2, 3))
    return out.view(n, c, h, w)
