"""The default plane as a drawing that needs no script: the mean path of each layer, its networks at the end."""

import numpy as np

LEFT, RIGHT, TOP, BOTTOM = 62.0, 624.0, 14.0, 366.0
_X, _Y = (-0.2, 12.6), (-0.02, 1.06)


def draw_plane(plane: dict[str, np.ndarray], epochs: list[int]) -> str:
    """SVG of {i_x, i_y [network, layer, epoch]} in bits; colors are the page's --l1 to --l6."""
    layers = plane["i_x"].shape[1]
    parts, placed = [_axes()], []
    for k in range(layers):
        color = f"--l{1 + round(k * 5 / max(layers - 1, 1))}"
        x, y = (plane[name][:, k] for name in ("i_x", "i_y"))
        points = [(_x(a), _y(b)) for a, b in zip(x.mean(0), y.mean(0))]
        trail = " ".join(f"{a:.1f},{b:.1f}" for a, b in points)
        dots = "".join(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="2" class="past"/>' for a, b in points[:-1])
        ones = "".join(
            f'<circle cx="{_x(a):.1f}" cy="{_y(b):.1f}" r="3" class="one"/>' for a, b in zip(x[:, -1], y[:, -1])
        )
        (a, b), name = points[-1], "output" if k == layers - 1 else f"layer {k + 1}"
        parts.append(
            f'<g style="color: var({color})"><polyline points="{trail}" class="trail"/>{dots}{ones}'
            f'<circle cx="{a:.1f}" cy="{b:.1f}" r="6.5" class="mean"/><title>{name}: {x[:, -1].mean():.2f} and '
            f"{y[:, -1].mean():.3f} bits</title></g>"
        )
        parts.append(_label(name, *points[0], placed))
    said = f"Information plane, mean path of {layers} layers over epochs 0 to {epochs[-1]}"
    return f'<svg viewBox="0 0 640 410" role="img" aria-label="{said}">{"".join(parts)}</svg>'


def _label(name: str, a: float, b: float, placed: list[tuple[float, float]]) -> str:
    """A name beside the point (a, b), further down where another one is."""
    right = a < LEFT + 60
    x, y = a + 10 if right else a - 10, b + 4
    while any(abs(x - u) < 56 and abs(y - v) < 13 for u, v in placed):
        y += 13
    placed.append((x, y))
    return f'<text x="{x:.1f}" y="{y:.1f}" class="name" text-anchor="{"start" if right else "end"}">{name}</text>'


def _x(bits: float) -> float:
    return LEFT + (bits - _X[0]) / (_X[1] - _X[0]) * (RIGHT - LEFT)


def _y(bits: float) -> float:
    return BOTTOM - (bits - _Y[0]) / (_Y[1] - _Y[0]) * (BOTTOM - TOP)


def _axes() -> str:
    out = []
    for v in range(0, 13, 2):
        out.append(f'<line x1="{_x(v):.1f}" x2="{_x(v):.1f}" y1="{TOP}" y2="{BOTTOM}" class="grid"/>')
        out.append(f'<text x="{_x(v):.1f}" y="{BOTTOM + 17}" class="tick" text-anchor="middle">{v}</text>')
    for v in (0, 0.2, 0.4, 0.6, 0.8, 1):
        out.append(f'<line x1="{LEFT}" x2="{RIGHT}" y1="{_y(v):.1f}" y2="{_y(v):.1f}" class="grid"/>')
        out.append(f'<text x="{LEFT - 7}" y="{_y(v) + 4:.1f}" class="tick" text-anchor="end">{v:g}</text>')
    out.append(
        f'<text x="{(LEFT + RIGHT) / 2}" y="402" class="axis" text-anchor="middle">I(X;T) in bits: what the layer '
        f"keeps of the input</text>"
    )
    out.append(
        '<text x="14" y="190" class="axis" text-anchor="middle" transform="rotate(-90 14 190)">I(T;Y) in bits</text>'
    )
    return "".join(out)
