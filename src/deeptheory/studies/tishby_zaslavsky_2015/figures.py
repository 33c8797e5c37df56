"""The figures, what they show and their limitations; the page is made of them."""

from typing import Any

import numpy as np

from deeptheory.core.theme import NEUTRAL, SERIES_COLORS
from deeptheory.report import charts
from deeptheory.runs import PageFigure
from deeptheory.studies.pages import Part
from deeptheory.studies.paper import stated
from deeptheory.studies.tables import curve, measured, table_of
from deeptheory.studies.tishby_zaslavsky_2015.claims import CLAIMS, distance_after, slopes

MAIN = "figure-2"
TITLE = "Deep learning and the information bottleneck principle"
_BLUE, _ORANGE, _GREEN, _PINK = SERIES_COLORS[:4]


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    shape = "-".join(str(w) for w in settings["widths"])
    return (
        f"The paper draws its figure 2 by hand; here it has numbers, of networks {shape} ({settings['activation']}, "
        f"{2 ** settings['bits']} levels) that learn the 12-bit rule for {settings['epochs']} epochs."
    )


def rate_and_distortion(results: Any) -> Any:
    """Every line of figure 2: the bound, its branches, the finite-sample bound with its minimum,
    and the layers; columns what, R, D."""
    data, end = results["bound"], results["layers"].isel(step=-1)
    i_xy = data.attrs["i_xy"]
    found = {
        "bound": ([0, *data["i_x"].values, data.attrs["h_x"]], [i_xy, *(i_xy - data["i_y"].values), 0]),
        **{f"branch of {k} clusters": _branch(data.sel(k=k)) for k in (2, 3)},
        f"with {data.attrs['samples']} samples": (data["rate"].values, data["worst"].values),
        "(R*, D*)": ([data["r_star"]], [data["d_star"]]),
        "layers, mean of the networks": (end["i_x"].mean("seed").values, i_xy - end["i_y"].mean("seed").values),
    }
    return table_of([{"what": n, "R": float(r), "D": float(d)} for n, (x, y) in found.items() for r, d in zip(x, y)])


def _branch(part: Any) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(part["branch_i_x"].values, kind="stable")
    return part["branch_i_x"].values[order], part.attrs["i_xy"] - part["branch_i_y"].values[order]


def _figure_2(results: Any, settings: dict) -> PageFigure:
    return _plane(results, settings, "figure-2", "Figure 2, measured")


def _near(results: Any, settings: dict) -> PageFigure:
    drawn = _plane(results, settings, "figure-2-near", "The same, near the bound", 1.1 * results["bound"].attrs["h_x"])
    drawn.figure.update_xaxes(range=[-0.05, 1.1 * results["bound"].attrs["h_x"]])
    return drawn


def _plane(results: Any, settings: dict, name: str, title: str, labels_to: float = np.inf) -> PageFigure:
    """Distortion against rate; layers are labeled up to that rate."""
    table = rate_and_distortion(results)
    finite = f"with {results['bound'].attrs['samples']} samples"
    dots = {"mode": "lines+markers", "marker": {"symbol": "circle"}}
    style = {
        "bound": {"line": {"color": NEUTRAL, "width": 3}},
        "branch of 2 clusters": {**dots, "line": {"color": _BLUE, "dash": "dot", "width": 1}, "marker": {"size": 8}},
        "branch of 3 clusters": {**dots, "line": {"color": _PINK, "dash": "dot", "width": 1},
            "marker": {"size": 6, "symbol": "diamond"}},
        finite: {"line": {"color": _ORANGE, "width": 2}},
        "(R*, D*)": {"mode": "markers", "marker": {"size": 12, "symbol": "star", "color": _ORANGE}},
        "layers, mean of the networks": {**dots, "line": {"color": _GREEN}, "marker": {"size": 9}},
    }  # fmt: skip
    figure = charts.lines(
        table, "R", "D", "what", x_title="R = I(X;T) (bits)", y_title="D = I(X;Y|T) (bits)", style=style
    )
    layers = table[table["what"] == "layers, mean of the networks"]
    for k, (layer, r, d) in enumerate(zip(results["layers"]["layer"].values.tolist(), layers["R"], layers["D"])):
        if r < labels_to:  # away from the lines, at two heights
            figure.add_annotation(x=r, y=d, text=layer, ax=10, ay=-30 - 18 * (k % 2), arrowwidth=1, arrowcolor=NEUTRAL)
    figure.update_yaxes(range=[-0.05, 1.15])
    return PageFigure(
        name=name,
        title=title,
        figure=figure,
        table=table,
        published="Drawn by hand, without numbers: the bound, its suboptimal branches, the finite-sample bound with "
        "its minimum, and the layers above it.",
        shows="Gray: the least D for each R. Dotted: what two or three clusters can do. Orange: the bound with the "
        "error of a finite sample, and its least point. Green: layers, from the input side (right) to the output.",
        claims=("bound-above-layers", "finite-sample-minimum-exists", "gaps"),
        limitations="Bound and layers are exact for this p(x, y). The orange line rests on a constant of "
        f"{settings['constant']:g}, which no paper states: another moves its minimum. Branches are found by iteration, "
        "so they are upper bounds.",
        alt="D against R: a falling bound, dotted branches above it, an orange U-shaped line with a star, "
        "a green path of layers.",
    )


