"""compile, cost: a formula becomes a network; what a formula or a network costs."""

import re
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from deeptheory.cli.application import Json, app, check_writable, print_json, put, say
from deeptheory.core.errors import InputError

Domain = Annotated[tuple[float, float], typer.Option(help="LOW HIGH, for all variables.")]
Where = Annotated[list[str] | None, typer.Option("--where", help="NAME=LOW,HIGH for one variable; may be repeated.")]


@app.command("compile")
def compile_(
    expression: Annotated[list[str], typer.Argument(help="Formulas, one output each: 'x*y*z + sin(x)'.")],
    domain: Domain = (-1.0, 1.0),
    where: Where = None,
    tolerance: Annotated[float, typer.Option(help="Largest error allowed, rounding included.")] = 1e-6,
    depth: Annotated[int | None, typer.Option(help="Hidden layers; default: as the formula asks.")] = None,
    activation: Annotated[
        str, typer.Option(help="silu, gelu, softplus, tanh, sigmoid, exp, cos, sin or relu.")
    ] = "silu",
    dtype: Annotated[str, typer.Option(help="float64 or float32.")] = "float64",
    out: Annotated[Path, typer.Option(help="The module is written here; its drawing beside it, as .html.")] = Path(
        "compiled.pt2"
    ),
    onnx: Annotated[Path | None, typer.Option(help="Write an ONNX file too.")] = None,
    as_json: Json = False,
) -> None:
    """Compile a formula into a network of neurons, with a certificate. Writes the module (.pt2) and a drawing."""
    import torch

    from deeptheory.cheap import compile_polynomial

    if out.suffix != ".pt2":
        raise InputError(f"--out is {out}; name a file that ends in .pt2")
    for option, path in (("--out", out), ("--out", out.with_suffix(".html")), ("--onnx", onnx)):
        if path is not None:
            check_writable(option, path)
    kinds = {"float64": torch.float64, "float32": torch.float32}
    if dtype not in kinds:
        raise InputError(f"--dtype is {dtype!r}; known: {', '.join(kinds)}")
    given: Any = _box(expression, domain, where)
    formula = expression if len(expression) > 1 else expression[0]
    network = compile_polynomial(formula, depth, activation, domain=given, tolerance=tolerance, dtype=kinds[dtype])
    certificate, counts = network.certificate, _counts(formula)
    _write(network, out, onnx)
    said = {
        "inputs": list(network.variables),
        "neurons": network.neurons,
        "synapses": network.synapses,
        "depth": network.depth,
        "widths": list(network.widths),
        "truncation": certificate.truncation,
        "rounding": certificate.rounding,
        "total": certificate.total,
        "largest weight": certificate.largest_weight,
        "bits": certificate.bits,
        "expanded": [f"{name} to degree {degree}" for name, degree in network.expansions],
        "module": str(out),
        "drawing": str(out.with_suffix(".html")),
    }
    if as_json:
        print_json(said | {"domain": {k: list(v) for k, v in certificate.domain.items()}, "counts": counts})
        return
    put(
        f"within {certificate.total:.3g} = {certificate.truncation:.3g} truncation + "
        f"{certificate.rounding:.3g} rounding, in {certificate.dtype}"
    )
    put(f"  for {', '.join(f'{k} in [{a:g}, {b:g}]' for k, (a, b) in certificate.domain.items()) or 'no variable'}")
    layers = f"{network.depth} hidden layer{'s' * (network.depth > 1)} ({', '.join(map(str, network.widths))})"
    size = f"{network.neurons} neurons in {layers}" if network.depth else "a linear map, no neuron"
    put(f"{size}, {network.synapses} synapses, largest weight {certificate.largest_weight:.3g}")
    for line in said["expanded"]:
        put(f"  {line}")
    _print_counts(counts)
    put(f"module: {said['module']}\ndrawing: {said['drawing']}")


