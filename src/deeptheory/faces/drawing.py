"""Pictures of faces in figures: many side by side as one image, packed as PNG."""

import base64
import io
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.shapes import check_finite, check_whole, check_within


def montage(images: Any, columns: int = 8, *, low: float | None = None, high: float | None = None) -> np.ndarray:
    """images [n, H, W(, 3)] in rows of `columns`: [rows * H, columns * W, 3] uint8.

    low, high: the values shown as black and white, what is beyond clipped; by default low is 0, and high is 255 where
    any value is above 2, else 1. Places without an image are black.
    InputError: columns below 1, no image, another shape, NaN, low not below high.
    """
    check_whole(columns=(columns, 1))
    x = as_floats(images).astype(np.float32)
    if x.ndim not in (3, 4) or not x.size or x.shape[3:] not in ((), (3,)):
        raise InputError(f"images have shape {list(x.shape)} in {columns} columns; needed: [n, H, W] or [n, H, W, 3]")
    check_finite(images=x)
    x = np.repeat(x[..., None], 3, axis=3) if x.ndim == 3 else x
    low = 0.0 if low is None else low
    high = (255.0 if x.max() > 2 else 1.0) if high is None else high
    check_within(low=(low, -1e30, 1e30), high=(high, -1e30, 1e30))
    if not high - low > 1e-30:
        raise InputError(f"low is {low} and high {high}; needed: low below high")
    n, height, width, _ = x.shape
    rows = -(-n // columns)
    full = np.full((rows * columns, height, width, 3), low, dtype=np.float32)
    full[:n] = x
    placed = full.reshape(rows, columns, height, width, 3).swapaxes(1, 2).reshape(rows * height, columns * width, 3)
    return np.clip((placed - low) / (high - low) * 255 + 0.5, 0, 255).astype(np.uint8)


def image_figure(image: np.ndarray, labels_x: list[str] | None = None, labels_y: list[str] | None = None) -> Any:
    """A plotly figure of one image [h, w, 3] or [h, w] uint8, such as montage's.

    labels_x, labels_y: names of its columns and rows of faces, evenly apart; None: none. InputError: another image.
    """
    fits = isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.size > 0
    if not fits or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        seen = f"{getattr(image, 'dtype', type(image).__name__)} {list(getattr(image, 'shape', ()))}"
        raise InputError(f"image is {seen}; needed: uint8 [h, w, 3], as montage(images) gives it")
    import plotly.graph_objects as go
    from PIL import Image

    from deeptheory.core.theme import new_figure

    kept = io.BytesIO()
    Image.fromarray(image).save(kept, "PNG", optimize=True)
    source = "data:image/png;base64," + base64.b64encode(kept.getvalue()).decode()
    height, width = image.shape[:2]
    figure = new_figure(height=min(900, 60 + height * min(3, 900 / width)))
    figure.add_trace(go.Image(source=source, hoverinfo="skip"))
    for update, labels, size in (
        (figure.update_xaxes, labels_x, width),
        (figure.update_yaxes, labels_y, height),
    ):
        named = labels or []
        step = size / max(1, len(named))
        update(
            tickvals=[step * (k + 0.5) for k in range(len(named))],
            ticktext=named,
            showgrid=False,
            ticks="",
            showline=False,
        )
    return figure


def components_figure(
    blocks: Mapping[str, slice],
    variances: np.ndarray,
    decode: Callable[[np.ndarray], Any],
    components: int,
    reach: float,
) -> Any:
    """Each of the first components of all blocks at -reach, 0 and +reach standard deviations.

    variances: [k], of all coordinates; decode: coordinates [n, k] float32 -> pictures.
    """
    rows, names = [], []
    for block, part in blocks.items():
        for k in range(min(components, part.stop - part.start)):
            at = np.zeros((3, len(variances)), dtype=np.float32)
            at[:, part.start + k] = np.array([-reach, 0, reach]) * np.sqrt(variances[part.start + k])
            rows.append(at)
            names.append(f"{block} {k + 1}")
    pictures = np.asarray(decode(np.concatenate(rows)))
    low, high = float(pictures.min()), float(pictures.max())
    usual = 0.1 < high < 300 and low > -0.5 * high  # 0 to 1, or 0 to 255: montage's own range; else what there is
    shown = montage(pictures, 3) if usual else montage((pictures - low) / (high - low), 3)
    return image_figure(shown, [f"-{reach:g} s.d.", "mean", f"+{reach:g} s.d."], names)
