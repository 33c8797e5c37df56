"""Simulated cells whose code is known: what the bench of this package is measured on, open to everybody.

`simulate("exemplar", reliability=0.5)` gives responses and features for `axis_code`, and the truth beside them; a dict
of shares gives a mixture. `Simulation.respond` shows the same cells other stimuli.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from deeptheory.axis.simulate.codes import CODES, SOFT, softplus
from deeptheory.core.arrays import as_floats
from deeptheory.core.errors import InputError
from deeptheory.core.names import pick
from deeptheory.core.powers import power_of
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_finite, check_real, check_whole

if TYPE_CHECKING:
    import pandas

# Variances of the 25 shape components of Chang & Tsao's released face space, and of the 25 appearance components, of
# which
# the first four, and the last, are known: between them they fall geometrically here.
_SHAPE = (
    0.0666, 0.0490, 0.0293, 0.0256, 0.0150, 0.0114, 0.0097, 0.0081, 0.0073, 0.0066, 0.0056, 0.0046, 0.0037, 0.0035,
    0.0028,
    0.0027, 0.0022, 0.0019, 0.0019, 0.0017, 0.0015, 0.0014, 0.0013, 0.0011, 0.0010,
)  # fmt: skip
_APPEARANCE = (6.98e5, 4.49e5, 3.31e5, *np.geomspace(1.63e5, 2.8e4, 22))


def paper_variances() -> np.ndarray:
    """[50]: variances like those of Chang & Tsao 2017's face space, 25 of shape, then 25 of appearance; their sum is 1.

    Each block is divided by twice its sum. Of appearance the first four and the last are known; between them they fall
    geometrically here.
    """
    return np.concatenate([np.array(v) / (2 * np.sum(v)) for v in (_SHAPE, _APPEARANCE)])


_FAR = 1e9  # median norms: of distances from farther exemplars rounding leaves less than seven digits

Variances = Literal["isotropic", "paper"]
VARIANCES = {"isotropic": lambda d: np.ones(d), "paper": lambda d: paper_variances()}


@dataclass(frozen=True, kw_only=True, eq=False)
class Simulation(Result):
    """Simulated cells of known codes, float64.

    responses: [n, unit], or [n, trial, unit] with trials above 1; features: [n, d]; rates: [n, unit], the expected
    responses; codes: each unit's code. targets: [unit, d], its axis (length 1; along it the response falls where
    the sign is minus) or exemplar. blocks: the two halves of the features, "first" and "second". reliability, trials,
    noise, seed: as asked for.
    """

    responses: np.ndarray
    features: np.ndarray
    rates: np.ndarray
    codes: tuple[str, ...]
    targets: np.ndarray
    blocks: dict[str, slice]
    reliability: float
    trials: int
    noise: str
    seed: int
    _shift: np.ndarray = field(repr=False)
    _scale: np.ndarray = field(repr=False)
    _power: int = field(default=0, repr=False)  # features are of the order of 2 to this

    def __repr__(self) -> str:
        kinds = ", ".join(f"{self.codes.count(k)} {k}" for k in dict.fromkeys(self.codes))
        n, d = self.features.shape
        return (
            f"Simulation({kinds} units, {n} stimuli, {d} features, reliability {self.reliability:g}, seed {self.seed})"
        )

    def table(self) -> "pandas.DataFrame":
        """One row per unit: its code and target_norm, the length of its axis or exemplar."""
        import pandas as pd

        power = power_of(self.targets)
        norm = np.ldexp(np.linalg.norm(np.ldexp(self.targets, -power), axis=1), power)
        return pd.DataFrame({"code": self.codes, "target_norm": norm})

    def respond(self, features: np.ndarray, seed: int) -> np.ndarray:
        """The same cells' noisy responses to other stimuli [m, d]: [m, unit], or [m, trial, unit] with trials above 1.

        seed: of the noise. InputError: features that are not [m, d], with d as in the simulation, hold NaN, or are so
        large that rates leave float64; a seed that is not an integer of 0 or more.
        """
        check_whole(seed=(seed, 0))
        s = as_floats(features)
        if s.ndim != 2 or s.shape[1] != self.features.shape[1]:
            raise InputError(f"features have shape {list(s.shape)}; needed: [m, {self.features.shape[1]}]")
        check_finite(features=s)
        return _noisy(self._rates(s), self, np.random.default_rng(seed))

    def _rates(self, features: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):
            raw = _drive(self.codes, features, self.targets, self._power)
            soft = np.array([c in SOFT for c in self.codes])
            out = self._scale * np.where(soft, softplus((raw - self._shift[0]) / self._shift[1]), raw)
        if not np.isfinite(out).all():
            raise InputError(
                f"features reach {np.abs(features).max():.3g}, so far from those simulated, of the order of "
                f"2^{self._power}, that rates leave float64; give them in the same units"
            )
        flat = np.array([c == "none" for c in self.codes])
        return np.where(flat, self._scale, out)


def simulate(
    code: str | dict[str, float] = "axis",
    *,
    n: int = 2000,
    d: int = 50,
    units: int = 205,
    variances: Any = "isotropic",
    reliability: float = 0.9,
    trials: int = 1,
    radius=(0.5, 1.5),
    sign: Literal["plus", "minus", "both"] = "both",
    noise: Literal["poisson", "gaussian"] = "poisson",
    seed: int = 0,
) -> Simulation:
    """Cells of a known code and their noisy responses to n Gaussian stimuli of d features; -> Simulation.

    code: a name, or {name: fraction of the units} ({"axis": 0.6, "energy": 0.4}), of "axis" w.s; "exemplar" -|s - e|;
    "norm x direction" |s| max(0, cos(s, w))^2; "energy" (w.s)^2; "none", a constant. The first two pass, standardized,
    a softplus. variances: of the features, "isotropic" (1 each), "paper" (paper_variances, d = 50), or [d].
    reliability: expected signal variance over all variance of the mean over trials, the same for every unit: Poisson
    rates, or Gaussian noise, are scaled to it (of "none", which has no signal, the rate is 10). radius: of the
    exemplars, in median stimulus norms, one number, or two between which it is drawn evenly; 1e9 at most, beyond which
    float64 holds no difference between distances.
    sign, of axis and exemplar: "plus", "minus" (exemplar cells that fire more with distance; mirrored axes) or "both",
    drawn evenly. noise: "poisson" counts, or "gaussian". seed: of all draws.
    InputError: an unknown name, reliability outside (0, 1), fractions that do not add up to 1, variances of another
    length, negative or all 0, a negative radius, fewer than 2 stimuli (one alone has no signal), other numbers below 1.
    """
    check_whole(n=(n, 2), d=(d, 1), units=(units, 1), trials=(trials, 1), seed=(seed, 0))
    if not isinstance(code, dict):
        pick(CODES, code, what="code")
    shares = code if isinstance(code, dict) else {code: 1.0}
    for name, value in shares.items():
        pick(CODES, name, what="code")
        check_real(**{f"the share of {name}": (value, -np.inf)})
    check_real(reliability=(reliability, 0))
    if abs(sum(shares.values()) - 1) > 1e-9 or min(shares.values()) < 0:
        raise InputError(f"shares are {shares}; needed: not negative, adding up to 1")
    if not 0 < reliability < 1:
        raise InputError(f"reliability is {reliability}; needed: between 0 and 1, both excluded")
    pick({"poisson": 0, "gaussian": 0}, noise, what="noise")
    signs = pick({"plus": (1.0,), "minus": (-1.0,), "both": (1.0, -1.0)}, sign, what="sign")
    spread = pick(VARIANCES, variances, what="variances")(d) if isinstance(variances, str) else as_floats(variances)
    if spread.shape != (d,) or not ((spread >= 0) & np.isfinite(spread)).all() or not spread.any():
        raise InputError(
            f"variances have shape {list(spread.shape)}, d is {d}; needed: [{d}], finite, none negative, not all 0"
        )
    power = power_of(np.sqrt(spread))
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, d)) * np.sqrt(spread)
    counts = np.floor(np.cumsum([0.0, *shares.values()]) * units + 0.5).astype(int)
    codes = tuple(name for name, k in zip(shares, np.diff(counts)) for _ in range(k))
    targets = rng.standard_normal((units, d)) * np.sqrt(spread)  # axes and exemplars lie where stimuli lie
    targets = np.ldexp(targets, -power)  # exact, and squares stay in float64
    targets /= np.linalg.norm(targets, axis=1, keepdims=True)
    ends = as_floats(radius)
    if ends.shape not in ((), (2,)) or not ((ends >= 0) & (ends <= _FAR)).all():
        raise InputError(f"radius is {radius}; needed: one number or two, from 0 to {_FAR:g}, in median stimulus norms")
    ends = np.sort(np.broadcast_to(ends, (2,)))
    middle = np.ldexp(np.median(np.linalg.norm(np.ldexp(features, -power), axis=1)), power)
    far = middle * rng.uniform(ends[0], ends[1], units)
    is_exemplar = np.array([c == "exemplar" for c in codes])
    targets *= np.where(is_exemplar, far, 1.0)[:, None]
    raw = _drive(codes, features, targets, power)
    mean, deviation = raw.mean(0), np.maximum(raw.std(0), 1e-12)
    turned = rng.choice(signs, units) * deviation
    draft = Simulation(
        responses=features,
        features=features,
        rates=features,
        codes=codes,
        targets=targets,
        blocks={"first": slice(0, d // 2), "second": slice(d // 2, d)},
        reliability=reliability,
        trials=trials,
        noise=noise,
        seed=seed,
        _shift=np.stack([mean, turned]),
        _scale=np.ones(units),
        _power=power,
    )
    rates = draft._rates(features)
    draft = _with(draft, _scale=_gain(rates, draft))
    rates = draft._rates(features)
    return _with(draft, rates=rates, responses=_noisy(rates, draft, rng))


def _with(simulation: Simulation, **changes) -> Simulation:
    return Simulation(**{**vars(simulation), **changes})


def _drive(codes: tuple[str, ...], features: np.ndarray, targets: np.ndarray, power: int) -> np.ndarray:
    """In units of 2^power: exact, and no code depends on the unit of the features."""
    out, features = np.zeros((len(features), len(codes))), np.ldexp(features, -power)
    for name in dict.fromkeys(codes):
        which = np.array([c == name for c in codes])
        places = np.ldexp(targets[which], -power) if name == "exemplar" else targets[which]
        out[:, which] = CODES[name](features, places)
    return out


def _gain(rates: np.ndarray, s: Simulation) -> np.ndarray:
    """What to multiply rates by: g^2 v / (g^2 v + g m / trials) = reliability for Poisson; unit variance for
    Gaussian.
    """
    v, m = rates.var(0), rates.mean(0)
    flat = v < 1e-20
    safe = np.where(flat, 1.0, v)
    odds = s.reliability / (1 - s.reliability)
    gain = odds * m / (s.trials * safe) if s.noise == "poisson" else 1 / np.sqrt(safe)
    return np.where(flat, 10.0, gain)


def _noisy(rates: np.ndarray, s: Simulation, rng: np.random.Generator) -> np.ndarray:
    shape = (len(rates), s.trials, rates.shape[1])
    if s.noise == "poisson":
        if not rates.max(initial=0) < 1e18:
            raise InputError(f"rates reach {rates.max():.3g}; numpy draws counts below 1e18")
        out = rng.poisson(rates[:, None, :], shape).astype(np.float64)
    else:
        level = np.sqrt(
            s.trials * (1 - s.reliability) / s.reliability
        )  # rates have unit variance over the first stimuli
        if not np.isfinite(level):
            raise InputError(f"reliability is {s.reliability}, whose noise has no variance in float64")
        out = rates[:, None, :] + level * rng.standard_normal(shape)
    return out[:, 0] if s.trials == 1 else out
