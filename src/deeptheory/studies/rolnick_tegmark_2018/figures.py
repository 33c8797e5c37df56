"""The figures, what they show and their limitations; the page is made of them."""

from math import prod
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.theme import SERIES_COLORS
from deeptheory.report import charts
from deeptheory.runs import PageFigure
from deeptheory.studies.pages import Part
from deeptheory.studies.rolnick_tegmark_2018.claims import deep_bound, frontier, grid
from deeptheory.studies.rolnick_tegmark_2018.steps import MONOMIALS
from deeptheory.studies.tables import estimate, table_of

MAIN = "learned"
TITLE = "The power of deeper networks for expressing natural functions"
_TABLED = (8, 16, 20, 32, 64)
_GROUPED = ((20, 3), (64, 3), (1000, 4), (100_000, 6))  # n, hidden layers
_WHOLE_TO = 64  # the largest n whose integer groups are searched here


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    shapes = len(settings["depths"]) * len(settings["widths"])
    return (
        f"Neurons that a polynomial needs are counted by rank and by construction, and networks of {shapes} shapes "
        f"learn the product of {settings['n']} numbers in {settings['steps']} steps."
    )


def _neurons(results: Any, settings: dict) -> PageFigure:
    found = [(n, k, *dt.cheap.product_optimum(n, k)) for n in _TABLED for k in range(1, 7) if n >= 2 ** min(k, 5)]
    table = table_of(
        [
            {
                "n": n,
                "hidden_layers": k,
                "neurons": float(neurons),
                "largest_group_by_layer": " ".join(map(str, groups)),
            }
            for n, k, neurons, groups in found
        ]
    )
    figure = charts.lines(
        table.assign(name=[f"{n} numbers" for n in table["n"]]), "hidden_layers", "neurons", markers=True, log="y",
        x_title="hidden layers", y_title="neurons",
    ).update_xaxes(dtick=1)  # fmt: skip
    return PageFigure(
        name="neurons",
        title="Neurons to multiply n numbers, by depth",
        figure=figure,
        table=table,
        published="2^n neurons in one hidden layer, of the order of n^((k-1)/k) 2^(n^(1/k)) in k of them (theorem "
        "5.1); that nothing does better is a conjecture (5.2). No table is printed.",
        shows="How many neurons does each number of layers need? Exact, by the formula that the built networks meet.",
        claims=("depth-k-table",),
        limitations="Exact search over balanced groups, an upper bound of the need. "
        "That nothing beats its order in n is conjecture 5.2.",
        alt="Line plot, neurons on a logarithmic axis against hidden layers, "
        "one line for each of five numbers of factors.",
    )


def _groups(results: Any, settings: dict) -> PageFigure:
    real = {(n, k, "equation 5"): dt.cheap.real_groups(n, k) for n, k in _GROUPED}
    whole = {(n, k, "whole, sorted"): sorted(dt.cheap.product_optimum(n, k)[1]) for n, k in _GROUPED if n <= _WHOLE_TO}
    found = sorted((real | whole).items(), key=lambda item: item[0][0])
    table = table_of([{"n": n, "hidden_layers": k, "layer": i, "group": float(b), "kind": kind} for (n, k, kind),
        groups in found for i, b in enumerate(groups, start=1)])  # fmt: skip
    colors = dict(zip((n for n, _ in _GROUPED), SERIES_COLORS))
    style = {f"n = {n}, equation 5": {"line": {"color": c}} for n, c in colors.items()}
    style |= {
        f"n = {n}, whole, sorted": {"mode": "markers", "marker": {"color": c, "symbol": "square-open", "size": 12}}
        for n, c in colors.items()
    }
    named = table.assign(name=[f"n = {n}, {kind}" for n, kind in zip(table["n"], table["kind"])])
    figure = charts.lines(
        named, "layer", "group", markers=True, x_title="layer", y_title="factors in a group", style=style
    )
    return PageFigure(
        name="groups",
        title="The best groups, layer by layer (the paper's figure 1)",
        figure=figure.update_xaxes(dtick=1),
        table=table,
        published="Figure 1 draws the best b_i against the layer, by equation 5: b_(i+1) = b_i + log2(b_i - 1/ln 2).",
        shows="How large are the best groups, layer by layer, by equation 5 and by the integer optimum?",
        claims=("optimal-groups",),
        limitations="The equation is the Lagrange condition of the count with real groups. Whole groups are the exact "
        "optimum, sorted; among equal optima the search shows one.",
        alt="Line plot: size of groups against the layer for four products; open squares mark whole groups.",
    )


