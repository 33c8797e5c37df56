"""What is measured: gates, counts, posteriors, hierarchies, flattening, fields,
and how low the degree of real data is."""

import math
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

import deeptheory as dt
from deeptheory.core.arrays import as_tensor
from deeptheory.core.errors import InputError
from deeptheory.runs import Step, derive, generator
from deeptheory.studies.units import in_chunks, seeds

# bias where the paper's condition holds: sigma''(b) must not vanish, as it does for tanh and the logistic function at 0
BIASES = {"softplus": 0.0, "exp": 0.0, "tanh": 0.6585, "sigmoid": 1.317, "silu": 0.0, "gelu": 0.0}
SCALES = np.geomspace(1e-6, 0.1, 41)  # of the gate's input weights
SLOPED = (3e-3, 0.1)  # where truncation leads
SHALLOW = (2, 3, 4, 6, 8, 10, 12)
TREES = (2, 4, 8, 16, 32)
PRECISION = (2, 4, 6, 8)
BITS = range(1, 13)
DECIMALS = 6
DATA = ("digits", "ising", "committee", "cubic")
SPARSE = (200, 0.1)  # size and density of the random factors
_STATES = np.array(list(np.ndindex(*(2,) * 9)))  # of a 3 x 3 grid of bits
_GRID, _POINTS, _BETA = 41, 20_000, 20.0
_POLYNOMIAL = "x*y*z + 2*x**2*y - z"
_FFT, _STRASSEN, _RANK = 256, (1, 2, 3, 4), (64, 4)


def gates(settings, unit, inputs, workspace, progress):
    """Product gates at every scale; flat and tree products; the bit gate on all inputs."""
    points = np.stack(np.meshgrid(*[np.linspace(-1, 1, _GRID)] * 2), -1).reshape(-1, 2)
    made = [[dt.cheap.product_gate(a, scale=float(s), bias=b) for s in SCALES] for a, b in BIASES.items()]
    error = np.array([[_error(gate, points) for gate in row] for row in made])
    sloped = (SLOPED[0] <= SCALES) & (SLOPED[1] >= SCALES)
    slope = [float(np.polyfit(np.log(SCALES[sloped]), np.log(e[sloped]), 1)[0]) for e in error]
    flat, tree = zip(*[_flat_and_tree(n, generator(settings["seed"], "product", n)) for n in PRECISION])
    sizes = [dt.cheap.compile_polynomial(_POLYNOMIAL, activation="silu", tolerance=t).neurons for t in (1e-2, 1e-6)]
    wrong, worst = zip(*[_bit_gate(k, _BETA) for k in BITS])
    rules = [_bit_gate(3, beta)[1] * 10**DECIMALS for beta in (DECIMALS * math.log(10), 2 * DECIMALS * math.log(10))]
    return xr.Dataset(
        {
            "error": (("activation", "scale"), error),
            "slope": ("activation", slope),
            "predicted_floor": ("activation", [_floor(a) for a in BIASES]),
            "flat": (("n", "what"), list(flat)),
            "tree": (("n", "what"), list(tree)),
            "wrong_bits": ("k", list(wrong)),
            "bit_error": ("k", np.array(worst) / (math.exp(-_BETA / 2) / (1 + math.exp(-_BETA / 2)))),
            "beta_rule": ("rule", rules),
            "fixed_size": ("tolerance", sizes),
        },
        coords={
            "activation": list(BIASES), "scale": SCALES, "n": list(PRECISION),
            "what": ["error", "certificate", "neurons"],
            "k": list(BITS), "rule": ["D ln 10", "2 D ln 10"], "tolerance": [1e-2, 1e-6],
        },
    )  # fmt: skip


def _outputs(network: Any, x: np.ndarray) -> np.ndarray:
    return network(as_tensor(x)).detach().numpy()


def _error(network: Any, points: np.ndarray) -> float:
    return float(np.abs(_outputs(network, points)[..., 0] - points.prod(1)).max())


