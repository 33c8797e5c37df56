"""Images of a figure in few bytes: fewer colors first, then fewer pixels."""

import base64
import io
from functools import lru_cache


@lru_cache(maxsize=64)
def small_image(source: str, most: int) -> tuple[str, tuple[int, int]]:
    """(a data URI of at most `most` characters or of the smallest size tried, (width, height) of the original)."""
    from PIL import Image

    kept = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))
    size = kept.size
    room = most - 3000  # for the names around it
    if len(source) <= room:
        return source, size
    out = source
    for shrink in (1, 2, 3, 4, 6):
        for colors in (64, 32, 16):
            smaller = kept.convert("RGB").resize(
                (max(1, size[0] // shrink), max(1, size[1] // shrink)), Image.Resampling.BOX
            )
            held = io.BytesIO()
            smaller.quantize(colors).save(held, "PNG", optimize=True)
            out = "data:image/png;base64," + base64.b64encode(held.getvalue()).decode()
            if len(out) <= room:
                return out, size
    return out, size
