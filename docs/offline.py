"""A site that needs no network: formulas as outlines, figures by a plotly.js on the site, thumbnails by matplotlib."""

import io
import re
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from drawn import draw

ALIASES = {  # what mathtext calls otherwise
    r"\lVert": r"\Vert", r"\rVert": r"\Vert", r"\lvert": r"\vert", r"\rvert": r"\vert", r"\Big(": r"(", r"\Big)": r")",
    r"\big(": r"(", r"\big)": r")", r"\textstyle": "", r"\mathbb E": r"\mathbb{E}", r"\sqrt 2": r"\sqrt{2}",
}  # fmt: skip
_PLOTLY = "plotly.min.js"
_TOOLS = {"responsive": True, "displaylogo": False, "showSendToCloud": False}


def formula(tex: str, size: float = 12.0) -> tuple[str, float]:
    """SVG of a formula in the text's color, and how far it reaches below the line, in points. ValueError: bad TeX."""
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    text = " ".join(tex.split())
    for name, other in ALIASES.items():
        text = text.replace(name, other)
    with mpl.rc_context({"mathtext.fontset": "cm", "svg.fonttype": "path", "svg.hashsalt": "deeptheory"}):
        width, height, depth, *_ = MathTextParser("path").parse(f"${text}$", prop=FontProperties(size=size))
        figure = Figure(figsize=((width + 0.4) / 72, (height + depth + 1) / 72))
        FigureCanvasSVG(figure)
        figure.text(0, (depth + 0.5) / (height + depth + 1), f"${text}$", fontsize=size, color="#123456")
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = svg[svg.index("<svg") :].replace("#123456", "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    return svg, depth + 0.5


def _svg(tex: str, prefix: str, block: bool) -> str:
    """The formula in a page; ids are the page's own, the text is its alternative."""
    svg, depth = formula(tex.replace(r"\frac", r"\dfrac") if block else tex, 13 if block else 12)
    svg = re.sub(r'(id="|xlink:href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    place = "display:block;margin:1em auto;max-width:100%" if block else f"vertical-align:-{depth:.2f}pt"
    head = f'<svg role="img" aria-label="{escape(" ".join(tex.split()), quote=True)}" style="{place}" '
    return head + svg.removeprefix("<svg ")


def _inline(self: Any, node: nodes.Element) -> None:
    self.body.append(_svg(node.astext(), f"m{_next(self)}", block=False))
    raise nodes.SkipNode


def _display(self: Any, node: nodes.Element) -> None:
    self.body.append(f'<div class="math">{_svg(node.astext(), f"m{_next(self)}", block=True)}</div>')
    raise nodes.SkipNode


def _next(translator: Any) -> int:
    translator.formulas = getattr(translator, "formulas", 0) + 1
    return translator.formulas


def figure_html(figure: Any) -> str:
    """A plotly figure in a page of the site, whose plotly.js lies on the site."""
    return figure.to_html(full_html=False, include_plotlyjs=False, config=_TOOLS, auto_play=False)


def thumbnails(block: Any, block_vars: dict, gallery_conf: dict) -> str:
    """For sphinx-gallery: the figure that a block ends with, as a picture for the overview; the page shows it."""
    from plotly.basedatatypes import BaseFigure

    last = block_vars["example_globals"].get("___")
    if isinstance(last, BaseFigure) and block_vars.get("drawn") is not last:
        draw(last, next(block_vars["image_path_iterator"]))
        block_vars["drawn"] = last
    return ""


def _with_plotly(app: Any, pagename: str, templatename: str, context: dict, doctree: Any) -> None:
    if doctree is not None and "plotly-graph-div" in context.get("body", ""):
        up = "../" * pagename.count("/")
        context["metatags"] = context.get("metatags", "") + f'<script src="{up}_static/{_PLOTLY}"></script>'


def _write_plotly(app: Any, error: Exception | None) -> None:
    from plotly.offline import get_plotlyjs

    if error is None and app.builder.format == "html":
        (Path(app.outdir) / "_static" / _PLOTLY).write_text(get_plotlyjs(), encoding="utf-8")


def setup(app: Any) -> dict[str, bool]:
    from plotly.basedatatypes import BaseFigure

    BaseFigure._repr_html_ = figure_html  # sphinx-gallery shows what a notebook would
    app.add_html_math_renderer("outlines", (_inline, None), (_display, None))
    app.connect("html-page-context", _with_plotly)
    app.connect("build-finished", _write_plotly)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
