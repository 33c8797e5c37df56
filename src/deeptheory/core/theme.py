"""One plotly template for notebook, page and paper, and the colors of layers and of series."""

import re
from collections.abc import Sequence
from typing import Any

# Okabe & Ito 2008, distinguished by color-blind readers; black and yellow left out: they vanish on a dark or a light
# page
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
NEUTRAL = "#7f8794"  # reads on white and on dark
SERIES_COLORS = _OKABE_ITO
# from input to output: even steps of lightness and from blue to yellow, so that the order is seen without color vision
LAYER_COLORS = ("#2154b9", "#9051a9", "#ce5098", "#eb6486", "#ed8b70", "#e7b157")
STEP_SCALE = "Viridis"  # of what is ordered by training time, as the papers have it


def layer_colors(n: int) -> list[str]:
    """n colors for layers from input to output, as CSS text. n: 0 or more.

    The k-th layer has the same color in a network of any depth up to six; past that they lie evenly along the same
    scale.
    """
    if n <= len(LAYER_COLORS):
        return list(LAYER_COLORS[:n])
    from plotly.colors import sample_colorscale

    return [str(c) for c in sample_colorscale(list(LAYER_COLORS), [k / (n - 1) for k in range(n)])]


def series_colors(n: int) -> list[str]:
    """n colors for what has no order, such as conditions, as CSS text: those of Okabe & Ito 2008 that read on any page.

    Past six, n colors evenly along a perceptually even scale. n: 0 or more.
    """
    if n <= len(SERIES_COLORS):
        return list(SERIES_COLORS[:n])
    from plotly.colors import sample_colorscale

    return [str(c) for c in sample_colorscale("Viridis", [0.92 * k / (n - 1) for k in range(n)])]


def colors_of(names: Sequence[Any]) -> dict[Any, str]:
    """{name: color} for all names.

    Layers ("layer3", "fitted, layer3", or conv1, dense1, ... in their order) have those of layers, the same all over a
    page; all else has those of series.
    """
    numbered = {n: int(m[1]) - 1 for n in names if (m := re.search(r"\blayer(\d+)\b", str(n)))}
    if not numbered:
        named = [n for n in names if re.fullmatch(r"(conv|dense|linear|fc|relu|hidden|block)\d+", str(n))]
        numbered = {n: k for k, n in enumerate(named)}
    ordered = layer_colors(max([*numbered.values(), -1]) + 1)
    others = [n for n in names if n not in numbered]
    return {n: ordered[k] for n, k in numbered.items()} | dict(zip(others, series_colors(len(others))))


def template() -> Any:
    """The plotly template shared by every figure; transparent, so that the page's own colors show through."""
    import plotly.graph_objects as go

    axis = {
        "gridcolor": "rgba(127,135,148,0.25)",
        "zeroline": False,
        "linecolor": NEUTRAL,
        "ticks": "outside",
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": "system-ui, sans-serif", "size": 14, "color": NEUTRAL},
            "colorway": list(SERIES_COLORS),
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "xaxis": axis,
            "yaxis": axis,
            "margin": {"l": 60, "r": 20, "t": 50, "b": 50},
            "hoverlabel": {"font": {"size": 13}},
        }
    )


def new_figure(**layout: Any) -> Any:
    """An empty plotly Figure in our template; keywords go to its layout (title, xaxis_title, ...)."""
    import plotly.graph_objects as go

    return go.Figure(layout={"template": template(), **layout})