def _floor(activation: str) -> float:
    """Least error that truncation and rounding leave: 2 sqrt(eps |sigma| M4 / 3) / |sigma''|, inputs up to 1."""
    known, b = dt.cheap.ACTIVATIONS[activation], BIASES[activation]
    fourth = float(known.bound(4, b, 0.0))
    return 2 * math.sqrt(np.finfo(float).eps * abs(known.derivative(0, b)) * fourth / 3) / abs(known.derivative(2, b))


def _flat_and_tree(n: int, rng) -> tuple[list[float], list[float]]:
    """[error, certificate, neurons] of a product of n in one layer and in a binary tree, each at its best scale."""
    points = rng.uniform(-1, 1, (_POINTS, n))
    points[::5] = np.sign(points[::5])
    flat = dt.cheap.monomial_layer((1,) * n, "exp")
    formula, depth = "*".join(f"x{i:02d}" for i in range(n)), math.ceil(math.log2(n))
    try:
        tree = dt.cheap.compile_polynomial(formula, depth=depth, activation="exp", tolerance=1e-15)
    except dt.cheap.ToleranceError as reached:
        tree = dt.cheap.compile_polynomial(formula, depth=depth, activation="exp", tolerance=1.01 * reached.best)
    one, other = ([_error(m, points), m.certificate.total, float(m.neurons)] for m in (flat, tree))
    return one, other


def _bit_gate(k: int, beta: float) -> tuple[int, float]:
    """Wrong bits among all 2^k inputs, and worst error."""
    every = np.array(list(np.ndindex(*(2,) * k)), dtype=float)
    out = _outputs(dt.cheap.bit_product_gate(k, beta=beta), every)[..., 0]
    return int(((out > 0.5) != every.prod(1)).sum()), float(np.abs(out - every.prod(1)).max())


def counts(settings, unit, inputs, workspace, progress):
    """Neurons by exact rank, and parameters of Hamiltonians by enumeration; integers throughout."""
    products = ["*".join(f"x{i}" for i in range(n)) for n in SHALLOW]
    shallow = [dt.cheap.neuron_count(p, depth=1) for p in products]
    conventions: list[Any] = [c for c in dt.cheap.CONVENTIONS if c != "power"]
    two = [dt.cheap.neuron_count("x*y", depth=1, convention=c) for c in conventions]
    trees = [dt.cheap.product_optimum(n, round(math.log2(n)))[0] for n in TREES]
    return xr.Dataset(
        {
            "shallow": (("n", "bound"), [[c.lower, c.upper] for c in shallow]),
            "gate": (("convention", "bound"), [[c.lower, c.upper] for c in two]),
            "tree": ("leaves", trees),
            "parameters": ("row", [count() for count, _ in PARAMETERS.values()]),
        },
        coords={
            "n": list(SHALLOW),
            "bound": ["lower", "upper"],
            "convention": conventions,
            "leaves": list(TREES),
            "row": list(PARAMETERS),
        },
    )


def _terms(**assumed: Any) -> int:
    return len(dt.cheap.Assumptions(**assumed).orbits())


PARAMETERS = {  # row -> (how it is counted, the paper's number for it)
    "any-function": (lambda: dt.cheap.parameter_count(6, levels=4, constant=True), 4**6),
    "polynomial": (lambda: _terms(n=7, degree=4, levels=None) + 1, math.comb(11, 4)),
    "bits": (lambda: _terms(n=10, degree=10) + 1, 2**10),
    "bits-of-degree-3": (lambda: _terms(n=20, degree=3) + 1, 1 + 20 + 190 + 1140),
    "local": (lambda: _terms(n=100, degree=4, locality=1), 100 + 99),
    "quadratic-local-invariant": (
        lambda: _terms(n=100, degree=2, levels=None, locality=1, symmetry="translation", periodic=True), 3,
    ),
    "linear": (lambda: dt.cheap.linear_map_count([28, 28]), 784**2),
    "convolution": (lambda: dt.cheap.linear_map_count([28, 28], 2, translation=True), 25),
}  # fmt: skip


