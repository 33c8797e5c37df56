"""One plotly template for notebook, page and paper, and the colors of layers and of series."""

import re
from collections.abc import Sequence
from typing import Any

from deeptheory.core.shapes import check_whole as _check_whole

# Okabe & Ito 2008, distinguished by color-blind readers; black and yellow left out: they vanish on a dark or a light
# page
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
NEUTRAL = "#7f8794"  # reads on white and on dark
SERIES_COLORS = _OKABE_ITO
# from input to output: even steps of lightness and from blue to yellow, so that the order is seen without color vision
LAYER_COLORS = ("#2154b9", "#9051a9", "#ce5098", "#eb6486", "#ed8b70", "#e7b157")
STEP_SCALE = "Viridis"  # of what is ordered by training time, as the papers have it


def layer_colors(n: int) -> list[str]:
    """n colors for layers from input to output, as "#rrggbb" or, past six, "rgb(r, g, b)".

    The k-th layer has the same color in a network of any depth up to six; past that they lie evenly along the same
    scale. InputError: n is no integer of 0 or more.
    """
    _check_whole(n=(n, 0))
    if n <= len(LAYER_COLORS):
        return list(LAYER_COLORS[:n])
    from plotly.colors import sample_colorscale

    return [str(c) for c in sample_colorscale(list(LAYER_COLORS), [k / (n - 1) for k in range(n)])]


def series_colors(n: int) -> list[str]:
    """n colors for what has no order, such as conditions: Okabe & Ito's without black and yellow, as "#rrggbb".

    Past six: evenly along Viridis, as "rgb(r, g, b)". InputError: n is no integer of 0 or more.
    """
    _check_whole(n=(n, 0))
    if n <= len(SERIES_COLORS):
        return list(SERIES_COLORS[:n])
    from plotly.colors import sample_colorscale

    return [str(c) for c in sample_colorscale("Viridis", [0.92 * k / (n - 1) for k in range(n)])]


def colors_of(names: Sequence[Any]) -> dict[Any, str]:
    """A color for each name, by name; layers first.

    Names with "layer" and a number ("layer3", "fitted, layer3") have layer_colors by that number, counted from 1, or
    from 0 where a layer0 is among them; what else is named changes them by a layer0 and, past six, by the deepest
    alone. Where there are none, names of one word and a number (conv, dense, linear, fc, relu, hidden, block) have them
    by their order here. All else has series_colors, in order. A name that comes twice counts once.
    """
    names = list(dict.fromkeys(names))
    numbered = {n: int(m[1]) for n in names if (m := re.search(r"\blayer(\d+)\b", str(n)))}
    if not numbered:
        named = [n for n in names if re.fullmatch(r"(conv|dense|linear|fc|relu|hidden|block)\d+", str(n))]
        numbered = {n: k for k, n in enumerate(named)}
    elif 0 not in numbered.values():
        numbered = {n: k - 1 for n, k in numbered.items()}
    ordered = layer_colors(max([*numbered.values(), -1]) + 1)
    others = [n for n in names if n not in numbered]
    return {n: ordered[k] for n, k in numbered.items()} | dict(zip(others, series_colors(len(others))))


def template() -> Any:
    """A plotly.graph_objects.layout.Template, shared by every figure; transparent, so that a page's colors show."""
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
    """An empty plotly Figure in `template()`; keywords go to its layout (title, xaxis_title, ...).

    ValueError, from plotly: a keyword that a layout has not.
    """
    import plotly.graph_objects as go

    return go.Figure(layout={"template": template(), **layout})
