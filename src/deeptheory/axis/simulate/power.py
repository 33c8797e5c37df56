"""How often is a verdict right at your sizes? The bench on simulated cells of known code, as many as you like.

`verdict_power("exemplar", n=400, d=20, reliability=0.6)` before an experiment says what its data could tell. Intervals
are Clopper and Pearson's: exact for a count, and never narrower than 95 %.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deeptheory.axis.bench.code import axis_code
from deeptheory.axis.models.verdicts import VERDICTS
from deeptheory.axis.simulate.simulation import Simulation, Variances, simulate
from deeptheory.core.errors import InputError
from deeptheory.core.results import Result
from deeptheory.core.shapes import check_whole
from deeptheory.core.statistics import proportion_interval

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, kw_only=True, eq=False)
class Power(Result):
    """How often simulated cells get the verdict that is true of them.

    counts: {code: {verdict: cells}}; n, d, reliability, variances: of the simulation; controversial: stimuli added.
    """

    counts: dict[str, dict[str, int]]
    n: int
    d: int
    reliability: float
    variances: str
    controversial: int
    seed: int

    def __repr__(self) -> str:
        said = ", ".join(f"{code} {self.share(code)[0]:.3f}" for code in self.counts)
        return f"Power(right: {said}; {self.n} stimuli, {self.d} features, reliability {self.reliability:g})"

    def cells(self, code: str) -> int:
        """Simulated cells of that code."""
        return sum(self.counts[code].values())

    def share(self, code: str, *verdicts: str) -> tuple[float, float, float]:
        """Share of the cells of a code that got one of the verdicts (default: its own), and its 95 % interval."""
        found = proportion_interval(sum(self.counts[code].get(v, 0) for v in verdicts or (code,)), self.cells(code))
        return found.value, found.low, found.high

    def wrong(self, code: str) -> tuple[float, float, float]:
        """Share of the cells of a code that were called by another one's name, and its 95 % interval."""
        return self.share(code, *(v for v in VERDICTS if v not in (code, "undetermined")))

    def table(self) -> "pandas.DataFrame":
        """One row per code: cells by verdict."""
        import pandas as pd

        rows = [{"code": code, **{v: k.get(v, 0) for v in VERDICTS}} for code, k in self.counts.items()]
        return pd.DataFrame(rows)


def verdict_power(
    code: Any = "axis",
    *,
    n: int = 2000,
    d: int = 50,
    units: int = 100,
    variances: Variances = "isotropic",
    reliability: float = 0.9,
    controversial: int = 0,
    seed: int = 0,
    folds: int = 10,
    permutations: int = 200,
    **simulation: Any,
) -> Power:
    """The verdicts on simulated cells of one code, or of a dict of shares; see simulate for what else it takes.

    Returns counts, {code: {verdict: cells}}, of cells whose code is known; verdicts: "axis", "exemplar",
    "norm x direction", "energy", "none", "undetermined".
    n: stimuli; d: features; units: simulated cells; variances, reliability: as in simulate; folds: of the comparison of
    models; permutations: draws of the null of the ramp, as in axis_code.
    controversial: so many stimuli of the bench's own making are shown beside the n. InputError: as simulate and
    axis_code.
    """
    check_whole(controversial=(controversial, 0), seed=(seed, 0), folds=(folds, 2), permutations=(permutations, 0))
    if controversial < 0:
        raise InputError(f"controversial is {controversial}; needed: 0 or more stimuli")
    options = {"variances": variances, "reliability": reliability, "seed": seed, **simulation}
    sim = simulate(code, n=n, d=d, units=units, **options)
    said = _verdicts(sim, controversial, folds=folds, permutations=permutations, seed=seed)
    counts = {}
    for name in dict.fromkeys(sim.codes):
        mine = said[np.array(sim.codes) == name]
        counts[name] = {v: int((mine == v).sum()) for v in VERDICTS}
    return Power(
        counts=counts, n=n, d=d, reliability=reliability, variances=variances, controversial=controversial, seed=seed
    )


def _verdicts(sim: Simulation, controversial: int, **options: Any) -> np.ndarray:
    """A unit left out, which never responded, has no code that could be seen: none."""
    code = axis_code(sim.responses, sim.features, normalize="none", **options)
    if controversial:
        x = code.controversial(controversial)
        y = np.concatenate([sim.responses, sim.respond(x, sim.seed + 1)])
        code = axis_code(y, np.concatenate([sim.features, x]), normalize="none", **options)
    said = np.full(len(sim.codes), "none", dtype=object)
    said[code.units] = code.verdict
    return said.astype(str)