@app.command("cost")
def cost(
    what: Annotated[
        str, typer.Argument(help="A polynomial, or a module that `compile` or torch.export.save wrote (.pt2).")
    ],
    depth: Annotated[
        int | None, typer.Option(help="Hidden layers of a polynomial's counts; default: one, two, three and any.")
    ] = None,
    as_json: Json = False,
) -> None:
    """What a formula needs in neurons, at least and at most; or what a saved module has."""
    if what.endswith(".pt2"):
        _cost_of_module(Path(what), as_json)
        return
    if not _is_file(what) and re.search(r"\.[a-z_]\w*$", what, re.I):
        raise InputError(f"{what}: there is no such file; give a polynomial, or a module (.pt2) that exists")
    if _is_file(what):
        raise InputError(
            f"{what} is neither a polynomial nor a module that torch.export.save wrote, whose name ends in .pt2"
        )
    from deeptheory.cheap import neuron_count

    depths = [depth] if depth is not None else [1, 2, 3, None]
    rows = [
        _count_row(neuron_count(what, d, convention=cast(Any, c)))
        for c in ("bias_free", "output_bias", "biases", "parity")
        for d in depths
    ]
    if as_json:
        print_json(rows)
        return
    put("neurons of a network of fixed size, to any accuracy (at least: exact rank; at most: a construction)")
    for row in rows:
        layers = "any depth" if row["depth"] is None else f"{row['depth']} hidden layer{'s' * (row['depth'] > 1)}"
        put(f"  {row['convention']:12} {layers:15} {row['lower']:>12} to {row['upper']}")


def _is_file(name: str) -> bool:
    """Whether there is such a file; a formula may be longer than a file's name can be, and a folder be called x."""
    try:
        return Path(name).is_file()
    except OSError:
        return False


def _cost_of_module(path: Path, as_json: bool) -> None:
    from deeptheory.cheap import cost as cost_of
    from deeptheory.inspection.model_sources import read_model

    if not _is_file(str(path)):
        raise InputError(f"{path}: there is no such file; give a polynomial, or a module (.pt2) that exists")
    found = cost_of(read_model(str(path)).model)  # which opens no pickle of more than tensors
    if as_json:
        print_json(
            {
                "neurons": found.neurons,
                "synapses": found.synapses,
                "weights": found.weights,
                "bits": found.bits,
                "layers": list(found.rows),
            }
        )
        return
    put(str(found))
    put(found.table().to_string(index=False))


def _box(expressions: list[str], domain: tuple[float, float], where: list[str] | None) -> Any:
    if not where:
        return domain
    from deeptheory.cheap.expressions import read_expressions, variables

    own = {}
    for text in where:
        name, _, ends = text.partition("=")
        try:
            low, high = (float(v) for v in ends.split(","))
        except ValueError as error:
            raise InputError(f"--where got {text!r}; write NAME=LOW,HIGH, e.g. x=0,1") from error
        if name in own:
            raise InputError(f"--where names {name or 'nothing'} twice; give each variable one domain")
        own[name] = (low, high)
    return dict.fromkeys(variables(read_expressions(expressions, list(own))), domain) | own


def _counts(formula: Any) -> list[dict[str, Any]]:
    """Counts by depth, or none where the formula is no rational polynomial."""
    from deeptheory.cheap import neuron_count

    try:
        return [_count_row(neuron_count(formula, d, convention="output_bias")) for d in (1, 2, None)]
    except InputError:
        return []


def _count_row(count: Any) -> dict[str, Any]:
    keys = ("convention", "depth", "lower", "upper", "lower_uniform", "synapses", "proof")
    return {k: getattr(count, k) for k in keys}


def _print_counts(counts: list[dict[str, Any]]) -> None:
    if counts:
        shown = ", ".join(
            f"{'any depth' if c['depth'] is None else c['depth']}: {c['lower']} to {c['upper']}" for c in counts
        )
        put(f"neurons that any accuracy needs, by hidden layers (convention {counts[0]['convention']}): {shown}")
    else:
        put("counts: of polynomials with rational coefficients only")


def _write(network: Any, out: Path, onnx: Path | None) -> None:
    import torch

    from deeptheory.cheap.drawing import draw_network

    torch.export.save(network.export(), out)
    draw_network(network).write_html(out.with_suffix(".html"), include_plotlyjs=True)
    if onnx is not None:
        network.to_onnx(onnx)
        say(f"onnx: {onnx}")