def _bifurcations(results: Any, settings: dict) -> PageFigure:
    data, end = results["bound"], results["layers"].isel(step=-1)
    critical, names = data["critical"].values.tolist(), end["layer"].values.tolist()
    steps = [
        {"what": "optimum", "beta": b, "clusters": k} for b, k in zip(data["beta"].values, data["clusters"].values)
    ]
    fitted = [
        {"what": f"fitted, {n}", "beta": b, "clusters": 0.2 + 0.1 * k}
        for k, n in enumerate(names)
        for b in end["beta"].values[:, k]
        if np.isfinite(b) and b > 0
    ]
    marks = {"mode": "markers", "marker": {"symbol": "line-ns-open", "size": 9}}
    style = {"optimum": {"line": {"shape": "hv", "color": NEUTRAL}, "mode": "lines+markers"}} | dict.fromkeys(
        [f"fitted, {n}" for n in names], marks
    )
    drawn = table_of([*steps, *fitted])
    figure = charts.lines(
        drawn, "beta", "clusters", "what", x_title="beta", y_title="clusters of the optimum", log="x", style=style
    )
    found = [distance_after(results, step) for step in (-1, 0)]
    after = [f"{np.nanmean(v):+.3g}" if np.isfinite(v).any() else "none" for v in found]
    return PageFigure(
        name="bifurcations",
        title="Bifurcations, and where the layers' fitted betas lie",
        figure=charts.reference(figure, upright=critical),
        table=table_of(
            [
                *steps,
                *({"what": "critical beta", "beta": c} for c in critical),
                *({**row, "what": row["what"].replace(",", ""), "clusters": np.nan} for row in fitted),
            ]
        ),
        shows="Steps: clusters appear at critical betas (dotted). Ticks below: fitted betas of layers and networks. "
        f"Mean signed distance after the nearest critical beta: trained {after[0]}, "
        f"untrained {after[1]} in log beta.",
        claims=("layers-after-bifurcations", "critical-beta"),
        limitations="Betas are fitted with each layer's own decoder. Left out: layers that lost nothing (infinite "
        "beta), and those that no beta above 0 fits better than ruling out the symbols that their decoder excludes.",
        alt="Number of clusters against beta, a staircase; dotted vertical lines at critical betas; ticks for layers.",
    )


