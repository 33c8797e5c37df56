"""The figures, what they show and their limitations; the page is made of them."""

from typing import Any

from deeptheory.core.theme import NEUTRAL, series_colors
from deeptheory.report import charts
from deeptheory.runs import PageFigure, Sample
from deeptheory.runs.intervals import interval
from deeptheory.studies.lin_tegmark_rolnick_2017.claims import CLAIMS, gains
from deeptheory.studies.lin_tegmark_rolnick_2017.steps import DATA, PARAMETERS
from deeptheory.studies.pages import Part
from deeptheory.studies.paper import stated
from deeptheory.studies.tables import estimate, table_of

MAIN = "gates"
TITLE = "Why does deep and cheap learning work so well?"


def lead(settings: dict, scale: str) -> str:
    """What the page begins with."""
    return (
        "The paper argues from identities, counts and observations about nature; here the identities are checked, "
        "the counts enumerated and the observations measured."
    )


def _gates(results: Any, settings: dict) -> PageFigure:
    table = results["gates"][["error"]].to_dataframe().reset_index()
    figure = charts.lines(
        table, "scale", "error", "activation", log="xy", x_title="scale of the input weights",
        y_title="largest error of u v on [-1, 1]²",
    )  # fmt: skip
    return PageFigure(
        name="gates",
        title="Error of the product gate against its scale",
        figure=figure.update_yaxes(dtick=2),
        table=table,
        published="Figure 2 draws the gate without numbers: four hidden neurons give u v (1 + O(u² + v²)), so that the "
        "error vanishes as the weights into them shrink (equation 11).",
        shows="To the right truncation dominates, where theory gives slope 2; to the left rounding, where the error "
        "grows as the scale falls. How far down does each activation reach?",
        claims=("gate-slope", "gate-rounding-floor"),
        limitations="Largest error on a grid of 41 x 41 points. tanh and the logistic function have their biases "
        "where the second derivative is large; at 0 it vanishes and no gate exists.",
        alt="Line plot, both axes logarithmic: error of the product gate against its scale for six activations.",
    )


def _precision(results: Any, settings: dict) -> PageFigure:
    wide = (
        results["gates"][["flat", "tree"]]
        .to_dataframe()
        .reset_index()
        .pivot(index="n", columns="what", values=["flat", "tree"])
        .reset_index()
    )
    wide.columns = ["n" if a == "n" else f"{a} {b}" for a, b in wide.columns]
    names, style = {}, {}
    for kind, label, color in zip(("flat", "tree"), ("one layer, 2^n neurons", "binary tree"), series_colors(2)):
        for what, said, dash in (("error", "found", "solid"), ("certificate", "certified", "dot")):
            names[f"{kind} {what}"] = f"{label}, {said}"
            style[f"{label}, {said}"] = {"line": {"color": color, "dash": dash}}
    drawn = wide.rename(columns=names).melt("n", list(names.values()), "name", "error")
    figure = charts.lines(
        drawn, "n", "error", markers=True, log="y", x_title="numbers multiplied", y_title="largest error", style=style
    )
    return PageFigure(
        name="precision",
        title="Depth wins in precision, too",
        figure=figure,
        table=wide,
        shows="One layer multiplies by dividing through the scale to the power n, and what rounding loses is divided "
        "with it. Does the tree lose fewer digits as n grows? The paper counts neurons only.",
        claims=("depth-wins-precision",),
        limitations="Each at the scale that its certificate finds best for float64; exp units. Found: 20,000 points, "
        "every fifth a corner.",
        alt="Line plot: found and certified errors against the number of factors for one layer and for a tree.",
    )


def _parameters(results: Any, settings: dict) -> PageFigure:
    shown = {
        "any-function": "any function of 6 variables, 4 levels", "polynomial": "degree 4 in 7 variables",
        "bits": "any function of 10 bits", "bits-of-degree-3": "degree 3 in 20 bits",
        "local": "neighbors in a chain of 100 bits",
        "quadratic-local-invariant": "quadratic, local, translation: 100 sites",
        "linear": "linear map of 28 x 28 pixels", "convolution": "the same, 5 x 5 and translation",
    }  # fmt: skip
    counted = results["counts"]["parameters"]
    table = table_of(
        [
            {"assumption": shown[r], "counted": int(counted.sel(row=r)), "the paper's number": expected}
            for r, (_, expected) in PARAMETERS.items()
        ]
    )
    figure = charts.points(
        table,
        "assumption",
        "counted",
        horizontal=True,
        log="x",
        x_title="parameters",
        style=_labeled(table["counted"]),
    ).update_xaxes(range=[-0.2, 6.6])
    return PageFigure(
        name="parameters",
        title="Parameters that each assumption leaves",
        figure=figure,
        table=table,
        published="v^n for any function of n variables with v levels; (n + d)! / (n! d!) for degree d, which is 2 for "
        "Gaussians and 4 for the standard model; 3 where it is quadratic, local and alike along a chain "
        "(section II.D).",
        shows="How many parameters does each assumption leave? Exact counts.",
        claims=("parameter-counts",),
        limitations="Enumerated term by term and compared with the closed forms; exact.",
        alt="Dot plot of parameter counts on a logarithmic axis for eight sets of assumptions.",
    )


