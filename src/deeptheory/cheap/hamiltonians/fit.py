"""How cheap is the Hamiltonian of your data? Parameters under each assumption, and the bits that each assumption loses.

Source: Lin, Tegmark & Rolnick 2017, section II.D: physical Hamiltonians have low degree, are local and symmetric. Here
that is a measurement: ln p(x) = sum_t theta_t t(x) - ln Z is fitted under the assumptions,
and held-out samples say what they cost.
Pitfalls: pseudo-likelihood needs no ln Z, and its bits are sums of conditional entropies, not the entropy; compare them
with each other only. Correlated samples make intervals too narrow.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.cheap.hamiltonians.gaussian import Gaussian
from deeptheory.cheap.hamiltonians.intervals import RARE, intervals
from deeptheory.cheap.hamiltonians.newton import maximize
from deeptheory.cheap.hamiltonians.pairs import Pairs
from deeptheory.cheap.hamiltonians.parameter_count import parameter_count
from deeptheory.cheap.hamiltonians.polynomial import Polynomial, check_comparable
from deeptheory.cheap.hamiltonians.samples import Kind, Samples, read_samples
from deeptheory.cheap.hamiltonians.terms import Assumptions, Term
from deeptheory.core.arrays import as_numbers
from deeptheory.core.errors import InputError
from deeptheory.core.results import Estimate, Result
from deeptheory.core.shapes import check_within

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects

MOST_PARAMETERS = 6_000  # the curvature is a square table
_WIDEN = 0.25  # of the range of real samples, on either side


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class HamiltonianFit(Result):
    """H(x) = -sum_k theta_k sum of the terms of orbit k, up to ln Z, in nats; P parameters.

    orbits: terms that share a parameter, each ((variable, power or level), ...). theta: [P]. low, high: [P] its 95 %
    interval, -inf or inf where a joint state that was never seen leaves no finite maximum
    (theta is then what the ridge holds). standard_error: [P]; where joint states are rare so large that theta -+ 1.96
    of it holds low and high (inf). bits: of a held-out sample, sum over variables of -log2 p(x_i | rest). excess_bits:
    bits per sample lost to locality and symmetry, against the same degree without them
    (0 where nothing else was assumed; NaN where that has too many parameters to fit). assumptions: one row each, from
    any function to independent variables: parameters, bits, excess_bits, low, high. scores: [held out] bits of each
    held-out sample; held_out: which samples those are, in 16 characters, equal for fits of one data set and seed.
    kind: "binary" (spins: the smaller of the two values is -1), "potts", "gaussian" or "real". levels: of a discrete
    variable; known: their values.
    """

    kind: str
    n: int
    degree: int
    levels: int | None
    known: tuple[float, ...]
    orbits: list[list[Term]]
    theta: np.ndarray
    standard_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    bits: Estimate
    excess_bits: Estimate
    assumptions: Any
    scores: np.ndarray
    held_out: str = ""
    notes: tuple[str, ...] = ()

    @property
    def parameters(self) -> int:
        """Number of parameters, ln Z not counted."""
        return len(self.theta)

    def __repr__(self) -> str:
        return (
            f"HamiltonianFit({self.n} {self.kind} variables, degree {self.degree}, {self.parameters} parameters, "
            f"{self.bits.value:.4g} bits)"
        )

    def excess_bits_over(self, other: "HamiltonianFit") -> Estimate:
        """Bits a held-out sample costs more under this fit than under another of the same samples and seed.

        Mean of paired differences and its 95 % interval (normal). InputError: the other was scored on other samples, or
        none were held out.
        """
        if self.held_out != other.held_out or not len(self.scores):
            raise InputError(
                f"this fit holds out {len(self.scores)} samples, the other {len(other.scores)}, not the same ones; fit "
                "the same data with the same seed and held_out_fraction"
            )
        return _difference(self.scores, other.scores, f"against {other.parameters} parameters")

    @property
    def fields(self) -> np.ndarray:
        """theta of the terms of one variable at first power, [n]; Potts: [n, levels], zero-sum over levels."""
        if self.kind == "potts":
            return self._potts()[0]
        return self._spread(1, (self.n,))

    @property
    def couplings(self) -> np.ndarray:
        """theta of the terms x_i x_j, [n, n] symmetric, diagonal 0; of spins their J over kT.

        Potts: [n, n, levels, levels], zero-sum over levels.
        """
        if self.kind == "potts":
            return self._potts()[1]
        half = self._spread(2, (self.n, self.n))
        return half + half.T

    def energy(self, x) -> np.ndarray:
        """H(x) without ln Z in nats, [rows] float64, NaN where x is; x: [rows, n] as it was given to the fit.

        InputError: another number of variables, or a value that the fit has not seen (discrete variables).
        """
        x = as_numbers(x)
        if x.ndim != 2 or x.shape[1] != self.n:
            raise InputError(f"x has shape {list(x.shape)}; needed: [rows, {self.n}]")
        if self.known:
            level = np.searchsorted(self.known, x).clip(max=len(self.known) - 1)
            if (np.array(self.known)[level] != x).any():
                raise InputError(f"x holds values outside {list(self.known)}, the levels of the fitted samples")
            x = 2 * level - 1 if self.kind == "binary" else level
        out = np.zeros(len(x))
        for theta, orbit in zip(self.theta, self.orbits):
            for term in orbit:
                out -= theta * np.prod([self._factor(x[:, v], p) for v, p in term], axis=0)
        return out

    def graph(self):
        """The same as a FactorGraph over levels 0, 1, ... (discrete variables): an exact ln Z, posteriors, gradients.

        InputError: real variables.
        """
        from deeptheory.cheap.hamiltonians.graph import FactorGraph

        if self.levels is None:
            raise InputError("a factor graph has discrete variables; these are real")
        support = np.array([-1.0, 1.0]) if self.kind == "binary" else np.arange(self.levels)
        factors = []
        for theta, orbit in zip(self.theta, self.orbits):
            for term in orbit:
                table = np.array(theta)
                for _, p in term:
                    table = table[..., None] * self._factor(support, p)
                factors.append(([v for v, _ in term], table))
        return FactorGraph([self.levels] * self.n, factors)

    def table(self) -> "pandas.DataFrame":
        """One row per parameter: its first term, how many terms share it, theta, standard error, low, high."""
        import pandas as pd

        columns = {k: getattr(self, k) for k in ("theta", "standard_error", "low", "high")}
        named = {"term": [_written(o[0], self.kind) for o in self.orbits], "terms": [len(o) for o in self.orbits]}
        return pd.DataFrame(named | columns)

    def figure(self) -> "plotly.graph_objects.Figure":
        """Bits lost per held-out sample against parameters (logarithmic), a point and interval per assumption."""
        import plotly.graph_objects as go

        from deeptheory.core.theme import new_figure

        rows = self.assumptions[np.isfinite(self.assumptions["excess_bits"].astype(float))]
        figure = new_figure(xaxis_title="parameters", yaxis_title="bits lost a sample, held out")
        figure.update_xaxes(type="log")
        error = {"type": "data", "symmetric": False, "array": rows["high"] - rows["excess_bits"]}
        error["arrayminus"] = rows["excess_bits"] - rows["low"]
        figure.add_trace(
            go.Scatter(
                x=[float(p) for p in rows["parameters"]],
                y=rows["excess_bits"],
                text=rows["assumption"],
                mode="markers+text",
                textposition="top center",
                error_y=error,
            )
        )
        return figure

    def _factor(self, column: np.ndarray, p: int) -> np.ndarray:
        if self.levels is not None and self.kind == "potts":
            return (column == p) - 1 / self.levels
        return column.astype(float) ** p

    def _spread(self, order: int, shape: tuple[int, ...]) -> np.ndarray:
        out = np.zeros(shape)
        for theta, orbit in zip(self.theta, self.orbits):
            for term in orbit:
                if len(term) == order and all(p == 1 for _, p in term):
                    out[tuple(v for v, _ in term)] = theta
        return out

    def _potts(self) -> tuple[np.ndarray, np.ndarray]:
        q = self.levels or 0
        factor = np.eye(q) - 1 / q  # row p: [x = p] - 1/q over x
        single, pair = np.zeros((self.n, q)), np.zeros((self.n, self.n, q, q))
        for theta, orbit in zip(self.theta, self.orbits):
            for term in orbit:
                if len(term) == 1:
                    single[term[0][0]] += theta * factor[term[0][1]]
                elif len(term) == 2:
                    (i, a), (j, b) = term
                    table = theta * np.outer(factor[a], factor[b])
                    pair[i, j] += table
                    pair[j, i] += table.T
        return single, pair


def hamiltonian_fit(
    samples,
    degree: int = 2,
    *,
    locality=None,
    symmetry=None,
    kind: Kind = "auto",
    shape=None,
    periodic: bool = False,
    held_out_fraction: float = 0.2,
    compare_assumptions: bool = True,
    domain: tuple[float, float] | None = None,
    ridge: float = 1.0,
    seed: int = 0,
) -> HamiltonianFit:
    """Fit a Hamiltonian under assumptions, count its parameters, and say what the assumptions lose on held-out samples.

    ln p(x) = sum of theta_k times terms - ln Z; section II.D of Lin, Tegmark & Rolnick 2017 as a measurement. Discrete
    variables by pseudo-likelihood: bits are sums of conditional entropies, to be compared with each other only.
    samples: [N, n], at least 50, independent. degree, locality, symmetry, shape, periodic: see Assumptions. kind:
    "binary", "potts" (up to 16 levels), "gaussian" (likelihood), "real" (degrees to 4 or so, within `domain`: by
    default the samples' range and a quarter of it on either side), or "auto": "binary" of two values, "potts" of
    integers, else "gaussian" up to degree 2 and "real" above. held_out_fraction: of the samples, 0 to below 1, drawn by
    seed; 0: no bits (NaN). compare_assumptions: fit the weaker and stronger assumptions too, for the table. ridge:
    precision of a Gaussian prior on theta, in samples, 0 or more.

    InputError: shapes, NaN, constant variables, values out of range, "real" ones far from 0 or of other units, more
    than 6,000 parameters. DeeptheoryError: no convergence, or terms that depend on each other in these samples.
    """
    read = read_samples(samples, kind, degree, held_out_fraction, seed)
    assumed = [
        Assumptions(
            n=read.values.shape[1],
            degree=degree,
            levels=read.q,
            locality=where,
            symmetry=shared,
            shape=None if shape is None else tuple(shape),
            periodic=periodic,
        )
        for where, shared in ((None, None), (locality, None), (locality, symmetry), ((), None))
    ]
    wanted, names = assumed[2], [f"degree up to {degree}", "and local", "and symmetric", "independent"]
    given = [True, locality is not None, symmetry is not None, True]
    last = max(k for k in range(3) if given[k])
    orbits = wanted.orbits()
    if len(orbits) > MOST_PARAMETERS:
        raise InputError(f"{len(orbits)} parameters; up to {MOST_PARAMETERS} are fitted: assume locality or symmetry")
    scale = _Fitter(read, domain, ridge)
    theta, error, scores = scale.fit(orbits)
    low, high, error, said = _limits(scale, orbits, theta, error)
    rows, notes = [], [*scale.notes, *said]
    reference = None
    for k in range(4):
        if not given[k] or not (compare_assumptions or k == last):
            continue
        count, bits = _size(assumed[k]), None
        if k == last:
            bits = scores
        elif count <= MOST_PARAMETERS and read.train < len(read.values):
            bits = scale.fit(assumed[k].orbits(), errors=False)[2]
        else:
            notes.append(f"“{names[k]}” has {count} parameters and was not fitted")
        if reference is None and k < 3:
            reference = bits if bits is not None else np.full(len(scores), np.nan)
        rows.append((names[k], count, bits))
    reference = scores if reference is None else reference
    return HamiltonianFit(
        kind=read.kind,
        n=wanted.n,
        degree=degree,
        levels=read.q,
        known=read.known,
        orbits=orbits,
        theta=theta,
        standard_error=error,
        low=low,
        high=high,
        bits=_mean(scores, "sum over variables of -log2 p(x_i | rest), held out"),
        excess_bits=_difference(scores, reference, "against the same degree, nothing else assumed"),
        assumptions=_rows(rows, reference, read, wanted.n),
        scores=scores,
        held_out=read.held_out,
        notes=tuple(notes),
    )


class _Fitter:
    """Fits any list of orbits to the training part, and scores the rest."""

    def __init__(self, read: Samples, domain: tuple[float, float] | None, ridge: float):
        check_within(ridge=(ridge, 0, 1e300))
        self.read, self.ridge, self.notes, self.unit, self.left = read, ridge, [], 1.0, np.zeros(0)
        self.carriers = np.zeros(0)
        self.train, self.rest = read.values[: read.train], read.values[read.train :]
        if read.kind == "real":
            low, high = float(read.values.min()), float(read.values.max())
            wide = _WIDEN * (high - low)
            self.domain = (low - wide, high + wide) if domain is None else (float(domain[0]), float(domain[1]))
            check_comparable(read.values, self.domain, ridge)
            self.unit = float(np.sqrt((read.values**2).mean()))  # so that a ridge means the same for all samples
            self.notes.append(f"densities on [{self.domain[0]:.4g}, {self.domain[1]:.4g}]")

    def fit(self, orbits: list[list[Term]], errors: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """theta [P], standard errors [P], bits of each held-out sample."""
        read = self.read
        if read.kind == "gaussian":
            gaussian = Gaussian(self.train, orbits)
            theta, error = gaussian.fit()
            scores = -gaussian.log_p(theta, self.rest) / np.log(2) if len(self.rest) else np.zeros(0)
            return theta, error, scores
        pairs = read.q is not None and all(len(t) <= 2 for orbit in orbits for t in orbit)
        if pairs:
            assert read.q is not None
            model = Pairs(self.train, read.q, orbits)
        else:
            ends = tuple(v / self.unit for v in self.domain) if read.kind == "real" else (-1.0, 1.0)
            model = Polynomial(self.train / self.unit if read.q is None else self.train, read.q, orbits, ends)
        theta, error, left, carriers = maximize(model, self.ridge, errors)
        if errors:
            self.left, self.carriers = left, carriers
        rest = self.rest / self.unit if read.q is None else self.rest
        scores = -model.log_p(theta, rest) / np.log(2) if len(rest) else np.zeros(0)
        if read.q is not None:
            return theta, error, scores
        powers = self.unit ** np.array([sum(p for _, p in orbit[0]) for orbit in orbits], dtype=float)
        return theta / powers, error / powers, scores + read.values.shape[1] * np.log2(self.unit)


def _limits(scale: _Fitter, orbits: list[list[Term]], theta: np.ndarray, error: np.ndarray):
    """low, high, standard error [P], and notes on what was rare."""
    read, reach = scale.read, 1.96 * error
    if read.q is None:
        return theta - reach, theta + reach, error, []
    low, high, least = intervals(scale.train, read.q, orbits, theta, error, scale.left, scale.carriers)
    farther = np.maximum(high - theta, theta - low)
    doubtful = farther > 1.001 * reach
    error = np.where(doubtful | ~np.isfinite(error), farther / 1.96, error)
    rare, open_ = int((least < RARE).sum()), ~np.isfinite(low) | ~np.isfinite(high)
    notes = []
    if rare:
        width = float(np.median((high - low)[least < RARE]))
        notes.append(
            f"{rare} of {len(theta)} parameters rest on a joint state with fewer than {RARE} samples: their intervals "
            f"come from counts; median width {width:.3g} nats"
        )
    if open_.any():
        notes.append(
            f"{int(open_.sum())} parameters have no finite maximum: a joint state never occurs, or columns determine "
            "one another; their intervals are open to that side, and the ridge holds theta"
        )
    return low, high, error, notes


def _size(assumed: Assumptions) -> int:
    return parameter_count(
        assumed.n, assumed.degree, locality=assumed.locality, symmetry=assumed.symmetry,
        levels=assumed.levels, shape=assumed.grid, periodic=assumed.periodic,
    )  # fmt: skip


def _mean(scores: np.ndarray, method: str) -> Estimate:
    if not len(scores):
        return Estimate(value=np.nan, method=method, notes=("no samples were held out",))
    value, reach = float(scores.mean()), 1.96 * float(scores.std(ddof=1)) / len(scores) ** 0.5 if len(scores) > 1 else 0
    return Estimate(value=value, low=value - reach, high=value + reach, method=method)


def _difference(scores: np.ndarray, reference: np.ndarray, method: str) -> Estimate:
    if len(scores) and np.isnan(reference).any():
        return Estimate(value=np.nan, method=method, notes=("the reference has too many parameters to fit",))
    return _mean(scores - reference, f"held-out samples, paired, {method}")


def _rows(rows, reference: np.ndarray, read: Samples, n: int):
    import pandas as pd

    out = [("any function", float("inf") if read.q is None else read.q**n - 1, np.nan, np.nan, np.nan, np.nan)]
    for name, count, scores in rows:
        if scores is None or not len(scores):
            out.append((name, count, np.nan, np.nan, np.nan, np.nan))
            continue
        lost = _difference(scores, reference, "")
        out.append((name, count, float(scores.mean()), lost.value, lost.low, lost.high))
    return pd.DataFrame(out, columns=["assumption", "parameters", "bits", "excess_bits", "low", "high"])


def _written(term: Term, kind: str) -> str:
    if kind == "potts":
        return " ".join(f"[x{v}={p}]" for v, p in term)
    return " ".join(f"x{v}" if p == 1 else f"x{v}^{p}" for v, p in term)
