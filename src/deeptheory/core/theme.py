"""One plotly template for notebook, page and paper, and the colors of layers."""

from typing import Any

# Okabe & Ito 2008, distinguished by color-blind readers; black and yellow left out: they vanish on a dark or a light
# page
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
NEUTRAL = "#7f8794"  # reads on white and on dark
LAYER_COLORS = _OKABE_ITO


def layer_colors(n: int) -> list[str]:
    """n colors for layers from input to output; CSS colors; past six, evenly along a perceptually even scale."""
    if n <= len(LAYER_COLORS):
        return list(LAYER_COLORS[:n])
    from plotly.colors import sample_colorscale

    return [str(c) for c in sample_colorscale("Viridis", [0.92 * k / (n - 1) for k in range(n)])]


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
            "colorway": list(LAYER_COLORS),
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