def _degree(results: Any, settings: dict) -> PageFigure:
    bits = results["data"]["fit"].sel(what="bits")
    ratio = {name: interval(gains(bits.sel(data=name).values)).value for name in DATA}
    rows = [
        estimate((bits.sel(data=n, degree=1) - bits.sel(data=n, degree=d)).values, name="bits_gained", data=n, degree=d)
        for n in DATA
        for d in (1, 2, 3)
    ]
    table = table_of(rows).drop(columns="networks").assign(ratio_of_gains=lambda rows: rows["data"].map(ratio))
    figure = charts.lines(
        table.assign(name=[f"{n} (ratio {ratio[n]:.2g})" for n in table["data"]]),
        "degree",
        "bits_gained",
        interval="bars",
        markers=True,
        x_title="largest degree of a term",
        y_title="bits gained per sample, against degree 1",
    ).update_xaxes(tickvals=[1, 2, 3])
    return PageFigure(
        name="degree",
        title="How many bits do terms of degree 2 and 3 add?",
        figure=figure,
        table=table,
        published="Argued, not measured: Hamiltonians of nature have degree 2 to 4 (section II.D). The paper trains "
        "and fits nothing.",
        shows="For a quadratic Hamiltonian the line is flat after degree 2; the cubic control has to rise there. Which "
        "are flat? Windows of digits are real images; the committee is a vote of three perceptrons, "
        "its label the 13th bit.",
        claims=("hamiltonian-low-degree",),
        limitations="Pseudo-likelihood on held-out samples: sums of conditional entropies. Parts of the data are "
        "disjoint for digits and drawn separately for the rest. Windows of one digit overlap, "
        "so that held-out windows are not quite new.",
        alt="Line plot: bits gained against the largest degree for four kinds of data with error bars.",
    )


def _classes(results: Any, settings: dict) -> PageFigure:
    data = results["hierarchies"]["classes"]
    table = data.mean("chain").to_dataframe("mean_classes").reset_index()
    table = table.assign(least=data.min("chain").values, largest=data.max("chain").values)
    dotted = {"line": {"dash": "dot", "color": NEUTRAL}}
    figure = charts.lines(
        table.rename(columns={"mean_classes": "mean"}).melt("level", var_name="name", value_name="classes"),
        "level",
        "classes",
        x_title="level (0: what is asked, last: the data)",
        y_title="classes",
        style={"mean": {"mode": "lines+markers"}, "least": dotted, "largest": dotted},
    ).update_xaxes(dtick=1)
    return PageFigure(
        name="classes",
        title="Classes that each level's minimal sufficient statistic keeps",
        figure=figure,
        table=table,
        published="Theorem 2 and corollary 2, proven; figure 3 draws such a hierarchy for cosmology next to its "
        "inverse.",
        shows="From the data upwards (right to left) each statistic is a function of the one before, so that the "
        "number cannot grow. How much may each level forget, at equal I(y_0; T_i)?",
        claims=("theorem-2", "corollary-2"),
        limitations=f"Exact, in integers, over {data.sizes['chain']} random chains of 4 steps and up to 6 states "
        f"that were made to forget.",
        alt="Line plot: mean, least and largest number of classes against the level.",
    )