def _monomials(results: Any, settings: dict) -> PageFigure:
    counts, made = results["counts"], results["built"]
    columns = {
        "monomial": [_shown(m) for m in MONOMIALS],
        "one layer, exact": counts["shallow"].sel(bound="upper").values,
        "prod(r + 1)": [prod(r + 1 for r in m) for m in MONOMIALS],
        "built": made["neurons"].values,
        "bound of theorem 4.2": [deep_bound(m) for m in MONOMIALS],
        "certificate": made["certificate"].values,
        "error found": made["error"].values,
    }
    drawn = [
        {"monomial": m, "count": name, "neurons": v}
        for name in ("one layer, exact", "built", "bound of theorem 4.2")
        for m, v in zip(columns["monomial"], columns[name])
    ]
    return PageFigure(
        name="monomials",
        title="Neurons of monomials: one layer, and as built at any depth",
        figure=charts.points(
            table_of(drawn), "monomial", "neurons", "count", x_title="monomial", y_title="neurons", log="y"
        ),
        table=table_of([dict(zip(columns, row)) for row in zip(*columns.values())]),
        published="Exactly prod(r_i + 1) neurons in one hidden layer (theorem 4.1), at most "
        "sum(7 ceil(log2 r_i) + 4) at any depth (theorem 4.2).",
        shows="Which is smaller for each monomial: the count for one layer, the bound of theorem 4.2, "
        "or the network that was built?",
        claims=("shallow-count", "deep-count"),
        limitations="Counts in one layer are exact in the Taylor sense. What was built has a bias at "
        "its output, which spares the unit that sees nothing (u² takes two), and is an upper bound: a smaller network "
        "may exist. The table has certificates and the largest errors found on 20,000 points.",
        alt="Dot plot of neuron counts on a logarithmic axis for twelve monomials.",
    )


def _shown(m: tuple[int, ...]) -> str:
    """(2, 1) as u²v."""
    return "".join(letter + ("", "²", "³", "⁴", "⁵")[r - 1] for letter, r in zip("uvwxyz", m))


def _learned(results: Any, settings: dict) -> PageFigure:
    data = grid(results)
    n, table = int(data["n"][0]), _errors(data)
    figure = charts.heat_map(
        table,
        "width",
        "depth",
        "error",
        log="xz",
        x_title="width of every hidden layer",
        y_title="hidden layers",
        z_title="error",
    )
    k = np.linspace(max(1, table["depth"].min() - 0.5), table["depth"].max() + 0.5, 60)
    charts.add_line(figure, np.log2(frontier(n, k)), k, "frontier of theorem 5.1", color=SERIES_COLORS[1],
        line={"width": 4})  # fmt: skip
    return PageFigure(
        name="learned",
        title=f"Error of learned products of {n} numbers, by depth and width (the paper's figure 2)",
        figure=figure,
        table=table,
        published="Figure 2: dense tanh networks learn the product of 20 numbers in [0, 2] by AdaDelta on the absolute "
        "error; the curve of theorem 5.1 separates shapes that succeed from those that fail. No number is printed.",
        shows="The orange curve is w = n^((k-1)/k) 2^(n^(1/k)). By the paper shapes to its right learn the product, "
        "those to its left do not, and two thin layers do better than one wide one. "
        "Does the curve separate low from high errors?",
        claims=("fig2-frontier", "two-thin-beat-one-wide"),
        limitations=f"Mean over {data.sizes['seed']} networks a shape of the mean absolute error over that of the best "
        "constant. All shapes have the same number of steps at one rate, so that slow learners look like poor ones. "
        f"{settings['activation']} with biases is outside the theorem, and the curve is an order of magnitude "
        "without its constant.",
        alt="Heat map of errors over width and depth with the frontier curve.",
    )


def _against_neurons(results: Any, settings: dict) -> PageFigure:
    table = _errors(results["trained"])
    drawn = table.sort_values(["depth", "neurons"])
    drawn = drawn.assign(name=[f"{k} hidden layer{'s' * (k > 1)}" for k in drawn["depth"]])
    figure = charts.lines(
        drawn, "neurons", "error", interval="bars", markers=True, log="xy", x_title="hidden neurons",
        y_title="error over that of the best constant",
    )  # fmt: skip
    return PageFigure(
        name="against-neurons",
        title="The same errors against the number of hidden neurons",
        figure=charts.reference(figure, level=1),
        table=table,
        shows="At equal numbers of neurons, is the deeper network better? The dotted line is the best constant.",
        limitations="95 % intervals over networks. Equal neurons are not equal weights: a deep network has more of "
        "those.",
        alt="Line plot, both axes logarithmic: error against hidden neurons for each depth with error bars.",
    )


def _errors(data: Any) -> Any:
    """Mean error of each shape with its interval."""
    shapes = zip(
        data["depth"].values.tolist(), data["width"].values.tolist(), data["error"].transpose("shape", "seed").values
    )
    return table_of([estimate(e, name="error", depth=d, width=w, neurons=d * w) for d, w, e in shapes])


SECTIONS: tuple[Part, ...] = (
    (
        "Products: 2^n in one layer, a handful in several (theorem 5.1, figure 1)",
        "A layer multiplies groups of b numbers with 2^b neurons each. One layer must take the whole product as "
        "one group; each further layer divides the exponent.",
        (_neurons, _groups),
    ),
    (
        "Monomials: exact counts, and networks that were built (theorems 4.1 and 4.2)",
        "Lower bounds are exact ranks of partial-derivative matrices and concern Taylor polynomials; that nothing "
        "smaller comes uniformly close is a conjecture.",
        (_monomials,),
    ),
    (
        "Products that were learned (figure 2)",
        "The theorem is about units without biases whose Taylor coefficients do not vanish; networks with biases "
        "are outside it. The figure illustrates the theorem, it does not test it.",
        (_learned, _against_neurons),
    ),
)
