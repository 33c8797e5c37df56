"""What is counted and what is trained.

counts: exact numbers of neurons, by rank and by construction. built: networks with their weights set. trained: products
learned by dense networks of each depth and width, one unit a shape.
"""

import math
from functools import partial
from typing import Any

import numpy as np

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.runs import Step, generator
from deeptheory.studies.units import seeds

MONOMIALS = ((1, 1), (2,), (3,), (5,), (2, 1), (1, 1, 1), (3, 2), (2, 2, 1), (1, 1, 1, 1), (4, 3), (3, 2, 1), (1,) * 6)
TABLE = {  # n -> depths for which the product's count is tabled
    8: (1, 2, 3),
    16: (1, 2, 3, 4),
    20: (1, 2, 3, 4, 5),
    32: (1, 2, 3, 4, 5),
}
GROUPS = [(n, k) for n in (8, 16, 20, 32, 64, 128) for k in (2, 3, 4) if n >= 2 ** (k + 1)]
UNIVARIATE = tuple(range(1, 13))
_ROWS, _FRESH = 16_000, 20_000  # samples to learn from, and to measure on
_RANDOM_SUMS = 60


def named(exponents: tuple[int, ...]) -> str:
    """x1^2 x2 as 2-1."""
    return "-".join(map(str, exponents))


def written(exponents: tuple[int, ...]) -> str:
    """The monomial as text for the compiler."""
    return "*".join(f"x{i}**{r}" for i, r in enumerate(exponents, start=1))


def check(settings: dict) -> None:
    """InputError: settings that do not go together, found by one epoch of one small network."""
    _learn({**settings, "steps": 1, "networks": 1, "seed": 0}, 1, 2, None, None)


def shapes(settings: dict) -> list[list[int]]:
    """[depth, width] of every network; the two shapes that are held against each other belong to them at n = 4."""
    grid = [[k, w] for k in settings["depths"] for w in settings["widths"]]
    return grid + [s for s in ([1, settings["wide"]], [2, 8]) if s not in grid and settings["n"] == 4]


def counts(settings, unit, inputs, workspace, progress):
    """Neurons of monomials, powers, random sums and products in k layers; no floating point decides anything."""
    import xarray as xr

    count = dt.cheap.neuron_count
    monomials = [count(written(m), depth=1) for m in MONOMIALS]
    powers = [count(f"x**{d}", depth=1) for d in UNIVARIATE]
    general = [count("+".join(["1", *(f"x**{j}" for j in range(1, d + 1))]), depth=1) for d in UNIVARIATE]
    waring = [count(written(m), convention="power") for m in MONOMIALS]
    sums = [_sum_of_monomials(generator(settings["seed"], "sums", k)) for k in range(_RANDOM_SUMS)]
    bounded = [_bounded_degree(generator(settings["seed"], "degree 4", k)) for k in range(_RANDOM_SUMS)]
    products = [(n, k, *dt.cheap.product_optimum(n, k)) for n, depths in TABLE.items() for k in depths]
    groups = [_group_difference(n, k) for n, k in GROUPS]
    return xr.Dataset(
        {
            "shallow": (("monomial", "bound"), [[c.lower, c.upper] for c in monomials]),
            "waring": (("monomial", "bound"), [[c.lower, c.upper] for c in waring]),
            "power": (("degree", "bound"), [[c.lower, c.upper] for c in powers]),
            "general": (("degree", "bound"), [[c.lower, c.upper] for c in general]),
            "sums": (("sum", "broken"), sums),
            "bounded": ("sum", bounded),
            "product": ("entry", np.array([p[2] for p in products], dtype=np.float64)),
            "entry_n": ("entry", [p[0] for p in products]),
            "entry_k": ("entry", [p[1] for p in products]),
            "group_difference": ("group", groups),
        },
        coords={
            "monomial": [named(m) for m in MONOMIALS],
            "bound": ["lower", "upper"],
            "degree": list(UNIVARIATE),
            "broken": ["lower", "upper", "construction"],
        },
    )


def _sum_of_monomials(rng) -> list[bool]:
    """Whether a random sum of up to 3 monomials provably breaks theorem 4.3 from below, from above; and whether its
    construction takes more neurons than those of its parts together."""
    terms = {tuple(int(v) for v in rng.integers(0, 3, 3)) for _ in range(3)} - {(0, 0, 0)}
    terms = sorted(terms) or [(1, 1, 0)]
    parts = [written(t) for t in terms]
    whole = dt.cheap.neuron_count("+".join(parts), depth=1)
    shallow = [dt.cheap.neuron_count(p, depth=1).lower for p in parts]
    deep = dt.cheap.neuron_count("+".join(parts))  # the theorem's networks have a hidden layer, for lines too
    each = sum(dt.cheap.neuron_count(p, depth=1 if sum(t) == 1 else None).upper for p, t in zip(parts, terms))
    return [whole.upper < max(shallow) / len(parts), deep.lower > each, deep.upper > each]


def _bounded_degree(rng) -> float:
    """Neurons in one layer of a random polynomial of degree 4 with c monomials, over 16 c."""
    terms = set()
    while len(terms) < 4:
        chosen = rng.integers(0, 6, int(rng.integers(1, 5)))
        terms.add(tuple(int((chosen == v).sum()) for v in range(6)))
    return dt.cheap.neuron_count("+".join(written(t) for t in terms), depth=1).upper / (16 * len(terms))


