"""Pictures in files, read as their files say: orientation, depth, transparency and frames are heeded or refused by
name.

Pitfall: Pillow's convert("L") clips 16 bits at 255, makes {0, 1} of floats, drops transparency, and EXIF orientation is
ignored unless asked for; landmarks that were placed in a viewer are those of the picture as it is shown.
"""

import warnings
from pathlib import Path

import numpy as np

from deeptheory.core.errors import StoreError

_EIGHT_BIT = ("1", "L", "P", "RGB", "YCbCr", "LAB", "HSV", "CMYK")
_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


def read_image(path: str | Path, *, colour: bool = False):
    """A PIL image of 8 bits, "RGB" or "L", turned as its EXIF orientation says.

    16 bits are divided by 257; floats within [0, 1] are multiplied by 255, within [0, 255] taken as they are.
    StoreError: unreadable or too large, several frames, transparent pixels, other depths or ranges.
    """
    from PIL import Image, ImageOps

    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as opened:
                frames = getattr(opened, "n_frames", 1)
                if frames > 1:
                    raise StoreError(f"{path.name} holds {frames} frames; save the one that is meant")
                deep = opened.format == "PNG" and opened.mode.startswith("I")  # older Pillow calls 16 bits "I"
                picture = ImageOps.exif_transpose(opened)
                picture.load()
    except StoreError:
        raise
    except (OSError, ValueError, SyntaxError, TypeError, MemoryError, Warning, Image.DecompressionBombError) as error:
        raise StoreError(f"{path.name} cannot be read as a picture ({error})") from error
    if picture.mode in _WITH_ALPHA or "transparency" in picture.info:
        alpha = np.asarray(picture.convert("RGBA"))[..., 3]
        if alpha.min() < 255:
            raise StoreError(
                f"{path.name} has {int((alpha < 255).sum())} transparent pixels, whose colour is anybody's guess; "
                "flatten it "
                "onto a background first"
            )
        picture = picture.convert("RGB")
    if picture.mode not in _EIGHT_BIT:
        picture = Image.fromarray(_eight_bits(np.asarray(picture), "I;16" if deep else picture.mode, path.name))
    try:
        return picture.convert("RGB" if colour else "L")
    except ValueError as error:  # Lab pictures
        raise StoreError(
            f"{path.name} cannot be made {'RGB' if colour else 'grey'} ({error}); save it as RGB"
        ) from error


def _eight_bits(values: np.ndarray, mode: str, name: str) -> np.ndarray:
    """Grey values of more than 8 bits as uint8."""
    if values.size and not np.isfinite(values).all():
        raise StoreError(f"{name} holds NaN or infinity; replace those pixels")
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if mode.startswith("I;16") or (mode == "I" and low >= 0 and 255 < high <= 65535):
        scaled = values.astype(np.float64) / 257
    elif mode == "F" and low >= 0 and high <= 1:
        scaled = values.astype(np.float64) * 255
    elif mode in ("F", "I") and low >= 0 and high <= 255:
        scaled = values.astype(np.float64)
    else:
        raise StoreError(
            f"{name} holds values from {low:g} to {high:g} (mode {mode}); needed: 8 or 16 bits, or floats "
            "within [0, 1] or [0, 255]"
        )
    return np.round(scaled).astype(np.uint8)