def posteriors(settings, unit, inputs, workspace, progress):
    """Networks that are Bayes' rule, next to Bayes' rule written out by enumeration or from the densities."""
    worst = [_gaussian(settings["seed"]), _ising(), _graph(settings["seed"])]
    pair = [generator(settings["seed"], "partition", k) for k in range(100)]
    found = [dt.cheap.partition_counterexample(*rng.standard_normal((2, 8))) for rng in pair]
    return xr.Dataset(
        {
            "worst": ("model", worst),
            "log_z_difference": ("pair", [abs(f.log_z_total - f.log_z) for f in found]),
            "bits": ("pair", [f.bits for f in found]),
        },
        coords={"model": ["Gaussian", "Ising", "factor graph"]},
    )


def _gaussian(seed: int) -> float:
    rng = generator(seed, "gaussian")
    means, roots, priors = rng.standard_normal((4, 3)), rng.standard_normal((4, 3, 3)), np.array([0.1, 0.2, 0.3, 0.4])
    covariances = roots @ np.swapaxes(roots, 1, 2) + 0.5 * np.eye(3)
    x = means[rng.integers(0, 4, 2000)] + rng.standard_normal((2000, 3))
    network = dt.cheap.BayesSoftmax(dt.cheap.GaussianHamiltonian(means, covariances), priors)
    joint = np.empty((2000, 4))
    for k in range(4):
        off = x - means[k]
        quadratic = np.einsum("ni,ij,nj->n", off, np.linalg.inv(covariances[k]), off)
        joint[:, k] = priors[k] * np.exp(-quadratic / 2) / np.sqrt(np.linalg.det(2 * np.pi * covariances[k]))
    return float(np.abs(_outputs(network, x) - joint / joint.sum(1, keepdims=True)).max())


def _ising() -> float:
    """Two temperatures of a 3 x 3 grid, all 512 states."""
    spins = 2 * _STATES - 1
    bonds = [(r * 3 + c, r * 3 + c + 1) for r in range(3) for c in range(2)]
    bonds += [(r * 3 + c, r * 3 + c + 3) for r in range(2) for c in range(3)]
    joint = []
    for j, prior in ((0.2, 0.6), (0.7, 0.4)):
        weight = np.exp(j * sum(spins[:, a] * spins[:, b] for a, b in bonds) + 0.1 * spins.sum(1))
        joint.append(prior * weight / weight.sum())
    network = dt.cheap.BayesSoftmax(
        [dt.cheap.ising((3, 3), coupling=j, field=0.1) for j in (0.2, 0.7)], np.array([0.6, 0.4])
    )
    truth = np.stack(joint, axis=1)
    return float(np.abs(_outputs(network, _STATES) - truth / truth.sum(1, keepdims=True)).max())


def _graph(seed: int) -> float:
    """p(x_1 | x_0, x_4) of a graph with two hidden variables and a loop."""
    rng, levels = generator(seed, "graph"), [2, 3, 2, 4, 2]
    scopes = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (3,)]
    tables = [rng.standard_normal([levels[v] for v in s]) for s in scopes]
    joint = np.zeros(levels)
    for s, table in zip(scopes, tables):
        order = np.argsort(s)
        shape = [levels[v] if v in s else 1 for v in range(5)]
        joint = joint + table.transpose(order).reshape(shape)
    weight = np.exp(joint).sum((2, 3))  # [x0, x1, x4]
    truth = np.moveaxis(weight / weight.sum(1, keepdims=True), 1, 2).reshape(-1, 3)
    seen = np.array(list(np.ndindex(2, 2)))
    graph = dt.cheap.FactorGraph(levels, list(zip(scopes, tables)))
    return float(np.abs(_outputs(graph.posterior(1, (0, 4)), seen) - truth).max())