def _group_difference(n: int, k: int) -> float:
    """Largest difference between the whole groups of the optimum and the real ones of eq. 5, both sorted."""
    whole = sorted(dt.cheap.product_optimum(n, k)[1])
    return float(np.abs(np.array(whole) - np.array(sorted(dt.cheap.real_groups(n, k)))).max())


def built(settings, unit, inputs, workspace, progress):
    """Networks with their weights set: how many neurons they have, and how far they are from their monomial."""
    import xarray as xr

    made = [dt.cheap.compile_polynomial(written(m), activation="exp", tolerance=1e-2) for m in MONOMIALS]
    sizes = [dt.cheap.compile_polynomial("x*y", activation="exp", tolerance=t).neurons for t in (1e-2, 1e-5)]
    relu = [dt.cheap.compile_polynomial("x*y", activation="relu", tolerance=t).neurons for t in (1e-2, 1e-5)]
    scales = (0.1, 0.01)
    gates = [dt.cheap.monomial_layer((2, 1), "exp", scale=s) for s in scales]
    return xr.Dataset(
        {
            "neurons": ("monomial", [m.neurons for m in made]),
            "certificate": ("monomial", [m.certificate.total for m in made]),
            "error": ("monomial", [_worst(m, e, generator(0, named(e))) for m, e in zip(made, MONOMIALS)]),
            "fixed_size": ("tolerance", sizes),
            "relu_size": ("tolerance", relu),
            "scaled_error": ("scale", [_worst(g, (2, 1), generator(0, "scaled")) for g in gates]),
            "gap": ("eps", [_gap(eps) for eps in (1e-1, 1e-3, 1e-6)]),
        },
        coords={
            "monomial": [named(m) for m in MONOMIALS],
            "tolerance": [1e-2, 1e-5],
            "scale": list(scales),
            "eps": [1e-1, 1e-3, 1e-6],
        },
    )


def _worst(network: Any, exponents: tuple[int, ...], rng) -> float:
    """Largest error on 20,000 points of [-1, 1]^n, every fifth at a corner."""
    x = rng.uniform(-1, 1, (_FRESH, len(exponents)))
    x[::5] = np.sign(x[::5])
    return float(
        np.abs(network(as_tensor(x)).detach().numpy()[..., 0] - np.prod(x ** np.array(exponents), axis=1)).max()
    )


def _gap(eps: float) -> float:
    """Slope at 0 of eps tanh(x / eps^2), times eps, where its size stays below eps; NaN if it does not."""
    x = np.linspace(-1, 1, 10_001)
    near = 1e-6 * eps**2
    slope = (eps * np.tanh(near / eps**2) - eps * np.tanh(-near / eps**2)) / (2 * near)
    return float(slope * eps) if np.abs(eps * np.tanh(x / eps**2)).max() <= eps else math.nan


def trained(settings, unit, inputs, workspace, progress):
    """Networks of one shape: mean absolute error on fresh samples over that of the best constant, the median."""
    import xarray as xr

    depth, width = unit
    error = _learn(settings, depth, width, workspace, progress)
    gridded = depth in settings["depths"] and width in settings["widths"]
    said = {"depth": depth, "width": width, "in_grid": gridded, "n": settings["n"]}
    return xr.Dataset(
        {"error": (("seed", "shape"), error[:, None]), **{k: ("shape", [v]) for k, v in said.items()}},
        coords={"seed": seeds(settings), "shape": [f"{depth}x{width}"]},
    )


def _optimizer(settings: dict) -> Any:
    """By the settings; Adadelta's rho is the first of the betas, and gradient descent has neither betas nor eps."""
    made, betas, eps = dt.networks, tuple(settings["betas"]), settings["eps"]
    known = {"adam": partial(made.Adam, betas, eps), "adadelta": partial(made.Adadelta, betas[0], eps), "sgd": made.SGD}
    return known[settings["optimizer"]]()


def _learn(settings: dict, depth: int, width: int, workspace, progress) -> np.ndarray:
    n = settings["n"]
    nets = dt.networks.Population.mlp(
        [n, *[width] * depth, 1], settings["activation"], seeds=seeds(settings), init=settings["init"], head="median"
    )
    x = generator(settings["seed"], "product", n).uniform(0, 2, (_ROWS, n))
    dt.networks.fit(
        nets,
        x,
        x.prod(1),
        train_fraction=1.0,
        optimizer=_optimizer(settings),
        lr=settings["lr"],
        batch=settings["batch"],
        epochs=max(1, round(settings["steps"] * settings["batch"] / _ROWS)),
        seed=settings["seed"],
        checkpoint=None if workspace is None else workspace / "training",
        progress=progress,
    )
    fresh = generator(settings["seed"], "fresh", n).uniform(0, 2, (_FRESH, n))
    y = fresh.prod(1)
    out = nets(as_tensor(fresh)).detach().numpy()[..., 0]
    return np.abs(out - y).mean(1) / np.abs(y - np.median(y)).mean()


STEPS = [
    Step(name="counts", function=counts, about="neurons by exact rank and by construction"),
    Step(name="built", function=built, about="networks with their weights set"),
    Step(name="trained", function=trained, units=shapes, combine="shape", about="products learned by each shape"),
]