def _flow(results: Any, settings: dict) -> PageFigure:
    data, rows = results["fields"], []
    for i in range(3):
        slope = interval(Sample(data["exponent"].sel(term=i).values))
        ends = {"exponent": slope.value, "exponent_low": slope.low, "exponent_high": slope.high}
        rows += [
            {**estimate(data["coupling"].sel(term=i, step=s).values, name="coupling", term=i, step=s), **ends}
            for s in (0, 1)
        ]
    table = table_of(rows).drop(columns="networks")
    names = [
        f"y_{r.term}: exponent {r.exponent:.3f} [{r.exponent_low:.3f}, {r.exponent_high:.3f}]"
        for r in table.itertuples()
    ]
    figure = charts.points(
        table.assign(name=names), "step", "coupling", "name", log="y", x_title="blockings by 2 x 2", y_title="coupling"
    )
    for i, (start, color) in enumerate(zip(table["coupling"][::2], series_colors(3))):
        rule = (start, start * 2.0 ** (2 - 2 * i))
        charts.add_line(figure, (0, 1), rule, f"y_{i} b^{2 - 2 * i}", color=color, line={"dash": "dot", "width": 2})
    return PageFigure(
        name="flow",
        title="Relevant, marginal, irrelevant: couplings under block averaging",
        figure=figure.update_xaxes(tickvals=[0, 1]),
        table=table,
        published="Averaging blocks of b x b sends y_i to b^(2-2i) y_i: y_0 is relevant, y_1 marginal, y_2 irrelevant "
        "(section III.D, by calculation).",
        shows="The rule (dotted): y_0 grows fourfold, y_1 stays, y_2 falls to a quarter. Dots: "
        "fits to fields before and after averaging.",
        claims=("rg-exponent", "rg-precision"),
        limitations="Whittle fits of long waves; the known damping by the averaging is divided out. "
        "Intervals over independent fields.",
        alt="Three couplings before and after block averaging on a logarithmic axis, with the predicted lines.",
    )


def _flattening(results: Any, settings: dict) -> PageFigure:
    data = results["linear"]
    maps = {"FFT, n = 256": ("fft", {})}
    maps |= {f"Strassen, n = {2**k}": ("strassen", {"level": k}) for k in (2, 3, 4)}
    maps |= {"rank 4 of 64": ("low_rank", {}), "two random 0/1, p = 0.1": ("sparse", {})}
    table = table_of(
        [
            {
                "map": label,
                "cost": float(data[f"{name}_cost"].sel(at).mean()),
                "cost over formula": float(data[name].sel(at).mean()),
            }
            for label, (name, at) in maps.items()
        ]
    )
    figure = charts.points(
        table,
        "map",
        "cost",
        log="y",
        y_title="synapses flat / in factors",
        style=_labeled(f"{c:.3g}" for c in table["cost"]),
    )
    paid = list(maps).index("Strassen, n = 16")
    charts.region(figure, *stated(CLAIMS, "no-flattening/strassen-pays"), across=(paid - 0.4, paid + 0.4))
    return PageFigure(
        name="flattening",
        title="What flattening a linear map costs",
        figure=charts.reference(figure, level=1).update_xaxes(tickangle=-15, automargin=True),
        table=table,
        published="By formula (section III.G): n / (2 log2 n) for the fast Fourier transform, at least of order "
        "n^0.627 for a product of matrices, n / (2 k) for rank k, and 1 / (2 p) for two large random 0/1 matrices.",
        shows="Above the dotted line factors are cheaper than the flattened map. Which maps lie there, "
        "and from which size on? Shaded: where Strassen's has to for n = 16.",
        claims=("no-flattening",),
        limitations="Non-zero entries of factors that were built and of their product, counted. The paper's n^2.373 "
        "is of algorithms that nobody has written down as a network.",
        alt="Dot plot of flattening costs on a logarithmic axis with a line at 1.",
    )


def _labeled(texts: Any) -> dict:
    """The style of points with their numbers next to them."""
    return {
        None: {
            "mode": "markers+text",
            "text": [str(v) for v in texts],
            "textposition": "top center",
            "cliponaxis": False,
        }
    }


SECTIONS: tuple[Part, ...] = (
    (
        "Multiplying with neurons (section II.B)",
        "Four neurons multiply two numbers, to any accuracy in real arithmetic and to a floor in floating point.",
        (_gates, _precision),
    ),
    (
        "Cheap Hamiltonians (section II.D)",
        "What each assumption leaves to be learned, and whether data meets the assumption.",
        (_parameters, _degree),
    ),
    (
        "Hierarchies and coarse-graining (sections III.A to III.D)",
        "Proven: each level's minimal sufficient statistic is a function of the next one's. Not proven: that these "
        "functions are cheap.",
        (_classes, _flow),
    ),
    (
        "No flattening (section III.G)",
        "Linear maps whose factors have fewer synapses than their product.",
        (_flattening,),
    ),
)  # fmt: skip
