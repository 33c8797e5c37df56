"""A small run folder with all that a page shows, for the tests of the page and of the page in a browser."""

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from deeptheory.core.theme import new_figure
from deeptheory.report import write_page
from deeptheory.runs import Claim, NotRun, Page, PageFigure, Record, Section, decide


def claim(id, measured, statement="Something <b>holds</b> & stays."):
    return Claim(
        id=id, figure="1", source="paper, figure 1", statement=statement, quantity="q", unit="bits", region="[0, 2]",
        criterion="c", protocol="p", measure=lambda results: measured, published=1.5, published_trust="unverified",
    )  # fmt: skip


def write_run(path: Path) -> None:
    """A run folder as a study leaves it: a ledger, a figure with frames and one without."""
    Record(
        study="s",
        scale="quick",
        seed=0,
        seeds=[0, 1],
        settings={"lr": 0.1},
        changed={},
        threads=1,
        command="deeptheory reproduce s",
    ).write(path)
    claims = [claim("a/1", 1.0), claim("a/2", 3.0), claim("b", NotRun("a later figure"), "Later.")]
    decide(claims, {}, scale="quick").write(path)
    moving = new_figure(xaxis_title="x")
    moving.add_trace(go.Scatter(x=[0, 1], y=[0, 1], mode="markers", name="dots"))
    moving.frames = [go.Frame(name=str(10 * k), data=[go.Scatter(x=[k, k + 1], y=[0, 1])]) for k in range(5)]
    still = new_figure()
    still.add_trace(go.Scatter(x=[1, 10, 100], y=[1, 2, 3]))
    still.update_xaxes(type="log")
    words = {"table": pd.DataFrame({"x": [1]}), "shows": "a thing", "limitations": "somewhat"}
    shown = (
        PageFigure(name="moving", title="Moving", figure=moving, alt="dots that move", **words),
        PageFigure(name="still", title="Still", figure=still, alt="a line", **words),
    )
    section = Section(title="Figures", text="Look.", figures=shown)
    paper = {
        "authors": "A & B", "year": 2020, "count": "networks", "bibtex": "@misc{s}",
        "links": [["arXiv 1234.56789", "https://arxiv.org/abs/1234.56789"], ["bad", "javascript:alert(1)"]],
    }  # fmt: skip
    made = Page(title="A <study>", lead="What & why.", sections=(section,), notices=("Mind the gap.",), paper=paper)
    made.write(path)
    write_page(path)