def hierarchies(settings, unit, inputs, workspace, progress):
    """Theorem 2 and corollary 2 in random chains of integers; what each level keeps."""
    levels, rows = 4, []
    for k in range(settings["chains"]):
        prior, tables = dt.cheap.lumpable_chain(derive(settings["seed"], "chain", k), levels=levels, states=6)
        exact = dt.cheap.MarkovHierarchy(prior, tables)
        rough = dt.cheap.MarkovHierarchy(prior / prior.sum(), [m / m.sum(0) for m in tables])
        seen = rough.classes[-1] >= 0
        off = float(np.abs(rough.compose()[seen] - rough.posterior()[seen]).max())
        kept = rough.information()
        rows.append([exact.theorem_2().violations, off, float(np.abs(kept - kept[-1]).max()), *exact.counts])
        if progress is not None and k % 50 == 0:
            progress(k, settings["chains"])
    values = np.array(rows)
    return xr.Dataset(
        {
            "violations": ("chain", values[:, 0].astype(int)),
            "composition": ("chain", values[:, 1]),
            "information": ("chain", values[:, 2]),
            "classes": (("chain", "level"), values[:, 3:].astype(int)),
        }
    )


def linear(settings, unit, inputs, workspace, progress):
    """Synapses of linear maps in factors and flattened."""
    seed, cost = settings["seed"], dt.cheap.flattening_cost
    fft = cost(_butterflies(_FFT)).cost
    strassen = [cost(_strassen(k, generator(seed, "strassen", k))).cost for k in _STRASSEN]
    (n, rank), rng = _RANK, generator(seed, "low rank")
    low = cost([rng.standard_normal((rank, n)), rng.standard_normal((n, rank))]).cost
    sparse = [cost(_random_factors(network)).cost for network in seeds(settings, "seeds")]
    size, p = SPARSE
    return xr.Dataset(
        {
            "fft": fft / (_FFT / (2 * math.log2(_FFT))),
            "fft_cost": fft,
            "strassen": ("level", [c / (8**k / (9 * 7**k - 8 * 4**k)) for k, c in zip(_STRASSEN, strassen)]),
            "strassen_cost": ("level", strassen),
            "low_rank": low / (n / (2 * rank)),
            "low_rank_cost": low,
            "sparse": ("seed", np.array(sparse) / ((1 - (1 - p**2) ** size) / (2 * p))),
            "sparse_cost": ("seed", sparse),
        },
        coords={"level": list(_STRASSEN), "seed": seeds(settings, "seeds")},
    )


def _random_factors(seed: int) -> list[np.ndarray]:
    n, p = SPARSE
    return [(generator(seed, "sparse", which).random((n, n)) < p).astype(np.int64) for which in ("first", "second")]