def _chain(results: Any, settings: dict) -> PageFigure:
    data = results["layers"]
    kept = data["i_y"].transpose("step", "seed", "layer") / data.attrs["information"]
    table = table_of(
        [
            {"when": when, "network": s, "layer": n, "share": float(kept[t].sel(seed=s, layer=n))}
            for t, when in ((0, "before training"), (-1, "at the end"))
            for s in data["seed"].values.tolist()
            for n in data["layer"].values.tolist()
        ]
    )
    style = {"before training": {"line": {"color": NEUTRAL}}, "at the end": {"line": {"color": _BLUE}}}
    return PageFigure(
        name="chain",
        title="The chain of inequalities, exact",
        figure=charts.lines(
            table,
            "layer",
            "share",
            "when",
            each="network",
            markers=True,
            x_title="layer",
            y_title="I(Y;T) / I(X;Y)",
            style=style,
        ),
        table=table,
        shows="By the data processing inequality no line can rise from left to right. How far does it fall: "
        "what did the network lose on the way?",
        claims=("dpi-chain",),
        limitations="Layers are rounded in the network itself, so each is a function of the one before: "
        "nothing is estimated.",
        alt="Lines over layers, one per network: share of the label's information, never rising.",
    )


def _criterion(results: Any, settings: dict) -> PageFigure:
    data, columns = results["layers"], ["i_previous", "lost", "beta", "residual", "residual_shuffled", "excess"]
    end, names = data.isel(step=-1), data["layer"].values.tolist()
    of = {
        "trained": end["residual"],
        "labels permuted": end["residual_shuffled"],
        "before training": data["residual"].isel(step=0),
    }
    table = measured(
        {label: dict(zip(names, values.transpose("layer", "seed").values)) for label, values in of.items()}
    )
    return PageFigure(
        name="criterion",
        title="How well each layer is the bottleneck's encoder at its own beta",
        figure=charts.points(table, "at", "mean", "condition", x_title="layer", y_title="residual of the fit (bits)"),
        table=end[columns].to_dataframe(dim_order=["layer", "seed"]).reset_index()[[*columns, "layer"]],
        shows="Residual of the fitted encoder next to the same for permuted labels and for the untrained networks. The "
        "table holds the two terms of the layer criterion, I(T before;T) and I(Y;T before|T), "
        "and how many bits of I(X;T) lie beyond need.",
        limitations="A small residual alone proves little: the fit uses the layer's own decoder. Compare all three.",
        alt="Dots by layer: residual of the fit, and of shuffled labels.",
    )


def _neuron(results: Any, settings: dict) -> PageFigure:
    table = results["neuron"].isel(seed=0)[["exact", "output"]].drop_vars("seed").to_dataframe()
    figure = charts.points(table, "exact", "output", x_title="p(y|counts), Bayes", y_title="output of the unit")
    return PageFigure(
        name="neuron",
        title="One unit is an exact posterior",
        figure=charts.reference(figure, diagonal=(0, 1)),
        table=table,
        shows="On the diagonal a unit is the exact posterior; the largest difference over all sources is "
        f"{float(results['neuron']['error'].max()):.1e}.",
        claims=("neuron-is-posterior",),
        limitations="An identity, checked in double precision. It needs features that are independent given the class.",
        alt="Scatter of the unit's output against the exact posterior, with the diagonal.",
    )


def _slopes(results: Any, settings: dict) -> PageFigure:
    found = slopes(results["bound"])
    table = table_of(curve("", "", range(len(found)), found))
    figure = charts.points(table, "x", "y", x_title="piece of the curve", y_title="slope times beta")
    return PageFigure(
        name="slopes",
        title="The curve's slope is one over beta",
        figure=charts.region(figure, *stated(CLAIMS, "slope-is-inverse-beta")),
        table=table[["y"]].rename(columns={"y": "slope_times_beta"}),
        shows="By theory every piece has slope times beta of 1 (shaded: what the claim allows); a piece that spans a "
        "bifurcation with a jump has the slope of a chord.",
        claims=("slope-is-inverse-beta",),
        limitations="Differences between neighboring betas, where I(X;T) moves by more than rounding.",
        alt="Dots near 1.",
    )


SECTIONS: tuple[Part, ...] = (
    (
        "The plane of 2015 (figure 2)",
        "Distortion against rate, so that down is better: the plane of 2017 turned over.",
        (_figure_2, _near, _bifurcations),
    ),
    ("Layers", "Networks whose layers are a Markov chain of symbols.", (_chain, _criterion)),
    ("Two identities", "What must hold to rounding.", (_neuron, _slopes)),
)
