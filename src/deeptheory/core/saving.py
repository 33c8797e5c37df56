"""A result as a file: its figure, interactive or as an image, or its table."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from deeptheory.core.errors import InputError, MissingDependency, StoreError
from deeptheory.core.names import unknown

IMAGES = (".pdf", ".svg", ".png")
ENDINGS = (".html", ".json", ".csv", *IMAGES)
INK = "#111418"
_NEEDS = (
    "needs the package kaleido (pip install kaleido) and a Chrome or Chromium (its command kaleido_get_chrome fetches "
    "one); .html, .json and .csv need neither"
)


def save(result: Any, path: Path) -> None:
    """Write result.figure() or result.table() to the path, by its ending; see Result.save."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(unknown(ending or path.name, ENDINGS, what="ending of a file"))
    if ending in IMAGES and find_spec("kaleido") is None:
        raise MissingDependency(f"{path.name} {_NEEDS}")
    try:
        if ending == ".csv":
            result.table().to_csv(path, index=False, lineterminator="\n")
        elif ending == ".html":
            config = {"displaylogo": False, "showSendToCloud": False}
            result.figure().write_html(path, config=config, auto_play=False)  # it opens at the end of the training
        elif ending == ".json":
            result.figure().write_json(path)
        else:
            _image(result.figure(), path)
    except OSError as error:
        raise StoreError(f"{path.name} cannot be written ({error.strerror or error}); choose another folder") from error


def for_paper(figure: Any) -> Any:
    """The figure as it is printed: black on white, room for the titles of axes, and nothing to move."""
    import plotly.graph_objects as go

    paper = go.Figure(data=figure.data, layout=figure.layout)  # without frames, which only a slider shows
    paper.layout.sliders, paper.layout.updatemenus = (), ()
    room = {side: max(getattr(figure.layout.margin, side) or 0, least) for side, least in (("l", 75), ("b", 80))}
    paper.update_layout(font_color=INK, paper_bgcolor="white", plot_bgcolor="white", margin=room)  # a PDF is cut below
    return paper.update_xaxes(automargin=True).update_yaxes(automargin=True)


def _image(figure: Any, path: Path) -> None:
    """MissingDependency: kaleido finds no browser, by whatever error it says so."""
    try:
        for_paper(figure).write_image(path)
    except (ImportError, RuntimeError, ValueError) as error:
        raise MissingDependency(f"{path.name} {_NEEDS}; it said: {str(error).strip().splitlines()[0]}") from error