def _butterflies(n: int) -> list[np.ndarray]:
    """The factors of the Fourier transform of n = 2^k numbers in bit-reversed order,
    first applied first (Cooley & Tukey)."""
    out, half = [], 1
    while half < n:
        turn, eye = np.exp(-1j * np.pi * np.arange(half) / half), np.eye(half)
        block = np.block([[eye, np.diag(turn)], [eye, -np.diag(turn)]])
        out.append(np.kron(np.eye(n // (2 * half)), block))
        half *= 2
    return out


# Strassen 1969: the seven sums of blocks of X that are multiplied, and how the products become blocks of X A
_ENCODE = np.array([[1, 0, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1], [1, 1, 0, 0], [-1, 0, 1, 0], [0, 1, 0, -1]])
_OTHER = np.array([[1, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1]])
_DECODE = np.array([[1, 0, 0, 1, -1, 0, 1], [0, 0, 1, 0, 1, 0, 0], [0, 1, 0, 1, 0, 0, 0], [1, -1, 1, 0, 0, 1, 0]])


def _strassen(k: int, rng) -> list[Any]:
    """X -> X A for 2^k x 2^k matrices, entries block by block: k encoding maps, a diagonal of 7^k, k decoding maps."""
    from scipy import sparse

    def at(level: int, block: np.ndarray) -> Any:
        return sparse.kron(sparse.kron(sparse.eye_array(7**level), block), sparse.eye_array(4 ** (k - level - 1)))

    a = rng.standard_normal(4**k)  # A, block by block
    for level in range(k):
        a = at(level, _OTHER) @ a
    encode, decode = ([at(level, block) for level in range(k)] for block in (_ENCODE, _DECODE))
    return [*encode, sparse.diags_array(a), *decode[::-1]]


def check(settings: dict) -> None:
    """InputError: fields too small, or waves too few or too many, for their couplings; found by the first of them."""
    _couplings(settings, seeds({**settings, "seed": 0}, "seeds")[0])


def fields(settings, unit, inputs, workspace, progress):
    """Couplings of one field and of its block averages; NaN where one is fitted as 0 or less, which has no exponent."""
    try:
        found = _couplings(settings, unit[0])
    except InputError:
        found = np.full((2, 2, 3), np.nan)
    slope = np.log2(found[:, 1] / found[:, 0]).mean(0)
    return xr.Dataset(
        {
            "exponent": (("seed", "term"), slope[None]),
            "coupling": (("seed", "step", "term"), found.mean(0)[None]),
        },
        coords={"seed": unit},
    )


def _couplings(settings: dict, seed: int) -> np.ndarray:
    """[field, step, term] of two fields of that seed, whose mean counts."""
    pair = [dt.cheap.gaussian_field(settings["couplings"], settings["field"], derive(seed, "field", k)) for k in (0, 1)]
    return dt.cheap.renormalization_flow(np.stack(pair), k_max=settings["k_max"]).couplings


def data(settings, unit, inputs, workspace, progress):
    """Held-out bits of Hamiltonians of degree 1, 2 and 3 on one part of each kind of data."""
    rows = []
    for name in DATA:
        x = _samples(name, unit[0], settings)
        fits = [dt.cheap.hamiltonian_fit(x, degree, compare_assumptions=False, seed=0) for degree in (1, 2, 3)]
        rows.append([[f.bits.value, float(f.parameters)] for f in fits])
    return xr.Dataset(
        {"fit": (("seed", "data", "degree", "what"), np.array(rows)[None])},
        coords={"seed": unit, "data": list(DATA), "degree": [1, 2, 3], "what": ["bits", "parameters"]},
    )


def _samples(name: str, seed: int, settings: dict) -> np.ndarray:
    """[N, n] bits: windows of digits, a 3 x 3 Ising grid, committee inputs with their label, or a cubic Hamiltonian."""
    rng = generator(seed, name)
    if name == "digits":  # the part of the images that belongs to this seed, every 3 x 3 window of each
        images = dt.datasets.digits().images > 8
        order = generator(settings["seed"], "digits").permutation(len(images))
        mine = images[order[seeds(settings, "seeds").index(seed) :: settings["seeds"]]]
        windows = np.lib.stride_tricks.sliding_window_view(mine, (3, 3), axis=(1, 2))
        return windows.reshape(-1, 9).astype(np.int64)
    if name == "committee":
        task = dt.datasets.committee()
        rows = rng.integers(0, len(task.x), settings["samples"])
        return np.column_stack([task.x[rows], task.y[rows]]).astype(np.int64)
    if name == "ising":
        energy = _outputs(dt.cheap.ising((3, 3), coupling=0.4, field=0.1).energy, _STATES)
    else:  # every triple, no pair: the control that must fail
        triples = [(a, b, c) for a in range(9) for b in range(a) for c in range(b)]
        weights = generator(settings["seed"], "triples").normal(0, 0.3, len(triples))
        energy = -np.stack([(2 * _STATES[:, [a, b, c]] - 1).prod(1) for a, b, c in triples], axis=1) @ weights
    p = np.exp(-(energy - energy.min()))
    return _STATES[rng.choice(len(_STATES), settings["samples"], p=p / p.sum())]


_one_each = partial(in_chunks, count="seeds")
STEPS = [
    Step(name="gates", function=gates, about="product gates, bit gates, flat and tree products"),
    Step(name="counts", function=counts, about="neurons and parameters, exact"),
    Step(name="posteriors", function=posteriors, about="Bayes as a softmax; the partition-function counterexample"),
    Step(name="hierarchies", function=hierarchies, about="theorem 2 in random chains"),
    Step(name="linear", function=linear, about="flattening of linear maps"),
    Step(name="fields", function=fields, units=_one_each, about="coarse-graining of Gaussian fields"),
    Step(name="data", function=data, units=_one_each, about="degree of the Hamiltonian of data"),
]
