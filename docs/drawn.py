"""Figures of plotly as still pictures, by matplotlib, without a browser: thumbnails of the gallery, pictures of pages.

Lines, dots, bars, maps and images are drawn, with titles of axes; sliders, hover and annotations are not.
"""

import base64
import io
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("agg")
_DASHES = {"dot": ":", "dash": "--", "dashdot": "-.", "solid": "-"}
_RGBA = re.compile(r"rgba?\(([^)]*)\)")


def draw(figure: Any, path: str | Path, *, width: float = 4.8, height: float = 3.4, legend: bool = False) -> None:
    """Write a plotly figure to a .png or .svg, sizes in inches. ValueError: a kind of trace that this does not draw."""
    import matplotlib.pyplot as plt

    panels = list(
        dict.fromkeys((getattr(t, "xaxis", None) or "x", getattr(t, "yaxis", None) or "y") for t in figure.data)
    )
    columns = min(3, len(panels))
    rows = -(-len(panels) // columns)
    fig, axes = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, layout="constrained", dpi=150)
    for k, axis in enumerate(axes.flat):
        if k >= len(panels):
            axis.set_visible(False)
            continue
        for trace in figure.data:
            if ((getattr(trace, "xaxis", None) or "x"), (getattr(trace, "yaxis", None) or "y")) == panels[k]:
                _trace(axis, trace)
        _axes(axis, figure.layout, *panels[k], last=k // columns == rows - 1, first=k % columns == 0)
    if legend:
        named = {label: line for axis in axes.flat for line, label in zip(*axis.get_legend_handles_labels())}
        fig.legend(list(named.values()), list(named), loc="outside right upper", frameon=False, fontsize=8)
    fig.savefig(path, facecolor="white")
    plt.close(fig)


def _trace(axis: Any, trace: Any) -> None:
    kind = trace.type
    if kind == "scatter":
        _scatter(axis, trace)
    elif kind == "bar":
        _bar(axis, trace)
    elif kind == "heatmap":
        axis.imshow(np.asarray(trace.z, dtype=float), aspect="auto", origin="lower", cmap="viridis")
    elif kind == "image":
        axis.imshow(_image(trace))
    else:
        raise ValueError(f"a trace is {kind!r}; drawn are scatter, bar, heatmap and image")


def _scatter(axis: Any, trace: Any) -> None:
    mode = trace.mode or "lines"
    if trace.x is None or trace.y is None or mode == "text":
        return
    x, y = _numbers(trace.x), _numbers(trace.y)
    line = trace.line
    color = _color(line.color or (trace.marker.color if isinstance(trace.marker.color, str) else None))
    shown = {"label": trace.name} if trace.name and trace.showlegend is not False else {}
    if trace.fill == "toself":
        fill = _color(trace.fillcolor) or color
        axis.fill(x, y, color=fill, alpha=(trace.opacity or 0.2), linewidth=0)
        return
    if "lines" in mode:
        axis.plot(x, y, _DASHES.get(line.dash or "solid", "-"), color=color, linewidth=line.width or 1.5, **shown)
        shown = {}
    if "markers" in mode:
        of = trace.marker.color
        size = trace.marker.size if isinstance(trace.marker.size, int | float) else 6
        dots = {"color": color} if of is None or isinstance(of, str) else {"c": np.asarray(of, dtype=float)}
        axis.scatter(x, y, s=0.5 * size**2, **dots, alpha=trace.marker.opacity or 1, linewidths=0, **shown)


def _bar(axis: Any, trace: Any) -> None:
    x, y = _numbers(trace.x), _numbers(trace.y)
    color = _color(trace.marker.color if isinstance(trace.marker.color, str) else None)
    if trace.orientation == "h":
        axis.barh(y, x, color=color)
    else:
        axis.bar(x, y, color=color)


def _axes(axis: Any, layout: Any, x: str, y: str, *, last: bool, first: bool) -> None:
    sides = {"x": layout[x.replace("x", "xaxis", 1)], "y": layout[y.replace("y", "yaxis", 1)]}
    for side, said in sides.items():
        if said.type == "log":
            getattr(axis, f"set_{side}scale")("log")
        if said.range is not None and None not in said.range:
            ends = [10 ** float(v) if said.type == "log" else float(v) for v in said.range]
            getattr(axis, f"set_{side}lim")(*ends)
        if said.title.text and (last if side == "x" else first):
            getattr(axis, f"set_{side}label")(re.sub(r"<[^>]+>", " ", said.title.text), fontsize=9)
        if said.tickvals is not None and said.ticktext is not None and side == "x":
            axis.set_xticks(list(said.tickvals), [str(t) for t in said.ticktext], fontsize=7, rotation=30, ha="right")
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    if not axis.images:
        axis.grid(alpha=0.25)


def _image(trace: Any) -> np.ndarray:
    from PIL import Image

    if trace.z is not None:
        return np.asarray(trace.z, dtype=np.uint8)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(trace.source.partition(",")[2]))))


def _numbers(values: Any) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind in "fiub":
        return array.astype(float)
    try:
        return np.array([np.nan if v is None else float(v) for v in values])
    except (TypeError, ValueError):
        return np.asarray([str(v) for v in values])


def _color(text: Any) -> Any:
    """A color as matplotlib takes it."""
    if not isinstance(text, str):
        return None
    found = _RGBA.fullmatch(text)
    if not found:
        return text
    r, g, b, *a = (float(v) for v in found[1].split(","))
    return (r / 255, g / 255, b / 255, *(a or [1.0]))
